//! `weir replica` follows a real MySQL 9.7 whose tables are in every character set and every collation
//! that it has: the rows are the same to the byte, clients see the same text, unique keys hold.

#[path = "weir_keeps_charsets/clients.rs"]
mod clients;
#[path = "weir_keeps_charsets/definitions.rs"]
mod definitions;
#[path = "weir_keeps_charsets/of_mariadb.rs"]
mod of_mariadb;
#[path = "weir_keeps_charsets/orders.rs"]
mod orders;

use std::fmt::Write as _;

use integration::compare::{replica_status, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::create_account;
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir};

/// Codes of a character set that the server takes, as hexadecimal digits.
async fn codes(source: &mut Client, charset: &str) -> Result<Vec<String>> {
    let candidates: Vec<String> = match charset {
        // Halves of characters, which ucs2 has, are refused by name.
        "ucs2" | "utf16" | "utf16le" => {
            let all = (0..=u16::MAX).step_by(3);
            let whole = all.filter(|unit| !(0xd800..0xe000).contains(unit));
            let whole = whole.map(|unit| match charset {
                "utf16le" => format!("{:04x}", unit.swap_bytes()),
                _ => format!("{unit:04x}"),
            });
            let pairs = (0..=0xff_u16).map(|low| match charset {
                "utf16le" => format!("3dd8{:04x}", (0xdc00 + low).swap_bytes()),
                _ => format!("d83d{:04x}", 0xdc00 + low),
            });
            match charset {
                "ucs2" => whole.collect(),
                _ => whole.chain(pairs).collect(),
            }
        }
        "utf32" => (0..0x11_0000_u32)
            .step_by(17)
            .map(|code| format!("{code:08x}"))
            .collect(),
        "utf8mb4" | "utf8mb3" => {
            let last = if charset == "utf8mb4" {
                0x10_ffff
            } else {
                0xffff
            };
            let all = (0..=last).step_by(7).filter_map(char::from_u32);
            all.map(|c| hex(c.encode_utf8(&mut [0; 4]).as_bytes()))
                .collect()
        }
        _ => {
            let one = (0..=255_u8).map(|byte| format!("{byte:02x}"));
            let two = (0x81..=0xfe_u8)
                .flat_map(|a| (0x40..=0xfe_u8).map(move |b| format!("{a:02x}{b:02x}")));
            let three = (0xa1..=0xfe_u8)
                .flat_map(|a| (0xa1..=0xfe_u8).map(move |b| format!("8f{a:02x}{b:02x}")));
            let four = (0x30..=0x39_u8)
                .flat_map(|a| (0x81..=0xfe_u8).map(move |b| format!("95{a:02x}{b:02x}37")));
            match charset {
                "ujis" | "eucjpms" => one.chain(two).chain(three).collect(),
                "gb18030" => one.chain(two).chain(four).collect(),
                "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" => one.chain(two).collect(),
                _ => one.collect(),
            }
        }
    };
    // What is no text of the set is cut off with a warning where it is not refused.
    let name = format!("probe_{charset}");
    let mut statements = vec![format!(
        "CREATE TABLE probe.{name} (code VARBINARY(4) PRIMARY KEY, v VARCHAR(4) CHARACTER SET {charset})"
    )];
    for some in candidates.chunks(4000) {
        let mut values = String::new();
        for code in some {
            write!(values, ",(x'{code}',x'{code}')")?;
        }
        statements.push(format!(
            "INSERT IGNORE INTO probe.{name} VALUES {}",
            &values[1..]
        ));
    }
    source.run(&statements).await?;
    let taken = format!(
        "SELECT LOWER(HEX(code)) FROM probe.{name} \
         WHERE HEX(v) = HEX(code) AND CHAR_LENGTH(v) = 1 AND HEX(v) NOT IN ('20', '0020', '2000', '00000020')"
    );
    let rows = source.rows(&taken).await?;
    Ok(first(&rows))
}

