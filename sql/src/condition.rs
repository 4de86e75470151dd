//! WHERE behind a SHOW: the condition over one row of what would be shown.
//!
//! It takes comparisons of columns with literals joined by AND, OR and NOT: what clients write.

use sqlparser::ast as sp;

use crate::ast::ShowFilter;
use crate::error::SqlError;

/// A cell of what SHOW shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowCell {
    /// Text.
    Text(String),
    /// A number.
    Number(u64),
    /// NULL.
    Null,
}

impl ShowCell {
    /// The cell's text; None for NULL.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            ShowCell::Text(text) => Some(text.clone()),
            ShowCell::Number(number) => Some(number.to_string()),
            ShowCell::Null => None,
        }
    }
}

impl From<&str> for ShowCell {
    fn from(text: &str) -> Self {
        ShowCell::Text(text.to_owned())
    }
}

impl From<String> for ShowCell {
    fn from(text: String) -> Self {
        ShowCell::Text(text)
    }
}

impl From<u64> for ShowCell {
    fn from(number: u64) -> Self {
        ShowCell::Number(number)
    }
}

impl<T: Into<ShowCell>> From<Option<T>> for ShowCell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(ShowCell::Null, Into::into)
    }
}

impl ShowFilter {
    /// Whether a row is shown. `names` are those of the columns; LIKE looks at column `column`.
    ///
    /// # Errors
    /// 1054 for a column that is not shown, 1235 for what is no plain condition.
    pub fn admits(
        &self,
        names: &[String],
        row: &[ShowCell],
        column: usize,
    ) -> Result<bool, SqlError> {
        match self {
            ShowFilter::Like(pattern) => {
                let text = row.get(column).and_then(ShowCell::text);
                let case = Case::of(names, names.get(column).map_or("", String::as_str));
                Ok(text.is_some_and(|text| like_in(case, pattern, &text)))
            }
            ShowFilter::Where(condition) => Ok(holds(condition, names, row)? == Some(true)),
        }
    }
}

/// Whether letters of two cases are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// They are.
    Same,
    /// They are not: databases and tables that differ in case alone are two.
    Other,
}

impl Case {
    /// How MySQL compares the cells of a column among `names` (`lower_case_table_names=0`).
    fn of(names: &[String], column: &str) -> Self {
        // SHOW TABLE STATUS.
        let is_table =
            column.eq_ignore_ascii_case("Name") && names.iter().any(|name| name == "Row_format");
        match is_table || holds_table_names(column) {
            true => Self::Other,
            false => Self::Same,
        }
    }

    fn fold(self, text: &str) -> String {
        match self {
            Self::Same => text.to_lowercase(),
            Self::Other => text.to_owned(),
        }
    }
}

/// Columns of SHOW and of information_schema that hold names of databases and tables.
const TABLE_NAMES: [&str; 16] = [
    "CATALOG_NAME",
    "CONSTRAINT_CATALOG",
    "CONSTRAINT_SCHEMA",
    "EVENT_OBJECT_SCHEMA",
    "EVENT_OBJECT_TABLE",
    "EVENT_SCHEMA",
    "INDEX_SCHEMA",
    "REFERENCED_TABLE_NAME",
    "REFERENCED_TABLE_SCHEMA",
    "ROUTINE_SCHEMA",
    "SCHEMA_NAME",
    "TABLE_CATALOG",
    "TABLE_NAME",
    "TABLE_SCHEMA",
    "TRIGGER_SCHEMA",
    "UNIQUE_CONSTRAINT_SCHEMA",
];

/// Whether a column of SHOW or of information_schema holds names of databases or tables, which are
/// compared with letter case.
#[must_use]
pub fn holds_table_names(column: &str) -> bool {
    // The tables that the server makes up have names in any letter case.
    let is_made_up = column.starts_with("Tables_in_information_schema");
    let is_shown =
        (column.starts_with("Tables_in_") && !is_made_up) || column.starts_with("Database");
    is_shown
        || TABLE_NAMES
            .iter()
            .any(|name| name.eq_ignore_ascii_case(column))
}

/// LIKE without letter case, `\` escaping.
#[must_use]
pub fn like(pattern: &str, text: &str) -> bool {
    like_in(Case::Same, pattern, text)
}

fn like_in(case: Case, pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = case.fold(pattern).chars().collect();
    let text: Vec<char> = case.fold(text).chars().collect();
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
fn holds(
    condition: &sp::Expr,
    names: &[String],
    row: &[ShowCell],
) -> Result<Option<bool>, SqlError> {
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
        Expr::IsNull(expr) => Some(operand(expr, names, row)? == ShowCell::Null),
        Expr::IsNotNull(expr) => Some(operand(expr, names, row)? != ShowCell::Null),
        other => predicate(other, names, row)?,
    })
}

/// Comparisons, LIKE and IN; anything else is true if it is neither 0 nor empty.
fn predicate(
    condition: &sp::Expr,
    names: &[String],
    row: &[ShowCell],
) -> Result<Option<bool>, SqlError> {
    use sp::{BinaryOperator as Op, Expr};
    let both = |left: &Expr, right: &Expr| -> Result<Option<std::cmp::Ordering>, SqlError> {
        Ok(compare(
            case_of(names, left, right),
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
            let case = case_of(names, expr, expr);
            match (text.text(), pattern.text()) {
                (Some(text), Some(pattern)) => Some(like_in(case, &pattern, &text) != *negated),
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

fn operand(expr: &sp::Expr, names: &[String], row: &[ShowCell]) -> Result<ShowCell, SqlError> {
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
                .map_or_else(|_| ShowCell::Text(number.clone()), ShowCell::Number)),
            sp::Value::SingleQuotedString(text) => Ok(ShowCell::Text(text.clone())),
            sp::Value::Boolean(truth) => Ok(ShowCell::Number(u64::from(*truth))),
            sp::Value::Null => Ok(ShowCell::Null),
            _ => Err(refused()),
        },
        _ => Err(refused()),
    }
}

/// How two operands compare: as the column does that is one of them.
fn case_of(names: &[String], left: &sp::Expr, right: &sp::Expr) -> Case {
    let case = |expr: &sp::Expr| match expr {
        sp::Expr::Identifier(name) => Case::of(names, &name.value),
        _ => Case::Same,
    };
    match (case(left), case(right)) {
        (Case::Same, Case::Same) => Case::Same,
        (Case::Other, _) | (_, Case::Other) => Case::Other,
    }
}

/// Numbers as numbers, all else as text; None if either is NULL.
fn compare(case: Case, left: ShowCell, right: ShowCell) -> Option<std::cmp::Ordering> {
    let (left, right) = (left.text()?, right.text()?);
    match (left.parse::<i128>(), right.parse::<i128>()) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ => Some(case.fold(&left).cmp(&case.fold(&right))),
    }
}

fn refused() -> SqlError {
    SqlError::not_supported("this expression in SHOW ... WHERE")
}
