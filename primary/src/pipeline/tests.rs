//! The core, stepped: generated requests over a simulated disk, with a naive model beside it.
//!
//! No thread runs and no clock is asked: a seed decides what is asked when, how much time passes, when
//! the disk is full, fails or loses its power. After each step the invariants hold (the step itself
//! looks), and under sync_binlog=1 whatever was acknowledged is in a copy of the disk that has only
//! what was synchronised. After the crash the recovered engine is what the clients were told.

mod clients;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use binlog::log::{CrashKind, LogFlavour, RecoverOptions, SimStorage, Storage, recover};
use binlog::value::Value;
use engine::database::Database;
use engine::session::SessionContext;
use sql::error::SqlError;
use sql::{ParseOptions, parse};
use tokio::sync::oneshot;

use super::core::{Input, Next, Now};
use super::request::Request;
use crate::open::Prepared;
use crate::tests::{copy_engine, settings};
use clients::{Client, Rows};

/// Splitmix64; the choices of a life.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The row that every client counts up.
const SHARED: i64 = 0;

/// A pipeline between a crash and the next.
struct World {
    node: Prepared,
    storage: SimStorage,
    now: Now,
    next: Next,
    /// Whether the process has ended by an error.
    is_dead: bool,
    clients: Vec<Client>,
    /// Clients that are gone, and what may have become of their last words.
    gone: Vec<Client>,
    next_connection: u64,
    /// Blocks that were asked for and not ended.
    blocks: Vec<u64>,
    next_block: u64,
    operators: Vec<oneshot::Receiver<Result<(), SqlError>>>,
    /// Transactions of this life that clients know to be committed.
    acknowledged: u64,
    /// Transactions in the log when this life began.
    executed_before: u64,
    answers: Vec<String>,
}

impl World {
    fn open(directory: &Path, storage: &SimStorage, now: Now, clients: Vec<Client>) -> Self {
        let options = ["--max-binlog-size=4096", "--idle-transaction-timeout=60"];
        let log: Arc<dyn Storage> = Arc::new(storage.clone());
        let node = Prepared::open(settings(directory, &options), log, now).unwrap();
        Self {
            executed_before: executed(storage),
            node,
            storage: storage.clone(),
            now,
            next: Next::Take,
            is_dead: false,
            clients,
            gone: Vec::new(),
            next_connection: 100,
            blocks: Vec::new(),
            next_block: 1,
            operators: Vec::new(),
            acknowledged: 0,
            answers: Vec::new(),
        }
    }

    fn step(&mut self, input: Input) {
        if self.is_dead {
            return;
        }
        match self.node.pipeline.step(input, self.now) {
            Ok(next) => self.next = next,
            // What was asked and not answered is never answered.
            Err(_) => self.is_dead = true,
        }
        // A step takes some time.
        self.pass(Duration::from_micros(50));
        self.hear();
    }

    fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall_micros += u64::try_from(time.as_micros()).unwrap();
    }

    /// Takes the answers, and looks whether they may have been given.
    fn hear(&mut self) {
        let mut committed = 0;
        for client in &mut self.clients {
            let Some(answer) = client.hear() else {
                continue;
            };
            self.answers.push(answer.text);
            committed += answer.committed;
        }
        if committed == 0 {
            return;
        }
        self.acknowledged += committed;
        let durable = executed(&self.storage.durable());
        assert!(
            durable >= self.executed_before + self.acknowledged,
            "{durable} transactions are durable, {} were there and {} are acknowledged",
            self.executed_before,
            self.acknowledged
        );
    }

    /// Steps until there is nothing to do.
    fn settle(&mut self) {
        for _ in 0..1000 {
            match self.next {
                _ if self.is_dead => return,
                Next::Wait(_) | Next::Stop => return,
                Next::Go | Next::Take => self.step(Input::Nothing),
            }
        }
        panic!("the pipeline does not come to rest");
    }

    /// Gives a request to the pipeline as its thread would.
    fn ask(&mut self, request: Request) {
        for _ in 0..1000 {
            if self.is_dead || self.next != Next::Go {
                break;
            }
            self.step(Input::Nothing);
        }
        self.step(Input::Request(request));
    }

    /// One thing that happens.
    fn act(&mut self, choices: &mut Choices) {
        match choices.below(40) {
            0..=23 => self.client_asks(choices),
            24..=28 => self.settle(),
            29 | 30 => self.pass(Duration::from_secs(choices.below(50))),
            31 => self.operator_asks(choices),
            32 => self.end_blocks(),
            33 => self.client_leaves(choices),
            34 => {
                let room = choices.below(600);
                let space = if choices.one_in(3) { Some(room) } else { None };
                self.storage.set_space(space);
            }
            35 => self.fence(choices),
            36 => self.client_is_killed(choices),
            37 if choices.one_in(8) => self.storage.fail_syncs(1),
            _ => self.step(Input::Nothing),
        }
    }

    fn client_asks(&mut self, choices: &mut Choices) {
        let at = usize::try_from(choices.below(self.clients.len() as u64)).unwrap();
        let deadline = self.now.monotonic + Duration::from_secs(20);
        let request = self.clients[at].ask(choices, deadline);
        if let Some(request) = request {
            self.ask(request);
        }
    }

    fn client_leaves(&mut self, choices: &mut Choices) {
        let at = usize::try_from(choices.below(self.clients.len() as u64)).unwrap();
        let connection_id = self.clients[at].connection_id();
        self.next_connection += 1;
        let next = Client::new(self.next_connection);
        self.gone
            .push(std::mem::replace(&mut self.clients[at], next));
        self.ask(Request::Disconnected(connection_id));
    }

    fn client_is_killed(&mut self, choices: &mut Choices) {
        let at = usize::try_from(choices.below(self.clients.len() as u64)).unwrap();
        self.clients[at].withdraw();
    }

    fn operator_asks(&mut self, choices: &mut Choices) {
        let (reply, answer) = oneshot::channel();
        self.operators.push(answer);
        match choices.below(3) {
            0 => self.ask(Request::Rotate(reply)),
            1 => {
                let owner = self.clients[0].connection_id();
                let owner = choices.one_in(2).then_some(owner);
                self.next_block += 1;
                self.blocks.push(self.next_block);
                self.ask(Request::Block(self.next_block, owner, reply));
            }
            _ => self.ask(Request::SettleFence(reply)),
        }
    }

    fn end_blocks(&mut self) {
        for id in std::mem::take(&mut self.blocks) {
            self.ask(Request::Unblock(id));
        }
    }

    fn fence(&mut self, choices: &mut Choices) {
        let is_closed = choices.one_in(3);
        self.node.fence.set(is_closed, is_closed);
    }

    /// Whatever still has to be said is said: no block, no fence, room, time.
    fn calm_down(&mut self) {
        self.storage.set_space(None);
        self.node.fence.set(false, false);
        self.end_blocks();
        self.settle();
        for _ in 0..4 {
            self.pass(Duration::from_secs(61));
            self.step(Input::Nothing);
            self.settle();
        }
    }
}

/// The transactions that the log on `storage` has.
fn executed(storage: &SimStorage) -> u64 {
    let options = RecoverOptions {
        base: "b".to_owned(),
        index: "b.index".to_owned(),
        flavour: LogFlavour::Binary,
        force_truncate: false,
    };
    let copy: Arc<dyn Storage> = Arc::new(storage.durable());
    recover(&copy, &options).unwrap().gtid_executed.count()
}

/// Every row of the table.
fn rows(database: &Database) -> BTreeMap<i64, i64> {
    let parsed = parse(b"SELECT id, v FROM d.t", &ParseOptions::default()).unwrap();
    let mut session = SessionContext::new(0);
    let mut reader = database.reader().unwrap();
    let found = reader.query(&parsed, &[], &mut session).unwrap();
    let number = |value: &Value<'_>| match value {
        Value::Int(value) => *value,
        other => panic!("{other:?}"),
    };
    let rows = found.rows.iter();
    rows.map(|row| (number(&row[0]), number(&row[1]))).collect()
}

/// Whether the engine has of each client one of the states that it may believe in, and the shared row
/// counts what they did to it. The clients go on from there.
fn check(found: &BTreeMap<i64, i64>, clients: &mut [Client], what: &str) {
    let mut known = 0;
    let mut possible = Vec::new();
    for client in clients.iter() {
        let own: BTreeMap<i64, i64> = found
            .range(client.ids())
            .map(|(id, value)| (*id, *value))
            .collect();
        known += own.len();
        let candidates = client.candidates();
        let matching = candidates.iter().filter(|state| state.rows == own);
        possible.push(matching.cloned().collect::<Vec<_>>());
        if possible.last().is_some_and(Vec::is_empty) {
            panic!("{what}: {own:?} is none of {candidates:?}");
        }
    }
    assert_eq!(known + 1, found.len(), "{what}: rows of nobody");
    let shared = found[&SHARED];
    let Some(states) = with_bumps(&possible, shared) else {
        panic!("{what}: the shared row is {shared}, the clients have {possible:?}");
    };
    for (client, state) in clients.iter_mut().zip(states) {
        client.go_on(state);
    }
}

