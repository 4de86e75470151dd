//! Every file of the corpora through `weir binlog show --json` and through the reader of its own
//! vendor: the same events at the same places, the same GTIDs, as many rows.
//!
//! MySQL's files are read by mysqlbinlog 9.7, MariaDB's by mariadb-binlog 10.11 and 11.8. What differs
//! is in [`DIFFERENCES`] with its reason and in docs/COMPATIBILITY.md; anything else fails, and so
//! does an entry that no longer explains anything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use integration::event_listing::{self, time_text};
use integration::failure::{Failure, ensure};
use integration::{Peer, Result, weir};
use serde_json::Value as Json;

/// How much is the same: runs, events, GTIDs and rows. Nothing is left out silently.
const SAME: (usize, usize, usize, u64) = (549, 24_127, 4_339, 28_742);

/// Files that are read together, by one reader.
struct Job {
    /// What messages call it.
    label: String,
    peer: Peer,
    /// What the reader gets.
    theirs: Vec<PathBuf>,
    /// What Weir gets.
    ours: Vec<PathBuf>,
    /// Further arguments of Weir.
    arguments: Vec<String>,
}

/// One event of `weir binlog show --json`, as far as it is compared.
#[derive(Debug)]
struct Shown {
    offset: u64,
    time: String,
    server_id: u32,
    end_log_pos: u64,
    event_type: String,
}

#[derive(Debug, Default)]
struct Ours {
    events: Vec<Shown>,
    gtids: Vec<String>,
    rows: [u64; 3],
    is_ok: bool,
    complaints: String,
}

/// How a reader's output is not the same. Each is explained in docs/COMPATIBILITY.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// The vendor's newest reader refuses the file; this one reads it.
    OtherReader(Peer),
    /// The reader prints what stands before the encrypted events, and fails.
    ReaderStopsAtEncryption,
    /// The reader prints only the first row of each event, up to a column it does not know.
    ReaderCutsRows,
    /// Both end with an error where rows cannot be decoded.
    BothRefuseRows,
}

/// Every difference: the end of a job's label, what differs, and why.
const DIFFERENCES: [(&str, Difference, &str); 7] = [
    (
        "mysql-5.6/v1_row_events",
        Difference::OtherReader(Peer::MariaDb118),
        "mysqlbinlog 9.7 does not read row events of version 1",
    ),
    (
        "mysql-bin.000001",
        Difference::OtherReader(Peer::MariaDb118),
        "mysqlbinlog 9.7 does not read row events of version 1",
    ),
    (
        "parse__binlog__mysql-bin.000002",
        Difference::OtherReader(Peer::MariaDb118),
        "mysqlbinlog 9.7 does not read row events of version 1",
    ),
    (
        "/encrypted",
        Difference::ReaderStopsAtEncryption,
        "mariadb-binlog decrypts only what a server sends it",
    ),
    (
        "/encrypted_nochecksum",
        Difference::ReaderStopsAtEncryption,
        "mariadb-binlog decrypts only what a server sends it",
    ),
    (
        "types_geometry",
        Difference::ReaderCutsRows,
        "mysqlbinlog ends an event's rows at the first GEOMETRY value",
    ),
    (
        "dates_old_temporal",
        Difference::BothRefuseRows,
        "old temporal types with a fraction: Weir says so, mariadb-binlog just ends",
    ),
];

