//! The project's own rules as tests: the crate graph, the shape of files, words that must not
//! appear, and documents that must keep up with the code.

#![allow(
    clippy::expect_used,
    reason = "a broken checkout may end a test where it is found"
)]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use integration::peers::workspace;
use source::SourceFile;

/// The crates from the ground up: name, floor, and the crates of ours it may use. A crate uses only
/// floors below its own, and of those only the ones named here.
const CRATES: [(&str, u32, &[&str]); 15] = [
    ("codec", 0, &[]),
    ("gtid", 1, &["codec"]),
    ("charset", 1, &[]),
    ("binlog", 2, &["codec", "gtid"]),
    ("protocol", 2, &["codec", "gtid"]),
    ("config", 2, &["gtid"]),
    ("sql", 2, &[]),
    ("inspect", 3, &["codec", "gtid", "charset", "binlog"]),
    (
        "engine",
        3,
        &["codec", "gtid", "charset", "binlog", "config", "sql"],
    ),
    (
        "server",
        4,
        &[
            "codec", "gtid", "binlog", "protocol", "config", "sql", "engine",
        ],
    ),
    (
        "primary",
        5,
        &[
            "codec", "gtid", "binlog", "protocol", "config", "sql", "engine", "server",
        ],
    ),
    (
        "replica",
        5,
        &[
            "codec", "gtid", "binlog", "protocol", "config", "sql", "engine", "server",
        ],
    ),
    (
        "cli",
        6,
        &[
            "codec", "gtid", "binlog", "protocol", "config", "sql", "inspect", "engine", "server",
            "primary", "replica",
        ],
    ),
    // Tests only: it takes the floors that read bytes from outside, and nothing uses it.
    (
        "fuzz",
        4,
        &[
            "codec", "gtid", "charset", "binlog", "protocol", "config", "inspect",
        ],
    ),
    (
        "integration",
        7,
        &[
            "codec", "gtid", "binlog", "protocol", "config", "sql", "inspect", "engine", "server",
            "primary", "replica", "cli",
        ],
    ),
];

/// Crates that are plain values: no clock, no socket, no runtime inside.
const PURE: [&str; 5] = ["codec", "gtid", "charset", "binlog", "inspect"];

/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 600;

/// Lines of a function.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are one table each, and long because the table is.
const TABLES: [&str; 2] = [
    "engine/src/collation/table.rs",
    "server/src/variables/table.rs",
];

/// Functions that are one table each: a line per row and no branches.
const TABLE_FUNCTIONS: [(&str, &str); 3] = [
    ("server/src/information_schema/tables.rs", "layout"),
    ("server/src/information_schema/tables.rs", "schema_layout"),
    ("server/src/variables.rs", "from_settings"),
];

/// Where the wire or the file format itself says the old words, as identifiers.
const OLD_WORDS: [&str; 2] = [
    "ReplicationSlave", // the privileges REPLICATION SLAVE and REPLICATION_SLAVE_ADMIN
    "7 SOURCE_POSITION", // event type 7, whose name is SLAVE
];

