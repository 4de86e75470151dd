//! JSON documents between text, which is stored, and MySQL's binary form, which is logged.

use binlog::value::{Value, json};

use crate::value::memory::document_size;
use sql::error::SqlError;

/// The binary form of a document. Error 3140 naming the column when it is not JSON.
pub(crate) fn to_binary(text: &str, column: &str) -> Result<Vec<u8>, SqlError> {
    document_size(text.as_bytes())?;
    json::from_text(text)
        .map_err(|error| SqlError::invalid_json_text(error.message, error.offset, column))
}

/// The text of a document as MySQL prints it.
pub(crate) fn to_text(binary: &[u8]) -> Result<String, codec::DecodeError> {
    json::to_text(binary)
}

/// Whether two values are the same; two documents are when they print the same, since the types of
/// their numbers are lost in the stored text.
pub(crate) fn is_same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Json(a), Value::Json(b)) if a != b => to_text(a).ok() == to_text(b).ok(),
        _ => a == b,
    }
}
