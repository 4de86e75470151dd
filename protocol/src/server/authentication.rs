//! Proving one account's password, as the server: the part that a login and COM_CHANGE_USER share.
//!
//! ```text
//! ExpectReply --native---------------------------------------> accepted | denied
//!             --sha2, empty, or in the cache-----------------> accepted | denied
//!             --sha2, unknown to the cache--> ExpectPassword
//! ExpectPassword --secure channel: the password--> Verifying | denied when it is too long
//!                --asks for the public key--> ExpectPassword
//!                --encrypted password--> Verifying
//! Verifying --the hash, made elsewhere, is or is not the stored one--> accepted | denied
//! ```
//!
//! An account that does not exist, or that has no password, goes the same way as one with a wrong
//! password: it stands for a decoy whose hash is computed all the same, so that a peer can tell
//! them apart by neither plugin, packets nor time.

use codec::Write as _;

use super::{AccountAuth, ServerIdentity};
use crate::auth::{AuthPlugin, Nonce, PASSWORD_MAX, native, sha2};

/// First byte of more authentication data.
const MORE_DATA: u8 = 1;

/// What an input came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The client has to say more.
    Continue,
    /// The password is to be hashed; [`Authentication::verified`] takes the result.
    Verify(PasswordCheck),
    /// The password is proven.
    Accepted,
    /// It is not.
    Denied,
}

/// A password and what is stored for it. Comparing them takes milliseconds by intent, so whoever
/// drives a login does it where nobody waits.
pub struct PasswordCheck {
    stored: String,
    password: Vec<u8>,
    /// Whether nobody has this password, whatever the hash says.
    is_decoy: bool,
}

impl PasswordCheck {
    /// Hashes the password; whether it is the stored one. The work is the same for a decoy.
    #[must_use]
    pub fn run(&self) -> bool {
        sha2::verify_password(&self.stored, &self.password) && !self.is_decoy
    }
}

impl std::fmt::Debug for PasswordCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordCheck")
    }
}

#[derive(Debug)]
enum State {
    ExpectReply,
    ExpectPassword,
    /// What is remembered if the password is right.
    Verifying(sha2::QuickProof),
}

/// The proof of one account.
#[derive(Debug)]
pub(super) struct Authentication {
    account: AccountAuth,
    /// Whether the account does not exist.
    is_decoy: bool,
    nonce: Nonce,
    is_secure: bool,
    uses_password: bool,
    state: State,
}

impl Authentication {
    /// The proof of `account`, or of a decoy with `plugin` where there is none.
    pub(super) fn new(
        account: Option<AccountAuth>,
        plugin: AuthPlugin,
        nonce: Nonce,
        is_secure: bool,
    ) -> Self {
        let is_decoy = account.is_none();
        let account = account.unwrap_or_else(|| AccountAuth {
            plugin,
            auth_string: match plugin {
                AuthPlugin::Native => native::DECOY.to_owned(),
                AuthPlugin::CachingSha2 => sha2::DECOY.to_owned(),
            },
        });
        Self {
            account,
            is_decoy,
            nonce,
            is_secure,
            uses_password: false,
            state: State::ExpectReply,
        }
    }

    /// Whether the client gave a password, for the text of a denial.
    pub(super) const fn uses_password(&self) -> bool {
        self.uses_password
    }

    /// Takes what the client sent. `send` gets the payloads to answer with.
    pub(super) fn handle(
        &mut self,
        payload: &[u8],
        identity: &ServerIdentity,
        send: &mut Vec<Vec<u8>>,
    ) -> Outcome {
        match self.state {
            State::ExpectReply => self.handle_reply(payload, identity, send),
            State::ExpectPassword => self.handle_password(payload, identity, send),
            State::Verifying(_) => Outcome::Denied,
        }
    }

    /// Takes the result of a [`PasswordCheck`].
    pub(super) fn verified(&mut self, is_right: bool, identity: &ServerIdentity) -> Outcome {
        match std::mem::replace(&mut self.state, State::ExpectReply) {
            State::Verifying(proof) if is_right => {
                identity.sha2_cache.insert(&self.account.auth_string, proof);
                Outcome::Accepted
            }
            State::Verifying(_) | State::ExpectReply | State::ExpectPassword => Outcome::Denied,
        }
    }

    fn handle_reply(
        &mut self,
        payload: &[u8],
        identity: &ServerIdentity,
        send: &mut Vec<Vec<u8>>,
    ) -> Outcome {
        // Some clients send an empty reply as a string, others as nothing.
        let reply = if payload == [0] { &[] } else { payload };
        self.uses_password = !reply.is_empty();
        let stored = self.account.auth_string.as_str();
        match self.account.plugin {
            AuthPlugin::Native => {
                outcome(native::verify(stored, reply, &self.nonce) && !self.is_decoy)
            }
            AuthPlugin::CachingSha2 if reply.is_empty() => outcome(stored.is_empty()),
            AuthPlugin::CachingSha2 => {
                if identity.sha2_cache.verify(stored, reply, &self.nonce) && !self.is_decoy {
                    send.push(vec![MORE_DATA, sha2::FAST_OK]);
                    return Outcome::Accepted;
                }
                send.push(vec![MORE_DATA, sha2::FULL]);
                self.state = State::ExpectPassword;
                Outcome::Continue
            }
        }
    }

    fn handle_password(
        &mut self,
        payload: &[u8],
        identity: &ServerIdentity,
        send: &mut Vec<Vec<u8>>,
    ) -> Outcome {
        let password = match (self.is_secure, &identity.rsa) {
            (true, _) => payload.strip_suffix(&[0]).map(<[u8]>::to_vec),
            (false, Some(rsa)) if payload == [sha2::WANT_KEY] => {
                let mut answer = vec![MORE_DATA];
                answer.put(rsa.public_pem().as_bytes());
                send.push(answer);
                return Outcome::Continue;
            }
            (false, Some(rsa)) => rsa.decrypt_password(payload, &self.nonce),
            (false, None) => None,
        };
        // Hashing takes time and memory with the password's length: not for whoever just asks.
        let Some(password) = password.filter(|password| password.len() <= PASSWORD_MAX) else {
            return Outcome::Denied;
        };
        let has_none = self.account.auth_string.is_empty();
        let stored = match has_none {
            true => sha2::DECOY.to_owned(),
            false => self.account.auth_string.clone(),
        };
        self.state = State::Verifying(sha2::QuickProof::of(&password));
        Outcome::Verify(PasswordCheck {
            stored,
            password,
            is_decoy: self.is_decoy || has_none,
        })
    }
}

const fn outcome(is_proven: bool) -> Outcome {
    match is_proven {
        true => Outcome::Accepted,
        false => Outcome::Denied,
    }
}

/// Payload that asks the client to reply by another plugin, or to another nonce.
pub(super) fn switch_request(plugin: AuthPlugin, nonce: &Nonce) -> Vec<u8> {
    let mut out = vec![crate::response::EOF];
    out.put_nul_terminated(plugin.name().as_bytes());
    out.put_nul_terminated(&nonce.0);
    out
}
