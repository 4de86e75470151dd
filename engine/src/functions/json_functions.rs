//! The JSON functions.

use std::sync::Arc;

use serde_json::Value as Json;

use super::json::{array, compare, datum, document, object, parsed_argument, syntax_end};
use super::json_path::{Path, Step};
use crate::expr::function::{Call, Function, Signature};
use crate::expr::node::Node;
use crate::expr::types::Type;
use crate::value::datum::Datum;
use crate::value::json_text::check_depth;
use crate::value::memory::check_document;
use sql::error::SqlError;

type Eval = fn(&Call<'_>) -> Result<Datum, SqlError>;

const fn make(name: &'static str, min: usize, max: usize, strict: bool, eval: Eval) -> Function {
    Function {
        name,
        min,
        max,
        strict,
        volatile: false,
        result: json_type,
        eval,
    }
}

const fn number(name: &'static str, min: usize, max: usize, eval: Eval) -> Function {
    Function {
        name,
        min,
        max,
        strict: true,
        volatile: false,
        result: number_type,
        eval,
    }
}

const MANY: usize = usize::MAX;

pub(super) static FUNCTIONS: &[Function] = &[
    make("json_array", 0, MANY, false, |c| array(truths(c).iter())),
    make("json_object", 0, MANY, false, |c| {
        if c.count() % 2 == 1 {
            return Err(SqlError::wrong_paramcount_to_native_fct("json_object"));
        }
        object(truths(c).chunks(2))
    }),
    make("json_extract", 2, MANY, true, extract),
    make("json_set", 3, MANY, false, |c| modify(c, true, true)),
    make("json_insert", 3, MANY, false, |c| modify(c, true, false)),
    make("json_replace", 3, MANY, false, |c| modify(c, false, true)),
    make("json_remove", 2, MANY, true, remove),
    make("json_array_append", 3, MANY, false, append),
    make("json_keys", 1, 2, true, keys),
    make("json_merge_patch", 2, MANY, true, |c| merge(c, merge_patch)),
    make("json_merge_preserve", 2, MANY, true, |c| {
        merge(c, merge_preserve)
    }),
    make("json_merge", 2, MANY, true, |c| merge(c, merge_preserve)),
    number("json_contains", 2, 3, contains),
    number("json_contains_path", 3, MANY, contains_path),
    number("json_length", 1, 2, |c| {
        let target = target(c, 0, 1)?;
        Ok(Datum::from_option(target.map(|target| {
            let length = match &target {
                Json::Array(elements) => elements.len(),
                Json::Object(members) => members.len(),
                _ => 1,
            };
            Datum::Int(i64::try_from(length).unwrap_or(i64::MAX))
        })))
    }),
    number("json_depth", 1, 1, |c| {
        Ok(Datum::Int(depth(&parsed_argument(
            c.arg(0),
            1,
            "json_depth",
        )?)))
    }),
    number("json_valid", 1, 1, |c| {
        Ok(Datum::truth(match c.arg(0) {
            Datum::Json(_) => true,
            Datum::Text(text) => {
                let _room = check_document(text)?;
                let parsed = serde_json::from_slice::<Json>(text);
                check_depth(text, syntax_end(&parsed))?;
                parsed.is_ok()
            }
            _ => false,
        }))
    }),
    number("member of", 2, 2, |c| {
        let wanted = document(c.arg(0))?;
        let found = match parsed_argument(c.arg(1), 2, "member of")? {
            Json::Array(elements) => elements
                .iter()
                .any(|element| compare(element, &wanted).is_eq()),
            other => compare(&other, &wanted).is_eq(),
        };
        Ok(Datum::truth(found))
    }),
    Function {
        name: "json_type",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: |s| Ok(s.connection_text(51).with_null(true)),
        eval: json_kind,
    },
    Function {
        name: "json_quote",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: |s| s.text_of(0, u64::from(s.ty(0).text_length()) * 6 + 2),
        eval: |c| {
            Ok(Datum::text(
                Json::String(c.text(0).into_owned()).to_string(),
            ))
        },
    },
    Function {
        name: "json_unquote",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: unquoted_type,
        eval: unquote,
    },
];

/// The arguments, with conditions as the documents `true` and `false`.
fn truths(call: &Call<'_>) -> Vec<Datum> {
    let pairs = call.args.iter().zip(call.nodes);
    let one = |(value, node): (&Datum, &Node)| match value.to_truth() {
        Some(truth) if node.ty.is_boolean => Datum::Json(Arc::from(truth.to_string())),
        _ => value.clone(),
    };
    pairs.map(one).collect()
}

fn json_type(_: &Signature<'_>) -> Result<Type, SqlError> {
    Ok(Type::json().with_null(true))
}

fn number_type(_: &Signature<'_>) -> Result<Type, SqlError> {
    Ok(Type::integer(21).with_null(true))
}

fn unquoted_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let length = signature.ty(0).text_length();
    Ok(signature
        .connection_text(length.min(u32::MAX / 4))
        .with_null(true))
}

