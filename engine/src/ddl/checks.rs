//! CHECK: names, conditions, and what becomes of them when columns change.
//!
//! Only statements from a log get here: the source has checked every row.

use super::expression::{self, Purpose};
use crate::catalog::{Check, ColumnId, Table, quoted};
use crate::session::SessionContext;
use sql::ast::{AlterClause, Check as Written, ColumnDefinition};
use sql::error::SqlError;

/// What stands between a table's name and the number of a check without a name.
const GENERATED: &str = "_chk_";

/// Adds the checks of a column. MariaDB has them beside the others, under the column's name, and a new
/// definition of the column replaces them.
pub(super) fn add_of_column(
    session: &SessionContext,
    table: &mut Table,
    column: &ColumnDefinition,
) -> Result<(), SqlError> {
    let is_mariadb = session.accepted_by.is_some_and(|by| by.is_mariadb);
    let id = table.column(&column.name).map(|(_, column)| column.id);
    if is_mariadb {
        table
            .checks
            .retain(|check| check.column.is_none() || check.column != id);
    }
    for written in &column.attributes.checks {
        match id.filter(|_| is_mariadb) {
            Some(id) => add_named(session, table, written, column.name.clone(), Some(id))?,
            None => add(session, table, written)?,
        }
    }
    Ok(())
}

/// Adds a check.
pub(super) fn add(
    session: &SessionContext,
    table: &mut Table,
    written: &Written,
) -> Result<(), SqlError> {
    let name = match &written.name {
        Some(name) => name.clone(),
        None if session.accepted_by.is_some_and(|by| by.is_mariadb) => {
            let name = |number: u32| format!("CONSTRAINT_{number}");
            let is_free = |name: &String| position(table, name).is_none();
            (1..=u32::MAX).map(name).find(is_free).unwrap_or_default()
        }
        None => format!("{}{GENERATED}{}", table.name, next_number(table)),
    };
    add_named(session, table, written, name, None)
}

fn next_number(table: &Table) -> u32 {
    let prefix = format!("{}{GENERATED}", table.name);
    let numbers = table.checks.iter().filter_map(|check| {
        let digits = check.name.strip_prefix(&prefix)?;
        digits.parse::<u32>().ok()
    });
    numbers.max().unwrap_or(0).saturating_add(1)
}

fn add_named(
    session: &SessionContext,
    table: &mut Table,
    written: &Written,
    name: String,
    column: Option<ColumnId>,
) -> Result<(), SqlError> {
    let by = session.accepted_by;
    if !by.is_some_and(crate::session::Acceptor::keeps_checks) {
        return Ok(());
    }
    table.checks.push(Check {
        name,
        condition: condition(session, &written.expression),
        enforced: written.enforced,
        column,
    });
    sort(table);
    Ok(())
}

fn sort(table: &mut Table) {
    table.checks.sort_by_key(|check| check.name.to_lowercase());
}

/// MySQL's text of a condition; as it was written where it has what is not known here.
pub(super) fn condition(session: &SessionContext, written: &sql::ast::Expression) -> String {
    let printed = expression::written(session, "", Purpose::Default, written);
    printed.map_or_else(|_| format!("({})", written.text.trim()), |kept| kept.text)
}

/// Where a check of this name is.
pub(super) fn position(table: &Table, name: &str) -> Option<usize> {
    let mut known = table.checks.iter();
    known.position(|check| check.name.to_lowercase() == name.to_lowercase())
}

/// Drops a check. Error 3821 if there is none of this name.
pub(super) fn drop(table: &mut Table, name: &str) -> Result<(), SqlError> {
    let at = position(table, name);
    let at = at.ok_or_else(|| SqlError::check_constraint_not_found(name))?;
    table.checks.remove(at);
    Ok(())
}

/// ALTER CHECK ... \[NOT\] ENFORCED. Error 3821.
pub(super) fn enforce(table: &mut Table, name: &str, enforced: bool) -> Result<(), SqlError> {
    let at = position(table, name);
    let check = at.and_then(|at| table.checks.get_mut(at));
    let check = check.ok_or_else(|| SqlError::check_constraint_not_found(name))?;
    check.enforced = enforced;
    Ok(())
}

/// Adds the checks of ALTER TABLE, clause by clause.
pub(super) fn add_of_clauses(
    session: &SessionContext,
    table: &mut Table,
    clauses: &[AlterClause],
) -> Result<(), SqlError> {
    for clause in clauses {
        match clause {
            AlterClause::AddCheck(written) => add(session, table, written)?,
            AlterClause::AddColumn { column, .. }
            | AlterClause::Modify { column, .. }
            | AlterClause::Change { column, .. } => add_of_column(session, table, column)?,
            _ => {}
        }
    }
    Ok(())
}

/// Lets checks follow columns that have new names, and takes out those of columns that are gone.
pub(super) fn follow_columns(
    session: &SessionContext,
    old: &Table,
    table: &mut Table,
) -> Result<(), SqlError> {
    let mut kept = Vec::with_capacity(table.checks.len());
    for mut check in std::mem::take(&mut table.checks) {
        let names = expression::column_names(session, &check.condition).unwrap_or_default();
        let mut is_whole = true;
        for name in names {
            let Some((_, before)) = old.column(&name) else {
                continue;
            };
            match table.column_by_id(before.id) {
                Some((_, after)) if after.name != before.name => {
                    check.condition = renamed(&check.condition, &before.name, &after.name);
                }
                Some(_) => {}
                None => is_whole = table.column(&name).is_some(),
            }
        }
        if is_whole {
            kept.push(check);
        }
    }
    table.checks = kept;
    Ok(())
}

/// An expression in which a column has another name. Strings are left alone.
pub(super) fn renamed(text: &str, from: &str, to: &str) -> String {
    let (from, to) = (quoted(from), quoted(to));
    let mut out = String::with_capacity(text.len());
    // A quote inside of a string is doubled or escaped: an odd part is one of a string, or of none.
    let mut is_string = false;
    let mut rest = text;
    while let Some(at) = rest.find('\'') {
        let (part, behind) = rest.split_at(at);
        let escapes = part.bytes().rev().take_while(|byte| *byte == b'\\').count();
        match is_string {
            true => out.push_str(part),
            false => out.push_str(&part.replace(&from, &to)),
        }
        out.push('\'');
        is_string ^= !(is_string && escapes % 2 == 1);
        rest = behind.get(1..).unwrap_or_default();
    }
    match is_string {
        true => out.push_str(rest),
        false => out.push_str(&rest.replace(&from, &to)),
    }
    out
}

/// Gives names that were made of the table's the new one.
pub(super) fn rename_generated(table: &mut Table, old: &str) {
    let prefix = format!("{old}{GENERATED}");
    let name = table.name.clone();
    for check in &mut table.checks {
        let rest = check.name.strip_prefix(&prefix);
        if let Some(digits) = rest.filter(|rest| rest.parse::<u32>().is_ok()) {
            check.name = format!("{name}{GENERATED}{digits}");
        }
    }
    sort(table);
}

/// The checks of a copy of the definition, which MySQL numbers anew.
pub(super) fn number_anew(session: &SessionContext, table: &mut Table) {
    if session.accepted_by.is_some_and(|by| by.is_mariadb) {
        return;
    }
    for (check, number) in table.checks.iter_mut().zip(1_u32..) {
        check.name = format!("{}{GENERATED}{number}", table.name);
    }
    sort(table);
}
