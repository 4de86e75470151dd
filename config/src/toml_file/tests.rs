//! Tests of the TOML layer.

use std::fs;

fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("weir.toml");
    fs::write(&path, text).unwrap();
    let mut errors = Vec::new();
    let groups = ["mysqld".to_owned(), "replica".to_owned()];
    let options = super::read(&path, &groups, &mut errors)
        .into_iter()
        .map(|option| {
            let line = option.origin.to_string();
            let line = line.rsplit(':').next().unwrap_or_default().to_owned();
            format!(
                "{line} {}={}",
                option.name,
                option.value.unwrap_or_default()
            )
        })
        .collect();
    (options, errors.iter().map(ToString::to_string).collect())
}

#[test]
fn keys_tables_and_arrays_become_options_with_their_lines() {
    let (options, errors) = read(
        "server_id = 7\nread-only = true\nsource_heartbeat_period = 0.5\n[primary]\nport = 1\n\
         [replica]\nreplicate_do_db = [\n \"shop\",\n \"stock\"]\nmax_binlog_size = \"64M\"\n",
    );
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(
        options,
        [
            "1 server_id=7",
            "2 read-only=true",
            "3 source_heartbeat_period=0.5",
            "8 replicate_do_db=shop",
            "9 replicate_do_db=stock",
            "10 max_binlog_size=64M",
        ]
    );
}

#[test]
fn a_table_that_nobody_reads_is_a_mistake() {
    let (options, errors) = read("[mysqd]\nserver_id = 7\n[mysqldump]\nquick = true\n");
    assert_eq!(options, Vec::<String>::new());
    assert!(
        errors[0].ends_with("weir.toml:1: there is no table [mysqd]; did you mean [mysqld]?"),
        "{errors:?}"
    );
    assert!(
        errors[1].contains("weir.toml:3: there is no table [mysqldump]; tables are [server]"),
        "{errors:?}"
    );
}

#[test]
fn mistakes_name_the_line() {
    let (_, errors) = read("a = 1\nb = = 2\n");
    assert!(errors[0].contains("weir.toml:2: "), "{errors:?}");
    let (_, errors) = read("[mysqld]\nport = { a = 1 }\n");
    assert!(
        errors[0].contains("weir.toml:2: 'port' must be a string"),
        "{errors:?}"
    );
}
