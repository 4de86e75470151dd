//! Panics of one statement, as its error.
//!
//! A panic is a fault of this program. What it has left half done is undone with the statement's
//! savepoint; where that fails too, the panic goes on and ends the process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use sql::error::SqlError;

/// A panic that was stopped.
pub(crate) struct Panicked(Box<dyn Any + Send>);

impl Panicked {
    /// Error 1105 with what the panic says.
    pub(crate) fn error(&self) -> SqlError {
        let text = self.0.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| self.0.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("a panic");
        SqlError::new(1105, "HY000", format!("Unknown error: {text}"))
    }

    /// Lets the panic go on.
    pub(crate) fn go_on(self) -> ! {
        resume_unwind(self.0)
    }
}

/// Runs something whose changes are all undone if it panics.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(Panicked)
}
