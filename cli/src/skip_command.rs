//! `weir replica skip`: one transaction of the source is not applied, and the applier goes on.
//!
//! One that has a GTID of MySQL's gets an empty transaction in its place, so that no other can be meant;
//! any other at which the applier stands is passed over by `sql_replica_skip_counter`.

use std::time::{Duration, Instant};

use gtid::Gtid;
use serde_json::json;

use crate::arguments::SkipArguments;
use crate::client::{self, Client, ClientError, Server};
use crate::exit::Failure;
use crate::{output, question};

/// How long an answer may take; a replica ends its open commit first.
const WITHIN: Duration = Duration::from_secs(30);
/// How long the applier is watched afterwards.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at.
const PERIOD: Duration = Duration::from_millis(50);

/// Runs the command.
pub(crate) fn run(arguments: &SkipArguments) -> Result<(), Failure> {
    let password = client::password(arguments.password_file.as_deref()).map_err(Failure::Usage)?;
    let server = Server::parse(&arguments.url, password.as_deref()).map_err(Failure::Usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(skip(arguments, &server))
}

/// What the replica says of its applier.
#[derive(PartialEq, Eq)]
struct Look {
    is_running: bool,
    error: Option<String>,
    gtid: Option<String>,
    skip_counter: u64,
    /// Where it stands in the source's log.
    place: String,
    has_read_all: bool,
    has_gtid_mode: bool,
}

struct Replica<'a> {
    server: &'a Server,
    name: &'a str,
    client: Client,
}

impl Replica<'_> {
    fn failed(&self, error: &ClientError) -> Failure {
        Failure::failed(self.name, error)
    }

    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        let done = self.client.query(sql).await;
        done.map(drop).map_err(|error| self.failed(&error))
    }

    async fn look(&mut self) -> Result<Look, Failure> {
        let status = self.client.query("SHOW REPLICA STATUS").await;
        let status = status.map_err(|error| self.failed(&error))?;
        if status.rows.is_empty() {
            return Err(Failure::failed(self.name, "it follows no source"));
        }
        let sql = "SHOW GLOBAL STATUS LIKE 'Weir_applier_failed_gtid'";
        let gtid = self.client.query(sql).await;
        let gtid = gtid.map_err(|error| self.failed(&error))?.first("Value");
        let mode = self.client.scalar("SELECT @@GLOBAL.gtid_mode").await;
        let mode = mode.map_err(|error| self.failed(&error))?;
        let doing = status.first("Replica_SQL_Running_State");
        let place = status.first("Relay_Source_Log_File").unwrap_or_default();
        let offset = status.first("Exec_Source_Log_Pos").unwrap_or_default();
        let number = status.first("Last_SQL_Errno");
        let has_error = number.is_some_and(|number| number != "0");
        let count = status.first("Skip_Counter");
        Ok(Look {
            is_running: status.first("Replica_SQL_Running").as_deref() == Some("Yes"),
            error: status.first("Last_SQL_Error").filter(|_| has_error),
            gtid,
            skip_counter: count.and_then(|count| count.parse().ok()).unwrap_or(0),
            place: format!("{place}:{offset}"),
            has_read_all: doing.is_some_and(|doing| doing.contains("has read all relay log")),
            has_gtid_mode: mode.is_some_and(|mode| mode != "OFF"),
        })
    }
}

async fn skip(arguments: &SkipArguments, server: &Server) -> Result<(), Failure> {
    let connected = server.connect(WITHIN).await;
    let client = connected.map_err(|error| Failure::failed(&server.name, error))?;
    let name = server.name.as_str();
    let mut replica = Replica {
        server,
        name,
        client,
    };
    let comment = replica.client.scalar("SELECT @@version_comment").await;
    let comment = comment.map_err(|error| replica.failed(&error))?;
    let is_weir = comment.is_some_and(|comment| comment.to_lowercase().contains("weir"));
    if !is_weir {
        return Err(Failure::failed(name, "it is no replica of Weir"));
    }
    let before = replica.look().await?;
    match arguments.gtid {
        Some(gtid) => skip_named(arguments, &mut replica, &before, gtid).await,
        None => skip_failed(arguments, &mut replica, &before).await,
    }
}

/// Skips the transaction at which the applier stands: under its GTID if it has one of MySQL's, so that no
/// other can take its place, else by the counter.
async fn skip_failed(
    arguments: &SkipArguments,
    replica: &mut Replica<'_>,
    before: &Look,
) -> Result<(), Failure> {
    let name = replica.name;
    let Some(error) = before.error.as_ref().filter(|_| !before.is_running) else {
        let text = "its applier has not stopped with an error: name the transaction with --gtid";
        return Err(Failure::failed(name, text));
    };
    output::note(format_args!("{name} stopped: {error}"));
    let what = before.gtid.as_deref();
    warn(what.unwrap_or("The transaction there"));
    let asked = format!("Skip {} on {name}?", what.unwrap_or("this transaction"));
    question::ask(arguments.yes, &asked)?;
    // Somebody else may have answered meanwhile.
    let now = replica.look().await?;
    if now != *before {
        let text = "its applier is not where it was when you were asked; nothing was skipped";
        return Err(Failure::failed(name, text));
    }
    let gtid = what.and_then(|gtid| gtid.parse::<Gtid>().ok());
    if let Some(gtid) = gtid.filter(|_| before.has_gtid_mode) {
        take_place(replica, gtid).await?;
        replica.run("START REPLICA SQL_THREAD").await?;
    } else {
        skip_by_counter(replica).await?;
    }
    let after = settled(replica).await?;
    if after.skip_counter > 0 {
        replica
            .run("SET GLOBAL sql_replica_skip_counter = 0")
            .await?;
        let text = "the applier has not come to the transaction; nothing was skipped, and SHOW \
                    REPLICA STATUS says what it waits for";
        return Err(Failure::failed(name, text));
    }
    tell(arguments, name, what, &after)
}

