//! Paths of JSON diffs: `$`, then `.key`, `."quoted key"`, `[index]`, `[last]` and `[last-n]`.
//!
//! Spec: mysql-server 9.7, sql-common/json_path.cc. A diff's path names one place: it has no wildcards
//! and no ranges.

use super::{JsonValue, parse};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leg {
    /// A member of an object.
    Key(String),
    /// An item of an array, from its beginning.
    Index(usize),
    /// An item of an array, from its end: 0 is the last one.
    FromEnd(usize),
}

impl Leg {
    /// The position meant in an array of `len` items; behind its end when there is none.
    pub(super) fn position(&self, len: usize) -> Option<usize> {
        match self {
            Self::Key(_) => None,
            Self::Index(index) => Some(*index),
            Self::FromEnd(distance) => len.checked_sub(1)?.checked_sub(*distance),
        }
    }
}

/// Takes a path apart; `None` when it is none.
pub(super) fn legs(path: &str) -> Option<Vec<Leg>> {
    let mut rest = path.trim_start().strip_prefix('$')?.trim_start();
    let mut legs = Vec::new();
    while !rest.is_empty() {
        let (leg, behind) = match rest.strip_prefix('.') {
            Some(member) => key(member.trim_start())?,
            None => index(rest.strip_prefix('[')?)?,
        };
        legs.push(leg);
        rest = behind.trim_start();
    }
    Some(legs)
}

/// A key, bare or in quotes, and what follows it.
fn key(text: &str) -> Option<(Leg, &str)> {
    if !text.starts_with('"') {
        let end = text.find(['.', '[', ' ']).unwrap_or(text.len());
        let (key, rest) = text.split_at_checked(end)?;
        return (!key.is_empty()).then(|| (Leg::Key(key.to_owned()), rest));
    }
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find_map(|(at, c)| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at + 1)
    })?;
    let (quoted, rest) = text.split_at_checked(end)?;
    match parse(quoted).ok()? {
        JsonValue::String(key) => Some((Leg::Key(key), rest)),
        _ => None,
    }
}

/// What stands in brackets, of which the first was read, and what follows it.
fn index(text: &str) -> Option<(Leg, &str)> {
    let (inside, rest) = text.split_once(']')?;
    let inside = inside.trim();
    let leg = match inside.strip_prefix("last") {
        None => Leg::Index(inside.parse().ok()?),
        Some("") => Leg::FromEnd(0),
        Some(distance) => {
            let distance = distance.trim_start().strip_prefix('-')?;
            Leg::FromEnd(distance.trim_start().parse().ok()?)
        }
    };
    Some((leg, rest))
}
