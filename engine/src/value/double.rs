//! Text read as a floating-point number, the way MySQL does: the longest numeric prefix counts.
//!
//! Printing is `binlog::value::double_text`.

use super::is_blank;

/// From here on nothing has an exponent.
const EXPONENT_END: u64 = 2_147_483_390;

/// Fixed notation with `decimals` digits, as ROUND and columns with a scale print: zeros behind the
/// shortest digits that mean the number, unless those are more.
pub fn format_fixed(value: f64, decimals: u8) -> String {
    let places = usize::from(decimals);
    let shortest = format!("{value}");
    let given = shortest
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    match places.checked_sub(given) {
        Some(0) => shortest,
        Some(missing) if given == 0 => format!("{shortest}.{:0<missing$}", ""),
        Some(missing) => format!("{shortest}{:0<missing$}", ""),
        None => format!("{value:.places$}"),
    }
}

/// Reads the longest numeric prefix; returns the value and the bytes used (0 for none).
pub fn parse_prefix(text: &[u8]) -> (f64, usize) {
    let start = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let rest = text.get(start..).unwrap_or_default();
    let mut end = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    let whole = count_digits(rest, end);
    end += whole;
    let mut fraction = 0;
    if rest.get(end) == Some(&b'.') {
        fraction = count_digits(rest, end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return (0.0, 0);
    }
    if matches!(rest.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(end + 1), Some(b'-' | b'+')));
        let digits = count_digits(rest, end + 1 + sign);
        if digits > 0 {
            end += 1 + sign + digits;
        }
    }
    let number = rest
        .get(..end)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    let value: f64 = number.and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let value = if value.is_infinite() {
        f64::MAX.copysign(value)
    } else {
        value
    };
    (value, start + end)
}

/// The number that all of a text is, but for blanks around it; `None` also for one beyond all doubles.
pub fn whole(text: &[u8]) -> Option<f64> {
    let (_, used) = parse_prefix(text);
    let (number, rest) = text.split_at_checked(used)?;
    let is_all = used > 0 && rest.iter().all(|byte| is_blank(*byte));
    if !is_all || has_endless_exponent(number) {
        return None;
    }
    let exact: f64 = std::str::from_utf8(number).ok()?.trim().parse().ok()?;
    exact.is_finite().then_some(exact)
}

/// Whether the exponent of a number is so great that MySQL takes it for no number, and 0 for its value.
pub fn has_endless_exponent(number: &[u8]) -> bool {
    let mut parts = number.splitn(2, |byte| matches!(byte, b'e' | b'E'));
    let digits = parts.nth(1).unwrap_or_default().iter();
    let magnitude = digits.filter(|byte| byte.is_ascii_digit());
    let exponent = magnitude.fold(0_u64, |exponent, digit| {
        exponent
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    });
    exponent >= EXPONENT_END
}

fn count_digits(text: &[u8], from: usize) -> usize {
    text.get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_numbers() {
        assert_eq!(parse_prefix(b"1.5e3x"), (1500.0, 5));
        assert_eq!(parse_prefix(b"  -7"), (-7.0, 4));
        assert_eq!(parse_prefix(b"abc"), (0.0, 0));
        assert_eq!(parse_prefix(b"1e"), (1.0, 1));
        assert_eq!(parse_prefix(b".5"), (0.5, 2));
    }
}
