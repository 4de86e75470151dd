//! Lag as a client sees it: from the acknowledgement of a commit on the primary to the moment a
//! query on the replica shows the row.
//!
//! A prober commits a numbered row every few milliseconds; one watcher per replica asks for the
//! highest number it can see. Outages count: while a replica is down its lag grows, and the rows
//! it shows late are samples like all others. The watcher's own pause bounds the resolution.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cluster::{Cluster, NodeName, STATEMENT};
use crate::client::Server;

/// Between two probes.
const PROBE: Duration = Duration::from_millis(20);
/// Between two looks of a watcher: the resolution of the measurement.
const LOOK: Duration = Duration::from_millis(1);
/// Between two attempts to reach a node that is down.
const RECONNECT: Duration = Duration::from_millis(20);
/// For the watchers to see the last probe after the writers stopped.
const LAST: Duration = Duration::from_secs(10);

/// What the prober committed and the watchers saw.
#[derive(Default)]
struct Board {
    /// When probe `n + 1` was acknowledged; `None` for one whose acknowledgement was lost.
    committed: Vec<Option<Instant>>,
    /// By replica.
    replicas: [Seen; 2],
}

#[derive(Default)]
struct Seen {
    /// Probes seen: all up to this number.
    through: usize,
    /// Every sample.
    samples: Vec<Duration>,
    is_reachable: bool,
}

/// The running measurement.
pub(super) struct LagBoard {
    /// Written by the prober and the watchers for moments, read by the display.
    board: Arc<Mutex<Board>>,
    prober: JoinHandle<()>,
    watchers: Vec<JoinHandle<()>>,
    /// Tells the watchers that no probe will follow.
    ended: watch::Sender<bool>,
}

/// The lag of a replica now.
pub(super) struct Now {
    pub(super) name: NodeName,
    /// Age of the oldest commit that is not visible yet; the last sample if all are.
    pub(super) lag: Duration,
    pub(super) is_reachable: bool,
}

/// All samples of both replicas.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct LagSamples(Vec<Duration>);

impl LagBoard {
    /// Starts the prober, which stops with `stopped`, and the watchers.
    pub(super) fn begin(cluster: &Cluster, stopped: &watch::Receiver<bool>) -> Self {
        let board = Arc::new(Mutex::new(Board::default()));
        let (ended, end) = watch::channel(false);
        let primary = cluster.server(NodeName::Primary);
        let prober = tokio::spawn(probe(primary, Arc::clone(&board), stopped.clone()));
        let watchers = NodeName::REPLICAS
            .into_iter()
            .enumerate()
            .map(|(index, name)| {
                let server = cluster.server(name);
                tokio::spawn(watch_replica(
                    server,
                    index,
                    Arc::clone(&board),
                    end.clone(),
                ))
            })
            .collect();
        Self {
            board,
            prober,
            watchers,
            ended,
        }
    }

    /// The lag of both replicas.
    pub(super) fn now(&self) -> [Now; 2] {
        let board = lock(&self.board);
        let [one, other] = &board.replicas;
        [(NodeName::Replica1, one), (NodeName::Replica2, other)].map(|(name, seen)| {
            let waiting = board.committed.iter().skip(seen.through).flatten().next();
            let last = seen.samples.last().copied().unwrap_or_default();
            let lag = waiting.map_or(last, Instant::elapsed);
            Now {
                name,
                lag,
                is_reachable: seen.is_reachable,
            }
        })
    }

    /// Waits for the last probe to be seen and gives all samples.
    pub(super) async fn end(self) -> LagSamples {
        let _ = self.prober.await;
        self.ended.send_replace(true);
        for watcher in self.watchers {
            let _ = tokio::time::timeout(LAST, watcher).await;
        }
        let board = lock(&self.board);
        let mut samples: Vec<Duration> = board
            .replicas
            .iter()
            .flat_map(|seen| seen.samples.iter().copied())
            .collect();
        samples.sort_unstable();
        LagSamples(samples)
    }
}

