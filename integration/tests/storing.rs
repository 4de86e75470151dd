//! Whatever a client stores, Weir holds what MySQL 9.7 holds: the same rows, errors and warnings.
//!
//! Generated values meet every column type under several sql_modes and time zones, as literals,
//! strings, numbers and parameters, on both servers in lockstep. A run's values are always the same
//! unless `WEIR_SEED` names others; `WEIR_STORING` sets how many (20 000 and more by hand). What differs all the same has a name, a reason and a line in
//! docs/COMPATIBILITY.md.

#[path = "storing/alterations.rs"]
mod alterations;
#[path = "storing/columns.rs"]
mod columns;
#[path = "storing/excuses.rs"]
mod excuses;
#[path = "storing/values.rs"]
mod values;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use columns::{TARGETS, Target, table};
use excuses::{EXCUSES, Excuse, Seen};
use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::failure::{Failure, ensure};
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::sql::{Cell, StatementEnd};
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir};
use mysql_async::{Params, Value};
use values::{Given, given};

/// Values of a run of CI.
const CASES: u64 = 4_000;
/// Cases between two changes of sql_mode and time zone.
const BATCH: u64 = 250;
/// Most differences that a failure shows.
const SHOWN: u64 = 60;

const MODES: &[&str] = &[
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
    "",
    "TRADITIONAL",
    "ALLOW_INVALID_DATES",
    "ANSI,STRICT_ALL_TABLES,NO_ZERO_IN_DATE",
    "STRICT_TRANS_TABLES,ALLOW_INVALID_DATES,NO_ZERO_DATE",
    "NO_ZERO_IN_DATE,NO_ZERO_DATE,TIME_TRUNCATE_FRACTIONAL",
];
const ZONES: &[&str] = &["+00:00", "+05:30", "-08:00"];

/// The seed of the values of a run that names no other.
const SEED: u64 = 20_261_129;

/// One value on its way into one column.
struct Case {
    number: u64,
    target: usize,
    mode: &'static str,
    zone: &'static str,
    statement: String,
    parameter: Option<Value>,
    /// The row that it is a copy of.
    copied: Option<u64>,
}

impl Case {
    /// `earlier` are the tables of the cases before.
    fn new(
        number: u64,
        mode: &'static str,
        zone: &'static str,
        earlier: &[usize],
        chance: &mut Chance,
    ) -> Self {
        let target = usize::try_from(chance.below(TARGETS.len() as u64)).unwrap_or(0);
        let class = TARGETS
            .get(target)
            .map_or(columns::Class::Text, |target| target.class);
        let (text, parameter) = match given(chance, class) {
            Given::Literal(text) => (text, None),
            Given::Parameter(value) => ("?".to_owned(), Some(value)),
        };
        let name = table(target);
        let mut copied = None;
        let statement = match chance.below(13) {
            0 => format!("INSERT IGNORE INTO {name} VALUES ({number}, {text})"),
            1 => format!("INSERT INTO {name} SELECT {number}, {text}"),
            2 => format!("REPLACE INTO {name} SET v = {text}, id = {number}"),
            3 => format!("UPDATE {name} SET v = {text}, id = {number} WHERE id = 0"),
            4 if !earlier.is_empty() => {
                let other = usize::try_from(chance.below(earlier.len() as u64)).unwrap_or(0);
                let from = table(earlier.get(other).copied().unwrap_or(0));
                let other = other + 1;
                copied = u64::try_from(other).ok();
                format!("INSERT INTO {name} SELECT {number}, v FROM {from} WHERE id = {other}")
            }
            _ => format!("INSERT INTO {name} VALUES ({number}, {text})"),
        };
        let parameter = parameter.filter(|_| statement.contains('?'));
        Self {
            number,
            target,
            mode,
            zone,
            statement,
            parameter,
            copied,
        }
    }

    /// The case that shows a difference which stays.
    fn example(number: u64, excuse: &Excuse) -> Result<Self> {
        let target = TARGETS
            .iter()
            .position(|target| target.sql == excuse.column);
        let target = target.ok_or_else(|| Failure::new(excuse.column))?;
        let table = table(target);
        Ok(Self {
            number,
            target,
            mode: "",
            zone: "+00:00",
            statement: format!("INSERT INTO {table} VALUES ({number}, {})", excuse.value),
            parameter: None,
            copied: None,
        })
    }

    async fn store(&self, client: &mut Client) -> Result<StatementEnd> {
        let parameters = self
            .parameter
            .clone()
            .map(|value| Params::Positional(vec![value]));
        client.end_of(&self.statement, parameters).await
    }

    fn seen<'s>(&'s self, difference: &'s Difference) -> Seen<'s> {
        Seen {
            statement: &self.statement,
            theirs: &difference.theirs,
            ours: &difference.ours,
        }
    }

