//! The seam: [`Store`] and [`Session`].
//!
//! ```text
//! session = ( begin unit change* ( unit change* | undo_unit )* flush ( commit | rollback ) )*
//! change  = rows | statement | prepare | keep | kept | forget
//! ```
//! A unit is one transaction of the source. Several share one commit of the target where the target
//! allows it, and the mark that they lead to is committed with them.

use binlog::event::{Flavour, XaName};
use binlog::row::Column;

use engine::apply::RowRules;
use sql::error::SqlError;

use super::{
    Applied, Definitions, Mark, RowsChange, RowsOutcome, StatementChange, StatementOutcome,
    TargetError, UnitHead,
};

/// What a store can do, for those who schedule its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// How many sessions may be open at once.
    pub sessions_max: u16,
    /// Whether several units may share a commit.
    pub batches_units: bool,
    /// Whether a unit is undone alone. Without, an error may be that of an earlier unit of the
    /// commit, and [`Session::undo_unit`] undoes them all.
    pub undoes_units: bool,
    /// Whether a unit keeps its identifier, so that one without changes is a transaction too.
    pub keeps_gtids: bool,
    /// Whether a statement of DDL commits what was changed before it, so that such a unit has to
    /// have a commit of its own.
    pub commits_ddl: bool,
    /// Whether rows of units that share a commit are merged, so that large commits are worth it.
    pub merges_rows: bool,
    /// Whether it executes statements that change rows, and those that undo some of them, as their
    /// source did.
    pub runs_statements: bool,
    /// Whether it runs XA transactions itself, so that what is prepared is prepared there.
    pub runs_xa: bool,
    /// Whose tables it has in which servers keep time zones, help and plugins; those of other vendors'
    /// servers are of no use there.
    pub system_tables: Option<Flavour>,
}

/// A target.
pub trait Store: Send + Sync {
    /// What it can do.
    fn traits(&self) -> Traits;

    /// What the last commit that survived stands for; empty for a new target. May be asked while
    /// sessions are open.
    ///
    /// # Errors
    /// When the target cannot be asked, or its answer makes no sense.
    fn recover(&self) -> Result<Applied, TargetError>;

    /// Opens a session. It is rolled back when it is dropped.
    ///
    /// # Errors
    /// When there are as many as the target allows, or it cannot be reached.
    fn session(&self) -> Result<Box<dyn Session>, TargetError>;

    /// Opens one of several sessions that work at the same time, each on transactions that may run beside
    /// those of the others, while the one of [`Store::session`] has the channel. Only where
    /// [`Traits::sessions_max`] is more than one. It waits only briefly for locks.
    ///
    /// # Errors
    /// As of [`Store::session`]; always where there is one session only.
    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError>;

    /// The keys of its tables, for those who decide what may run beside each other; none where nobody
    /// does, as there is one session only.
    ///
    /// # Errors
    /// When the target cannot say.
    fn definitions(&self) -> Result<Option<Box<dyn Definitions>>, TargetError> {
        Ok(None)
    }

    /// Puts `applied` in the place of what is known: RESET REPLICA, `gtid_purged`. No session may be
    /// open.
    ///
    /// # Errors
    /// When a session is open or the target does not take it.
    fn replace(&self, applied: &Applied) -> Result<(), TargetError>;

    /// Makes every commit outlive a power loss. False when that has to wait for somebody and should
    /// be tried again later.
    ///
    /// # Errors
    /// When the target cannot.
    fn make_durable(&self) -> Result<bool, TargetError>;
}

/// The end of a session's commit, in the hands of another thread. One of the two is done, once; neither waits
/// for the target, and what comes of it is the session's to meet.
pub trait Ending: Send + std::fmt::Debug {
    /// Has it committed.
    fn commit(&self);

    /// Has it undone; [`Session::rollback`] has to follow.
    fn undo(&self);
}

/// What takes transactions of the source, one after the other.
pub trait Session: Send {
    /// Begins a commit, whose first unit is `first`; [`Session::unit`] follows for it as well.
    fn begin(&mut self, first: &UnitHead) -> Result<(), TargetError>;

