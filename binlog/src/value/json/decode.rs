//! Binary JSON to a value tree.

use codec::DecodeError;

use super::JsonValue;
use super::walk::{Budget, JsonContainer, JsonRef};

/// Decodes a value in MySQL's binary form. No bytes at all are null.
pub fn decode(binary: &[u8]) -> Result<JsonValue, DecodeError> {
    tree(&JsonRef::new(binary)?, &mut Budget::of(binary))
}

fn tree(value: &JsonRef<'_>, budget: &mut Budget) -> Result<JsonValue, DecodeError> {
    budget.spend_value(value)?;
    Ok(match *value {
        JsonRef::Null => JsonValue::Null,
        JsonRef::Bool(value) => JsonValue::Bool(value),
        JsonRef::Int(number) => JsonValue::Int(number),
        JsonRef::UInt(number) => JsonValue::UInt(number),
        JsonRef::Double(number) => JsonValue::Double(number),
        JsonRef::Decimal(decimal) => JsonValue::Decimal(decimal),
        JsonRef::String(text) => JsonValue::String(text.to_owned()),
        JsonRef::Array(items) => {
            let mut values = Vec::new();
            for index in 0..items.len() {
                values.push(tree(&items.value(index)?, budget)?);
            }
            JsonValue::Array(values)
        }
        JsonRef::Object(members) => JsonValue::Object(object(&members, budget)?),
        JsonRef::Date(date) => JsonValue::Date(date),
        JsonRef::Time(time) => JsonValue::Time(time),
        JsonRef::DateTime(value) => JsonValue::DateTime(value),
        JsonRef::Timestamp(value) => JsonValue::Timestamp(value),
        JsonRef::Opaque { column_type, data } => JsonValue::Opaque {
            column_type,
            data: data.to_vec(),
        },
    })
}

fn object(
    members: &JsonContainer<'_>,
    budget: &mut Budget,
) -> Result<Vec<(String, JsonValue)>, DecodeError> {
    let mut values = Vec::new();
    for index in 0..members.len() {
        let key = members.key(index)?;
        budget.spend(key.len())?;
        values.push((key.to_owned(), tree(&members.value(index)?, budget)?));
    }
    Ok(values)
}
