//! The worker: puts transactions into the target, several in one commit, with their position.
//!
//! Invariant: what is committed is a prefix of the source's transactions, and the committed position
//! names exactly that prefix. A transaction that fails is undone alone; those before it are kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use binlog::event::XaName;
use binlog::log::{LogPosition, SourceCoordinates};
use binlog::row::Column;
use binlog::transaction::{Executed, StatementKind, TransactionGtid};
use sql::error::SqlError;
use targets::{
    Applied, Ending, Mark, Resolution, Resolved, RowRules, RowsChange, Rule, SYSTEM_ROWS, Session,
    StatementChange, StatementOutcome, Store, TargetError, UnitHead, is_system_table,
};

use super::not_kept::NotKept;
use super::resolved::ResolvedCounts;
use super::schedule::Group;

/// What a commit made durable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// Transactions of the source.
    pub transactions: u64,
    /// Bytes of their events.
    pub bytes: u64,
    /// Rows that they change.
    pub rows: u64,
    /// Transactions of which something was passed over.
    pub skipped: u64,
    /// Commit on the source of the last transaction, in microseconds since 1970.
    pub commit_micros: Option<u64>,
    /// What the target does not keep.
    pub not_kept: NotKept,
    /// Rows that `replicate_row_filter` left out.
    pub left_out: u64,
    /// What did not fit, and was let pass.
    pub resolved: ResolvedCounts,
}

impl Committed {
    /// Adds what came behind it.
    pub fn add(&mut self, other: &Self) {
        self.transactions = self.transactions.saturating_add(other.transactions);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.rows = self.rows.saturating_add(other.rows);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.commit_micros = other.commit_micros.or(self.commit_micros);
        self.left_out = self.left_out.saturating_add(other.left_out);
        self.not_kept.add(&other.not_kept);
        self.resolved.add(&other.resolved);
    }
}

/// A session of the target, and how far it is.
pub struct Worker {
    store: Arc<dyn Store>,
    session: Box<dyn Session>,
    /// Up to where transactions were taken, committed or not.
    progress: Applied,
    /// Transactions that the open group adds.
    added: Executed,
    /// When the open group's first transaction began.
    group_began: Option<Instant>,
    /// What the open group will have committed.
    pending: Committed,
    /// What the open transaction adds to it.
    open: Committed,
    /// What was committed and nobody was told of.
    unshown: Committed,
    /// Kinds of what is not kept that the log names.
    told: BTreeSet<&'static str>,
    /// Whether the session knows of the open transaction.
    is_in_unit: bool,
    /// Whether the open group has a statement that committed by itself.
    has_ddl: bool,
    /// How many commits have one transaction each from here on.
    alone: u32,
    /// The relay log file of the last committed position.
    committed_file: Option<LogPosition>,
    /// What becomes of rows that do not fit.
    rules: Arc<RowRules>,
    /// Whether the session was not told of them.
    has_new_rules: bool,
    /// When the target last could not make its commits durable.
    durable_refused: Option<Instant>,
}

/// As many commits as transactions share one at most.
const ALONE: u32 = 1000;

/// Time between two attempts to make commits durable for the sake of old relay log files.
const DURABLE_PAUSE: Duration = Duration::from_millis(200);

impl Worker {
    /// A worker that goes on where the target's last commit ended.
    ///
    /// # Errors
    /// When the target gives no session or cannot say where it stands.
    pub fn new(store: Arc<dyn Store>) -> Result<Self, TargetError> {
        let session = store.session()?;
        Self::with(store, session)
    }

    /// One of several workers, beside the one that has the channel.
    pub(super) fn beside(store: &Arc<dyn Store>) -> Result<Self, TargetError> {
        let session = store.session_beside()?;
        Self::with(Arc::clone(store), session)
    }

