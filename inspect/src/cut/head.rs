//! The head of the file: format description, and what earlier files hold.

use std::collections::BTreeMap;

use gtid::{GtidSet, MariaGtid};

use super::CutError;
use super::output::Output;
use binlog::event::{
    ChecksumAlgorithm, Event, EventFlags, EventHeader, EventType, FormatDescription, GtidList,
    MAGIC, PreviousGtids, write_event,
};
use binlog::log::{LogFileName, Storage};
use binlog::transaction::{Step, TransactionGtid};

/// What the head will say, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The format description of the source, without its checksum.
    description: Option<(Vec<u8>, FormatDescription, bool)>,
    server_id: u32,
    timestamp: u32,
    previous: Option<GtidSet>,
    /// MariaDB: the last transaction by domain and server; in each domain the newest one last.
    list: Option<BTreeMap<(u32, u32), u64>>,
    newest: BTreeMap<u32, u32>,
    /// Whether `previous` was given rather than learned.
    is_given: bool,
    is_written: bool,
}

impl Head {
    /// What earlier files hold, whatever the source says of that.
    pub(super) fn follows(&mut self, previous: GtidSet) {
        self.previous = Some(previous);
        self.is_given = true;
    }

    /// Takes what stands between transactions.
    pub(super) fn learn(&mut self, step: &Step<'_>, file: &LogFileName) -> Result<(), CutError> {
        match &step.event {
            Event::FormatDescription(description) => self.describe(step, description, file)?,
            Event::StartV3(_) => {
                return Err(CutError::Layout {
                    file: file.clone(),
                    what: "is of MySQL 4.1 or older, whose files cannot be cut",
                });
            }
            Event::PreviousGtids(event) if !self.is_written && !self.is_given => {
                self.previous.get_or_insert_default().union(&event.gtids);
            }
            Event::GtidList(event) if !self.is_written => {
                self.list.get_or_insert_default();
                for gtid in &event.gtids {
                    self.pass_over(&TransactionGtid::MariaDb(*gtid));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn describe(
        &mut self,
        step: &Step<'_>,
        description: &FormatDescription,
        file: &LogFileName,
    ) -> Result<(), CutError> {
        if self.is_written {
            let same = self.description.as_ref().is_none_or(|(_, head, _)| {
                head.header_len == description.header_len
                    && head.post_header_lengths == description.post_header_lengths
                    && head.is_mariadb() == description.is_mariadb()
            });
            return if same {
                Ok(())
            } else {
                Err(CutError::Layout {
                    file: file.clone(),
                    what: "was written by another version of the server",
                })
            };
        }
        let trailer = step.raw.trailer_len(step.format);
        let len = step.raw.bytes.len().saturating_sub(trailer);
        let mut bytes = step.raw.bytes.get(..len).unwrap_or_default().to_vec();
        // Not in use, neither artificial nor of a relay log.
        if let Some(flags) = bytes.get_mut(17..19) {
            flags.fill(0);
        }
        // `created` would tell a replica that the server was started here.
        let created = EventHeader::LEN + 52;
        if let Some(field) = bytes.get_mut(created..created + 4) {
            field.fill(0);
        }
        self.server_id = step.raw.header.server_id;
        self.timestamp = step.raw.header.timestamp;
        self.description = Some((bytes, description.clone(), trailer > 0));
        Ok(())
    }

    /// The transaction stands in front of the first one that is kept.
    pub(super) fn pass_over(&mut self, gtid: &TransactionGtid) {
        match gtid {
            TransactionGtid::None => {}
            TransactionGtid::MySql(gtid) => {
                if let Some(previous) = self.previous.as_mut().filter(|_| !self.is_given) {
                    previous.add(*gtid);
                }
            }
            TransactionGtid::MariaDb(gtid) => {
                if let Some(list) = &mut self.list {
                    list.insert((gtid.domain, gtid.server), gtid.sequence);
                    self.newest.insert(gtid.domain, gtid.server);
                }
            }
        }
    }

    /// Creates the file and writes its head.
    pub(super) fn write(&mut self, storage: &dyn Storage, name: &str) -> Result<Output, CutError> {
        let (checksum, has_trailer) = match &self.description {
            Some((_, description, has_trailer)) => (description.checksum, *has_trailer),
            None => (ChecksumAlgorithm::None, false),
        };
        let mut output = Output::create(storage, name, checksum)?;
        output.append_plain(&MAGIC)?;
        if let Some((bytes, _, _)) = &self.description {
            let own = if has_trailer {
                ChecksumAlgorithm::Crc32
            } else {
                ChecksumAlgorithm::None
            };
            // A position of 0 (a dump that began mid-file) must not stay.
            let mut bytes = bytes.clone();
            if let Some(field) = bytes.get_mut(13..17) {
                field.fill(0xff);
            }
            output.append_with(&bytes, own)?;
        }
        if let Some(previous) = &self.previous {
            let event = Event::PreviousGtids(PreviousGtids {
                gtids: previous.clone(),
            });
            let kind = EventType::PREVIOUS_GTIDS;
            output.append(&self.made(kind, EventFlags::IGNORABLE, &event))?;
        }
        if let Some(list) = &self.list {
            let gtids = self.ordered(list);
            let event = Event::GtidList(GtidList {
                flags: 0,
                // An empty list is padded.
                rest: if gtids.is_empty() { &[0, 0] } else { &[] },
                gtids,
            });
            let kind = EventType::MARIADB_GTID_LIST;
            output.append(&self.made(kind, EventFlags::NONE, &event))?;
        }
        self.is_written = true;
        Ok(output)
    }

    /// MariaDB takes the last one of a domain for the newest.
    fn ordered(&self, list: &BTreeMap<(u32, u32), u64>) -> Vec<MariaGtid> {
        let mut gtids: Vec<MariaGtid> = list
            .iter()
            .map(|(&(domain, server), &sequence)| MariaGtid {
                domain,
                server,
                sequence,
            })
            .collect();
        let is_newest = |gtid: &MariaGtid| self.newest.get(&gtid.domain) == Some(&gtid.server);
        gtids.sort_by_key(|gtid| (gtid.domain, is_newest(gtid), gtid.server));
        gtids
    }

    /// An event of the head, without checksum.
    fn made(&self, kind: EventType, flags: EventFlags, event: &Event<'_>) -> Vec<u8> {
        let header = EventHeader::new(kind, self.timestamp, self.server_id).with_flags(flags);
        let extra = self.description.as_ref().map_or(0, |(_, description, _)| {
            usize::from(description.header_len).saturating_sub(EventHeader::LEN)
        });
        let mut bytes = Vec::new();
        write_event(&mut bytes, &header, 0, ChecksumAlgorithm::None, |out| {
            out.resize(out.len() + extra, 0);
            event.encode(out);
        });
        bytes
    }
}
