//! Hostile statements: deep, long, nested, growing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use integration::chance::{Chance, announce, setting};
use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Failure, Peer, RealServer, Result, Weir};

/// One way to write a statement that grows with `n`.
type Shape = (&'static str, fn(usize) -> String);

fn chain(operator: &str, n: usize) -> String {
    format!("SELECT 1{}", format!(" {operator} 1").repeat(n))
}

fn around(before: &str, after: &str, n: usize) -> String {
    format!("SELECT {}1{}", before.repeat(n), after.repeat(n))
}

const SHAPES: [Shape; 52] = [
    ("+", |n| chain("+", n)),
    ("-", |n| chain("-", n)),
    ("*", |n| chain("*", n)),
    ("%", |n| chain("MOD", n)),
    ("=", |n| chain("=", n)),
    ("<=>", |n| chain("<=>", n)),
    ("OR", |n| chain("OR", n)),
    ("AND", |n| chain("AND", n)),
    ("XOR", |n| chain("XOR", n)),
    ("|", |n| chain("|", n)),
    ("<<", |n| chain("<<", n)),
    ("LIKE", |n| chain("LIKE", n)),
    ("REGEXP", |n| chain("REGEXP", n)),
    ("BETWEEN", |n| chain("BETWEEN 0 AND", n)),
    ("IN", |n| chain("IN (1) IN", 1) + &" IN (1)".repeat(n)),
    ("OR of BETWEEN", |n| chain("BETWEEN 0 AND 2 OR 1", n)),
    ("+ between AND", |n| {
        format!("SELECT {}1", "1 + 1 AND ".repeat(n))
    }),
    ("IS NULL", |n| format!("SELECT 1{}", " IS NULL".repeat(n))),
    ("COLLATE", |n| {
        format!("SELECT 'a'{}", " COLLATE utf8mb4_bin".repeat(n))
    }),
    ("->", |n| {
        format!("SELECT a{} FROM mine.t", " -> '$'".repeat(n))
    }),
    (":=", |n| format!("SELECT {}1", "@a := ".repeat(n))),
    ("NOT", |n| around("NOT ", "", n)),
    ("- -", |n| around("- ", "", n)),
    ("!", |n| around("!", "", n)),
    ("~", |n| around("~", "", n)),
    ("BINARY", |n| around("BINARY ", "", n)),
    ("()", |n| around("(", ")", n)),
    ("(", |n| "(".repeat(n)),
    ("SELECT (", |n| "SELECT (".repeat(n)),
    ("(SELECT)", |n| around("(SELECT ", ")", n)),
    ("EXISTS", |n| around("EXISTS (SELECT ", ")", n)),
    ("ABS", |n| around("ABS(", ")", n)),
    ("CONCAT", |n| around("CONCAT('a', ", ")", n)),
    ("CAST", |n| around("CAST(", " AS SIGNED)", n)),
    ("IF", |n| around("IF(1, 1, ", ")", n)),
    ("CASE", |n| around("CASE WHEN 1 THEN ", " END", n)),
    ("wide CASE", |n| {
        format!("SELECT CASE {} END", "WHEN 1 = 2 THEN 3 ".repeat(n + 1))
    }),
    ("wide IN", |n| format!("SELECT 1 IN (1{})", ",1".repeat(n))),
    ("INTERVAL", |n| {
        format!("SELECT {}1{}", "INTERVAL ".repeat(n), " DAY".repeat(n))
    }),
    ("rows", |n| {
        format!("SELECT {}(1, 1){}", "(".repeat(n), ", 1)".repeat(n))
    }),
    ("derived", |n| {
        format!(
            "SELECT * FROM {}(SELECT 1) d{}",
            "(SELECT * FROM ".repeat(n),
            ") d".repeat(n)
        )
    }),
    ("JOIN", |n| {
        let joins: String = (0..n).map(|i| format!(" JOIN mine.t t{i}")).collect();
        format!("SELECT 1 FROM mine.t{joins}")
    }),
    ("JOIN of derived", |n| {
        let joins: String = (0..n).map(|i| format!(" JOIN (SELECT 1) t{i}")).collect();
        format!("SELECT 1 FROM (SELECT 1) t{joins}")
    }),
    ("(JOIN)", |n| {
        format!(
            "SELECT 1 FROM {}mine.t{}",
            "(".repeat(n),
            " JOIN mine.t)".repeat(n)
        )
    }),
    ("UNION ALL", |n| {
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(n))
    }),
    ("(UNION)", |n| {
        format!("{}SELECT 1{}", "(".repeat(n), " UNION SELECT 1)".repeat(n))
    }),
    ("WITH", |n| {
        format!(
            "{}SELECT 1{}",
            "WITH c AS (".repeat(n),
            ") SELECT * FROM c".repeat(n)
        )
    }),
    ("/*!", |n| format!("SELECT 1 {}", "/*!99999 ".repeat(n))),
    ("/*", |n| {
        format!("SELECT {}1{}", "/* ".repeat(n), " */".repeat(n))
    }),
    ("JSON", |n| {
        format!("SELECT JSON_VALID('{}{}')", "[".repeat(n), "]".repeat(n))
    }),
    ("path", |n| {
        format!("SELECT JSON_EXTRACT('{{}}', '${}')", ".a".repeat(n))
    }),
    ("NUL", |n| format!("SELECT 1 {}x", "\0".repeat(n))),
];