fn unquote(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = call.text(0);
    if text.len() > 1 && text.starts_with('"') && text.ends_with('"') {
        return match serde_json::from_str::<String>(&text) {
            Ok(inner) => Ok(Datum::text(inner)),
            Err(error) => Err(SqlError::invalid_json_text_in_param(
                1,
                "json_unquote",
                "Invalid value.",
                error.column(),
            )),
        };
    }
    Ok(Datum::text(text.into_owned()))
}

fn json_kind(call: &Call<'_>) -> Result<Datum, SqlError> {
    let name = match parsed_argument(call.arg(0), 1, "json_type")? {
        Json::Null => "NULL",
        Json::Bool(_) => "BOOLEAN",
        Json::String(_) => "STRING",
        Json::Array(_) => "ARRAY",
        Json::Object(_) => "OBJECT",
        Json::Number(number) => {
            if number.is_i64() {
                "INTEGER"
            } else if number.is_u64() {
                "UNSIGNED INTEGER"
            } else {
                "DOUBLE"
            }
        }
    };
    Ok(Datum::text(name))
}

fn path(call: &Call<'_>, index: usize) -> Result<Path, SqlError> {
    Path::parse(&call.text(index))
}

/// A path that leads to one value. Error 3149 for wildcards.
fn exact_path(call: &Call<'_>, index: usize) -> Result<Path, SqlError> {
    let path = path(call, index)?;
    if path.is_wild() {
        return Err(SqlError::new(
            3149,
            "42000",
            "In this situation, path expressions may not contain the * and ** tokens or an array range.",
        ));
    }
    Ok(path)
}

/// The document, or what an optional path finds in it.
fn target(call: &Call<'_>, index: usize, path_index: usize) -> Result<Option<Json>, SqlError> {
    let whole = parsed_argument(call.arg(index), index + 1, call.name())?;
    if call.count() <= path_index {
        return Ok(Some(whole));
    }
    let path = exact_path(call, path_index)?;
    Ok(path.find(&whole).first().map(|found| (*found).clone()))
}

fn extract(call: &Call<'_>) -> Result<Datum, SqlError> {
    let whole = parsed_argument(call.arg(0), 1, "json_extract")?;
    let mut found = Vec::new();
    let mut several = call.count() > 2;
    for index in 1..call.count() {
        let path = path(call, index)?;
        several |= path.is_wild();
        found.extend(path.find(&whole).into_iter().cloned());
    }
    Ok(match found.as_slice() {
        [] => Datum::Null,
        [only] if !several => datum(only),
        _ => datum(&Json::Array(found)),
    })
}

