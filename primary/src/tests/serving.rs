//! A node that runs: commits, transactions, waits, a full disk, purge.

use std::sync::Arc;
use std::time::Duration;

use binlog::event::{Event, EventType};
use binlog::log::{CrashKind, LogFileName, LogIndex, LogReader, SimStorage, Storage};
use binlog::schema::SchemaSnapshots;
use server::feed::GtidState as _;
use server::role::{EventsRequest, PurgeTo, Role};

use super::*;

/// The types of the events of a file, heads and ends included.
fn types(storage: &SimStorage, file: &str) -> Vec<EventType> {
    let file = LogFileName::parse(file).unwrap();
    let mut reader = LogReader::open(storage, &file).unwrap();
    reader.check_positions();
    let mut types = Vec::new();
    while reader.advance(None).unwrap() {
        types.push(reader.current().unwrap().1.header.event_type);
    }
    types
}

#[test]
fn statements_are_in_log_and_engine_when_they_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        let outcome = client
            .run("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')")
            .await;
        assert!(
            matches!(outcome, Ok(Outcome::Ok { affected: 2, .. })),
            "{outcome:?}"
        );
        assert_eq!(integers(&primary, "SELECT id FROM t ORDER BY id"), [1, 2]);
        let error = client
            .run("INSERT INTO t VALUES (3, 3, 'c'), (1, 0, '')")
            .await
            .unwrap_err();
        assert_eq!(error.code, 1062);
        client
            .run("UPDATE t SET v = v + 10 WHERE id = 2")
            .await
            .unwrap();
        client
            .run("UPDATE t SET v = 5 WHERE id = 77")
            .await
            .unwrap();
        client.run("DELETE FROM t WHERE id = 1").await.unwrap();
        assert_eq!(integers(&primary, "SELECT v FROM t"), [12]);
        assert_eq!(primary.state().executed().count(), 5);
        assert_eq!(primary.feed().durable_end(), primary.state().end());
    });
    primary.stop();
    use EventType as E;
    assert_eq!(
        types(&storage, "b.000001"),
        [
            vec![E::FORMAT_DESCRIPTION, E::PREVIOUS_GTIDS],
            vec![E::GTID, E::QUERY, E::GTID, E::QUERY],
            vec![E::GTID, E::QUERY, E::TABLE_MAP, E::WRITE_ROWS, E::XID],
            vec![E::GTID, E::QUERY, E::TABLE_MAP, E::UPDATE_ROWS, E::XID],
            vec![E::GTID, E::QUERY, E::TABLE_MAP, E::DELETE_ROWS, E::XID],
            vec![E::STOP],
        ]
        .concat()
    );
}

#[test]
fn a_transaction_is_one_in_the_log_and_a_rollback_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        client.begin();
        client
            .run("INSERT INTO t VALUES (1, 1, 'a')")
            .await
            .unwrap();
        assert!(integers(&primary, "SELECT id FROM t").is_empty());
        let own = client.run("SELECT id FROM t").await.unwrap();
        assert!(matches!(own, Outcome::Rows(rows) if rows.rows.len() == 1));
        primary.savepoint(2, "One").await.unwrap();
        client
            .run("INSERT INTO t VALUES (2, 2, 'b')")
            .await
            .unwrap();
        primary.rollback_to_savepoint(2, "ONE").await.unwrap();
        client
            .run("INSERT INTO t VALUES (3, 3, 'c')")
            .await
            .unwrap();
        primary.release_savepoint(2, "one").await.unwrap();
        assert_eq!(
            primary.release_savepoint(2, "one").await.unwrap_err().code,
            1305
        );
        client.commit().await.unwrap();
        assert_eq!(integers(&primary, "SELECT id FROM t ORDER BY id"), [1, 3]);
        let before = primary.state().end();
        client.begin();
        client.run("DELETE FROM t").await.unwrap();
        client.rollback().await.unwrap();
        assert_eq!(primary.state().end(), before);
        assert_eq!(integers(&primary, "SELECT id FROM t ORDER BY id"), [1, 3]);
        assert_eq!(primary.state().executed().count(), 3);
    });
}

