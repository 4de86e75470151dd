//! The client side: a connection for queries and for the binlog.
//!
//! [`Handshake`] decides, [`Connection`] carries. Retrying and what to ask a source before a dump
//! are for the crate above.

mod connection;
mod handshake;
mod mariadb_auth;
mod waiting;

use std::path::PathBuf;

pub use connection::{Connection, QueryResult};
pub use handshake::{Handshake, Next, Step};
pub use waiting::Sender;

pub use crate::compression::CompressionPermits;
use crate::tls::ClientTls;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// TCP.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// How to connect.
#[derive(Clone)]
pub struct ClientOptions {
    /// Where to.
    pub endpoint: Endpoint,
    /// As whom.
    pub user: String,
    /// Password; empty for none.
    pub password: String,
    /// Default database.
    pub database: Option<String>,
    /// TLS.
    pub tls: ClientTls,
    /// Whether to believe the public key that a server without TLS sends (MySQL's
    /// `GET_SOURCE_PUBLIC_KEY`, `--get-server-public-key`).
    pub get_source_public_key: bool,
    /// The server's public key, PEM (`SOURCE_PUBLIC_KEY_PATH`).
    pub source_public_key: Option<Vec<u8>>,
    /// Whether the server may be told that [`Connection::load`] can send files; nothing else sends any.
    pub local_files: bool,
    /// How the stream may be compressed after the login (`SOURCE_COMPRESSION_ALGORITHMS`).
    pub compression: CompressionPermits,
    /// What to say of this program.
    pub attributes: Vec<(String, String)>,
    /// Largest payload accepted, in bytes: an event or a row.
    pub payload_bytes_max: usize,
    /// Whether a query may be several statements (`CLIENT_MULTI_STATEMENTS`): what follows one that
    /// fails is not executed. Only for texts that nobody else has written.
    pub multi_statements: bool,
}

impl ClientOptions {
    /// Options for `user` at `endpoint`; everything else as MySQL's clients have it.
    #[must_use]
    pub fn new(endpoint: Endpoint, user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            endpoint,
            user: user.into(),
            password: password.into(),
            database: None,
            tls: ClientTls::default(),
            get_source_public_key: false,
            source_public_key: None,
            local_files: false,
            compression: CompressionPermits::default(),
            attributes: vec![("program_name".to_owned(), "weir".to_owned())],
            payload_bytes_max: 1 << 30,
            multi_statements: false,
        }
    }
}

impl std::fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientOptions")
            .field("endpoint", &self.endpoint)
            .field("user", &self.user)
            .field("tls", &self.tls.mode)
            .finish_non_exhaustive()
    }
}
