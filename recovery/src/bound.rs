//! A place in a log as people name it: a time, the GTID of a transaction, or a file and an offset.
//!
//! A time is that of a commit, in microseconds where the log has them (MySQL's GTID events since
//! 8.0), else in the whole seconds of the transaction's first event.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use binlog::log::LogFileName;
use binlog::transaction::{TransactionGtid, TransactionInfo};
use inspect::filter::parse_gtid;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A place between, at or behind transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// A time, in microseconds since 1970.
    Time(u64),
    /// The transaction with this identifier.
    Gtid(TransactionGtid),
    /// A file and an offset in it.
    Position {
        /// Name of the file, without a directory.
        file: String,
        /// Bytes from the start of the file.
        offset: u64,
    },
}

/// When the transaction was committed where it came from, in microseconds since 1970.
#[must_use]
pub fn commit_micros(transaction: &TransactionInfo) -> u64 {
    transaction.commit_timestamps.map_or_else(
        || u64::from(transaction.timestamp).saturating_mul(MICROS),
        |at| at.original,
    )
}

const MICROS: u64 = 1_000_000;

impl Bound {
    /// Where a transaction that begins in `file` stands: before this place, at it, or behind it.
    ///
    /// `None` where that cannot be told: another transaction than the named one may be on either
    /// side of it, and so may a file of another log.
    #[must_use]
    pub fn place_of(&self, file: &LogFileName, transaction: &TransactionInfo) -> Option<Ordering> {
        match self {
            Self::Time(micros) => Some(commit_micros(transaction).cmp(micros)),
            Self::Gtid(gtid) => (transaction.gtid == *gtid).then_some(Ordering::Equal),
            Self::Position {
                file: named,
                offset,
            } if named == file.as_str() => Some(transaction.start.offset.cmp(offset)),
            Self::Position { file: named, .. } => {
                let named = LogFileName::parse(named)?;
                (named.base() == file.base()).then(|| file.cmp(&named))
            }
        }
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_date(text) {
            return Err(format!(
                "'{text}' may be a day or a MariaDB GTID; for the day write '{text} 00:00'"
            ));
        }
        if let Some(time) = time(text)? {
            return Ok(Self::Time(time));
        }
        if let Ok(gtid) = parse_gtid(text) {
            return Ok(Self::Gtid(gtid));
        }
        let position = text.rsplit_once(':').and_then(|(file, offset)| {
            let name = file.rsplit('/').next().filter(|name| !name.is_empty())?;
            let is_number = offset.bytes().all(|byte| byte.is_ascii_digit());
            let offset = is_number.then(|| offset.parse().ok()).flatten()?;
            let file = name.to_owned();
            Some(Self::Position { file, offset })
        });
        position.ok_or_else(|| {
            format!(
                "'{text}' is neither a time ('2026-11-21 05:00:00' in UTC, \
                 '2026-11-21 05:00:00.25+02:00', seconds since 1970) nor a GTID nor FILE:OFFSET \
                 (binlog.000007:1234)"
            )
        })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(micros) => {
                let micros = i64::try_from(*micros).unwrap_or(i64::MAX);
                match jiff::Timestamp::from_microsecond(micros) {
                    Ok(moment) => moment.fmt(f),
                    Err(_) => write!(f, "{micros} microseconds since 1970"),
                }
            }
            Self::Gtid(gtid) => gtid.fmt(f),
            Self::Position { file, offset } => write!(f, "{file}:{offset}"),
        }
    }
}

/// Whether the text is four digits, two and two, by hyphens.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    lengths == [4, 2, 2] && parts.iter().all(is_number)
}

/// Reads a time; `None` for what is none, an error for one that no log can have.
fn time(text: &str) -> Result<Option<u64>, String> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(seconds) && is_number(fraction) && fraction.len() <= 6 {
        // A year or a date without its dashes would be a moment of 1970.
        let whole: Option<u64> = seconds.parse().ok().filter(|&whole| whole >= 100_000_000);
        let micros: u64 = format!("{fraction:0<6}").parse().unwrap_or(0);
        return whole
            .and_then(|whole| whole.checked_mul(MICROS)?.checked_add(micros))
            .map(Some)
            .ok_or_else(|| format!("'{text}' is no time: seconds since 1970 are ten digits"));
    }
    let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil = text.parse::<DateTime>();
        let zoned = civil.and_then(|moment| moment.to_zoned(TimeZone::UTC));
        zoned.map(|zoned| zoned.timestamp())
    });
    match moment {
        Err(_) => Ok(None),
        Ok(moment) => u64::try_from(moment.as_microsecond())
            .map(Some)
            .map_err(|_| format!("'{text}' is before 1970, which no log knows")),
    }
}

