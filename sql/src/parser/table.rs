//! CREATE TABLE: elements, keys, foreign keys and options.

use super::refuse;
use crate::ast::{
    CharsetSpec, CreateTable, CreateTableSource, Ddl, ForeignKey, IndexDefinition, IndexKind,
    IndexOptions, KeyPart, KeyPartTarget, OnUpdateDelete, Statement, TableElement, TableOptions,
};
use crate::cursor::{Cursor, Failure, Parse};
use crate::error::SqlError;
use crate::lexer::Kind;

impl Cursor<'_> {
    /// Behind CREATE.
    pub(super) fn create_table(&mut self, or_replace: bool) -> Parse<Statement> {
        let temporary = self.accept("TEMPORARY");
        self.expect("TABLE")?;
        let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
        let name = self.table_name()?;
        let source = self.create_table_source()?;
        Ok(Statement::Ddl(Ddl::CreateTable(Box::new(CreateTable {
            temporary,
            or_replace,
            if_not_exists,
            name,
            source,
        }))))
    }

    fn create_table_source(&mut self) -> Parse<CreateTableSource> {
        if self.accept("LIKE") {
            return Ok(CreateTableSource::Like(self.table_name()?));
        }
        let mut elements = Vec::new();
        if self.is_symbol("(") && !self.opens_query() {
            self.advance();
            if self.accept("LIKE") {
                let like = self.table_name()?;
                self.expect_symbol(")")?;
                return Ok(CreateTableSource::Like(like));
            }
            elements = self
                .list(Self::table_element)?
                .into_iter()
                .flatten()
                .collect();
            self.expect_symbol(")")?;
        }
        let options = self.table_options()?;
        let announces_query = self.accept_any(&["IGNORE", "REPLACE"]).is_some();
        let announces_query = self.accept("AS") || announces_query;
        let query = self.is_symbol("(")
            || ["SELECT", "WITH", "VALUES", "TABLE"]
                .iter()
                .any(|word| self.is_word(word));
        let select = if query {
            Some(self.delegate(|parser| parser.parse_query())?)
        } else {
            None
        };
        if (elements.is_empty() || announces_query) && select.is_none() {
            return self.unexpected();
        }
        Ok(CreateTableSource::Definition {
            elements,
            options,
            select,
        })
    }

    fn opens_query(&self) -> bool {
        ["SELECT", "WITH", "VALUES"]
            .iter()
            .any(|word| self.is_word_ahead(1, word))
    }

    fn table_element(&mut self) -> Parse<Option<TableElement>> {
        if self.system_period()? {
            return Ok(None);
        }
        if let Some(constraint) = self.constraint()? {
            return Ok(Some(constraint));
        }
        Ok(Some(TableElement::Column(self.column_definition()?)))
    }

    /// A key, foreign key or check if one is next; used by ALTER TABLE ADD too.
    pub(super) fn constraint(&mut self) -> Parse<Option<TableElement>> {
        let mut name = None;
        if self.accept("CONSTRAINT") {
            self.mariadb_if_not_exists();
            let unnamed = ["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"];
            if !unnamed.iter().any(|word| self.is_word(word)) {
                name = Some(self.identifier()?);
            }
            if !unnamed.iter().any(|word| self.is_word(word)) {
                return self.unexpected();
            }
        }
        if self.is_word("CHECK") {
            return Ok(Some(TableElement::Check(self.check(name)?)));
        }
        if self.accept_all(&["FOREIGN", "KEY"]) {
            self.mariadb_if_not_exists();
            let index_name = if self.is_symbol("(") {
                None
            } else {
                Some(self.identifier()?)
            };
            let columns = self.parenthesised(Self::identifier)?;
            return Ok(Some(TableElement::ForeignKey(
                self.references(name, index_name, columns)?,
            )));
        }
        let kind = if self.accept_all(&["PRIMARY", "KEY"]) {
            IndexKind::Primary
        } else if let Some(word) = self.accept_any(&["UNIQUE", "FULLTEXT", "SPATIAL"]) {
            self.accept_any(&["INDEX", "KEY"]);
            match word {
                "UNIQUE" => IndexKind::Unique,
                "FULLTEXT" => IndexKind::FullText,
                _ => IndexKind::Spatial,
            }
        } else if self.accept_any(&["INDEX", "KEY"]).is_some() {
            IndexKind::Plain
        } else {
            return Ok(None);
        };
        self.mariadb_if_not_exists();
        let written = self.index_name()?;
        let name = if kind == IndexKind::Primary {
            None
        } else {
            written.or(name)
        };
        Ok(Some(TableElement::Index(
            self.index_behind_name(kind, name)?,
        )))
    }

    pub(super) fn index_name(&mut self) -> Parse<Option<String>> {
        // TYPE is a name here, and the word for a structure only behind one.
        if self.is_symbol("(") || self.is_word("USING") {
            return Ok(None);
        }
        self.identifier().map(Some)
    }

    /// `[USING x] (parts) options`.
    pub(super) fn index_behind_name(
        &mut self,
        kind: IndexKind,
        name: Option<String>,
    ) -> Parse<IndexDefinition> {
        let mut options = IndexOptions::default();
        while self.index_option(&mut options)? {}
        let parts = self.parenthesised(Self::key_part)?;
        self.mariadb_wait()?;
        while self.index_option(&mut options)? {}
        Ok(IndexDefinition {
            kind,
            name,
            parts,
            options,
        })
    }

    fn key_part(&mut self) -> Parse<KeyPart> {
        let target = if self.is_symbol("(") {
            self.functional_part()?
        } else {
            let name = self.identifier()?;
            let prefix = if self.accept_symbol("(") {
                let length = self.small_integer()?;
                self.expect_symbol(")")?;
                Some(length)
            } else {
                None
            };
            KeyPartTarget::Column { name, prefix }
        };
        if self.is_mariadb() && self.are_words(&["WITHOUT", "OVERLAPS"]) {
            return refuse("WITHOUT OVERLAPS");
        }
        let order = self.accept_any(&["ASC", "DESC"]);
        Ok(KeyPart {
            target,
            descending: order == Some("DESC"),
            is_ordered: order.is_some(),
        })
    }

    /// `(expression)`, or `(CAST(expression AS type ARRAY))`.
    fn functional_part(&mut self) -> Parse<KeyPartTarget> {
        let start = self.at;
        if let Some(array) = self.array_part()? {
            return Ok(array);
        }
        self.at = start;
        Ok(KeyPartTarget::Expression(self.parenthesised_expression()?))
    }

    fn array_part(&mut self) -> Parse<Option<KeyPartTarget>> {
        self.expect_symbol("(")?;
        if !self.accept("CAST") || !self.accept_symbol("(") {
            return Ok(None);
        }
        let of = self.expression()?;
        if !self.accept("AS") {
            return Ok(None);
        }
        let mut element = self.any_word()?.to_ascii_lowercase();
        if self.accept_symbol("(") {
            let mut numbers = vec![self.small_integer()?.to_string()];
            if self.accept_symbol(",") {
                numbers.push(self.small_integer()?.to_string());
            }
            self.expect_symbol(")")?;
            element = format!("{element}({})", numbers.join(","));
        }
        if !self.accept("ARRAY") {
            return Ok(None);
        }
        self.expect_symbol(")")?;
        self.expect_symbol(")")?;
        Ok(Some(KeyPartTarget::Array { of, element }))
    }

    fn index_option(&mut self, found: &mut IndexOptions) -> Parse<bool> {
        if self.accept_any(&["USING", "TYPE"]).is_some() {
            found.using = Some(self.expect_any(&["BTREE", "HASH", "RTREE"])?.to_owned());
        } else if self.accept("COMMENT") {
            found.comment = Some(self.string()?);
        } else if self.accept("INVISIBLE") || (self.is_mariadb() && self.accept("IGNORED")) {
            found.invisible = true;
        } else if self.accept("VISIBLE")
            || (self.is_mariadb() && self.accept_all(&["NOT", "IGNORED"]))
        {
            found.invisible = false;
        } else if self.accept("KEY_BLOCK_SIZE") {
            self.accept_symbol("=");
            found.key_block_size = Some(self.integer()?);
        } else if self.accept_all(&["WITH", "PARSER"]) {
            found.parser = Some(self.identifier()?);
        } else if self.accept("ENGINE_ATTRIBUTE") {
            self.accept_symbol("=");
            found.engine_attribute = Some(self.string()?);
        } else if self.accept("SECONDARY_ENGINE_ATTRIBUTE") {
            self.accept_symbol("=");
            if !self.string()?.is_empty() {
                return refuse("SECONDARY_ENGINE_ATTRIBUTE");
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `REFERENCES parent (columns) actions`.
    pub(super) fn references(
        &mut self,
        name: Option<String>,
        index_name: Option<String>,
        columns: Vec<String>,
    ) -> Parse<ForeignKey> {
        self.expect("REFERENCES")?;
        let parent = self.table_name()?;
        let parent_columns = if self.is_symbol("(") {
            self.parenthesised(Self::identifier)?
        } else {
            Vec::new()
        };
        if self.accept("MATCH") {
            self.expect_any(&["FULL", "PARTIAL", "SIMPLE"])?;
        }
        let mut key = ForeignKey {
            name,
            index_name,
            columns,
            parent,
            parent_columns,
            on_delete: None,
            on_update: None,
        };
        while self.accept("ON") {
            if self.expect_any(&["DELETE", "UPDATE"])? == "DELETE" {
                key.on_delete = Some(self.referential_action()?);
            } else {
                key.on_update = Some(self.referential_action()?);
            }
        }
        Ok(key)
    }

    fn referential_action(&mut self) -> Parse<OnUpdateDelete> {
        Ok(if self.accept("RESTRICT") {
            OnUpdateDelete::Restrict
        } else if self.accept("CASCADE") {
            OnUpdateDelete::Cascade
        } else if self.accept_all(&["NO", "ACTION"]) {
            OnUpdateDelete::NoAction
        } else if self.accept_all(&["SET", "NULL"]) {
            OnUpdateDelete::SetNull
        } else if self.accept_all(&["SET", "DEFAULT"]) {
            OnUpdateDelete::SetDefault
        } else {
            return self.unexpected();
        })
    }

    /// Options up to something that is none.
    pub(super) fn table_options(&mut self) -> Parse<TableOptions> {
        let mut options = TableOptions::default();
        while self.table_option(&mut options)? {
            while self.accept_symbol(",") {
                if !self.table_option(&mut options)? {
                    return self.unexpected();
                }
            }
        }
        options.partition = self.partition_by()?.map(Box::new);
        Ok(options)
    }

    /// One option if one is next.
    pub(super) fn table_option(&mut self, found: &mut TableOptions) -> Parse<bool> {
        // Servers before 5.5 wrote TYPE.
        let is_old = self.options.version < 50_500;
        if self.accept("ENGINE") || (is_old && self.accept("TYPE")) {
            self.accept_symbol("=");
            let engine = match self.peek() {
                Kind::String(_) => self.string()?,
                _ => self.any_word()?,
            };
            found.earlier_engines.extend(found.engine.replace(engine));
        } else if self.accept("AUTO_INCREMENT") {
            self.accept_symbol("=");
            found.auto_increment = Some(self.integer()?);
        } else if self.accept("COMMENT") {
            self.accept_symbol("=");
            found.comment = Some(self.string()?);
        } else if self.accept("ROW_FORMAT") {
            self.accept_symbol("=");
            found.row_format = Some(self.any_word()?.to_ascii_uppercase());
        } else if self.accept_all(&["START", "TRANSACTION"]) {
            // The log of CREATE TABLE ... SELECT: rows follow in the same transaction.
            let option = "START TRANSACTION".to_owned();
            found.others.push((option, String::new()));
        } else if self.charset_option(&mut found.charset)? {
            return Ok(true);
        } else {
            return self.other_table_option(found);
        }
        Ok(true)
    }

    /// `[DEFAULT] CHARACTER SET [=] x` or `[DEFAULT] COLLATE [=] x` if next.
    pub(super) fn charset_option(&mut self, found: &mut CharsetSpec) -> Parse<bool> {
        let start = self.at;
        self.accept("DEFAULT");
        if self.accept_all(&["CHARACTER", "SET"])
            || self.accept_all(&["CHAR", "SET"])
            || self.accept("CHARSET")
        {
            self.accept_symbol("=");
            let charset = self.charset_name()?;
            let of = |name: &str| match name {
                "utf8" => "utf8mb3".to_owned(),
                other => other.to_owned(),
            };
            // The name of a collation begins with that of its character set.
            let of_collation = found
                .collation
                .as_deref()
                .and_then(|name| name.split('_').next());
            let earlier = found.charset.as_deref().or(of_collation);
            if let Some(earlier) = earlier.filter(|name| of(name) != of(&charset)) {
                let what = "CHARACTER SET ";
                return Err(Failure::Sql(SqlError::conflicting_declarations(
                    what, earlier, what, charset,
                )));
            }
            found.charset = Some(charset);
        } else if self.accept("COLLATE") {
            self.accept_symbol("=");
            let collation = self.charset_name()?;
            // The name of a collation begins with that of its character set.
            let charset_of = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
            if let Some(earlier) = &found.collation
                && charset_of(earlier) != charset_of(&collation)
            {
                return Err(Failure::Sql(SqlError::collation_charset_mismatch(
                    collation,
                    charset_of(earlier),
                )));
            }
            found.collation = Some(collation);
        } else {
            self.at = start;
            return Ok(false);
        }
        Ok(true)
    }

    fn other_table_option(&mut self, found: &mut TableOptions) -> Parse<bool> {
        const NAMES: [&str; 22] = [
            "AVG_ROW_LENGTH",
            "MAX_ROWS",
            "MIN_ROWS",
            "PASSWORD",
            "PACK_KEYS",
            "STATS_AUTO_RECALC",
            "STATS_PERSISTENT",
            "STATS_SAMPLE_PAGES",
            "CHECKSUM",
            "TABLE_CHECKSUM",
            "DELAY_KEY_WRITE",
            "INSERT_METHOD",
            "KEY_BLOCK_SIZE",
            "COMPRESSION",
            "ENCRYPTION",
            "CONNECTION",
            "TABLESPACE",
            "STORAGE",
            "ENGINE_ATTRIBUTE",
            "SECONDARY_ENGINE_ATTRIBUTE",
            "SECONDARY_ENGINE",
            "AUTOEXTEND_SIZE",
        ];
        if self.accept_all(&["DATA", "DIRECTORY"]) || self.accept_all(&["INDEX", "DIRECTORY"]) {
            return refuse("DATA DIRECTORY");
        }
        if self.is_word("UNION")
            && !self.is_word_ahead(1, "SELECT")
            && !self.is_word_ahead(1, "ALL")
        {
            return refuse("the MERGE storage engine");
        }
        let Some(name) = self.accept_any(&NAMES) else {
            return self.mariadb_table_option(found);
        };
        self.accept_symbol("=");
        let value = match self.peek() {
            Kind::String(_) => self.string()?,
            Kind::Integer(text) => {
                let text = (*text).to_owned();
                self.advance();
                text
            }
            _ => self.any_word()?,
        };
        found.others.push((name.to_owned(), value));
        Ok(true)
    }
}
