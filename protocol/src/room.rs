//! Room for large payloads that arrive: all connections of a server take theirs from the same.
//!
//! A payload is received in steps. While there is room every payload goes on; when it gets short, one
//! at a time does, to its end, in time.

use std::time::Duration;

use memory::Purpose;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::error::Error;

/// Bytes of a payload that need not ask.
const SMALL: usize = memory::STEP;
/// Bytes of a step.
const STEP: usize = 1 << 20;
/// How long a payload waits for room, and may take once it has the turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks.
const PERIOD: Duration = Duration::from_millis(10);

/// Whose turn it is while room is short.
static TURN: Semaphore = Semaphore::const_new(1);

/// What one connection has of the room.
#[derive(Debug, Default)]
pub(crate) struct Room {
    turn: Option<SemaphorePermit<'static>>,
    /// When the payload must be there, or the wait for room be over.
    deadline: Option<Instant>,
}

impl Room {
    /// Waits until a step of a payload of `announced` bytes may be received, or so many bytes be taken
    /// `at_once`. Cancellation-safe.
    pub(crate) async fn ask(&mut self, announced: usize, at_once: usize) -> Result<(), Error> {
        if announced.max(at_once) <= SMALL {
            return Ok(());
        }
        let step = STEP.max(at_once);
        if self.turn.is_none() {
            if memory::has_room(step, Purpose::Begin) {
                self.deadline = None;
                return Ok(());
            }
            let deadline = self.deadline();
            let turn = timeout_at(deadline, TURN.acquire()).await;
            self.turn = Some(
                turn.map_err(|_| Error::NoRoom)?
                    .map_err(|_| Error::NoRoom)?,
            );
            self.deadline = None;
        }
        let deadline = self.deadline();
        while !memory::has_room(step, Purpose::GoOn) {
            if Instant::now() > deadline {
                return Err(Error::NoRoom);
            }
            sleep(PERIOD).await;
        }
        match Instant::now() > deadline {
            true => Err(Error::NoRoom),
            false => Ok(()),
        }
    }

    /// The payload is there.
    pub(crate) fn leave(&mut self) {
        self.turn = None;
        self.deadline = None;
    }

    fn deadline(&mut self) -> Instant {
        *self
            .deadline
            .get_or_insert_with(|| Instant::now() + PATIENCE)
    }
}
