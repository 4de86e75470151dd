//! The columns of tables as CREATE TABLE declares them, whatever else stands there.
//!
//! For readers of logs, who need names and types and take no offence at a storage engine, a partition
//! or an expression. It reads what SHOW CREATE TABLE of MySQL and MariaDB and their dumps write, types
//! of MariaDB included; keys other than the primary one, defaults and options are passed over by
//! their parentheses. Whether a server would take the statement is not judged.

use crate::ParseOptions;
use crate::ast::{CharsetSpec, DataType, TableName};
use crate::cursor::{Cursor, Failure, Parse};
use crate::error::SqlError;
use crate::lexer::{self, Lexed};

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOutline {
    /// Its name as written.
    pub name: TableName,
    /// Its columns in order.
    pub columns: Vec<ColumnOutline>,
    /// Columns of the primary key with the characters of each that it covers; 0 for all.
    pub primary_key: Vec<(String, u32)>,
    /// The character set of columns that name none; that of a collation if only it is named.
    pub charset: Option<String>,
    /// Why the columns cannot be read, if they cannot.
    pub unreadable: Option<SqlError>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnOutline {
    /// Its name.
    pub name: String,
    /// Its type as written.
    pub declared: String,
    /// Its type.
    pub data_type: DeclaredType,
    /// Its character set, that of its collation if only it is named; none: the table's.
    pub charset: Option<String>,
    /// Whether it may be NULL.
    pub is_nullable: bool,
    /// Whether it is computed.
    pub is_generated: bool,
    /// Whether `SELECT *` shows it.
    pub is_visible: bool,
    /// Whether MariaDB keeps it compressed.
    pub is_compressed: bool,
}

/// A type of MySQL or MariaDB.
#[derive(Debug, Clone, PartialEq)]
pub enum DeclaredType {
    /// One that both have, or MySQL.
    Common(DataType),
    /// MariaDB's UUID.
    Uuid,
    /// MariaDB's INET4.
    Inet4,
    /// MariaDB's INET6.
    Inet6,
}

impl DeclaredType {
    /// The character set that stands in the type itself.
    fn charset(&self) -> Option<&CharsetSpec> {
        match self {
            Self::Common(
                DataType::Char { charset, .. }
                | DataType::VarChar { charset, .. }
                | DataType::Text { charset, .. }
                | DataType::Enum { charset, .. }
                | DataType::Set { charset, .. },
            ) => Some(charset),
            Self::Common(_) | Self::Uuid | Self::Inet4 | Self::Inet6 => None,
        }
    }
}

/// Reads a CREATE TABLE with a list of columns; `None` for every other statement, temporary tables and
/// tables that are made of others included.
///
/// # Errors
/// For a text that is too long, or a table whose name cannot be read.
pub fn table(text: &[u8], options: &ParseOptions) -> Result<Option<TableOutline>, SqlError> {
    let mut cursor = cursor(text, options)?;
    cursor.outline().map_err(|failure| told(failure, text))
}

/// Reads a type as `COLUMN_TYPE` of `information_schema.COLUMNS` has it.
///
/// # Errors
/// For what is no type.
pub fn column_type(text: &[u8], options: &ParseOptions) -> Result<DeclaredType, SqlError> {
    let mut cursor = cursor(text, options)?;
    cursor
        .declared_type()
        .map_err(|failure| told(failure, text))
}

/// The database that `USE` names.
#[must_use]
pub fn used_database(text: &[u8], options: &ParseOptions) -> Option<String> {
    let mut cursor = cursor(text, options).ok()?;
    match cursor.accept("USE") {
        true => cursor.any_word().ok(),
        false => None,
    }
}

fn cursor<'a>(text: &'a [u8], options: &ParseOptions) -> Result<Cursor<'a>, SqlError> {
    let Lexed { tokens, rows, .. } = lexer::tokens(text, options)?;
    Ok(Cursor {
        text,
        tokens,
        at: 0,
        rows,
        indent: 0,
        options: *options,
        is_conditional: false,
    })
}

