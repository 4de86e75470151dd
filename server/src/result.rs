//! Result sets on the wire: the engine's values as protocol cells, exactly as MySQL prints them.
//!
//! A text cell is the value's text in `character_set_results`; a binary cell has the kind that the
//! column's type has on the wire, whatever kind of number the value arrived as.

use std::borrow::Cow;

use binlog::value::{Time, Value, double_text, float_text};
use engine::collation::Charset;
use engine::outcome::{ResultColumn, ResultSet};
use engine::value::double::format_fixed;
use protocol::server::Connection;
use protocol::{BinaryCell, ColumnDefinition, DateTimeParts, TimeParts, column_type as t};

/// Which of the two row formats a result is sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// Of COM_QUERY.
    Text,
    /// Of COM_STMT_EXECUTE.
    Binary,
}

/// Begins a result set.
pub(crate) fn send_columns(
    connection: &mut Connection,
    columns: &[ResultColumn],
    charset: Option<Charset>,
    status: u16,
) {
    let columns: Vec<_> = columns.iter().map(|c| definition(c, charset)).collect();
    connection.send_result_set_header(&columns, status);
}

/// Sends rows of a result set that was begun.
pub(crate) async fn send_rows(
    connection: &mut Connection,
    result: &ResultSet,
    format: RowFormat,
    charset: Option<Charset>,
) -> Result<(), protocol::Error> {
    for row in &result.rows {
        let cells = result.columns.iter().zip(row);
        match format {
            RowFormat::Text => {
                let cells: Vec<_> = cells
                    .map(|(column, value)| text(column, value, charset))
                    .collect();
                let cells: Vec<_> = cells.iter().map(Option::as_deref).collect();
                connection.send_text_row(&cells).await?;
            }
            RowFormat::Binary => {
                let cells: Vec<_> = cells
                    .map(|(column, value)| binary(column, value, charset))
                    .collect();
                let cells: Vec<_> = cells.iter().map(Cell::borrowed).collect();
                connection.send_binary_row(&cells).await?;
            }
        }
    }
    Ok(())
}

/// A column for the wire; text columns are announced in the charset that results are sent in.
pub(crate) fn definition(column: &ResultColumn, charset: Option<Charset>) -> ColumnDefinition {
    let own = column.collation;
    let sent = match charset {
        Some(charset) if !own.is_binary() && charset != own.charset => charset.default_collation(),
        _ => own,
    };
    ColumnDefinition {
        schema: column.schema.clone(),
        table: column.table.clone(),
        org_table: column.org_table.clone(),
        name: column.name.clone(),
        org_name: column.org_name.clone(),
        charset: sent.id,
        length: column.length,
        column_type: column.type_code,
        flags: column.flags,
        decimals: column.decimals,
        default: None,
    }
}

/// The text of a cell; None for NULL.
pub(crate) fn text<'a>(
    column: &ResultColumn,
    value: &'a Value<'_>,
    charset: Option<Charset>,
) -> Option<Cow<'a, [u8]>> {
    let owned = |text: String| Some(Cow::Owned(text.into_bytes()));
    // Only temporal columns have fewer digits than the value may carry.
    let digits = column.decimals.min(6);
    match value {
        Value::Null => None,
        Value::Int(value) => owned(value.to_string()),
        Value::UInt(value) => owned(zero_filled(column, *value)),
        Value::Float(value) => owned(match column.decimals {
            31 => float_text(*value),
            decimals => format_fixed((*value).into(), decimals),
        }),
        Value::Double(value) => owned(match column.decimals {
            31 => double_text(*value),
            decimals => format_fixed(*value, decimals),
        }),
        Value::Decimal(value) => owned(value.to_string()),
        Value::Year(year) => owned(format!("{year:04}")),
        Value::Date(date) => owned(date.text()),
        Value::Time(time) => owned(time.text(digits)),
        Value::DateTime(moment) => owned(moment.text(digits)),
        Value::Timestamp(moment) => owned(moment.text_utc(digits)),
        Value::Bytes(bytes) => Some(converted(column, bytes, charset)),
        Value::Enum(value) => owned(value.to_string()),
        Value::Set(value) | Value::Bit(value) => owned(value.to_string()),
        Value::Json(bytes) | Value::JsonDiffs(bytes) => Some(Cow::Borrowed(bytes)),
    }
}

fn zero_filled(column: &ResultColumn, value: u64) -> String {
    if column.flags & protocol::column_flag::ZEROFILL == 0 {
        return value.to_string();
    }
    let width = usize::try_from(column.length).unwrap_or(0).min(255);
    format!("{value:0width$}")
}

/// Text in the charset of results; what that cannot express becomes `?`, as in MySQL.
fn converted<'a>(
    column: &ResultColumn,
    bytes: &'a [u8],
    charset: Option<Charset>,
) -> Cow<'a, [u8]> {
    let bytes = column.collation.charset.shown(bytes);
    let utf8 = matches!(
        charset,
        None | Some(Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Binary)
    );
    let Some(charset) = charset.filter(|_| !utf8 && !column.collation.is_binary()) else {
        return bytes;
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return bytes;
    };
    let encoded = match charset.encode(text) {
        Ok(Cow::Borrowed(_)) => return bytes,
        Ok(Cow::Owned(encoded)) => encoded,
        Err(_) => {
            let mut encoded = Vec::with_capacity(text.len());
            for character in text.chars() {
                let mut buffer = [0; 4];
                match charset.encode(character.encode_utf8(&mut buffer)) {
                    Ok(bytes) => encoded.extend_from_slice(&bytes),
                    Err(_) => encoded.push(b'?'),
                }
            }
            encoded
        }
    };
    Cow::Owned(encoded)
}

