//! A client of the pipeline, and what it believes to be true.
//!
//! Its rows are its own, but for one that all count up; so what it believes does not depend on the
//! others, whatever the order in which they are served.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

use engine::session::SessionContext;
use server::executor::{TransactionMode, ends_transaction};
use sql::error::SqlError;
use sql::{ParseOptions, parse};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::super::request::{Execute, Executed, Request, SavepointAction};
use super::super::ticket::Ticket;
use super::Choices;

/// Rows of one client, and what it has added to the shared one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) rows: BTreeMap<i64, i64>,
    pub(super) bumps: i64,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Insert(i64),
    Add(i64),
    Delete(i64),
    Bump,
    /// Locks rows and changes none.
    Lock,
}

impl Effect {
    fn sql(self) -> String {
        match self {
            Self::Insert(id) => format!("INSERT INTO t VALUES ({id}, 0)"),
            Self::Add(id) => format!("UPDATE t SET v = v + 1 WHERE id = {id}"),
            Self::Delete(id) => format!("DELETE FROM t WHERE id = {id}"),
            Self::Bump => "UPDATE t SET v = v + 1 WHERE id = 0".to_owned(),
            Self::Lock => "SELECT v FROM t WHERE id = 0 FOR UPDATE".to_owned(),
        }
    }

    fn on(self, state: &mut Rows) {
        match self {
            Self::Insert(id) => {
                state.rows.insert(id, 0);
            }
            Self::Add(id) => {
                if let Some(value) = state.rows.get_mut(&id) {
                    *value += 1;
                }
            }
            Self::Delete(id) => {
                state.rows.remove(&id);
            }
            Self::Bump => state.bumps += 1,
            Self::Lock => {}
        }
    }
}

/// An open transaction.
#[derive(Debug, Clone, Default)]
struct Open {
    state: Rows,
    savepoints: Vec<(String, Rows)>,
}

#[derive(Debug)]
enum Asked {
    Statement(Effect),
    Autocommit(Effect),
    Ddl,
    Commit,
    Rollback,
    Savepoint(SavepointAction, &'static str),
}

#[derive(Debug)]
enum Receiver {
    Executed(oneshot::Receiver<Executed>),
    Done(oneshot::Receiver<Result<(), SqlError>>),
}

/// What a client was told.
pub(super) struct Answer {
    pub(super) text: String,
    /// Transactions that it now knows to be committed.
    pub(super) committed: u64,
}

pub(super) struct Client {
    session: SessionContext,
    ticket: Arc<Ticket>,
    committed: Rows,
    open: Option<Open>,
    asked: Option<(Asked, Receiver)>,
    /// What may be true as well. It asks nothing more then.
    others: Vec<Rows>,
    next_id: i64,
}

impl Client {
    pub(super) fn new(connection_id: u64) -> Self {
        let mut session = SessionContext::new(connection_id);
        session.database = Some("d".to_owned());
        session.now_micros = 1_700_000_000_000_000;
        Self {
            session,
            ticket: Arc::default(),
            committed: Rows::default(),
            open: None,
            asked: None,
            others: Vec::new(),
            next_id: 0,
        }
    }

    pub(super) fn connection_id(&self) -> u64 {
        self.session.connection_id
    }

    /// Whether it has asked something and was not answered.
    pub(super) fn waits(&self) -> bool {
        self.asked.is_some()
    }

    /// The ids of its rows.
    pub(super) fn ids(&self) -> RangeInclusive<i64> {
        let first = i64::try_from(self.session.connection_id).unwrap() * 1000;
        first..=first + 999
    }

    /// Asks something, if nothing is asked yet.
    pub(super) fn ask(&mut self, choices: &mut Choices, deadline: Instant) -> Option<Request> {
        if self.asked.is_some() || !self.others.is_empty() {
            return None;
        }
        let asked = self.choose(choices);
        let (request, receiver) = self.request(&asked, deadline);
        self.asked = Some((asked, receiver));
        Some(request)
    }

