//! The grammar of a log as a state machine: which event may stand where, and what it means there.
//!
//! Pure: a state and a symbol give the next state. The whole table is in [`State::after`].

use super::symbol::{Statement, Symbol};

/// What the last event left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum State {
    /// Nothing: the next event begins a transaction or belongs to none.
    #[default]
    Between,
    /// Variables of a statement that will commit by itself; no GTID, no begin.
    Variables,
    /// Rows of a statement that commits by itself: old files and tables that cannot roll back.
    BareRows,
    /// One of MySQL's GTIDs, and perhaps variables.
    AfterGtid,
    /// A GTID of MariaDB that announces one statement.
    Standalone,
    /// A transaction that has begun.
    Transaction,
    /// An XA transaction that has begun.
    Xa,
    /// An XA transaction that has ended and is to be prepared.
    XaEnded,
    /// The file.
    FileEnded,
}

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    /// Belongs to no transaction.
    Outside,
    /// Belongs to one that goes on.
    Inside,
    /// Ends one.
    End,
    /// Ends the file.
    FileEnd,
}

/// A state, and what kind of log it is a state of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Machine {
    pub(crate) state: State,
    /// Whether a replica wrote the log: events of several of the source's files may follow each
    /// other in it.
    is_relay: bool,
}

impl Machine {
    /// Moves on by `symbol`; `None`: it may not stand here.
    pub(crate) const fn step(&mut self, symbol: Symbol) -> Option<Mark> {
        if let Symbol::Description { is_relay: true, .. } = symbol {
            self.is_relay = true;
        }
        let Some((next, mark)) = self.state.after(symbol) else {
            return None;
        };
        self.state = match next {
            State::FileEnded if self.is_relay => State::Between,
            next => next,
        };
        Some(mark)
    }

    /// Moves on by `symbol` as if nothing had been open in front of it.
    pub(crate) const fn resume(&mut self, symbol: Symbol) -> Mark {
        self.state = State::Between;
        match self.step(symbol) {
            Some(mark) => mark,
            None => Mark::Outside,
        }
    }
}

