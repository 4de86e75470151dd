//! ALGORITHM= and LOCK=: what MySQL could not do so is refused as MySQL refuses it.
//!
//! Every change here takes the table for itself; the clauses only decide whether the statement is
//! accepted, which must be MySQL's decision since it is logged as it was written.

use crate::catalog::{BlobSize, Column, ColumnDefault, ColumnType, Generated, Key, Table};
use sql::ast::AlterClause;
use sql::error::SqlError;

/// The two clauses of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct How {
    algorithm: Algorithm,
    lock: Lock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Algorithm {
    #[default]
    Any,
    Instant,
    Inplace,
    Copy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Lock {
    #[default]
    Any,
    None,
    Shared,
    Exclusive,
}

/// The least that a change needs of MySQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// A new name and nothing else.
    Rename,
    /// Only the definition changes.
    Instant,
    /// Indexes or rows are written, while others write on.
    Inplace,
    /// A virtual column comes with an index of it.
    InplaceForVirtual,
    /// As before, but nobody writes meanwhile.
    InplaceLocked,
    /// A copy, for values change their type.
    CopyForType,
    /// A copy, for rows lose the key by which they lie.
    CopyForPrimary,
    /// A copy, for values are computed.
    CopyForGenerated,
    /// A copy, for keys are switched off or on beside another change.
    CopyForKeys,
}

const NO_PRIMARY: &str =
    "Dropping a primary key is not allowed without also adding a new primary key";

impl How {
    /// What the clauses say. Errors 1221, 1800 and 1801.
    pub(super) fn of(clauses: &[AlterClause]) -> Result<How, SqlError> {
        let mut how = How::default();
        for clause in clauses {
            match clause {
                AlterClause::Algorithm(name) => {
                    how.algorithm = match name.to_ascii_uppercase().as_str() {
                        "DEFAULT" => Algorithm::Any,
                        "INSTANT" => Algorithm::Instant,
                        "INPLACE" => Algorithm::Inplace,
                        "COPY" => Algorithm::Copy,
                        _ => return Err(SqlError::unknown_alter_algorithm(name)),
                    };
                }
                AlterClause::Lock(name) => {
                    how.lock = match name.to_ascii_uppercase().as_str() {
                        "DEFAULT" => Lock::Any,
                        "NONE" => Lock::None,
                        "SHARED" => Lock::Shared,
                        "EXCLUSIVE" => Lock::Exclusive,
                        _ => return Err(SqlError::unknown_alter_lock(name)),
                    };
                }
                AlterClause::AddColumn { .. }
                | AlterClause::AddIndex(_)
                | AlterClause::AddForeignKey(_)
                | AlterClause::AddCheck(_)
                | AlterClause::DropColumn(_)
                | AlterClause::DropIndex(_)
                | AlterClause::DropPrimaryKey
                | AlterClause::DropForeignKey(_)
                | AlterClause::DropCheck(_)
                | AlterClause::DropConstraint(_)
                | AlterClause::Modify { .. }
                | AlterClause::Change { .. }
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
                | AlterClause::Partitioning(_)
                | AlterClause::NotSupported(_) => {}
            }
        }
        if how.algorithm == Algorithm::Instant && how.lock != Lock::Any {
            return Err(SqlError::wrong_usage(
                "ALGORITHM=INSTANT",
                "LOCK=NONE/SHARED/EXCLUSIVE",
            ));
        }
        Ok(how)
    }

    /// Errors 1845 and 1846 when the change cannot be made so.
    pub(super) fn check(
        self,
        old: &Table,
        new: &Table,
        clauses: &[AlterClause],
    ) -> Result<(), SqlError> {
        if self == How::default() {
            return Ok(());
        }
        let needs = needs(old, new, clauses);
        self.check_virtual(needs, old, new, clauses)?;
        self.check_algorithm(needs)?;
        self.check_lock(needs)
    }

