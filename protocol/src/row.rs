//! Rows of result sets: text rows of COM_QUERY, binary rows of COM_STMT_EXECUTE.
//!
//! The cells are protocol's own; what they mean is for the columns to say. A binary cell must be
//! of the kind that its column's type has on the wire, or the client misreads the row.
//!
//! Spec: mysql-server 8.4, "Protocol::ResultsetRow", "Binary Protocol Resultset Row".

use codec::{DecodeError, Reader, Write as _};

/// A cell of a binary row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BinaryCell<'a> {
    /// NULL.
    Null,
    /// TINYINT.
    Tiny(u8),
    /// SMALLINT and YEAR.
    Short(u16),
    /// INT and MEDIUMINT, sign-extended.
    Long(u32),
    /// BIGINT.
    LongLong(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// Everything that is sent as a string: text, blobs, DECIMAL, JSON, BIT, ENUM, SET.
    Bytes(&'a [u8]),
    /// DATE, DATETIME and TIMESTAMP.
    DateTime(DateTimeParts),
    /// TIME.
    Time(TimeParts),
}

/// A date, with or without a time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DateTimeParts {
    /// Year, 0 to 9999.
    pub year: u16,
    /// Month, 0 to 12.
    pub month: u8,
    /// Day, 0 to 31.
    pub day: u8,
    /// Hour.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
    /// Microseconds.
    pub micros: u32,
    /// Minutes east of UTC, where a parameter says so.
    pub offset: Option<i16>,
}

/// A TIME: a span of up to 838 hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeParts {
    /// Whether the span is negative.
    pub is_negative: bool,
    /// Whole days.
    pub days: u32,
    /// Hour of the day.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
    /// Microseconds.
    pub micros: u32,
}

/// Appends a text row. `None` is NULL.
pub(crate) fn encode_text(out: &mut Vec<u8>, cells: &[Option<&[u8]>]) {
    for cell in cells {
        match cell {
            Some(bytes) => out.put_lenenc_bytes(bytes),
            None => out.put_u8(0xfb),
        }
    }
}

/// Reads a text row of `columns` cells.
pub(crate) fn decode_text(
    payload: &[u8],
    columns: usize,
) -> Result<Vec<Option<Vec<u8>>>, DecodeError> {
    let mut reader = Reader::new(payload);
    let mut row = Vec::with_capacity(columns.min(payload.len()));
    for _ in 0..columns {
        row.push(match reader.lenenc_or_null("cell length")? {
            Some(len) => Some(reader.bytes_u64(len, "cell")?.to_vec()),
            None => None,
        });
    }
    reader.finish("text row")?;
    Ok(row)
}

