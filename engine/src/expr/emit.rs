//! From typed trees to SQLite text.
//!
//! Logic and comparisons whose sides lie in SQLite in the same form stay native, so that indexes are
//! used; everything else becomes a call of `my(n, inputs...)`. Constants are bound in the form of
//! what they are compared with. Invariant: a native comparison gives MySQL's answer for every stored
//! value, or it is not native.

use std::fmt::Write as _;
use std::rc::Rc;

use rusqlite::types::Value as Stored;

use super::compare::Domain;
use super::env::Env;
use super::native::{self, Space};
use super::node::{Comparison, Leaf, Node, Op};
use super::sqlite::{Lowered, Program};
use super::types::{Kind, Type};
use crate::collation::Collation;
use crate::value::datum::Datum;
use crate::value::stored::expression;
use sql::error::SqlError;

/// Constants of comparisons that are bound: SQLite takes 32 766 parameters, the rest is for others.
const BOUND_MAX: usize = 16_000;

/// Operands joined in pairs, so that a long chain is not deep: SQLite takes a depth of 1000.
fn balanced(mut parts: Vec<String>, operator: &str) -> String {
    const FLAT: usize = 16;
    while parts.len() > FLAT {
        parts = parts
            .chunks(FLAT)
            .map(|some| format!("({})", some.join(operator)))
            .collect();
    }
    format!("({})", parts.join(operator))
}

/// Gathers the program and the parameters of a statement while its text is written.
#[derive(Debug)]
pub struct Emitter {
    /// What the functions in the text mean.
    pub program: Program,
    /// Values of `?1`, `?2` ...
    pub parameters: Vec<Stored>,
}

/// How far an [`Emitter`] had come, to forget what was emitted since.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    expressions: usize,
    aggregates: usize,
    tables: usize,
    parameters: usize,
}

impl Emitter {
    /// An empty program.
    pub fn new(env: Rc<Env>) -> Self {
        Self {
            program: Program::new(env),
            parameters: Vec::new(),
        }
    }

    /// The statement's surroundings.
    pub fn env(&self) -> &Env {
        &self.program.env
    }

    /// Remembers how far the program has come.
    pub fn mark(&self) -> Mark {
        Mark {
            expressions: self.program.expressions.len(),
            aggregates: self.program.aggregates.len(),
            tables: self.program.tables.len(),
            parameters: self.parameters.len(),
        }
    }

    /// Forgets what was emitted since `mark`.
    pub fn reset(&mut self, mark: Mark) {
        self.program.expressions.truncate(mark.expressions);
        self.program.aggregates.truncate(mark.aggregates);
        self.program.tables.truncate(mark.tables);
        self.parameters.truncate(mark.parameters);
    }

    /// A numbered parameter with this value.
    pub fn parameter(&mut self, value: Stored) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    /// A constant that a column is compared with: bound while there are few, so that SQLite sees the
    /// same text again, written out when a statement has more of them than SQLite takes parameters.
    fn constant(&mut self, value: Stored) -> String {
        if self.parameters.len() < BOUND_MAX {
            return self.parameter(value);
        }
        match value {
            Stored::Null => String::from("NULL"),
            // The smallest number has no literal of its own.
            Stored::Integer(number) if number != i64::MIN => number.to_string(),
            Stored::Text(text) if !text.contains('\0') => {
                format!("'{}'", text.replace('\'', "''"))
            }
            Stored::Blob(bytes) => {
                let mut literal = String::with_capacity(bytes.len() * 2 + 3);
                literal.push_str("x'");
                for byte in bytes {
                    let _ = write!(literal, "{byte:02x}");
                }
                literal.push('\'');
                literal
            }
            // A number's text may not come back as the same number.
            other => self.parameter(other),
        }
    }

    /// The value of a node in the stored form of its type.
    pub fn value(&mut self, node: &Node) -> Result<String, SqlError> {
        match &node.op {
            Op::Const(Datum::Null) => Ok(String::from("NULL")),
            Op::Const(value) => {
                let stored = expression::encode(value, &node.ty, &self.program.env.zone)?;
                Ok(self.parameter(stored))
            }
            Op::Leaf(leaf) => Ok(leaf.sql.clone()),
            Op::And(nodes) => self.joined(nodes, " AND "),
            Op::Or(nodes) => self.joined(nodes, " OR "),
            Op::Not(inner) => Ok(format!("(NOT {})", self.truth(inner)?)),
            Op::IsNull(inner) => Ok(format!("({} IS NULL)", self.value(inner)?)),
            Op::Compare(op, domain, left, right) => {
                match self.compare(*op, *domain, left, right)? {
                    Some(sql) => Ok(sql),
                    None => self.call(node),
                }
            }
            Op::In(value, list) => match self.native_in(value, list)? {
                Some(sql) => Ok(sql),
                None => self.call(node),
            },
            _ => self.call(node),
        }
    }

    /// The truth of a node: an expression SQLite takes as a condition.
    pub fn truth(&mut self, node: &Node) -> Result<String, SqlError> {
        match &node.op {
            Op::And(_) | Op::Or(_) | Op::Not(_) | Op::IsNull(_) | Op::Compare(..) | Op::In(..) => {
                self.value(node)
            }
            Op::Leaf(_) if node.ty.kind.is_integer() || node.ty.kind.is_approximate() => {
                Ok(format!("({} <> 0)", self.value(node)?))
            }
            Op::Const(_) => Ok(match node.truth(&[], self.env())? {
                None => String::from("NULL"),
                Some(true) => String::from("1"),
                Some(false) => String::from("0"),
            }),
            _ if node.ty.kind == Kind::Integer && !node.ty.unsigned => self.value(node),
            _ => {
                let truth = Node {
                    op: Op::Not(Box::new(Node::boolean(
                        Op::Not(Box::new(node.clone())),
                        true,
                    ))),
                    ty: Type::boolean().with_null(node.ty.nullable),
                };
                self.call(&truth)
            }
        }
    }

