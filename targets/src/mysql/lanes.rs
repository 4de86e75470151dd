//! How many connections a session has, and what their rows say together.

use binlog::transaction::Executed;
use sql::error::SqlError;

use super::marks::{LaneNote, MarkTable, Marked};
use super::pipe::Pipe;
use super::{MysqlStore, Truth};
use crate::TargetError;

/// Connections of one session, at most.
const LANES_MAX: usize = 64;

/// How sessions merge rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lanes {
    /// Over how many connections; 0: they merge none.
    count: usize,
    /// What of the logs is chosen.
    chosen: String,
}

/// What connections left that were ended between their commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uneven {
    /// What all of them have.
    pub all: Executed,
    /// What any of them has.
    pub any: Executed,
    /// What of the logs was chosen, as [`MysqlStore::use_lanes`] was told.
    pub chosen: String,
}

/// What the lanes have, all of them.
pub(super) fn together(lanes: Vec<Marked>) -> Marked {
    let is_even = is_even(&lanes);
    let mut lanes = lanes.into_iter();
    let mut first = lanes.next().unwrap_or_default();
    for lane in lanes {
        let executed = &mut first.applied.executed;
        *executed = executed.intersection(&lane.applied.executed);
    }
    if !is_even {
        // Only transactions with GTIDs are divided among lanes: places are of no account.
        first.applied.source = None;
        first.applied.relay = None;
    }
    first
}

fn is_even(lanes: &[Marked]) -> bool {
    let first = lanes.first().map(|lane| &lane.applied.executed);
    lanes
        .iter()
        .all(|lane| Some(&lane.applied.executed) == first)
}

/// Removes the rows of all lanes but the first.
pub(super) fn remove(pipe: &mut Pipe, table: &MarkTable) -> Result<(), TargetError> {
    let lanes = table.read_lanes(pipe)?.len();
    for lane in 1..lanes {
        pipe.ask(&table.lane(lane).remove())?;
    }
    Ok(())
}

impl MysqlStore {
    /// Has sessions opened from now on merge the rows of what they commit at once, for a target that
    /// nobody else uses, and apply over as many connections (64 at most): rows of one key stay in one
    /// of them, and a transaction is whole only once the session has committed behind it. More than one
    /// takes a GTID of every transaction, whole images of every row, and no statement that changes rows.
    /// `chosen` says which databases and tables are applied, and as what.
    ///
    /// # Errors
    /// When the target keeps GTIDs by itself or logs what is applied: transactions would be in parts.
    pub fn use_lanes(&self, lanes: usize, chosen: &str) -> Result<(), TargetError> {
        let is_by_row = matches!(self.options.truth, Truth::Row(_));
        if !is_by_row || self.options.is_logged {
            return Err(TargetError::misuse(
                "several connections for a target that logs whole transactions",
            ));
        }
        *self.lanes() = Lanes {
            count: lanes.clamp(1, LANES_MAX),
            chosen: chosen.to_owned(),
        };
        Ok(())
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, Lanes> {
        self.lanes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether sessions merge rows.
    pub(super) fn merges_rows(&self) -> bool {
        self.lanes().count > 0
    }

    /// What connections left that were ended between their commits: what some of them have has to be
    /// applied over all before anything else is. `None` if they stand at one place.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn uneven(&self) -> Result<Option<Uneven>, TargetError> {
        let Truth::Row(table) = &self.options.truth else {
            return Ok(None);
        };
        let lanes = self.asking(|pipe| table.read_lanes(pipe))?;
        if is_even(&lanes) {
            return Ok(None);
        }
        let mut any = Executed::default();
        for lane in &lanes {
            any.union(&lane.applied.executed);
        }
        let chosen = lanes.last().and_then(LaneNote::of);
        Ok(Some(Uneven {
            chosen: chosen.map(|note| note.chosen).unwrap_or_default(),
            all: together(lanes).applied.executed,
            any,
        }))
    }

    /// The rows of the lanes of the next session, which are there, and what each of them says beside.
    /// The channel is this connection's.
    pub(super) fn lane_tables(
        &self,
        pipe: &mut Pipe,
        table: &MarkTable,
    ) -> Result<(Vec<MarkTable>, LaneNote), TargetError> {
        let wanted = self.lanes().clone();
        let there = table.read_lanes(pipe)?;
        let is_even = is_even(&there);
        let mut note = LaneNote {
            lanes: there.len(),
            chosen: wanted.chosen,
        };
        let known = there.last().and_then(LaneNote::of);
        let is_same = known.is_some_and(|known| known.chosen == note.chosen);
        if !is_even && (!is_same || wanted.count == 0) {
            let text = "the target stands inside a commit of an interrupted restore; the same command \
                        with --mode restore has to finish that first";
            return Err(TargetError::Config(SqlError::new(1235, "42000", text)));
        }
        if let (Some(first), true) = (there.first(), is_even) {
            note.lanes = wanted.count.max(1);
            if there.len() > 1 || note.lanes > 1 {
                remove(pipe, table)?;
                for lane in 1..note.lanes {
                    let marked = Marked {
                        applied: first.applied.clone(),
                        begun: Some(note.begun()),
                    };
                    pipe.ask(&table.lane(lane).replace(&marked))?;
                }
            }
        }
        // Looking has locked them.
        pipe.ask("COMMIT")?;
        Ok(((0..note.lanes).map(|lane| table.lane(lane)).collect(), note))
    }
}
