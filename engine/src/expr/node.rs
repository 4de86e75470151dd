//! The typed expression tree and its evaluation.
//!
//! A [`Node`] is made by the binder, which has resolved every name and chosen every type. What SQLite
//! must compute (columns, subqueries, aggregates) are leaves; before execution they are numbered and
//! become [`Op::Input`]s of the evaluation. Evaluating never touches SQLite or the session.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use super::compare::{self, Domain};
use super::env::Env;
use super::function::{Call, Function, in_own_charset};
use super::types::Type;
use crate::collation::Collation;
use crate::value::datum::Datum;
use crate::value::memory;
use sql::error::SqlError;

/// A typed expression.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// The type of its value.
    pub ty: Type,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "SQL's own operators")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `<=>`: NULL equals NULL.
    NullSafeEqual,
}

impl Comparison {
    /// Whether the operator holds for an ordering of two values that are not NULL.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal | Self::NullSafeEqual => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// The same comparison with its sides exchanged.
    #[must_use]
    pub fn flip(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// SQLite's operator.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::NullSafeEqual => "IS",
        }
    }
}

/// Something SQLite computes.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// SQLite text, with numbered parameters only.
    pub sql: String,
    /// The collation SQLite compares the value with by itself; `None` for what is no bare column.
    pub native_collation: Option<&'static Collation>,
    /// The column, for row sources and error texts.
    pub column: Option<ColumnRef>,
    /// Whether it is an aggregate (which may not stand in WHERE).
    pub aggregate: bool,
}

/// A column of a table in FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRef {
    /// Number of the table within the statement.
    pub table: usize,
    /// Position of the column in the table.
    pub position: usize,
    /// As MySQL prints it in messages: `` `db`.`t`.`c` ``.
    pub label: String,
}

/// What a node does.
#[derive(Debug, Clone)]
pub enum Op {
    /// A known value.
    Const(Datum),
    /// Computed by SQLite.
    Leaf(Box<Leaf>),
    /// The n-th input of the evaluation, and how messages show it.
    Input(usize, Arc<str>),
    /// A function or operator.
    Call(&'static Function, Vec<Node>),
    /// All of them.
    And(Vec<Node>),
    /// One of them.
    Or(Vec<Node>),
    /// Not.
    Not(Box<Node>),
    /// Exactly one of two.
    Xor(Box<Node>, Box<Node>),
    /// `left op right` in a domain.
    Compare(Comparison, Domain, Box<Node>, Box<Node>),
    /// `value [NOT] IN (list)`, each element compared in its domain.
    In(Box<Node>, Vec<(Domain, Node)>),
    /// `IS NULL`.
    IsNull(Box<Node>),
    /// `IS TRUE` (true) or `IS FALSE`.
    IsTruth(Box<Node>, bool),
    /// CASE WHEN ... THEN ... ELSE.
    Case(Vec<(Node, Node)>, Option<Box<Node>>),
    /// The first value that is not NULL.
    Coalesce(Vec<Node>),
    /// Converted to the node's type.
    Convert(Box<Node>),
}

impl Node {
    /// A constant.
    pub fn constant(value: Datum, ty: Type) -> Self {
        Self {
            op: Op::Const(value),
            ty,
        }
    }

    /// NULL.
    pub fn null() -> Self {
        Self::constant(Datum::Null, Type::null())
    }

    /// 0 or 1.
    pub fn boolean(op: Op, nullable: bool) -> Self {
        Self {
            op,
            ty: Type::boolean().with_null(nullable),
        }
    }

    /// Whether this is a column as it is.
    pub fn is_field(&self) -> bool {
        matches!(&self.op, Op::Leaf(leaf) if leaf.column.is_some())
    }

    /// The value when it is a constant.
    pub fn as_const(&self) -> Option<&Datum> {
        match &self.op {
            Op::Const(value) => Some(value),
            _ => None,
        }
    }

    /// The bare column, if it is one.
    pub fn as_column(&self) -> Option<&ColumnRef> {
        match &self.op {
            Op::Leaf(leaf) => leaf.column.as_ref(),
            _ => None,
        }
    }

    /// Calls `visit` for the node and everything below it.
    pub fn walk(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        self.each_child(&mut |child| child.walk(visit));
    }

