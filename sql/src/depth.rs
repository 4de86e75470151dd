//! Limits of size and nesting: what a statement may cost those who read it and walk its tree.
//!
//! Chains of AND and OR come out balanced, so that they may be long; everything else nests at most
//! `access::DEPTH_MAX` deep, chains of operators included. Parsing runs on a stack that holds what
//! a text within these limits can need, and that drops a tree which is refused.
// Differs from MySQL: its limits are its thread_stack and parser_max_mem_size; these are fixed.

use sqlparser::ast as sp;

use crate::ast::{Query, Statement, Write};
use crate::error::SqlError;
use crate::lexer::{Kind, Token};

/// How many tokens a statement may have, those of literals in the rows of INSERT ... VALUES apart.
pub(crate) const TOKENS_MAX: usize = 250_000;

/// How many parentheses may be open: no tree is so deep, so none need be begun.
pub(crate) const PARENTHESES_MAX: usize = 1_000;

/// How many AND and OR a statement may have: each may be a level of the tree until it is balanced.
const CONNECTIVES_MAX: usize = 50_000;

/// How many queries UNION and its kin may join: SQLite takes 500.
const SET_OPERATIONS_MAX: usize = 499;

/// How many JOINs a statement may have: each may be a level of its own while its ON may yet follow.
const JOINS_MAX: usize = 1_000;

/// How many queries may stand inside of one another, as in MySQL (`MAX_SELECT_NESTING`).
const QUERIES_NESTED_MAX: usize = 63;

/// Statements of fewer tokens need no stack of their own.
const SMALL: usize = 200;

/// Stack for parsing and for dropping what was refused.
const PARSING_STACK: usize = 64 * 1024 * 1024;

/// Stack that walking a tree within the limits can need, with debug assertions too.
const WALKING_STACK: usize = 6 * 1024 * 1024;

/// Stack of a thread that runs statements: on a smaller one [`with_stack`] makes room each time.
pub const THREAD_STACK: usize = 16 * 1024 * 1024;

/// The error for a statement that is nested too deeply.
pub(crate) fn too_deep() -> SqlError {
    SqlError::new(
        1436,
        "HY000",
        "Thread stack overrun: the statement is nested too deeply",
    )
}

/// The error for a statement of too many tokens.
pub(crate) fn too_long() -> SqlError {
    SqlError::new(
        3170,
        "HY000",
        format!(
            "Memory capacity for the parser exceeded: a statement has at most {TOKENS_MAX} words"
        ),
    )
}

/// The error for queries inside of queries inside of queries.
fn too_many_levels() -> SqlError {
    SqlError::new(1473, "HY000", "Too high level of nesting for select")
}

/// Runs `walk` where a tree within the limits cannot overflow the stack.
pub fn with_stack<T>(walk: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(WALKING_STACK, THREAD_STACK, walk)
}

/// Runs `parse` where a text of so many tokens cannot overflow the stack.
pub(crate) fn with_parsing_stack<T>(tokens: usize, parse: impl FnOnce() -> T) -> T {
    if tokens < SMALL {
        with_stack(parse)
    } else {
        stacker::grow(PARSING_STACK, parse)
    }
}

/// Counts what could make the tree deep before there is one.
pub(crate) fn check_tokens(tokens: &[Token<'_>]) -> Result<(), SqlError> {
    check_queries(tokens)?;
    if tokens.len() < SMALL {
        return Ok(());
    }
    let mut connectives = 0;
    let mut set_operations = 0;
    let mut joins = 0;
    for token in tokens {
        match &token.kind {
            Kind::Word(word) => {
                let is = |known: &str| word.eq_ignore_ascii_case(known);
                connectives += usize::from(is("AND") || is("OR"));
                set_operations += usize::from(is("UNION") || is("EXCEPT") || is("INTERSECT"));
                joins += usize::from(is("JOIN") || is("STRAIGHT_JOIN"));
            }
            Kind::Symbol("&&" | "||") => connectives += 1,
            _ => {}
        }
    }
    if connectives > CONNECTIVES_MAX || set_operations > SET_OPERATIONS_MAX || joins > JOINS_MAX {
        return Err(too_deep());
    }
    Ok(())
}

/// Counts the parentheses that begin with a query.
fn check_queries(tokens: &[Token<'_>]) -> Result<(), SqlError> {
    let mut open: Vec<bool> = Vec::new();
    let mut queries = 0;
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Symbol("(") => {
                let next = tokens.get(at + 1).map(|token| &token.kind);
                let is_query = matches!(next, Some(Kind::Word(word))
                    if word.eq_ignore_ascii_case("SELECT") || word.eq_ignore_ascii_case("WITH"));
                queries += usize::from(is_query);
                open.push(is_query);
                if queries > QUERIES_NESTED_MAX {
                    return Err(too_many_levels());
                }
            }
            Kind::Symbol(")") => queries -= usize::from(open.pop().unwrap_or(false)),
            _ => {}
        }
    }
    Ok(())
}

