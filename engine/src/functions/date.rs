//! Date and time functions: parts of dates, conversions, calendar numbers.

use binlog::value::Decimal;

use super::interval::fsp_of;
use crate::catalog::ColumnType;
use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::{Kind, Type};
use crate::session::TimeZone;
use crate::value::datum::Datum;
use crate::value::stored::expression;
use crate::value::temporal::{MICROS, Moment, Span, days_in_month, from_day_number};
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

/// The error of dates beyond the calendar.
const OUT_OF_RANGE: (u16, &str) = (6527, "22003");

pub(super) static FUNCTIONS: &[Function] = &[
    strict(
        "date",
        1,
        1,
        |_| Ok(Type::date().with_null(true)),
        |c| {
            Ok(Datum::from_option(
                c.moment(0)?.map(|moment| Datum::Date(moment.midnight())),
            ))
        },
    ),
    strict(
        "time",
        1,
        1,
        |s| Ok(Type::time(fsp_of(s, 0)).with_null(true)),
        |c| {
            Ok(Datum::from_option(
                c.span(0)?.map(|span| Datum::Time(span, c.node.ty.decimals)),
            ))
        },
    ),
    strict(
        "timestamp",
        1,
        2,
        |s| Ok(Type::datetime(fsp_of(s, 0).max(fsp_of(s, 1))).with_null(true)),
        timestamp,
    ),
    strict(
        "year",
        1,
        1,
        |_| Ok(Type::of_column_type(&ColumnType::Year).with_null(true)),
        |c| {
            let moment = c.moment(0)?;
            Ok(Datum::from_option(moment.map(|m| Datum::Year(m.year))))
        },
    ),
    strict(
        "quarter",
        1,
        1,
        |_| Ok(Type::integer(2).with_null(true)),
        |c| part(c, |m| (i64::from(m.month) + 2) / 3),
    ),
    strict(
        "month",
        1,
        1,
        |_| Ok(Type::integer(3).with_null(true)),
        |c| part(c, |m| i64::from(m.month)),
    ),
    strict(
        "dayofmonth",
        1,
        1,
        |_| Ok(Type::integer(3).with_null(true)),
        |c| part(c, |m| i64::from(m.day)),
    ),
    strict(
        "dayofyear",
        1,
        1,
        |_| Ok(Type::integer(4).with_null(true)),
        |c| full(c, |m| m.day_of_year()),
    ),
    strict(
        "dayofweek",
        1,
        1,
        |_| Ok(Type::integer(2).with_null(true)),
        |c| full(c, |m| (m.weekday() + 1) % 7 + 1),
    ),
    strict(
        "weekday",
        1,
        1,
        |_| Ok(Type::integer(2).with_null(true)),
        |c| full(c, |m| m.weekday()),
    ),
    strict("week", 1, 2, |_| Ok(Type::integer(3).with_null(true)), week),
    strict(
        "weekofyear",
        1,
        1,
        |_| Ok(Type::integer(3).with_null(true)),
        |c| full(c, |m| m.week(3).0),
    ),
    strict(
        "yearweek",
        1,
        2,
        |_| Ok(Type::integer(7).with_null(true)),
        |c| {
            let mode = if c.count() > 1 {
                c.int(1)?
            } else {
                i64::from(c.env.default_week_format)
            };
            let mode = u8::try_from(mode & 7).unwrap_or(0) | 2;
            full(c, move |m| {
                let (week, year) = m.week(mode);
                i64::from(year) * 100 + week
            })
        },
    ),
    strict(
        "hour",
        1,
        1,
        |_| Ok(Type::integer(3).with_null(true)),
        |c| clock(c, Span::hours),
    ),
    strict(
        "minute",
        1,
        1,
        |_| Ok(Type::integer(3).with_null(true)),
        |c| clock(c, Span::minutes),
    ),
    strict(
        "second",
        1,
        1,
        |_| Ok(Type::integer(3).with_null(true)),
        |c| clock(c, Span::seconds),
    ),
    strict(
        "microsecond",
        1,
        1,
        |_| Ok(Type::integer(7).with_null(true)),
        |c| clock(c, Span::micros),
    ),
    strict(
        "to_days",
        1,
        1,
        |_| Ok(Type::integer(7).with_null(true)),
        |c| full(c, |m| m.days()),
    ),
    strict(
        "to_seconds",
        1,
        1,
        |_| Ok(Type::integer(21).with_null(true)),
        |c| full(c, |m| m.days() * 86_400 + m.time_of_day() / MICROS),
    ),
    strict(
        "from_days",
        1,
        1,
        |_| Ok(Type::date().with_null(true)),
        |c| {
            let days = c.int(0)?;
            let date = from_day_number(days).map(|(y, m, d)| Moment::date(y, m, d));
            if date.is_none() && !(1..366).contains(&days) {
                let (code, sqlstate) = OUT_OF_RANGE;
                let text = format!("DATE value is out of range in '{}'", c.node.describe());
                c.env.complain(SqlError::new(code, sqlstate, text))?;
                return Ok(Datum::Null);
            }
            Ok(Datum::Date(date.unwrap_or_default()))
        },
    ),
    strict(
        "makedate",
        2,
        2,
        |_| Ok(Type::date().with_null(true)),
        makedate,
    ),
    strict(
        "maketime",
        3,
        3,
        |s| {
            let fsp = match s.ty(2).kind {
                Kind::Decimal => s.ty(2).decimals.min(6),
                Kind::Integer => 0,
                _ => 6,
            };
            Ok(Type::time(fsp).with_null(true))
        },
        maketime,
    ),
    strict(
        "last_day",
        1,
        1,
        |_| Ok(Type::date().with_null(true)),
        |c| {
            let Some(m) = c.moment(0)? else {
                return Ok(Datum::Null);
            };
            if m.month == 0 {
                let shown = Datum::Date(Moment::date(m.year, m.month, m.day));
                let shown = shown.to_str().into_owned();
                c.env
                    .complain(SqlError::truncated_wrong_value("date", shown))?;
                return Ok(Datum::Null);
            }
            let day = days_in_month(m.year, m.month);
            Ok(Datum::Date(Moment::date(m.year, m.month, day)))
        },
    ),
    strict(
        "sec_to_time",
        1,
        1,
        |s| {
            let fsp = match s.ty(0).kind {
                Kind::Integer => 0,
                Kind::Decimal => s.ty(0).decimals.min(6),
                _ => 6,
            };
            Ok(Type::time(fsp).with_null(true))
        },
        sec_to_time,
    ),
    strict(
        "time_to_sec",
        1,
        1,
        |_| Ok(Type::integer(10).with_null(true)),
        |c| {
            let span = c.span(0)?;
            Ok(Datum::from_option(
                span.map(|span| Datum::Int(span.0 / MICROS)),
            ))
        },
    ),
    strict("unix_timestamp", 1, 1, unix_type, unix_timestamp),
    strict(
        "convert_tz",
        3,
        3,
        |s| Ok(Type::datetime(fsp_of(s, 0)).with_null(true)),
        convert_tz,
    ),
];

