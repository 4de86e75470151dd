//! The columns of an altered table: which stay, change, go and come.
//!
//! Clauses mean the columns as they were, each column at most once. Columns that stay keep their order;
//! those that are new or told where to go follow in the order of their clauses, behind columns by the
//! names that these have afterwards.

use std::collections::{HashMap, HashSet};

use crate::catalog::{Column, ColumnDefault, ColumnId, ColumnType, Generated, Table};
use crate::ddl::columns::{DefinedColumn, check_name, define, draft, settle};
use crate::ddl::create::COLUMNS_MAX;
use crate::ddl::{defaults, expression};
use crate::session::SessionContext;
use sql::ast::{AlterClause, ColumnDefinition, ColumnPosition, DefaultValue};
use sql::error::SqlError;
use sqlparser::ast::{Expr, Value};

/// A column that a clause defines anew, and what the definition says of keys.
pub(super) struct Defined {
    pub(super) id: ColumnId,
    pub(super) name: String,
    pub(super) is_primary: bool,
    pub(super) is_unique: bool,
    pub(super) is_explicitly_null: bool,
}

/// Gives the table its new columns. Returns what clauses defined, in their order. Errors 1054, 1060,
/// 1090 and 1091.
pub(super) fn apply(
    session: &SessionContext,
    table: &mut Table,
    clauses: &[AlterClause],
) -> Result<Vec<Defined>, SqlError> {
    let (subjects, missing) = subjects(table, clauses)?;
    let mut list = List {
        label: table.name.clone(),
        columns: Vec::new(),
        defined: Vec::new(),
    };
    let mut moved: Vec<(usize, ColumnId)> = Vec::new();
    let before = table.clone();
    for old in std::mem::take(&mut table.columns) {
        let subject = subjects.iter().find(|(id, _)| *id == old.id);
        let Some((at, clause)) = subject.and_then(|(_, at)| Some((*at, clauses.get(*at)?))) else {
            list.columns.push(old);
            continue;
        };
        match definition(clause) {
            None => list.columns.extend(altered(session, &before, old, clause)?),
            Some((column, None)) => {
                let new = redefine(session, &before, &old, column)?;
                list.add(at, new, None)?;
            }
            Some((column, Some(_))) => {
                // It stands where it stood until its clause has its turn: others may stand behind it.
                let new = redefine(session, &before, &old, column)?;
                moved.push((at, new.column.id));
                list.add(at, new, None)?;
            }
        }
    }
    for (at, clause) in clauses.iter().enumerate() {
        let Some((column, position)) = definition(clause) else {
            continue;
        };
        session.interrupt.check()?;
        if let Some((_, id)) = moved.iter().find(|(clause, _)| *clause == at) {
            list.reposition(*id, position)?;
        } else if let AlterClause::AddColumn { .. } = clause {
            let new = added(session, table, column)?;
            list.add(at, new, position)?;
        }
    }
    if let Some(name) = missing {
        return Err(SqlError::cant_drop_field_or_key(name));
    }
    if list.columns.is_empty() {
        return Err(SqlError::cant_remove_all_fields());
    }
    let (columns, defined) = list.finish()?;
    table.columns = columns;
    Ok(defined)
}

/// The column that a clause defines, and where it is to stand.
fn definition(clause: &AlterClause) -> Option<(&ColumnDefinition, Option<&ColumnPosition>)> {
    match clause {
        AlterClause::AddColumn { column, position }
        | AlterClause::Modify { column, position }
        | AlterClause::Change {
            column, position, ..
        } => Some((column, position.as_ref())),
        AlterClause::AddIndex(_)
        | AlterClause::AddForeignKey(_)
        | AlterClause::AddCheck(_)
        | AlterClause::DropColumn(_)
        | AlterClause::DropIndex(_)
        | AlterClause::DropPrimaryKey
        | AlterClause::DropForeignKey(_)
        | AlterClause::DropCheck(_)
        | AlterClause::DropConstraint(_)
        | AlterClause::AlterColumnDefault { .. }
        | AlterClause::AlterColumnVisibility { .. }
        | AlterClause::AlterIndexVisibility { .. }
        | AlterClause::AlterCheck { .. }
        | AlterClause::RenameColumn { .. }
        | AlterClause::RenameIndex { .. }
        | AlterClause::RenameTable(_)
        | AlterClause::Options(_)
        | AlterClause::ConvertToCharset(_)
        | AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Force
        | AlterClause::OrderBy(_)
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_)
        | AlterClause::Partitioning(_)
        | AlterClause::NotSupported(_) => None,
    }
}

