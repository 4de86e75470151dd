//! OK, ERR and EOF: the packets that end an answer.
//!
//! Which of OK and EOF ends a result set depends on `DEPRECATE_EOF`; both sides must use the
//! capabilities that the handshake agreed on, never the ones they would like.
//!
//! Spec: mysql-server 8.4, `sql/protocol_classic.cc`, `net_send_ok`, `net_send_eof`,
//! `net_send_error_packet`.

use std::fmt;

use codec::{DecodeError, Reader, Write as _};

use crate::Capabilities;

/// Session status flags, in OK and EOF packets.
pub mod status {
    /// A transaction is open.
    pub const IN_TRANS: u16 = 1;
    /// `autocommit` is on.
    pub const AUTOCOMMIT: u16 = 1 << 1;
    /// Another result follows this one.
    pub const MORE_RESULTS_EXISTS: u16 = 1 << 3;
    /// The statement used no index.
    pub const NO_INDEX_USED: u16 = 1 << 5;
    /// A database was dropped.
    pub const DB_DROPPED: u16 = 1 << 8;
    /// sql_mode NO_BACKSLASH_ESCAPES is on.
    pub const NO_BACKSLASH_ESCAPES: u16 = 1 << 9;
    /// The open transaction is read only.
    pub const IN_TRANS_READONLY: u16 = 1 << 13;
    /// What changed of the session follows in the OK packet.
    pub const SESSION_STATE_CHANGED: u16 = 1 << 14;
}

/// First byte of an OK packet.
pub(crate) const OK: u8 = 0x00;
/// First byte of an EOF packet, of an OK packet that ends a result set, and of an authentication
/// switch.
pub(crate) const EOF: u8 = 0xfe;
/// First byte of a request for a file of the client's.
pub(crate) const LOCAL_INFILE: u8 = 0xfb;
/// First byte of an ERR packet.
pub(crate) const ERR: u8 = 0xff;

/// A statement succeeded, or a result set ended.
///
/// | size    | field                                        |
/// |--------:|----------------------------------------------|
/// |       1 | 0x00, or 0xfe at the end of a result set     |
/// |  lenenc | `affected_rows`                              |
/// |  lenenc | `last_insert_id`                             |
/// |       2 | `status`                                     |
/// |       2 | `warnings`                                   |
/// |  lenenc | `info`, absent when empty and nothing follows |
/// |  lenenc | changes of the session's state, if there are any: 3, then lenenc `0, lenenc gtids` |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OkPacket {
    /// Rows changed (or found, by FOUND_ROWS).
    pub affected_rows: u64,
    /// First value that AUTO_INCREMENT made, or what LAST_INSERT_ID(expr) set; 0 for none.
    pub last_insert_id: u64,
    /// Session status, flags of [`status`].
    pub status: u16,
    /// Number of warnings.
    pub warnings: u16,
    /// Text for people, such as `Rows matched: 1  Changed: 0  Warnings: 0`.
    pub info: String,
    /// GTIDs for clients that have asked for them, by `SESSION_TRACK` and `session_track_gtids`.
    pub gtids: Option<String>,
}

/// The change of the session's state that is a set of GTIDs.
const TRACK_GTIDS: u8 = 3;
/// Its form: text.
const GTIDS_AS_TEXT: u8 = 0;

impl OkPacket {
    pub(crate) fn encode(&self, out: &mut Vec<u8>, ends_result_set: bool) {
        out.put_u8(if ends_result_set { EOF } else { OK });
        out.put_lenenc(self.affected_rows);
        out.put_lenenc(self.last_insert_id);
        let state = match self.gtids {
            Some(_) => status::SESSION_STATE_CHANGED,
            None => 0,
        };
        out.put_u16(self.status | state);
        out.put_u16(self.warnings);
        if !self.info.is_empty() || self.gtids.is_some() {
            out.put_lenenc_bytes(self.info.as_bytes());
        }
        if let Some(gtids) = &self.gtids {
            let mut text = vec![GTIDS_AS_TEXT];
            text.put_lenenc_bytes(gtids.as_bytes());
            let mut change = vec![TRACK_GTIDS];
            change.put_lenenc_bytes(&text);
            out.put_lenenc_bytes(&change);
        }
    }

    /// Reads an OK packet. Text that is no UTF-8 is kept readable, state changes are ignored.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        reader.u8("OK header")?;
        let affected_rows = reader.lenenc("OK affected rows")?;
        let last_insert_id = reader.lenenc("OK last insert id")?;
        let status = reader.u16("OK status")?;
        let warnings = reader.u16("OK warnings")?;
        // MariaDB puts a hash of the password here after a login, which is not text.
        let info = match reader.is_empty() {
            true => String::new(),
            false => String::from_utf8_lossy(reader.lenenc_bytes("OK info").unwrap_or_default())
                .into_owned(),
        };
        Ok(Self {
            affected_rows,
            last_insert_id,
            status,
            warnings,
            info,
            gtids: None,
        })
    }
}

/// A statement or a login failed.
///
/// | size | field                                          |
/// |-----:|------------------------------------------------|
/// |    1 | 0xff                                           |
/// |    2 | `code`                                         |
/// |    6 | `#` and `state`, absent before a login         |
/// | rest | `message`                                      |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrPacket {
    /// MySQL's error number.
    pub code: u16,
    /// SQLSTATE.
    pub state: [u8; 5],
    /// MySQL's text.
    pub message: String,
}

