//! Which transactions of a source are executed somewhere.

use std::fmt;

use gtid::{GtidSet, MariaPosition};

use super::TransactionGtid;

/// The transactions that a server has executed: MySQL's by set, MariaDB's by the last one of each
/// domain. Anonymous transactions are in neither.
///
/// MySQL 9.7 Reference Manual, "GTID Sets"; MariaDB Knowledge Base, "Global Transaction ID",
/// `gtid_current_pos`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Executed {
    /// MySQL's.
    pub mysql: GtidSet,
    /// MariaDB's: of each domain the last one, and with it all before it.
    pub mariadb: MariaPosition,
}

impl Executed {
    /// Whether no transaction is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mysql.is_empty() && self.mariadb.is_empty()
    }

    /// Whether the transaction is in it. MariaDB's sequence numbers grow within a domain whatever
    /// the server, so one that is not above the domain's last is; an anonymous one never is.
    #[must_use]
    pub fn contains(&self, gtid: &TransactionGtid) -> bool {
        match gtid {
            TransactionGtid::None => false,
            TransactionGtid::MySql(gtid) => self.mysql.contains(gtid),
            TransactionGtid::MariaDb(gtid) => {
                let last = self.mariadb.get(gtid.domain);
                last.is_some_and(|last| gtid.sequence <= last.sequence)
            }
        }
    }

    /// Adds the transaction; an anonymous one changes nothing.
    pub fn add(&mut self, gtid: TransactionGtid) {
        match gtid {
            TransactionGtid::None => {}
            TransactionGtid::MySql(gtid) => {
                self.mysql.add(gtid);
            }
            TransactionGtid::MariaDb(gtid) => {
                self.mariadb.set(gtid);
            }
        }
    }

    /// Adds what `other` has; of a MariaDB domain that both have, the later one stays.
    pub fn union(&mut self, other: &Self) {
        self.mysql.union(&other.mysql);
        for gtid in other.mariadb.iter() {
            if !self.contains(&TransactionGtid::MariaDb(gtid)) {
                self.mariadb.set(gtid);
            }
        }
    }

    /// What both have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let earlier = self.mariadb.iter().filter_map(|ours| {
            let theirs = other.mariadb.get(ours.domain)?;
            Some(match ours.sequence <= theirs.sequence {
                true => ours,
                false => theirs,
            })
        });
        Self {
            mysql: self.mysql.intersection(&other.mysql),
            mariadb: earlier.collect(),
        }
    }
}

impl fmt::Display for Executed {
    /// As SHOW REPLICA STATUS has it: MySQL's set, or MariaDB's position (there `Gtid_IO_Pos`); of a
    /// replica that followed both, both.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mysql.fmt(f)?;
        if !self.mysql.is_empty() && !self.mariadb.is_empty() {
            f.write_str(",\n")?;
        }
        self.mariadb.fmt(f)
    }
}

impl From<GtidSet> for Executed {
    fn from(mysql: GtidSet) -> Self {
        Self {
            mysql,
            mariadb: MariaPosition::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mysql(text: &str) -> TransactionGtid {
        TransactionGtid::MySql(text.parse().unwrap())
    }

    fn mariadb(text: &str) -> TransactionGtid {
        TransactionGtid::MariaDb(text.parse().unwrap())
    }

    #[test]
    fn a_mariadb_domain_is_executed_up_to_its_last_transaction() {
        let mut executed = Executed::default();
        executed.add(mariadb("0-1-5"));
        for (gtid, is_in) in [
            ("0-1-5", true),
            ("0-2-4", true),
            ("0-1-6", false),
            ("1-1-1", false),
        ] {
            assert_eq!(executed.contains(&mariadb(gtid)), is_in, "{gtid}");
        }
        let mut other = Executed::default();
        other.add(mariadb("0-1-3"));
        other.add(mariadb("1-1-9"));
        executed.union(&other);
        assert_eq!(executed.mariadb.to_string(), "0-1-5,1-1-9");
    }

    #[test]
    fn mysql_transactions_are_executed_one_by_one_and_anonymous_ones_never() {
        let mut executed = Executed::default();
        executed.add(mysql("3e11fa47-71ca-11e1-9e33-c80aa9429562:7"));
        executed.add(TransactionGtid::None);
        assert!(executed.contains(&mysql("3e11fa47-71ca-11e1-9e33-c80aa9429562:7")));
        assert!(!executed.contains(&mysql("3e11fa47-71ca-11e1-9e33-c80aa9429562:6")));
        assert!(!executed.contains(&TransactionGtid::None));
        assert!(!executed.is_empty());
    }
}
