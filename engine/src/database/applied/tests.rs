use proptest::prelude::*;

use super::*;

const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLES).unwrap();
    connection
}

fn intervals(connection: &Connection) -> i64 {
    let sql = "SELECT count(*) FROM weir_executed";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

proptest! {
    #[test]
    fn intervals_in_the_file_are_those_of_the_set(
        added in prop::collection::vec((1u64..60, 0u64..9, prop::bool::ANY), 1..40),
    ) {
        let connection = connection();
        let mut model = GtidSet::new();
        for (start, length, is_tagged) in added {
            let tag = if is_tagged { ":blue" } else { "" };
            let part: GtidSet = format!("{UUID}{tag}:{start}-{}", start + length).parse().unwrap();
            model.union(&part);
            let added = part.into();
            let mark = Mark { added: &added, source: None, relay: None };
            advance(&connection, "", &mark).unwrap();
            let found = read(&connection, "").unwrap().unwrap();
            prop_assert_eq!(&found.executed.mysql, &model);
            let rows: usize = model.tsids().map(|tsid| model.intervals(tsid).len()).sum();
            prop_assert_eq!(usize::try_from(intervals(&connection)).unwrap(), rows);
        }
    }
}

#[test]
fn everything_of_a_channel_comes_back_and_other_channels_stay() {
    let connection = connection();
    let applied = Applied {
        executed: Executed {
            mysql: format!("{UUID}:1-7:9,{UUID}:red:3").parse().unwrap(),
            mariadb: "0-1-5,7-4294967295-18446744073709551615".parse().unwrap(),
        },
        source: Some(SourceCoordinates {
            file: "binlog.000003".to_owned(),
            offset: 1 << 33,
        }),
        relay: Some(LogPosition::new(LogFileName::new("relay", 4), 157)),
    };
    replace(&connection, "one", &applied).unwrap();
    replace(&connection, "two", &Applied::default()).unwrap();
    assert_eq!(read(&connection, "one").unwrap(), Some(applied));
    assert_eq!(read(&connection, "two").unwrap(), Some(Applied::default()));
    forget(&connection, "one").unwrap();
    assert_eq!(read(&connection, "one").unwrap(), None);
    assert_eq!(read(&connection, "two").unwrap(), Some(Applied::default()));
}

#[test]
fn the_text_of_an_earlier_version_becomes_intervals() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE weir_applied (
               channel TEXT PRIMARY KEY, gtid_executed TEXT NOT NULL, source_file TEXT,
               source_offset INTEGER, relay_file TEXT, relay_offset INTEGER) WITHOUT ROWID;
             INSERT INTO weir_applied
               VALUES ('', '{UUID}:1-5:8', 'b.000001', 197, 'relay.000002', 4);"
        ))
        .unwrap();
    upgrade_from_text(&connection).unwrap();
    let found = read(&connection, "").unwrap().unwrap();
    assert_eq!(found.executed.mysql.to_string(), format!("{UUID}:1-5:8"));
    assert_eq!(found.source.unwrap().offset, 197);
    assert_eq!(found.relay.unwrap().to_string(), "relay.000002:4");
}
