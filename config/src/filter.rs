//! Replication filter rules: which databases and tables a replica applies, and under which name.
//!
//! The rules are MySQL's, in MySQL's order. Row events are judged by the table they change;
//! statements by the default database they ran in and then by the tables they name. Names are
//! rewritten (`replicate-rewrite-db`) before any rule is tested. Nothing here reads events: the
//! applier asks, this module answers.
//!
//! Spec: mysql-server 8.4, sql/rpl_filter.cc (`db_ok`, `tables_ok`, `db_ok_with_wild_table`,
//! `get_rewrite_db`) and sql/log_event.cc (`Table_map_log_event::do_apply_event`).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The filter rules of a channel. The default has no rule and admits everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicationFilter {
    /// `replicate-do-db`: if any, only these databases. Compared case-sensitively.
    pub do_db: Vec<String>,
    /// `replicate-ignore-db`: not these databases; not consulted when `do_db` has a rule.
    pub ignore_db: Vec<String>,
    /// `replicate-do-table`.
    pub do_table: BTreeSet<TableName>,
    /// `replicate-ignore-table`.
    pub ignore_table: BTreeSet<TableName>,
    /// `replicate-wild-do-table`.
    pub wild_do_table: Vec<WildTable>,
    /// `replicate-wild-ignore-table`.
    pub wild_ignore_table: Vec<WildTable>,
    /// `replicate-rewrite-db`, in order; the first pair whose left side matches applies, once.
    pub rewrite_db: Vec<DatabaseRewrite>,
    /// `replicate-row-filter`: of these tables, by their names here, only rows of which the condition is
    /// true. Weir's own.
    pub row_filters: Vec<RowFilter>,
}

/// `database.table: condition`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFilter {
    /// The table, by its name here.
    pub table: TableName,
    /// The condition, in SQL.
    pub expression: String,
}

/// `database.table`, both exact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    /// Database name.
    pub database: String,
    /// Table name.
    pub table: String,
}

/// A pattern over `database.table`: `%` any run, `_` any one character, `\` takes the next
/// character literally. Compared without regard to case, as MySQL does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WildTable(String);

/// `from->to` of `replicate-rewrite-db`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseRewrite {
    /// Database name on the source.
    pub from: String,
    /// Database name on the replica.
    pub to: String,
}

impl ReplicationFilter {
    /// Whether some of the rules are for tables.
    #[must_use]
    pub fn has_table_rules(&self) -> bool {
        !(self.do_table.is_empty()
            && self.ignore_table.is_empty()
            && self.wild_do_table.is_empty()
            && self.wild_ignore_table.is_empty())
    }

    /// Whether there is no rule at all: everything is admitted under its own name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The name under which the source's database `db` is known here.
    #[must_use]
    pub fn rewrite<'a>(&'a self, db: &'a str) -> Cow<'a, str> {
        let rule = self.rewrite_db.iter().find(|rule| rule.from == db);
        Cow::Borrowed(rule.map_or(db, |rule| rule.to.as_str()))
    }

    /// The condition on the rows of a table, by its name here.
    #[must_use]
    pub fn row_filter(&self, database: &str, table: &str) -> Option<&RowFilter> {
        let is_it =
            |rule: &&RowFilter| rule.table.database == database && rule.table.table == table;
        self.row_filters.iter().find(is_it)
    }

