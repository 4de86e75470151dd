//! Fetching: what mysqlbinlog --read-from-remote-server and mariadb-binlog -R say to a server.
//!
//! Events come with the checksums they have in the server's files. What the server makes up on the
//! way (ROTATE at the head of each file, heartbeats, the description of a file that is entered in
//! the middle) is taken out, so that the bytes are those of its files.

use std::io;
use std::time::Duration;

use binlog::event::{
    ChecksumAlgorithm, Event, EventFlags, EventFormat, EventHeader, EventType, RawEvent,
};
use binlog::log::{FIRST_EVENT, LogFileName};
use protocol::client::Connection;
use protocol::{BinlogDump, Error, dump_flag};

use crate::client::Server;
use crate::output;

/// What is asked of a server.
pub(super) struct Request {
    pub(super) server: Server,
    /// The first file; none: the oldest.
    pub(super) file: Option<String>,
    /// Whether the files behind it are read too.
    pub(super) goes_on: bool,
    /// Whether to wait for more at the end.
    pub(super) stop_never: bool,
    pub(super) server_id: u32,
}

/// What comes.
pub(super) enum Piece<'a> {
    /// The events of this file follow.
    File(LogFileName),
    /// A whole event of it.
    Event(&'a [u8]),
}

/// Connecting and each answer to a statement may take this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a server that has nothing to send says so.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The longest pause between two attempts to reach a server that is followed.
const PAUSE_MAX: Duration = Duration::from_secs(60);

enum Stopped {
    /// The source has sent all there is, or the taker wants no more.
    Ended,
    /// The connection broke.
    Lost(String),
    /// Trying again would not help.
    Failed(String),
}

/// Where the next event lies.
#[derive(Clone)]
pub(super) struct At {
    pub(super) file: String,
    pub(super) offset: u64,
}

