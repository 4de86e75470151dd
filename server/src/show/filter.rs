//! LIKE and WHERE behind a SHOW, over the rows that it would show.
//!
//! WHERE takes comparisons of columns with literals joined by AND, OR and NOT: what clients write.

use engine::outcome::ResultSet;
use sql::ast::ShowFilter;
use sql::error::SqlError;
use sqlparser::ast as sp;

use super::grid::{Cell, Grid};

/// The rows of `grid` that pass; LIKE looks at column `column`.
pub(super) fn apply(
    mut grid: Grid,
    filter: Option<&ShowFilter>,
    column: usize,
) -> Result<ResultSet, SqlError> {
    match filter {
        None => {}
        Some(ShowFilter::Like(pattern)) => grid.rows.retain(|row| {
            let text = row.get(column).and_then(Cell::text);
            text.is_some_and(|text| like(pattern, &text))
        }),
        Some(ShowFilter::Where(condition)) => {
            let names: Vec<String> = grid.columns.iter().map(|c| c.name.clone()).collect();
            let mut kept = Vec::new();
            for row in std::mem::take(&mut grid.rows) {
                if holds(condition, &names, &row)? == Some(true) {
                    kept.push(row);
                }
            }
            grid.rows = kept;
        }
    }
    Ok(grid.into_result())
}

/// LIKE without letter case, `\` escaping.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    matches_from(&pattern, &text)
}

fn matches_from(mut pattern: &[char], mut text: &[char]) -> bool {
    // Where to go on when the characters behind the last `%` do not fit.
    let mut retry: Option<(&[char], &[char])> = None;
    loop {
        match (pattern, text) {
            (['%', rest @ ..], _) => {
                retry = Some((rest, text));
                pattern = rest;
                continue;
            }
            ([], []) => return true,
            (['\\', escaped, rest @ ..], [first, behind @ ..]) if escaped == first => {
                (pattern, text) = (rest, behind);
                continue;
            }
            (['_', rest @ ..], [_, behind @ ..]) => {
                (pattern, text) = (rest, behind);
                continue;
            }
            ([wanted, rest @ ..], [first, behind @ ..]) if wanted == first && *wanted != '\\' => {
                (pattern, text) = (rest, behind);
                continue;
            }
            _ => {}
        }
        match retry {
            Some((rest, [_, behind @ ..])) => {
                retry = Some((rest, behind));
                (pattern, text) = (rest, behind);
            }
            _ => return false,
        }
    }
}

/// Three-valued truth of a condition.
fn holds(condition: &sp::Expr, names: &[String], row: &[Cell]) -> Result<Option<bool>, SqlError> {
    use sp::{BinaryOperator as Op, Expr};
    Ok(match condition {
        Expr::Nested(inner) => holds(inner, names, row)?,
        Expr::UnaryOp {
            op: sp::UnaryOperator::Not | sp::UnaryOperator::BangNot,
            expr,
        } => holds(expr, names, row)?.map(|truth| !truth),
        Expr::BinaryOp {
            left,
            op: op @ (Op::And | Op::Or),
            right,
        } => {
            // What decides alone: false for AND, true for OR.
            let deciding = *op == Op::Or;
            match (holds(left, names, row)?, holds(right, names, row)?) {
                (Some(truth), _) | (_, Some(truth)) if truth == deciding => Some(deciding),
                (Some(_), Some(_)) => Some(!deciding),
                _ => None,
            }
        }
        Expr::IsNull(expr) => Some(operand(expr, names, row)? == Cell::Null),
        Expr::IsNotNull(expr) => Some(operand(expr, names, row)? != Cell::Null),
        other => predicate(other, names, row)?,
    })
}