fn part(call: &Call<'_>, get: impl Fn(&Moment) -> i64) -> Result<Datum, SqlError> {
    Ok(Datum::from_option(
        call.moment(0)?.map(|moment| Datum::Int(get(&moment))),
    ))
}

fn full(call: &Call<'_>, get: impl Fn(&Moment) -> i64) -> Result<Datum, SqlError> {
    Ok(Datum::from_option(
        call.full_moment(0)?.map(|moment| Datum::Int(get(&moment))),
    ))
}

fn clock(call: &Call<'_>, get: fn(Span) -> i64) -> Result<Datum, SqlError> {
    Ok(Datum::from_option(
        call.span(0)?.map(|span| Datum::Int(get(span))),
    ))
}

fn timestamp(call: &Call<'_>) -> Result<Datum, SqlError> {
    let Some(moment) = call.moment(0)? else {
        return Ok(Datum::Null);
    };
    let fsp = call.node.ty.decimals;
    if call.count() == 1 {
        return Ok(Datum::DateTime(moment, fsp));
    }
    let Some(span) = call.span(1)? else {
        return Ok(Datum::Null);
    };
    Ok(Datum::from_option(
        moment
            .add_micros(span.0)
            .map(|sum| Datum::DateTime(sum, fsp)),
    ))
}