#[test]
fn a_waiting_writer_is_told_1205_and_a_gone_client_frees_it() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let options = ["--innodb-lock-wait-timeout=1"];
    let primary = open(directory.path(), &storage, &options).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut holder = Client::new(&primary, 2);
        holder.begin();
        holder
            .run("INSERT INTO t VALUES (1, 1, 'a')")
            .await
            .unwrap();
        let mut other = Client::new(&primary, 3);
        let error = other
            .run("INSERT INTO t VALUES (2, 2, 'b')")
            .await
            .unwrap_err();
        assert_eq!(error.code, 1205);
        let waiting = other.run("INSERT INTO t VALUES (3, 3, 'c')");
        let leaving = async { primary.disconnected(2) };
        let (result, ()) = tokio::join!(waiting, leaving);
        result.unwrap();
        assert_eq!(integers(&primary, "SELECT id FROM t"), [3]);
    });
}

#[test]
fn an_idle_transaction_loses_the_writer_after_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let options = ["--idle-transaction-timeout=1"];
    let primary = open(directory.path(), &storage, &options).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut idle = Client::new(&primary, 2);
        idle.begin();
        idle.run("INSERT INTO t VALUES (1, 1, 'a')").await.unwrap();
        let mut other = Client::new(&primary, 3);
        other.run("INSERT INTO t VALUES (2, 2, 'b')").await.unwrap();
        let error = idle
            .run("INSERT INTO t VALUES (3, 3, 'c')")
            .await
            .unwrap_err();
        assert_eq!(error.code, 1213);
        assert_eq!(integers(&primary, "SELECT id FROM t"), [2]);
    });
}

#[test]
fn concurrent_statements_share_groups_and_syncs() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let inserts = (0..200_u64).map(|id| {
            let primary = &primary;
            async move {
                let mut client = Client::new(primary, 10 + id);
                client
                    .run(&format!("INSERT INTO t VALUES ({id}, 0, NULL)"))
                    .await
            }
        });
        let mut set = Vec::new();
        for insert in inserts {
            set.push(Box::pin(insert));
        }
        // All are sent before the first answer is waited for.
        let mut pending = set;
        std::future::poll_fn(|context| {
            pending.retain_mut(|insert| match insert.as_mut().poll(context) {
                std::task::Poll::Ready(result) => {
                    result.unwrap();
                    false
                }
                std::task::Poll::Pending => true,
            });
            if pending.is_empty() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    });
    assert_eq!(integers(&primary, "SELECT COUNT(*) FROM t"), [200]);
    let groups = primary
        .state()
        .counts
        .groups
        .load(std::sync::atomic::Ordering::Relaxed);
    assert!(groups < 202, "{groups} groups");
    primary.stop();
    // No two inserts touch the same row, so none depends on another.
    let mut reader = LogReader::open(&storage, &LogFileName::new("b", 1)).unwrap();
    while reader.advance(None).unwrap() {
        let (_, raw) = reader.current().unwrap();
        if let Event::Gtid(gtid) = Event::decode(&raw, reader.checksum()).unwrap() {
            let clock = gtid.logical_clock.unwrap();
            let expected = clock.sequence_number.min(3) - 1;
            assert_eq!(clock.last_committed, expected);
        }
    }
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_of_them_stays() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        client
            .run("INSERT INTO t VALUES (1, 1, 'a')")
            .await
            .unwrap();
        let end = primary.state().end();
        storage.set_space(Some(50));
        for _ in 0..3 {
            let error = client
                .run("INSERT INTO t VALUES (2, 2, 'b')")
                .await
                .unwrap_err();
            assert_eq!(error.code, 1021);
        }
        assert_eq!(integers(&primary, "SELECT id FROM t"), [1]);
        assert_eq!(primary.state().end(), end);
        storage.set_space(None);
        client
            .run("INSERT INTO t VALUES (2, 2, 'b')")
            .await
            .unwrap();
        assert_eq!(integers(&primary, "SELECT id FROM t ORDER BY id"), [1, 2]);
        assert_eq!(primary.state().executed().count(), 4);
    });
}

