//! The client's answer to the greeting: the login, and the request for TLS that may precede it.
//!
//! The request for TLS is the first 32 bytes of a login; the login itself is then repeated in
//! full inside TLS, and only that one counts.
//!
//! Spec: mysql-server 8.4, "Protocol::HandshakeResponse41", "Protocol::SSLRequest",
//! "COM_CHANGE_USER".

use codec::{DecodeError, Reader, Write as _};

use crate::{Capabilities, greeting::text};

/// | size | field                                                           |
/// |-----:|-----------------------------------------------------------------|
/// |    4 | `capabilities`                                                  |
/// |    4 | `packet_bytes_max`                                              |
/// |    1 | `charset`                                                       |
/// |   23 | reserved (MariaDB: 19, then its capabilities)                   |
/// |  NUL | `user`                                                          |
/// | u8 or lenenc length | `auth_response` (NUL without SECURE_CONNECTION)  |
/// |  NUL | `database`, by CONNECT_WITH_DB                                  |
/// |  NUL | `plugin`, by PLUGIN_AUTH                                        |
/// | lenenc | `attributes`: lenenc names and values, by CONNECT_ATTRS       |
/// |    1 | `zstd_level`, by ZSTD_COMPRESSION (MariaDB: 4)                  |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// What the client asks for; only flags that the server offered count.
    pub capabilities: Capabilities,
    /// Largest payload the client takes; a statement by servers, not checked.
    pub packet_bytes_max: u32,
    /// Low byte of the collation the client wants for the connection.
    pub charset: u8,
    /// Account name.
    pub user: String,
    /// Reply to the nonce, in the way of `plugin`.
    pub auth_response: Vec<u8>,
    /// Default database.
    pub database: Option<String>,
    /// Plugin that `auth_response` was made by.
    pub plugin: Option<String>,
    /// What the client program says of itself.
    pub attributes: Vec<(String, String)>,
    /// Level of compression asked for, by ZSTD_COMPRESSION.
    pub zstd_level: Option<u8>,
}

impl Login {
    /// Appends the request for TLS that precedes this login.
    pub fn encode_tls_request(&self, out: &mut Vec<u8>) {
        out.put_u32(self.capabilities.with(Capabilities::SSL).0);
        out.put_u32(self.packet_bytes_max);
        out.put_u8(self.charset);
        out.put(&[0; 23]);
    }

    /// Appends the login. `capabilities` decides which fields are written.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let has = |flag| self.capabilities.has(flag);
        out.put_u32(self.capabilities.0);
        out.put_u32(self.packet_bytes_max);
        out.put_u8(self.charset);
        out.put(&[0; 23]);
        out.put_nul_terminated(self.user.as_bytes());
        if has(Capabilities::PLUGIN_AUTH_LENENC) {
            out.put_lenenc_bytes(&self.auth_response);
        } else {
            out.put_u8(u8::try_from(self.auth_response.len()).unwrap_or(u8::MAX));
            out.put(&self.auth_response);
        }
        if has(Capabilities::CONNECT_WITH_DB) {
            out.put_nul_terminated(self.database.as_deref().unwrap_or_default().as_bytes());
        }
        if has(Capabilities::PLUGIN_AUTH) {
            out.put_nul_terminated(self.plugin.as_deref().unwrap_or_default().as_bytes());
        }
        if has(Capabilities::CONNECT_ATTRS) {
            let mut attributes = Vec::new();
            for (name, value) in &self.attributes {
                attributes.put_lenenc_bytes(name.as_bytes());
                attributes.put_lenenc_bytes(value.as_bytes());
            }
            out.put_lenenc_bytes(&attributes);
        }
        if let Some(level) = self
            .zstd_level
            .filter(|_| has(Capabilities::ZSTD_COMPRESSION))
        {
            out.put_u8(level);
        }
    }

    /// Reads a login, or the part of it that a request for TLS has: then `None`.
    ///
    /// `offered` is what the greeting offered; flags beyond it are dropped.
    pub fn decode(payload: &[u8], offered: Capabilities) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(payload);
        let asked = Capabilities(reader.u32("login capabilities")?);
        if !asked.has(Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION) {
            return Err(DecodeError::invalid(
                "login capabilities",
                0,
                u64::from(asked.0),
                "the protocol of MySQL 4.1 with secure authentication",
            ));
        }
        let capabilities = asked & offered;
        let packet_bytes_max = reader.u32("login packet limit")?;
        let charset = reader.u8("login charset")?;
        reader.array::<23>("login reserved")?;
        if capabilities.has(Capabilities::SSL) && reader.is_empty() {
            return Ok(None);
        }
        let user = text(reader.nul_terminated("user name")?);
        let auth_response = match capabilities.has(Capabilities::PLUGIN_AUTH_LENENC) {
            true => reader.lenenc_bytes("authentication reply")?,
            false => {
                let len = usize::from(reader.u8("authentication reply length")?);
                reader.bytes(len, "authentication reply")?
            }
        };
        let mut login = Self {
            capabilities,
            packet_bytes_max,
            charset,
            user,
            auth_response: auth_response.to_vec(),
            ..Self::default()
        };
        if capabilities.has(Capabilities::CONNECT_WITH_DB) && !reader.is_empty() {
            login.database = non_empty(nul_or_end(&mut reader));
        }
        if capabilities.has(Capabilities::PLUGIN_AUTH) && !reader.is_empty() {
            login.plugin = non_empty(nul_or_end(&mut reader));
        }
        if capabilities.has(Capabilities::CONNECT_ATTRS) && !reader.is_empty() {
            login.attributes = attributes(&mut reader)?;
        }
        if capabilities.has(Capabilities::ZSTD_COMPRESSION) && !reader.is_empty() {
            login.zstd_level = Some(reader.u8("zstd level")?);
        }
        Ok(Some(login))
    }
}

