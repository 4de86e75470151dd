//! The recipe of docs/RECOVERY.md, run as it stands there.

use integration::failure::ensure;
use integration::recipe::{blocks, is_to_be_filled_in, shell};
use integration::{Peer, RealServer, Result};

use super::run::{client, last_log, url};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_against_a_delete_is_followed_word_for_word() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let server = RealServer::start(peer, 1, &[]).await?;
        let mut at = server.client().await?;
        at.run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY, who VARCHAR(20), n INT UNSIGNED)",
            "INSERT INTO shop.orders VALUES (1, 'ann', 4000000000), (2, 'bob', 2), (3, 'cid', 3)",
            "UPDATE shop.orders SET n = n - 1 WHERE id = 2",
        ])
        .await?;
        let before = at.rows("SELECT * FROM shop.orders ORDER BY id").await?;
        at.execute("DELETE FROM shop.orders").await?;
        let gtid = at
            .value(match peer.is_mariadb() {
                true => "SELECT @@gtid_binlog_pos",
                false => {
                    "SELECT CONCAT(@@server_uuid, ':', \
                     SUBSTRING_INDEX(@@gtid_executed, '-', -1))"
                }
            })
            .await?
            .to_string();
        let index = last_log(&server.binlogs()?)?.with_extension("index");
        let filled = format!(
            "LOGS={}\nSERVER={}\nTABLE=shop.orders\nGTID={gtid}\n",
            index.display(),
            url(server.port)
        );
        let directory = tempfile::tempdir()?;
        let mut done = 0;
        for block in blocks("1. Undo a DELETE")? {
            if is_to_be_filled_in(&block) {
                continue;
            }
            let text = shell(directory.path(), peer, &format!("{filled}{block}"))?;
            let expected = match done {
                0 => gtid.as_str(),
                1 => "0 rows are not as the log left them",
                2 => "took 3 rows in 1 transactions back; 0 rows in the way",
                _ => "undo.sql",
            };
            ensure(text.contains(expected), || {
                format!("{block}\nsays\n{text}\nand not {expected}")
            })?;
            done += 1;
            if done == 3 {
                let after = at.rows("SELECT * FROM shop.orders ORDER BY id").await?;
                ensure(before == after, || format!("{before:?}, not {after:?}"))?;
            }
        }
        ensure(done == 4, || format!("{done} commands"))?;
        // The other way: wiped once more, and read before it is run.
        at.execute("DELETE FROM shop.orders").await?;
        let sql = std::fs::File::open(directory.path().join("undo.sql"))?;
        let played = client(peer, server.port)?.stdin(sql).output()?;
        ensure(played.status.success(), || {
            String::from_utf8_lossy(&played.stderr).into_owned()
        })?;
        let after = at.rows("SELECT * FROM shop.orders ORDER BY id").await?;
        ensure(before == after, || format!("{before:?}, not {after:?}"))?;
    }
    Ok(())
}
