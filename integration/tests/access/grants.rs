//! Rights that are not built are refused by name, and nothing of them is kept.

use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir};

/// What each statement must name in its refusal.
const NOT_BUILT: [(&str, &str); 8] = [
    ("GRANT SELECT (a) ON mine.* TO app", "privileges on columns"),
    (
        "GRANT UPDATE (a), INSERT ON *.* TO app",
        "privileges on columns",
    ),
    (
        "REVOKE SELECT (a) ON mine.* FROM app",
        "privileges on columns",
    ),
    ("GRANT SELECT (a) ON mine.t TO app", "privileges on tables"),
    ("GRANT SELECT ON mine.t TO app", "privileges on tables"),
    ("REVOKE SELECT ON mine.t FROM app", "privileges on tables"),
    (
        "GRANT EXECUTE ON PROCEDURE mine.p TO app",
        "privileges on routines",
    ),
    (
        "GRANT EXECUTE ON FUNCTION mine.f TO app",
        "privileges on routines",
    ),
];

async fn with_account() -> Result<(Weir, Client)> {
    let weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    root.run(&[
        "CREATE DATABASE mine",
        "CREATE DATABASE theirs",
        "CREATE TABLE mine.t (a INT PRIMARY KEY)",
        "CREATE TABLE theirs.t (a INT PRIMARY KEY)",
        "CREATE USER app",
    ])
    .await?;
    Ok((weir, root))
}

async fn app(weir: &Weir) -> Result<Client> {
    let options = ClientOptions {
        user: "app".to_owned(),
        ..ClientOptions::root(weir.port)
    };
    Client::connect(&options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_that_are_not_built_are_refused_by_name_and_nothing_is_granted() -> Result {
    let (weir, mut root) = with_account().await?;
    let mut wrong = Vec::new();
    for (statement, name) in NOT_BUILT {
        match root.attempt(statement).await? {
            Err(error) if error.code == 1235 && error.message.contains(name) => {}
            seen => wrong.push(format!("{statement}: {seen:?}")),
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    let grants = format!("{:?}", root.rows("SHOW GRANTS FOR app").await?);
    ensure(grants == "[[GRANT USAGE ON *.* TO `app`@`%`]]", || grants)?;
    let mut app = app(&weir).await?;
    let denied = app.attempt("SELECT a FROM mine.t").await?;
    ensure(denied.is_err_and(|error| error.code == 1142), || {
        "the table is read".to_owned()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_lock_one_database_stops_no_writer_of_the_others() -> Result {
    let (weir, mut root) = with_account().await?;
    root.run(&[
        "GRANT ALL ON mine.* TO app",
        "SET innodb_lock_wait_timeout = 1",
    ])
    .await?;
    let mut app = app(&weir).await?;
    for (number, lock) in ["READ", "READ LOCAL", "WRITE"].iter().enumerate() {
        let refused = app.attempt(&format!("LOCK TABLES mine.t {lock}")).await?;
        let write = format!("INSERT INTO theirs.t VALUES ({number})");
        root.execute(&write)
            .await
            .map_err(|failure| failure.during(format!("beside LOCK TABLES {lock}")))?;
        let code = refused.err().map(|error| error.code);
        ensure(code == Some(1235), || format!("{lock}: {code:?}"))?;
    }
    let rows = root.value("SELECT COUNT(*) FROM theirs.t").await?;
    ensure(rows.to_string() == "3", || rows.to_string())
}

/// What an account may do that inserts, and one that inserts and reads.
const WRITES: [&str; 8] = [
    "INSERT INTO mine.t VALUES (2)",
    "INSERT INTO mine.t SET a = 3",
    "INSERT INTO mine.t VALUES (1) ON DUPLICATE KEY UPDATE a = 10",
    "INSERT INTO mine.t VALUES (1), (40) ON DUPLICATE KEY UPDATE a = a + 10",
    "INSERT INTO mine.t SELECT a + 20 FROM mine.t",
    "REPLACE INTO mine.t VALUES (1)",
    "UPDATE mine.t SET a = 12",
    "DELETE FROM mine.t",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_insert_does_just_that_as_in_mysql_97() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut seen = Vec::new();
    for port in [weir.port, mysql.port] {
        let mut root = Client::connect(&ClientOptions::root(port)).await?;
        root.run(&[
            "CREATE DATABASE mine",
            "CREATE TABLE mine.t (a INT PRIMARY KEY)",
            "INSERT INTO mine.t VALUES (1)",
        ])
        .await?;
        let mut lines = Vec::new();
        for (user, rights) in [("writer", "INSERT"), ("reader", "INSERT, SELECT")] {
            root.run(&[
                format!("CREATE USER {user}"),
                format!("GRANT {rights} ON mine.* TO {user}"),
            ])
            .await?;
            let options = ClientOptions {
                user: user.to_owned(),
                ..ClientOptions::root(port)
            };
            let mut client = Client::connect(&options).await?;
            for statement in WRITES {
                let end = client.attempt(statement).await?;
                let code = end.err().map_or(0, |error| error.code);
                lines.push(format!("{rights}: {statement}: {code}"));
            }
            let rows = root.rows("SELECT a FROM mine.t ORDER BY a").await?;
            lines.push(format!("{rows:?}"));
            root.execute("DELETE FROM mine.t WHERE a > 1").await?;
        }
        seen.push(lines.join("\n"));
    }
    ensure(seen.first() == seen.last(), || seen.join("\n--- MySQL\n"))?;
    let denied = seen
        .iter()
        .all(|lines| lines.matches(": 1142").count() == 11);
    ensure(denied, || seen.concat())
}
