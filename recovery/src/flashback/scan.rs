//! The way there: every event once, in the order of the log.
//!
//! Of the transactions that are to be taken back the row events are noted, and what stands against
//! it is looked for, from the first of them to the end of the log: behind them too, a definition of
//! the table or a lost event matters. Nothing is decided about writing here.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use binlog::event::{Event, EventFlags, EventFormat, FormatDescription, Incident, Query};
use binlog::limits::Limits;
use binlog::log::LogFileName;
use binlog::row::RowsFlags;
use binlog::transaction::{StatementKind, Step, TransactionInfo};
use inspect::Generated;
use inspect::filter::Filter;

use super::binlog_file::AUTOMATIC;
use super::choice::{Choice, ChoiceRun};
use super::later::{Later, LaterTransaction};
use super::refusal::{Ignore, Reason, Refusals};
use super::spill::Spill;
use super::tables::Tables;
use super::trail::{Record, Trail, Transaction};
use super::{FlashbackError, Found, Plan};
use crate::scratch;

/// Tables that are told as changed too and not taken back.
const OTHERS_MAX: usize = 50;

/// How it is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is taken back.
    pub choice: Choice,
    /// What is passed over.
    pub ignore: BTreeSet<Ignore>,
    /// Tables that foreign keys of other tables refer to are taken back without those.
    pub without_children: bool,
    /// Columns that the server computes, as `schema.table.column`.
    pub generated: Generated,
    /// Whether [`super::Described::ask`] follows, which then refuses columns that the log lacks and
    /// that are not computed, and foreign keys that change other tables.
    pub asks_a_server: bool,
    /// Bounds on what is inflated.
    pub limits: Limits,
    /// Where scratch files are made.
    pub scratch: PathBuf,
}

/// The way through a log.
pub struct Scan<'o> {
    options: &'o Options,
    run: ChoiceRun<'o>,
    refusals: Refusals,
    files: Vec<File>,
    formats: Vec<EventFormat>,
    description: Option<(FormatDescription, u32)>,
    tables: Tables,
    trail: Trail,
    spill: Spill,
    later: Later,
    plan: Plan,
    open: Open,
    /// Number of the statement that is read.
    statement: u32,
    event: Vec<u8>,
    rows: Vec<u8>,
}

/// One of the log's files.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) label: String,
    name: LogFileName,
    /// Whether its events can be read again at their place.
    can_be_read_again: bool,
}

/// The transaction that is read.
#[derive(Debug, Default)]
struct Open {
    is_chosen: bool,
    /// Whether rows of it were noted.
    has_rows: bool,
    /// Of one that is not taken back: rows that are, by table.
    touched: BTreeMap<u32, u64>,
    /// Whether rows of the statement that is read were noted that were checked for foreign keys, and
    /// such as were not.
    has_checked: bool,
    has_unchecked: bool,
}

impl<'o> Scan<'o> {
    /// Begins with no file.
    ///
    /// # Errors
    /// If no scratch file can be made.
    pub fn new(options: &'o Options) -> Result<Self, FlashbackError> {
        let make = || {
            scratch(&options.scratch).map_err(|error| FlashbackError::Io {
                doing: format!("making a scratch file in {}", options.scratch.display()),
                error,
            })
        };
        Ok(Self {
            options,
            run: ChoiceRun::new(&options.choice),
            refusals: Refusals::new(&options.ignore),
            files: Vec::new(),
            formats: Vec::new(),
            description: None,
            tables: Tables::default(),
            trail: Trail::new(make()?),
            spill: Spill::new(make()?),
            later: Later::default(),
            plan: Plan::default(),
            open: Open::default(),
            statement: 0,
            event: Vec::new(),
            rows: Vec::new(),
        })
    }

