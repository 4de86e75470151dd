use std::sync::Arc;
use std::time::Duration;

use binlog::event::{ChecksumAlgorithm, EventHeader, EventType, GtidEvent, Heartbeat, RawEvent};
use binlog::event::{Event, write_event};
use binlog::log::storage::write_all_at;
use binlog::log::{
    FIRST_EVENT, FileGuards, LogFlavour, LogIndex, LogOptions, LogPosition, LogWriter, SimStorage,
    Storage,
};
use gtid::{Gno, Gtid, GtidSet, Tsid, Uuid};
use protocol::auth::{AuthPlugin, Sha2Cache};
use protocol::client::{self, ClientOptions, Endpoint};
use protocol::packet::Decoder;
use protocol::server::{AccountAuth, Authenticator, Connection, Peer, ServerIdentity};
use protocol::{BinlogDump, BinlogDumpGtid, Command, OkPacket, dump_flag};

use super::reader::{Batch, StreamReader};
use super::*;
use crate::feed::{FeedIdentity, GtidState, LogFeed};
use crate::registry::ReplicaRegistry;

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn uuid() -> Uuid {
    "97979797-0000-11f0-8000-000000000001".parse().unwrap()
}

struct Gtids {
    executed: GtidSet,
    purged: GtidSet,
}

impl GtidState for Gtids {
    fn executed(&self) -> GtidSet {
        self.executed.clone()
    }

    fn purged(&self) -> GtidSet {
        self.purged.clone()
    }

    fn is_gtid_mode_on(&self) -> bool {
        true
    }
}

fn feed_over(
    storage: Arc<dyn Storage>,
    index: &str,
    executed: &str,
    end: LogPosition,
) -> Arc<LogFeed> {
    let gtids = Gtids {
        executed: executed.parse().unwrap(),
        purged: GtidSet::default(),
    };
    Arc::new(LogFeed::new(
        FeedIdentity {
            server_id: 1,
            server_uuid: uuid(),
        },
        storage,
        index,
        FileGuards::new(),
        Arc::new(gtids),
        end,
    ))
}

/// The feed of files that a real server wrote.
fn captured(files: &[&str]) -> Arc<LogFeed> {
    let storage = SimStorage::new(1);
    let mut index = LogIndex::load(&storage, "binlog.index").unwrap_or_else(|_| {
        storage.create("binlog.index").unwrap();
        LogIndex::load(&storage, "binlog.index").unwrap()
    });
    let mut end = None;
    for (number, text) in (1..).zip(files) {
        let name = binlog::log::LogFileName::new("binlog", number);
        let bytes = hex(text);
        let file = storage.create(name.as_str()).unwrap();
        write_all_at(file.as_ref(), 0, &bytes).unwrap();
        index = index.with(name.clone());
        end = Some(LogPosition::new(name, bytes.len() as u64));
    }
    index.store(&storage).unwrap();
    let executed = "97979797-0000-11f0-8000-000000000001:1-100";
    feed_over(Arc::new(storage), "binlog.index", executed, end.unwrap())
}

fn variables(checksum: ChecksumAlgorithm) -> ReplicaVariables {
    ReplicaVariables {
        checksum: Some(checksum),
        ..ReplicaVariables::default()
    }
}

fn by_position(file: &str, position: u32, checksum: ChecksumAlgorithm) -> DumpRequest {
    let command = BinlogDump {
        position,
        flags: dump_flag::HEARTBEAT_V2,
        server_id: 2,
        file: file.into(),
    };
    DumpRequest::by_position(&command, variables(checksum))
}

/// Everything that a replica gets up to the durable end.
fn stream(feed: &Arc<LogFeed>, request: &DumpRequest) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut reader = StreamReader::open(Arc::clone(feed), request)?;
    let mut batch = Batch::default();
    let mut events = Vec::new();
    loop {
        batch.begin(0);
        reader.read(&feed.durable_end(), &mut batch)?;
        let mut packets = Decoder::new(1 << 30);
        packets.buffer().extend_from_slice(batch.events.bytes());
        let mut sequence = 0;
        while let Some(payload) = packets.next(&mut sequence).unwrap() {
            assert_eq!(payload[0], 0);
            events.push(payload[1..].to_vec());
        }
        if batch.is_at_end {
            return Ok(events);
        }
    }
}

fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(hex).collect()
}

#[test]
fn a_dump_by_position_is_what_mysql_97_sends() {
    let feed = captured(&[
        include_str!("testdata/mysql_97_file_1.txt"),
        include_str!("testdata/mysql_97_file_2.txt"),
    ]);
    let request = by_position("binlog.000001", 4, ChecksumAlgorithm::Crc32);
    let sent = stream(&feed, &request).unwrap();
    let expected = lines(include_str!("testdata/mysql_97_by_position.txt"));
    assert_eq!(sent, expected);
}

#[test]
fn a_dump_by_gtids_skips_and_beats_as_mysql_97_does() {
    let feed = captured(&[include_str!("testdata/mysql_97_by_gtids_file.txt")]);
    let gtid_set = hex(
        "0100000000000000 97979797000011f08000000000000001 0100000000000000 0100000000000000
         0300000000000000",
    );
    let command = BinlogDumpGtid {
        flags: dump_flag::NON_BLOCK,
        position: 4,
        gtid_set,
        ..BinlogDumpGtid::default()
    };
    let request = DumpRequest::by_gtids(&command, variables(ChecksumAlgorithm::None)).unwrap();
    let sent = stream(&feed, &request).unwrap();
    let expected = lines(include_str!("testdata/mysql_97_by_gtids.txt"));
    assert_eq!(sent, expected);
}

#[test]
fn a_dump_from_the_middle_gets_the_format_description_first() {
    let feed = captured(&[
        include_str!("testdata/mysql_97_file_1.txt"),
        include_str!("testdata/mysql_97_file_2.txt"),
    ]);
    let whole = by_position("binlog.000001", 4, ChecksumAlgorithm::Crc32);
    let whole = stream(&feed, &whole).unwrap();
    let request = by_position("binlog.000001", 0xed, ChecksumAlgorithm::Crc32);
    let sent = stream(&feed, &request).unwrap();
    assert_eq!(sent[0][EventHeader::LEN], 0xed);
    let description = RawEvent::parse(&sent[1]).unwrap();
    assert_eq!(description.header.event_type, EventType::FORMAT_DESCRIPTION);
    assert_eq!(description.header.end_log_pos, 0);
    description.verify(ChecksumAlgorithm::Crc32).unwrap();
    assert_eq!(sent[2..], whole[4..]);
    let from_first_file = by_position("", 4, ChecksumAlgorithm::Crc32);
    assert_eq!(stream(&feed, &from_first_file).unwrap(), whole);
}

fn refusal(feed: &Arc<LogFeed>, request: &DumpRequest) -> String {
    stream(feed, request).unwrap_err().to_string()
}

#[test]
fn refuses_in_mysqls_words() {
    let feed = captured(&[include_str!("testdata/mysql_97_file_1.txt")]);
    let crc = ChecksumAlgorithm::Crc32;
    assert_eq!(
        refusal(&feed, &by_position("binlog.000009", 4, crc)),
        "Could not find first log file name in binary log index file"
    );
    assert_eq!(
        refusal(&feed, &by_position("../etc/passwd", 4, crc)),
        "Could not find first log file name in binary log index file"
    );
    assert_eq!(
        refusal(&feed, &by_position("binlog.000001", 1, crc)),
        "Client requested source to start replication from position < 4"
    );
    assert_eq!(
        refusal(&feed, &by_position("binlog.000001", 99_999, crc)),
        "Client requested source to start replication from position > file size"
    );
    assert_eq!(
        refusal(&feed, &by_position("binlog.000001", 5, crc)),
        "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source"
    );
    let mut unaware = by_position("binlog.000001", 4, crc);
    unaware.variables.checksum = None;
    assert!(refusal(&feed, &unaware).starts_with("Replica can not handle replication events"));
    let mut mariadb = by_position("", 4, crc);
    mariadb.variables.mariadb_position = Some("0-1-5".into());
    assert!(refusal(&feed, &mariadb).contains("MASTER_USE_GTID=no"));
}

