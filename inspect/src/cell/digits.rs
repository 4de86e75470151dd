//! Numbers and moments as bytes of text, without a `String` on the way.

use binlog::value::{Date, DateTime, Time};

/// The two digits of every number below 100.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    let (mut tens, mut ones) = (b'0', b'0');
    while number < 100 {
        pairs[number] = [tens, ones];
        if ones == b'9' {
            ones = b'0';
            tens += 1;
        } else {
            ones += 1;
        }
        number += 1;
    }
    pairs
};

/// The two lower-case hexadecimal digits of every byte.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
const HEX: [[u8; 2]; 256] = {
    let symbols = *b"0123456789abcdef";
    let mut pairs = [[b'0'; 2]; 256];
    let mut number = 0;
    while number < 256 {
        pairs[number] = [symbols[number >> 4], symbols[number & 15]];
        number += 1;
    }
    pairs
};

/// The two digits of a number below 100; of a larger one its last two.
fn pair(number: u64) -> [u8; 2] {
    let index = usize::try_from(number % 100).unwrap_or(0);
    PAIRS.get(index).copied().unwrap_or_default()
}

/// Appends a number.
pub(crate) fn put_u64(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut left = number;
    let mut used = 0;
    for slot in digits.rchunks_exact_mut(2) {
        slot.copy_from_slice(&pair(left));
        used += 2;
        left /= 100;
        if left == 0 {
            break;
        }
    }
    let start = digits.len().saturating_sub(used);
    let text = digits.get(start..).unwrap_or_default();
    match text {
        [b'0', rest @ ..] if !rest.is_empty() => out.extend_from_slice(rest),
        _ => out.extend_from_slice(text),
    }
}

/// Appends a number with its sign.
pub(crate) fn put_i64(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    put_u64(out, number.unsigned_abs());
}

/// Appends at least two digits.
pub(crate) fn put_two(out: &mut Vec<u8>, number: u64) {
    match number {
        0..100 => out.extend_from_slice(&pair(number)),
        _ => put_u64(out, number),
    }
}

/// Appends at least four digits.
pub(crate) fn put_four(out: &mut Vec<u8>, number: u64) {
    match number {
        0..10_000 => {
            let ([a, b], [c, d]) = (pair(number / 100), pair(number));
            out.extend_from_slice(&[a, b, c, d]);
        }
        _ => put_u64(out, number),
    }
}

/// Appends `YYYY-MM-DD`.
pub(crate) fn put_date(out: &mut Vec<u8>, date: Date) {
    let ([a, b], [c, d]) = (pair(u64::from(date.year) / 100), pair(date.year.into()));
    let ([e, f], [g, h]) = (pair(date.month.into()), pair(date.day.into()));
    out.extend_from_slice(&[a, b, c, d, b'-', e, f, b'-', g, h]);
}

/// Appends `YYYY-MM-DD HH:MM:SS` and `fsp` digits of the fraction.
pub(crate) fn put_datetime(out: &mut Vec<u8>, moment: DateTime, fsp: u8) {
    put_date(out, moment.date());
    let ([a, b], [c, d]) = (pair(moment.hour.into()), pair(moment.minute.into()));
    let [e, f] = pair(moment.second.into());
    out.extend_from_slice(&[b' ', a, b, b':', c, d, b':', e, f]);
    put_fraction(out, moment.micros, fsp);
}

/// Appends `[-]HH:MM:SS` and `fsp` digits of the fraction.
pub(crate) fn put_time(out: &mut Vec<u8>, time: Time, fsp: u8) {
    if time.negative {
        out.push(b'-');
    }
    put_two(out, time.hours.into());
    let ([a, b], [c, d]) = (pair(time.minutes.into()), pair(time.seconds.into()));
    out.extend_from_slice(&[b':', a, b, b':', c, d]);
    put_fraction(out, time.micros, fsp);
}

/// Appends `.` and the first `fsp` of six digits; nothing when `fsp` is 0.
pub(crate) fn put_fraction(out: &mut Vec<u8>, micros: u32, fsp: u8) {
    if fsp == 0 {
        return;
    }
    let micros = u64::from(micros);
    let ([a, b], [c, d], [e, f]) = (pair(micros / 10_000), pair(micros / 100), pair(micros));
    let digits = [b'.', a, b, c, d, e, f];
    let kept = digits.get(..1 + usize::from(fsp)).unwrap_or(&digits);
    out.extend_from_slice(kept);
}

/// Appends bytes in hexadecimal.
pub(crate) fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(2 * bytes.len());
    let digits = bytes.iter().map(|&byte| HEX.get(usize::from(byte)));
    out.extend(digits.flatten().flatten());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn numbers_print_as_the_standard_library_prints_them(number: i64, small in 0_u64..20_000) {
            prop_assert_eq!(text(|out| put_i64(out, number)), number.to_string());
            prop_assert_eq!(text(|out| put_u64(out, small)), small.to_string());
            prop_assert_eq!(text(|out| put_u64(out, number.unsigned_abs())), number.unsigned_abs().to_string());
            prop_assert_eq!(text(|out| put_two(out, small)), format!("{small:02}"));
            prop_assert_eq!(text(|out| put_four(out, small)), format!("{small:04}"));
        }

        #[test]
        fn moments_print_as_their_types_do(
            negative: bool, year in 0_u16..10_000, month in 0_u8..13, day in 0_u8..32, hours in 0_u16..839,
            hour in 0_u8..24, minute in 0_u8..60, second in 0_u8..60, micros in 0_u32..1_000_000, fsp in 0_u8..7,
        ) {
            let moment = DateTime { year, month, day, hour, minute, second, micros };
            prop_assert_eq!(text(|out| put_datetime(out, moment, fsp)), moment.text(fsp));
            let time = Time { negative, hours, minutes: minute, seconds: second, micros };
            prop_assert_eq!(text(|out| put_time(out, time, fsp)), time.text(fsp));
        }
    }

    #[test]
    fn extreme_numbers_print_whole() {
        assert_eq!(text(|out| put_u64(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(text(|out| put_i64(out, i64::MIN)), i64::MIN.to_string());
        assert_eq!(text(|out| put_u64(out, 0)), "0");
        assert_eq!(text(|out| put_hex(out, &[0, 10, 255])), "000aff");
    }
}
