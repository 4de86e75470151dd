//! The server side: logins, commands in, responses out.
//!
//! [`Handshake`] decides, [`Connection`] carries. What a command means, which accounts exist and
//! what they may do is for the crate above.

mod authentication;
mod connection;
mod events;
mod handshake;
mod tls_session;

use std::sync::Arc;

pub use authentication::PasswordCheck;
pub use connection::Connection;
pub use events::EventPackets;
pub use handshake::{Handshake, Next, Step};
pub use tls_session::TlsSession;

use crate::auth::{AuthPlugin, RsaKeyPair, Sha2Cache};

/// How an account proves who it is.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountAuth {
    /// By which plugin.
    pub plugin: AuthPlugin,
    /// What is stored for the password, in the plugin's form; empty for no password.
    pub auth_string: String,
}

impl std::fmt::Debug for AccountAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountAuth")
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}

/// Knows the accounts. Called in the middle of a login: it must not block for long.
pub trait Authenticator: Send + Sync {
    /// The account that `user` from `host` logs in as, or `None` if there is none.
    ///
    /// `host` is what [`Peer::host`] says: an address, or `localhost`.
    fn lookup(&self, user: &str, host: &str) -> Option<AccountAuth>;

    /// The plugin that `user` from `host`, who has no account, seems to have: always the same one,
    /// and one that accounts have. `default` is the greeting's.
    fn decoy_plugin(&self, _user: &str, _host: &str, default: AuthPlugin) -> AuthPlugin {
        default
    }
}

/// What is the same for every connection of a server.
pub struct ServerIdentity {
    /// Version text, such as `8.4.6-weir`.
    pub version: String,
    /// Plugin that the greeting names.
    pub default_auth: AuthPlugin,
    /// Low byte of the default collation.
    pub charset: u8,
    /// Certificate and key; `None` to offer no TLS. See [`crate::tls::server_config`].
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Key for caching_sha2_password without TLS; `None` to refuse that.
    pub rsa: Option<Arc<RsaKeyPair>>,
    /// Quick proofs of caching_sha2_password.
    pub sha2_cache: Sha2Cache,
    /// The accounts.
    pub authenticator: Arc<dyn Authenticator>,
    /// Largest command, in bytes.
    pub max_allowed_packet: usize,
}

impl std::fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerIdentity")
            .field("version", &self.version)
            .field("default_auth", &self.default_auth)
            .field("has_tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

/// Who is at the other end of a connection, before the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Number of the connection.
    pub connection_id: u32,
    /// Host for the account and error texts: an address without port, or `localhost`.
    pub host: String,
    /// Whether the transport is a Unix socket, over which a password may go in the clear.
    pub is_local_socket: bool,
}
