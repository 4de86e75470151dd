//! `weir replay`: logs brought to a server again, up to a moment, once and only once.

#[path = "replay/interruptions.rs"]
mod interruptions;
#[path = "replay/kills.rs"]
mod kills;
#[path = "replay/lost.rs"]
mod lost;
#[path = "replay/merged.rs"]
mod merged;
#[path = "replay/mydumper.rs"]
mod mydumper;
#[path = "replay/mysql_56.rs"]
mod mysql_56;
#[path = "replay/refusals.rs"]
mod refusals;
#[path = "replay/run.rs"]
mod run;
#[path = "replay/stops.rs"]
mod stops;

use std::process::Command;

use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::recipe::{blocks, is_to_be_filled_in, shell};
use integration::workload::{self, Scope};
use integration::{Peer, RealServer, Result, Weir, weir};

use run::{dump_to, executed, is_complete, prefix, replay, url_of, written};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_and_a_running_primary_take_the_log_of_mysql_97() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::MySql)).await?;
    at_source.run(&workload::change(Scope::MySql)).await?;
    let files = source.binlogs()?;
    let left = Snapshot::take(&mut source.client().await?, &["types", "other"]).await?;
    let primary = Weir::primary(7, &[]).await?;
    let url = format!("mysql://root@127.0.0.1:{}", primary.port);
    let report = replay(&url, &files, &["--mode", "live", "--allow", "version"])?;
    ensure(is_complete(&report), || report.to_string())?;
    let right = Snapshot::take(&mut primary.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "primary", &right)?;
    let mut replica = Weir::replica(8, &["skip-replica-start"]).await?;
    replica.stop()?;
    let datadir = format!("datadir:{}", replica.data().display());
    let report = replay(&datadir, &files, &[])?;
    ensure(is_complete(&report), || report.to_string())?;
    replica.launch().await?;
    let right = Snapshot::take(&mut replica.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "data directory", &right)
}

/// Point in time from a dump and the logs, then the rest without the accident.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_for_a_point_in_time_is_followed_word_for_word() -> Result {
    let peer = Peer::MySql97;
    let source = RealServer::start(peer, 1, &[]).await?;
    let target = RealServer::start(peer, 2, &[]).await?;
    let mut at_source = source.client().await?;
    at_source
        .run(&[
            "CREATE DATABASE types",
            "CREATE DATABASE other",
            "CREATE DATABASE sbtest",
            "CREATE TABLE other.t (id INT PRIMARY KEY)",
        ])
        .await?;
    let directory = tempfile::tempdir()?;
    let dump = directory.path().join("full.sql");
    dump_to(&source, &dump)?;
    for id in 0..200 {
        at_source
            .execute(&format!("INSERT INTO other.t VALUES ({id})"))
            .await?;
    }
    let before = Snapshot::take(&mut at_source, &["other"]).await?;
    at_source.execute("DELETE FROM other.t").await?;
    let prefix = prefix(&mut at_source, peer).await?;
    let accident = format!("{prefix}{}", executed(&mut at_source, peer).await?);
    at_source
        .execute("CREATE TABLE other.later (id INT)")
        .await?;
    let files = source.binlogs()?;
    let index = files
        .first()
        .map(|file| file.with_extension("index"))
        .unwrap_or_default();
    let filled = format!(
        "DUMP={}\nLOGS={}\nHOST=127.0.0.1\nPORT={}\nSTOP={accident}\n",
        dump.display(),
        index.display(),
        target.port
    );
    let mut done = 0;
    for block in blocks("2. Point in time")? {
        if is_to_be_filled_in(&block) {
            continue;
        }
        let text = shell(directory.path(), peer, &format!("{filled}{block}"))?;
        let expected = match done {
            0 => "",
            1 => accident.as_str(),
            2 => "dry run: nothing was changed",
            _ => "applied 200 of 200 transactions, 200 of 200 rows",
        };
        ensure(text.contains(expected), || {
            format!("{block}\nsays\n{text}\nand not {expected}")
        })?;
        done += 1;
    }
    ensure(done == 4, || format!("{done} commands"))?;
    let after = Snapshot::take(&mut target.client().await?, &["other"]).await?;
    ensure_same("before the accident", &before, "restored", &after)?;
    let arguments = [
        "--mode",
        "restore",
        "--exclude-gtids",
        &accident,
        "--allow",
        "writers",
    ];
    let report = replay(&url_of(&target), &files, &arguments)?;
    ensure(is_complete(&report), || report.to_string())?;
    let kept = Snapshot::take(&mut target.client().await?, &["other"]).await?;
    ensure(kept.rows() == 200 && kept.tables() == 2, || {
        format!("{} rows in {} tables", kept.rows(), kept.tables())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_for_whole_logs_is_followed_word_for_word() -> Result {
    let peer = Peer::MySql97;
    let source = written(peer, &[], Scope::MySql).await?;
    let target = RealServer::start(peer, 2, &[]).await?;
    let index = source
        .binlogs()?
        .first()
        .map(|file| file.with_extension("index"));
    let filled = format!(
        "LOGS={}\nHOST=127.0.0.1\nPORT={}\n",
        index.unwrap_or_default().display(),
        target.port
    );
    let directory = tempfile::tempdir()?;
    for block in blocks("3. Replay whole logs")? {
        if !is_to_be_filled_in(&block) {
            shell(directory.path(), peer, &format!("{filled}{block}"))?;
        }
    }
    let left = Snapshot::take(&mut source.client().await?, &["types", "other"]).await?;
    let right = Snapshot::take(&mut target.client().await?, &["types", "other"]).await?;
    ensure_same("source", &left, "new server", &right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timeline_marks_a_delete_without_where_and_nothing_else() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb1011] {
        let source = RealServer::start(peer, 1, &[]).await?;
        let mut at_source = source.client().await?;
        at_source
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.orders (id INT PRIMARY KEY)",
            ])
            .await?;
        for id in 0..300 {
            at_source
                .execute(&format!("INSERT INTO shop.orders VALUES ({id})"))
                .await?;
        }
        at_source
            .execute("DELETE FROM shop.orders WHERE id < 3")
            .await?;
        at_source.execute("DELETE FROM shop.orders").await?;
        let mut timeline = Command::new(weir::binary()?);
        timeline
            .args(["binlog", "timeline", "--by", "day", "--json"])
            .args(source.binlogs()?);
        let shown = timeline.output()?;
        ensure(shown.status.success(), || {
            String::from_utf8_lossy(&shown.stderr).into_owned()
        })?;
        let mut marked = Vec::new();
        for line in String::from_utf8_lossy(&shown.stdout).lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            if line.get("outlier") == Some(&true.into()) {
                marked.push((
                    line.get("kind").cloned(),
                    line.pointer("/largest/rows").cloned(),
                ));
            }
        }
        let expected = vec![(Some("delete".into()), Some(297.into()))];
        ensure(marked == expected, || format!("{peer:?}: {marked:?}"))?;
        for (arguments, lines) in [
            (["--kind", "delete", "--min-rows", "100"].as_slice(), 1),
            (&["--kind", "delete"], 2),
            (&["--min-rows", "3", "--table", "shop.orders"], 2),
            (&["--min-rows", "1", "--table", "shop.orders"], 302),
        ] {
            let mut find = Command::new(weir::binary()?);
            find.args(["binlog", "find"])
                .args(arguments)
                .args(source.binlogs()?);
            let found = find.output()?;
            let text = String::from_utf8_lossy(&found.stdout).into_owned();
            ensure(text.lines().count() == lines, || {
                format!("{arguments:?}: {text}")
            })?;
        }
    }
    Ok(())
}
