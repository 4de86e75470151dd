//! The grammar, rule by rule and as a whole.

use crate::transaction::grammar::{Machine, Mark, State};
use crate::transaction::symbol::{Statement, Symbol};

fn symbol(word: &str) -> Symbol {
    match word {
        "FDE" => Symbol::Description {
            is_relay: false,
            is_artificial: false,
        },
        "OWN_FDE" => Symbol::Description {
            is_relay: true,
            is_artificial: false,
        },
        "NOTICE" => Symbol::Notice,
        "ROTATE" => Symbol::FileEnd,
        "OWN_ROTATE" => Symbol::RelayEnd,
        "GTID" => Symbol::Gtid,
        "MGTID" => Symbol::MariadbGtid {
            is_standalone: false,
        },
        "ALONE" => Symbol::MariadbGtid {
            is_standalone: true,
        },
        "BEGIN" => Symbol::Statement(Statement::Begin),
        "COMMIT" => Symbol::Statement(Statement::Commit),
        "ROLLBACK" => Symbol::Statement(Statement::Rollback),
        "XA_START" => Symbol::Statement(Statement::XaStart),
        "XA_END" => Symbol::Statement(Statement::XaEnd),
        "XA_COMMIT" => Symbol::Statement(Statement::XaCommit),
        "XA_ROLLBACK" => Symbol::Statement(Statement::XaRollback),
        "CTAS" => Symbol::Statement(Statement::CreateSelect),
        "DML" => Symbol::Statement(Statement::Dml),
        "DDL" => Symbol::Statement(Statement::Ddl),
        "XID" => Symbol::Xid,
        "PREPARE" => Symbol::XaPrepare {
            is_one_phase: false,
        },
        "PAYLOAD" => Symbol::Payload,
        "INCIDENT" => Symbol::Incident,
        "MAP" => Symbol::RowsHead,
        "ROWS" => Symbol::Rows {
            ends_statement: false,
        },
        "LAST_ROWS" => Symbol::Rows {
            ends_statement: true,
        },
        "VARIABLE" => Symbol::Variable,
        "OTHER" => Symbol::Other,
        other => panic!("no symbol {other}"),
    }
}

const WORDS: [&str; 27] = [
    "FDE",
    "OWN_FDE",
    "NOTICE",
    "ROTATE",
    "OWN_ROTATE",
    "GTID",
    "MGTID",
    "ALONE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "XA_START",
    "XA_END",
    "XA_COMMIT",
    "XA_ROLLBACK",
    "CTAS",
    "DML",
    "DDL",
    "XID",
    "PREPARE",
    "PAYLOAD",
    "INCIDENT",
    "MAP",
    "ROWS",
    "LAST_ROWS",
    "VARIABLE",
    "OTHER",
];

/// What each event means: o outside, i inside, E end, F end of the file, ! refused.
fn marks(sequence: &str) -> String {
    let mut machine = Machine::default();
    let marks = sequence
        .split_whitespace()
        .map(|word| match machine.step(symbol(word)) {
            Some(Mark::Outside) => 'o',
            Some(Mark::Inside) => 'i',
            Some(Mark::End) => 'E',
            Some(Mark::FileEnd) => 'F',
            None => '!',
        });
    marks.collect()
}

#[test]
fn sequences_that_servers_write_are_taken_apart() {
    for (sequence, expected) in [
        // MySQL
        (
            "FDE NOTICE GTID BEGIN MAP MAP ROWS LAST_ROWS XID ROTATE",
            "ooiiiiiiEF",
        ),
        ("FDE GTID BEGIN DML COMMIT", "oiiiE"),
        ("FDE GTID DDL GTID DDL", "oiEiE"),
        ("FDE GTID PAYLOAD GTID BEGIN XID", "oiEiiE"),
        ("FDE GTID INCIDENT ROTATE", "oiEF"),
        ("FDE INCIDENT ROTATE", "ooF"),
        ("FDE GTID BEGIN CTAS MAP LAST_ROWS XID", "oiiiiiE"),
        (
            "FDE GTID XA_START MAP LAST_ROWS XA_END PREPARE GTID XA_COMMIT",
            "oiiiiiEiE",
        ),
        (
            "FDE GTID XA_START XA_END PREPARE GTID XA_ROLLBACK",
            "oiiiEiE",
        ),
        ("FDE GTID BEGIN VARIABLE DML XID", "oiiiiE"),
        ("FDE GTID VARIABLE DDL", "oiiE"),
        ("FDE GTID BEGIN DDL MAP LAST_ROWS DDL ROLLBACK", "oiiiiiiE"),
        ("FDE GTID BEGIN OTHER OTHER DML XID", "oiiiiiE"),
        ("FDE OTHER GTID BEGIN OTHER XID", "ooiiiE"),
        // MySQL without GTIDs
        (
            "FDE BEGIN MAP LAST_ROWS XID BEGIN DML COMMIT DDL ROTATE",
            "oiiiEiiEEF",
        ),
        ("FDE VARIABLE VARIABLE DML DDL", "oiiEE"),
        ("FDE MAP ROWS LAST_ROWS MAP LAST_ROWS", "oiiEiE"),
        ("FDE OTHER OTHER DML", "oooE"),
        // MariaDB
        ("FDE NOTICE NOTICE MGTID MAP LAST_ROWS XID", "oooiiiE"),
        ("FDE ALONE DDL MGTID DML COMMIT", "oiEiiE"),
        (
            "FDE MGTID MAP LAST_ROWS XA_END PREPARE ALONE XA_COMMIT",
            "oiiiiEiE",
        ),
        ("FDE MGTID XA_ROLLBACK", "oiE"),
        ("FDE MGTID DDL MAP LAST_ROWS XID", "oiiiiE"),
        ("FDE ALONE VARIABLE DML", "oiiE"),
        ("FDE ALONE INCIDENT", "oiE"),
        ("FDE ALONE MAP LAST_ROWS", "oiiE"),
        // relay logs
        ("OWN_FDE NOTICE ROTATE GTID BEGIN XID OWN_ROTATE", "ooFiiEF"),
        (
            "OWN_FDE GTID BEGIN OWN_ROTATE OWN_FDE NOTICE MAP LAST_ROWS XID",
            "oiioooiiE",
        ),
        ("OWN_FDE FDE VARIABLE OTHER VARIABLE ROTATE", "ooiiiF"),
        // one stream of files
        ("FDE GTID DDL ROTATE NOTICE FDE GTID DDL", "oiEFooiE"),
    ] {
        assert_eq!(marks(sequence), expected, "{sequence}");
    }
}

