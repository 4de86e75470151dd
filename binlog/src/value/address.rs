//! MariaDB's INET4, INET6 and UUID as it prints them.
//!
//! Row events hold them as BINARY without its trailing zero bytes, and a table map does not tell them
//! from BINARY: who knows the column's type asks here.
//!
//! Spec: mariadb-server 11.8, sql/sql_type_inet.cc and sql/sql_type_uuid.h.

use std::fmt::Write as _;

/// Text of an INET4, for instance `10.0.0.1`; `None` for more than 4 bytes.
#[must_use]
pub fn inet4_text(bytes: &[u8]) -> Option<String> {
    let [a, b, c, d] = padded(bytes)?;
    Some(format!("{a}.{b}.{c}.{d}"))
}

/// Text of an INET6, for instance `2001:db8::1`; `None` for more than 16 bytes.
#[must_use]
pub fn inet6_text(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = padded(bytes)?;
    let (pairs, _) = bytes.as_chunks::<2>();
    let words: Vec<u16> = pairs.iter().map(|&pair| u16::from_be_bytes(pair)).collect();
    let (gap, len) = longest_zeros(&words);
    // An IPv4 address, or one mapped to IPv6.
    let is_mapped = len == 5 && words.get(5) == Some(&0xffff);
    let is_ipv4 = gap == 0 && (len == 6 || is_mapped);
    let mut text = String::new();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        if len > 0 && index == gap {
            text.push_str("::");
            index += len;
            continue;
        }
        if index > 0 && !text.ends_with(':') {
            text.push(':');
        }
        if is_ipv4 && index == 6 {
            let [.., a, b, c, d] = bytes;
            let _ = write!(text, "{a}.{b}.{c}.{d}");
            break;
        }
        let _ = write!(text, "{word:x}");
        index += 1;
    }
    Some(text)
}

/// Text of a UUID, for instance `00112233-4455-6677-8899-aabbccddeeff`; `None` for more than 16
/// bytes.
#[must_use]
pub fn uuid_text(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = padded(bytes)?;
    Some(uuid::Uuid::from_bytes(bytes).hyphenated().to_string())
}

/// The bytes with the zero bytes that a row image leaves out.
fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut whole = [0; N];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(whole)
}

/// Start and length of the first longest run of zeros.
fn longest_zeros(words: &[u16]) -> (usize, usize) {
    let mut longest = (0, 0);
    let mut len = 0;
    for (index, &word) in words.iter().enumerate() {
        len = if word == 0 { len + 1 } else { 0 };
        if len > longest.1 {
            longest = (index + 1 - len, len);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_in_mariadb() {
        for (words, text) in [
            ([0_u16; 8], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([0, 0, 0, 0, 0, 0, 0, 0xffff], "::ffff"),
            ([0, 0, 0, 0, 0, 0, 0x102, 0x304], "::1.2.3.4"),
            ([0, 0, 0, 0, 0, 0xffff, 0x102, 0x304], "::ffff:1.2.3.4"),
            ([0, 0, 0, 0, 0xffff, 0, 0x102, 0x304], "::ffff:0:102:304"),
            ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 0], "2001:db8:0:0:1::"),
            ([0x2001, 0xdb8, 0, 0, 0, 1, 0, 1], "2001:db8::1:0:1"),
            ([1, 0, 2, 3, 4, 5, 6, 7], "1::2:3:4:5:6:7"),
            ([1, 0, 0, 3, 0, 0, 6, 7], "1::3:0:0:6:7"),
            ([1, 2, 3, 4, 5, 6, 7, 0], "1:2:3:4:5:6:7::"),
            ([0, 2, 3, 4, 5, 6, 7, 8], "::2:3:4:5:6:7:8"),
            ([0, 0, 0, 0, 0, 0, 1, 0xabcd], "::0.1.171.205"),
            ([0xabcd, 0, 0, 0, 0, 0, 0, 0], "abcd::"),
        ] {
            let bytes = words.map(u16::to_be_bytes).concat();
            assert_eq!(inet6_text(&bytes).unwrap(), text);
            let end = bytes.iter().rposition(|&byte| byte != 0);
            let stored = &bytes[..end.map_or(0, |last| last + 1)];
            assert_eq!(inet6_text(stored).unwrap(), text);
        }
        assert_eq!(inet4_text(&[1, 2, 3]).unwrap(), "1.2.3.0");
        assert_eq!(inet4_text(&[1; 5]), None);
        assert_eq!(inet6_text(&[1; 17]), None);
        assert_eq!(uuid_text(&[1; 17]), None);
        let uuid = uuid_text(&[0, 0x11, 0x22, 0x33, 0x44]).unwrap();
        assert_eq!(uuid, "00112233-4400-0000-0000-000000000000");
    }
}
