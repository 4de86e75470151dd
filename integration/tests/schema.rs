//! `--schema`: a log that tells no names reads like one that tells everything, by a server, a dump or a
//! file of CREATE TABLE statements; and what does not fit is refused by name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::workload::{self, Scope};
use integration::{Client, Peer, RealServer, Result, weir};

const DATABASES: [&str; 2] = ["types", "other"];

/// Types that only one vendor has, and what only full metadata tells.
const MYSQL_ALONE: &[&str] = &[
    "CREATE TABLE types.points (id INT PRIMARY KEY, p POINT)",
    "INSERT INTO types.points VALUES (1, POINT(1, 2))",
    "CREATE TABLE types.odd (`a``b` INT UNSIGNED ZEROFILL, hidden INT INVISIBLE DEFAULT 7, \
     e ENUM('ä','b''c','d\\\\e') CHARACTER SET latin1, s SET('x','y') CHARACTER SET utf8mb4 COLLATE \
     utf8mb4_bin, g BIGINT AS (`a``b` + 1) STORED, t TEXT CHARACTER SET ascii, PRIMARY KEY (`a``b`)) \
     PARTITION BY HASH (`a``b`) PARTITIONS 3",
];

const MARIADB_ALONE: &[&str] = &[
    "CREATE TABLE types.odd (`a``b` INT UNSIGNED ZEROFILL, u UUID, i4 INET4, i6 INET6, hidden INT \
     INVISIBLE DEFAULT 7, e ENUM('ä','b''c','d\\\\e') CHARACTER SET latin1, s SET('x','y') CHARACTER SET \
     utf8mb4 COLLATE utf8mb4_bin, g BIGINT AS (`a``b` + 1) STORED, c TEXT COMPRESSED CHARACTER SET ascii, \
     v VARCHAR(300) COMPRESSED CHARACTER SET latin1, j JSON, PRIMARY KEY (`a``b`)) \
     PARTITION BY HASH (`a``b`) PARTITIONS 3",
];

const ODD_ROWS: &[&str] = &[
    "INSERT INTO types.odd (`a``b`, e, s) VALUES (1, 'ä', 'x,y'), (4294967295, 'd\\\\e', NULL)",
    "UPDATE types.odd SET e = 'b''c' WHERE `a``b` = 1",
];

/// A server that logs as much as it is told, and its log of the same changes.
struct Logged {
    server: RealServer,
    client: Client,
    before: Snapshot,
    dump: PathBuf,
    creates: PathBuf,
    log: PathBuf,
    directory: tempfile::TempDir,
}

impl Logged {
    async fn open(peer: Peer, metadata: &str) -> Result<Self> {
        let option = format!("--binlog-row-metadata={metadata}");
        let server = RealServer::start(peer, 1, &[&option]).await?;
        let mut client = server.client().await?;
        // The same moments everywhere.
        client.execute("SET timestamp = 1795000000").await?;
        let (scope, odd) = match peer.is_mariadb() {
            true => (Scope::WithMariaDb, MARIADB_ALONE),
            false => (Scope::MySql, MYSQL_ALONE),
        };
        client.run(&workload::load(scope)).await?;
        client.run(odd).await?;
        if peer == Peer::MariaDb118 {
            client
                .execute("CREATE TABLE types.directions (id INT PRIMARY KEY, v VECTOR(3) NOT NULL)")
                .await?;
        }
        let before = Snapshot::take(&mut server.client().await?, &DATABASES).await?;
        let directory = tempfile::tempdir()?;
        let dump = directory.path().join("dump.sql");
        dump_to(&server, &dump, &["--databases", "types", "other"])?;
        let creates = directory.path().join("creates.sql");
        std::fs::write(&creates, creates_of(&mut server.client().await?).await?)?;
        client.execute("FLUSH BINARY LOGS").await?;
        let is_change = |statement: &&String| {
            let words = ["CREATE", "DROP", "TRUNCATE"];
            !words.iter().any(|word| statement.starts_with(word)) && !statement.contains(" gone ")
        };
        let changes = workload::change(scope);
        let changes: Vec<&String> = changes.iter().filter(is_change).collect();
        client.run(&changes).await?;
        client.run(ODD_ROWS).await?;
        match peer {
            Peer::MySql97 | Peer::MySql56 => client.execute("DELETE FROM types.points").await?,
            Peer::MariaDb118 => {
                let insert = "INSERT INTO types.directions VALUES (1, VEC_FromText('[1,2,3]'))";
                client.execute(insert).await?
            }
            Peer::MariaDb1011 => 0,
        };
        let log = server.binlogs()?.last().cloned().unwrap_or_default();
        Ok(Self {
            server,
            client,
            before,
            dump,
            creates,
            log,
            directory,
        })
    }

    fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.server.port)
    }

    /// What `--schema` is given, by name.
    fn sources(&self) -> [String; 3] {
        [
            self.url(),
            self.dump.display().to_string(),
            self.creates.display().to_string(),
        ]
    }
}

fn dump_to(server: &RealServer, dump: &Path, what: &[&str]) -> Result {
    let program = match server.peer.is_mariadb() {
        true => "mariadb-dump",
        false => "mysqldump",
    };
    let mut command = server.peer.program(program)?;
    command
        .args(["--no-defaults", "--user=root", "--host=127.0.0.1"])
        .arg(format!("--port={}", server.port))
        .args(what)
        .stderr(Stdio::null())
        .stdout(std::fs::File::create(dump)?);
    let status = command.status()?;
    ensure(status.success(), || format!("the dump ended with {status}"))
}

async fn creates_of(client: &mut Client) -> Result<String> {
    let mut text = String::new();
    for database in DATABASES {
        text.push_str(&format!("USE {database};\n"));
        for row in client.rows(&format!("SHOW TABLES FROM {database}")).await? {
            let name = row.first().map(ToString::to_string).unwrap_or_default();
            let name = name.replace('`', "``");
            let shown = format!("SHOW CREATE TABLE `{database}`.`{name}`");
            for row in client.rows(&shown).await? {
                let create = row.get(1).map(ToString::to_string).unwrap_or_default();
                text.push_str(&format!("{create};\n"));
            }
        }
    }
    Ok(text)
}

struct Ended {
    code: Option<i32>,
    out: String,
    errors: String,
}

