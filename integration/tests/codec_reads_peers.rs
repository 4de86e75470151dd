//! Binlogs that real servers wrote, through Weir's codec: every event and every row decodes, and
//! encodes to the same bytes again.

use std::collections::HashMap;
use std::path::Path;

use binlog::event::{ChecksumAlgorithm, Event};
use binlog::log::{LogFileName, LogReader, OsStorage};
use binlog::row::{RowPair, RowPlan, RowsEncoder, RowsEvent, RowsVersion, TableMap};
use binlog::value::Value;
use codec::Reader;
use integration::failure::{Failure, ensure};
use integration::workload::{self, Scope};
use integration::{Peer, RealServer, Result};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_mysql_97_survives_a_round_trip() -> Result {
    for options in [
        ["--binlog-row-metadata=FULL", "--binlog-checksum=CRC32"],
        ["--binlog-row-metadata=MINIMAL", "--binlog-checksum=NONE"],
    ] {
        let rows = round_trip(Peer::MySql97, Scope::MySql, &options).await?;
        ensure(rows > 900, || format!("only {rows} rows with {options:?}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_both_mariadbs_survives_a_round_trip() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        let rows = round_trip(peer, Scope::WithMariaDb, &["--binlog-row-metadata=FULL"]).await?;
        ensure(rows > 900, || {
            format!("only {rows} rows from {}", peer.folder())
        })?;
    }
    Ok(())
}

/// Runs the workload on a real server and reads its binlogs; the number of rows that were seen.
async fn round_trip(peer: Peer, scope: Scope, options: &[&str]) -> Result<usize> {
    let mut server = RealServer::start(peer, 1, options).await?;
    let mut client = server.client().await?;
    client.run(&workload::load(scope)).await?;
    client.execute("FLUSH BINARY LOGS").await?;
    client.run(&workload::change(scope)).await?;
    server.stop()?;
    let mut rows = 0;
    for file in server.binlogs()? {
        rows += read_file(&file)
            .map_err(|failure| failure.during(format!("{} {}", peer.folder(), file.display())))?;
    }
    Ok(rows)
}

fn read_file(path: &Path) -> Result<usize> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let name = LogFileName::parse(name).ok_or_else(|| Failure::new("not a log's name"))?;
    let mut reader = LogReader::open(&OsStorage::new(folder), &name)?;
    let mut tables: HashMap<u64, TableMap<'static>> = HashMap::new();
    let mut rows = 0;
    while reader.advance(None)? {
        let algorithm = reader.checksum();
        let Some((offset, raw)) = reader.current() else {
            break;
        };
        let place = || format!("{} at {offset}", raw.header.event_type.name());
        let event =
            Event::decode(&raw, algorithm).map_err(|error| Failure::from(error).during(place()))?;
        let body = raw
            .body(algorithm)
            .map_err(|error| Failure::from(error).during(place()))?;
        let mut again = Vec::new();
        event.encode(&mut again);
        ensure(again == body, || {
            format!("{}: {body:02x?} became {again:02x?}", place())
        })?;
        match event {
            Event::TableMap(map) => {
                tables.insert(map.table_id, map.into_owned());
            }
            Event::Rows(event) => {
                let map = tables
                    .get(&event.table_id)
                    .ok_or_else(|| Failure::new(format!("{}: no table map", place())))?;
                rows += read_rows(&event, map).map_err(|failure| failure.during(place()))?;
            }
            _ => {}
        }
        ensure(
            matches!(
                algorithm,
                ChecksumAlgorithm::None | ChecksumAlgorithm::Crc32
            ),
            place,
        )?;
    }
    Ok(rows)
}

/// Decodes the rows of one event, encodes their values, and decodes those: nothing may change. From
/// MySQL the bytes are the same too; MariaDB sets the unused bits of the NULL bitmap.
fn read_rows(event: &RowsEvent<'_>, map: &TableMap<'_>) -> Result<usize> {
    let plan = RowPlan::new(map)?;
    let pairs = pairs(event, &plan)?;
    let mut encoder = RowsEncoder::new(event.kind, map, event.flags)?;
    let mut bodies = Vec::new();
    for pair in &pairs {
        bodies.extend(encoder.push(&present(&pair.before)?, &present(&pair.after)?)?);
    }
    bodies.extend(encoder.finish(false));
    let mut again = Vec::new();
    let mut images = Vec::new();
    for body in &bodies {
        let mut second = event.clone();
        second.version = RowsVersion::V2;
        let event_type = second.event_type();
        let event = RowsEvent::decode(event_type, Reader::new(body), ChecksumAlgorithm::None)?;
        images.extend_from_slice(&event.rows);
        again.extend(
            self::pairs(&event, &plan)?
                .into_iter()
                .map(|pair| format!("{pair:?}")),
        );
    }
    let pairs: Vec<String> = pairs.iter().map(|pair| format!("{pair:?}")).collect();
    ensure(!pairs.is_empty() && again == pairs, || {
        format!("`{}`: {pairs:?} became {again:?}", map.table)
    })?;
    ensure(
        event.version == RowsVersion::V1 || images == *event.rows,
        || format!("`{}`: {:02x?} became {images:02x?}", map.table, event.rows),
    )?;
    Ok(pairs.len())
}

fn pairs<'e>(event: &'e RowsEvent<'_>, plan: &'e RowPlan) -> Result<Vec<RowPair<'e>>> {
    let mut reader = event.read(plan)?;
    let mut pairs = Vec::new();
    let mut pair = RowPair::default();
    while reader.next_into(&mut pair)? {
        pairs.push(pair.clone());
    }
    Ok(pairs)
}

fn present<'a>(row: &[Option<Value<'a>>]) -> Result<Vec<Value<'a>>> {
    row.iter()
        .map(|value| {
            value
                .clone()
                .ok_or_else(|| Failure::new("a column is not in a full image"))
        })
        .collect()
}
