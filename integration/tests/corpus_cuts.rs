//! Every transaction of the corpora, cut out of its log into a file of its own, through the reader of
//! its vendor: accepted, with its GTID and all its rows.
//!
//! That the rows are the same, value by value, is what the binlog crate's own tests compare.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use std::path::{Path, PathBuf};

use binlog::event::Event;
use binlog::log::OsStorage;
use corpora::rows::{self, Exception};
use corpora::{Case, open};
use inspect::cut::Cutter;
use inspect::filter::{Filter, FilterRun};
use integration::failure::{Failure, ensure};
use integration::{Peer, Result, event_listing};

/// Transactions with a GTID, but for the six of the table that no reader can read.
const CUTS: usize = 2_703;

#[test]
fn the_vendors_readers_accept_every_transaction_that_is_cut_out() -> Result {
    let (mut cuts, mut rows) = (0, 0);
    for case in corpora::cases() {
        let (count, of_case) = check(&case).map_err(|failure| failure.during(case.label()))?;
        cuts += count;
        rows += of_case;
    }
    integration::chance::announce(&format!("{cuts} files with {rows} rows were accepted"));
    ensure(cuts == CUTS, || format!("{cuts} files, not {CUTS}"))
}

/// Cuts every transaction of a case; how many, and how many rows the reader found in them.
fn check(case: &Case) -> Result<(usize, u64)> {
    let folder = tempfile::tempdir()?;
    let unreadable = rows::exceptions(case)
        .iter()
        .any(|exception| matches!(exception, Exception::Undecodable(_)));
    let mut gtids = Vec::new();
    let mut files = Vec::new();
    for (gtid, is_readable) in transactions(case) {
        if unreadable && !is_readable {
            continue;
        }
        files.push(cut(case, &gtid, folder.path(), files.len())?);
        gtids.push(gtid);
    }
    if files.is_empty() {
        return Ok((0, 0));
    }
    // mysqlbinlog 9.7 does not read row events of version 1.
    let peer = match case.server.as_str() {
        "mysql-9.7" => Peer::MySql97,
        "mysql-5.6" if case.name != "v1_row_events" => Peer::MySql97,
        _ => Peer::MariaDb118,
    };
    let listing = event_listing::list(peer, &files)?;
    ensure(listing.is_ok, || listing.complaints.clone())?;
    let is_foreign = peer.is_mariadb() && !case.is_mariadb();
    ensure(listing.gtids == gtids || is_foreign, || {
        format!("{:?} is not {gtids:?}", listing.gtids)
    })?;
    Ok((files.len(), listing.rows.iter().sum()))
}

/// The transactions of a case by their GTIDs, each with whether a reader can decode its rows.
fn transactions(case: &Case) -> Vec<(String, bool)> {
    let mut transactions = Vec::new();
    for path in case.files() {
        let mut reader = open::transactions(&path, open::keys(case));
        let mut is_readable = true;
        while let Some(step) = reader.next().unwrap() {
            if let (Event::Rows(_), Some(table)) = (&step.event, step.table) {
                is_readable &= table.map.table != "ot";
            }
            let Some(transaction) = step.transaction.filter(|of| of.is_complete) else {
                continue;
            };
            let gtid = transaction.gtid.text();
            transactions.extend(gtid.map(|gtid| (gtid, is_readable)));
            is_readable = true;
        }
    }
    transactions
}

fn cut(case: &Case, gtid: &str, folder: &Path, index: usize) -> Result<PathBuf> {
    let told = |error: &dyn std::fmt::Display| Failure::new(format!("{gtid}: {error}"));
    let filter = Filter {
        include_gtids: Some(gtid.parse().map_err(|error| told(&error))?),
        ..Filter::default()
    };
    let storage = OsStorage::new(folder);
    let name = format!("cut.{:06}", index + 1);
    let mut run = FilterRun::new(&filter).of_whole_transactions();
    let cutter = Cutter::new(&storage, &name, &filter, false);
    let mut cutter = cutter.map_err(|error| told(&error))?;
    let paths = case.files();
    for path in &paths {
        run.begin_file(path == &paths[0], Some(path) == paths.last());
        let mut reader = open::transactions(path, open::keys(case));
        let goes_on = cutter.take_file(&mut reader, &mut run, |_| {});
        if !goes_on.map_err(|error| told(&error))? {
            break;
        }
    }
    cutter.finish().map_err(|error| told(&error))?;
    Ok(folder.join(name))
}
