//! What kind of statement a QUERY event holds, where the first word does not say it: decided on the parsed
//! tree, since what is taken for a definition commits by itself.

use binlog::transaction::StatementKind;
use sql::ast::Ddl;
use sql::{ParseOptions, Statement};

/// The kind of the statement `text`, in UTF-8, of which the first word says `kind`.
pub(super) fn refined(kind: StatementKind, text: &[u8], options: &ParseOptions) -> StatementKind {
    if kind != StatementKind::Ddl {
        return kind;
    }
    let is_part = match sql::parse(text, options) {
        Ok(parsed) => is_part(&parsed.statement),
        // Clients write comments in front of statements, and servers log what they wrote.
        Err(_) => is_change(without_comments(text)),
    };
    match is_part {
        true => StatementKind::Dml,
        false => StatementKind::Ddl,
    }
}

/// Whether a statement is part of a transaction, and neither begins nor ends one.
fn is_part(statement: &Statement) -> bool {
    match statement {
        Statement::Write(_) | Statement::Query(_) => true,
        Statement::Ddl(Ddl::CreateTable(create)) => create.temporary,
        Statement::Ddl(Ddl::DropTable { temporary, .. }) => *temporary,
        Statement::Ddl(_)
        | Statement::Admin(_)
        | Statement::Transaction(_)
        | Statement::Account(_)
        | Statement::Replication(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. }
        | Statement::Empty => false,
    }
}

/// Whether a text that is not understood changes or reads rows, by its first word.
fn is_change(sql: &[u8]) -> bool {
    let reads = [b"SELECT".as_slice(), b"VALUES", b"TABLE", b"HANDLER", b"("];
    let begins = |word: &&[u8]| {
        let head = sql.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    StatementKind::of(sql) == StatementKind::Dml || reads.iter().any(begins)
}

/// The text behind the comments in front of it; those that hold statements stay.
fn without_comments(sql: &[u8]) -> &[u8] {
    let mut rest = sql.trim_ascii();
    loop {
        let behind = match rest {
            [b'/', b'*', b'!' | b'M', ..] => return rest,
            [b'/', b'*', text @ ..] => text
                .windows(2)
                .position(|pair| pair == b"*/")
                .map(|at| (text, at + 2)),
            [b'#', text @ ..] | [b'-', b'-', text @ ..] => text
                .iter()
                .position(|byte| *byte == b'\n')
                .map(|at| (text, at + 1)),
            _ => return rest,
        };
        let Some((text, at)) = behind else {
            return &[];
        };
        rest = text.get(at..).unwrap_or_default().trim_ascii();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_rows_is_no_definition_whatever_stands_in_front_of_it() {
        for (sql, expected) in [
            ("/* app */ UPDATE t SET a = 1", StatementKind::Dml),
            (
                "-- app\n# more\nUPDATE t SET a = 1 WHERE MATCH (b) AGAINST ('x' WITH QUERY EXPANSION)",
                StatementKind::Dml,
            ),
            ("SELECT f(1)", StatementKind::Dml),
            ("(SELECT f(1))", StatementKind::Dml),
            ("CREATE TEMPORARY TABLE t (a INT)", StatementKind::Dml),
            ("DROP TEMPORARY TABLE t", StatementKind::Dml),
            ("/* app */ CREATE TABLE t (a INT)", StatementKind::Ddl),
            ("CREATE VIEW v AS SELECT 1", StatementKind::Ddl),
            (
                "/*!50003 CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW DO 1 */",
                StatementKind::Ddl,
            ),
            ("/* never ends", StatementKind::Ddl),
            ("BEGIN", StatementKind::Begin),
        ] {
            let options = ParseOptions {
                is_logged: true,
                ..ParseOptions::default()
            };
            let kind = StatementKind::of(sql.as_bytes());
            assert_eq!(refined(kind, sql.as_bytes(), &options), expected, "{sql}");
        }
    }
}
