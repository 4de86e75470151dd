//! Text of columns in every charset.

use charset::Charset;

use super::Verdict;
use crate::seeds::Seed;

/// Takes a byte that chooses the charset, and text.
pub fn charset(input: &[u8]) -> Verdict {
    let Some((&number, bytes)) = input.split_first() else {
        return Verdict::Refused;
    };
    let all = Charset::all();
    let Some(charset) = all.get(usize::from(number) % all.len()) else {
        return Verdict::Refused;
    };
    let text = charset.decode(bytes);
    if let Some(text) = &text {
        assert!(
            text.chars().count() <= bytes.len(),
            "more characters than bytes"
        );
        if charset.is_utf8() {
            assert_eq!(text.as_bytes(), bytes);
        }
    }
    Verdict::from_bool(text.is_some())
}

/// Some letters for each charset, in forms that one or the other of them has.
#[must_use]
pub fn charset_seeds() -> Vec<Seed> {
    const TEXTS: [&[u8]; 7] = [
        b"plain text",
        b"\xe4\xb8\xad\xe6\x96\x87 \xc3\xa4",
        b"\xd6\xd0\xce\xc4\x81\x30\x81\x30",
        b"\x93\xfa\x96\x7b\xb1\xb2",
        b"\x8f\xb0\xa1\xa4\xa2\x8e\xb1",
        b"\0\0\0a\0\x01\xf6\0",
        b"\0a\x4e\x2d\xd8\x3d\xde\0",
    ];
    let mut seeds = Vec::new();
    for (number, charset) in (0_u8..).zip(Charset::all()) {
        for text in TEXTS {
            seeds.push(Seed::bytes(charset.name(), [&[number], text].concat()));
        }
    }
    seeds
}
