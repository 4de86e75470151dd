//! Connections that are lost while a replay still looks: it asks again, and goes on as if nothing had
//! been.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use integration::chance::announce;
use integration::failure::ensure;
use integration::workload::{self, Scope};
use integration::{Peer, RealServer, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::run::{Running, is_complete, url_of};

/// Parts of what a replay says to a server; the line is cut behind each of them once.
const PARTS: u64 = 7;

/// A line to a server that is cut once.
struct Line {
    /// Bytes that pass before it is.
    cut_behind: u64,
    passed: AtomicU64,
    is_cut: AtomicBool,
    /// Connections that are refused after that.
    refused: AtomicU32,
}

impl Line {
    /// A line to `port`, and the URL of its near end.
    async fn to(port: u16, cut_behind: u64) -> Result<(Arc<Self>, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("mysql://root@{}", listener.local_addr()?);
        let line = Arc::new(Self {
            cut_behind,
            passed: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            refused: AtomicU32::new(1),
        });
        let passing = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let passing = Arc::clone(&passing);
                tokio::spawn(async move { passing.pass(near, port).await });
            }
        });
        Ok((line, url))
    }

    /// Passes on until either side ends or the line is cut.
    async fn pass(&self, mut near: TcpStream, port: u16) -> std::io::Result<()> {
        let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
        let (mut to, mut from) = ([0; 512], [0; 512]);
        if self.is_cut.load(Ordering::SeqCst) {
            let less = |left: u32| left.checked_sub(1);
            let order = Ordering::SeqCst;
            if self.refused.fetch_update(order, order, less).is_ok() {
                return Ok(());
            }
        }
        loop {
            let len = tokio::select! {
                read = near.read(&mut to) => {
                    let len = read?;
                    if len == 0 || self.is_cut_now() {
                        return Ok(());
                    }
                    far.write_all(to.get(..len).unwrap_or_default()).await?;
                    len
                }
                read = far.read(&mut from) => {
                    let len = read?;
                    if len == 0 || self.is_cut_now() {
                        return Ok(());
                    }
                    near.write_all(from.get(..len).unwrap_or_default()).await?;
                    len
                }
            };
            self.passed.fetch_add(len as u64, Ordering::SeqCst);
        }
    }

    /// Whether it has to be cut; once it is.
    fn is_cut_now(&self) -> bool {
        let is_far = self.passed.load(Ordering::SeqCst) >= self.cut_behind;
        is_far && !self.is_cut.swap(true, Ordering::SeqCst)
    }
}

/// Looks over a line that is cut behind each of its parts, and says how often that was tried again.
async fn look_over_lines(
    port: u16,
    look: impl Fn(&str) -> Result<Running>,
    fails_at_once: &str,
) -> Result<u32> {
    let (whole, url) = Line::to(port, u64::MAX).await?;
    let ended = look(&url)?.end()?;
    let ended_well = ended.status.success() && is_complete(&ended.report);
    ensure(ended_well, || ended.text())?;
    let all = whole.passed.load(Ordering::SeqCst);
    let mut again = 0;
    for part in 1..PARTS {
        let (line, url) = Line::to(port, all * part / PARTS).await?;
        let looked = look(&url)?.output()?;
        let told = String::from_utf8_lossy(&looked.stderr).into_owned();
        if looked.status.success() {
            // A log that is read in part only may pass in fewer bytes than before.
            let is_cut = line.is_cut.load(Ordering::SeqCst);
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