fn told(failure: Failure, text: &[u8]) -> SqlError {
    match failure {
        Failure::Sql(error) => error,
        Failure::Syntax(offset) => crate::syntax_error(text, offset),
        Failure::NotSupported(what) => SqlError::not_supported(what),
        Failure::Object(object) => SqlError::not_supported(object.construct),
    }
}

/// What an element of the list begins with that is no column.
const KEYS: [&str; 9] = [
    "PRIMARY",
    "UNIQUE",
    "KEY",
    "INDEX",
    "FULLTEXT",
    "SPATIAL",
    "CONSTRAINT",
    "FOREIGN",
    "CHECK",
];

impl Cursor<'_> {
    fn outline(&mut self) -> Parse<Option<TableOutline>> {
        if !self.accept("CREATE") {
            return Ok(None);
        }
        self.accept_all(&["OR", "REPLACE"]);
        if !self.accept("TABLE") {
            return Ok(None);
        }
        self.accept_all(&["IF", "NOT", "EXISTS"]);
        let name = self.table_name()?;
        if !self.accept_symbol("(") || self.is_word("LIKE") || self.is_word("SELECT") {
            return Ok(None);
        }
        let mut table = TableOutline {
            name,
            columns: Vec::new(),
            primary_key: Vec::new(),
            charset: None,
            unreadable: None,
        };
        if let Err(failure) = self.elements(&mut table) {
            table.unreadable = Some(told(failure, self.text));
            return Ok(Some(table));
        }
        self.options_behind(&mut table);
        for (column, _) in &table.primary_key {
            let mut columns = table.columns.iter_mut();
            if let Some(column) = columns.find(|own| own.name.eq_ignore_ascii_case(column)) {
                column.is_nullable = false;
            }
        }
        Ok(Some(table))
    }

    fn elements(&mut self, table: &mut TableOutline) -> Parse<()> {
        loop {
            self.element(table)?;
            if !self.accept_symbol(",") {
                return self.expect_symbol(")");
            }
        }
    }

    fn element(&mut self, table: &mut TableOutline) -> Parse<()> {
        if self.accept("CONSTRAINT") && !self.is_key() {
            self.any_word()?;
        }
        if self.accept_all(&["PRIMARY", "KEY"]) {
            while !self.is_symbol("(") && !self.is_end() {
                self.advance();
            }
            table.primary_key = self.parenthesised(Self::covered)?;
            self.skip_element();
            return Ok(());
        }
        let is_period = self.are_words(&["PERIOD", "FOR"]);
        let is_vector_key =
            self.are_words(&["VECTOR", "KEY"]) || self.are_words(&["VECTOR", "INDEX"]);
        if self.is_key() || is_period || is_vector_key {
            self.skip_element();
            return Ok(());
        }
        let (column, is_key) = self.outlined_column()?;
        if is_key {
            table.primary_key = vec![(column.name.clone(), 0)];
        }
        table.columns.push(column);
        Ok(())
    }

    fn is_key(&self) -> bool {
        KEYS.iter().any(|word| self.is_word(word))
    }

    /// `column`, `column(10)`, with ASC or DESC behind it.
    fn covered(&mut self) -> Parse<(String, u32)> {
        let name = self.any_word()?;
        let mut prefix = 0;
        if self.accept_symbol("(") {
            prefix = self.small_integer()?;
            self.expect_symbol(")")?;
        }
        self.accept_any(&["ASC", "DESC"]);
        Ok((name, prefix))
    }

    /// Moves to the comma or the parenthesis that ends the element.
    fn skip_element(&mut self) {
        while !self.ends_element() {
            self.skip_one();
        }
    }

    fn ends_element(&self) -> bool {
        self.is_symbol(",") || self.is_symbol(")") || self.is_end()
    }

    /// Moves over a token, or over everything in parentheses.
    fn skip_one(&mut self) {
        let mut open = 0_usize;
        loop {
            if self.is_symbol("(") {
                open = open.saturating_add(1);
            } else if self.is_symbol(")") {
                open = open.saturating_sub(1);
            }
            self.advance();
            if open == 0 || self.is_end() {
                return;
            }
        }
    }

    fn outlined_column(&mut self) -> Parse<(ColumnOutline, bool)> {
        let name = self.any_word()?;
        let (first, start) = (self.at, self.offset());
        let data_type = self.declared_type()?;
        let declared = self.source_since(first);
        let spec = data_type.charset();
        let mut charset = spec.and_then(|spec| spec.charset.clone());
        let mut column = ColumnOutline {
            name,
            declared,
            data_type,
            charset: None,
            is_nullable: true,
            is_generated: false,
            is_visible: true,
            is_compressed: false,
        };
        let mut is_key = false;
        while !self.ends_element() {
            if self.accept_all(&["NOT", "NULL"]) {
                column.is_nullable = false;
            } else if self.accept_all(&["CHARACTER", "SET"]) || self.accept("CHARSET") {
                charset = Some(self.charset_name()?);
            } else if self.accept("COLLATE") {
                let collation = self.charset_name()?;
                charset = charset.or_else(|| charset_of(&collation));
            } else if self.accept("AS") || self.accept("GENERATED") {
                column.is_generated = true;
            } else if self.accept("INVISIBLE") {
                column.is_visible = false;
            } else if self.accept_all(&["PRIMARY", "KEY"]) {
                is_key = true;
                column.is_nullable = false;
            } else if self.accept("UNIQUE") {
                // KEY alone is the primary one.
                self.accept("KEY");
            } else if self.accept_any(&["COMMENT", "REFERENCES"]).is_some() {
                self.skip_one();
            } else if self.accept("KEY") {
                is_key = true;
                column.is_nullable = false;
            } else {
                self.skip_one();
            }
        }
        // MariaDB writes it in a comment of its own, which is no token.
        let source = self.text.get(start..self.offset()).unwrap_or_default();
        column.is_compressed = source
            .windows(b"COMPRESSED*/".len())
            .any(|part| part == b"COMPRESSED*/");
        column.charset = charset;
        Ok((column, is_key))
    }

    fn declared_type(&mut self) -> Parse<DeclaredType> {
        for (word, data_type) in [
            ("UUID", DeclaredType::Uuid),
            ("INET4", DeclaredType::Inet4),
            ("INET6", DeclaredType::Inet6),
        ] {
            if self.accept(word) {
                return Ok(data_type);
            }
        }
        self.data_type().map(DeclaredType::Common)
    }

    /// What the options say of columns: their character set, and columns of system versioning.
    fn options_behind(&mut self, table: &mut TableOutline) {
        while !self.is_end() {
            let is_charset = self.accept("CHARSET") || self.accept_all(&["CHARACTER", "SET"]);
            if is_charset || self.accept("COLLATE") {
                self.accept_symbol("=");
                let Ok(name) = self.charset_name() else {
                    continue;
                };
                match is_charset {
                    true => table.charset = Some(name),
                    false => table.charset = table.charset.take().or_else(|| charset_of(&name)),
                }
            } else if self.accept_all(&["WITH", "SYSTEM", "VERSIONING"]) {
                let start = b"ROW START";
                let mut words = self.text.windows(start.len());
                if !words.any(|words| words.eq_ignore_ascii_case(start)) {
                    add_versions(table);
                }
            } else {
                self.skip_one();
            }
        }
    }
}

