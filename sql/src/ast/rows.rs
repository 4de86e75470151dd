//! The rows of INSERT ... VALUES, kept in little memory: most of their values are literals, and there
//! may be millions of them.

use sqlparser::ast as sp;

/// A list of rows of expressions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// The texts of literals, one behind the other.
    bytes: Vec<u8>,
    cells: Vec<Cell>,
    /// For each row the number of cells up to its end.
    ends: Vec<u32>,
    /// What is no literal.
    expressions: Vec<sp::Expr>,
}

/// One value. Texts are (first byte, length) in `bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Null,
    Default,
    Number(u32, u32),
    Negative(u32, u32),
    Text(u32, u32),
    Hex(u32, u32),
    Parameter(u32, u32),
    Expression(u32),
}

/// A number of things that does not fit 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// A literal on its way into [`Rows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Literal<'a> {
    Null,
    Default,
    Number(&'a str),
    Negative(&'a str),
    Text(&'a str),
    Hex(&'a str),
    Parameter(&'a str),
}

fn narrow(number: usize) -> Result<u32, TooMany> {
    u32::try_from(number).map_err(|_| TooMany)
}

impl Rows {
    /// Appends a value to the row that is being read.
    pub(crate) fn push_literal(&mut self, literal: Literal<'_>) -> Result<(), TooMany> {
        let cell = match literal {
            Literal::Null => Cell::Null,
            Literal::Default => Cell::Default,
            Literal::Number(text) => self.keep(text, Cell::Number)?,
            Literal::Negative(text) => self.keep(text, Cell::Negative)?,
            Literal::Text(text) => self.keep(text, Cell::Text)?,
            Literal::Hex(text) => self.keep(text, Cell::Hex)?,
            Literal::Parameter(text) => self.keep(text, Cell::Parameter)?,
        };
        self.cells.push(cell);
        Ok(())
    }

    /// Appends a value that is no literal.
    pub(crate) fn push_expression(&mut self, expr: sp::Expr) -> Result<(), TooMany> {
        self.cells
            .push(Cell::Expression(narrow(self.expressions.len())?));
        self.expressions.push(expr);
        Ok(())
    }

    /// Ends the row that is being read.
    pub(crate) fn end_row(&mut self) -> Result<(), TooMany> {
        self.ends.push(narrow(self.cells.len())?);
        Ok(())
    }

    /// Gives back what was allocated ahead.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.cells.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.expressions.shrink_to_fit();
    }

    fn keep(&mut self, text: &str, cell: fn(u32, u32) -> Cell) -> Result<Cell, TooMany> {
        let kept = cell(narrow(self.bytes.len())?, narrow(text.len())?);
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(kept)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The values that are no literals.
    #[must_use]
    pub fn expressions(&self) -> &[sp::Expr] {
        &self.expressions
    }

    pub(crate) fn expressions_mut(&mut self) -> &mut [sp::Expr] {
        &mut self.expressions
    }

    /// The values of every row, as expressions made for the while.
    pub fn iter(&self) -> impl Iterator<Item = Vec<sp::Expr>> + '_ {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let end = usize::try_from(*end).unwrap_or(usize::MAX);
            let cells = self.cells.get(start..end).unwrap_or_default();
            start = end;
            cells.iter().map(|cell| self.expression(*cell)).collect()
        })
    }

    fn text(&self, start: u32, length: u32) -> String {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn expression(&self, cell: Cell) -> sp::Expr {
        use sp::Value as V;
        match cell {
            Cell::Null => sp::Expr::value(V::Null),
            Cell::Default => sp::Expr::Identifier(sp::Ident::new("DEFAULT")),
            Cell::Number(start, length) => {
                sp::Expr::value(V::Number(self.text(start, length), false))
            }
            Cell::Negative(start, length) => sp::Expr::UnaryOp {
                op: sp::UnaryOperator::Minus,
                expr: Box::new(sp::Expr::value(V::Number(self.text(start, length), false))),
            },
            Cell::Text(start, length) => {
                sp::Expr::value(V::SingleQuotedString(self.text(start, length)))
            }
            Cell::Hex(start, length) => {
                sp::Expr::value(V::HexStringLiteral(self.text(start, length)))
            }
            Cell::Parameter(start, length) => {
                sp::Expr::value(V::Placeholder(self.text(start, length)))
            }
            Cell::Expression(index) => usize::try_from(index)
                .ok()
                .and_then(|index| self.expressions.get(index))
                .cloned()
                .unwrap_or_else(|| sp::Expr::value(V::Null)),
        }
    }
}