fn week(call: &Call<'_>) -> Result<Datum, SqlError> {
    let mode = if call.count() > 1 {
        call.int(1)?
    } else {
        i64::from(call.env.default_week_format)
    };
    let mode = u8::try_from(mode & 7).unwrap_or(0);
    full(call, |moment| moment.week(mode).0)
}

fn makedate(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (year, day) = (call.int(0)?, call.int(1)?);
    let year = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    };
    let Some(year) = u16::try_from(year)
        .ok()
        .filter(|year| *year <= 9999 && day > 0)
    else {
        return Ok(Datum::Null);
    };
    let first = Moment::date(year, 1, 1).days();
    let date = from_day_number((first - 1).saturating_add(day))
        .map(|(y, m, d)| Datum::Date(Moment::date(y, m, d)));
    Ok(Datum::from_option(date))
}

fn maketime(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (hours, minutes, seconds) = (call.int(0)?, call.int(1)?, call.decimal(2)?);
    let micros = seconds
        .mul(Decimal::from(MICROS))
        .and_then(Decimal::to_i128);
    let micros = micros
        .and_then(|micros| i64::try_from(micros).ok())
        .unwrap_or(-1);
    if !(0..60).contains(&minutes) || !(0..60 * MICROS).contains(&micros) {
        return Ok(Datum::Null);
    }
    let magnitude = hours.saturating_abs().min(10_000);
    let span = Span::from_parts(hours < 0, magnitude, minutes, 0, micros);
    Ok(Datum::Time(span.clamp(), call.node.ty.decimals))
}

fn sec_to_time(call: &Call<'_>) -> Result<Datum, SqlError> {
    let micros = call
        .decimal(0)?
        .mul(Decimal::from(MICROS))
        .and_then(Decimal::to_i128);
    let micros = micros
        .unwrap_or(i128::MAX)
        .clamp(i128::from(i64::MIN / 2), i128::from(i64::MAX / 2));
    let span = Span(i64::try_from(micros).unwrap_or(0));
    if span.clamp() != span {
        call.env
            .complain(SqlError::truncated_wrong_value("time", call.text(0)))?;
    }
    Ok(Datum::Time(span.clamp(), call.node.ty.decimals))
}

fn unix_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let fsp = fsp_of(signature, 0);
    Ok(if fsp == 0 {
        Type::integer(21)
    } else {
        Type::decimal(11 + fsp, fsp, false)
    }
    .with_null(true))
}

fn unix_timestamp(call: &Call<'_>) -> Result<Datum, SqlError> {
    let Some(moment) = call.moment(0)? else {
        return Ok(Datum::Int(0));
    };
    let micros = expression::micros_of(&moment, &call.env.zone).unwrap_or(0);
    if call.node.ty.kind == Kind::Integer {
        return Ok(Datum::Int(micros / MICROS));
    }
    let scale = call.node.ty.decimals;
    let value = Decimal::from_unscaled(micros, 6).truncate(i32::from(scale));
    Ok(Datum::from_option(value.map(Datum::Decimal)))
}

fn convert_tz(call: &Call<'_>) -> Result<Datum, SqlError> {
    let Some(moment) = call.full_moment(0)? else {
        return Ok(Datum::Null);
    };
    let zone = |index: usize| TimeZone::by_name(&call.text(index)).ok();
    let (Some(from), Some(to)) = (zone(1), zone(2)) else {
        return Ok(Datum::Null);
    };
    let fsp = call.node.ty.decimals;
    Ok(match expression::micros_of(&moment, &from) {
        Some(micros) => Datum::DateTime(expression::local_of(micros, &to), fsp),
        // Outside the range of TIMESTAMP nothing is converted.
        None => Datum::DateTime(moment, fsp),
    })
}
