//! Cascades of foreign keys that a log leaves out, as [`engine::apply`] runs them in the embedded engine:
//! the children of a changed row, then theirs. PostgreSQL has none of the foreign keys, so that no
//! cascade is run twice.

use std::sync::Arc;

use engine::apply::{Image, ImageChange};
use engine::catalog::{Catalog, Column, ForeignKey, ReferentialAction, Table};
use engine::collation::Charset;
use sql::error::SqlError;

use super::error::failed;
use super::link::{Cells, Link};
use super::names::{quoted, table_name};
use super::types::{ZeroDates, cast_name, text};
use crate::TargetError;

/// How far cascades go in InnoDB, which refuses the statement beyond it.
const DEPTH_MAX: usize = 15;

/// What becomes of the children of one row once it is changed.
pub(super) struct Follower {
    catalog: Arc<Catalog>,
    effects: Vec<Effect>,
}

/// What becomes of the children in one table.
struct Effect {
    child: Arc<Table>,
    key: ForeignKey,
    /// The texts of the key that they have.
    old: Cells,
    /// What they get in place of them; none if they go.
    new: Option<Cells>,
}

/// The texts of a row, as far as they are known.
type Known<'a> = &'a dyn Fn(&Table, &str) -> Result<Option<Option<String>>, SqlError>;

impl Follower {
    /// What a change of a row of `table` asks.
    ///
    /// # Errors
    /// 1235 where the log says too little to know.
    pub(super) fn new(
        catalog: &Arc<Catalog>,
        table: &Arc<Table>,
        change: &ImageChange<'_>,
        zero_dates: ZeroDates,
    ) -> Result<Self, TargetError> {
        let of = |image: &Image<'_>, table: &Table, name: &str| {
            let Some((at, column)) = table.column(name) else {
                return Ok(None);
            };
            match image.get(at) {
                Some(Some(value)) => text(value, column, zero_dates).map(Some),
                Some(None) | None => Ok(None),
            }
        };
        let effects = match change {
            ImageChange::Insert(_) => Ok(Vec::new()),
            ImageChange::Delete(before) => {
                effects(catalog, table, &|table, name| of(before, table, name), None)
            }
            ImageChange::Update(before, after) => effects(
                catalog,
                table,
                &|table, name| of(before, table, name),
                Some(&|table, name| of(after, table, name)),
            ),
        };
        Ok(Self {
            catalog: Arc::clone(catalog),
            effects: effects.map_err(TargetError::Unsupported)?,
        })
    }

    /// Does it.
    pub(super) fn run(self, link: &mut Link) -> Result<(), TargetError> {
        let mut effects: Vec<(Effect, usize)> =
            self.effects.into_iter().map(|effect| (effect, 1)).collect();
        while let Some((effect, depth)) = effects.pop() {
            if depth > DEPTH_MAX {
                let text = "Foreign key cascade delete/update exceeds max depth of 15";
                return Err(TargetError::Conflict(SqlError::new(3008, "HY000", text)));
            }
            let below = effect.run(link, &self.catalog)?;
            effects.extend(below.into_iter().map(|effect| (effect, depth + 1)));
        }
        Ok(())
    }
}

/// What the foreign keys to `table` ask when a row changes.
fn effects(
    catalog: &Catalog,
    table: &Table,
    before: Known<'_>,
    after: Option<Known<'_>>,
) -> Result<Vec<Effect>, SqlError> {
    let mut effects = Vec::new();
    for reference in catalog.references_to(&table.database, &table.name).iter() {
        let Some(key) = reference.key() else { continue };
        let action = match after {
            None => key.on_delete,
            Some(_) => key.on_update,
        };
        let has_none = match action {
            ReferentialAction::NoAction
            | ReferentialAction::Restrict
            | ReferentialAction::SetDefault => true,
            ReferentialAction::Cascade | ReferentialAction::SetNull => false,
        };
        if has_none {
            continue;
        }
        let mut old = Cells::new();
        let mut new = Cells::new();
        let (mut changes, mut is_known) = (after.is_none(), true);
        for name in &key.parent_columns {
            let before = before(table, name)?;
            // An image after leaves out what stays.
            let after = after.map_or(Ok(None), |after| after(table, name))?;
            changes |= after.is_some() && before != after;
            is_known &= before.is_some();
            let before = before.unwrap_or_default();
            new.push(after.unwrap_or_else(|| before.clone()));
            old.push(before);
        }
        if changes && !is_known {
            return Err(unknown(table));
        }
        // NULL is no key, and has no children.
        if !changes || old.iter().any(Option::is_none) {
            continue;
        }
        let goes = after.is_none() && action == ReferentialAction::Cascade;
        let new = match action {
            ReferentialAction::SetNull => vec![None; old.len()],
            _ => new,
        };
        let effect = Effect {
            child: Arc::clone(&reference.child),
            key: key.clone(),
            old,
            new: (!goes).then_some(new),
        };
        effect.check()?;
        effects.push(effect);
    }
    Ok(effects)
}

