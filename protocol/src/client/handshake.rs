//! A login, as the client: a state machine without I/O.
//!
//! ```text
//! ExpectGreeting --no TLS--> ExpectResult
//!                --TLS-----> (in TLS) ExpectResult
//! ExpectResult --switch of plugin, more data--> ExpectResult
//!              --OK--> logged in
//!              --ERR-> refused
//! ```
//!
//! The password leaves in the clear only over TLS or a Unix socket.

use codec::{DecodeError, Reader};

use super::ClientOptions;
use super::mariadb_auth::{self, LongNonce};
use crate::{
    Capabilities, ErrPacket, Error, OkPacket,
    auth::{AuthPlugin, Nonce, encrypt_password, native, sha2},
    compression::Algorithm,
    error::{AuthError, TlsError},
    greeting::{Greeting, text},
    login::Login,
    response,
    tls::TlsMode,
};

/// First byte of more authentication data.
const MORE_DATA: u8 = 1;
/// utf8mb4_general_ci: known to every MySQL and MariaDB that is in use.
const CHARSET: u8 = 45;

/// What to do after an input: first send `send`, then `next`.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Payloads to send, in order.
    pub send: Vec<Vec<u8>>,
    /// What follows.
    pub next: Next,
}

/// What follows an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read a payload and hand it in.
    Read,
    /// Take the connection into TLS, send what [`Handshake::on_tls`] says, then read.
    StartTls,
    /// Logged in.
    Done,
}

#[derive(Debug)]
enum State {
    ExpectGreeting,
    ExpectResult(Method),
    Done,
}

/// How the client logs in.
#[derive(Debug, Clone, Copy)]
enum Method {
    /// By one of the plugins that the server has too; none: the server's is not known.
    Password {
        plugin: Option<AuthPlugin>,
        nonce: Nonce,
    },
    /// MariaDB's `client_ed25519`, which has replied.
    Ed25519,
    /// MariaDB's `parsec`, which waits to be told how to derive its key.
    Parsec(LongNonce),
}

/// The login of one connection.
#[derive(Debug)]
pub struct Handshake<'a> {
    options: &'a ClientOptions,
    is_local_socket: bool,
    is_tls: bool,
    login: Login,
    compression: Option<Algorithm>,
    greeting: Option<Greeting>,
    state: State,
}

impl<'a> Handshake<'a> {
    /// A login by these options. `is_local_socket` says that nobody can listen.
    #[must_use]
    pub fn new(options: &'a ClientOptions, is_local_socket: bool) -> Self {
        Self {
            options,
            is_local_socket,
            is_tls: false,
            login: Login::default(),
            compression: None,
            greeting: None,
            state: State::ExpectGreeting,
        }
    }

    /// What the server said of itself, once it has.
    #[must_use]
    pub const fn greeting(&self) -> Option<&Greeting> {
        self.greeting.as_ref()
    }

    /// What both sides agreed on.
    #[must_use]
    pub const fn capabilities(&self) -> Capabilities {
        self.login.capabilities
    }

    /// How the stream is compressed as soon as the login was answered.
    pub(crate) const fn compression(&self) -> Option<Algorithm> {
        self.compression
    }

    /// The connection is inside TLS now: the payload to send.
    pub fn on_tls(&mut self) -> Vec<u8> {
        self.is_tls = true;
        self.encode_login()
    }

    /// Takes a payload from the server.
    pub fn handle(&mut self, payload: &[u8]) -> Result<Step, Error> {
        if payload.first() == Some(&response::ERR) {
            return Err(ErrPacket::decode(payload)?.into());
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::ExpectGreeting => self.handle_greeting(payload),
            State::ExpectResult(method) => self.handle_result(payload, method),
            State::Done => Err(Error::Unexpected {
                expected: "nothing, the login is over",
                found: payload.first().copied(),
            }),
        }
    }

