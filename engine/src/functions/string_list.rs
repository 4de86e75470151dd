//! Functions that choose among or look through several values.

use std::cmp::Ordering;

use crate::collation::compare::compare as compare_text;
use crate::expr::compare::{self, Domain};
use crate::expr::function::{Call, Function, Signature};
use crate::expr::node::Node;
use crate::expr::types::{Kind, Type};
use crate::value::datum::Datum;
use sql::error::SqlError;

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "concat_ws",
        min: 2,
        max: usize::MAX,
        strict: false,
        volatile: false,
        result: concat_ws_type,
        eval: concat_ws,
    },
    Function {
        name: "elt",
        min: 2,
        max: usize::MAX,
        strict: false,
        volatile: false,
        result: |s| Ok(s.text_of(1, longest(s, 1))?.with_null(true)),
        eval: elt,
    },
    Function {
        name: "field",
        min: 2,
        max: usize::MAX,
        strict: false,
        volatile: false,
        result: |_| Ok(Type::integer(3)),
        eval: field,
    },
    Function {
        name: "find_in_set",
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result: |s| Ok(Type::integer(3).with_null(s.any_null())),
        eval: find_in_set,
    },
    Function {
        name: "make_set",
        min: 2,
        max: usize::MAX,
        strict: false,
        volatile: false,
        result: |s| Ok(s.text_of(1, total(s, 1))?.with_null(s.ty(0).nullable)),
        eval: make_set,
    },
    Function {
        name: "interval",
        min: 2,
        max: usize::MAX,
        strict: false,
        volatile: false,
        result: |_| Ok(Type::integer(2)),
        eval: interval,
    },
    Function {
        name: "greatest",
        min: 2,
        max: usize::MAX,
        strict: true,
        volatile: false,
        result: extreme_type,
        eval: |c| extreme(c, Ordering::Greater),
    },
    Function {
        name: "least",
        min: 2,
        max: usize::MAX,
        strict: true,
        volatile: false,
        result: extreme_type,
        eval: |c| extreme(c, Ordering::Less),
    },
];

fn longest(signature: &Signature<'_>, from: usize) -> u64 {
    let lengths = signature
        .args
        .iter()
        .skip(from)
        .map(|node| node.ty.text_length());
    lengths.max().unwrap_or(0).into()
}

fn total(signature: &Signature<'_>, from: usize) -> u64 {
    signature
        .args
        .iter()
        .skip(from)
        .map(|node| u64::from(node.ty.text_length()) + 1)
        .sum()
}

fn concat_ws_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let separator = u64::from(signature.ty(0).text_length());
    let gaps = separator * u64::try_from(signature.args.len().saturating_sub(2)).unwrap_or(0);
    let lengths = signature
        .args
        .iter()
        .skip(1)
        .map(|node| u64::from(node.ty.text_length()));
    let ty = signature.text_of(0, lengths.sum::<u64>() + gaps)?;
    Ok(ty.with_null(signature.ty(0).nullable))
}

fn concat_ws(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.arg(0).is_null() {
        return Ok(Datum::Null);
    }
    let separator = call.bytes(0);
    let parts: Vec<_> = call
        .args
        .iter()
        .skip(1)
        .filter(|arg| !arg.is_null())
        .map(Datum::to_text)
        .collect();
    Ok(Datum::Text(parts.join(&*separator)))
}

fn elt(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.arg(0).is_null() {
        return Ok(Datum::Null);
    }
    let index = usize::try_from(call.int(0)?)
        .ok()
        .filter(|index| *index > 0);
    let chosen = index.map_or(&Datum::Null, |index| call.arg(index));
    Ok(if chosen.is_null() {
        Datum::Null
    } else {
        Datum::Text(chosen.to_text().into_owned())
    })
}

fn field(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.arg(0).is_null() {
        return Ok(Datum::Int(0));
    }
    let domain = common_domain(call.nodes, call);
    for (index, candidate) in call.args.iter().enumerate().skip(1) {
        if candidate.is_null() {
            continue;
        }
        if compare::order(domain, call.arg(0), candidate, call.env)? == Some(Ordering::Equal) {
            return Ok(Datum::Int(i64::try_from(index).unwrap_or(0)));
        }
    }
    Ok(Datum::Int(0))
}

/// Where all arguments meet: as texts, as exact numbers, or as doubles.
fn common_domain(nodes: &[Node], call: &Call<'_>) -> Domain {
    let all = |test: fn(Kind) -> bool| {
        nodes
            .iter()
            .all(|node| node.ty.kind == Kind::Null || test(node.ty.kind))
    };
    if all(Kind::is_integer) {
        Domain::Integer
    } else if all(|kind| kind.is_integer() || kind == Kind::Decimal) {
        Domain::Decimal
    } else if all(Kind::is_text) {
        Domain::Text(call.collation())
    } else {
        Domain::Double
    }
}

fn find_in_set(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (wanted, list) = (call.bytes(0), call.bytes(1));
    if list.is_empty() || wanted.contains(&b',') {
        return Ok(Datum::Int(0));
    }
    let collation = call.collation();
    let found = list
        .split(|byte| *byte == b',')
        .position(|element| compare_text(collation, element, &wanted).is_eq());
    Ok(Datum::Int(
        found.and_then(|at| i64::try_from(at + 1).ok()).unwrap_or(0),
    ))
}

fn make_set(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.arg(0).is_null() {
        return Ok(Datum::Null);
    }
    let mask = call.integer(0)?.bits();
    let chosen = call.args.iter().skip(1).enumerate().take(64);
    let parts: Vec<_> = chosen
        .filter(|(bit, arg)| mask & (1 << bit) != 0 && !arg.is_null())
        .map(|(_, arg)| arg.to_text())
        .collect();
    Ok(Datum::Text(parts.join(&b","[..])))
}

fn extreme_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let nodes: Vec<&Node> = signature.args.iter().collect();
    Type::union(&nodes, signature.env, signature.name)
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<Datum, SqlError> {
    let kind = call.node.ty.kind;
    let domain = match kind {
        Kind::Integer => Domain::Integer,
        Kind::Decimal => Domain::Decimal,
        Kind::Text => Domain::Text(call.node.ty.collation),
        kind if kind.is_date() => Domain::Moment,
        Kind::Time => Domain::Span,
        Kind::Json => Domain::Json,
        _ => Domain::Double,
    };
    let mut best = call.arg(0);
    for candidate in call.args.iter().skip(1) {
        if compare::order(domain, candidate, best, call.env)? == Some(wanted) {
            best = candidate;
        }
    }
    crate::expr::convert::convert(best.clone(), &call.node.ty, call.env)
}

/// How many of the ascending limits the value reaches; -1 for NULL.
fn interval(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.arg(0).is_null() {
        return Ok(Datum::Int(-1));
    }
    let value = call.f64(0)?;
    let mut reached = 0;
    for index in 1..call.count() {
        if !call.arg(index).is_null() && call.f64(index)? > value {
            break;
        }
        reached += 1;
    }
    Ok(Datum::Int(reached))
}
