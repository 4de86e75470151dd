//! Layouts of dates and times in row images, those of before MySQL 5.6 too.
//!
//! Spec: mysql-server 9.7, mysys/my_time.cc.

use codec::{DecodeError, Reader, Write};

use crate::value::{Date, DateTime, Time};

/// Added to a packed DATETIME's 40 bits so that they sort as unsigned.
const DATETIME_BIAS: u64 = 0x80_0000_0000;

/// Added to a packed TIME's first 3 bytes.
const TIME_BIAS: u64 = 0x80_0000;

/// DATE: 5 bits of day, 4 of month, 15 of year.
pub(super) fn date(packed: u32) -> Date {
    let [day, ..] = (packed & 31).to_le_bytes();
    let [month, ..] = (packed >> 5 & 15).to_le_bytes();
    let [low, high, ..] = (packed >> 9).to_le_bytes();
    let year = u16::from_le_bytes([low, high]);
    Date { year, month, day }
}

/// Reverses [`date`]; `None` when a field has more bits than its place.
pub(super) fn pack_date(date: Date) -> Option<u32> {
    let fits = date.year < 1 << 15 && date.month < 16 && date.day < 32;
    fits.then(|| u32::from(date.year) << 9 | u32::from(date.month) << 5 | u32::from(date.day))
}

/// Bytes of a fraction of `fsp` digits.
pub(super) const fn fraction_len(fsp: u8) -> usize {
    fsp.div_ceil(2) as usize
}

/// Reads a fraction, as microseconds.
#[inline]
pub(super) fn fraction(reader: &mut Reader<'_>, fsp: u8) -> Result<u32, DecodeError> {
    let len = fraction_len(fsp);
    let offset = reader.offset();
    let what = "fraction of a second";
    let units = match len {
        0 => return Ok(0),
        1 => u64::from(reader.u8(what)?),
        2 => u64::from(u16::from_be_bytes(reader.array(what)?)),
        _ => {
            let [a, b, c] = reader.array(what)?;
            u64::from(u32::from_be_bytes([0, a, b, c]))
        }
    };
    let micros = units * unit_micros(len);
    u32::try_from(micros)
        .ok()
        .filter(|&micros| micros < 1_000_000)
        .ok_or_else(|| {
            DecodeError::invalid("fraction of a second", offset, units, "less than a second")
        })
}

pub(super) fn put_fraction(out: &mut Vec<u8>, micros: u32, fsp: u8) {
    let len = fraction_len(fsp);
    out.put_uint_be(u64::from(micros) / unit_micros(len), len);
}

/// Microseconds per unit of a fraction of `len` bytes.
pub(super) const fn unit_micros(len: usize) -> u64 {
    match len {
        1 => 10_000,
        2 => 100,
        _ => 1,
    }
}

#[inline]
pub(super) fn datetime(reader: &mut Reader<'_>, fsp: u8) -> Result<DateTime, DecodeError> {
    let offset = reader.offset();
    let [a, b, c, d, e] = reader.array("DATETIME")?;
    let biased = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
    let packed = biased
        .checked_sub(DATETIME_BIAS)
        .ok_or_else(|| DecodeError::invalid("DATETIME", offset, biased, "not negative"))?;
    let mut value = DateTime::from_packed((packed << 24).cast_signed());
    value.micros = fraction(reader, fsp)?;
    Ok(value)
}

pub(super) fn time(reader: &mut Reader<'_>, fsp: u8) -> Result<Time, DecodeError> {
    let len = fraction_len(fsp);
    let shift = 8 * u32::try_from(len).unwrap_or(0);
    let offset = reader.offset();
    let biased = reader.uint_be(3 + len, "TIME")?;
    // The sign is of the whole number, fraction included.
    let signed = biased.cast_signed() - (TIME_BIAS << shift).cast_signed();
    let magnitude = signed.unsigned_abs();
    let units = magnitude & ((1 << shift) - 1);
    let micros = units * unit_micros(len);
    if micros >= 1_000_000 {
        let expected = "less than a second";
        return Err(DecodeError::invalid(
            "fraction of a second",
            offset,
            units,
            expected,
        ));
    }
    let whole = (magnitude >> shift) << 24 | micros;
    let mut time = Time::from_packed(whole.cast_signed());
    time.negative = signed < 0;
    Ok(time)
}

/// Appends a DATETIME; nothing and `None` when a field is out of its range.
pub(super) fn put_datetime(out: &mut Vec<u8>, value: DateTime, fsp: u8) -> Option<()> {
    let fits = value.year <= 9999
        && value.month <= 12
        && value.day < 32
        && value.hour < 32
        && value.minute < 64
        && value.second < 64
        && value.micros < 1_000_000;
    if !fits {
        return None;
    }
    let packed = value.packed().cast_unsigned() >> 24;
    out.put_uint_be(packed + DATETIME_BIAS, 5);
    put_fraction(out, value.micros, fsp);
    Some(())
}

