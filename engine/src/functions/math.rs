//! Mathematical functions.

use std::f64::consts::PI;

use binlog::value::Decimal;

use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::{Kind, Type};
use crate::value::datum::{Datum, narrow};
use sql::error::SqlError;

type Eval = fn(&Call<'_>) -> Result<Datum, SqlError>;

const fn real(name: &'static str, eval: Eval) -> Function {
    Function {
        name,
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: double,
        eval,
    }
}

const fn real2(name: &'static str, min: usize, max: usize, eval: Eval) -> Function {
    Function {
        name,
        min,
        max,
        strict: true,
        volatile: false,
        result: double,
        eval,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    real("acos", |c| {
        domain(c, |x| (-1.0..=1.0).contains(&x), f64::acos)
    }),
    real("asin", |c| {
        domain(c, |x| (-1.0..=1.0).contains(&x), f64::asin)
    }),
    real2("atan", 1, 2, |c| {
        Ok(Datum::Double(if c.count() == 2 {
            c.f64(0)?.atan2(c.f64(1)?)
        } else {
            c.f64(0)?.atan()
        }))
    }),
    real2("atan2", 1, 2, |c| {
        Ok(Datum::Double(if c.count() == 2 {
            c.f64(0)?.atan2(c.f64(1)?)
        } else {
            c.f64(0)?.atan()
        }))
    }),
    real("cos", |c| finite(c, c.f64(0)?.cos())),
    real("cot", |c| finite(c, 1.0 / c.f64(0)?.tan())),
    real("degrees", |c| finite(c, c.f64(0)? * 180.0 / PI)),
    real("exp", |c| finite(c, c.f64(0)?.exp())),
    real("ln", |c| logarithm(c, f64::ln)),
    real2("log", 1, 2, log),
    real("log10", |c| logarithm(c, f64::log10)),
    real("log2", |c| logarithm(c, f64::log2)),
    real2("pi", 0, 0, |_| Ok(Datum::Double(PI))),
    real2("pow", 2, 2, |c| finite(c, c.f64(0)?.powf(c.f64(1)?))),
    real("radians", |c| finite(c, c.f64(0)? * PI / 180.0)),
    real("sin", |c| finite(c, c.f64(0)?.sin())),
    real("sqrt", |c| domain(c, |x| x >= 0.0, f64::sqrt)),
    real("tan", |c| finite(c, c.f64(0)?.tan())),
    Function {
        name: "rand",
        min: 0,
        max: 1,
        strict: false,
        volatile: true,
        result: |_| Ok(Type::double()),
        eval: rand,
    },
    Function {
        name: "sign",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: |s| Ok(Type::integer(2).with_null(s.any_null())),
        eval: |c| {
            let value = c.f64(0)?;
            Ok(Datum::Int(i64::from(value > 0.0) - i64::from(value < 0.0)))
        },
    },
    Function {
        name: "abs",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: abs_type,
        eval: abs,
    },
    Function {
        name: "ceiling",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: whole_type,
        eval: |c| whole(c, true),
    },
    Function {
        name: "floor",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: whole_type,
        eval: |c| whole(c, false),
    },
    Function {
        name: "round",
        min: 1,
        max: 2,
        strict: true,
        volatile: false,
        result: round_type,
        eval: |c| round(c, true),
    },
    Function {
        name: "truncate",
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result: round_type,
        eval: |c| round(c, false),
    },
    Function {
        name: "crc32",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: |s| Ok(Type::unsigned(10).with_null(s.any_null())),
        eval: |c| Ok(Datum::UInt(u64::from(crc32(&c.own_bytes(0))))),
    },
    Function {
        name: "conv",
        min: 3,
        max: 3,
        strict: true,
        volatile: false,
        result: |s| Ok(s.connection_text(64).with_null(true)),
        eval: conv,
    },
];

fn double(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let nullable = signature.any_null() || !matches!(signature.name, "pi" | "cos" | "sin" | "exp");
    let mut ty = Type::double().with_null(nullable);
    if signature.name == "pi" {
        ty.decimals = 6;
    }
    Ok(ty)
}

fn finite(call: &Call<'_>, value: f64) -> Result<Datum, SqlError> {
    if value.is_finite() {
        return Ok(Datum::Double(value));
    }
    Err(SqlError::data_out_of_range("DOUBLE", call.node.describe()))
}

fn domain(
    call: &Call<'_>,
    inside: fn(f64) -> bool,
    eval: fn(f64) -> f64,
) -> Result<Datum, SqlError> {
    let value = call.f64(0)?;
    Ok(if inside(value) {
        Datum::Double(eval(value))
    } else {
        Datum::Null
    })
}

fn logarithm(call: &Call<'_>, eval: fn(f64) -> f64) -> Result<Datum, SqlError> {
    let value = call.f64(0)?;
    if value <= 0.0 {
        call.env.complain(SqlError::new(
            3020,
            "2201E",
            "Invalid argument for logarithm",
        ))?;
        return Ok(Datum::Null);
    }
    Ok(Datum::Double(eval(value)))
}

fn log(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.count() == 1 {
        return logarithm(call, f64::ln);
    }
    let (base, value) = (call.f64(0)?, call.f64(1)?);
    if base <= 0.0 || value <= 0.0 || base == 1.0 {
        call.env.complain(SqlError::new(
            3020,
            "2201E",
            "Invalid argument for logarithm",
        ))?;
        return Ok(Datum::Null);
    }
    Ok(Datum::Double(value.ln() / base.ln()))
}

/// MySQL's own generator for a seed; the system's for none.
fn rand(call: &Call<'_>) -> Result<Datum, SqlError> {
    const MODULUS: u64 = 0x3fff_ffff;
    if call.count() == 0 || call.arg(0).is_null() && call.count() == 0 {
        return Ok(Datum::Double(rand::random::<f64>()));
    }
    let seed = call.integer(0)?.bits() & 0xffff_ffff;
    let constant = call
        .nodes
        .first()
        .is_some_and(|node| node.as_const().is_some());
    let mut state = call.env.random.borrow_mut();
    let (first, second) = match (*state, constant) {
        (Some((first, second)), true) => (u64::from(first), u64::from(second)),
        _ => {
            let low = |value: u64| (value & 0xffff_ffff) % MODULUS;
            (
                low(seed.wrapping_mul(0x10001).wrapping_add(55_555_555)),
                low(seed.wrapping_mul(0x1000_0001)),
            )
        }
    };
    let first = (first * 3 + second) % MODULUS;
    let second = (first + second + 33) % MODULUS;
    *state = Some((
        u32::try_from(first).unwrap_or(0),
        u32::try_from(second).unwrap_or(0),
    ));
    Ok(Datum::Double(first as f64 / MODULUS as f64))
}

fn abs_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let ty = signature.ty(0);
    Ok(match ty.kind {
        Kind::Integer | Kind::Decimal | Kind::Double => Type { wire: None, ..ty },
        kind if kind.is_integer() => Type {
            unsigned: ty.unsigned,
            ..Type::integer(ty.length)
        },
        _ => Type::double(),
    }
    .with_null(signature.any_null()))
}

fn abs(call: &Call<'_>) -> Result<Datum, SqlError> {
    Ok(match call.node.ty.kind {
        Kind::Integer => match call.integer(0)? {
            crate::value::datum::Integer::Signed(value) => {
                let abs = value
                    .checked_abs()
                    .ok_or_else(|| SqlError::data_out_of_range("BIGINT", call.node.describe()))?;
                Datum::Int(abs)
            }
            unsigned @ crate::value::datum::Integer::Unsigned(_) => unsigned.into(),
        },
        Kind::Decimal => Datum::Decimal(call.decimal(0)?.abs()),
        _ => Datum::Double(call.f64(0)?.abs()),
    })
}

fn whole_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let ty = signature.ty(0);
    Ok(match ty.kind {
        kind if kind.is_integer() => Type {
            unsigned: ty.unsigned,
            ..Type::integer(ty.length.max(2))
        },
        Kind::Decimal if ty.integer_digits() < 18 => Type {
            unsigned: ty.unsigned,
            ..Type::integer(u32::from(ty.integer_digits()) + 2)
        },
        Kind::Decimal => Type::decimal(ty.integer_digits() + 1, 0, ty.unsigned),
        _ => Type::double(),
    }
    .with_null(signature.any_null()))
}

