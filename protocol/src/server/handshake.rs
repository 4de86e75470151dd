//! A login, as the server: a state machine without I/O.
//!
//! ```text
//! greeting sent: ExpectLogin --request for TLS--> ExpectLogin (inside TLS)
//!                            --login-----------> ExpectProof | accepted | denied
//! ExpectProof (the account's plugin is not the client's, or it wants more)
//!             --more--> ExpectProof | Verifying | accepted | denied
//! Verifying (whoever drives this hashes a password) --the result--> accepted | denied
//! ```
//!
//! Acceptance sends no OK: the session sends it once it has checked the database.

use std::sync::Arc;

use super::{
    Peer, ServerIdentity,
    authentication::{Authentication, Outcome, PasswordCheck, switch_request},
};
use crate::{
    Capabilities, ErrPacket, Error,
    auth::{AuthPlugin, Nonce},
    greeting::Greeting,
    login::{ChangeUser, Login},
    response::status,
};

/// What to do after an input: first send `send`, then `next`.
#[derive(Debug)]
pub struct Step {
    /// Payloads to send, in order.
    pub send: Vec<Vec<u8>>,
    /// What follows.
    pub next: Next,
}

/// What follows an input.
#[derive(Debug)]
pub enum Next {
    /// Read a payload and hand it in.
    Read,
    /// Take the connection into TLS, say so, then read.
    StartTls,
    /// Run the check where nobody waits, and hand in what it says.
    Verify(PasswordCheck),
    /// The user is who they say. The OK is still to be sent.
    Accepted(Box<Login>),
    /// Send the error in the login's capabilities and close.
    Denied(ErrPacket, Capabilities),
}

#[derive(Debug)]
enum State {
    ExpectLogin,
    ExpectProof(Box<Login>, Authentication),
    Verifying(Box<Login>, Authentication),
    Done,
}

/// The login of one connection, or a change of its user.
#[derive(Debug)]
pub struct Handshake {
    identity: Arc<ServerIdentity>,
    peer: Peer,
    /// The nonce of the greeting and, if the plugin is switched, the one of the switch.
    nonces: [Nonce; 2],
    is_tls: bool,
    state: State,
}

impl Handshake {
    /// A login on a new connection. `nonces` are two random ones.
    #[must_use]
    pub const fn new(identity: Arc<ServerIdentity>, peer: Peer, nonces: [Nonce; 2]) -> Self {
        Self {
            identity,
            peer,
            nonces,
            is_tls: false,
            state: State::ExpectLogin,
        }
    }

    /// A change of the user of a connection that exists, and the step it begins with.
    pub(super) fn change_user(
        identity: Arc<ServerIdentity>,
        peer: Peer,
        nonce: Nonce,
        is_tls: bool,
        capabilities: Capabilities,
        change: ChangeUser,
    ) -> (Self, Step) {
        let mut handshake = Self {
            identity,
            peer,
            nonces: [nonce; 2],
            is_tls,
            state: State::Done,
        };
        let login = Login {
            capabilities,
            user: change.user,
            database: change.database,
            attributes: change.attributes,
            ..Login::default()
        };
        // Clients disagree on the nonce that their reply is for: every one follows a switch.
        let account = handshake.lookup(&login);
        let step = handshake.switch(Box::new(login), account);
        (handshake, step)
    }

    /// The payload to begin with.
    #[must_use]
    pub fn greeting(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let [nonce, _] = self.nonces;
        Greeting {
            version: self.identity.version.clone(),
            connection_id: self.peer.connection_id,
            nonce,
            capabilities: self.offered(),
            charset: self.identity.charset,
            status: status::AUTOCOMMIT,
            plugin: self.identity.default_auth.name().to_owned(),
        }
        .encode(&mut out);
        out
    }

    /// The connection is inside TLS now.
    pub const fn on_tls(&mut self) {
        self.is_tls = true;
    }

