//! Strings as codes: hexadecimal, base64, characters by number, quoting and number formats.

use std::fmt::Write as _;

use super::math::to_base_text;
use crate::expr::function::Call;
use crate::expr::types::Kind;
use crate::value::datum::{Datum, Integer};
use sql::error::SqlError;

pub(super) fn char(call: &Call<'_>) -> Result<Datum, SqlError> {
    let mut out = Vec::new();
    for index in 0..call.count() {
        if call.arg(index).is_null() {
            continue;
        }
        let bytes = u32::try_from(call.integer(index)?.bits() & 0xffff_ffff)
            .unwrap_or(0)
            .to_be_bytes();
        let skip = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
        out.extend_from_slice(bytes.get(skip..).unwrap_or_default());
    }
    Ok(Datum::Text(out))
}

pub(super) fn format(call: &Call<'_>) -> Result<Datum, SqlError> {
    let places = call.int(1)?.clamp(0, 30);
    let places32 = i32::try_from(places).unwrap_or(0);
    let exact = match call.kind(0) {
        Kind::Double | Kind::Float | Kind::Text => {
            let width = usize::try_from(places).unwrap_or(0);
            format!("{:.width$}", call.f64(0)?)
        }
        _ => {
            let value = call.decimal(0)?;
            value.round(places32).unwrap_or(value).to_string()
        }
    };
    let (sign, digits) = exact
        .strip_prefix('-')
        .map_or(("", exact.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(w, f)| (w, f));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if places > 0 {
        out.push('.');
        out.push_str(fraction);
    }
    Ok(Datum::text(out))
}

pub(super) fn hex(call: &Call<'_>) -> Result<Datum, SqlError> {
    let kind = call.kind(0);
    if kind.is_integer() || matches!(kind, Kind::Decimal | Kind::Double | Kind::Float) {
        let bits = match call.integer(0)? {
            Integer::Signed(value) => value.cast_unsigned(),
            Integer::Unsigned(value) => value,
        };
        return Ok(Datum::text(to_base_text(bits, 16)));
    }
    let bytes = call.own_bytes(0);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes.iter() {
        let _ = write!(text, "{byte:02X}");
    }
    Ok(Datum::text(text))
}

pub(super) fn unhex(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = call.text(0);
    let padded = if text.len().is_multiple_of(2) {
        text.into_owned()
    } else {
        format!("0{text}")
    };
    let pairs = padded.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| {
            let digits = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| !pair.starts_with('+'))?;
            u8::from_str_radix(digits, 16).ok()
        })
        .collect();
    match bytes {
        Some(bytes) => Ok(Datum::Text(bytes)),
        None => {
            let message = format!(
                "Incorrect string value: '{}' for function unhex",
                call.text(0)
            );
            call.env.complain(SqlError::new(1411, "HY000", message))?;
            Ok(Datum::Null)
        }
    }
}

pub(super) fn to_base64(call: &Call<'_>) -> Result<Datum, SqlError> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(call.own_bytes(0));
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(76)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    Ok(Datum::text(lines.join("\n")))
}

pub(super) fn from_base64(call: &Call<'_>) -> Result<Datum, SqlError> {
    use base64::Engine as _;
    let text: Vec<u8> = call
        .bytes(0)
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let decoded = base64::engine::general_purpose::STANDARD.decode(text).ok();
    Ok(Datum::from_option(decoded.map(Datum::Text)))
}

pub(super) fn quote(call: &Call<'_>) -> Result<Datum, SqlError> {
    if call.arg(0).is_null() {
        return Ok(Datum::text("NULL"));
    }
    let mut out = vec![b'\''];
    for byte in call.bytes(0).iter() {
        match byte {
            b'\'' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0 => out.extend_from_slice(b"\\0"),
            0x1a => out.extend_from_slice(b"\\Z"),
            other => out.push(*other),
        }
    }
    out.push(b'\'');
    Ok(Datum::Text(out))
}

pub(super) fn ord(call: &Call<'_>) -> Result<Datum, SqlError> {
    let text = call.own_bytes(0);
    let length = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.chars().next())
        .map_or(1, char::len_utf8);
    let first = text.get(..length).unwrap_or_default();
    Ok(Datum::Int(
        first
            .iter()
            .fold(0, |sum, byte| sum << 8 | i64::from(*byte)),
    ))
}
