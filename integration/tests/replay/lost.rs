//! Connections that are lost while a replay still looks: it asks again, and goes on as if nothing had
//! been.

use std::path::PathBuf;

use integration::chance::announce;
use integration::failure::ensure;
use integration::line::{Cut, Line};
use integration::workload::{self, Scope};
use integration::{Peer, RealServer, Result};

use super::run::{Running, is_complete, url_of};

/// Parts of what a replay says to a server; the line is cut behind each of them once.
const PARTS: u64 = 7;

/// Looks over a line that is cut behind each of its parts, and says how often that was tried again.
async fn look_over_lines(
    port: u16,
    look: impl Fn(&str) -> Result<Running>,
    fails_at_once: &str,
) -> Result<u32> {
    let (whole, url) = Line::to(port, Cut::Never, 0).await?;
    let ended = look(&url)?.end()?;
    let ended_well = ended.status.success() && is_complete(&ended.report);
    ensure(ended_well, || ended.text())?;
    let all = whole.bytes();
    let mut again = 0;
    for part in 1..PARTS {
        let (line, url) = Line::to(port, Cut::BehindBytes(all * part / PARTS), 1).await?;
        let looked = look(&url)?.output()?;
        let told = String::from_utf8_lossy(&looked.stderr).into_owned();
        if looked.status.success() {
            // A log that is read in part only may pass in fewer bytes than before.
            let is_cut = line.is_cut();
            let is_told = told.contains("tried again in");
            ensure(!is_told || is_cut, || told.clone())?;
            again += u32::from(is_told);
        } else {
            // It never got through.
            ensure(told.contains(fails_at_once), || {
                format!("part {part} of {all} bytes: {}: {told}", looked.status)
            })?;
        }
    }
    Ok(again)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_while_it_looks_is_taken_up_again() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut client = source.client().await?;
    client.run(&workload::load(Scope::MySql)).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let files = source.binlogs()?;
    let again = look_over_lines(
        target.port,
        |url| Running::start(url, &files, &["--mode", "live", "--dry-run"]),
        "the target cannot be reached",
    );
    let again = again.await?;
    announce(&format!("the target's line: {again} cuts mended"));
    ensure(again >= 3, || format!("{again} were tried again"))?;
    let to = url_of(&target);
    let again = look_over_lines(
        source.port,
        |url| Running::start(&to, &[PathBuf::from(url)], &["--mode", "live", "--dry-run"]),
        "never",
    );
    let again = again.await?;
    announce(&format!("the source's line: {again} cuts mended"));
    ensure(again >= 3, || format!("{again} were tried again"))?;
    let mut at_target = target.client().await?;
    let executed = at_target.value("SELECT @@GLOBAL.gtid_executed").await?;
    ensure(executed.to_string().is_empty(), || {
        format!("{executed:?} moved")
    })
}
