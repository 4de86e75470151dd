//! A client that speaks in single packets and says what it likes: for what no real client sends.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::failure::{Failure, Result, ensure};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a usual client asks for, but no end-of-result packets saved.
const CAPABILITIES: u32 = 0x0008_a205 | 0x0020_0000;
/// The flag that a database follows.
const WITH_DATABASE: u32 = 8;

trait Transport: Read + Write + Send {
    fn end_writing(&self) -> std::io::Result<()>;
    fn set_write_patience(&self, span: Duration) -> std::io::Result<()>;
    fn set_read_patience(&self, span: Duration) -> std::io::Result<()>;
}

impl Transport for TcpStream {
    fn end_writing(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn set_write_patience(&self, span: Duration) -> std::io::Result<()> {
        self.set_write_timeout(Some(span))
    }

    fn set_read_patience(&self, span: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(span))
    }
}

impl Transport for UnixStream {
    fn end_writing(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn set_write_patience(&self, span: Duration) -> std::io::Result<()> {
        self.set_write_timeout(Some(span))
    }

    fn set_read_patience(&self, span: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(span))
    }
}

/// One connection.
pub struct Wire {
    transport: Box<dyn Transport>,
    /// Number of the next packet.
    pub sequence: u8,
    /// The greeting's payload.
    pub greeting: Vec<u8>,
}

impl Wire {
    /// Connects over TCP and reads the greeting.
    ///
    /// # Errors
    /// When nobody greets in time.
    pub fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Self::greeted(Box::new(stream))
    }

    /// Connects over the Unix socket, where a password goes in the clear, and reads the greeting.
    ///
    /// # Errors
    /// When nobody greets in time.
    pub fn connect_unix(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Self::greeted(Box::new(stream))
    }

    fn greeted(transport: Box<dyn Transport>) -> Result<Self> {
        let mut wire = Self {
            transport,
            sequence: 0,
            greeting: Vec::new(),
        };
        wire.greeting = wire.read()?;
        Ok(wire)
    }

    /// Connects over TCP and logs in as an account without a password.
    ///
    /// # Errors
    /// When the login is refused.
    pub fn login(port: u16, user: &str, database: Option<&str>) -> Result<Self> {
        let mut wire = Self::connect(port)?;
        wire.send(&login(user, &[], "caching_sha2_password", database))?;
        let mut answer = wire.read()?;
        if answer.first() == Some(&0xfe) {
            wire.send(&[])?;
            answer = wire.read()?;
        }
        ensure(answer.first() == Some(&0), || {
            format!("login as {user}: {}", String::from_utf8_lossy(&answer))
        })?;
        Ok(wire)
    }

    /// Sends a payload as the next packet.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, payload: &[u8]) -> Result {
        let mut packet = Vec::with_capacity(payload.len() + 4);
        let mut parts = payload.chunks(0xff_ffff).peekable();
        loop {
            let part = parts.next().unwrap_or_default();
            let [a, b, c, ..] = part.len().to_le_bytes();
            packet.extend([a, b, c, self.sequence]);
            packet.extend_from_slice(part);
            self.sequence = self.sequence.wrapping_add(1);
            if part.len() < 0xff_ffff {
                break;
            }
        }
        self.raw(&packet)
    }

    /// Sends a payload as the first packet of a command.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn command(&mut self, payload: &[u8]) -> Result {
        self.sequence = 0;
        self.send(payload)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn raw(&mut self, bytes: &[u8]) -> Result {
        Ok(self.transport.write_all(bytes)?)
    }

    /// Waits so long for answers, and for the server to take what is sent.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn be_patient(&mut self, span: Duration) -> Result {
        self.transport.set_read_patience(span)?;
        Ok(self.transport.set_write_patience(span)?)
    }

    /// Sends bytes as they are, those that are taken: gives up when none were for a while.
    ///
    /// # Errors
    /// When the connection is gone, or not all were taken.
    pub fn raw_within(&mut self, bytes: &[u8], span: Duration) -> Result {
        self.transport.set_write_patience(span)?;
        let sent = self.transport.write_all(bytes);
        self.transport.set_write_patience(PATIENCE)?;
        Ok(sent?)
    }

    /// Reads the payload of the next packet.
    ///
    /// # Errors
    /// When the connection is gone or nothing comes in time.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        let mut header = [0; 4];
        self.transport.read_exact(&mut header)?;
        let [a, b, c, sequence] = header;
        self.sequence = sequence.wrapping_add(1);
        let len = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        let mut payload = vec![0; len];
        self.transport.read_exact(&mut payload)?;
        Ok(payload)
    }

    /// The number of the error that the next packet must be.
    ///
    /// # Errors
    /// When it is none.
    pub fn error(&mut self) -> Result<u16> {
        let payload = self.read()?;
        error_code(&payload).ok_or_else(|| Failure::new(format!("no error: {payload:02x?}")))
    }

    /// Runs a statement: true when the first packet of the answer is no error.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn query(&mut self, sql: &str) -> Result<bool> {
        self.command(&[&[3], sql.as_bytes()].concat())?;
        Ok(self.read()?.first() != Some(&0xff))
    }

    /// Says nothing more; the server may still answer.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn end(&mut self) -> Result {
        Ok(self.transport.end_writing()?)
    }

    /// Reads until the server closes the connection.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn drained(&mut self) -> Result<usize> {
        let mut rest = Vec::new();
        match self.transport.read_to_end(&mut rest) {
            Ok(count) => Ok(count),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(rest.len()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The payload of a login.
pub fn login(user: &str, reply: &[u8], plugin: &str, database: Option<&str>) -> Vec<u8> {
    let flags = CAPABILITIES | database.map_or(0, |_| WITH_DATABASE);
    let mut payload = flags.to_le_bytes().to_vec();
    payload.extend(0x0100_0000_u32.to_le_bytes());
    payload.push(45);
    payload.extend([0; 23]);
    payload.extend(user.as_bytes());
    payload.push(0);
    payload.push(u8::try_from(reply.len()).unwrap_or(250));
    payload.extend(reply.iter().take(250));
    if let Some(database) = database {
        payload.extend(database.as_bytes());
        payload.push(0);
    }
    payload.extend(plugin.as_bytes());
    payload.push(0);
    payload
}

/// The number of an error packet.
pub fn error_code(payload: &[u8]) -> Option<u16> {
    match payload {
        [0xff, low, high, ..] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}
