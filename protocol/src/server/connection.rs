//! One client, over a transport.
//!
//! Responses are collected; they leave when they are large, when [`Connection::flush`] is called,
//! and before the next command is read. A response must be complete before that.

use std::{sync::Arc, time::Duration};

use codec::Write as _;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::{
    EventPackets, PasswordCheck, Peer, ServerIdentity,
    handshake::{Handshake, Next, Step},
    tls_session::TlsSession,
};
use crate::{
    BinaryCell, Capabilities, ColumnDefinition, Command, ErrPacket, Error, OkPacket, Transport,
    auth::Nonce,
    command::{CommandDecoder, Decoded},
    compression::Algorithm,
    login::{ChangeUser, Login},
    packet::{LOGIN_PAYLOAD_MAX, PacketError},
    response::{encode_end, encode_eof, status},
    row,
    stream::{PacketStream, Timeouts},
};

/// A client that has logged in.
pub struct Connection {
    stream: PacketStream,
    commands: CommandDecoder,
    identity: Arc<ServerIdentity>,
    peer: Peer,
    login: Login,
    tls: Option<TlsSession>,
    /// How the stream is compressed as soon as the login was answered.
    compression: Option<Algorithm>,
}

impl Connection {
    /// Greets a client and takes its login.
    ///
    /// Afterwards the client waits for an OK, which the caller sends once it accepts the
    /// database, or an ERR. A login that is denied was answered, and is [`Error::Refused`].
    pub async fn accept(
        transport: impl Transport + 'static,
        identity: Arc<ServerIdentity>,
        peer: Peer,
    ) -> Result<Self, Error> {
        let nonces = [Nonce::generate(), Nonce::generate()];
        let mut handshake = Handshake::new(Arc::clone(&identity), peer.clone(), nonces);
        let mut stream = PacketStream::new(Box::new(transport));
        stream.write(|out| out.put(&handshake.greeting()));
        stream.flush().await?;
        let payload = stream.expect().await?;
        let first = match handshake.handle(&payload) {
            Ok(step) => step,
            Err(error) => {
                // As MySQL answers a login that makes no sense.
                let bad = ErrPacket::new(1043, b"08S01", "Bad handshake");
                return Err(refuse(&mut stream, bad, Capabilities::SERVER, error).await);
            }
        };
        let mut tls = None;
        let login = authenticate(&mut stream, &mut handshake, &identity, first, &mut tls).await?;
        stream.set_payload_max(identity.max_allowed_packet);
        stream.share_room();
        let commands = CommandDecoder::new(login.capabilities, identity.max_allowed_packet);
        let has = |flag| login.capabilities.has(flag);
        let compression = if has(Capabilities::COMPRESS) {
            Some(Algorithm::Zlib)
        } else if has(Capabilities::ZSTD_COMPRESSION) {
            Some(Algorithm::zstd(login.zstd_level))
        } else {
            None
        };
        Ok(Self {
            stream,
            compression,
            commands,
            tls,
            identity,
            peer,
            login: *login,
        })
    }

    /// Answers a client that may not even greet, such as with "Too many connections".
    pub async fn reject(
        transport: impl Transport + 'static,
        error: &ErrPacket,
    ) -> Result<(), Error> {
        let mut stream = PacketStream::new(Box::new(transport));
        stream.write(|out| error.encode(out, Capabilities::default()));
        stream.shutdown().await
    }