#[test]
fn weir_and_the_vendors_readers_see_the_same_events() -> Result {
    let jobs = Mutex::new(jobs());
    let wrong = Mutex::new(Vec::new());
    let total = Mutex::new((0, 0, 0, 0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(job) = jobs.lock().unwrap().pop() else {
                        break;
                    };
                    match compare(&job) {
                        Ok((events, gtids, rows)) => {
                            let mut total = total.lock().unwrap();
                            total.0 += 1;
                            total.1 += events;
                            total.2 += gtids;
                            total.3 += rows;
                        }
                        Err(failure) => {
                            let message = format!("{} {:?}: {failure}", job.label, job.peer);
                            wrong.lock().unwrap().push(message);
                        }
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    let (jobs, events, gtids, rows) = total.into_inner().unwrap();
    integration::chance::announce(&format!(
        "{jobs} runs, {events} events, {gtids} GTIDs and {rows} rows are the same"
    ));
    ensure(wrong.is_empty(), || {
        format!("{} differ:\n{}", wrong.len(), wrong.join("\n"))
    })?;
    ensure((jobs, events, gtids, rows) == SAME, || {
        format!(
            "{:?} were compared, not {SAME:?}",
            (jobs, events, gtids, rows)
        )
    })
}

fn jobs() -> Vec<Job> {
    let mut jobs = Vec::new();
    for case in corpora::cases() {
        let peers: &[Peer] = if case.is_mariadb() {
            &[Peer::MariaDb1011, Peer::MariaDb118]
        } else {
            &[Peer::MySql97]
        };
        let mut arguments = Vec::new();
        for (option, file) in [
            ("--keyring", case.keyring()),
            ("--file-key", case.file_keys()),
        ] {
            if file.is_file() {
                arguments.push(format!("{option}={}", file.display()));
            }
        }
        for &peer in peers {
            let label = case.label();
            jobs.push(Job {
                peer: reader(&label, peer),
                label,
                theirs: case.plain_files(),
                ours: case.files(),
                arguments: arguments.clone(),
            });
        }
    }
    let others = corpora::samples().into_iter().map(|sample| sample.path);
    for path in others.chain(corpora::relay_logs()) {
        let name = path.strip_prefix(corpora::root()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(600)]).into_owned();
        let peer = if head.contains("MariaDB") {
            Peer::MariaDb118
        } else {
            Peer::MySql97
        };
        let label = name.display().to_string();
        jobs.push(Job {
            peer: reader(&label, peer),
            label,
            theirs: vec![path.clone()],
            ours: vec![path],
            arguments: Vec::new(),
        });
    }
    jobs
}

/// The differences that are known of a job.
fn differences(label: &str) -> impl Iterator<Item = Difference> {
    let of_job = move |(end, difference, _): &(&str, Difference, &str)| {
        let end = label.trim_end_matches("_fullmeta").ends_with(end);
        end.then_some(*difference)
    };
    DIFFERENCES.iter().filter_map(of_job)
}

/// The reader that is able to read the job's files.
fn reader(label: &str, peer: Peer) -> Peer {
    let other = differences(label).find_map(|difference| match difference {
        Difference::OtherReader(peer) => Some(peer),
        _ => None,
    });
    other.unwrap_or(peer)
}

fn compare(job: &Job) -> Result<(usize, usize, u64)> {
    let mut ours = ours(job)?;
    let theirs = event_listing::list(job.peer, &job.theirs)?;
    for difference in differences(&job.label) {
        match difference {
            Difference::OtherReader(_) => {
                let refused = event_listing::list(Peer::MySql97, &job.theirs)?;
                ensure(!refused.is_ok, || format!("{difference:?} is out of date"))?;
            }
            Difference::ReaderStopsAtEncryption if job.peer.is_mariadb() => {
                let ends = theirs.offsets.iter().filter(|&&offset| offset != 4);
                let seen = theirs.offsets.len();
                ensure(
                    ours.is_ok && !theirs.is_ok && ends.count() <= job.ours.len(),
                    || format!("{difference:?} is out of date: {seen} events"),
                )?;
                return Ok((0, 0, 0));
            }
            Difference::ReaderCutsRows if !job.peer.is_mariadb() => {
                let cut = ours.rows[0] > theirs.rows[0] && ours.rows[1..] == theirs.rows[1..];
                ensure(cut, || format!("{difference:?} is out of date"))?;
                ours.rows = theirs.rows;
            }
            Difference::BothRefuseRows => {
                let says_why = ours.complaints.contains("fraction");
                ensure(!ours.is_ok && !theirs.is_ok && says_why, || {
                    format!("{difference:?} is out of date: {}", ours.complaints)
                })?;
                let offsets = ours.events.iter().map(|event| event.offset);
                let same = offsets
                    .zip(&theirs.offsets)
                    .take_while(|(ours, theirs)| ours == *theirs);
                let same = same.count();
                ensure(
                    same + 1 >= theirs.offsets.len().min(ours.events.len()),
                    || format!("only {same} events before the refusal"),
                )?;
                return Ok((same, 0, 0));
            }
            Difference::ReaderStopsAtEncryption | Difference::ReaderCutsRows => {}
        }
    }
    ensure(ours.is_ok == theirs.is_ok, || {
        format!(
            "weir ok: {}, reader ok: {}: {} {}",
            ours.is_ok, theirs.is_ok, ours.complaints, theirs.complaints
        )
    })?;
    let offsets: Vec<u64> = ours.events.iter().map(|event| event.offset).collect();
    ensure(offsets == theirs.offsets, || {
        first_difference("offsets", &offsets, &theirs.offsets)
    })?;
    ensure(ours.events.len() == theirs.headers.len(), || {
        format!(
            "{} events, {} headers",
            ours.events.len(),
            theirs.headers.len()
        )
    })?;
    for (event, header) in ours.events.iter().zip(&theirs.headers) {
        let same = event.time == header.time
            && event.server_id == header.server_id
            && event.end_log_pos == header.end_log_pos
            && is_type(&event.event_type, &header.text);
        ensure(same, || {
            format!(
                "at {}: {} {} {} {} is not {header:?}",
                event.offset, event.time, event.server_id, event.end_log_pos, event.event_type
            )
        })?;
    }
    // MariaDB's reader does not print MySQL's GTIDs.
    let is_foreign = differences(&job.label).any(|of| matches!(of, Difference::OtherReader(_)));
    ensure(ours.gtids == theirs.gtids || is_foreign, || {
        first_difference("GTIDs", &ours.gtids, &theirs.gtids)
    })?;
    ensure(ours.rows == theirs.rows, || {
        format!("rows {:?} are not {:?}", ours.rows, theirs.rows)
    })?;
    Ok((ours.events.len(), ours.gtids.len(), ours.rows.iter().sum()))
}

fn first_difference<T: PartialEq + std::fmt::Debug>(
    what: &str,
    ours: &[T],
    theirs: &[T],
) -> String {
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    format!(
        "{what}: {} ours, {} theirs; after {same} {:?} is not {:?}",
        ours.len(),
        theirs.len(),
        ours.get(same),
        theirs.get(same)
    )
}

/// Runs `weir binlog show --json`.
fn ours(job: &Job) -> Result<Ours> {
    let output = Command::new(weir::binary()?)
        .args(["binlog", "show", "--json"])
        .args(&job.arguments)
        .args(&job.ours)
        .output()?;
    let mut ours = Ours {
        is_ok: output.status.success(),
        complaints: String::from_utf8_lossy(&output.stderr).into_owned(),
        ..Ours::default()
    };
    for line in String::from_utf8(output.stdout)?.lines() {
        let event: Json = serde_json::from_str(line)
            .map_err(|error| Failure::from(error).during(line.to_owned()))?;
        let number = |name: &str| {
            let number = event[name].as_u64();
            number.ok_or_else(|| Failure::new(format!("no {name} in {line}")))
        };
        let event_type = event["type"].as_str().unwrap_or_default().to_owned();
        let is_inner = !event["in_payload"].is_null();
        ours.events.push(Shown {
            // The readers print the payload's end for the events inside it.
            offset: if is_inner {
                number("end")?
            } else {
                number("offset")?
            },
            time: time_text(u32::try_from(number("timestamp")?)?),
            server_id: u32::try_from(number("server_id")?)?,
            end_log_pos: if is_inner {
                number("end")?
            } else {
                number("end_log_pos")?
            },
            event_type: event_type.clone(),
        });
        if event_type.ends_with("GTID") || event_type == "GTID_TAGGED" {
            let gtid = event["gtid"].as_str().filter(|gtid| *gtid != "ANONYMOUS");
            ours.gtids.extend(gtid.map(str::to_owned));
        }
        if let Some(rows) = event["rows"].as_array() {
            let index = match event["kind"].as_str() {
                Some("insert") => 0,
                Some("update") => 1,
                _ => 2,
            };
            ours.rows[index] += rows.len() as u64;
        }
    }
    Ok(ours)
}

/// Whether a reader's text is about an event of this type.
fn is_type(event_type: &str, text: &str) -> bool {
    let starts: &[&str] = match event_type {
        "FORMAT_DESCRIPTION" => &["Start: binlog v"],
        // MariaDB's readers know neither this nor MySQL's GTIDs, but their flag.
        "PREVIOUS_GTIDS" => &["Previous-GTIDs", "Ignorable"],
        "GTID" | "GTID_TAGGED" => &["GTID", "Ignorable"],
        "ANONYMOUS_GTID" => &["Anonymous_GTID"],
        "QUERY" => &["Query"],
        "QUERY_COMPRESSED" => &["Query_compressed"],
        "TABLE_MAP" => &["Table_map"],
        "WRITE_ROWS" | "WRITE_ROWS_V1" => &["Write_rows"],
        "UPDATE_ROWS" | "UPDATE_ROWS_V1" => &["Update_rows"],
        "DELETE_ROWS" | "DELETE_ROWS_V1" => &["Delete_rows"],
        "PARTIAL_UPDATE_ROWS" => &["Update_rows_partial"],
        "WRITE_ROWS_COMPRESSED_V1" => &["Write_compressed_rows"],
        "UPDATE_ROWS_COMPRESSED_V1" => &["Update_compressed_rows"],
        "DELETE_ROWS_COMPRESSED_V1" => &["Delete_compressed_rows"],
        "XID" => &["Xid ="],
        "ROTATE" => &["Rotate to"],
        "STOP" => &["Stop"],
        "INTVAR" => &["Intvar"],
        "RAND" => &["Rand"],
        "USER_VAR" => &["User_var"],
        "ROWS_QUERY" => &["Rows_query"],
        // It says so on the next line.
        "INCIDENT" => &[""],
        // Of Amazon Aurora, with the flag that it may be ignored.
        "UNKNOWN_100" => &["Ignorable"],
        "ANNOTATE_ROWS" => &["Annotate_rows:"],
        "GTID_LIST" => &["Gtid list"],
        "BINLOG_CHECKPOINT" => &["Binlog checkpoint"],
        "XA_PREPARE" => &["XA PREPARE", "XID ="],
        "START_ENCRYPTION" => &["Encryption scheme"],
        "TRANSACTION_PAYLOAD" => &["Transaction_Payload"],
        _ => &[],
    };
    starts.iter().any(|start| text.starts_with(start))
}