    fn describe(&self) -> String {
        let column = TARGETS.get(self.target).map_or("", |target| target.sql);
        let parameter = self
            .parameter
            .as_ref()
            .map_or(String::new(), |value| match value {
                Value::Bytes(bytes) => format!(" <- {:?}", String::from_utf8_lossy(bytes)),
                other => format!(" <- {other:?}"),
            });
        let statement: String = self.statement.chars().take(240).collect();
        format!(
            "[{column}] mode '{}' zone {}: {statement}{parameter}",
            self.mode, self.zone
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_value_is_stored_as_mysql_stores_it() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &["--max-allowed-packet=64M"]).await?;
    let (mut on_weir, mut on_mysql) = (weir.client().await?, mysql.client().await?);
    let schema = schema();
    on_weir.run(&schema).await?;
    on_mysql.run(&schema).await?;
    let seed = setting("WEIR_SEED", SEED);
    let mut chance = Chance::seeded(seed);
    announce(&format!("WEIR_SEED={seed}"));
    let all = setting("WEIR_STORING", CASES);
    let mut cases = BTreeMap::new();
    let mut differences = Vec::new();
    let mut earlier = Vec::new();
    let mut next = 1;
    while next <= all {
        let (mode, zone) = (choice(&mut chance, MODES), choice(&mut chance, ZONES));
        let batch: Vec<Case> = (next..next + BATCH)
            .map(|number| {
                let case = Case::new(number, mode, zone, &earlier, &mut chance);
                earlier.push(case.target);
                case
            })
            .collect();
        next += BATCH;
        let seen = in_lockstep(&mut on_mysql, &mut on_weir, &batch).await;
        differences.extend(seen.map_err(|failure| weir.explain(failure))?);
        cases.extend(batch.into_iter().map(|case| (case.number, case)));
    }
    let examples = (next..).zip(EXCUSES);
    let examples: Vec<Case> = examples
        .map(|(number, excuse)| Case::example(number, excuse))
        .collect::<Result<_>>()?;
    differences.extend(in_lockstep(&mut on_mysql, &mut on_weir, &examples).await?);
    cases.extend(examples.into_iter().map(|case| (case.number, case)));
    let stored = compare_rows(&mut on_mysql, &mut on_weir, &mut differences).await?;
    let (excused, rows) = excuse(&cases, &mut differences);
    announce(&format!(
        "{} values given, {stored} stored, differences that stay: {excused:?}",
        cases.len()
    ));
    ensure(differences.is_empty(), || listing(&cases, &mut differences))?;
    let idle = EXCUSES
        .iter()
        .find(|entry| !excused.contains_key(entry.name));
    ensure(idle.is_none(), || {
        format!("{:?} explains nothing", idle.map(|entry| entry.name))
    })?;
    ensure(stored * 4 > cases.len(), || {
        format!("only {stored} of {} values were stored", cases.len())
    })?;
    forget([&mut on_mysql, &mut on_weir], &cases, &rows).await?;
    replicas_hold_the_same(&weir, &mysql, &mut on_weir, &mut on_mysql).await
}

/// Statements that a server without limits would die of, and those whose strings compare by bytes.
const ANSWERS: &[&str] = &[
    "SELECT LENGTH(SPACE(3000000000))",
    "SELECT LENGTH(SPACE(18446744073709551615))",
    "SELECT LENGTH(SPACE(-1)), LENGTH(SPACE(16777216)), LENGTH(SPACE(67108865))",
    "SELECT LENGTH(REPEAT(REPEAT('x', 1000000), 1000000))",
    "SELECT LENGTH(REPLACE(REPEAT('a', 100000), 'a', REPEAT('b', 1000)))",
    "SELECT MAX(n) FROM (WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 1000) \
     SELECT n FROM r) AS d",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 1001) SELECT MAX(n) FROM r",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT MAX(n) FROM r",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT (n + 1) % 5 FROM r) SELECT * FROM r",
    "CREATE TABLE storing.b (t VARCHAR(10), v VARCHAR(10) CHARACTER SET latin1)",
    "INSERT INTO storing.b VALUES ('b2', 'é'), ('B2', 'E'), ('b3', 'ß')",
    "SELECT t, HEX(v) FROM storing.b WHERE t = BINARY 'b2'",
    "SELECT t FROM storing.b WHERE BINARY t = 'b2'",
    "SELECT t FROM storing.b WHERE t IN (BINARY 'b2', 'x')",
    "SELECT t FROM storing.b WHERE t = CAST('b2' AS BINARY)",
    "SELECT t FROM storing.b WHERE CONCAT(t, '') = CONCAT('b', BINARY '2')",
    "SELECT t FROM storing.b WHERE t LIKE BINARY 'b%'",
    "SELECT t < BINARY 'b2', t BETWEEN BINARY 'b2' AND 'c', NULLIF(t, BINARY 'b2') FROM storing.b",
    "SELECT t FROM storing.b WHERE t = x'6232'",
    "SELECT t FROM storing.b WHERE CAST(t AS CHAR) = 'b2'",
    "DELETE FROM storing.b WHERE t = CAST('b2' AS BINARY)",
    "SELECT t FROM storing.b ORDER BY t",
    "SET sql_mode = 'REAL_AS_FLOAT'",
    "CREATE TABLE storing.r (v REAL)",
    "SHOW COLUMNS FROM storing.r",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_strings_endless_queries_and_byte_comparisons_answer_as_mysql_97_does() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let (mut on_weir, mut on_mysql) = (weir.client().await?, mysql.client().await?);
    let mut wrong = Vec::new();
    on_weir.execute("CREATE DATABASE storing").await?;
    on_mysql.execute("CREATE DATABASE storing").await?;
    for statement in ANSWERS {
        for statement in [statement, "SHOW WARNINGS"] {
            let theirs = on_mysql.answer(statement).await?;
            let ours = on_weir.answer(statement).await;
            let ours = ours.map_err(|failure| weir.explain(failure))?;
            // Deprecation is not told.
            if theirs != ours && !theirs.to_string().contains("is deprecated") {
                wrong.push(format!("{statement}\n  MySQL: {theirs}\n  Weir:  {ours}"));
            }
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

fn schema() -> Vec<String> {
    let mut schema = vec!["CREATE DATABASE storing".to_owned()];
    for (index, Target { sql, .. }) in TARGETS.iter().enumerate() {
        let table = table(index);
        schema.push(format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, v {sql})"
        ));
    }
    schema
}

