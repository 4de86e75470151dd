//! A result set in the making: columns of text and numbers, and rows of cells.

use binlog::value::Value;
use engine::collation::UTF8MB4_0900_AI_CI;
use engine::outcome::{ResultColumn, ResultSet};
use protocol::{column_flag as flag, column_type as t};

pub(crate) use sql::ShowCell as Cell;

/// The cell as a value of a result.
fn into_value(cell: Cell) -> Value<'static> {
    match cell {
        Cell::Text(text) => Value::Bytes(text.into_bytes().into()),
        Cell::Number(number) => Value::UInt(number),
        Cell::Null => Value::Null,
    }
}

/// A result set in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grid {
    pub(crate) columns: Vec<ResultColumn>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Grid {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a text column of at most `length` bytes.
    pub(crate) fn text(mut self, name: &str, length: u32) -> Self {
        let column = ResultColumn::text(name, &UTF8MB4_0900_AI_CI, 0);
        self.columns.push(ResultColumn { length, ..column });
        self
    }

    /// Adds a column of long text.
    pub(crate) fn blob(mut self, name: &str, length: u32) -> Self {
        let column = ResultColumn::text(name, &UTF8MB4_0900_AI_CI, 0);
        let flags = flag::BLOB;
        self.columns.push(ResultColumn {
            length,
            flags,
            type_code: t::BLOB,
            ..column
        });
        self
    }

    /// Says that the last column added holds no NULL; clients lay their tables out by it.
    pub(crate) fn not_null(mut self) -> Self {
        if let Some(column) = self.columns.last_mut() {
            column.flags |= flag::NOT_NULL;
        }
        self
    }

    /// Adds a BIGINT UNSIGNED column of at most `length` digits.
    pub(crate) fn number(mut self, name: &str, length: u32) -> Self {
        let flags = flag::UNSIGNED | flag::BINARY;
        self.columns.push(ResultColumn {
            length,
            flags,
            ..ResultColumn::integer(name)
        });
        self
    }

    /// Adds a DATETIME column; its cells are NULL.
    pub(crate) fn moment(mut self, name: &str) -> Self {
        let column = ResultColumn::integer(name);
        let (length, flags) = (19, flag::BINARY);
        self.columns.push(ResultColumn {
            length,
            flags,
            type_code: t::DATETIME,
            ..column
        });
        self
    }

    /// Marks columns that are never NULL, by name: clients size their output by that.
    pub(crate) fn never_null(mut self, names: &[&str]) -> Self {
        let named = |column: &&mut ResultColumn| names.contains(&column.name.as_str());
        self.columns
            .iter_mut()
            .filter(named)
            .for_each(|column| column.flags |= flag::NOT_NULL);
        self
    }

    /// Marks every column as never NULL.
    pub(crate) fn all_never_null(mut self) -> Self {
        self.columns
            .iter_mut()
            .for_each(|column| column.flags |= flag::NOT_NULL);
        self
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The result set.
    pub(crate) fn into_result(self) -> ResultSet {
        let rows = self.rows.into_iter();
        ResultSet {
            columns: self.columns,
            rows: rows
                .map(|row| row.into_iter().map(into_value).collect())
                .collect(),
        }
    }
}
