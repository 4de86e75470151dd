//! JSON paths: `$`, `.key`, `[n]`, `[last]`, `.*`, `[*]`, `**`.

use serde_json::Value as Json;

use crate::value::memory::check_path;
use sql::error::SqlError;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// An element; from the end when `from_end`.
    Index {
        at: usize,
        from_end: bool,
    },
    Range(Box<(Step, Step)>),
    AnyKey,
    AnyIndex,
    /// `**`: the value itself and everything below it.
    Deep,
}

/// A path read from its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Step>);

impl Path {
    /// Reads a path. Error 3143 with the position of what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, SqlError> {
        check_path(text)?;
        let mut reader = PathReader { text, at: 0 };
        reader.path().map(Self).ok_or_else(|| {
            let at = reader.at;
            SqlError::new(
                3143,
                "42000",
                format!(
                    "Invalid JSON path expression. The error is around character position {at}."
                ),
            )
        })
    }

    /// Whether it may lead to several values.
    pub(super) fn is_wild(&self) -> bool {
        self.0.iter().any(|step| {
            matches!(
                step,
                Step::AnyKey | Step::AnyIndex | Step::Deep | Step::Range(_)
            )
        })
    }

    /// The values it leads to, in document order.
    pub(super) fn find<'d>(&self, document: &'d Json) -> Vec<&'d Json> {
        let mut found = vec![document];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in found {
                apply(step, value, &mut next);
            }
            found = next;
        }
        found
    }
}

fn position(step: &Step, length: usize) -> Option<usize> {
    match step {
        Step::Index {
            at,
            from_end: false,
        } => Some(*at),
        Step::Index { at, from_end: true } => length.checked_sub(at.checked_add(1)?),
        _ => None,
    }
}

fn apply<'d>(step: &Step, value: &'d Json, into: &mut Vec<&'d Json>) {
    match (step, value) {
        (Step::Key(key), Json::Object(members)) => into.extend(members.get(key)),
        (Step::AnyKey, Json::Object(members)) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            into.extend(sorted.into_iter().map(|(_, value)| value));
        }
        (Step::Index { .. }, Json::Array(elements)) => {
            into.extend(position(step, elements.len()).and_then(|at| elements.get(at)));
        }
        // A value that is no array counts as an array of itself.
        (Step::Index { .. }, other) => into.extend((position(step, 1) == Some(0)).then_some(other)),
        (Step::Range(ends), Json::Array(elements)) => {
            let from = position(&ends.0, elements.len()).unwrap_or(0);
            let to = position(&ends.1, elements.len()).unwrap_or(0);
            into.extend(elements.iter().take(to.saturating_add(1)).skip(from));
        }
        (Step::AnyIndex, Json::Array(elements)) => into.extend(elements),
        (Step::Deep, value) => {
            into.push(value);
            match value {
                Json::Array(elements) => elements.iter().for_each(|inner| apply(step, inner, into)),
                Json::Object(members) => {
                    members.values().for_each(|inner| apply(step, inner, into))
                }
                _ => {}
            }
        }
        _ => {}
    }
}

struct PathReader<'t> {
    text: &'t str,
    at: usize,
}

impl PathReader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn path(&mut self) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        if !self.take("$") {
            return None;
        }
        loop {
            self.blanks();
            if self.rest().is_empty() {
                return (steps.last() != Some(&Step::Deep)).then_some(steps);
            }
            if self.take("**") {
                steps.push(Step::Deep);
            } else if self.take(".") {
                steps.push(if self.take("*") {
                    Step::AnyKey
                } else {
                    Step::Key(self.key()?)
                });
            } else if self.take("[") {
                steps.push(self.index()?);
            } else {
                return None;
            }
        }
    }

    fn key(&mut self) -> Option<String> {
        self.blanks();
        if self.rest().starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
            let key = stream.next()?.ok()?;
            self.at += stream.byte_offset();
            return Some(key);
        }
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let length: usize = self
            .rest()
            .chars()
            .take_while(|c| allowed(*c))
            .map(char::len_utf8)
            .sum();
        let key = self.rest().get(..length)?.to_owned();
        if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.at += length;
        Some(key)
    }

    fn index(&mut self) -> Option<Step> {
        if self.take("*") {
            return self.take("]").then_some(Step::AnyIndex);
        }
        let first = self.place()?;
        let step = if self.take("to") {
            Step::Range(Box::new((first, self.place()?)))
        } else {
            first
        };
        self.take("]").then_some(step)
    }

    fn place(&mut self) -> Option<Step> {
        if self.take("last") {
            let at = if self.take("-") { self.number()? } else { 0 };
            return Some(Step::Index { at, from_end: true });
        }
        Some(Step::Index {
            at: self.number()?,
            from_end: false,
        })
    }

    fn number(&mut self) -> Option<usize> {
        self.blanks();
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest().get(..digits)?.parse().ok()?;
        self.at += digits;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_values() {
        let document: Json = serde_json::from_str(r#"{"a": [1, {"b": 2}], "c d": 3}"#).unwrap();
        let found = |path: &str| -> Vec<String> {
            Path::parse(path)
                .unwrap()
                .find(&document)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(found("$.a[1].b"), ["2"]);
        assert_eq!(found("$.a[last].b"), ["2"]);
        assert_eq!(found("$.\"c d\""), ["3"]);
        assert_eq!(found("$**.b"), ["2"]);
        assert_eq!(found("$.a[0 to 1]").len(), 2);
        assert!(found("$.x").is_empty());
        assert!(Path::parse("a").is_err());
        assert!(Path::parse("$.").is_err());
    }
}