/// Columns in the making.
struct List {
    label: String,
    columns: Vec<Column>,
    defined: Vec<(usize, Defined)>,
}

impl List {
    fn add(
        &mut self,
        clause: usize,
        new: DefinedColumn,
        position: Option<&ColumnPosition>,
    ) -> Result<(), SqlError> {
        if self.columns.len() >= COLUMNS_MAX {
            return Err(SqlError::too_many_fields());
        }
        let at = self.place(position)?;
        let defined = Defined {
            id: new.column.id,
            name: new.column.name.clone(),
            is_primary: new.is_primary,
            is_unique: new.is_unique,
            is_explicitly_null: new.is_explicitly_null,
        };
        self.defined.push((clause, defined));
        self.columns.insert(at, new.column);
        Ok(())
    }

    /// Takes a column out and puts it where it is to stand.
    fn reposition(
        &mut self,
        id: ColumnId,
        position: Option<&ColumnPosition>,
    ) -> Result<(), SqlError> {
        let mut columns = self.columns.iter();
        if let Some(from) = columns.position(|column| column.id == id) {
            let column = self.columns.remove(from);
            let at = self.place(position)?;
            self.columns.insert(at, column);
        }
        Ok(())
    }

    /// Error 1054 for a place behind a column that is not there.
    fn place(&self, position: Option<&ColumnPosition>) -> Result<usize, SqlError> {
        Ok(match position {
            None => self.columns.len(),
            Some(ColumnPosition::First) => 0,
            Some(ColumnPosition::After(name)) => {
                let mut columns = self.columns.iter();
                let found = columns.position(|column| column.is_named(name));
                found.ok_or_else(|| SqlError::bad_field(name, &self.label))? + 1
            }
        })
    }

    /// Error 1060 for a name that two columns have.
    fn finish(mut self) -> Result<(Vec<Column>, Vec<Defined>), SqlError> {
        let mut names = HashSet::new();
        for column in &self.columns {
            if !names.insert(column.name.to_lowercase()) {
                return Err(SqlError::dup_fieldname(&column.name));
            }
        }
        self.defined.sort_by_key(|(clause, _)| *clause);
        let defined = self.defined.into_iter().map(|(_, defined)| defined);
        Ok((self.columns, defined.collect()))
    }
}

/// An old column, and the place of the clause that is about it.
type Subject = (ColumnId, usize);

/// The old columns that clauses are about; and a column to drop that is
/// not there. Dropped columns count first: no other clause finds them. Error 1054.
fn subjects(
    table: &Table,
    clauses: &[AlterClause],
) -> Result<(Vec<Subject>, Option<String>), SqlError> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut missing = None;
    let columns = table.columns.iter();
    let known: HashMap<String, ColumnId> = columns
        .map(|column| (column.name.to_lowercase(), column.id))
        .collect();
    let named = clauses.iter().enumerate();
    let (dropped, changed): (Vec<_>, Vec<_>) = named
        .filter_map(|(at, clause)| Some((at, clause, subject(clause)?)))
        .partition(|(_, clause, _)| matches!(clause, AlterClause::DropColumn(_)));
    for (at, clause, name) in dropped.into_iter().chain(changed) {
        let id = known.get(&name.to_lowercase()).copied();
        match id.filter(|id| seen.insert(*id)) {
            Some(id) => found.push((id, at)),
            None if matches!(clause, AlterClause::DropColumn(_)) => {
                missing = missing.or_else(|| Some(name.to_owned()));
            }
            None => return Err(SqlError::bad_field(name, &table.name)),
        }
    }
    Ok((found, missing))
}

