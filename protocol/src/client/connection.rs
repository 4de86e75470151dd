//! One server, over a transport.
//!
//! Every method but [`Connection::next_event`] is one exchange: dropped in the middle, the
//! connection is of no more use.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use codec::{Reader, Write as _};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::{
    ClientOptions, Endpoint,
    handshake::{Handshake, Next},
    waiting::{Sender, Waiting, WaitingSocket},
};
use crate::{
    BinlogDump, BinlogDumpGtid, Capabilities, ColumnDefinition, ErrPacket, Error, Greeting,
    OkPacket, RegisterReplica, Transport, command,
    error::TlsError,
    response::{self, decode_end, ends_rows, is_eof, status},
    row::decode_text,
    stream::PacketStream,
};

/// Bytes of a file that are sent at once.
const FILE_PIECE: usize = 64 << 10;

/// What a statement came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryResult {
    /// It has no rows to give.
    Ok(OkPacket),
    /// A result set, cells as text.
    Rows {
        /// Its columns.
        columns: Vec<ColumnDefinition>,
        /// Its rows; `None` is NULL.
        rows: Vec<Vec<Option<Vec<u8>>>>,
    },
}

impl QueryResult {
    /// The first cell of the first row as text, if there is one and it is not NULL.
    #[must_use]
    pub fn scalar(&self) -> Option<String> {
        match self {
            Self::Ok(_) => None,
            Self::Rows { rows, .. } => {
                let cell = rows.first()?.first()?.as_deref()?;
                Some(String::from_utf8_lossy(cell).into_owned())
            }
        }
    }
}

/// A connection that has logged in.
pub struct Connection {
    stream: PacketStream,
    greeting: Greeting,
    capabilities: Capabilities,
    /// For each statement without an answer the number of the answer's first packet.
    sent: VecDeque<(u8, usize)>,
    /// How many statements of the query that was answered last succeeded.
    succeeded: usize,
    /// The socket, where nothing but packets goes over it.
    plain: Option<WaitingSocket>,
}

impl Connection {
    /// Connects and logs in. Has no time-out of its own.
    pub async fn connect(options: &ClientOptions) -> Result<Self, Error> {
        match &options.endpoint {
            Endpoint::Tcp { host, port } => {
                let tcp = TcpStream::connect((host.as_str(), *port)).await?;
                tcp.set_nodelay(true)?;
                Self::login(tcp, options).await
            }
            Endpoint::Unix(path) => Self::login(UnixStream::connect(path).await?, options).await,
        }
    }

    /// Connects and logs in, for a thread that may wait: what this and every other method does is done
    /// when it returns, and blocks the thread meanwhile. No step of it takes longer than `limit`.
    pub async fn connect_waiting(options: &ClientOptions, limit: Duration) -> Result<Self, Error> {
        let socket = WaitingSocket::connect(&options.endpoint, limit)?;
        let handle = socket.handle()?;
        handle.set_limit(Some(limit))?;
        let over_tls = Some(socket.handle()?);
        let connection = Self::log_in(Waiting::Plain(socket), over_tls, options).await?;
        handle.set_limit(None)?;
        Ok(connection)
    }

    /// Logs in over a transport that is connected already.
    pub async fn login(
        transport: impl Transport + 'static,
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        Self::log_in(transport, None, options).await
    }

    /// Logs in; if it comes to TLS, over this socket, of which `transport` is another handle.
    async fn log_in(
        transport: impl Transport + 'static,
        mut over_tls: Option<WaitingSocket>,
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        let is_local_socket = matches!(options.endpoint, Endpoint::Unix(_));
        let mut handshake = Handshake::new(options, is_local_socket);
        let mut stream = PacketStream::new(Box::new(transport));
        loop {
            let payload = stream.expect().await?;
            let step = handshake.handle(&payload)?;
            for payload in &step.send {
                stream.write(|out| out.put(payload));
            }
            stream.flush().await?;
            match step.next {
                Next::Read => {}
                Next::StartTls => {
                    match over_tls.take() {
                        Some(socket) => wait_for_tls(&mut stream, socket, options)?,
                        None => start_tls(&mut stream, options).await?,
                    }
                    let login = handshake.on_tls();
                    stream.write(|out| out.put(&login));
                    stream.flush().await?;
                }
                Next::Done => break,
            }
        }
        stream.set_payload_max(options.payload_bytes_max);
        if let Some(algorithm) = handshake.compression() {
            stream.compress(algorithm);
        }
        let capabilities = handshake.capabilities();
        let Some(greeting) = handshake.greeting().cloned() else {
            return Err(Error::Closed);
        };
        Ok(Self {
            stream,
            greeting,
            capabilities,
            sent: VecDeque::new(),
            succeeded: 0,
            plain: over_tls.filter(|_| handshake.compression().is_none()),
        })
    }

