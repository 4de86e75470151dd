//! Intervals: DATE_ADD and its like, differences, EXTRACT.

use binlog::value::Decimal;

use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::{Kind, Type};
use crate::value::datum::{Datum, Integer};
use crate::value::temporal::{MICROS, Moment, Span};
use crate::value::temporal_text::parse_moment;
use sql::error::SqlError;

type Eval = fn(&Call<'_>) -> Result<Datum, SqlError>;
type Typing = fn(&Signature<'_>) -> Result<Type, SqlError>;

const fn strict(
    name: &'static str,
    min: usize,
    max: usize,
    result: Typing,
    eval: Eval,
) -> Function {
    Function {
        name,
        min,
        max,
        strict: true,
        volatile: false,
        result,
        eval,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    strict("date_add", 2, 3, add_type, |c| add(c, 1)),
    strict("date_sub", 2, 3, add_type, |c| add(c, -1)),
    strict("timestampadd", 3, 3, timestampadd_type, timestampadd),
    strict(
        "timestampdiff",
        3,
        3,
        |_| Ok(Type::integer(21).with_null(true)),
        timestampdiff,
    ),
    strict(
        "datediff",
        2,
        2,
        |_| Ok(Type::integer(7).with_null(true)),
        |c| {
            let (a, b) = (c.full_moment(0)?, c.full_moment(1)?);
            Ok(Datum::from_option(
                a.zip(b).map(|(a, b)| Datum::Int(a.days() - b.days())),
            ))
        },
    ),
    strict(
        "extract",
        2,
        2,
        |_| Ok(Type::integer(21).with_null(true)),
        extract,
    ),
    strict("addtime", 2, 2, time_sum_type, |c| add_time(c, 1)),
    strict("subtime", 2, 2, time_sum_type, |c| add_time(c, -1)),
    strict(
        "timediff",
        2,
        2,
        |s| Ok(Type::time(fsp_of(s, 0).max(fsp_of(s, 1))).with_null(true)),
        timediff,
    ),
    strict(
        "period_add",
        2,
        2,
        |_| Ok(Type::integer(6).with_null(true)),
        period_add,
    ),
    strict(
        "period_diff",
        2,
        2,
        |_| Ok(Type::integer(6).with_null(true)),
        period_diff,
    ),
];

/// Numbers wrap at 64 bits, as MySQL's do.
fn period_add(call: &Call<'_>) -> Result<Datum, SqlError> {
    let months = to_months(call, 0)?;
    let sum = months.wrapping_add(call.int(1)?.cast_unsigned());
    Ok(Datum::Int(from_months(sum).cast_signed()))
}

fn period_diff(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (first, second) = (to_months(call, 0)?, to_months(call, 1)?);
    Ok(Datum::Int(first.wrapping_sub(second).cast_signed()))
}

/// A year of two digits, in full.
const fn full_year(year: u64) -> u64 {
    match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    }
}

/// The months of a period (YYMM or YYYYMM). Error 1210 of what is none.
fn to_months(call: &Call<'_>, index: usize) -> Result<u64, SqlError> {
    let period = match call.integer(index)? {
        Integer::Signed(period) => u64::try_from(period).ok(),
        // MySQL reads a signed number.
        Integer::Unsigned(period) => i64::try_from(period).ok().map(i64::cast_unsigned),
    };
    let period = period.filter(|period| (1..=12).contains(&(period % 100)));
    let period = period.ok_or_else(|| SqlError::wrong_arguments(call.name()))?;
    Ok(full_year(period / 100) * 12 + period % 100 - 1)
}

const fn from_months(months: u64) -> u64 {
    match months {
        0 => 0,
        _ => full_year(months / 12)
            .wrapping_mul(100)
            .wrapping_add(months % 12 + 1),
    }
}

pub(super) fn fsp_of(signature: &Signature<'_>, index: usize) -> u8 {
    let ty = signature.ty(index);
    match ty.kind {
        kind if kind.is_temporal() => ty.decimals,
        Kind::Decimal => ty.decimals.min(6),
        Kind::Integer | Kind::Year => 0,
        _ => signature.constant(index).map_or(6, Datum::fsp),
    }
}

/// What a unit counts: months, or microseconds, and whether it is finer than a day.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unit {
    months: i64,
    micros: i64,
}

fn simple(unit: &str) -> Option<Unit> {
    let months = |months| Some(Unit { months, micros: 0 });
    let micros = |micros| Some(Unit { months: 0, micros });
    match unit {
        "YEAR" | "SQL_TSI_YEAR" => months(12),
        "QUARTER" | "SQL_TSI_QUARTER" => months(3),
        "MONTH" | "SQL_TSI_MONTH" => months(1),
        "WEEK" | "SQL_TSI_WEEK" => micros(7 * 86_400 * MICROS),
        "DAY" | "SQL_TSI_DAY" => micros(86_400 * MICROS),
        "HOUR" | "SQL_TSI_HOUR" => micros(3600 * MICROS),
        "MINUTE" | "SQL_TSI_MINUTE" => micros(60 * MICROS),
        "SECOND" | "SQL_TSI_SECOND" => micros(MICROS),
        "MICROSECOND" => micros(1),
        _ => None,
    }
}

/// The parts of a composite unit, coarsest first.
fn composite(unit: &str) -> Option<&'static [&'static str]> {
    const ALL: [&str; 5] = ["DAY", "HOUR", "MINUTE", "SECOND", "MICROSECOND"];
    if unit == "YEAR_MONTH" {
        return Some(&["YEAR", "MONTH"]);
    }
    let (first, last) = unit.split_once('_')?;
    let from = ALL.iter().position(|name| *name == first)?;
    let to = ALL.iter().position(|name| *name == last)?;
    static PARTS: [&str; 5] = ["DAY", "HOUR", "MINUTE", "SECOND", "MICROSECOND"];
    PARTS.get(from..=to).filter(|parts| parts.len() > 1)
}