fn whole(call: &Call<'_>, up: bool) -> Result<Datum, SqlError> {
    if call.kind(0).is_integer() {
        return Ok(call.integer(0)?.into());
    }
    if call.kind(0) == Kind::Decimal {
        let value = call.decimal(0)?;
        let rounded = if up { value.ceil() } else { value.floor() }.unwrap_or(value);
        return Ok(match (call.node.ty.kind, rounded.to_i128()) {
            (Kind::Integer, Some(wide)) => narrow(wide).into(),
            _ => Datum::Decimal(rounded),
        });
    }
    let value = call.f64(0)?;
    Ok(Datum::Double(if up { value.ceil() } else { value.floor() }))
}

fn round_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let ty = signature.ty(0);
    let places = if signature.args.len() < 2 {
        Some(0)
    } else {
        signature.constant_int(1)
    };
    Ok(match ty.kind {
        kind if kind.is_integer() => Type {
            unsigned: ty.unsigned,
            ..Type::integer(if places.unwrap_or(0) < 0 {
                ty.length + 1
            } else {
                ty.length
            })
        },
        Kind::Decimal => {
            let places = places.unwrap_or(i64::from(ty.decimals)).clamp(0, 30);
            let scale = u8::try_from(places).unwrap_or(0).min(ty.decimals);
            Type::decimal(
                (ty.integer_digits() + 1).saturating_add(scale).min(65),
                scale,
                ty.unsigned,
            )
        }
        _ => Type::double(),
    }
    .with_null(signature.any_null()))
}

