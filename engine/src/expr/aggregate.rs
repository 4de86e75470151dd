//! Aggregates: what SQLite's own cannot do with MySQL's types.
//!
//! COUNT, MIN and MAX of ordinary types are left to SQLite, which counts and compares stored forms
//! natively; everything else arrives here row by row. DISTINCT is done here too, under the
//! collation of the arguments.

use std::cmp::Ordering;
use std::collections::HashSet;

use binlog::value::Decimal;

use super::compare::{self, Domain};
use super::env::Env;
use super::node::Node;
use super::types::{Kind, Type};
use crate::collation;
use crate::value::datum::Datum;
use crate::value::memory;
use sql::error::SqlError;

/// Bytes of a row that is held, apart from its texts.
const ROW: usize = 96;
/// How often what is held is copied before it is the result.
const COPIES: usize = 3;
/// Bytes of a key that is held, apart from its own.
const KEY: usize = 48;

/// What is computed over the rows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "SQL's own names")]
pub enum Aggregate {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    BitAnd,
    BitOr,
    BitXor,
    /// STDDEV_POP or VAR_POP (`sample` false), STDDEV_SAMP or VAR_SAMP.
    Variance {
        sample: bool,
        root: bool,
    },
    GroupConcat,
    JsonArray,
    JsonObject,
    AnyValue,
}

/// One aggregate of a statement.
#[derive(Debug, Clone)]
pub struct Specification {
    /// What.
    pub aggregate: Aggregate,
    /// DISTINCT.
    pub distinct: bool,
    /// Types of the arguments; order keys of GROUP_CONCAT behind them.
    pub inputs: Vec<Type>,
    /// How many of the inputs are arguments.
    pub arguments: usize,
    /// For each order key whether it descends, and the domain it is ordered in.
    pub order: Vec<(bool, Domain)>,
    /// SEPARATOR of GROUP_CONCAT.
    pub separator: Vec<u8>,
    /// The type of the result.
    pub ty: Type,
}

/// The state of an aggregate within a group.
#[derive(Debug, Default)]
pub struct Accumulator {
    seen: HashSet<Vec<u8>>,
    count: u64,
    whole: i128,
    exact: Option<Decimal>,
    double: f64,
    square: f64,
    bits: Option<u64>,
    best: Option<Datum>,
    rows: Vec<Vec<Datum>>,
    /// Bytes of what is held here.
    held: usize,
}

