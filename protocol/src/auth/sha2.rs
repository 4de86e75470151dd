//! `caching_sha2_password`: what is stored is a SHA-256-crypt hash, which is slow by intent, so
//! the server keeps SHA256(SHA256(password)) of those who proved their password in full. A client
//! in the cache is verified by `SHA256(password) XOR SHA256(SHA256(SHA256(password)), nonce)`.
//!
//! The stored form is `$A$RRR$` (rounds in thousands, hexadecimal), 20 bytes of salt, 43
//! characters of hash.
//!
//! Spec: mysql-server 8.4, `sql/auth/sha2_password.cc`.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{Nonce, PASSWORD_MAX, equal, sha256, sha256_crypt, xor};

const ROUNDS: u32 = 5;
const SALT_LEN: usize = 20;
/// Accounts whose quick proof is kept; beyond it the cache starts anew.
const CACHE_MAX: usize = 10_000;

/// What is compared with where an account does not exist or has no password: the same work, and
/// nobody's password.
pub(crate) const DECOY: &str =
    "$A$005$weir.weir.weir.weir.1111111111111111111111111111111111111111111";

/// First byte of what the server says during the exchange, after the 0x01 of more data.
pub(crate) const FAST_OK: u8 = 3;
/// The server wants the password itself.
pub(crate) const FULL: u8 = 4;
/// The client wants the server's public key.
pub(crate) const WANT_KEY: u8 = 2;

/// What is stored for `password`, with a random salt; empty for an empty password.
#[must_use]
pub fn stored(password: &str) -> String {
    if password.is_empty() {
        return String::new();
    }
    let salt = Nonce::generate().0;
    let hash = sha256_crypt::hash(password.as_bytes(), &salt, ROUNDS * 1000);
    // The salt is 7-bit by construction.
    format!("$A${ROUNDS:03X}${}{hash}", String::from_utf8_lossy(&salt))
}

/// Rounds, salt and hash of what is stored.
pub(crate) fn parse_stored(text: &str) -> Option<(u32, &[u8], &str)> {
    let rest = text.strip_prefix("$A$")?;
    let rounds = u32::from_str_radix(rest.get(..3)?, 16).ok()?;
    let rest = rest.get(3..)?.strip_prefix('$')?;
    let salt = rest.get(..SALT_LEN)?;
    let hash = rest.get(SALT_LEN..)?;
    (rounds > 0 && hash.len() == 43).then_some((rounds * 1000, salt.as_bytes(), hash))
}

/// The reply to `nonce`; empty for an empty password.
pub(crate) fn reply(password: &[u8], nonce: &Nonce) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = sha256(&[password]);
    let twice = sha256(&[&once]);
    xor(once, &sha256(&[&twice, &nonce.0])).to_vec()
}

/// Whether `password` is the one of `stored`. Takes milliseconds; a password that is too long to be
/// one takes nothing.
pub(crate) fn verify_password(stored: &str, password: &[u8]) -> bool {
    if password.len() > PASSWORD_MAX {
        return false;
    }
    parse_stored(stored).is_some_and(|(rounds, salt, hash)| {
        let computed = sha256_crypt::hash(password, salt, rounds);
        equal(computed.as_bytes(), hash.as_bytes())
    })
}

/// What verifies later replies of an account without hashing: SHA256(SHA256(password)).
pub(crate) struct QuickProof([u8; 32]);

impl QuickProof {
    pub(crate) fn of(password: &[u8]) -> Self {
        Self(sha256(&[&sha256(&[password])]))
    }
}

impl std::fmt::Debug for QuickProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QuickProof")
    }
}

/// Quick proofs of accounts that proved their password in full since the server started.
///
/// The key is what is stored for the account: changing the password changes it, so that an entry
/// cannot outlive its password.
#[derive(Debug, Default)]
pub struct Sha2Cache {
    /// Held for a look-up only, never across an await.
    entries: Mutex<HashMap<String, [u8; 32]>>,
}

impl Sha2Cache {
    /// Whether the account is known and `reply` to `nonce` proves its password.
    pub(crate) fn verify(&self, stored: &str, reply: &[u8], nonce: &Nonce) -> bool {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.get(stored);
        // An account that is not in the cache takes as long as one that is.
        let twice = known.copied().unwrap_or_default();
        let reply = <[u8; 32]>::try_from(reply);
        let once = xor(reply.unwrap_or_default(), &sha256(&[&twice, &nonce.0]));
        equal(&sha256(&[&once]), &twice) && known.is_some() && reply.is_ok()
    }

    /// Remembers an account that proved its password in full.
    pub(crate) fn insert(&self, stored: &str, proof: QuickProof) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CACHE_MAX {
            entries.clear();
        }
        entries.insert(stored.to_owned(), proof.0);
    }

    /// Forgets everything, as FLUSH PRIVILEGES does.
    pub fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_password_of_a_hash_that_mysql_stored() {
        // CREATE USER 'u1' IDENTIFIED BY 'Pw_1234567', from a binlog of MySQL 9.7.
        let account = "$A$00A$9q\u{15}(\u{5}\u{1e}\u{7f}^j 2XtK\u{11}CXg[\
            Cut.HR4ydRwX5eFOIqvI3YEKVVm0L5n6VN66sliZIa44";
        assert!(parse_stored(account).is_some());
        assert!(verify_password(account, b"Pw_1234567"));
        assert!(!verify_password(account, b"Pw_123456"));
    }

    #[test]
    fn a_reply_is_that_of_the_reference_implementation() {
        let nonce = Nonce::generate();
        let expected = mysql_common::scramble::scramble_sha256(&nonce.0, b"secret").unwrap();
        assert_eq!(reply(b"secret", &nonce), expected);
    }

    #[test]
    fn the_cache_accepts_only_the_proven_password_of_the_account() {
        let cache = Sha2Cache::default();
        let nonce = Nonce::generate();
        let account = stored("secret");
        let proof = reply(b"secret", &nonce);
        assert!(!cache.verify(&account, &proof, &nonce));
        assert!(verify_password(&account, b"secret"));
        cache.insert(&account, QuickProof::of(b"secret"));
        assert!(cache.verify(&account, &proof, &nonce));
        assert!(!cache.verify(&account, &reply(b"other", &nonce), &nonce));
        assert!(!cache.verify(&account, &proof, &Nonce::generate()));
        assert!(!cache.verify(&stored("secret"), &proof, &nonce));
        cache.clear();
        assert!(!cache.verify(&account, &proof, &nonce));
    }

    #[test]
    fn a_decoy_is_a_stored_hash_of_nobodys_password() {
        assert!(parse_stored(DECOY).is_some());
        assert!(!verify_password(DECOY, b""));
    }

    #[test]
    fn a_password_of_more_than_256_bytes_is_none_whatever_is_stored() {
        let longest = "x".repeat(PASSWORD_MAX);
        assert!(verify_password(&stored(&longest), longest.as_bytes()));
        let longer = "x".repeat(PASSWORD_MAX + 1);
        assert!(!verify_password(&stored(&longer), longer.as_bytes()));
    }

    #[test]
    fn nonsense_is_not_a_stored_hash() {
        for text in ["", "$A$", "$A$005$", "$A$zzz$", "*2470C0", "$A$000$short"] {
            assert!(parse_stored(text).is_none(), "{text}");
        }
    }
}
