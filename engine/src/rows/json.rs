//! JSON documents between text and MySQL's binary form.

use crate::error::SqlError;

/// The binary form of a document. Error 3140 naming the column when it is not JSON.
pub(crate) fn to_binary(text: &str, column: &str) -> Result<Vec<u8>, SqlError> {
    let _ = (text, column);
    Err(SqlError::not_supported("JSON"))
}

/// The text of a document as MySQL prints it.
pub(crate) fn to_text(binary: &[u8]) -> Result<String, String> {
    let _ = binary;
    Err("JSON".to_owned())
}