    /// What the server said of itself.
    #[must_use]
    pub const fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Runs a statement and collects its first result. An error of the server is
    /// [`Error::Refused`]; the connection goes on.
    pub async fn query(&mut self, sql: &str) -> Result<QueryResult, Error> {
        self.command(|out| {
            out.put_u8(command::QUERY);
            out.put(sql.as_bytes());
        })
        .await?;
        let (result, mut status) = self.read_result().await?;
        while status & status::MORE_RESULTS_EXISTS != 0 {
            (_, status) = self.read_result().await?;
        }
        Ok(result)
    }

    /// Puts a statement behind those that were sent before, without waiting for an answer;
    /// [`Connection::answer`] gives the answers in the order of the statements.
    ///
    /// A server executes what follows a statement that failed: what must not be executed then may
    /// only be sent once the answer is there.
    pub fn send(&mut self, sql: &[u8]) {
        self.send_joined(sql, 1);
    }

    /// As [`Connection::send`], of `count` statements in one query, none of which gives rows. The answer
    /// is that of the first which fails, behind which none is executed, or of the last. For connections with
    /// [`ClientOptions::multi_statements`].
    ///
    /// MySQL forgets behind a BINLOG statement to say that more follows, so that they are counted.
    pub fn send_joined(&mut self, sql: &[u8], count: usize) {
        self.stream.reset_sequence();
        self.stream.write(|out| {
            out.put_u8(command::QUERY);
            out.put(sql);
        });
        self.sent.push_back((self.stream.sequence(), count));
    }

    /// Leaves the next statement to another thread, whose answer [`Connection::answer`] then waits for. Only
    /// where the connection waits in the system call ([`Connection::connect_waiting`]), has neither TLS nor
    /// compression, and no statement is under way; `None` otherwise.
    ///
    /// # Errors
    /// When the system gives no further handle of the socket.
    pub fn hand_over(&mut self) -> Result<Option<Sender>, Error> {
        let Some(socket) = self.plain.as_ref().filter(|_| self.sent.is_empty()) else {
            return Ok(None);
        };
        let sender = Sender(socket.handle()?);
        // The answer follows a query of one packet.
        self.sent.push_back((1, 1));
        Ok(Some(sender))
    }

