//! Definitions in other character sets, and statements of sessions in them.

use integration::failure::ensure;
use integration::real_replica::create_account;
use integration::{Peer, RealServer, Result, Weir};

use super::{arrived, same};

/// What a session in this character set says, byte for byte.
const SESSIONS: [(&str, &[&[u8]]); 7] = [
    (
        "sjis",
        &[
            // The second byte of each is a backslash; a backslash of one byte escapes.
            b"CREATE TABLE `\x95\x5c` (`\x83\x5c` VARCHAR(9) DEFAULT '\x95\x5c' COMMENT '\x94\x5c\\'', \
              e ENUM('\x95\x5c','b') DEFAULT '\x95\x5c') CHARSET sjis COMMENT '\x8f\x5c'",
            b"INSERT INTO `\x95\x5c` () VALUES ()",
            b"ALTER TABLE `\x95\x5c` ADD `\x8f\x5c` CHAR(3) CHARACTER SET utf8mb4 DEFAULT '\x94\x5c'",
            b"CREATE TABLE t_sjis (g VARCHAR(9) CHARACTER SET sjis, h VARCHAR(9) AS (CONCAT(g, '\x95\x5c')) STORED)",
            b"INSERT INTO t_sjis (g) VALUES ('\x95\x5c')",
            b"CREATE TABLE w_sjis (a VARCHAR(9) DEFAULT 'a\x81\x5f') CHARSET sjis COMMENT '\x81\x5f'",
            b"INSERT INTO w_sjis VALUES (DEFAULT)",
            b"CREATE TABLE ignored.`\x83\x5c` (a INT)",
            b"CREATE TABLE `\x83\x5c` (a INT)",
            b"DROP TABLE `\x83\x5c`",
        ],
    ),
    (
        "gbk",
        &[
            b"CREATE TABLE `\x97\x5c` (a VARCHAR(9) DEFAULT '\x95\x5c' COMMENT '\x94\x5c''') CHARSET gbk",
            b"INSERT INTO `\x97\x5c` VALUES (DEFAULT), ('\xd6\xd0')",
            b"ALTER TABLE `\x97\x5c` ADD KEY `\x95\x5c` (a(1)), COMMENT '\xd6\xd0'",
        ],
    ),
    (
        "big5",
        &[
            b"CREATE TABLE `\xb3\x5c` (a SET('\xb3\x5c','\xa4\xa4') DEFAULT '\xb3\x5c,\xa4\xa4') CHARSET big5",
            b"INSERT INTO `\xb3\x5c` VALUES (DEFAULT), ('\xa4\xa4')",
        ],
    ),
    (
        "cp1250",
        &[
            b"CREATE TABLE `\x9a` (a VARCHAR(9) DEFAULT '\x9e\xe8' COMMENT '\xb9') CHARSET latin2",
            b"INSERT INTO `\x9a` VALUES (DEFAULT)",
        ],
    ),
    (
        "cp932",
        &[
            b"CREATE TABLE t_cp932 (a VARCHAR(9) CHARACTER SET cp932 DEFAULT '\xfa\x5c\x81\xe0') COMMENT '\x95\x5c'",
            b"INSERT INTO t_cp932 VALUES (DEFAULT)",
        ],
    ),
    (
        "euckr",
        &[
            b"CREATE TABLE `\xb0\xa1` (a VARCHAR(9) DEFAULT '\xb0\xa1') CHARSET ucs2",
            b"INSERT INTO `\xb0\xa1` VALUES (DEFAULT)",
        ],
    ),
    (
        "ujis",
        &[
            b"CREATE TABLE t_ujis (a VARCHAR(9) DEFAULT '\x8f\xb0\xa1\x8e\xb6\xa4\xa2' COMMENT '\xa4\xa2') CHARSET eucjpms",
            b"INSERT INTO t_ujis VALUES (DEFAULT)",
        ],
    ),
];