impl LagSamples {
    /// The sample that `permille` thousandths of all are not above; zero if there is none.
    pub(super) fn permille(&self, permille: usize) -> Duration {
        let rank = self
            .0
            .len()
            .saturating_mul(permille)
            .div_ceil(1000)
            .saturating_sub(1);
        self.0.get(rank).copied().unwrap_or_default()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

async fn probe(server: Server, board: Arc<Mutex<Board>>, stopped: watch::Receiver<bool>) {
    let mut client = None;
    let mut ticks = tokio::time::interval(PROBE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*stopped.borrow() {
        ticks.tick().await;
        let connected = match client.as_mut() {
            Some(connected) => connected,
            None => match server.connect(STATEMENT).await {
                Ok(connected) => client.insert(connected),
                Err(_) => {
                    tokio::time::sleep(RECONNECT).await;
                    continue;
                }
            },
        };
        let number = {
            let mut board = lock(&board);
            board.committed.push(None);
            board.committed.len()
        };
        let statement = format!("INSERT INTO demo.probe VALUES ({number})");
        match connected.query(&statement).await {
            Ok(_) => {
                let now = Instant::now();
                if let Some(committed) = lock(&board).committed.last_mut() {
                    *committed = Some(now);
                }
            }
            Err(error) if error.code().is_some() => {}
            Err(_) => client = None,
        }
    }
}

async fn watch_replica(
    server: Server,
    index: usize,
    board: Arc<Mutex<Board>>,
    end: watch::Receiver<bool>,
) {
    let mut client = None;
    loop {
        let connected = match client.as_mut() {
            Some(connected) => connected,
            None => match server.connect(STATEMENT).await {
                Ok(connected) => client.insert(connected),
                Err(_) => {
                    lock(&board).reachable(index, false);
                    tokio::time::sleep(RECONNECT).await;
                    continue;
                }
            },
        };
        match connected.scalar("SELECT MAX(id) FROM demo.probe").await {
            Ok(highest) => {
                let seen = highest
                    .and_then(|text| text.parse().ok())
                    .unwrap_or_default();
                let all_seen = lock(&board).saw(index, seen, Instant::now());
                if all_seen && *end.borrow() {
                    return;
                }
            }
            // The table is not there yet.
            Err(error) if error.code().is_some() => lock(&board).reachable(index, true),
            Err(_) => client = None,
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Board {
    fn reachable(&mut self, index: usize, is_reachable: bool) {
        if let Some(seen) = self.replicas.get_mut(index) {
            seen.is_reachable = is_reachable;
        }
    }

    /// Replica `index` shows every probe up to `through`; whether these are all acknowledged ones.
    fn saw(&mut self, index: usize, through: usize, now: Instant) -> bool {
        let Some(seen) = self.replicas.get_mut(index) else {
            return true;
        };
        seen.is_reachable = true;
        for committed in self
            .committed
            .iter()
            .take(through)
            .skip(seen.through)
            .flatten()
        {
            seen.samples.push(now.saturating_duration_since(*committed));
        }
        seen.through = seen.through.max(through);
        self.committed
            .iter()
            .skip(seen.through)
            .flatten()
            .next()
            .is_none()
    }
}

fn lock(board: &Mutex<Board>) -> std::sync::MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Board, LagSamples};

    #[test]
    fn every_acknowledged_probe_is_one_sample_per_replica() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut board = Board {
            committed: vec![Some(after(0)), None, Some(after(40)), Some(after(60))],
            ..Board::default()
        };
        assert!(!board.saw(0, 1, after(5)));
        assert!(!board.saw(0, 3, after(45)));
        assert!(!board.saw(0, 3, after(50)));
        assert!(board.saw(0, 4, after(1060)));
        let millis: Vec<u128> = board.replicas[0]
            .samples
            .iter()
            .map(Duration::as_millis)
            .collect();
        assert_eq!(millis, [5, 5, 1000]);
        assert!(board.replicas[1].samples.is_empty());
    }

    #[test]
    fn percentiles_are_samples() {
        let samples = LagSamples((1..=1000).map(Duration::from_millis).collect());
        let millis = [500, 990, 1000].map(|permille| samples.permille(permille).as_millis());
        assert_eq!(millis, [500, 990, 1000]);
        assert_eq!(LagSamples::default().permille(500), Duration::ZERO);
    }
}
