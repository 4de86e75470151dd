//! KILL does not reach the sessions of accounts that may do more to the server.

use integration::failure::ensure;
use integration::wire::{Wire, error_code};
use integration::{Client, Peer, RealServer, Result, Weir};

const SCHEMA: [&str; 10] = [
    "CREATE USER strong",
    "GRANT ALL ON *.* TO strong",
    "CREATE USER killer",
    "GRANT CONNECTION_ADMIN ON *.* TO killer",
    "CREATE USER plain",
    "CREATE USER writer",
    "GRANT INSERT, UPDATE ON *.* TO writer",
    "CREATE USER dumper",
    "GRANT REPLICATION SLAVE ON *.* TO dumper",
    "CREATE USER ''@'%'",
];

/// Who kills whose session. `nobody` comes in as the anonymous account.
const ACTORS: [&str; 4] = ["killer", "plain", "nobody", "strong"];
const TARGETS: [&str; 7] = [
    "root", "strong", "killer", "plain", "writer", "dumper", "nobody",
];

/// Where Weir refuses what MySQL does: the account may do to the server what its killer may not, and
/// MySQL guards only those with SYSTEM_USER.
const STRICTER: [&str; 2] = ["killer: KILL of dumper", "killer: KILL QUERY of dumper"];

/// The number of the connection, from its greeting.
fn number(wire: &Wire) -> u32 {
    let behind_version = wire.greeting.iter().position(|byte| *byte == 0);
    let id = behind_version.and_then(|end| wire.greeting.get(end + 1..end + 5));
    id.and_then(|id| id.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn answered(actor: &mut Wire, command: &[u8]) -> Result<String> {
    actor.command(command)?;
    let answer = actor.read()?;
    Ok(error_code(&answer).map_or_else(|| "OK".to_owned(), |code| code.to_string()))
}

/// What each tries, and what it is answered; a session whose killer was refused goes on.
fn tries(port: u16, ways: &[&str]) -> Result<Vec<(String, String)>> {
    let mut answers = Vec::new();
    for actor in ACTORS {
        let mut actor_wire = Wire::login(port, actor, None)?;
        for target in TARGETS {
            for way in ways {
                let mut target_wire = Wire::login(port, target, None)?;
                let id = number(&target_wire);
                let command = match *way {
                    "COM_PROCESS_KILL" => [&[12][..], &id.to_le_bytes()].concat(),
                    way => format!("\u{3}{way} {id}").into_bytes(),
                };
                let seen = answered(&mut actor_wire, &command)?;
                let place = format!("{actor}: {way} of {target}");
                if seen != "OK" {
                    let lives = target_wire.query("DO 1")?;
                    ensure(lives, || format!("{place}: {seen}, but it was ended"))?;
                }
                answers.push((place, seen));
            }
        }
    }
    Ok(answers)
}

async fn with_accounts(mut root: Client) -> Result {
    root.run(&SCHEMA).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_ends_the_session_of_an_account_that_may_do_more_to_the_server() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    with_accounts(weir.client().await?).await?;
    with_accounts(mysql.client().await?).await?;
    let ways = ["KILL QUERY", "KILL"];
    let on_weir = tries(weir.port, &ways)?;
    let on_mysql = tries(mysql.port, &ways)?;
    let mut wrong = Vec::new();
    for ((place, seen), (_, expected)) in on_weir.iter().zip(&on_mysql) {
        let expected = match STRICTER.contains(&place.as_str()) {
            true => "1095",
            false => expected,
        };
        if seen != expected {
            wrong.push(format!("{place}: Weir {seen}, MySQL {expected}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    // The command of old clients, which MySQL 9.7 has no more, is KILL.
    let by_command = tries(weir.port, &["COM_PROCESS_KILL"])?;
    let by_statement = on_weir
        .iter()
        .filter(|(place, _)| place.contains("KILL of"));
    for ((place, seen), (_, expected)) in by_command.iter().zip(by_statement) {
        ensure(seen == expected, || {
            format!("{place}: {seen}, KILL {expected}")
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_as_far_away_as_the_account_that_it_became() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    with_accounts(weir.client().await?).await?;
    let mut killer = Wire::login(weir.port, "killer", None)?;
    let mut target = Wire::login(weir.port, "plain", None)?;
    let change = b"\x11root\0\0\0\x2d\0caching_sha2_password\0";
    target.command(change)?;
    if target.read()?.first() == Some(&0xfe) {
        target.send(&[])?;
        target.read()?;
    }
    let kill = format!("\u{3}KILL {}", number(&target));
    let seen = answered(&mut killer, kill.as_bytes())?;
    ensure(seen == "1095", || seen)?;
    // Who calls himself root and is let in as nobody is not root, neither here nor in the list.
    let mut root = weir.client().await?;
    root.run(&["CREATE USER boss", "GRANT ALL ON *.* TO boss"])
        .await?;
    let mut boss = Wire::login(weir.port, "boss", None)?;
    ensure(boss.query("DO 1")?, || "boss".to_owned())?;
    root.execute("RENAME USER boss TO boss@'10.0.0.1'").await?;
    let mut false_boss = Wire::login(weir.port, "boss", None)?;
    false_boss.command(b"\x03SELECT COUNT(*) FROM information_schema.PROCESSLIST")?;
    let columns = false_boss.read()?;
    ensure(columns == [1], || format!("{columns:?}"))?;
    for _ in 0..2 {
        false_boss.read()?;
    }
    let count = false_boss.read()?;
    ensure(count == b"\x010", || format!("sees {count:?}"))
}