/// What a session in utf8mb4 says.
const STATEMENTS: [&str; 47] = [
    "CREATE DATABASE east DEFAULT CHARACTER SET gbk",
    "CREATE TABLE east.t (a VARCHAR(20), b VARCHAR(20) CHARACTER SET latin2 COLLATE latin2_hungarian_ci)",
    "INSERT INTO east.t VALUES ('中文', 'őűá')",
    "ALTER DATABASE east CHARACTER SET big5 COLLATE big5_bin",
    "CREATE TABLE east.u (a VARCHAR(20))",
    "INSERT INTO east.u VALUES ('中文')",
    "ALTER TABLE east.t MODIFY a VARCHAR(20) CHARACTER SET big5",
    "ALTER TABLE east.u CONVERT TO CHARACTER SET gbk",
    "ALTER TABLE east.t MODIFY b VARCHAR(30) CHARACTER SET cp1250 COLLATE cp1250_croatian_ci",
    "INSERT INTO east.t VALUES ('文', 'ű')",
    "CREATE TABLE east.v LIKE east.t",
    "INSERT INTO east.v SELECT * FROM east.t",
    "ALTER TABLE east.v CONVERT TO CHARACTER SET utf16",
    "ALTER TABLE east.v ADD c VARCHAR(4) DEFAULT 'é', ADD KEY (a(3), c(2))",
    "INSERT INTO east.v VALUES ('中 ', 'ű', 'ab')",
    "ALTER TABLE east.v CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_hu_0900_ai_ci",
    "CREATE TABLE e (a ENUM('ж','б') CHARACTER SET koi8r DEFAULT 'ж', s SET('é','ü') CHARACTER SET cp850)",
    "INSERT INTO e VALUES (DEFAULT, 'é,ü'), ('б', 'ü'), (NULL, '')",
    "ALTER TABLE e MODIFY a ENUM('б','ж') CHARACTER SET cp1251 COLLATE cp1251_ukrainian_ci",
    "ALTER TABLE e ADD x ENUM('a','b') CHARACTER SET utf16 DEFAULT 'b'",
    "CREATE TABLE p (a CHAR(10) CHARACTER SET ucs2, b CHAR(200) CHARACTER SET utf32, c TINYTEXT CHARACTER SET utf16le, \
     KEY (a(2)), UNIQUE KEY (b(5)), UNIQUE KEY (c(7)))",
    "INSERT INTO p VALUES ('a ', 'b', 'c  '), ('', '', ''), ('日本', '日本 ', '😀')",
    "UPDATE p SET a = CONCAT(a, 'x'), c = CONCAT(c, 'ж') WHERE b <> 'b'",
    "DELETE FROM p WHERE b = ''",
    "ALTER TABLE p MODIFY a CHAR(10) CHARACTER SET sjis, MODIFY c TEXT CHARACTER SET gb18030",
    "UPDATE p SET a = 'ソ' WHERE b = 'b'",
    "CREATE TABLE k (a VARCHAR(10) CHARACTER SET cp1251 COLLATE cp1251_general_ci PRIMARY KEY, b INT)",
    "INSERT INTO k VALUES ('жук', 1), ('Ёж', 2)",
    "INSERT INTO k VALUES ('ЖУК', 7) ON DUPLICATE KEY UPDATE a = 'Жук', b = 8",
    "UPDATE k SET a = 'ёж' WHERE a = 'ЁЖ'",
    "ALTER TABLE k CONVERT TO CHARACTER SET utf8mb3 COLLATE utf8mb3_turkish_ci",
    "CREATE TABLE g (a VARCHAR(10) CHARACTER SET gbk, b VARCHAR(10) CHARACTER SET gbk AS (UPPER(a)) STORED, \
     c VARCHAR(20) AS (HEX(a)) VIRTUAL, d INT AS (LENGTH(a)) STORED, KEY (b))",
    "INSERT INTO g (a) VALUES ('中a'), ('文')",
    "UPDATE g SET a = '中中' WHERE a = '文'",
    "ALTER TABLE g MODIFY a VARCHAR(12) CHARACTER SET gbk",
    "CREATE TABLE z (a VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_ja_0900_as_cs_ks, \
     b VARCHAR(5) CHARACTER SET swe7, c VARCHAR(5) CHARACTER SET tis620 COLLATE tis620_thai_ci, UNIQUE KEY (a, b, c))",
    "INSERT INTO z VALUES ('あ', 'Åä', 'ก'), ('ア', 'ä', 'เก')",
    "UPDATE z SET b = 'ö' WHERE a = 'ア'",
    "ALTER TABLE z DEFAULT CHARACTER SET armscii8, ADD d CHAR(2) DEFAULT 'a', ADD e TEXT",
    "INSERT INTO z (a, b, c) VALUES ('か', 'ö', 'ข')",
    "ALTER TABLE z CHANGE b bb VARCHAR(7) CHARACTER SET utf32 COLLATE utf32_swedish_ci",
    "ALTER TABLE z MODIFY c VARBINARY(20)",
    "ALTER TABLE z MODIFY c VARCHAR(20) CHARACTER SET tis620",
    "ALTER TABLE z CONVERT TO CHARACTER SET utf8mb4",
    "SET NAMES latin2 COLLATE latin2_croatian_ci",
    "CREATE TABLE n (a VARCHAR(9) CHARACTER SET latin2 DEFAULT 'x', b VARCHAR(9) AS (CONCAT(a, 'y')) STORED) CHARSET latin2",
    "INSERT INTO n (a) VALUES (_utf8mb4 x'c591')",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_and_statements_in_other_charsets_mean_what_they_mean_at_the_source() -> Result
{
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    // With a filter the names of the statements are read.
    let rule = ["replicate-wild-ignore-table=ignored.ソ"];
    let replica = Weir::following(2, source.port, &rule).await?;
    at_source
        .run(&[
            "CREATE DATABASE ignored",
            "CREATE DATABASE shop",
            "USE shop",
        ])
        .await?;
    at_source.run(&STATEMENTS).await?;
    for (charset, statements) in SESSIONS {
        at_source.run(&[format!("SET NAMES {charset}")]).await?;
        for statement in statements {
            at_source.execute_bytes(statement).await?;
        }
    }
    at_source.run(&["SET NAMES utf8mb4"]).await?;
    let mut at_replica = replica.client().await?;
    arrived(&mut at_source, &mut at_replica)
        .await
        .map_err(|failure| replica.explain(failure))?;
    let tables = at_source
        .rows("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('shop', 'east') ORDER BY 1, 2")
        .await?;
    ensure(tables.len() >= 17, || format!("{tables:?}"))?;
    for row in &tables {
        let (database, table) = (row[0].to_string(), row[1].to_string());
        let name = format!("`{database}`.`{table}`");
        let columns = at_source
            .rows(&format!("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{database}' AND TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"))
            .await?;
        let columns: Vec<String> = columns.iter().map(|row| row[0].to_string()).collect();
        let hex: Vec<String> = columns
            .iter()
            .map(|column| format!("`{column}`, HEX(`{column}`)"))
            .collect();
        let order: Vec<String> = columns
            .iter()
            .map(|column| format!("HEX(`{column}`)"))
            .collect();
        // MySQL shows an escaped half of the character in the expression.
        let is_shown_whole = table != "t_sjis";
        for query in [
            format!("SHOW CREATE TABLE {name}"),
            format!("SHOW FULL COLUMNS FROM {name}"),
            format!(
                "SELECT {} FROM {name} ORDER BY {}",
                hex.join(", "),
                order.join(", ")
            ),
        ] {
            if is_shown_whole || query.starts_with("SELECT") {
                same(&mut at_source, &mut at_replica, &query).await?;
            }
        }
    }
    let ignored = at_replica.rows("SHOW TABLES FROM ignored").await?;
    ensure(ignored.is_empty(), || format!("{ignored:?}"))?;
    for query in [
        "SHOW CREATE DATABASE east",
        "SELECT * FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'east'",
    ] {
        same(&mut at_source, &mut at_replica, query).await?;
    }
    Ok(())
}
