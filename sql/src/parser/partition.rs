//! PARTITION BY, and the clauses of ALTER TABLE about partitions.

use crate::ast::{
    AlterClause, PartitionBy, PartitionClause, PartitionDefinition, PartitionMethod,
    PartitionOptions, PartitionValue, PartitionValues, SubpartitionBy,
};
use crate::cursor::{Cursor, Parse};
use crate::lexer::Kind;

impl Cursor<'_> {
    /// PARTITION BY if it is next.
    pub(super) fn partition_by(&mut self) -> Parse<Option<PartitionBy>> {
        if !self.accept_all(&["PARTITION", "BY"]) {
            return Ok(None);
        }
        let method = self.partition_method()?;
        let count = match self.accept("PARTITIONS") {
            true => Some(self.integer()?),
            false => None,
        };
        let subpartitions = match self.accept_all(&["SUBPARTITION", "BY"]) {
            true => Some(SubpartitionBy {
                method: self.partition_method()?,
                count: match self.accept("SUBPARTITIONS") {
                    true => Some(self.integer()?),
                    false => None,
                },
            }),
            false => None,
        };
        let definitions = match self.is_symbol("(") {
            true => self.parenthesised(Self::partition_definition)?,
            false => Vec::new(),
        };
        Ok(Some(PartitionBy {
            method,
            count,
            subpartitions,
            definitions,
        }))
    }

    fn partition_method(&mut self) -> Parse<PartitionMethod> {
        if self.accept("RANGE") {
            return Ok(match self.accept("COLUMNS") {
                true => PartitionMethod::RangeColumns(self.parenthesised(Self::identifier)?),
                false => PartitionMethod::Range(self.parenthesised_expression()?),
            });
        }
        if self.accept("LIST") {
            return Ok(match self.accept("COLUMNS") {
                true => PartitionMethod::ListColumns(self.parenthesised(Self::identifier)?),
                false => PartitionMethod::List(self.parenthesised_expression()?),
            });
        }
        let linear = self.accept("LINEAR");
        if self.accept("HASH") {
            let expression = self.parenthesised_expression()?;
            return Ok(PartitionMethod::Hash { linear, expression });
        }
        self.expect("KEY")?;
        let algorithm = match self.accept("ALGORITHM") {
            true => {
                self.accept_symbol("=");
                Some(self.integer()?)
            }
            false => None,
        };
        self.expect_symbol("(")?;
        let columns = match self.is_symbol(")") {
            true => Vec::new(),
            false => self.list(Self::identifier)?,
        };
        self.expect_symbol(")")?;
        Ok(PartitionMethod::Key {
            linear,
            algorithm,
            columns,
        })
    }

    fn partition_definition(&mut self) -> Parse<PartitionDefinition> {
        self.expect("PARTITION")?;
        let name = self.identifier()?;
        let values = match self.accept("VALUES") {
            true => Some(self.partition_values()?),
            false => None,
        };
        let options = self.partition_options()?;
        let subpartitions = match self.is_symbol("(") {
            true => self.parenthesised(|cursor| {
                cursor.expect("SUBPARTITION")?;
                let name = match cursor.peek() {
                    Kind::String(_) => cursor.string()?,
                    _ => cursor.identifier()?,
                };
                Ok((name, cursor.partition_options()?))
            })?,
            false => Vec::new(),
        };
        Ok(PartitionDefinition {
            name,
            values,
            options,
            subpartitions,
        })
    }

    fn partition_values(&mut self) -> Parse<PartitionValues> {
        if self.accept_all(&["LESS", "THAN"]) {
            return Ok(PartitionValues::LessThan(match self.accept("MAXVALUE") {
                true => vec![PartitionValue::Maximum],
                false => self.parenthesised(Self::partition_value)?,
            }));
        }
        self.expect("IN")?;
        let lists = self.parenthesised(|cursor| match cursor.opens_values() {
            true => cursor.parenthesised(Self::partition_value),
            false => Ok(vec![cursor.partition_value()?]),
        })?;
        Ok(PartitionValues::In(lists))
    }

    /// Whether a list of values is next, and not an expression that begins in parentheses.
    fn opens_values(&mut self) -> bool {
        if !self.is_symbol("(") {
            return false;
        }
        let start = self.at;
        let is_list = self.parenthesised(Self::partition_value).is_ok()
            && (self.is_symbol(",") || self.is_symbol(")"));
        self.at = start;
        is_list
    }

    fn partition_value(&mut self) -> Parse<PartitionValue> {
        match self.accept("MAXVALUE") {
            true => Ok(PartitionValue::Maximum),
            false => Ok(PartitionValue::Expression(self.expression()?)),
        }
    }

    fn partition_options(&mut self) -> Parse<PartitionOptions> {
        let mut options = PartitionOptions::default();
        loop {
            if self.accept("TABLESPACE") {
                self.accept_symbol("=");
                options.tablespace = Some(self.identifier()?);
            } else if self.are_words(&["STORAGE", "ENGINE"]) || self.is_word("ENGINE") {
                self.accept("STORAGE");
                self.expect("ENGINE")?;
                self.accept_symbol("=");
                match self.peek() {
                    Kind::String(_) => drop(self.string()?),
                    _ => drop(self.any_word()?),
                }
            } else if self.accept("NODEGROUP") {
                self.accept_symbol("=");
                options.nodegroup = Some(self.integer()?);
            } else if self.accept("MAX_ROWS") {
                self.accept_symbol("=");
                options.max_rows = Some(self.integer()?);
            } else if self.accept("MIN_ROWS") {
                self.accept_symbol("=");
                options.min_rows = Some(self.integer()?);
            } else if self.accept_all(&["DATA", "DIRECTORY"]) {
                self.accept_symbol("=");
                options.data_directory = Some(self.string()?);
            } else if self.accept_all(&["INDEX", "DIRECTORY"]) {
                self.accept_symbol("=");
                options.index_directory = Some(self.string()?);
            } else if self.accept("COMMENT") {
                self.accept_symbol("=");
                options.comment = Some(self.string()?);
            } else {
                return Ok(options);
            }
        }
    }

    /// A clause of ALTER TABLE about partitions, if one is next.
    pub(super) fn partition_clause(&mut self) -> Parse<Option<AlterClause>> {
        if let Some(by) = self.partition_by()? {
            return Ok(Some(partitioning(PartitionClause::By(Box::new(by)))));
        }
        if self.accept_all(&["REMOVE", "PARTITIONING"]) {
            return Ok(Some(partitioning(PartitionClause::Remove)));
        }
        if self.accept_all(&["TRUNCATE", "PARTITION"]) {
            let names = self.partition_names()?;
            return Ok(Some(partitioning(PartitionClause::Truncate(names))));
        }
        if self.accept_all(&["COALESCE", "PARTITION"]) {
            self.skip_local();
            let count = self.integer()?;
            return Ok(Some(partitioning(PartitionClause::Coalesce(count))));
        }
        if self.accept_all(&["REORGANIZE", "PARTITION"]) {
            return self.reorganize().map(Some);
        }
        if self.accept_all(&["EXCHANGE", "PARTITION"]) {
            let partition = self.identifier()?;
            self.expect("WITH")?;
            self.expect("TABLE")?;
            let table = self.table_name()?;
            if self.accept_any(&["WITH", "WITHOUT"]).is_some() {
                self.expect("VALIDATION")?;
            }
            let exchange = PartitionClause::Exchange { partition, table };
            return Ok(Some(partitioning(exchange)));
        }
        for word in ["REBUILD", "ANALYZE", "CHECK", "OPTIMIZE", "REPAIR"] {
            if self.accept_all(&[word, "PARTITION"]) {
                self.skip_local();
                self.partition_names()?;
                // QUICK, EXTENDED and their like.
                self.skip_rest();
                return Ok(Some(partitioning(PartitionClause::Maintain)));
            }
        }
        Ok(None)
    }

    fn reorganize(&mut self) -> Parse<AlterClause> {
        self.skip_local();
        let (mut names, mut into) = (Vec::new(), Vec::new());
        if !self.is_end() {
            names = self.list(Self::identifier)?;
            self.expect("INTO")?;
            into = self.parenthesised(Self::partition_definition)?;
        }
        Ok(partitioning(PartitionClause::Reorganize { names, into }))
    }

    /// Behind ADD PARTITION.
    pub(super) fn add_partition(&mut self) -> Parse<AlterClause> {
        self.skip_local();
        self.mariadb_if_not_exists();
        Ok(partitioning(match self.accept("PARTITIONS") {
            true => PartitionClause::AddCount(self.integer()?),
            false => PartitionClause::Add(self.parenthesised(Self::partition_definition)?),
        }))
    }

    /// Behind DROP PARTITION.
    pub(super) fn drop_partition(&mut self) -> Parse<AlterClause> {
        self.mariadb_if_exists();
        let names = self.list(Self::identifier)?;
        Ok(partitioning(PartitionClause::Drop(names)))
    }

    fn skip_local(&mut self) {
        self.accept_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    }

    fn partition_names(&mut self) -> Parse<Option<Vec<String>>> {
        match self.accept("ALL") {
            true => Ok(None),
            false => self.list(Self::identifier).map(Some),
        }
    }
}

