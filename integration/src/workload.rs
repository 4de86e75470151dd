//! The all-types workload: every column type at its edges, written, changed, deleted, with DDL
//! between, as statements that MySQL 9.7 accepts.
//!
//! What a reader cannot hold is left out by name ([`Scope`]), never by catching its error.

/// Which servers must be able to hold the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// MySQL 9.7 and Weir: every type.
    MySql,
    /// MariaDB as well: no JSON and no VECTOR, whose MySQL forms it cannot read.
    WithMariaDb,
}

/// The databases that the workload touches.
pub const DATABASES: [&str; 2] = ["types", "other"];

/// The statements up to the point where the tables are full of edge values.
pub fn load(scope: Scope) -> Vec<String> {
    let mut statements = vec![
        "CREATE DATABASE types".to_owned(),
        "CREATE DATABASE IF NOT EXISTS other DEFAULT CHARACTER SET latin1".to_owned(),
        "USE types".to_owned(),
    ];
    statements.extend(lines(NUMBERS));
    statements.extend(lines(TEMPORALS));
    statements.extend(lines(TEXTS));
    statements.extend(lines(BINARIES));
    statements.extend(lines(KEYS));
    if scope == Scope::MySql {
        statements.extend(lines(MYSQL_ONLY));
    }
    statements.extend(long_values());
    statements
}

/// Updates, deletes, transactions and DDL on what [`load`] wrote.
pub fn change(scope: Scope) -> Vec<String> {
    let mut statements = vec!["USE types".to_owned()];
    statements.extend(lines(CHANGES));
    if scope == Scope::MySql {
        statements.extend(lines(MYSQL_ONLY_CHANGES));
    }
    statements
}

/// One statement per line; continuation lines are indented.
fn lines(text: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match statements.last_mut() {
            Some(last) if line.starts_with(' ') => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => statements.push(line.to_owned()),
        }
    }
    statements
}

/// Values longer than a row event, than 64 KiB and than a text column's first length byte.
fn long_values() -> Vec<String> {
    let mut statements = Vec::new();
    for (id, length) in [
        (100, 255),
        (101, 256),
        (102, 8_200),
        (103, 65_535),
        (104, 65_536),
    ] {
        statements.push(format!(
            "INSERT INTO texts (id, mt, lt) VALUES ({id}, '{}', '{}')",
            "m".repeat(length),
            "ü".repeat(length / 2)
        ));
        statements.push(format!(
            "INSERT INTO binaries (id, mb, lb) VALUES ({id}, x'{}', x'{}')",
            "00ff".repeat(length / 2),
            "5c".repeat(length)
        ));
    }
    let rows: Vec<String> = (1000..1600)
        .map(|id| format!("({id}, {id}, 'row {id}')"))
        .collect();
    statements.push(format!(
        "INSERT INTO composite (a, b, note) VALUES {}",
        rows.join(", ")
    ));
    statements
}

const NUMBERS: &str = "
CREATE TABLE numbers (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT,
  mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED,
  bo BOOLEAN, d10 DECIMAL(10,2), d65 DECIMAL(65,30), du DECIMAL(9,0) UNSIGNED, f FLOAT, d DOUBLE,
  b1 BIT(1), b9 BIT(9), b64 BIT(64), y YEAR)
INSERT INTO numbers VALUES (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0,
  -9223372036854775808, 0, FALSE, -99999999.99, -1.000000000000000000000000000001, 0, -1.5, -1e-300,
  b'0', b'0', b'0', 1901)
INSERT INTO numbers VALUES (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295,
  9223372036854775807, 18446744073709551615, TRUE, 99999999.99,
  99999999999999999999999999999999999.999999999999999999999999999999, 999999999, 1.5, 1e300,
  b'1', b'111111111', 0xFFFFFFFFFFFFFFFF, 2155)
INSERT INTO numbers (id) VALUES (3)
INSERT INTO numbers (t, tu, s, su, m, mu, i, iu, b, bu, d10, d65, du, f, d, b1, b9, b64, y) VALUES
  (-1, 128, -1, 32768, -1, 8388608, -1, 2147483648, -1, 9223372036854775808, -0.01,
  0.000000000000000000000000000001, 1, 0.1, 0.1, b'1', b'101', 1, 0),
  (1, 1, 1, 1, -3, 1, 1, 1, 1, 1, 0.5, 123456789.987654321, 42, 3.25, 2.5, NULL, b'1', 2, 2026)
