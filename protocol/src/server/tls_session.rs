//! What was agreed in a TLS handshake, for `SHOW STATUS LIKE 'Ssl%'`.

use rustls::{ProtocolVersion, ServerConnection};

/// The TLS version and cipher of a connection, by OpenSSL's names as MySQL shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSession {
    /// `Ssl_version`: `TLSv1.3`.
    pub version: &'static str,
    /// `Ssl_cipher`: `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
}

impl TlsSession {
    pub(super) fn of(connection: &ServerConnection) -> Self {
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "unknown",
        };
        let suite = connection
            .negotiated_cipher_suite()
            .map(|suite| format!("{:?}", suite.suite()));
        let cipher = suite.map_or_else(String::new, |name| name.replacen("TLS13_", "TLS_", 1));
        Self { version, cipher }
    }
}
