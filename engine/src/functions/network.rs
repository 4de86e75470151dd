//! Internet addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::Type;
use crate::value::datum::Datum;
use sql::error::SqlError;

type Eval = fn(&Call<'_>) -> Result<Datum, SqlError>;
type Typing = fn(&Signature<'_>) -> Result<Type, SqlError>;

const fn one(name: &'static str, result: Typing, eval: Eval) -> Function {
    Function {
        name,
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result,
        eval,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    one(
        "inet_aton",
        |_| Ok(Type::unsigned(21).with_null(true)),
        inet_aton,
    ),
    one(
        "inet_ntoa",
        |s| Ok(s.connection_text(15).with_null(true)),
        |c| {
            let address = u32::try_from(c.integer(0)?.bits()).ok();
            Ok(Datum::from_option(
                address.map(|bits| Datum::text(Ipv4Addr::from(bits).to_string())),
            ))
        },
    ),
    one(
        "inet6_aton",
        |_| Ok(Type::bytes(16).with_null(true)),
        |c| match c.text(0).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => Ok(Datum::Text(address.octets().to_vec())),
            Ok(IpAddr::V6(address)) => Ok(Datum::Text(address.octets().to_vec())),
            Err(_) => no_address(c, "inet6_aton"),
        },
    ),
    one(
        "inet6_ntoa",
        |s| Ok(s.connection_text(39).with_null(true)),
        |c| {
            let bytes = c.bytes(0);
            let four = <[u8; 4]>::try_from(&*bytes)
                .ok()
                .map(|octets| Ipv4Addr::from(octets).to_string());
            let sixteen = <[u8; 16]>::try_from(&*bytes)
                .ok()
                .map(|octets| Ipv6Addr::from(octets).to_string());
            Ok(Datum::from_option(four.or(sixteen).map(Datum::text)))
        },
    ),
    one("is_ipv4", truth, |c| {
        Ok(Datum::truth(c.text(0).parse::<Ipv4Addr>().is_ok()))
    }),
    one("is_ipv6", truth, |c| {
        Ok(Datum::truth(c.text(0).parse::<Ipv6Addr>().is_ok()))
    }),
];

fn truth(_: &Signature<'_>) -> Result<Type, SqlError> {
    Ok(Type::boolean())
}

/// NULL and warning 1411, or its error.
fn no_address(call: &Call<'_>, function: &'static str) -> Result<Datum, SqlError> {
    let shown = format!("'{}'", call.text(0));
    let problem = SqlError::wrong_value_for_type("string", shown, function);
    call.env.complain(problem)?;
    Ok(Datum::Null)
}

/// Short forms too: `127.1` is 127.0.0.1.
fn inet_aton(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = call.text(0);
    let parts: Option<Vec<u64>> = text
        .split('.')
        .map(|part| part.parse().ok().filter(|value| *value < 256))
        .collect();
    let value = parts
        .filter(|parts| (1..=4).contains(&parts.len()))
        .map(|parts| {
            let last = parts.last().copied().unwrap_or(0);
            let head = parts.len() - 1;
            let high = parts.iter().take(head).fold(0, |sum, part| sum << 8 | part);
            (high << (8 * (4 - head))) | last
        });
    match value {
        Some(value) => Ok(Datum::UInt(value)),
        None => no_address(call, "inet_aton"),
    }
}