/// Answers that say no by saying why.
const REFUSALS: [u16; 6] = [1064, 1116, 1235, 1436, 1473, 3170];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_is_deep_enough_to_end_the_process() -> Result {
    let mut weir = Weir::primary(1, &[]).await?;
    let mut replica = Weir::replica(2, &[]).await?;
    weir.client()
        .await?
        .run(&["CREATE DATABASE mine", "CREATE TABLE mine.t (a INT)"])
        .await?;
    for node in [&mut weir, &mut replica] {
        node.client()
            .await?
            .execute("CREATE USER app IDENTIFIED BY 'x'")
            .await?;
        let mut app = client(node.port).await?;
        for (name, shape) in SHAPES {
            for n in [10, 300, 700, 760, 1000, 4000, 20_000, 60_000] {
                let answer = app.attempt(&shape(n)).await;
                let answer = answer
                    .map_err(|failure| node.explain(failure.during(format!("{name} {n}"))))?;
                if let Err(error) = answer
                    && n >= 20_000
                    && error.message.contains("overrun")
                {
                    ensure(error.code == 1436, || error.message.clone())?;
                }
            }
        }
        ensure(node.process().is_some(), || "the node ended".to_owned())?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_chains_of_or_are_answered_as_in_mysql_97() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let (mut on_weir, mut on_mysql) = (weir.client().await?, mysql.client().await?);
    let terms: String = (0..20_000)
        .map(|i| format!("a = {i} OR b = {i} OR "))
        .collect();
    let ranges: String = (0..5_000)
        .map(|i| format!("(a > {i} AND b < {i}) OR "))
        .collect();
    for client in [&mut on_weir, &mut on_mysql] {
        client
            .run(&[
                "CREATE DATABASE mine",
                "CREATE TABLE mine.t (a INT, b INT)",
                "INSERT INTO mine.t VALUES (19999, 1), (50000, 50000), (NULL, 3), (7, NULL)",
            ])
            .await?;
    }
    for statement in [
        format!("SELECT * FROM mine.t WHERE {terms} FALSE"),
        format!("SELECT * FROM mine.t WHERE NOT ({terms} FALSE)"),
        format!("SELECT * FROM mine.t WHERE {ranges} a = 7"),
        format!("SELECT {} NULL", "1 AND ".repeat(20_000)),
        format!("SELECT {} 0", "NULL OR ".repeat(20_000)),
        format!("UPDATE mine.t SET a = a + 1 WHERE {terms} FALSE"),
        format!("DELETE FROM mine.t WHERE {terms} FALSE"),
        "SELECT * FROM mine.t".to_owned(),
    ] {
        let expected = on_mysql.attempt(&statement).await?;
        let seen = on_weir
            .attempt(&statement)
            .await
            .map_err(|failure| weir.explain(failure))?;
        let start: String = statement.chars().take(60).collect();
        ensure(
            seen.as_ref().ok() == expected.as_ref().ok() && seen.is_ok() == expected.is_ok(),
            || format!("{start}: Weir {seen:?}, MySQL {expected:?}"),
        )?;
        if statement.starts_with("SELECT *") {
            let (seen, expected) = (
                on_weir.rows(&statement).await?,
                on_mysql.rows(&statement).await?,
            );
            ensure(seen == expected, || {
                format!("{start}: Weir {seen:?}, MySQL {expected:?}")
            })?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_expression_kept_in_a_table_ends_nothing() -> Result {
    let mut weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    root.execute("CREATE DATABASE mine").await?;
    for n in [100, 600, 720, 750, 900, 5000] {
        for (index, column) in ["DEFAULT (1{})", "AS (1{}) STORED", "CHECK (1{})"]
            .iter()
            .enumerate()
        {
            let table = format!("mine.t{n}_{index}");
            let column = column.replace("{}", &" + 1".repeat(n));
            let create = format!("CREATE TABLE {table} (a INT, b INT {column})");
            let created = root.attempt(&create).await?;
            let Err(error) = created else {
                let inserted = root
                    .attempt(&format!("INSERT INTO {table} (a) VALUES (1)"))
                    .await;
                let inserted = inserted.map_err(|failure| weir.explain(failure))?;
                ensure(
                    !matches!(&inserted, Err(error) if error.code == 1436),
                    || format!("{table}: {inserted:?}"),
                )?;
                continue;
            };
            ensure(REFUSALS.contains(&error.code), || {
                format!("{table}: {}", error.code)
            })?;
        }
    }
    // What was accepted is read again after a restart.
    weir.kill()?;
    weir.launch().await?;
    weir.client().await?.rows("SHOW TABLES FROM mine").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_statements_leave_the_node_alive_small_and_answering() -> Result {
    let count = setting("WEIR_HOSTILE_STATEMENTS", 600);
    let mut chance = Chance::from_environment();
    let mut weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    root.run(&[
        "CREATE DATABASE mine",
        "CREATE TABLE mine.t (a INT)",
        "CREATE USER app IDENTIFIED BY 'x'",
        "GRANT ALL ON mine.* TO app",
    ])
    .await?;
    let ended = Arc::new(AtomicBool::new(false));
    let slowest = Arc::new(AtomicU64::new(0));
    let other = tokio::spawn(ask(root, Arc::clone(&ended), Arc::clone(&slowest)));
    let mut app = client(weir.port).await?;
    let mut largest = 0;
    let mut answers = std::collections::BTreeMap::<u16, u64>::new();
    for number in 0..count {
        let statement = hostile(&mut chance);
        match app.attempt_bytes(&statement).await {
            Ok(Ok(_)) => *answers.entry(0).or_default() += 1,
            Ok(Err(error)) => *answers.entry(error.code).or_default() += 1,
            Err(failure) => {
                let name = String::from_utf8_lossy(statement.get(..80).unwrap_or(&statement));
                let failure = failure.during(format!("statement {number}: {name}"));
                app = client(weir.port).await.map_err(|_| weir.explain(failure))?;
            }
        }
        if number % 50 == 0
            && let Some(process) = weir.process()
        {
            largest = largest.max(process.resident_bytes()?);
        }
    }
    ended.store(true, Ordering::Relaxed);
    other
        .await
        .map_err(|error| Failure::new(error.to_string()))??;
    let slowest = slowest.load(Ordering::Relaxed);
    announce(&format!(
        "{count} hostile statements: {answers:?}, {largest} bytes, slowest other answer {slowest} ms"
    ));
    ensure(largest < 256 << 20, || format!("{largest} bytes"))?;
    ensure(slowest < 1000, || {
        format!("another session waited {slowest} ms")
    })
}

/// Another session, which is to be answered within a second all the time.
async fn ask(mut root: Client, ended: Arc<AtomicBool>, slowest: Arc<AtomicU64>) -> Result {
    while !ended.load(Ordering::Relaxed) {
        let before = Instant::now();
        root.value("SELECT COUNT(*) FROM mine.t").await?;
        let millis = u64::try_from(before.elapsed().as_millis()).unwrap_or(u64::MAX);
        slowest.fetch_max(millis, Ordering::Relaxed);
        integration::wait::let_run(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A statement of some shape, of some size, perhaps in another and perhaps damaged.
fn hostile(chance: &mut Chance) -> Vec<u8> {
    let mut statement = shape(chance);
    if chance.below(4) == 0 {
        let inner = shape(chance);
        statement = statement.replacen('1', &format!("({inner})"), 1);
    }
    let mut bytes = statement.into_bytes();
    if chance.below(3) == 0 {
        for _ in 0..=chance.below(8) {
            let at = usize::try_from(chance.below(bytes.len() as u64)).unwrap_or(0);
            let pick = usize::try_from(chance.below(16)).unwrap_or(0);
            let odd = b"\0'\"`()/*!@;,.\xff\\%";
            let byte = odd.get(pick).copied().unwrap_or_default();
            match chance.below(3) {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.remove(at)),
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
    }
    bytes
}

fn shape(chance: &mut Chance) -> String {
    let index = usize::try_from(chance.below(SHAPES.len() as u64)).unwrap_or(0);
    let largest = match chance.below(20) {
        0 => 30_000,
        1..=5 => 2_000,
        _ => 400,
    };
    let n = usize::try_from(chance.below(largest)).unwrap_or(0);
    SHAPES
        .get(index)
        .map_or_else(String::new, |(_, shape)| shape(n))
}

async fn client(port: u16) -> Result<Client> {
    let options = ClientOptions {
        port,
        user: "app".to_owned(),
        password: "x".to_owned(),
        tls: true,
    };
    Client::connect(&options).await
}