fn by_gtids(held: &str) -> DumpRequest {
    let mut gtid_set = Vec::new();
    held.parse::<GtidSet>().unwrap().encode(&mut gtid_set);
    let command = BinlogDumpGtid {
        position: 4,
        server_id: 2,
        gtid_set,
        ..BinlogDumpGtid::default()
    };
    DumpRequest::by_gtids(&command, variables(ChecksumAlgorithm::Crc32)).unwrap()
}

#[test]
fn refuses_a_replica_that_is_ahead_but_not_one_with_foreign_transactions() {
    let feed = captured(&[include_str!("testdata/mysql_97_file_1.txt")]);
    let ours = "97979797-0000-11f0-8000-000000000001";
    let ahead = refusal(&feed, &by_gtids(&format!("{ours}:1-101")));
    assert!(ahead.starts_with("Replica has more GTIDs than the source has"));
    let foreign = "aaaaaaaa-0000-11f0-8000-000000000001:1-7";
    stream(&feed, &by_gtids(&format!("{ours}:1-3,{foreign}"))).unwrap();
}

/// A log that a test writes, and its feed.
struct Log {
    writer: LogWriter,
    feed: Arc<LogFeed>,
    gno: u64,
}

impl Log {
    fn new() -> Self {
        let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(1));
        let options = LogOptions {
            base: "b".into(),
            index: "b.index".into(),
            flavour: LogFlavour::Binary,
            max_size: 1 << 30,
            server_id: 1,
            server_version: "8.4.6-weir".into(),
            checksum: ChecksumAlgorithm::Crc32,
        };
        storage.create("b.index").unwrap();
        let index = LogIndex::load(storage.as_ref(), "b.index").unwrap();
        let set = GtidSet::default();
        let writer = LogWriter::create(Arc::clone(&storage), options, index, &set, 7).unwrap();
        let executed = format!("{}:1-1000000", uuid());
        let feed = feed_over(storage, "b.index", &executed, writer.durable_end());
        let gno = 0;
        Self { writer, feed, gno }
    }

    /// Writes a transaction that is as good as one to a dump, without making it durable.
    fn write(&mut self) {
        self.gno += 1;
        let gtid = Gtid {
            tsid: Tsid::untagged(uuid()),
            gno: Gno::new(self.gno).unwrap(),
        };
        let start = self.writer.next_offset();
        let mut bytes = Vec::new();
        let crc = ChecksumAlgorithm::Crc32;
        let header = EventHeader::new(EventType::GTID, 7, 1);
        let event = GtidEvent::new(Some(gtid));
        let next = write_event(&mut bytes, &header, start, crc, |out| event.encode(out));
        let header = EventHeader::new(EventType::XID, 7, 1);
        write_event(&mut bytes, &header, next, crc, |out| {
            out.extend(self.gno.to_le_bytes());
        });
        self.writer.append(&bytes).unwrap();
    }

    fn publish(&mut self) {
        self.writer.sync().unwrap();
        self.feed.publish(self.writer.durable_end());
    }

    fn rotate(&mut self) {
        let previous = format!("{}:1-{}", uuid(), self.gno).parse().unwrap();
        self.writer.rotate(&previous, 8).unwrap();
        self.publish();
    }
}

#[test]
fn what_is_not_durable_is_not_sent() {
    let mut log = Log::new();
    log.write();
    log.publish();
    log.write();
    let request = by_position("", 4, ChecksumAlgorithm::Crc32);
    // Rotate, format description, previous GTIDs, and the two events of the first transaction.
    assert_eq!(stream(&log.feed, &request).unwrap().len(), 5);
    log.publish();
    assert_eq!(stream(&log.feed, &request).unwrap().len(), 7);
}

