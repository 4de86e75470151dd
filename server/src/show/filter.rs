//! LIKE and WHERE behind a SHOW, over the rows that it would show.

use engine::outcome::ResultSet;
use sql::ast::ShowFilter;
use sql::error::SqlError;
pub(crate) use sql::like;

use super::grid::Grid;

/// The rows of `grid` that pass; LIKE looks at column `column`.
pub(super) fn apply(
    mut grid: Grid,
    filter: Option<&ShowFilter>,
    column: usize,
) -> Result<ResultSet, SqlError> {
    if let Some(filter) = filter {
        let names: Vec<String> = grid.columns.iter().map(|c| c.name.clone()).collect();
        let mut kept = Vec::new();
        for row in std::mem::take(&mut grid.rows) {
            if filter.admits(&names, &row, column)? {
                kept.push(row);
            }
        }
        grid.rows = kept;
    }
    Ok(grid.into_result())
}

#[cfg(test)]
mod tests {
    use super::super::grid::Cell;
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