/// One state of each client, so that together they have counted up to `sum`.
fn with_bumps(possible: &[Vec<Rows>], sum: i64) -> Option<Vec<Rows>> {
    let Some((first, others)) = possible.split_first() else {
        return (sum == 0).then(Vec::new);
    };
    first.iter().find_map(|state| {
        let mut states = with_bumps(others, sum - state.bumps)?;
        states.insert(0, state.clone());
        Some(states)
    })
}

fn start(seed: u64, directory: &Path) -> (SimStorage, Now) {
    let now = Now {
        monotonic: Instant::now(),
        wall_micros: 1_700_000_000_000_000 + seed,
    };
    let storage = SimStorage::new(seed);
    let mut world = World::open(directory, &storage, now, Vec::new());
    let mut client = Client::new(1);
    for sql in [
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY, v INT NOT NULL)",
        "INSERT INTO d.t VALUES (0, 0)",
    ] {
        let deadline = now.monotonic + Duration::from_secs(20);
        world.ask(client.statement(sql, deadline));
        world.settle();
        let answer = client.hear().unwrap();
        assert_eq!(answer.committed, 1, "{sql}: {}", answer.text);
    }
    let now = world.now;
    world.node.pipeline.close(now).unwrap();
    (storage, now)
}

/// Lives of one node on one disk. What clients were told, in order.
fn chain(seed: u64) -> Vec<String> {
    let mut choices = Choices(seed);
    let directory = tempfile::tempdir().unwrap();
    let earlier = tempfile::tempdir().unwrap();
    let (mut storage, mut now) = start(seed, directory.path());
    let mut told = Vec::new();
    let mut clients: Vec<Client> = (2..6).map(Client::new).collect();
    for life in 0..3 {
        copy_engine(directory.path(), earlier.path());
        let what = format!("seed {seed} life {life}");
        let mut world = World::open(directory.path(), &storage, now, clients);
        world.next_connection = 100 * (life + 1);
        if choices.one_in(3) {
            storage.stop_after(choices.below(200));
        }
        for _ in 0..30 + choices.below(110) {
            world.act(&mut choices);
        }
        let is_peaceful = choices.one_in(3);
        if is_peaceful {
            world.calm_down();
            let mut waiting = world.clients.iter().filter(|client| client.waits());
            let is_answered = world.is_dead || waiting.next().is_none();
            assert!(is_answered, "{what}: somebody waits for ever");
        }
        (now, clients) = (world.now, world.clients);
        clients.append(&mut world.gone);
        told.append(&mut world.answers);
        let closes = is_peaceful && !world.is_dead;
        let Prepared {
            pipeline,
            database,
            datadir,
            ..
        } = world.node;
        if closes {
            let _ = pipeline.close(now);
        } else {
            drop(pipeline);
        }
        drop((database, datadir));
        let kind = match choices.below(2) {
            0 => CrashKind::Process,
            _ => CrashKind::Power,
        };
        if kind == CrashKind::Power && choices.one_in(2) {
            // The engine falls back to what it was when this life began.
            copy_engine(earlier.path(), directory.path());
        }
        storage = storage.crash(kind, choices.below(u64::MAX));
        storage.set_space(None);
        let recovered = World::open(directory.path(), &storage, now, Vec::new());
        check(&rows(&recovered.node.database), &mut clients, &what);
        recovered.node.pipeline.close(now).unwrap();
    }
    told
}

#[test]
fn nothing_is_acknowledged_before_it_is_durable_and_nothing_acknowledged_is_lost() {
    for seed in 0..80 {
        chain(seed);
    }
}

#[test]
fn the_same_requests_at_the_same_times_get_the_same_answers() {
    let mut answers = 0;
    for seed in 1000..1005 {
        let told = chain(seed);
        assert_eq!(told, chain(seed), "seed {seed}");
        answers += told.len();
    }
    assert!(answers > 200, "{answers} answers");
}
