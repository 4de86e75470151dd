//! What a server or the way to it says, by who must act.

use protocol::{ErrPacket, Error};
use sql::error::SqlError;

use crate::TargetError;

/// What an error of the connection means for the applier. `is_committing`: whether a COMMIT may have
/// been under way.
pub(super) fn failed(error: Error, is_committing: bool) -> TargetError {
    match error {
        Error::Refused(error) => refused(&error),
        // CR_SERVER_LOST
        error => {
            let text = format!("the connection to the target is lost: {error}");
            let error = SqlError::new(2013, "HY000", text);
            match is_committing {
                true => TargetError::CommitUnknown(error),
                false => TargetError::Retry(error),
            }
        }
    }
}

/// What logging in came to.
pub(super) fn not_connected(error: Error) -> TargetError {
    match error {
        Error::Refused(error) => refused(&error),
        Error::Io(_) | Error::Closed => {
            // CR_CONN_HOST_ERROR
            let text = format!("the target cannot be reached: {error}");
            TargetError::Retry(SqlError::new(2003, "HY000", text))
        }
        error => {
            let text = format!("the target cannot be logged in to: {error}");
            TargetError::Config(SqlError::new(2000, "HY000", text))
        }
    }
}

/// MySQL 9.7 and MariaDB 11.8 error numbers; "Server Error Message Reference".
fn refused(error: &ErrPacket) -> TargetError {
    // All that MariaDB says of a row event that it cannot apply, of a column of another type for one.
    let message = match (error.code, error.message.as_str()) {
        (1105, "Unknown error") => "Unknown error (the target's error log has the reason)",
        (_, message) => message,
    };
    let sql = SqlError::new(error.code, "HY000", message.to_owned());
    match error.code {
        // A row is missing or there already, or a foreign key is in the way.
        1032 | 1062 | 1169 | 1216 | 1217 | 1451 | 1452 | 1557 | 1586 | 1761 | 1762 => {
            TargetError::Conflict(sql)
        }
        // Locks, room, connections that were ended, servers that go down or are starting.
        1021
        | 1040
        | 1053
        | 1077
        | 1079
        // A node of a cluster that is not ready; one that lost the others at a COMMIT.
        | super::cluster::NOT_READY
        | 1180
        | 1114
        | 1158..=1161
        | 1203
        | 1205
        | 1213
        | 1226
        | 1317
        | 1614
        | 1637
        | 1927
        | 1969
        | 3024
        | 3572
        | 3707
        | 4031 => TargetError::Retry(sql),
        // What an administrator grants or sets.
        1044 | 1045 | 1130 | 1142 | 1143 | 1227 | 1231 | 1238 | 1290 | 1370 | 1419 | 1697
        | 1781 | 1782 | 1785 | 1792 | 1820 | 1836 | 1862 | 3118 | 3159 => TargetError::Config(sql),
        // What the server does not have.
        1115 | 1193 | 1235 | 1273 | 1286 | 1305 | 1609 | 1726 => TargetError::Unsupported(sql),
        _ => TargetError::Statement(sql),
    }
}

/// Rows that the log's own description does not fit.
pub(super) fn undecodable(error: codec::DecodeError) -> TargetError {
    let text = format!("the rows cannot be decoded: {error}");
    TargetError::Unsupported(SqlError::new(1610, "HY000", text))
}
