//! Damage to the database file that the disk did.

use std::os::unix::fs::FileExt as _;

use integration::wait::{self, PATIENCE};
use integration::{Client, Result, Weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_table_finds_a_byte_that_the_disk_changed() -> Result {
    let primary = Weir::primary(1, &[]).await?;
    let mut client = primary.client().await?;
    client
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(100))",
            "CREATE TABLE d.other (id INT PRIMARY KEY AUTO_INCREMENT)",
            "INSERT INTO d.t VALUES (1, 'a needle in a haystack')",
        ])
        .await?;
    let path = primary.data().join("weir.db");
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)?;
    let at = wait::until("the row is in the database file", PATIENCE, || async {
        let bytes = std::fs::read(&path)?;
        let found = bytes.windows(8).position(|bytes| bytes == b"a needle");
        Ok(found.ok_or("it is not"))
    })
    .await?;
    let at = u64::try_from(at)?;
    assert_eq!(check(&mut client).await?, "OK");
    file.write_all_at(b"A", at)?;
    // The write-ahead log still has the page until it begins anew.
    wait::until("CHECK TABLE finds the damage", PATIENCE, || {
        let port = primary.port;
        async move {
            let options = integration::sql::ClientOptions::root(port);
            let mut client = Client::connect(&options).await?;
            client.execute("INSERT INTO d.other VALUES ()").await?;
            let said = check(&mut client).await?;
            Ok(if said == "Corrupt" { Ok(()) } else { Err(said) })
        }
    })
    .await?;
    file.write_all_at(b"a", at)?;
    assert_eq!(check(&mut client).await?, "OK");
    Ok(())
}

/// The last word of CHECK TABLE.
async fn check(client: &mut Client) -> Result<String> {
    let rows = client.rows("CHECK TABLE d.t").await?;
    let last = rows.last().and_then(|row| row.last());
    Ok(last.map(ToString::to_string).unwrap_or_default())
}
