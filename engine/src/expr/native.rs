//! Which comparisons SQLite may do by itself on stored forms, and what a constant is in them.

use rusqlite::types::Value as Stored;

use super::compare::Domain;
use super::env::Env;
use super::node::Comparison;
use super::types::{Kind, Type};
use crate::collation::compare;
use crate::value::datum::Datum;
use crate::value::stored::expression;
use binlog::value::Decimal;

/// Largest integer that every smaller one shares its double with no neighbour.
const DOUBLE_EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// Most significant digits that survive a round trip through a double.
const DOUBLE_DIGITS: u8 = 15;

/// The form in which values of a type lie in SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Integers, with a blob from 2^63 on.
    Whole,
    /// Decimals as scaled integers.
    Scaled(u8),
    /// Decimals in packed form.
    Packed(u8, u8),
    /// Doubles.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Packed dates and datetimes.
    Moment,
    /// Microseconds of a TIMESTAMP.
    Stamp,
    /// Microseconds of a TIME.
    Span,
}

impl Space {
    /// The form of a type; `None` for JSON and NULL.
    pub fn of(ty: &Type) -> Option<Self> {
        Some(match ty.kind {
            Kind::Integer | Kind::Year | Kind::Enum | Kind::Set | Kind::Bit => Self::Whole,
            Kind::Decimal if ty.precision <= 18 => Self::Scaled(ty.decimals),
            Kind::Decimal => Self::Packed(ty.precision, ty.decimals),
            Kind::Float | Kind::Double => Self::Real,
            Kind::Text if ty.is_binary() => Self::Bytes,
            Kind::Text => Self::Text,
            Kind::Date | Kind::DateTime => Self::Moment,
            Kind::Timestamp => Self::Stamp,
            Kind::Time => Self::Span,
            Kind::Json | Kind::Null => return None,
        })
    }
}

/// Whether values of two types may be compared as they lie, in a domain.
pub fn share(left: &Type, right: &Type, domain: Domain) -> bool {
    let (Some(a), Some(b)) = (Space::of(left), Space::of(right)) else {
        return false;
    };
    let member = |ty: &Type| matches!(ty.kind, Kind::Enum | Kind::Set);
    match domain {
        Domain::Integer => a == Space::Whole && b == Space::Whole,
        Domain::Decimal | Domain::Moment | Domain::Span => a == b,
        Domain::Double => a == Space::Real && b == Space::Real,
        Domain::Text(collation) if collation.is_binary() => a == Space::Bytes && b == Space::Bytes,
        Domain::Text(_) => a == Space::Text && b == Space::Text && !member(left) && !member(right),
        Domain::Json => false,
    }
}

/// A constant as something to compare stored values of `space` with; `None` when SQLite cannot.
pub fn constant(
    value: &Datum,
    op: Comparison,
    domain: Domain,
    space: &Space,
    ty: &Type,
    env: &Env,
) -> Option<Stored> {
    match (space, domain) {
        (Space::Whole, Domain::Text(_)) => member(value, op, ty),
        (Space::Whole, Domain::Integer) => Some(expression::integer(value.to_integer().value)),
        (Space::Whole, Domain::Decimal) => whole_of_decimal(&value.to_decimal().value),
        (Space::Whole, Domain::Double) => {
            let lossy = value.to_f64();
            (lossy.lost.is_none() && lossy.value.abs() < DOUBLE_EXACT_MAX)
                .then_some(Stored::Real(lossy.value))
        }
        (Space::Scaled(scale), Domain::Decimal) => scaled(&value.to_decimal().value, *scale),
        (Space::Scaled(scale), Domain::Double) if ty.precision <= DOUBLE_DIGITS => {
            let lossy = value.to_decimal();
            let exact = lossy.lost.is_none() && lossy.value.precision() <= DOUBLE_DIGITS;
            let plain = !matches!(value, Datum::Double(_) | Datum::Float(_));
            if exact && plain {
                scaled(&lossy.value, *scale)
            } else {
                None
            }
        }
        (Space::Packed(precision, scale), Domain::Decimal) => {
            let value = value.to_decimal().value;
            let rounded = value.round(i32::from(*scale))?;
            if rounded == value {
                expression::decimal(&value, *precision, *scale)
            } else {
                None
            }
        }
        (Space::Real, Domain::Double | Domain::Decimal | Domain::Integer) => {
            let lossy = value.to_f64();
            lossy.lost.is_none().then_some(Stored::Real(lossy.value))
        }
        (Space::Text, Domain::Text(collation)) if !collation.is_binary() => {
            String::from_utf8(value.to_text().into_owned())
                .ok()
                .map(Stored::Text)
        }
        (Space::Bytes, Domain::Text(collation)) if collation.is_binary() => {
            Some(Stored::Blob(value.to_text().into_owned()))
        }
        (Space::Moment, Domain::Moment) => {
            Some(Stored::Integer(value.to_moment(&env.now)?.value.packed()))
        }
        (Space::Stamp, Domain::Moment) => {
            let moment = value.to_moment(&env.now)?.value;
            expression::micros_of(&moment, &env.zone).map(Stored::Integer)
        }
        (Space::Span, Domain::Span) => Some(Stored::Integer(value.to_span()?.value.0)),
        _ => None,
    }
}

/// An ENUM member by name, for equality: its number, or one that no row has.
fn member(value: &Datum, op: Comparison, ty: &Type) -> Option<Stored> {
    let equality = matches!(
        op,
        Comparison::Equal | Comparison::NotEqual | Comparison::NullSafeEqual
    );
    if ty.kind != Kind::Enum || !equality {
        return None;
    }
    let text = value.to_text();
    if text.is_empty() {
        return Some(Stored::Integer(0));
    }
    let members = ty.members.as_ref()?;
    let found = members
        .iter()
        .position(|member| compare::compare(ty.collation, member.as_bytes(), &text).is_eq());
    Some(Stored::Integer(
        found
            .and_then(|index| i64::try_from(index + 1).ok())
            .unwrap_or(-1),
    ))
}

fn whole_of_decimal(value: &Decimal) -> Option<Stored> {
    let whole = value.truncate(0)?;
    if whole == *value {
        let number = crate::value::datum::narrow(whole.to_i128()?);
        return (number.wide() == whole.to_i128()?).then(|| expression::integer(number));
    }
    (value.precision() <= DOUBLE_DIGITS).then(|| Stored::Real(value.to_f64()))
}

fn scaled(value: &Decimal, scale: u8) -> Option<Stored> {
    let rounded = value.round(i32::from(scale))?;
    if rounded == *value {
        let number = rounded
            .unscaled(scale)
            .and_then(|number| i64::try_from(number).ok());
        return number.map(Stored::Integer);
    }
    // Between two stored values: any number strictly between them will do.
    let below = value.truncate(i32::from(scale))?.unscaled(scale)?;
    let below = i64::try_from(below)
        .ok()
        .filter(|below| below.unsigned_abs() < 1 << 50)?;
    let half = if value.is_negative() { -0.5 } else { 0.5 };
    Some(Stored::Real(below as f64 + half))
}
