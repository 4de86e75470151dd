//! How the connection to a source may be compressed: in the file, and by statement with MySQL's refusals.

use config::settings::SourceCompression;
use serde::{Deserialize, Serialize};
use sql::ast::ReplicationOptionValue;
use sql::error::SqlError;

use super::{number, text};

/// Most algorithms in a list, as in MySQL.
const MOST: usize = 3;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompressionRecord {
    zlib: bool,
    zstd: bool,
    uncompressed: bool,
    zstd_level: u8,
}

impl From<SourceCompression> for CompressionRecord {
    fn from(of: SourceCompression) -> Self {
        Self {
            zlib: of.zlib,
            zstd: of.zstd,
            uncompressed: of.uncompressed,
            zstd_level: of.zstd_level,
        }
    }
}

impl From<CompressionRecord> for SourceCompression {
    fn from(record: CompressionRecord) -> Self {
        Self {
            zlib: record.zlib,
            zstd: record.zstd,
            uncompressed: record.uncompressed,
            zstd_level: record.zstd_level,
        }
    }
}

impl Default for CompressionRecord {
    fn default() -> Self {
        SourceCompression::default().into()
    }
}

/// `SOURCE_COMPRESSION_ALGORITHMS`.
pub(super) fn algorithms(
    present: SourceCompression,
    name: &str,
    value: &ReplicationOptionValue,
) -> Result<SourceCompression, SqlError> {
    let list = text(name, value)?;
    if list.split(',').count() > MOST {
        let text = format!(
            "Specified compression algorithm list '{list}' exceeds total count of {MOST} for channel ''."
        );
        return Err(SqlError::new(3924, "HY000", text));
    }
    present.permitting(&list).ok_or_else(|| {
        let text = format!("Invalid {name} '{list}' for channel ''.");
        SqlError::new(3920, "HY000", text)
    })
}

/// `SOURCE_ZSTD_COMPRESSION_LEVEL`.
pub(super) fn level(
    present: SourceCompression,
    name: &str,
    value: &ReplicationOptionValue,
) -> Result<SourceCompression, SqlError> {
    let wanted: u64 = number(name, value)?;
    let level = u8::try_from(wanted).ok();
    let level = level.filter(|level| (1..=22).contains(level));
    let zstd_level = level.ok_or_else(|| {
        let text = format!("Invalid {name} {wanted} for channel ''.");
        SqlError::new(3921, "HY000", text)
    })?;
    Ok(SourceCompression {
        zstd_level,
        ..present
    })
}
