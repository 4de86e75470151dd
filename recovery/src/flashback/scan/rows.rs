//! Rows on the way there: noted if they are taken back, looked at if they come behind those.

use std::io;

use binlog::event::{EventFormat, Flavour, RawEvent};
use binlog::row::{RowPair, RowsEvent, RowsFlags, RowsKind, RowsVersion, Table};
use binlog::transaction::{Step, TransactionInfo};
use inspect::find::Key;

use super::{OTHERS_MAX, Scan};
use crate::flashback::FlashbackError;
use crate::flashback::refusal::Reason;
use crate::flashback::reverse::{lacking, may_cascade, with_rows};
use crate::flashback::tables::ShapeId;
use crate::flashback::trail::{Locator, Record, Where};

impl Scan<'_> {
    fn format_number(&mut self, format: EventFormat) -> u16 {
        let known = self.formats.iter().position(|known| *known == format);
        let number = known.unwrap_or_else(|| {
            self.formats.push(format);
            self.formats.len() - 1
        });
        u16::try_from(number).unwrap_or(u16::MAX)
    }

    pub(super) fn row_event(
        &mut self,
        step: &Step<'_>,
        info: &TransactionInfo,
        rows: &RowsEvent<'_>,
    ) -> Result<(), FlashbackError> {
        let Some(table) = step.table else {
            return Ok(());
        };
        if !self.open.is_chosen {
            return self.later_rows(step, rows, table);
        }
        let choice = &self.options.choice;
        if !choice.has_table(&table.map.schema, &table.map.table) {
            if self.plan.others.len() < OTHERS_MAX {
                self.plan.others.insert(table.full_name());
            }
            return Ok(());
        }
        if let Some(reason) = self.stands_against(rows, table) {
            self.refuse(info, reason);
            return Ok(());
        }
        if step.format.flavour == Flavour::MariaDb && rows.kind != RowsKind::Write {
            self.plan.may_have_unknown_children = true;
        }
        self.chosen_rows(step, rows, table)
    }

    fn stands_against(&mut self, rows: &RowsEvent<'_>, table: &Table) -> Option<Reason> {
        let name = || table.full_name();
        if rows.version == RowsVersion::PreGa {
            return Some(Reason::OldRows { table: name() });
        }
        if !self.has_whole_images(rows, table) {
            return Some(Reason::Image { table: name() });
        }
        // A server that is asked later tells whether they change anything.
        let is_told = self.options.without_children || self.options.asks_a_server;
        if may_cascade(rows, table) && !is_told {
            return Some(Reason::Children { table: name() });
        }
        None
    }

    /// Whether the images lack nothing but columns that are computed, which MariaDB does not log. If
    /// somebody is asked about the tables later, he is to say whether they are.
    fn has_whole_images(&mut self, rows: &RowsEvent<'_>, table: &Table) -> bool {
        let columns = match rows.kind {
            RowsKind::Write => &rows.after_columns,
            // An after image that lacks what did not change is completed.
            RowsKind::Update | RowsKind::Delete => &rows.before_columns,
        };
        let mut lacks_any = false;
        for index in lacking(columns, rows.column_count) {
            let map = &table.map;
            let declared = table.snapshot.as_ref();
            let is_declared = declared
                .and_then(|snapshot| snapshot.columns.get(index))
                .is_some_and(|column| column.generated);
            let name = map
                .columns
                .get(index)
                .and_then(|column| column.name.as_deref());
            let is_named = name.is_some_and(|name| {
                let name = format!("{}.{}.{name}", map.schema, map.table);
                self.options.generated.contains(&name)
            });
            let may_be_told =
                self.options.asks_a_server && rows.version == RowsVersion::V1 && !rows.is_partial;
            if !(is_declared || is_named || may_be_told) {
                return false;
            }
            lacks_any |= !(is_declared || is_named);
        }
        if lacks_any {
            let lacking = lacking(columns, rows.column_count).collect();
            let id = self.tables.learn(table);
            self.tables.lacks(id, lacking);
        }
        true
    }

    /// Notes the rows of an event that are taken back.
    fn chosen_rows(
        &mut self,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
        table: &Table,
    ) -> Result<(), FlashbackError> {
        let damaged = |error| FlashbackError::undecodable(step, error);
        let id = self.tables.learn(table);
        let keys = &self.options.choice.key;
        let key = match keys.is_empty() {
            true => None,
            false => Some(Key::new(keys, table).map_err(FlashbackError::Key)?),
        };
        let can_be_read_again = self.files.last().is_some_and(|file| file.can_be_read_again)
            && step.place.inner.is_none()
            && !rows.is_compressed()
            && key.is_none();
        let mut count = 0;
        let mut chunks = rows
            .chunks(&table.plan, &self.options.limits)
            .map_err(damaged)?;
        while let Some(mut reader) = chunks.next_chunk().map_err(damaged)? {
            self.rows.clear();
            let mut chosen = 0;
            let mut images = reader.clone();
            let mut pair = RowPair::default();
            loop {
                if can_be_read_again && self.later.is_full() {
                    if !reader.skip_row().map_err(damaged)? {
                        break;
                    }
                    chosen += 1;
                    continue;
                }
                let Some(bytes) = images.next_images().map_err(damaged)? else {
                    break;
                };
                reader.next_into(&mut pair).map_err(damaged)?;
                let is_chosen = key.as_ref().is_none_or(|key| {
                    key.matches(&[&pair.before], table) || key.matches(&[&pair.after], table)
                });
                if !is_chosen {
                    continue;
                }
                chosen += 1;
                self.later.remember(table, id.name, rows.kind, &pair, bytes);
                if !can_be_read_again {
                    self.rows.extend_from_slice(bytes.before);
                    self.rows.extend_from_slice(bytes.after);
                }
            }
            if !can_be_read_again && chosen > 0 {
                self.spill_rows(step, rows, id)?;
            }
            count += chosen;
        }
        if can_be_read_again && count > 0 {
            self.locate(step, id)?;
        }
        self.count(id, rows, count);
        Ok(())
    }

    /// Behind the last rows of a statement.
    pub(super) fn end_row_statement(&mut self) -> Result<(), FlashbackError> {
        let statement = self.statement;
        self.statement = self.statement.wrapping_add(1);
        let has_checked = std::mem::take(&mut self.open.has_checked);
        if std::mem::take(&mut self.open.has_unchecked) && has_checked {
            let pushed = self.trail.push(&Record::Cascaded { statement });
            pushed.map_err(FlashbackError::scratch)?;
        }
        Ok(())
    }

    fn count(&mut self, id: ShapeId, rows: &RowsEvent<'_>, count: u64) {
        if count > 0 {
            self.open.has_rows = true;
            self.plan.rows.add(rows.kind, count);
            match rows.flags.contains(RowsFlags::NO_FOREIGN_KEY_CHECKS) {
                true => self.open.has_unchecked = true,
                false => self.open.has_checked = true,
            }
            if let Some(table) = self.tables.count_mut(id.name) {
                table.rows.add(rows.kind, count);
                table.logs_children &= rows.kind == RowsKind::Write
                    || rows.flags.contains(RowsFlags::USE_SQL_FOREIGN_KEY);
            }
        }
    }

    /// Notes where an event lies that can be read again.
    fn locate(&mut self, step: &Step<'_>, id: ShapeId) -> Result<(), FlashbackError> {
        let at = Where::File {
            number: self.file_number(),
            offset: step.place.offset,
            size: step.raw.header.event_size,
        };
        self.note(step, &step.raw, id, at)
    }

    /// Keeps the rows that were collected, as an event without compression.
    fn spill_rows(
        &mut self,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
        id: ShapeId,
    ) -> Result<(), FlashbackError> {
        let event = with_rows(rows, &self.rows);
        self.event.clear();
        event.encode(&mut self.event);
        let mut raw = step.raw;
        raw.header.event_type = event.event_type();
        let place = self.spill.push(&self.event);
        let place = place.map_err(FlashbackError::scratch)?;
        self.note(step, &raw, id, Where::Spill(place))
    }

    fn note(
        &mut self,
        step: &Step<'_>,
        raw: &RawEvent<'_>,
        id: ShapeId,
        at: Where,
    ) -> Result<(), FlashbackError> {
        let locator = Locator {
            table: id.shape,
            format: self.format_number(step.format),
            statement: self.statement,
            event_type: raw.header.event_type,
            at,
        };
        let pushed: io::Result<()> = self.trail.push(&Record::Rows(locator));
        pushed.map_err(FlashbackError::scratch)
    }

    /// Looks whether rows that are taken back were touched again.
    fn later_rows(
        &mut self,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
        table: &Table,
    ) -> Result<(), FlashbackError> {
        let map = &table.map;
        let Some(name) = self.tables.name_of(&map.schema, &map.table) else {
            return Ok(());
        };
        if rows.version == RowsVersion::PreGa {
            return Ok(());
        }
        let damaged = |error| FlashbackError::undecodable(step, error);
        let mut touched = 0;
        let mut chunks = rows
            .chunks(&table.plan, &self.options.limits)
            .map_err(damaged)?;
        while let Some(mut reader) = chunks.next_chunk().map_err(damaged)? {
            let mut images = reader.clone();
            let mut pair = RowPair::default();
            while let Some(bytes) = images.next_images().map_err(damaged)? {
                reader.next_into(&mut pair).map_err(damaged)?;
                let is_known = self.later.is_known(table, name, rows.kind, &pair, bytes);
                touched += u64::from(is_known);
            }
        }
        if touched > 0 {
            *self.open.touched.entry(name).or_default() += touched;
        }
        Ok(())
    }
}
