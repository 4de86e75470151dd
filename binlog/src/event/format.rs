//! What a reader must know of a stream to take its events apart: everything about it that a format
//! description says, without the description.

use super::{ChecksumAlgorithm, EventHeader};

/// Whose events they are. Codes from 160 and some status variables mean different things to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flavour {
    /// MySQL, Percona Server and whoever writes their events.
    #[default]
    MySql,
    /// MariaDB.
    MariaDb,
}

/// Layout of the events of one file or dump; see [`super::FormatDescription::format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventFormat {
    /// What follows the body of each event.
    pub checksum: ChecksumAlgorithm,
    /// Who wrote the events.
    pub flavour: Flavour,
    /// Bytes of each header: 19; 13 in version 1; more in files of patched servers, whose extra
    /// bytes stand between the 19 and the body.
    pub header_len: u8,
    /// Bytes of a table id: 6, or 4 in MySQL 5.1.4 to 5.1.15.
    pub table_id_len: u8,
    /// Version of the format: 4; 3 from MySQL 4.0, 1 from 3.23.
    pub binlog_version: u16,
}

impl EventFormat {
    /// The format of today's MySQL with checksums of `algorithm`.
    #[must_use]
    pub const fn mysql(algorithm: ChecksumAlgorithm) -> Self {
        Self {
            checksum: algorithm,
            flavour: Flavour::MySql,
            header_len: EventHeader::LEN_U8,
            table_id_len: 6,
            binlog_version: 4,
        }
    }

    /// The format of today's MariaDB with checksums of `algorithm`.
    #[must_use]
    pub const fn mariadb(algorithm: ChecksumAlgorithm) -> Self {
        let mut format = Self::mysql(algorithm);
        format.flavour = Flavour::MariaDb;
        format
    }

    /// The same format with another checksum algorithm.
    #[must_use]
    pub const fn with_checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = algorithm;
        self
    }
}

impl From<ChecksumAlgorithm> for EventFormat {
    fn from(algorithm: ChecksumAlgorithm) -> Self {
        Self::mysql(algorithm)
    }
}
