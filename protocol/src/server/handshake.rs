//! A login, as the server: a state machine without I/O.
//!
//! ```text
//! greeting sent: ExpectLogin --request for TLS--> ExpectLogin (inside TLS)
//!                            --login-----------> ExpectProof | accepted | denied
//! ExpectProof (the account's plugin is not the client's, or it wants more) ... accepted | denied
//! ```
//!
//! Acceptance sends no OK: the session sends it once it has checked the database.

use std::sync::Arc;

use super::{
    Peer, ServerIdentity,
    authentication::{Authentication, Outcome, switch_request},
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
    /// The user is who they say. The OK is still to be sent.
    Accepted(Box<Login>),
    /// Send the error in the login's capabilities and close.
    Denied(ErrPacket, Capabilities),
}

#[derive(Debug)]
enum State {
    ExpectLogin,
    ExpectProof(Box<Login>, Authentication),
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
            State::Done => Err(Error::Unexpected {
                expected: "nothing, the login is over",
                found: payload.first().copied(),
            }),
        }
    }

    fn handle_login(&mut self, login: Box<Login>) -> Step {
        let account = self.lookup(&login);
        let wanted = account
            .as_ref()
            .map_or(self.identity.default_auth, |a| a.plugin);
        let has_plugins = login.capabilities.has(Capabilities::PLUGIN_AUTH);
        let used = match &login.plugin {
            Some(name) if has_plugins => AuthPlugin::by_name(name),
            // What clients use that name none, as in MySQL.
            _ => Some(AuthPlugin::Native),
        };
        if used == Some(wanted) {
            let [nonce, _] = self.nonces;
            let authentication = Authentication::new(account, nonce, self.is_secure());
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
        let plugin = account
            .as_ref()
            .map_or(self.identity.default_auth, |a| a.plugin);
        let authentication = Authentication::new(account, nonce, self.is_secure());
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
        match authentication.handle(payload, &self.identity, &mut send) {
            Outcome::Continue => {
                self.state = State::ExpectProof(login, authentication);
                step(send, Next::Read)
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