/// Appends a binary row: 0x00, NULL bitmap that starts at bit 2, values that are not NULL.
pub(crate) fn encode_binary(out: &mut Vec<u8>, cells: &[BinaryCell<'_>]) {
    out.put_u8(0);
    let bitmap = out.len();
    out.resize(bitmap + (cells.len() + 2).div_ceil(8), 0);
    for (index, cell) in cells.iter().enumerate() {
        if *cell == BinaryCell::Null {
            let bit = index + 2;
            if let Some(byte) = out.get_mut(bitmap + bit / 8) {
                *byte |= 1 << (bit % 8);
            }
        }
        encode_cell(out, cell);
    }
}

fn encode_cell(out: &mut Vec<u8>, cell: &BinaryCell<'_>) {
    match *cell {
        BinaryCell::Null => {}
        BinaryCell::Tiny(value) => out.put_u8(value),
        BinaryCell::Short(value) => out.put_u16(value),
        BinaryCell::Long(value) => out.put_u32(value),
        BinaryCell::LongLong(value) => out.put_u64(value),
        BinaryCell::Float(value) => out.put(&value.to_le_bytes()),
        BinaryCell::Double(value) => out.put(&value.to_le_bytes()),
        BinaryCell::Bytes(bytes) => out.put_lenenc_bytes(bytes),
        BinaryCell::DateTime(parts) => encode_date_time(out, &parts),
        BinaryCell::Time(parts) => encode_time(out, &parts),
    }
}

/// Length 0, 4, 7 or 11: without what is zero at the end.
fn encode_date_time(out: &mut Vec<u8>, parts: &DateTimeParts) {
    let has_time = parts.hour != 0 || parts.minute != 0 || parts.second != 0;
    let len = match (parts.micros != 0, has_time) {
        (true, _) => 11,
        (false, true) => 7,
        (false, false) if parts.year == 0 && parts.month == 0 && parts.day == 0 => 0,
        (false, false) => 4,
    };
    out.put_u8(len);
    if len >= 4 {
        out.put_u16(parts.year);
        out.put(&[parts.month, parts.day]);
    }
    if len >= 7 {
        out.put(&[parts.hour, parts.minute, parts.second]);
    }
    if len == 11 {
        out.put_u32(parts.micros);
    }
}

/// Length 0, 8 or 12: without what is zero at the end.
fn encode_time(out: &mut Vec<u8>, parts: &TimeParts) {
    let is_zero = parts.days == 0 && parts.hour == 0 && parts.minute == 0 && parts.second == 0;
    let len = match (parts.micros != 0, is_zero) {
        (true, _) => 12,
        (false, false) => 8,
        (false, true) => 0,
    };
    out.put_u8(len);
    if len >= 8 {
        out.put_u8(u8::from(parts.is_negative));
        out.put_u32(parts.days);
        out.put(&[parts.hour, parts.minute, parts.second]);
    }
    if len == 12 {
        out.put_u32(parts.micros);
    }
}

/// Reads the body of a date parameter, `reader` being what its length byte announced.
pub(crate) fn decode_date_time(mut reader: Reader<'_>) -> Result<DateTimeParts, DecodeError> {
    let mut parts = DateTimeParts::default();
    if !reader.is_empty() {
        parts.year = reader.u16("year")?;
        parts.month = reader.u8("month")?;
        parts.day = reader.u8("day")?;
    }
    if !reader.is_empty() {
        parts.hour = reader.u8("hour")?;
        parts.minute = reader.u8("minute")?;
        parts.second = reader.u8("second")?;
    }
    if !reader.is_empty() {
        parts.micros = reader.u32("microseconds")?;
    }
    if !reader.is_empty() {
        parts.offset = Some(reader.u16("offset")?.cast_signed());
    }
    reader.finish("date parameter")?;
    Ok(parts)
}

/// Reads the body of a DATE parameter, which has no time of day.
pub(crate) fn decode_date(mut reader: Reader<'_>) -> Result<DateTimeParts, DecodeError> {
    let mut parts = DateTimeParts::default();
    if !reader.is_empty() {
        parts.year = reader.u16("year")?;
        parts.month = reader.u8("month")?;
        parts.day = reader.u8("day")?;
    }
    reader.finish("date parameter")?;
    Ok(parts)
}

/// Reads the body of a time parameter, `reader` being what its length byte announced.
pub(crate) fn decode_time(mut reader: Reader<'_>) -> Result<TimeParts, DecodeError> {
    let mut parts = TimeParts::default();
    if !reader.is_empty() {
        parts.is_negative = reader.u8("sign")? != 0;
        parts.days = reader.u32("days")?;
        parts.hour = reader.u8("hour")?;
        parts.minute = reader.u8("minute")?;
        parts.second = reader.u8("second")?;
    }
    if !reader.is_empty() {
        parts.micros = reader.u32("microseconds")?;
    }
    reader.finish("time parameter")?;
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_a_binary_row_with_its_null_bitmap() {
        let mut out = Vec::new();
        let date = DateTimeParts {
            year: 2026,
            month: 11,
            day: 21,
            ..DateTimeParts::default()
        };
        let cells = [
            BinaryCell::Long(7),
            BinaryCell::Null,
            BinaryCell::Bytes(b"ab"),
            BinaryCell::DateTime(date),
            BinaryCell::DateTime(DateTimeParts::default()),
            BinaryCell::Time(TimeParts::default()),
            BinaryCell::Null,
        ];
        encode_binary(&mut out, &cells);
        let expected = [
            0,
            0b0000_1000,
            1,
            7,
            0,
            0,
            0,
            2,
            b'a',
            b'b',
            4,
            0xea,
            7,
            11,
            21,
            0,
            0,
        ];
        assert_eq!(out, expected);
    }

    proptest! {
        #[test]
        fn text_rows_round_trip(row: Vec<Option<Vec<u8>>>) {
            let cells: Vec<_> = row.iter().map(Option::as_deref).collect();
            let mut out = Vec::new();
            encode_text(&mut out, &cells);
            prop_assert_eq!(decode_text(&out, row.len()).unwrap(), row);
        }

        #[test]
        fn times_round_trip(is_negative: bool, days: u32, hour: u8, minute: u8, second: u8, micros: u32) {
            let any = days != 0 || hour != 0 || minute != 0 || second != 0 || micros != 0;
            let parts = TimeParts { is_negative: is_negative && any, days, hour, minute, second, micros };
            let mut out = Vec::new();
            encode_time(&mut out, &parts);
            prop_assert_eq!(decode_time(Reader::new(&out[1..])).unwrap(), parts);
            prop_assert_eq!(usize::from(out[0]), out.len() - 1);
        }

        #[test]
        fn dates_round_trip(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8, micros: u32) {
            let parts = DateTimeParts { year, month, day, hour, minute, second, micros, offset: None };
            let mut out = Vec::new();
            encode_date_time(&mut out, &parts);
            prop_assert_eq!(decode_date_time(Reader::new(&out[1..])).unwrap(), parts);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, columns in 0usize..50) {
            let _ = decode_text(&bytes, columns);
            let _ = decode_date_time(Reader::new(&bytes));
            let _ = decode_time(Reader::new(&bytes));
        }
    }
}
