//! `weir status`: role, position and lag of any number of servers, once or live.

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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("cannot start the runtime", error))?;
    runtime.block_on(watch(arguments, servers, interval))
}

async fn watch(
    arguments: &StatusArguments,
    servers: Vec<Server>,
    interval: Duration,
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
            looks = look_at_all(&mut watched) => looks,
            _ = signals.next() => return Ok(()),
        };
        if arguments.json {
            output::line(json!({"time": now(), "servers": looks}))?;
        } else if !arguments.once && stdout().is_terminal() {
            output::line(format_args!(
                "{CLEAR}{}\n\n{}",
                now(),
                table::render(&looks)
            ))?;
        } else {
            output::line(table::render(&looks))?;
        }
        if arguments.once {
            let all = looks.iter().all(|look| look.error.is_none());
            return if all { Ok(()) } else { Err(Failure::Told) };
        }
    }
}

/// Asks all servers at the same time; the slowest decides, within the time-out of one.
async fn look_at_all(watched: &mut Vec<Watched>) -> Vec<Look> {
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
    look::compare(&mut looks);
    looks
}

fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}
