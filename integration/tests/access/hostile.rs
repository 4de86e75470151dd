//! Generated hostile statements, from several sessions at once: the process lives, stays small and
//! answers the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use integration::chance::{Chance, announce, setting};
use integration::failure::ensure;
use integration::{Client, Failure, Result, Weir};

use crate::shapes::{GROWING, LISTS, NESTED, Shape};
use crate::statements::client;

/// Most memory that the process may ever have.
pub(crate) const RESIDENT_MAX: u64 = 256 << 20;
/// Longest time that another session may wait for an answer.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(1);
/// Sessions that send hostile statements.
const SESSIONS: u64 = 3;

/// After how many statements a session empties the table that they fill.
const TRUNCATED_EVERY: u64 = 50;

/// How often each error came; 0 is none.
type Answers = BTreeMap<u16, u64>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_statements_leave_the_node_alive_small_and_answering() -> Result {
    let count = setting("WEIR_HOSTILE_STATEMENTS", 600);
    let mut chance = Chance::from_environment();
    let mut weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    let numbers: Vec<String> = (0..1000).map(|number| format!("({number})")).collect();
    root.run(&[
        "CREATE DATABASE calm",
        "CREATE TABLE calm.n (a INT)",
        &format!("INSERT INTO calm.n VALUES {}", numbers.join(",")),
        "CREATE DATABASE mine",
        "CREATE TABLE mine.t (a INT)",
        "CREATE TABLE mine.n (a INT)",
        &format!("INSERT INTO mine.n VALUES {}", numbers.join(",")),
        "CREATE USER app IDENTIFIED BY 'x'",
        "GRANT ALL ON mine.* TO app",
    ])
    .await?;
    let ended = Arc::new(AtomicBool::new(false));
    let slowest = Arc::new(AtomicU64::new(0));
    let other = tokio::spawn(ask(root, Arc::clone(&ended), Arc::clone(&slowest)));
    let sessions: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let chance = Chance::seeded(chance.below(1 << 60));
            tokio::spawn(send(weir.port, chance, count / SESSIONS))
        })
        .collect();
    let mut answers = Answers::new();
    for session in sessions {
        let seen = session
            .await
            .map_err(|error| Failure::new(error.to_string()))?
            .map_err(|failure| weir.explain(failure))?;
        for (code, count) in seen {
            *answers.entry(code).or_default() += count;
        }
    }
    ended.store(true, Ordering::Relaxed);
    other
        .await
        .map_err(|error| Failure::new(error.to_string()))??;
    let process = weir.process().ok_or_else(|| Failure::new("no process"))?;
    let largest = process.peak_bytes()?;
    let slowest = Duration::from_micros(slowest.load(Ordering::Relaxed));
    announce(&format!(
        "{count} hostile statements: answers {answers:?}, {} MiB resident at most, slowest other \
         answer {slowest:?}",
        largest >> 20
    ));
    ensure(largest < RESIDENT_MAX, || format!("{largest} bytes"))?;
    ensure(slowest < ANSWER_MAX, || {
        format!("another session waited {slowest:?}")
    })
}

/// Another session, which is to be answered within a second all the time. Its table is out of reach
/// of the others, whose damaged statements may drop what is theirs.
async fn ask(mut root: Client, ended: Arc<AtomicBool>, slowest: Arc<AtomicU64>) -> Result {
    while !ended.load(Ordering::Relaxed) {
        let before = Instant::now();
        root.value("SELECT COUNT(*) FROM calm.n").await?;
        let micros = u64::try_from(before.elapsed().as_micros()).unwrap_or(u64::MAX);
        slowest.fetch_max(micros, Ordering::Relaxed);
        integration::wait::let_run(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// One session's statements. A connection that ends is made anew; a node that ended is a failure.
async fn send(port: u16, mut chance: Chance, count: u64) -> Result<Answers> {
    let mut app = session(port).await?;
    let mut answers = Answers::new();
    for number in 0..count {
        let (name, statement) = hostile(&mut chance);
        let began = Instant::now();
        let code = match app.attempt_bytes(&statement).await {
            Ok(Ok(_)) => 0,
            Ok(Err(error)) => error.code,
            Err(failure) => {
                let failure = failure.during(format!("statement {number}: {name}"));
                app = session(port).await.map_err(|_| failure)?;
                2013
            }
        };
        *answers.entry(code).or_default() += 1;
        if number % TRUNCATED_EVERY == 0 {
            // What they insert is not to be what makes the later ones slow.
            drop(app.attempt("TRUNCATE mine.t").await);
        }
        if began.elapsed() > Duration::from_secs(20) {
            let length = statement.len();
            announce(&format!(
                "{name} of {length} bytes took {:?}",
                began.elapsed()
            ));
        }
    }
    Ok(answers)
}

/// Statements without end are cut: how long they may take is theirs to say.
async fn session(port: u16) -> Result<Client> {
    let mut app = client(port).await?;
    app.execute("SET max_execution_time = 300").await?;
    Ok(app)
}

/// A statement of some shape, of some size, perhaps in another and perhaps damaged.
fn hostile(chance: &mut Chance) -> (&'static str, Vec<u8>) {
    let (name, mut statement) = shape(chance);
    if chance.below(6) == 0 {
        let (_, inner) = shape(chance);
        statement = statement.replacen('1', &format!("({inner})"), 1);
    }
    let mut bytes = statement.into_bytes();
    if chance.below(3) == 0 {
        for _ in 0..=chance.below(8) {
            damage(chance, &mut bytes);
        }
    }
    (name, bytes)
}

fn damage(chance: &mut Chance, bytes: &mut Vec<u8>) {
    let at = usize::try_from(chance.below(bytes.len().max(1) as u64)).unwrap_or(0);
    let pick = usize::try_from(chance.below(16)).unwrap_or(0);
    let odd = b"\0'\"`()/*!@;,.\xff\\%";
    let byte = odd.get(pick).copied().unwrap_or_default();
    match chance.below(3) {
        0 => bytes.insert(at, byte),
        1 if at < bytes.len() => drop(bytes.remove(at)),
        _ => bytes
            .iter_mut()
            .skip(at)
            .take(1)
            .for_each(|old| *old = byte),
    }
    if bytes.is_empty() {
        bytes.push(b' ');
    }
}

fn shape(chance: &mut Chance) -> (&'static str, String) {
    let (shapes, largest): (&[Shape], u64) = match (chance.below(10), chance.below(200)) {
        (0..=4, 0..=9) => (&NESTED, 30_000),
        (0..=4, 10..=60) => (&NESTED, 2_000),
        (0..=4, _) => (&NESTED, 400),
        (5..=7, 0) => (&LISTS, 120_000),
        (5..=7, 1..=9) => (&LISTS, 6_000),
        (5..=7, _) => (&LISTS, 200),
        (_, 0) => (&GROWING, 80_000_000),
        (_, 1..=9) => (&GROWING, 300_000),
        (_, _) => (&GROWING, 3_000),
    };
    let index = usize::try_from(chance.below(shapes.len() as u64)).unwrap_or(0);
    let n = usize::try_from(chance.below(largest)).unwrap_or(0);
    shapes
        .get(index)
        .map_or_else(Default::default, |(name, shape)| (*name, shape(n)))
}