#[test]
fn a_statement_fails_if_what_was_open_before_it_cannot_be_committed() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        client.begin();
        for id in 0..20 {
            let insert = format!("INSERT INTO t VALUES ({id}, 1, 'a')");
            client.run(&insert).await.unwrap();
        }
        // Room for the statement alone.
        storage.set_space(Some(600));
        let create = "CREATE TABLE d.late (id INT PRIMARY KEY)";
        assert_eq!(client.run(create).await.unwrap_err().code, 1021);
        assert!(primary.database().catalog().table("d", "late").is_err());
        assert!(integers(&primary, "SELECT id FROM t").is_empty());
        storage.set_space(Some(600));
        client.run(create).await.unwrap();
    });
}

#[test]
fn a_failed_sync_ends_the_pipeline_and_acknowledges_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        storage.fail_syncs(1);
        let error = client
            .run("INSERT INTO t VALUES (1, 1, 'a')")
            .await
            .unwrap_err();
        assert_eq!(error.code, 1053);
        let error = client
            .run("INSERT INTO t VALUES (2, 1, 'a')")
            .await
            .unwrap_err();
        assert_eq!(error.code, 1053);
        assert!(integers(&primary, "SELECT id FROM t").is_empty());
    });
}

#[test]
fn files_rotate_by_size_and_by_request_and_purge_keeps_what_is_needed() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &["--max-binlog-size=4096"]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        for id in 0..40 {
            client
                .run(&format!("INSERT INTO t VALUES ({id}, 1, 'abcdefgh')"))
                .await
                .unwrap();
        }
        let logs = primary.binary_logs().await.unwrap();
        assert!(logs.len() >= 3, "{logs:?}");
        primary.flush_binary_logs().await.unwrap();
        let active = primary.binary_log_status().unwrap();
        assert_eq!(primary.binary_logs().await.unwrap().len(), logs.len() + 1);
        let held = LogFileName::parse(&logs[1].name).unwrap();
        let guard = primary.feed().guards().hold(held.clone());
        let log = Arc::clone(primary.feed().storage());
        let durability = crate::pipeline::Durability::EveryGroups(1);
        crate::checkpoint::checkpoint(primary.database(), primary.state(), &log, durability)
            .unwrap();
        let to = PurgeTo::File(active.file.clone());
        let warning = primary
            .purge_binary_logs(to.clone())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(warning.code, 1867);
        assert_eq!(primary.binary_logs().await.unwrap()[0].name, held.as_str());
        drop(guard);
        primary.purge_binary_logs(to).await.unwrap();
        let left = primary.binary_logs().await.unwrap();
        // The engine's own position still lies in the file before the active one.
        assert!(left.len() <= 2, "{left:?}");
        let purged = primary.state().purged();
        assert!(!purged.is_empty() && purged.is_subset_of(&primary.state().executed()));
        let unknown = PurgeTo::File("b.999999".to_owned());
        assert_eq!(
            primary.purge_binary_logs(unknown).await.unwrap_err().code,
            1373
        );
        let events = primary.events(EventsRequest::default()).await.unwrap();
        assert_eq!(events[0].event_type, "Format_desc");
    });
}

#[test]
fn a_clean_restart_goes_on_in_a_new_file_with_the_same_rows_and_gtids() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let mut executed = None;
    for life in 1..4 {
        let primary = open(directory.path(), &storage, &[]).unwrap();
        block_on(async {
            if life == 1 {
                create_table(&primary).await;
            } else {
                assert_eq!(Some(primary.state().executed()), executed);
            }
            let mut client = Client::new(&primary, 2);
            client
                .run(&format!("INSERT INTO t VALUES ({life}, 1, 'a')"))
                .await
                .unwrap();
        });
        executed = Some(primary.state().executed());
        let expected: Vec<i64> = (1..=life).collect();
        assert_eq!(integers(&primary, "SELECT id FROM t ORDER BY id"), expected);
        primary.stop();
    }
    assert_eq!(
        LogIndex::load(&storage, "b.index").unwrap().files().len(),
        3
    );
}

#[test]
fn a_data_directory_belongs_to_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    let error = open(directory.path(), &storage, &[]).unwrap_err();
    assert!(matches!(error, PrimaryError::Datadir(_)), "{error}");
    primary.stop();
    open(directory.path(), &storage, &[]).unwrap();
}

