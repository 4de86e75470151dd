//! Every statement asks for every privilege of every table that it touches.

use std::collections::BTreeMap;

use integration::chance::announce;
use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir};

/// What the accounts of these tests find.
const SCHEMA: [&str; 9] = [
    "CREATE DATABASE victim",
    "CREATE DATABASE mine",
    "CREATE TABLE victim.s (a INT PRIMARY KEY, b INT)",
    "CREATE TABLE victim.p (a INT PRIMARY KEY)",
    "INSERT INTO victim.s VALUES (42, 1)",
    "CREATE TABLE mine.t (a INT PRIMARY KEY, b INT)",
    "CREATE TABLE mine.u (a INT PRIMARY KEY, b INT)",
    "CREATE USER other IDENTIFIED BY 'x'",
    "CREATE USER spare IDENTIFIED BY 'x'",
];

/// Statements that an account with every privilege on `mine`, and none elsewhere, must not run.
const AT_VICTIM: [&str; 46] = [
    "SELECT * FROM victim.s",
    "SELECT * FROM `victim`.`s`",
    "SELECT 1 FROM (SELECT 1) x, victim.s",
    "SELECT (SELECT a FROM victim.s)",
    "SELECT a FROM mine.t ORDER BY (SELECT a FROM victim.s)",
    "SELECT 1 FROM mine.t WHERE EXISTS (SELECT 1 FROM victim.s)",
    "SELECT 1 UNION SELECT a FROM victim.s",
    "WITH c AS (SELECT a FROM victim.s) SELECT * FROM c",
    "WITH s AS (SELECT 1) SELECT * FROM victim.s",
    "TABLE victim.s",
    "VALUES ROW((SELECT a FROM victim.s))",
    "SET @x = (SELECT a FROM victim.s)",
    "SET @a = 1, @x = (SELECT a FROM victim.s)",
    "DO (SELECT a FROM victim.s)",
    "DO SLEEP(0), (SELECT a FROM victim.s)",
    "INSERT INTO mine.t SELECT * FROM victim.s",
    "INSERT INTO mine.t SET a = (SELECT a FROM victim.s)",
    "INSERT INTO mine.t VALUES ((SELECT a FROM victim.s), 1)",
    "INSERT INTO mine.t VALUES (1, 1) ON DUPLICATE KEY UPDATE b = (SELECT a FROM victim.s)",
    "REPLACE INTO mine.t SELECT * FROM victim.s",
    "UPDATE mine.t SET b = (SELECT a FROM victim.s)",
    "UPDATE mine.t SET b = 1 ORDER BY (SELECT a FROM victim.s)",
    "UPDATE victim.s SET b = 2",
    "DELETE FROM mine.t WHERE a = (SELECT a FROM victim.s)",
    "DELETE FROM victim.s",
    "INSERT INTO victim.s VALUES (1, 1)",
    "REPLACE INTO victim.s VALUES (1, 1)",
    "TRUNCATE victim.s",
    "DROP TABLE victim.s",
    "CREATE TABLE victim.n (a INT)",
    "CREATE TABLE mine.l LIKE victim.s",
    "CREATE TABLE mine.l AS SELECT * FROM victim.s",
    "CREATE TABLE mine.l (a INT, FOREIGN KEY (a) REFERENCES victim.p (a))",
    "ALTER TABLE mine.u RENAME victim.u",
    "ALTER TABLE mine.u RENAME TO victim.u, ADD c INT",
    "RENAME TABLE mine.u TO victim.u",
    "RENAME TABLE victim.s TO mine.s",
    "ALTER TABLE victim.s ADD c INT",
    "CREATE INDEX i ON victim.s (b)",
    "DROP INDEX `PRIMARY` ON victim.s",
    "DROP DATABASE victim",
    "ALTER DATABASE victim CHARACTER SET latin1",
    "DESCRIBE victim.s",
    "SHOW CREATE TABLE victim.s",
    "SHOW COLUMNS FROM victim.s",
    "USE victim",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_one_database_reaches_no_other_by_any_path() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut wrong = Vec::new();
    let mut answers: Vec<Vec<String>> = Vec::new();
    for (mut root, port) in [
        (weir.client().await?, weir.port),
        (mysql.client().await?, mysql.port),
    ] {
        root.run(&SCHEMA).await?;
        root.execute("CREATE USER app IDENTIFIED BY 'x'").await?;
        root.execute("GRANT ALL ON mine.* TO app").await?;
        let mut app = client(port, "app").await?;
        let mut seen = Vec::new();
        for statement in AT_VICTIM {
            seen.push(class(&mut app, statement).await?);
        }
        answers.push(seen);
        // A name in quotes is a string; what is not a name is not a way to the table.
        for statement in [
            r#"SELECT * FROM "victim"."s""#,
            "SELECT * FROM 'victim'.'s'",
            r#"UPDATE "victim"."s" SET b = 3"#,
            r#"DELETE FROM "victim"."s""#,
        ] {
            let seen = class(&mut app, statement).await?;
            if seen != "1064" {
                wrong.push(format!("{statement}: {seen}"));
            }
        }
        let rows = root.rows("SELECT a, b FROM victim.s").await?;
        ensure(format!("{rows:?}") == "[[42, 1]]", || format!("{rows:?}"))?;
    }
    let [weir_answers, mysql_answers] = answers.as_slice() else {
        return Ok(());
    };
    for ((statement, weir), mysql) in AT_VICTIM.iter().zip(weir_answers).zip(mysql_answers) {
        if !is_denied(weir) || weir != mysql {
            wrong.push(format!("{statement}: Weir {weir}, MySQL {mysql}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_keeps_the_sql_mode_it_was_read_with() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    root.run(&SCHEMA).await?;
    root.execute("CREATE USER app IDENTIFIED BY 'x'").await?;
    root.execute("GRANT ALL ON mine.* TO app").await?;
    let mut app = client(weir.port, "app").await?;
    for prepare in [
        r#"PREPARE p FROM 'SELECT * FROM "victim"."s"'"#,
        r#"PREPARE p FROM 'UPDATE "victim"."s" SET b = 9'"#,
    ] {
        app.execute("SET sql_mode = 'ANSI_QUOTES'").await?;
        ensure(class(&mut app, prepare).await? == "1142", || {
            format!("{prepare} by an account without a right")
        })?;
        root.execute("GRANT ALL ON victim.* TO app").await?;
        app.execute(prepare).await?;
        app.execute("SET sql_mode = ''").await?;
        root.execute("REVOKE ALL ON victim.* FROM app").await?;
        ensure(class(&mut app, "EXECUTE p").await? == "1142", || {
            prepare.to_owned()
        })?;
    }
    // The second value is what it was when the statement was read.
    let mode = r"SET sql_mode = 'NO_BACKSLASH_ESCAPES', @x = 'a\' , (SELECT b FROM victim.s) -- '";
    app.execute(mode).await?;
    let x = app.value("SELECT @x").await?.to_string();
    ensure(x.contains("victim.s"), || x)?;
    // What is logged is read again as it was read here.
    root.run(&[
        "SET sql_mode = 'ANSI_QUOTES'",
        r#"PREPARE d FROM 'CREATE TABLE "mine"."quoted" ("a" INT)'"#,
        "SET sql_mode = ''",
        "EXECUTE d",
    ])
    .await?;
    let mut replica = Weir::replica(2, &[]).await?;
    let follow = format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={}, SOURCE_USER='root', \
         SOURCE_AUTO_POSITION=1",
        weir.port
    );
    let mut at_replica = replica.client().await?;
    at_replica.run(&[follow.as_str(), "START REPLICA"]).await?;
    let limit = std::time::Duration::from_secs(30);
    integration::compare::until_gtids_executed(&mut root, &mut at_replica, limit).await?;
    let rows = at_replica
        .rows("SHOW TABLES FROM mine LIKE 'quoted'")
        .await?;
    ensure(rows.len() == 1, || format!("{rows:?}"))?;
    replica.stop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_or_dropped_is_gone_for_open_sessions_too() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    root.run(&SCHEMA).await?;
    for (grant, end) in [
        (
            "GRANT SELECT ON victim.* TO app",
            "REVOKE SELECT ON victim.* FROM app",
        ),
        (
            "GRANT SELECT ON *.* TO app",
            "REVOKE SELECT ON *.* FROM app",
        ),
        ("GRANT SELECT ON victim.* TO app", "DROP USER app"),
    ] {
        root.execute("DROP USER IF EXISTS app").await?;
        root.execute("CREATE USER app IDENTIFIED BY 'x'").await?;
        root.execute(grant).await?;
        let mut app = client(weir.port, "app").await?;
        app.run(&[
            "USE victim",
            "PREPARE p FROM 'SELECT * FROM victim.s'",
            "SELECT * FROM s",
        ])
        .await?;
        root.execute(end).await?;
        for statement in ["SELECT * FROM s", "EXECUTE p", "USE victim"] {
            let seen = class(&mut app, statement).await?;
            ensure(is_denied(&seen), || {
                format!("after {end}: {statement}: {seen}")
            })?;
        }
        let visible = app
            .rows("SELECT * FROM information_schema.tables WHERE table_schema = 'victim'")
            .await?;
        ensure(visible.is_empty(), || format!("after {end}: {visible:?}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_what_an_account_may_not_see_are_not_shown() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    root.run(&SCHEMA).await?;
    root.execute("CREATE USER app IDENTIFIED BY 'x'").await?;
    root.execute("GRANT SELECT ON mine.* TO app").await?;
    let mut app = client(weir.port, "app").await?;
    let tables = app
        .rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'information_schema'")
        .await?;
    for table in tables.into_iter().flatten() {
        let query = format!("SELECT * FROM information_schema.{table}");
        let rows = format!("{:?}", app.rows(&query).await?);
        let own_text = rows.replace(&query, "");
        ensure(!own_text.contains("victim"), || format!("{table}: {rows}"))?;
        ensure(!own_text.contains("root"), || format!("{table}: {rows}"))?;
    }
    for statement in [
        "SHOW TABLES FROM victim",
        "SHOW TABLE STATUS FROM victim",
        "SHOW OPEN TABLES FROM victim",
        "SHOW INDEX FROM victim.s",
        "SHOW CREATE DATABASE victim",
        "SHOW GRANTS FOR root@localhost",
        "SHOW CREATE USER root@localhost",
        "CHECK TABLE victim.s",
        "CHECKSUM TABLE victim.s",
        "ANALYZE TABLE victim.s",
        "OPTIMIZE TABLE victim.s",
        "LOCK TABLES victim.s READ",
        "SHOW BINARY LOGS",
        "SHOW REPLICA STATUS",
    ] {
        let seen = class(&mut app, statement).await?;
        ensure(is_denied(&seen), || format!("{statement}: {seen}"))?;
    }
    let processes = format!("{:?}", app.rows("SHOW FULL PROCESSLIST").await?);
    ensure(!processes.contains("root"), || processes)?;
    let id = root.value("SELECT CONNECTION_ID()").await?;
    ensure(
        class(&mut app, &format!("KILL {id}")).await? == "1095",
        || "KILL of another account's session".to_owned(),
    )
}

/// Every privilege that Weir knows, and none.
const PRIVILEGES: [&str; 24] = [
    "USAGE",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "SHUTDOWN",
    "PROCESS",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
    "SUPER",
    "LOCK TABLES",
    "REPLICATION SLAVE",
    "REPLICATION CLIENT",
    "CREATE USER",
    "BINLOG_ADMIN",
    "BINLOG_ENCRYPTION_ADMIN",
    "CONNECTION_ADMIN",
    "REPLICATION_SLAVE_ADMIN",
    "SYSTEM_VARIABLES_ADMIN",
];

/// One statement of every kind, harmless when it is allowed.
const KINDS: [&str; 74] = [
    "SELECT a FROM mine.t",
    "SELECT 1",
    "SELECT a FROM mine.t FOR UPDATE",
    "SELECT a FROM mine.t FOR SHARE",
    "TABLE mine.t",
    "WITH c AS (SELECT a FROM mine.t) SELECT * FROM c",
    "DO (SELECT COUNT(*) FROM mine.t)",
    "DO 1",
    "SET @x = (SELECT COUNT(*) FROM mine.t)",
    "INSERT INTO mine.t VALUES (1, 1)",
    "INSERT INTO mine.t SET a = 1",
    "INSERT INTO mine.t (a, b) VALUES (1, a + 1)",
    "INSERT INTO mine.t VALUES (1, 1) ON DUPLICATE KEY UPDATE b = 1",
    "INSERT INTO mine.t VALUES (1, 1) ON DUPLICATE KEY UPDATE b = b + 1",
    "INSERT INTO mine.t SELECT * FROM mine.u",
    "REPLACE INTO mine.t VALUES (1, 1)",
    "UPDATE mine.t SET b = 1",
    "UPDATE mine.t SET b = b + 1",
    "UPDATE mine.t SET b = 1 WHERE a = 1",
    "UPDATE mine.t SET b = 1 ORDER BY a LIMIT 1",
    "DELETE FROM mine.t",
    "DELETE FROM mine.t WHERE a = 1",
    "DELETE FROM mine.t LIMIT 1",
    "CREATE DATABASE IF NOT EXISTS mine",
    "ALTER DATABASE mine CHARACTER SET utf8mb4",
    "DROP DATABASE IF EXISTS no_such",
    "CREATE TABLE IF NOT EXISTS mine.t (a INT)",
    "CREATE TABLE IF NOT EXISTS mine.t LIKE mine.u",
    "CREATE TABLE IF NOT EXISTS mine.t AS SELECT 1 AS a",
    "CREATE TABLE IF NOT EXISTS mine.t (a INT, FOREIGN KEY (a) REFERENCES mine.u (a))",
    "ALTER TABLE mine.t COMMENT 'x'",
    "ALTER TABLE mine.no_such RENAME mine.no_such_either",
    "DROP TABLE IF EXISTS mine.no_such",
    "DROP VIEW IF EXISTS mine.no_such",
    "TRUNCATE mine.t",
    "CREATE INDEX `PRIMARY` ON mine.t (b)",
    "DROP INDEX no_such ON mine.t",
    "RENAME TABLE mine.no_such TO mine.no_such_either",
    "LOCK TABLES mine.t READ",
    "BEGIN",
    "COMMIT",
    "ANALYZE TABLE mine.t",
    "CHECK TABLE mine.t",
    "OPTIMIZE TABLE mine.t",
    "REPAIR TABLE mine.t",
    "DESCRIBE mine.t",
    "SHOW CREATE TABLE mine.t",
    "SHOW COLUMNS FROM mine.t",
    "SHOW INDEX FROM mine.t",
    "SHOW TABLES FROM mine",
    "SHOW TABLE STATUS FROM mine",
    "SHOW CREATE DATABASE mine",
    "USE mine",
    "SHOW DATABASES",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "SHOW GRANTS FOR other",
    "SHOW CREATE USER other",
    "SHOW BINARY LOGS",
    "SHOW BINARY LOG STATUS",
    "SHOW BINLOG EVENTS LIMIT 1",
    "SHOW REPLICAS",
    "SHOW REPLICA STATUS",
    "PURGE BINARY LOGS BEFORE '2001-01-01'",
    "FLUSH BINARY LOGS",
    "STOP REPLICA",
    "SET GLOBAL max_connections = 151",
    "KILL 4000000000",
    "CREATE USER IF NOT EXISTS spare",
    "DROP USER IF EXISTS no_such",
    "ALTER USER IF EXISTS no_such ACCOUNT LOCK",
    "SET PASSWORD FOR root@localhost = ''",
    "GRANT SELECT ON mine.* TO spare",
    "REVOKE SELECT ON mine.* FROM spare",
];

/// Where Weir asks for more than MySQL, and why; never for less.
const STRICTER: [(&str, &str); 3] = [
    (
        "CREATE USER IF NOT EXISTS spare",
        "INSERT on the schema mysql, which is not here",
    ),
    (
        "DROP USER IF EXISTS no_such",
        "DELETE on the schema mysql, which is not here",
    ),
    (
        "ALTER USER IF EXISTS no_such ACCOUNT LOCK",
        "UPDATE on the schema mysql, which is not here",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_statement_with_every_privilege_alone_is_allowed_as_in_mysql_97() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &["--log-bin=binlog"]).await?;
    let (of_weir, of_mysql) = tokio::try_join!(
        matrix(weir.client().await?, weir.port),
        matrix(mysql.client().await?, mysql.port)
    )?;
    let mut wrong = Vec::new();
    let mut listed = Vec::new();
    for (place, expected) in &of_mysql {
        let seen = of_weir.get(place).map_or("nothing", String::as_str);
        let line = format!(
            "{} with {}: Weir {seen}, MySQL {expected}",
            place.1, place.0
        );
        match (is_denied(seen), is_denied(expected)) {
            (false, true) => wrong.push(format!("Weir allows: {line}")),
            (true, false) if STRICTER.iter().any(|(known, _)| *known == place.1) => {
                listed.push(line);
            }
            (true, false) => wrong.push(format!("Weir denies: {line}")),
            (true, true) if seen != expected => listed.push(line),
            (true, true) | (false, false) => {}
        }
    }
    announce(&format!(
        "{} answers, {} differ in their number or are stricter:\n{}",
        of_mysql.len(),
        listed.len(),
        listed.join("\n")
    ));
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

async fn matrix(
    mut root: Client,
    port: u16,
) -> Result<BTreeMap<(&'static str, &'static str), String>> {
    root.run(&SCHEMA).await?;
    let mut answers = BTreeMap::new();
    for (number, privilege) in PRIVILEGES.into_iter().enumerate() {
        let user = format!("u{number}");
        root.execute(&format!("CREATE USER {user} IDENTIFIED BY 'x'"))
            .await?;
        root.execute(&format!("GRANT {privilege} ON *.* TO {user}"))
            .await?;
        let mut one = client(port, &user).await?;
        for statement in KINDS {
            let seen = class(&mut one, statement).await?;
            answers.insert((privilege, statement), seen);
            // Nothing stays locked or open for the next one.
            one.run(&["UNLOCK TABLES", "ROLLBACK"]).await?;
        }
        one.close().await?;
    }
    Ok(answers)
}

async fn client(port: u16, user: &str) -> Result<Client> {
    let options = ClientOptions {
        port,
        user: user.to_owned(),
        password: "x".to_owned(),
        tls: true,
    };
    Client::connect(&options).await
}

/// `OK`, or the number of the error.
async fn class(client: &mut Client, statement: &str) -> Result<String> {
    Ok(match client.attempt(statement).await? {
        Ok(_) => "OK".to_owned(),
        Err(error) => error.code.to_string(),
    })
}

/// Whether an answer says that a privilege is missing.
fn is_denied(class: &str) -> bool {
    ["1044", "1045", "1095", "1142", "1143", "1227", "1410"].contains(&class)
}