#[test]
fn a_dump_by_gtids_begins_in_the_file_that_has_the_first_missing_transaction() {
    let mut log = Log::new();
    for _ in 0..3 {
        log.write();
        log.write();
        log.rotate();
    }
    let ours = uuid();
    let sent = stream(&log.feed, &by_gtids(&format!("{ours}:1-3"))).unwrap();
    let rotate = RawEvent::parse(&sent[0]).unwrap();
    assert!(rotate.bytes.windows(8).any(|name| name == b"b.000002"));
    let kinds: Vec<_> = sent
        .iter()
        .map(|event| RawEvent::parse(event).unwrap().header.event_type)
        .collect();
    use EventType as T;
    let expected = [
        &[T::ROTATE, T::FORMAT_DESCRIPTION, T::PREVIOUS_GTIDS][..],
        &[T::HEARTBEAT, T::GTID, T::XID, T::ROTATE],
        &[T::ROTATE, T::FORMAT_DESCRIPTION, T::PREVIOUS_GTIDS],
        &[T::GTID, T::XID, T::GTID, T::XID, T::ROTATE],
        &[T::ROTATE, T::FORMAT_DESCRIPTION, T::PREVIOUS_GTIDS],
    ]
    .concat();
    assert_eq!(kinds, expected);
}

#[test]
fn purge_spares_what_a_stream_reads_and_refuses_what_it_took() {
    let mut log = Log::new();
    log.write();
    log.rotate();
    let request = by_gtids("");
    let reader = StreamReader::open(Arc::clone(&log.feed), &request).unwrap();
    let held = log.feed.guards().oldest().unwrap();
    assert_eq!(held.as_str(), "b.000001");
    drop(reader);
    assert_eq!(log.feed.guards().oldest(), None);
    let active = log.writer.active().clone();
    log.writer.purge_before(&active).unwrap();
    let purged = refusal(&log.feed, &request);
    assert!(
        purged.ends_with(&format!("and the missing transactions are '{}:1'", uuid())),
        "{purged}"
    );
}

struct Anyone;

impl Authenticator for Anyone {
    fn lookup(&self, _user: &str, _host: &str) -> Option<AccountAuth> {
        Some(AccountAuth {
            plugin: AuthPlugin::Native,
            auth_string: String::new(),
        })
    }
}

/// A replica that is being served.
async fn follow(log: &Log, registry: &ReplicaRegistry, request: DumpRequest) -> client::Connection {
    let identity = Arc::new(ServerIdentity {
        version: "8.4.6-weir".into(),
        default_auth: AuthPlugin::Native,
        charset: 255,
        tls: None,
        rsa: None,
        sha2_cache: Sha2Cache::default(),
        authenticator: Arc::new(Anyone),
        max_allowed_packet: 1 << 20,
    });
    let (near, far) = tokio::io::duplex(1 << 12);
    let (feed, registry) = (Arc::clone(&log.feed), registry.clone());
    tokio::spawn(async move {
        let peer = Peer {
            connection_id: 1,
            host: "localhost".into(),
            is_local_socket: true,
        };
        let mut connection = Connection::accept(far, identity, peer).await.unwrap();
        connection.send_ok(&OkPacket::default());
        let command = connection.read_command().await.unwrap();
        assert!(matches!(command, Some(Command::BinlogDump(_))));
        // The test may drop its end at any time.
        let _ = serve(&mut connection, feed, &registry, request, |_| ()).await;
    });
    let endpoint = Endpoint::Unix("/nowhere".into());
    let options = ClientOptions::new(endpoint, "root", "");
    let mut replica = client::Connection::login(near, &options).await.unwrap();
    replica.binlog_dump(&BinlogDump::default()).await.unwrap();
    replica
}

async fn next(replica: &mut client::Connection) -> EventType {
    let event = replica.next_event().await.unwrap().unwrap();
    RawEvent::parse(&event).unwrap().header.event_type
}

async fn skip(replica: &mut client::Connection, events: usize) {
    for _ in 0..events {
        next(replica).await;
    }
}