    fn handle_greeting(&mut self, payload: &[u8]) -> Result<Step, Error> {
        let greeting = Greeting::decode(payload)?;
        let offers_tls = greeting.capabilities.has(Capabilities::SSL);
        let uses_tls = match self.options.tls.mode {
            TlsMode::Disabled => false,
            TlsMode::Preferred => offers_tls && !self.is_local_socket,
            _ if !offers_tls => return Err(TlsError::NotOffered.into()),
            _ => true,
        };
        let plugin = AuthPlugin::by_name(&greeting.plugin);
        let mut capabilities = Capabilities::CLIENT & greeting.capabilities;
        capabilities = capabilities.with(Capabilities::LONG_PASSWORD);
        let permits = self.options.compression;
        let Some(compression) = permits.chosen(greeting.capabilities) else {
            return Err(Error::NoCommonCompression(permits.words()));
        };
        self.compression = compression;
        let zstd_level = match compression {
            None => None,
            Some(Algorithm::Zlib) => {
                capabilities = capabilities.with(Capabilities::COMPRESS);
                None
            }
            Some(Algorithm::Zstd(_)) => {
                capabilities = capabilities.with(Capabilities::ZSTD_COMPRESSION);
                Some(permits.zstd_level)
            }
        };
        if self.options.local_files {
            capabilities = capabilities.with(Capabilities::LOCAL_FILES & greeting.capabilities);
        }
        if self.options.database.is_some() {
            capabilities = capabilities.with(Capabilities::CONNECT_WITH_DB);
        }
        if uses_tls {
            capabilities = capabilities.with(Capabilities::SSL);
        }
        if self.options.multi_statements {
            capabilities = capabilities.with(Capabilities::MULTI_STATEMENTS);
        }
        self.login = Login {
            capabilities,
            packet_bytes_max: 1 << 30,
            charset: CHARSET,
            user: self.options.user.clone(),
            // A reply by a plugin that the server does not expect only makes it ask again.
            auth_response: plugin.map_or_else(Vec::new, |p| self.reply(p, &greeting.nonce)),
            database: self.options.database.clone(),
            plugin: Some(plugin.unwrap_or(AuthPlugin::CachingSha2).name().to_owned()),
            attributes: self.options.attributes.clone(),
            zstd_level,
        };
        let nonce = greeting.nonce;
        self.greeting = Some(greeting);
        self.state = State::ExpectResult(Method::Password { plugin, nonce });
        if uses_tls {
            let mut request = Vec::new();
            self.login.encode_tls_request(&mut request);
            return Ok(step(vec![request], Next::StartTls));
        }
        Ok(step(vec![self.encode_login()], Next::Read))
    }

    fn handle_result(&mut self, payload: &[u8], method: Method) -> Result<Step, Error> {
        match (payload.split_first(), method) {
            (Some((&response::OK, _)), _) => {
                OkPacket::decode(payload)?;
                Ok(step(Vec::new(), Next::Done))
            }
            (Some((&response::EOF, rest)), _) => {
                let (method, reply) = self.switched(rest)?;
                self.state = State::ExpectResult(method);
                Ok(step(vec![reply], Next::Read))
            }
            (
                Some((&MORE_DATA, data)),
                Method::Password {
                    plugin: Some(AuthPlugin::CachingSha2),
                    nonce,
                },
            ) => {
                self.state = State::ExpectResult(method);
                Ok(step(self.handle_more_data(data, &nonce)?, Next::Read))
            }
            (Some((&MORE_DATA, how)), Method::Parsec(nonce)) => {
                let reply = mariadb_auth::parsec_reply(self.password(), &nonce, how)?;
                self.state = State::ExpectResult(Method::Ed25519);
                Ok(step(vec![reply], Next::Read))
            }
            _ => Err(Error::Unexpected {
                expected: "the result of the login",
                found: payload.first().copied(),
            }),
        }
    }

    /// The plugin that the server wants, and what to say first.
    fn switched(&self, rest: &[u8]) -> Result<(Method, Vec<u8>), Error> {
        let mut reader = Reader::at(rest, 1);
        let name = text(reader.nul_terminated("authentication plugin")?);
        let offset = reader.offset();
        let data = reader.rest();
        let too_short = |expected| {
            let found = data.len() as u64;
            Error::from(DecodeError::invalid(
                "nonce length",
                offset,
                found,
                expected,
            ))
        };
        let long = || {
            let nonce = data.first_chunk::<{ size_of::<LongNonce>() }>();
            nonce.copied().ok_or_else(|| too_short("32"))
        };
        if let Some(plugin) = AuthPlugin::by_name(&name) {
            let nonce = data.first_chunk::<{ Nonce::LEN }>();
            let nonce = Nonce(*nonce.ok_or_else(|| too_short("20"))?);
            let reply = self.reply(plugin, &nonce);
            let plugin = Some(plugin);
            return Ok((Method::Password { plugin, nonce }, reply));
        }
        match name.as_str() {
            mariadb_auth::ED25519 => {
                let reply = mariadb_auth::ed25519_reply(self.password(), &long()?);
                Ok((Method::Ed25519, reply))
            }
            mariadb_auth::PARSEC => Ok((Method::Parsec(long()?), Vec::new())),
            _ => Err(AuthError::Plugin(name).into()),
        }
    }

