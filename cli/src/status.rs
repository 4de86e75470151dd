//! `weir status`: role, position and lag of any number of servers, once or live.

mod judge;
mod look;
mod table;

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use serde_json::json;

use crate::arguments::StatusArguments;
use crate::client::{self, Server};
use crate::exit::Failure;
use crate::output;
use crate::signals::Signals;

use look::{Look, Watched};

/// Clears the screen and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

pub(crate) fn run(arguments: &StatusArguments) -> Result<(), Failure> {
    let password = client::password(arguments.password_file.as_deref()).map_err(Failure::Usage)?;
    let servers: Result<Vec<Server>, String> = arguments
        .urls
        .iter()
        .map(|url| Server::parse(url, password.as_deref()))
        .collect();
    let servers = servers.map_err(Failure::Usage)?;
    let interval = Duration::try_from_secs_f64(arguments.interval)
        .map_err(|_| Failure::Usage("--interval must be a number of seconds".to_owned()))?
        .max(Duration::from_millis(50));
    let lag_max = arguments.max_lag.map(|span| span.as_secs_f64());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("cannot start the runtime", error))?;
    runtime.block_on(watch(arguments, servers, interval, lag_max))
}

async fn watch(
    arguments: &StatusArguments,
    servers: Vec<Server>,
    interval: Duration,
    lag_max: Option<f64>,
) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let mut watched: Vec<Watched> = servers.into_iter().map(Watched::new).collect();
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = signals.next() => return Ok(()),
        }
        let looks = tokio::select! {
            looks = look_at_all(&mut watched, lag_max) => looks,
            _ = signals.next() => return Ok(()),
        };
        let is_once = arguments.once || arguments.check;
        if arguments.json {
            output::line(json!({"time": now(), "servers": looks}))?;
        } else if arguments.check {
            output::line(verdict(&looks))?;
        } else if !is_once && stdout().is_terminal() {
            output::line(format_args!(
                "{CLEAR}{}\n\n{}",
                now(),
                table::render(&looks)
            ))?;
        } else {
            output::line(table::render(&looks))?;
        }
        if is_once {
            let all = looks.iter().all(|look| look.problems.is_empty());
            return if all { Ok(()) } else { Err(Failure::Told) };
        }
    }
}

/// Asks all servers at the same time; the slowest decides, within the time-out of one.
async fn look_at_all(watched: &mut Vec<Watched>, lag_max: Option<f64>) -> Vec<Look> {
    let tasks: Vec<_> = watched
        .drain(..)
        .map(|mut server| {
            tokio::spawn(async move {
                let look = server.look().await;
                (server, look)
            })
        })
        .collect();
    let mut looks = Vec::with_capacity(tasks.len());
    for task in tasks {
        // A task ends otherwise only when the runtime does, and then nobody reads on.
        if let Ok((server, look)) = task.await {
            watched.push(server);
            looks.push(look);
        }
    }
    judge::compare(&mut looks);
    for look in &mut looks {
        look.problems = judge::problems(look, lag_max);
    }
    looks
}

/// What `--check` says: a line per problem, or that there is none.
fn verdict(looks: &[Look]) -> String {
    let problems = looks.iter().flat_map(|look| {
        let problems = look.problems.iter();
        problems.map(|problem| format!("{}: {}", look.server, problem.replace('\n', " ")))
    });
    let problems: Vec<String> = problems.collect();
    match (problems.is_empty(), looks.len()) {
        (false, _) => problems.join("\n"),
        (true, 1) => "ok: 1 server".to_owned(),
        (true, count) => format!("ok: {count} servers"),
    }
}

fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}
