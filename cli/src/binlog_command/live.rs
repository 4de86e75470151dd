//! A live server as input: its log files, as it sends them.
//!
//! A thread of its own fetches; what it gets waits in a short queue until it is read, so that a slow
//! reader slows the server down and memory stays small. Each file of the server is read like a pipe.

mod copy;
mod fetch;
mod login;

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use binlog::event::MAGIC;
use binlog::log::LogFileName;

use crate::exit::Failure;

pub(super) use copy::copy;
use fetch::{Piece, Request};
pub(super) use login::is_url;
pub(crate) use login::password;

/// Events that wait to be read.
const QUEUE: usize = 64;

/// The files of a server.
pub(super) struct Live {
    /// `host:port`.
    pub(super) name: String,
    /// Whether it is one file only.
    pub(super) is_one_file: bool,
    feed: Arc<Mutex<Feed>>,
}

struct Feed {
    queue: Receiver<Message>,
    /// The file whose events come next.
    next: Option<LogFileName>,
    is_over: bool,
}

enum Message {
    File(LogFileName),
    Event(Vec<u8>),
    End(io::Result<()>),
}

impl Live {
    /// Begins to fetch.
    pub(super) fn start(
        url: &str,
        arguments: &crate::arguments::InputArguments,
    ) -> Result<Self, Failure> {
        let request = login::request(url, arguments)?;
        let (name, is_one_file) = (request.server.name.clone(), !request.goes_on);
        let (sender, queue) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("fetch".to_owned())
            .spawn(move || fetch_into(&request, &sender))?;
        Ok(Self {
            name,
            is_one_file,
            feed: Arc::new(Mutex::new(Feed {
                queue,
                next: None,
                is_over: false,
            })),
        })
    }

    /// The next file, once its first event is there. What is left of the one before is passed over.
    pub(super) fn next_file(&self) -> io::Result<Option<(LogFileName, LiveRead)>> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(name) = feed.next.take() {
                let read = LiveRead {
                    feed: Arc::clone(&self.feed),
                    rest: MAGIC.to_vec(),
                    taken: 0,
                    is_over: false,
                };
                return Ok(Some((name, read)));
            }
            if feed.is_over {
                return Ok(None);
            }
            match feed.queue.recv() {
                Ok(Message::File(name)) => feed.next = Some(name),
                Ok(Message::Event(_)) => {}
                Ok(Message::End(outcome)) => {
                    feed.is_over = true;
                    outcome?;
                }
                Err(_) => feed.is_over = true,
            }
        }
    }

    /// Whether a file follows the one that was read to its end.
    pub(super) fn has_next(&self) -> bool {
        let feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        feed.next.is_some()
    }
}

/// The bytes of one file, as they come.
pub(super) struct LiveRead {
    feed: Arc<Mutex<Feed>>,
    rest: Vec<u8>,
    taken: usize,
    is_over: bool,
}

impl Read for LiveRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.rest.len() {
            if self.is_over {
                return Ok(0);
            }
            let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
            match feed.queue.recv() {
                Ok(Message::Event(bytes)) => {
                    self.rest = bytes;
                    self.taken = 0;
                }
                Ok(Message::File(name)) => {
                    feed.next = Some(name);
                    self.is_over = true;
                }
                Ok(Message::End(outcome)) => {
                    feed.is_over = true;
                    self.is_over = true;
                    outcome?;
                }
                Err(_) => self.is_over = true,
            }
        }
        let rest = self.rest.get(self.taken..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        self.taken += len;
        Ok(len)
    }
}

fn fetch_into(request: &Request, queue: &SyncSender<Message>) {
    let outcome = fetch::run(request, None, |piece| {
        let message = match piece {
            Piece::File(name) => Message::File(name),
            Piece::Event(bytes) => Message::Event(bytes.to_vec()),
        };
        // Nobody reads any more: the input was read as far as it was asked for.
        Ok(queue.send(message).is_ok())
    });
    let _ = queue.send(Message::End(outcome));
}
