//! JSON functions, on documents in MySQL's normal text form.
//!
//! A document is parsed where a function looks into it. The normal form orders the keys of an object
//! by length, then by bytes, and writes `", "` and `": "`.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::value::datum::{Datum, json_unquoted};
use crate::value::json_text::check_depth;
use crate::value::memory::{check_document, check_text};
use sql::error::SqlError;

/// The document of a value: a JSON value itself, numbers and texts as scalars.
pub fn document(value: &Datum) -> Result<Json, SqlError> {
    Ok(match value {
        Datum::Null => Json::Null,
        Datum::Json(text) => parse(text)?,
        Datum::Int(number) => Json::from(*number),
        Datum::UInt(number) => Json::from(*number),
        Datum::Year(number) => Json::from(*number),
        Datum::Double(_) | Datum::Float(_) | Datum::Decimal(_) => {
            let text = value.to_str();
            let text = if matches!(value, Datum::Double(_)) && !text.contains(['.', 'e']) {
                format!("{text}.0")
            } else {
                text.into_owned()
            };
            serde_json::from_str(&text).unwrap_or(Json::Null)
        }
        other => {
            let text = other.to_str();
            let _room = check_text(text.len())?;
            Json::String(text.into_owned())
        }
    })
}

fn parse(text: &str) -> Result<Json, SqlError> {
    let _room = check_document(text.as_bytes())?;
    let parsed = serde_json::from_str(text);
    check_depth(text.as_bytes(), syntax_end(&parsed))?;
    parsed.map_err(|error| {
        SqlError::invalid_json_text_in_param(
            1,
            "json",
            text.to_owned(),
            error.column().saturating_sub(1),
        )
    })
}

/// Where a text of one line was found to be no JSON.
pub(super) fn syntax_end(parsed: &Result<Json, serde_json::Error>) -> Option<usize> {
    let error = parsed.as_ref().err()?;
    (error.is_syntax() && error.line() == 1).then(|| error.column())
}

/// A text argument read as a document. Error 3141 when it is none.
pub fn parsed_argument(value: &Datum, position: usize, function: &str) -> Result<Json, SqlError> {
    match value {
        Datum::Json(text) => parse(text),
        Datum::Text(bytes) => {
            let _room = check_document(bytes)?;
            let parsed = serde_json::from_slice(bytes);
            check_depth(bytes, syntax_end(&parsed))?;
            parsed.map_err(|error| {
                let reason = if error.is_eof() {
                    "The document is empty."
                } else {
                    "Invalid value."
                };
                let at = error.column().saturating_sub(1);
                let at = if bytes.is_empty() { 0 } else { at };
                SqlError::invalid_json_text_in_param(position, function, reason, at)
            })
        }
        _ => Err(SqlError::new(
            3146,
            "22032",
            format!(
                "Invalid data type for JSON data in argument {position} to function {function}; \
                     a JSON string or JSON type is required."
            ),
        )),
    }
}

/// A value cast to JSON: a text must be a document.
pub fn from_datum(value: &Datum) -> Result<Datum, SqlError> {
    Ok(match value {
        Datum::Null => Datum::Null,
        Datum::Json(_) => value.clone(),
        Datum::Text(_) => datum(&parsed_argument(value, 1, "cast_as_json")?),
        other => datum(&document(other)?),
    })
}

/// A document as a value.
#[must_use]
pub fn datum(document: &Json) -> Datum {
    let mut text = String::new();
    write_document(document, &mut text);
    Datum::Json(Arc::from(text))
}

fn write_document(document: &Json, out: &mut String) {
    match document {
        Json::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_document(element, out);
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut sorted: Vec<(&String, &Json)> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            out.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "{}: ", Json::String(key.clone()));
                write_document(value, out);
            }
            out.push('}');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

/// JSON_ARRAYAGG and JSON_ARRAY.
pub fn array<'v>(values: impl Iterator<Item = &'v Datum>) -> Result<Datum, SqlError> {
    let elements: Result<Vec<Json>, SqlError> = values.map(document).collect();
    Ok(datum(&Json::Array(elements?)))
}

/// JSON_OBJECTAGG and JSON_OBJECT: pairs of key and value; a later key replaces an earlier one.
/// Error 3158 for a NULL key.
pub fn object<'v>(pairs: impl Iterator<Item = &'v [Datum]>) -> Result<Datum, SqlError> {
    let mut members = serde_json::Map::new();
    for pair in pairs {
        let [key, value] = pair else { continue };
        if key.is_null() {
            return Err(SqlError::new(
                3158,
                "22032",
                "JSON documents may not contain NULL member names.",
            ));
        }
        let key = match key {
            Datum::Json(text) => json_unquoted(text),
            other => other.to_str().into_owned(),
        };
        members.insert(key, document(value)?);
    }
    Ok(datum(&Json::Object(members)))
}

/// The order of two values as documents.
///
/// # Errors
/// When one of them is none, or finds no room.
pub fn order(left: &Datum, right: &Datum) -> Result<Ordering, SqlError> {
    Ok(compare(&document(left)?, &document(right)?))
}

fn rank(document: &Json) -> u8 {
    match document {
        Json::Null => 0,
        Json::Number(_) => 1,
        Json::String(_) => 2,
        Json::Object(_) => 3,
        Json::Array(_) => 4,
        Json::Bool(_) => 5,
    }
}

/// MySQL's order of documents.
#[must_use]
pub fn compare(a: &Json, b: &Json) -> Ordering {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
                return a.cmp(&b);
            }
            let (a, b) = (a.as_f64().unwrap_or(0.0), b.as_f64().unwrap_or(0.0));
            a.partial_cmp(&b).unwrap_or(Ordering::Equal)
        }
        (Json::String(a), Json::String(b)) => a.cmp(b),
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        (Json::Array(a), Json::Array(b)) => {
            let differing = a
                .iter()
                .zip(b)
                .map(|(x, y)| compare(x, y))
                .find(|order| order.is_ne());
            differing.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Json::Object(x), Json::Object(y)) => {
            let equal = x.len() == y.len()
                && x.iter().all(|(key, value)| {
                    y.get(key)
                        .is_some_and(|other| compare(value, other).is_eq())
                });
            if equal {
                Ordering::Equal
            } else {
                x.len()
                    .cmp(&y.len())
                    .then(a.to_string().cmp(&b.to_string()))
            }
        }
        _ => rank(a).cmp(&rank(b)),
    }
}
