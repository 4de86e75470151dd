//! Authentication: the two plugins that Weir has, as pure computations.
//!
//! What the packets around them are is for [`crate::server`] and [`crate::client`]. Passwords and
//! what is derived from them are compared in constant time and never logged.

pub(crate) mod native;
mod rsa;
pub(crate) mod sha2;
mod sha256_crypt;

use aws_lc_rs::{digest, rand};

pub use native::stored as native_stored;
pub use rsa::RsaKeyPair;
pub(crate) use rsa::encrypt_password;
pub use sha2::{Sha2Cache, stored as caching_sha2_stored};

/// The longest password in bytes, as in MySQL.
pub const PASSWORD_MAX: usize = 256;

/// An authentication plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthPlugin {
    /// `mysql_native_password`: one SHA-1 round trip.
    Native,
    /// `caching_sha2_password`: SHA-256 with a cache, in full only over a secure channel or RSA.
    CachingSha2,
}

impl AuthPlugin {
    /// MySQL's name of the plugin.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
        }
    }

    /// The plugin of MySQL's name, if Weir has it.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Native, Self::CachingSha2]
            .into_iter()
            .find(|plugin| plugin.name() == name)
    }

    /// What is stored for `password`, for `CREATE USER ... IDENTIFIED BY`. Empty for an empty
    /// password.
    #[must_use]
    pub fn stored(self, password: &str) -> String {
        match self {
            Self::Native => native_stored(password),
            Self::CachingSha2 => caching_sha2_stored(password),
        }
    }

    /// Whether `text` is what this plugin stores, for `IDENTIFIED WITH ... AS`.
    #[must_use]
    pub fn accepts_stored(self, text: &str) -> bool {
        match self {
            _ if text.is_empty() => true,
            Self::Native => native::parse_stored(text).is_some(),
            Self::CachingSha2 => sha2::parse_stored(text).is_some(),
        }
    }
}

/// Random bytes that a reply must be made for, so that it cannot be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; Nonce::LEN]);

impl Nonce {
    /// Bytes of a nonce.
    pub const LEN: usize = 20;

    /// A new nonce. As in MySQL its bytes are 7-bit and neither NUL nor `$`, because old clients
    /// handle it as a string.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0; Self::LEN];
        if rand::fill(&mut bytes).is_err() {
            // The operating system's generator cannot fail once it was seeded at start.
            unreachable!("the random generator failed");
        }
        for byte in &mut bytes {
            *byte &= 0x7f;
            if *byte == 0 || *byte == b'$' {
                *byte += 1;
            }
        }
        Self(bytes)
    }
}

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, parts)
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    hash(&digest::SHA256, parts)
}

fn hash<const N: usize>(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> [u8; N] {
    let mut context = digest::Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

fn xor<const N: usize>(mut left: [u8; N], right: &[u8; N]) -> [u8; N] {
    for (left, right) in left.iter_mut().zip(right) {
        *left ^= right;
    }
    left
}

fn equal(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}