/// Fetches from `start`, or where the request begins, and gives everything to `take`, which says
/// whether it wants more. Blocks the thread. A lost connection is a `ConnectionReset`.
pub(super) fn run(
    request: &Request,
    start: Option<At>,
    mut take: impl FnMut(Piece<'_>) -> Result<bool, String>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut at = start;
    let mut pause = Duration::from_secs(1);
    runtime.block_on(async {
        loop {
            let before = at.as_ref().map(|at| (at.file.clone(), at.offset));
            let name = &request.server.name;
            match dump(request, &mut at, &mut take).await {
                Stopped::Ended => return Ok(()),
                Stopped::Failed(error) => return Err(io::Error::other(format!("{name}: {error}"))),
                Stopped::Lost(error) if !request.stop_never => {
                    let text = format!("{name}: {error}");
                    return Err(io::Error::new(io::ErrorKind::ConnectionReset, text));
                }
                Stopped::Lost(error) => {
                    if before != at.as_ref().map(|at| (at.file.clone(), at.offset)) {
                        pause = Duration::from_secs(1);
                    }
                    output::note(format_args!(
                        "weir: {name}: {error}; trying again in {} s",
                        pause.as_secs()
                    ));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    })
}

fn stopped(error: Error) -> Stopped {
    match error {
        Error::Refused(refusal) => {
            let text = format!("error {}: {}", refusal.code, refusal.message);
            match refusal.code {
                // Too many connections, a server that goes down, a session that was killed.
                1040 | 1053 | 1077 | 1079 | 1317 | 1927 => Stopped::Lost(text),
                _ => Stopped::Failed(text),
            }
        }
        error => Stopped::Lost(error.to_string()),
    }
}

async fn dump(
    request: &Request,
    at: &mut Option<At>,
    take: &mut impl FnMut(Piece<'_>) -> Result<bool, String>,
) -> Stopped {
    let (mut connection, session) = match tokio::time::timeout(PATIENCE, greet(request)).await {
        Ok(Ok(greeted)) => greeted,
        Ok(Err(error)) => return stopped(error),
        Err(_) => return Stopped::Lost(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    let offset = at.as_ref().map_or(FIRST_EVENT, |at| at.offset);
    let Ok(position) = u32::try_from(offset) else {
        return Stopped::Failed(format!(
            "the protocol cannot begin at offset {offset}, beyond 4 GiB"
        ));
    };
    let file = at.as_ref().map(|at| at.file.clone());
    let mut flags = if request.stop_never {
        0
    } else {
        dump_flag::NON_BLOCK
    };
    if session.is_mariadb {
        // MariaDB's meaning of the flag: with ANNOTATE_ROWS.
        flags |= dump_flag::HEARTBEAT_V2;
    }
    let wanted = BinlogDump {
        position,
        flags,
        server_id: if request.stop_never {
            request.server_id
        } else {
            0
        },
        file: file
            .or_else(|| request.file.clone())
            .unwrap_or_default()
            .into_bytes(),
    };
    if let Err(error) = connection.binlog_dump(&wanted).await {
        return stopped(error);
    }
    let mut format = EventFormat::from(session.checksum);
    loop {
        let event = match tokio::time::timeout(HEARTBEAT * 3, connection.next_event()).await {
            Ok(Ok(Some(event))) => event,
            Ok(Ok(None)) => return Stopped::Ended,
            Ok(Err(error)) => return stopped(error),
            Err(_) => return Stopped::Lost("the server is silent".to_owned()),
        };
        match handle(request, at, &session, &mut format, &event, take) {
            Ok(true) => {}
            Ok(false) => return Stopped::Ended,
            Err(error) => return Stopped::Failed(error),
        }
    }
}

/// What a server said of itself.
struct Session {
    is_mariadb: bool,
    /// Of events that the server makes up.
    checksum: ChecksumAlgorithm,
}

async fn greet(request: &Request) -> Result<(Connection, Session), Error> {
    let mut connection = Connection::connect(request.server.options()).await?;
    let version = connection.query("SELECT VERSION()").await?.scalar();
    let is_mariadb = version.is_some_and(|version| version.contains("MariaDB"));
    let announce = "SET @master_binlog_checksum = @@global.binlog_checksum, \
                    @source_binlog_checksum = @@global.binlog_checksum";
    // A server that knows no checksums (MySQL 5.5) knows no such variable either: 1193.
    let checksum = match connection.query(announce).await {
        Ok(_) => {
            let told = connection.query("SELECT @master_binlog_checksum").await?;
            match told.scalar().as_deref() {
                Some(name) if name.eq_ignore_ascii_case("CRC32") => ChecksumAlgorithm::Crc32,
                _ => ChecksumAlgorithm::None,
            }
        }
        Err(Error::Refused(refusal)) if refusal.code == 1193 => ChecksumAlgorithm::None,
        Err(error) => return Err(error),
    };
    if is_mariadb {
        connection
            .query("SET @mariadb_slave_capability = 4")
            .await?;
    }
    if request.stop_never {
        let period = HEARTBEAT.as_nanos();
        let heartbeat =
            format!("SET @master_heartbeat_period = {period}, @source_heartbeat_period = {period}");
        connection.query(&heartbeat).await?;
    }
    Ok((
        connection,
        Session {
            is_mariadb,
            checksum,
        },
    ))
}

/// Takes one event; false when nothing more is wanted.
fn handle(
    request: &Request,
    at: &mut Option<At>,
    session: &Session,
    format: &mut EventFormat,
    bytes: &[u8],
    take: &mut impl FnMut(Piece<'_>) -> Result<bool, String>,
) -> Result<bool, String> {
    let header = EventHeader::decode(bytes).map_err(|error| error.to_string())?;
    let raw = RawEvent { header, bytes };
    let is_artificial = header.flags.contains(EventFlags::ARTIFICIAL) || header.timestamp == 0;
    match header.event_type {
        EventType::HEARTBEAT | EventType::HEARTBEAT_V2 => return Ok(true),
        EventType::ROTATE if is_artificial => {
            let event = Event::decode(&raw, session.checksum).map_err(|error| error.to_string())?;
            let Event::Rotate(rotate) = event else {
                return Ok(true);
            };
            return enter(request, at, &rotate.file, take);
        }
        _ if header.flags.contains(EventFlags::ARTIFICIAL) => return Ok(true),
        EventType::FORMAT_DESCRIPTION => {
            let event = Event::decode(&raw, *format).map_err(|error| error.to_string())?;
            if let Event::FormatDescription(description) = event {
                *format = description.format();
            }
            if at.as_ref().is_some_and(|at| at.offset > FIRST_EVENT) {
                return Ok(true);
            }
        }
        _ => {}
    }
    let Some(at) = at else {
        return Err("the server sent an event before it named a file".to_owned());
    };
    raw.verify(*format).map_err(|error| {
        let label = header.event_type.label();
        format!(
            "{} at offset {}, event {label}: {error}",
            at.file, at.offset
        )
    })?;
    let wants_more = take(Piece::Event(bytes))?;
    at.offset = at.offset.saturating_add(bytes.len() as u64);
    Ok(wants_more)
}

/// The events of `file` follow.
fn enter(
    request: &Request,
    at: &mut Option<At>,
    file: &str,
    take: &mut impl FnMut(Piece<'_>) -> Result<bool, String>,
) -> Result<bool, String> {
    match at {
        Some(at) if at.file == file => return Ok(true),
        Some(_) if !request.goes_on => return Ok(false),
        _ => {}
    }
    let name = LogFileName::parse(file)
        .ok_or_else(|| format!("the server names a file '{file}', which is no log file"))?;
    *at = Some(At {
        file: file.to_owned(),
        offset: FIRST_EVENT,
    });
    take(Piece::File(name))
}
