//! The size of a statement, before anything of it is kept.

use super::statement::ValuesWatch;
use super::{Kind, Lexer};
use crate::ParseOptions;
use crate::depth::TOKENS_MAX;

/// How long the first statement of a text is, and how many of its words its tree will keep: none of
/// literals that are listed in rows. Nothing is kept here.
pub(crate) fn measure(text: &[u8], options: &ParseOptions) -> Size {
    let mut lexer = Lexer::new(text, options);
    let (mut words, mut open) = (0, 0_usize);
    let mut values = ValuesWatch::default();
    // The words of the value in a row that is being read.
    let mut value: Option<Value> = None;
    loop {
        let token = lexer.token();
        match &token.kind {
            Kind::Symbol("(") => open += 1,
            Kind::Symbol(")") => open = open.saturating_sub(1),
            _ => {}
        }
        let ends = token.kind == Kind::End;
        if values.begins_rows(&token.kind, open) {
            value = Some(Value::default());
            words += 1;
        } else if let Some(listed) = &mut value {
            words += listed.take(&token.kind, open);
        } else {
            words += 1;
        }
        if ends || words > TOKENS_MAX {
            return Size {
                words,
                bytes: token.end,
            };
        }
    }
}

/// What a statement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Words that its tree keeps.
    pub words: usize,
    /// Bytes of its text.
    pub bytes: usize,
}

/// A value in a row, as it is measured.
#[derive(Debug, Default)]
struct Value {
    words: usize,
    is_literal: bool,
}

impl Value {
    /// Takes a token behind the first parenthesis of the rows: the words that are to be kept.
    fn take(&mut self, kind: &Kind<'_>, open: usize) -> usize {
        let separates = matches!(kind, Kind::Symbol("," | "(" | ")") | Kind::End);
        if separates && open <= 1 {
            let ended = std::mem::take(self);
            return match ended.is_literal || ended.words == 0 {
                true => 0,
                false => ended.words,
            };
        }
        self.is_literal = match (self.words, kind) {
            (0, Kind::Word(word)) => {
                word.eq_ignore_ascii_case("NULL") || word.eq_ignore_ascii_case("DEFAULT")
            }
            (
                0,
                Kind::String(_)
                | Kind::Integer(_)
                | Kind::Decimal(_)
                | Kind::Float(_)
                | Kind::Hex(_)
                | Kind::Bit(_)
                | Kind::Parameter(_)
                | Kind::Symbol("-"),
            ) => true,
            (1, Kind::Integer(_) | Kind::Decimal(_) | Kind::Float(_)) => self.is_literal,
            (_, _) => false,
        };
        self.words += 1;
        // A long value is counted while it is read.
        match self.words > VALUE_WORDS {
            true => std::mem::replace(&mut self.words, 1),
            false => 0,
        }
    }
}

/// Words of a value that are counted at once.
const VALUE_WORDS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> usize {
        measure(text.as_bytes(), &ParseOptions::default()).words
    }

    #[test]
    fn what_a_tree_keeps_is_counted_and_literals_in_rows_are_not() {
        let select = words("SELECT 1, 2, 3");
        assert_eq!(words("SELECT 1, 2, 3, 4"), select + 2);
        let insert = words("INSERT INTO t VALUES (1, 'a')");
        for rows in [
            "(1, 'a'), (2, 'b'), (-3, NULL)",
            "(DEFAULT, 0xff), (?, -1.5e3)",
        ] {
            assert_eq!(
                words(&format!("INSERT INTO t VALUES {rows}")),
                insert,
                "{rows}"
            );
        }
        for (rows, more) in [
            ("(a, 'a')", 1),
            ("(1 + 1, 'a')", 3),
            ("(1, f(2, 3))", 5),
            ("((1), 'a')", 1),
            ("(1, 'a'), (b, c)", 2),
        ] {
            let seen = words(&format!("INSERT INTO t VALUES {rows}"));
            assert!(seen >= insert + more, "{rows}: {seen}, {insert}");
        }
    }

    #[test]
    fn only_the_first_statement_is_measured_and_not_without_end() {
        let options = ParseOptions::default();
        let text = b"SELECT 1; SELECT 2, 3";
        let size = measure(text, &options);
        assert_eq!(text.get(..size.bytes), Some(&b"SELECT 1;"[..]));
        let many = format!("SELECT 1{}", ",1".repeat(TOKENS_MAX));
        assert!(words(&many) <= TOKENS_MAX + 1);
        let one = format!("INSERT INTO t VALUES (1{})", "+1".repeat(TOKENS_MAX));
        assert!(words(&one) > TOKENS_MAX / 2);
    }
}
