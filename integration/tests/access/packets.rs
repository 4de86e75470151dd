//! Packets that no client sends, before and after the login: the process lives, stays small and
//! answers the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use integration::chance::{Chance, announce, setting};
use integration::failure::ensure;
use integration::wire::{Wire, login};
use integration::{Failure, Result, Weir};

use crate::conversations::{self, Known};
use crate::hostile::{ANSWER_MAX, RESIDENT_MAX};

const CAPABILITIES_COMPRESS: u32 = 0x0008_a205 | 0x0020_0000 | 0x20;

fn bytes(chance: &mut Chance, most: u64) -> Vec<u8> {
    let count = chance.below(most);
    (0..count).map(|_| byte(chance)).collect()
}

fn byte(chance: &mut Chance) -> u8 {
    u8::try_from(chance.below(256)).unwrap_or(0)
}

/// A packet whose header may lie about its length or its number.
fn packet(chance: &mut Chance, payload: &[u8]) -> Vec<u8> {
    let length = match chance.below(8) {
        0 => payload.len().saturating_sub(1),
        1 => payload.len() + 1,
        2 => 0xff_ffff,
        3 => usize::try_from(chance.below(1 << 24)).unwrap_or(0),
        _ => payload.len(),
    };
    let sequence = if chance.below(6) == 0 {
        byte(chance)
    } else {
        0
    };
    let [a, b, c, ..] = length.to_le_bytes();
    [&[a, b, c, sequence], payload].concat()
}

/// A login that is cut, lies or is noise.
fn before_login(chance: &mut Chance) -> Vec<u8> {
    let mut payload = login(
        "root",
        &bytes(chance, 40),
        "caching_sha2_password",
        Some("d"),
    );
    match chance.below(6) {
        0 => payload.truncate(usize::try_from(chance.below(80)).unwrap_or(0)),
        1 => payload = bytes(chance, 300),
        2 => {
            for _ in 0..4 {
                let at = usize::try_from(chance.below(payload.len() as u64)).unwrap_or(0);
                if let Some(slot) = payload.get_mut(at) {
                    *slot = byte(chance);
                }
            }
        }
        3 => payload.extend(bytes(chance, 5000)),
        // A request for TLS, and then no TLS.
        4 => payload = [&0x0028_aa05_u32.to_le_bytes()[..], &[0; 28]].concat(),
        _ => {}
    }
    let mut packet = packet(chance, &payload);
    if let Some(sequence) = packet.get_mut(3).filter(|sequence| **sequence == 0) {
        *sequence = 1;
    }
    packet.extend(bytes(chance, 60));
    packet
}

/// What large bodies are made of.
const FILLERS: [&[u8]; 16] = [
    b"(", b"x", b"\0", b"'", b"\"", b"`", b"/*!", b"\xff", b"7", b",", b"1,", b"((),", b"a.", b"@",
    b";", b"'',",
];