/// A binary cell that may own its bytes.
enum Cell<'a> {
    Plain(BinaryCell<'static>),
    Bytes(Cow<'a, [u8]>),
}

impl Cell<'_> {
    fn borrowed(&self) -> BinaryCell<'_> {
        match self {
            Cell::Plain(cell) => *cell,
            Cell::Bytes(bytes) => BinaryCell::Bytes(bytes),
        }
    }
}

fn binary<'a>(column: &ResultColumn, value: &'a Value<'_>, charset: Option<Charset>) -> Cell<'a> {
    if *value == Value::Null {
        return Cell::Plain(BinaryCell::Null);
    }
    let plain = match column.type_code {
        t::TINY => integer(value).map(|bits| {
            let [low, ..] = bits.to_le_bytes();
            BinaryCell::Tiny(low)
        }),
        t::SHORT | t::YEAR => integer(value).map(|bits| {
            let [a, b, ..] = bits.to_le_bytes();
            BinaryCell::Short(u16::from_le_bytes([a, b]))
        }),
        t::LONG | t::INT24 => integer(value).map(|bits| {
            let [a, b, c, d, ..] = bits.to_le_bytes();
            BinaryCell::Long(u32::from_le_bytes([a, b, c, d]))
        }),
        t::LONGLONG => integer(value).map(BinaryCell::LongLong),
        t::FLOAT => float(value).map(BinaryCell::Float),
        t::DOUBLE => double(value).map(BinaryCell::Double),
        t::DATE | t::DATETIME | t::TIMESTAMP => moment(value).map(BinaryCell::DateTime),
        t::TIME => match value {
            Value::Time(time) => Some(BinaryCell::Time(span(*time))),
            _ => None,
        },
        _ => None,
    };
    match plain {
        Some(cell) => Cell::Plain(cell),
        None => Cell::Bytes(text(column, value, charset).unwrap_or_default()),
    }
}

/// The value's 64 bits, sign-extended.
fn integer(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Int(value) => Some(value.cast_unsigned()),
        Value::UInt(value) | Value::Set(value) | Value::Bit(value) => Some(*value),
        Value::Year(year) => Some(u64::from(*year)),
        Value::Enum(value) => Some(u64::from(*value)),
        _ => None,
    }
}

fn float(value: &Value<'_>) -> Option<f32> {
    match value {
        Value::Float(value) => Some(*value),
        #[expect(clippy::cast_possible_truncation, reason = "the column is a FLOAT")]
        Value::Double(value) => Some(*value as f32),
        _ => None,
    }
}

fn double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(value) => Some(*value),
        Value::Float(value) => Some(f64::from(*value)),
        _ => None,
    }
}

fn moment(value: &Value<'_>) -> Option<DateTimeParts> {
    let moment = match value {
        Value::Date(date) => {
            return Some(DateTimeParts {
                year: date.year,
                month: date.month,
                day: date.day,
                ..DateTimeParts::default()
            });
        }
        Value::DateTime(moment) => *moment,
        Value::Timestamp(moment) => moment.to_utc(),
        _ => return None,
    };
    Some(DateTimeParts {
        year: moment.year,
        month: moment.month,
        day: moment.day,
        hour: moment.hour,
        minute: moment.minute,
        second: moment.second,
        micros: moment.micros,
        offset: None,
    })
}

fn span(time: Time) -> TimeParts {
    let hour = u8::try_from(time.hours % 24).unwrap_or(0);
    TimeParts {
        is_negative: time.negative,
        days: u32::from(time.hours / 24),
        hour,
        minute: time.minutes,
        second: time.seconds,
        micros: time.micros,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::collation::UTF8MB4_0900_AI_CI;

    #[test]
    fn cells_have_the_kind_of_their_column() {
        let mut column = ResultColumn::integer("a");
        assert_eq!(
            binary(&column, &Value::Int(-1), None).borrowed(),
            BinaryCell::LongLong(u64::MAX)
        );
        column.type_code = t::TINY;
        assert_eq!(
            binary(&column, &Value::Int(-1), None).borrowed(),
            BinaryCell::Tiny(255)
        );
        column.type_code = t::NEWDECIMAL;
        let decimal = Value::Decimal("1.50".parse().unwrap());
        assert_eq!(
            binary(&column, &decimal, None).borrowed(),
            BinaryCell::Bytes(b"1.50")
        );
    }

    #[test]
    fn text_is_converted_to_the_charset_of_results() {
        let column = ResultColumn::text("a", &UTF8MB4_0900_AI_CI, 5);
        let value = Value::Bytes("é→".as_bytes().into());
        assert_eq!(
            text(&column, &value, Some(Charset::Latin1))
                .unwrap()
                .as_ref(),
            b"\xe9?"
        );
        assert_eq!(
            text(&column, &value, None).unwrap().as_ref(),
            "é→".as_bytes()
        );
        assert_eq!(definition(&column, Some(Charset::Latin1)).charset, 8);
    }

    #[test]
    fn times_split_into_days() {
        let time = Time {
            negative: true,
            hours: 49,
            minutes: 1,
            seconds: 2,
            micros: 3,
        };
        let parts = span(time);
        assert_eq!((parts.days, parts.hour, parts.is_negative), (2, 1, true));
    }
}
