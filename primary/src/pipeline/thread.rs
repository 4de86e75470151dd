//! The pipeline's thread: takes requests off the channel, asks the clock, and steps.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Instant;

use server::clock::now_micros;

use super::core::{Input, Next, Now, Pipeline};
use super::request::Request;
use crate::error::PrimaryError;

/// What happens when nobody can know any more what the log or the engine holds.
pub(crate) type OnFatal = Box<dyn FnOnce(&PrimaryError) + Send>;

impl Now {
    /// The time it is.
    pub(crate) fn read() -> Self {
        Self {
            monotonic: Instant::now(),
            wall_micros: now_micros(),
        }
    }
}

/// Serves requests until asked to stop, then closes the log. With an error `on_fatal` is called
/// before any client can be told anything.
pub(crate) fn run(mut pipeline: Pipeline, requests: &Receiver<Request>, on_fatal: OnFatal) {
    let served = serve(&mut pipeline, requests).and_then(|()| pipeline.finish(Now::read()));
    let ended = match served {
        Ok(()) => pipeline.close(Now::read()),
        Err(error) => {
            on_fatal(&error);
            // Not before: a dropped answer would be one.
            drop(pipeline);
            return;
        }
    };
    if let Err(error) = ended {
        on_fatal(&error);
    }
}

fn serve(pipeline: &mut Pipeline, requests: &Receiver<Request>) -> Result<(), PrimaryError> {
    let mut next = Next::Take;
    loop {
        let input = match next {
            Next::Go => Input::Nothing,
            Next::Take => match requests.try_recv() {
                Ok(request) => Input::Request(request),
                Err(TryRecvError::Empty) => Input::Nothing,
                Err(TryRecvError::Disconnected) => Input::Request(Request::Stop),
            },
            Next::Wait(until) => wait(requests, until),
            Next::Stop => return Ok(()),
        };
        next = pipeline.step(input, Now::read())?;
    }
}

fn wait(requests: &Receiver<Request>, until: Option<Instant>) -> Input {
    let received = match until {
        Some(until) => requests.recv_timeout(until.saturating_duration_since(Instant::now())),
        None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match received {
        Ok(request) => Input::Request(request),
        Err(RecvTimeoutError::Timeout) => Input::Nothing,
        Err(RecvTimeoutError::Disconnected) => Input::Request(Request::Stop),
    }
}
