//! Floating-point numbers as MySQL prints them.
//!
//! MySQL prints the shortest digits that read back as the same number, with an exponent when the
//! decimal point would be more than 15 digits away from the first digit, unless digits follow it.
//!
//! Spec: mysql-server 8.4, strings/dtoa.cc, `my_gcvt`.

/// Digits before or after the point beyond which MySQL switches to an exponent (its `DBL_DIG`).
const POINT_MAX: i32 = 15;

/// From so many digits on the shortest digits may lie between two numbers.
const TIE_DIGITS: usize = 15;

/// A DOUBLE as MySQL prints it. Infinities and NaN, which MySQL never stores, print as 0.
#[must_use]
pub fn double_text(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    // Where no exponent comes into it, these are the shortest digits as they are.
    if (1e-9..1e15).contains(&value.abs()) {
        let shortest = value.to_string();
        if shortest.len() < TIE_DIGITS {
            return shortest;
        }
    }
    arrange(&shortest_even(value))
}

/// The shortest digits that read back as `value`, as `[-]d.ddde[-]x`. Of two that are as near as each
/// other, the one that ends in an even digit.
#[must_use]
pub fn shortest_even(value: f64) -> String {
    let shortest = format!("{value:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    if digits < TIE_DIGITS {
        return shortest;
    }
    let rounded = format!("{value:.places$e}", places = digits - 1);
    match rounded.parse() == Ok(value) {
        true => rounded,
        false => shortest,
    }
}

/// A FLOAT as MySQL prints it: at most 6 significant digits.
#[must_use]
pub fn float_text(value: f32) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|&byte| byte != b'e');
    // The smallest numbers have fewer digits that mean them than MySQL shows.
    if !value.is_subnormal() && digits.filter(u8::is_ascii_digit).count() <= 6 {
        return arrange(&shortest);
    }
    arrange(&format!("{value:.5e}"))
}

/// Lays out `[-]d.ddde[-]x` as MySQL does.
fn arrange(scientific: &str) -> String {
    let (sign, unsigned) = match scientific.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", scientific),
    };
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (head, tail) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let tail = tail.trim_end_matches('0');
    let digits = format!("{head}{tail}");
    if digits == "0" {
        return format!("{sign}0");
    }
    // MySQL's `decpt`: digits before the point.
    let point = exponent + 1;
    let has_fraction = i32::try_from(digits.len()).is_ok_and(|len| len > point);
    if point < 1 - POINT_MAX || (point > POINT_MAX && !has_fraction) {
        let dot = if tail.is_empty() { "" } else { "." };
        return format!("{sign}{head}{dot}{tail}e{exponent}");
    }
    match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{sign}{digits:0<point$}"),
        Ok(point) if point > 0 => {
            let (whole, fraction) = digits.split_at(point);
            format!("{sign}{whole}.{fraction}")
        }
        _ => {
            let zeros = usize::try_from(-point).unwrap_or(0);
            format!("{sign}0.{:0<zeros$}{digits}", "")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_doubles_as_mysql() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (1e14, "100000000000000"),
            (1e15, "1e15"),
            (1e20, "1e20"),
            (9_007_199_254_740_992.0, "9.007199254740992e15"),
            (3_002_399_751_580_330.5, "3002399751580330.5"),
            (1.25e-5, "0.0000125"),
            (1e-20, "1e-20"),
            (123_456_789_012_345.0, "123456789012345"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e308"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }

    #[test]
    fn numbers_without_an_exponent_need_no_arranging() {
        let mut number = 1.234_567_891_234_567_8e-9;
        while number < 1e15 {
            for value in [number, -number, f64::trunc(number), number / 3.0] {
                assert_eq!(double_text(value), arrange(&format!("{value:e}")));
            }
            number *= 7.1;
        }
    }

    #[test]
    fn prints_floats_with_six_digits() {
        for (value, text) in [
            (0.1_f32, "0.1"),
            (3.402_823_5e38, "3.40282e38"),
            (123_456.7, "123457"),
            (16_777_216.0, "16777200"),
        ] {
            assert_eq!(float_text(value), text);
        }
    }
}