    fn choose(&mut self, choices: &mut Choices) -> Asked {
        let name = ["a", "A", "b"][usize::try_from(choices.below(3)).unwrap()];
        let Some(_) = &self.open else {
            return match choices.below(12) {
                0..=3 => {
                    self.open = Some(Open {
                        state: self.committed.clone(),
                        savepoints: Vec::new(),
                    });
                    match choices.one_in(4) {
                        true => Asked::Savepoint(SavepointAction::Set, name),
                        false => Asked::Statement(self.effect(choices)),
                    }
                }
                4 => Asked::Ddl,
                _ => Asked::Autocommit(self.effect(choices)),
            };
        };
        match choices.below(16) {
            0..=3 => Asked::Commit,
            4 => Asked::Rollback,
            5 | 6 => Asked::Savepoint(SavepointAction::Set, name),
            7 | 8 => Asked::Savepoint(SavepointAction::RollbackTo, name),
            9 => Asked::Savepoint(SavepointAction::Release, name),
            10 => Asked::Ddl,
            _ => Asked::Statement(self.effect(choices)),
        }
    }

    fn effect(&mut self, choices: &mut Choices) -> Effect {
        let first = *self.ids().start();
        let some = first + i64::try_from(choices.below(20)).unwrap();
        match choices.below(10) {
            0 | 1 => Effect::Add(some),
            2 => Effect::Delete(some),
            3 | 4 => Effect::Bump,
            5 => Effect::Lock,
            _ => {
                self.next_id += 1;
                Effect::Insert(first + self.next_id % 1000)
            }
        }
    }

    fn request(&mut self, asked: &Asked, deadline: Instant) -> (Request, Receiver) {
        let connection_id = self.connection_id();
        let (reply, answer) = oneshot::channel();
        let request = match asked {
            Asked::Commit => Request::Commit(connection_id, reply),
            Asked::Rollback => Request::Rollback(connection_id, reply),
            Asked::Savepoint(action, name) => {
                Request::Savepoint(connection_id, *action, (*name).to_owned(), reply)
            }
            Asked::Statement(effect) => {
                return self.execute(&effect.sql(), TransactionMode::InTransaction, deadline);
            }
            Asked::Autocommit(effect) => {
                return self.execute(&effect.sql(), TransactionMode::Autocommit, deadline);
            }
            Asked::Ddl => {
                self.next_id += 1;
                let sql = format!("CREATE TABLE x{connection_id}_{} (a INT)", self.next_id);
                return self.execute(&sql, TransactionMode::Autocommit, deadline);
            }
        };
        (request, Receiver::Done(answer))
    }

    fn execute(
        &mut self,
        sql: &str,
        mode: TransactionMode,
        deadline: Instant,
    ) -> (Request, Receiver) {
        let (reply, answer) = oneshot::channel();
        self.ticket = Arc::default();
        let execute = Execute {
            session: Box::new(self.session.clone()),
            statement: Arc::new(parse(sql.as_bytes(), &ParseOptions::default()).unwrap()),
            parameters: Vec::new(),
            mode,
            deadline,
            ticket: Arc::clone(&self.ticket),
            reply,
        };
        (
            Request::Execute(Box::new(execute)),
            Receiver::Executed(answer),
        )
    }

    /// An autocommitted statement that has nothing to do with its rows.
    pub(super) fn statement(&mut self, sql: &str, deadline: Instant) -> Request {
        let (request, receiver) = self.execute(sql, TransactionMode::Autocommit, deadline);
        self.asked = Some((Asked::Ddl, receiver));
        request
    }

