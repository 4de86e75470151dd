//! DEFAULT clauses: checked by storing the value once, kept as the text of the stored value.

use super::expression::{self, Purpose};
use super::types::fsp_of;
use crate::catalog::{Column, ColumnDefault, ColumnType};
use crate::collation::Charset;
use crate::collation::compare::equality_key;
use crate::expr::bind::check_temporal_literal;
use crate::rows::{Coercion, default_text};
use crate::session::SessionContext;
use crate::value::DateRules;
use crate::value::datum::{Datum, number_of_bytes};
use crate::value::sourced::{Sourced, TextKind};
use sql::ast::DefaultValue;
use sql::error::SqlError;

/// Most bytes of a text that an error shows.
const CONVERTED_BYTES_SHOWN: usize = 64;

/// Checks what is known of a default before its value is looked at. Errors 1067, 1101 and those of
/// expressions.
pub(super) fn check(
    session: &SessionContext,
    column: &Column,
    written: Option<&DefaultValue>,
) -> Result<(), SqlError> {
    match written {
        None if column.generated.is_none() => Ok(()),
        None
        | Some(
            DefaultValue::Null
            | DefaultValue::CurrentTimestamp(_)
            | DefaultValue::Expression(_)
            | DefaultValue::OfSequence,
        ) => define(session, column, written).map(drop),
        Some(DefaultValue::Temporal(..)) if !session.applies_log => {
            define(session, column, written).map(drop)
        }
        Some(
            DefaultValue::Temporal(..)
            | DefaultValue::Number(_)
            | DefaultValue::String(_)
            | DefaultValue::Hex(_)
            | DefaultValue::Bit(_)
            | DefaultValue::Bool(_),
        ) if column.column_type.is_blob_like() && !session.applies_log => {
            Err(SqlError::blob_cant_have_default(&column.name))
        }
        Some(_) => Ok(()),
    }
}

/// The default of a column whose other attributes are known. Errors 1067 and 1101.
pub(super) fn define(
    session: &SessionContext,
    column: &Column,
    written: Option<&DefaultValue>,
) -> Result<ColumnDefault, SqlError> {
    let invalid = || SqlError::invalid_default(&column.name);
    let is_list = matches!(
        column.column_type,
        ColumnType::Enum { .. } | ColumnType::Set { .. }
    );
    let value = match written {
        None if column.nullable && column.generated.is_none() => return Ok(ColumnDefault::Null),
        // Only its server draws from a sequence: here nothing is the default.
        None | Some(DefaultValue::OfSequence) => return Ok(ColumnDefault::None),
        Some(_) if column.generated.is_some() => {
            return Err(SqlError::wrong_usage("DEFAULT", "generated column"));
        }
        Some(DefaultValue::Null) if column.nullable => return Ok(ColumnDefault::Null),
        Some(DefaultValue::Null) => return Err(invalid()),
        Some(DefaultValue::CurrentTimestamp(fsp)) => {
            let is_moment = matches!(
                column.column_type,
                ColumnType::DateTime { .. } | ColumnType::Timestamp { .. }
            );
            return match is_moment && fsp_of(&column.name, Some(*fsp))? == column.column_type.fsp()
            {
                true => Ok(ColumnDefault::CurrentTimestamp),
                false => Err(invalid()),
            };
        }
        Some(DefaultValue::Expression(expression)) => {
            let written = expression::written(session, &column.name, Purpose::Default, expression)?;
            return Ok(ColumnDefault::Expression(written.text));
        }
        Some(DefaultValue::Hex(bytes)) if column.column_type.is_numeric() => {
            // To a number a hexadecimal literal is one.
            if bytes.iter().skip_while(|byte| **byte == 0).count() > 8 {
                return Err(invalid());
            }
            Datum::UInt(number_of_bytes(bytes)).into()
        }
        // MySQL takes no literal of these kinds here, though other servers do.
        Some(DefaultValue::Temporal(kind, text)) if !session.applies_log => {
            check_temporal_literal(kind, text, &DateRules::of(session.sql_mode))?;
            return Err(invalid());
        }
        Some(DefaultValue::Number(_) | DefaultValue::Bit(_) | DefaultValue::Bool(_))
            if is_list && !session.applies_log =>
        {
            return Err(invalid());
        }
        Some(DefaultValue::Bit(digits)) if !column.column_type.is_numeric() => {
            Sourced::bytes(sql::bytes_of_bits(digits).unwrap_or_default())
        }
        Some(literal) => literal_value(literal).ok_or_else(invalid)?,
    };
    if column.column_type.is_blob_like() && !session.applies_log {
        return Err(SqlError::blob_cant_have_default(&column.name));
    }
    if !session.applies_log {
        check_characters(session, column, &value)?;
        if !names_members(column, &value) {
            return Err(invalid());
        }
    }
    let mut coercion = Coercion::strict(session.sql_mode, &session.time_zone);
    let value = value.in_bytes_of(session.collation_connection.charset, &column.column_type);
    let stored = coercion.store(column, value).map_err(|_| invalid())?;
    Ok(ColumnDefault::Literal(default_text(column, &stored)))
}

