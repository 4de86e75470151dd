//! `mysql_native_password`: what is stored is `*` and the hexadecimal SHA1(SHA1(password)); the
//! reply is `SHA1(password) XOR SHA1(nonce, SHA1(SHA1(password)))`.

use std::fmt::Write as _;

use super::{Nonce, equal, sha1, xor};

/// What is compared with where an account does not exist.
pub(crate) const DECOY: &str = "*0000000000000000000000000000000000000000";

/// What is stored for `password`; empty for an empty password.
#[must_use]
pub fn stored(password: &str) -> String {
    if password.is_empty() {
        return String::new();
    }
    let mut text = String::from("*");
    for byte in sha1(&[&sha1(&[password.as_bytes()])]) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// The hash in what is stored.
pub(crate) fn parse_stored(text: &str) -> Option<[u8; 20]> {
    let digits = text.strip_prefix('*')?;
    if digits.len() != 40 || !digits.is_ascii() {
        return None;
    }
    let mut hash = [0; 20];
    for (byte, digits) in hash.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// The reply to `nonce`; empty for an empty password.
pub(crate) fn reply(password: &[u8], nonce: &Nonce) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = sha1(&[password]);
    let twice = sha1(&[&once]);
    xor(once, &sha1(&[&nonce.0, &twice])).to_vec()
}

/// Whether `reply` to `nonce` proves knowledge of the password of `stored`.
pub(crate) fn verify(stored: &str, reply: &[u8], nonce: &Nonce) -> bool {
    if stored.is_empty() {
        return reply.is_empty();
    }
    let (Some(twice), Ok(reply)) = (parse_stored(stored), <[u8; 20]>::try_from(reply)) else {
        return false;
    };
    let once = xor(reply, &sha1(&[&nonce.0, &twice]));
    equal(&sha1(&[&once]), &twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_what_mysql_stores() {
        assert_eq!(
            stored("password"),
            "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"
        );
        assert_eq!(stored(""), "");
    }

    #[test]
    fn a_reply_is_that_of_the_reference_implementation() {
        let nonce = Nonce::generate();
        let expected = mysql_common::scramble::scramble_native(&nonce.0, b"secret").unwrap();
        assert_eq!(reply(b"secret", &nonce), expected);
    }

    #[test]
    fn only_the_right_password_is_accepted() {
        let nonce = Nonce::generate();
        let account = stored("secret");
        assert!(verify(&account, &reply(b"secret", &nonce), &nonce));
        assert!(!verify(&account, &reply(b"Secret", &nonce), &nonce));
        assert!(!verify(
            &account,
            &reply(b"secret", &nonce),
            &Nonce::generate()
        ));
        assert!(!verify(&account, b"", &nonce));
        assert!(verify("", b"", &nonce));
        assert!(!verify("", &reply(b"x", &nonce), &nonce));
        assert!(!verify("nonsense", &reply(b"x", &nonce), &nonce));
    }
}
