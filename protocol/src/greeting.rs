//! The server's first packet: who it is, what it can do, and the nonce of the authentication.
//!
//! Spec: mysql-server 8.4, "Protocol::HandshakeV10".

use codec::{DecodeError, Reader, Write as _};

use crate::{Capabilities, auth::Nonce};

/// The protocol version of every server since MySQL 3.21.
const PROTOCOL_VERSION: u8 = 10;
/// Length of the authentication data: 20 bytes and a NUL.
const AUTH_DATA_LEN: u8 = 21;

/// | size | field                                        |
/// |-----:|----------------------------------------------|
/// |    1 | protocol version, 10                         |
/// |  NUL | `version`                                    |
/// |    4 | `connection_id`                              |
/// |    8 | `nonce`, first part                          |
/// |    1 | 0                                            |
/// |    2 | `capabilities`, low half                     |
/// |    1 | `charset`                                    |
/// |    2 | `status`                                     |
/// |    2 | `capabilities`, high half                    |
/// |    1 | length of the authentication data, 21        |
/// |   10 | reserved (MariaDB: 6, then its capabilities) |
/// |   13 | `nonce`, second part and a NUL               |
/// |  NUL | `plugin`                                     |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The server's version text.
    pub version: String,
    /// Number of the connection, for KILL and the process list.
    pub connection_id: u32,
    /// Nonce of the first authentication plugin.
    pub nonce: Nonce,
    /// What the server offers.
    pub capabilities: Capabilities,
    /// Low byte of the server's default collation.
    pub charset: u8,
    /// Session status.
    pub status: u16,
    /// First authentication plugin.
    pub plugin: String,
}

impl Greeting {
    /// Appends the packet's payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let [low0, low1, high0, high1] = self.capabilities.0.to_le_bytes();
        let (first, second) = self.nonce.0.split_at(8);
        out.put_u8(PROTOCOL_VERSION);
        out.put_nul_terminated(self.version.as_bytes());
        out.put_u32(self.connection_id);
        out.put(first);
        out.put_u8(0);
        out.put(&[low0, low1]);
        out.put_u8(self.charset);
        out.put_u16(self.status);
        out.put(&[high0, high1]);
        out.put_u8(AUTH_DATA_LEN);
        out.put(&[0; 10]);
        out.put_nul_terminated(second);
        out.put_nul_terminated(self.plugin.as_bytes());
    }

    /// Reads the packet's payload, of any server that speaks the protocol of MySQL 4.1 or later.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let version = reader.u8("protocol version")?;
        if version != PROTOCOL_VERSION {
            let found = u64::from(version);
            return Err(DecodeError::invalid("protocol version", 0, found, "10"));
        }
        let version = text(reader.nul_terminated("server version")?);
        let connection_id = reader.u32("connection id")?;
        let first: [u8; 8] = reader.array("nonce, first part")?;
        reader.u8("filler")?;
        let low = u32::from(reader.u16("capabilities, low half")?);
        let charset = reader.u8("charset")?;
        let status = reader.u16("status")?;
        let high = u32::from(reader.u16("capabilities, high half")?);
        reader.u8("authentication data length")?;
        reader.array::<10>("reserved")?;
        let second: [u8; 12] = reader.array("nonce, second part")?;
        let mut nonce = [0; Nonce::LEN];
        for (to, from) in nonce.iter_mut().zip(first.iter().chain(&second)) {
            *to = *from;
        }
        if !reader.is_empty() {
            reader.u8("nonce end")?;
        }
        let name = reader.rest();
        let end = name.iter().position(|&byte| byte == 0);
        let plugin = text(name.get(..end.unwrap_or(name.len())).unwrap_or_default());
        Ok(Self {
            version,
            connection_id,
            nonce: Nonce(nonce),
            capabilities: Capabilities(low | high << 16),
            charset,
            status,
            plugin,
        })
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hex;

    /// MySQL 9.7.4 to a replica.
    const MYSQL_97: &str = "0a392e372e342d32000f000000356e6a42017f253700ffffff0200ffdf15000000000000\
        0000000060614d58037f683b0b232b120063616368696e675f736861325f70617373776f726400";
    /// MariaDB 10.11, whose reserved bytes are its own capabilities.
    const MARIADB_1011: &str = "0a352e352e352d31302e31312e31392d4d617269614442002100000045302c4e4a\
        48667600fef7080200ff81150000000000001d0000006a21483b6c6d2f394c2f2d56006d7973716c5f6e6174\
        6976655f70617373776f726400";

    #[test]
    fn reads_and_writes_the_greeting_of_mysql() {
        let bytes = hex(MYSQL_97);
        let greeting = Greeting::decode(&bytes).unwrap();
        assert_eq!(greeting.version, "9.7.4-2");
        assert_eq!(greeting.connection_id, 15);
        assert_eq!(greeting.capabilities, Capabilities(0xdfff_ffff));
        assert_eq!(greeting.plugin, "caching_sha2_password");
        let mut out = Vec::new();
        greeting.encode(&mut out);
        assert_eq!(out, bytes);
    }

    #[test]
    fn reads_the_greeting_of_mariadb() {
        let greeting = Greeting::decode(&hex(MARIADB_1011)).unwrap();
        assert_eq!(greeting.version, "5.5.5-10.11.19-MariaDB");
        assert!(!greeting.capabilities.has(Capabilities::LONG_PASSWORD));
        assert_eq!(greeting.plugin, "mysql_native_password");
    }

    #[test]
    fn refuses_another_protocol_version() {
        let error = Greeting::decode(&[9, 0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "protocol version at byte 0 is 9, expected 10"
        );
    }

    proptest! {
        #[test]
        fn greetings_round_trip(
            version in "[^\\x00]{0,60}", plugin in "[^\\x00]{0,40}", connection_id: u32,
            nonce: [u8; Nonce::LEN], capabilities: u32, charset: u8, status: u16,
        ) {
            let greeting = Greeting {
                version,
                connection_id,
                nonce: Nonce(nonce),
                capabilities: Capabilities(capabilities),
                charset,
                status,
                plugin,
            };
            let mut out = Vec::new();
            greeting.encode(&mut out);
            prop_assert_eq!(Greeting::decode(&out).unwrap(), greeting);
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes: Vec<u8>) {
            let _ = Greeting::decode(&bytes);
            bytes.insert(0, PROTOCOL_VERSION);
            let _ = Greeting::decode(&bytes);
        }
    }
}
