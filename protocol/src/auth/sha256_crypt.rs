//! SHA-256-crypt with MySQL's salt of 20 bytes (the original cuts it at 16).
//!
//! Spec: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512"; mysql-server 8.4,
//! `mysys/crypt_genhash_impl.cc`.

use super::sha256;

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The 43 characters of the hash of `password`.
pub(super) fn hash(password: &[u8], salt: &[u8], rounds: u32) -> String {
    let alternate = sha256(&[password, salt, password]);
    let mut input = [password, salt].concat();
    input.extend(alternate.iter().cycle().take(password.len()));
    let mut bits = password.len();
    while bits > 0 {
        match bits & 1 {
            1 => input.extend_from_slice(&alternate),
            _ => input.extend_from_slice(password),
        }
        bits >>= 1;
    }
    let mut digest = sha256(&[&input]);
    let p_source = sha256(&[&password.repeat(password.len())]);
    let p: Vec<u8> = p_source
        .iter()
        .cycle()
        .copied()
        .take(password.len())
        .collect();
    let repeats = 16 + usize::from(digest.first().copied().unwrap_or_default());
    let s_source = sha256(&[&salt.repeat(repeats)]);
    let s: Vec<u8> = s_source.iter().cycle().copied().take(salt.len()).collect();
    for round in 0..rounds {
        let is_odd = round % 2 == 1;
        digest = sha256(&[
            if is_odd { &p } else { &digest[..] },
            if round % 3 == 0 { &[] } else { &s },
            if round % 7 == 0 { &[] } else { &p },
            if is_odd { &digest[..] } else { &p },
        ]);
    }
    encode(&digest)
}

/// The order in which SHA-256-crypt takes the bytes of its digest.
const ORDER: [[usize; 3]; 10] = [
    [0, 10, 20],
    [21, 1, 11],
    [12, 22, 2],
    [3, 13, 23],
    [24, 4, 14],
    [15, 25, 5],
    [6, 16, 26],
    [27, 7, 17],
    [18, 28, 8],
    [9, 19, 29],
];

fn encode(digest: &[u8; 32]) -> String {
    let at = |index: usize| u32::from(digest.get(index).copied().unwrap_or_default());
    let mut text = String::with_capacity(43);
    for [a, b, c] in ORDER {
        push(&mut text, at(a) << 16 | at(b) << 8 | at(c), 4);
    }
    push(&mut text, at(31) << 8 | at(30), 3);
    text
}

fn push(text: &mut String, mut value: u32, characters: usize) {
    for _ in 0..characters {
        let index = usize::try_from(value & 0x3f).unwrap_or_default();
        text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'.')));
        value >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_what_openssl_hashes() {
        for (password, salt, rounds, expected) in [
            (
                "Hello world!",
                "saltstring",
                5000,
                "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
            ),
            (
                "Hello world!",
                "saltstringsaltst",
                10_000,
                "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
            ),
            (
                &"x".repeat(70),
                "abcdefgh",
                5000,
                "lZK56QNQPN6R4.IHMn4/mfyfL52QchLo7qGrBRL5dp0",
            ),
        ] {
            assert_eq!(hash(password.as_bytes(), salt.as_bytes(), rounds), expected);
        }
    }
}
