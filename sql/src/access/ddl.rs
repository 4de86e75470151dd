//! What statements that change the schema touch.

use super::{Right, Walk, Walked};
use crate::ast::{
    AlterClause, AlterTable, Check, ColumnDefinition, CreateTable, CreateTableSource, Ddl,
    DefaultValue, ForeignKey, IndexDefinition, KeyPartTarget, PartitionClause, TableElement,
    TableName,
};

impl Walk {
    pub(super) fn ddl(&mut self, ddl: &Ddl) -> Walked {
        match ddl {
            // Databases as a whole: no table is named.
            Ddl::CreateDatabase { .. } | Ddl::AlterDatabase { .. } | Ddl::DropDatabase { .. } => {
                Ok(())
            }
            Ddl::CreateTable(create) => self.create_table(create),
            Ddl::AlterTable(alter) => self.alter_table(alter),
            Ddl::DropTable { tables, .. } | Ddl::DropView { views: tables, .. } => {
                tables
                    .iter()
                    .for_each(|table| self.note(table, Right::Drop));
                Ok(())
            }
            Ddl::TruncateTable(table) => {
                self.note(table, Right::Drop);
                Ok(())
            }
            Ddl::CreateIndex(create) => {
                self.note(&create.table, Right::Index);
                self.index(&create.index)
            }
            Ddl::DropIndex { table, .. } => {
                self.note(table, Right::Index);
                Ok(())
            }
            Ddl::RenameTable(pairs) => {
                for (from, to) in pairs {
                    self.note(from, Right::Alter);
                    self.note(from, Right::Drop);
                    self.note(to, Right::Create);
                    self.note(to, Right::Insert);
                }
                Ok(())
            }
        }
    }

    fn create_table(&mut self, create: &CreateTable) -> Walked {
        self.note(&create.name, Right::Create);
        match &create.source {
            CreateTableSource::Like(source) => {
                self.note(source, Right::Select);
                Ok(())
            }
            CreateTableSource::Definition {
                elements,
                options: _,
                select,
            } => {
                for element in elements {
                    self.element(element, &create.name)?;
                }
                match select {
                    Some(query) => {
                        self.note(&create.name, Right::Insert);
                        self.query(query)
                    }
                    None => Ok(()),
                }
            }
        }
    }

    fn element(&mut self, element: &TableElement, table: &TableName) -> Walked {
        match element {
            TableElement::Column(column) => self.column(column, table),
            TableElement::Index(index) => self.index(index),
            TableElement::ForeignKey(key) => {
                self.foreign_key(key, table);
                Ok(())
            }
            TableElement::Check(check) => self.check(check),
        }
    }

    fn column(&mut self, column: &ColumnDefinition, table: &TableName) -> Walked {
        let attributes = &column.attributes;
        if let Some(default) = &attributes.default {
            self.default_value(default)?;
        }
        if let Some(generated) = &attributes.generated {
            self.expr(&generated.expression.expr)?;
        }
        if let Some(key) = &attributes.references {
            self.foreign_key(key, table);
        }
        attributes
            .checks
            .iter()
            .try_for_each(|check| self.check(check))
    }

    fn default_value(&mut self, default: &DefaultValue) -> Walked {
        match default {
            DefaultValue::Expression(expression) => self.expr(&expression.expr),
            DefaultValue::Null
            | DefaultValue::Number(_)
            | DefaultValue::String(_)
            | DefaultValue::Hex(_)
            | DefaultValue::Bit(_)
            | DefaultValue::Bool(_)
            | DefaultValue::Temporal(..)
            | DefaultValue::CurrentTimestamp(_)
            | DefaultValue::OfSequence => Ok(()),
        }
    }

    fn index(&mut self, index: &IndexDefinition) -> Walked {
        for part in &index.parts {
            match &part.target {
                KeyPartTarget::Column { .. } => {}
                KeyPartTarget::Expression(expression)
                | KeyPartTarget::Array { of: expression, .. } => self.expr(&expression.expr)?,
            }
        }
        Ok(())
    }

    fn check(&mut self, check: &Check) -> Walked {
        self.expr(&check.expression.expr)
    }

    /// The parent is looked for in the child's database.
    fn foreign_key(&mut self, key: &ForeignKey, child: &TableName) {
        let parent = TableName {
            database: key
                .parent
                .database
                .clone()
                .or_else(|| child.database.clone()),
            name: key.parent.name.clone(),
        };
        self.note(&parent, Right::References);
    }

    /// As MySQL asks: the rows of the other table leave it, and others come.
    fn partitioning(&mut self, clause: &PartitionClause) -> Walked {
        match clause {
            PartitionClause::Exchange { table, .. } => {
                self.note(table, Right::Alter);
                self.note(table, Right::Drop);
                self.note(table, Right::Create);
                self.note(table, Right::Insert);
                Ok(())
            }
            PartitionClause::By(_)
            | PartitionClause::Remove
            | PartitionClause::Add(_)
            | PartitionClause::AddCount(_)
            | PartitionClause::Drop(_)
            | PartitionClause::Truncate(_)
            | PartitionClause::Coalesce(_)
            | PartitionClause::Reorganize { .. }
            | PartitionClause::Maintain => Ok(()),
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) -> Walked {
        self.note(&alter.table, Right::Alter);
        for clause in &alter.clauses {
            match clause {
                AlterClause::AddColumn { column, .. }
                | AlterClause::Modify { column, .. }
                | AlterClause::Change { column, .. } => self.column(column, &alter.table)?,
                AlterClause::AddIndex(index) => self.index(index)?,
                AlterClause::AddForeignKey(key) => self.foreign_key(key, &alter.table),
                AlterClause::AddCheck(check) => self.check(check)?,
                AlterClause::AlterColumnDefault {
                    default: Some(default),
                    ..
                } => self.default_value(default)?,
                AlterClause::RenameTable(name) => {
                    self.note(&alter.table, Right::Drop);
                    self.note(name, Right::Create);
                    self.note(name, Right::Insert);
                }
                AlterClause::AlterColumnDefault { default: None, .. }
                | AlterClause::DropColumn(_)
                | AlterClause::DropIndex(_)
                | AlterClause::DropPrimaryKey
                | AlterClause::DropForeignKey(_)
                | AlterClause::DropCheck(_)
                | AlterClause::DropConstraint(_)
                | AlterClause::AlterColumnVisibility { .. }
                | AlterClause::AlterIndexVisibility { .. }
                | AlterClause::AlterCheck { .. }
                | AlterClause::RenameColumn { .. }
                | AlterClause::RenameIndex { .. }
                | AlterClause::Options(_)
                | AlterClause::ConvertToCharset(_)
                | AlterClause::DisableKeys
                | AlterClause::EnableKeys
                | AlterClause::Force
                | AlterClause::OrderBy(_)
                | AlterClause::Algorithm(_)
                | AlterClause::Lock(_)
                | AlterClause::NotSupported(_) => {}
                AlterClause::Partitioning(clause) => self.partitioning(clause)?,
            }
        }
        Ok(())
    }
}