    /// Begins the next unit. The one before it is kept for the commit; where [`Traits::keeps_gtids`] and it is
    /// a session of [`Store::session_beside`], it is committed by itself, in its order, and a failure behind it
    /// leaves it so.
    fn unit(&mut self, head: &UnitHead) -> Result<(), TargetError>;

    /// Says what becomes of rows that do not fit, from here on; without, every one is an error.
    ///
    /// # Errors
    /// When the target cannot follow these rules.
    fn follow(&mut self, rules: &RowRules) -> Result<(), TargetError> {
        match rules.is_strict() {
            true => Ok(()),
            false => {
                let text = "This target follows no replica_exec_mode but STRICT and no \
                            replica_skip_errors";
                Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)))
            }
        }
    }

    /// The columns of a table as they are here, with names, signs, collations and members as far as they
    /// are known; their types are not asked for. Empty if there is no such table.
    ///
    /// # Errors
    /// When the target cannot say.
    fn known_columns(
        &mut self,
        _database: &str,
        _table: &str,
    ) -> Result<Vec<Column<'static>>, TargetError> {
        let text = "The names of columns, which the log does not have (the source needs \
                    binlog_row_metadata=FULL) and this target is not asked for,";
        Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)))
    }

    /// Tables may have been defined anew by another session.
    fn forget_tables(&mut self);

    /// How many units since [`Session::begin`] the target has said to be committed, of a session that commits
    /// each by itself: when one fails, the next is the one that did.
    fn units_committed(&self) -> usize;

    /// Applies the rows of one event. On error the unit has to be undone.
    fn rows(&mut self, change: &RowsChange<'_>) -> Result<RowsOutcome, TargetError>;

    /// Executes a statement, or says that it concerns nothing that a target keeps. On error the
    /// unit has to be undone.
    fn statement(&mut self, change: &StatementChange<'_>) -> Result<StatementOutcome, TargetError>;

    /// Ends the first half of an XA transaction whose `XA START` and rows were given; at the commit of
    /// the unit it is prepared, or committed where there is no second half. Only where
    /// [`Traits::runs_xa`].
    fn prepare(&mut self, name: &XaName, is_one_phase: bool) -> Result<(), TargetError>;

    /// Keeps a piece of the log in the open unit: of a transaction that is prepared under `name`. The
    /// first, number 0, takes the place of all that was kept under that name. Only where not
    /// [`Traits::runs_xa`], as the next two.
    fn keep(&mut self, name: &XaName, number: u32, piece: &[u8]) -> Result<(), TargetError>;

    /// A piece of what is kept under `name`, in the open unit; `None` if there are not as many.
    fn kept(&mut self, name: &XaName, number: u32) -> Result<Option<Vec<u8>>, TargetError>;

    /// Keeps nothing under `name` any more, once the unit is committed.
    fn forget(&mut self, name: &XaName) -> Result<(), TargetError>;

    /// Waits until the target has answered everything that was given to it.
    fn flush(&mut self) -> Result<(), TargetError>;

    /// Waits until the target has taken everything that was given, so that only the commit is left to do:
    /// for sessions that commit in an order.
    fn ready(&mut self) -> Result<(), TargetError>;

    /// As [`Session::ready`], and leaves the end of the commit to whoever has the [`Ending`];
    /// [`Session::ended`] waits for it. `None`, where that cannot be: then it was not waited for
    /// anything.
    ///
    /// # Errors
    /// As of [`Session::ready`].
    fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, TargetError>;

    /// Waits until the commit that was handed over has ended.
    ///
    /// # Errors
    /// Those of its end.
    fn ended(&mut self) -> Result<(), TargetError>;

    /// Whether what the session was given is so much that the commit should come behind this unit.
    fn is_full(&self) -> bool;

    /// Undoes the open unit; those before it in the commit stay.
    fn undo_unit(&mut self) -> Result<(), TargetError>;

    /// Commits the units and, in the same commit, the mark they lead to.
    fn commit(&mut self, mark: &Mark<'_>) -> Result<(), TargetError>;

    /// Undoes everything since [`Session::begin`].
    fn rollback(&mut self) -> Result<(), TargetError>;
}