#[tokio::test]
async fn a_session_waits_for_what_becomes_durable_and_follows_rotations() {
    let mut log = Log::new();
    let registry = ReplicaRegistry::default();
    let request = by_position("", 4, ChecksumAlgorithm::Crc32);
    let mut replica = follow(&log, &registry, request).await;
    skip(&mut replica, 3).await;
    for _ in 0..50 {
        log.write();
        log.publish();
        assert_eq!(next(&mut replica).await, EventType::GTID);
        assert_eq!(next(&mut replica).await, EventType::XID);
        log.rotate();
        skip(&mut replica, 4).await;
    }
}

#[tokio::test]
async fn many_replicas_get_the_same_log() {
    let mut log = Log::new();
    let registry = ReplicaRegistry::default();
    let mut replicas = Vec::new();
    for server_id in 0..32 {
        let mut request = by_position("", 4, ChecksumAlgorithm::Crc32);
        request.variables.uuid = format!("replica-{server_id}");
        let mut replica = follow(&log, &registry, request).await;
        skip(&mut replica, 3).await;
        replicas.push(replica);
    }
    assert_eq!(registry.dumps(), 32);
    // The first replica reads nothing for now; the others do not wait for it.
    for _ in 0..300 {
        log.write();
    }
    log.publish();
    replicas.rotate_left(1);
    for replica in &mut replicas {
        skip(replica, 600).await;
    }
}

#[tokio::test]
async fn a_session_that_waits_beats_at_the_asked_period() {
    let log = Log::new();
    let mut request = by_position("", 4, ChecksumAlgorithm::Crc32);
    request.variables.heartbeat_period = Some(Duration::from_millis(5));
    let mut replica = follow(&log, &ReplicaRegistry::default(), request).await;
    skip(&mut replica, 3).await;
    for _ in 0..3 {
        let event = replica.next_event().await.unwrap().unwrap();
        let raw = RawEvent::parse(&event).unwrap();
        raw.verify(ChecksumAlgorithm::Crc32).unwrap();
        let Event::Heartbeat(heartbeat) = Event::decode(&raw, ChecksumAlgorithm::Crc32).unwrap()
        else {
            panic!("{:?}", raw.header);
        };
        let expected = Heartbeat {
            version: 2,
            file: b"b.000001"[..].into(),
            position: log.feed.durable_end().offset,
            unknown_fields: Vec::new(),
        };
        assert_eq!(heartbeat, expected);
    }
}

#[tokio::test]
async fn a_session_that_need_not_wait_ends_with_eof() {
    let mut log = Log::new();
    log.write();
    log.publish();
    let mut request = by_position(
        "",
        u32::try_from(FIRST_EVENT).unwrap(),
        ChecksumAlgorithm::None,
    );
    request.is_non_blocking = true;
    let mut replica = follow(&log, &ReplicaRegistry::default(), request).await;
    skip(&mut replica, 5).await;
    assert_eq!(replica.next_event().await.unwrap(), None);
}

#[tokio::test]
async fn a_replica_that_connects_anew_ends_its_old_session() {
    let log = Log::new();
    let registry = ReplicaRegistry::default();
    let mut request = by_position("", 4, ChecksumAlgorithm::Crc32);
    request.variables.uuid = "same".into();
    let mut first = follow(&log, &registry, request.clone()).await;
    skip(&mut first, 3).await;
    let mut second = follow(&log, &registry, request).await;
    skip(&mut second, 3).await;
    let error = first.next_event().await.unwrap_err().to_string();
    assert!(
        error.starts_with(
            "ERROR 1236 (HY000): A replica with the same server_uuid/server_id as this replica \
             has connected to the source; the first event '' at 4, the last event read from \
             './b.000001' at"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_session_ends_when_its_replica_is_gone() {
    let log = Log::new();
    let registry = ReplicaRegistry::default();
    let request = by_position("", 4, ChecksumAlgorithm::Crc32);
    let mut replica = follow(&log, &registry, request).await;
    skip(&mut replica, 3).await;
    assert_eq!(registry.dumps(), 1);
    drop(replica);
    while registry.dumps() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.feed.guards().oldest(), None);
}