#[test]
fn events_that_may_not_stand_where_they_stand_are_refused() {
    for (sequence, expected) in [
        ("FDE GTID GTID", "oi!"),
        ("FDE GTID BEGIN GTID", "oii!"),
        ("FDE GTID BEGIN BEGIN", "oii!"),
        ("FDE GTID MAP", "oi!"),
        ("FDE GTID XID", "oi!"),
        ("FDE GTID ROTATE", "oi!"),
        ("FDE GTID BEGIN ROTATE", "oii!"),
        ("FDE GTID BEGIN FDE", "oii!"),
        ("FDE GTID BEGIN PAYLOAD", "oii!"),
        ("FDE PAYLOAD", "o!"),
        ("FDE XID", "o!"),
        ("FDE PREPARE", "o!"),
        ("FDE ROWS", "o!"),
        ("FDE MGTID BEGIN", "oi!"),
        ("FDE MGTID MGTID", "oi!"),
        ("FDE GTID XA_START XID", "oii!"),
        ("FDE GTID XA_START XA_END MAP", "oiii!"),
        ("FDE GTID XA_START XA_END DML", "oiii!"),
        ("FDE MAP ROTATE", "oi!"),
        ("FDE ROTATE GTID", "oF!"),
        ("FDE ROTATE DDL", "oF!"),
    ] {
        assert_eq!(marks(sequence), expected, "{sequence}");
    }
}

#[test]
fn the_whole_table_of_transitions_is_this_one() {
    let mut table = String::new();
    for word in WORDS {
        let mut line = format!("{word:12}");
        for state in State::ALL {
            let cell = match state.after(symbol(word)) {
                None => "-".to_owned(),
                Some((next, mark)) => {
                    let at = State::ALL.iter().position(|&other| other == next).unwrap();
                    let mark = match mark {
                        Mark::Outside => 'o',
                        Mark::Inside => 'i',
                        Mark::End => 'E',
                        Mark::FileEnd => 'F',
                    };
                    format!("{at}{mark}")
                }
            };
            line.push_str(&format!(" {cell:2}"));
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    assert_eq!(table, include_str!("transitions.txt"), "\n{table}");
}

#[test]
fn statements_are_known_by_their_first_words() {
    for (sql, expected) in [
        ("BEGIN", Statement::Begin),
        (" begin ", Statement::Begin),
        ("BEGINNING", Statement::Ddl),
        ("COMMIT", Statement::Commit),
        ("ROLLBACK", Statement::Rollback),
        ("SAVEPOINT `a`", Statement::Savepoint),
        ("RELEASE SAVEPOINT `a`", Statement::Savepoint),
        ("ROLLBACK TO `a`", Statement::RollbackTo),
        ("XA START X'61',X'',1", Statement::XaStart),
        ("XA END X'61',X'',1", Statement::XaEnd),
        ("XA COMMIT X'61',X'',1", Statement::XaCommit),
        ("XA ROLLBACK X'61',X'',1", Statement::XaRollback),
        (
            "CREATE TABLE t (a int) START TRANSACTION",
            Statement::CreateSelect,
        ),
        ("CREATE TABLE t (a int)", Statement::Ddl),
        ("insert into t values (1)", Statement::Dml),
        ("UPDATED", Statement::Ddl),
        ("", Statement::Ddl),
    ] {
        assert_eq!(Statement::of(sql.as_bytes()), expected, "{sql}");
    }
}
