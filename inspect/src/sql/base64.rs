//! Base 64 in lines of 76 characters.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes that make a line.
const LINE: usize = 57;

/// Appends the lines of `bytes`, each with its line feed.
pub fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() / 3 * 4 + bytes.len() / LINE + 8);
    for line in bytes.chunks(LINE) {
        let (groups, rest) = line.as_chunks::<3>();
        for group in groups {
            out.extend_from_slice(&encode(*group));
        }
        match rest {
            [a] => {
                let [w, x, ..] = encode([*a, 0, 0]);
                out.extend_from_slice(&[w, x, b'=', b'=']);
            }
            [a, b] => {
                let [w, x, y, _] = encode([*a, *b, 0]);
                out.extend_from_slice(&[w, x, y, b'=']);
            }
            _ => {}
        }
        out.push(b'\n');
    }
}

fn encode([a, b, c]: [u8; 3]) -> [u8; 4] {
    let symbol = |bits: u8| {
        ALPHABET
            .get(usize::from(bits & 63))
            .copied()
            .unwrap_or(b'A')
    };
    [
        symbol(a >> 2),
        symbol(a << 4 | b >> 4),
        symbol(b << 2 | c >> 6),
        symbol(c),
    ]
}

#[cfg(test)]
mod tests {
    use super::put;

    fn text(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        put(&mut out, bytes);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn encodes_as_the_standard_shows() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg==\n"),
            ("fo", "Zm8=\n"),
            ("foo", "Zm9v\n"),
            ("foobar", "Zm9vYmFy\n"),
        ] {
            assert_eq!(text(bytes.as_bytes()), expected);
        }
        assert_eq!(text(&[0xff, 0xef, 0xbe]), "/+++\n");
    }

    #[test]
    fn long_bytes_are_broken_into_lines() {
        let lines = text(&[0; 58]);
        assert_eq!(lines, format!("{}\nAA==\n", "A".repeat(76)));
    }
}
