//! The commands of a replica: registering, and asking for the binlog.
//!
//! Spec: mysql-server 8.4, `sql/rpl_source.cc`, `register_replica`, `com_binlog_dump`,
//! `com_binlog_dump_gtid`.

use codec::{DecodeError, Reader, Write as _};

use crate::greeting::text;

/// Command byte of COM_BINLOG_DUMP.
pub(crate) const BINLOG_DUMP: u8 = 0x12;
/// Command byte of COM_REGISTER_SLAVE.
pub(crate) const REGISTER_REPLICA: u8 = 0x15;
/// Command byte of COM_BINLOG_DUMP_GTID.
pub(crate) const BINLOG_DUMP_GTID: u8 = 0x1e;

/// Flags of the dump commands.
pub mod dump_flag {
    /// End the stream at the end of the log instead of waiting (mysqlbinlog).
    pub const NON_BLOCK: u16 = 1;
    /// MySQL 8.0.26 and later: heartbeats of version 2.
    pub const HEARTBEAT_V2: u16 = 2;
    /// MariaDB: ANNOTATE_ROWS events too; without it they are left out of the stream.
    pub const ANNOTATE_ROWS: u16 = 2;
    /// MySQL: the dump is by GTIDs; sources ignore it.
    pub const THROUGH_GTID: u16 = 4;
}

/// COM_REGISTER_SLAVE: what a replica says of itself, for SHOW REPLICAS.
///
/// | size | field                    |
/// |-----:|--------------------------|
/// |    4 | `server_id`              |
/// | 1 +  | `host`                   |
/// | 1 +  | `user`                   |
/// | 1 +  | `password`               |
/// |    2 | `port`                   |
/// |    4 | `rank`, unused           |
/// |    4 | `source_id`, 0           |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisterReplica {
    /// The replica's server_id.
    pub server_id: u32,
    /// Its `report_host`.
    pub host: String,
    /// Its `report_user`.
    pub user: String,
    /// Its `report_password`.
    pub password: String,
    /// Its `report_port`.
    pub port: u16,
    /// Unused by every server.
    pub rank: u32,
    /// 0; the source puts its own.
    pub source_id: u32,
}

impl RegisterReplica {
    pub(crate) fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let server_id = reader.u32("replica server id")?;
        let mut short = |what| {
            let len = usize::from(reader.u8(what)?);
            reader.bytes(len, what).map(text)
        };
        let host = short("replica host")?;
        let user = short("replica user")?;
        let password = short("replica password")?;
        Ok(Self {
            server_id,
            host,
            user,
            password,
            port: reader.u16("replica port")?,
            rank: reader.u32("replica rank")?,
            source_id: reader.u32("replica source id")?,
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(REGISTER_REPLICA);
        out.put_u32(self.server_id);
        for text in [&self.host, &self.user, &self.password] {
            let bytes = text.as_bytes();
            let bytes = bytes.get(..usize::from(u8::MAX)).unwrap_or(bytes);
            out.put_u8(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
            out.put(bytes);
        }
        out.put_u16(self.port);
        out.put_u32(self.rank);
        out.put_u32(self.source_id);
    }
}

/// COM_BINLOG_DUMP: the binlog from a file and position.
///
/// | size | field                           |
/// |-----:|---------------------------------|
/// |    4 | `position`                      |
/// |    2 | `flags`                         |
/// |    4 | `server_id`                     |
/// | rest | `file`; empty for the first     |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BinlogDump {
    /// Offset of the first event wanted.
    pub position: u32,
    /// Flags of [`dump_flag`].
    pub flags: u16,
    /// The replica's server_id; 0 for mysqlbinlog.
    pub server_id: u32,
    /// Binlog file; empty for the first.
    pub file: Vec<u8>,
}

impl BinlogDump {
    pub(crate) fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            position: reader.u32("dump position")?,
            flags: reader.u16("dump flags")?,
            server_id: reader.u32("dump server id")?,
            file: reader.rest().to_vec(),
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(BINLOG_DUMP);
        out.put_u32(self.position);
        out.put_u16(self.flags);
        out.put_u32(self.server_id);
        out.put(&self.file);
    }
}

