//! ALTER TABLE, clause by clause.

use super::refuse;
use crate::ast::{
    AlterClause, AlterTable, CharsetSpec, ColumnPosition, Ddl, RowOrder, Statement, TableElement,
    TableOptions,
};
use crate::cursor::{Cursor, Parse};

impl Cursor<'_> {
    /// Behind ALTER.
    pub(super) fn alter_table(&mut self) -> Parse<Statement> {
        if self.is_mariadb() {
            self.accept("ONLINE");
            self.accept("IGNORE");
        }
        self.expect("TABLE")?;
        let if_exists = self.mariadb_if_exists();
        let table = self.table_name()?;
        self.mariadb_wait()?;
        let mut clauses = Vec::new();
        let mut conditional = Vec::new();
        let mut system_versioning = None;
        if !self.is_end() {
            loop {
                let first = clauses.len();
                self.is_conditional = false;
                match self.versioning_clause() {
                    Some(versioned) => system_versioning = Some(versioned),
                    None => self.alter_clause(&mut clauses)?,
                }
                if self.is_conditional {
                    conditional.extend(first..clauses.len());
                }
                // What is said of partitions follows the rest without a comma.
                let goes_on = self.are_words(&["PARTITION", "BY"])
                    || self.are_words(&["REMOVE", "PARTITIONING"]);
                if !goes_on && !self.accept_symbol(",") {
                    break;
                }
            }
        }
        Ok(Statement::Ddl(Ddl::AlterTable(Box::new(AlterTable {
            if_exists,
            table,
            clauses,
            system_versioning,
            conditional,
        }))))
    }

    /// MariaDB's ADD and DROP SYSTEM VERSIONING: whether it is there behind it.
    fn versioning_clause(&mut self) -> Option<bool> {
        let start = self.at;
        let verb = self.accept_any(&["ADD", "DROP"])?;
        if self.system_versioning() {
            return Some(verb == "ADD");
        }
        self.at = start;
        None
    }

    fn alter_clause(&mut self, clauses: &mut Vec<AlterClause>) -> Parse<()> {
        let clause = if let Some(clause) = self.partition_clause()? {
            clause
        } else if self.accept("ADD") {
            return self.add_clause(clauses);
        } else if self.accept("DROP") {
            self.drop_clause()?
        } else if self.accept("MODIFY") {
            self.accept("COLUMN");
            self.mariadb_if_exists();
            let column = self.column_definition()?;
            AlterClause::Modify {
                column,
                position: self.column_position()?,
            }
        } else if self.accept("CHANGE") {
            self.accept("COLUMN");
            self.mariadb_if_exists();
            let old_name = self.identifier()?;
            let column = self.column_definition()?;
            AlterClause::Change {
                old_name,
                column,
                position: self.column_position()?,
            }
        } else if self.accept("ALTER") {
            self.alter_part()?
        } else if self.accept("RENAME") {
            self.rename_clause()?
        } else if self.accept_all(&["CONVERT", "TO"]) {
            AlterClause::ConvertToCharset(self.conversion()?)
        } else if self.accept_all(&["DISABLE", "KEYS"]) {
            AlterClause::DisableKeys
        } else if self.accept_all(&["ENABLE", "KEYS"]) {
            AlterClause::EnableKeys
        } else if self.accept("FORCE") {
            AlterClause::Force
        } else if self.accept_all(&["ORDER", "BY"]) {
            AlterClause::OrderBy(self.list(|cursor| {
                let mut name = cursor.identifier()?;
                while cursor.accept_symbol(".") {
                    name = cursor.any_word()?;
                }
                let descending = cursor.accept("DESC");
                if !descending {
                    cursor.accept("ASC");
                }
                Ok(RowOrder {
                    column: name,
                    descending,
                })
            })?)
        } else if self.accept("ALGORITHM") {
            self.accept_symbol("=");
            AlterClause::Algorithm(self.any_word()?)
        } else if self.accept("LOCK") {
            self.accept_symbol("=");
            AlterClause::Lock(self.any_word()?)
        } else {
            self.option_clause()?
        };
        clauses.push(clause);
        Ok(())
    }

    fn option_clause(&mut self) -> Parse<AlterClause> {
        let refused = [
            "PARTITION",
            "REORGANIZE",
            "REBUILD",
            "REMOVE",
            "TRUNCATE",
            "COALESCE",
            "EXCHANGE",
            "DISCARD",
            "IMPORT",
            "ANALYZE",
            "CHECK",
            "OPTIMIZE",
            "REPAIR",
            "SECONDARY_LOAD",
            "SECONDARY_UNLOAD",
            "WITH",
            "WITHOUT",
        ];
        if let Some(word) = self.accept_any(&refused) {
            self.skip_rest();
            return Ok(AlterClause::NotSupported(format!("ALTER TABLE ... {word}")));
        }
        let mut options = TableOptions::default();
        if !self.table_option(&mut options)? {
            return self.unexpected();
        }
        // Table options may follow each other without commas.
        while self.table_option(&mut options)? {}
        Ok(AlterClause::Options(options))
    }

    /// Behind CONVERT TO: a character set, which may be the database's, and its collation.
    fn conversion(&mut self) -> Parse<CharsetSpec> {
        if !(self.accept_all(&["CHARACTER", "SET"])
            || self.accept_all(&["CHAR", "SET"])
            || self.accept("CHARSET"))
        {
            return self.unexpected();
        }
        let charset = match self.accept("DEFAULT") {
            true => None,
            false => Some(self.charset_name()?),
        };
        let collation = match self.accept("COLLATE") {
            true => Some(self.charset_name()?),
            false => None,
        };
        Ok(CharsetSpec {
            charset,
            collation,
            binary: false,
        })
    }

    fn add_clause(&mut self, clauses: &mut Vec<AlterClause>) -> Parse<()> {
        if self.accept("PARTITION") {
            let clause = self.add_partition()?;
            clauses.push(clause);
            return Ok(());
        }
        if self.is_mariadb() && self.are_words(&["PERIOD", "FOR"]) {
            return refuse("ALTER TABLE ... ADD PERIOD");
        }
        match self.constraint()? {
            Some(TableElement::Index(index)) => clauses.push(AlterClause::AddIndex(index)),
            Some(TableElement::ForeignKey(key)) => clauses.push(AlterClause::AddForeignKey(key)),
            Some(TableElement::Check(check)) => clauses.push(AlterClause::AddCheck(check)),
            Some(TableElement::Column(_)) | None => return self.add_columns(clauses),
        }
        Ok(())
    }

    fn add_columns(&mut self, clauses: &mut Vec<AlterClause>) -> Parse<()> {
        self.accept("COLUMN");
        self.mariadb_if_not_exists();
        if self.accept_symbol("(") {
            self.list(|cursor| {
                if !cursor.is_symbol("(")
                    && let Some(constraint) = cursor.constraint()?
                {
                    clauses.push(match constraint {
                        TableElement::Index(index) => AlterClause::AddIndex(index),
                        TableElement::ForeignKey(key) => AlterClause::AddForeignKey(key),
                        TableElement::Check(check) => AlterClause::AddCheck(check),
                        TableElement::Column(column) => AlterClause::AddColumn {
                            column,
                            position: None,
                        },
                    });
                    return Ok(());
                }
                let column = cursor.column_definition()?;
                clauses.push(AlterClause::AddColumn {
                    column,
                    position: None,
                });
                Ok(())
            })?;
            return self.expect_symbol(")");
        }
        let column = self.column_definition()?;
        clauses.push(AlterClause::AddColumn {
            column,
            position: self.column_position()?,
        });
        Ok(())
    }

    fn drop_clause(&mut self) -> Parse<AlterClause> {
        Ok(if self.accept_all(&["PRIMARY", "KEY"]) {
            AlterClause::DropPrimaryKey
        } else if self.accept_all(&["FOREIGN", "KEY"]) {
            self.mariadb_if_exists();
            AlterClause::DropForeignKey(self.identifier()?)
        } else if self.accept_any(&["INDEX", "KEY"]).is_some() {
            self.mariadb_if_exists();
            AlterClause::DropIndex(self.identifier()?)
        } else if self.accept("CHECK") {
            AlterClause::DropCheck(self.identifier()?)
        } else if self.accept("CONSTRAINT") {
            self.mariadb_if_exists();
            AlterClause::DropConstraint(self.identifier()?)
        } else if self.accept("PARTITION") {
            self.drop_partition()?
        } else {
            self.accept("COLUMN");
            self.mariadb_if_exists();
            let name = self.identifier()?;
            self.accept_any(&["RESTRICT", "CASCADE"]);
            AlterClause::DropColumn(name)
        })
    }

    /// ALTER TABLE ... ALTER.
    fn alter_part(&mut self) -> Parse<AlterClause> {
        if self.accept("INDEX") || (self.is_mariadb() && self.accept("KEY")) {
            self.mariadb_if_exists();
            let index = self.identifier()?;
            let invisible = match self.is_mariadb() {
                true => {
                    let is_used = self.accept("NOT");
                    self.expect("IGNORED")?;
                    !is_used
                }
                false => self.expect_any(&["VISIBLE", "INVISIBLE"])? == "INVISIBLE",
            };
            return Ok(AlterClause::AlterIndexVisibility { index, invisible });
        }
        if self.accept_any(&["CHECK", "CONSTRAINT"]).is_some() {
            let name = self.identifier()?;
            let enforced = !self.accept("NOT");
            self.expect("ENFORCED")?;
            return Ok(AlterClause::AlterCheck { name, enforced });
        }
        self.accept("COLUMN");
        self.mariadb_if_exists();
        let column = self.identifier()?;
        if self.accept_all(&["DROP", "DEFAULT"]) {
            return Ok(AlterClause::AlterColumnDefault {
                column,
                default: None,
            });
        }
        self.expect("SET")?;
        if let Some(word) = self.accept_any(&["VISIBLE", "INVISIBLE"]) {
            let invisible = word == "INVISIBLE";
            return Ok(AlterClause::AlterColumnVisibility { column, invisible });
        }
        self.expect("DEFAULT")?;
        Ok(AlterClause::AlterColumnDefault {
            column,
            default: Some(self.settled_default()?),
        })
    }

    fn rename_clause(&mut self) -> Parse<AlterClause> {
        if self.accept("COLUMN") {
            self.mariadb_if_exists();
            let from = self.identifier()?;
            self.expect("TO")?;
            return Ok(AlterClause::RenameColumn {
                from,
                to: self.identifier()?,
            });
        }
        if self.accept_any(&["INDEX", "KEY"]).is_some() {
            self.mariadb_if_exists();
            let from = self.identifier()?;
            self.expect("TO")?;
            return Ok(AlterClause::RenameIndex {
                from,
                to: self.identifier()?,
            });
        }
        if self.accept_any(&["TO", "AS"]).is_none() {
            self.accept_symbol("=");
        }
        Ok(AlterClause::RenameTable(self.table_name()?))
    }

    fn column_position(&mut self) -> Parse<Option<ColumnPosition>> {
        if self.accept("FIRST") {
            return Ok(Some(ColumnPosition::First));
        }
        if self.accept("AFTER") {
            return Ok(Some(ColumnPosition::After(self.identifier()?)));
        }
        Ok(None)
    }
}
