//! Whether files follow each other: names, the chain of ROTATE events, and identifiers.
//!
//! A file tells at its head which transactions the files in front of it hold (PREVIOUS_GTIDS, or
//! MariaDB's GTID_LIST). It must be what they tell themselves: less means that files were made from
//! other ones, more that a file between them is missing.

use std::collections::{BTreeMap, HashSet};

use gtid::GtidSet;

use super::{FindingKind, Severity};
use crate::stats::Stats;
use binlog::log::LogFileName;

type Told = (Severity, FindingKind, String);

/// What one file says about the next one.
pub(super) struct Ending<'a> {
    /// The file that its last event names.
    pub(super) next_file: Option<&'a str>,
    /// Whether it was read to its end and ends between transactions.
    pub(super) is_whole: bool,
}

/// Files of one log, in order.
#[derive(Debug, Default)]
pub struct History {
    names: HashSet<String>,
    last: Option<Last>,
    /// Told when the file ends, since only then its head is known.
    of_names: Vec<Told>,
    is_chained: bool,
}

#[derive(Debug)]
struct Last {
    name: LogFileName,
    next_file: Option<String>,
    /// What all files up to this one hold; `None` if that is not known.
    gtids: Option<GtidSet>,
    /// Last sequence number by domain and server; `None` if that is not known.
    mariadb: Option<BTreeMap<(u32, u32), u64>>,
}

impl History {
    /// Whether `name` can belong to the same log as the files so far.
    #[must_use]
    pub fn continues_with(&self, name: &LogFileName) -> bool {
        self.last
            .as_ref()
            .is_some_and(|last| last.name.base() == name.base())
    }

    /// Begins with the next file.
    pub fn begin_file(&mut self, name: &LogFileName) {
        self.is_chained = false;
        let error = |message| (Severity::Error, FindingKind::Chain, message);
        if !self.names.insert(name.as_str().to_owned()) {
            self.of_names
                .push(error(format!("{name} was among the files already")));
        }
        let Some(last) = &mut self.last else {
            self.last = Some(Last {
                name: name.clone(),
                next_file: None,
                gtids: None,
                mariadb: None,
            });
            return;
        };
        let before = &last.name;
        let expected = before.number().saturating_add(1);
        if name.number() <= before.number() {
            self.of_names.push(error(format!(
                "{name} stands behind {before}: the files are not in order"
            )));
        } else if last.next_file.as_deref() == Some(name.as_str()) {
            self.is_chained = true;
        } else if let Some(next) = &last.next_file {
            self.of_names.push(error(format!(
                "{before} says that {next} follows it, but {name} does: files are missing"
            )));
        } else if name.number() != expected {
            self.of_names.push(error(format!(
                "{name} follows {before}: the files between them are missing"
            )));
        }
        last.name = name.clone();
        last.next_file = None;
    }

    /// Takes what the file that was begun holds, and tells what does not fit.
    pub(super) fn file_ended(&mut self, ending: &Ending<'_>, stats: &Stats) -> Vec<Told> {
        let mut told = std::mem::take(&mut self.of_names);
        let mut gtids = stats.previous_gtids.clone();
        let mut mariadb = stats.gtid_list.as_ref().map(|list| {
            list.iter()
                .map(|gtid| ((gtid.domain, gtid.server), gtid.sequence))
                .collect::<BTreeMap<_, _>>()
        });
        if let Some(last) = &self.last {
            if let (Some(expected), Some(found)) = (&last.gtids, &gtids) {
                told.extend(self.compare(expected, found));
            }
            if let (Some(expected), Some(found)) = (&last.mariadb, &mariadb) {
                told.extend(self.compare_mariadb(expected, found));
            }
        }
        if let Some(set) = &mut gtids {
            set.union(&stats.gtids);
        }
        if let Some(list) = &mut mariadb {
            for (key, (_, last, _)) in &stats.mariadb_gtids {
                list.insert(*key, *last);
            }
        }
        if let Some(last) = &mut self.last {
            last.next_file = ending.next_file.map(str::to_owned);
            last.gtids = gtids.filter(|_| ending.is_whole);
            last.mariadb = mariadb.filter(|_| ending.is_whole);
        }
        told
    }

    fn compare(&self, expected: &GtidSet, found: &GtidSet) -> Vec<Told> {
        let mut told = Vec::new();
        let mut less = expected.clone();
        less.subtract(found);
        if !less.is_empty() {
            let message = format!(
                "its PREVIOUS_GTIDS lack {}, which the files in front of it hold",
                one_line(&less)
            );
            told.push((Severity::Error, FindingKind::Gtids, message));
        }
        let mut more = found.clone();
        more.subtract(expected);
        if !more.is_empty() {
            let more = one_line(&more);
            // Nothing can stand between chained files: the set grew by SET gtid_purged.
            told.push(if self.is_chained {
                let message = format!(
                    "its PREVIOUS_GTIDS name {more}, which no file in front of it holds \
                     (gtid_purged was set, perhaps)"
                );
                (Severity::Warning, FindingKind::Gtids, message)
            } else {
                let message = format!("{more} are missing between this file and the one before");
                (Severity::Error, FindingKind::Gtids, message)
            });
        }
        told
    }

    fn compare_mariadb(
        &self,
        expected: &BTreeMap<(u32, u32), u64>,
        found: &BTreeMap<(u32, u32), u64>,
    ) -> Vec<Told> {
        let mut told = Vec::new();
        for (&(domain, server), &last) in expected {
            match found.get(&(domain, server)) {
                Some(&sequence) if sequence == last => {}
                Some(&sequence) if sequence > last => {
                    let message = format!(
                        "{domain}-{server}-{} to {domain}-{server}-{sequence} are missing \
                         between this file and the one before",
                        last + 1
                    );
                    told.push((Severity::Error, FindingKind::Gtids, message));
                }
                _ => {
                    let message = format!(
                        "its GTID_LIST lacks {domain}-{server}-{last}, \
                         which the files in front of it hold"
                    );
                    told.push((Severity::Error, FindingKind::Gtids, message));
                }
            }
        }
        for (&(domain, server), &sequence) in found {
            if !expected.contains_key(&(domain, server)) {
                let severity = if self.is_chained {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                let message = format!(
                    "its GTID_LIST names {domain}-{server}-{sequence}, \
                     which no file in front of it holds"
                );
                told.push((severity, FindingKind::Gtids, message));
            }
        }
        told
    }
}

fn one_line(set: &GtidSet) -> String {
    set.to_string().replace('\n', "")
}