/// Comparisons, LIKE and IN; anything else is true if it is neither 0 nor empty.
fn predicate(
    condition: &sp::Expr,
    names: &[String],
    row: &[Cell],
) -> Result<Option<bool>, SqlError> {
    use sp::{BinaryOperator as Op, Expr};
    let both = |left: &Expr, right: &Expr| -> Result<Option<std::cmp::Ordering>, SqlError> {
        Ok(compare(
            operand(left, names, row)?,
            operand(right, names, row)?,
        ))
    };
    Ok(match condition {
        Expr::BinaryOp { left, op, right } => {
            let test: fn(std::cmp::Ordering) -> bool = match op {
                Op::Eq => std::cmp::Ordering::is_eq,
                Op::NotEq => std::cmp::Ordering::is_ne,
                Op::Lt => std::cmp::Ordering::is_lt,
                Op::LtEq => std::cmp::Ordering::is_le,
                Op::Gt => std::cmp::Ordering::is_gt,
                Op::GtEq => std::cmp::Ordering::is_ge,
                _ => return Err(refused()),
            };
            both(left, right)?.map(test)
        }
        Expr::Like {
            negated,
            expr,
            pattern,
            ..
        } => {
            let (text, pattern) = (operand(expr, names, row)?, operand(pattern, names, row)?);
            match (text.text(), pattern.text()) {
                (Some(text), Some(pattern)) => Some(like(&pattern, &text) != *negated),
                _ => None,
            }
        }
        Expr::InList {
            expr,
            list,
            negated,
        } => {
            let mut found = false;
            for item in list {
                found |= both(expr, item)?.is_some_and(std::cmp::Ordering::is_eq);
            }
            Some(found != *negated)
        }
        other => operand(other, names, row)?
            .text()
            .map(|text| text != "0" && !text.is_empty()),
    })
}

fn operand(expr: &sp::Expr, names: &[String], row: &[Cell]) -> Result<Cell, SqlError> {
    match expr {
        sp::Expr::Nested(inner) => operand(inner, names, row),
        sp::Expr::Identifier(name) => {
            let index = names
                .iter()
                .position(|known| known.eq_ignore_ascii_case(&name.value));
            let cell = index.and_then(|index| row.get(index));
            cell.cloned()
                .ok_or_else(|| SqlError::bad_field(&name.value, "where clause"))
        }
        sp::Expr::Value(value) => match &value.value {
            sp::Value::Number(number, _) => Ok(number
                .parse()
                .map_or_else(|_| Cell::Text(number.clone()), Cell::Number)),
            sp::Value::SingleQuotedString(text) => Ok(Cell::Text(text.clone())),
            sp::Value::Boolean(truth) => Ok(Cell::Number(u64::from(*truth))),
            sp::Value::Null => Ok(Cell::Null),
            _ => Err(refused()),
        },
        _ => Err(refused()),
    }
}

/// Numbers as numbers, all else as text without letter case; None if either is NULL.
fn compare(left: Cell, right: Cell) -> Option<std::cmp::Ordering> {
    let (left, right) = (left.text()?, right.text()?);
    match (left.parse::<i128>(), right.parse::<i128>()) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ => Some(left.to_lowercase().cmp(&right.to_lowercase())),
    }
}

fn refused() -> SqlError {
    SqlError::not_supported("this expression in SHOW ... WHERE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sql::ast::Show;
    use sql::{ParseOptions, Statement};

    #[test]
    fn like_matches_as_in_mysql() {
        for (pattern, text, expected) in [
            ("wait\\_timeout", "wait_timeout", true),
            ("wait\\_timeout", "waitXtimeout", false),
            ("wait_timeout", "waitXtimeout", true),
            ("%LOG%", "binlog_format", true),
            ("a%b%c", "aXbXbc", true),
            ("a%b", "abx", false),
            ("", "", true),
            ("%", "", true),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn where_filters_by_columns() {
        let mut grid = Grid::new().text("Name", 10).number("Rows", 10);
        for (name, rows) in [("a", 1), ("b", 2), ("c", 3)] {
            grid.row([name.into(), Cell::Number(rows)]);
        }
        let sql = b"show tables where name in ('A', 'c') and not `rows` < 2 or name like 'b'";
        let parsed = sql::parse(sql, &ParseOptions::default()).unwrap();
        let Statement::Query(sql::ast::Query::Show(show)) = parsed.statement else {
            panic!()
        };
        let Show::Tables { filter, .. } = *show else {
            panic!()
        };
        assert_eq!(apply(grid, filter.as_ref(), 0).unwrap().rows.len(), 2);
    }
}
