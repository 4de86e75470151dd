//! Optimizer hints: the one that changes an answer, MAX_EXECUTION_TIME. The others say how to find
//! rows, which is nobody's business but the engine's.

use crate::lexer::{Kind, Token};

/// What the hint behind the statement's SELECT says, in milliseconds.
pub(crate) fn max_execution_time(text: &[u8], tokens: &[Token<'_>]) -> Option<u64> {
    let [select, next, ..] = tokens else {
        return None;
    };
    let is_select = matches!(select.kind, Kind::Word(word) if word.eq_ignore_ascii_case("SELECT"));
    let between = text.get(select.end..next.start).filter(|_| is_select)?;
    let hints = between.trim_ascii_start().strip_prefix(b"/*+")?;
    let end = hints.windows(2).position(|pair| pair == b"*/")?;
    let hints = String::from_utf8_lossy(hints.get(..end)?).to_ascii_uppercase();
    // The first counts, as in MySQL.
    let at = hints.find("MAX_EXECUTION_TIME")?;
    let rest = hints.get(at..)?.strip_prefix("MAX_EXECUTION_TIME")?;
    let rest = rest.trim_start().strip_prefix('(')?;
    let (number, _) = rest.split_once(')')?;
    number.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::{ParseOptions, parse};

    fn hint(text: &str) -> Option<u64> {
        let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        parsed.max_execution_time
    }

    #[test]
    fn the_first_execution_time_of_the_statement_counts() {
        for (text, expected) in [
            ("SELECT /*+ MAX_EXECUTION_TIME(50) */ 1", Some(50)),
            ("select/*+max_execution_time ( 7 ) */ 1", Some(7)),
            (
                "SELECT /*+ BKA(t) MAX_EXECUTION_TIME(9) MAX_EXECUTION_TIME(5) */ 1",
                Some(9),
            ),
            ("SELECT /* MAX_EXECUTION_TIME(50) */ 1", None),
            ("SELECT /*+ MAX_EXECUTION_TIME(x) */ 1", None),
            (
                "SELECT 1 FROM (SELECT /*+ MAX_EXECUTION_TIME(5) */ 1) AS x",
                None,
            ),
            (
                "INSERT /*+ MAX_EXECUTION_TIME(5) */ INTO t VALUES (1)",
                None,
            ),
            ("SELECT '/*+ MAX_EXECUTION_TIME(5) */'", None),
        ] {
            assert_eq!(hint(text), expected, "{text}");
        }
    }
}
