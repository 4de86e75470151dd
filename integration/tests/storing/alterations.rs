//! Columns that change their type, each type into each: the rows that are left are MySQL's.

use integration::compare::{Snapshot, ensure_same};
use integration::{Peer, RealServer, Result, Weir};

/// Types and values that are hard to carry over.
const SOURCES: &[(&str, &[&str])] = &[
    ("INT", &["-2147483648", "0", "12", "20200102", "101112"]),
    (
        "BIGINT UNSIGNED",
        &["0", "18446744073709551615", "255", "20200102101112"],
    ),
    ("TINYINT", &["-128", "127", "1"]),
    ("INT(5) ZEROFILL", &["12", "0"]),
    (
        "DECIMAL(10,3)",
        &["'-1234567.895'", "'0.005'", "'99.999'", "1"],
    ),
    (
        "FLOAT",
        &["1.1", "1e-10", "16777217", "0.1", "1.23456789e-7"],
    ),
    (
        "DOUBLE",
        &["1.1", "1e-10", "-0.5", "1e15", "123456789012345680"],
    ),
    ("DOUBLE(10,2)", &["1.5", "-99999999.99"]),
    (
        "VARCHAR(30)",
        &[
            "'abc'",
            "' 12 '",
            "'12abc'",
            "''",
            "'2020-01-02 03:04:05'",
            "'10:11:12'",
            "'ü'",
            "'1e3'",
            "'-0'",
            "'a,b'",
            "'20200102'",
            "'a '",
        ],
    ),
    ("CHAR(10)", &["'a'", "''", "'1.5'", "'x,y'"]),
    ("VARCHAR(20) CHARACTER SET latin1", &["'é'", "'1'", "'a'"]),
    ("TEXT CHARACTER SET latin1", &["'é'", "'12'"]),
    (
        "VARBINARY(30)",
        &["x'00'", "'a '", "'12'", "x'c3bc'", "'2020-01-02'"],
    ),
    ("BLOB", &["x'00ff'", "'5'"]),
    (
        "DATE",
        &[
            "'2020-02-29'",
            "'1000-01-01'",
            "'9999-12-31'",
            "'0000-00-00'",
        ],
    ),
    (
        "DATETIME(6)",
        &["'2020-02-29 23:59:58.999999'", "'1970-01-01 00:00:00.5'"],
    ),
    (
        "TIMESTAMP(3) NULL",
        &["'2020-02-29 23:59:59.9996'", "'2038-01-19 03:14:07'"],
    ),
    (
        "TIME(3)",
        &["'-838:59:59'", "'10:11:12.999'", "'-00:00:00.6'"],
    ),
    ("YEAR", &["2155", "1901", "0"]),
    ("ENUM('a','b','12','')", &["'a'", "'12'", "''", "'zz'"]),
    ("ENUM('é','x') CHARACTER SET latin1", &["'é'", "'x'"]),
    ("SET('x','y','12')", &["'x,y'", "''", "'12'", "'12,x'"]),
    (
        "JSON",
        &[
            "'{\"a\": 1}'",
            "'[]'",
            "'\"str\"'",
            "'5'",
            "'null'",
            "'true'",
        ],
    ),
    ("BIT(12)", &["b'0'", "b'111111111111'", "65"]),
];

/// What they become.
const TARGETS: &[&str] = &[
    "INT",
    "TINYINT UNSIGNED",
    "BIGINT UNSIGNED",
    "DECIMAL(8,2)",
    "FLOAT",
    "DOUBLE",
    "FLOAT(7,3)",
    "VARCHAR(5)",
    "VARCHAR(40)",
    "CHAR(4)",
    "VARBINARY(20)",
    "BINARY(6)",
    "TEXT",
    "BLOB",
    "VARCHAR(20) CHARACTER SET latin1",
    "DATE",
    "DATETIME",
    "DATETIME(6)",
    "TIMESTAMP(2) NULL",
    "TIME",
    "TIME(3)",
    "YEAR",
    "ENUM('a','b','12','')",
    "SET('x','y','12')",
    "BIT(12)",
    "BIT(64)",
];

/// A table of one source type with a column for each target, and what fills and changes it.
fn statements(number: usize, source: &str, values: &[&str]) -> Vec<String> {
    let table = format!("altering.t{number:02}");
    let columns = (0..TARGETS.len()).map(|index| format!("c{index} {source}"));
    let columns: Vec<String> = columns.collect();
    let mut statements = vec![format!(
        "CREATE TABLE {table} (id INT PRIMARY KEY, {})",
        columns.join(", ")
    )];
    for (id, value) in values.iter().enumerate() {
        let row = vec![*value; TARGETS.len()].join(", ");
        statements.push(format!("INSERT INTO {table} VALUES ({id}, {row})"));
    }
    let clauses = TARGETS.iter().enumerate();
    let clauses: Vec<String> = clauses
        .filter(|(_, target)| **target != source)
        .map(|(index, target)| format!("MODIFY c{index} {target}"))
        .collect();
    statements.push(format!("ALTER TABLE {table} {}", clauses.join(", ")));
    statements
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_that_change_their_type_hold_what_mysql_makes_of_them() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut snapshots = Vec::new();
    for client in [&mut mysql.client().await?, &mut weir.client().await?] {
        client
            .run(&[
                "CREATE DATABASE altering",
                "SET sql_mode = ''",
                "SET time_zone = '+03:00'",
                "SET timestamp = 1700000000",
            ])
            .await?;
        for (number, (source, values)) in SOURCES.iter().enumerate() {
            client.run(&statements(number, source, values)).await?;
        }
        snapshots.push(Snapshot::take(client, &["altering"]).await?);
    }
    match snapshots.as_slice() {
        [theirs, ours] => ensure_same("MySQL", theirs, "Weir", ours),
        _ => Ok(()),
    }
}