#[test]
fn the_crate_graph_is_the_one_that_is_drawn() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let allowed: BTreeMap<&str, &[&str]> = CRATES
        .iter()
        .map(|&(name, _, below)| (name, below))
        .collect();
    let present: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().expect("name"))
        .collect();
    assert_eq!(
        present,
        allowed.keys().copied().collect(),
        "crates of the workspace"
    );
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("name");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let target = dependency["name"].as_str().expect("name");
            if present.contains(target) && !allowed[name].contains(&target) {
                wrong.push(format!("{name} must not use {target}"));
            }
        }
    }
    for (name, floor, below) in CRATES {
        for lower in below {
            let lower_floor = CRATES
                .iter()
                .find(|(name, ..)| name == lower)
                .expect("listed")
                .1;
            assert!(
                lower_floor < floor,
                "{name} and {lower} in the table itself"
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = source::all()
        .into_iter()
        .filter(|file| !file.path.ends_with("/tests.rs"))
        .filter(|file| !file.text.trim_start().starts_with("//!"))
        .map(|file| file.path)
        .collect();
    assert!(silent.is_empty(), "no `//!` at the top of {silent:#?}");
}

#[test]
fn files_and_functions_keep_their_budgets() {
    let mut over = Vec::new();
    for file in source::all().iter().filter(|file| !file.is_test) {
        let lines = file.production_lines();
        if lines > FILE_LINES_MAX && !TABLES.contains(&file.path.as_str()) {
            over.push(format!("{}: {lines} lines", file.path));
        }
        for function in file.functions() {
            let is_table = TABLE_FUNCTIONS.contains(&(file.path.as_str(), function.name.as_str()));
            if function.lines > FUNCTION_LINES_MAX && !is_table {
                over.push(format!(
                    "{}:{}: {} has {} lines",
                    file.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

#[test]
fn the_old_words_are_only_wire_and_sql_literals() {
    let mut found = Vec::new();
    for file in source::all() {
        for (number, line) in file.code_lines() {
            let lower = line.to_lowercase();
            let has = lower.contains("master") || lower.contains("slave");
            if has && !OLD_WORDS.iter().any(|&allowed| line.contains(allowed)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_unfinished_is_left_in_the_code() {
    let words = [
        ["FIX", "ME"].concat(),
        ["XX", "X:"].concat(),
        ["TO", "DO"].concat(),
        ["HA", "CK"].concat(),
    ];
    let calls = [
        "dbg!(",
        "todo!(",
        "unimplemented!(",
        "#[ignore",
        "#[should_panic",
    ];
    let mut found = Vec::new();
    for file in source::all() {
        for (number, line) in (1..).zip(file.text.lines()) {
            if words.iter().any(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
        for (number, line) in file.code_lines() {
            if calls.iter().any(|call| line.contains(call)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn tests_wait_for_conditions_and_never_for_time() {
    let waits_itself = "integration/src/wait.rs";
    let mut found = Vec::new();
    for file in source::all()
        .iter()
        .filter(|file| file.path != waits_itself)
    {
        for (number, line) in file.code_lines() {
            let in_test = file.is_test || file.path.starts_with("integration/");
            if (in_test || file.is_test_line(number)) && line.contains("sleep(") {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_pure_crates_know_no_clock_and_no_socket() {
    let banned = [
        "Instant::now",
        "SystemTime::now",
        "std::net::",
        "tokio::",
        "thread::spawn",
    ];
    let mut found = Vec::new();
    for file in source::all().iter().filter(|file| !file.is_test) {
        let is_pure = PURE
            .iter()
            .any(|name| file.path.starts_with(&format!("{name}/src/")));
        for (number, line) in file.code_lines().into_iter().filter(|_| is_pure) {
            if !file.is_test_line(number) && banned.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_file_names_a_path_of_somebody_s_machine() {
    let roots = ["work", "home", "root", "Users"].map(|name| format!("/{name}/"));
    let mut found = Vec::new();
    for path in source::documents() {
        let text = std::fs::read_to_string(workspace().join(&path)).expect("readable");
        for (number, line) in (1..).zip(text.lines()) {
            // A path starts a word: `.../root/usr` below a peer's folder is not one.
            let starts_a_word = |at: usize| {
                line.get(..at)
                    .and_then(|before| before.chars().next_back())
                    .is_none_or(|before| !(before.is_alphanumeric() || "/.}$_-".contains(before)))
            };
            let has = roots.iter().any(|root| {
                line.match_indices(root.as_str())
                    .any(|(at, _)| starts_a_word(at))
            });
            if has {
                found.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_documents_name_every_crate_and_every_dependency() {
    let read = |name: &str| std::fs::read_to_string(workspace().join(name)).expect(name);
    let mut missing = Vec::new();
    for document in ["README.md", "docs/ARCHITECTURE.md"] {
        let text = read(document);
        for (name, ..) in CRATES {
            if !text.contains(&format!("`{name}`")) {
                missing.push(format!("{document}: crate {name}"));
            }
        }
    }
    let dependencies = read("docs/DEPENDENCIES.md");
    let ours: BTreeSet<&str> = CRATES.iter().map(|&(name, ..)| name).collect();
    let metadata = metadata();
    let mut used = BTreeSet::new();
    for package in metadata["packages"].as_array().expect("packages") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            used.insert(dependency["name"].as_str().expect("name").to_owned());
        }
    }
    for name in used.iter().filter(|name| !ours.contains(name.as_str())) {
        if !dependencies.contains(&format!("| `{name}` |")) {
            missing.push(format!("docs/DEPENDENCIES.md: {name}"));
        }
    }
    for line in dependencies.lines().filter(|line| line.starts_with("| `")) {
        let name = line.split('`').nth(1).unwrap_or_default();
        if !used.contains(name) {
            missing.push(format!(
                "docs/DEPENDENCIES.md lists {name}, which nothing uses"
            ));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_difference_to_mysql_is_listed() {
    let listed = std::fs::read_to_string(workspace().join("docs/COMPATIBILITY.md")).expect("there");
    let mut missing = Vec::new();
    for file in source::all() {
        for (number, line) in (1..).zip(file.text.lines()) {
            if line.contains(&["Differs from", " MySQL:"].concat()) && !listed.contains(&file.path)
            {
                missing.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "not in docs/COMPATIBILITY.md, by file: {missing:#?}"
    );
}

fn metadata() -> serde_json::Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(workspace())
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .expect("cargo metadata");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_scanner_sees_code_and_not_text() {
    let file = SourceFile::new(
        Path::new("x/src/y.rs"),
        "//! master\nfn a<'x>(c: &'x char) {\n    let s = \"slave \\\" fn b() {\"; // dbg!(\n    \
         let r = r#\"todo!(\"#; let c = '\"'; real!(c);\n}\n#[cfg(test)]\nmod tests {\n}\n",
    );
    let code: Vec<String> = file
        .code_lines()
        .into_iter()
        .map(|(_, line)| line)
        .collect();
    let code = code.join("\n");
    for word in ["master", "slave", "dbg!", "todo!"] {
        assert!(!code.contains(word), "{word} in {code}");
    }
    assert!(code.contains("real!(c)"), "{code}");
    assert_eq!(file.functions().len(), 1);
    assert_eq!(file.functions()[0].lines, 4);
    assert_eq!(file.production_lines(), 5);
    assert!(file.is_test_line(7) && !file.is_test_line(5));
}
