//! Digests, UUIDs and other functions without a home.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use uuid::Uuid;

use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::Type;
use crate::value::datum::Datum;
use sql::error::SqlError;

type Eval = fn(&Call<'_>) -> Result<Datum, SqlError>;
type Typing = fn(&Signature<'_>) -> Result<Type, SqlError>;

const fn strict(
    name: &'static str,
    min: usize,
    max: usize,
    result: Typing,
    eval: Eval,
) -> Function {
    Function {
        name,
        min,
        max,
        strict: true,
        volatile: false,
        result,
        eval,
    }
}

const fn volatile(
    name: &'static str,
    min: usize,
    max: usize,
    result: Typing,
    eval: Eval,
) -> Function {
    Function {
        name,
        min,
        max,
        strict: true,
        volatile: true,
        result,
        eval,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    strict(
        "md5",
        1,
        1,
        |s| Ok(s.connection_text(32)),
        |c| Ok(hex(&Md5::digest(c.own_bytes(0)))),
    ),
    strict(
        "sha1",
        1,
        1,
        |s| Ok(s.connection_text(40)),
        |c| Ok(hex(&Sha1::digest(c.own_bytes(0)))),
    ),
    strict(
        "sha2",
        2,
        2,
        |s| Ok(s.connection_text(128).with_null(true)),
        sha2,
    ),
    volatile(
        "uuid",
        0,
        0,
        |s| Ok(s.connection_text(36)),
        |_| Ok(Datum::text(Uuid::now_v1(&node()).to_string())),
    ),
    volatile(
        "uuid_short",
        0,
        0,
        |_| Ok(Type::unsigned(21)),
        |_| Ok(Datum::UInt(rand::random::<u64>() >> 1)),
    ),
    strict(
        "is_uuid",
        1,
        1,
        |s| Ok(Type::boolean().with_null(s.any_null())),
        |c| Ok(Datum::truth(parse_uuid(&c.text(0)).is_some())),
    ),
    strict(
        "uuid_to_bin",
        1,
        2,
        |_| Ok(Type::bytes(16).with_null(true)),
        uuid_to_bin,
    ),
    strict(
        "bin_to_uuid",
        1,
        2,
        |s| Ok(s.connection_text(36).with_null(true)),
        bin_to_uuid,
    ),
    volatile(
        "random_bytes",
        1,
        1,
        |_| Ok(Type::bytes(1024).with_null(true)),
        random_bytes,
    ),
    volatile("sleep", 1, 1, |_| Ok(Type::integer(21)), sleep),
    Function {
        name: "last_insert_id",
        min: 1,
        max: 1,
        strict: false,
        volatile: true,
        result: |_| Ok(Type::unsigned(21)),
        eval: |c| {
            let value = c.integer(0)?.bits();
            c.env.last_insert_id.set(Some(value));
            Ok(if c.arg(0).is_null() {
                Datum::Null
            } else {
                Datum::UInt(value)
            })
        },
    },
    strict(
        "name_const",
        2,
        2,
        |s| Ok(s.ty(1)),
        |c| Ok(c.arg(1).clone()),
    ),
];

fn hex(bytes: &[u8]) -> Datum {
    Datum::text(
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    )
}

fn sha2(call: &Call<'_>) -> Result<Datum, SqlError> {
    let bytes = call.own_bytes(0);
    Ok(match call.int(1)? {
        0 | 256 => hex(&Sha256::digest(bytes)),
        224 => hex(&Sha224::digest(bytes)),
        384 => hex(&Sha384::digest(bytes)),
        512 => hex(&Sha512::digest(bytes)),
        _ => {
            call.env.complain(SqlError::wrong_arguments("sha2"))?;
            Datum::Null
        }
    })
}

/// A node address of this process, marked as random (RFC 9562, 6.10).
fn node() -> [u8; 6] {
    static NODE: std::sync::OnceLock<[u8; 6]> = std::sync::OnceLock::new();
    *NODE.get_or_init(|| {
        let mut node: [u8; 6] = rand::random();
        let [first, ..] = &mut node;
        *first |= 1;
        node
    })
}

fn parse_uuid(text: &str) -> Option<Uuid> {
    let braced = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let text = braced.unwrap_or(text);
    matches!(text.len(), 32 | 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

fn uuid_to_bin(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = call.text(0);
    let Some(uuid) = parse_uuid(&text) else {
        return Err(SqlError::wrong_value_for_type(
            "string",
            text,
            "uuid_to_bin",
        ));
    };
    let mut bytes = *uuid.as_bytes();
    if call.count() > 1 && call.int(1)? != 0 {
        let [a, b, c, d, e, f, g, h, ..] = bytes;
        for (slot, byte) in bytes.iter_mut().zip([g, h, e, f, a, b, c, d]) {
            *slot = byte;
        }
    }
    Ok(Datum::Text(bytes.to_vec()))
}

fn bin_to_uuid(call: &Call<'_>) -> Result<Datum, SqlError> {
    let Ok(mut bytes) = <[u8; 16]>::try_from(&*call.bytes(0)) else {
        return Err(SqlError::wrong_value_for_type(
            "string",
            call.text(0),
            "bin_to_uuid",
        ));
    };
    if call.count() > 1 && call.int(1)? != 0 {
        let [g, h, e, f, a, b, c, d, ..] = bytes;
        for (slot, byte) in bytes.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *slot = byte;
        }
    }
    Ok(Datum::text(Uuid::from_bytes(bytes).to_string()))
}

fn random_bytes(call: &Call<'_>) -> Result<Datum, SqlError> {
    match usize::try_from(call.int(0)?) {
        Ok(length @ 1..=1024) => Ok(Datum::Text((0..length).map(|_| rand::random()).collect())),
        _ => Err(SqlError::data_out_of_range("length", "random_bytes")),
    }
}

fn sleep(call: &Call<'_>) -> Result<Datum, SqlError> {
    let seconds = call.f64(0)?;
    if seconds < 0.0 || !seconds.is_finite() {
        return Err(SqlError::wrong_arguments("sleep."));
    }
    // Differs from MySQL: where changes are made all sessions take turns, so that one that waits
    // there would hold up the others.
    if !call.env.may_wait {
        return Err(SqlError::not_supported(
            "SLEEP() in a statement that changes rows or follows one in its transaction",
        ));
    }
    let duration = std::time::Duration::from_secs_f64(seconds.min(31_536_000.0));
    match call.env.interrupt.pause(duration) {
        true => Err(SqlError::query_interrupted()),
        false => Ok(Datum::Int(0)),
    }
}