/// COM_BINLOG_DUMP_GTID: the binlog without the transactions that the replica has.
///
/// | size | field                                           |
/// |-----:|-------------------------------------------------|
/// |    2 | `flags`                                         |
/// |    4 | `server_id`                                     |
/// | 4 +  | `file`, empty or unused                         |
/// |    8 | `position`                                      |
/// | 4 +  | `gtid_set`, in the form of PREVIOUS_GTIDS       |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BinlogDumpGtid {
    /// Flags of [`dump_flag`].
    pub flags: u16,
    /// The replica's server_id; 0 for mysqlbinlog.
    pub server_id: u32,
    /// Binlog file; sources ignore it.
    pub file: Vec<u8>,
    /// Offset in it; sources check that it is at least 4.
    pub position: u64,
    /// What the replica has; `gtid::GtidSet` decodes it.
    pub gtid_set: Vec<u8>,
}

impl BinlogDumpGtid {
    pub(crate) fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let flags = reader.u16("dump flags")?;
        let server_id = reader.u32("dump server id")?;
        let len = u64::from(reader.u32("dump file length")?);
        let file = reader.bytes_u64(len, "dump file")?.to_vec();
        let position = reader.u64("dump position")?;
        let len = u64::from(reader.u32("dump GTID set length")?);
        let gtid_set = reader.bytes_u64(len, "dump GTID set")?.to_vec();
        Ok(Self {
            flags,
            server_id,
            file,
            position,
            gtid_set,
        })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(BINLOG_DUMP_GTID);
        out.put_u16(self.flags);
        out.put_u32(self.server_id);
        out.put_u32(u32::try_from(self.file.len()).unwrap_or(u32::MAX));
        out.put(&self.file);
        out.put_u64(self.position);
        out.put_u32(u32::try_from(self.gtid_set.len()).unwrap_or(u32::MAX));
        out.put(&self.gtid_set);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hex;

    /// Reads what a real replica sent after its command byte, and writes it back.
    macro_rules! captured {
        ($type:ident, $hex:literal) => {{
            let bytes = hex($hex);
            let decoded = $type::decode(Reader::new(&bytes[1..])).unwrap();
            let mut out = Vec::new();
            decoded.encode(&mut out);
            assert_eq!(out, bytes);
            decoded
        }};
    }

    #[test]
    fn reads_and_writes_the_commands_of_real_replicas() {
        let register = captured!(
            RegisterReplica,
            "15020000000f7265706c6963612e6578616d706c6507726570757365720572657070777a37000000000000\
             0000"
        );
        assert_eq!(register.host, "replica.example");
        assert_eq!((register.user.as_str(), register.port), ("repuser", 0x377a));
        let dump = captured!(
            BinlogDump,
            "120400000002000200000062696e6c6f672e303030303031"
        );
        assert_eq!((dump.position, dump.flags, dump.server_id), (4, 2, 2));
        assert_eq!(dump.file, b"binlog.000001");
        let dump = captured!(
            BinlogDumpGtid,
            "1e020002000000000000000400000000000000080000000000000000000000"
        );
        assert_eq!((dump.position, dump.gtid_set.len()), (4, 8));
    }

    proptest! {
        #[test]
        fn replication_commands_round_trip(
            texts in prop::array::uniform3("[a-z\u{e4}]{0,100}"), server_id: u32, port: u16, rank: u32,
            flags: u16, position: u64, file: Vec<u8>, gtid_set: Vec<u8>,
        ) {
            let [host, user, password] = texts;
            let (source_id, short) = (rank.rotate_left(7), server_id ^ rank);
            let register =
                RegisterReplica { server_id, host, user, password, port, rank, source_id };
            let dump = BinlogDump { position: short, flags, server_id, file: file.clone() };
            let by_gtid = BinlogDumpGtid { flags, server_id, file, position, gtid_set };
            let mut out = Vec::new();
            register.encode(&mut out);
            prop_assert_eq!(RegisterReplica::decode(Reader::new(&out[1..])).unwrap(), register);
            out.clear();
            dump.encode(&mut out);
            prop_assert_eq!(BinlogDump::decode(Reader::new(&out[1..])).unwrap(), dump);
            out.clear();
            by_gtid.encode(&mut out);
            prop_assert_eq!(BinlogDumpGtid::decode(Reader::new(&out[1..])).unwrap(), by_gtid);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = RegisterReplica::decode(Reader::new(&bytes));
            let _ = BinlogDump::decode(Reader::new(&bytes));
            let _ = BinlogDumpGtid::decode(Reader::new(&bytes));
        }
    }
}