/// The column that a clause is about.
fn subject(clause: &AlterClause) -> Option<&str> {
    match clause {
        AlterClause::DropColumn(name) => Some(name),
        AlterClause::Modify { column, .. } => Some(&column.name),
        AlterClause::Change { old_name, .. } => Some(old_name),
        AlterClause::RenameColumn { from, .. } => Some(from),
        AlterClause::AlterColumnDefault { column, .. }
        | AlterClause::AlterColumnVisibility { column, .. } => Some(column),
        AlterClause::AddColumn { .. }
        | AlterClause::AddIndex(_)
        | AlterClause::AddForeignKey(_)
        | AlterClause::AddCheck(_)
        | AlterClause::DropIndex(_)
        | AlterClause::DropPrimaryKey
        | AlterClause::DropForeignKey(_)
        | AlterClause::DropCheck(_)
        | AlterClause::DropConstraint(_)
        | AlterClause::AlterIndexVisibility { .. }
        | AlterClause::AlterCheck { .. }
        | AlterClause::RenameIndex { .. }
        | AlterClause::RenameTable(_)
        | AlterClause::Options(_)
        | AlterClause::ConvertToCharset(_)
        | AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Force
        | AlterClause::OrderBy(_)
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_)
        | AlterClause::Partitioning(_)
        | AlterClause::NotSupported(_) => None,
    }
}

/// The column after a clause that leaves its definition; `None` when it is dropped.
fn altered(
    session: &SessionContext,
    table: &Table,
    mut column: Column,
    clause: &AlterClause,
) -> Result<Option<Column>, SqlError> {
    match clause {
        AlterClause::DropColumn(_) => return Ok(None),
        AlterClause::RenameColumn { to, .. } => {
            if let Err(error) = check_name(to) {
                check_renamed(session, table, column.id, to)?;
                // Here MySQL has one word for all names that are none.
                return Err(match error.code {
                    1059 => SqlError::wrong_column_name(to),
                    _ => error,
                });
            }
            column.name.clone_from(to);
        }
        AlterClause::AlterColumnVisibility { invisible, .. } => column.invisible = *invisible,
        AlterClause::AlterColumnDefault { default, .. } => {
            set_default(session, &mut column, default.as_ref())?;
        }
        AlterClause::AddColumn { .. }
        | AlterClause::Modify { .. }
        | AlterClause::Change { .. }
        | AlterClause::AddIndex(_)
        | AlterClause::AddForeignKey(_)
        | AlterClause::AddCheck(_)
        | AlterClause::DropIndex(_)
        | AlterClause::DropPrimaryKey
        | AlterClause::DropForeignKey(_)
        | AlterClause::DropCheck(_)
        | AlterClause::DropConstraint(_)
        | AlterClause::AlterIndexVisibility { .. }
        | AlterClause::AlterCheck { .. }
        | AlterClause::RenameIndex { .. }
        | AlterClause::RenameTable(_)
        | AlterClause::Options(_)
        | AlterClause::ConvertToCharset(_)
        | AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Force
        | AlterClause::OrderBy(_)
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_)
        | AlterClause::Partitioning(_)
        | AlterClause::NotSupported(_) => {
            return Err(SqlError::not_supported("this clause of ALTER TABLE"));
        }
    }
    Ok(Some(column))
}

/// ALTER COLUMN ... SET DEFAULT, or DROP DEFAULT without one.
fn set_default(
    session: &SessionContext,
    column: &mut Column,
    default: Option<&DefaultValue>,
) -> Result<(), SqlError> {
    if default.is_some() && column.auto_increment {
        let construct = "a default of an AUTO_INCREMENT column";
        return Err(SqlError::not_supported(construct));
    }
    let literal = match default {
        Some(DefaultValue::Expression(expression)) => constant(&expression.expr)?,
        Some(_) | None => None,
    };
    let default = literal.as_ref().or(default);
    let is_literal = match default {
        None | Some(DefaultValue::Expression(_) | DefaultValue::OfSequence) => false,
        Some(
            DefaultValue::Null
            | DefaultValue::Number(_)
            | DefaultValue::String(_)
            | DefaultValue::Hex(_)
            | DefaultValue::Bit(_)
            | DefaultValue::Bool(_)
            | DefaultValue::Temporal(..)
            | DefaultValue::CurrentTimestamp(_),
        ) => true,
    };
    if is_literal && column.column_type.is_blob_like() && !session.applies_log {
        return Err(SqlError::blob_cant_have_default(&column.name));
    }
    column.default = match default {
        Some(default) => defaults::define(session, column, Some(default))?,
        None => ColumnDefault::None,
    };
    Ok(())
}