impl ErrPacket {
    /// An error with MySQL's number, SQLSTATE and text.
    #[must_use]
    pub fn new(code: u16, state: &[u8; 5], message: impl Into<String>) -> Self {
        Self {
            code,
            state: *state,
            message: message.into(),
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        out.put_u8(ERR);
        out.put_u16(self.code);
        if capabilities.has(Capabilities::PROTOCOL_41) {
            out.put_u8(b'#');
            out.put(&self.state);
        }
        out.put(self.message.as_bytes());
    }

    /// Reads an ERR packet.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        reader.u8("ERR header")?;
        let code = reader.u16("ERR code")?;
        let mut state = *b"HY000";
        if reader.peek().first() == Some(&b'#') {
            reader.u8("ERR state marker")?;
            state = reader.array("ERR state")?;
        }
        let message = String::from_utf8_lossy(reader.rest()).into_owned();
        Ok(Self {
            code,
            state,
            message,
        })
    }
}

impl fmt::Display for ErrPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = String::from_utf8_lossy(&self.state);
        write!(f, "ERROR {} ({state}): {}", self.code, self.message)
    }
}

impl std::error::Error for ErrPacket {}

/// Writes what ends a result set.
pub(crate) fn encode_end(
    out: &mut Vec<u8>,
    capabilities: Capabilities,
    status: u16,
    warnings: u16,
) {
    if capabilities.has(Capabilities::DEPRECATE_EOF) {
        let ok = OkPacket {
            status,
            warnings,
            ..OkPacket::default()
        };
        ok.encode(out, true);
    } else {
        encode_eof(out, status, warnings);
    }
}

/// Writes an EOF packet: 0xfe, warnings, status.
pub(crate) fn encode_eof(out: &mut Vec<u8>, status: u16, warnings: u16) {
    out.put_u8(EOF);
    out.put_u16(warnings);
    out.put_u16(status);
}

/// Whether a payload is an EOF packet and not a row or a switch of the authentication.
pub(crate) fn is_eof(payload: &[u8]) -> bool {
    payload.first() == Some(&EOF) && payload.len() < 9
}

/// Whether a payload among the rows of a result set ends it. A row that begins with 0xfe begins
/// with a string of 16 MiB or more, so it fills a packet.
pub(crate) fn ends_rows(payload: &[u8], capabilities: Capabilities) -> bool {
    if capabilities.has(Capabilities::DEPRECATE_EOF) {
        payload.first() == Some(&EOF) && payload.len() < crate::packet::PART_MAX
    } else {
        is_eof(payload)
    }
}

/// The status and warnings of what ends a result set.
pub(crate) fn decode_end(
    payload: &[u8],
    capabilities: Capabilities,
) -> Result<OkPacket, DecodeError> {
    if capabilities.has(Capabilities::DEPRECATE_EOF) {
        return OkPacket::decode(payload);
    }
    let mut reader = Reader::new(payload);
    reader.u8("EOF header")?;
    let warnings = reader.u16("EOF warnings")?;
    let status = reader.u16("EOF status")?;
    Ok(OkPacket {
        status,
        warnings,
        ..OkPacket::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_the_bytes_that_mysql_writes() {
        let mut out = Vec::new();
        let ok = OkPacket {
            status: status::AUTOCOMMIT,
            ..OkPacket::default()
        };
        ok.encode(&mut out, false);
        assert_eq!(out, [0, 0, 0, 2, 0, 0, 0]);
        out.clear();
        encode_end(&mut out, Capabilities::DEPRECATE_EOF, 2, 0);
        assert_eq!(out, [0xfe, 0, 0, 2, 0, 0, 0]);
        out.clear();
        encode_end(&mut out, Capabilities::PROTOCOL_41, 2, 0);
        assert_eq!(out, [0xfe, 0, 0, 2, 0]);
        out.clear();
        ErrPacket::new(1047, b"08S01", "Unknown command").encode(&mut out, Capabilities::SERVER);
        assert_eq!(out, b"\xff\x17\x04#08S01Unknown command");
    }

    #[test]
    fn an_error_before_the_login_has_no_state() {
        let error = ErrPacket::decode(b"\xff\x10\x04Too many connections").unwrap();
        assert_eq!(error.code, 1040);
        assert_eq!(error.message, "Too many connections");
    }

    proptest! {
        #[test]
        fn ok_and_err_round_trip(
            rows: u64, id: u64, status: u16, warnings: u16, info in ".{0,300}", code: u16, ends: bool,
        ) {
            let ok = OkPacket {
                affected_rows: rows, last_insert_id: id, status, warnings, info, gtids: None,
            };
            let mut out = Vec::new();
            ok.encode(&mut out, ends);
            prop_assert_eq!(OkPacket::decode(&out).unwrap(), ok.clone());
            let err = ErrPacket::new(code, b"42000", ok.info);
            out.clear();
            err.encode(&mut out, Capabilities::SERVER);
            prop_assert_eq!(ErrPacket::decode(&out).unwrap(), err);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = OkPacket::decode(&bytes);
            let _ = ErrPacket::decode(&bytes);
            let _ = decode_end(&bytes, Capabilities::default());
        }
    }
}
