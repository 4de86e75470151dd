//! What MySQL refuses of a column's expression once its columns are known: constants that the column
//! beside them cannot be compared or joined with.
//!
//! Only definitions are judged so. Rows are computed from whatever definition there is.

use super::collate;
use super::env::Env;
use super::node::{Node, Op};
use super::types::{Kind, Type};
use crate::ddl::convertible;
use crate::value::datum::Datum;
use crate::value::temporal::{Moment, Span};
use crate::value::temporal_text::parse_moment;
use sql::SqlMode;
use sql::error::SqlError;

/// Functions whose texts meet in one character set.
const JOINING: [&str; 19] = [
    "concat",
    "concat_ws",
    "elt",
    "field",
    "find_in_set",
    "greatest",
    "if",
    "ifnull",
    "insert",
    "instr",
    "least",
    "like",
    "locate",
    "lpad",
    "make_set",
    "nullif",
    "replace",
    "rpad",
    "strcmp",
];

/// Errors 1210, 1292 and 3854.
pub fn check(node: &Node, env: &Env) -> Result<(), SqlError> {
    let mut found = Ok(());
    node.walk(&mut |node| {
        if found.is_ok() {
            found = check_node(node, env);
        }
    });
    found
}

fn check_node(node: &Node, env: &Env) -> Result<(), SqlError> {
    match &node.op {
        Op::Compare(_, _, left, right) => {
            check_date(left, right, env)?;
            check_date(right, left, env)?;
            check_texts(&[left.as_ref(), right.as_ref()], env)
        }
        Op::In(value, list) => {
            for (_, element) in list {
                check_date(value, element, env)?;
                check_texts(&[value.as_ref(), element], env)?;
            }
            Ok(())
        }
        Op::Call(function, arguments) => {
            let escape = arguments.get(2).filter(|_| function.name == "like");
            if escape.is_some_and(|escape| escape.as_const().is_none()) {
                return Err(SqlError::wrong_arguments("ESCAPE"));
            }
            let joins = JOINING.contains(&function.name) || function.name.starts_with("regexp_");
            match joins {
                true => check_texts(&arguments.iter().collect::<Vec<_>>(), env),
                false => Ok(()),
            }
        }
        Op::Coalesce(nodes) => check_texts(&nodes.iter().collect::<Vec<_>>(), env),
        Op::Case(branches, otherwise) => {
            let values = branches.iter().map(|(_, value)| value);
            let values: Vec<_> = values.chain(otherwise.as_deref()).collect();
            check_texts(&values, env)
        }
        Op::Const(_)
        | Op::Leaf(_)
        | Op::Input(..)
        | Op::And(_)
        | Op::Or(_)
        | Op::Not(_)
        | Op::Xor(..)
        | Op::IsNull(_)
        | Op::IsTruth(..)
        | Op::Convert(_) => Ok(()),
    }
}

/// Error 3854 for a constant with characters that the joined character set has not.
fn check_texts(nodes: &[&Node], env: &Env) -> Result<(), SqlError> {
    let is_text = |node: &&&Node| matches!(node.ty.kind, Kind::Text | Kind::Enum | Kind::Set);
    let texts: Vec<&Node> = nodes.iter().filter(is_text).copied().collect();
    let types: Vec<&Type> = texts.iter().map(|node| &node.ty).collect();
    // Whether the collations meet at all was found out before.
    let Ok((joined, _)) = collate::join(&types, env.collation, "") else {
        return Ok(());
    };
    for text in texts {
        if let Some(value @ Datum::Text(_)) = text.as_const() {
            let from = text.ty.collation.charset;
            if from != joined.charset && !text.ty.collation.is_binary() {
                convertible(&value.to_str(), from, joined.charset)?;
            }
        }
    }
    Ok(())
}

/// Error 1292 for a constant that is no value of the date or time column beside it.
fn check_date(column: &Node, constant: &Node, env: &Env) -> Result<(), SqlError> {
    let kind = match column.ty.kind {
        Kind::Date => "date",
        Kind::DateTime | Kind::Timestamp => "datetime",
        Kind::Time => "time",
        Kind::Null
        | Kind::Integer
        | Kind::Decimal
        | Kind::Float
        | Kind::Double
        | Kind::Text
        | Kind::Year
        | Kind::Enum
        | Kind::Set
        | Kind::Bit
        | Kind::Json => return Ok(()),
    };
    let value = match constant.as_const() {
        Some(value) => value.clone(),
        // What needs no row is a constant to MySQL.
        None if !reads_row(constant) => constant.eval(&[], env)?,
        None => return Ok(()),
    };
    let text = value.to_str();
    let is_value = match &value {
        Datum::Text(_) if kind == "time" => matches!(Span::parse(&text), Some((_, false))),
        Datum::Text(_) => parse_moment(&text)
            .is_some_and(|parsed| !parsed.truncated && is_allowed(&parsed.moment, env)),
        Datum::Int(_) | Datum::UInt(_) if kind == "time" => value.to_span().is_some(),
        Datum::Int(_) | Datum::UInt(_) => value.to_moment(&env.now).is_some(),
        // MySQL keeps another constant in its place, rounded.
        Datum::Decimal(_) | Datum::Float(_) | Datum::Double(_)
            if kind == "time" && value.to_span().is_some() =>
        {
            return Err(SqlError::not_supported(
                "a number with a fraction beside a time in a column's expression",
            ));
        }
        // MySQL takes few of these, and which is not certain.
        Datum::Decimal(_) | Datum::Float(_) | Datum::Double(_) => false,
        Datum::Null
        | Datum::Bit(..)
        | Datum::Year(_)
        | Datum::Date(_)
        | Datum::DateTime(..)
        | Datum::Time(..)
        | Datum::Enum(..)
        | Datum::Set(..)
        | Datum::Json(_) => true,
    };
    if is_value {
        return Ok(());
    }
    let Some(field) = column.as_column() else {
        return Err(SqlError::truncated_wrong_value(kind, &text));
    };
    let name = field.label.rsplit('.').next().unwrap_or_default();
    Err(SqlError::wrong_temporal_value(
        kind,
        &text,
        name.trim_matches('`'),
        1,
    ))
}

/// Whether a value depends on the row that it is computed for.
fn reads_row(node: &Node) -> bool {
    let mut reads = false;
    node.walk(&mut |node| reads |= matches!(&node.op, Op::Leaf(_) | Op::Input(..)));
    reads
}

fn is_allowed(moment: &Moment, env: &Env) -> bool {
    let (month, day) = (moment.month, moment.day);
    match (moment.year, month, day) {
        (0, 0, 0) => !env.sql_mode.contains(SqlMode::NO_ZERO_DATE),
        (_, 0, _) | (_, _, 0) => !env.sql_mode.contains(SqlMode::NO_ZERO_IN_DATE),
        _ => true,
    }
}