fn unknown(table: &Table) -> SqlError {
    SqlError::not_supported(format!(
        "A change of '{}.{}', to which foreign keys refer, whose image does not say which children follow \
         (set binlog_row_image=FULL on the source),",
        table.database, table.name
    ))
}

impl Effect {
    fn columns(&self) -> Vec<&Column> {
        let columns = self.key.columns.iter();
        let columns = columns.filter_map(|id| self.child.column_by_id(*id));
        columns.map(|(_, column)| column).collect()
    }

    /// Refuses what would find other children than the source did, or leave them wrong.
    fn check(&self) -> Result<(), SqlError> {
        let is_exact = |column: &&Column| match column.column_type.collation() {
            None => true,
            Some(collation) => {
                collation.charset == Charset::Binary || collation.name.ends_with("_bin")
            }
        };
        if !self.columns().iter().all(is_exact) {
            return Err(SqlError::not_supported(format!(
                "A cascade to '{}.{}' by a text whose letter case or accents may differ",
                self.child.database, self.child.name
            )));
        }
        let mut columns = self.child.columns.iter();
        let is_computed = columns.any(|column| column.generated.is_some());
        match is_computed && self.new.is_some() {
            true => Err(SqlError::not_supported(format!(
                "A cascade that changes rows of '{}.{}', which has generated columns,",
                self.child.database, self.child.name
            ))),
            false => Ok(()),
        }
    }

    /// Does it; what it asks of further children.
    fn run(&self, link: &mut Link, catalog: &Catalog) -> Result<Vec<Effect>, TargetError> {
        let below = self.below(link, catalog)?;
        let columns = self.columns();
        let mut parameters = Cells::new();
        let mut bound = |column: &Column, value: &Option<String>| {
            parameters.push(value.clone());
            let (at, cast) = (parameters.len(), cast_name(&column.column_type));
            format!("{} = (${at}::text)::{cast}", quoted(&column.name))
        };
        let new = self.new.as_ref().map(|new| {
            let set = columns.iter().zip(new);
            let set = set.map(|(column, value)| bound(column, value));
            set.collect::<Vec<_>>().join(", ")
        });
        let found = columns.iter().zip(&self.old);
        let found = found.map(|(column, value)| bound(column, value));
        let found = found.collect::<Vec<_>>().join(" AND ");
        let name = table_name(&self.child);
        let sql = match new {
            Some(set) => format!("UPDATE {name} SET {set} WHERE {found}"),
            None => format!("DELETE FROM {name} WHERE {found}"),
        };
        let done = link.execute(&sql, parameters);
        done.map(|_| below).map_err(|error| failed(&error))
    }

    /// What the change of each child asks of further ones.
    fn below(&self, link: &mut Link, catalog: &Catalog) -> Result<Vec<Effect>, TargetError> {
        let child = &self.child;
        let references = catalog.references_to(&child.database, &child.name);
        if references.is_empty() {
            return Ok(Vec::new());
        }
        let names = child.columns.iter();
        let names = names.map(|column| format!("{}::text", quoted(&column.name)));
        let names: Vec<String> = names.collect();
        let found = self
            .columns()
            .into_iter()
            .enumerate()
            .map(|(index, column)| {
                let (at, cast) = (index.saturating_add(1), cast_name(&column.column_type));
                format!("{} = (${at}::text)::{cast}", quoted(&column.name))
            });
        let found = found.collect::<Vec<_>>().join(" AND ");
        let sql = format!(
            "SELECT {} FROM {} WHERE {found} FOR UPDATE",
            names.join(", "),
            table_name(child)
        );
        let positions = self.columns();
        let mut below = Vec::new();
        for row in link.ask(&sql, &self.old)? {
            let before = |table: &Table, name: &str| {
                let at = table.column(name).map(|(at, _)| at);
                Ok(at.and_then(|at| row.get(at).cloned()))
            };
            let after = |table: &Table, name: &str| {
                let column = table.column(name).map(|(_, column)| column.id);
                let changed = positions.iter().position(|known| Some(known.id) == column);
                let new = self.new.as_ref();
                match changed.and_then(|at| new?.get(at).cloned()) {
                    Some(value) => Ok(Some(value)),
                    None => before(table, name),
                }
            };
            let after: Option<Known<'_>> = match self.new.is_some() {
                true => Some(&after),
                false => None,
            };
            let found = effects(catalog, child, &before, after);
            below.extend(found.map_err(TargetError::Unsupported)?);
        }
        Ok(below)
    }
}