/// Balances the chains of AND and OR of a statement that reads or changes rows.
pub(crate) fn balance(statement: &mut Statement) {
    match statement {
        Statement::Query(Query::Select(query)) => in_query(query),
        Statement::Query(Query::Do(expressions)) => {
            expressions
                .iter_mut()
                .for_each(|one| in_expr(&mut one.expr));
        }
        Statement::Query(Query::Explain { statement, .. }) => balance(statement),
        Statement::Write(Write::Insert(insert) | Write::Replace(insert)) => {
            if let Some(rows) = &mut insert.rows {
                rows.expressions_mut().iter_mut().for_each(in_expr);
            }
            if let Some(source) = &mut insert.insert.source {
                in_query(source);
            }
            in_assignments(&mut insert.insert.assignments);
        }
        Statement::Write(Write::Update(update)) => {
            in_tables(std::slice::from_mut(&mut update.update.table));
            in_assignments(&mut update.update.assignments);
            in_option(update.update.selection.as_mut());
        }
        Statement::Write(Write::Delete(delete)) => in_option(delete.delete.selection.as_mut()),
        // Chains elsewhere keep their form, and the limit of what is not balanced.
        Statement::Query(Query::Show(_) | Query::Describe { .. })
        | Statement::Empty
        | Statement::Write(Write::Binlog(_))
        | Statement::Ddl(_)
        | Statement::Transaction(_)
        | Statement::Account(_)
        | Statement::Replication(_)
        | Statement::Admin(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. } => {}
    }
}

fn in_option(expr: Option<&mut sp::Expr>) {
    if let Some(expr) = expr {
        in_expr(expr);
    }
}

fn in_assignments(assignments: &mut [sp::Assignment]) {
    assignments
        .iter_mut()
        .for_each(|one| in_expr(&mut one.value));
}

fn in_query(query: &mut sp::Query) {
    if let Some(with) = &mut query.with {
        with.cte_tables
            .iter_mut()
            .for_each(|cte| in_query(&mut cte.query));
    }
    in_body(&mut query.body);
    if let Some(sp::OrderBy {
        kind: sp::OrderByKind::Expressions(parts),
        ..
    }) = &mut query.order_by
    {
        parts.iter_mut().for_each(|part| in_expr(&mut part.expr));
    }
}

fn in_body(body: &mut sp::SetExpr) {
    match body {
        sp::SetExpr::Select(select) => in_select(select),
        sp::SetExpr::Query(query) => in_query(query),
        sp::SetExpr::SetOperation { left, right, .. } => {
            in_body(left);
            in_body(right);
        }
        sp::SetExpr::Values(values) => {
            let rows = values.rows.iter_mut();
            rows.flat_map(|row| &mut row.content).for_each(in_expr);
        }
        sp::SetExpr::Insert(_)
        | sp::SetExpr::Update(_)
        | sp::SetExpr::Delete(_)
        | sp::SetExpr::Merge(_)
        | sp::SetExpr::Table(_) => {}
    }
}

fn in_select(select: &mut sp::Select) {
    for item in &mut select.projection {
        if let sp::SelectItem::UnnamedExpr(expr) | sp::SelectItem::ExprWithAlias { expr, .. } = item
        {
            in_expr(expr);
        }
    }
    in_tables(&mut select.from);
    in_option(select.selection.as_mut());
    if let sp::GroupByExpr::Expressions(exprs, _) = &mut select.group_by {
        exprs.iter_mut().for_each(in_expr);
    }
    in_option(select.having.as_mut());
}