    fn with(store: Arc<dyn Store>, session: Box<dyn Session>) -> Result<Self, TargetError> {
        let progress = store.recover()?;
        Ok(Self {
            store,
            session,
            committed_file: progress.relay.clone(),
            progress,
            added: Executed::default(),
            group_began: None,
            pending: Committed::default(),
            open: Committed::default(),
            unshown: Committed::default(),
            told: BTreeSet::new(),
            is_in_unit: false,
            has_ddl: false,
            alone: 0,
            rules: Arc::default(),
            has_new_rules: false,
            durable_refused: None,
        })
    }

    /// Up to where transactions were taken, committed or not.
    #[must_use]
    pub const fn progress(&self) -> &Applied {
        &self.progress
    }

    /// Has rows that do not fit treated by these rules, from the next transaction on.
    pub(super) fn follow(&mut self, rules: &Arc<RowRules>) {
        if !Arc::ptr_eq(&self.rules, rules) {
            self.rules = Arc::clone(rules);
            self.has_new_rules = true;
        }
    }

    /// The target.
    pub(super) const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Has the session forget what it knows of tables.
    pub(super) fn forget_tables(&mut self) {
        self.session.forget_tables();
    }

    /// Forgets which transactions are applied: somebody else counts them, and a set with gaps would
    /// grow with every one.
    pub(super) fn forget_executed(&mut self) {
        self.progress.executed = Executed::default();
    }

    /// What the open commit holds so far, which its end then no longer counts.
    pub(super) fn take_pending(&mut self) -> Committed {
        std::mem::take(&mut self.pending)
    }

    /// Takes note of a transaction that a worker beside this one has committed.
    pub(super) fn has_committed(&mut self, gtid: TransactionGtid) {
        self.progress.executed.add(gtid);
    }

    /// Waits until the target has taken what the open group will commit.
    pub(super) fn ready(&mut self) -> Result<(), TargetError> {
        match self.group_began {
            Some(_) => self.session.ready(),
            None => Ok(()),
        }
    }

    /// The open group, for the schedule.
    pub(super) fn group(&self) -> Group {
        Group {
            transactions: u32::try_from(self.pending.transactions).unwrap_or(u32::MAX),
            bytes: self.pending.bytes,
            age: self
                .group_began
                .map(|began| began.elapsed())
                .unwrap_or_default(),
        }
    }

    /// Counts bytes of the open transaction's events.
    pub(super) fn count_bytes(&mut self, bytes: u64) {
        self.open.bytes = self.open.bytes.saturating_add(bytes);
    }

    /// Rows of the open transaction, so far.
    pub(super) const fn counted_rows(&self) -> u64 {
        self.open.rows
    }

    /// Corrects them.
    pub(super) const fn set_counted_rows(&mut self, rows: u64) {
        self.open.rows = rows;
    }

    /// Counts rows that are changed with a later transaction, and are not counted then.
    pub(super) fn count_rows(&mut self, rows: u64) {
        self.open.rows = self.open.rows.saturating_add(rows);
    }

    /// Takes note that something of the open transaction is passed over.
    pub(super) fn skip(&mut self) {
        self.open.skipped = 1;
    }

