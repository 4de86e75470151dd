//! Packets over a transport: the thin asynchronous shell under server and client connections.
//!
//! Writes are collected and leave with [`PacketStream::flush`]; a response is one write. Reading
//! is cancellation-safe: what was received stays in the decoder.

use std::{io, mem, time::Duration};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::timeout;

use crate::{
    compression::{Algorithm, Compression},
    error::Error,
    packet::{Decoder, Encoder, LOGIN_PAYLOAD_MAX},
    room::Room,
};

/// Anything that carries a connection: TCP, a Unix socket, TLS, a pipe in a test.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// Bytes asked for in one read.
const READ_SIZE: usize = 16 << 10;
/// Bytes asked for in one read while a large payload arrives.
const READ_SIZE_MAX: usize = 1 << 20;
/// Pending bytes above which a long response is written before it is complete.
const FLUSH_ABOVE: usize = 64 << 10;

/// A transport with framing.
pub(crate) struct PacketStream {
    transport: Box<dyn Transport>,
    decoder: Decoder,
    encoder: Encoder,
    /// Number of the next packet, whoever sends it.
    sequence: u8,
    timeouts: Timeouts,
    compression: Option<Compression>,
    /// Room for payloads is shared with all who ask for it.
    room: Option<Room>,
    /// A write failed: what the peer got is not known, and nothing more can be sent.
    is_broken: bool,
}

/// How long the peer may keep the connection waiting; `None` for ever.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timeouts {
    /// For more of a payload that has begun to arrive, or that must come.
    pub(crate) read: Option<Duration>,
    /// Until it takes some more of what is written.
    pub(crate) write: Option<Duration>,
}

/// The result of `work`, if it comes in time.
async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match limit {
        None => work.await,
        Some(limit) => match timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        },
    }
}