    /// Whether the connection is inside TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Takes a payload from the client.
    pub fn handle(&mut self, payload: &[u8]) -> Result<Step, Error> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::ExpectLogin => match Login::decode(payload, self.offered())? {
                Some(login) => Ok(self.handle_login(Box::new(login))),
                None if self.is_tls => Err(Error::Unexpected {
                    expected: "a login inside TLS",
                    found: payload.first().copied(),
                }),
                None => {
                    self.state = State::ExpectLogin;
                    Ok(step(Vec::new(), Next::StartTls))
                }
            },
            State::ExpectProof(login, authentication) => {
                Ok(self.handle_proof(login, authentication, payload, Vec::new()))
            }
            State::Verifying(..) | State::Done => Err(Error::Unexpected {
                expected: "nothing, the login is over",
                found: payload.first().copied(),
            }),
        }
    }

    /// Takes what the check of [`Next::Verify`] said.
    pub fn verified(&mut self, is_right: bool) -> Step {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Verifying(login, mut authentication) => {
                let outcome = authentication.verified(is_right, &self.identity);
                self.after_proof(login, authentication, outcome, Vec::new())
            }
            other => {
                self.state = other;
                step(Vec::new(), Next::Read)
            }
        }
    }

    fn handle_login(&mut self, login: Box<Login>) -> Step {
        let account = self.lookup(&login);
        let decoy = self.decoy_plugin(&login);
        let wanted = account.as_ref().map_or(decoy, |a| a.plugin);
        let has_plugins = login.capabilities.has(Capabilities::PLUGIN_AUTH);
        let used = match &login.plugin {
            Some(name) if has_plugins => AuthPlugin::by_name(name),
            // What clients use that name none, as in MySQL.
            _ => Some(AuthPlugin::Native),
        };
        // A client that lacks the plugin of the greeting names its own and leaves the reply empty
        // (MariaDB's replica), so a reply counts only for the plugin that the greeting named.
        let is_reply = !has_plugins || wanted == self.identity.default_auth;
        if used == Some(wanted) && is_reply {
            let [nonce, _] = self.nonces;
            let authentication = Authentication::new(account, decoy, nonce, self.is_secure());
            let reply = login.auth_response.clone();
            return self.handle_proof(login, authentication, &reply, Vec::new());
        }
        if has_plugins {
            return self.switch(login, account);
        }
        let error = ErrPacket::new(
            1251,
            b"08004",
            "Client does not support authentication protocol requested by server; consider \
             upgrading MySQL client",
        );
        step(Vec::new(), Next::Denied(error, login.capabilities))
    }

    fn switch(&mut self, login: Box<Login>, account: Option<super::AccountAuth>) -> Step {
        let [_, nonce] = self.nonces;
        let decoy = self.decoy_plugin(&login);
        let plugin = account.as_ref().map_or(decoy, |a| a.plugin);
        let authentication = Authentication::new(account, decoy, nonce, self.is_secure());
        self.state = State::ExpectProof(login, authentication);
        step(vec![switch_request(plugin, &nonce)], Next::Read)
    }

    fn handle_proof(
        &mut self,
        login: Box<Login>,
        mut authentication: Authentication,
        payload: &[u8],
        mut send: Vec<Vec<u8>>,
    ) -> Step {
        let outcome = authentication.handle(payload, &self.identity, &mut send);
        self.after_proof(login, authentication, outcome, send)
    }

    fn after_proof(
        &mut self,
        login: Box<Login>,
        authentication: Authentication,
        outcome: Outcome,
        send: Vec<Vec<u8>>,
    ) -> Step {
        match outcome {
            Outcome::Continue => {
                self.state = State::ExpectProof(login, authentication);
                step(send, Next::Read)
            }
            Outcome::Verify(check) => {
                self.state = State::Verifying(login, authentication);
                step(send, Next::Verify(check))
            }
            Outcome::Accepted => step(send, Next::Accepted(login)),
            Outcome::Denied => {
                let uses_password = authentication.uses_password();
                let error = access_denied(&login.user, &self.peer.host, uses_password);
                step(send, Next::Denied(error, login.capabilities))
            }
        }
    }

    fn lookup(&self, login: &Login) -> Option<super::AccountAuth> {
        let authenticator = &self.identity.authenticator;
        authenticator.lookup(&login.user, &self.peer.host)
    }

    fn decoy_plugin(&self, login: &Login) -> AuthPlugin {
        let identity = &self.identity;
        identity
            .authenticator
            .decoy_plugin(&login.user, &self.peer.host, identity.default_auth)
    }

    const fn is_secure(&self) -> bool {
        self.is_tls || self.peer.is_local_socket
    }

    fn offered(&self) -> Capabilities {
        match self.identity.tls {
            Some(_) => Capabilities::SERVER.with(Capabilities::SSL),
            None => Capabilities::SERVER,
        }
    }
}

