//! Text inside JSON quotes.

use super::digits::put_hex;

/// Whether a byte may stand in a JSON string as it is. Bytes of UTF-8 sequences may.
const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// Whether every byte of a word may stand as it is: none below a space, no quote, no backslash.
const fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// High bits of the bytes that are zero, and perhaps of some above a zero one.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    let quotes = zeros(word ^ (ONES * 0x22));
    let backslashes = zeros(word ^ (ONES * 0x5c));
    below_space | quotes | backslashes == 0
}

/// Appends a JSON string, quotes included.
pub(crate) fn put_json_text(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    put_escaped(out, text.as_bytes());
    out.push(b'"');
}

/// Appends what stands between the quotes of a JSON string. The bytes must be UTF-8.
pub(super) fn put_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let plain = plain_len(rest);
        let (copied, left) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        out.extend_from_slice(copied);
        let Some((&special, left)) = left.split_first() else {
            return;
        };
        put_special(out, special);
        rest = left;
    }
}

/// How many bytes at the front may stand as they are.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let whole = words
        .iter()
        .take_while(|word| is_plain_word(u64::from_le_bytes(**word)))
        .count();
    let start = whole * 8;
    let tail = bytes.get(start..).unwrap_or_default();
    start + tail.iter().take_while(|byte| is_plain(**byte)).count()
}

fn put_special(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u00");
            put_hex(out, &[byte]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::put_json_text;

    proptest! {
        #[test]
        fn any_text_reads_back(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}|.{0,60}") {
            let mut out = Vec::new();
            put_json_text(&mut out, &text);
            let read: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
