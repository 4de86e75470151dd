//! DATE_FORMAT, STR_TO_DATE and the names of days and months.

use std::fmt::Write as _;

use binlog::value::Decimal;

use crate::expr::function::{Call, Function, Signature};
use crate::expr::types::{Kind, Type};
use crate::value::datum::Datum;
use crate::value::stored::expression;
use crate::value::temporal::{MICROS, Moment, Span, from_day_number};
use sql::SqlMode;
use sql::error::SqlError;

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "date_format",
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result: format_type,
        eval: date_format,
    },
    Function {
        name: "time_format",
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result: format_type,
        eval: time_format,
    },
    Function {
        name: "from_unixtime",
        min: 1,
        max: 2,
        strict: true,
        volatile: false,
        result: from_unix_type,
        eval: from_unixtime,
    },
    Function {
        name: "str_to_date",
        min: 2,
        max: 2,
        strict: true,
        volatile: false,
        result: str_to_date_type,
        eval: str_to_date,
    },
    Function {
        name: "dayname",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: |s| Ok(s.connection_text(9).with_null(true)),
        eval: |c| {
            let moment = c.full_moment(0)?;
            Ok(Datum::from_option(
                moment.map(|moment| Datum::text(day_name(&moment))),
            ))
        },
    },
    Function {
        name: "monthname",
        min: 1,
        max: 1,
        strict: true,
        volatile: false,
        result: |s| Ok(s.connection_text(9).with_null(true)),
        eval: |c| {
            let moment = c.moment(0)?.filter(|moment| moment.month > 0);
            Ok(Datum::from_option(
                moment.map(|moment| Datum::text(month_name(moment.month))),
            ))
        },
    },
];

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn day_name(moment: &Moment) -> &'static str {
    usize::try_from(moment.weekday())
        .ok()
        .and_then(|day| DAYS.get(day))
        .copied()
        .unwrap_or("")
}

fn month_name(month: u8) -> &'static str {
    usize::from(month)
        .checked_sub(1)
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or("")
}

fn format_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let length = signature.ty(1).text_length().saturating_mul(10);
    Ok(signature.connection_text(length).with_null(true))
}

fn date_format(call: &Call<'_>) -> Result<Datum, SqlError> {
    let Some(moment) = call.moment(0)? else {
        return Ok(Datum::Null);
    };
    Ok(Datum::from_option(
        format(&moment, Span(moment.time_of_day()), &call.text(1)).map(Datum::text),
    ))
}

fn time_format(call: &Call<'_>) -> Result<Datum, SqlError> {
    let Some(span) = call.span(0)? else {
        return Ok(Datum::Null);
    };
    Ok(Datum::from_option(
        format(&Moment::default(), span, &call.text(1)).map(Datum::text),
    ))
}

/// The format applied; `None` when it asks for the name of month or day zero.
fn format(moment: &Moment, clock: Span, format: &str) -> Option<String> {
    let mut out = String::new();
    let mut characters = format.chars();
    let hour12 = (clock.hours() + 11) % 12 + 1;
    let half = if clock.hours() % 24 < 12 { "AM" } else { "PM" };
    let (hours, minutes, seconds) = (clock.hours(), clock.minutes(), clock.seconds());
    while let Some(c) = characters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let Some(specifier) = characters.next() else {
            out.push('%');
            break;
        };
        let _ = match specifier {
            'a' => write!(out, "{}", full(moment)?.get(..3).unwrap_or_default()),
            'W' => write!(out, "{}", full(moment)?),
            'b' => write!(out, "{}", month(moment)?.get(..3).unwrap_or_default()),
            'M' => write!(out, "{}", month(moment)?),
            'c' => write!(out, "{}", moment.month),
            'm' => write!(out, "{:02}", moment.month),
            'D' => write!(out, "{}{}", moment.day, ordinal(moment.day)),
            'd' => write!(out, "{:02}", moment.day),
            'e' => write!(out, "{}", moment.day),
            'f' => write!(out, "{:06}", clock.micros()),
            'H' => write!(out, "{hours:02}"),
            'k' => write!(out, "{hours}"),
            'h' | 'I' => write!(out, "{hour12:02}"),
            'l' => write!(out, "{hour12}"),
            'i' => write!(out, "{minutes:02}"),
            'j' => write!(out, "{:03}", moment.day_of_year()),
            'p' => write!(out, "{half}"),
            'r' => write!(out, "{hour12:02}:{minutes:02}:{seconds:02} {half}"),
            'S' | 's' => write!(out, "{seconds:02}"),
            'T' => write!(out, "{hours:02}:{minutes:02}:{seconds:02}"),
            'U' => write!(out, "{:02}", moment.week(0).0),
            'u' => write!(out, "{:02}", moment.week(1).0),
            'V' => write!(out, "{:02}", moment.week(2).0),
            'v' => write!(out, "{:02}", moment.week(3).0),
            'w' => write!(out, "{}", (moment.weekday() + 1) % 7),
            'X' => write!(out, "{:04}", moment.week(2).1),
            'x' => write!(out, "{:04}", moment.week(3).1),
            'Y' => write!(out, "{:04}", moment.year),
            'y' => write!(out, "{:02}", moment.year % 100),
            other => write!(out, "{other}"),
        };
    }
    Some(out)
}

