//! Clients that together ask for more memory than a node may take, and those beside them.

use std::time::{Duration, Instant};

use integration::failure::ensure;
use integration::wait::{PATIENCE, until};
use integration::wire::{Wire, error_code};
use integration::{Client, Failure, Result, Weir};

use crate::hostile::{ANSWER_MAX, RESIDENT_MAX};

/// The node is small, and was all the time.
fn check_peak(node: &mut Weir) -> Result {
    let process = node.process().ok_or_else(|| Failure::new("no process"))?;
    let largest = process.peak_bytes()?;
    ensure(largest < RESIDENT_MAX, || format!("{} MiB", largest >> 20))
}

/// A statement of another session is answered in time.
async fn check_answer(root: &mut Client) -> Result {
    let began = Instant::now();
    root.value("SELECT 1").await?;
    ensure(began.elapsed() < ANSWER_MAX, || {
        format!("answered after {:?}", began.elapsed())
    })
}

/// Does one thing in as many threads.
async fn all_at_once<T: Send + 'static>(
    count: usize,
    work: impl Fn(usize) -> Result<T> + Clone + Send + 'static,
) -> Result<Vec<T>> {
    let mut running = tokio::task::JoinSet::new();
    for number in 0..count {
        let work = work.clone();
        running.spawn_blocking(move || work(number));
    }
    running.join_all().await.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_packets_of_many_clients_share_what_memory_there_is() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    let port = node.port;
    let clients = all_at_once(30, move |_| {
        let mut wire = Wire::login(port, "root", None)?;
        let mut packet = vec![0xff, 0xff, 0xff, 0, 3];
        packet.resize(15 << 20, b'x');
        // The node takes it when there is room; it never gets all of it.
        drop(wire.raw_within(&packet, Duration::from_secs(2)));
        Ok(wire)
    })
    .await?;
    check_answer(&mut root).await?;
    drop(clients);
    check_answer(&mut root).await?;
    check_peak(&mut node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_texts_of_many_clients_are_answered_or_refused() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    let port = node.port;
    let text = format!("\u{3}SELECT LENGTH('{}')", "x".repeat(15 << 20));
    let text = std::sync::Arc::new(text);
    let answers = all_at_once(5, move |_| {
        let mut wire = Wire::login(port, "root", None)?;
        wire.be_patient(PATIENCE)?;
        wire.command(text.as_bytes())?;
        let answer = wire.read()?;
        Ok(error_code(&answer))
    })
    .await?;
    check_answer(&mut root).await?;
    for answer in &answers {
        let is_refusal = matches!(answer, Some(1041 | 3170));
        ensure(answer.is_none() || is_refusal, || format!("{answers:?}"))?;
    }
    ensure(answers.iter().any(Option::is_none), || {
        format!("nobody was answered: {answers:?}")
    })?;
    check_peak(&mut node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_data_is_kept_up_to_a_limit_for_all_statements() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    let mut wire = Wire::login(node.port, "root", None)?;
    let prepare = [&[0x16], &b"SELECT LENGTH(?)"[..]].concat();
    for id in 1..=12_u32 {
        wire.command(&prepare)?;
        for _ in 0..5 {
            wire.read()?;
        }
        let mut piece = vec![0x18];
        piece.extend(id.to_le_bytes());
        piece.extend([0, 0]);
        piece.resize(5 << 20, b'y');
        for _ in 0..3 {
            wire.command(&piece)?;
        }
    }
    check_answer(&mut root).await?;
    let mut codes = Vec::new();
    for id in 1..=12_u32 {
        let mut execute = vec![0x17];
        execute.extend(id.to_le_bytes());
        execute.extend([0, 1, 0, 0, 0, 0, 1, 0xfc, 0]);
        wire.command(&execute)?;
        let answer = wire.read()?;
        codes.push(error_code(&answer));
        if error_code(&answer).is_none() {
            for _ in 0..4 {
                wire.read()?;
            }
        }
    }
    // The first one fits; those that did not say why, and the session goes on.
    ensure(codes.first() == Some(&None), || format!("{codes:?}"))?;
    ensure(codes.last() == Some(&Some(1041)), || format!("{codes:?}"))?;
    ensure(wire.query("SELECT 1")?, || {
        "the session is broken".to_owned()
    })?;
    check_peak(&mut node)
}

/// A list of as many words as take a large part of the memory for statements.
fn large_query(first: &str) -> String {
    format!("SELECT {first}, 1 IN (2{})", ",1".repeat(110_000))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_statement_that_sleeps_keeps_no_other_out() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let port = node.port;
    let mut sleepers = Vec::new();
    for _ in 0..2 {
        let mut wire = Wire::login(port, "root", None)?;
        let text = large_query("SLEEP(600)");
        wire.command(&[&[3], text.as_bytes()].concat())?;
        sleepers.push(wire);
    }
    let mut root = node.client().await?;
    let asleep =
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'";
    until("two statements sleep", PATIENCE, async || {
        let seen = node.client().await?.value(asleep).await?;
        Ok((seen.to_string() == "2")
            .then_some(())
            .ok_or_else(|| format!("{seen:?}")))
    })
    .await?;
    for _ in 0..3 {
        root.value(&large_query("7")).await?;
        check_answer(&mut root).await?;
    }
    check_peak(&mut node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_statement_caches_of_many_drivers_find_room() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let port = node.port;
    // 20 connections of 100 statements: as trees they would take three times what all may have.
    let sums = all_at_once(20, move |_| {
        let mut wire = Wire::login(port, "root", None)?;
        let sql = format!("SELECT ?{}", " + ?".repeat(30));
        for _ in 0..100 {
            wire.command(&[&[0x16], sql.as_bytes()].concat())?;
            let answer = wire.read()?;
            ensure(error_code(&answer).is_none(), || {
                format!("prepared: {:?}", error_code(&answer))
            })?;
            for _ in 0..31 + 1 + 1 + 1 {
                wire.read()?;
            }
        }
        // The first one has its tree, the last one is read again.
        for id in [1_u32, 100] {
            let mut execute = vec![0x17];
            execute.extend(id.to_le_bytes());
            execute.extend([0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
            execute.extend([8, 0].repeat(31));
            execute.extend([2, 0, 0, 0, 0, 0, 0, 0].repeat(31));
            wire.command(&execute)?;
            wire.read()?;
            wire.read()?;
            wire.read()?;
            let row = wire.read()?;
            ensure(row.get(2..4) == Some(&[62, 0]), || {
                format!("{id}: {row:02x?}")
            })?;
            wire.read()?;
        }
        Ok(())
    })
    .await?;
    ensure(sums.len() == 20, || "not all were served".to_owned())?;
    check_peak(&mut node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn like_within_one_row_ends_when_its_time_is_over_or_it_is_killed() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut client = node.client().await?;
    let pattern = format!("%{}b", "a".repeat(50_000));
    let like = format!("SELECT REPEAT('a', 2000000) LIKE '{pattern}'");
    client.execute("SET max_execution_time = 300").await?;
    let began = Instant::now();
    let answer = client.attempt(&like).await?;
    ensure(
        answer
            .as_ref()
            .err()
            .is_some_and(|error| error.code == 3024),
        || format!("{answer:?}"),
    )?;
    ensure(began.elapsed() < Duration::from_secs(10), || {
        format!("ended after {:?}", began.elapsed())
    })
}
