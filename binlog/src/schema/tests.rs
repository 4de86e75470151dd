use std::borrow::Cow;
use std::sync::Arc;

use super::*;
use crate::event::ChecksumAlgorithm;
use crate::log::{LogFileName, LogFlavour, LogIndex, LogOptions, LogWriter, SimStorage, Storage};
use crate::row::ColumnType;

fn full_map() -> TableMap<'static> {
    let mut id = Column::new(ColumnType::LONGLONG, 0, false);
    id.name = Some(Cow::Borrowed("id"));
    id.unsigned = Some(true);
    let mut size = Column::new(ColumnType::STRING, 0xf701, true);
    size.name = Some(Cow::Borrowed("size"));
    size.charset = Some(255);
    size.members = Some(vec![Cow::Borrowed(b"small"), Cow::Borrowed(b"\xff\xfe")]);
    let mut map = TableMap::new(7, "shop", "item", vec![id, size]);
    map.primary_key = Some(vec![(0, 0)]);
    map
}

fn snapshot() -> TableSnapshot {
    TableSnapshot::of(&full_map(), |_| String::new()).unwrap()
}

#[test]
fn a_minimal_map_becomes_the_full_one_that_the_snapshot_was_made_of() {
    let mut map = full_map().without_full_metadata();
    assert_eq!(map.columns[0].name, None);
    snapshot().complete(&mut map);
    // Visibility was not in the map that the snapshot was made of.
    assert_eq!(map, full_map());
}

#[test]
fn a_map_with_other_column_types_is_left_alone() {
    let mut map = full_map().without_full_metadata();
    map.columns[0].column_type = ColumnType::LONG;
    let before = map.clone();
    snapshot().complete(&mut map);
    assert_eq!(map, before);
}

#[test]
fn a_map_without_names_makes_no_snapshot() {
    let map = full_map().without_full_metadata();
    assert_eq!(TableSnapshot::of(&map, |_| String::new()), None);
}

#[test]
fn the_snapshot_that_holds_is_the_last_one_before_the_event() {
    let mut renamed = snapshot();
    renamed.columns[0].name = "number".to_owned();
    let mut snapshots = SchemaSnapshots::default();
    snapshots.add(900, renamed.clone());
    snapshots.add(100, snapshot());
    let map = full_map();
    let name_at = |offset| {
        let found = snapshots.find(&map, offset).unwrap();
        found.columns[0].name.clone()
    };
    assert_eq!(name_at(100), "id");
    assert_eq!(name_at(899), "id");
    assert_eq!(name_at(900), "number");
    assert_eq!(name_at(4), "id");
}

fn options() -> LogOptions {
    LogOptions {
        base: "binlog".to_owned(),
        index: "binlog.index".to_owned(),
        flavour: LogFlavour::Binary,
        max_size: 1 << 20,
        server_id: 1,
        server_version: "8.4.5-weir".to_owned(),
        checksum: ChecksumAlgorithm::Crc32,
    }
}

#[test]
fn each_file_of_a_log_gets_its_own_snapshots_and_keeps_them_until_it_is_purged() {
    let storage = SimStorage::new(1);
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let gtids = gtid::GtidSet::default();
    let index = LogIndex::load(storage.as_ref(), "binlog.index").unwrap();
    let mut log = LogWriter::create(Arc::clone(&storage), options(), index, &gtids, 1).unwrap();
    let first = log.active().clone();
    let start = log.next_offset();
    assert!(log.note_table(&snapshot()).unwrap());
    assert!(!log.note_table(&snapshot()).unwrap());
    log.sync().unwrap();
    log.rotate(&gtids, 2).unwrap();
    assert!(log.note_table(&snapshot()).unwrap());
    let second = log.active().clone();
    let found = |file: &LogFileName| SchemaSnapshots::load(storage.as_ref(), file).unwrap();
    let of_first = found(&first).unwrap();
    assert_eq!(of_first.find(&full_map(), start), Some(&snapshot()));
    log.purge_before(&second).unwrap();
    assert_eq!(found(&first), None);
    assert_eq!(found(&second).unwrap().len(), 1);
}

#[test]
fn a_torn_last_line_is_passed_over_and_a_damaged_one_is_named() {
    let whole = r#"{"offset":4,"schema":"a","table":"b","columns":[]}"#;
    let torn = format!("{whole}\n{{\"offset\":9,\"sch");
    let snapshots = SchemaSnapshots::parse("x.schema", torn.as_bytes()).unwrap();
    assert_eq!(snapshots.len(), 1);
    let damaged = format!("{whole}\n{{\"offset\":9,\"sch\n{whole}\n");
    let error = SchemaSnapshots::parse("x.schema", damaged.as_bytes()).unwrap_err();
    assert!(
        error.to_string().starts_with("line 2 of x.schema"),
        "{error}"
    );
}
