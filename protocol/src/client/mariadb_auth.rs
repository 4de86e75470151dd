//! Logins by signature: two plugins that only MariaDB has, and only as the client.
//!
//! Neither sends the password, so that they may be used over a plain connection.
//!
//! Spec: MariaDB 11.8, plugin/auth_ed25519 (`client_ed25519`) and plugin/auth_parsec (`parsec`), libmariadb.

use std::num::NonZeroU32;

use aws_lc_rs::{pbkdf2, rand};
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha512};

use crate::Error;
use crate::error::AuthError;

/// Bytes that the server has signed.
pub(super) type LongNonce = [u8; 32];

/// Name of the plugin that signs with a key made of the password's hash.
pub(super) const ED25519: &str = "client_ed25519";
/// Name of the plugin that signs with a key derived from the password and a salt.
pub(super) const PARSEC: &str = "parsec";

/// The only way of deriving a key that there is: PBKDF2.
const PBKDF2: u8 = b'P';
/// Bytes of the salt.
const SALT_LEN: usize = 18;
/// A server's wish for more iterations than 1024 times two to this power is refused: it would keep the
/// client busy.
const FACTOR_MAX: u8 = 8;

/// The signature of the server's bytes. The hash of the password is the expanded key itself, where the
/// algorithm has the hash of a seed.
pub(super) fn ed25519_reply(password: &[u8], nonce: &LongNonce) -> Vec<u8> {
    let hash: [u8; 64] = Sha512::digest(password).into();
    let key = ExpandedSecretKey::from_bytes(&hash);
    let public = VerifyingKey::from(&key);
    raw_sign::<Sha512>(&key, nonce, &public).to_bytes().to_vec()
}

/// Bytes of the client's own and the signature of the server's and these, with a key that is derived as
/// `how` says: `P`, the binary logarithm of the iterations beyond 10, the salt.
pub(super) fn parsec_reply(
    password: &[u8],
    nonce: &LongNonce,
    how: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut own = LongNonce::default();
    rand::fill(&mut own).map_err(|_| AuthError::Crypto)?;
    parsec_signed(password, nonce, &own, how)
}

fn parsec_signed(
    password: &[u8],
    nonce: &LongNonce,
    own: &LongNonce,
    how: &[u8],
) -> Result<Vec<u8>, Error> {
    let iterations = match how {
        [PBKDF2, factor, salt @ ..] if *factor <= FACTOR_MAX && salt.len() == SALT_LEN => {
            NonZeroU32::new(1024 << factor).map(|iterations| (iterations, salt))
        }
        _ => None,
    };
    let Some((iterations, salt)) = iterations else {
        return Err(Error::Unexpected {
            expected: "how parsec derives a key",
            found: how.first().copied(),
        });
    };
    let mut seed = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA512,
        iterations,
        salt,
        password,
        &mut seed,
    );
    let key = SigningKey::from_bytes(&seed);
    let signature = key.sign(&[nonce.as_slice(), own.as_slice()].concat());
    Ok([own.as_slice(), &signature.to_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier};

    use super::*;

    /// The public key that MariaDB 11.8 stores for this password: `ed25519_password('secret')`.
    #[test]
    fn the_key_is_the_one_that_mariadb_stores() {
        use base64::Engine as _;
        let hash: [u8; 64] = Sha512::digest(b"secret").into();
        let public = VerifyingKey::from(&ExpandedSecretKey::from_bytes(&hash));
        let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
        assert_eq!(
            engine.encode(public.as_bytes()),
            "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"
        );
        let nonce = [7; 32];
        let signature = Signature::from_slice(&ed25519_reply(b"secret", &nonce)).unwrap();
        public.verify(&nonce, &signature).unwrap();
    }

    #[test]
    fn a_server_cannot_keep_the_client_busy_nor_confuse_it() {
        let how = |factor: u8, len: usize| [&[PBKDF2, factor], vec![1; len].as_slice()].concat();
        let signed = |how: &[u8]| parsec_signed(b"secret", &[7; 32], &[8; 32], how);
        assert_eq!(signed(&how(0, SALT_LEN)).unwrap().len(), 96);
        for how in [
            how(FACTOR_MAX + 1, SALT_LEN),
            how(0, SALT_LEN - 1),
            Vec::new(),
            vec![b'Q'; 20],
        ] {
            assert!(matches!(signed(&how), Err(Error::Unexpected { .. })));
        }
    }
}
