//! What is to be taken back: which transactions, of them which tables, of those which rows.

use std::cmp::Ordering;

use binlog::log::LogFileName;
use binlog::transaction::{TransactionGtid, TransactionInfo};
use gtid::GtidSet;
use inspect::filter::GtidChoice;
use inspect::find::KeyPart;

use crate::Bound;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only these transactions.
    pub gtids: Option<GtidChoice>,
    /// Not these.
    pub exclude: GtidChoice,
    /// From here on: a time and later, the named transaction, a transaction that begins at this
    /// place or behind it.
    pub start: Option<Bound>,
    /// Up to here: committed before a time, the named transaction as the last one, transactions that
    /// begin in front of this place.
    pub stop: Option<Bound>,
    /// Only rows of these tables, as schema and table; none: of all.
    pub tables: Vec<(String, String)>,
    /// Only rows with this key; none: all.
    pub key: Vec<KeyPart>,
}

impl Choice {
    /// Whether rows of the table are asked for.
    #[must_use]
    pub fn has_table(&self, schema: &str, table: &str) -> bool {
        self.tables.is_empty()
            || self
                .tables
                .iter()
                .any(|(asked_schema, asked)| asked_schema == schema && asked == table)
    }
}

/// The choice on its way through a log.
#[derive(Debug)]
pub(super) struct ChoiceRun<'c> {
    choice: &'c Choice,
    is_start_met: bool,
    is_stop_met: bool,
    /// MySQL transactions that were asked for by GTID and seen.
    seen: GtidSet,
    /// Of each run of MariaDB GTIDs, how many were seen.
    seen_runs: Vec<u64>,
}

impl<'c> ChoiceRun<'c> {
    pub(super) fn new(choice: &'c Choice) -> Self {
        let runs = choice.gtids.as_ref().map_or(0, |gtids| gtids.mariadb.len());
        Self {
            choice,
            is_start_met: false,
            is_stop_met: false,
            seen: GtidSet::default(),
            seen_runs: vec![0; runs],
        }
    }

    /// Begins a file: a place in it is met, whether anything begins there or not.
    pub(super) fn begin_file(&mut self, name: &LogFileName) {
        let is_here = |bound: &Option<Bound>| matches!(bound, Some(Bound::Position { file, .. }) if file == name.as_str());
        self.is_start_met |= is_here(&self.choice.start);
        self.is_stop_met |= is_here(&self.choice.stop);
    }

    /// Whether the transaction, which begins in `file`, is to be taken back. Told of each once.
    pub(super) fn judge(&mut self, file: &LogFileName, info: &TransactionInfo) -> bool {
        let is_behind_start = self.is_behind_start(file, info);
        let is_before_stop = self.is_before_stop(file, info);
        let is_named = self.is_named(&info.gtid);
        is_behind_start && is_before_stop && is_named && !self.choice.exclude.contains(&info.gtid)
    }

    fn is_behind_start(&mut self, file: &LogFileName, info: &TransactionInfo) -> bool {
        let Some(start) = &self.choice.start else {
            return true;
        };
        let place = start.place_of(file, info);
        self.is_start_met |= place.is_some_and(Ordering::is_ge);
        match start {
            Bound::Time(_) | Bound::Position { .. } => place.is_some_and(Ordering::is_ge),
            Bound::Gtid(_) => self.is_start_met,
        }
    }

    fn is_before_stop(&mut self, file: &LogFileName, info: &TransactionInfo) -> bool {
        let Some(stop) = &self.choice.stop else {
            return true;
        };
        let place = stop.place_of(file, info);
        let was_met = self.is_stop_met;
        self.is_stop_met |= place.is_some();
        match stop {
            Bound::Time(_) | Bound::Position { .. } => place.is_some_and(Ordering::is_lt),
            Bound::Gtid(_) => !was_met,
        }
    }

    fn is_named(&mut self, gtid: &TransactionGtid) -> bool {
        let Some(gtids) = &self.choice.gtids else {
            return true;
        };
        match gtid {
            TransactionGtid::None => false,
            TransactionGtid::MySql(mysql) => {
                let is_named = gtids.mysql.contains(mysql);
                if is_named {
                    self.seen.add(*mysql);
                }
                is_named
            }
            TransactionGtid::MariaDb(maria) => {
                let mut is_named = false;
                for ((first, last), seen) in gtids.mariadb.iter().zip(&mut self.seen_runs) {
                    let is_in_run = first.domain == maria.domain
                        && first.server == maria.server
                        && (first.sequence..=*last).contains(&maria.sequence);
                    *seen += u64::from(is_in_run);
                    is_named |= is_in_run;
                }
                is_named
            }
        }
    }

    /// The GTIDs that were asked for and not seen.
    pub(super) fn missing(&self) -> Option<String> {
        let gtids = self.choice.gtids.as_ref()?;
        let mut missing = GtidChoice {
            mysql: gtids.mysql.clone(),
            mariadb: Vec::new(),
        };
        missing.mysql.subtract(&self.seen);
        for ((first, last), seen) in gtids.mariadb.iter().zip(&self.seen_runs) {
            if *seen <= last.saturating_sub(first.sequence) {
                missing.mariadb.push((*first, *last));
            }
        }
        (!missing.is_empty()).then(|| missing.to_string())
    }

    /// The places that were named and not met. A time is always met.
    pub(super) fn places_not_met(&self) -> impl Iterator<Item = &'c Bound> {
        let start = self.choice.start.as_ref().filter(|_| !self.is_start_met);
        let stop = self.choice.stop.as_ref().filter(|_| !self.is_stop_met);
        let is_place = |bound: &&Bound| !matches!(bound, Bound::Time(_));
        start.into_iter().chain(stop).filter(is_place)
    }
}