impl PacketStream {
    pub(crate) fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            decoder: Decoder::new(LOGIN_PAYLOAD_MAX),
            encoder: Encoder::default(),
            sequence: 0,
            timeouts: Timeouts::default(),
            compression: None,
            room: None,
            is_broken: false,
        }
    }

    /// From here on large payloads wait until there is room for them.
    pub(crate) fn share_room(&mut self) {
        self.room = Some(Room::default());
    }

    pub(crate) const fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.timeouts = timeouts;
    }

    pub(crate) const fn set_payload_max(&mut self, bytes: usize) {
        self.decoder.set_limit(bytes);
    }

    /// From here on the stream is compressed, in both directions.
    pub(crate) fn compress(&mut self, algorithm: Algorithm) {
        let received = self.decoder.buffer().split();
        self.compression = Some(Compression::new(algorithm, received));
        // The packets inside are numbered by some clients as those around them are, by others not.
        self.decoder.take_any_sequence();
    }

    /// The next packet begins a command.
    pub(crate) const fn reset_sequence(&mut self) {
        self.sequence = 0;
        if let Some(compression) = &mut self.compression {
            compression.reset_sequence();
        }
    }

    /// The next packet has this number, whoever sends it.
    pub(crate) const fn set_sequence(&mut self, sequence: u8) {
        self.sequence = sequence;
    }

    fn is_idle(&self) -> bool {
        let compression = self.compression.as_ref();
        self.decoder.is_idle() && compression.is_none_or(Compression::is_idle)
    }

    /// The next payload, or `None` when the peer closed the connection between payloads. It may be
    /// long in coming; once it has begun it has to go on. Cancellation-safe, but for a large payload that
    /// is there and waits for room.
    pub(crate) async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(payload) = self.decoder.next(&mut self.sequence)? {
                if let Some(room) = &mut self.room {
                    // What it says is taken out of it.
                    room.ask(payload.len(), payload.len()).await?;
                    room.leave();
                }
                return Ok(Some(payload));
            }
            if let Some(room) = &mut self.room {
                let packed = self.compression.as_ref().map_or(0, Compression::announced);
                room.ask(self.decoder.announced(), packed).await?;
            }
            let limit = self.timeouts.read.filter(|_| !self.is_idle());
            if !within(limit, self.fill()).await? {
                return match self.is_idle() {
                    true => Ok(None),
                    false => Err(Error::Closed),
                };
            }
        }
    }

    /// The next payload, which must come. Cancellation-safe.
    pub(crate) async fn expect(&mut self) -> Result<Bytes, Error> {
        let payload = match self.timeouts.read {
            None => self.read().await,
            Some(limit) => match timeout(limit, self.read()).await {
                Ok(payload) => payload,
                Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            },
        };
        payload?.ok_or(Error::Closed)
    }

    /// Waits until the peer sends something or is gone: true when bytes are there.
    /// Cancellation-safe.
    pub(crate) async fn readable(&mut self) -> Result<bool, Error> {
        match self.is_idle() {
            true => Ok(self.fill().await?),
            false => Ok(true),
        }
    }

    /// Appends a payload to what the next flush writes.
    pub(crate) fn write(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        self.encoder.packet(&mut self.sequence, body);
    }

    /// Number of the next packet.
    pub(crate) const fn sequence(&self) -> u8 {
        self.sequence
    }

    /// Writes what is pending, then `packets`, which are framed already; `next` is the number of
    /// the packet after them. Not cancellation-safe.
    pub(crate) async fn write_framed(&mut self, packets: &[u8], next: u8) -> Result<(), Error> {
        if !self.encoder.pending().is_empty() {
            self.flush().await?;
        }
        self.sequence = next;
        let limit = self.timeouts.write;
        if self.is_broken {
            return Err(Error::Closed);
        }
        let packed = match &mut self.compression {
            Some(compression) => Some(compression.encode(packets)?),
            None => None,
        };
        let packets = packed.as_deref().unwrap_or(packets);
        let written = send(&mut *self.transport, packets, limit).await;
        self.is_broken = written.is_err();
        Ok(written?)
    }

    /// Writes what is pending if it is much. Not cancellation-safe.
    pub(crate) async fn flush_if_large(&mut self) -> Result<(), Error> {
        match self.encoder.pending().len() > FLUSH_ABOVE {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    /// Writes what is pending. Not cancellation-safe.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        if self.is_broken {
            return Err(Error::Closed);
        }
        let limit = self.timeouts.write;
        let packed = match &mut self.compression {
            Some(compression) => Some(compression.encode(self.encoder.pending())?),
            None => None,
        };
        let pending = packed.as_deref().unwrap_or_else(|| self.encoder.pending());
        let written = send(&mut *self.transport, pending, limit).await;
        self.is_broken = written.is_err();
        self.encoder.clear();
        Ok(written?)
    }

    /// Writes what is pending and closes the sending side.
    pub(crate) async fn shutdown(&mut self) -> Result<(), Error> {
        self.flush().await?;
        within(self.timeouts.write, self.transport.shutdown()).await?;
        Ok(())
    }

    /// Whether bytes were received that nobody has read.
    pub(crate) fn has_received(&mut self) -> bool {
        !self.decoder.buffer().is_empty()
    }

    /// The transport, to wrap it in TLS. Bytes received after the request for TLS belong to TLS.
    pub(crate) fn take_transport(&mut self) -> Box<dyn Transport> {
        let received = self.decoder.buffer().split().freeze();
        let transport = mem::replace(&mut self.transport, Box::new(tokio::io::empty()));
        match received.is_empty() {
            true => transport,
            false => Box::new(Replayed {
                received,
                transport,
            }),
        }
    }

    pub(crate) fn set_transport(&mut self, transport: Box<dyn Transport>) {
        self.transport = transport;
    }

    /// Receives some more, or unpacks what was received; false when the peer is gone.
    async fn fill(&mut self) -> io::Result<bool> {
        if let Some(compression) = &mut self.compression {
            if compression.decode(self.decoder.buffer())? {
                return Ok(true);
            }
            let buffer = compression.buffer();
            buffer.reserve(READ_SIZE);
            return Ok(self.transport.read_buf(buffer).await? > 0);
        }
        let wanted = self.decoder.missing().clamp(READ_SIZE, READ_SIZE_MAX);
        let buffer = self.decoder.buffer();
        buffer.reserve(wanted);
        Ok(self.transport.read_buf(buffer).await? > 0)
    }
}

/// Writes and flushes `bytes`; each part of them in time.
async fn send(
    transport: &mut dyn Transport,
    mut bytes: &[u8],
    limit: Option<Duration>,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = within(limit, transport.write(bytes)).await?;
        if written == 0 {
            return Err(io::Error::from(io::ErrorKind::WriteZero));
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    within(limit, transport.flush()).await
}

/// A transport of which some bytes were read already.
struct Replayed {
    received: Bytes,
    transport: Box<dyn Transport>,
}

impl AsyncRead for Replayed {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        if self.received.is_empty() {
            return std::pin::Pin::new(&mut self.transport).poll_read(cx, buf);
        }
        let len = buf.remaining().min(self.received.len());
        buf.put_slice(&self.received.split_to(len));
        std::task::Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Replayed {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.transport).poll_write(cx, buf)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