/// MariaDB adds two columns at the end.
fn add_versions(table: &mut TableOutline) {
    for name in ["row_start", "row_end"] {
        table.columns.push(ColumnOutline {
            name: name.to_owned(),
            declared: "timestamp(6)".to_owned(),
            data_type: DeclaredType::Common(DataType::Timestamp { fsp: Some(6) }),
            charset: None,
            is_nullable: false,
            is_generated: true,
            is_visible: false,
            is_compressed: false,
        });
    }
}

/// The name of a collation begins with that of its character set.
fn charset_of(collation: &str) -> Option<String> {
    collation.split('_').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> TableOutline {
        let options = ParseOptions::default();
        table(text.as_bytes(), &options).unwrap().unwrap()
    }

    #[test]
    fn what_mysql_shows_is_read_with_everything_around_the_columns() {
        let table = read(
            "CREATE TABLE `odd ``name` (\n  `order` int NOT NULL AUTO_INCREMENT,\n\
             `v` varchar(20) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'NOT NULL, (x',\n\
             `e` enum('a','b''c') COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'INVISIBLE',\n\
             `g` int GENERATED ALWAYS AS ((`order` + 1)) STORED,\n\
             `h` timestamp(6) NULL DEFAULT NULL /*!80023 INVISIBLE */,\n\
             `p` point NOT NULL /*!80003 SRID 4326 */,\n\
             PRIMARY KEY (`order`,`v`(10) DESC),\n  UNIQUE KEY `u` ((lower(`v`))),\n\
             CONSTRAINT `c` CHECK ((`order` > 0)),\n\
             CONSTRAINT `f` FOREIGN KEY (`g`) REFERENCES `t` (`a`) ON DELETE SET NULL\n\
             ) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci\n\
             /*!50100 PARTITION BY RANGE (`order`)\n(PARTITION p0 VALUES LESS THAN (10)) */",
        );
        assert_eq!(table.name.name, "odd `name");
        let names: Vec<&str> = table.columns.iter().map(|own| own.name.as_str()).collect();
        assert_eq!(names, ["order", "v", "e", "g", "h", "p"]);
        let nullable: Vec<bool> = table.columns.iter().map(|own| own.is_nullable).collect();
        assert_eq!(nullable, [false, false, true, true, true, false]);
        let generated = table.columns.iter().filter(|own| own.is_generated);
        assert_eq!(generated.count(), 1);
        let hidden = table.columns.iter().filter(|own| !own.is_visible);
        assert_eq!(hidden.count(), 1);
        let charsets: Vec<_> = table
            .columns
            .iter()
            .map(|own| own.charset.as_deref())
            .collect();
        assert_eq!(charsets[..3], [None, Some("latin1"), Some("utf8mb4")]);
        assert_eq!(table.charset.as_deref(), Some("utf8mb4"));
        let key = [("order".to_owned(), 0), ("v".to_owned(), 10)];
        assert_eq!(table.primary_key, key);
        assert_eq!(table.columns[2].declared, "enum('a','b''c')");
    }

    #[test]
    fn what_mariadb_alone_writes_is_read() {
        let table = read(
            "CREATE TABLE `t` (\n  `id` uuid NOT NULL DEFAULT uuid(),\n  `a` inet6 DEFAULT NULL,\n\
             `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`)),\n\
             `c` text /*M!100301 COMPRESSED*/ DEFAULT NULL,\n  `v` vector(3) NOT NULL,\n\
             PRIMARY KEY (`id`),\n  VECTOR KEY `k` (`v`)\n\
             ) ENGINE=InnoDB DEFAULT CHARSET=latin1 PAGE_CHECKSUM=1 WITH SYSTEM VERSIONING",
        );
        let names: Vec<&str> = table.columns.iter().map(|own| own.name.as_str()).collect();
        assert_eq!(names, ["id", "a", "j", "c", "v", "row_start", "row_end"]);
        let compressed: Vec<bool> = table.columns.iter().map(|own| own.is_compressed).collect();
        assert_eq!(compressed, [false, false, false, true, false, false, false]);
        assert_eq!(table.columns[0].data_type, DeclaredType::Uuid);
    }

    #[test]
    fn other_statements_have_no_columns() {
        let options = ParseOptions::default();
        for text in [
            "CREATE TABLE a LIKE b",
            "CREATE TEMPORARY TABLE a (id INT)",
            "CREATE VIEW a AS SELECT 1",
            "CREATE TABLE a (LIKE b)",
            "INSERT INTO a VALUES (1)",
            "",
        ] {
            assert_eq!(table(text.as_bytes(), &options).unwrap(), None, "{text}");
        }
        let unreadable = table(b"CREATE TABLE a (id WHATEVER)", &options);
        assert!(unreadable.unwrap().unwrap().unreadable.is_some());
        let used = used_database(b"USE `a``b`", &options);
        assert_eq!(used.as_deref(), Some("a`b"));
    }
}