/// A command with a body that may be anything.
fn command(chance: &mut Chance) -> Vec<u8> {
    let code = match chance.below(4) {
        0 => byte(chance),
        _ => {
            let known =
                b"\x02\x03\x04\x09\x0c\x0d\x0e\x11\x12\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1e\x1f";
            let at = usize::try_from(chance.below(known.len() as u64)).unwrap_or(0);
            known.get(at).copied().unwrap_or(3)
        }
    };
    // What ends or refreshes the node by intent is none of this.
    let code = if matches!(code, 0x07 | 0x08) {
        0x0e
    } else {
        code
    };
    let mut body = match (code, chance.below(3)) {
        (0x03, 0) => b"SELECT 1".to_vec(),
        (0x16, 0) => b"SELECT ?, ? LIMIT ?".to_vec(),
        (0x17, 0) => [&[1, 0, 0, 0, 0, 1, 0, 0, 0], &bytes(chance, 60)[..]].concat(),
        (0x18, 0) => [&[1, 0, 0, 0, 1, 0], &bytes(chance, 2000)[..]].concat(),
        (0x11, 0) => [b"root\0\x14", &bytes(chance, 80)[..]].concat(),
        (0x12, 0) => [&[4, 0, 0, 0, 1, 0, 9, 0, 0, 0], &bytes(chance, 40)[..]].concat(),
        (0x1e, 0) => {
            let mut dump = vec![1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
            let set = bytes(chance, 120);
            dump.extend(
                u32::try_from(set.len() as u64 + chance.below(3))
                    .unwrap_or(0)
                    .to_le_bytes(),
            );
            dump.extend(set);
            dump
        }
        _ => bytes(chance, 400),
    };
    if chance.below(200) == 0 {
        let filler = FILLERS
            .get(usize::try_from(chance.below(FILLERS.len() as u64)).unwrap_or(0))
            .copied()
            .unwrap_or_default();
        let missing = (3_usize << 20).saturating_sub(body.len());
        body.extend(filler.iter().cycle().take(missing));
    }
    [&[code], &body[..]].concat()
}

/// One hostile connection; whatever it comes to is fine.
fn attack(port: u16, chance: &mut Chance, known: &Known) -> Result {
    match chance.below(5) {
        0 => {
            let mut wire = Wire::connect(port)?;
            let _ = wire.raw(&before_login(chance));
            let _ = wire.end();
            let _ = wire.drained();
        }
        1 => {
            let mut wire = Wire::connect(port)?;
            let mut payload = login("root", &[], "caching_sha2_password", None);
            payload.splice(..4, CAPABILITIES_COMPRESS.to_le_bytes());
            let _ = wire.send(&payload);
            let _ = wire.read();
            let mut frame = bytes(chance, 200);
            let lies = [frame.len() as u64, chance.below(1 << 24), 0];
            let at = usize::try_from(chance.below(3)).unwrap_or(0);
            let [a, b, c, ..] = lies.get(at).copied().unwrap_or(0).to_le_bytes();
            let [x, y, z, ..] = chance.below(1 << 24).to_le_bytes();
            frame.splice(..0, [a, b, c, 0, x, y, z]);
            let _ = wire.raw(&frame);
            let _ = wire.end();
            let _ = wire.drained();
        }
        2 => conversations::hold(port, chance, known)?,
        _ => {
            let mut wire = Wire::login(port, "root", None)?;
            for _ in 0..=chance.below(4) {
                let payload = command(chance);
                if wire.raw(&packet(chance, &payload)).is_err() {
                    break;
                }
            }
            let _ = wire.end();
            let _ = wire.drained();
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_packets_end_nothing_and_hold_up_nobody() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.run(&["CREATE DATABASE mine", "CREATE TABLE mine.t (a INT)"])
        .await?;
    let known = Known::of(&node)?;
    let total = setting("WEIR_HOSTILE_PACKETS", 1500);
    let seeds = Chance::from_environment().below(1 << 40);
    let done = Arc::new(AtomicU64::new(0));
    let failed = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4_u64)
        .map(|number| {
            let (done, failed) = (Arc::clone(&done), Arc::clone(&failed));
            let (port, known) = (node.port, known.clone());
            std::thread::spawn(move || {
                let mut chance = Chance::seeded(seeds ^ (number << 41));
                while done.fetch_add(1, Ordering::Relaxed) < total {
                    if attack(port, &mut chance, &known).is_err() {
                        failed.store(true, Ordering::Relaxed);
                        return;
                    }
                }
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    while !threads.iter().all(std::thread::JoinHandle::is_finished) {
        let started = Instant::now();
        root.value("SELECT 1").await?;
        slowest = slowest.max(started.elapsed());
        let process = node.process().ok_or_else(|| Failure::new("no process"))?;
        if let Some(status) = process.ended()? {
            return Err(process.failure(&format!("ended with {status}")));
        }
    }
    let process = node.process().ok_or_else(|| Failure::new("no process"))?;
    let largest = process.peak_bytes()?;
    announce(&format!(
        "{total} hostile connections: slowest answer {slowest:?}, {} MiB resident at most",
        largest >> 20
    ));
    ensure(!failed.load(Ordering::Relaxed), || {
        "a login was refused meanwhile".to_owned()
    })?;
    ensure(largest < RESIDENT_MAX, || {
        format!("{largest} bytes resident")
    })?;
    ensure(slowest < ANSWER_MAX, || {
        format!("slowest answer {slowest:?}")
    })?;
    root.execute("CREATE DATABASE after").await.map(drop)
}