fn run(arguments: &[&str]) -> Result<Ended> {
    let mut command = Command::new(weir::binary()?);
    let output = command.args(arguments).stdin(Stdio::null()).output()?;
    Ok(Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn done(arguments: &[&str]) -> Result<String> {
    let ended = run(arguments)?;
    ensure(ended.code == Some(0), || {
        format!("{arguments:?}: {:?}: {}", ended.code, ended.errors)
    })?;
    Ok(ended.out)
}

/// The lines about tables and rows, without numbers that are those of one server.
fn about_rows(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some((name, rest)) = line.split_once(" is table id ") {
            let columns = rest.split_once(':').map_or("", |(_, columns)| columns);
            // MariaDB's full metadata does not tell it, a schema does.
            let columns = columns.replace(" INVISIBLE", "");
            lines.push(format!("{name}:{columns}"));
        } else if [" INSERT ", " UPDATE ", " DELETE "]
            .iter()
            .any(|word| line.contains(word))
        {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// What is found, without its place and time.
fn found(text: &str) -> Result<Vec<serde_json::Value>> {
    let mut found = Vec::new();
    for line in text.lines() {
        let hit: serde_json::Value = serde_json::from_str(line)?;
        let part = |name: &str| hit.get(name).cloned().unwrap_or_default();
        found.push(serde_json::json!([
            part("kind"),
            part("columns"),
            part("before"),
            part("after")
        ]));
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minimal_log_of_mysql_97_reads_like_a_full_one() -> Result {
    reads_alike(Peer::MySql97, "MINIMAL").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_of_both_mariadbs_without_metadata_read_like_full_ones() -> Result {
    reads_alike(Peer::MariaDb118, "NO_LOG").await?;
    reads_alike(Peer::MariaDb1011, "NO_LOG").await
}

async fn reads_alike(peer: Peer, metadata: &str) -> Result {
    let full = Logged::open(peer, "FULL").await?;
    let mut minimal = Logged::open(peer, metadata).await?;
    let (full_log, log) = (
        full.log.display().to_string(),
        minimal.log.display().to_string(),
    );
    let expected = about_rows(&done(&[
        "binlog",
        "show",
        "--rows",
        "--full-values",
        &full_log,
    ])?);
    ensure(expected.len() > 60, || format!("{} lines", expected.len()))?;
    let bare = about_rows(&done(&["binlog", "show", "--rows", "--full-values", &log])?);
    ensure(bare != expected, || {
        "the log tells all by itself".to_owned()
    })?;
    let key = ["--table", "types.uniques", "--key", "id=50", "--json"];
    let history = done(&[&["binlog", "find", &full_log][..], &key].concat())?;
    let history = found(&history)?;
    ensure(!history.is_empty(), || "nothing is found".to_owned())?;
    for schema in minimal.sources() {
        let shown = done(&[
            "binlog",
            "show",
            "--rows",
            "--full-values",
            "--schema",
            &schema,
            &log,
        ])?;
        let shown = about_rows(&shown);
        for (left, right) in expected.iter().zip(&shown) {
            ensure(left == right, || format!("{schema}:\n{left}\n{right}"))?;
        }
        ensure(expected.len() == shown.len(), || {
            format!("{} lines, {} lines", expected.len(), shown.len())
        })?;
        let find = [&["binlog", "find", "--schema", &schema, &log][..], &key].concat();
        let same = found(&done(&find)?)?;
        ensure(history == same, || {
            format!("{schema}: {history:?}, {same:?}")
        })?;
    }
    // A dump of one database names it in its head alone.
    let one = minimal.directory.path().join("one.sql");
    dump_to(&minimal.server, &one, &["--no-data", "types"])?;
    let one = one.display().to_string();
    let show = ["binlog", "show", "--rows", "--database", "types"];
    let left = about_rows(&done(&[&show[..], &[&full_log]].concat())?);
    let right = about_rows(&done(&[&show[..], &["--schema", &one, &log]].concat())?);
    ensure(left == right && left.len() > 50, || {
        format!("{left:?}\n{right:?}")
    })?;
    comes_back(&mut minimal).await
}

/// The whole log is taken back by SQL whose names come from the dump alone.
async fn comes_back(minimal: &mut Logged) -> Result {
    let undo = minimal
        .directory
        .path()
        .join("undo.sql")
        .display()
        .to_string();
    let dump = minimal.dump.display().to_string();
    let log = minimal.log.display().to_string();
    let name = minimal
        .log
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let start = format!("{name}:4");
    let arguments = ["flashback", &log, "--start", &start, "--output", &undo];
    let nameless = run(&arguments)?;
    ensure(nameless.code == Some(1), || nameless.errors.clone())?;
    // Of MariaDB nobody logs what foreign keys change along.
    done(&[&arguments[..], &["--schema", &dump, "--without-children"]].concat())?;
    let mut client = minimal.server.peer.cli()?;
    client.args([
        "--no-defaults",
        "--binary-mode",
        "--user=root",
        "--host=127.0.0.1",
    ]);
    client.arg(format!("--port={}", minimal.server.port));
    let replayed = client.stdin(std::fs::File::open(&undo)?).output()?;
    ensure(replayed.status.success(), || {
        String::from_utf8_lossy(&replayed.stderr).into_owned()
    })?;
    let after = Snapshot::take(&mut minimal.server.client().await?, &DATABASES).await?;
    ensure_same("before", &minimal.before, "taken back", &after)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_laid_out_otherwise_is_refused_by_column() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let mut logged = Logged::open(peer, "MINIMAL").await?;
        // What comes behind is not read.
        let copy = logged.directory.path().join("binlog.000002");
        std::fs::copy(&logged.log, &copy)?;
        let log = copy.display().to_string();
        let url = logged.url();
        let start = format!(
            "{}:4",
            logged.log.file_name().unwrap_or_default().to_string_lossy()
        );
        let commands: [&[&str]; 3] = [
            &["binlog", "show", "--rows", &log, "--schema"],
            &[
                "binlog",
                "find",
                "--table",
                "types.numbers",
                &log,
                "--schema",
            ],
            &[
                "flashback",
                &log,
                "--start",
                &start,
                "--dry-run",
                "--schema",
            ],
        ];
        for (statement, words) in [
            ("MODIFY tu SMALLINT UNSIGNED", "for column 3, tu"),
            ("MODIFY tu TINYINT", "tinyint"),
            (
                "MODIFY tu TINYINT UNSIGNED, DROP y",
                "has 20 columns there and 21 in the log",
            ),
        ] {
            let alter = format!("ALTER TABLE types.numbers {statement}");
            logged.client.execute("DELETE FROM types.numbers").await?;
            logged.client.execute(&alter).await?;
            for command in commands {
                let refused = run(&[command, &[&url]].concat())?;
                ensure(
                    refused.code == Some(1)
                        && refused.errors.contains("types.numbers has")
                        && refused.errors.contains(words),
                    || format!("{command:?} {statement}: {}", refused.errors),
                )?;
            }
        }
        let texts = ["--table", "types.texts"];
        let shown = done(&[commands[0], &[&url], &texts].concat())?;
        ensure(shown.contains("UPDATE id=1"), || shown.clone())?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_none_is_refused() -> Result {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("none.sql");
    std::fs::write(&file, "INSERT INTO t VALUES ('CREATE TABLE t (a INT)');")?;
    let file = file.display().to_string();
    for (schema, words) in [
        (file.as_str(), "there is no CREATE TABLE in it"),
        ("/nowhere/at/all.sql", "No such file"),
        ("mysql://root@127.0.0.1:1", "127.0.0.1:1"),
    ] {
        let refused = run(&["binlog", "show", "--schema", schema, "binlog.000001"])?;
        ensure(
            refused.code.is_some_and(|code| code > 0) && refused.errors.contains(words),
            || format!("{schema}: {}", refused.errors),
        )?;
    }
    Ok(())
}