fn full(moment: &Moment) -> Option<&'static str> {
    (!moment.is_partial()).then(|| day_name(moment))
}

fn month(moment: &Moment) -> Option<&'static str> {
    (moment.month > 0).then(|| month_name(moment.month))
}

fn ordinal(day: u8) -> &'static str {
    match (day, day % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

fn from_unix_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    if signature.args.len() > 1 {
        return format_type(signature);
    }
    let ty = signature.ty(0);
    let fsp = match ty.kind {
        Kind::Integer | Kind::Year => 0,
        Kind::Decimal => ty.decimals.min(6),
        _ => 6,
    };
    Ok(Type::datetime(fsp).with_null(true))
}

fn from_unixtime(call: &Call<'_>) -> Result<Datum, SqlError> {
    /// The last second that FROM_UNIXTIME shows: 3001-01-18 23:59:59 UTC.
    const SECONDS_MAX: i128 = 32_536_771_199;
    let micros = call
        .decimal(0)?
        .mul(Decimal::from(MICROS))
        .and_then(Decimal::to_i128);
    let Some(micros) =
        micros.filter(|micros| (0..=(SECONDS_MAX + 1) * 1_000_000 - 1).contains(micros))
    else {
        return Ok(Datum::Null);
    };
    let micros = i64::try_from(micros).unwrap_or(0);
    let seconds_max = i64::from(u32::MAX);
    let local = if micros == 0 || micros / MICROS > seconds_max {
        // Zero is the beginning of 1970 here, not the zero date.
        let base = expression::local_of(MICROS, &call.env.zone);
        base.add_micros(micros - MICROS)
    } else {
        Some(expression::local_of(micros, &call.env.zone))
    };
    let Some(local) = local else {
        return Ok(Datum::Null);
    };
    if call.count() > 1 {
        let text = format(&local, Span(local.time_of_day()), &call.text(1));
        return Ok(Datum::from_option(text.map(Datum::text)));
    }
    Ok(Datum::DateTime(local, call.node.ty.decimals))
}

/// Which parts a format has: date, time, and fraction.
fn parts(format: &str) -> (bool, bool, bool) {
    let mut found = (false, false, false);
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c == '%' {
            match characters.next() {
                Some('f') => found = (found.0, true, true),
                Some('H' | 'k' | 'h' | 'I' | 'l' | 'i' | 'p' | 'r' | 'S' | 's' | 'T') => {
                    found.1 = true
                }
                Some('%') | None => {}
                Some(_) => found.0 = true,
            }
        }
    }
    found
}

fn str_to_date_type(signature: &Signature<'_>) -> Result<Type, SqlError> {
    let format = signature
        .constant(1)
        .map(Datum::to_str)
        .unwrap_or_default()
        .into_owned();
    let (date, time, fraction) = if signature.constant(1).is_some() {
        parts(&format)
    } else {
        (true, true, true)
    };
    let fsp = if fraction { 6 } else { 0 };
    Ok(match (date, time) {
        (true, false) => Type::date(),
        (false, true) => Type::time(fsp),
        _ => Type::datetime(fsp),
    }
    .with_null(true))
}

fn str_to_date(call: &Call<'_>) -> Result<Datum, SqlError> {
    let (text, format) = (call.text(0), call.text(1));
    let mut reader = Reader {
        rest: text.trim_start(),
        ..Reader::default()
    };
    let read = reader.read(&format);
    let mode = call.env.sql_mode;
    let is_allowed = |moment: &Moment| {
        let date = (moment.year, moment.month, moment.day);
        match call.node.ty.kind {
            Kind::Time => true,
            _ if date == (0, 0, 0) => !mode.contains(SqlMode::NO_ZERO_DATE),
            _ => !moment.is_partial() || !mode.contains(SqlMode::NO_ZERO_IN_DATE),
        }
    };
    let moment = read.and_then(|()| reader.moment()).filter(is_allowed);
    let Some(moment) = moment else {
        let message = format!("Incorrect datetime value: '{text}' for function str_to_date");
        call.env.complain(SqlError::new(1411, "HY000", message))?;
        return Ok(Datum::Null);
    };
    if !reader.rest.trim().is_empty() {
        call.env
            .complain(SqlError::truncated_wrong_value("date", &text))?;
    }
    Ok(match call.node.ty.kind {
        Kind::Date => Datum::Date(moment),
        Kind::Time => Datum::Time(Span(moment.time_of_day()), call.node.ty.decimals),
        _ => Datum::DateTime(moment, call.node.ty.decimals),
    })
}

