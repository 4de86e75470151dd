//! A socket of a thread that may wait: reading and writing wait in the system call itself, which saves the
//! thread from asking the system first whether there is anything to read.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use codec::Write as _;
use rustls::{ClientConnection, StreamOwned};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Endpoint;
use crate::{command, packet::Encoder};

/// A connected socket.
#[derive(Debug)]
pub(super) enum WaitingSocket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Sends statements of a connection from any thread; see [`Connection::hand_over`].
///
/// [`Connection::hand_over`]: super::Connection::hand_over
#[derive(Debug)]
pub struct Sender(pub(super) WaitingSocket);

impl Sender {
    /// Sends a statement, the only one until its connection has read the answer.
    ///
    /// # Errors
    /// Those of the system; the connection meets them too.
    pub fn send(&self, sql: &[u8]) -> io::Result<()> {
        let mut encoder = Encoder::default();
        encoder.packet(&mut 0, |out| {
            out.put_u8(command::QUERY);
            out.put(sql);
        });
        match &self.0 {
            WaitingSocket::Tcp(socket) => (&mut &*socket).write_all(encoder.pending()),
            WaitingSocket::Unix(socket) => (&mut &*socket).write_all(encoder.pending()),
        }
    }
}

/// What carries a connection over such a socket. A future that reads or writes it is never pending.
pub(super) enum Waiting {
    Plain(WaitingSocket),
    Tls(Box<StreamOwned<ClientConnection, WaitingSocket>>),
}

impl WaitingSocket {
    /// Connects. A host with several addresses is tried at each, which may take `limit` every time.
    pub(super) fn connect(endpoint: &Endpoint, limit: Duration) -> io::Result<Self> {
        let (host, port) = match endpoint {
            Endpoint::Unix(path) => return UnixStream::connect(path).map(Self::Unix),
            Endpoint::Tcp { host, port } => (host.as_str(), *port),
        };
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, limit) {
                Ok(socket) => {
                    socket.set_nodelay(true)?;
                    return Ok(Self::Tcp(socket));
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Another handle of the same socket.
    pub(super) fn handle(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }

    /// How long a read and a write wait at most; `None` for ever.
    pub(super) fn set_limit(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => {
                socket.set_read_timeout(limit)?;
                socket.set_write_timeout(limit)
            }
            Self::Unix(socket) => {
                socket.set_read_timeout(limit)?;
                socket.set_write_timeout(limit)
            }
        }
    }

    fn shut_down(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Self::Unix(socket) => socket.shutdown(Shutdown::Write),
        }
    }
}

impl Read for WaitingSocket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        without_interruption(|| match self {
            Self::Tcp(socket) => socket.read(room),
            Self::Unix(socket) => socket.read(room),
        })
    }
}

impl Write for WaitingSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        without_interruption(|| match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Unix(socket) => socket.write(bytes),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Waiting {
    /// TLS over a socket.
    pub(super) fn tls(connection: ClientConnection, socket: WaitingSocket) -> Self {
        Self::Tls(Box::new(StreamOwned::new(connection, socket)))
    }

    fn as_stream(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut **stream,
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

/// Does it until no signal comes in between. A limit that is over is said as such: to a caller of
/// non-blocking sockets the system's word for it would mean something else.
fn without_interruption(mut work: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            done => return done,
        }
    }
}

impl AsyncRead for Waiting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.as_stream().read(buf.initialize_unfilled());
        Poll::Ready(count.map(|count| buf.advance(count)))
    }
}

impl AsyncWrite for Waiting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.as_stream().write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.as_stream().flush())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match &mut *self {
            Self::Plain(socket) => socket.shut_down(),
            Self::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush().and_then(|()| stream.sock.shut_down())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_server_that_says_nothing_is_given_up_once_the_limit_is_over() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::Tcp {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
        };
        let mut socket = WaitingSocket::connect(&endpoint, Duration::from_secs(5)).unwrap();
        socket.set_limit(Some(Duration::from_millis(1))).unwrap();
        let error = socket.read_exact(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"x").unwrap();
        socket.set_limit(None).unwrap();
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"x");
    }
}