/// COM_CHANGE_USER, after its command byte: a login on a connection that exists.
///
/// | size | field                                       |
/// |-----:|---------------------------------------------|
/// |  NUL | `user`                                      |
/// |    1 | length of `auth_response`                   |
/// | that | `auth_response`                             |
/// |  NUL | `database`, may be empty                    |
/// |    2 | `charset`, and the rest, may be absent      |
/// |  NUL | `plugin`, by PLUGIN_AUTH                    |
/// | lenenc | `attributes`, by CONNECT_ATTRS            |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChangeUser {
    pub(crate) user: String,
    pub(crate) auth_response: Vec<u8>,
    pub(crate) database: Option<String>,
    pub(crate) charset: Option<u16>,
    pub(crate) plugin: Option<String>,
    pub(crate) attributes: Vec<(String, String)>,
}

impl ChangeUser {
    pub(crate) fn decode(
        mut reader: Reader<'_>,
        capabilities: Capabilities,
    ) -> Result<Self, DecodeError> {
        let user = text(reader.nul_terminated("user name")?);
        let len = usize::from(reader.u8("authentication reply length")?);
        let mut change = Self {
            user,
            auth_response: reader.bytes(len, "authentication reply")?.to_vec(),
            ..Self::default()
        };
        change.database = non_empty(nul_or_end(&mut reader));
        if !reader.is_empty() {
            change.charset = Some(reader.u16("charset")?);
        }
        if capabilities.has(Capabilities::PLUGIN_AUTH) && !reader.is_empty() {
            change.plugin = non_empty(nul_or_end(&mut reader));
        }
        if capabilities.has(Capabilities::CONNECT_ATTRS) && !reader.is_empty() {
            change.attributes = attributes(&mut reader)?;
        }
        Ok(change)
    }
}

fn attributes(reader: &mut Reader<'_>) -> Result<Vec<(String, String)>, DecodeError> {
    let offset = reader.offset();
    let mut pairs = Reader::at(reader.lenenc_bytes("attributes")?, offset);
    let mut attributes = Vec::new();
    while !pairs.is_empty() {
        let name = text(pairs.lenenc_bytes("attribute name")?);
        attributes.push((name, text(pairs.lenenc_bytes("attribute value")?)));
    }
    Ok(attributes)
}

/// Clients disagree on whether the last string ends in NUL.
fn nul_or_end<'a>(reader: &mut Reader<'a>) -> &'a [u8] {
    match reader.nul_terminated("text") {
        Ok(text) => text,
        Err(_) => reader.rest(),
    }
}

