//! Tests of argument parsing alone.

use super::CommandLine;

fn parse(arguments: &[&str]) -> (CommandLine, Vec<String>) {
    let mut errors = Vec::new();
    let line = CommandLine::parse(arguments.iter().map(|text| (*text).to_owned()), &mut errors);
    (line, errors.iter().map(ToString::to_string).collect())
}

fn options(arguments: &[&str]) -> Vec<String> {
    let (line, errors) = parse(arguments);
    assert!(errors.is_empty(), "{errors:?}");
    let text = |value: Option<String>| value.map_or(String::new(), |value| format!("={value}"));
    line.options
        .into_iter()
        .map(|option| option.name + &text(option.value))
        .collect()
}

#[test]
fn options_are_written_with_or_without_an_equals_sign() {
    assert_eq!(
        options(&["--port=1", "--server-id", "2"]),
        ["port=1", "server-id=2"]
    );
    assert_eq!(
        options(&["--read-only", "--port=1"]),
        ["read-only", "port=1"]
    );
    assert_eq!(options(&["--log-bin", "--port=1"]), ["log-bin", "port=1"]);
    assert_eq!(options(&["--max-binlog-s", "64M"]), ["max-binlog-s=64M"]);
}

#[test]
fn file_options_may_stand_anywhere() {
    let (line, _) = parse(&["--port=1", "--defaults_file", "a.cnf", "--toml-file=b.toml"]);
    assert_eq!(line.defaults_file.unwrap().to_str(), Some("a.cnf"));
    assert_eq!(line.toml_file.unwrap().to_str(), Some("b.toml"));
    assert_eq!(line.options.len(), 1);
}

#[test]
fn what_is_no_option_is_named() {
    let (_, errors) = parse(&["port=1", "--defaults-file"]);
    assert_eq!(
        errors,
        [
            "command line: 'port=1' is not an option; options are written --name=value",
            "command line: --defaults-file needs a file: --defaults-file=FILE",
        ]
    );
}