    /// Virtual columns come and go in place by themselves, or with indexes.
    fn check_virtual(
        self,
        needs: Needs,
        old: &Table,
        new: &Table,
        clauses: &[AlterClause],
    ) -> Result<(), SqlError> {
        let (asked, others) = match self.algorithm {
            Algorithm::Any if self.lock == Lock::None => ("LOCK=NONE", "LOCK=SHARED"),
            Algorithm::Any | Algorithm::Copy => return Ok(()),
            Algorithm::Instant => ("ALGORITHM=INSTANT", "ALGORITHM=COPY/INPLACE"),
            Algorithm::Inplace => ("ALGORITHM=INPLACE", "ALGORITHM=COPY"),
        };
        let is_in_place = match needs {
            Needs::Rename | Needs::Instant | Needs::Inplace | Needs::InplaceForVirtual => true,
            Needs::InplaceLocked
            | Needs::CopyForType
            | Needs::CopyForPrimary
            | Needs::CopyForGenerated
            | Needs::CopyForKeys => false,
        };
        let mut has_virtual = false;
        let mut has_others = false;
        for clause in clauses {
            match virtual_part(old, new, clause) {
                Some(is_alone) => {
                    has_virtual = true;
                    has_others |= !is_alone;
                }
                None => has_others |= !goes_with_virtual(clause),
            }
        }
        match is_in_place && has_virtual && has_others {
            true => Err(SqlError::alter_operation_not_supported_reason(
                asked,
                "INPLACE ADD or DROP of virtual columns cannot be combined with other ALTER TABLE actions",
                others,
            )),
            false => Ok(()),
        }
    }

    fn check_algorithm(self, needs: Needs) -> Result<(), SqlError> {
        let (asked, others) = match self.algorithm {
            Algorithm::Any | Algorithm::Copy => return Ok(()),
            Algorithm::Instant => ("ALGORITHM=INSTANT", "ALGORITHM=COPY/INPLACE"),
            Algorithm::Inplace => ("ALGORITHM=INPLACE", "ALGORITHM=COPY"),
        };
        let is_instant = self.algorithm == Algorithm::Instant;
        let because = |reason| {
            Err(SqlError::alter_operation_not_supported_reason(
                asked, reason, others,
            ))
        };
        match needs {
            Needs::Rename | Needs::Instant => Ok(()),
            Needs::Inplace | Needs::InplaceForVirtual | Needs::InplaceLocked if !is_instant => {
                Ok(())
            }
            Needs::CopyForType if is_instant => {
                because("Need to rebuild the table to change column type")
            }
            Needs::CopyForType => because("Cannot change column type INPLACE"),
            Needs::CopyForPrimary => because(NO_PRIMARY),
            Needs::CopyForKeys => Err(SqlError::alter_operation_not_supported(
                asked,
                "ALGORITHM=COPY",
            )),
            Needs::Inplace
            | Needs::InplaceForVirtual
            | Needs::InplaceLocked
            | Needs::CopyForGenerated => {
                Err(SqlError::alter_operation_not_supported(asked, others))
            }
        }
    }

    fn check_lock(self, needs: Needs) -> Result<(), SqlError> {
        let others = "LOCK=SHARED";
        let because = |reason| {
            Err(SqlError::alter_operation_not_supported_reason(
                "LOCK=NONE",
                reason,
                others,
            ))
        };
        match (self.lock, needs) {
            (Lock::None | Lock::Shared, Needs::Rename) => Err(
                SqlError::alter_operation_not_supported("LOCK=NONE/SHARED", "LOCK=EXCLUSIVE"),
            ),
            (Lock::Any | Lock::Shared | Lock::Exclusive, _) => Ok(()),
            (Lock::None, _) if self.algorithm == Algorithm::Copy => {
                because("COPY algorithm requires a lock")
            }
            (Lock::None, Needs::CopyForKeys) => because("COPY algorithm requires a lock"),
            (Lock::None, Needs::InplaceForVirtual) => {
                because("ADD COLUMN col...VIRTUAL, ADD INDEX(col)")
            }
            (Lock::None, Needs::Instant | Needs::Inplace) => Ok(()),
            (Lock::None, Needs::InplaceLocked) => {
                because("Adding an auto-increment column requires a lock")
            }
            (Lock::None, Needs::CopyForType) => because("Cannot change column type INPLACE"),
            (Lock::None, Needs::CopyForPrimary) => because(NO_PRIMARY),
            (Lock::None, Needs::CopyForGenerated) => {
                Err(SqlError::alter_operation_not_supported("LOCK=NONE", others))
            }
        }
    }
}

/// Whether a clause that adds or drops a virtual column leaves the others of its kind in their order, and
/// the new one behind them and behind the column that counts; `None` for other clauses.
fn virtual_part(old: &Table, new: &Table, clause: &AlterClause) -> Option<bool> {
    let is_virtual = |column: &Column| {
        let generated = column.generated.as_ref();
        generated.is_some_and(|generated| !generated.stored)
    };
    let (table, name) = match clause {
        AlterClause::AddColumn { column, .. } => (new, &column.name),
        AlterClause::DropColumn(name) => (old, name),
        _ => return None,
    };
    let (position, column) = table.column(name)?;
    if !is_virtual(column) {
        return None;
    }
    let is_last = || {
        let mut behind = new.columns.iter().skip(position + 1);
        !behind.any(|column| {
            let was_there = old.column_by_id(column.id).is_some();
            was_there && (is_virtual(column) || column.auto_increment)
        })
    };
    Some(matches!(clause, AlterClause::DropColumn(_)) || is_last())
}

