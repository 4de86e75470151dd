//! JSON documents between text, which is stored, and MySQL's binary form, which is logged.

use binlog::value::{Value, json};

use crate::value::memory::document_size;
use sql::error::SqlError;

/// The binary form of a document. Error 3140 naming the column when it is not JSON.
pub(crate) fn to_binary(text: &str, column: &str) -> Result<Vec<u8>, SqlError> {
    document_size(text.as_bytes())?;
    json::from_text(text).map_err(|error| match error.is_too_deep() {
        true => SqlError::json_document_too_deep(),
        false => SqlError::invalid_json_text(error.message, error.offset, column),
    })
}

/// Error 3157 for a text that nests deeper than a document may. What comes behind an error of syntax
/// is not looked at: `end` is where the text was found to be no JSON.
pub(crate) fn check_depth(text: &[u8], end: Option<usize>) -> Result<(), SqlError> {
    let mut depth = 0_usize;
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in text.get(..end.unwrap_or(text.len())).unwrap_or(text) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'[' | b'{' if !is_string => depth += 1,
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > json::DEPTH_MAX {
            return Err(SqlError::json_document_too_deep());
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_nests_a_hundred_levels_and_no_more() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(check_depth(nested(100).as_bytes(), None).is_ok());
        assert_eq!(to_binary(&nested(101), "j").unwrap_err().code, 3157);
        let deep = check_depth(nested(101).as_bytes(), None).unwrap_err();
        assert_eq!((deep.code, deep.state), (3157, "22032"));
        let in_text = format!("\"{}\\\"[\"", "[".repeat(200));
        assert!(check_depth(in_text.as_bytes(), None).is_ok());
        assert!(check_depth(nested(200).as_bytes(), Some(50)).is_ok());
    }
}