fn non_empty(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hex;

    /// A MySQL 9.7 replica's login.
    const REPLICA_97: &str = "85a2b89967100040ff0000000000000000000000000000000000000000000000726570\
        6c00207a75b81fb6d2b1e34b5221954f85269726cd622c903238ebe5e5a7bf2e1c750a63616368696e675f7368\
        61325f70617373776f726400a9095f706c6174666f726d067838365f3634035f6f73054c696e75780c5f636c69\
        656e745f6e616d65086c69626d7973716c205f636c69656e745f7265706c69636174696f6e5f6368616e6e656c\
        5f6e616d6500045f7069640531393830340c5f636c69656e745f726f6c651362696e6172795f6c6f675f6c6973\
        74656e65720f5f636c69656e745f76657273696f6e05392e372e340c70726f6772616d5f6e616d65066d797371\
        6c64";

    #[test]
    fn reads_and_writes_the_login_of_a_replica() {
        let bytes = hex(REPLICA_97);
        let login = Login::decode(&bytes, Capabilities(u32::MAX))
            .unwrap()
            .unwrap();
        assert_eq!(login.user, "repl");
        assert_eq!(login.auth_response.len(), 32);
        assert_eq!(login.plugin.as_deref(), Some("caching_sha2_password"));
        assert_eq!(login.database, None);
        let role = ("_client_role".into(), "binary_log_listener".into());
        assert!(login.attributes.contains(&role));
        let mut out = Vec::new();
        login.encode(&mut out);
        assert_eq!(out, bytes);
    }

    #[test]
    fn the_first_32_bytes_with_the_tls_flag_are_a_request_for_tls() {
        let mut bytes = Vec::new();
        Login {
            capabilities: Capabilities::CLIENT,
            ..Login::default()
        }
        .encode_tls_request(&mut bytes);
        assert_eq!(bytes.len(), 32);
        let offered = Capabilities::SERVER | Capabilities::SSL;
        assert_eq!(Login::decode(&bytes, offered), Ok(None));
        assert!(Login::decode(&bytes, Capabilities::SERVER).is_err());
    }

    #[test]
    fn refuses_the_protocol_of_before_4_1() {
        assert!(Login::decode(&[5, 0, 0, 0, 1, 2, 3], Capabilities::SERVER).is_err());
    }

    proptest! {
        #[test]
        fn logins_round_trip(
            zstd_level: Option<u8>, user in "[^\0]{0,40}", auth_response in prop::collection::vec(any::<u8>(), 0..250),
            database in proptest::option::of("[^\0]{1,20}"), flags: u32,
            attributes in prop::collection::vec((".{0,10}", ".{0,300}"), 0..5),
        ) {
            let mut capabilities = Capabilities(flags)
                .with(Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION);
            if database.is_none() {
                capabilities = capabilities.without(Capabilities::CONNECT_WITH_DB);
            }
            let has = |flag| capabilities.has(flag);
            let login = Login {
                capabilities,
                packet_bytes_max: 7,
                charset: 255,
                user,
                auth_response,
                database: database.filter(|_| has(Capabilities::CONNECT_WITH_DB)),
                plugin: has(Capabilities::PLUGIN_AUTH).then(|| "caching_sha2_password".into()),
                attributes: if has(Capabilities::CONNECT_ATTRS) { attributes } else { Vec::new() },
                zstd_level: zstd_level.filter(|_| has(Capabilities::ZSTD_COMPRESSION)),
            };
            let mut out = Vec::new();
            login.encode(&mut out);
            let decoded = Login::decode(&out, Capabilities(u32::MAX)).unwrap();
            prop_assert_eq!(decoded, Some(login));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, flags: u32, offered: u32) {
            let mut login = (flags | Capabilities::PROTOCOL_41.0 | Capabilities::SECURE_CONNECTION.0)
                .to_le_bytes()
                .to_vec();
            login.extend([0; 28]);
            login.extend(&bytes);
            let _ = Login::decode(&login, Capabilities(offered));
            let _ = Login::decode(&bytes, Capabilities(offered));
            let _ = ChangeUser::decode(Reader::new(&bytes), Capabilities(offered));
        }
    }
}