/// Appends a TIME; nothing and `None` when a field is out of its range.
pub(super) fn put_time(out: &mut Vec<u8>, time: Time, fsp: u8) -> Option<()> {
    let fits =
        time.hours < 1 << 10 && time.minutes < 64 && time.seconds < 64 && time.micros < 1_000_000;
    if !fits {
        return None;
    }
    let len = fraction_len(fsp);
    let shift = 8 * u32::try_from(len).unwrap_or(0);
    let whole =
        u64::from(time.hours) << 12 | u64::from(time.minutes) << 6 | u64::from(time.seconds);
    let magnitude = (whole << shift) | (u64::from(time.micros) / unit_micros(len));
    let bias = TIME_BIAS << shift;
    let biased = if time.negative {
        bias - magnitude
    } else {
        bias + magnitude
    };
    out.put_uint_be(biased, 3 + len);
    Some(())
}

/// What is wrong with an old temporal value; a fraction, of which the log says nothing, moves its
/// fields.
const OLD_EXPECTED: &str = "a value without a fraction, which this old format cannot tell";

/// TIME of MySQL 5.5 and older: signed decimal HHMMSS in 3 bytes.
pub(super) fn time_old(reader: &mut Reader<'_>) -> Result<Time, DecodeError> {
    let offset = reader.offset();
    let raw = reader.u24("TIME")?;
    let signed = (raw << 8).cast_signed() >> 8;
    let digits = signed.unsigned_abs();
    let [low_hour, high_hour, ..] = (digits / 10_000).to_le_bytes();
    let [minutes, ..] = (digits / 100 % 100).to_le_bytes();
    let [seconds, ..] = (digits % 100).to_le_bytes();
    let time = Time {
        negative: signed < 0,
        hours: u16::from_le_bytes([low_hour, high_hour]),
        minutes,
        seconds,
        micros: 0,
    };
    if time.hours > 838 || minutes > 59 || seconds > 59 {
        let found = u64::from(raw);
        return Err(DecodeError::invalid("TIME", offset, found, OLD_EXPECTED));
    }
    Ok(time)
}

/// Reverses [`time_old`]; nothing and `None` when a field is out of its range.
pub(super) fn put_time_old(out: &mut Vec<u8>, time: Time) -> Option<()> {
    if time.hours > 838 || time.minutes > 59 || time.seconds > 59 {
        return None;
    }
    let digits =
        u32::from(time.hours) * 10_000 + u32::from(time.minutes) * 100 + u32::from(time.seconds);
    out.put_u24(match time.negative {
        true => digits.wrapping_neg() & 0xff_ffff,
        false => digits,
    });
    Some(())
}

/// DATETIME of MySQL 5.5 and older: decimal YYYYMMDDhhmmss in 8 bytes.
pub(super) fn datetime_old(reader: &mut Reader<'_>) -> Result<DateTime, DecodeError> {
    let offset = reader.offset();
    let digits = reader.u64("DATETIME")?;
    let invalid = || DecodeError::invalid("DATETIME", offset, digits, OLD_EXPECTED);
    let pair = |divisor: u64, most: u8| {
        u8::try_from(digits / divisor % 100)
            .ok()
            .filter(|&value| value <= most)
            .ok_or_else(invalid)
    };
    Ok(DateTime {
        year: u16::try_from(digits / 10_000_000_000)
            .ok()
            .filter(|&year| year <= 9999)
            .ok_or_else(invalid)?,
        month: pair(100_000_000, 12)?,
        day: pair(1_000_000, 31)?,
        hour: pair(10_000, 23)?,
        minute: pair(100, 59)?,
        second: pair(1, 59)?,
        micros: 0,
    })
}

/// Reverses [`datetime_old`]; nothing and `None` when a field is out of its range.
pub(super) fn put_datetime_old(out: &mut Vec<u8>, value: DateTime) -> Option<()> {
    let fits = value.year <= 9999
        && value.month <= 12
        && value.day <= 31
        && value.hour <= 23
        && value.minute <= 59
        && value.second <= 59;
    if !fits {
        return None;
    }
    let date = u64::from(value.year) * 10_000 + u64::from(value.month) * 100 + u64::from(value.day);
    let time =
        u64::from(value.hour) * 10_000 + u64::from(value.minute) * 100 + u64::from(value.second);
    out.put_u64(date * 1_000_000 + time);
    Some(())
}