    /// The value of a node with the collation of its type, for ORDER BY, GROUP BY and DISTINCT.
    pub fn collated(&mut self, node: &Node) -> Result<String, SqlError> {
        let sql = self.value(node)?;
        if node.ty.kind != Kind::Text || node.ty.is_binary() {
            return Ok(sql);
        }
        if native_collation(node).is_some_and(|native| native.id == node.ty.collation.id) {
            return Ok(sql);
        }
        Ok(format!("({sql}) COLLATE \"{}\"", node.ty.collation.name))
    }

    fn joined(&mut self, nodes: &[Node], operator: &str) -> Result<String, SqlError> {
        let parts: Result<Vec<String>, SqlError> =
            nodes.iter().map(|node| self.truth(node)).collect();
        Ok(balanced(parts?, operator))
    }

    /// `my(n, inputs...)`.
    fn call(&mut self, node: &Node) -> Result<String, SqlError> {
        let mut inputs: Vec<(String, Type)> = Vec::new();
        let mut lowered = node.clone();
        lower(&mut lowered, &mut inputs);
        let name = if lowered.is_volatile() {
            "my_volatile"
        } else {
            "my"
        };
        let number = self.program.expressions.len();
        let (texts, types): (Vec<String>, Vec<Type>) = inputs.into_iter().unzip();
        self.program.expressions.push(Lowered {
            node: lowered,
            inputs: types,
        });
        let mut sql = format!("{name}({number}");
        for text in texts {
            let _ = write!(sql, ",{text}");
        }
        sql.push(')');
        Ok(sql)
    }

    fn compare(
        &mut self,
        op: Comparison,
        domain: Domain,
        left: &Node,
        right: &Node,
    ) -> Result<Option<String>, SqlError> {
        if left.as_const().is_some() && right.as_const().is_none() {
            return self.compare(op.flip(), domain, right, left);
        }
        let Some(space) = Space::of(&left.ty) else {
            return Ok(None);
        };
        if !matches!(left.op, Op::Leaf(_))
            && matches!(domain, Domain::Text(_))
            && right.as_const().is_some()
        {
            // Nothing is gained: the left side is computed by us in any case.
            return Ok(None);
        }
        let other = match right.as_const() {
            Some(Datum::Null) => String::from("NULL"),
            Some(value) => {
                match native::constant(value, op, domain, &space, &left.ty, self.env()) {
                    Some(stored) => self.constant(stored),
                    None => return Ok(None),
                }
            }
            None if native::share(&left.ty, &right.ty, domain) => self.value(right)?,
            None => return Ok(None),
        };
        let own = self.value(left)?;
        let collate = match domain {
            Domain::Text(collation) => collate_suffix(left, right, collation),
            _ => String::new(),
        };
        Ok(Some(format!("({own}{collate} {} {other})", op.sql())))
    }

    fn native_in(
        &mut self,
        value: &Node,
        list: &[(Domain, Node)],
    ) -> Result<Option<String>, SqlError> {
        let (Some(space), Op::Leaf(_)) = (Space::of(&value.ty), &value.op) else {
            return Ok(None);
        };
        let mut stored = Vec::with_capacity(list.len());
        for (domain, node) in list {
            let Some(constant) = node.as_const() else {
                return Ok(None);
            };
            if constant.is_null() {
                stored.push(Stored::Null);
                continue;
            }
            let op = Comparison::Equal;
            match native::constant(constant, op, *domain, &space, &value.ty, self.env()) {
                Some(element) => stored.push(element),
                None => return Ok(None),
            }
        }
        let collate = match list.first() {
            Some((Domain::Text(collation), node)) => collate_suffix(value, node, collation),
            _ => String::new(),
        };
        let markers: Vec<String> = stored
            .into_iter()
            .map(|element| self.constant(element))
            .collect();
        let own = self.value(value)?;
        Ok(Some(format!("({own}{collate} IN ({}))", markers.join(","))))
    }
}

/// Numbers the leaves of an expression as inputs; equal leaves share one.
pub fn lower(node: &mut Node, inputs: &mut Vec<(String, Type)>) {
    if let Op::Leaf(leaf) = &node.op {
        let found = inputs.iter().position(|(sql, _)| *sql == leaf.sql);
        let slot = found.unwrap_or_else(|| {
            inputs.push((leaf.sql.clone(), node.ty.clone()));
            inputs.len() - 1
        });
        let label = leaf
            .column
            .as_ref()
            .map_or("", |column| column.label.as_str());
        node.op = Op::Input(slot, label.into());
        return;
    }
    node.each_child_mut(&mut |child| lower(child, inputs));
}

/// The collation SQLite uses for a node by itself.
pub fn native_collation(node: &Node) -> Option<&'static Collation> {
    match &node.op {
        Op::Leaf(leaf) => leaf.native_collation,
        _ => None,
    }
}

/// ` COLLATE "x"` unless SQLite would use the collation anyway.
fn collate_suffix(left: &Node, right: &Node, collation: &Collation) -> String {
    if collation.is_binary() || left.ty.kind != Kind::Text {
        return String::new();
    }
    let native = native_collation(left).or_else(|| native_collation(right));
    if native.is_some_and(|native| native.id == collation.id) {
        return String::new();
    }
    format!(" COLLATE \"{}\"", collation.name)
}

impl Leaf {
    /// A piece of SQLite text that is no bare column.
    pub fn computed(sql: String) -> Self {
        Self {
            sql,
            native_collation: None,
            column: None,
            aggregate: false,
        }
    }
}