    /// The user's name, as it logged in or changed to.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.login.user
    }

    /// The default database asked for at the login or the change of user.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.login.database.as_deref()
    }

    /// What the client program said of itself.
    #[must_use]
    pub fn attributes(&self) -> &[(String, String)] {
        &self.login.attributes
    }

    /// Low byte of the collation that the client asked for.
    #[must_use]
    pub const fn charset(&self) -> u8 {
        self.login.charset
    }

    /// What both sides agreed on. MULTI_STATEMENTS changes with COM_SET_OPTION.
    #[must_use]
    pub const fn capabilities(&self) -> Capabilities {
        self.commands.capabilities
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// How long the client may take for more of a command that has begun, and until it takes more of
    /// an answer; afterwards the connection is broken.
    pub const fn set_timeouts(&mut self, read: Duration, write: Duration) {
        self.stream.set_timeouts(Timeouts {
            read: Some(read),
            write: Some(write),
        });
    }

    /// Whether the connection is inside TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// What the TLS handshake agreed on; `None` without TLS.
    #[must_use]
    pub const fn tls_session(&self) -> Option<&TlsSession> {
        self.tls.as_ref()
    }

    /// Sends what is pending, then reads a command; `None` when the client is gone.
    ///
    /// Commands that need nothing but an error or no answer are handled inside, and so is the
    /// authentication of COM_CHANGE_USER. Cancellation-safe while no command arrives, except in
    /// the middle of a COM_CHANGE_USER.
    pub async fn read_command(&mut self) -> Result<Option<Command>, Error> {
        loop {
            self.stream.flush().await?;
            if let Some(algorithm) = self.compression.take() {
                self.stream.compress(algorithm);
            }
            self.stream.reset_sequence();
            let payload = match self.stream.read().await {
                Ok(Some(payload)) => payload,
                Ok(None) => return Ok(None),
                Err(Error::Packet(error)) => return Err(self.refuse_packet(error).await),
                Err(Error::NoRoom) => return Err(self.refuse_for_room().await),
                Err(error) => return Err(error),
            };
            match self.commands.decode(&payload) {
                Ok(Decoded::Command(command)) => return Ok(Some(command)),
                Ok(Decoded::ChangeUser(change)) => {
                    return self.change_user(change).await.map(Some);
                }
                Ok(Decoded::Nothing) => {}
                Ok(Decoded::Refused(error)) => self.send_err(&error),
                Err(_) => {
                    let text = "Malformed communication packet";
                    self.send_err(&ErrPacket::new(1835, b"HY000", text));
                }
            }
        }
    }

    /// Waits until the client sends something or is gone; true when it sent something. For a
    /// session that streams. Cancellation-safe.
    pub async fn readable(&mut self) -> Result<bool, Error> {
        self.stream.readable().await
    }

    /// Sends an OK.
    pub fn send_ok(&mut self, ok: &OkPacket) {
        self.stream.write(|out| ok.encode(out, false));
    }

    /// Sends an ERR.
    pub fn send_err(&mut self, error: &ErrPacket) {
        let capabilities = self.commands.capabilities;
        self.stream.write(|out| error.encode(out, capabilities));
    }

    /// Ends a stream of events. It is an EOF packet whatever was agreed on, as in MySQL.
    pub fn send_dump_end(&mut self) {
        self.stream
            .write(|out| encode_eof(out, status::AUTOCOMMIT, 0));
    }

    /// Answers COM_SET_OPTION, and ends a result set.
    pub fn send_eof(&mut self, status: u16, warnings: u16) {
        let capabilities = self.commands.capabilities;
        let body = |out: &mut Vec<u8>| encode_end(out, capabilities, status, warnings);
        self.stream.write(body);
    }

    /// Begins a result set. Rows follow, text after COM_QUERY and binary after
    /// COM_STMT_EXECUTE, then [`Connection::finish_result_set`]. `status` is the session's.
    pub fn send_result_set_header(&mut self, columns: &[ColumnDefinition], status: u16) {
        self.stream
            .write(|out| out.put_lenenc(columns.len() as u64));
        self.send_columns(columns, status);
    }

    /// Sends a row of a result set of COM_QUERY. `None` is NULL.
    pub async fn send_text_row(&mut self, cells: &[Option<&[u8]>]) -> Result<(), Error> {
        self.send_row(|out| row::encode_text(out, cells)).await
    }

    /// Sends a row of a result set of COM_STMT_EXECUTE.
    pub async fn send_binary_row(&mut self, cells: &[BinaryCell<'_>]) -> Result<(), Error> {
        self.send_row(|out| row::encode_binary(out, cells)).await
    }

    /// Sends a row that `encode` appends to the buffer: for a text row lenenc strings, 0xfb for
    /// NULL.
    pub async fn send_row(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        self.stream.write(encode);
        self.stream.flush_if_large().await
    }

    /// Ends a result set. With [`status::MORE_RESULTS_EXISTS`] another result must follow.
    pub fn finish_result_set(&mut self, status: u16, warnings: u16) {
        self.send_eof(status, warnings);
    }

    /// Answers COM_STMT_PREPARE. Executions of `statement_id` are understood from here on.
    pub fn send_prepare_ok(
        &mut self,
        statement_id: u32,
        params: &[ColumnDefinition],
        columns: &[ColumnDefinition],
        warnings: u16,
    ) {
        self.commands.prepared(statement_id, params.len());
        let count = |definitions: &[_]| u16::try_from(definitions.len()).unwrap_or(u16::MAX);
        self.stream.write(|out| {
            out.put_u8(0);
            out.put_u32(statement_id);
            out.put_u16(count(columns));
            out.put_u16(count(params));
            out.put_u8(0);
            out.put_u16(warnings);
        });
        for definitions in [params, columns] {
            if !definitions.is_empty() {
                self.send_columns(definitions, status::AUTOCOMMIT);
            }
        }
    }

    /// Answers COM_FIELD_LIST. Each column carries its default.
    pub fn send_field_list(&mut self, columns: &[ColumnDefinition], status: u16) {
        for column in columns {
            self.stream.write(|out| column.encode(out));
        }
        self.send_eof(status, 0);
    }

    /// Answers COM_STATISTICS.
    pub fn send_statistics(&mut self, text: &str) {
        self.stream.write(|out| out.put(text.as_bytes()));
    }

    /// Sends an event of the binlog, `parts` being its bytes in order. It leaves at once only
    /// when much is pending: flush before waiting for more.
    pub async fn send_event(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.stream.write(|out| {
            out.put_u8(0);
            for part in parts {
                out.put(part);
            }
        });
        self.stream.flush_if_large().await
    }

    /// Number of the packet of the next event, for [`EventPackets::begin`].
    #[must_use]
    pub const fn event_sequence(&self) -> u8 {
        self.stream.sequence()
    }

    /// Sends events at once that were framed ahead of time. Not cancellation-safe.
    pub async fn send_events(&mut self, events: &EventPackets) -> Result<(), Error> {
        let next = events.next_sequence();
        self.stream.write_framed(events.bytes(), next).await
    }

    /// Writes what is pending. Not cancellation-safe: the connection is broken if dropped inside.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.stream.flush().await
    }

    /// Writes what is pending and closes.
    pub async fn close(mut self) -> Result<(), Error> {
        self.stream.shutdown().await
    }

    fn send_columns(&mut self, columns: &[ColumnDefinition], status: u16) {
        for column in columns {
            self.stream.write(|out| column.encode(out));
        }
        if !self.commands.capabilities.has(Capabilities::DEPRECATE_EOF) {
            self.stream.write(|out| encode_eof(out, status, 0));
        }
    }

    async fn change_user(&mut self, change: ChangeUser) -> Result<Command, Error> {
        let charset = change.charset;
        let (mut handshake, first) = Handshake::change_user(
            Arc::clone(&self.identity),
            self.peer.clone(),
            Nonce::generate(),
            self.is_tls(),
            self.commands.capabilities,
            change,
        );
        let (stream, tls) = (&mut self.stream, &mut self.tls);
        stream.set_payload_max(LOGIN_PAYLOAD_MAX);
        let login = authenticate(stream, &mut handshake, &self.identity, first, tls).await?;
        stream.set_payload_max(self.identity.max_allowed_packet);
        self.commands.reset();
        self.login.user = login.user;
        self.login.database = login.database;
        self.login.attributes = login.attributes;
        Ok(Command::ChangeUser {
            database: self.login.database.clone(),
            charset,
        })
    }

    /// What was announced does not arrive any more.
    async fn refuse_for_room(&mut self) -> Error {
        let packet = crate::command::out_of_memory();
        let capabilities = self.commands.capabilities;
        refuse(&mut self.stream, packet, capabilities, Error::NoRoom).await
    }

    /// Broken framing cannot be mended: says why and gives up.
    async fn refuse_packet(&mut self, error: PacketError) -> Error {
        let packet = match error {
            PacketError::TooLarge { .. } => {
                let text = "Got a packet bigger than 'max_allowed_packet' bytes";
                ErrPacket::new(1153, b"08S01", text)
            }
            PacketError::OutOfOrder { .. } => {
                ErrPacket::new(1156, b"08S01", "Got packets out of order")
            }
        };
        let capabilities = self.commands.capabilities;
        refuse(&mut self.stream, packet, capabilities, error.into()).await
    }
}

