//! Doubles as texts of a limited width, which keep as many digits as fit.
//!
//! Between fixed and exponent notation the one that shows more digits is taken, as MySQL does for a
//! DOUBLE stored into a column of characters.

use binlog::value::{float_text, shortest_even};

/// From here on large and small numbers have an exponent even when they would fit.
const FIXED_DIGITS_MAX: i64 = 15;

/// Significant digits and the place of the point before them.
struct Digits {
    text: String,
    point: i64,
}

impl Digits {
    fn len(&self) -> i64 {
        i64::try_from(self.text.len()).unwrap_or(i64::MAX)
    }

    /// The shortest digits that mean `value`, at most `most` of them.
    fn shortest(value: f64, most: i64) -> Self {
        let digits = Self::of_exponent(&shortest_even(value));
        if digits.len() <= most.max(1) {
            return digits;
        }
        let places = usize::try_from(most.max(1) - 1).unwrap_or(0);
        Self::of_exponent(&format!("{value:.places$e}"))
    }

    /// Digits of `d.ddde±x`.
    fn of_exponent(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let trimmed = digits.trim_end_matches('0');
        Self {
            text: if trimmed.is_empty() { "0" } else { trimmed }.to_owned(),
            point: exponent.parse::<i64>().unwrap_or(0) + 1,
        }
    }

    /// The digits of `value` up to `places` behind the point; none for what rounds to zero.
    fn fixed(value: f64, places: i64) -> Self {
        let places = usize::try_from(places.max(0)).unwrap_or(0);
        let text = format!("{value:.places$}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let point = i64::try_from(whole.len()).unwrap_or(0) - i64::try_from(leading).unwrap_or(0);
        Self {
            text: significant.trim_end_matches('0').to_owned(),
            point,
        }
    }
}

/// Characters of a computed DOUBLE.
const DOUBLE_WIDTH: usize = 22;
/// Characters of a computed FLOAT.
const FLOAT_WIDTH: usize = 12;

/// A DOUBLE as functions read it, which is shorter than what a client is shown.
#[must_use]
pub fn computed(value: f64) -> String {
    fitted(value, DOUBLE_WIDTH).0
}

/// A FLOAT as functions read it: six digits.
#[must_use]
pub fn computed_float(value: f32) -> String {
    let shown: f64 = float_text(value).parse().unwrap_or(0.0);
    fitted(shown, FLOAT_WIDTH).0
}

/// The text of `value` in at most `width` characters, and whether the number did not fit.
#[must_use]
pub fn fitted(value: f64, width: usize) -> (String, bool) {
    if !value.is_finite() {
        return ("0".to_owned(), true);
    }
    let whole_width = width;
    let mut width = i64::try_from(width).unwrap_or(i64::MAX);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    width -= i64::from(value < 0.0);
    let magnitude = value.abs();
    let digits = match magnitude == 0.0 {
        true => Digits {
            text: "0".to_owned(),
            point: 1,
        },
        false => Digits::shortest(magnitude, width),
    };
    let (text, overflows) = match is_fixed(&digits, width) {
        true => fixed(magnitude, digits, width),
        false => exponent(magnitude, digits, width),
    };
    let mut text = match text.as_str() {
        // What rounds to zero has no sign, but a negative zero has.
        "0" if magnitude > 0.0 => text,
        _ => format!("{sign}{text}"),
    };
    text.truncate(whole_width);
    (text, overflows)
}

fn is_fixed(digits: &Digits, width: i64) -> bool {
    let (point, len) = (digits.point, digits.len());
    let exponent_digits =
        1 + i64::from(point >= 101 || point <= -99) + i64::from(point >= 11 || point <= -9);
    let needed = match point {
        ..=0 => len - point + 2,
        _ if point < len => len + 1,
        _ => point,
    };
    let has_space = needed <= width;
    let shows_nothing = point <= 0 && width <= 2 - point && width >= 3 + exponent_digits;
    let is_better = (-2..=width).contains(&point) && !shows_nothing;
    let in_bounds = point > -FIXED_DIGITS_MAX && (point <= FIXED_DIGITS_MAX || len > point);
    (has_space || is_better) && (!has_space || in_bounds)
}

fn fixed(value: f64, mut digits: Digits, width: i64) -> (String, bool) {
    let mut room = width - i64::from(digits.point < digits.len());
    if digits.point <= 0 {
        room -= 1 - digits.point;
    }
    let mut overflows = false;
    if room < digits.len() {
        if room < digits.point {
            overflows = true;
            room = digits.point;
        }
        digits = Digits::fixed(value, room - digits.point);
    }
    if digits.text.is_empty() {
        return ("0".to_owned(), overflows);
    }
    let Digits { text, point } = digits;
    let length = |count: i64| usize::try_from(count).unwrap_or(0);
    let text = match usize::try_from(point) {
        Ok(0) | Err(_) => format!("0.{}{text}", "0".repeat(length(-point))),
        Ok(point) if point < text.len() => {
            let (whole, fraction) = text.split_at(point);
            format!("{whole}.{fraction}")
        }
        Ok(point) => format!("{text}{}", "0".repeat(point - text.len())),
    };
    (text, overflows)
}

fn exponent(value: f64, mut digits: Digits, width: i64) -> (String, bool) {
    let exponent_digits = 1
        + i64::from(digits.point >= 101 || digits.point <= -99)
        + i64::from(digits.point >= 11 || digits.point <= -9);
    let mut room = width - i64::from(digits.point < 1) - 1 - exponent_digits;
    room -= i64::from(digits.len() > 1);
    let overflows = room <= 0;
    let room = room.max(0);
    if room < digits.len() {
        digits = Digits::shortest(value, room);
    }
    let (first, rest) = digits.text.split_at_checked(1).unwrap_or(("0", ""));
    let point = if rest.is_empty() { "" } else { "." };
    (
        format!("{first}{point}{rest}e{}", digits.point - 1),
        overflows,
    )
}