";

const TEMPORALS: &str = "
CREATE TABLE temporals (id INT PRIMARY KEY, d DATE, t0 TIME, t3 TIME(3), t6 TIME(6), dt0 DATETIME,
  dt1 DATETIME(1), dt6 DATETIME(6), ts0 TIMESTAMP NULL, ts2 TIMESTAMP(2) NULL, ts6 TIMESTAMP(6) NULL,
  made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  changed DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))
INSERT INTO temporals (id, d, t0, t3, t6, dt0, dt1, dt6, ts0, ts2, ts6) VALUES
  (1, '1000-01-01', '-838:59:59', '-00:00:00.001', '-838:59:58.999999', '1000-01-01 00:00:00',
  '1000-01-01 00:00:00.1', '1000-01-01 00:00:00.000001', '1970-01-02 00:00:01',
  '1970-01-02 00:00:01.01', '1970-01-02 00:00:01.000001'),
  (2, '9999-12-31', '838:59:59', '838:59:58.999', '838:59:58.999999', '9999-12-31 23:59:59',
  '9999-12-31 23:59:59.9', '9999-12-31 23:59:59.999999', '2038-01-18 03:14:07',
  '2038-01-18 03:14:06.99', '2038-01-18 03:14:06.999999'),
  (3, '2024-02-29', '00:00:00', '12:34:56.789', '00:00:00.000001', '2024-02-29 12:00:00',
  '2024-02-29 12:00:00.5', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00', '2024-02-29 12:00:00.25',
  '2024-02-29 12:00:00.123456')
INSERT INTO temporals (id) VALUES (4)
";

const TEXTS: &str = "
CREATE TABLE texts (id INT PRIMARY KEY, c CHAR(10), c0 CHAR(0), v VARCHAR(50), v300 VARCHAR(300),
  tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT,
  l1 VARCHAR(20) CHARACTER SET latin1, bin VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  e ENUM('red','green','blue'), st SET('a','b','c','d'), dflt VARCHAR(20) NOT NULL DEFAULT 'it''s')
  DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
INSERT INTO texts (id, c, c0, v, v300, tt, tx, mt, lt, l1, bin, e, st) VALUES
  (1, 'abc', '', 'naïve 漢字 😀', 'x', 'tiny', 'text', 'medium', 'long', 'café', 'Bin', 'red', 'a,d'),
  (2, '', '', '', '', '', '', '', '', '', '', 'blue', ''),
  (3, 'tail', NULL, 'quote '' double \" back \\\\ nl \\n tab \\t', NULL, NULL, NULL, NULL, NULL, 'ÿ',
  'bin', 'green', 'a,b,c,d')
INSERT INTO texts (id) VALUES (4)
INSERT INTO texts (id, c, v) VALUES (5, 'ÄÖÜäöüßÉ', 'ÄÖÜ'), (6, '😀😀', '漢')
";

const BINARIES: &str = "
CREATE TABLE binaries (id INT PRIMARY KEY, b BINARY(8), vb VARBINARY(300), tb TINYBLOB, bl BLOB,
  mb MEDIUMBLOB, lb LONGBLOB)
INSERT INTO binaries VALUES (1, x'0001020000000000', x'00', x'00', x'00FF', x'FF00', x'27225C'),
  (2, x'', x'', x'', x'', x'', x''), (3, 'abc', 'it''s', '\\0', NULL, NULL, NULL)
INSERT INTO binaries (id) VALUES (4)
";

const KEYS: &str = "
CREATE TABLE composite (a INT NOT NULL, b BIGINT UNSIGNED NOT NULL, note VARCHAR(40),
  PRIMARY KEY (a, b), KEY by_note (note))