fn round(call: &Call<'_>, nearest: bool) -> Result<Datum, SqlError> {
    let places = if call.count() > 1 { call.int(1)? } else { 0 };
    let limited = i32::try_from(places.clamp(-100, 100)).unwrap_or(0);
    let exact = |value: Decimal| {
        let rounded = if nearest {
            value.round(limited)
        } else {
            value.truncate(limited)
        };
        rounded.unwrap_or(Decimal::ZERO)
    };
    Ok(match call.kind(0) {
        kind if kind.is_integer() => {
            if places >= 0 {
                return Ok(call.integer(0)?.into());
            }
            let value = exact(call.arg(0).to_decimal().value).to_i128().unwrap_or(0);
            let fits = if call.node.ty.unsigned {
                u64::try_from(value).is_ok()
            } else {
                i64::try_from(value).is_ok()
            };
            if !fits {
                return Err(SqlError::data_out_of_range("BIGINT", call.node.describe()));
            }
            narrow(value).into()
        }
        Kind::Decimal => {
            let value = call.decimal(0)?;
            let scale = i32::from(call.node.ty.decimals);
            let rounded = if limited > scale { value } else { exact(value) };
            Datum::Decimal(rounded.round(scale).unwrap_or(rounded))
        }
        _ => Datum::Double(round_double(call.f64(0)?, limited, nearest)),
    })
}

/// MySQL's `my_double_round`: halves go to the even neighbour, as the processor rounds.
fn round_double(value: f64, places: i32, nearest: bool) -> f64 {
    let factor = 10f64.powi(places.abs());
    let cut = |scaled: f64| {
        if nearest {
            scaled.round_ties_even()
        } else {
            scaled.trunc()
        }
    };
    if places < 0 {
        return if factor.is_infinite() {
            0.0
        } else {
            cut(value / factor) * factor
        };
    }
    let scaled = value * factor;
    if scaled.is_infinite() {
        value
    } else {
        cut(scaled) / factor
    }
}

/// CRC-32 of zlib.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xedb8_8320 & mask);
        }
    }
    !crc
}

fn conv(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (from, to) = (call.int(1)?, call.int(2)?);
    let base = |base: i64| {
        u32::try_from(base.unsigned_abs())
            .ok()
            .filter(|base| (2..=36).contains(base))
    };
    let (Some(from_base), Some(to_base)) = (base(from), base(to)) else {
        return Ok(Datum::Null);
    };
    let text = call.text(0);
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed),
    };
    let mut value: u64 = 0;
    let mut any = false;
    for digit in digits.chars().map_while(|c| c.to_digit(from_base)) {
        any = true;
        let next = value
            .checked_mul(u64::from(from_base))
            .and_then(|v| v.checked_add(u64::from(digit)));
        value = next.unwrap_or(u64::MAX);
    }
    if !any && trimmed.is_empty() {
        return Ok(Datum::Null);
    }
    if negative {
        value = value.wrapping_neg();
    }
    let (sign, magnitude) = if to < 0 && value.cast_signed() < 0 {
        ("-", value.wrapping_neg())
    } else {
        ("", value)
    };
    Ok(Datum::text(format!(
        "{sign}{}",
        to_base_text(magnitude, to_base)
    )))
}

/// A number in a base from 2 to 36, in capitals.
pub(super) fn to_base_text(mut value: u64, base: u32) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(value % u64::from(base)).unwrap_or(0);
        digits.push(
            char::from_digit(digit, base)
                .unwrap_or('0')
                .to_ascii_uppercase(),
        );
        value /= u64::from(base);
        if value == 0 {
            break;
        }
    }
    digits.iter().rev().collect()
}