fn unit_text(call: &Call<'_>, index: usize) -> String {
    if call.count() > index {
        call.text(index).to_ascii_uppercase()
    } else {
        String::from("DAY")
    }
}

/// The months and microseconds of an interval; `None` for an unknown unit.
fn interval(value: &Datum, unit: &str, call: &Call<'_>) -> Result<Option<(i64, i64)>, SqlError> {
    if let Some(Unit { months, micros }) = simple(unit) {
        let value = &*call.number(1);
        if unit == "SECOND" && !matches!(value, Datum::Int(_) | Datum::UInt(_)) {
            let seconds = call.env.checked(value.to_decimal(), value)?;
            let micros = seconds
                .mul(Decimal::from(MICROS))
                .and_then(Decimal::to_i128);
            return Ok(micros
                .and_then(|micros| i64::try_from(micros).ok())
                .map(|micros| (0, micros)));
        }
        let count = match value {
            // MySQL reads a signed number.
            Datum::UInt(count) => count.cast_signed(),
            _ => call.env.checked(value.to_integer(), value)?.saturate(),
        };
        return Ok(count.checked_mul(months).zip(count.checked_mul(micros)));
    }
    let Some(parts) = composite(unit) else {
        return Ok(None);
    };
    let text = value.to_str();
    let negative = text.trim_start().starts_with('-');
    let runs: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .collect();
    // Fewer numbers than parts: the coarsest are missing.
    let skip = parts.len().saturating_sub(runs.len());
    let (mut months, mut micros) = (0i64, 0i64);
    for (part, run) in parts.iter().skip(skip).zip(&runs) {
        let Some(unit) = simple(part) else { continue };
        let number: i64 = if *part == "MICROSECOND" && runs.len() == parts.len() {
            format!("{run:0<6}")
                .get(..6)
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0)
        } else {
            run.parse().unwrap_or(0)
        };
        months = months.saturating_add(number.saturating_mul(unit.months));
        micros = micros.saturating_add(number.saturating_mul(unit.micros));
    }
    let sign = if negative { -1 } else { 1 };
    Ok(Some((
        months.saturating_mul(sign),
        micros.saturating_mul(sign),
    )))
}