impl Accumulator {
    /// Takes one row.
    pub fn step(
        &mut self,
        spec: &Specification,
        row: Vec<Datum>,
        env: &Env,
    ) -> Result<(), SqlError> {
        let arguments = row.get(..spec.arguments).unwrap_or_default();
        let keeps_null = matches!(
            spec.aggregate,
            Aggregate::JsonArray | Aggregate::JsonObject | Aggregate::AnyValue
        );
        if !keeps_null && arguments.iter().any(Datum::is_null) {
            return Ok(());
        }
        if spec.distinct && !self.see(key_of(arguments, &spec.inputs), env)? {
            return Ok(());
        }
        let Some(first) = row.first() else {
            self.count += 1;
            return Ok(());
        };
        match spec.aggregate {
            Aggregate::Count => {}
            Aggregate::Sum | Aggregate::Avg => self.add(first, &spec.ty, env)?,
            Aggregate::Min => self.keep(first, Ordering::Less, spec, env)?,
            Aggregate::Max => self.keep(first, Ordering::Greater, spec, env)?,
            Aggregate::BitAnd | Aggregate::BitOr | Aggregate::BitXor => {
                let value = env.checked(first.to_integer(), first)?.bits();
                self.bits = Some(match (self.bits, spec.aggregate) {
                    (None, _) => value,
                    (Some(bits), Aggregate::BitAnd) => bits & value,
                    (Some(bits), Aggregate::BitOr) => bits | value,
                    (Some(bits), _) => bits ^ value,
                });
            }
            Aggregate::Variance { .. } => {
                // Welford's recurrence, as MySQL's.
                let value = env.checked(first.to_f64(), first)?;
                let before = self.double;
                let count = (self.count + 1) as f64;
                self.double += (value - before) / count;
                self.square += (value - before) * (value - self.double);
            }
            Aggregate::AnyValue if self.best.is_none() => self.best = Some(first.clone()),
            Aggregate::AnyValue => {}
            Aggregate::GroupConcat | Aggregate::JsonArray | Aggregate::JsonObject => {
                self.count += 1;
                return self.hold_row(row, spec, env);
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Whether a key is new.
    fn see(&mut self, key: Vec<u8>, env: &Env) -> Result<bool, SqlError> {
        let bytes = key.len().saturating_add(KEY);
        let is_new = self.seen.insert(key);
        if is_new {
            self.hold(bytes, env)?;
        }
        Ok(is_new)
    }

    /// Holds a row until the end of the group; one that GROUP_CONCAT will not come to is let go.
    fn hold_row(
        &mut self,
        row: Vec<Datum>,
        spec: &Specification,
        env: &Env,
    ) -> Result<(), SqlError> {
        let is_cut = spec.aggregate == Aggregate::GroupConcat
            && spec.order.is_empty()
            && self.held
                > env
                    .group_concat_max_len
                    .saturating_add(self.rows.len() * ROW);
        if is_cut {
            return Ok(());
        }
        let texts = row.iter().map(memory::size).sum::<usize>();
        self.rows.push(row);
        self.hold(texts.saturating_add(ROW), env)
    }

    fn hold(&mut self, bytes: usize, env: &Env) -> Result<(), SqlError> {
        self.held = self.held.saturating_add(bytes);
        env.memory.keep(bytes.saturating_mul(COPIES), 0)?;
        match self.held > memory::GROUP_MAX {
            true => Err(memory::exceeded(
                memory::GROUP_MAX,
                "an aggregate",
                "Aggregate fewer rows or shorter values.",
            )),
            false => Ok(()),
        }
    }

    fn add(&mut self, value: &Datum, ty: &Type, env: &Env) -> Result<(), SqlError> {
        if ty.kind == Kind::Double {
            self.double += env.checked(value.to_f64(), value)?;
            return Ok(());
        }
        if let Datum::Int(_) | Datum::UInt(_) = value
            && let Some(sum) = self.whole.checked_add(value.to_integer().value.wide())
        {
            self.whole = sum;
            return Ok(());
        }
        let value = value.to_decimal().value;
        let sum = self.exact.map_or(Some(value), |sum| sum.add(value));
        self.exact = Some(sum.ok_or_else(|| SqlError::data_out_of_range("DECIMAL", "sum"))?);
        Ok(())
    }

    fn keep(
        &mut self,
        value: &Datum,
        wanted: Ordering,
        spec: &Specification,
        env: &Env,
    ) -> Result<(), SqlError> {
        let domain = match spec.inputs.first() {
            Some(ty) if ty.kind == Kind::Json => Domain::Json,
            Some(ty) => Domain::Text(ty.collation),
            None => return Ok(()),
        };
        let better = match &self.best {
            None => true,
            Some(best) => compare::order(domain, value, best, env)? == Some(wanted),
        };
        if better {
            self.best = Some(match domain {
                Domain::Json => value.clone(),
                _ => Datum::Text(value.to_text().into_owned()),
            });
        }
        Ok(())
    }

    fn sum(&self) -> Decimal {
        let whole: Decimal = self.whole.to_string().parse().unwrap_or(Decimal::ZERO);
        self.exact
            .map_or(whole, |exact| exact.add(whole).unwrap_or(exact))
    }

    /// The value for the group.
    pub fn finish(mut self, spec: &Specification, env: &Env) -> Result<Datum, SqlError> {
        let empty = self.count == 0;
        let result = self.value(spec, env, empty);
        // Less is never too much.
        let _ = env.memory.keep(0, self.held.saturating_mul(COPIES));
        result
    }

    fn value(&mut self, spec: &Specification, env: &Env, empty: bool) -> Result<Datum, SqlError> {
        Ok(match spec.aggregate {
            Aggregate::Count => Datum::Int(i64::try_from(self.count).unwrap_or(i64::MAX)),
            Aggregate::BitAnd => Datum::UInt(self.bits.unwrap_or(u64::MAX)),
            Aggregate::BitOr | Aggregate::BitXor => Datum::UInt(self.bits.unwrap_or(0)),
            Aggregate::Min | Aggregate::Max | Aggregate::AnyValue => {
                Datum::from_option(self.best.take())
            }
            _ if empty => Datum::Null,
            Aggregate::Sum if spec.ty.kind == Kind::Double => Datum::Double(self.double),
            Aggregate::Sum => Datum::Decimal(self.sum()),
            Aggregate::Avg if spec.ty.kind == Kind::Double => {
                Datum::Double(self.double / self.count as f64)
            }
            Aggregate::Avg => {
                let sum = self.sum();
                let increment = spec.ty.decimals.saturating_sub(sum.scale());
                sum.div(Decimal::from(self.count), increment)
                    .map_or(Datum::Null, Datum::Decimal)
            }
            Aggregate::Variance { sample, root } => {
                let divisor = if sample { self.count - 1 } else { self.count };
                if divisor == 0 {
                    return Ok(Datum::Null);
                }
                let variance = self.square / divisor as f64;
                Datum::Double(if root { variance.sqrt() } else { variance })
            }
            Aggregate::GroupConcat => {
                self.sort(spec, env)?;
                self.concatenate(spec, env)
            }
            Aggregate::JsonArray => {
                crate::functions::json::array(self.rows.iter().filter_map(|row| row.first()))?
            }
            Aggregate::JsonObject => crate::functions::json::object(self.rows.concat().chunks(2))?,
        })
    }

    fn sort(&mut self, spec: &Specification, env: &Env) -> Result<(), SqlError> {
        let mut failure = None;
        self.rows.sort_by(|a, b| {
            for (index, (descending, domain)) in spec.order.iter().enumerate() {
                let slot = spec.arguments + index;
                let (x, y) = (
                    a.get(slot).unwrap_or(&Datum::Null),
                    b.get(slot).unwrap_or(&Datum::Null),
                );
                let ordering = match (x.is_null(), y.is_null()) {
                    (true, true) => Ordering::Equal,
                    (true, false) => Ordering::Less,
                    (false, true) => Ordering::Greater,
                    _ => compare::order(*domain, x, y, env)
                        .unwrap_or_else(|error| {
                            failure = Some(error);
                            None
                        })
                        .unwrap_or(Ordering::Equal),
                };
                if ordering.is_ne() {
                    return if *descending {
                        ordering.reverse()
                    } else {
                        ordering
                    };
                }
            }
            Ordering::Equal
        });
        failure.map_or(Ok(()), Err)
    }

    fn concatenate(&self, spec: &Specification, env: &Env) -> Datum {
        let mut out: Vec<u8> = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(&spec.separator);
            }
            for value in row.get(..spec.arguments).unwrap_or_default() {
                out.extend_from_slice(&value.to_text());
            }
            if out.len() > env.group_concat_max_len {
                out.truncate(env.group_concat_max_len);
                while !spec.ty.is_binary() && std::str::from_utf8(&out).is_err() && !out.is_empty()
                {
                    out.pop();
                }
                let message = format!("Row {} was cut by GROUP_CONCAT()", index + 1);
                env.warn(SqlError::new(1260, "HY000", message));
                break;
            }
        }
        Datum::Text(out)
    }
}

/// Bytes that are equal exactly when the values are, each under its type's collation.
pub fn key_of(values: &[Datum], types: &[Type]) -> Vec<u8> {
    let mut key = Vec::new();
    for (value, ty) in values.iter().zip(types) {
        let part = match value {
            Datum::Null => {
                key.push(0);
                continue;
            }
            Datum::Text(_) | Datum::Enum(..) | Datum::Set(..) => {
                collation::compare::equality_key(ty.collation, &value.to_text())
            }
            Datum::Decimal(number) => {
                let text = number.to_string();
                let trimmed = if text.contains('.') {
                    text.trim_end_matches('0').trim_end_matches('.')
                } else {
                    text.as_str()
                };
                trimmed.as_bytes().to_vec()
            }
            other => other.to_text().into_owned(),
        };
        key.push(1);
        key.extend_from_slice(&part.len().to_le_bytes());
        key.extend_from_slice(&part);
    }
    key
}

/// The result type of an aggregate over its arguments.
pub fn result_type(aggregate: Aggregate, args: &[Node], env: &Env) -> Result<Type, SqlError> {
    let first = args.first().map_or_else(Type::null, |node| node.ty.clone());
    let exact = matches!(first.kind, Kind::Decimal) || first.kind.is_integer();
    let exact = exact || first.kind.is_temporal() || first.kind == Kind::Null;
    Ok(match aggregate {
        Aggregate::Count => Type::integer(21),
        Aggregate::Sum if exact => {
            let digits = first
                .integer_digits()
                .saturating_add(22)
                .saturating_add(first.scale());
            Type::decimal(digits.min(65), first.scale(), false).with_null(true)
        }
        Aggregate::Avg if exact => {
            let scale = (first.scale() + env.div_precision_increment).min(30);
            Type::decimal((first.integer_digits() + scale).min(65), scale, false).with_null(true)
        }
        Aggregate::Sum | Aggregate::Avg | Aggregate::Variance { .. } => {
            Type::double().with_null(true)
        }
        Aggregate::BitAnd | Aggregate::BitOr | Aggregate::BitXor => Type::unsigned(21),
        Aggregate::Min | Aggregate::Max | Aggregate::AnyValue => {
            if matches!(first.kind, Kind::Enum | Kind::Set) && aggregate != Aggregate::AnyValue {
                let text = Type::text(first.length, first.collation, first.coercibility);
                return Ok(text.with_null(true));
            }
            first.with_null(true)
        }
        Aggregate::GroupConcat => {
            let types: Vec<&Type> = args.iter().map(|node| &node.ty).collect();
            let (collation, coercibility) =
                super::collate::join(&types, env.collation, "group_concat")?;
            let length = u32::try_from(env.group_concat_max_len).unwrap_or(u32::MAX);
            let ty = Type::text(length, collation, coercibility).with_null(true);
            // MySQL announces more than 512 characters as a BLOB.
            Type {
                wire: (length > 512).then_some(251),
                ..ty
            }
        }
        Aggregate::JsonArray | Aggregate::JsonObject => Type::json().with_null(true),
    })
}