/// Error 3854 for characters that the column cannot have. MySQL tells those of a VARCHAR otherwise.
fn check_characters(
    session: &SessionContext,
    column: &Column,
    value: &Sourced,
) -> Result<(), SqlError> {
    let collation = match &column.column_type {
        ColumnType::Char { collation, .. }
        | ColumnType::Enum { collation, .. }
        | ColumnType::Set { collation, .. } => collation,
        _ => return Ok(()),
    };
    match value.characters() {
        Some(text) => {
            let from = session.collation_connection.charset;
            convertible(text, from, collation.charset)
        }
        None => Ok(()),
    }
}

/// Error 3854 for a text that `to` has no characters for.
pub(crate) fn convertible(text: &str, from: Charset, to: Charset) -> Result<(), SqlError> {
    if to == Charset::Binary || to.encode(text).is_ok() {
        return Ok(());
    }
    let bytes = from
        .encode(text)
        .map_or_else(|_| text.as_bytes().to_vec(), Into::into);
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\x{other:02X}"),
    };
    let shown: String = bytes
        .iter()
        .take(CONVERTED_BYTES_SHOWN)
        .map(shown)
        .collect();
    Err(SqlError::cannot_convert_string(
        shown,
        from.name(),
        to.name(),
    ))
}

/// Whether the default of an ENUM or SET names its members: here MySQL takes no numbers of them, not
/// as texts either.
fn names_members(column: &Column, value: &Sourced) -> bool {
    let (members, collation, is_set) = match &column.column_type {
        ColumnType::Enum { members, collation } => (members, collation, false),
        ColumnType::Set { members, collation } => (members, collation, true),
        _ => return true,
    };
    let text = match (&value.value, value.text) {
        (Datum::Text(bytes), TextKind::Bytes) => String::from_utf8_lossy(bytes),
        _ => match value.characters() {
            Some(text) => text.into(),
            None => return true,
        },
    };
    let text = text.trim_end_matches(' ');
    let parts = match is_set {
        true => text.split(',').collect(),
        false => vec![text],
    };
    let key = |text: &str| equality_key(collation, text.trim_end_matches(' ').as_bytes());
    let is_member = |part: &str| members.iter().any(|member| key(member) == key(part));
    text.is_empty()
        || parts
            .into_iter()
            .all(|part| part.is_empty() || is_member(part))
}

fn literal_value(literal: &DefaultValue) -> Option<Sourced> {
    Some(match literal {
        DefaultValue::Number(text) => number(text)?.into(),
        DefaultValue::String(bytes) => Datum::Text(bytes.clone()).into(),
        DefaultValue::Hex(bytes) => Sourced::bytes(bytes.clone()),
        DefaultValue::Bit(digits) if digits.is_empty() => Datum::UInt(0).into(),
        DefaultValue::Bit(digits) => Datum::UInt(u64::from_str_radix(digits, 2).ok()?).into(),
        DefaultValue::Bool(value) => Datum::truth(*value).into(),
        DefaultValue::Temporal(_, text) => Datum::text(text).into(),
        DefaultValue::Null
        | DefaultValue::CurrentTimestamp(_)
        | DefaultValue::Expression(_)
        | DefaultValue::OfSequence => return None,
    })
}

fn number(text: &str) -> Option<Datum> {
    if let Ok(value) = text.parse() {
        return Some(Datum::Int(value));
    }
    if let Ok(value) = text.parse() {
        return Some(Datum::UInt(value));
    }
    if text.contains(['e', 'E']) {
        return text.parse().ok().map(Datum::Double);
    }
    text.parse().ok().map(Datum::Decimal)
}
