//! Tests against MySQL's documented evaluation order and a naive matcher.

use proptest::prelude::*;

use super::{DatabaseRewrite, ReplicationFilter, TableName, WildTable};

/// Rules as an operator writes them: `do_db=a ignore_table=a.b rewrite_db=a->b`.
fn filter(rules: &str) -> ReplicationFilter {
    let mut filter = ReplicationFilter::default();
    for rule in rules.split_whitespace() {
        let (name, value) = rule.split_once('=').unwrap();
        match name {
            "do_db" => filter.do_db.push(value.to_owned()),
            "ignore_db" => filter.ignore_db.push(value.to_owned()),
            "do_table" => drop(filter.do_table.insert(TableName::parse(value).unwrap())),
            "ignore_table" => drop(filter.ignore_table.insert(TableName::parse(value).unwrap())),
            "wild_do" => filter.wild_do_table.push(WildTable::parse(value).unwrap()),
            "wild_ignore" => filter
                .wild_ignore_table
                .push(WildTable::parse(value).unwrap()),
            "rewrite" => filter
                .rewrite_db
                .push(DatabaseRewrite::parse(value).unwrap()),
            other => panic!("{other}"),
        }
    }
    filter
}

fn rows(rules: &str, admitted: &[&str], refused: &[&str]) {
    let filter = filter(rules);
    for (names, expected) in [(admitted, true), (refused, false)] {
        for name in names {
            let (db, table) = name.split_once('.').unwrap();
            assert_eq!(
                filter.admits_row_event(db, table),
                expected,
                "{name} under {rules}"
            );
        }
    }
}

#[test]
fn row_events_follow_the_database_rules_first() {
    rows("", &["a.t", "mysql.user"], &[]);
    rows("do_db=a do_db=b", &["a.t", "b.t"], &["c.t", "A.t"]);
    rows(
        "ignore_db=mysql ignore_db=x",
        &["a.t"],
        &["mysql.user", "x.t"],
    );
    // With a do rule the ignore rules are not looked at.
    rows("do_db=a ignore_db=a", &["a.t"], &["b.t"]);
    rows(
        "do_db=mydatabase ignore_db=mysql",
        &["mydatabase.t"],
        &["mysql.user", "other.t"],
    );
}

#[test]
fn row_events_follow_the_table_rules_in_mysqls_order() {
    rows("do_table=a.t", &["a.t"], &["a.u", "b.t", "a.T"]);
    rows("ignore_table=a.t", &["a.u", "b.t"], &["a.t"]);
    rows("do_table=a.t ignore_table=a.t", &["a.t"], &["a.u"]);
    rows("ignore_table=a.t wild_do=a.%", &["a.u"], &["a.t", "b.t"]);
    rows("wild_do=a.% wild_ignore=a.t%", &["a.t1"], &["b.t"]);
    rows("wild_ignore=a.tmp%", &["a.t", "b.tmp1"], &["a.tmp1"]);
    rows("do_table=a.t wild_ignore=b.%", &["a.t"], &["b.t", "c.t"]);
    // The database rules were passed before.
    rows("do_db=a do_table=b.t", &[], &["b.t", "a.t"]);
}

#[test]
fn names_are_rewritten_once_and_before_every_rule() {
    let rules = "rewrite=a->b rewrite=b->c rewrite=a->d do_db=b";
    rows(rules, &["a.t"], &["b.t", "c.t"]);
    assert_eq!(filter(rules).rewrite("a"), "b");
    assert_eq!(filter(rules).rewrite("b"), "c");
    assert_eq!(filter(rules).rewrite("x"), "x");
}

#[test]
fn wild_rules_escape_and_ignore_case() {
    let check = |pattern: &str, matching: &[&str], other: &[&str]| {
        let pattern = WildTable::parse(pattern).unwrap();
        for name in matching {
            assert!(pattern.matches(name), "{pattern} matches {name}");
        }
        for name in other {
            assert!(!pattern.matches(name), "{pattern} does not match {name}");
        }
    };
    check("db.%", &["db.", "db.t", "DB.T"], &["db", "dba.t"]);
    check(
        "my\\_own\\%db.%",
        &["my_own%db.t"],
        &["my1own%db.t", "my_ownAABCdb.t"],
    );
    check("a_.t", &["ab.t", "aé.t"], &["a.t", "abc.t"]);
    check("%a%b%.t", &["ab.t", "xaxbx.t", "aab.t"], &["ba.t", "a.t"]);
    check("a.t\\", &["a.t\\"], &["a.t"]);
    check("É.%", &["é.t"], &["e.t"]);
}

