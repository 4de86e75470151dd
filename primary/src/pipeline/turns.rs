//! Whose turn it is: who has the writer, and who waits for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::hold::{Hold, Holder};
use super::request::{Execute, Request};

/// The holder and the waits.
#[derive(Debug, Default)]
pub(super) struct Turns {
    pub(super) hold: Option<Hold>,
    /// LOCK TABLES ... WRITE: the block's number, and the connection that alone may write.
    pub(super) reserved: Option<(u64, u64)>,
    /// Statements and blocks that wait for the holder, in their order.
    waiting: VecDeque<Request>,
    /// What had its turn when a group was found to be late.
    deferred: VecDeque<Request>,
}

impl Turns {
    /// Whether somebody has the writer.
    pub(super) const fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// The transaction that has the writer.
    pub(super) fn holder(&self) -> Option<&Holder> {
        match &self.hold {
            Some(Hold::Transaction(holder)) => Some(holder),
            Some(Hold::Block(_)) | None => None,
        }
    }

    /// The transaction of this connection, if it has the writer.
    pub(super) fn of(&mut self, connection_id: u64) -> Option<&mut Holder> {
        match &mut self.hold {
            Some(Hold::Transaction(holder)) if holder.connection_id == connection_id => {
                Some(holder)
            }
            Some(_) | None => None,
        }
    }

    /// Whether other connections than this one have to wait for a block.
    pub(super) fn is_reserved_for_others(&self, connection_id: u64) -> bool {
        self.reserved
            .is_some_and(|(_, owner)| owner != connection_id)
    }

    fn is_free(&self) -> bool {
        self.hold.is_none() && self.reserved.is_none()
    }

    /// Whether [`Turns::take_ready`] has something.
    pub(super) fn has_ready(&self) -> bool {
        self.is_free() && !self.waiting.is_empty() || !self.deferred.is_empty()
    }

    /// The next request of those that waited and need not any more.
    pub(super) fn take_ready(&mut self) -> Option<Request> {
        let waited = match self.is_free() {
            true => self.waiting.pop_front(),
            false => None,
        };
        waited.or_else(|| self.deferred.pop_front())
    }

    /// Lets a request wait for the holder.
    pub(super) fn put_behind(&mut self, request: Request) {
        self.waiting.push_back(request);
    }

    /// The next request that had its turn.
    pub(super) fn take_put_first(&mut self) -> Option<Request> {
        self.deferred.pop_front()
    }

    /// Lets a request wait for its turn.
    pub(super) fn put_last(&mut self, request: Request) {
        self.deferred.push_back(request);
    }

    /// Lets a request that had its turn wait for another one, in front of the others.
    pub(super) fn put_first(&mut self, request: Request) {
        if let Request::Execute(execute) = &request {
            execute.ticket.wait();
        }
        self.deferred.push_front(request);
    }

    /// Ends the block of this number, or the wait for it.
    pub(super) fn unblock(&mut self, id: u64) {
        if self.reserved.is_some_and(|(held, _)| held == id) {
            self.reserved = None;
        }
        if matches!(self.hold, Some(Hold::Block(held)) if held == id) {
            self.hold = None;
        }
        self.waiting
            .retain(|request| !matches!(request, Request::Block(waits, ..) if *waits == id));
    }

    /// Forgets what a connection that is gone waited for.
    pub(super) fn forget(&mut self, connection_id: u64) {
        self.waiting.retain(|request| match request {
            Request::Execute(execute) => execute.session.connection_id != connection_id,
            _ => true,
        });
    }

    /// Takes note of the time after the holder's last statement.
    pub(super) fn holder_was_active(&mut self, now: Instant) {
        if let Some(Hold::Transaction(holder)) = &mut self.hold {
            holder.idle_since.get_or_insert(now);
        }
    }

    /// When the first wait is over, or the holder has idled for too long.
    pub(super) fn next_deadline(&self, idle_timeout: Option<Duration>) -> Option<Instant> {
        let waiting = self.waiting.iter().filter_map(|request| match request {
            Request::Execute(execute) => Some(execute.deadline),
            _ => None,
        });
        waiting.chain(self.idle_deadline(idle_timeout)).min()
    }

    fn idle_deadline(&self, idle_timeout: Option<Duration>) -> Option<Instant> {
        let since = self.holder()?.idle_since?;
        since.checked_add(idle_timeout?)
    }

    /// The connection whose transaction has idled for too long.
    pub(super) fn idle_holder(&self, idle_timeout: Option<Duration>, now: Instant) -> Option<u64> {
        let deadline = self.idle_deadline(idle_timeout)?;
        let holder = self.holder()?;
        (deadline <= now).then_some(holder.connection_id)
    }

    /// Takes out the statements that waited too long or were withdrawn.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Execute> {
        self.take_out(|execute| execute.deadline <= now || execute.ticket.is_withdrawn())
    }

    /// Takes out all statements.
    pub(super) fn all_waiting(&mut self) -> Vec<Execute> {
        self.take_out(|_| true)
    }

    fn take_out(&mut self, is_wanted: impl Fn(&Execute) -> bool) -> Vec<Execute> {
        let mut out = Vec::new();
        for request in std::mem::take(&mut self.waiting) {
            match request {
                Request::Execute(execute) if is_wanted(&execute) => out.push(*execute),
                request => self.waiting.push_back(request),
            }
        }
        out
    }
}
