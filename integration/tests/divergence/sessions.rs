//! DDL means elsewhere and later what it meant in the session that ran it: its time zone, its
//! AUTO_INCREMENT steps, its character set, its server's version.

use integration::Result;

use super::fleet::Fleet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ddl_under_another_time_zone_gives_the_same_rows_everywhere() -> Result {
    let mut fleet = Fleet::start(&[]).await?;
    let mut client = fleet.primary.client().await?;
    client
        .run(&[
            "CREATE DATABASE d",
            "SET time_zone = '+05:30'",
            "CREATE TABLE d.t (id INT PRIMARY KEY, a DATETIME, \
             b TIMESTAMP NULL DEFAULT '2020-01-01 00:00:00')",
            "INSERT INTO d.t (id, a) VALUES (1, '2021-06-01 12:00:00'), (2, '2021-06-01 03:00:00')",
            "ALTER TABLE d.t MODIFY a TIMESTAMP NULL",
            "ALTER TABLE d.t ADD COLUMN c DATETIME DEFAULT CURRENT_TIMESTAMP",
            "ALTER TABLE d.t ADD COLUMN e TIMESTAMP NOT NULL DEFAULT '2020-05-05 05:05:05'",
            "ALTER TABLE d.t ALTER COLUMN e SET DEFAULT '2022-02-02 02:02:02'",
            "SET time_zone = '-08:00'",
            "ALTER TABLE d.t MODIFY b DATETIME",
            "INSERT INTO d.t (id) VALUES (3)",
            // Every replica must find the rows as they were logged.
            "UPDATE d.t SET id = id + 10",
            "DELETE FROM d.t WHERE id = 11",
        ])
        .await?;
    fleet.ensure_alike(&["d"]).await?;
    fleet.replay_the_log(&["d"]).await?;
    fleet
        .primary
        .client()
        .await?
        .execute("UPDATE d.t SET id = id + 10")
        .await?;
    fleet.ensure_alike(&["d"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_get_the_numbers_that_the_session_counted_in() -> Result {
    let mut fleet = Fleet::start(&[]).await?;
    let mut client = fleet.primary.client().await?;
    client.execute("CREATE DATABASE d").await?;
    // As MySQL 9.7 counts in place: not as for an INSERT.
    for (increment, offset, expected) in [
        (10, 3, "13,23,33"),
        (5, 5, "15,20,25"),
        (2, 1, "3,5,7"),
        (3, 7, "3,6,9"),
    ] {
        let table = format!("d.n{increment}");
        client
            .run(&[
                format!("CREATE TABLE {table} (v INT)"),
                format!("INSERT INTO {table} VALUES (1), (2), (3)"),
                format!(
                    "SET auto_increment_increment = {increment}, auto_increment_offset = {offset}"
                ),
                format!("ALTER TABLE {table} ADD id INT NOT NULL AUTO_INCREMENT PRIMARY KEY"),
                format!("INSERT INTO {table} (v) VALUES (4)"),
                format!("UPDATE {table} SET v = v + 1"),
                format!("ALTER TABLE {table} ADD w INT"),
            ])
            .await?;
        let query = format!("SELECT GROUP_CONCAT(id ORDER BY id) FROM {table} WHERE v < 5");
        assert_eq!(client.value(&query).await?.to_string(), expected);
    }
    fleet.ensure_alike(&["d"]).await?;
    fleet.replay_the_log(&["d"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ddl_of_a_latin1_client_is_decoded_once() -> Result {
    let mut fleet = Fleet::start(&[]).await?;
    let mut client = fleet.primary.client().await?;
    client
        .run(&[
            "CREATE DATABASE d",
            "SET NAMES latin1",
            "SET time_zone = '+05:30'",
        ])
        .await?;
    for statement in [
        &b"CREATE TABLE d.`t\xe9` (id INT PRIMARY KEY, `c\xf6l` ENUM('\xe4', '\x80\xdf') NOT NULL \
          DEFAULT '\xe4', s VARCHAR(20) CHARACTER SET utf8mb4 DEFAULT '\xfcber' COMMENT 'gr\xfc\xdfe', \
          l VARCHAR(20) CHARACTER SET latin1 DEFAULT '\x80') COMMENT = '\xa7'"[..],
        b"INSERT INTO d.`t\xe9` (id) VALUES (1)",
        b"ALTER TABLE d.`t\xe9` ADD `\xb5s` VARCHAR(9) NOT NULL DEFAULT '5 \xb5s'",
        b"UPDATE d.`t\xe9` SET `c\xf6l` = '\x80\xdf', id = 2",
        b"CREATE TABLE d.`\xfcmlaut` LIKE d.`t\xe9`",
    ] {
        client.execute_bytes(statement).await?;
    }
    client.execute("SET NAMES utf8mb4").await?;
    let row = client.rows("SELECT `cöl`, s, l, `µs` FROM d.`té`").await?;
    let row: Vec<String> = row.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(row, ["€ß", "über", "€", "5 µs"]);
    fleet.ensure_alike(&["d"]).await?;
    fleet.replay_the_log(&["d"]).await?;
    fleet
        .primary
        .client()
        .await?
        .execute("DELETE FROM d.`té`")
        .await?;
    fleet.ensure_alike(&["d"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_comments_mean_what_they_meant_when_they_were_logged() -> Result {
    let mut fleet = Fleet::start(&[]).await?;
    let mut client = fleet.primary.client().await?;
    client
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.v (id INT PRIMARY KEY /*!80400 , a INT */ /*!80401 , b INT */ \
             /*!90000 , c INT */ /*!99999 , e /* x */ INT */ /*M!100100 , f INT */)",
            "INSERT INTO d.v (id) VALUES (1)",
        ])
        .await?;
    let columns = client.rows("SHOW COLUMNS FROM d.v").await?;
    let names: Vec<String> = columns
        .iter()
        .filter_map(|row| row.first().map(ToString::to_string))
        .collect();
    assert_eq!(names, ["id", "a", "b"]);
    fleet.ensure_alike(&["d"]).await?;
    fleet.replay_the_log(&["d"]).await
}