const fn step(send: Vec<Vec<u8>>, next: Next) -> Step {
    Step { send, next }
}

/// ER_ACCESS_DENIED_ERROR in MySQL's words.
fn access_denied(user: &str, host: &str, uses_password: bool) -> ErrPacket {
    let yes_no = if uses_password { "YES" } else { "NO" };
    ErrPacket::new(
        1045,
        b"28000",
        format!("Access denied for user '{user}'@'{host}' (using password: {yes_no})"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auth::Sha2Cache;
    use crate::server::{AccountAuth, Authenticator};

    struct Accounts;

    impl Authenticator for Accounts {
        fn lookup(&self, user: &str, _host: &str) -> Option<AccountAuth> {
            if user == "open" {
                return Some(AccountAuth {
                    plugin: AuthPlugin::CachingSha2,
                    auth_string: String::new(),
                });
            }
            let plugin = AuthPlugin::by_name(user)?;
            Some(AccountAuth {
                plugin,
                auth_string: AuthPlugin::Native.stored("x"),
            })
        }
    }

    #[test]
    fn a_password_of_more_than_256_bytes_is_refused_without_a_check() {
        for user in [AuthPlugin::CachingSha2.name(), "nobody"] {
            let mut handshake = handshake(true);
            let mut first = Vec::new();
            login(user, Some(AuthPlugin::CachingSha2), Capabilities::CLIENT).encode(&mut first);
            handshake.handle(&first).unwrap();
            let mut password = vec![b'x'; 257];
            password.push(0);
            let step = handshake.handle(&password).unwrap();
            assert!(matches!(step.next, Next::Denied(..)), "{user}");
        }
    }

    #[test]
    fn an_account_that_does_not_exist_is_checked_like_one_with_another_password() {
        for user in [AuthPlugin::CachingSha2.name(), "nobody", "open"] {
            let mut handshake = handshake(true);
            let mut first = Vec::new();
            login(user, Some(AuthPlugin::CachingSha2), Capabilities::CLIENT).encode(&mut first);
            let asked = handshake.handle(&first).unwrap();
            assert_eq!(asked.send, [[1, 4]], "{user}");
            let step = handshake.handle(b"secret\0").unwrap();
            let Next::Verify(check) = step.next else {
                panic!("{user}: {:?}", step.next);
            };
            assert!(!check.run(), "{user}");
            let denied = handshake.verified(false);
            assert!(matches!(denied.next, Next::Denied(..)), "{user}");
        }
    }

    fn handshake(is_local_socket: bool) -> Handshake {
        let identity = ServerIdentity {
            version: "8.4.6-weir".into(),
            default_auth: AuthPlugin::CachingSha2,
            charset: 255,
            tls: None,
            rsa: None,
            sha2_cache: Sha2Cache::default(),
            authenticator: Arc::new(Accounts),
            max_allowed_packet: 1 << 20,
        };
        let peer = Peer {
            connection_id: 7,
            host: "192.0.2.1".into(),
            is_local_socket,
        };
        let nonces = [Nonce([1; Nonce::LEN]), Nonce([2; Nonce::LEN])];
        Handshake::new(Arc::new(identity), peer, nonces)
    }

    /// The step after the check that a step asks for.
    fn checked(handshake: &mut Handshake, step: Step) -> Step {
        match step.next {
            Next::Verify(check) => handshake.verified(check.run()),
            _ => step,
        }
    }

    /// What the server does with a login and the payloads after it, as text.
    fn conversation(login: &Login, replies: &[&[u8]]) -> Vec<String> {
        let mut handshake = handshake(false);
        let mut payload = Vec::new();
        login.encode(&mut payload);
        let mut said = Vec::new();
        for payload in std::iter::once(&payload[..]).chain(replies.iter().copied()) {
            match handshake
                .handle(payload)
                .map(|step| checked(&mut handshake, step))
            {
                Ok(step) => {
                    let sent = step.send.iter().map(|p| p.first().copied().unwrap_or(0));
                    let sent: Vec<_> = sent.collect();
                    let next = match step.next {
                        Next::Read => "read".to_owned(),
                        Next::StartTls => "tls".to_owned(),
                        Next::Verify(_) => "verify".to_owned(),
                        Next::Accepted(_) => "accepted".to_owned(),
                        Next::Denied(error, _) => format!("denied {}", error.code),
                    };
                    said.push(format!("send {sent:x?}, {next}"));
                }
                Err(error) => said.push(error.to_string()),
            }
        }
        said
    }

    fn login(user: &str, plugin: Option<AuthPlugin>, capabilities: Capabilities) -> Login {
        Login {
            capabilities,
            user: user.into(),
            auth_response: vec![7; 20],
            plugin: plugin.map(|plugin| plugin.name().into()),
            ..Login::default()
        }
    }

    #[test]
    fn a_conversation_goes_by_the_table() {
        let all = Capabilities::CLIENT;
        let (native, sha2) = (AuthPlugin::Native, AuthPlugin::CachingSha2);
        let cases: [(_, &[&[u8]], &[&str]); 5] = [
            // Another plugin than the greeting's is asked anew; and nothing more after the end.
            (
                login(native.name(), Some(native), all),
                &[b"x", b"x"],
                &[
                    "send [fe], read",
                    "send [], denied 1045",
                    "packet that begins with 0x78, expected nothing, the login is over",
                ],
            ),
            // Another plugin than the account's: a switch, then a full proof that fails.
            (
                login(sha2.name(), Some(native), all),
                &[&[7; 32], b"password\0"],
                &["send [fe], read", "send [1], read", "send [], denied 1045"],
            ),
            // An account that does not exist goes the same way.
            (
                login("nobody", Some(sha2), all),
                &[b"password\0"],
                &["send [1], read", "send [], denied 1045"],
            ),
            // A client without plugins cannot be switched.
            (
                login(sha2.name(), None, all.without(Capabilities::PLUGIN_AUTH)),
                &[],
                &["send [], denied 1251"],
            ),
            (
                login(native.name(), None, all.without(Capabilities::PLUGIN_AUTH)),
                &[],
                &["send [], denied 1045"],
            ),
        ];
        for (login, replies, expected) in cases {
            assert_eq!(conversation(&login, replies), expected, "{login:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_payloads_never_panic_and_never_log_in(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..5),
            flags: u32, user in 0usize..3, is_local_socket: bool,
        ) {
            let mut handshake = handshake(is_local_socket);
            let plugins = [AuthPlugin::Native, AuthPlugin::CachingSha2];
            let user = plugins.get(user).map_or("nobody", |plugin| plugin.name());
            let needed = Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION;
            let mut first = Vec::new();
            login(user, None, Capabilities(flags).with(needed)).encode(&mut first);
            for payload in std::iter::once(&first).chain(&payloads) {
                if let Ok(step) = handshake.handle(payload) {
                    let step = checked(&mut handshake, step);
                    prop_assert!(!matches!(step.next, Next::Accepted(_)));
                }
            }
        }
    }
}
