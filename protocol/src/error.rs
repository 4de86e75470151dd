//! The error of a connection, by who must act.

use std::{fmt, io};

use codec::DecodeError;

use crate::{ErrPacket, packet::PacketError};

/// Why a connection failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed.
    Io(io::Error),
    /// The peer closed the connection where a packet was due.
    Closed,
    /// The peer broke the framing.
    Packet(PacketError),
    /// The peer sent a packet whose bytes make no sense.
    Decode(DecodeError),
    /// The peer sent a packet of another kind than the one that was due.
    Unexpected {
        /// What was due.
        expected: &'static str,
        /// First byte of what came, or `None` for an empty packet.
        found: Option<u8>,
    },
    /// The peer refused: an ERR packet that it sent, or that was sent to it.
    Refused(ErrPacket),
    /// TLS was asked for and cannot be had.
    Tls(TlsError),
    /// Authentication cannot go on for a reason on this side.
    Auth(AuthError),
    /// The server offers no way of compressing that is permitted; those that are.
    NoCommonCompression(String),
    /// There was no room for a large payload in time.
    NoRoom,
}

/// Why TLS cannot be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// The server does not offer TLS, and the client's mode requires it.
    NotOffered,
    /// The mode verifies the server, but no file of certificate authorities was given.
    NoAuthority,
    /// The host cannot be the name in a certificate.
    HostName(String),
    /// A certificate or key cannot be read.
    Pem(rustls::pki_types::pem::Error),
    /// The TLS library refuses certificates, key or peer.
    Library(rustls::Error),
}

/// Why authentication cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// The server asks for a plugin that this client does not have.
    Plugin(String),
    /// caching_sha2_password needs the server's public key, and neither TLS nor
    /// get_source_public_key allows to get it.
    NeedsPublicKey,
    /// The server's public key cannot be used.
    PublicKey,
    /// The password is longer than the server's key can hide.
    PasswordTooLong,
    /// The cryptography library failed.
    Crypto,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "network: {error}"),
            Self::Closed => f.write_str("the peer closed the connection"),
            Self::Packet(error) => error.fmt(f),
            Self::Decode(error) => error.fmt(f),
            Self::Unexpected { expected, found } => match found {
                Some(byte) => write!(
                    f,
                    "packet that begins with {byte:#04x}, expected {expected}"
                ),
                None => write!(f, "empty packet, expected {expected}"),
            },
            Self::Refused(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Auth(error) => error.fmt(f),
            Self::NoCommonCompression(permitted) => write!(
                f,
                "the source offers none of the permitted compression algorithms ({permitted}): \
                 permit another one by SOURCE_COMPRESSION_ALGORITHMS"
            ),
            Self::NoRoom => f.write_str("no memory for a large packet"),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered => f.write_str(
                "SSL connection error: SSL is required but the server doesn't support it",
            ),
            Self::NoAuthority => f.write_str(
                "SSL connection error: verification of the server needs a CA certificate (ssl-ca)",
            ),
            Self::HostName(host) => {
                write!(
                    f,
                    "SSL connection error: '{host}' cannot be the name in a certificate"
                )
            }
            Self::Pem(error) => write!(f, "certificate or key file: {error}"),
            Self::Library(error) => write!(f, "SSL connection error: {error}"),
        }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(name) => {
                write!(
                    f,
                    "Authentication plugin '{name}' cannot be loaded: not built in"
                )
            }
            Self::NeedsPublicKey => f.write_str(
                "Authentication plugin 'caching_sha2_password' reported error: \
                 Authentication requires secure connection.",
            ),
            Self::PublicKey => f.write_str("the server's public key is not an RSA key in PEM form"),
            Self::PasswordTooLong => {
                f.write_str("the password is longer than the server's public key can encrypt")
            }
            Self::Crypto => f.write_str("the cryptography library failed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Packet(error) => Some(error),
            Self::Decode(error) => Some(error),
            Self::Refused(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<PacketError> for Error {
    fn from(error: PacketError) -> Self {
        Self::Packet(error)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<ErrPacket> for Error {
    fn from(error: ErrPacket) -> Self {
        Self::Refused(error)
    }
}

impl From<TlsError> for Error {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(TlsError::Library(error))
    }
}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}