/// The literal in an expression that is nothing else: ALTER COLUMN takes it for the literal. Error
/// 1235 for one whose bytes may not be the session's.
fn constant(expr: &Expr) -> Result<Option<DefaultValue>, SqlError> {
    let text = |text: &String| DefaultValue::String(text.clone().into_bytes());
    let value = match expr {
        Expr::Nested(inner) => return constant(inner),
        Expr::Value(value) => &value.value,
        Expr::Prefixed { value, .. } => match value.as_ref() {
            Expr::Value(value) => &value.value,
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(match value {
        Value::Number(number, _) => DefaultValue::Number(number.clone()),
        Value::SingleQuotedString(written)
        | Value::DoubleQuotedString(written)
        | Value::NationalStringLiteral(written)
            if written.is_ascii() =>
        {
            text(written)
        }
        Value::HexStringLiteral(digits) => DefaultValue::Hex(sql::bytes_of_hex(digits)),
        Value::SingleQuotedByteStringLiteral(digits) => DefaultValue::Bit(digits.clone()),
        Value::Boolean(value) => DefaultValue::Bool(*value),
        Value::Null => DefaultValue::Null,
        _ => {
            return Err(SqlError::not_supported(
                "SET DEFAULT with this literal in parentheses",
            ));
        }
    }))
}

fn added(
    session: &SessionContext,
    table: &mut Table,
    written: &ColumnDefinition,
) -> Result<DefinedColumn, SqlError> {
    let id = ColumnId(table.next_column_id);
    let defined = define(session, id, written, table.collation, false)?;
    if defined.unsafe_default && !session.applies_log {
        return Err(SqlError::binlog_unsafe_system_function());
    }
    table.next_column_id += 1;
    Ok(defined)
}

fn redefine(
    session: &SessionContext,
    table: &Table,
    old: &Column,
    written: &ColumnDefinition,
) -> Result<DefinedColumn, SqlError> {
    let drafted = draft(session, old.id, written, table.collation, false)?;
    check_shown(old, &drafted.column)?;
    let is_virtual = |generated: Option<&Generated>| generated.is_some_and(|g| !g.stored);
    let (before, now) = (&old.generated, &drafted.column.generated);
    // A column can become or cease to be generated only if its values are stored.
    if is_virtual(before.as_ref()) != is_virtual(now.as_ref()) {
        return Err(SqlError::unsupported_action_on_generated_column(
            "Changing the STORED status",
        ));
    }
    let settled = settle(session, written, drafted);
    if settled.is_err() {
        check_renamed(session, table, old.id, &written.name)?;
    }
    settled
}

/// Error 1235 for a change between a type that is kept as its text and one that is not: MariaDB changes
/// the bytes. To other text it changes the text.
fn check_shown(old: &Column, new: &Column) -> Result<(), SqlError> {
    let is_text = matches!(
        new.column_type,
        ColumnType::Char { .. } | ColumnType::Varchar { .. } | ColumnType::Text { .. }
    );
    match (old.shown, new.shown) {
        (None, None) => Ok(()),
        (before, now) if before == now => Ok(()),
        (Some(_), None) if is_text => Ok(()),
        (Some(form), _) | (None, Some(form)) => Err(SqlError::not_supported(format!(
            "a change of a column's type from or to {}",
            form.name().to_uppercase()
        ))),
    }
}

/// Error 3108 or 3766 for a column that expressions mean and that gets another name.
fn check_renamed(
    session: &SessionContext,
    table: &Table,
    id: ColumnId,
    name: &str,
) -> Result<(), SqlError> {
    let mut renamed = table.clone();
    let mut columns = renamed.columns.iter_mut();
    match columns.find(|column| column.id == id) {
        Some(column) if !column.is_named(name) => column.name.clear(),
        Some(_) | None => return Ok(()),
    }
    expression::check_dependents(session, table, &renamed)
}