fn in_tables(tables: &mut [sp::TableWithJoins]) {
    for table in tables {
        in_factor(&mut table.relation);
        for join in &mut table.joins {
            in_factor(&mut join.relation);
            if let sp::JoinOperator::Join(sp::JoinConstraint::On(expr))
            | sp::JoinOperator::Inner(sp::JoinConstraint::On(expr))
            | sp::JoinOperator::Left(sp::JoinConstraint::On(expr))
            | sp::JoinOperator::LeftOuter(sp::JoinConstraint::On(expr))
            | sp::JoinOperator::Right(sp::JoinConstraint::On(expr))
            | sp::JoinOperator::RightOuter(sp::JoinConstraint::On(expr)) =
                &mut join.join_operator
            {
                in_expr(expr);
            }
        }
    }
}

fn in_factor(factor: &mut sp::TableFactor) {
    match factor {
        sp::TableFactor::Derived { subquery, .. } => in_query(subquery),
        sp::TableFactor::NestedJoin {
            table_with_joins, ..
        } => in_tables(std::slice::from_mut(table_with_joins)),
        _ => {}
    }
}

fn in_expr(expr: &mut sp::Expr) {
    use sp::Expr as E;
    match expr {
        E::BinaryOp {
            op: sp::BinaryOperator::And | sp::BinaryOperator::Or,
            ..
        } => balance_chain(expr),
        E::BinaryOp { left, right, .. } => {
            in_expr(left);
            in_expr(right);
        }
        E::Nested(inner)
        | E::UnaryOp { expr: inner, .. }
        | E::IsNull(inner)
        | E::IsNotNull(inner)
        | E::IsTrue(inner)
        | E::IsNotTrue(inner)
        | E::IsFalse(inner)
        | E::IsNotFalse(inner)
        | E::Cast { expr: inner, .. } => in_expr(inner),
        E::Exists { subquery, .. } | E::Subquery(subquery) => in_query(subquery),
        E::InSubquery { expr, subquery, .. } => {
            in_expr(expr);
            in_query(subquery);
        }
        E::InList { expr, list, .. } => {
            in_expr(expr);
            list.iter_mut().for_each(in_expr);
        }
        E::Tuple(list) => list.iter_mut().for_each(in_expr),
        E::Case {
            operand,
            conditions,
            else_result,
            ..
        } => {
            in_option(operand.as_deref_mut());
            for when in conditions {
                in_expr(&mut when.condition);
                in_expr(&mut when.result);
            }
            in_option(else_result.as_deref_mut());
        }
        E::Function(function) => {
            if let sp::FunctionArguments::List(list) = &mut function.args {
                for argument in &mut list.args {
                    if let sp::FunctionArg::Unnamed(sp::FunctionArgExpr::Expr(expr)) = argument {
                        in_expr(expr);
                    }
                }
            }
        }
        // No long chains are written inside of anything else.
        _ => {}
    }
}

/// Takes a chain of one operator apart and builds it anew, its operands in their order.
fn balance_chain(expr: &mut sp::Expr) {
    let nothing = || sp::Expr::Tuple(Vec::new());
    let sp::Expr::BinaryOp { op: chain, .. } = &*expr else {
        return;
    };
    let chain = chain.clone();
    let mut operands = Vec::new();
    let mut rest = std::mem::replace(expr, nothing());
    loop {
        match rest {
            sp::Expr::BinaryOp { left, op, right } if op == chain => {
                operands.push(*right);
                rest = *left;
            }
            first => {
                operands.push(first);
                break;
            }
        }
    }
    operands.reverse();
    operands.iter_mut().for_each(in_expr);
    while operands.len() > 1 {
        let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
        let mut operands_left = operands.into_iter();
        while let Some(left) = operands_left.next() {
            pairs.push(match operands_left.next() {
                Some(right) => sp::Expr::BinaryOp {
                    left: Box::new(left),
                    op: chain.clone(),
                    right: Box::new(right),
                },
                None => left,
            });
        }
        operands = pairs;
    }
    *expr = operands.pop().unwrap_or_else(nothing);
}