    /// Whether a database is known here under another name.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        !self.rewrite_db.is_empty()
    }

    /// Whether a row event on `db`.`table` (names as the source wrote them) is applied.
    #[must_use]
    pub fn admits_row_event(&self, db: &str, table: &str) -> bool {
        let db = self.rewrite(db);
        self.db_ok(&db) && (!self.has_table_rule() || self.tables_ok([(db.as_ref(), table)]))
    }

    /// Whether a statement that changes `tables` is applied. `default_db` is the database the
    /// session was in (as the source wrote it). No default database is a database with an empty
    /// name: `replicate-do-db` does not name it, so that such a statement is not applied whatever it
    /// changes, and `replicate-ignore-db` does not either. A table without a database of its
    /// own lives in the default database; one with a database is taken as written, for MySQL does
    /// not rewrite names inside a statement.
    #[must_use]
    pub fn admits_statement(&self, default_db: &str, tables: &[(Option<&str>, &str)]) -> bool {
        let default_db = self.rewrite(default_db);
        if !self.db_ok(&default_db) {
            return false;
        }
        if tables.is_empty() || !self.has_table_rule() {
            return true;
        }
        self.tables_ok(
            tables
                .iter()
                .map(|(db, table)| (db.unwrap_or(&default_db), *table)),
        )
    }

    /// Whether CREATE, ALTER or DROP DATABASE `db` is applied, run by a session whose default
    /// database was `default_db`; the servers log the database itself as that, and an empty name
    /// says nothing. The name in the statement is taken as written.
    #[must_use]
    pub fn admits_database_statement(&self, default_db: &str, db: &str) -> bool {
        let default_db = self.rewrite(default_db);
        (default_db.is_empty() || self.db_ok(&default_db))
            && self.db_ok(db)
            && self.db_ok_with_wild_table(db)
    }

    fn has_table_rule(&self) -> bool {
        !self.do_table.is_empty()
            || !self.ignore_table.is_empty()
            || !self.wild_do_table.is_empty()
            || !self.wild_ignore_table.is_empty()
    }

    fn db_ok(&self, db: &str) -> bool {
        if self.do_db.is_empty() {
            !self.ignore_db.iter().any(|name| name == db)
        } else {
            self.do_db.iter().any(|name| name == db)
        }
    }

    /// The first table that any rule names decides; the order of the rules is fixed.
    fn tables_ok<'a>(&self, tables: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
        for (database, table) in tables {
            let name = TableName {
                database: database.to_owned(),
                table: table.to_owned(),
            };
            if self.do_table.contains(&name) {
                return true;
            }
            if self.ignore_table.contains(&name) {
                return false;
            }
            let name = name.to_string();
            if self
                .wild_do_table
                .iter()
                .any(|pattern| pattern.matches(&name))
            {
                return true;
            }
            if self
                .wild_ignore_table
                .iter()
                .any(|pattern| pattern.matches(&name))
            {
                return false;
            }
        }
        self.do_table.is_empty() && self.wild_do_table.is_empty()
    }

    fn db_ok_with_wild_table(&self, db: &str) -> bool {
        let name = format!("{db}.");
        if self
            .wild_do_table
            .iter()
            .any(|pattern| pattern.matches(&name))
        {
            return true;
        }
        if self
            .wild_ignore_table
            .iter()
            .any(|pattern| pattern.matches(&name))
        {
            return false;
        }
        self.wild_do_table.is_empty()
    }
}

impl TableName {
    /// Reads `database.table`; `None` without a point or with an empty side.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (database, table) = text.split_once('.')?;
        if database.is_empty() || table.is_empty() {
            return None;
        }
        Some(Self {
            database: database.to_owned(),
            table: table.to_owned(),
        })
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

impl WildTable {
    /// Reads a pattern; `None` without a point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.contains('.').then(|| Self(text.to_owned()))
    }

    /// Whether the pattern covers all of `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let pattern = pattern_steps(&self.0);
        let name: Vec<char> = name.chars().map(fold).collect();
        // Positions to go back to when a literal fails: after the last `%`, one character later.
        let (mut at, mut read) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while let Some(character) = name.get(read) {
            match pattern.get(at) {
                Some(Step::Many) => {
                    at += 1;
                    retry = Some((at, read));
                    continue;
                }
                Some(Step::One) => {
                    at += 1;
                    read += 1;
                    continue;
                }
                Some(Step::Literal(wanted)) if wanted == character => {
                    at += 1;
                    read += 1;
                    continue;
                }
                _ => {}
            }
            let Some((back_at, back_read)) = retry else {
                return false;
            };
            at = back_at;
            read = back_read + 1;
            retry = Some((back_at, read));
        }
        pattern
            .iter()
            .skip(at)
            .all(|step| matches!(step, Step::Many))
    }
}

impl fmt::Display for WildTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RowFilter {
    /// Reads `database.table: condition`; `None` without a colon or with an empty side.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (table, expression) = text.split_once(':')?;
        let (table, expression) = (TableName::parse(table.trim())?, expression.trim());
        (!expression.is_empty()).then(|| Self {
            table,
            expression: expression.to_owned(),
        })
    }
}

impl fmt::Display for RowFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.expression)
    }
}

impl DatabaseRewrite {
    /// Reads `from->to`, blanks around either side dropped; `None` if a side is missing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once("->")?;
        let (from, to) = (from.trim(), to.trim());
        if from.is_empty() || to.is_empty() {
            return None;
        }
        Some(Self {
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }
}

impl fmt::Display for DatabaseRewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}", self.from, self.to)
    }
}

enum Step {
    Literal(char),
    One,
    Many,
}

fn pattern_steps(pattern: &str) -> Vec<Step> {
    let mut characters = pattern.chars();
    let mut steps = Vec::new();
    while let Some(character) = characters.next() {
        steps.push(match character {
            '%' => Step::Many,
            '_' => Step::One,
            // A lone backslash at the end stands for itself.
            '\\' => Step::Literal(fold(characters.next().unwrap_or('\\'))),
            other => Step::Literal(fold(other)),
        });
    }
    steps
}

/// Case folding of one character; the multi-character lower case of a few letters keeps its first.
fn fold(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

#[cfg(test)]
mod tests;
