//! Capability flags: what the two sides of a connection agreed on.
//!
//! Unknown bits are kept. MariaDB reuses `LONG_PASSWORD` (bit 0): a peer that clears it is a
//! MariaDB, and then the reserved bytes of the handshake carry MariaDB's own flags, which this
//! crate neither sends nor needs.
//!
//! Spec: mysql-server 8.4, `include/mysql_com.h`, "Capabilities Flags".

use std::ops::{BitAnd, BitOr};

/// A set of capability flags.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(pub u32);

impl Capabilities {
    /// Set by MySQL, cleared by MariaDB.
    pub const LONG_PASSWORD: Self = Self(1);
    /// Affected rows counts rows found instead of rows changed.
    pub const FOUND_ROWS: Self = Self(1 << 1);
    /// Column flags have two bytes.
    pub const LONG_FLAG: Self = Self(1 << 2);
    /// The login may name a database.
    pub const CONNECT_WITH_DB: Self = Self(1 << 3);
    /// After the login the stream is compressed by zlib.
    pub const COMPRESS: Self = Self(1 << 5);
    /// The client can answer LOAD DATA LOCAL.
    pub const LOCAL_FILES: Self = Self(1 << 7);
    /// Spaces before `(` are ignored after function names.
    pub const IGNORE_SPACE: Self = Self(1 << 8);
    /// The protocol of MySQL 4.1 and later; Weir speaks no other.
    pub const PROTOCOL_41: Self = Self(1 << 9);
    /// `interactive_timeout` applies instead of `wait_timeout`.
    pub const INTERACTIVE: Self = Self(1 << 10);
    /// The connection may switch to TLS.
    pub const SSL: Self = Self(1 << 11);
    /// OK packets carry the session status.
    pub const TRANSACTIONS: Self = Self(1 << 13);
    /// The scramble has 20 bytes and the reply to it a length.
    pub const SECURE_CONNECTION: Self = Self(1 << 15);
    /// COM_QUERY may hold several statements.
    pub const MULTI_STATEMENTS: Self = Self(1 << 16);
    /// COM_QUERY may be answered by several results.
    pub const MULTI_RESULTS: Self = Self(1 << 17);
    /// COM_STMT_EXECUTE may be answered by several results.
    pub const PS_MULTI_RESULTS: Self = Self(1 << 18);
    /// Authentication plugins are named and may be switched.
    pub const PLUGIN_AUTH: Self = Self(1 << 19);
    /// The login carries attributes of the client program.
    pub const CONNECT_ATTRS: Self = Self(1 << 20);
    /// The authentication reply of the login has a length-encoded length.
    pub const PLUGIN_AUTH_LENENC: Self = Self(1 << 21);
    /// OK packets may carry session state changes.
    pub const SESSION_TRACK: Self = Self(1 << 23);
    /// Result sets end in an OK packet instead of an EOF packet.
    pub const DEPRECATE_EOF: Self = Self(1 << 24);
    /// After the login the stream is compressed by zstd.
    pub const ZSTD_COMPRESSION: Self = Self(1 << 26);
    /// COM_QUERY and COM_STMT_EXECUTE carry query attributes.
    pub const QUERY_ATTRIBUTES: Self = Self(1 << 27);

    /// What Weir's server offers, TLS aside.
    pub const SERVER: Self = Self(
        Self::LONG_PASSWORD.0
            | Self::FOUND_ROWS.0
            | Self::LONG_FLAG.0
            | Self::CONNECT_WITH_DB.0
            | Self::COMPRESS.0
            | Self::ZSTD_COMPRESSION.0
            | Self::IGNORE_SPACE.0
            | Self::PROTOCOL_41.0
            | Self::INTERACTIVE.0
            | Self::TRANSACTIONS.0
            | Self::SECURE_CONNECTION.0
            | Self::MULTI_STATEMENTS.0
            | Self::MULTI_RESULTS.0
            | Self::PS_MULTI_RESULTS.0
            | Self::PLUGIN_AUTH.0
            | Self::CONNECT_ATTRS.0
            | Self::PLUGIN_AUTH_LENENC.0
            | Self::SESSION_TRACK.0
            | Self::DEPRECATE_EOF.0
            | Self::QUERY_ATTRIBUTES.0,
    );

    /// What Weir's client asks for, where the server offers it.
    pub const CLIENT: Self = Self(
        Self::LONG_PASSWORD.0
            | Self::LONG_FLAG.0
            | Self::PROTOCOL_41.0
            | Self::TRANSACTIONS.0
            | Self::SECURE_CONNECTION.0
            | Self::MULTI_RESULTS.0
            | Self::PLUGIN_AUTH.0
            | Self::CONNECT_ATTRS.0
            | Self::PLUGIN_AUTH_LENENC.0
            | Self::DEPRECATE_EOF.0,
    );

    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitAnd for Capabilities {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capabilities({:#010x})", self.0)
    }
}