fn goes_with_virtual(clause: &AlterClause) -> bool {
    matches!(
        clause,
        AlterClause::AddIndex(_)
            | AlterClause::DropIndex(_)
            | AlterClause::Algorithm(_)
            | AlterClause::Lock(_)
    )
}

/// Whether MySQL copies the rows, and looks at their dates again.
pub(super) fn copies(old: &Table, new: &Table, clauses: &[AlterClause]) -> bool {
    let is_asked = clauses.iter().any(|clause| match clause {
        AlterClause::Algorithm(name) => name.eq_ignore_ascii_case("COPY"),
        AlterClause::OrderBy(_) => true,
        _ => false,
    });
    is_asked
        || match needs(old, new, clauses) {
            Needs::CopyForType
            | Needs::CopyForPrimary
            | Needs::CopyForGenerated
            | Needs::CopyForKeys => true,
            Needs::Rename
            | Needs::Instant
            | Needs::Inplace
            | Needs::InplaceForVirtual
            | Needs::InplaceLocked => false,
        }
}

/// Whether rows lose the key by which they lie, and get no new one that they could lie by.
fn loses_clustered(old: &Table, new: &Table) -> bool {
    let Some(before) = old.clustered_key() else {
        return false;
    };
    let knows = |table: &Table, key: &Key| table.keys.iter().any(|known| known.id == key.id);
    let mut added = new.keys.iter().filter(|key| !knows(old, key));
    let is_replaced = knows(new, before) || added.any(|key| new.may_cluster(key));
    !is_replaced || new.clustered_key().is_none()
}

fn needs(old: &Table, new: &Table, clauses: &[AlterClause]) -> Needs {
    let is_switch =
        |clause: &AlterClause| matches!(clause, AlterClause::DisableKeys | AlterClause::EnableKeys);
    let is_aside = |clause: &AlterClause| {
        matches!(
            clause,
            AlterClause::Algorithm(_) | AlterClause::Lock(_) | AlterClause::RenameTable(_)
        )
    };
    if clauses.iter().any(is_switch) {
        let is_alone = clauses
            .iter()
            .all(|clause| is_switch(clause) || is_aside(clause));
        return if is_alone {
            Needs::Rename
        } else {
            Needs::CopyForKeys
        };
    }
    if new.columns.iter().any(|column| changes_type(old, column)) {
        return Needs::CopyForType;
    }
    if loses_clustered(old, new) {
        return Needs::CopyForPrimary;
    }
    if new.columns.iter().any(|column| computes_anew(old, column)) {
        return Needs::CopyForGenerated;
    }
    let is_new_id =
        |column: &Column| column.auto_increment && old.column_by_id(column.id).is_none();
    if new.columns.iter().any(is_new_id) {
        return Needs::InplaceLocked;
    }
    if indexes_new_virtual(old, new) {
        return Needs::InplaceForVirtual;
    }
    let acts = clauses
        .iter()
        .filter(|clause| !matches!(clause, AlterClause::Algorithm(_) | AlterClause::Lock(_)));
    if acts
        .clone()
        .all(|clause| matches!(clause, AlterClause::RenameTable(_)))
    {
        return Needs::Rename;
    }
    match acts.clone().all(|clause| is_instant(old, new, clause)) && old.keys == new.keys {
        true => Needs::Instant,
        false => Needs::Inplace,
    }
}

/// Whether a new index has a new virtual column.
fn indexes_new_virtual(old: &Table, new: &Table) -> bool {
    let is_new_virtual = |column: &Column| {
        let generated = column.generated.as_ref();
        generated.is_some_and(|generated| !generated.stored)
            && old.column_by_id(column.id).is_none()
    };
    let added: Vec<_> = new
        .columns
        .iter()
        .filter(|column| is_new_virtual(column))
        .collect();
    new.keys.iter().any(|key| {
        key.parts
            .iter()
            .any(|part| added.iter().any(|column| column.id == part.column))
    })
}

/// Whether the columns of both tables stand in the same order.
fn is_same_order(old: &Table, new: &Table) -> bool {
    let kept = |table: &Table, other: &Table| -> Vec<_> {
        let ids = table.columns.iter().map(|column| column.id);
        ids.filter(|id| other.column_by_id(*id).is_some()).collect()
    };
    kept(old, new) == kept(new, old)
}

