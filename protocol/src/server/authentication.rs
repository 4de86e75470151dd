//! Proving one account's password, as the server: the part that a login and COM_CHANGE_USER share.
//!
//! ```text
//! ExpectReply --native---------------------------------------> accepted | denied
//!             --sha2, empty, or in the cache-----------------> accepted | denied
//!             --sha2, unknown to the cache--> ExpectPassword
//! ExpectPassword --secure channel: the password--------------> accepted | denied
//!                --asks for the public key--> ExpectPassword
//!                --encrypted password------------------------> accepted | denied
//! ```
//!
//! An account that does not exist goes the same way as one with a wrong password, so that a peer
//! cannot tell them apart.

use codec::Write as _;

use super::{AccountAuth, ServerIdentity};
use crate::auth::{AuthPlugin, Nonce, native, sha2};

/// First byte of more authentication data.
const MORE_DATA: u8 = 1;

/// What an input came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The client has to say more.
    Continue,
    /// The password is proven.
    Accepted,
    /// It is not.
    Denied,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ExpectReply,
    ExpectPassword,
}

/// The proof of one account.
#[derive(Debug)]
pub(super) struct Authentication {
    /// `None` for an account that does not exist.
    account: Option<AccountAuth>,
    nonce: Nonce,
    is_secure: bool,
    uses_password: bool,
    state: State,
}

impl Authentication {
    pub(super) const fn new(account: Option<AccountAuth>, nonce: Nonce, is_secure: bool) -> Self {
        Self {
            account,
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
        let plugin = self
            .account
            .as_ref()
            .map_or(identity.default_auth, |a| a.plugin);
        let stored = self
            .account
            .as_ref()
            .map(|account| account.auth_string.as_str());
        match (plugin, stored) {
            (AuthPlugin::Native, None) => Outcome::Denied,
            (AuthPlugin::Native, Some(stored)) => {
                outcome(native::verify(stored, reply, &self.nonce))
            }
            (AuthPlugin::CachingSha2, _) if reply.is_empty() => outcome(stored == Some("")),
            (AuthPlugin::CachingSha2, Some("")) => Outcome::Denied,
            (AuthPlugin::CachingSha2, stored) => {
                let cache = &identity.sha2_cache;
                if stored.is_some_and(|stored| cache.verify(stored, reply, &self.nonce)) {
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
        let (Some(password), Some(account)) = (password, &self.account) else {
            return Outcome::Denied;
        };
        if !sha2::verify_password(&account.auth_string, &password) {
            return Outcome::Denied;
        }
        identity.sha2_cache.insert(&account.auth_string, &password);
        Outcome::Accepted
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
