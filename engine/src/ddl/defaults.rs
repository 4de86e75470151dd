//! DEFAULT clauses: checked by storing the value once, kept as the text of the stored value.

use super::expression::{self, Purpose};
use super::types::fsp_of;
use crate::catalog::{Column, ColumnDefault, ColumnType};
use crate::rows::{Coercion, EvalValue, default_text};
use crate::session::SessionContext;
use sql::ast::DefaultValue;
use sql::error::SqlError;

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
        None => return Ok(ColumnDefault::None),
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
            let significant = bytes.iter().skip_while(|byte| **byte == 0);
            if significant.clone().count() > 8 {
                return Err(invalid());
            }
            EvalValue::UInt(significant.fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        // MySQL takes no literal of these kinds here, though other servers do.
        Some(DefaultValue::Temporal(_)) if !session.applies_log => return Err(invalid()),
        Some(DefaultValue::Number(_) | DefaultValue::Bit(_) | DefaultValue::Bool(_))
            if is_list && !session.applies_log =>
        {
            return Err(invalid());
        }
        Some(DefaultValue::Bit(digits)) if !column.column_type.is_numeric() => {
            EvalValue::Binary(sql::bytes_of_bits(digits).unwrap_or_default())
        }
        Some(literal) => literal_value(literal).ok_or_else(invalid)?,
    };
    if column.column_type.is_blob_like() {
        return Err(SqlError::blob_cant_have_default(&column.name));
    }
    let mut coercion = Coercion::strict(session.sql_mode, &session.time_zone);
    let stored = coercion.store(column, value).map_err(|_| invalid())?;
    Ok(ColumnDefault::Literal(default_text(column, &stored)))
}

fn literal_value(literal: &DefaultValue) -> Option<EvalValue> {
    Some(match literal {
        DefaultValue::Number(text) => number(text)?,
        DefaultValue::String(bytes) => match String::from_utf8(bytes.clone()) {
            Ok(text) => EvalValue::Text(text),
            Err(_) => EvalValue::IllFormed(bytes.clone()),
        },
        DefaultValue::Hex(bytes) => EvalValue::Binary(bytes.clone()),
        DefaultValue::Bit(digits) => EvalValue::UInt(if digits.is_empty() {
            0
        } else {
            u64::from_str_radix(digits, 2).ok()?
        }),
        DefaultValue::Bool(value) => EvalValue::Int(i64::from(*value)),
        DefaultValue::Temporal(text) => EvalValue::Text(text.clone()),
        DefaultValue::Null | DefaultValue::CurrentTimestamp(_) | DefaultValue::Expression(_) => {
            return None;
        }
    })
}

fn number(text: &str) -> Option<EvalValue> {
    if let Ok(value) = text.parse() {
        return Some(EvalValue::Int(value));
    }
    if let Ok(value) = text.parse() {
        return Some(EvalValue::UInt(value));
    }
    if text.contains(['e', 'E']) {
        return text.parse().ok().map(EvalValue::Double);
    }
    text.parse().ok().map(EvalValue::Decimal)
}