const fn partitioning(clause: PartitionClause) -> AlterClause {
    AlterClause::Partitioning(clause)
}

#[cfg(test)]
mod tests {
    use crate::ast::{AlterClause, CreateTableSource, Ddl, PartitionClause, PartitionValues};
    use crate::{ParseOptions, Statement, parse};

    fn ddl(text: &str) -> Ddl {
        let parsed = parse(text.as_bytes(), &ParseOptions::default());
        match parsed
            .unwrap_or_else(|error| panic!("{text}: {error:?}"))
            .statement
        {
            Statement::Ddl(ddl) => ddl,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_value_in_parentheses_is_an_expression_where_one_column_is_compared() {
        let text = "create table t (a int) partition by list (a) (partition p values in ((1 + 2) * 3, (4), 5))";
        let Ddl::CreateTable(create) = ddl(text) else {
            panic!("{text}");
        };
        let CreateTableSource::Definition { options, .. } = create.source else {
            panic!("{text}");
        };
        let by = options.partition.unwrap();
        let values = by.definitions.first().and_then(|one| one.values.as_ref());
        match values {
            Some(PartitionValues::In(lists)) => {
                assert_eq!(lists.len(), 3);
                assert!(lists.iter().all(|values| values.len() == 1));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_said_of_partitions_follows_other_clauses_without_a_comma() {
        let text = "alter table t add column b int, comment 'c' partition by key algorithm=1 () partitions 2";
        let Ddl::AlterTable(alter) = ddl(text) else {
            panic!("{text}");
        };
        assert_eq!(alter.clauses.len(), 3);
        assert!(matches!(
            alter.clauses.last(),
            Some(AlterClause::Partitioning(PartitionClause::By(_)))
        ));
    }

    #[test]
    fn an_exchanged_table_is_one_that_the_statement_changes() {
        let exchange =
            ddl("alter table d.t exchange partition p with table e.u without validation");
        let changed = exchange.changed_tables();
        let names: Vec<&str> = changed.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["t", "u"]);
    }

    #[test]
    fn what_is_no_partition_is_a_syntax_error() {
        for text in [
            "create table t (a int) partition by range (a) (partition)",
            "create table t (a int) partition by hash",
            "create table t (a int) partition by list (a) (partition p values in ())",
            "alter table t reorganize partition p",
            "alter table t exchange partition p",
            "alter table t truncate partition",
        ] {
            let error = parse(text.as_bytes(), &ParseOptions::default()).unwrap_err();
            assert_eq!(error.code, 1064, "{text}: {error:?}");
        }
    }
}
