//! A replay stands, at any transaction and at any time, where a real replica that stopped there stands.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use integration::binlog_tools;
use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same};
use integration::failure::{Failure, ensure};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER};
use integration::wait::{self, PATIENCE};
use integration::{Client, Peer, RealServer, Result, Weir, workload};

use super::run::{
    DATABASES, MORE, dump_to, executed, is_complete, load_dump, point_to, prefix, replay, scope_of,
    sysbench, url_of,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_97_and_a_data_directory_stand_where_a_replica_stopped_there_stands() -> Result {
    stops(Peer::MySql97, &[], true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_minimal_and_partial_logs_replay_as_well() -> Result {
    let options = [
        "--binlog-transaction-compression=ON",
        "--binlog-row-image=MINIMAL",
        "--binlog-row-value-options=PARTIAL_JSON",
    ];
    stops(Peer::MySql97, &options, false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_mariadbs_stand_where_a_replica_stopped_there_stands() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        stops(peer, &["--log-bin-compress=ON"], false).await?;
    }
    Ok(())
}

/// A transaction of the log, by what the vendor's own reader says of it.
struct Logged {
    number: u64,
    /// When it was committed: microseconds since 1970, of MariaDB the digits of a date and a time.
    moment: u64,
}

/// How many transactions behind the dump are certainly not those of sysbench.
const HEAD: u64 = 40;

/// Where a replay is to stop.
struct Point {
    /// The last transaction in front of it.
    number: u64,
    arguments: [String; 2],
}

/// A source whose dump was taken in the middle, with everything that there is to compare.
struct Stage {
    source: RealServer,
    prefix: String,
    dump: PathBuf,
    /// The last transaction in the dump.
    from: u64,
    _directory: tempfile::TempDir,
}

impl Stage {
    async fn open(peer: Peer, options: &[&str], seconds: u64) -> Result<Self> {
        let source = RealServer::start(peer, 1, options).await?;
        let mut at_source = source.client().await?;
        at_source.run(&workload::load(scope_of(peer))).await?;
        let (user, password) = (REPLICATION_USER, REPLICATION_PASSWORD);
        at_source
            .run(&[
                &format!("CREATE USER {user}@'%' IDENTIFIED BY '{password}'"),
                &format!("GRANT REPLICATION SLAVE ON *.* TO {user}@'%'"),
                "CREATE DATABASE sbtest",
            ])
            .await?;
        let directory = tempfile::tempdir()?;
        let dump = directory.path().join("dump.sql");
        dump_to(&source, &dump)?;
        let from = executed(&mut at_source, peer).await?;
        at_source.run(&workload::change(scope_of(peer))).await?;
        at_source.run(MORE).await?;
        sysbench(&source, seconds).await?;
        Ok(Self {
            prefix: prefix(&mut at_source, peer).await?,
            source,
            dump,
            from,
            _directory: directory,
        })
    }

    /// What the vendor's reader says of the transactions, in the order of the log.
    fn logged(&self) -> Result<Vec<Logged>> {
        let peer = self.source.peer;
        let mut reader = binlog_tools::reader(peer)?;
        reader.arg("--base64-output=DECODE-ROWS").env("TZ", "UTC");
        let output = reader.args(self.source.binlogs()?).output()?;
        ensure(output.status.success(), || {
            String::from_utf8_lossy(&output.stderr).into_owned()
        })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut found = Vec::new();
        let mut moment = 0;
        for line in text.lines() {
            let number = match peer.is_mariadb() {
                true => mariadb_gtid(line, &mut moment),
                false => {
                    let committed = line.split_once("original_committed_timestamp=");
                    let committed = committed.and_then(|(_, rest)| rest.split('\t').next());
                    if let Some(committed) = committed {
                        moment = committed.trim().parse()?;
                    }
                    let named = line.strip_prefix("SET @@SESSION.GTID_NEXT= '");
                    named.and_then(|named| named.strip_prefix(&self.prefix))
                }
            };
            let number = number.and_then(|text| text.split([' ', '\'']).next()?.parse().ok());
            if let Some(number) = number {
                found.push(Logged { number, moment });
            }
        }
        Ok(found)
    }

    /// As many transactions and as many times, and the end; in their order. Every other one lies among
    /// the first transactions, which are those of every type and of DDL.
    fn points(&self, all: &[Logged], count: u64, chance: &mut Chance) -> Result<Vec<Point>> {
        let (before, logged) = all.split_at(usize::try_from(self.from)?);
        // Transactions of the same second may lie on both sides of the dump.
        let dumped = before.iter().map(|of| of.moment).max().unwrap_or(0);
        let any = |chance: &mut Chance, at: u64| {
            let len = logged.len() as u64;
            let len = if at.is_multiple_of(2) {
                len.min(HEAD)
            } else {
                len
            };
            let at = usize::try_from(chance.below(len))?;
            logged.get(at).ok_or_else(|| Failure::new("an empty log"))
        };
        let mut points = Vec::new();
        for at in 0..count {
            let Logged { number, .. } = any(chance, at)?;
            let gtid = format!("{}{number}", self.prefix);
            points.push(match at % 3 {
                2 => point(number - 1, "--stop-before", gtid),
                _ => point(*number, "--stop-at", gtid),
            });
            let moment = any(chance, at)?.moment;
            let text = self.time(moment);
            let behind = |is_behind: &dyn Fn(u64) -> bool| {
                let first = logged.iter().find(|other| is_behind(other.moment));
                first.or(logged.last()).map_or(0, |first| first.number - 1)
            };
            points.push(match at % 3 {
                2 if moment > dumped => {
                    point(behind(&|other| other >= moment), "--stop-before", text)
                }
                _ => {
                    let is_end = logged.iter().all(|other| other.moment <= moment);
                    let end = logged.last().map_or(0, |last| last.number);
                    let number = if is_end {
                        end
                    } else {
                        behind(&|other| other > moment)
                    };
                    point(number, "--stop-at", text)
                }
            });
        }
        let last = logged.last().map_or(0, |last| last.number);
        points.push(point(last, "--stop-at", format!("{}{last}", self.prefix)));
        points.sort_by_key(|point| point.number);
        Ok(points)
    }

    /// A moment as `weir replay` takes it.
    fn time(&self, moment: u64) -> String {
        if !self.source.peer.is_mariadb() {
            return format!("{}.{:06}", moment / 1_000_000, moment % 1_000_000);
        }
        let part = |from: u32| moment / 100_u64.pow(from) % 100;
        format!(
            "20{:02}-{:02}-{:02} {:02}:{:02}:{:02}",
            part(5),
            part(4),
            part(3),
            part(2),
            part(1),
            part(0)
        )
    }

    fn replay(&self, url: &str, point: &Point, mode: &str) -> Result {
        let base = self.dump.display().to_string();
        let [name, value] = &point.arguments;
        let arguments = ["--mode", mode, "--base", &base, name, value];
        let report = replay(url, &self.source.binlogs()?, &arguments)?;
        ensure(is_complete(&report), || format!("{name} {value}: {report}"))
    }
}

fn point(number: u64, name: &str, value: String) -> Point {
    Point {
        number,
        arguments: [name.to_owned(), value],
    }
}

/// `#261130  9:04:37 server id 1  end_log_pos 375 CRC32 0x0a1b2c3d  GTID 0-1-5 ddl`.
fn mariadb_gtid<'a>(line: &'a str, moment: &mut u64) -> Option<&'a str> {
    let (head, gtid) = line.split_once("\tGTID 0-1-")?;
    let head = head.strip_prefix('#')?.split(" server id").next()?;
    let mut digits = String::new();
    for part in head.split([' ', ':']).filter(|part| !part.is_empty()) {
        digits.push_str(&format!("{part:0>2}"));
    }
    *moment = digits.parse().ok()?;
    Some(gtid)
}

/// A directory that is filled again from a copy.
struct Template {
    directory: PathBuf,
    copy: tempfile::TempDir,
}

impl Template {
    fn of(directory: PathBuf) -> Result<Self> {
        let copy = tempfile::tempdir()?;
        copy_to(&directory, &copy.path().join("data"))?;
        Ok(Self { directory, copy })
    }

    fn restore(&self) -> Result {
        std::fs::remove_dir_all(&self.directory)?;
        copy_to(&self.copy.path().join("data"), &self.directory)
    }
}

fn copy_to(from: &Path, to: &Path) -> Result {
    let mut copy = Command::new("cp");
    let copied = copy
        .args(["-r", "--reflink=auto"])
        .arg(from)
        .arg(to)
        .status()?;
    ensure(copied.success(), || {
        format!("cannot copy {}", from.display())
    })
}

/// Replays from the dump to one point after the other, each time beside a replica of the same product
/// that stops there, and if asked for into a data directory of Weir too.
async fn stops(peer: Peer, options: &[&str], into_weir: bool) -> Result {
    let count = setting("WEIR_REPLAY_POINTS", 3);
    let stage = Stage::open(peer, options, 2 + count / 3).await?;
    let logged = stage.logged()?;
    let mut chance = Chance::from_environment();
    let points = stage.points(&logged, count, &mut chance)?;
    let mut target = RealServer::start(peer, 2, &[]).await?;
    load_dump(&target, &stage.dump)?;
    target.stop()?;
    let template = Template::of(target.data())?;
    let mut weir = match into_weir {
        true => Some(weir_at(&stage).await?),
        false => None,
    };
    let replica = RealServer::start(peer, 3, &[]).await?;
    load_dump(&replica, &stage.dump)?;
    let mut at_replica = replica.client().await?;
    point_to(&mut at_replica, peer, stage.source.port).await?;
    let mut reached = stage.from;
    for (at, point) in points.iter().enumerate() {
        if point.number > reached {
            until(&mut at_replica, peer, &stage.prefix, point.number).await?;
            reached = point.number;
        }
        let [name, value] = &point.arguments;
        let what = format!("{name} {value} ({})", point.number);
        let left = Snapshot::take(&mut at_replica, &DATABASES).await?;
        let sums = checksums(&mut at_replica).await?;
        template.restore()?;
        target.launch().await?;
        let mode = if at % 4 == 3 { "live" } else { "restore" };
        stage.replay(&url_of(&target), point, mode)?;
        let mut at_target = target.client().await?;
        let right = Snapshot::take(&mut at_target, &DATABASES).await?;
        ensure_same(&format!("replica at {what}"), &left, mode, &right)?;
        let other = checksums(&mut at_target).await?;
        ensure(sums == other, || format!("{what}: {sums:?}, {other:?}"))?;
        drop(at_target);
        target.kill()?;
        if let Some((weir, template)) = &mut weir {
            template.restore()?;
            stage.replay(
                &format!("datadir:{}", weir.data().display()),
                point,
                "engine",
            )?;
            weir.launch().await?;
            let right = Snapshot::take(&mut weir.client().await?, &DATABASES).await?;
            ensure_same(&format!("replica at {what}"), &left, "weir", &right)?;
            weir.stop()?;
        }
        announce(&format!(
            "{peer:?} {what}: equal, {mode}, {} rows",
            left.rows()
        ));
    }
    let source = Snapshot::take(&mut stage.source.client().await?, &DATABASES).await?;
    let end = Snapshot::take(&mut at_replica, &DATABASES).await?;
    ensure_same("source", &source, "replica", &end)?;
    ensure(source.tables() > 12, || {
        format!("only {} tables", source.tables())
    })
}

/// A stopped replica of Weir that stands where the dump does. It takes no dump; the front of the log
/// leads there.
async fn weir_at(stage: &Stage) -> Result<(Weir, Template)> {
    let mut weir = Weir::replica(9, &["skip-replica-start"]).await?;
    weir.stop()?;
    let url = format!("datadir:{}", weir.data().display());
    let stop = format!("{}{}", stage.prefix, stage.from);
    let report = replay(&url, &stage.source.binlogs()?, &["--stop-at", &stop])?;
    ensure(is_complete(&report), || report.to_string())?;
    let template = Template::of(weir.data())?;
    Ok((weir, template))
}

/// What CHECKSUM TABLE says of every table.
async fn checksums(client: &mut Client) -> Result<Vec<String>> {
    let mut sums = Vec::new();
    for database in DATABASES {
        for row in client.rows(&format!("SHOW TABLES FROM {database}")).await? {
            if let Some(name) = row.first() {
                let name = name.to_string().replace('`', "``");
                let sum = format!("CHECKSUM TABLE `{database}`.`{name}`");
                sums.push(client.answer(&sum).await?);
            }
        }
    }
    Ok(sums)
}

/// Lets the replica apply up to this transaction and stop there.
async fn until(replica: &mut Client, peer: Peer, prefix: &str, stop: u64) -> Result {
    let (start, status, running) = match peer.is_mariadb() {
        true => (
            format!("START SLAVE UNTIL master_gtid_pos='{prefix}{stop}'"),
            "SHOW SLAVE STATUS",
            "Slave_SQL_Running",
        ),
        false => (
            format!("START REPLICA UNTIL SQL_AFTER_GTIDS='{prefix}1-{stop}'"),
            "SHOW REPLICA STATUS",
            "Replica_SQL_Running",
        ),
    };
    let stop_statement = match peer.is_mariadb() {
        true => "STOP SLAVE",
        false => "STOP REPLICA",
    };
    replica.execute(&start).await?;
    let limit = std::time::Instant::now() + PATIENCE;
    while replica.column(status, running).await?.as_deref() != Some("No") {
        ensure(std::time::Instant::now() < limit, || {
            format!("the replica does not reach {prefix}{stop}")
        })?;
        wait::let_run(Duration::from_millis(20)).await;
    }
    replica.execute(stop_statement).await.map(drop)
}
