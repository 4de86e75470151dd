//! Statements that answer with rows, or read them for their own sake.

use sqlparser::ast as sp;

use super::{Expression, Show, Statement, TableName};

/// A statement that reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// SELECT, UNION, VALUES, TABLE, WITH ... SELECT.
    Select(Box<sp::Query>),
    /// DO expr, ...
    Do(Vec<Expression>),

    /// SHOW.
    Show(Box<Show>),
    /// DESCRIBE table [column | pattern].
    Describe {
        /// Table.
        table: TableName,
        /// One column or a LIKE pattern.
        column: Option<String>,
    },
    /// EXPLAIN of a statement.
    Explain {
        /// FORMAT=..., lower-cased.
        format: Option<String>,
        /// EXPLAIN ANALYZE.
        analyze: bool,
        /// What is explained.
        statement: Box<Statement>,
    },
}
