//! A value: of an expression, of a variable, on its way into a column.
//!
//! A datum knows by itself how it reads as a number, a text or a date, so functions need no static
//! types. TIMESTAMP columns arrive here as the session's wall clock; nothing here knows time zones
//! or storage forms. Conversions that lose something say so through [`Lossy`].

use std::borrow::Cow;
use std::sync::Arc;

use super::double_text::{computed, computed_float};
use binlog::value::{Decimal, float_text};

use super::DateRules;
use super::double;
use super::temporal::{Moment, Span};
use super::temporal_number::Split;
use super::temporal_text::{moment_from_number, parse_moment_by};

/// One value. Equality is that of forms, not MySQL's.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// NULL.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A FLOAT; it prints with six digits.
    Float(f32),
    /// A DOUBLE.
    Double(f64),
    /// A DECIMAL; the scale is the one it prints with.
    Decimal(Decimal),
    /// Text in UTF-8, or bytes.
    Text(Vec<u8>),
    /// A DATE.
    Date(Moment),
    /// A DATETIME with its number of fractional digits.
    DateTime(Moment, u8),
    /// A TIME with its number of fractional digits.
    Time(Span, u8),
    /// A YEAR.
    Year(u16),
    /// An ENUM: number of the member from 1, and the members.
    Enum(u32, Arc<[String]>),
    /// A SET: bit 0 is the first member.
    Set(u64, Arc<[String]>),
    /// A BIT with its width.
    Bit(u64, u8),
    /// A JSON document in MySQL's normal text form.
    Json(Arc<str>),
}

/// A converted value, and what could not be converted: the type word of warning 1292.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lossy<T> {
    /// The value.
    pub value: T,
    /// `INTEGER`, `DOUBLE`, `DECIMAL`, ... when something was left over.
    pub lost: Option<&'static str>,
}

impl<T> Lossy<T> {
    fn exact(value: T) -> Self {
        Self { value, lost: None }
    }
}

/// An integer of either signedness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    /// Signed.
    Signed(i64),
    /// Unsigned.
    Unsigned(u64),
}

impl Integer {
    /// The mathematical value.
    pub fn wide(self) -> i128 {
        match self {
            Self::Signed(value) => value.into(),
            Self::Unsigned(value) => value.into(),
        }
    }

    /// The bits, as MySQL's bit operators and CAST(... AS UNSIGNED) take them.
    pub fn bits(self) -> u64 {
        match self {
            Self::Signed(value) => value.cast_unsigned(),
            Self::Unsigned(value) => value,
        }
    }

    /// Cut to the signed range.
    pub fn saturate(self) -> i64 {
        match self {
            Self::Signed(value) => value,
            Self::Unsigned(value) => i64::try_from(value).unwrap_or(i64::MAX),
        }
    }
}

impl From<Integer> for Datum {
    fn from(value: Integer) -> Self {
        match value {
            Integer::Signed(value) => Self::Int(value),
            Integer::Unsigned(value) => Self::UInt(value),
        }
    }
}

const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// Rounds a double to an integer, half away from zero, cut to the range of 64 bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
pub fn round_to_integer(value: f64) -> Integer {
    let rounded = value.round_ties_even();
    if rounded >= TWO_POW_63 {
        return if rounded >= TWO_POW_64 {
            Integer::Unsigned(u64::MAX)
        } else {
            Integer::Unsigned(rounded as u64)
        };
    }
    Integer::Signed(rounded as i64)
}

/// An `i128` as the smallest fitting integer, cut to 64 bits.
pub fn narrow(value: i128) -> Integer {
    match i64::try_from(value) {
        Ok(value) => Integer::Signed(value),
        Err(_) if value < 0 => Integer::Signed(i64::MIN),
        Err(_) => Integer::Unsigned(u64::try_from(value).unwrap_or(u64::MAX)),
    }
}

/// A moment as YYYYMMDDhhmmss.ffffff.
fn moment_decimal(moment: &Moment, fsp: u8) -> Decimal {
    fraction_decimal(moment.number(), i64::from(moment.micros), fsp)
}

fn span_decimal(span: Span, fsp: u8) -> Decimal {
    let text = format!(
        "{}{}.{:06}",
        if span.0 < 0 { "-" } else { "" },
        span.number().abs(),
        span.micros()
    );
    let value: Decimal = text.parse().unwrap_or(Decimal::ZERO);
    value.truncate(i32::from(fsp)).unwrap_or(value)
}

fn fraction_decimal(whole: i64, micros: i64, fsp: u8) -> Decimal {
    let value: Decimal = format!("{whole}.{micros:06}")
        .parse()
        .unwrap_or(Decimal::ZERO);
    value.truncate(i32::from(fsp)).unwrap_or(value)
}

