//! What only MariaDB writes into definitions. Its logs hold it as it was typed; to the statements of
//! others none of it is known.

use super::refuse;
use crate::ast::{
    ColumnAttributes, DataType, DefaultValue, RowTime, Statement, TableOptions, TextForm,
};
use crate::cursor::{Cursor, Parse};
use crate::lexer::Kind;
use crate::reserved::MARIADB;

impl Cursor<'_> {
    /// Whether the text is a statement of a MariaDB server.
    pub(super) const fn is_mariadb(&self) -> bool {
        self.options.version >= MARIADB
    }

    /// `IF EXISTS` where only MariaDB has it.
    pub(super) fn mariadb_if_exists(&mut self) -> bool {
        let found = self.is_mariadb() && self.accept_all(&["IF", "EXISTS"]);
        self.is_conditional |= found;
        found
    }

    /// `IF NOT EXISTS` where only MariaDB has it.
    pub(super) fn mariadb_if_not_exists(&mut self) -> bool {
        let found = self.is_mariadb() && self.accept_all(&["IF", "NOT", "EXISTS"]);
        self.is_conditional |= found;
        found
    }

    /// `WAIT n` or `NOWAIT`: how long it waited there for the table.
    pub(super) fn mariadb_wait(&mut self) -> Parse<()> {
        if !self.is_mariadb() || self.accept("NOWAIT") {
            return Ok(());
        }
        match self.is_word("WAIT") && matches!(self.peek_ahead(1), Kind::Integer(_)) {
            true => {
                self.advance();
                self.integer().map(drop)
            }
            false => Ok(()),
        }
    }

    /// A type that only MariaDB has, whose word was read.
    pub(super) fn mariadb_type(&mut self, word: &str) -> Parse<Option<DataType>> {
        if !self.is_mariadb() {
            return Ok(None);
        }
        Ok(Some(match word {
            "UUID" => DataType::Shown(TextForm::Uuid),
            "INET4" => DataType::Shown(TextForm::Inet4),
            "INET6" => DataType::Shown(TextForm::Inet6),
            "JSON" => DataType::json_text(),
            "XMLTYPE" => return refuse("the type XMLTYPE"),
            _ => return Ok(None),
        }))
    }

    /// An option of a table that only MariaDB has: how one of its engines keeps the rows, which the
    /// rows do not show.
    pub(super) fn mariadb_table_option(&mut self, found: &mut TableOptions) -> Parse<bool> {
        if !self.is_mariadb() {
            return Ok(false);
        }
        if self.is_word("SEQUENCE") {
            return refuse("a table with SEQUENCE=1");
        }
        if self.accept_all(&["WITH", "SYSTEM", "VERSIONING"]) {
            found.system_versioning = true;
            return Ok(true);
        }
        // Any name may be an option of an engine: with a sign behind it.
        let has_value = matches!(self.peek(), Kind::Word(_) | Kind::Quoted(_))
            && matches!(self.peek_ahead(1), Kind::Symbol("="));
        if !has_value
            && !["PAGE_CHECKSUM", "TRANSACTIONAL"]
                .iter()
                .any(|name| self.is_word(name))
        {
            return Ok(false);
        }
        self.advance();
        self.accept_symbol("=");
        match self.peek() {
            Kind::String(_) => drop(self.string()?),
            Kind::Integer(_) => drop(self.integer()?),
            _ => drop(self.any_word()?),
        }
        Ok(true)
    }

    /// `PERIOD FOR SYSTEM_TIME (start, end)`, which says again what the two columns say. Fails by name in
    /// front of another period.
    pub(super) fn system_period(&mut self) -> Parse<bool> {
        if !(self.is_mariadb() && self.are_words(&["PERIOD", "FOR"])) {
            return Ok(false);
        }
        if !self.accept_all(&["PERIOD", "FOR", "SYSTEM_TIME"]) {
            return refuse("PERIOD FOR");
        }
        self.parenthesised(Self::identifier)?;
        Ok(true)
    }

    /// `SYSTEM VERSIONING` behind ADD or DROP.
    pub(super) fn system_versioning(&mut self) -> bool {
        self.is_mariadb() && self.accept_all(&["SYSTEM", "VERSIONING"])
    }

    /// `COMPRESSED [= method]`: how the source keeps the column, which its rows do not show.
    pub(super) fn mariadb_compressed(&mut self) -> Parse<()> {
        if self.is_mariadb() && self.accept("COMPRESSED") && self.accept_symbol("=") {
            self.any_word()?;
        }
        Ok(())
    }

    /// An attribute of a column that only MariaDB has.
    pub(super) fn mariadb_attribute(&mut self, found: &mut ColumnAttributes) -> Parse<bool> {
        if !self.is_mariadb() {
            return Ok(false);
        }
        if self.is_word("COMPRESSED") {
            self.mariadb_compressed()?;
            return Ok(true);
        }
        if self.accept_all(&["WITH", "SYSTEM", "VERSIONING"]) {
            found.system_versioning = true;
            return Ok(true);
        }
        if self.accept_all(&["WITHOUT", "SYSTEM", "VERSIONING"]) {
            return Ok(true);
        }
        let generated = usize::from(self.are_words(&["GENERATED", "ALWAYS"])) * 2;
        if self.is_word_ahead(generated, "AS") && self.is_word_ahead(generated + 1, "ROW") {
            (0..generated + 2).for_each(|_| self.advance());
            found.row_time = Some(match self.expect_any(&["START", "END"])? {
                "START" => RowTime::Start,
                _ => RowTime::End,
            });
            found.nullable.get_or_insert(false);
            return Ok(true);
        }
        Ok(false)
    }

    /// A default that only MariaDB writes like this: the next number of a sequence, or an expression
    /// without parentheses around it, which is a call.
    pub(super) fn mariadb_default(&mut self) -> Parse<Option<DefaultValue>> {
        if !self.is_mariadb() {
            return Ok(None);
        }
        if self.are_words(&["NEXT", "VALUE", "FOR"])
            || self.are_words(&["PREVIOUS", "VALUE", "FOR"])
        {
            for _ in 0..3 {
                self.advance();
            }
            self.table_name()?;
            return Ok(Some(DefaultValue::OfSequence));
        }
        let Kind::Word(word) = self.peek() else {
            return Ok(None);
        };
        if !matches!(self.peek_ahead(1), Kind::Symbol("(")) {
            return Ok(None);
        }
        let is_of_sequence = ["NEXTVAL", "LASTVAL"]
            .iter()
            .any(|function| word.eq_ignore_ascii_case(function));
        if is_of_sequence {
            self.advance();
            self.parenthesised(Self::table_name)?;
            return Ok(Some(DefaultValue::OfSequence));
        }
        Ok(Some(DefaultValue::Expression(self.call()?)))
    }

    /// `(... NEXT VALUE FOR ...)`, which no other server could evaluate: read to its end.
    pub(super) fn mariadb_sequence_inside(&mut self) -> bool {
        if !self.is_mariadb() {
            return false;
        }
        let mut depth = 0_usize;
        let mut is_of_sequence = false;
        for at in self.at..self.tokens.len() {
            let ahead = at - self.at;
            match self.peek_ahead(ahead) {
                Kind::Symbol("(") => depth += 1,
                Kind::Symbol(")") if depth <= 1 => {
                    if is_of_sequence {
                        self.at = at;
                        self.advance();
                    }
                    return is_of_sequence;
                }
                Kind::Symbol(")") => depth -= 1,
                Kind::Word(word) => {
                    let is_call = matches!(self.peek_ahead(ahead + 1), Kind::Symbol("("));
                    let named = ["NEXTVAL", "LASTVAL", "SETVAL"];
                    is_of_sequence |=
                        is_call && named.iter().any(|name| word.eq_ignore_ascii_case(name));
                    is_of_sequence |= self.is_word_ahead(ahead + 1, "VALUE")
                        && self.is_word_ahead(ahead + 2, "FOR");
                }
                Kind::End => return false,
                Kind::Quoted(_)
                | Kind::String(_)
                | Kind::Integer(_)
                | Kind::Decimal(_)
                | Kind::Float(_)
                | Kind::Hex(_)
                | Kind::Bit(_)
                | Kind::Symbol(_)
                | Kind::UserVariable(_)
                | Kind::SystemVariable { .. }
                | Kind::Parameter(_)
                | Kind::Bad => {}
            }
        }
        false
    }

    /// Behind SET, where it is `STATEMENT variable = value, ... FOR statement`: the settings are those
    /// of the session that the log tells of.
    pub(super) fn set_statement(&mut self) -> Parse<Option<Statement>> {
        if !(self.is_mariadb() && self.is_word_ahead(1, "STATEMENT")) {
            return Ok(None);
        }
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Kind::Symbol("(") => depth += 1,
                Kind::Symbol(")") => depth = depth.saturating_sub(1),
                Kind::End => return self.unexpected(),
                _ if depth == 0 && self.is_word("FOR") => break,
                _ => {}
            }
            self.advance();
        }
        self.advance();
        if self.is_word("SET") {
            return refuse("SET STATEMENT .. FOR SET");
        }
        self.statement_head().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::{AlterTable, Ddl, Statement};
    use crate::{ParseOptions, parse};

    fn read(version: u32, text: &str) -> Option<Statement> {
        let options = ParseOptions {
            version,
            is_logged: true,
            ..ParseOptions::default()
        };
        let parsed = parse(text.as_bytes(), &options).ok()?;
        match parsed.statement {
            Statement::NotSupported { object: None, .. } => None,
            statement => Some(statement),
        }
    }

    /// Statements that MariaDB 11.8 executes and logs as they are.
    #[test]
    fn settings_for_one_statement_do_not_nest() {
        let text = format!(
            "{}CREATE TABLE t (a INT)",
            "SET STATEMENT a=1 FOR ".repeat(50_000)
        );
        assert!(read(110_806, &text).is_none());
    }

    #[test]
    fn what_only_mariadb_writes_is_read_in_its_logs_and_nowhere_else() {
        for text in [
            "create or replace table t (u uuid default uuid(), i4 inet4, i6 inet6 not null)",
            "create table t (z text compressed, v varchar(3) compressed=zlib character set latin1)",
            "create table t (a int as (b + 1) persistent, b int) page_checksum=1 `encrypted`=yes",
            "create table t (a int default next value for s, b int default (nextval(d.s) + 1))",
            "create table t (a int primary key, key if not exists k (a) ignored)",
            "create table t (a text /*M!100301 COMPRESSED*/ default concat('a', 'b') comment 'c')",
            "create or replace index i on t (a)",
            "create index if not exists i on t (a) nowait",
            "drop index if exists i on t",
            "drop table t wait 5",
            "truncate table t nowait",
            "rename table t wait 5 to u",
            "alter online table if exists t wait 5 add column if not exists a int",
            "alter table t drop column if exists a, drop index if exists i, modify if exists b int",
            "alter table t change if exists a b int, rename column if exists c to d",
            "alter table t alter key if exists i not ignored, alter index j ignored",
            "alter table t add index if not exists i (a), add unique if not exists (b)",
            "alter database d comment 'c'",
            "create database d comment 'c' character set latin1",
            "set statement max_statement_time=100, sort_buffer_size=(1 + 2) for create table t (a int)",
            "create table t (a int with system versioning, b int without system versioning)",
            "create table t (a int, s timestamp(6) generated always as row start, \
             e timestamp(6) as row end invisible, period for system_time (s, e)) with system versioning",
            "alter table t add system versioning, add column c int",
            "alter table t drop system versioning",
            "create sequence if not exists s start with 10 cache 3",
            "alter sequence s restart",
            "drop sequence if exists s, t",
            "create or replace definer=root@localhost package body p as procedure q() begin end; end",
            "create table t (rank int, lag int, system int)",
        ] {
            assert!(read(110_809, text).is_some(), "{text}");
            assert!(read(90_700, text).is_none(), "{text}");
        }
    }

    #[test]
    fn comments_are_entered_by_the_rule_of_the_server_that_logged_them() {
        for (version, comment, is_entered) in [
            (110_809, "/*!50100 x*/", true),
            (110_809, "/*!50701 x*/", false),
            (110_809, "/*!80023 x*/", false),
            (110_809, "/*!100301 x*/", true),
            (110_809, "/*M!100301 x*/", true),
            (101_119, "/*M!110800 x*/", false),
            (110_809, "/*M! x*/", true),
            (90_700, "/*!50701 x*/", true),
            (90_700, "/*M! x*/", false),
            (90_700, "/*!100301 x*/", false),
        ] {
            let text = format!("truncate table {comment}");
            let found = read(version, &text);
            let is_read = matches!(found, Some(Statement::Ddl(Ddl::TruncateTable(_))));
            assert_eq!(is_read, is_entered, "{version} {comment}");
        }
    }

    #[test]
    fn clauses_that_say_if_exists_are_told_by_their_places() {
        let text = "alter table t add column a int, add column if not exists (b int, c int), \
                    drop index i, drop foreign key if exists f";
        let Some(Statement::Ddl(Ddl::AlterTable(alter))) = read(101_119, text) else {
            panic!("{text}")
        };
        let AlterTable {
            clauses,
            conditional,
            ..
        } = *alter;
        assert_eq!((clauses.len(), conditional), (5, vec![1, 2, 4]));
    }
}