    /// Sends what [`Connection::send`] holds back.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.stream.flush().await
    }

    /// The answer to the oldest statement that was sent and has none yet. An error of the server is
    /// [`Error::Refused`]; the connection goes on.
    pub async fn answer(&mut self) -> Result<QueryResult, Error> {
        // An answer is numbered on from the packets of its own statement.
        let Some((next, count)) = self.sent.pop_front() else {
            return Err(Error::Unexpected {
                expected: "a statement before its answer",
                found: None,
            });
        };
        self.stream.set_sequence(next);
        self.succeeded = 0;
        let (mut result, mut status) = self.read_result().await?;
        for succeeded in 1..count {
            self.succeeded = succeeded;
            (result, status) = self.read_result().await?;
        }
        self.succeeded = count;
        while status & status::MORE_RESULTS_EXISTS != 0 {
            (_, status) = self.read_result().await?;
        }
        Ok(result)
    }

    /// How many statements of the query that [`Connection::answer`] was about succeeded.
    #[must_use]
    pub const fn succeeded(&self) -> usize {
        self.succeeded
    }

    /// Runs a statement that asks for a file, LOAD DATA LOCAL INFILE, with this for its content; whatever
    /// name the server asks for. No statement may be under way. When the content cannot be read the
    /// connection is of no more use, and the server undoes the statement with it.
    pub async fn load(
        &mut self,
        sql: &[u8],
        content: &mut (impl std::io::Read + Send),
    ) -> Result<QueryResult, Error> {
        debug_assert!(self.sent.is_empty());
        self.command(|out| {
            out.put_u8(command::QUERY);
            out.put(sql);
        })
        .await?;
        let payload = self.stream.expect().await?;
        match payload.first() {
            Some(&response::LOCAL_INFILE) => {}
            Some(&response::ERR) => return Err(ErrPacket::decode(&payload)?.into()),
            found => {
                return Err(Error::Unexpected {
                    expected: "a request for a file",
                    found: found.copied(),
                });
            }
        }
        let mut piece = vec![0; FILE_PIECE];
        loop {
            let len = content.read(&mut piece)?;
            // The piece without bytes is the end.
            let piece = piece.get(..len).unwrap_or_default();
            self.stream.write(|out| out.put(piece));
            self.stream.flush().await?;
            if len == 0 {
                return Ok(self.read_result().await?.0);
            }
        }
    }

    /// Asks whether the server is there.
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.command(|out| out.put_u8(command::PING)).await?;
        self.expect_ok().await
    }

    /// Tells a source who its replica is.
    pub async fn register_replica(&mut self, replica: &RegisterReplica) -> Result<(), Error> {
        self.command(|out| replica.encode(out)).await?;
        self.expect_ok().await
    }

    /// Asks for the binlog from a file and position; [`Connection::next_event`] follows.
    pub async fn binlog_dump(&mut self, dump: &BinlogDump) -> Result<(), Error> {
        self.command(|out| dump.encode(out)).await
    }

    /// Asks for the binlog by GTIDs; [`Connection::next_event`] follows.
    pub async fn binlog_dump_gtid(&mut self, dump: &BinlogDumpGtid) -> Result<(), Error> {
        self.command(|out| dump.encode(out)).await
    }

    /// The next event of a dump, its bytes untouched; `None` when the source ends the stream. An
    /// error of the source, such as 1236, is [`Error::Refused`]. Cancellation-safe.
    pub async fn next_event(&mut self) -> Result<Option<Bytes>, Error> {
        let mut payload = self.stream.expect().await?;
        match payload.first() {
            Some(&response::OK) => {
                payload.advance(1);
                Ok(Some(payload))
            }
            Some(&response::EOF) if is_eof(&payload) => Ok(None),
            Some(&response::ERR) => Err(ErrPacket::decode(&payload)?.into()),
            found => Err(Error::Unexpected {
                expected: "an event",
                found: found.copied(),
            }),
        }
    }

    /// Says goodbye and closes.
    pub async fn quit(mut self) -> Result<(), Error> {
        self.command(|out| out.put_u8(command::QUIT)).await?;
        self.stream.shutdown().await
    }

    async fn command(&mut self, body: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        self.stream.reset_sequence();
        self.stream.write(body);
        self.stream.flush().await
    }

    async fn expect_ok(&mut self) -> Result<(), Error> {
        let payload = self.stream.expect().await?;
        match payload.first() {
            Some(&response::OK) => Ok(()),
            Some(&response::ERR) => Err(ErrPacket::decode(&payload)?.into()),
            found => Err(Error::Unexpected {
                expected: "OK",
                found: found.copied(),
            }),
        }
    }

    /// A result, and the session status after it.
    async fn read_result(&mut self) -> Result<(QueryResult, u16), Error> {
        let payload = self.stream.expect().await?;
        match payload.first() {
            Some(&response::OK) => {
                let ok = OkPacket::decode(&payload)?;
                let status = ok.status;
                return Ok((QueryResult::Ok(ok), status));
            }
            Some(&response::ERR) => return Err(ErrPacket::decode(&payload)?.into()),
            Some(1..=0xfa | 0xfc) => {}
            found => {
                return Err(Error::Unexpected {
                    expected: "the result of a statement",
                    found: found.copied(),
                });
            }
        }
        let count = Reader::new(&payload).lenenc("column count")?;
        let mut columns = Vec::new();
        for _ in 0..count {
            let payload = self.stream.expect().await?;
            columns.push(ColumnDefinition::decode(&payload)?);
        }
        if !self.capabilities.has(Capabilities::DEPRECATE_EOF) {
            self.stream.expect().await?;
        }
        let mut rows = Vec::new();
        loop {
            let payload = self.stream.expect().await?;
            if payload.first() == Some(&response::ERR) {
                return Err(ErrPacket::decode(&payload)?.into());
            }
            if ends_rows(&payload, self.capabilities) {
                let end = decode_end(&payload, self.capabilities)?;
                return Ok((QueryResult::Rows { columns, rows }, end.status));
            }
            rows.push(decode_text(&payload, columns.len())?);
        }
    }
}

/// Whom a certificate has to name.
fn server_name(options: &ClientOptions) -> Result<ServerName<'static>, Error> {
    let host = match &options.endpoint {
        Endpoint::Tcp { host, .. } => host.as_str(),
        Endpoint::Unix(_) => "localhost",
    };
    let name = ServerName::try_from(host.to_owned());
    Ok(name.map_err(|_| TlsError::HostName(host.to_owned()))?)
}

/// Wraps a socket of a thread that may wait in TLS, and waits for the handshake.
fn wait_for_tls(
    stream: &mut PacketStream,
    mut socket: WaitingSocket,
    options: &ClientOptions,
) -> Result<(), Error> {
    if stream.has_received() {
        return Err(Error::Unexpected {
            expected: "nothing in front of TLS",
            found: None,
        });
    }
    let config = options.tls.config()?;
    let mut connection =
        ClientConnection::new(config, server_name(options)?).map_err(Error::from)?;
    while connection.is_handshaking() {
        connection
            .complete_io(&mut socket)
            .map_err(refused_by_tls)?;
    }
    stream.set_transport(Box::new(Waiting::tls(connection, socket)));
    Ok(())
}

fn refused_by_tls(error: std::io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(refusal) => Error::from(rustls::Error::clone(refusal)),
        None => Error::Io(error),
    }
}

async fn start_tls(stream: &mut PacketStream, options: &ClientOptions) -> Result<(), Error> {
    let name = server_name(options)?;
    let connector = TlsConnector::from(options.tls.config()?);
    let tls = connector.connect(name, stream.take_transport()).await;
    let tls = tls.map_err(refused_by_tls)?;
    stream.set_transport(Box::new(tls));
    Ok(())
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.greeting.version)
            .field("connection_id", &self.greeting.connection_id)
            .finish_non_exhaustive()
    }
}
