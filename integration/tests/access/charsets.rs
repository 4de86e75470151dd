//! What a client says of its character set at the login decides what its bytes mean.

use integration::failure::ensure;
use integration::wire::{Wire, error_code, login};
use integration::{Client, Peer, RealServer, Result, Weir};

/// Ids of collations: of what Weir has, in an order it may not know; of what no server has; of what
/// no statement can be in.
const ALIKE: [u16; 30] = [
    0, 1, 5, 8, 9, 13, 15, 17, 19, 26, 28, 31, 33, 45, 46, 47, 51, 54, 56, 60, 63, 74, 76, 83, 95,
    100, 224, 246, 248, 254,
];
/// What COM_CHANGE_USER names, which alone has room for numbers beyond 255.
const LONG: [u16; 8] = [8, 35, 63, 265, 303, 325, 2304, 65535];

/// Logs in with a collation's id, or changes the user with it; the error if it is refused.
fn come_in(port: u16, id: u16, changes: bool) -> Result<std::result::Result<Wire, Vec<u8>>> {
    let mut wire = match changes {
        true => Wire::login(port, "root", None)?,
        false => Wire::connect(port)?,
    };
    let [low, high] = id.to_le_bytes();
    if changes {
        let mut change = b"\x11root\0\0\0".to_vec();
        change.extend([low, high]);
        change.extend(b"caching_sha2_password\0");
        wire.command(&change)?;
    } else {
        let mut payload = login("root", &[], "caching_sha2_password", None);
        if let Some(charset) = payload.get_mut(8) {
            *charset = low;
        }
        wire.send(&payload)?;
    }
    let mut answer = wire.read()?;
    if answer.first() == Some(&0xfe) {
        wire.send(&[])?;
        answer = wire.read()?;
    }
    Ok(match error_code(&answer) {
        Some(_) => Err(answer),
        None => Ok(wire),
    })
}

/// What is stored of the bytes C3 A9 of each client, or the error.
async fn stored(port: u16, mut root: Client) -> Result<Vec<String>> {
    root.run(&[
        "CREATE DATABASE d",
        "CREATE TABLE d.t (n INT, v VARCHAR(9) CHARACTER SET utf8mb4, b VARBINARY(9))",
    ])
    .await?;
    let mut lines = Vec::new();
    let by_login = ALIKE.iter().map(|id| (*id, false));
    let by_change = LONG.iter().map(|id| (*id, true));
    for (id, changes) in by_login.chain(by_change) {
        let line = match come_in(port, id, changes)? {
            Err(error) => String::from_utf8_lossy(&error).into_owned(),
            Ok(mut wire) => {
                root.execute("DELETE FROM d.t").await?;
                let insert = "INSERT INTO d.t VALUES (1, 'é', 'é')";
                ensure(wire.query(insert)?, || format!("INSERT with {id}"))?;
                let hex = "SELECT HEX(v), HEX(b) FROM d.t";
                format!("{:?}", root.rows(hex).await?)
            }
        };
        lines.push(format!("{id} {changes}: {line}"));
    }
    Ok(lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_mean_what_the_login_says() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let seen = stored(weir.port, weir.client().await?).await?;
    let expected = stored(mysql.port, mysql.client().await?).await?;
    let wrong: Vec<_> = seen
        .iter()
        .zip(&expected)
        .filter(|(seen, expected)| seen != expected)
        .map(|(seen, expected)| format!("Weir {seen}, MySQL {expected}"))
        .collect();
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    Ok(())
}

/// What a client of seven bits says, with how it ends on Weir and on MySQL.
const OF_SEVEN_BITS: [(&str, Option<u16>, Option<u16>); 6] = [
    (
        "INSERT INTO d.t VALUES (1, 'é', 'a')",
        Some(1300),
        Some(1366),
    ),
    ("INSERT INTO d.t VALUES (2, 'a', 'é')", Some(1300), None),
    ("CREATE TABLE d.`é` (a INT)", Some(1300), None),
    ("SELECT 1 AS é", Some(1064), Some(1064)),
    (
        "INSERT INTO d.t VALUES (3, _utf8mb4'é', _binary'é')",
        None,
        None,
    ),
    ("INSERT INTO d.t VALUES (4, 'a', 'b') /* é */", None, None),
];

async fn says(port: u16, mut root: Client, is_weir: bool) -> Result<String> {
    root.run(&[
        "CREATE DATABASE d",
        "CREATE TABLE d.t (n INT, v VARCHAR(9) CHARACTER SET utf8mb4, b VARBINARY(9))",
    ])
    .await?;
    let ascii = 11;
    let mut wire = come_in(port, ascii, false)?
        .map_err(|_| integration::Failure::new("a client of ascii is not let in".to_owned()))?;
    for (statement, on_weir, on_mysql) in OF_SEVEN_BITS {
        wire.command(&[b"\x03", statement.as_bytes()].concat())?;
        let seen = error_code(&wire.read()?);
        let expected = if is_weir { on_weir } else { on_mysql };
        ensure(seen == expected, || format!("{statement}: {seen:?}"))?;
    }
    let stored = "SELECT n, HEX(v), HEX(b) FROM d.t WHERE n <> 2 ORDER BY n";
    Ok(format!("{:?}", root.rows(stored).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_seven_bits_stores_no_others_unless_it_says_what_they_are() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let seen = says(weir.port, weir.client().await?, true).await?;
    let expected = says(mysql.port, mysql.client().await?, false).await?;
    ensure(seen == expected, || {
        format!("Weir {seen}, MySQL {expected}")
    })
}