/// The place a path leads to, made on the way when only its last step is missing.
fn set(document: &mut Json, steps: &[Step], value: Json, insert: bool, replace: bool) {
    let Some((last, head)) = steps.split_last() else {
        if replace {
            *document = value;
        }
        return;
    };
    let mut place = document;
    for step in head {
        let next = match (step, place) {
            (Step::Key(key), Json::Object(members)) => members.get_mut(key),
            (Step::Index { at, from_end }, Json::Array(elements)) => {
                let at = if *from_end {
                    at.checked_add(1)
                        .and_then(|behind| elements.len().checked_sub(behind))
                } else {
                    Some(*at)
                };
                at.and_then(|at| elements.get_mut(at))
            }
            (Step::Index { at: 0, .. }, other) => Some(other),
            _ => None,
        };
        let Some(next) = next else { return };
        place = next;
    }
    match (last, place) {
        (Step::Key(key), Json::Object(members)) => {
            let exists = members.contains_key(key);
            if exists && replace || !exists && insert {
                members.insert(key.clone(), value);
            }
        }
        (Step::Index { at, from_end }, Json::Array(elements)) => {
            let slot = if *from_end {
                at.checked_add(1)
                    .and_then(|behind| elements.len().checked_sub(behind))
            } else {
                Some(*at)
            };
            match slot.and_then(|slot| elements.get_mut(slot)) {
                Some(element) if replace => *element = value,
                Some(_) => {}
                None if insert && *from_end => elements.insert(0, value),
                None if insert => elements.push(value),
                None => {}
            }
        }
        (Step::Index { at: 0, .. }, other) if replace => *other = value,
        (Step::Index { at: 0, .. }, _) => {}
        (Step::Index { from_end, .. }, other) if insert => {
            let own = other.take();
            *other = Json::Array(if *from_end {
                vec![value, own]
            } else {
                vec![own, value]
            });
        }
        _ => {}
    }
}

fn modify(call: &Call<'_>, insert: bool, replace: bool) -> Result<Datum, SqlError> {
    if call.count().is_multiple_of(2) {
        return Err(SqlError::wrong_paramcount_to_native_fct(call.name()));
    }
    if call.arg(0).is_null() {
        return Ok(Datum::Null);
    }
    let mut whole = parsed_argument(call.arg(0), 1, call.name())?;
    for index in (1..call.count()).step_by(2) {
        if call.arg(index).is_null() {
            return Ok(Datum::Null);
        }
        let path = exact_path(call, index)?;
        set(
            &mut whole,
            &path.0,
            document(call.arg(index + 1))?,
            insert,
            replace,
        );
    }
    Ok(datum(&whole))
}

fn append(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.arg(0).is_null() {
        return Ok(Datum::Null);
    }
    let mut whole = parsed_argument(call.arg(0), 1, call.name())?;
    for index in (1..call.count()).step_by(2) {
        let path = exact_path(call, index)?;
        let Some(found) = path.find(&whole).first().map(|found| (*found).clone()) else {
            continue;
        };
        let value = document(call.arg(index + 1))?;
        let mut elements = match found {
            Json::Array(elements) => elements,
            other => vec![other],
        };
        elements.push(value);
        set(&mut whole, &path.0, Json::Array(elements), false, true);
    }
    Ok(datum(&whole))
}

fn remove(call: &Call<'_>) -> Result<Datum, SqlError> {
    let mut whole = parsed_argument(call.arg(0), 1, "json_remove")?;
    for index in 1..call.count() {
        let path = exact_path(call, index)?;
        let Some((last, head)) = path.0.split_last() else {
            return Err(SqlError::new(
                3153,
                "42000",
                "The path expression '$' is not allowed in this context.",
            ));
        };
        let Some(parent) = Path(head.to_vec())
            .find(&whole)
            .first()
            .map(|found| (*found).clone())
        else {
            continue;
        };
        let mut parent = parent;
        match (last, &mut parent) {
            (Step::Key(key), Json::Object(members)) => drop(members.shift_remove(key)),
            (Step::Index { at, from_end }, Json::Array(elements)) => {
                let at = if *from_end {
                    at.checked_add(1)
                        .and_then(|behind| elements.len().checked_sub(behind))
                } else {
                    Some(*at)
                };
                if let Some(at) = at.filter(|at| *at < elements.len()) {
                    elements.remove(at);
                }
            }
            _ => continue,
        }
        set(&mut whole, head, parent, false, true);
    }
    Ok(datum(&whole))
}

