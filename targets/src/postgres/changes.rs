//! What PostgreSQL has to do so that its tables follow those of the source: the difference of two
//! catalogues, as statements.

use std::sync::Arc;

use engine::catalog::{Catalog, Column, ColumnDefault, Key, KeyKind, Table};
use sql::ast::{AlterClause, Ddl, PartitionClause};
use sql::error::SqlError;

use super::columns::{
    Context, Conversion, check, check_name, conversion, default_of, definition, entry_bytes_max,
    filled, is_primary_there, may_be_null, parts,
};
use super::names::{check_database, check_table, index_name, quoted, table_name};
use super::types::type_name;

/// Bytes of an entry of a B-tree; PostgreSQL refuses rows with longer ones.
const ENTRY_MAX: u64 = 2600;

/// What is counted of a definition that PostgreSQL cannot have.
const LONG_INDEX: &str = "an index whose entries are too long for PostgreSQL";
const EXPRESSION: &str = "DEFAULT (expression)";

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To execute this.
    Run(String),
    /// To go on only if the table has no rows; what else could not be done is named.
    Empty {
        /// The table, quoted.
        table: String,
        /// What is asked of its rows.
        what: String,
    },
}

/// What is to be done, in order, and what is left out.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) left_out: Vec<&'static str>,
}

/// What became of a table.
enum Fate<'c> {
    Made(&'c Arc<Table>),
    Changed(&'c Arc<Table>, &'c Arc<Table>),
    /// It lost its rows and nothing else.
    Emptied(&'c Arc<Table>, &'c Arc<Table>),
    Gone(&'c Arc<Table>),
}

/// How the tables of `before` become those of `after`, by this statement.
pub(super) fn plan(
    before: &Catalog,
    after: &Catalog,
    ddl: Option<&Ddl>,
    context: &Context,
) -> Result<Plan, SqlError> {
    let mut planner = Planner {
        context,
        plan: Plan::default(),
    };
    let new = |name: &&String| !before.databases.contains_key(*name);
    for name in after.databases.keys().filter(new) {
        check_database(name)?;
        planner.run(format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(name)));
    }
    let fates = fates(before, after, ddl);
    if let Some(Ddl::AlterTable(alter)) = ddl {
        planner.ask_about_partitions(&alter.clauses, &fates);
    }
    planner.all(&fates)?;
    let gone = |name: &&String| !after.databases.contains_key(*name);
    for name in before.databases.keys().filter(gone) {
        planner.run(format!("DROP SCHEMA IF EXISTS {}", quoted(name)));
    }
    Ok(planner.plan)
}

/// Pairs the tables: by their numbers; and where a statement gave a table another number, by name.
fn fates<'c>(before: &'c Catalog, after: &'c Catalog, ddl: Option<&Ddl>) -> Vec<Fate<'c>> {
    let of_id = |catalog: &'c Catalog, table: &Table| {
        let mut tables = catalog.tables();
        tables.find(|known| known.id == table.id)
    };
    let mut gone: Vec<&Arc<Table>> = before
        .tables()
        .filter(|table| of_id(after, table).is_none())
        .collect();
    let made: Vec<&Arc<Table>> = after
        .tables()
        .filter(|table| of_id(before, table).is_none())
        .collect();
    let is_altered = matches!(ddl, Some(Ddl::AlterTable(_)));
    let mut fates = Vec::new();
    let is_one = made.len() == 1 && gone.len() == 1;
    for table in made {
        let same_name =
            |old: &&Arc<Table>| old.database == table.database && old.name == table.name;
        let at = gone.iter().position(same_name);
        let at = at.or_else(|| (is_altered && is_one).then_some(0));
        let keeps = match ddl {
            Some(Ddl::CreateTable(_)) | None => false,
            Some(
                Ddl::AlterTable(_)
                | Ddl::TruncateTable(_)
                | Ddl::CreateIndex(_)
                | Ddl::DropIndex { .. }
                | Ddl::RenameTable(_)
                | Ddl::CreateDatabase { .. }
                | Ddl::AlterDatabase { .. }
                | Ddl::DropDatabase { .. }
                | Ddl::DropTable { .. }
                | Ddl::DropView { .. },
            ) => true,
        };
        match at.filter(|_| keeps) {
            Some(at) => {
                let old = gone.swap_remove(at);
                fates.push(match ddl {
                    Some(Ddl::TruncateTable(_)) => Fate::Emptied(old, table),
                    _ => Fate::Changed(old, table),
                });
            }
            None => fates.push(Fate::Made(table)),
        }
    }
    fates.extend(gone.into_iter().map(Fate::Gone));
    for table in after.tables() {
        if let Some(old) = of_id(before, table).filter(|old| *old != table) {
            fates.push(Fate::Changed(old, table));
        }
    }
    fates
}