/// Has the applier pass over the transaction at which it stands. A counter that was set is taken back,
/// over another connection if this one is lost, unless the applier was started.
async fn skip_by_counter(replica: &mut Replica<'_>) -> Result<(), Failure> {
    let mut outcome = replica.run("SET GLOBAL sql_replica_skip_counter = 1").await;
    if outcome.is_ok() {
        outcome = replica.run("START REPLICA SQL_THREAD").await;
    }
    let Err(failure) = outcome else {
        return Ok(());
    };
    match take_back(replica).await {
        Ok(Back::Started) => Ok(()),
        Ok(Back::Taken) => Err(failure),
        Err(again) => Err(Failure::Failed(format!(
            "{}; {}; its next start may pass over a transaction: SET GLOBAL \
             sql_replica_skip_counter = 0 there before",
            failure.words(),
            again.words(),
        ))),
    }
}

/// What became of a counter that nobody knows to be set.
enum Back {
    /// The applier was started with it.
    Started,
    /// It is 0.
    Taken,
}

async fn take_back(replica: &mut Replica<'_>) -> Result<Back, Failure> {
    let look = match replica.look().await {
        Ok(look) => look,
        Err(_) => {
            let connected = replica.server.connect(WITHIN).await;
            replica.client = connected.map_err(|error| replica.failed(&error))?;
            replica.look().await?
        }
    };
    // What would be skipped later, nobody saw.
    match look.is_running {
        true => Ok(Back::Started),
        false => {
            replica
                .run("SET GLOBAL sql_replica_skip_counter = 0")
                .await?;
            Ok(Back::Taken)
        }
    }
}

/// Puts an empty transaction in the place of `gtid`.
async fn skip_named(
    arguments: &SkipArguments,
    replica: &mut Replica<'_>,
    before: &Look,
    gtid: Gtid,
) -> Result<(), Failure> {
    let name = replica.name;
    let text = gtid.to_string();
    refuse_executed(replica, gtid).await?;
    warn(&text);
    question::ask(arguments.yes, &format!("Skip {text} on {name}?"))?;
    take_place(replica, gtid).await?;
    let was_in_the_way = before.gtid.as_deref() == Some(text.as_str());
    if was_in_the_way && !before.is_running {
        replica.run("START REPLICA SQL_THREAD").await?;
    }
    let after = settled(replica).await?;
    tell(arguments, name, Some(&text), &after)
}

async fn refuse_executed(replica: &mut Replica<'_>, gtid: Gtid) -> Result<(), Failure> {
    let sql = format!("SELECT GTID_SUBSET('{gtid}', @@GLOBAL.gtid_executed)");
    let is_executed = replica.client.scalar(&sql).await;
    let is_executed = is_executed.map_err(|error| replica.failed(&error))?;
    match is_executed.as_deref() {
        Some("0") => Ok(()),
        _ => {
            let text = format!("{gtid} is executed there: nothing is left to be skipped");
            Err(Failure::failed(replica.name, text))
        }
    }
}

/// Commits an empty transaction under `gtid`. While the session has it, the applier does not begin it.
async fn take_place(replica: &mut Replica<'_>, gtid: Gtid) -> Result<(), Failure> {
    let sql = format!("SET SESSION gtid_next = '{gtid}'");
    replica.run(&sql).await?;
    refuse_executed(replica, gtid).await?;
    replica.run("BEGIN").await?;
    replica.run("COMMIT").await?;
    replica.run("SET SESSION gtid_next = 'AUTOMATIC'").await
}

fn warn(what: &str) {
    output::note(format_args!(
        "{what} will not be applied: wherever it changes rows, the replica then differs from its \
         source"
    ));
}

/// Looks until the applier has applied all there is or stopped, or for a while.
async fn settled(replica: &mut Replica<'_>) -> Result<Look, Failure> {
    let began = Instant::now();
    loop {
        let look = replica.look().await?;
        let is_settled = !look.is_running || look.has_read_all && look.skip_counter == 0;
        if is_settled || began.elapsed() > PATIENCE {
            return Ok(look);
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn tell(
    arguments: &SkipArguments,
    name: &str,
    gtid: Option<&str>,
    after: &Look,
) -> Result<(), Failure> {
    let what = gtid.unwrap_or("one transaction");
    let state = match (after.is_running, &after.error) {
        (true, _) => "the applier runs".to_owned(),
        (false, None) => "the applier is stopped".to_owned(),
        (false, Some(error)) => format!("the applier stopped again: {error}"),
    };
    output::line(format_args!("{name}: skipped {what}; {state}"))?;
    if arguments.json {
        output::line(json!({
            "server": name,
            "gtid": gtid,
            "applier_running": after.is_running,
            "applier_error": after.error,
        }))?;
    }
    match !after.is_running && after.error.is_some() {
        true => Err(Failure::Told),
        false => Ok(()),
    }
}
