//! Server versions as numbers, as version comments have them.

/// 80406 for `8.4.6-weir`, 101108 for `10.11.8-MariaDB`; a part that is missing counts as 0.
#[must_use]
pub fn version_number(version: &str) -> u32 {
    let digits = |part: &str| {
        let digits = part.bytes().take_while(u8::is_ascii_digit);
        let number = digits.fold(0_u32, |number, digit| {
            number
                .saturating_mul(10)
                .saturating_add(u32::from(digit - b'0'))
        });
        number.min(99)
    };
    let mut parts = version.splitn(3, '.').map(digits);
    let mut next = || parts.next().unwrap_or(0);
    next() * 10_000 + next() * 100 + next()
}

#[cfg(test)]
mod tests {
    use super::version_number;

    #[test]
    fn a_version_is_two_digits_for_each_part() {
        for (text, number) in [
            ("8.4.6-weir", 80_406),
            ("9.7.4", 90_704),
            ("10.11.8-MariaDB-log", 101_108),
            ("8.4", 80_400),
            ("", 0),
        ] {
            assert_eq!(version_number(text), number, "{text}");
        }
    }
}
