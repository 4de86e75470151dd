//! Weir beside its peers in one run on the same machine: what counts is the ratio.
//!
//! `cargo bench -p integration` runs sysbench oltp_insert with 64 clients and `sync_binlog=1` on Weir,
//! MySQL 9.7 and MariaDB 10.11, and decodes one binlog with Weir and with `mysqlbinlog -v`.
//! `WEIR_SECONDS` sets the length of each run.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use integration::chance::{announce, setting};
use integration::failure::ensure;
use integration::sysbench::Sysbench;
use integration::{Peer, RealServer, Result, Weir, weir};

fn main() -> Result {
    // `cargo test --benches` only asks whether it links.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> Result {
    let weir = Weir::primary(1, &["sync_binlog=1"]).await?;
    let weir_rate = insert(weir.port, weir.client().await?).await?;
    decode(&weir)?;
    drop(weir);
    for (peer, durable) in [
        (
            Peer::MySql97,
            ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"],
        ),
        (
            Peer::MariaDb1011,
            ["--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"],
        ),
    ] {
        let server = RealServer::start(peer, 1, &durable).await?;
        let rate = insert(server.port, server.client().await?).await?;
        announce(&format!(
            "oltp_insert, 64 clients, sync_binlog=1: weir {weir_rate:.0}/s, {} {rate:.0}/s, \
             ratio {:.2}",
            peer.folder(),
            weir_rate / rate
        ));
    }
    Ok(())
}

async fn insert(port: u16, mut client: integration::Client) -> Result<f64> {
    client.execute("CREATE DATABASE sbtest").await?;
    let load = Sysbench {
        script: "oltp_insert",
        port,
        tables: 4,
        rows: 1_000,
        threads: 64,
        span: Duration::from_secs(setting("WEIR_SECONDS", 15)),
        prepared_statements: "auto",
    };
    load.prepare().await?;
    Ok(load.run().await?.transactions_per_second)
}

/// Reads the binlog that the load left behind: `weir binlog verify`, `weir binlog show` and
/// `mysqlbinlog -v`, each as a process, output thrown away.
fn decode(weir: &Weir) -> Result {
    let binlogs = weir.binlogs()?;
    let file = binlogs
        .first()
        .map(|file| file.as_path())
        .unwrap_or(Path::new("binlog.000001"));
    let megabytes = std::fs::metadata(file)?.len() as f64 / 1e6;
    let mut mysqlbinlog = Peer::MySql97.program("mysqlbinlog")?;
    mysqlbinlog
        .args(["--no-defaults", "-v", "--base64-output=decode-rows"])
        .arg(file);
    let mut show = std::process::Command::new(weir::binary()?);
    show.args(["binlog", "show"]).arg(file);
    let mut verify = std::process::Command::new(weir::binary()?);
    verify.args(["binlog", "verify"]).arg(file);
    let mut rates = Vec::new();
    for command in [&mut mysqlbinlog, &mut show, &mut verify] {
        let begin = Instant::now();
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()?;
        ensure(status.success(), || format!("{command:?}: {status}"))?;
        rates.push(megabytes / begin.elapsed().as_secs_f64());
    }
    if let [mysqlbinlog, show, verify] = rates.as_slice() {
        announce(&format!(
            "reading a binlog of {megabytes:.0} MB: mysqlbinlog -v {mysqlbinlog:.0} MB/s, weir \
             binlog show {show:.0} MB/s (ratio {:.1}), weir binlog verify {verify:.0} MB/s (ratio \
             {:.1})",
            show / mysqlbinlog,
            verify / mysqlbinlog
        ));
    }
    Ok(())
}
