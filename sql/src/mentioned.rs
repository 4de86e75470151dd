//! What databases a statement's text mentions, without parsing it.
//!
//! For privilege checks, which must not miss a table wherever it stands: every word before a point
//! is reported, whatever it turns out to be.

use super::ParseOptions;
use super::lexer::{Kind, tokens};

/// Names found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mentioned {
    /// Every name that stands before a point: databases, but tables and aliases too.
    pub qualifiers: Vec<String>,
    /// Whether a table may be named without its database.
    pub has_plain_table: bool,
    /// The first name behind FROM, JOIN, INTO, UPDATE or TABLE, without its database.
    pub first_table: Option<String>,
}

/// Finds the names in the first statement of `text`.
#[must_use]
pub fn mentioned(text: &[u8], options: &ParseOptions) -> Mentioned {
    let tokens = tokens(text, options);
    let mut found = Mentioned::default();
    let mut expects_table = false;
    let mut in_list = false;
    for (index, token) in tokens.iter().enumerate() {
        let is_point = |at: usize| {
            matches!(
                tokens.get(at).map(|token| &token.kind),
                Some(Kind::Symbol("."))
            )
        };
        let name = match &token.kind {
            Kind::Word(word) if introduces_table(word) => {
                expects_table = true;
                in_list = true;
                continue;
            }
            Kind::Word(word) if ends_list(word) => {
                in_list = false;
                continue;
            }
            Kind::Word(word) => (*word).to_owned(),
            Kind::Quoted(name) => name.clone().into_owned(),
            Kind::Symbol(",") => {
                expects_table = in_list;
                continue;
            }
            // In `FROM (a, b)` a name may follow; a subquery brings its own FROM.
            Kind::Symbol("(") => continue,
            _ => {
                expects_table = false;
                continue;
            }
        };
        if is_point(index + 1) {
            found.qualifiers.push(name);
            continue;
        }
        if std::mem::take(&mut expects_table) {
            let is_qualified = index.checked_sub(1).is_some_and(is_point);
            found.has_plain_table |= !is_qualified;
            found.first_table.get_or_insert(name);
        }
    }
    found
}

fn introduces_table(word: &str) -> bool {
    [
        "FROM",
        "JOIN",
        "INTO",
        "UPDATE",
        "TABLE",
        "STRAIGHT_JOIN",
        "INSERT",
        "REPLACE",
        "USING",
    ]
    .iter()
    .any(|known| word.eq_ignore_ascii_case(known))
}

fn ends_list(word: &str) -> bool {
    [
        "WHERE", "SET", "SELECT", "VALUES", "ON", "GROUP", "ORDER", "LIMIT", "HAVING",
    ]
    .iter()
    .any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_databases_wherever_they_stand() {
        for (text, qualifiers, plain) in [
            ("select a from d.t", vec!["d"], false),
            (
                "select a, (select b from e.u) from t where c in (select 1 from `f`.v)",
                vec!["e", "f"],
                true,
            ),
            ("select 1", vec![], false),
            ("insert into t select * from d.u", vec!["d"], true),
            ("delete from t", vec![], true),
            (
                "update t join d.u on t.a = u.a set t.b = 1",
                vec!["d", "t", "u", "t"],
                true,
            ),
            ("select x.a from d.t as x", vec!["x", "d"], false),
        ] {
            let found = mentioned(text.as_bytes(), &ParseOptions::default());
            assert_eq!(
                (found.qualifiers, found.has_plain_table),
                (qualifiers.into_iter().map(str::to_owned).collect(), plain),
                "{text}"
            );
        }
    }
}