#[test]
fn statements_follow_the_default_database_and_then_their_tables() {
    let admits = |rules: &str, db: &str, tables: &[(Option<&str>, &str)]| {
        filter(rules).admits_statement(db, tables)
    };
    assert!(admits("do_db=a", "a", &[(Some("b"), "t")]));
    assert!(!admits("do_db=a", "b", &[(Some("a"), "t")]));
    // No default database is one that no rule names.
    assert!(!admits("do_db=a", "", &[(Some("a"), "t")]));
    assert!(!admits("do_db=a", "", &[]));
    assert!(admits("ignore_db=a", "", &[(Some("a"), "t")]));
    assert!(admits("wild_do=a.%", "", &[(Some("a"), "t")]));
    assert!(!admits("ignore_table=b.t", "a", &[(Some("b"), "t")]));
    assert!(admits("ignore_table=b.t", "b", &[(Some("a"), "t")]));
    assert!(!admits("ignore_table=b.t", "b", &[(None, "t")]));
    // The first table that a rule names decides.
    assert!(admits(
        "do_table=a.t ignore_table=a.u",
        "a",
        &[(None, "t"), (None, "u")]
    ));
    assert!(!admits(
        "do_table=a.t ignore_table=a.u",
        "a",
        &[(None, "u"), (None, "t")]
    ));
    // Unqualified tables live in the rewritten default database, qualified ones are as written.
    assert!(admits("rewrite=a->b do_table=b.t", "a", &[(None, "t")]));
    assert!(!admits(
        "rewrite=a->b do_table=b.t",
        "a",
        &[(Some("a"), "t")]
    ));
    // A statement that changes no table (CREATE USER) passes the table rules.
    assert!(admits("do_table=a.t", "a", &[]));
}

#[test]
fn database_statements_also_ask_the_wild_rules() {
    let admits = |rules: &str, db: &str| filter(rules).admits_database_statement("", db);
    assert!(admits("", "a"));
    assert!(!admits("do_db=a", "b"));
    assert!(!admits("ignore_db=b", "b"));
    assert!(admits("wild_do=a%.%", "ab"));
    assert!(!admits("wild_do=a%.%", "b"));
    assert!(!admits("wild_ignore=a%.%", "ab"));
    // `a.t%` covers tables of a, not all of a.
    assert!(!admits("wild_do=a.t%", "a"));
    assert!(admits("wild_ignore=a.t%", "a"));
    assert!(!filter("do_db=a").admits_database_statement("b", "a"));
}

/// The definition of a match, exponential and obvious.
fn naive(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['%', rest @ ..], _) => {
            naive(rest, name) || (!name.is_empty() && naive(pattern, &name[1..]))
        }
        (['_', rest @ ..], [_, name @ ..]) => naive(rest, name),
        (['\\', wanted, rest @ ..], [found, name @ ..]) if wanted == found => naive(rest, name),
        (['\\', _, ..], _) => false,
        ([wanted, rest @ ..], [found, name @ ..]) if wanted == found => naive(rest, name),
        _ => false,
    }
}

proptest! {
    #[test]
    fn wild_matching_agrees_with_its_definition(
        pattern in "([ab.%_]|\\\\[ab%_\\\\]){0,8}\\.([ab%_]){0,3}",
        name in "[ab.%_\\\\]{0,10}",
    ) {
        let wild = WildTable::parse(&pattern).unwrap();
        let pattern: Vec<char> = pattern.chars().collect();
        let characters: Vec<char> = name.chars().collect();
        prop_assert_eq!(wild.matches(&name), naive(&pattern, &characters));
    }

    #[test]
    fn do_and_ignore_of_the_same_table_is_do(db in "[a-c]", table in "[a-c]") {
        let rules = format!("do_table={db}.{table} ignore_table={db}.{table}");
        prop_assert!(filter(&rules).admits_row_event(&db, &table));
    }
}