fn is_fine(unit: &str) -> bool {
    simple(unit).is_some_and(|unit| unit.micros > 0 && unit.micros < 86_400 * MICROS)
        || composite(unit).is_some_and(|parts| parts.last() != Some(&"MONTH"))
}

fn add_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let unit = signature.constant(2).map_or_else(
        || String::from("DAY"),
        |unit| unit.to_str().to_ascii_uppercase(),
    );
    if simple(&unit).is_none() && composite(&unit).is_none() {
        return Err(SqlError::syntax_error());
    }
    let ty = signature.ty(0);
    let seconds_fsp = if unit.ends_with("MICROSECOND") {
        6
    } else if unit.ends_with("SECOND") {
        match signature.ty(1).kind {
            Kind::Integer => 0,
            Kind::Decimal => signature.ty(1).decimals.min(6),
            _ => signature.constant(1).map_or(6, Datum::fsp),
        }
    } else {
        0
    };
    let fsp = if ty.kind.is_temporal() {
        ty.decimals.max(seconds_fsp)
    } else {
        seconds_fsp
    };
    let ty = match ty.kind {
        Kind::Date if !is_fine(&unit) => Type::date(),
        Kind::Time if is_fine(&unit) && !unit.starts_with("DAY") => Type::time(fsp),
        kind if kind.is_temporal() => Type::datetime(fsp),
        _ => Type {
            wire: Some(254),
            ..signature.connection_text(29)
        },
    };
    Ok(ty.with_null(true))
}

fn overflow(call: &Call<'_>) -> Result<Datum, SqlError> {
    call.env
        .complain(SqlError::datetime_function_overflow("datetime"))?;
    Ok(Datum::Null)
}

fn shifted(moment: &Moment, months: i64, micros: i64) -> Option<Moment> {
    let moved = if months == 0 {
        *moment
    } else {
        moment.add_months(months)?
    };
    if micros == 0 {
        Some(moved)
    } else {
        moved.add_micros(micros)
    }
}

fn add(call: &Call<'_>, sign: i64) -> Result<Datum, SqlError> {
    let unit = unit_text(call, 2);
    let Some((months, micros)) = interval(call.arg(1), &unit, call)? else {
        return overflow(call);
    };
    let (months, micros) = (months.saturating_mul(sign), micros.saturating_mul(sign));
    let ty = &call.node.ty;
    if ty.kind == Kind::Time {
        let Some(span) = call.span(0)? else {
            return Ok(Datum::Null);
        };
        let sum = Span(span.0.saturating_add(micros));
        if sum.clamp() != sum {
            call.env
                .complain(SqlError::datetime_function_overflow("time"))?;
            return Ok(Datum::Null);
        }
        return Ok(Datum::Time(sum, ty.decimals));
    }
    let Some(moment) = call.full_moment(0)? else {
        return Ok(Datum::Null);
    };
    let Some(moved) = shifted(&moment, months, micros) else {
        return overflow(call);
    };
    Ok(match ty.kind {
        Kind::Date => Datum::Date(moved),
        Kind::DateTime => Datum::DateTime(moved, ty.decimals),
        _ => {
            let text = call.text(0);
            let timed = parse_moment(&text).is_some_and(|parsed| parsed.has_time);
            let digits = if moved.micros > 0 { 6 } else { 0 };
            if timed || is_fine(&unit) {
                Datum::text(moved.text(digits))
            } else {
                Datum::text(moved.date_text())
            }
        }
    })
}