    /// Columns of a table as the target has them.
    pub(super) fn known_columns(
        &mut self,
        head: &UnitHead,
        database: &str,
        table: &str,
    ) -> Result<Vec<Column<'static>>, TargetError> {
        self.begin_unit(head)?;
        self.session.known_columns(database, table)
    }

    /// Counts rows that a condition leaves out.
    pub(super) fn leave_out(&mut self, rows: u64) {
        if rows > 0 {
            self.open.skipped = 1;
            self.open.left_out = self.open.left_out.saturating_add(rows);
        }
    }

    pub(super) fn rows(
        &mut self,
        head: &UnitHead,
        change: &RowsChange<'_>,
    ) -> Result<(), TargetError> {
        self.begin_unit(head)?;
        // What it is there, whatever a rule calls it here.
        let (database, table) = (&change.map.schema, &change.map.table);
        let has_them = self.store.traits().system_tables == Some(change.logged.format.flavour);
        if !has_them && is_system_table(database, table) {
            self.pass_over(head, SYSTEM_ROWS);
            return Ok(());
        }
        let outcome = self.session.rows(change)?;
        self.open.rows = self.open.rows.saturating_add(outcome.applied);
        for resolved in &outcome.resolved {
            self.open.skipped |= u64::from(resolved.resolution == Resolution::PassedOver);
            let table = format!("{}.{table}", change.database);
            self.open.resolved.take(head.gtid, &table, resolved);
        }
        if let Some(construct) = outcome.not_kept {
            self.pass_over(head, construct);
        }
        Ok(())
    }

    pub(super) fn statement(
        &mut self,
        head: &UnitHead,
        change: &StatementChange<'_>,
    ) -> Result<(), TargetError> {
        // What it would commit unasked must not go without its mark, and what cannot be rolled back must
        // not be done again for the sake of others.
        if change.kind != StatementKind::Savepoint {
            self.stand_alone()?;
        }
        self.begin_unit(head)?;
        let outcome = match self.session.statement(change) {
            Err(TargetError::Statement(error) | TargetError::Conflict(error))
                if self.rules.skips.has(error.code) && self.is_alone(change.kind) =>
            {
                return self.pass_statement(head, error);
            }
            outcome => outcome?,
        };
        match outcome {
            StatementOutcome::Done => {}
            StatementOutcome::NotKept { construct } => self.pass_over(head, construct),
            StatementOutcome::Unenforced { constructs } => {
                constructs
                    .into_iter()
                    .for_each(|construct| self.note_unenforced(head, construct));
            }
        }
        Ok(())
    }

    /// Whether nothing but the statement is undone with it, as the servers log definitions.
    fn is_alone(&self, kind: StatementKind) -> bool {
        let is_alone_in_commit = self.undoes_units() || self.pending.transactions == 0;
        kind == StatementKind::Ddl && self.open.rows == 0 && is_alone_in_commit
    }

    /// Passes over a statement that failed, as `replica_skip_errors` says.
    fn pass_statement(&mut self, head: &UnitHead, error: SqlError) -> Result<(), TargetError> {
        if self.undoes_units() {
            self.session.undo_unit()?;
            self.is_in_unit = false;
        } else {
            self.session.rollback()?;
            self.is_in_unit = false;
            self.group_began = None;
        }
        self.begin_unit(head)?;
        self.open.skipped = 1;
        let resolved = Resolved {
            rule: Rule::Skipped,
            resolution: Resolution::PassedOver,
            error,
            key: String::new(),
        };
        self.open.resolved.take(head.gtid, "", &resolved);
        Ok(())
    }

    /// Whether the target executes statements that change rows.
    pub(super) fn runs_statements(&self) -> bool {
        self.store.traits().runs_statements
    }

    /// Whether the target runs XA transactions itself.
    pub(super) fn runs_xa(&self) -> bool {
        self.store.traits().runs_xa
    }

    /// Ends the first half of an XA transaction that the target runs.
    pub(super) fn prepare(
        &mut self,
        head: &UnitHead,
        name: &XaName,
        is_one_phase: bool,
    ) -> Result<(), TargetError> {
        self.begin_unit(head)?;
        self.session.prepare(name, is_one_phase)
    }

    /// Has the target keep a piece of what is prepared.
    pub(super) fn keep(
        &mut self,
        head: &UnitHead,
        name: &XaName,
        number: u32,
        piece: &[u8],
    ) -> Result<(), TargetError> {
        self.stand_alone()?;
        self.begin_unit(head)?;
        self.session.keep(name, number, piece)
    }

    /// A piece of what is prepared.
    pub(super) fn kept(
        &mut self,
        head: &UnitHead,
        name: &XaName,
        number: u32,
    ) -> Result<Option<Vec<u8>>, TargetError> {
        self.stand_alone()?;
        self.begin_unit(head)?;
        self.session.kept(name, number)
    }

    /// Has the target keep nothing of it any more.
    pub(super) fn forget(&mut self, head: &UnitHead, name: &XaName) -> Result<(), TargetError> {
        self.stand_alone()?;
        self.begin_unit(head)?;
        self.session.forget(name)
    }

    /// Before the open unit does something: on a server it has a commit of its own.
    fn stand_alone(&mut self) -> Result<(), TargetError> {
        if self.store.traits().commits_ddl && !self.is_in_unit {
            let committed = self.commit()?.unwrap_or_default();
            self.unshown.add(&committed);
            self.has_ddl = true;
        }
        Ok(())
    }

    /// Counts what concerns nothing that the target keeps, and says so once for each kind.
    fn pass_over(&mut self, head: &UnitHead, construct: &'static str) {
        self.open.skipped = 1;
        self.open.not_kept.count(construct, head.gtid);
        if self.told.insert(construct) {
            let gtid = head.gtid.text().unwrap_or_default();
            tracing::warn!(
                construct,
                gtid,
                "a statement of the source concerns nothing kept here; \
                 the next ones of its kind are counted only"
            );
        }
    }

    /// Counts what was declared and is kept without its effect, and says so once for each kind.
    fn note_unenforced(&mut self, head: &UnitHead, construct: &'static str) {
        self.open.not_kept.count(construct, head.gtid);
        if self.told.insert(construct) {
            let gtid = head.gtid.text().unwrap_or_default();
            tracing::warn!(
                construct,
                gtid,
                "a definition of the source is kept and shown, and has no effect on rows here; \
                 the next ones of its kind are counted only"
            );
        }
    }

    fn begin_unit(&mut self, head: &UnitHead) -> Result<(), TargetError> {
        if self.is_in_unit {
            return Ok(());
        }
        if std::mem::take(&mut self.has_new_rules) {
            let followed = self.session.follow(&self.rules);
            self.has_new_rules = followed.is_err();
            followed?;
        }
        if self.group_began.is_none() {
            self.session.begin(head)?;
            self.group_began = Some(Instant::now());
        }
        self.session.unit(head)?;
        self.is_in_unit = true;
        Ok(())
    }

    /// Ends the open transaction, whose last event ends at these places.
    pub(super) fn end_transaction(
        &mut self,
        head: &UnitHead,
        source: Option<SourceCoordinates>,
        relay: Option<LogPosition>,
    ) -> Result<(), TargetError> {
        self.begin_unit(head)?;
        self.session.flush()?;
        self.is_in_unit = false;
        self.progress.executed.add(head.gtid);
        self.added.add(head.gtid);
        let open = std::mem::take(&mut self.open);
        self.move_to(source, relay);
        self.pending.add(&Committed {
            transactions: 1,
            commit_micros: head.commit_micros,
            ..open
        });
        Ok(())
    }

    /// Moves the position over events that belong to no transaction, or to one applied before.
    pub(super) fn move_to(
        &mut self,
        source: Option<SourceCoordinates>,
        relay: Option<LogPosition>,
    ) {
        debug_assert!(!self.is_in_unit);
        // What was passed over is not part of the transaction that follows.
        self.open = Committed::default();
        if source.is_some() {
            self.progress.source = source;
        }
        self.progress.relay = relay;
    }

    /// Undoes the open transaction, if there is one; a target that undoes all or nothing goes back
    /// to what is committed.
    pub(super) fn abandon_transaction(&mut self) -> Result<(), TargetError> {
        self.open = Committed::default();
        if !self.is_in_unit {
            return Ok(());
        }
        if !self.store.traits().undoes_units {
            return self.abandon_group();
        }
        self.is_in_unit = false;
        self.session.undo_unit()
    }

    /// Commits the open group with its position; `None` when there is none.
    pub(super) fn commit(&mut self) -> Result<Option<Committed>, TargetError> {
        debug_assert!(!self.is_in_unit);
        if self.group_began.is_none() {
            return Ok(None);
        }
        self.session.commit(&Mark {
            added: &self.added,
            source: self.progress.source.as_ref(),
            relay: self.progress.relay.as_ref(),
        })?;
        Ok(Some(self.committed()))
    }

    /// Leaves the commit of the open group to whoever has its end, where the target can do that.
    pub(super) fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError> {
        match self.group_began {
            Some(_) => self.session.hand_over(),
            None => Ok(None),
        }
    }

    /// How many transactions of the open group the target has said to be committed, each by itself.
    pub(super) fn units_committed(&self) -> usize {
        self.session.units_committed()
    }

    /// Waits until the end that was handed over has come.
    pub(super) fn ended(&mut self) -> Result<(), TargetError> {
        self.session.ended()
    }

    /// Takes note that the open group is committed.
    pub(super) fn committed(&mut self) -> Committed {
        self.added = Executed::default();
        self.group_began = None;
        self.has_ddl = false;
        self.alone = self.alone.saturating_sub(1);
        self.committed_file = self.progress.relay.clone();
        let mut committed = std::mem::take(&mut self.unshown);
        committed.add(&std::mem::take(&mut self.pending));
        committed
    }

    /// Commits the position alone when it has reached another relay log file than the last commit,
    /// so that files in front of it are never needed again, or in any case if it `must`.
    pub(super) fn commit_position(&mut self, must: bool) -> Result<(), TargetError> {
        let file = |position: &Option<LogPosition>| {
            position.as_ref().map(|position| position.file.clone())
        };
        let has_moved = self.committed_file != self.progress.relay;
        let is_due = match must {
            true => has_moved,
            false => file(&self.committed_file) != file(&self.progress.relay),
        };
        if self.group_began.is_none() && is_due {
            self.session.begin(&UnitHead::default())?;
            self.group_began = Some(Instant::now());
            self.commit()?;
        }
        Ok(())
    }

    /// Makes what is committed outlive a power loss; false when it has to be tried again later, which
    /// is not worth it at once.
    pub(super) fn make_durable(&mut self) -> Result<bool, TargetError> {
        let was_refused = self.durable_refused;
        if was_refused.is_some_and(|at| at.elapsed() < DURABLE_PAUSE) {
            return Ok(false);
        }
        let is_durable = self.store.make_durable()?;
        self.durable_refused = (!is_durable).then(Instant::now);
        Ok(is_durable)
    }

    /// Whether the target logs what it gets under its own GTIDs.
    pub(super) fn keeps_gtids(&self) -> bool {
        self.store.traits().keeps_gtids
    }

    /// Whether the group has to be committed behind the transaction that ended.
    pub(super) fn must_commit(&self) -> bool {
        let is_alone = self.alone > 0 || !self.store.traits().batches_units;
        is_alone || self.has_ddl || self.session.is_full()
    }

    /// For a while every transaction is a group of its own, so that an error is that of the open one.
    /// False when it was so before, or is so always.
    pub fn take_one_by_one(&mut self) -> bool {
        let is_new = self.alone == 0 && self.store.traits().batches_units;
        self.alone = ALONE;
        is_new
    }

    /// Whether an error of the open transaction leaves those before it in the group as they are.
    pub(super) fn undoes_units(&self) -> bool {
        self.store.traits().undoes_units
    }

    /// Undoes the open group and goes back to what is committed.
    pub(super) fn abandon_group(&mut self) -> Result<(), TargetError> {
        self.is_in_unit = false;
        self.open = Committed::default();
        self.pending = Committed::default();
        self.added = Executed::default();
        self.has_ddl = false;
        if self.group_began.take().is_some() {
            self.session.rollback()?;
        }
        self.progress = self.store.recover()?;
        Ok(())
    }
}