    /// Takes its answer, if there is one.
    pub(super) fn hear(&mut self) -> Option<Answer> {
        let (asked, mut receiver) = self.asked.take()?;
        let heard = match &mut receiver {
            Receiver::Executed(receiver) => receiver.try_recv().map(|(session, result)| {
                self.session = *session;
                result.map(drop)
            }),
            Receiver::Done(receiver) => receiver.try_recv(),
        };
        match heard {
            Ok(result) => {
                let code = result.as_ref().map_or_else(|error| error.code, |()| 0);
                let text = format!("{} {asked:?} {code}", self.connection_id());
                let committed = match result {
                    Ok(()) => self.done(&asked),
                    Err(error) => self.failed(&asked, &error),
                };
                Some(Answer { text, committed })
            }
            Err(TryRecvError::Empty | TryRecvError::Closed) => {
                self.asked = Some((asked, receiver));
                None
            }
        }
    }

    fn done(&mut self, asked: &Asked) -> u64 {
        let before = self.committed.clone();
        match *asked {
            Asked::Statement(effect) => {
                if let Some(open) = &mut self.open {
                    effect.on(&mut open.state);
                }
            }
            Asked::Autocommit(effect) => effect.on(&mut self.committed),
            Asked::Ddl | Asked::Commit => {
                if let Some(open) = self.open.take() {
                    self.committed = open.state;
                }
            }
            Asked::Rollback => self.open = None,
            Asked::Savepoint(action, name) => self.savepoint(action, name),
        }
        u64::from(before != self.committed) + u64::from(matches!(asked, Asked::Ddl))
    }

    fn failed(&mut self, asked: &Asked, error: &SqlError) -> u64 {
        match asked {
            Asked::Statement(_) if ends_transaction(error.code) => self.open = None,
            Asked::Commit => self.open = None,
            // What was open may have been committed before it.
            Asked::Ddl => {
                if let Some(open) = self.open.take()
                    && open.state != self.committed
                {
                    self.others.push(open.state);
                }
            }
            Asked::Statement(_) | Asked::Autocommit(_) | Asked::Savepoint(..) => {}
            Asked::Rollback => panic!("a rollback failed: {error:?}"),
        }
        0
    }

    fn savepoint(&mut self, action: SavepointAction, name: &str) {
        let Some(open) = &mut self.open else {
            return;
        };
        let is_named = |(known, _): &(String, Rows)| known.eq_ignore_ascii_case(name);
        let known = open.savepoints.iter().rposition(is_named);
        match action {
            SavepointAction::Set => {
                if let Some(at) = known {
                    open.savepoints.remove(at);
                }
                let state = open.state.clone();
                open.savepoints.push((name.to_owned(), state));
            }
            SavepointAction::RollbackTo => {
                let at = known.expect("a savepoint that was set");
                open.state = open.savepoints[at].1.clone();
                open.savepoints.truncate(at + 1);
            }
            SavepointAction::Release => {
                let at = known.expect("a savepoint that was set");
                open.savepoints.truncate(at);
            }
        }
    }

    /// Takes its statement back, if it waits.
    pub(super) fn withdraw(&mut self) {
        let is_statement = matches!(
            self.asked,
            Some((Asked::Statement(_) | Asked::Autocommit(_) | Asked::Ddl, _))
        );
        if is_statement && self.ticket.withdraw() {
            self.asked = None;
        }
    }

    /// What may be true of its rows, as far as it knows.
    pub(super) fn candidates(&self) -> Vec<Rows> {
        let mut candidates = vec![self.committed.clone()];
        candidates.extend(self.others.iter().cloned());
        let open = self.open.as_ref().map(|open| &open.state);
        match (&self.asked, open) {
            (Some((Asked::Autocommit(effect), _)), _) => {
                for mut state in candidates.clone() {
                    effect.on(&mut state);
                    candidates.push(state);
                }
            }
            (Some((Asked::Commit | Asked::Ddl, _)), Some(open)) => candidates.push(open.clone()),
            _ => {}
        }
        candidates
    }

    /// Begins a new life: `state` is what its rows are, whatever it believed.
    pub(super) fn go_on(&mut self, state: Rows) {
        let next_id = self.next_id;
        *self = Self::new(self.connection_id());
        (self.committed, self.next_id) = (state, next_id);
    }
}
