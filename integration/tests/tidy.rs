//! The project's own rules as tests: the crate graph, the shape of files, words that must not
//! appear, and documents that must keep up with the code.

#![allow(
    clippy::expect_used,
    reason = "a broken checkout may end a test where it is found"
)]

mod dependencies;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use integration::peers::workspace;
use source::SourceFile;

/// The crates from the ground up: name, floor, and the crates of ours it may use. A crate uses only
/// floors below its own, and of those only the ones named here.
const CRATES: [(&str, u32, &[&str]); 18] = [
    ("memory", 0, &[]),
    ("codec", 0, &[]),
    ("gtid", 1, &["codec"]),
    ("charset", 1, &[]),
    ("binlog", 2, &["codec", "gtid"]),
    ("protocol", 2, &["memory", "codec", "gtid"]),
    ("config", 2, &[]),
    ("sql", 2, &[]),
    ("inspect", 3, &["codec", "gtid", "charset", "binlog", "sql"]),
    (
        "engine",
        3,
        &["memory", "codec", "gtid", "charset", "binlog", "sql"],
    ),
    (
        "targets",
        4,
        &[
            "codec", "gtid", "binlog", "protocol", "sql", "inspect", "engine",
        ],
    ),
    (
        "server",
        4,
        &[
            "memory", "codec", "gtid", "binlog", "protocol", "config", "sql", "engine",
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
            "codec", "gtid", "binlog", "protocol", "config", "sql", "engine", "targets", "server",
        ],
    ),
    (
        "recovery",
        6,
        &[
            "codec", "gtid", "binlog", "config", "sql", "inspect", "targets", "replica",
        ],
    ),
    (
        "cli",
        7,
        &[
            "codec", "gtid", "binlog", "protocol", "config", "sql", "inspect", "engine", "server",
            "targets", "primary", "replica", "recovery",
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
        8,
        &[
            "codec", "gtid", "binlog", "protocol", "config", "sql", "inspect", "engine", "targets",
            "server", "primary", "replica", "recovery", "cli",
        ],
    ),
];

/// Crates that are plain values: no clock, no socket, no runtime inside.
const PURE: [&str; 5] = ["codec", "gtid", "charset", "binlog", "inspect"];

/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 600;

/// Lines of a function.
const FUNCTION_LINES_MAX: usize = 70;

/// Functions that are one table each: a line per row and no branches.
const TABLE_FUNCTIONS: [(&str, &str); 1] =
    [("server/src/variables/from_settings.rs", "from_settings")];

/// Where the wire or the file format itself says the old words, as identifiers.
const OLD_WORDS: [&str; 1] = [
    "ReplicationSlave", // the privileges REPLICATION SLAVE and REPLICATION_SLAVE_ADMIN
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
fn the_house_of_the_documents_is_the_one_of_the_table() {
    let tests = ["fuzz", "integration"];
    for document in ["README.md", "docs/ARCHITECTURE.md"] {
        let text = std::fs::read_to_string(workspace().join(document)).expect(document);
        let drawn: Vec<(String, String)> = text
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| ")?.split(" | ");
                let (floor, name) = (cells.next()?, cells.next()?);
                let name = name.strip_prefix('`')?.strip_suffix('`')?;
                let is_floor = floor == "-" || floor.parse::<u32>().is_ok();
                is_floor.then(|| (floor.to_owned(), name.to_owned()))
            })
            .collect();
        let table: Vec<(String, String)> = CRATES
            .iter()
            .map(|&(name, floor, _)| match tests.contains(&name) {
                true => ("-".to_owned(), name.to_owned()),
                false => (floor.to_string(), name.to_owned()),
            })
            .collect();
        assert_eq!(drawn, table, "{document}");
    }
}

