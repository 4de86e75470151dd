//! A disk without room: every statement ends, reads go on, and who watches the node is told.
//!
//! What stands in the reserve's place keeps the node from keeping room for the engine, as a full disk
//! does.

use std::time::{Duration, Instant};

use integration::failure::{Failure, ensure};
use integration::process::free_port;
use integration::{Client, Result, Weir, wait};

const REFUSED: [&str; 7] = [
    "INSERT INTO d.t VALUES (2, 'b')",
    "UPDATE d.t SET v = 'c'",
    "DELETE FROM d.t",
    "CREATE TABLE d.u (id INT)",
    "ALTER TABLE d.t ADD w INT",
    "DROP TABLE d.t",
    "TRUNCATE d.t",
];

/// The status line and the body of GET /health.
fn health(port: u16) -> Result<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

async fn all_end(client: &mut Client) -> Result {
    for statement in REFUSED {
        let began = Instant::now();
        let ended = client.attempt(statement).await?;
        let code = ended.err().map_or(0, |error| error.code);
        ensure(code == 1021, || format!("{statement}: {code}"))?;
        ensure(began.elapsed() < Duration::from_secs(5), || {
            format!("{statement} took {:?}", began.elapsed())
        })?;
    }
    Ok(())
}

async fn is_as_it_was(client: &mut Client) -> Result {
    let rows = format!("{:?}", client.rows("SELECT * FROM d.t").await?);
    ensure(rows == "[[1, a]]", || rows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_every_write_is_refused_and_the_node_says_so_until_there_is() -> Result {
    let metrics = free_port()?;
    let mut node = Weir::primary(1, &[&format!("metrics_port={metrics}")]).await?;
    node.client()
        .await?
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(9))",
            "INSERT INTO d.t VALUES (1, 'a')",
        ])
        .await?;
    ensure(health(metrics)?.starts_with("HTTP/1.1 200"), || {
        "not healthy at first".to_owned()
    })?;
    node.kill()?;
    let reserve = node.data().join("weir.reserve");
    std::fs::remove_file(&reserve)?;
    std::fs::create_dir(&reserve)?;
    node.launch().await?;
    let mut client = node.client().await?;
    is_as_it_was(&mut client).await?;
    all_end(&mut client).await?;
    client.execute("BEGIN").await?;
    client.execute("INSERT INTO d.t VALUES (3, 'd')").await?;
    let commit = client.attempt("COMMIT").await?;
    ensure(commit.is_err_and(|error| error.code == 1021), || {
        "COMMIT was not refused".to_owned()
    })?;
    is_as_it_was(&mut client).await?;
    let page = health(metrics)?;
    let is_told = page.starts_with("HTTP/1.1 503") && page.contains("no space left on disk");
    ensure(is_told, || page)?;

    std::fs::remove_dir(&reserve)?;
    wait::until("the node is healthy again", wait::PATIENCE, || async {
        let page = health(metrics)?;
        Ok(match page.starts_with("HTTP/1.1 200") {
            true => Ok(()),
            false => Err(Failure::new(page)),
        })
    })
    .await?;
    client.execute("UPDATE d.t SET v = 'z'").await?;
    node.kill()?;
    node.launch().await?;
    let value = node.client().await?.value("SELECT v FROM d.t").await?;
    ensure(value.to_string() == "z", || value.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_not_used_again_after_ddl_that_found_no_room() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    node.client()
        .await?
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(9))",
            "INSERT INTO d.t (v) VALUES ('a'), ('b'), ('c')",
            "DELETE FROM d.t WHERE id > 1",
            "CREATE TABLE d.other (id INT)",
        ])
        .await?;
    node.kill()?;
    let reserve = node.data().join("weir.reserve");
    std::fs::remove_file(&reserve)?;
    std::fs::create_dir(&reserve)?;
    node.launch().await?;
    let mut client = node.client().await?;
    let ddl = [
        "DROP TABLE d.t",
        "TRUNCATE d.t",
        "ALTER TABLE d.t ADD w INT",
        "DROP DATABASE d",
    ];
    for statement in ddl {
        let refused = client.attempt(statement).await?.err();
        let code = refused.map(|error| error.code);
        ensure(code == Some(1021), || format!("{statement}: {code:?}"))?;
    }
    std::fs::remove_dir(&reserve)?;
    wait::until("there is room again", wait::PATIENCE, || async {
        let mut client = node.client().await?;
        let inserted = client.attempt("INSERT INTO d.other VALUES (1)").await?;
        Ok(inserted.map_err(|error| error.message))
    })
    .await?;
    client.execute("INSERT INTO d.t (v) VALUES ('d')").await?;
    let id = client.value("SELECT MAX(id) FROM d.t").await?.to_string();
    ensure(id == "4", || format!("the next id is {id}"))
}