INSERT INTO composite VALUES (1, 1, 'one'), (1, 2, 'two'), (2, 18446744073709551615, 'max')
CREATE TABLE uniques (id INT NOT NULL AUTO_INCREMENT, code VARCHAR(20) NOT NULL, n INT,
  PRIMARY KEY (id), UNIQUE KEY code (code), UNIQUE KEY n (n)) AUTO_INCREMENT=10
INSERT INTO uniques (code, n) VALUES ('a', 1), ('b', NULL), ('c', NULL)
CREATE TABLE keyless (a INT, b VARCHAR(20))
INSERT INTO keyless VALUES (1, 'same'), (1, 'same'), (NULL, NULL), (2, 'other')
CREATE TABLE `odd ``name` (`order` INT PRIMARY KEY, `select` VARCHAR(10), `a b` INT)
INSERT INTO `odd ``name` VALUES (1, 'x', 2)
CREATE TABLE other.latin (id INT PRIMARY KEY, v VARCHAR(30))
INSERT INTO other.latin VALUES (1, 'grüße'), (2, NULL)
";

const MYSQL_ONLY: &str = "
CREATE TABLE documents (id INT PRIMARY KEY, j JSON)
INSERT INTO documents VALUES (1, '{}'), (2, '[]'), (3, 'null'), (4, 'true'), (5, '-1'),
  (6, '18446744073709551615'), (7, '1.5'), (8, '\"text\"'), (9, NULL),
  (10, '{\"b\": [1, 2.5, null, {\"x\": \"ü\"}], \"a\": {\"n\": -9223372036854775808}, \"\": false}')
CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3))
INSERT INTO vectors VALUES (1, x'0000803F0000004000004040'), (2, NULL)
";

const CHANGES: &str = "
UPDATE numbers SET t = t - 1, bu = bu - 1, d65 = -d65, f = f * 2, b9 = b'1010' WHERE id = 2
UPDATE numbers SET i = NULL, y = 1999 WHERE id = 1
DELETE FROM numbers WHERE id = 3
UPDATE temporals SET d = NULL, t6 = '01:02:03.040506', ts6 = '2030-01-01 00:00:00.5' WHERE id = 2
UPDATE texts SET v = CONCAT(v, '!'), e = 'green', st = 'b' WHERE id = 1
UPDATE texts SET mt = NULL WHERE id = 104
DELETE FROM texts WHERE id IN (5, 101)
UPDATE binaries SET bl = x'00', lb = x'' WHERE id >= 100 ORDER BY id LIMIT 2
UPDATE composite SET note = 'moved', b = 7 WHERE a = 1 AND b = 2
DELETE FROM composite WHERE a BETWEEN 1100 AND 1500
UPDATE composite SET note = NULL WHERE a > 1550
INSERT INTO uniques (code, n) VALUES ('a', 5) ON DUPLICATE KEY UPDATE n = n + 10
REPLACE INTO uniques (id, code, n) VALUES (50, 'b', 77)
INSERT IGNORE INTO uniques (code, n) VALUES ('c', 9), ('d', 9)
UPDATE keyless SET b = 'changed' WHERE a = 1 LIMIT 1
DELETE FROM keyless WHERE a IS NULL
UPDATE `odd ``name` SET `select` = 'y', `a b` = NULL WHERE `order` = 1
BEGIN
INSERT INTO uniques (code, n) VALUES ('tx1', 101)
SAVEPOINT one
INSERT INTO uniques (code, n) VALUES ('tx2', 102)
ROLLBACK TO SAVEPOINT one
INSERT INTO other.latin VALUES (10, 'both')
COMMIT
START TRANSACTION
DELETE FROM uniques
ROLLBACK
CREATE INDEX latin_v ON other.latin (v)
DROP INDEX by_note ON composite
CREATE TABLE gone (id INT PRIMARY KEY)
INSERT INTO gone VALUES (1)
TRUNCATE TABLE gone
INSERT INTO gone VALUES (2)
DROP TABLE gone
CREATE DATABASE passing
DROP DATABASE passing
";

const MYSQL_ONLY_CHANGES: &str = "
UPDATE documents SET j = '{\"changed\": [1, 2, 3]}' WHERE id IN (1, 9)
DELETE FROM documents WHERE id = 3
UPDATE vectors SET v = NULL WHERE id = 1
";
