//! What evaluation may know of its session, and where it puts its warnings.
//!
//! An [`Env`] is made once per statement. It holds copies, not the session itself, because
//! evaluation happens inside SQLite's callbacks.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::collation::Collation;
use crate::interrupt::Interrupt;
use crate::session::{SessionContext, TimeZone};
use crate::user_locks::UserLocks;
use crate::value::datum::{Datum, Lossy};
use crate::value::memory::Meter;
use crate::value::stored::expression;
use crate::value::temporal::Moment;
use sql::SqlMode;
use sql::error::{SqlError, Warning, WarningLevel};

/// Most warnings a statement keeps, MySQL's `max_error_count`.
const WARNINGS_MAX: usize = 1024;

/// The surroundings of an evaluation.
#[derive(Debug)]
pub struct Env {
    /// `sql_mode`.
    pub sql_mode: SqlMode,
    /// `time_zone`.
    pub zone: TimeZone,
    /// The statement's time in the session's zone.
    pub now: Moment,
    /// The statement's time in microseconds since 1970 UTC.
    pub now_micros: i64,
    /// Collation of literals and of numbers made into text.
    pub collation: &'static Collation,
    /// Whether lost digits and divisions by zero are errors: a strict INSERT, UPDATE or DELETE.
    pub strict_write: bool,
    /// Whether the statement writes at all (a division by zero then follows the SQL mode).
    pub writes: bool,
    /// `div_precision_increment`.
    pub div_precision_increment: u8,
    /// `default_week_format`.
    pub default_week_format: u8,
    /// `group_concat_max_len`.
    pub group_concat_max_len: usize,
    /// `max_allowed_packet`: no function gives a longer text.
    pub max_allowed_packet: usize,
    /// `cte_max_recursion_depth`.
    pub cte_max_recursion_depth: u64,
    /// CONNECTION_ID().
    pub connection_id: u64,
    /// Stops the statement.
    pub interrupt: Arc<Interrupt>,
    /// The named locks of the node.
    pub user_locks: Arc<UserLocks>,
    /// Whether SLEEP() may be called.
    pub may_wait: bool,
    /// LAST_INSERT_ID(expr) leaves its argument here.
    pub last_insert_id: Cell<Option<u64>>,
    /// What values take while they are computed.
    pub memory: Meter,
    /// RAND()'s state for calls with a constant seed.
    pub random: RefCell<Option<(u32, u32)>>,
    warnings: RefCell<Vec<Warning>>,
}

/// Limits of sessions that have no variables, such as an applier's.
const PACKET_DEFAULT: usize = 64 << 20;
const DEPTH_DEFAULT: u64 = 1000;

/// A limit that the session has as a variable.
fn limit<T: TryFrom<u64>>(session: &SessionContext, name: &str, default: T) -> T {
    match session.system_variables.value(name, false) {
        Some(Datum::UInt(value)) => T::try_from(value).unwrap_or(default),
        Some(Datum::Int(value)) => u64::try_from(value)
            .ok()
            .and_then(|value| T::try_from(value).ok())
            .unwrap_or(default),
        _ => default,
    }
}

impl Env {
    /// The surroundings of a statement that only reads.
    pub fn of_session(session: &SessionContext) -> Self {
        Self {
            sql_mode: session.sql_mode,
            zone: session.time_zone.clone(),
            now: expression::local_of(session.now_micros, &session.time_zone),
            now_micros: session.now_micros,
            collation: session.collation_connection,
            strict_write: false,
            writes: false,
            div_precision_increment: session.div_precision_increment,
            default_week_format: session.default_week_format,
            group_concat_max_len: usize::try_from(session.group_concat_max_len)
                .unwrap_or(usize::MAX),
            max_allowed_packet: limit(session, "max_allowed_packet", PACKET_DEFAULT),
            cte_max_recursion_depth: limit(session, "cte_max_recursion_depth", DEPTH_DEFAULT),
            connection_id: session.connection_id,
            interrupt: Arc::clone(&session.interrupt),
            user_locks: Arc::clone(&session.user_locks),
            may_wait: session.may_wait,
            last_insert_id: Cell::new(None),
            memory: Meter::default(),
            random: RefCell::new(None),
            warnings: RefCell::new(Vec::new()),
        }
    }

    /// The surroundings of a statement that writes; with `ignore`, errors become warnings.
    pub fn of_write(session: &SessionContext, ignore: bool) -> Self {
        Self {
            strict_write: session.is_strict() && !ignore,
            writes: true,
            ..Self::of_session(session)
        }
    }

    /// Room for a large row that is about to be read; a statement that may wait waits for it.
    pub fn room(&self, bytes: usize) -> Result<Option<::memory::Promise>, SqlError> {
        match self.may_wait {
            true => self.memory.room_in_time(bytes, &self.interrupt),
            false => self.memory.room(bytes),
        }
    }

    /// Records a warning.
    pub fn warn(&self, warning: SqlError) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < WARNINGS_MAX {
            warnings.push(warning.into_warning(WarningLevel::Warning));
        }
    }

    /// Takes the warnings gathered so far.
    pub fn take_warnings(&self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// A warning, or the error itself in a strict write.
    pub fn complain(&self, problem: SqlError) -> Result<(), SqlError> {
        if self.strict_write {
            return Err(problem);
        }
        self.warn(problem);
        Ok(())
    }

    /// A converted value; what was lost is warned about, or an error in a strict write.
    pub fn checked<T>(&self, lossy: Lossy<T>, source: &Datum) -> Result<T, SqlError> {
        if let Some(kind) = lossy.lost {
            self.complain(SqlError::truncated_wrong_value(kind, source.to_str()))?;
        }
        Ok(lossy.value)
    }

    /// NULL, and warning 1365 or its error as the SQL mode asks.
    pub fn divided_by_zero(&self) -> Result<Datum, SqlError> {
        if !self.writes {
            self.warn(SqlError::division_by_zero());
        } else if self.sql_mode.contains(SqlMode::ERROR_FOR_DIVISION_BY_ZERO) {
            self.complain(SqlError::division_by_zero())?;
        }
        Ok(Datum::Null)
    }
}