    fn handle_more_data(&self, data: &[u8], nonce: &Nonce) -> Result<Vec<Vec<u8>>, Error> {
        let password = self.password();
        let key = match data {
            [sha2::FAST_OK] => return Ok(Vec::new()),
            [sha2::FULL] if self.is_tls || self.is_local_socket => {
                return Ok(vec![[password, &[0]].concat()]);
            }
            [sha2::FULL] => match &self.options.source_public_key {
                Some(key) => key,
                None if self.options.get_source_public_key => {
                    return Ok(vec![vec![sha2::WANT_KEY]]);
                }
                None => return Err(AuthError::NeedsPublicKey.into()),
            },
            // Only a client that asked may believe a key that came.
            key if self.options.get_source_public_key && key.starts_with(b"-----") => key,
            _ => {
                return Err(Error::Unexpected {
                    expected: "an answer of caching_sha2_password",
                    found: data.first().copied(),
                });
            }
        };
        Ok(vec![encrypt_password(password, nonce, key)?])
    }

    fn reply(&self, plugin: AuthPlugin, nonce: &Nonce) -> Vec<u8> {
        match plugin {
            AuthPlugin::Native => native::reply(self.password(), nonce),
            AuthPlugin::CachingSha2 => sha2::reply(self.password(), nonce),
        }
    }

    fn password(&self) -> &[u8] {
        self.options.password.as_bytes()
    }

    fn encode_login(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.login.encode(&mut out);
        out
    }
}

const fn step(send: Vec<Vec<u8>>, next: Next) -> Step {
    Step { send, next }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::Endpoint;

    fn options(mode: TlsMode) -> ClientOptions {
        let endpoint = Endpoint::Unix("/nowhere".into());
        let mut options = ClientOptions::new(endpoint, "u", "secret");
        options.tls.mode = mode;
        options
    }

    fn greeting(capabilities: Capabilities, plugin: &str) -> Vec<u8> {
        let mut out = Vec::new();
        Greeting {
            version: "9.7.4".into(),
            connection_id: 7,
            nonce: Nonce([1; Nonce::LEN]),
            capabilities,
            charset: 255,
            status: 2,
            plugin: plugin.into(),
        }
        .encode(&mut out);
        out
    }

    #[test]
    fn the_password_never_leaves_in_the_clear_over_a_plain_connection() {
        let options = options(TlsMode::Preferred);
        let mut handshake = Handshake::new(&options, false);
        let plain = Capabilities::SERVER;
        let hello = greeting(plain, AuthPlugin::CachingSha2.name());
        let step = handshake.handle(&hello).unwrap();
        assert_eq!(step.next, Next::Read);
        let error = handshake.handle(&[MORE_DATA, sha2::FULL]).unwrap_err();
        assert!(matches!(error, Error::Auth(AuthError::NeedsPublicKey)));
    }

    #[test]
    fn a_server_cannot_slip_in_a_key_that_was_not_asked_for() {
        let options = options(TlsMode::Disabled);
        let mut handshake = Handshake::new(&options, false);
        let hello = greeting(Capabilities::SERVER, AuthPlugin::CachingSha2.name());
        handshake.handle(&hello).unwrap();
        let key = crate::auth::RsaKeyPair::generate().unwrap();
        let offer = [&[MORE_DATA], key.public_pem().as_bytes()].concat();
        assert!(matches!(
            handshake.handle(&offer),
            Err(Error::Unexpected { .. })
        ));
    }

    #[test]
    fn a_required_tls_is_asked_for_before_anything_is_said() {
        let options = options(TlsMode::Required);
        let mut handshake = Handshake::new(&options, false);
        let offers = Capabilities::SERVER | Capabilities::SSL;
        let step = handshake.handle(&greeting(offers, "mysql_native_password"));
        let step = step.unwrap();
        assert_eq!(step.next, Next::StartTls);
        assert_eq!(step.send.concat().len(), 32);
        let mut handshake = Handshake::new(&options, false);
        let hello = greeting(Capabilities::SERVER, "mysql_native_password");
        assert!(matches!(
            handshake.handle(&hello),
            Err(Error::Tls(TlsError::NotOffered))
        ));
    }

    #[test]
    fn a_plugin_that_is_not_built_in_is_named() {
        let options = options(TlsMode::Disabled);
        let mut handshake = Handshake::new(&options, false);
        handshake
            .handle(&greeting(Capabilities::SERVER, "other"))
            .unwrap();
        let switch = [&[0xfe][..], b"auth_gssapi_client\0", &[1; 32]].concat();
        let error = handshake.handle(&switch).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Authentication plugin 'auth_gssapi_client' cannot be loaded: not built in"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_payloads_never_panic(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..5),
            flags: u32, first in 0u8..3,
        ) {
            let options = options(TlsMode::Preferred);
            let mut handshake = Handshake::new(&options, false);
            let plugins = ["mysql_native_password", "caching_sha2_password", "other"];
            let plugin = plugins[usize::from(first)];
            let _ = handshake.handle(&greeting(Capabilities(flags), plugin));
            for mut payload in payloads {
                let _ = handshake.handle(&payload);
                payload.insert(0, [0x00, 0x01, 0xfe][usize::from(first)]);
                let _ = handshake.handle(&payload);
            }
        }
    }
}
