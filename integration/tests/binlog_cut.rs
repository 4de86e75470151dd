//! `weir binlog` against real servers: what it cuts is read by their own readers and replays, what it
//! copies from them is what they wrote.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use integration::compare::{Snapshot, ensure_same};
use integration::failure::{Failure, ensure};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, binlog_tools, weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_cut_replays_into_an_equal_mysql() -> Result {
    cut_and_replay(Peer::MySql97, Scope::MySql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_cut_replays_into_an_equal_mariadb() -> Result {
    cut_and_replay(Peer::MariaDb118, Scope::WithMariaDb).await
}

/// Cuts the log of a server, read from the server itself, into one file, and replays it into an
/// empty server.
async fn cut_and_replay(peer: Peer, scope: Scope) -> Result {
    let source = RealServer::start(peer, 1, &["--binlog-row-metadata=FULL"]).await?;
    let mut on_source = source.client().await?;
    on_source.run(&workload::load(scope)).await?;
    on_source.execute("FLUSH BINARY LOGS").await?;
    on_source.run(&workload::change(scope)).await?;
    on_source.execute("FLUSH BINARY LOGS").await?;

    let directory = tempfile::tempdir()?;
    let file = directory.path().join("cut.000001");
    run(weir()?
        .args(["binlog", "cut", &url(&source), "-o"])
        .arg(&file))?;
    run(weir()?.args(["binlog", "verify"]).arg(&file))?;
    binlog_tools::list(peer, std::slice::from_ref(&file), true)?;

    let target = RealServer::start(peer, 2, &[]).await?;
    replay(peer, &file, &target)?;
    let mut on_target = target.client().await?;
    let left = Snapshot::take(&mut on_source, &DATABASES).await?;
    let right = Snapshot::take(&mut on_target, &DATABASES).await?;
    ensure_same("source", &left, "replayed cut", &right)?;
    ensure(left.tables() > 5, || format!("{} tables", left.tables()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_table_is_cut_out_and_replays() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let source = RealServer::start(peer, 1, &["--binlog-row-metadata=FULL"]).await?;
        let mut on_source = source.client().await?;
        write_two_tables(&mut on_source).await?;
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("cut.000001");
        run(weir()?
            .args([
                "binlog",
                "cut",
                "--table",
                "shop.wanted",
                &url(&source),
                "-o",
            ])
            .arg(&file))?;
        run(weir()?.args(["binlog", "verify"]).arg(&file))?;
        binlog_tools::list(peer, std::slice::from_ref(&file), true)?;

        let target = RealServer::start(peer, 2, &[]).await?;
        replay(peer, &file, &target)?;
        let mut on_target = target.client().await?;
        for query in [
            "SELECT * FROM shop.wanted ORDER BY id",
            "SHOW TABLES FROM shop",
        ] {
            let here = on_target.rows(query).await?;
            let there = match query {
                "SHOW TABLES FROM shop" => on_source.rows("SELECT 'wanted'").await?,
                _ => on_source.rows(query).await?,
            };
            ensure(here == there, || {
                format!("{} {query}: {here:?}, expected {there:?}", peer.folder())
            })?;
        }
        let history = output(weir()?.args([
            "binlog",
            "find",
            "--table",
            "shop.wanted",
            "--key",
            "2",
            &url(&source),
        ]))?;
        let rows = history
            .lines()
            .filter(|line| !line.contains("CREATE"))
            .count();
        ensure(rows == 3, || {
            format!("insert, update, delete expected:\n{history}")
        })?;
    }
    Ok(())
}

async fn write_two_tables(client: &mut Client) -> Result {
    client
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.wanted (id INT PRIMARY KEY, v VARCHAR(20))",
            "CREATE TABLE shop.other (id INT PRIMARY KEY, v VARCHAR(20))",
            "INSERT INTO shop.wanted VALUES (1, 'a'), (2, 'b'), (3, 'c')",
            "INSERT INTO shop.other VALUES (1, 'x'), (2, 'y')",
            "UPDATE shop.wanted w, shop.other o SET w.v = 'both', o.v = 'both' \
             WHERE w.id = o.id",
            "BEGIN",
            "DELETE FROM shop.other WHERE id = 1",
            "DELETE FROM shop.wanted WHERE id = 2",
            "COMMIT",
        ])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_servers_files_are_its_files() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118, Peer::MariaDb1011] {
        let source = RealServer::start(peer, 1, &[]).await?;
        let mut client = source.client().await?;
        let directory = tempfile::tempdir()?;
        let copy = || -> Result {
            run(weir()?
                .args(["binlog", "show", "--raw", &url(&source), "--result-dir"])
                .arg(directory.path()))
        };
        write_two_tables(&mut client).await?;
        client.execute("FLUSH BINARY LOGS").await?;
        client
            .execute("INSERT INTO shop.wanted VALUES (9, 'i')")
            .await?;
        copy()?;
        ensure_copied(&source, directory.path())?;
        // The newest file was copied in half; the next copy goes on with it.
        client
            .execute("INSERT INTO shop.wanted VALUES (10, 'j')")
            .await?;
        client.execute("FLUSH BINARY LOGS").await?;
        copy()?;
        ensure_copied(&source, directory.path())?;
        run(weir()?
            .args(["binlog", "verify"])
            .arg(directory.path().join("binlog.*")))?;
    }
    Ok(())
}

/// Every file of the server is there, byte by byte but for the in-use flag of the newest.
fn ensure_copied(source: &RealServer, directory: &Path) -> Result {
    const FLAGS: usize = 4 + 17;
    let files = source.binlogs()?;
    for (index, path) in files.iter().enumerate() {
        let mut here = std::fs::read(path)?;
        if index + 1 == files.len()
            && let Some(flags) = here.get_mut(FLAGS)
        {
            *flags &= !1;
        }
        let name = path.file_name().unwrap_or_default();
        let there = std::fs::read(directory.join(name))?;
        ensure(here == there, || format!("{} differs", path.display()))?;
    }
    Ok(())
}

fn weir() -> Result<Command> {
    Ok(Command::new(weir::binary()?))
}

fn url(server: &RealServer) -> String {
    format!("mysql://root@127.0.0.1:{}", server.port)
}

fn run(command: &mut Command) -> Result {
    output(command).map(drop)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure(output.status.success(), || {
        let errors = String::from_utf8_lossy(&output.stderr);
        format!("{command:?}: {}\n{errors}", output.status)
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs the peer's reader on `file` and its client on what it prints.
fn replay(peer: Peer, file: &PathBuf, target: &RealServer) -> Result {
    let printed = binlog_tools::reader(peer)?.arg(file).output()?;
    ensure(printed.status.success(), || {
        String::from_utf8_lossy(&printed.stderr).into_owned()
    })?;
    let mut client = peer.cli()?;
    client
        .args(["--binary-mode", "-uroot", "-h127.0.0.1"])
        .arg(format!("-P{}", target.port))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = client.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&printed.stdout)?;
    }
    let ended = child.wait_with_output()?;
    if ended.status.success() {
        Ok(())
    } else {
        let errors = String::from_utf8_lossy(&ended.stderr);
        Err(Failure::new(format!(
            "replaying {}: {errors}",
            file.display()
        )))
    }
}
