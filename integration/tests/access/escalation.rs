//! Nobody grants what he does not hold, or touches an account above his own.

use integration::chance::announce;
use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir};

const SCHEMA: [&str; 8] = [
    "CREATE DATABASE victim",
    "CREATE DATABASE mine",
    "CREATE USER spare IDENTIFIED BY 'x'",
    "CREATE USER strong IDENTIFIED BY 'x'",
    "GRANT ALL ON *.* TO strong",
    "CREATE USER middle IDENTIFIED BY 'x'",
    "GRANT INSERT ON *.* TO middle",
    "CREATE USER doomed IDENTIFIED BY 'x'",
];

/// What an actor was granted, and what it tries, in this order.
const TRIES: [(&[&str], &[&str]); 6] = [
    (
        &[],
        &[
            "GRANT SELECT ON mine.* TO actor",
            "GRANT USAGE ON *.* TO spare",
            "GRANT ALL ON *.* TO actor WITH GRANT OPTION",
            "REVOKE SELECT ON *.* FROM strong",
            "CREATE USER n IDENTIFIED BY 'x'",
            "DROP USER spare",
            "RENAME USER spare TO spared",
            "ALTER USER spare IDENTIFIED BY 'y'",
            "SET PASSWORD FOR spare = 'y'",
            "ALTER USER actor ACCOUNT UNLOCK",
            "ALTER USER actor REQUIRE NONE",
            "ALTER USER actor IDENTIFIED BY 'x'",
            "ALTER USER USER() IDENTIFIED BY 'x'",
            "SET PASSWORD = 'x'",
        ],
    ),
    (
        &["GRANT SELECT ON *.* TO actor WITH GRANT OPTION"],
        &[
            "GRANT SELECT ON *.* TO spare",
            "REVOKE SELECT ON *.* FROM spare",
            "GRANT SELECT ON mine.* TO spare",
            "GRANT INSERT ON *.* TO actor",
            "GRANT INSERT ON mine.* TO spare",
            "GRANT ALL ON *.* TO actor",
            "GRANT SUPER ON *.* TO actor",
            "GRANT BINLOG_ADMIN ON *.* TO actor",
            "REVOKE SELECT ON *.* FROM root@localhost",
            "REVOKE ALL PRIVILEGES, GRANT OPTION FROM root@localhost",
            "ALTER USER root@localhost IDENTIFIED BY 'y'",
        ],
    ),
    (
        &["GRANT CREATE USER ON *.* TO actor"],
        &[
            "ALTER USER root@localhost IDENTIFIED BY 'y'",
            "ALTER USER spare, root@localhost IDENTIFIED BY 'y'",
            "ALTER USER root@localhost ACCOUNT LOCK",
            "SET PASSWORD FOR root@localhost = 'y'",
            "DROP USER root@localhost",
            "DROP USER IF EXISTS no_such, root@localhost",
            "RENAME USER root@localhost TO r",
            "RENAME USER spare TO s2, root@localhost TO r",
            "REVOKE ALL PRIVILEGES, GRANT OPTION FROM root@localhost",
            "ALTER USER strong IDENTIFIED BY 'y'",
            "GRANT ALL ON *.* TO actor",
            "GRANT CREATE USER ON *.* TO spare",
            "GRANT USAGE ON *.* TO spare WITH GRANT OPTION",
            "GRANT SELECT ON mine.* TO actor",
            "CREATE USER n IDENTIFIED BY 'x'",
            "ALTER USER n IDENTIFIED BY 'y'",
            "RENAME USER n TO m",
            "DROP USER m",
            "ALTER USER actor ACCOUNT UNLOCK",
            "ALTER USER middle IDENTIFIED BY 'y'",
        ],
    ),
    (
        &[
            "GRANT SELECT ON *.* TO actor WITH GRANT OPTION",
            "REVOKE ALL ON *.* FROM actor",
            "GRANT INSERT ON *.* TO actor",
        ],
        &[
            "GRANT INSERT ON *.* TO spare",
            "GRANT INSERT ON mine.* TO spare",
            "ALTER USER actor IDENTIFIED BY 'x' REPLACE 'wrong'",
        ],
    ),
    (
        &["GRANT ALL ON mine.* TO actor WITH GRANT OPTION"],
        &[
            "GRANT SELECT ON mine.* TO spare",
            "GRANT ALL ON mine.* TO spare",
            "REVOKE ALL ON mine.* FROM spare",
            "GRANT SELECT ON victim.* TO spare",
            "GRANT SELECT ON `%`.* TO spare",
            "GRANT SELECT ON `min%`.* TO spare",
            "GRANT SELECT ON `mine%`.* TO spare",
            "GRANT SELECT ON *.* TO spare",
            "GRANT RELOAD ON *.* TO spare",
            "REVOKE SELECT ON *.* FROM strong",
        ],
    ),
    (
        &[
            "GRANT SELECT ON mine.* TO actor",
            "GRANT INSERT ON victim.* TO actor WITH GRANT OPTION",
        ],
        &[
            "GRANT SELECT ON mine.* TO spare",
            "GRANT INSERT ON mine.* TO spare",
            "GRANT SELECT ON victim.* TO spare",
            "GRANT INSERT ON victim.* TO spare",
        ],
    ),
];

/// Where Weir refuses what MySQL does: the account has more rights than the actor, and MySQL guards
/// only those with SYSTEM_USER.
const STRICTER: [&str; 1] = ["ALTER USER middle IDENTIFIED BY 'y'"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_grants_what_he_does_not_hold_or_touches_an_account_above_his_own() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let on_weir = tries(weir.client().await?, weir.port).await?;
    let on_mysql = tries(mysql.client().await?, mysql.port).await?;
    let mut wrong = Vec::new();
    let mut other_numbers = Vec::new();
    for ((place, seen), (_, expected)) in on_weir.iter().zip(&on_mysql) {
        let line = format!("{place}: Weir {seen}, MySQL {expected}");
        match (seen == "OK", expected == "OK") {
            (false, true) if STRICTER.iter().any(|known| place.ends_with(known)) => {}
            (true, false) | (false, true) => wrong.push(line),
            (false, false) if seen != expected => other_numbers.push(line),
            (true, true) | (false, false) => {}
        }
    }
    announce(&format!(
        "{} tries, other numbers in {}:\n{}",
        on_weir.len(),
        other_numbers.len(),
        other_numbers.join("\n")
    ));
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    // root is who it was.
    let mut root = weir.client().await?;
    let grants = root.rows("SHOW GRANTS").await?;
    ensure(format!("{grants:?}").contains("WITH GRANT OPTION"), || {
        format!("{grants:?}")
    })
}

async fn tries(mut root: Client, port: u16) -> Result<Vec<(String, String)>> {
    root.run(&SCHEMA).await?;
    let mut answers = Vec::new();
    for (grants, statements) in TRIES {
        root.execute("DROP USER IF EXISTS actor").await?;
        root.execute("CREATE USER actor IDENTIFIED BY 'x'").await?;
        root.run(grants).await?;
        let options = ClientOptions {
            port,
            user: "actor".to_owned(),
            password: "x".to_owned(),
            tls: true,
        };
        let mut actor = Client::connect(&options).await?;
        for statement in statements {
            let seen = match actor.attempt(statement).await? {
                Ok(_) => "OK".to_owned(),
                Err(error) => error.code.to_string(),
            };
            answers.push((format!("{grants:?} {statement}"), seen));
        }
        actor.close().await?;
    }
    Ok(answers)
}