/// The longest decimal prefix of a text and the number of bytes it took.
pub fn decimal_prefix(text: &[u8]) -> (Decimal, usize) {
    let (_, used) = double::parse_prefix(text);
    let number = text
        .get(..used)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    let parsed = number.and_then(|text| text.trim().parse().ok());
    (parsed.unwrap_or(Decimal::ZERO), used)
}

fn only_blanks(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_whitespace())
}

/// The name of an ENUM member; empty for 0.
pub fn enum_name(index: u32, members: &[String]) -> &str {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    index
        .checked_sub(1)
        .and_then(|index| members.get(index))
        .map_or("", String::as_str)
}

/// The members of a SET, joined by commas.
pub fn set_text(mask: u64, members: &[String]) -> String {
    let chosen = members
        .iter()
        .enumerate()
        .filter(|(bit, _)| mask & (1u64 << (*bit).min(63)) != 0);
    chosen
        .map(|(_, member)| member.as_str())
        .collect::<Vec<_>>()
        .join(",")
}

/// The number that the bytes of a hexadecimal literal are; the last eight of them count.
pub fn number_of_bytes(bytes: &[u8]) -> u64 {
    let skipped = bytes.len().saturating_sub(8);
    let significant = bytes.iter().skip(skipped);
    significant.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Datum {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into().into_bytes())
    }

    /// 1 or 0.
    pub fn truth(value: bool) -> Self {
        Self::Int(i64::from(value))
    }

    /// NULL for `None`.
    pub fn from_option(value: Option<Self>) -> Self {
        value.unwrap_or(Self::Null)
    }

    /// True for NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is bytes that are no UTF-8.
    pub fn is_ill_formed(&self) -> bool {
        matches!(self, Self::Text(bytes) if std::str::from_utf8(bytes).is_err())
    }

    /// Reads as text in UTF-8 (or bytes); empty for NULL.
    pub fn to_text(&self) -> Cow<'_, [u8]> {
        let text = match self {
            Self::Null => String::new(),
            Self::Text(bytes) => return Cow::Borrowed(bytes),
            Self::Int(value) => value.to_string(),
            Self::UInt(value) => value.to_string(),
            Self::Float(value) => computed_float(*value),
            Self::Double(value) => computed(*value),
            Self::Decimal(value) => value.to_string(),
            Self::Date(moment) => moment.date_text(),
            Self::DateTime(moment, fsp) => moment.text(*fsp),
            Self::Time(span, fsp) => span.text(*fsp),
            Self::Year(value) => format!("{value:04}"),
            Self::Enum(index, members) => {
                return Cow::Borrowed(enum_name(*index, members).as_bytes());
            }
            Self::Set(mask, members) => set_text(*mask, members),
            Self::Bit(value, width) => return Cow::Owned(bit_bytes(*value, *width)),
            Self::Json(document) => return Cow::Borrowed(document.as_bytes()),
        };
        Cow::Owned(text.into_bytes())
    }

    /// Reads as text, with invalid UTF-8 replaced.
    pub fn to_str(&self) -> Cow<'_, str> {
        match self.to_text() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            ),
        }
    }

    /// Reads as a double; 0 for NULL.
    pub fn to_f64(&self) -> Lossy<f64> {
        Lossy::exact(match self {
            Self::Null => 0.0,
            Self::Int(value) => *value as f64,
            Self::UInt(value) => *value as f64,
            Self::Float(value) => f64::from(*value),
            Self::Double(value) => *value,
            Self::Decimal(value) => value.to_f64(),
            Self::Text(bytes) => {
                let (value, used) = double::parse_prefix(bytes);
                let rest = bytes.get(used..).unwrap_or_default();
                let lost = (used == 0 || !only_blanks(rest)).then_some("DOUBLE");
                return Lossy { value, lost };
            }
            Self::Json(document) => return json_number(document),
            other => other.to_integer().value.wide() as f64,
        })
        .with_fraction(self)
    }

    /// Reads as an integer, rounding half away from zero; 0 for NULL.
    pub fn to_integer(&self) -> Lossy<Integer> {
        Lossy::exact(match self {
            Self::Null => Integer::Signed(0),
            Self::Int(value) => Integer::Signed(*value),
            Self::UInt(value) => Integer::Unsigned(*value),
            Self::Float(value) => round_to_integer(f64::from(*value)),
            Self::Double(value) => round_to_integer(*value),
            Self::Decimal(value) => return decimal_integer(value),
            Self::Text(bytes) => return text_integer(bytes),
            Self::Date(moment) => Integer::Signed(moment.date_number()),
            Self::DateTime(moment, _) => Integer::Signed(moment.round(0).number()),
            Self::Time(span, _) => Integer::Signed(span.round(0).number()),
            Self::Year(value) => Integer::Unsigned(u64::from(*value)),
            Self::Enum(index, _) => Integer::Unsigned(u64::from(*index)),
            Self::Set(mask, _) => Integer::Unsigned(*mask),
            Self::Bit(value, _) => Integer::Unsigned(*value),
            Self::Json(document) => {
                let number = json_number(document);
                return Lossy {
                    value: round_to_integer(number.value),
                    lost: number.lost,
                };
            }
        })
    }

    /// Reads as a decimal; 0 for NULL.
    pub fn to_decimal(&self) -> Lossy<Decimal> {
        Lossy::exact(match self {
            Self::Null => Decimal::ZERO,
            Self::Int(value) => Decimal::from(*value),
            Self::UInt(value) => Decimal::from(*value),
            Self::Float(value) => float_text(*value).parse().unwrap_or(Decimal::ZERO),
            Self::Double(value) => Decimal::from_f64(*value).unwrap_or(Decimal::ZERO),
            Self::Decimal(value) => *value,
            Self::Text(bytes) => {
                let (value, used) = decimal_prefix(bytes);
                let rest = bytes.get(used..).unwrap_or_default();
                let lost = (used == 0 || !only_blanks(rest)).then_some("DECIMAL");
                return Lossy { value, lost };
            }
            Self::Date(moment) => Decimal::from(moment.date_number()),
            Self::DateTime(moment, fsp) => moment_decimal(moment, *fsp),
            Self::Time(span, fsp) => span_decimal(*span, *fsp),
            Self::Json(document) => {
                let number = json_number(document);
                let value = Decimal::from_f64(number.value).unwrap_or(Decimal::ZERO);
                return Lossy {
                    value,
                    lost: number.lost,
                };
            }
            other => match other.to_integer().value {
                Integer::Signed(value) => Decimal::from(value),
                Integer::Unsigned(value) => Decimal::from(value),
            },
        })
    }

    /// MySQL's truth of a value: not zero. `None` for NULL.
    pub fn to_truth(&self) -> Option<bool> {
        Some(match self {
            Self::Null => return None,
            Self::Int(value) => *value != 0,
            Self::UInt(value) | Self::Set(value, _) | Self::Bit(value, _) => *value != 0,
            Self::Decimal(value) => !value.is_zero(),
            Self::Date(moment) | Self::DateTime(moment, _) => !moment.is_zero(),
            other => other.to_f64().value != 0.0,
        })
    }

    /// Reads as a date with time; `None` for NULL and for what is no date. A TIME is taken on the
    /// day `today`.
    pub fn to_moment(&self, today: &Moment) -> Option<Lossy<Moment>> {
        self.to_moment_by(today, &DateRules::LENIENT)
    }

    /// As [`Self::to_moment`], for texts and numbers that `rules` let through.
    pub fn to_moment_by(&self, today: &Moment, rules: &DateRules) -> Option<Lossy<Moment>> {
        Some(match self {
            Self::Null => return None,
            Self::Date(moment) | Self::DateTime(moment, _) => Lossy::exact(*moment),
            Self::Time(span, _) => Lossy::exact(today.midnight().add_micros(span.0)?),
            Self::Int(value) => Lossy::exact(moment_from_number(*value, rules)?.moment),
            Self::UInt(_) | Self::Year(_) | Self::Enum(..) | Self::Set(..) | Self::Bit(..) => {
                let number = self.to_integer().value.saturate();
                Lossy::exact(moment_from_number(number, rules)?.moment)
            }
            Self::Float(_) | Self::Double(_) | Self::Decimal(_) => {
                let value = self.to_decimal().value;
                let whole = i64::try_from(value.truncate(0)?.to_i128()?).ok()?;
                let fraction = value.sub(value.truncate(0)?)?;
                let micros = fraction.mul(Decimal::from(1_000_000_i64))?.to_i128()?;
                let moment = moment_from_number(whole, rules)?.moment;
                Lossy::exact(
                    moment
                        .add_micros(i64::try_from(micros).ok()?)
                        .unwrap_or(moment),
                )
            }
            Self::Text(bytes) => {
                let parsed = parse_moment_by(std::str::from_utf8(bytes).ok()?, rules)?;
                Lossy {
                    value: parsed.moment,
                    lost: parsed.truncated.then_some("datetime"),
                }
            }
            Self::Json(document) => {
                let text = Self::Text(json_unquoted(document).into_bytes());
                return text.to_moment_by(today, rules);
            }
        })
    }

    /// Reads as a time of day or span; `None` for NULL and for what is no time.
    pub fn to_span(&self) -> Option<Lossy<Span>> {
        Some(match self {
            Self::Null => return None,
            Self::Time(span, _) => Lossy::exact(*span),
            Self::Date(_) => Lossy::exact(Span(0)),
            Self::DateTime(moment, _) => Lossy::exact(Span(moment.time_of_day())),
            Self::Text(bytes) => {
                let (span, truncated) = Span::parse(std::str::from_utf8(bytes).ok()?)?;
                let clamped = span.clamp();
                Lossy {
                    value: clamped,
                    lost: (truncated || clamped != span).then_some("time"),
                }
            }
            Self::Json(document) => {
                return Self::Text(json_unquoted(document).into_bytes()).to_span();
            }
            Self::Float(number) => {
                Lossy::exact(Span::of_split(Split::of_double((*number).into()))?)
            }
            Self::Double(number) => Lossy::exact(Span::of_split(Split::of_double(*number))?),
            Self::Decimal(number) => Lossy::exact(Span::of_split(Split::of_decimal(number))?),
            Self::Int(_)
            | Self::UInt(_)
            | Self::Year(_)
            | Self::Enum(..)
            | Self::Set(..)
            | Self::Bit(..) => {
                // MySQL reads a signed number.
                let whole = self.to_integer().value.bits().cast_signed();
                Lossy::exact(Span::of_split(Split::of_integer(whole))?)
            }
        })
    }

    /// Fractional digits of a date or time (6 for a text with a fraction).
    pub fn fsp(&self) -> u8 {
        match self {
            Self::DateTime(_, fsp) | Self::Time(_, fsp) => *fsp,
            Self::Decimal(value) => value.scale().min(6),
            Self::Text(bytes) => {
                let fraction = bytes
                    .rsplit(|byte| *byte == b'.')
                    .next()
                    .unwrap_or_default();
                let dotted = bytes.contains(&b'.');
                let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
                if dotted {
                    u8::try_from(digits).unwrap_or(6).min(6)
                } else {
                    0
                }
            }
            _ => 0,
        }
    }
}