struct Planner<'p> {
    context: &'p Context,
    plan: Plan,
}

impl Planner<'_> {
    fn run(&mut self, sql: String) {
        self.plan.steps.push(Step::Run(sql));
    }

    fn empty(&mut self, table: &Table, what: String) {
        self.plan.steps.push(Step::Empty {
            table: table_name(table),
            what,
        });
    }

    /// Clauses that take rows away, or give others.
    fn ask_about_partitions(&mut self, clauses: &[AlterClause], fates: &[Fate<'_>]) {
        let takes_rows = clauses.iter().any(|clause| {
            matches!(
                clause,
                AlterClause::Partitioning(
                    PartitionClause::Drop(_)
                        | PartitionClause::Truncate(_)
                        | PartitionClause::Exchange { .. }
                )
            )
        });
        if !takes_rows {
            return;
        }
        for fate in fates {
            if let Fate::Changed(old, _) = fate {
                self.empty(old, "to remove the rows of a partition".to_owned());
            }
        }
    }

    fn all(&mut self, fates: &[Fate<'_>]) -> Result<(), SqlError> {
        for fate in fates {
            if let Fate::Gone(old) = fate {
                self.run(format!("DROP TABLE {}", table_name(old)));
            }
        }
        self.rename_all(fates);
        for fate in fates {
            match fate {
                Fate::Changed(old, new) => self.alter(old, new)?,
                Fate::Emptied(old, new) => {
                    self.run(format!("TRUNCATE TABLE {}", table_name(new)));
                    self.alter(old, new)?;
                }
                Fate::Made(new) => self.create(new)?,
                Fate::Gone(_) => {}
            }
        }
        Ok(())
    }

    /// Gives tables their names, over others that no table has where they take each other's.
    fn rename_all(&mut self, fates: &[Fate<'_>]) {
        let renamed = fates.iter().filter_map(|fate| match fate {
            Fate::Changed(old, new) | Fate::Emptied(old, new) => {
                let is_moved = (&old.database, &old.name) != (&new.database, &new.name);
                is_moved.then_some((*old, *new))
            }
            Fate::Made(_) | Fate::Gone(_) => None,
        });
        let renamed: Vec<_> = renamed.collect();
        let between = |old: &Table| format!("weir_renamed_{}", old.id.0);
        for (old, new) in &renamed {
            let name = quoted(&between(old));
            self.run(format!("ALTER TABLE {} RENAME TO {name}", table_name(old)));
            if old.database != new.database {
                let (from, to) = (quoted(&old.database), quoted(&new.database));
                self.run(format!("ALTER TABLE {from}.{name} SET SCHEMA {to}"));
            }
        }
        for (old, new) in &renamed {
            let (schema, name) = (quoted(&new.database), quoted(&between(old)));
            let to = quoted(&new.name);
            self.run(format!("ALTER TABLE {schema}.{name} RENAME TO {to}"));
        }
    }

    fn create(&mut self, table: &Table) -> Result<(), SqlError> {
        check_table(table)?;
        let columns = table.columns.iter();
        let columns = columns.map(|column| definition(table, column, self.context));
        let columns: Vec<String> = columns.collect();
        self.run(format!(
            "CREATE TABLE {} ({})",
            table_name(table),
            columns.join(", ")
        ));
        for column in &table.columns {
            self.note_default(column);
        }
        table.keys.iter().for_each(|key| self.add_key(table, key));
        Ok(())
    }

    fn note_default(&mut self, column: &Column) {
        if matches!(column.default, ColumnDefault::Expression(_)) {
            self.plan.left_out.push(EXPRESSION);
        }
    }

    fn add_key(&mut self, table: &Table, key: &Key) {
        if !key.is_built() {
            return;
        }
        let (on, name) = (table_name(table), quoted(&index_name(table, key)));
        let unordered = parts(table, key, false);
        let parts = parts(table, key, true);
        if is_primary_there(key) {
            self.run(format!(
                "ALTER TABLE {on} ADD CONSTRAINT {name} PRIMARY KEY ({unordered})"
            ));
            return;
        }
        if key.is_unique() {
            self.run(format!("CREATE UNIQUE INDEX {name} ON {on} ({parts})"));
            return;
        }
        match (entry_bytes_max(table, key) > ENTRY_MAX, key.parts.len()) {
            (false, _) => self.run(format!("CREATE INDEX {name} ON {on} ({parts})")),
            // A hash has any length, and finds what is equal.
            (true, 1) => {
                self.run(format!(
                    "CREATE INDEX {name} ON {on} USING hash ({unordered})"
                ));
            }
            (true, _) => self.plan.left_out.push(LONG_INDEX),
        }
    }

    /// Whether PostgreSQL has an index of the key.
    fn has_index(table: &Table, key: &Key) -> bool {
        let is_left_out =
            !key.is_unique() && entry_bytes_max(table, key) > ENTRY_MAX && key.parts.len() > 1;
        key.is_built() && !is_left_out
    }

    fn alter(&mut self, old: &Table, new: &Table) -> Result<(), SqlError> {
        check_table(new)?;
        let kept = |key: &Key| {
            let mut keys = new.keys.iter();
            keys.find(|new_key| Self::is_same_key((old, key), (new, new_key)))
                .cloned()
        };
        let pairs: Vec<(&Key, Option<Key>)> = old.keys.iter().map(|key| (key, kept(key))).collect();
        for (key, kept) in &pairs {
            if kept.is_none() && Self::has_index(old, key) {
                self.drop_key(old, new, key);
            }
        }
        self.drop_and_rename_columns(old, new);
        for column in &new.columns {
            match old.column_by_id(column.id) {
                Some((_, before)) => self.alter_column((old, before), (new, column)),
                None => self.add_column(new, column),
            }
        }
        for (key, kept) in &pairs {
            if let Some(kept) = kept
                && Self::has_index(old, key)
            {
                let (from, to) = (index_name(old, key), index_name(new, kept));
                if from != to {
                    let schema = quoted(&new.database);
                    let (from, to) = (quoted(&from), quoted(&to));
                    self.run(format!("ALTER INDEX {schema}.{from} RENAME TO {to}"));
                }
            }
        }
        for key in &new.keys {
            let is_kept = pairs
                .iter()
                .any(|(_, kept)| kept.as_ref().is_some_and(|kept| kept.id == key.id));
            if !is_kept {
                self.add_key(new, key);
            }
        }
        Ok(())
    }

    /// Whether the index of a key stays that of another.
    fn is_same_key((old, key): (&Table, &Key), (new, new_key): (&Table, &Key)) -> bool {
        let same_parts = key.parts.len() == new_key.parts.len()
            && key.parts.iter().zip(&new_key.parts).all(|(part, other)| {
                part.column == other.column
                    && part.prefix == other.prefix
                    && part.descending == other.descending
                    && part.expression == other.expression
            });
        key.id == new_key.id
            && same_parts
            && key.is_unique() == new_key.is_unique()
            && (key.kind == KeyKind::Primary) == (new_key.kind == KeyKind::Primary)
            && Self::has_index(old, key) == Self::has_index(new, new_key)
            && (entry_bytes_max(old, key) > ENTRY_MAX)
                == (entry_bytes_max(new, new_key) > ENTRY_MAX)
            && is_primary_there(key) == is_primary_there(new_key)
    }

    fn drop_key(&mut self, old: &Table, new: &Table, key: &Key) {
        let name = quoted(&index_name(old, key));
        match is_primary_there(key) {
            true => self.run(format!(
                "ALTER TABLE {} DROP CONSTRAINT {name}",
                table_name(new)
            )),
            false => self.run(format!("DROP INDEX {}.{name}", quoted(&new.database))),
        }
    }

    fn drop_and_rename_columns(&mut self, old: &Table, new: &Table) {
        let on = table_name(new);
        for column in &old.columns {
            if new.column_by_id(column.id).is_none() {
                let name = quoted(&column.name);
                self.run(format!("ALTER TABLE {on} DROP COLUMN {name}"));
            }
        }
        let renamed = new.columns.iter().filter_map(|column| {
            let (_, before) = old.column_by_id(column.id)?;
            (before.name != column.name).then_some((before, column))
        });
        let renamed: Vec<_> = renamed.collect();
        let between = |column: &Column| quoted(&format!("weir_renamed_{}", column.id.0));
        for (before, column) in &renamed {
            let (from, to) = (quoted(&before.name), between(column));
            self.run(format!("ALTER TABLE {on} RENAME COLUMN {from} TO {to}"));
        }
        for (_, column) in &renamed {
            let (from, to) = (between(column), quoted(&column.name));
            self.run(format!("ALTER TABLE {on} RENAME COLUMN {from} TO {to}"));
        }
    }

    fn add_column(&mut self, table: &Table, column: &Column) {
        let (on, name) = (table_name(table), quoted(&column.name));
        let filled = filled(table, column, self.context);
        if filled.is_none() {
            let what = format!("the values of the new column `{}`", column.name);
            self.empty(table, what);
        }
        let kind = type_name(&column.column_type);
        let mut sql = format!("ALTER TABLE {on} ADD COLUMN {name} {kind}");
        let wanted = default_of(column, self.context);
        if let Some(filled) = &filled {
            sql.push_str(" DEFAULT ");
            sql.push_str(filled);
        }
        if !may_be_null(table, column, self.context) {
            sql.push_str(" NOT NULL");
        }
        if let Some(check) = check(column) {
            sql.push(' ');
            sql.push_str(&check);
        }
        self.run(sql);
        if filled != wanted {
            self.set_default(table, column);
        }
        self.note_default(column);
    }

    fn set_default(&mut self, table: &Table, column: &Column) {
        let (on, name) = (table_name(table), quoted(&column.name));
        let what = match default_of(column, self.context) {
            Some(default) => format!("SET DEFAULT {default}"),
            None => "DROP DEFAULT".to_owned(),
        };
        self.run(format!("ALTER TABLE {on} ALTER COLUMN {name} {what}"));
    }

    fn alter_column(&mut self, (old, before): (&Table, &Column), (new, column): (&Table, &Column)) {
        let (on, name) = (table_name(new), quoted(&column.name));
        let alter = format!("ALTER TABLE {on} ALTER COLUMN {name}");
        if before.generated != column.generated && column.generated.is_some() {
            let what = format!("the values of the generated column `{}`", column.name);
            self.empty(new, what);
        }
        if column.auto_increment && !before.auto_increment {
            // NULL and 0 would become numbers.
            let what = format!("numbers for the column `{}`", column.name);
            self.empty(new, what);
        }
        let has_check = |column: &Column| check(column).map(|_| check_name(column));
        let mut default_goes = false;
        match conversion(before, column) {
            Conversion::None => {}
            how => {
                let kind = type_name(&column.column_type);
                if let Some(name) = has_check(before) {
                    let name = quoted(&name);
                    self.run(format!("ALTER TABLE {on} DROP CONSTRAINT {name}"));
                }
                if kind != type_name(&before.column_type) || how == Conversion::Unknown {
                    self.run(format!("{alter} DROP DEFAULT"));
                    default_goes = true;
                    let using = match how {
                        Conversion::Using(using) => using,
                        Conversion::Unknown | Conversion::None => {
                            let (from, to) = (&before.column_type, &column.column_type);
                            let what =
                                format!("values of `{}` made of {from} to {to}", column.name);
                            self.empty(new, what);
                            format!("NULL::{kind}")
                        }
                    };
                    self.run(format!("{alter} TYPE {kind} USING {using}"));
                }
                if let Some(check) = check(column) {
                    self.run(format!("ALTER TABLE {on} ADD {check}"));
                }
            }
        }
        let was_null = may_be_null(old, before, self.context);
        match (was_null, may_be_null(new, column, self.context)) {
            (true, false) => self.run(format!("{alter} SET NOT NULL")),
            (false, true) => self.run(format!("{alter} DROP NOT NULL")),
            (true, true) | (false, false) => {}
        }
        let wanted = default_of(column, self.context);
        let is_other = wanted != default_of(before, self.context);
        if is_other || (default_goes && wanted.is_some()) {
            self.set_default(new, column);
            self.note_default(column);
        }
    }
}
