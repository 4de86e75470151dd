//! Tests against the rules of mysys/my_default.cc.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::OptionFile;

fn groups() -> Vec<String> {
    vec!["mysqld".to_owned(), "weir".to_owned()]
}

fn read_text(text: &str) -> OptionFile {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("my.cnf");
    fs::write(&path, text).unwrap();
    OptionFile::read(&path, &groups()).unwrap()
}

/// Reads `text` under `[mysqld]` and compares the options as `name` or `name=value`.
fn check(text: &str, expected: &[&str]) {
    let file = read_text(&format!("[mysqld]\n{text}"));
    assert!(file.errors.is_empty(), "{:?}", file.errors);
    let options: Vec<String> = file
        .options
        .into_iter()
        .map(|option| match option.value {
            None => option.name,
            Some(value) => format!("{}={value}", option.name),
        })
        .collect();
    assert_eq!(options, expected, "from {text:?}");
}

#[test]
fn blanks_around_names_and_values_are_dropped() {
    check(
        "  port = 3307  \n\tserver-id=1\t\r\n",
        &["port=3307", "server-id=1"],
    );
    check("skip-name-resolve  \n", &["skip-name-resolve"]);
    check("log-bin=\n", &["log-bin="]);
}

#[test]
fn comments_end_a_line_unless_they_are_quoted() {
    check("# a\n; b\n   # c\nport=1 # d\n", &["port=1"]);
    check("user=a#b\n", &["user=a"]);
    check(
        "user='a#b'\nuser=\"a # b\" # c\n",
        &["user=a#b", "user=a # b"],
    );
    check("user=\"a\\\"#b\"\n", &["user=a\"#b"]);
    check("user=a;b\n", &["user=a;b"]);
}

#[test]
fn quotes_are_taken_away_only_as_a_pair_around_the_whole() {
    check("a='b c'\na=\"b\"\na=''\n", &["a=b c", "a=b", "a="]);
    check(
        "a='b\na=b'\na=\"b'\na='\n",
        &["a='b", "a=b'", "a=\"b'", "a='"],
    );
    check("a=x'y'z\n", &["a=x'y'z"]);
}

#[test]
fn escapes_are_those_of_mysql_and_others_stay() {
    check("a=\\b\\t\\n\\r\\\\\\s\n", &["a=\u{8}\t\n\r\\ "]);
    check("a=C:\\program\\data\\\n", &["a=C:\\program\\data\\"]);
    check("a=\\'\\\"\n", &["a='\""]);
    // \s at the ends keeps a blank that would be dropped.
    check("a=\\sb\\s\n", &["a= b "]);
}

#[test]
fn a_file_of_traps_reads_as_my_print_defaults_reads_it() {
    check(
        "port = 3307   # c\na='x # y'  # z\nb=\"q\\\"w\\s\"\nc=C:\\temp\\new\\qq\\\nskip-x\n; foo\n\
         e = \nf='a\"b'\ng=a#b\nh='unterminated\ni= \\s lead\n[client]\nz=1\n[mysqld ]\nw=2\n",
        &[
            "port=3307",
            "a=x # y",
            "b=q\"w ",
            "c=C:\temp\new\\qq\\",
            "skip-x",
            "e=",
            "f=a\"b",
            "g=a",
            "h='unterminated",
            "i=  lead",
            "w=2",
        ],
    );
}

#[test]
fn the_first_equals_sign_separates() {
    check(
        "replicate-rewrite-db=a->b\nx=a=b\n",
        &["replicate-rewrite-db=a->b", "x=a=b"],
    );
}

#[test]
fn only_the_asked_groups_count_and_they_may_repeat() {
    let file = read_text(
        "[client]\nport=1\n[mysqld] trailing\nport=2\n[Mysqld]\nport=3\n[weir  ]\nport=4\n\
         [ mysqld]\nport=5\n[mysqld]\nport=6",
    );
    let values: Vec<_> = file
        .options
        .iter()
        .filter_map(|option| option.value.clone())
        .collect();
    assert_eq!(values, ["2", "4", "6"]);
}

#[test]
fn every_option_knows_its_line() {
    let file = read_text("# one\n[mysqld]\n\nport=2\n");
    assert!(file.options[0].origin.to_string().ends_with("my.cnf:4"));
}

#[test]
fn lines_that_are_no_options_are_named() {
    let file = read_text("port=1\n[mysqld\n!import x\n!include\n[mysqld]\nuser=\u{fffd}");
    let errors: Vec<String> = file.errors.iter().map(ToString::to_string).collect();
    let wanted = [
        "my.cnf:1: option 'port' stands before any group such as [mysqld]",
        "my.cnf:2: a group needs a closing bracket: [mysqld]",
        "my.cnf:3: '!import' is neither !include nor !includedir",
        "my.cnf:4: !include needs a path",
        "my.cnf:6: option 'user' is not valid UTF-8",
    ];
    assert_eq!(errors.len(), wanted.len(), "{errors:?}");
    for (error, wanted) in errors.iter().zip(wanted) {
        assert!(error.ends_with(wanted), "{error}");
    }
}

fn write(directory: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn includes_are_read_where_they_stand_and_directories_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let one = write(at, "one.cnf", "[mysqld]\na=1\n[client]\na=no\n");
    write(at, "d/2.cnf", "[mysqld]\na=2\n");
    write(at, "d/10.cnf", "[weir]\na=10\n");
    write(at, "d/3.txt", "[mysqld]\na=no\n");
    let text = format!(
        "[mysqld]\na=0\n!include {}\n! includedir\t{}\na=last\n",
        one.display(),
        at.join("d").display()
    );
    let file = OptionFile::read(&write(at, "my.cnf", &text), &groups()).unwrap();
    let values: Vec<_> = file
        .options
        .iter()
        .filter_map(|option| option.value.clone())
        .collect();
    assert_eq!(values, ["0", "1", "10", "2", "last"]);
    assert!(file.warnings.is_empty());
    assert!(file.options[1].origin.to_string().ends_with("one.cnf:2"));
}

#[test]
fn a_missing_include_and_an_endless_one_are_warnings() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("my.cnf");
    fs::write(
        &path,
        format!("!include /no/such/file\n!include {}\n", path.display()),
    )
    .unwrap();
    let file = OptionFile::read(&path, &groups()).unwrap();
    let missing = file
        .warnings
        .iter()
        .filter(|w| w.message.contains("No such file"))
        .count();
    let deep = file
        .warnings
        .iter()
        .filter(|w| w.message.contains("nest too deep"))
        .count();
    assert_eq!((missing, deep), (10, 2));
}

#[test]
fn a_file_that_every_user_may_write_is_ignored() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "my.cnf", "[mysqld]\nport=1\n");
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let file = OptionFile::read(&path, &groups()).unwrap();
    assert!(file.options.is_empty());
    assert!(file.warnings[0].message.contains("every user may write it"));
}

#[test]
fn a_missing_file_is_an_error() {
    let error = OptionFile::read(Path::new("/no/such/my.cnf"), &groups()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/no/such/my.cnf: cannot be read:")
    );
}

proptest::proptest! {
    #[test]
    fn a_quoted_and_escaped_value_comes_back(value in "[ -~\t]{0,40}") {
        let written = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\t', "\\t");
        let file = read_text(&format!("[mysqld]\na=\"{written}\"\n"));
        proptest::prop_assert_eq!(file.options[0].value.as_deref(), Some(value.as_str()));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(0_u8.., 0..200)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("my.cnf");
        fs::write(&path, bytes).unwrap();
        let _ = OptionFile::read(&path, &groups());
    }
}