    /// Begins a file, called `label` in messages. `can_be_read_again`: the events lie in it as they
    /// are given, and whoever goes back can read them there.
    pub fn begin_file(&mut self, label: &str, name: &LogFileName, can_be_read_again: bool) {
        if let Some(before) = self.files.last()
            && before.name.base() == name.base()
            && name.number() != before.name.number().saturating_add(1)
        {
            let before = before.label.clone();
            self.refusals
                .add(|| label.to_owned(), Reason::Gap { before });
        }
        self.run.begin_file(name);
        self.files.push(File {
            label: label.to_owned(),
            name: name.clone(),
            can_be_read_again,
        });
        self.open = Open::default();
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// Rows that cannot be decoded, and those of scratch files.
    pub fn take(&mut self, step: &Step<'_>) -> Result<(), FlashbackError> {
        let Some(info) = step.transaction else {
            self.outside(step);
            return Ok(());
        };
        if info.start == step.place {
            self.open = Open {
                is_chosen: self.run.judge(step.file, info),
                ..Open::default()
            };
        }
        if self.open.is_chosen || !self.later.is_empty() {
            self.inside(step, info)?;
        }
        if info.is_complete {
            self.end_transaction(info)?;
        }
        Ok(())
    }

    /// Ends a file; `unfinished` is the transaction that is open there, if one is.
    pub fn end_file(&mut self, unfinished: Option<&TransactionInfo>) {
        if let Some(info) = unfinished
            && std::mem::take(&mut self.open).is_chosen
        {
            self.refuse(info, Reason::Unfinished);
        }
    }

    /// Events between transactions.
    fn outside(&mut self, step: &Step<'_>) {
        match &step.event {
            Event::FormatDescription(description) => {
                let known = self.description.as_ref();
                let is_other = known.is_some_and(|(known, _)| {
                    known.header_len != description.header_len
                        || known.post_header_lengths != description.post_header_lengths
                        || known.is_mariadb() != description.is_mariadb()
                });
                if is_other && self.plan.rows.total() > 0 {
                    self.refusals.add(|| step.file.to_string(), Reason::Layout);
                }
                if self.plan.rows.total() == 0 {
                    let server_id = step.raw.header.server_id;
                    self.description = Some((description.clone(), server_id));
                }
            }
            Event::StartEncryption(_) => {
                if let Some(file) = self.files.last_mut() {
                    file.can_be_read_again = false;
                }
            }
            Event::Incident(incident) if !self.later.is_empty() => {
                let place = || format!("{}:{}", step.file, step.place.offset);
                self.refusals.add(place, incident_reason(incident));
            }
            _ => {}
        }
    }

    fn inside(&mut self, step: &Step<'_>, info: &TransactionInfo) -> Result<(), FlashbackError> {
        match &step.event {
            Event::Rows(rows) => {
                self.row_event(step, info, rows)?;
                if rows.flags.contains(RowsFlags::STATEMENT_END) {
                    self.end_row_statement()?;
                }
            }
            Event::Query(query) => self.statement(query, info),
            Event::QueryCompressed(query) => {
                let query = query.inflate(&self.options.limits);
                let query = query.map_err(|error| FlashbackError::undecodable(step, error))?;
                self.statement(&query, info);
            }
            Event::ExecuteLoadQuery(load) => self.changing_statement(&load.query, info),
            Event::Load(_) | Event::ExecLoad(_) => {
                let statement = "LOAD DATA".to_owned();
                self.refuse_chosen(info, Reason::Statement { statement });
            }
            Event::Incident(incident) => self.refuse(info, incident_reason(incident)),
            Event::XaPrepare(prepare) if !prepare.is_one_phase() => {
                self.refuse_chosen(info, Reason::PreparedXa);
            }
            Event::PartialRowData(_) => self.refuse_chosen(info, Reason::Pieces),
            Event::XaPrepare(_)
            | Event::FormatDescription(_)
            | Event::PreviousGtids(_)
            | Event::Gtid(_)
            | Event::TableMap(_)
            | Event::Xid(_)
            | Event::Rotate(_)
            | Event::Stop
            | Event::Heartbeat(_)
            | Event::RowsQuery(_)
            | Event::StartV3(_)
            | Event::IntVar(_)
            | Event::Rand(_)
            | Event::UserVar(_)
            | Event::SourcePosition(_)
            | Event::AppendBlock(_)
            | Event::BeginLoadQuery(_)
            | Event::DeleteFile(_)
            | Event::Ignorable(_)
            | Event::TransactionContext(_)
            | Event::ViewChange(_)
            | Event::TransactionPayload(_)
            | Event::AnnotateRows(_)
            | Event::BinlogCheckpoint(_)
            | Event::MariadbGtid(_)
            | Event::GtidList(_)
            | Event::StartEncryption(_) => {}
            // Events of kinds that are not known.
            _ => {
                if !step.raw.header.flags.contains(EventFlags::IGNORABLE) {
                    let event_type = step.raw.header.event_type.label().to_string();
                    self.refuse_chosen(info, Reason::UnknownEvent { event_type });
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, info: &TransactionInfo, reason: Reason) {
        let file = self.files.last().map_or("", |file| file.name.as_str());
        self.refusals.add(|| name_of(file, info), reason);
    }

    fn refuse_chosen(&mut self, info: &TransactionInfo, reason: Reason) {
        if self.open.is_chosen {
            self.refuse(info, reason);
        }
    }

    fn statement(&mut self, query: &Query<'_>, info: &TransactionInfo) {
        match StatementKind::of(&query.sql) {
            StatementKind::Begin
            | StatementKind::Commit
            | StatementKind::XaStart
            | StatementKind::XaEnd
            | StatementKind::XaRollback
            | StatementKind::Savepoint => {}
            StatementKind::Rollback | StatementKind::RollbackTo => {
                if self.open.has_rows {
                    self.refuse_chosen(info, Reason::RolledBack);
                }
            }
            StatementKind::XaCommit => self.refuse_chosen(info, Reason::PreparedXa),
            StatementKind::Dml => self.changing_statement(query, info),
            StatementKind::Ddl | StatementKind::CreateSelect => {
                // What MariaDB sends in place of other events, and what our own files begin with.
                let is_nothing = query.sql.starts_with(b"# Dummy event")
                    || query.sql.as_ref() == AUTOMATIC.as_bytes();
                if !is_nothing && self.is_about_chosen(query) {
                    let statement = Reason::told(&query.sql);
                    self.refuse(info, Reason::Ddl { statement });
                }
            }
        }
    }

    /// A statement that changes rows and was logged as such.
    fn changing_statement(&mut self, query: &Query<'_>, info: &TransactionInfo) {
        if !self.is_about_chosen(query) {
            return;
        }
        let statement = Reason::told(&query.sql);
        if self.open.is_chosen {
            return self.refuse(info, Reason::Statement { statement });
        }
        let file = self.files.last().map_or("", |file| file.name.as_str());
        self.later.tell(|| LaterTransaction {
            name: name_of(file, info),
            table: statement,
            rows: None,
        });
    }

    /// Whether a statement matters: in a transaction that is taken back, if it is about what was
    /// asked for; behind one, if it is about a table of which rows are taken back.
    fn is_about_chosen(&self, query: &Query<'_>) -> bool {
        let tables = match self.open.is_chosen {
            true => self.options.choice.tables.clone(),
            false => {
                let counts = self.tables.counts().iter();
                counts
                    .map(|count| (count.schema.clone(), count.table.clone()))
                    .collect()
            }
        };
        let filter = Filter {
            tables,
            ..Filter::default()
        };
        filter.has_statement(query)
    }

    fn end_transaction(&mut self, info: &TransactionInfo) -> Result<(), FlashbackError> {
        let open = std::mem::take(&mut self.open);
        let file = self.files.last().map_or("", |file| file.name.as_str());
        for (table, rows) in open.touched {
            let counts = self.tables.counts();
            let table = counts.get(table as usize);
            let table = table.map(|table| table.full_name()).unwrap_or_default();
            self.later.tell(|| LaterTransaction {
                name: name_of(file, info),
                table,
                rows: Some(rows),
            });
        }
        if !open.has_rows {
            self.plan.empty += u64::from(open.is_chosen);
            return Ok(());
        }
        let transaction = Transaction {
            gtid: info.gtid.text(),
            timestamp: info.timestamp,
            server_id: info.server_id,
            file: self.file_number(),
            offset: info.start.offset,
        };
        let name = name_of(file, info);
        let micros = crate::commit_micros(info);
        self.plan.end_transaction(name, micros);
        let pushed = self.trail.push(&Record::End(transaction));
        pushed.map_err(FlashbackError::scratch)
    }

    fn file_number(&self) -> u32 {
        u32::try_from(self.files.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// What was found.
    ///
    /// # Errors
    /// Everything that stands against it, and that there is nothing to be taken back.
    pub fn finish(mut self) -> Result<Found, FlashbackError> {
        if let Some(gtids) = self.run.missing() {
            self.refusals
                .add(|| "--gtid".to_owned(), Reason::Missing { gtids });
        }
        for place in self.run.places_not_met() {
            let place = place.to_string();
            self.refusals
                .add(|| "the range".to_owned(), Reason::NoPlace { place });
        }
        let refused = self.refusals.finish();
        refused.map_err(|(told, more)| FlashbackError::Refused { told, more })?;
        if self.plan.rows.total() == 0 {
            return Err(FlashbackError::Nothing);
        }
        self.plan.tables = self.tables.counts().to_vec();
        let later = self.later.finish();
        (
            self.plan.later,
            self.plan.later_more,
            self.plan.is_later_complete,
        ) = later;
        let description = self.description.ok_or(FlashbackError::Nothing)?;
        Ok(Found {
            plan: self.plan,
            labels: self.files.into_iter().map(|file| file.label).collect(),
            formats: self.formats,
            description,
            tables: self.tables,
            trail: self.trail,
            spill: self.spill,
        })
    }
}

fn incident_reason(incident: &Incident<'_>) -> Reason {
    let message = Reason::told(incident.message);
    Reason::Incident { message }
}

/// The transaction's GTID, or where it begins.
fn name_of(file: &str, info: &TransactionInfo) -> String {
    let place = || format!("{file}:{}", info.start.offset);
    info.gtid.text().unwrap_or_else(place)
}
