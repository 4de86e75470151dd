//! What the values of user variables take, and where that ends.
// Differs from MySQL: it has no such limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::value::datum::Datum;
use engine::value::sourced::Sourced;
use sql::error::SqlError;

use super::Session;

/// Bytes that the variables of all sessions may take.
const ALL_MAX: usize = 32 << 20;
/// Bytes that a session may take whatever others do.
const FREE: usize = 256 << 10;
/// Bytes of a variable apart from its name and its text.
const ONE: usize = 128;

/// What one session takes of what all share.
#[derive(Debug, Default)]
pub(super) struct UserMemory {
    all: Arc<AtomicUsize>,
    own: usize,
}

impl Drop for UserMemory {
    fn drop(&mut self) {
        self.all.fetch_sub(shared(self.own), Ordering::AcqRel);
    }
}

/// What of `own` bytes counts for all.
const fn shared(own: usize) -> usize {
    own.saturating_sub(FREE)
}

impl UserMemory {
    pub(super) fn new(all: &Arc<AtomicUsize>) -> Self {
        Self {
            all: Arc::clone(all),
            own: 0,
        }
    }

    /// Takes note that `added` bytes come and `removed` go. Error 3170 when that is too much.
    fn change(&mut self, added: usize, removed: usize) -> Result<(), SqlError> {
        let own = self.own.saturating_sub(removed).saturating_add(added);
        let (before, after) = (shared(self.own), shared(own));
        let changed = self
            .all
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |all| {
                let all = all.saturating_sub(before).saturating_add(after);
                (after <= before || all <= ALL_MAX).then_some(all)
            });
        match changed {
            Ok(_) => {
                self.own = own;
                Ok(())
            }
            Err(_) => Err(SqlError::capacity_exceeded(
                ALL_MAX,
                "user variables",
                "Set some of them to NULL.",
            )),
        }
    }
}

fn size(name: &str, value: &Sourced) -> usize {
    ONE.saturating_add(name.len()).saturating_add(value.size())
}

/// What a variable holds of a value: dates and times are texts from then on (manual, "User-Defined
/// Variables").
fn kept(given: Sourced) -> Sourced {
    match given.value {
        Datum::Date(_) | Datum::Time(..) | Datum::DateTime(..) => {
            Datum::text(given.value.to_str()).into()
        }
        value => Sourced { value, ..given },
    }
}

impl Session {
    /// `SET @name = value`.
    pub(super) fn set_user_variable(&mut self, name: &str, value: Sourced) -> Result<(), SqlError> {
        let value = kept(value);
        let variables = Arc::make_mut(&mut self.context.user_variables);
        let before = variables.get(name).map_or(0, |value| size(name, value));
        self.user_memory.change(size(name, &value), before)?;
        variables.insert(name.to_owned(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_share_what_there_is_and_each_has_some_for_itself() {
        let all = Arc::default();
        let mut greedy = UserMemory::new(&all);
        greedy.change(ALL_MAX, 0).unwrap();
        assert_eq!(greedy.change(ALL_MAX, 0).unwrap_err().code, 3170);
        let mut modest = UserMemory::new(&all);
        modest.change(FREE, 0).unwrap();
        assert_eq!(modest.change(2 * FREE, 0).unwrap_err().code, 3170);
        greedy.change(10, ALL_MAX).unwrap();
        modest.change(2 * FREE, 0).unwrap();
        drop((greedy, modest));
        assert_eq!(all.load(Ordering::Acquire), 0);
    }
}
