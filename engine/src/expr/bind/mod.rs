//! The binder: from sqlparser's trees to typed nodes.
//!
//! Names are resolved, types chosen, constants evaluated and session functions replaced by their
//! values, all in one pass. What this version does not do is refused with error 1235 by name;
//! nothing is passed over.

mod aggregates;
mod calls;
mod expression;
mod literal;
mod operators;
mod scope;
mod special;
mod system;

use std::rc::Rc;
use std::sync::Arc;

use binlog::value::Value;

pub use calls::INSERTED;
pub use literal::{characters, numeric_hex};
pub use scope::{Found, Relation, Scope, ScopeColumn, full_name, same_name, same_node};
pub use special::check_temporal_literal;

use super::emit::Emitter;
use super::env::Env;
use super::node::{Node, Op};
use crate::catalog::Catalog;
use crate::session::SessionContext;
use crate::value::memory;
use sql::error::SqlError;

/// Where in a statement an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// MySQL's name of the clause in messages.
    pub clause: &'static str,
    /// Whether aggregates may stand here.
    pub aggregates: bool,
    /// Whether select aliases are looked up: never, after columns, or before them.
    pub aliases: Aliases,
}

/// When a name may mean a select alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aliases {
    /// Never.
    Hidden,
    /// When no column has the name.
    AfterColumns,
    /// Before columns.
    First,
}

impl Place {
    /// The select list.
    pub const SELECT: Self = Self {
        clause: "field list",
        aggregates: true,
        aliases: Aliases::Hidden,
    };
    /// WHERE.
    pub const WHERE: Self = Self {
        clause: "where clause",
        aggregates: false,
        aliases: Aliases::Hidden,
    };
    /// ON.
    pub const ON: Self = Self {
        clause: "on clause",
        aggregates: false,
        aliases: Aliases::Hidden,
    };
    /// GROUP BY.
    pub const GROUP: Self = Self {
        clause: "group statement",
        aggregates: false,
        aliases: Aliases::AfterColumns,
    };
    /// HAVING.
    pub const HAVING: Self = Self {
        clause: "having clause",
        aggregates: true,
        aliases: Aliases::First,
    };
    /// ORDER BY.
    pub const ORDER: Self = Self {
        clause: "order clause",
        aggregates: true,
        aliases: Aliases::First,
    };
    /// Values of INSERT and assignments of UPDATE.
    pub const FIELDS: Self = Self {
        clause: "field list",
        aggregates: false,
        aliases: Aliases::Hidden,
    };
}

/// Binds the expressions and queries of one statement.
#[derive(Debug)]
pub struct Binder<'a> {
    /// The schema.
    pub catalog: &'a Arc<Catalog>,
    /// The session.
    pub session: &'a SessionContext,
    /// Values of `?` markers; empty while a statement is only described.
    pub params: &'a [Value<'static>],
    /// Whether `?` markers without a value are let through as NULL.
    pub describing: bool,
    /// Whether the text is an expression of the catalogue, whose strings are characters already: what
    /// a session's character sets are does not change them.
    pub is_kept: bool,
    /// What is emitted on the way.
    pub emitter: Emitter,
    /// The statement's text, for the names of select items.
    pub text: &'a str,
    /// Number of the next SQLite alias.
    pub next_alias: usize,
    /// Common table expressions in scope, innermost last.
    pub ctes: Vec<crate::select::Cte>,
    /// The statement's surroundings.
    pub env: Rc<Env>,
    /// The one SELECT that may have SQL_CALC_FOUND_ROWS; compared, never followed.
    pub found_rows_place: Option<*const sqlparser::ast::Select>,
}

impl<'a> Binder<'a> {
    /// A binder for one statement.
    pub fn new(
        catalog: &'a Arc<Catalog>,
        session: &'a SessionContext,
        params: &'a [Value<'static>],
        text: &'a str,
        env: Env,
    ) -> Self {
        let env = Rc::new(env);
        Self {
            catalog,
            session,
            params,
            describing: false,
            is_kept: false,
            emitter: Emitter::new(Rc::clone(&env)),
            text,
            next_alias: 0,
            ctes: Vec::new(),
            env,
            found_rows_place: None,
        }
    }

    /// A fresh SQLite alias with this first letter.
    pub fn alias(&mut self, letter: char) -> String {
        self.next_alias += 1;
        format!("{letter}{}", self.next_alias)
    }

    /// A node whose children are constants is evaluated at once. One that has no value is left as it is in
    /// the expression of a column: the rows that need it find that out, if there ever are any.
    pub fn fold(&self, node: Node) -> Result<Node, SqlError> {
        let foldable = match &node.op {
            Op::Const(_) | Op::Leaf(_) | Op::Input(..) => false,
            _ => {
                let mut constant = true;
                node.walk(&mut |inner| match &inner.op {
                    Op::Leaf(_) | Op::Input(..) => constant = false,
                    Op::Call(function, _) => constant &= !function.volatile,
                    _ => {}
                });
                constant
            }
        };
        if !foldable {
            return Ok(node);
        }
        let value = match node.eval(&[], &self.env) {
            Err(error) if self.is_kept && FOUND_BY_ROWS.contains(&error.code) => return Ok(node),
            value => value?,
        };
        let mut folded = 0_usize;
        node.walk(&mut |inner| {
            folded = folded.saturating_add(inner.as_const().map_or(0, memory::size));
        });
        self.env.memory.keep(memory::size(&value), folded)?;
        let mut ty = node.ty;
        if value.is_null() {
            ty.nullable = true;
        }
        Ok(Node::constant(value, ty))
    }
}

/// Errors of values, which MySQL tells of an expression only when a row needs it: what is out of range,
/// truncated, no date, no document, no path in one, and no regular expression.
const FOUND_BY_ROWS: [u16; 18] = [
    1264, 1292, 1301, 1365, 1366, 1411, 1441, 1690, 3020, 3141, 3143, 3146, 3154, 3158, 3685, 3686,
    3692, 3696,
];

/// Error 1235 for a construct.
pub fn unsupported<T>(construct: &str) -> Result<T, SqlError> {
    Err(SqlError::not_supported(construct))
}
