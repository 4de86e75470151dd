//! GTIDs that are asked for: those of MySQL, those of MariaDB, or both, in one list.

use std::fmt;
use std::str::FromStr;

use gtid::{GtidSet, MariaGtid, ParseError};

use binlog::transaction::TransactionGtid;

/// Reads the identifier of one transaction, of either kind.
///
/// # Errors
/// If the text is neither `UUID[:TAG]:NUMBER` nor `DOMAIN-SERVER-SEQUENCE`.
pub fn parse_gtid(text: &str) -> Result<TransactionGtid, ParseError> {
    if is_mariadb(text) {
        text.parse().map(TransactionGtid::MariaDb)
    } else {
        text.parse().map(TransactionGtid::MySql)
    }
}

/// Transactions by their identifiers: a MySQL GTID set, and MariaDB GTIDs and runs of them.
///
/// As text a list by commas: `UUID:1-5:9`, `UUID:tag:7`, `0-1-5`, and `0-1-5:9` for the transactions
/// 5 to 9 of domain 0 that server 1 committed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GtidChoice {
    /// Those of MySQL.
    pub mysql: GtidSet,
    /// Those of MariaDB: the first one and the last sequence number.
    pub mariadb: Vec<(MariaGtid, u64)>,
}

impl GtidChoice {
    /// Whether `gtid` is one of them; a transaction without one never is.
    #[must_use]
    pub fn contains(&self, gtid: &TransactionGtid) -> bool {
        match gtid {
            TransactionGtid::None => false,
            TransactionGtid::MySql(gtid) => self.mysql.contains(gtid),
            TransactionGtid::MariaDb(gtid) => self.mariadb.iter().any(|(first, last)| {
                first.domain == gtid.domain
                    && first.server == gtid.server
                    && (first.sequence..=*last).contains(&gtid.sequence)
            }),
        }
    }

    /// Whether it names no transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mysql.is_empty() && self.mariadb.is_empty()
    }

    /// Adds the transactions of another list.
    pub fn union(&mut self, other: Self) {
        self.mysql.union(&other.mysql);
        self.mariadb.extend(other.mariadb);
    }
}

impl FromStr for GtidChoice {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut choice = Self::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            if is_mariadb(part) {
                choice.mariadb.push(run(part)?);
            } else {
                choice.mysql.union(&part.parse()?);
            }
        }
        Ok(choice)
    }
}

impl fmt::Display for GtidChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if !self.mysql.is_empty() {
            f.write_str(&self.mysql.to_string().replace('\n', ""))?;
            separator = ",";
        }
        for (first, last) in &self.mariadb {
            write!(f, "{separator}{first}")?;
            if *last != first.sequence {
                write!(f, ":{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

/// A UUID has four hyphens, and no two of a MariaDB GTID stand in front of a colon.
fn is_mariadb(text: &str) -> bool {
    let head = text.split(':').next().unwrap_or_default();
    head.matches('-').count() == 2
}

fn run(text: &str) -> Result<(MariaGtid, u64), ParseError> {
    let Some((first, last)) = text.split_once(':') else {
        let gtid: MariaGtid = text.parse()?;
        return Ok((gtid, gtid.sequence));
    };
    let first: MariaGtid = first.parse()?;
    // Parsed as the sequence of a GTID, so that both ends obey the same rules.
    let last: MariaGtid = format!("{}-{}-{last}", first.domain, first.server).parse()?;
    Ok((first, last.sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "97979797-0000-11f0-8000-000000000001";

    #[test]
    fn both_kinds_stand_in_one_list() {
        let text = format!("{UUID}:1-3:7, 0-1-5:9,2-4-1");
        let choice: GtidChoice = text.parse().unwrap();
        for (gtid, inside) in [
            (format!("{UUID}:3"), true),
            (format!("{UUID}:4"), false),
            (format!("{UUID}:tag:3"), false),
            ("0-1-9".to_owned(), true),
            ("0-2-9".to_owned(), false),
            ("0-1-10".to_owned(), false),
            ("2-4-1".to_owned(), true),
        ] {
            assert_eq!(
                choice.contains(&parse_gtid(&gtid).unwrap()),
                inside,
                "{gtid}"
            );
        }
        let again: GtidChoice = choice.to_string().parse().unwrap();
        assert_eq!(again, choice);
    }

    #[test]
    fn what_is_no_gtid_is_refused() {
        for text in ["x", "0-1", "0-1-x", "0-1-5:x", "97979797:1"] {
            assert!(text.parse::<GtidChoice>().is_err(), "{text}");
        }
    }
}