fn choice(chance: &mut Chance, from: &[&'static str]) -> &'static str {
    let index = usize::try_from(chance.below(from.len() as u64)).unwrap_or(0);
    from.get(index).copied().unwrap_or_default()
}

/// Stores a batch in one transaction; what each statement ended with.
async fn store_all(client: &mut Client, batch: &[Case]) -> Result<Vec<StatementEnd>> {
    let Some(case) = batch.first() else {
        return Ok(Vec::new());
    };
    client
        .run(&[
            "SET timestamp = 1700000000.25".to_owned(),
            format!("SET sql_mode = '{}'", case.mode),
            format!("SET time_zone = '{}'", case.zone),
            "BEGIN".to_owned(),
        ])
        .await?;
    let mut ends = Vec::with_capacity(batch.len());
    for case in batch {
        if case.statement.starts_with("UPDATE") {
            let table = table(case.target);
            client
                .run(&[
                    "SET sql_mode = ''".to_owned(),
                    format!("INSERT IGNORE INTO {table} (id) VALUES (0)"),
                    format!("SET sql_mode = '{}'", case.mode),
                ])
                .await?;
        }
        ends.push(case.store(client).await?);
    }
    client.execute("COMMIT").await?;
    Ok(ends)
}

/// Stores a batch on both servers; what ended differently.
async fn in_lockstep(
    mysql: &mut Client,
    weir: &mut Client,
    batch: &[Case],
) -> Result<Vec<(u64, Difference)>> {
    let (theirs, ours) = tokio::join!(store_all(mysql, batch), store_all(weir, batch));
    let ends = batch.iter().zip(theirs?.into_iter().zip(ours?));
    let different = ends.filter(|(_, (theirs, ours))| theirs != ours);
    Ok(different
        .map(|(case, (theirs, ours))| {
            let (theirs, ours) = (theirs.to_string(), ours.to_string());
            let difference = Difference {
                is_stored: false,
                theirs,
                ours,
            };
            (case.number, difference)
        })
        .collect())
}

/// What one case came to on MySQL and on Weir.
struct Difference {
    /// Whether rows differ, and not only how statements end.
    is_stored: bool,
    theirs: String,
    ours: String,
}

/// Takes out the differences that have a reason; how many each took, and whose rows differ.
fn excuse(
    cases: &BTreeMap<u64, Case>,
    differences: &mut Vec<(u64, Difference)>,
) -> (BTreeMap<&'static str, u64>, Vec<u64>) {
    let mut excused = BTreeMap::new();
    let mut rows: Vec<u64> = Vec::new();
    // What copies a row comes behind it.
    differences.sort_by_key(|(number, _)| *number);
    differences.retain(|(number, seen)| {
        let Some(case) = cases.get(number) else {
            return true;
        };
        let found = EXCUSES.iter().find(|excuse| {
            (excuse.stores || !seen.is_stored) && (excuse.explains)(&case.seen(seen))
        });
        if let Some(found) = found {
            *excused.entry(found.name).or_insert(0) += 1;
            rows.extend(seen.is_stored.then_some(*number));
        }
        let copied = case.copied.filter(|copied| rows.contains(copied));
        if copied.is_some() {
            rows.push(*number);
        }
        found.is_none() && copied.is_none()
    });
    (excused, rows)
}

/// Deletes the rows that differ for a reason, so that replicas can be compared.
async fn forget(clients: [&mut Client; 2], cases: &BTreeMap<u64, Case>, rows: &[u64]) -> Result {
    for client in clients {
        for number in rows {
            let target = cases.get(number).map_or(0, |case| case.target);
            let statement = format!("DELETE FROM {} WHERE id = {number}", table(target));
            client.execute(&statement).await?;
        }
    }
    Ok(())
}

/// Compares every table; returns the number of rows.
async fn compare_rows(
    mysql: &mut Client,
    weir: &mut Client,
    differences: &mut Vec<(u64, Difference)>,
) -> Result<usize> {
    for client in [&mut *mysql, &mut *weir] {
        client
            .run(&["SET sql_mode = ''", "SET time_zone = '+00:00'"])
            .await?;
    }
    let mut stored = 0;
    for (index, target) in TARGETS.iter().enumerate() {
        let query = format!(
            "SELECT id, {} FROM {} ORDER BY id",
            target.read(),
            table(index)
        );
        let (theirs, ours) = (rows(mysql, &query).await?, rows(weir, &query).await?);
        stored += theirs.len();
        for (number, row) in &theirs {
            let seen = ours.get(number);
            if seen != Some(row) {
                differences.push((*number, stored_difference(Some(row), seen)));
            }
        }
        for (number, row) in ours
            .iter()
            .filter(|(number, _)| !theirs.contains_key(number))
        {
            differences.push((*number, stored_difference(None, Some(row))));
        }
    }
    Ok(stored)
}

async fn rows(client: &mut Client, query: &str) -> Result<BTreeMap<u64, Vec<Cell>>> {
    let rows = client.rows(query).await?.into_iter().map(|mut row| {
        let number = row.remove(0).to_string().parse().unwrap_or(0);
        (number, row)
    });
    Ok(rows.collect())
}

fn stored_difference(theirs: Option<&Vec<Cell>>, ours: Option<&Vec<Cell>>) -> Difference {
    Difference {
        is_stored: true,
        theirs: format!("{theirs:?}"),
        ours: format!("{ours:?}"),
    }
}

fn listing(cases: &BTreeMap<u64, Case>, differences: &mut [(u64, Difference)]) -> String {
    let mut text = format!("{} differences:\n", differences.len());
    // Columns of one type stand together, what is stored first.
    differences.sort_by_key(|(number, seen)| {
        let target = cases.get(number).map_or(0, |case| case.target);
        (!seen.is_stored, target)
    });
    let shown = usize::try_from(setting("WEIR_SHOWN", SHOWN)).unwrap_or(usize::MAX);
    for (number, seen) in differences.iter().take(shown) {
        let case = cases.get(number).map(Case::describe).unwrap_or_default();
        let what = if seen.is_stored { "STORED " } else { "" };
        let _ = writeln!(
            text,
            "{number} {case}\n    {what}MySQL: {}\n    {what}Weir:  {}",
            seen.theirs, seen.ours
        );
    }
    text
}

/// A Weir replica of either server and a MySQL replica of Weir hold the rows of their source.
async fn replicas_hold_the_same(
    weir: &Weir,
    mysql: &RealServer,
    on_weir: &mut Client,
    on_mysql: &mut Client,
) -> Result {
    create_account(on_weir, Peer::MySql97).await?;
    create_account(on_mysql, Peer::MySql97).await?;
    let expected = Snapshot::take(on_mysql, &["storing"]).await?;
    let of_weir = following(2, weir.port).await?;
    let of_mysql = following(3, mysql.port).await?;
    for (name, replica, source) in [
        ("a replica of Weir", &of_weir, on_weir),
        ("a replica of MySQL", &of_mysql, on_mysql),
    ] {
        let mut client = replica.client().await?;
        until_gtids_executed(source, &mut client, PATIENCE)
            .await
            .map_err(|failure| replica.explain(failure))?;
        let seen = Snapshot::take(&mut client, &["storing"]).await?;
        ensure_same("MySQL", &expected, name, &seen)?;
    }
    Ok(())
}

async fn following(server_id: u32, port: u16) -> Result<Weir> {
    Weir::replica(
        server_id,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={port}"),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            "source-connect-retry=1",
        ],
    )
    .await
}