    fn each_child(&self, visit: &mut dyn FnMut(&Self)) {
        match &self.op {
            Op::Const(_) | Op::Leaf(_) | Op::Input(..) => {}
            Op::Call(_, nodes) | Op::And(nodes) | Op::Or(nodes) | Op::Coalesce(nodes) => {
                nodes.iter().for_each(visit);
            }
            Op::Not(node) | Op::IsNull(node) | Op::IsTruth(node, _) | Op::Convert(node) => {
                visit(node)
            }
            Op::Xor(left, right) | Op::Compare(_, _, left, right) => {
                visit(left);
                visit(right);
            }
            Op::In(value, list) => {
                visit(value);
                list.iter().for_each(|(_, node)| visit(node));
            }
            Op::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    visit(condition);
                    visit(value);
                }
                if let Some(node) = otherwise {
                    visit(node);
                }
            }
        }
    }

    /// Calls `visit` for every direct child.
    pub fn each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        match &mut self.op {
            Op::Const(_) | Op::Leaf(_) | Op::Input(..) => {}
            Op::Call(_, nodes) | Op::And(nodes) | Op::Or(nodes) | Op::Coalesce(nodes) => {
                nodes.iter_mut().for_each(visit);
            }
            Op::Not(node) | Op::IsNull(node) | Op::IsTruth(node, _) | Op::Convert(node) => {
                visit(node)
            }
            Op::Xor(left, right) | Op::Compare(_, _, left, right) => {
                visit(left);
                visit(right);
            }
            Op::In(value, list) => {
                visit(value);
                list.iter_mut().for_each(|(_, node)| visit(node));
            }
            Op::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    visit(condition);
                    visit(value);
                }
                if let Some(node) = otherwise {
                    visit(node);
                }
            }
        }
    }

    /// Whether the value may differ from call to call with the same inputs.
    pub fn is_volatile(&self) -> bool {
        let mut found = false;
        self.walk(&mut |node| found |= matches!(&node.op, Op::Call(f, _) if f.volatile));
        found
    }

    /// Whether an aggregate occurs in it.
    pub fn has_aggregate(&self) -> bool {
        let mut found = false;
        self.walk(&mut |node| found |= matches!(&node.op, Op::Leaf(leaf) if leaf.aggregate));
        found
    }

    /// The value for one row of inputs where a number is wanted: a hexadecimal literal is one.
    pub fn number(&self, row: &[Datum], env: &Env) -> Result<Datum, SqlError> {
        Ok(self.as_number(&self.eval(row, env)?).into_owned())
    }

    /// Its value where a number is wanted. What a derived table or an aggregate makes of a literal is
    /// bytes like others.
    pub fn as_number<'v>(&self, value: &'v Datum) -> Cow<'v, Datum> {
        match &self.op {
            Op::Const(_) => self.ty.number(value),
            _ => Cow::Borrowed(value),
        }
    }

    /// The truth for one row of inputs. A document is true unless it is the number zero.
    pub fn truth(&self, row: &[Datum], env: &Env) -> Result<Option<bool>, SqlError> {
        Ok(match self.number(row, env)? {
            Datum::Json(text) => Some(!is_zero(&text)),
            value => value.to_truth(),
        })
    }

    /// The value for one row of inputs.
    pub fn eval(&self, row: &[Datum], env: &Env) -> Result<Datum, SqlError> {
        Ok(match &self.op {
            Op::Const(value) => value.clone(),
            Op::Input(slot, _) => row.get(*slot).cloned().unwrap_or(Datum::Null),
            Op::Leaf(_) => return Err(SqlError::unknown_error()),
            Op::Call(function, args) => return called(function, args, self, row, env),
            Op::And(nodes) => return all(nodes, row, env),
            Op::Or(nodes) => return any(nodes, row, env),
            Op::Not(node) => truth(node.truth(row, env)?.map(|value| !value)),
            Op::Xor(left, right) => {
                let (left, right) = (left.truth(row, env)?, right.truth(row, env)?);
                truth(left.zip(right).map(|(a, b)| a != b))
            }
            Op::Compare(op, domain, left, right) => {
                return compared((*op, *domain), left, right, row, env);
            }
            Op::In(value, list) => return contains(&value.eval(row, env)?, list, row, env),
            Op::IsNull(node) => Datum::truth(node.eval(row, env)?.is_null()),
            Op::IsTruth(node, wanted) => Datum::truth(node.truth(row, env)? == Some(*wanted)),
            Op::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    if condition.number(row, env)?.to_truth() == Some(true) {
                        return value.eval(row, env);
                    }
                }
                return otherwise
                    .as_ref()
                    .map_or(Ok(Datum::Null), |node| node.eval(row, env));
            }
            Op::Coalesce(nodes) => {
                for node in nodes {
                    let value = node.eval(row, env)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Datum::Null
            }
            Op::Convert(node) => {
                let value = match (node.eval(row, env)?, self.ty.is_binary()) {
                    (value @ (Datum::Text(_) | Datum::Enum(..) | Datum::Set(..)), true) => {
                        let bytes = in_own_charset(value.to_text(), &node.ty);
                        Datum::Text(bytes.into_owned())
                    }
                    (Datum::Text(text), false) if self.ty.kind == super::types::Kind::Text => {
                        let (from, to) = (node.ty.collation.charset, self.ty.collation.charset);
                        let from = if node.ty.kind.is_text() { from } else { to };
                        Datum::Text(from.carried(to, &text).into_owned())
                    }
                    (value, _) => value,
                };
                super::convert::convert(value, &self.ty, env)?
            }
        })
    }

    /// The expression as MySQL's messages show it.
    pub fn describe(&self) -> String {
        match &self.op {
            Op::Const(Datum::Text(text)) => format!("'{}'", String::from_utf8_lossy(text)),
            Op::Const(Datum::Null) => String::from("NULL"),
            Op::Const(value) => value.to_str().into_owned(),
            Op::Leaf(leaf) => leaf
                .column
                .as_ref()
                .map_or_else(String::new, |column| column.label.clone()),
            Op::Input(_, label) => label.to_string(),
            Op::Call(function, args) if function.is_operator() => match args.as_slice() {
                [left, right] => {
                    format!(
                        "({} {} {})",
                        left.describe(),
                        function.name,
                        right.describe()
                    )
                }
                [only] => format!("{}({})", function.name, only.describe()),
                _ => String::from(function.name),
            },
            Op::Call(function, args) => {
                let args: Vec<String> = args.iter().map(Self::describe).collect();
                format!("{}({})", function.name, args.join(","))
            }
            Op::Convert(node) => node.describe(),
            _ => String::from("expression"),
        }
    }
}