/// The first cell of each row.
fn first<C: ToString>(rows: &[Vec<C>]) -> Vec<String> {
    let cells = rows.iter().filter_map(|row| row.first());
    cells.map(ToString::to_string).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Waits for the replica, which must not have stopped.
async fn arrived(source: &mut Client, at: &mut Client) -> Result {
    let waited = until_gtids_executed(source, at, PATIENCE).await;
    let error = replica_status(at, "Last_SQL_Error").await?;
    ensure(error.is_empty(), || error)?;
    waited
}

/// Both must answer alike.
async fn same(source: &mut Client, at: &mut Client, query: &str) -> Result {
    let (left, right) = (source.rows(query).await?, at.rows(query).await?);
    ensure(!left.is_empty(), || format!("{query}: no rows"))?;
    ensure(left.len() == right.len(), || {
        format!("{query}: {} and {} rows", left.len(), right.len())
    })?;
    for (wanted, found) in left.iter().zip(&right) {
        ensure(wanted == found, || {
            let cut = |text: String| text.chars().take(400).collect::<String>();
            format!(
                "{query}: {} is {}",
                cut(format!("{wanted:?}")),
                cut(format!("{found:?}"))
            )
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_codes_of_every_charset_come_back_and_are_shown_as_the_source_shows_them() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &["--binlog-ignore-db=probe"]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    at_source
        .run(&["CREATE DATABASE probe", "CREATE DATABASE shop"])
        .await?;
    let charsets = at_source
        .rows("SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME <> 'binary'")
        .await?;
    let charsets: Vec<String> = charsets.iter().map(|row| row[0].to_string()).collect();
    ensure(charsets.len() >= 40, || format!("{charsets:?}"))?;
    at_source
        .run(&["SET sql_log_bin = 0", "SET SESSION sql_mode = ''"])
        .await?;
    let mut known = Vec::new();
    for charset in &charsets {
        known.push((charset, codes(&mut at_source, charset).await?));
    }
    at_source
        .run(&[
            "SET sql_log_bin = 1",
            "SET SESSION sql_mode = DEFAULT",
            "USE shop",
        ])
        .await?;
    for (charset, codes) in &known {
        let mut statements = vec![
            format!(
                "CREATE TABLE all_{charset} (id INT PRIMARY KEY, t MEDIUMTEXT CHARACTER SET {charset})"
            ),
            format!(
                "CREATE TABLE one_{charset} (v VARCHAR(4) CHARACTER SET {charset} COLLATE {charset}_bin, \
                     c CHAR(3) CHARACTER SET {charset}, n INT, UNIQUE KEY (v), KEY (c(1)))"
            ),
        ];
        for (id, some) in codes.chunks(3000).enumerate() {
            statements.push(format!(
                "INSERT INTO all_{charset} VALUES ({id}, x'{}')",
                some.concat()
            ));
        }
        let sampled: Vec<&String> = codes.iter().step_by(codes.len().div_ceil(400)).collect();
        let rows: Vec<String> = sampled
            .iter()
            .map(|code| format!("(x'{code}', x'{code}{code}', 0)"))
            .collect();
        statements.push(format!(
            "INSERT INTO one_{charset} VALUES {}",
            rows.join(",")
        ));
        statements.push(format!(
            "UPDATE one_{charset} SET n = 1, c = REVERSE(c) WHERE HEX(v) LIKE '%1'"
        ));
        statements.push(format!("DELETE FROM one_{charset} WHERE HEX(v) LIKE '%2'"));
        at_source.run(&statements).await?;
    }
    let mut at_replica = replica.client().await?;
    arrived(&mut at_source, &mut at_replica)
        .await
        .map_err(|failure| replica.explain(failure))?;
    for (charset, _) in &known {
        for query in [
            format!(
                "SELECT id, HEX(t), CHAR_LENGTH(t), LENGTH(t), t FROM shop.all_{charset} ORDER BY id"
            ),
            format!("SELECT HEX(v), HEX(c), n, v, c FROM shop.one_{charset} ORDER BY v"),
            format!("SHOW CREATE TABLE shop.one_{charset}"),
            format!("SHOW FULL COLUMNS FROM shop.all_{charset}"),
            format!(
                "SELECT COLUMN_NAME, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLUMNS \
                     WHERE TABLE_NAME = 'one_{charset}' ORDER BY 1"
            ),
        ] {
            same(&mut at_source, &mut at_replica, &query).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_collation_of_mysql_keeps_unique_keys_and_finds_its_rows() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let replica = Weir::following(2, source.port, &[]).await?;
    let listed = "SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS \
                  WHERE CHARACTER_SET_NAME <> 'binary' ORDER BY 1";
    let collations = at_source.rows(listed).await?;
    ensure(collations.len() >= 285, || format!("{}", collations.len()))?;
    at_source.run(&["CREATE DATABASE shop", "USE shop"]).await?;
    for row in &collations {
        let (collation, charset) = (row[0].to_string(), row[1].to_string());
        // Words that some languages hold together and others apart: those that collide are left out.
        at_source
            .run(&[
                format!("CREATE TABLE t_{collation} (v VARCHAR(20) CHARACTER SET {charset} COLLATE {collation}, \
                         n INT, UNIQUE KEY (v)) DEFAULT CHARSET {charset} COLLATE {collation}"),
                format!("INSERT IGNORE INTO t_{collation} VALUES ('a', 1), ('A', 2), ('b ', 3), ('b', 4), ('ch', 5), \
                         ('c', 6), ('cz', 7), ('', 8), ('ss', 9), ('y', 10), ('i', 11), ('I', 12), ('w', 13), ('v', 14), \
                         ('å', 15), ('ä', 16), ('ö', 17), ('ß', 18), ('é', 19), ('e', 20), ('ж', 21), ('Ж', 22), \
                         ('日', 23), ('ア', 24), ('あ', 25), ('가', 26), ('😀', 27), ('😁', 28)"),
                format!("UPDATE t_{collation} SET n = n + 100 WHERE n % 2"),
                format!("DELETE FROM t_{collation} WHERE n % 3 = 0"),
            ])
            .await?;
    }
    let mut at_replica = replica.client().await?;
    arrived(&mut at_source, &mut at_replica)
        .await
        .map_err(|failure| replica.explain(failure))?;
    let counted = at_replica
        .rows("SHOW GLOBAL STATUS LIKE 'Weir_not_kept'")
        .await?;
    let counted = counted[0][1].to_string();
    let is_kept = |collation: &str| !counted.contains(&format!("order of {collation}:"));
    ensure(!is_kept("utf8mb4_sv_0900_ai_ci"), || counted.clone())?;
    let kept = collations.iter().filter(|row| is_kept(&row[0].to_string()));
    ensure(kept.count() >= 110, || counted.clone())?;
    for row in &collations {
        let collation = row[0].to_string();
        let (table, kept) = (format!("shop.t_{collation}"), is_kept(&collation));
        let ordered = [
            format!("SELECT n, v FROM {table} ORDER BY v"),
            format!(
                "SELECT a.n, b.n, a.v LIKE b.v, STRCMP(a.v, b.v) FROM {table} a, {table} b \
                 ORDER BY 1, 2"
            ),
        ];
        for query in ordered.iter().filter(|_| kept) {
            same(&mut at_source, &mut at_replica, query).await?;
        }
        for query in [
            format!("SELECT HEX(v), n, v FROM shop.t_{collation} ORDER BY n"),
            format!("SHOW CREATE TABLE shop.t_{collation}"),
        ] {
            same(&mut at_source, &mut at_replica, &query).await?;
        }
    }
    Ok(())
}