#[derive(Default)]
struct Reader<'t> {
    rest: &'t str,
    moment: Moment,
    afternoon: Option<bool>,
    day_of_year: Option<i64>,
}

impl Reader<'_> {
    fn read(&mut self, format: &str) -> Option<()> {
        let mut characters = format.chars();
        while let Some(c) = characters.next() {
            if c.is_whitespace() {
                self.rest = self.rest.trim_start();
                continue;
            }
            if c != '%' {
                self.rest = self.rest.strip_prefix(c)?;
                continue;
            }
            self.field(characters.next()?)?;
        }
        Some(())
    }

    fn number(&mut self, most: usize) -> Option<u32> {
        self.rest = self.rest.trim_start();
        let digits = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        let number = number.parse().ok()?;
        self.rest = rest;
        Some(number)
    }

    fn name(&mut self, names: &[&str], short: bool) -> Option<u8> {
        for (index, name) in names.iter().enumerate() {
            let name = if short { name.get(..3)? } else { name };
            let head = self.rest.get(..name.len());
            if head.is_some_and(|head| head.eq_ignore_ascii_case(name)) {
                self.rest = self.rest.get(name.len()..)?;
                return u8::try_from(index + 1).ok();
            }
        }
        None
    }

    fn field(&mut self, specifier: char) -> Option<()> {
        let byte = |number: u32| u8::try_from(number).ok();
        match specifier {
            'Y' => self.moment.year = u16::try_from(self.number(4)?).ok()?,
            'y' => {
                let year = u16::try_from(self.number(2)?).ok()?;
                self.moment.year = if year < 70 { 2000 + year } else { 1900 + year };
            }
            'm' | 'c' => self.moment.month = byte(self.number(2)?)?,
            'M' => self.moment.month = self.name(&MONTHS, false)?,
            'b' => self.moment.month = self.name(&MONTHS, true)?,
            'd' | 'e' => self.moment.day = byte(self.number(2)?)?,
            'D' => {
                self.moment.day = byte(self.number(2)?)?;
                self.rest = self.rest.get(2..)?;
            }
            'H' | 'k' => self.moment.hour = byte(self.number(2)?)?,
            'h' | 'I' | 'l' => {
                self.moment.hour = byte(self.number(2)?).filter(|hour| (1..=12).contains(hour))?;
                self.afternoon = self.afternoon.or(Some(false));
            }
            'i' => self.moment.minute = byte(self.number(2)?)?,
            's' | 'S' => self.moment.second = byte(self.number(2)?)?,
            'f' => {
                let digits = self
                    .rest
                    .bytes()
                    .take(6)
                    .take_while(u8::is_ascii_digit)
                    .count();
                let number = self.number(6)?;
                let scale = 10u32.pow(u32::try_from(6 - digits).ok()?);
                self.moment.micros = number * scale;
            }
            'p' => {
                let afternoon = match self.rest.get(..2)?.to_ascii_uppercase().as_str() {
                    "AM" => false,
                    "PM" => true,
                    _ => return None,
                };
                self.afternoon = Some(afternoon);
                self.rest = self.rest.get(2..)?;
            }
            'T' => return self.read("%H:%i:%s"),
            'r' => return self.read("%h:%i:%s %p"),
            'j' => self.day_of_year = Some(i64::from(self.number(3)?)),
            'a' => drop(self.name(&DAYS, true)?),
            'W' => drop(self.name(&DAYS, false)?),
            'w' => drop(self.number(1)?),
            '%' => self.rest = self.rest.strip_prefix('%')?,
            _ => return None,
        }
        Some(())
    }

    fn moment(&self) -> Option<Moment> {
        let mut moment = self.moment;
        if let Some(afternoon) = self.afternoon {
            moment.hour = moment.hour % 12 + if afternoon { 12 } else { 0 };
        }
        if let Some(day) = self.day_of_year {
            let first = Moment::date(moment.year, 1, 1).days();
            let (year, month, day) = from_day_number(first + day - 1)?;
            moment = Moment {
                year,
                month,
                day,
                ..moment
            };
        }
        moment.is_valid(true).then_some(moment)
    }
}
