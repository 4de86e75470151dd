//! Conversion of a value to a type: CAST, CONVERT, and operands brought to the type of a result.

use super::env::Env;
use super::types::{Kind, NOT_FIXED, Type};
use crate::value::DateRules;
use crate::value::datum::{Datum, Integer, Lossy};
use crate::value::fraction::truncate_span;
use binlog::value::Decimal;

use sql::SqlMode;
use sql::error::SqlError;

/// The value as a value of `ty`. What is lost is warned about as CAST does.
pub fn convert(value: Datum, ty: &Type, env: &Env) -> Result<Datum, SqlError> {
    if value.is_null() {
        return Ok(value);
    }
    let truncates = env.sql_mode.contains(SqlMode::TIME_TRUNCATE_FRACTIONAL);
    Ok(match ty.kind {
        Kind::Null => Datum::Null,
        Kind::Year => return year(&value, env),
        Kind::Integer | Kind::Bit => {
            let integer = match (value.to_integer(), &value) {
                // A decimal stops at the largest number, where text and integers keep their bits.
                (lossy, Datum::Decimal(_)) if !ty.unsigned => {
                    let kept = Integer::Signed(lossy.value.saturate());
                    let lost = (kept.wide() != lossy.value.wide()).then_some("DECIMAL");
                    Lossy {
                        value: kept,
                        lost: lossy.lost.or(lost),
                    }
                }
                (lossy, _) => lossy,
            };
            let integer = env.checked(integer, &value)?;
            if ty.unsigned {
                Datum::UInt(integer.bits())
            } else {
                Datum::Int(signed(integer))
            }
        }
        Kind::Decimal => Datum::Decimal(to_decimal(&value, ty, env)?),
        Kind::Double | Kind::Float => {
            let number = env.checked(value.to_f64(), &value)?;
            if ty.kind == Kind::Float {
                #[expect(clippy::cast_possible_truncation, reason = "that is what FLOAT does")]
                return Ok(Datum::Float(number as f32));
            }
            Datum::Double(number)
        }
        Kind::Date | Kind::DateTime | Kind::Timestamp => return moment(&value, ty, env),
        Kind::Time => match value.to_span() {
            Some(lossy) => {
                let span = env.checked(lossy, &value)?;
                let span = match truncates {
                    true => truncate_span(span, ty.decimals),
                    false => span.round(ty.decimals),
                };
                Datum::Time(span.clamp(), ty.decimals)
            }
            None => {
                env.complain(SqlError::truncated_wrong_value("time", value.to_str()))?;
                Datum::Null
            }
        },
        Kind::Json => crate::functions::json::from_datum(&value)?,
        Kind::Text | Kind::Enum | Kind::Set => text(&value, ty, env)?,
    })
}

/// A date, or a date with a time, that the session's sql_mode lets through.
fn moment(value: &Datum, ty: &Type, env: &Env) -> Result<Datum, SqlError> {
    let rules = DateRules::of(env.sql_mode);
    let Some(lossy) = value.to_moment_by(&env.now, &rules) else {
        return wrong(value, env);
    };
    let moment = env.checked(lossy, value)?;
    Ok(match ty.kind {
        Kind::Date => Datum::Date(moment.midnight()),
        _ if env.sql_mode.contains(SqlMode::TIME_TRUNCATE_FRACTIONAL) => {
            Datum::DateTime(moment.truncate(ty.decimals), ty.decimals)
        }
        _ => Datum::DateTime(moment.round(ty.decimals), ty.decimals),
    })
}

/// A number of one or two digits is a year from 1970 to 2069. NULL with a warning for what is none.
fn year(value: &Datum, env: &Env) -> Result<Datum, SqlError> {
    let number = match value {
        Datum::Year(year) => return Ok(Datum::Year(*year)),
        Datum::Date(moment) | Datum::DateTime(moment, _) => i128::from(moment.year),
        Datum::Time(..) => i128::from(env.now.year),
        other => env.checked(other.to_integer(), other)?.wide(),
    };
    let year = match number {
        0 if matches!(value, Datum::Text(_)) => 2000,
        0 | 1901..=2155 => number,
        1..=69 => 2000 + number,
        70..=99 => 1900 + number,
        _ => {
            env.complain(SqlError::truncated_wrong_value("YEAR", value.to_str()))?;
            return Ok(Datum::Null);
        }
    };
    Ok(u16::try_from(year).map_or(Datum::Null, Datum::Year))
}

/// CAST(... AS SIGNED) takes the bits of what does not fit.
fn signed(integer: Integer) -> i64 {
    match integer {
        Integer::Signed(value) => value,
        Integer::Unsigned(value) => value.cast_signed(),
    }
}

fn wrong(value: &Datum, env: &Env) -> Result<Datum, SqlError> {
    env.complain(super::function::wrong_datetime(value))?;
    Ok(Datum::Null)
}

fn to_decimal(value: &Datum, ty: &Type, env: &Env) -> Result<Decimal, SqlError> {
    let number = env.checked(value.to_decimal(), value)?;
    let rounded = number.round(i32::from(ty.decimals));
    let whole_digits = usize::from(ty.precision.saturating_sub(ty.decimals));
    let limit = || {
        let nines = |count: usize| "9".repeat(count);
        let text = format!("{}.{}", nines(whole_digits), nines(ty.decimals.into()));
        let limit: Decimal = text.trim_end_matches('.').parse().unwrap_or(Decimal::ZERO);
        if number.is_negative() {
            limit.negate()
        } else {
            limit
        }
    };
    match rounded {
        Some(rounded)
            if usize::from(rounded.precision().saturating_sub(rounded.scale())) <= whole_digits
                || rounded.is_zero() =>
        {
            Ok(rounded)
        }
        _ => {
            env.complain(SqlError::new(
                1264,
                "22003",
                format!(
                    "Out of range value for column '{}' at row 1",
                    value.to_str()
                ),
            ))?;
            Ok(limit())
        }
    }
}

/// Text cut to the length of the type; CAST(... AS CHAR) has none.
fn text(value: &Datum, ty: &Type, env: &Env) -> Result<Datum, SqlError> {
    let bytes = value.to_text();
    let limit = usize::try_from(ty.length).unwrap_or(usize::MAX);
    if !ty.fixed_width || ty.decimals == NOT_FIXED && ty.length == u32::MAX {
        return Ok(Datum::Text(bytes.into_owned()));
    }
    if ty.is_binary() {
        let mut bytes = bytes.into_owned();
        if bytes.len() > limit {
            env.complain(SqlError::truncated_wrong_value(
                format!("BINARY({limit})"),
                value.to_str(),
            ))?;
        }
        bytes.resize(limit, 0);
        return Ok(Datum::Text(bytes));
    }
    let text = value.to_str();
    if text.chars().count() <= limit {
        return Ok(Datum::text(text.into_owned()));
    }
    env.complain(SqlError::truncated_wrong_value(
        format!("CHAR({limit})"),
        &text,
    ))?;
    Ok(Datum::text(text.chars().take(limit).collect::<String>()))
}
