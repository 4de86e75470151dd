//! Transactions of a real MySQL, compressed by Weir: MySQL's own reader finds the same rows in them.

use std::path::Path;

use binlog::event::{Event, EventFormat, EventHeader, EventType, RawEvent, write_event};
use binlog::limits::Limits;
use binlog::log::{LogFileName, LogReader, MAGIC, OsStorage};
use binlog::stream::{EventStream, payload};
use binlog::transaction::{Boundary, TransactionReader};
use integration::failure::{Failure, ensure};
use integration::workload::{self, Scope};
use integration::{Peer, RealServer, Result, binlog_tools};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysqlbinlog_reads_the_payloads_that_weir_compresses() -> Result {
    let mut server = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut client = server.client().await?;
    client.run(&workload::load(Scope::MySql)).await?;
    client.run(&workload::change(Scope::MySql)).await?;
    server.stop()?;
    let folder = tempfile::tempdir()?;
    let mut payloads = 0;
    for file in server.binlogs()? {
        let compressed = folder.path().join(file.file_name().unwrap_or_default());
        payloads += compress_file(&file, &compressed)?;
        let before = binlog_tools::list(Peer::MySql97, &[file], true)?;
        let after = binlog_tools::list(Peer::MySql97, &[compressed], true)?;
        let (before, after) = (rows(&before.text), rows(&after.text));
        ensure(before == after, || {
            format!("{} lines of rows became {}", before.len(), after.len())
        })?;
    }
    ensure(payloads > 10, || format!("only {payloads} payloads"))
}

fn rows(listing: &str) -> Vec<&str> {
    listing
        .lines()
        .filter(|line| line.starts_with("###"))
        .collect()
}

/// Writes `to` with every transaction of `from` that may be compressed in a payload; how many.
fn compress_file(from: &Path, to: &Path) -> Result<usize> {
    let folder = from.parent().unwrap_or(Path::new("."));
    let name = from.file_name().and_then(|name| name.to_str());
    let name = name.and_then(LogFileName::parse);
    let name = name.ok_or_else(|| Failure::new("no binlog"))?;
    let reader = LogReader::open(&OsStorage::new(folder), &name)?;
    let stream = EventStream::new(reader, Limits::default());
    let mut reader = TransactionReader::new(stream);
    let mut out = MAGIC.to_vec();
    let mut transaction: Vec<Vec<u8>> = Vec::new();
    let mut payloads = 0;
    while let Some(step) = reader.next()? {
        match step.boundary {
            Boundary::Outside | Boundary::FileEnd => copy(&mut out, &step.raw, step.format)?,
            Boundary::Inside => transaction.push(step.raw.bytes.to_vec()),
            Boundary::End { .. } => {
                transaction.push(step.raw.bytes.to_vec());
                payloads += write(&mut out, &transaction, step.format)?;
                transaction.clear();
            }
        }
    }
    std::fs::write(to, out)?;
    Ok(payloads)
}

fn copy(out: &mut Vec<u8>, raw: &RawEvent<'_>, format: EventFormat) -> Result {
    let body = raw.body(format)?.to_vec();
    let start = out.len() as u64;
    write_event(out, &raw.header, start, format.checksum, |out| {
        out.extend_from_slice(&body);
    });
    Ok(())
}

/// Writes a transaction, compressed unless it is a single statement; how many payloads that makes.
fn write(out: &mut Vec<u8>, transaction: &[Vec<u8>], format: EventFormat) -> Result<usize> {
    let events = transaction.iter().map(|bytes| RawEvent::parse(bytes));
    let events: Vec<_> = events.collect::<std::result::Result<_, _>>()?;
    let Some((first, rest)) = events.split_first().filter(|(_, rest)| rest.len() > 1) else {
        for event in &events {
            copy(out, event, format)?;
        }
        return Ok(0);
    };
    let Event::Gtid(mut gtid) = Event::decode(first, format)? else {
        return Err(Failure::new("a transaction without GTID"));
    };
    let payload = payload::compress(rest.iter().copied(), format, payload::DEFAULT_LEVEL)?;
    let payload = Event::TransactionPayload(payload);
    let mut body = Vec::new();
    payload.encode(&mut body);
    let size = EventHeader::LEN + body.len() + format.checksum.trailer_len();
    gtid.fit_transaction_length(size as u64, format.checksum);
    let start = out.len() as u64;
    write_event(out, &first.header, start, format.checksum, |out| {
        gtid.encode(out)
    });
    let header = EventHeader::new(
        EventType::TRANSACTION_PAYLOAD,
        first.header.timestamp,
        first.header.server_id,
    );
    let start = out.len() as u64;
    write_event(out, &header, start, format.checksum, |out| {
        out.extend_from_slice(&body);
    });
    Ok(1)
}
