//! `weir demo`: the main job, seen in half a minute.
//!
//! A primary and two replicas run as processes of their own, configured by option files that stay
//! readable beside them. Sessions write; nodes are killed with SIGKILL in the middle and started
//! again; at the end every row of every table is compared, and every transaction that was
//! acknowledged must be there. The demo succeeds only if that is proven.

mod cluster;
mod display;
mod lag;
mod proof;
mod report;
mod schedule;
mod workload;

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::arguments::DemoArguments;
use crate::exit::Failure;
use crate::signals::Signals;

use cluster::{Cluster, NodeName};
use display::Display;
use lag::LagBoard;
use report::Report;
use workload::Workload;

/// How long a killed node stays down.
const DOWN: Duration = Duration::from_millis(500);

/// For the replicas to have everything once the writers stopped.
const CATCH_UP: Duration = Duration::from_secs(60);

pub(crate) fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("cannot start the runtime", error))?;
    let outcome = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let mut cluster = Cluster::create(arguments.dir.as_deref())?;
        // Whichever way this ends, the nodes end with `cluster`.
        let outcome = tokio::select! {
            outcome = demonstrate(arguments, &mut cluster) => outcome,
            _ = signals.next() => Err(Failure::Failed("interrupted".to_owned())),
        };
        cluster.end(outcome.is_ok()).await;
        outcome
    });
    runtime.shutdown_background();
    outcome
}

async fn demonstrate(arguments: &DemoArguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let started = Instant::now();
    let display = Display::new();
    display.event("primary and two replicas: making data directories");
    cluster.initialize().await?;
    cluster.start_all().await?;
    display.event(&format!(
        "running in {} ({})",
        cluster.directory().display(),
        cluster.ports()
    ));
    workload::create_tables(&cluster.server(NodeName::Primary)).await?;

    let (stop, stopped) = watch::channel(false);
    let workload = Workload::begin(cluster, arguments.writers, &stopped);
    let lag = LagBoard::begin(cluster, &stopped);
    display.event(&format!(
        "{} sessions write for {} s",
        arguments.writers, arguments.seconds
    ));
    let disturbed = disturb(arguments.seconds, cluster, &workload, &lag, &display).await;
    stop.send_replace(true);
    let kills = disturbed?;
    let written = workload.end().await?;

    display.event("writers stopped; waiting for the replicas to have everything");
    proof::wait_until_equal(cluster, CATCH_UP).await?;
    let lag = lag.end().await;
    display.event("comparing every row of every table");
    let comparison = proof::compare(cluster, &written.acknowledged).await?;
    let report = Report {
        comparison,
        written,
        kills,
        lag,
        took: started.elapsed(),
    };
    report.tell(arguments.json)?;
    if report.comparison.is_identical() {
        Ok(())
    } else {
        Err(Failure::Failed(format!(
            "the copies differ; look at {}",
            cluster.directory().display()
        )))
    }
}

/// Lets the workload run for `seconds`, killing and starting nodes by the schedule and showing
/// how it fares; the number of kills.
async fn disturb(
    seconds: u64,
    cluster: &mut Cluster,
    workload: &Workload,
    lag: &LagBoard,
    display: &Display,
) -> Result<u32, Failure> {
    let begin = Instant::now();
    let mut kills = 0;
    let mut events = schedule::kills(Duration::from_secs(seconds))
        .into_iter()
        .peekable();
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    while begin.elapsed() < Duration::from_secs(seconds) {
        ticks.tick().await;
        if let Some(problem) = workload.problem() {
            return Err(Failure::Failed(problem));
        }
        if let Some(event) = events.next_if(|event| event.at <= begin.elapsed()) {
            for name in event.nodes {
                cluster.kill(*name)?;
                display.event(&format!("kill -9 {name}"));
                kills += 1;
            }
            tokio::time::sleep(DOWN).await;
            for name in event.nodes {
                let down = cluster.start(*name).await?;
                let millis = down.as_millis();
                display.event(&format!("{name} recovered and answers after {millis} ms"));
            }
        }
        display.state(begin.elapsed(), workload.transactions(), kills, &lag.now());
    }
    Ok(kills)
}
