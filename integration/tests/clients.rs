//! The same script through each client on Weir and on MySQL 9.7, with TLS and without: the same
//! results, by an account with a password.

mod script;

use std::process::{Command, Stdio};

use integration::failure::{Failure, ensure};
use integration::peers::{Peer, client_program};
use integration::sql::ClientOptions;
use integration::{Client, RealServer, Result, Weir};
use mysql_async::Params;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions, Connection, Row};

const USER: &str = "app";
const PASSWORD: &str = "se cret'\"ü";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mysql_command_line_client_gets_the_answers_of_mysql() -> Result {
    on_both(|port, tls| async move {
        let mut mysql = Peer::MySql97.cli()?;
        mysql.args([
            "--no-defaults",
            "--get-server-public-key",
            "--default-character-set=utf8mb4",
        ]);
        mysql.arg(if tls {
            "--ssl-mode=REQUIRED"
        } else {
            "--ssl-mode=DISABLED"
        });
        command_line(mysql, port)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mariadb_command_line_client_gets_the_answers_of_mysql() -> Result {
    on_both(|port, tls| async move {
        let mut mariadb = Peer::MariaDb1011.cli()?;
        mariadb.args(["--no-defaults", "--default-character-set=utf8mb4"]);
        mariadb.arg(if tls { "--ssl" } else { "--skip-ssl" });
        command_line(mariadb, port)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pymysql_gets_the_answers_of_mysql() -> Result {
    on_both(|port, tls| async move {
        let mut python = client_program("python3")?;
        python
            .arg("-c")
            .arg(script::PYMYSQL)
            .arg(port.to_string())
            .arg(USER)
            .arg(PASSWORD);
        python.arg(if tls { "tls" } else { "plain" });
        output_of(&mut python, None)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_async_gets_the_answers_of_mysql() -> Result {
    on_both(|port, tls| async move {
        let options = ClientOptions {
            port,
            user: USER.into(),
            password: PASSWORD.into(),
            tls,
        };
        let mut client = Client::connect(&options).await?;
        ensure(client.is_encrypted().await? == tls, || {
            format!("encrypted, wanted {tls}")
        })?;
        let mut lines = Vec::new();
        for statement in script::STATEMENTS {
            lines.push(match client.attempt(statement).await? {
                Ok(affected) => format!("{statement}: {affected}"),
                Err(error) => format!("{statement}: {} {}", error.code, error.message),
            });
        }
        let insert = "INSERT INTO items (id, name, price, made) VALUES (?, ?, ?, ?)";
        for (id, name, price) in [(100, "héron", "12.50"), (101, "漢字 😀", "-0.01")] {
            let params: Params = (id, name, price, "2024-02-29 23:59:59.5").into();
            client.prepared(insert, params).await?;
        }
        for query in script::QUERIES {
            lines.push(format!("{query}: {:?}", client.rows(query).await?));
            lines.push(format!(
                "prepared: {:?}",
                client.prepared(query, Params::Empty).await?
            ));
        }
        let by = "SELECT name, price FROM items WHERE id BETWEEN ? AND ? ORDER BY id";
        lines.push(format!(
            "{:?}",
            client.prepared(by, (100, 101).into()).await?
        ));
        Ok(lines.join("\n"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlx_gets_the_answers_of_mysql() -> Result {
    on_both(|port, tls| async move {
        // This client has no RSA: without TLS it needs the server to remember an earlier login.
        let earlier = ClientOptions {
            port,
            user: USER.into(),
            password: PASSWORD.into(),
            tls: true,
        };
        Client::connect(&earlier).await?.close().await?;
        let mode = if tls {
            MySqlSslMode::Required
        } else {
            MySqlSslMode::Disabled
        };
        let options = MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(port)
            .username(USER)
            .password(PASSWORD)
            .ssl_mode(mode);
        let mut conn = options.connect().await?;
        for statement in script::SETUP {
            sqlx::raw_sql(*statement).execute(&mut conn).await?;
        }
        let lines = sqlx_script(&mut conn).await?;
        conn.close().await?;
        Ok(lines.join("\n"))
    })
    .await
}

async fn sqlx_script(conn: &mut MySqlConnection) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (id, name) in [(1_i64, Some("one")), (2, None), (3, Some("três"))] {
        let done = sqlx::query("INSERT INTO items (id, name, price) VALUES (?, ?, 1.25)")
            .bind(id)
            .bind(name)
            .execute(&mut *conn)
            .await?;
        lines.push(format!(
            "{} {}",
            done.rows_affected(),
            done.last_insert_id()
        ));
    }
    let again = sqlx::query("INSERT INTO items (id) VALUES (?)")
        .bind(1_i64)
        .execute(&mut *conn);
    lines.push(format!(
        "{:?}",
        again.await.map_err(|error| error.to_string()).map(|_| ())
    ));
    let mut transaction = conn.begin().await?;
    sqlx::query("UPDATE items SET price = price + ? WHERE id > ?")
        .bind(7_i64)
        .bind(0_i64)
        .execute(&mut *transaction)
        .await?;
    transaction.rollback().await?;
    let mut transaction = conn.begin().await?;
    sqlx::query("DELETE FROM items WHERE id = ?")
        .bind(2_i64)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let rows =
        sqlx::query("SELECT id, name, COUNT(*) AS n FROM items GROUP BY id, name ORDER BY id")
            .fetch_all(&mut *conn)
            .await?;
    for row in rows {
        let (id, n): (i64, i64) = (row.try_get("id")?, row.try_get("n")?);
        lines.push(format!(
            "{id} {:?} {n}",
            row.try_get::<Option<String>, _>("name")?
        ));
    }
    Ok(lines)
}

/// Runs `client` on a Weir primary and on MySQL 9.7, with TLS and without, and compares its output.
async fn on_both<F, Fut>(client: F) -> Result
where
    F: Fn(u16, bool) -> Fut,
    Fut: Future<Output = Result<String>>,
{
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let account = [
        format!(
            "CREATE USER {USER}@'%' IDENTIFIED BY '{}'",
            PASSWORD.replace('\'', "''")
        ),
        format!("GRANT ALL ON *.* TO {USER}@'%'"),
    ];
    weir.client().await?.run(&account).await?;
    mysql.client().await?.run(&account).await?;
    for tls in [false, true] {
        let expected = client(mysql.port, tls)
            .await
            .map_err(|f| f.during("on MySQL 9.7"))?;
        let seen = client(weir.port, tls).await.map_err(|f| weir.explain(f))?;
        compare(&expected, &seen).map_err(|failure| failure.during(format!("tls={tls}")))?;
    }
    Ok(())
}

fn compare(expected: &str, seen: &str) -> Result {
    ensure(!expected.trim().is_empty(), || {
        "the client printed nothing".to_owned()
    })?;
    let mut differences: Vec<String> = Vec::new();
    let (mut left, mut right) = (expected.lines(), seen.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a != b => differences.push(format!(
                "  MySQL: {}\n  Weir:  {}",
                a.unwrap_or("(nothing)"),
                b.unwrap_or("(nothing)")
            )),
            _ => {}
        }
    }
    ensure(differences.is_empty(), || {
        let shown: Vec<String> = differences.iter().take(12).cloned().collect();
        format!("{} lines differ:\n{}", differences.len(), shown.join("\n"))
    })
}

fn command_line(mut command: Command, port: u16) -> Result<String> {
    command.args(["-h", "127.0.0.1", "-P", &port.to_string(), "-u", USER]);
    command.args([
        &format!("-p{PASSWORD}"),
        "--table",
        "--force",
        "--show-warnings",
        "-v",
    ]);
    let mut sql = String::new();
    for statement in script::STATEMENTS
        .iter()
        .chain(script::QUERIES)
        .chain(script::CLI_ONLY)
    {
        sql.push_str(statement);
        sql.push_str(";\n");
    }
    output_of(&mut command, Some(&sql))
}

/// stdout and stderr together; the exit status does not matter, because the script contains errors.
fn output_of(command: &mut Command, input: Option<&str>) -> Result<String> {
    use std::io::Write as _;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.unwrap_or_default().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let text = [output.stdout, b"\n--- stderr\n".to_vec(), output.stderr].concat();
    let text = String::from_utf8(text).map_err(Failure::from)?;
    Ok(text
        .lines()
        .filter(|line| !line.contains("Using a password on the command line"))
        .collect::<Vec<_>>()
        .join("\n"))
}
