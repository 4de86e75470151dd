//! Which collation a comparison or a joined text has: MySQL's coercibility rules.

use super::types::{Coercibility, Kind, Type};
use crate::collation::{Charset, Collation};
use sql::error::SqlError;

/// The collation in which operands of these types meet, and how strongly. Numbers and dates count
/// as text in the connection's collation. Error 1267 when two columns or two COLLATE clauses differ.
pub fn join(
    types: &[&Type],
    connection: &'static Collation,
    operation: &str,
) -> Result<(&'static Collation, Coercibility), SqlError> {
    let mut joined: Option<(&'static Collation, Coercibility)> = None;
    for ty in types {
        let next = match ty.kind {
            Kind::Null => continue,
            Kind::Text | Kind::Enum | Kind::Set | Kind::Json => (ty.collation, ty.coercibility),
            _ => (connection, Coercibility::Numeric),
        };
        joined = Some(match joined {
            None => next,
            Some(first) => pair(first, next, operation)?,
        });
    }
    Ok(joined.unwrap_or((connection, Coercibility::Ignorable)))
}

type Side = (&'static Collation, Coercibility);

fn pair(first: Side, second: Side, operation: &str) -> Result<Side, SqlError> {
    if first.0.id == second.0.id {
        return Ok((first.0, first.1.min(second.1)));
    }
    if first.1 != second.1 {
        return Ok(if first.1 < second.1 { first } else { second });
    }
    // A byte string takes over; of two character sets the one that holds the other wins.
    let (a, b) = (first.0, second.0);
    if a.is_binary() || b.is_binary() {
        return Ok(if a.is_binary() { first } else { second });
    }
    if a.charset != b.charset {
        return match (width(a.charset), width(b.charset)) {
            (x, y) if x > y => Ok(first),
            (x, y) if x < y => Ok(second),
            _ => Err(illegal(first, second, operation)),
        };
    }
    match (a.is_of_codes(), b.is_of_codes()) {
        (true, false) if first.1 != Coercibility::Explicit => Ok((a, Coercibility::None)),
        (false, true) if first.1 != Coercibility::Explicit => Ok((b, Coercibility::None)),
        _ => Err(illegal(first, second, operation)),
    }
}

fn width(charset: Charset) -> u8 {
    match charset {
        Charset::Utf8mb4 => 4,
        Charset::Utf8mb3 => 3,
        Charset::Further(_) if charset.has_unicode() => 3,
        Charset::Latin1 | Charset::Further(_) => 2,
        Charset::Ascii => 1,
        Charset::Binary => 5,
    }
}

fn illegal(first: Side, second: Side, operation: &str) -> SqlError {
    let name = |coercibility: Coercibility| match coercibility {
        Coercibility::Explicit => "EXPLICIT",
        Coercibility::None => "NONE",
        Coercibility::Implicit => "IMPLICIT",
        Coercibility::System => "SYSCONST",
        Coercibility::Literal => "COERCIBLE",
        Coercibility::Numeric => "NUMERIC",
        Coercibility::Ignorable => "IGNORABLE",
    };
    SqlError::cant_aggregate_2collations(
        first.0.name,
        name(first.1),
        second.0.name,
        name(second.1),
        operation,
    )
}