fn keys(call: &Call<'_>) -> Result<Datum, SqlError> {
    let Some(Json::Object(members)) = target(call, 0, 1)? else {
        return Ok(Datum::Null);
    };
    let mut keys: Vec<String> = members.keys().cloned().collect();
    keys.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    Ok(datum(&Json::Array(
        keys.into_iter().map(Json::String).collect(),
    )))
}

fn merge(call: &Call<'_>, with: fn(Json, Json) -> Json) -> Result<Datum, SqlError> {
    let mut merged = parsed_argument(call.arg(0), 1, call.name())?;
    for index in 1..call.count() {
        merged = with(
            merged,
            parsed_argument(call.arg(index), index + 1, call.name())?,
        );
    }
    Ok(datum(&merged))
}

/// RFC 7396.
fn merge_patch(target: Json, patch: Json) -> Json {
    let Json::Object(patch) = patch else {
        return patch;
    };
    let mut members = match target {
        Json::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for (key, value) in patch {
        if value.is_null() {
            members.shift_remove(&key);
        } else {
            let old = members.shift_remove(&key).unwrap_or(Json::Null);
            members.insert(key, merge_patch(old, value));
        }
    }
    Json::Object(members)
}

fn merge_preserve(a: Json, b: Json) -> Json {
    match (a, b) {
        (Json::Object(mut a), Json::Object(b)) => {
            for (key, value) in b {
                let merged = match a.shift_remove(&key) {
                    Some(old) => merge_preserve(old, value),
                    None => value,
                };
                a.insert(key, merged);
            }
            Json::Object(a)
        }
        (a, b) => {
            let elements = |value: Json| match value {
                Json::Array(elements) => elements,
                other => vec![other],
            };
            let mut all = elements(a);
            all.extend(elements(b));
            Json::Array(all)
        }
    }
}

fn depth(document: &Json) -> i64 {
    let inner = match document {
        Json::Array(elements) => elements.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    };
    inner + 1
}

fn holds(target: &Json, candidate: &Json) -> bool {
    match (target, candidate) {
        (Json::Array(elements), Json::Array(wanted)) => wanted
            .iter()
            .all(|wanted| elements.iter().any(|element| holds(element, wanted))),
        (Json::Array(elements), wanted) => elements.iter().any(|element| holds(element, wanted)),
        (Json::Object(members), Json::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| members.get(key).is_some_and(|value| holds(value, wanted))),
        (target, candidate) => compare(target, candidate).is_eq(),
    }
}

fn contains(call: &Call<'_>) -> Result<Datum, SqlError> {
    let candidate = parsed_argument(call.arg(1), 2, "json_contains")?;
    let target = target(call, 0, 2)?;
    Ok(Datum::from_option(
        target.map(|target| Datum::truth(holds(&target, &candidate))),
    ))
}

fn contains_path(call: &Call<'_>) -> Result<Datum, SqlError> {
    let whole = parsed_argument(call.arg(0), 1, "json_contains_path")?;
    let all = match call.text(1).to_ascii_lowercase().as_str() {
        "all" => true,
        "one" => false,
        _ => {
            return Err(SqlError::new(
                3154,
                "42000",
                "The oneOrAll argument to json_contains_path may take these values: 'one' or 'all'.",
            ));
        }
    };
    let mut found = 0;
    for index in 2..call.count() {
        found += usize::from(!path(call, index)?.find(&whole).is_empty());
    }
    Ok(Datum::truth(if all {
        found == call.count() - 2
    } else {
        found > 0
    }))
}