#[test]
fn an_engine_without_its_log_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(create_table(&primary));
    primary.stop();
    let error = open(directory.path(), &SimStorage::new(2), &[]).unwrap_err();
    assert!(matches!(error, PrimaryError::Diverged { .. }), "{error}");
    let other = tempfile::tempdir().unwrap();
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    drop(shared);
    // A new engine is built from the whole log.
    let rebuilt = open(other.path(), &storage, &[]).unwrap();
    assert!(integers(&rebuilt, "SELECT id FROM t").is_empty());
}

#[test]
fn a_block_on_all_writing_makes_writers_wait() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let block = primary.block_writes(None).await.unwrap();
        let mut client = Client::new(&primary, 2);
        let mut waiting = Box::pin(client.run("INSERT INTO t VALUES (1, 1, 'a')"));
        let answered = tokio::time::timeout(Duration::from_millis(50), &mut waiting).await;
        assert!(answered.is_err());
        assert!(integers(&primary, "SELECT id FROM t").is_empty());
        drop(block);
        waiting.await.unwrap();
        assert_eq!(integers(&primary, "SELECT id FROM t"), [1]);
    });
}

#[test]
fn a_log_without_gtids_and_checksums_is_replayed_as_well() {
    let options = [
        "--gtid-mode=OFF",
        "--enforce-gtid-consistency=OFF",
        "--binlog-checksum=NONE",
        "--binlog-row-metadata=FULL",
    ];
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &options).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        client
            .run("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')")
            .await
            .unwrap();
        client
            .run("UPDATE t SET s = 'c' WHERE id = 2")
            .await
            .unwrap();
        client.run("DELETE FROM t WHERE id = 1").await.unwrap();
    });
    primary.stop();
    assert!(types(&storage, "b.000001").contains(&EventType::ANONYMOUS_GTID));
    let other = tempfile::tempdir().unwrap();
    let replayed = open(other.path(), &storage, &options).unwrap();
    assert_eq!(integers(&replayed, "SELECT id FROM t WHERE s = 'c'"), [2]);
    assert!(replayed.state().executed().is_empty());
}

#[test]
fn a_log_with_minimal_metadata_is_read_with_the_names_of_its_columns() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(
        directory.path(),
        &storage,
        &["--binlog-row-metadata=MINIMAL"],
    )
    .unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut client = Client::new(&primary, 2);
        client
            .run("INSERT INTO t VALUES (1, 2, 'x')")
            .await
            .unwrap();
    });
    let file = LogFileName::new("b", 1);
    let snapshots = SchemaSnapshots::load(&storage, &file).unwrap().unwrap();
    let mut reader = LogReader::open(&storage, &file).unwrap();
    let mut named = Vec::new();
    while reader.advance(None).unwrap() {
        let checksum = reader.checksum();
        let (offset, event) = reader.current().unwrap();
        if let Event::TableMap(mut map) = Event::decode(&event, checksum).unwrap() {
            assert!(map.columns.iter().all(|column| column.name.is_none()));
            let snapshot = snapshots.find(&map, offset).unwrap();
            snapshot.complete(&mut map);
            let columns = map.columns.iter();
            named.extend(columns.map(|column| column.name.clone().unwrap().into_owned()));
            assert_eq!(map.primary_key, Some(vec![(0, 0)]));
            assert_eq!(snapshot.columns[2].declared, "varchar(50)");
        }
    }
    assert_eq!(named, ["id", "v", "s"]);
}

