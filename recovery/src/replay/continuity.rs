//! Whether the files of a log follow each other: told by what each says was executed before it, and
//! for transactions without identifiers by the numbers of the files.

use std::collections::BTreeMap;

use binlog::event::Event;
use binlog::log::{LogFileName, SourceCoordinates};
use binlog::transaction::{Step, TransactionGtid};
use gtid::{GtidSet, MariaGtid, MariaPosition};

/// What was read of the files so far.
#[derive(Debug, Default)]
pub(super) struct Continuity {
    first_file: Option<LogFileName>,
    file: Option<LogFileName>,
    /// Files whose numbers leave some out in front of the open one.
    jump: Option<String>,
    before_mysql: Option<GtidSet>,
    before_mariadb: Option<MariaPosition>,
    seen_mysql: GtidSet,
    /// The last sequence number of each domain and server.
    seen_mariadb: BTreeMap<(u32, u32), u64>,
    gap: Option<String>,
}

impl Continuity {
    /// Takes note of the file that an event lies in.
    pub(super) fn enter(&mut self, file: &LogFileName) {
        let Some(last) = self.file.as_ref().filter(|last| *last != file) else {
            self.first_file.get_or_insert_with(|| file.clone());
            self.file.get_or_insert_with(|| file.clone());
            return;
        };
        let follows = last.number().checked_add(1) == Some(file.number());
        if last.base() == file.base() && !follows {
            let jump = || format!("{file} comes behind {last}");
            self.jump.get_or_insert_with(jump);
        }
        self.file = Some(file.clone());
    }

    /// Takes an event that belongs to no transaction.
    pub(super) fn outside(&mut self, step: &Step<'_>) {
        let missing = match &step.event {
            Event::PreviousGtids(previous) => self.previous_mysql(&previous.gtids),
            Event::GtidList(list) => self.previous_mariadb(&list.gtids),
            _ => return,
        };
        if let Some(missing) = missing {
            let gap = || format!("{missing}, in front of {}", step.file);
            self.gap.get_or_insert_with(gap);
        }
    }

    fn previous_mysql(&mut self, gtids: &GtidSet) -> Option<String> {
        if self.before_mysql.is_none() {
            self.seen_mysql = gtids.clone();
            self.before_mysql = Some(gtids.clone());
            return None;
        }
        let mut missing = gtids.clone();
        missing.subtract(&self.seen_mysql);
        (!missing.is_empty()).then(|| missing.to_string())
    }

    fn previous_mariadb(&mut self, gtids: &[MariaGtid]) -> Option<String> {
        if self.before_mariadb.is_none() {
            self.before_mariadb = Some(gtids.iter().copied().collect());
            gtids.iter().for_each(|gtid| self.see_mariadb(*gtid));
            return None;
        }
        let is_missing = |gtid: &&MariaGtid| {
            let seen = self.seen_mariadb.get(&(gtid.domain, gtid.server));
            seen.is_none_or(|seen| *seen < gtid.sequence)
        };
        let missing: Vec<String> = gtids
            .iter()
            .filter(is_missing)
            .map(|gtid| format!("what leads to {gtid}"))
            .collect();
        (!missing.is_empty()).then(|| missing.join(", "))
    }

    fn see_mariadb(&mut self, gtid: MariaGtid) {
        let seen = self.seen_mariadb.entry((gtid.domain, gtid.server));
        let seen = seen.or_default();
        *seen = gtid.sequence.max(*seen);
    }

    /// Takes note of a transaction; `is_wanted`: it is to be applied.
    pub(super) fn see(&mut self, gtid: TransactionGtid, is_wanted: bool) {
        match gtid {
            TransactionGtid::MySql(gtid) => {
                self.seen_mysql.add(gtid);
            }
            TransactionGtid::MariaDb(gtid) => self.see_mariadb(gtid),
            // Only the names of the files tell, and of those with identifiers nothing is missing.
            TransactionGtid::None if is_wanted && self.gap.is_none() => {
                self.gap.clone_from(&self.jump);
            }
            TransactionGtid::None => {}
        }
    }

    /// What is missing between the files, if something is.
    pub(super) fn gap(&self) -> Option<&str> {
        self.gap.as_deref()
    }

    /// What was executed before the first file and is not in `executed`.
    pub(super) fn missing_mysql(&self, executed: &GtidSet) -> Option<GtidSet> {
        let mut missing = self.before_mysql.clone()?;
        missing.subtract(executed);
        (!missing.is_empty()).then_some(missing)
    }

    /// The same of MariaDB: the last transaction of each domain.
    pub(super) fn missing_mariadb(&self, executed: &MariaPosition) -> Option<MariaPosition> {
        let before = self.before_mariadb.as_ref()?;
        let missing: MariaPosition = before
            .iter()
            .filter(|gtid| {
                let last = executed.get(gtid.domain);
                last.is_none_or(|last| last.sequence < gtid.sequence)
            })
            .collect();
        (!missing.is_empty()).then_some(missing)
    }

    /// The first file, if it lies behind `place` in the same log.
    pub(super) fn begins_behind(&self, place: &SourceCoordinates) -> Option<&LogFileName> {
        let first = self.first_file.as_ref()?;
        let named = LogFileName::parse(&place.file)?;
        (named.base() == first.base() && named < *first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maria(text: &str) -> MariaGtid {
        text.parse().unwrap()
    }

    #[test]
    fn a_mariadb_file_that_was_left_out_is_missed_by_domain_and_server() {
        let mut log = Continuity::default();
        assert_eq!(
            log.previous_mariadb(&[maria("0-1-5"), maria("1-1-2")]),
            None
        );
        log.see(TransactionGtid::MariaDb(maria("0-1-6")), true);
        assert_eq!(
            log.previous_mariadb(&[maria("0-1-6"), maria("1-1-2")]),
            None
        );
        let missing = log.previous_mariadb(&[maria("0-1-6"), maria("1-1-3")]);
        assert_eq!(missing.as_deref(), Some("what leads to 1-1-3"));
        let missing = log.previous_mariadb(&[maria("0-2-7"), maria("0-1-6")]);
        assert_eq!(missing.as_deref(), Some("what leads to 0-2-7"));
        let executed = [maria("0-1-5")].into_iter().collect();
        let missing = log.missing_mariadb(&executed).unwrap();
        assert_eq!(missing.to_string(), "1-1-2");
    }

    #[test]
    fn without_identifiers_the_numbers_of_the_files_tell() {
        let mut log = Continuity::default();
        let enter = |log: &mut Continuity, number| log.enter(&LogFileName::new("binlog", number));
        enter(&mut log, 2);
        enter(&mut log, 3);
        log.see(TransactionGtid::None, true);
        assert_eq!(log.gap(), None);
        enter(&mut log, 5);
        log.see(TransactionGtid::None, false);
        assert_eq!(log.gap(), None);
        log.see(TransactionGtid::None, true);
        assert_eq!(log.gap(), Some("binlog.000005 comes behind binlog.000003"));
        let place = |file: &str| SourceCoordinates {
            file: file.to_owned(),
            offset: 4,
        };
        assert!(log.begins_behind(&place("binlog.000001")).is_some());
        assert!(log.begins_behind(&place("binlog.000002")).is_none());
        assert!(log.begins_behind(&place("relay.000001")).is_none());
    }
}
