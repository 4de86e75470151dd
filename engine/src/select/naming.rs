//! Names of select items without an alias: their text in the statement, as MySQL has it.

use sqlparser::ast::{Expr, Select, SelectItem, Value};

/// For each item of a select list its source text; `None` where the text cannot be found (the
/// expression printed anew stands in then).
pub(super) fn texts(text: &str, select: &Select) -> Vec<Option<String>> {
    let column = select.select_token.0.span.start.column;
    let start = usize::try_from(column)
        .ok()
        .and_then(|column| column.checked_sub(1));
    let mut pieces = start
        .and_then(|start| text.get(start..))
        .filter(|rest| {
            rest.get(..6)
                .is_some_and(|word| word.eq_ignore_ascii_case("select"))
        })
        .map(|rest| split(rest.get(6..).unwrap_or_default()))
        .unwrap_or_default();
    if pieces.len() != select.projection.len() {
        pieces = Vec::new();
    }
    let items = select.projection.iter().enumerate();
    items
        .map(|(index, item)| name(item, pieces.get(index).map(String::as_str)))
        .collect()
}

fn name(item: &SelectItem, piece: Option<&str>) -> Option<String> {
    let SelectItem::UnnamedExpr(expr) = item else {
        return None;
    };
    match expr {
        // A string literal is named by its value, NULL by the word.
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::NationalStringLiteral(text) => Some(text.clone()),
            Value::Null => Some(String::from("NULL")),
            _ => piece.map(str::to_owned),
        },
        Expr::Identifier(ident) if !ident.value.starts_with('@') => Some(ident.value.clone()),
        _ => piece.map(str::to_owned),
    }
}

/// The pieces between the commas of a select list, comments left out.
fn split(list: &str) -> Vec<String> {
    let bytes = list.as_bytes();
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut depth = 0usize;
    let mut cases = 0usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = list.get(at..).unwrap_or_default();
        let length = match byte {
            b'\'' | b'"' | b'`' => quoted(rest, *byte),
            b'/' if rest.starts_with("/*") => {
                at += comment(rest);
                continue;
            }
            b'*' if rest.starts_with("*/") => {
                at += 2;
                continue;
            }
            b'-' if rest.starts_with("-- ") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'(' => {
                depth += 1;
                1
            }
            b')' if depth == 0 => break,
            b')' => {
                depth -= 1;
                1
            }
            b',' if depth == 0 => {
                pieces.push(std::mem::take(&mut piece));
                at += 1;
                continue;
            }
            b';' if depth == 0 => break,
            byte if byte.is_ascii_alphabetic() || *byte == b'_' || *byte == b'@' => {
                let length = word(rest);
                let text = rest.get(..length).unwrap_or_default();
                if text.eq_ignore_ascii_case("case") {
                    cases += 1;
                } else if text.eq_ignore_ascii_case("end") {
                    cases = cases.saturating_sub(1);
                } else if depth == 0 && cases == 0 && ends_list(text) {
                    break;
                }
                length
            }
            byte if byte.is_ascii_digit() => word(rest),
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        piece.push_str(rest.get(..length).unwrap_or_default());
        at += length.max(1);
    }
    pieces.push(piece);
    pieces
        .iter_mut()
        .for_each(|piece| *piece = trim_modifiers(piece.trim()).to_owned());
    pieces
}

fn quoted(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' && quote != b'`' {
            at += 2;
            continue;
        }
        at += 1;
        if *byte == quote {
            if bytes.get(at) == Some(&quote) {
                at += 1;
                continue;
            }
            return at.min(text.len());
        }
    }
    text.len()
}

/// Length of a comment, or of the opening of a version comment whose content counts.
fn comment(text: &str) -> usize {
    if text.starts_with("/*!") {
        return 3 + text.bytes().skip(3).take_while(u8::is_ascii_digit).count();
    }
    text.find("*/").map_or(text.len(), |end| end + 2)
}

fn word(text: &str) -> usize {
    text.bytes()
        .take_while(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'$' | b'@' | b'.')
                || *byte >= 0x80
        })
        .count()
        .max(1)
}

fn ends_list(word: &str) -> bool {
    [
        "from",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "union",
        "into",
        "for",
        "except",
        "intersect",
    ]
    .iter()
    .any(|end| word.eq_ignore_ascii_case(end))
}

/// The list without DISTINCT, SQL_NO_CACHE and their like in front.
fn trim_modifiers(piece: &str) -> &str {
    let mut rest = piece;
    loop {
        let length = word(rest);
        let first = rest.get(..length).unwrap_or_default().to_ascii_lowercase();
        let modifier = matches!(
            first.as_str(),
            "all"
                | "distinct"
                | "distinctrow"
                | "high_priority"
                | "straight_join"
                | "sql_small_result"
                | "sql_big_result"
                | "sql_buffer_result"
                | "sql_no_cache"
                | "sql_calc_found_rows"
        );
        if !modifier || rest.len() == length {
            return rest;
        }
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn pieces_are_the_text_between_commas() {
        assert_eq!(
            split(" 1+1, count(*) , 'a,b' from t"),
            ["1+1", "count(*)", "'a,b'"]
        );
        assert_eq!(split(" DISTINCT if(a,b,c), x"), ["if(a,b,c)", "x"]);
        assert_eq!(
            split(" case when 1 then 2 end, 3"),
            ["case when 1 then 2 end", "3"]
        );
        assert_eq!(split(" /*!40001 SQL_NO_CACHE */ a"), ["a"]);
        assert_eq!(split(" @@version_comment limit 1"), ["@@version_comment"]);
    }
}