#[cfg(test)]
mod tests {
    use binlog::stream::Place;
    use binlog::transaction::TransactionKind;

    use super::*;

    fn bound(text: &str) -> Bound {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_a_time_a_gtid_or_a_position() {
        const AT: u64 = 1_795_237_200_000_000;
        for (text, micros) in [
            ("2026-11-21 05:00:00", AT),
            ("2026-11-21 05:00", AT),
            ("2026-11-21T05:00:00.25Z", AT + 250_000),
            ("2026-11-21 07:00:00.000001+02:00", AT + 1),
            ("1795237200", AT),
            ("1795237200.5", AT + 500_000),
        ] {
            assert_eq!(bound(text), Bound::Time(micros), "{text}");
        }
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        for text in ["0-1-5", &format!("{uuid}:7"), &format!("{uuid}:tag:7")] {
            assert_eq!(
                bound(text),
                Bound::Gtid(parse_gtid(text).unwrap()),
                "{text}"
            );
        }
        for (text, name, place) in [
            ("binlog.000007:154", "binlog.000007", 154),
            ("/var/log/my-bin-log.000007:4", "my-bin-log.000007", 4),
            ("stdin:4", "stdin", 4),
        ] {
            let (file, offset) = (name.to_owned(), place);
            assert_eq!(bound(text), Bound::Position { file, offset }, "{text}");
        }
    }

    #[test]
    fn transactions_stand_before_at_or_behind_a_place() {
        let transaction = |offset: u64, timestamp: u32, gtid: &str| TransactionInfo {
            gtid: parse_gtid(gtid).unwrap(),
            kind: TransactionKind::Dml,
            start: Place {
                offset,
                end: offset + 40,
                inner: None,
            },
            timestamp,
            server_id: 1,
            commit_timestamps: None,
            logical_clock: None,
            transaction_length: None,
            mariadb_flags: None,
            commit_id: None,
            is_complete: false,
        };
        let info = transaction(154, 1_795_237_200, "0-1-5");
        let second = LogFileName::new("binlog", 2);
        for (text, place) in [
            ("1795237199.999999", Some(Ordering::Greater)),
            ("1795237200", Some(Ordering::Equal)),
            ("1795237200.5", Some(Ordering::Less)),
            ("0-1-5", Some(Ordering::Equal)),
            ("0-1-6", None),
            ("binlog.000002:4", Some(Ordering::Greater)),
            ("binlog.000002:154", Some(Ordering::Equal)),
            ("binlog.000002:155", Some(Ordering::Less)),
            ("binlog.000001:999", Some(Ordering::Greater)),
            ("binlog.000010:4", Some(Ordering::Less)),
            ("relay.000001:4", None),
        ] {
            assert_eq!(bound(text).place_of(&second, &info), place, "{text}");
        }
    }

    #[test]
    fn what_names_no_place_is_refused_with_the_forms() {
        for text in ["", "yesterday", "14:03:59x", ":4", "a:", "a:-1", "a:1.5"] {
            let refusal = text.parse::<Bound>().unwrap_err();
            assert!(refusal.contains("FILE:OFFSET"), "{text}: {refusal}");
        }
        let refusal = "2026-11-21".parse::<Bound>().unwrap_err();
        assert!(refusal.contains("or a MariaDB GTID"), "{refusal}");
        for text in ["2026", "20261121", "1969-12-31 23:59:59"] {
            assert!(text.parse::<Bound>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_is_told_as_it_is_read() {
        for text in [
            "2026-11-21T05:00:00.25Z",
            "0-1-5",
            "3e11fa47-71ca-11e1-9e33-c80aa9429562:7",
            "binlog.000007:154",
        ] {
            assert_eq!(bound(text).to_string(), text);
        }
    }
}
