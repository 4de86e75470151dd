//! Every file of the corpora as text and as SQL. What SQL means is proven by
//! integration/tests/replay_sql.rs on real servers; the cells of JSON by corpus_json.rs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use std::path::Path;

use corpora::{Case, open};
use inspect::{
    Output, Render, RenderError, Source, SqlForm, SqlLines, SqlOptions, TextLines, TextOptions,
};

/// Renders one file; what came out in front of an error, and the error.
fn shown(
    case: &Case,
    path: &Path,
    render: &mut dyn for<'w> Render<&'w mut Vec<u8>>,
) -> (String, Result<(), RenderError>) {
    let mut reader = open::transactions(path, open::keys(case));
    let name = reader.stream().source().name().clone();
    let source = Source {
        label: name.as_str(),
        name: &name,
    };
    let mut bytes = Vec::new();
    let mut out = Output::new(&mut bytes);
    let mut result = render.begin(source, &mut out);
    while result.is_ok() {
        let step = reader.next();
        let Some(step) = step.unwrap_or_else(|e| panic!("{}: {e}", case.label())) else {
            result = render.end(&mut out);
            break;
        };
        result = render.event(source, &step, &mut out);
    }
    out.flush().unwrap();
    drop(out);
    (String::from_utf8_lossy(&bytes).into_owned(), result)
}

/// The rows of a table that the log alone does not describe; see the corpora's README.
fn is_undecodable(case: &Case) -> bool {
    case.name == "dates_old_temporal"
}

#[test]
fn every_file_is_shown_as_text() {
    let options = TextOptions {
        rows: true,
        ..TextOptions::default()
    };
    for case in corpora::cases() {
        for path in case.files() {
            let (text, result) = shown(&case, &path, &mut TextLines::new(options));
            if is_undecodable(&case) {
                continue;
            }
            result.unwrap_or_else(|e| panic!("{} {}: {e}", case.label(), path.display()));
            assert!(text.contains("FORMAT_DESCRIPTION"), "{}", case.label());
        }
    }
}

#[test]
fn every_file_is_shown_as_sql_that_begins_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    for case in corpora::cases() {
        for path in case.files() {
            let options = SqlOptions {
                load_files: Some(directory.path().to_owned()),
                ..SqlOptions::default()
            };
            let (sql, result) = shown(&case, &path, &mut SqlLines::new(options));
            result.unwrap_or_else(|e| panic!("{} {}: {e}", case.label(), path.display()));
            let place = || format!("{} {}", case.label(), path.display());
            assert_eq!(
                sql.matches("BINLOG '\n").count(),
                sql.matches("\n'/*!*/;\n").count(),
                "{}",
                place()
            );
            assert!(sql.starts_with("# weir binlog show --sql\n"), "{}", place());
            assert!(sql.contains("\nDELIMITER ;\n# End of log\n"), "{}", place());
        }
    }
}

#[test]
fn rows_without_names_are_refused_with_the_name_of_their_table() {
    let (mut written, mut refused) = (0, 0);
    for case in corpora::cases().iter().filter(|case| !is_undecodable(case)) {
        for path in case.files() {
            let directory = tempfile::tempdir().unwrap();
            let options = SqlOptions {
                form: SqlForm::Statements,
                load_files: Some(directory.path().to_owned()),
                ..SqlOptions::default()
            };
            let (sql, result) = shown(case, &path, &mut SqlLines::new(options));
            match result {
                Ok(()) => written += sql.matches("INSERT INTO `").count(),
                Err(error) => {
                    let error = error.to_string();
                    let is_precise = ["have no names", "cannot be written as a literal"];
                    assert!(
                        is_precise.iter().any(|reason| error.contains(reason)),
                        "{error}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(written > 100 && refused > 100, "{written} {refused}");
}