fn compared(
    (op, domain): (Comparison, Domain),
    left: &Node,
    right: &Node,
    row: &[Datum],
    env: &Env,
) -> Result<Datum, SqlError> {
    let mut held = env.memory.hold();
    let left = left.eval(row, env)?;
    held.add(&left)?;
    let right = right.eval(row, env)?;
    Ok(truth(compare::test(op, domain, &left, &right, env)?))
}

fn truth(value: Option<bool>) -> Datum {
    value.map_or(Datum::Null, Datum::truth)
}

/// Calls a function with the values of its arguments.
fn called(
    function: &Function,
    args: &[Node],
    node: &Node,
    row: &[Datum],
    env: &Env,
) -> Result<Datum, SqlError> {
    let mut values = Vec::with_capacity(args.len());
    let mut held = env.memory.hold();
    for arg in args {
        let copied = arg.as_const().map_or(0, memory::size);
        let _room = env.memory.room(copied)?;
        let value = arg.eval(row, env)?;
        if function.strict && value.is_null() {
            return Ok(Datum::Null);
        }
        if arg.as_const().is_none() {
            held.add(&value)?;
        }
        values.push(value);
    }
    let call = Call {
        args: &values,
        nodes: args,
        node,
        env,
    };
    let given = values.iter().map(memory::size).sum::<usize>();
    let _room = env.memory.room(given)?;
    match (function.eval)(&call)? {
        Datum::Text(bytes) if !call.fits(bytes.len()) => call.too_large(),
        Datum::Json(text) if !call.fits(text.len()) => call.too_large(),
        value => Ok(value),
    }
}

/// Whether a document is the number zero.
fn is_zero(document: &str) -> bool {
    let is_number = document.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    is_number && document.parse::<f64>().is_ok_and(|number| number == 0.0)
}

fn all(nodes: &[Node], row: &[Datum], env: &Env) -> Result<Datum, SqlError> {
    let mut unknown = false;
    for node in nodes {
        match node.truth(row, env)? {
            Some(false) => return Ok(Datum::Int(0)),
            None => unknown = true,
            Some(true) => {}
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Int(1) })
}

fn any(nodes: &[Node], row: &[Datum], env: &Env) -> Result<Datum, SqlError> {
    let mut unknown = false;
    for node in nodes {
        match node.truth(row, env)? {
            Some(true) => return Ok(Datum::Int(1)),
            None => unknown = true,
            Some(false) => {}
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Int(0) })
}

fn contains(
    value: &Datum,
    list: &[(Domain, Node)],
    row: &[Datum],
    env: &Env,
) -> Result<Datum, SqlError> {
    if value.is_null() {
        return Ok(Datum::Null);
    }
    let mut held = env.memory.hold();
    held.add(value)?;
    let mut unknown = false;
    for (domain, node) in list {
        let element = node.eval(row, env)?;
        match compare::test(Comparison::Equal, *domain, value, &element, env)? {
            Some(true) => return Ok(Datum::Int(1)),
            None => unknown = true,
            Some(false) => {}
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Int(0) })
}
