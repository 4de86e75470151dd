//! `+ - * / DIV %`, negation and the bit operators, with MySQL's result types and overflow errors.
//!
//! Spec: mysql-server 9.7, sql/item_func.cc, `Item_num_op` and below.

use binlog::value::Decimal;

use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::{Kind, Type};
use crate::value::datum::{Datum, narrow};
use sql::SqlMode;
use sql::error::SqlError;

const fn operator(
    name: &'static str,
    result: fn(&Signature<'_>) -> Result<Type, SqlError>,
    eval: fn(&Call<'_>) -> Result<Datum, SqlError>,
) -> Function {
    Function {
        name,
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result,
        eval,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    operator(
        "+",
        |s| additive(s, false),
        |c| compute(c, Decimal::add, i128::checked_add, |a, b| a + b),
    ),
    operator(
        "-",
        |s| additive(s, true),
        |c| compute(c, Decimal::sub, i128::checked_sub, |a, b| a - b),
    ),
    operator("*", product, |c| {
        compute(c, Decimal::mul, i128::checked_mul, |a, b| a * b)
    }),
    operator("/", quotient, divide),
    operator("DIV", whole_quotient, divide_whole),
    operator("%", remainder, modulo),
    Function {
        name: "neg",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: negated,
        eval: negate,
    },
    operator("&", bits, |c| bitwise(c, |a, b| a & b)),
    operator("|", bits, |c| bitwise(c, |a, b| a | b)),
    operator("^", bits, |c| bitwise(c, |a, b| a ^ b)),
    operator("<<", bits, |c| {
        bitwise(c, |a, b| {
            shift(b).and_then(|by| a.checked_shl(by)).unwrap_or(0)
        })
    }),
    operator(">>", bits, |c| {
        bitwise(c, |a, b| {
            shift(b).and_then(|by| a.checked_shr(by)).unwrap_or(0)
        })
    }),
    Function {
        name: "~",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: bits,
        eval: |c| Ok(Datum::UInt(!c.integer(0)?.bits())),
    },
    Function {
        name: "bit_count",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: |s| Ok(Type::integer(2).with_null(s.any_null())),
        eval: |c| Ok(Datum::Int(i64::from(c.integer(0)?.bits().count_ones()))),
    },
];

fn shift(by: u64) -> Option<u32> {
    u32::try_from(by).ok()
}

/// The class in which two operands are computed: doubles, decimals or integers.
fn class(signature: &Signature<'_>) -> Kind {
    let one = |ty: &Type| match ty.kind {
        kind if kind.is_integer() => Kind::Integer,
        Kind::Decimal => Kind::Decimal,
        Kind::Date | Kind::DateTime | Kind::Timestamp | Kind::Time if ty.decimals == 0 => {
            Kind::Integer
        }
        Kind::DateTime | Kind::Timestamp | Kind::Time => Kind::Decimal,
        _ => Kind::Double,
    };
    let (a, b) = (one(&signature.ty(0)), one(&signature.ty(1)));
    match (a, b) {
        (Kind::Double, _) | (_, Kind::Double) => Kind::Double,
        (Kind::Decimal, _) | (_, Kind::Decimal) => Kind::Decimal,
        _ => Kind::Integer,
    }
}

fn additive(signature: &Signature<'_>, subtract: bool) -> Result<Type, SqlError> {
    let (a, b) = (signature.ty(0), signature.ty(1));
    let ty = match class(signature) {
        Kind::Integer => {
            let signed_difference = subtract
                && signature
                    .env
                    .sql_mode
                    .contains(SqlMode::NO_UNSIGNED_SUBTRACTION);
            let length = (a.length.max(b.length) + 1).min(21);
            Type {
                unsigned: (a.unsigned || b.unsigned) && !signed_difference,
                ..Type::integer(length)
            }
        }
        Kind::Decimal => {
            let scale = a.scale().max(b.scale());
            let whole = a.integer_digits().max(b.integer_digits()) + 1;
            Type::decimal(whole.saturating_add(scale).min(65), scale, false)
        }
        _ => Type::double(),
    };
    Ok(ty.with_null(signature.any_null()))
}

fn product(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let (a, b) = (signature.ty(0), signature.ty(1));
    let ty = match class(signature) {
        Kind::Integer => Type {
            unsigned: a.unsigned || b.unsigned,
            ..Type::integer((a.length + b.length).min(21))
        },
        Kind::Decimal => {
            let scale = (a.scale() + b.scale()).min(Decimal::SCALE_MAX);
            let digits = a
                .integer_digits()
                .saturating_add(b.integer_digits())
                .saturating_add(scale);
            Type::decimal(digits.min(65), scale, false)
        }
        _ => Type::double(),
    };
    Ok(ty.with_null(signature.any_null()))
}

fn quotient(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let (a, b) = (signature.ty(0), signature.ty(1));
    let ty = match class(signature) {
        Kind::Double => Type::double(),
        _ => {
            let scale = (a.scale() + signature.env.div_precision_increment).min(Decimal::SCALE_MAX);
            let digits = a
                .integer_digits()
                .saturating_add(b.scale())
                .saturating_add(scale);
            Type::decimal(digits.min(65), scale, false)
        }
    };
    Ok(ty.with_null(true))
}

fn whole_quotient(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let (a, b) = (signature.ty(0), signature.ty(1));
    Ok(Type {
        unsigned: a.unsigned || b.unsigned,
        ..Type::integer(a.length.min(21))
    }
    .with_null(true))
}

fn remainder(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let (a, b) = (signature.ty(0), signature.ty(1));
    let ty = match class(signature) {
        Kind::Integer => Type {
            unsigned: a.unsigned,
            ..Type::integer(a.length.max(b.length))
        },
        Kind::Decimal => {
            let scale = a.scale().max(b.scale());
            let whole = a.integer_digits().max(b.integer_digits());
            Type::decimal(whole.saturating_add(scale).min(65), scale, false)
        }
        _ => Type::double(),
    };
    Ok(ty.with_null(true))
}

fn negated(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let a = signature.ty(0);
    let too_large = signature
        .constant(0)
        .is_some_and(|value| i64::try_from(-value.to_integer().value.wide()).is_err());
    let ty = match a.kind {
        kind if kind.is_integer() && too_large => Type::decimal(20, 0, false),
        kind if kind.is_integer() => Type::integer(a.length + 1),
        Kind::Decimal => Type::decimal(a.precision, a.decimals, false),
        _ => Type::double(),
    };
    Ok(ty.with_null(signature.any_null()))
}

fn bits(signature: &Signature<'_>) -> Result<Type, SqlError> {
    Ok(Type::unsigned(21).with_null(signature.any_null()))
}

/// Error 1690 for a result that the class does not hold.
fn out_of_range(call: &Call<'_>) -> SqlError {
    let kind = match (call.node.ty.kind, call.node.ty.unsigned) {
        (Kind::Integer, true) => "BIGINT UNSIGNED",
        (Kind::Integer, false) => "BIGINT",
        (Kind::Decimal, _) => "DECIMAL",
        _ => "DOUBLE",
    };
    SqlError::data_out_of_range(kind, call.node.describe())
}

fn integer(call: &Call<'_>, value: Option<i128>) -> Result<Datum, SqlError> {
    let value = value.ok_or_else(|| out_of_range(call))?;
    if call.node.ty.unsigned {
        u64::try_from(value)
            .map(Datum::UInt)
            .map_err(|_| out_of_range(call))
    } else {
        i64::try_from(value)
            .map(Datum::Int)
            .map_err(|_| out_of_range(call))
    }
}

fn double(call: &Call<'_>, value: f64) -> Result<Datum, SqlError> {
    if value.is_finite() {
        Ok(Datum::Double(value))
    } else {
        Err(out_of_range(call))
    }
}

fn compute(
    call: &Call<'_>,
    exact: fn(Decimal, Decimal) -> Option<Decimal>,
    whole: fn(i128, i128) -> Option<i128>,
    approximate: fn(f64, f64) -> f64,
) -> Result<Datum, SqlError> {
    match call.node.ty.kind {
        Kind::Integer => integer(
            call,
            whole(call.integer(0)?.wide(), call.integer(1)?.wide()),
        ),
        Kind::Decimal => {
            let value = exact(call.decimal(0)?, call.decimal(1)?);
            value.map(Datum::Decimal).ok_or_else(|| out_of_range(call))
        }
        _ => double(call, approximate(call.f64(0)?, call.f64(1)?)),
    }
}

fn divide(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.node.ty.kind == Kind::Decimal {
        let (a, b) = (call.decimal(0)?, call.decimal(1)?);
        if b.is_zero() {
            return call.env.divided_by_zero();
        }
        let scale = call.node.ty.decimals;
        let quotient = a.div(b, scale.saturating_sub(a.scale()));
        return quotient
            .map(Datum::Decimal)
            .ok_or_else(|| out_of_range(call));
    }
    let (a, b) = (call.f64(0)?, call.f64(1)?);
    if b == 0.0 {
        return call.env.divided_by_zero();
    }
    double(call, a / b)
}

fn divide_whole(call: &Call<'_>) -> Result<Datum, SqlError> {
    let whole = |kind: Kind| kind.is_integer() || kind == Kind::Null;
    if whole(call.kind(0)) && whole(call.kind(1)) {
        let (a, b) = (call.integer(0)?.wide(), call.integer(1)?.wide());
        return match b {
            0 => call.env.divided_by_zero(),
            _ => integer(call, a.checked_div(b)),
        };
    }
    let (a, b) = (call.decimal(0)?, call.decimal(1)?);
    if b.is_zero() {
        return call.env.divided_by_zero();
    }
    let quotient = a
        .sub(a.rem(b).unwrap_or(Decimal::ZERO))
        .and_then(|exact| exact.div(b, 0));
    let value = quotient
        .and_then(|quotient| quotient.truncate(0))
        .and_then(Decimal::to_i128);
    integer(call, value)
}

fn modulo(call: &Call<'_>) -> Result<Datum, SqlError> {
    match call.node.ty.kind {
        Kind::Integer => {
            let (a, b) = (call.integer(0)?.wide(), call.integer(1)?.wide());
            if b == 0 {
                call.env.divided_by_zero()
            } else {
                integer(call, a.checked_rem(b))
            }
        }
        Kind::Decimal => {
            let (a, b) = (call.decimal(0)?, call.decimal(1)?);
            if b.is_zero() {
                return call.env.divided_by_zero();
            }
            a.rem(b)
                .map(Datum::Decimal)
                .ok_or_else(|| out_of_range(call))
        }
        _ => {
            let (a, b) = (call.f64(0)?, call.f64(1)?);
            if b == 0.0 {
                call.env.divided_by_zero()
            } else {
                double(call, a % b)
            }
        }
    }
}

fn negate(call: &Call<'_>) -> Result<Datum, SqlError> {
    match call.node.ty.kind {
        Kind::Integer => integer(call, Some(-call.integer(0)?.wide())),
        Kind::Decimal => Ok(Datum::Decimal(call.decimal(0)?.negate())),
        _ => Ok(Datum::Double(-call.f64(0)?)),
    }
}

fn bitwise(call: &Call<'_>, operate: fn(u64, u64) -> u64) -> Result<Datum, SqlError> {
    let bits = |index: usize| -> Result<u64, SqlError> {
        let value = call.arg(index);
        // Decimals and doubles are rounded to 64 bits first.
        Ok(match value {
            Datum::Decimal(number) => number
                .to_i128()
                .map_or(u64::MAX, |wide| narrow(wide).bits()),
            _ => call.integer(index)?.bits(),
        })
    };
    Ok(Datum::UInt(operate(bits(0)?, bits(1)?)))
}