fn timestampadd_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let unit = signature
        .constant(0)
        .map_or_else(String::new, |unit| unit.to_str().to_ascii_uppercase());
    if simple(&unit).is_none() {
        return Err(SqlError::syntax_error());
    }
    let ty = signature.ty(2);
    let fsp = if unit == "MICROSECOND" { 6 } else { 0 };
    Ok(match ty.kind {
        Kind::Date if !is_fine(&unit) => Type::date(),
        kind if kind.is_temporal() => Type::datetime(ty.decimals.max(fsp)),
        _ => signature.connection_text(29),
    }
    .with_null(true))
}

fn timestampadd(call: &Call<'_>) -> Result<Datum, SqlError> {
    let unit = unit_text(call, 0);
    let Some((months, micros)) = interval(call.arg(1), &unit, call)? else {
        return overflow(call);
    };
    let Some(moment) = call.full_moment(2)? else {
        return Ok(Datum::Null);
    };
    let Some(moved) = shifted(&moment, months, micros) else {
        return overflow(call);
    };
    Ok(match call.node.ty.kind {
        Kind::Date => Datum::Date(moved),
        Kind::DateTime => Datum::DateTime(moved, call.node.ty.decimals),
        _ => {
            let timed = parse_moment(&call.text(2)).is_some_and(|parsed| parsed.has_time);
            let digits = if moved.micros > 0 { 6 } else { 0 };
            if timed || is_fine(&unit) {
                Datum::text(moved.text(digits))
            } else {
                Datum::text(moved.date_text())
            }
        }
    })
}

/// Whole months from `a` to `b`, both in order.
fn months_between(a: &Moment, b: &Moment) -> i64 {
    let total = |m: &Moment| i64::from(m.year) * 12 + i64::from(m.month);
    let rest = |m: &Moment| (m.day, m.time_of_day());
    total(b) - total(a) - i64::from(rest(b) < rest(a))
}

fn timestampdiff(call: &Call<'_>) -> Result<Datum, SqlError> {
    let unit = unit_text(call, 0);
    let Some(Unit { months, micros }) = simple(&unit) else {
        return Err(SqlError::syntax_error());
    };
    let (Some(a), Some(b)) = (call.full_moment(1)?, call.full_moment(2)?) else {
        return Ok(Datum::Null);
    };
    if months > 0 {
        let (low, high, sign) = if a <= b { (a, b, 1) } else { (b, a, -1) };
        return Ok(Datum::Int(sign * (months_between(&low, &high) / months)));
    }
    Ok(Datum::Int((b.total_micros() - a.total_micros()) / micros))
}

fn extract(call: &Call<'_>) -> Result<Datum, SqlError> {
    let unit = unit_text(call, 0);
    let time_unit = !matches!(
        unit.as_str(),
        "YEAR" | "MONTH" | "DAY" | "QUARTER" | "WEEK" | "YEAR_MONTH"
    );
    let is_time = call.kind(1) == Kind::Time
        || call.kind(1).is_text() && time_unit && parse_moment(&call.text(1)).is_none();
    let (moment, span) = if is_time {
        let Some(span) = call.span(1)? else {
            return Ok(Datum::Null);
        };
        (Moment::default(), span)
    } else {
        let Some(moment) = call.moment(1)? else {
            return Ok(Datum::Null);
        };
        (moment, Span(moment.time_of_day()))
    };
    let day = i64::from(moment.day);
    let clock = span.number().abs();
    let (hour, minute, second, micros) =
        (span.hours(), span.minutes(), span.seconds(), span.micros());
    let value = match unit.as_str() {
        "YEAR" => i64::from(moment.year),
        "QUARTER" => (i64::from(moment.month) + 2) / 3,
        "MONTH" => i64::from(moment.month),
        "WEEK" => moment.week(call.env.default_week_format).0,
        "DAY" => day,
        "HOUR" => hour,
        "MINUTE" => minute,
        "SECOND" => second,
        "MICROSECOND" => micros,
        "YEAR_MONTH" => i64::from(moment.year) * 100 + i64::from(moment.month),
        "DAY_HOUR" => day * 100 + hour,
        "DAY_MINUTE" => day * 10_000 + hour * 100 + minute,
        "DAY_SECOND" => day * 1_000_000 + clock,
        "DAY_MICROSECOND" => (day * 1_000_000 + clock) * 1_000_000 + micros,
        "HOUR_MINUTE" => hour * 100 + minute,
        "HOUR_SECOND" => clock,
        "HOUR_MICROSECOND" => clock * 1_000_000 + micros,
        "MINUTE_SECOND" => minute * 100 + second,
        "MINUTE_MICROSECOND" => (minute * 100 + second) * 1_000_000 + micros,
        "SECOND_MICROSECOND" => second * 1_000_000 + micros,
        _ => return Err(SqlError::syntax_error()),
    };
    let negative = span.0 < 0 && time_unit;
    Ok(Datum::Int(if negative { -value } else { value }))
}

