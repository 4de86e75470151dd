//! Type names and lookups.

use std::sync::Arc;

use super::*;
use crate::collation::UTF8MB4_0900_AI_CI;

fn check(column_type: &ColumnType, text: &str) {
    assert_eq!(column_type.to_string(), text);
    let stored = serde_json::to_string(column_type).unwrap();
    assert_eq!(
        serde_json::from_str::<ColumnType>(&stored).unwrap(),
        *column_type
    );
}

#[test]
fn column_types_print_as_mysql_and_survive_storage() {
    let int = |size, unsigned, zerofill, width| ColumnType::Integer {
        size,
        unsigned,
        zerofill,
        width,
    };
    check(&int(IntegerSize::Int, false, false, None), "int");
    check(&int(IntegerSize::Tiny, false, false, Some(1)), "tinyint(1)");
    check(
        &int(IntegerSize::Big, true, true, Some(20)),
        "bigint(20) unsigned zerofill",
    );
    check(
        &ColumnType::Decimal {
            precision: 10,
            scale: 2,
            unsigned: true,
            zerofill: false,
        },
        "decimal(10,2) unsigned",
    );
    check(
        &ColumnType::Double {
            digits: Some((7, 3)),
            unsigned: false,
            zerofill: false,
        },
        "double(7,3)",
    );
    check(&ColumnType::Timestamp { fsp: 6 }, "timestamp(6)");
    check(&ColumnType::DateTime { fsp: 0 }, "datetime");
    let members: Arc<[String]> = ["a".to_owned(), "it's".to_owned()].into();
    check(
        &ColumnType::Enum {
            members,
            collation: &UTF8MB4_0900_AI_CI,
        },
        "enum('a','it''s')",
    );
    check(
        &ColumnType::Text {
            size: BlobSize::Medium,
            collation: &UTF8MB4_0900_AI_CI,
        },
        "mediumtext",
    );
}

#[test]
fn integer_ranges_are_those_of_their_width() {
    assert_eq!(IntegerSize::Medium.signed_range(), (-8_388_608, 8_388_607));
    assert_eq!(IntegerSize::Big.signed_range(), (i64::MIN, i64::MAX));
    assert_eq!(IntegerSize::Tiny.unsigned_max(), 255);
    assert_eq!(IntegerSize::Big.unsigned_max(), u64::MAX);
}

#[test]
fn missing_names_answer_as_mysql() {
    let mut catalog = Catalog::default();
    assert_eq!(
        catalog.table("d", "t").unwrap_err().message,
        "Unknown database 'd'"
    );
    let database = Database {
        name: "d".into(),
        collation: &UTF8MB4_0900_AI_CI,
        tables: Default::default(),
    };
    catalog.databases.insert("d".into(), Arc::new(database));
    assert_eq!(
        catalog.table("d", "t").unwrap_err().message,
        "Table 'd.t' doesn't exist"
    );
}