/// Whether MySQL carries the clause out in the dictionary alone.
fn is_instant(old: &Table, new: &Table, clause: &AlterClause) -> bool {
    match clause {
        AlterClause::AddColumn { column, .. } => {
            let added = new.column(&column.name);
            added.is_some_and(|(_, column)| !matches!(column.default, ColumnDefault::Expression(_)))
        }
        AlterClause::Modify { column, position }
        | AlterClause::Change {
            column, position, ..
        } => {
            let now = new.column(&column.name).map(|(_, column)| column);
            let before = now.and_then(|now| old.column_by_id(now.id));
            let (Some(now), Some((_, before))) = (now, before) else {
                return false;
            };
            let is_same_type = now.column_type == before.column_type
                || is_longer_list(&before.column_type, &now.column_type);
            let stays = position.is_none() || is_same_order(old, new);
            stays && is_same_type && now.nullable == before.nullable
        }
        AlterClause::DropColumn(_)
        | AlterClause::RenameColumn { .. }
        | AlterClause::AlterColumnDefault { .. }
        | AlterClause::AlterColumnVisibility { .. }
        | AlterClause::RenameTable(_)
        | AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_) => true,
        AlterClause::AddIndex(_)
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
        | AlterClause::Options(_)
        | AlterClause::ConvertToCharset(_)
        | AlterClause::Force
        | AlterClause::OrderBy(_)
        | AlterClause::Partitioning(_)
        | AlterClause::NotSupported(_) => false,
    }
}

fn changes_type(old: &Table, column: &Column) -> bool {
    let Some((_, before)) = old.column_by_id(column.id) else {
        return false;
    };
    let (from, to) = (&before.column_type, &column.column_type);
    let is_other = from != to
        && !is_longer_text(from, to)
        && !is_longer_list(from, to)
        && !is_other_digits(from, to);
    is_other || before.auto_increment != column.auto_increment
}

/// A FLOAT or DOUBLE that is shown with other digits.
fn is_other_digits(from: &ColumnType, to: &ColumnType) -> bool {
    let is_same = matches!(
        (from, to),
        (ColumnType::Float { .. }, ColumnType::Float { .. })
            | (ColumnType::Double { .. }, ColumnType::Double { .. })
    );
    is_same && from.is_unsigned() == to.is_unsigned()
}

/// A VARCHAR that grows without a longer length in front of its values.
fn is_longer_text(from: &ColumnType, to: &ColumnType) -> bool {
    let bytes = |length: u16, width: u8| u32::from(length) * u32::from(width);
    let (from, to) = match (from, to) {
        (
            ColumnType::Varchar { length, collation },
            ColumnType::Varchar {
                length: longer,
                collation: other,
            },
        ) if collation == other => {
            let width = collation.charset.bytes_per_char_max();
            (bytes(*length, width), bytes(*longer, width))
        }
        (ColumnType::Varbinary { length }, ColumnType::Varbinary { length: longer }) => {
            (u32::from(*length), u32::from(*longer))
        }
        _ => return false,
    };
    let short = BlobSize::Tiny.bytes_max();
    from <= to && (u64::from(from) > short) == (u64::from(to) > short)
}

/// An ENUM or SET with more members behind those it had, in as many bytes.
fn is_longer_list(from: &ColumnType, to: &ColumnType) -> bool {
    let bytes = |count: usize, is_set: bool| match is_set {
        true => count.div_ceil(8),
        false => usize::from(count > 255),
    };
    match (from, to) {
        (
            ColumnType::Enum { members, collation },
            ColumnType::Enum {
                members: more,
                collation: other,
            },
        ) => {
            collation == other
                && more.starts_with(members)
                && bytes(members.len(), false) == bytes(more.len(), false)
        }
        (
            ColumnType::Set { members, collation },
            ColumnType::Set {
                members: more,
                collation: other,
            },
        ) => {
            collation == other
                && more.starts_with(members)
                && bytes(members.len(), true) == bytes(more.len(), true)
        }
        _ => false,
    }
}

/// Whether the values of a generated column that MySQL stores, or of an existing one, or those of a new
/// one whose default is an expression, are computed.
fn computes_anew(old: &Table, column: &Column) -> bool {
    let is_new = old.column_by_id(column.id).is_none();
    let Some(Generated { stored, expression }) = &column.generated else {
        return is_new && matches!(column.default, ColumnDefault::Expression(_));
    };
    match old.column_by_id(column.id) {
        None => *stored,
        Some((_, before)) => before
            .generated
            .as_ref()
            .is_none_or(|before| before.expression != *expression),
    }
}