fn time_sum_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let fsp = fsp_of(signature, 0).max(fsp_of(signature, 1));
    Ok(match signature.ty(0).kind {
        kind if kind.is_date() => Type::datetime(fsp),
        Kind::Time => Type::time(fsp),
        _ => signature.connection_text(29),
    }
    .with_null(true))
}

fn add_time(call: &Call<'_>, sign: i64) -> Result<Datum, SqlError> {
    let Some(addend) = call.span(1)? else {
        return Ok(Datum::Null);
    };
    let micros = addend.0.saturating_mul(sign);
    let first = call.arg(0);
    let dated = call.kind(0).is_date()
        || !matches!(first, Datum::Time(..))
            && parse_moment(&first.to_str()).is_some_and(|parsed| parsed.has_time);
    let fsp = if call.node.ty.kind.is_temporal() {
        call.node.ty.decimals
    } else if micros % MICROS != 0 || first.fsp() > 0 {
        6
    } else {
        0
    };
    if dated {
        let Some(moment) = call.full_moment(0)? else {
            return Ok(Datum::Null);
        };
        let Some(moved) = moment.add_micros(micros) else {
            return overflow(call);
        };
        return Ok(match call.node.ty.kind {
            Kind::DateTime => Datum::DateTime(moved, fsp),
            _ => Datum::text(moved.text(fsp)),
        });
    }
    let Some(span) = call.span(0)? else {
        return Ok(Datum::Null);
    };
    let sum = Span(span.0.saturating_add(micros)).clamp();
    Ok(match call.node.ty.kind {
        Kind::Time => Datum::Time(sum, fsp),
        _ => Datum::text(sum.text(fsp)),
    })
}

fn timediff(call: &Call<'_>) -> Result<Datum, SqlError> {
    let fsp = call.node.ty.decimals;
    let timed = |index: usize| {
        call.kind(index).is_date()
            || call.kind(index).is_text()
                && call.text(index).trim().contains([' ', 'T'])
                && parse_moment(&call.text(index)).is_some_and(|parsed| parsed.has_time)
    };
    let difference = match (timed(0), timed(1)) {
        (true, true) => {
            let (Some(a), Some(b)) = (call.full_moment(0)?, call.full_moment(1)?) else {
                return Ok(Datum::Null);
            };
            a.total_micros() - b.total_micros()
        }
        (false, false) => {
            let (Some(a), Some(b)) = (call.span(0)?, call.span(1)?) else {
                return Ok(Datum::Null);
            };
            a.0.saturating_sub(b.0)
        }
        _ => return Ok(Datum::Null),
    };
    let span = Span(difference);
    if span.clamp() != span {
        call.env
            .complain(SqlError::truncated_wrong_value("time", span.text(fsp)))?;
    }
    Ok(Datum::Time(span.clamp(), fsp))
}