#[test]
fn a_node_starts_on_a_full_disk_and_writes_when_there_is_room() {
    for stops_cleanly in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let storage = SimStorage::new(1);
        let primary = open(directory.path(), &storage, &[]).unwrap();
        block_on(create_table(&primary));
        if stops_cleanly {
            primary.stop();
        } else {
            storage.stop_after(0);
            primary.stop();
        }
        let storage = storage.crash(CrashKind::Process, 1);
        storage.set_space(Some(0));
        let primary = open(directory.path(), &storage, &[]).unwrap();
        let executed = primary.state().executed();
        block_on(async {
            let mut client = Client::new(&primary, 2);
            let insert = "INSERT INTO t VALUES (1, 1, 'a')";
            for _ in 0..2 {
                assert_eq!(client.run(insert).await.unwrap_err().code, 1021);
            }
            assert_eq!(primary.flush_binary_logs().await.unwrap_err().code, 1021);
            assert_eq!(primary.state().executed(), executed);
            storage.set_space(None);
            client.run(insert).await.unwrap();
            assert_eq!(primary.state().executed().count(), executed.count() + 1);
            let logs = primary.binary_logs().await.unwrap();
            assert_eq!(logs.len(), 2, "{logs:?}");
        });
        primary.stop();
        let primary = open(directory.path(), &storage.crash(CrashKind::Power, 2), &[]).unwrap();
        assert_eq!(integers(&primary, "SELECT id FROM t"), [1]);
    }
}

#[test]
fn a_transaction_that_has_changed_nothing_does_not_keep_others_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SimStorage::new(1);
    let primary = open(directory.path(), &storage, &[]).unwrap();
    block_on(async {
        create_table(&primary).await;
        let mut first = Client::new(&primary, 2);
        let mut other = Client::new(&primary, 3);
        other.run("INSERT INTO t VALUES (1, 1, 'a')").await.unwrap();
        first.begin();
        // Fails, finds nothing, reads: none of them holds the writer.
        let duplicate = "INSERT INTO t VALUES (1, 1, 'b')";
        assert_eq!(first.run(duplicate).await.unwrap_err().code, 1062);
        other.run("INSERT INTO t VALUES (2, 2, 'a')").await.unwrap();
        primary.savepoint(2, "early").await.unwrap();
        first.run("UPDATE t SET v = 5 WHERE id = 99").await.unwrap();
        other.run("INSERT INTO t VALUES (3, 3, 'a')").await.unwrap();
        first.run("INSERT INTO t VALUES (4, 4, 'a')").await.unwrap();
        primary.rollback_to_savepoint(2, "Early").await.unwrap();
        let unknown = primary.release_savepoint(2, "never").await.unwrap_err();
        assert_eq!(unknown.code, 1305);
        first.run("INSERT INTO t VALUES (5, 5, 'a')").await.unwrap();
        first.commit().await.unwrap();
        let ids = integers(&primary, "SELECT id FROM t ORDER BY id");
        assert_eq!(ids, [1, 2, 3, 5]);
    });
}

#[test]
fn a_purge_that_cannot_remove_a_file_leaves_a_sound_index() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("logs");
    fs::create_dir(&disk).unwrap();
    let log_bin = format!("--log-bin={}", disk.join("b").display());
    let settings = settings(directory.path(), &[&log_bin]);
    let open = || Primary::open(Arc::clone(&settings)).unwrap();
    let primary = open();
    block_on(async {
        create_table(&primary).await;
        for _ in 0..3 {
            primary.flush_binary_logs().await.unwrap();
        }
        let mut client = Client::new(&primary, 2);
        client
            .run("INSERT INTO t VALUES (1, 1, 'a')")
            .await
            .unwrap();
        // A directory in the place of a file can be listed and not removed.
        fs::rename(disk.join("b.000001"), disk.join("kept")).unwrap();
        fs::create_dir_all(disk.join("b.000001/x")).unwrap();
        let log = Arc::clone(primary.feed().storage());
        let durability = crate::pipeline::Durability::EveryGroups(1);
        crate::checkpoint::checkpoint(primary.database(), primary.state(), &log, durability)
            .unwrap();
        let to = PurgeTo::File("b.000003".to_owned());
        primary.purge_binary_logs(to).await.unwrap_err();
        let logs = primary.binary_logs().await.unwrap();
        assert_eq!(logs[0].name, "b.000003", "{logs:?}");
        primary.flush_binary_logs().await.unwrap();
        client
            .run("INSERT INTO t VALUES (2, 2, 'a')")
            .await
            .unwrap();
    });
    primary.stop();
    drop(primary);
    fs::remove_dir_all(disk.join("b.000001")).unwrap();
    let primary = open();
    assert_eq!(integers(&primary, "SELECT id FROM t ORDER BY id"), [1, 2]);
    primary.stop();
}
