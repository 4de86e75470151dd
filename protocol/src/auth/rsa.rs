//! RSA for `caching_sha2_password` without TLS: the client sends its password, XORed with the
//! nonce, under the server's public key (OAEP with SHA-1, as MySQL has it).

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{
        KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
        PrivateDecryptingKey, PublicEncryptingKey,
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};

use super::Nonce;
use crate::error::AuthError;

/// The server's key pair.
pub struct RsaKeyPair {
    private: PrivateDecryptingKey,
    decrypting: OaepPrivateDecryptingKey,
    public_pem: String,
}

impl RsaKeyPair {
    /// A new key of 2048 bits, as `caching_sha2_password_auto_generate_rsa_keys` makes it. Takes
    /// a good part of a second.
    pub fn generate() -> Result<Self, AuthError> {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048);
        Self::new(private.map_err(|_| AuthError::Crypto)?)
    }

    /// The key in a PKCS#8 PEM file.
    pub fn from_private_pem(pem: &[u8]) -> Result<Self, AuthError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| AuthError::PublicKey)?;
        let private = PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der());
        Self::new(private.map_err(|_| AuthError::PublicKey)?)
    }

    /// The private key, as a PKCS#8 PEM file for the data directory. To be kept from others.
    pub fn private_pem(&self) -> Result<String, AuthError> {
        let der: Pkcs8V1Der<'_> = self.private.as_der().map_err(|_| AuthError::Crypto)?;
        Ok(pem("PRIVATE KEY", der.as_ref()))
    }

    /// The public key, as clients get it.
    #[must_use]
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The password in what a client encrypted, without the NUL at its end.
    pub(crate) fn decrypt_password(&self, encrypted: &[u8], nonce: &Nonce) -> Option<Vec<u8>> {
        let mut out = vec![0; self.decrypting.min_output_size()];
        let plain = self
            .decrypting
            .decrypt(&OAEP_SHA1_MGF1SHA1, encrypted, &mut out, None)
            .ok()?;
        let mut password = hide(plain, nonce);
        (password.pop() == Some(0)).then_some(password)
    }

    fn new(private: PrivateDecryptingKey) -> Result<Self, AuthError> {
        let der: PublicKeyX509Der<'_> = private
            .public_key()
            .as_der()
            .map_err(|_| AuthError::Crypto)?;
        let public_pem = pem("PUBLIC KEY", der.as_ref());
        let decrypting =
            OaepPrivateDecryptingKey::new(private.clone()).map_err(|_| AuthError::Crypto)?;
        Ok(Self {
            private,
            decrypting,
            public_pem,
        })
    }
}

impl std::fmt::Debug for RsaKeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RsaKeyPair").finish_non_exhaustive()
    }
}

/// `password` as the server with this public key wants it.
pub(crate) fn encrypt_password(
    password: &[u8],
    nonce: &Nonce,
    public_pem: &[u8],
) -> Result<Vec<u8>, AuthError> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(public_pem);
    let der = der.map_err(|_| AuthError::PublicKey)?;
    let key = PublicEncryptingKey::from_der(&der).map_err(|_| AuthError::PublicKey)?;
    let key = OaepPublicEncryptingKey::new(key).map_err(|_| AuthError::PublicKey)?;
    let plain = hide(&[password, &[0]].concat(), nonce);
    if plain.len() > key.max_plaintext_size(&OAEP_SHA1_MGF1SHA1) {
        return Err(AuthError::PasswordTooLong);
    }
    let mut out = vec![0; key.ciphertext_size()];
    let encrypted = key.encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut out, None);
    Ok(encrypted.map_err(|_| AuthError::Crypto)?.to_vec())
}

/// XOR with the nonce, repeated; its own inverse.
fn hide(bytes: &[u8], nonce: &Nonce) -> Vec<u8> {
    let pairs = bytes.iter().zip(nonce.0.iter().cycle());
    pairs.map(|(byte, nonce)| byte ^ nonce).collect()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while let Some((line, next)) = rest.split_at_checked(64) {
        pem.push_str(line);
        pem.push('\n');
        rest = next;
    }
    if !rest.is_empty() {
        pem.push_str(rest);
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_survives_encryption_and_the_key_survives_its_file() {
        let key = RsaKeyPair::generate().unwrap();
        let nonce = Nonce::generate();
        let password = b"a password longer than the nonce";
        let encrypted = encrypt_password(password, &nonce, key.public_pem().as_bytes()).unwrap();
        let again = RsaKeyPair::from_private_pem(key.private_pem().unwrap().as_bytes()).unwrap();
        assert_eq!(again.public_pem(), key.public_pem());
        let decrypted = again.decrypt_password(&encrypted, &nonce);
        assert_eq!(decrypted.as_deref(), Some(&password[..]));
        assert_ne!(
            again.decrypt_password(&encrypted, &Nonce::generate()),
            decrypted
        );
        assert_eq!(again.decrypt_password(b"nonsense", &nonce), None);
        assert_eq!(
            encrypt_password(&[b'x'; 300], &nonce, key.public_pem().as_bytes()),
            Err(AuthError::PasswordTooLong)
        );
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let nonce = Nonce::generate();
        assert_eq!(
            encrypt_password(b"x", &nonce, b"-----BEGIN NONSENSE-----"),
            Err(AuthError::PublicKey)
        );
        assert!(RsaKeyPair::from_private_pem(b"").is_err());
    }
}