impl State {
    /// Every state, for tests of the whole table.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Between,
        Self::Variables,
        Self::BareRows,
        Self::AfterGtid,
        Self::Standalone,
        Self::Transaction,
        Self::Xa,
        Self::XaEnded,
        Self::FileEnded,
    ];

    /// Whether no transaction is open.
    pub(crate) const fn is_between(self) -> bool {
        matches!(self, Self::Between | Self::FileEnded)
    }

    /// The state as the end of a sentence.
    pub(crate) const fn place(self) -> &'static str {
        match self {
            Self::Between => "between transactions",
            Self::Variables => "behind the variables of a statement",
            Self::BareRows => "inside a statement",
            Self::AfterGtid => "directly after a GTID",
            Self::Standalone => "behind a GTID that announces one statement",
            Self::Transaction => "inside a transaction",
            Self::Xa => "inside an XA transaction",
            Self::XaEnded => "behind the end of an XA transaction",
            Self::FileEnded => "after the event that ends the file",
        }
    }

    /// The state after `symbol`, and what `symbol` means in this one; `None`: it may not stand
    /// here.
    pub(crate) const fn after(self, symbol: Symbol) -> Option<(Self, Mark)> {
        match symbol {
            Symbol::Notice => Some((self, Mark::Outside)),
            Symbol::Description {
                is_relay,
                is_artificial,
            } => self.description(is_relay || is_artificial),
            // A relay log may be rotated inside a transaction.
            Symbol::RelayEnd if self.is_between() => Some((Self::FileEnded, Mark::FileEnd)),
            Symbol::RelayEnd => Some((self, Mark::Outside)),
            Symbol::FileEnd => match self {
                Self::Between | Self::Variables | Self::FileEnded => {
                    Some((Self::FileEnded, Mark::FileEnd))
                }
                _ => None,
            },
            Symbol::Gtid => self.opened(Self::AfterGtid),
            Symbol::MariadbGtid {
                is_standalone: true,
            } => self.opened(Self::Standalone),
            Symbol::MariadbGtid {
                is_standalone: false,
            } => self.opened(Self::Transaction),
            Symbol::Statement(statement) => self.statement(statement),
            Symbol::Xid => match self {
                Self::Transaction => Some((Self::Between, Mark::End)),
                _ => None,
            },
            Symbol::XaPrepare { .. } => match self {
                Self::Transaction | Self::Xa | Self::XaEnded => Some((Self::Between, Mark::End)),
                _ => None,
            },
            Symbol::Payload => match self {
                Self::AfterGtid => Some((Self::Between, Mark::End)),
                _ => None,
            },
            Symbol::Incident => match self {
                // MySQL gives the statement that it could not log a GTID, so the two are a unit.
                Self::AfterGtid | Self::Standalone => Some((Self::Between, Mark::End)),
                Self::Between => Some((Self::Between, Mark::Outside)),
                Self::FileEnded => None,
                state => Some((state, Mark::Inside)),
            },
            Symbol::RowsHead => match self {
                Self::Between | Self::Variables => Some((Self::BareRows, Mark::Inside)),
                Self::FileEnded | Self::XaEnded | Self::AfterGtid => None,
                state => Some((state, Mark::Inside)),
            },
            Symbol::Rows { ends_statement } => self.rows(ends_statement),
            Symbol::Variable => match self {
                Self::Between | Self::Variables => Some((Self::Variables, Mark::Inside)),
                Self::FileEnded => None,
                state => Some((state, Mark::Inside)),
            },
            Symbol::Other => match self {
                Self::Between => Some((Self::Between, Mark::Outside)),
                Self::FileEnded => None,
                state => Some((state, Mark::Inside)),
            },
        }
    }

    /// A GTID event begins a transaction.
    const fn opened(self, next: Self) -> Option<(Self, Mark)> {
        match self {
            // Variables alone do nothing.
            Self::Between | Self::Variables => Some((next, Mark::Inside)),
            _ => None,
        }
    }

    const fn description(self, is_inserted: bool) -> Option<(Self, Mark)> {
        match self {
            // In a relay log the source's next file follows its last one.
            Self::FileEnded | Self::Variables => Some((Self::Between, Mark::Outside)),
            Self::Between => Some((Self::Between, Mark::Outside)),
            state if is_inserted => Some((state, Mark::Outside)),
            _ => None,
        }
    }

    const fn rows(self, ends_statement: bool) -> Option<(Self, Mark)> {
        match self {
            Self::BareRows | Self::Standalone if ends_statement => Some((Self::Between, Mark::End)),
            Self::BareRows | Self::Standalone => Some((self, Mark::Inside)),
            Self::Transaction | Self::Xa => Some((self, Mark::Inside)),
            Self::Between | Self::Variables | Self::AfterGtid | Self::XaEnded | Self::FileEnded => {
                None
            }
        }
    }

    const fn statement(self, statement: Statement) -> Option<(Self, Mark)> {
        match (self, statement) {
            (Self::FileEnded, _) => None,
            (Self::Between | Self::Variables | Self::AfterGtid, Statement::Begin) => {
                Some((Self::Transaction, Mark::Inside))
            }
            (Self::Between | Self::Variables | Self::AfterGtid, Statement::XaStart) => {
                Some((Self::Xa, Mark::Inside))
            }
            (_, Statement::Begin | Statement::XaStart) => None,
            // One statement is a transaction of its own.
            (Self::Between | Self::Variables | Self::AfterGtid | Self::Standalone, _) => {
                Some((Self::Between, Mark::End))
            }
            (Self::Xa, Statement::XaEnd) => Some((Self::XaEnded, Mark::Inside)),
            (
                Self::BareRows | Self::Transaction | Self::Xa | Self::XaEnded,
                Statement::Commit
                | Statement::Rollback
                | Statement::XaCommit
                | Statement::XaRollback,
            ) => Some((Self::Between, Mark::End)),
            (Self::XaEnded, _) => None,
            (state, _) => Some((state, Mark::Inside)),
        }
    }
}