/// Drives a handshake to its end.
async fn authenticate(
    stream: &mut PacketStream,
    handshake: &mut Handshake,
    identity: &ServerIdentity,
    first: Step,
    tls: &mut Option<TlsSession>,
) -> Result<Box<Login>, Error> {
    let mut step = first;
    loop {
        for payload in &step.send {
            stream.write(|out| out.put(payload));
        }
        match step.next {
            Next::Accepted(login) => return Ok(login),
            Next::Denied(error, capabilities) => {
                let reason = Error::Refused(error.clone());
                return Err(refuse(stream, error, capabilities, reason).await);
            }
            Next::StartTls => {
                if let Some(config) = &identity.tls {
                    let transport = stream.take_transport();
                    let acceptor = TlsAcceptor::from(Arc::clone(config));
                    let accepted = acceptor.accept(transport).await?;
                    *tls = Some(TlsSession::of(accepted.get_ref().1));
                    stream.set_transport(Box::new(accepted));
                    handshake.on_tls();
                }
            }
            Next::Verify(check) => {
                step = handshake.verified(run_check(check).await);
                continue;
            }
            Next::Read => stream.flush().await?,
        }
        let payload = stream.expect().await?;
        step = handshake.handle(&payload)?;
    }
}

/// Passwords that are hashed at one time, by all servers of the process: whoever guesses waits, and
/// sessions keep the processors.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// Runs a check on a thread that may take its time.
async fn run_check(check: PasswordCheck) -> bool {
    let _permit = CHECKS.acquire().await;
    let checked = tokio::task::spawn_blocking(move || check.run()).await;
    checked.unwrap_or(false)
}

/// Answers with `packet` and closes; `error` is why. A peer that is gone already hears nothing.
async fn refuse(
    stream: &mut PacketStream,
    packet: ErrPacket,
    capabilities: Capabilities,
    error: Error,
) -> Error {
    stream.write(|out| packet.encode(out, capabilities));
    match stream.shutdown().await {
        Ok(()) | Err(_) => error,
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .field("user", &self.login.user)
            .field("is_tls", &self.is_tls())
            .finish_non_exhaustive()
    }
}