#[test]
fn every_dependency_is_used() {
    let unused = dependencies::unused(&dependencies::all(&metadata()));
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn no_module_of_tests_is_empty() {
    let empty: Vec<String> = source::all()
        .into_iter()
        .filter(|file| file.path.ends_with("/tests.rs") && file.path.contains("/src/"))
        .filter(|file| {
            let folder = workspace().join(file.path.trim_end_matches(".rs"));
            !file.text.contains("#[test]") && !file.text.contains("test]\n") && !folder.is_dir()
        })
        .map(|file| file.path)
        .collect();
    assert!(empty.is_empty(), "no test in {empty:#?}");
}

/// Places where the `Debug` form of a value is what is wanted, and why.
const DEBUG_WANTED: [(&str, &str); 6] = [
    // Hashed or compared, never shown.
    ("primary/src/transaction/write_set.rs", "{value:?}"),
    ("engine/src/expr/bind/scope.rs", "a.op"),
    // rustls has the names of cipher suites only there.
    ("protocol/src/server/tls_session.rs", "suite.suite()"),
    // A check that only tests call.
    ("targets/src/conformance.rs", "{error:?}"),
    ("targets/src/conformance.rs", "{value:?}"),
    // Inside the `Debug` form of something larger.
    ("gtid/src/tag.rs", "Tag({:?})"),
    // A duration, which Rust writes as people do.
];

#[test]
fn no_message_shows_the_debug_form_of_a_value() {
    let mut found = Vec::new();
    let mut needed = BTreeSet::new();
    for file in source::all() {
        let is_product = file.path.contains("/src/")
            && !["integration/", "fuzz/"]
                .iter()
                .any(|of| file.path.starts_with(of));
        if !is_product || file.is_test {
            continue;
        }
        let code = file.code_lines();
        for ((number, line), (_, code)) in (1..).zip(file.text.lines()).zip(code) {
            let is_comment = line.trim_start().starts_with("//") || line.contains("assert");
            let in_text = ["?}", "?#}"].iter().any(|form| {
                line.match_indices(form).any(|(at, _)| {
                    line.get(..at).is_some_and(|before| {
                        before.rfind('{').is_some_and(|open| {
                            before.get(open..).is_some_and(|spec| spec.contains(':'))
                        })
                    })
                })
            });
            let in_event = ["= ?", " ?", "(?"].iter().any(|form| {
                code.match_indices(form).any(|(at, _)| {
                    code.get(at + form.len()..)
                        .and_then(|rest| rest.chars().next())
                        .is_some_and(|c| c.is_ascii_lowercase())
                })
            });
            if is_comment || file.is_test_line(number) || !(in_text || in_event) {
                continue;
            }
            let exempt = DEBUG_WANTED
                .iter()
                .find(|(path, part)| *path == file.path && line.contains(part));
            match exempt {
                Some(exempt) => drop(needed.insert(*exempt)),
                None => found.push(format!("{}:{number}: {}", file.path, line.trim())),
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(
        needed,
        BTreeSet::from(DEBUG_WANTED),
        "an exemption must be needed"
    );
}

#[test]
fn the_unit_of_the_documents_is_one_that_systemd_252_knows() {
    let text = std::fs::read_to_string(workspace().join("docs/OPERATING.md")).expect("there");
    let unit = text
        .split("```ini\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let unit = unit.expect("a unit");
    assert!(unit.lines().any(|line| line == "Type=notify"), "{unit}");
    assert!(
        unit.contains("ExecReload=/bin/kill -HUP $MAINPID"),
        "{unit}"
    );
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
    let mut needless =
        BTreeSet::from(TABLE_FUNCTIONS.map(|(path, name)| format!("{path}: {name}")));
    for file in source::all().iter().filter(|file| !file.is_test) {
        let lines = file.production_lines();
        if lines > FILE_LINES_MAX {
            over.push(format!("{}: {lines} lines", file.path));
        }
        for function in file.functions() {
            let is_table = TABLE_FUNCTIONS.contains(&(file.path.as_str(), function.name.as_str()));
            if function.lines > FUNCTION_LINES_MAX {
                needless.remove(&format!("{}: {}", file.path, function.name));
            }
            if function.lines > FUNCTION_LINES_MAX && !is_table {
                over.push(format!(
                    "{}:{}: {} has {} lines",
                    file.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    assert!(over.is_empty(), "{over:#?}");
    assert!(
        needless.is_empty(),
        "an exemption must be needed: {needless:#?}"
    );
}

#[test]
fn the_old_words_are_only_wire_and_sql_literals() {
    let mut found = Vec::new();
    let mut needless = BTreeSet::from(OLD_WORDS);
    for file in source::all() {
        for (number, line) in file.code_lines() {
            let lower = line.to_lowercase();
            let has = lower.contains("master") || lower.contains("slave");
            let allowed = OLD_WORDS.iter().find(|&&allowed| line.contains(allowed));
            if let Some(allowed) = allowed.filter(|_| has) {
                needless.remove(allowed);
            } else if has {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        needless.is_empty(),
        "an exemption must be needed: {needless:#?}"
    );
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
