//! `weir replica skip`: one transaction of the source is not applied, and the applier goes on.
//!
//! The one at which the applier stands is passed over by `sql_replica_skip_counter`, which works for
//! every source; one that is named by its GTID gets an empty transaction in its place.

use std::time::{Duration, Instant};

use gtid::Gtid;
use serde_json::json;

use crate::arguments::SkipArguments;
use crate::client::{self, Client, ClientError, Server};
use crate::exit::Failure;
use crate::{output, question};

/// How long an answer may take; a replica ends its open commit first.
const WITHIN: Duration = Duration::from_secs(30);
/// How long the applier may take until it has passed the transaction over.
const PATIENCE: Duration = Duration::from_secs(60);
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
struct Look {
    is_running: bool,
    error: Option<String>,
    gtid: Option<String>,
    skip_counter: u64,
}

struct Replica<'a> {
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
        let number = status.first("Last_SQL_Errno");
        let has_error = number.is_some_and(|number| number != "0");
        let count = status.first("Skip_Counter");
        Ok(Look {
            is_running: status.first("Replica_SQL_Running").as_deref() == Some("Yes"),
            error: status.first("Last_SQL_Error").filter(|_| has_error),
            gtid,
            skip_counter: count.and_then(|count| count.parse().ok()).unwrap_or(0),
        })
    }
}

async fn skip(arguments: &SkipArguments, server: &Server) -> Result<(), Failure> {
    let connected = server.connect(WITHIN).await;
    let client = connected.map_err(|error| Failure::failed(&server.name, error))?;
    let name = server.name.as_str();
    let mut replica = Replica { name, client };
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

/// Passes over the transaction at which the applier stands.
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
    replica
        .run("SET GLOBAL sql_replica_skip_counter = 1")
        .await?;
    if let Err(failure) = replica.run("START REPLICA SQL_THREAD").await {
        // What is skipped later, nobody saw.
        replica
            .run("SET GLOBAL sql_replica_skip_counter = 0")
            .await?;
        return Err(failure);
    }
    let after = passed(replica, |look| look.skip_counter == 0).await?;
    tell(arguments, name, what, &after)
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
    let sql = format!("SELECT GTID_SUBSET('{text}', @@GLOBAL.gtid_executed)");
    let is_executed = replica.client.scalar(&sql).await;
    if is_executed
        .map_err(|error| replica.failed(&error))?
        .as_deref()
        == Some("1")
    {
        let text = format!("{text} is executed there: nothing is left to be skipped");
        return Err(Failure::failed(name, text));
    }
    warn(&text);
    question::ask(arguments.yes, &format!("Skip {text} on {name}?"))?;
    replica
        .run(&format!("SET SESSION gtid_next = '{text}'"))
        .await?;
    replica.run("BEGIN").await?;
    replica.run("COMMIT").await?;
    let was_in_the_way = before.gtid.as_deref() == Some(text.as_str());
    if was_in_the_way && !before.is_running {
        replica.run("SET SESSION gtid_next = 'AUTOMATIC'").await?;
        replica.run("START REPLICA SQL_THREAD").await?;
    }
    let after = replica.look().await?;
    tell(arguments, name, Some(&text), &after)
}

fn warn(what: &str) {
    output::note(format_args!(
        "{what} will not be applied: wherever it changes rows, the replica then differs from its \
         source"
    ));
}

/// Looks until `is_passed`, or the applier stops before.
async fn passed(
    replica: &mut Replica<'_>,
    is_passed: impl Fn(&Look) -> bool,
) -> Result<Look, Failure> {
    let began = Instant::now();
    loop {
        let look = replica.look().await?;
        if is_passed(&look) {
            return Ok(look);
        }
        if !look.is_running || began.elapsed() > PATIENCE {
            let error = look.error.unwrap_or_else(|| {
                "the applier has not come to the transaction yet; SHOW REPLICA STATUS says what \
                 it waits for"
                    .to_owned()
            });
            return Err(Failure::failed(replica.name, error));
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