impl Lossy<f64> {
    /// Dates and times with a fraction of a second keep it as doubles.
    fn with_fraction(self, source: &Datum) -> Self {
        match source {
            Datum::DateTime(moment, fsp) => Self::exact(moment_decimal(moment, *fsp).to_f64()),
            Datum::Time(span, fsp) => Self::exact(span_decimal(*span, *fsp).to_f64()),
            _ => self,
        }
    }
}

fn decimal_integer(value: &Decimal) -> Lossy<Integer> {
    let wide = value.to_i128().unwrap_or(match value.is_negative() {
        true => i128::MIN,
        false => i128::MAX,
    });
    let value = narrow(wide);
    Lossy {
        value,
        lost: (value.wide() != wide).then_some("DECIMAL"),
    }
}

fn text_integer(bytes: &[u8]) -> Lossy<Integer> {
    let trimmed = bytes.trim_ascii_start();
    let sign = usize::from(matches!(trimmed.first(), Some(b'-' | b'+')));
    let digits = trimmed
        .iter()
        .skip(sign)
        .take_while(|b| b.is_ascii_digit())
        .count();
    let rest = trimmed.get(sign + digits..).unwrap_or_default();
    let number = trimmed
        .get(..sign + digits)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    let negative = trimmed.first() == Some(&b'-');
    let parsed = number.filter(|_| digits > 0).map(|text| {
        text.parse::<i128>()
            .unwrap_or(if negative { i128::MIN } else { i128::MAX })
    });
    let value = narrow(parsed.unwrap_or(0));
    let cut = parsed.is_some_and(|wide| wide != value.wide());
    Lossy {
        value,
        lost: (digits == 0 || cut || !only_blanks(rest)).then_some("INTEGER"),
    }
}

fn json_number(document: &str) -> Lossy<f64> {
    match document {
        "true" => Lossy::exact(1.0),
        "false" => Lossy::exact(0.0),
        text if text.starts_with(['{', '[']) || text == "null" => Lossy {
            value: 0.0,
            lost: Some("DOUBLE"),
        },
        text if text.starts_with('"') => Datum::text(json_unquoted(text)).to_f64(),
        text => Lossy::exact(text.parse().unwrap_or(0.0)),
    }
}

/// The text of a JSON string, or the document itself.
pub fn json_unquoted(document: &str) -> String {
    if !document.starts_with('"') {
        return document.to_owned();
    }
    serde_json::from_str(document).unwrap_or_else(|_| document.to_owned())
}

/// A BIT as the bytes of its width.
pub fn bit_bytes(value: u64, width: u8) -> Vec<u8> {
    let length = usize::from(width).div_ceil(8).clamp(1, 8);
    value
        .to_be_bytes()
        .get(8 - length..)
        .unwrap_or_default()
        .to_vec()
}
