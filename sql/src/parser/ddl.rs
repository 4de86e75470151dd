//! Databases, indexes, DROP and RENAME.

use super::refuse;
use crate::ast::{AlterClause, CharsetSpec, CreateIndex, Ddl, IndexKind, Statement};
use crate::cursor::{Cursor, Failure, Parse};
use crate::error::SqlError;

impl Cursor<'_> {
    /// Behind CREATE, ALTER or DROP.
    pub(super) fn database(&mut self, verb: &str) -> Parse<Statement> {
        self.advance();
        match verb {
            "CREATE" => {
                let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
                let name = self.identifier()?;
                let charset = self.database_options()?;
                Ok(Statement::Ddl(Ddl::CreateDatabase {
                    if_not_exists,
                    name,
                    charset,
                }))
            }
            "ALTER" => {
                // The reserved words among those that begin an option: the others are names.
                let options = ["DEFAULT", "CHARACTER", "CHAR", "COLLATE", "READ", "COMMENT"];
                let unnamed = options.iter().any(|word| self.is_word(word));
                let name = if unnamed {
                    None
                } else {
                    Some(self.identifier()?)
                };
                if self.is_end() {
                    return self.unexpected();
                }
                Ok(Statement::Ddl(Ddl::AlterDatabase {
                    name,
                    charset: self.database_options()?,
                }))
            }
            "DROP" => {
                let if_exists = self.accept_all(&["IF", "EXISTS"]);
                Ok(Statement::Ddl(Ddl::DropDatabase {
                    if_exists,
                    name: self.identifier()?,
                }))
            }
            _ => self.unexpected(),
        }
    }

    fn database_options(&mut self) -> Parse<CharsetSpec> {
        let mut charset = CharsetSpec::default();
        loop {
            if self.charset_option(&mut charset)? {
                continue;
            }
            if self.accept_all(&["DEFAULT", "ENCRYPTION"]) || self.accept("ENCRYPTION") {
                self.accept_symbol("=");
                let answer = self.string()?;
                if answer.eq_ignore_ascii_case("Y") {
                    return refuse("ENCRYPTION='Y'");
                }
                if !answer.eq_ignore_ascii_case("N") {
                    return Err(Failure::Sql(SqlError::wrong_temporal_literal(
                        "argument (should be Y or N)",
                        answer,
                    )));
                }
            } else if self.is_mariadb() && self.accept("COMMENT") {
                self.accept_symbol("=");
                self.string()?;
            } else if self.accept_all(&["READ", "ONLY"]) {
                return refuse("ALTER DATABASE READ ONLY");
            } else {
                return Ok(charset);
            }
        }
    }

    /// Behind CREATE.
    pub(super) fn create_index(&mut self, or_replace: bool) -> Parse<Statement> {
        let kind = match self.accept_any(&["UNIQUE", "FULLTEXT", "SPATIAL"]) {
            Some("UNIQUE") => IndexKind::Unique,
            Some("FULLTEXT") => IndexKind::FullText,
            Some(_) => IndexKind::Spatial,
            None => IndexKind::Plain,
        };
        self.expect("INDEX")?;
        let if_not_exists = self.mariadb_if_not_exists();
        let name = self.identifier()?;
        let using = if self.accept_any(&["USING", "TYPE"]).is_some() {
            Some(self.expect_any(&["BTREE", "HASH", "RTREE"])?.to_owned())
        } else {
            None
        };
        self.expect("ON")?;
        let table = self.table_name()?;
        let mut index = self.index_behind_name(kind, Some(name))?;
        index.options.using = index.options.using.or(using);
        let how = self.algorithm_and_lock()?;
        Ok(Statement::Ddl(Ddl::CreateIndex(Box::new(CreateIndex {
            or_replace,
            if_not_exists,
            table,
            index,
            how,
        }))))
    }

    /// Behind DROP.
    pub(super) fn drop_index(&mut self) -> Parse<Statement> {
        self.expect("INDEX")?;
        let if_exists = self.mariadb_if_exists();
        let name = self.identifier()?;
        self.expect("ON")?;
        let table = self.table_name()?;
        self.mariadb_wait()?;
        let how = self.algorithm_and_lock()?;
        Ok(Statement::Ddl(Ddl::DropIndex {
            if_exists,
            name,
            table,
            how,
        }))
    }

    /// ALGORITHM= and LOCK= behind CREATE INDEX and DROP INDEX.
    fn algorithm_and_lock(&mut self) -> Parse<Vec<AlterClause>> {
        let mut how = Vec::new();
        while let Some(word) = self.accept_any(&["ALGORITHM", "LOCK"]) {
            self.accept_symbol("=");
            let name = self.any_word()?;
            how.push(match word {
                "ALGORITHM" => AlterClause::Algorithm(name),
                _ => AlterClause::Lock(name),
            });
        }
        Ok(how)
    }

    /// Behind DROP.
    pub(super) fn drop_table(&mut self) -> Parse<Statement> {
        let temporary = self.accept("TEMPORARY");
        self.expect_any(&["TABLE", "TABLES"])?;
        let if_exists = self.accept_all(&["IF", "EXISTS"]);
        let tables = self.list(Self::table_name)?;
        self.mariadb_wait()?;
        self.accept_any(&["RESTRICT", "CASCADE"]);
        Ok(Statement::Ddl(Ddl::DropTable {
            temporary,
            if_exists,
            tables,
        }))
    }

    /// Behind DROP.
    pub(super) fn drop_view(&mut self) -> Parse<Statement> {
        self.expect("VIEW")?;
        let if_exists = self.accept_all(&["IF", "EXISTS"]);
        let views = self.list(Self::table_name)?;
        self.accept_any(&["RESTRICT", "CASCADE"]);
        Ok(Statement::Ddl(Ddl::DropView { if_exists, views }))
    }

    /// Behind RENAME.
    pub(super) fn rename_table(&mut self) -> Parse<Statement> {
        self.expect_any(&["TABLE", "TABLES"])?;
        if self.is_mariadb() && self.are_words(&["IF", "EXISTS"]) {
            return refuse("RENAME TABLE IF EXISTS");
        }
        let pairs = self.list(|cursor| {
            let from = cursor.table_name()?;
            cursor.mariadb_wait()?;
            cursor.expect("TO")?;
            Ok((from, cursor.table_name()?))
        })?;
        Ok(Statement::Ddl(Ddl::RenameTable(pairs)))
    }
}
