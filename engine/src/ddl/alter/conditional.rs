//! MariaDB's clauses of ALTER TABLE that do nothing where what they would add is there, or what they
//! are about is not.

use std::collections::HashSet;

use crate::catalog::Table;
use sql::ast::{AlterClause, AlterTable, PartitionClause};

/// The clauses that have something to do.
pub(super) fn remaining(table: &Table, alter: &AlterTable) -> Vec<AlterClause> {
    let mut added = HashSet::new();
    let clauses = alter.clauses.iter().enumerate();
    let kept = clauses.filter(|(at, clause)| {
        let is_conditional = alter.conditional.contains(at);
        let is_first = match clause {
            AlterClause::AddColumn { column, .. } => added.insert(column.name.to_lowercase()),
            _ => true,
        };
        !is_conditional || (is_first && applies(table, clause))
    });
    kept.map(|(_, clause)| clause.clone()).collect()
}

fn has_partition(table: &Table, name: &str) -> bool {
    let partitioning = table.partitioning.as_ref();
    partitioning.is_some_and(|known| known.position(name).is_some())
}

/// Whether a clause finds the table as it wants it.
fn applies(table: &Table, clause: &AlterClause) -> bool {
    let has_column = |name: &str| table.column(name).is_some();
    let has_key = |name: &str| table.key(name).is_some();
    let same = |name: &str, other: &str| name.to_lowercase() == other.to_lowercase();
    let has_foreign_key = |name: &str| {
        let mut keys = table.foreign_keys.iter();
        keys.any(|key| same(&key.name, name))
    };
    let has_check = |name: &str| table.checks.iter().any(|check| same(&check.name, name));
    match clause {
        AlterClause::AddColumn { column, .. } => !has_column(&column.name),
        AlterClause::AddIndex(index) => !index.name.as_deref().is_some_and(has_key),
        AlterClause::DropColumn(name) => has_column(name),
        AlterClause::DropIndex(name) => has_key(name),
        AlterClause::DropConstraint(name) => {
            has_key(name) || has_foreign_key(name) || has_check(name)
        }
        AlterClause::DropForeignKey(name) => has_foreign_key(name),
        AlterClause::DropCheck(name) => has_check(name),
        AlterClause::AddForeignKey(key) => !key.name.as_deref().is_some_and(has_foreign_key),
        AlterClause::AddCheck(check) => !check.name.as_deref().is_some_and(has_check),
        AlterClause::Modify { column, .. } => has_column(&column.name),
        AlterClause::Change { old_name, .. } => has_column(old_name),
        AlterClause::RenameColumn { from, .. } => has_column(from),
        AlterClause::AlterColumnDefault { column, .. }
        | AlterClause::AlterColumnVisibility { column, .. } => has_column(column),
        AlterClause::RenameIndex { from, .. } => has_key(from),
        AlterClause::AlterIndexVisibility { index, .. } => has_key(index),
        // Some of several: an error, for nothing is done by halves.
        AlterClause::Partitioning(PartitionClause::Add(added)) => {
            let mut names = added.iter().map(|one| one.name.as_str());
            !names.all(|name| has_partition(table, name))
        }
        AlterClause::Partitioning(PartitionClause::Drop(names)) => {
            names.iter().any(|name| has_partition(table, name))
        }
        AlterClause::Partitioning(_)
        | AlterClause::DropPrimaryKey
        | AlterClause::AlterCheck { .. }
        | AlterClause::RenameTable(_)
        | AlterClause::Options(_)
        | AlterClause::ConvertToCharset(_)
        | AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Force
        | AlterClause::OrderBy(_)
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_)
        | AlterClause::NotSupported(_) => true,
    }
}
