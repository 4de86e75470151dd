//! Who reads: Weir at every depth, the servers' own tools, and mysql_common.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, sink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use binlog::limits::Limits;
use binlog::log::{LogFileName, LogReader, OsStorage};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use inspect::measure::{self, Depth};
use inspect::{JsonLines, JsonOptions, Output, Render, Source};
use mysql_common::binlog::BinlogFile;
use mysql_common::binlog::consts::BinlogVersion;
use mysql_common::binlog::events::EventData;

use crate::file::Made;

/// The reader that all are compared with.
pub(crate) const MYSQLBINLOG: &str = "mysqlbinlog 9.7 -v";

/// One way to read a file.
pub(crate) trait Reader {
    /// What it is called in the table.
    fn name(&self) -> &str;

    /// Reads the whole file, or says that it is not there to do it.
    fn read(&self, made: &Made) -> bool;
}

pub(crate) fn all() -> Vec<Box<dyn Reader>> {
    let mut all: Vec<Box<dyn Reader>> = Vec::new();
    for depth in Depth::ALL {
        all.push(Box::new(Weir {
            name: format!("weir, {}", depth.name()),
            depth,
        }));
    }
    all.push(Box::new(WeirJson));
    all.push(Box::new(MysqlCommon));
    for (name, peer, program) in [
        (MYSQLBINLOG, "mysql-9.7", "mysqlbinlog"),
        ("mariadb-binlog 10.11 -v", "mariadb-10.11", "mariadb-binlog"),
        ("mariadb-binlog 11.8 -v", "mariadb-11.8", "mariadb-binlog"),
    ] {
        all.push(Box::new(Tool {
            name,
            program: find(peer, program),
        }));
    }
    all
}

struct Weir {
    name: String,
    depth: Depth,
}

impl Reader for Weir {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, made: &Made) -> bool {
        let storage = OsStorage::new(made.path.parent().unwrap());
        let name = LogFileName::parse(&made.path.file_name().unwrap().to_string_lossy()).unwrap();
        let reader = LogReader::open(&storage, &name).unwrap();
        let counts = measure::read(reader, self.depth, &Limits::default()).unwrap();
        assert_eq!(counts.events, made.events);
        if self.depth != Depth::Events {
            assert_eq!((counts.rows, counts.images), (made.rows, made.images));
        }
        true
    }
}

/// What `weir binlog show --json` does, its lines thrown away.
struct WeirJson;

impl Reader for WeirJson {
    fn name(&self) -> &str {
        "weir, JSON lines"
    }

    fn read(&self, made: &Made) -> bool {
        let storage = OsStorage::new(made.path.parent().unwrap());
        let name = LogFileName::parse(&made.path.file_name().unwrap().to_string_lossy()).unwrap();
        let limits = Limits::default();
        let log = LogReader::open(&storage, &name).unwrap();
        let mut reader = TransactionReader::new(EventStream::new(log, limits));
        let source = Source {
            label: name.as_str(),
            name: &name,
        };
        let mut out = Output::new(sink());
        let mut lines = JsonLines::new(JsonOptions::default());
        let mut events = 0;
        lines.begin(source, &mut out).unwrap();
        while let Some(step) = reader.next().unwrap() {
            lines.event(source, &step, &mut out).unwrap();
            events += 1;
        }
        lines.end(&mut out).unwrap();
        assert_eq!(events, made.events);
        true
    }
}

struct MysqlCommon;

impl Reader for MysqlCommon {
    fn name(&self) -> &str {
        "mysql_common 0.37"
    }

    fn read(&self, made: &Made) -> bool {
        let file = BufReader::with_capacity(1 << 20, File::open(&made.path).unwrap());
        let mut reader = BinlogFile::new(BinlogVersion::Version4, file).unwrap();
        let mut images = 0;
        while let Some(event) = reader.next() {
            let event = event.unwrap();
            let Some(EventData::RowsEvent(rows)) = event.read_data().unwrap() else {
                continue;
            };
            let table = reader.reader().get_tme(rows.table_id()).unwrap();
            for row in rows.rows(table) {
                let (before, after) = row.unwrap();
                images += u64::from(before.is_some()) + u64::from(after.is_some());
                black_box((before, after));
            }
        }
        assert_eq!(images, made.images);
        true
    }
}

struct Tool {
    name: &'static str,
    program: PathBuf,
}

impl Reader for Tool {
    fn name(&self) -> &str {
        self.name
    }

    fn read(&self, made: &Made) -> bool {
        let mut tool = Command::new(&self.program);
        tool.args(["--no-defaults", "--verify-binlog-checksum", "-v"]);
        tool.arg("--base64-output=decode-rows").arg(&made.path);
        let status = tool.stdin(Stdio::null()).stdout(Stdio::null()).status();
        match status {
            Ok(status) => {
                assert!(status.success(), "{tool:?}: {status}");
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => panic!("{tool:?}: {error}"),
        }
    }
}

/// The program of a peer, or its bare name.
fn find(peer: &str, program: &str) -> PathBuf {
    let peers = std::env::var_os("WEIR_PEERS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.peers")),
        PathBuf::from,
    );
    let path = peers.join(peer).join("bin").join(program);
    if path.exists() { path } else { program.into() }
}
