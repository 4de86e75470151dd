//! Running the command, and its output through the peers' own tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use integration::binlog_tools;
use integration::failure::{Failure, ensure};
use integration::sql::Client;
use integration::{Peer, RealServer, Result, weir as node};
use serde_json::Value;

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) ok: bool,
    pub(crate) code: Option<i32>,
    /// Standard output and standard error.
    pub(crate) text: String,
    last_line: String,
}

impl Ended {
    pub(crate) fn ensure_done(&self) -> Result {
        ensure(self.ok, || self.text.clone())
    }

    /// A number of the object on the last line of standard output.
    pub(crate) fn number(&self, name: &str) -> Result<u64> {
        let object: Value = serde_json::from_str(&self.last_line)?;
        let number = object.get(name).and_then(Value::as_u64);
        number.ok_or_else(|| Failure::new(format!("no {name} in {}", self.last_line)))
    }

    /// It was refused, with these words, and exit code 1.
    pub(crate) fn ensure_refused(&self, words: &[&str]) -> Result {
        let is_said = words.iter().all(|words| self.text.contains(words));
        ensure(self.code == Some(1) && is_said, || {
            format!("{words:?} expected, not {:?}: {}", self.code, self.text)
        })
    }
}

/// `weir` with these arguments.
pub(crate) fn weir(arguments: &[&str]) -> Result<Ended> {
    let mut command = Command::new(node::binary()?);
    command.args(arguments);
    ended(&mut command)
}

/// `weir flashback` with these arguments.
pub(crate) fn flashback(arguments: &[&str]) -> Result<Ended> {
    weir(&[&["flashback"], arguments].concat())
}

pub(crate) fn ended(command: &mut Command) -> Result<Ended> {
    let output = command.stdin(Stdio::null()).output()?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    Ok(Ended {
        ok: output.status.success(),
        code: output.status.code(),
        last_line: out.lines().last().unwrap_or_default().to_owned(),
        text: format!("{out}{complaints}"),
    })
}

pub(crate) fn url(port: u16) -> String {
    format!("mysql://root@127.0.0.1:{port}")
}

pub(crate) fn last_log(files: &[PathBuf]) -> Result<PathBuf> {
    let last = files.last().cloned();
    last.ok_or_else(|| Failure::new("no log"))
}

/// The front of a file, as `--start` takes it.
pub(crate) fn start_of(log: &Path) -> String {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}:4")
}

/// What CHECKSUM TABLE says of every table.
pub(crate) async fn checksums(client: &mut Client, databases: &[&str]) -> Result<Vec<String>> {
    let mut sums = Vec::new();
    for database in databases {
        let tables = client
            .rows(&format!(
                "SELECT TABLE_NAME FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = '{database}' ORDER BY TABLE_NAME"
            ))
            .await?;
        for row in tables {
            if let Some(name) = row.first() {
                let name = name.to_string().replace('`', "``");
                let sum = client
                    .answer(&format!("CHECKSUM TABLE `{database}`.`{name}`"))
                    .await?;
                sums.push(sum);
            }
        }
    }
    Ok(sums)
}

/// How a log is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `--apply`, a transaction for each.
    Apply,
    /// `--apply --single-transaction`.
    ApplyAtOnce,
    /// `--output FILE.sql`, then the vendor's client.
    Sql,
    /// `--output FILE.binlog`, then the vendor's reader and client.
    Binlog,
    /// The same file through `weir binlog show --sql`.
    BinlogByWeir,
}

impl Way {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Apply => "--apply",
            Self::ApplyAtOnce => "--apply --single-transaction",
            Self::Sql => "SQL",
            Self::Binlog => "a binlog by the vendor's reader",
            Self::BinlogByWeir => "a binlog by weir",
        }
    }

    /// Takes `what` of `log` back on the server at `port`.
    pub(crate) fn take_back(self, peer: Peer, port: u16, log: &Path, what: &[&str]) -> Result {
        let (url, text) = (url(port), log.display().to_string());
        let mut arguments = vec![text.as_str()];
        arguments.extend(what);
        match self {
            Self::Apply | Self::ApplyAtOnce => {
                arguments.extend(["--apply", &url, "--yes", "--json"]);
                if self == Self::ApplyAtOnce {
                    arguments.push("--single-transaction");
                }
                let done = flashback(&arguments)?;
                done.ensure_done()?;
                let (wanted, rows) = (done.number("wanted_rows")?, done.number("undone_rows")?);
                ensure(wanted == rows && wanted > 0, || done.text.clone())
            }
            Self::Sql => {
                let directory = tempfile::tempdir()?;
                let file = directory.path().join("undo.sql");
                let name = file.display().to_string();
                arguments.extend(["--schema", &url, "--output", &name]);
                flashback(&arguments)?.ensure_done()?;
                let sql = std::fs::File::open(&file)?;
                client(peer, port)?
                    .stdin(sql)
                    .output()
                    .map_err(Failure::from)
                    .and_then(succeeded)
            }
            Self::Binlog | Self::BinlogByWeir => {
                let directory = tempfile::tempdir()?;
                let file = directory.path().join("undo.binlog");
                let name = file.display().to_string();
                arguments.extend(["--schema", &url, "--output", &name]);
                flashback(&arguments)?.ensure_done()?;
                let mut reader = match self {
                    Self::BinlogByWeir => {
                        let mut weir = Command::new(node::binary()?);
                        weir.args(["binlog", "show", "--sql", "--skip-gtids"]);
                        weir
                    }
                    _ => {
                        let mut reader = binlog_tools::reader(peer)?;
                        reader.arg("--verify-binlog-checksum");
                        reader
                    }
                };
                reader.arg(&file);
                pipe(reader, client(peer, port)?)
            }
        }
    }
}

/// Takes all of `log` back through a file that ends in `ending`.
pub(crate) fn replay_file(server: &RealServer, log: &Path, ending: &str) -> Result {
    let way = match ending {
        "sql" => Way::Sql,
        _ => Way::Binlog,
    };
    way.take_back(server.peer, server.port, log, &["--start", &start_of(log)])
}

/// The vendor's client.
pub(crate) fn client(peer: Peer, port: u16) -> Result<Command> {
    let mut client = peer.cli()?;
    client.args([
        "--no-defaults",
        "--binary-mode",
        "--user=root",
        "--host=127.0.0.1",
    ]);
    client.arg(format!("--port={port}"));
    client.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(client)
}

fn succeeded(output: std::process::Output) -> Result {
    ensure(output.status.success(), || {
        String::from_utf8_lossy(&output.stderr).into_owned()
    })
}

/// `reader | client`.
fn pipe(mut reader: Command, mut client: Command) -> Result {
    let mut read = reader
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(out) = read.stdout.take() {
        client.stdin(out);
    }
    let replayed = client.output()?;
    // It holds the other end of the pipe.
    drop(client);
    succeeded(replayed)?;
    succeeded(read.wait_with_output()?)
}
