//! How two values compare: as integers, decimals, doubles, texts, dates or times.
//!
//! The domain is chosen by the binder from the operands' types, as `Arg_comparator` of MySQL does;
//! here values are brought into it and compared.

use std::cmp::Ordering;

use super::collate;
use super::env::Env;
use super::node::{Comparison, Node};
use super::types::{Kind, Type};
use crate::collation::{self, Collation};
use crate::value::datum::Datum;
use sql::error::SqlError;

/// The common ground of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// Integers of either signedness.
    Integer,
    /// Exact decimals.
    Decimal,
    /// Doubles.
    Double,
    /// Text under a collation (`binary`: bytes).
    Text(&'static Collation),
    /// Dates with time.
    Moment,
    /// Times.
    Span,
    /// JSON documents.
    Json,
}

impl Domain {
    /// The domain of a comparison. Error 1267 for collations that do not meet.
    pub fn of(left: &Node, right: &Node, env: &Env, operation: &str) -> Result<Self, SqlError> {
        let (a, b) = (&left.ty, &right.ty);
        if a.kind == Kind::Json || b.kind == Kind::Json {
            return Ok(Self::Json);
        }
        if let Some(domain) = Self::temporal(left, right) {
            return Ok(domain);
        }
        if is_null_or(a, |ty| ty.kind.is_text()) && is_null_or(b, |ty| ty.kind.is_text()) {
            return Ok(Self::Text(
                collate::join(&[a, b], env.collation, operation)?.0,
            ));
        }
        Ok(Self::numeric(a, b))
    }

    fn temporal(left: &Node, right: &Node) -> Option<Self> {
        let (a, b) = (left.ty.kind, right.ty.kind);
        let domain = |kind: Kind| {
            if kind == Kind::Time {
                Self::Span
            } else {
                Self::Moment
            }
        };
        match (a.is_temporal(), b.is_temporal()) {
            (true, true) if a == Kind::Time && b == Kind::Time => Some(Self::Span),
            (true, true) => Some(Self::Moment),
            (true, false) if converts(right, a) => Some(domain(a)),
            (false, true) if converts(left, b) => Some(domain(b)),
            _ => None,
        }
    }

    fn numeric(a: &Type, b: &Type) -> Self {
        let exact = |ty: &Type| {
            is_null_or(ty, |ty| {
                ty.kind.is_integer() || matches!(ty.kind, Kind::Decimal)
            })
        };
        let whole = |ty: &Type| is_null_or(ty, |ty| ty.kind.is_integer());
        let member = |ty: &Type| matches!(ty.kind, Kind::Enum | Kind::Set);
        if (whole(a) || member(a)) && (whole(b) || member(b)) {
            Self::Integer
        } else if exact(a) && exact(b) {
            Self::Decimal
        } else if a.kind.is_temporal() && b.kind.is_text()
            || a.kind.is_text() && b.kind.is_temporal()
        {
            let text = if a.kind.is_text() { a } else { b };
            Self::Text(text.collation)
        } else {
            Self::Double
        }
    }
}

fn is_null_or(ty: &Type, test: impl Fn(&Type) -> bool) -> bool {
    ty.kind == Kind::Null || test(ty)
}

/// Whether a constant is to be read as a date or time when it meets one.
fn converts(node: &Node, kind: Kind) -> bool {
    let Some(value) = node.as_const() else {
        return false;
    };
    match value {
        Datum::Null | Datum::Text(_) => true,
        Datum::Int(_) | Datum::UInt(_) | Datum::Decimal(_) | Datum::Double(_) => {
            if kind == Kind::Time {
                value.to_span().is_some()
            } else {
                value
                    .to_moment(&crate::value::temporal::Moment::default())
                    .is_some()
            }
        }
        _ => false,
    }
}

/// Whether `left op right` holds; `None` when a side is NULL.
pub fn test(
    op: Comparison,
    domain: Domain,
    left: &Datum,
    right: &Datum,
    env: &Env,
) -> Result<Option<bool>, SqlError> {
    if left.is_null() || right.is_null() {
        let both = left.is_null() && right.is_null();
        return Ok((op == Comparison::NullSafeEqual).then_some(both));
    }
    Ok(order(domain, left, right, env)?.map(|ordering| op.holds(ordering)))
}

/// The order of two values that are not NULL; `None` when one is not of the domain.
pub fn order(
    domain: Domain,
    left: &Datum,
    right: &Datum,
    env: &Env,
) -> Result<Option<Ordering>, SqlError> {
    Ok(Some(match domain {
        Domain::Integer => {
            let left = env.checked(left.to_integer(), left)?.wide();
            left.cmp(&env.checked(right.to_integer(), right)?.wide())
        }
        Domain::Decimal => {
            let a = env.checked(left.to_decimal(), left)?;
            a.cmp(&env.checked(right.to_decimal(), right)?)
        }
        Domain::Double => {
            let a = env.checked(left.to_f64(), left)?;
            let b = env.checked(right.to_f64(), right)?;
            a.partial_cmp(&b).unwrap_or(Ordering::Equal)
        }
        Domain::Text(collation) => {
            collation::compare::compare(collation, &left.to_text(), &right.to_text())
        }
        Domain::Moment => {
            let (a, b) = (left.to_moment(&env.now), right.to_moment(&env.now));
            let (Some(a), Some(b)) = (a, b) else {
                let wrong = if left.to_moment(&env.now).is_none() {
                    left
                } else {
                    right
                };
                env.complain(super::function::wrong_datetime(wrong))?;
                return Ok(None);
            };
            a.value.cmp(&b.value)
        }
        Domain::Span => match (left.to_span(), right.to_span()) {
            (Some(a), Some(b)) => a.value.cmp(&b.value),
            _ => return Ok(None),
        },
        Domain::Json => crate::functions::json::order(left, right)?,
    }))
}
