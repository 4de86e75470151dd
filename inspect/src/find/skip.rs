//! Which files need not be read for an identifier.
//!
//! The head of a file tells what the files in front of it hold. What it holds itself is what the
//! head of the next one tells and its own does not.

use std::collections::BTreeMap;

use gtid::GtidSet;

use crate::filter::GtidChoice;
use binlog::event::Event;
use binlog::log::LogError;
use binlog::stream::EventSource;
use binlog::transaction::TransactionReader;

/// What the head of a file tells of the files in front of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileGtids {
    mysql: Option<GtidSet>,
    mariadb: Option<BTreeMap<(u32, u32), u64>>,
}

impl FileGtids {
    /// Reads the head, up to the first transaction.
    ///
    /// # Errors
    /// Those of the source.
    pub fn read<S: EventSource>(reader: &mut TransactionReader<S>) -> Result<Self, LogError> {
        let mut found = Self::default();
        while let Some(step) = reader.next()? {
            match &step.event {
                Event::PreviousGtids(event) => {
                    found.mysql = Some(event.gtids.clone());
                    break;
                }
                Event::GtidList(event) => {
                    let list = event.gtids.iter();
                    found.mariadb = Some(
                        list.map(|gtid| ((gtid.domain, gtid.server), gtid.sequence))
                            .collect(),
                    );
                    break;
                }
                _ if step.transaction.is_some() => break,
                _ => {}
            }
        }
        Ok(found)
    }

    /// Whether the file with this head may hold one of `wanted`; `next` is the head of the file
    /// behind it in the same log.
    #[must_use]
    pub fn may_hold(&self, next: Option<&Self>, wanted: &GtidChoice) -> bool {
        self.may_hold_mysql(next, &wanted.mysql) || self.may_hold_mariadb(next, wanted)
    }

    fn may_hold_mysql(&self, next: Option<&Self>, wanted: &GtidSet) -> bool {
        if wanted.is_empty() {
            return false;
        }
        // A file without the event tells nothing.
        let Some(before) = &self.mysql else {
            return self.mariadb.is_none();
        };
        let mut left = wanted.clone();
        left.subtract(before);
        match next.and_then(|next| next.mysql.as_ref()) {
            Some(next) => left.intersects(next),
            None => !left.is_empty(),
        }
    }

    fn may_hold_mariadb(&self, next: Option<&Self>, wanted: &GtidChoice) -> bool {
        if wanted.mariadb.is_empty() {
            return false;
        }
        let Some(before) = &self.mariadb else {
            return self.mysql.is_none();
        };
        let next = next.and_then(|next| next.mariadb.as_ref());
        wanted.mariadb.iter().any(|(first, last)| {
            let key = (first.domain, first.server);
            let is_behind = before.get(&key).is_none_or(|done| last > done);
            // In a list only the newest server of a domain is sure to be told.
            let is_reached =
                next.is_none_or(|next| next.get(&key).is_none_or(|done| first.sequence <= *done));
            is_behind && is_reached
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "97979797-0000-11f0-8000-000000000001";

    fn mysql(set: &str) -> FileGtids {
        FileGtids {
            mysql: Some(format!("{UUID}:{set}").parse().unwrap()),
            mariadb: None,
        }
    }

    #[test]
    fn a_file_is_read_only_if_it_may_hold_what_is_wanted() {
        let wanted = |set: &str| format!("{UUID}:{set}").parse::<GtidChoice>().unwrap();
        let (this, next) = (mysql("1-10"), mysql("1-20"));
        assert!(this.may_hold(Some(&next), &wanted("11")));
        assert!(this.may_hold(Some(&next), &wanted("5:20")));
        assert!(!this.may_hold(Some(&next), &wanted("5")));
        assert!(!this.may_hold(Some(&next), &wanted("21")));
        assert!(this.may_hold(None, &wanted("21")));
        assert!(FileGtids::default().may_hold(None, &wanted("1")));
        assert!(!this.may_hold(None, &"0-1-5".parse().unwrap()));
    }

    #[test]
    fn the_lists_of_mariadb_are_compared_by_domain_and_server() {
        let list = |sequence| FileGtids {
            mysql: None,
            mariadb: Some([((0, 1), sequence)].into()),
        };
        let wanted = |text: &str| text.parse::<GtidChoice>().unwrap();
        assert!(list(10).may_hold(Some(&list(20)), &wanted("0-1-15")));
        assert!(!list(10).may_hold(Some(&list(20)), &wanted("0-1-10")));
        assert!(!list(10).may_hold(Some(&list(20)), &wanted("0-1-21:30")));
        assert!(list(10).may_hold(None, &wanted("0-1-21:30")));
    }
}
