//! The rows of an event as values of a table whose rows lie elsewhere.

use std::borrow::Cow;
use std::sync::Arc;

use binlog::limits::Limits;
use binlog::row::{Row, RowPair, RowPlan, RowsEvent, RowsKind, TableMap};
use binlog::value::Value;
use binlog::value::json::{self, JsonDiffError};

use super::columns::{Mapping, assume_signedness};
use super::versions::{Meaning, Versions};
use super::{AppliedRows, ApplyError};
use crate::catalog::{Catalog, Table};
use crate::dml::Computed;
use crate::rows::{Coercion, DefaultValue, NullPolicy, defaults};
use crate::session::SessionContext;
use sql::SqlMode;
use sql::error::SqlError;

/// Values in the order of a table's columns; none where the log does not say.
pub type Image<'v> = Vec<Option<Value<'v>>>;

/// What a row of an event does to the table.
#[derive(Debug, Clone)]
pub enum ImageChange<'v> {
    /// A new row.
    Insert(Vec<Value<'v>>),
    /// A row changes. Columns that the second image lacks keep their values; `JsonDiffs` are changes of a
    /// value that the first one lacks.
    Update(Image<'v>, Image<'v>),
    /// A row goes.
    Delete(Image<'v>),
}

/// How the rows of one table map become values of a table.
pub struct Images {
    map: TableMap<'static>,
    table: Arc<Table>,
    plan: RowPlan,
    mapping: Mapping,
    versions: Option<Versions>,
    defaults: Vec<DefaultValue>,
    /// What the expressions of generated columns are read by; none without such columns.
    catalog: Option<Arc<Catalog>>,
}

/// What computes generated columns.
type Computing = Option<(Computed, Coercion)>;

impl Images {
    /// For the table of the map's name in `database`.
    ///
    /// # Errors
    /// 1146 without such a table, 1677 for a column of another type, 1235 for what is not understood.
    pub fn new(
        catalog: &Arc<Catalog>,
        database: &str,
        map: &TableMap<'_>,
    ) -> Result<Self, ApplyError> {
        let incompatible = |error: SqlError| ApplyError::Incompatible { error };
        let table = catalog.find_table(database, &map.table).map(Arc::clone);
        let table =
            table.ok_or_else(|| incompatible(SqlError::no_such_table(database, &map.table)))?;
        let mut map = map.clone().into_owned();
        assume_signedness(&mut map, &table);
        let mut columns = table.columns.iter();
        let has_generated = columns.any(|column| column.generated.is_some());
        Ok(Self {
            mapping: Mapping::new(&map, &table)?,
            plan: RowPlan::new(&map)?,
            versions: Versions::of(&table, &map)?,
            defaults: defaults(&table).map_err(ApplyError::Engine)?,
            catalog: has_generated.then(|| Arc::clone(catalog)),
            map,
            table,
        })
    }

    /// Whether this was made for `map` and the table is still the same.
    #[must_use]
    pub fn fits(&self, catalog: &Catalog, database: &str, map: &TableMap<'_>) -> bool {
        let known = catalog.find_table(database, &map.table);
        known.is_some_and(|known| Arc::ptr_eq(known, &self.table))
            && self.map.table_id == map.table_id
            && self.mapping.is_of(map)
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Whether changes of this event may have changed children in a way that the log does not show.
    #[must_use]
    pub fn is_cascade_unlogged(event: &RowsEvent<'_>) -> bool {
        super::cascade::is_unlogged(event)
    }

    /// Hands each row to `take`, in their order. Those of a table's history are counted only.
    ///
    /// # Errors
    /// Those of rows that cannot be decoded or have no value here, and those of `take`.
    pub fn each<E: From<ApplyError>>(
        &self,
        event: &RowsEvent<'_>,
        mut take: impl FnMut(ImageChange<'_>) -> Result<(), E>,
    ) -> Result<AppliedRows, E> {
        let limits = Limits::default();
        let undecodable = |error| E::from(ApplyError::from(error));
        let computed = self
            .catalog
            .as_ref()
            .map(|catalog| computed(catalog, &self.table));
        let incompatible = |error| E::from(ApplyError::Incompatible { error });
        let mut computed = computed.transpose().map_err(incompatible)?;
        let mut chunks = event.chunks(&self.plan, &limits).map_err(undecodable)?;
        let mut count = AppliedRows::default();
        let mut spare = RowPair::default();
        while let Some(mut reader) = chunks.next_chunk().map_err(undecodable)? {
            let mut pair = spare.recycled();
            while reader.next_into(&mut pair).map_err(undecodable)? {
                let versions = self.versions;
                let meaning = versions.map_or(Meaning::Present, |versions| {
                    versions.meaning(event.kind, &pair)
                });
                count.add(meaning != Meaning::Present);
                let change = self.change(event.kind, meaning, &pair, &mut computed);
                let change = change.map_err(|error| E::from(self.conflict(event.kind, error)))?;
                if let Some(change) = change {
                    take(change)?;
                }
            }
            spare = pair.recycled();
        }
        Ok(count)
    }

    /// The error of an event of this kind, in MySQL's words.
    #[must_use]
    pub fn conflict(&self, kind: RowsKind, error: SqlError) -> ApplyError {
        ApplyError::Conflict {
            event: match kind {
                RowsKind::Write => "Write_rows",
                RowsKind::Update => "Update_rows",
                RowsKind::Delete => "Delete_rows",
            },
            table: format!("{}.{}", self.table.database, self.table.name),
            error,
        }
    }

    fn change<'v>(
        &self,
        kind: RowsKind,
        meaning: Meaning,
        pair: &'v RowPair<'_>,
        computed: &mut Computing,
    ) -> Result<Option<ImageChange<'v>>, SqlError> {
        Ok(Some(match (meaning, kind) {
            (Meaning::Past, _) => return Ok(None),
            (Meaning::Ends, _) | (Meaning::Present, RowsKind::Delete) => {
                ImageChange::Delete(self.image(&pair.before, None)?)
            }
            (Meaning::Present, RowsKind::Write) => {
                ImageChange::Insert(self.new_row(&pair.after, computed)?)
            }
            (Meaning::Present, RowsKind::Update) => {
                let before = self.image(&pair.before, None)?;
                let after = self.image(&pair.after, Some(&before))?;
                let after = self.with_computed(&before, after, computed)?;
                ImageChange::Update(before, after)
            }
        }))
    }

    fn image<'v>(
        &self,
        row: &'v Row<'_>,
        before: Option<&Image<'_>>,
    ) -> Result<Image<'v>, SqlError> {
        let positions = 0..self.table.columns.len();
        positions
            .map(|position| self.local(row, position, before))
            .collect()
    }

    fn local<'v>(
        &self,
        row: &'v Row<'_>,
        position: usize,
        before: Option<&Image<'_>>,
    ) -> Result<Option<Value<'v>>, SqlError> {
        let logged = row.get(position).and_then(Option::as_ref);
        let conversion = self.mapping.conversions.get(position);
        let (Some(logged), Some(conversion)) = (logged, conversion) else {
            return Ok(None);
        };
        if let Value::JsonDiffs(diffs) = logged {
            let before = before.and_then(|before| before.get(position)?.as_ref());
            return Ok(Some(match before {
                None => Value::JsonDiffs(Cow::Borrowed(diffs)),
                Some(base) => Self::with_diffs(&self.table, position, base, diffs)?,
            }));
        }
        match conversion.apply(logged) {
            Some(value) => Ok(Some(value)),
            None => Err(SqlError::warn_data_out_of_range(self.column(position), 1)),
        }
    }

    /// The JSON value that logged changes make of `base`.
    ///
    /// # Errors
    /// 3648 where they do not fit, 3649 where they are damaged.
    pub fn with_diffs(
        table: &Table,
        position: usize,
        base: &Value<'_>,
        diffs: &[u8],
    ) -> Result<Value<'static>, SqlError> {
        let column = table.columns.get(position);
        let column = column.map_or("", |column| column.name.as_str());
        let table = &table.name;
        let Value::Json(base) = base else {
            let cause = "there is no JSON value before";
            return Err(SqlError::could_not_apply_json_diff(table, column, cause));
        };
        match json::apply_diffs(base, diffs) {
            Ok(value) => Ok(Value::Json(Cow::Owned(value))),
            Err(JsonDiffError::Damaged(error)) => {
                Err(SqlError::corrupted_json_diff(table, column, error))
            }
            Err(error) => Err(SqlError::could_not_apply_json_diff(table, column, error)),
        }
    }

    /// A new row; what its image leaves out has its default, as on the source.
    fn new_row<'v>(
        &self,
        row: &'v Row<'_>,
        computed: &mut Computing,
    ) -> Result<Vec<Value<'v>>, SqlError> {
        let image = self.image(row, None)?;
        let is_missing: Vec<bool> = image.iter().map(Option::is_none).collect();
        let values = image.into_iter().enumerate();
        let value = |(position, value): (usize, Option<Value<'v>>)| {
            value.unwrap_or_else(|| match self.defaults.get(position) {
                Some(DefaultValue::Value(value) | DefaultValue::Missing(value)) => value.clone(),
                // The clock of another server is not this row's.
                _ => Value::Null,
            })
        };
        let values: Vec<Value<'v>> = values.map(value).collect();
        let Some((computed, coercion)) = computed.as_mut() else {
            return Ok(values);
        };
        let is_wanted = |at: usize| is_missing.get(at).copied().unwrap_or(false);
        if !computed.generated().any(|(at, _)| is_wanted(at)) {
            return Ok(values);
        }
        let mut values: Vec<Value<'static>> = values.into_iter().map(Value::into_owned).collect();
        computed.refresh_where(&mut values, is_wanted, coercion)?;
        Ok(values)
    }

    /// The second image of a change, with those generated columns computed that it leaves out and that
    /// may change: what they read has another value, or may have.
    fn with_computed<'v>(
        &self,
        before: &Image<'_>,
        mut after: Image<'v>,
        computed: &mut Computing,
    ) -> Result<Image<'v>, SqlError> {
        let Some((computed, coercion)) = computed.as_mut() else {
            return Ok(after);
        };
        let sought = Sought::new(self, computed, before, &after)?;
        if sought.changing.is_empty() {
            return Ok(after);
        }
        let known = |(after, before): (&Option<Value<'v>>, &Option<Value<'_>>)| {
            let value = after.clone().map(Value::into_owned);
            value.or_else(|| before.clone().map(Value::into_owned))
        };
        let values = after.iter().zip(before).map(known);
        let values = values.map(|value| value.unwrap_or(Value::Null));
        let mut values: Vec<Value<'static>> = values.collect();
        let is_computable = |at: usize| sought.computable.contains(&at);
        computed.refresh_where(&mut values, is_computable, coercion)?;
        for at in sought.changing {
            if let (Some(slot), Some(value)) = (after.get_mut(at), values.get_mut(at)) {
                *slot = Some(std::mem::replace(value, Value::Null));
            }
        }
        Ok(after)
    }

    fn not_computable(&self, generated: usize, read: usize) -> SqlError {
        let (generated, read) = (self.column(generated), self.column(read));
        let (database, table) = (&self.table.database, &self.table.name);
        SqlError::not_supported(format!(
            "A change of a row of '{database}.{table}' whose images have neither the generated column \
             `{generated}` nor `{read}`, of which it is computed; set binlog_row_image=FULL on the source; that"
        ))
    }

    /// Name of a column.
    fn column(&self, position: usize) -> &str {
        let column = self.table.columns.get(position);
        column.map_or("", |column| column.name.as_str())
    }
}

/// Positions of generated columns that the images of a change leave out.
struct Sought {
    /// Those whose values may change.
    changing: Vec<usize>,
    /// Those of which everything is known that they read, the changing ones among them.
    computable: Vec<usize>,
}

impl Sought {
    /// Error 1235 for one that may change and reads what is not known.
    fn new(
        images: &Images,
        computed: &Computed,
        before: &Image<'_>,
        after: &Image<'_>,
    ) -> Result<Self, SqlError> {
        let logged = |image: &Image<'_>, at: usize| image.get(at).is_some_and(Option::is_some);
        let (mut changing, mut computable) = (Vec::new(), Vec::new());
        for (position, reads) in computed.generated() {
            if logged(after, position) {
                continue;
            }
            let changes = |at: &usize| {
                changing.contains(at) || (logged(after, *at) && after.get(*at) != before.get(*at))
            };
            let is_known = |at: usize| match after.get(at) {
                Some(Some(Value::JsonDiffs(_))) => false,
                Some(Some(_)) => true,
                Some(None) | None => computable.contains(&at) || logged(before, at),
            };
            let unknown = reads.iter().find(|at| !is_known(**at));
            match (reads.iter().any(changes), unknown) {
                (true, Some(at)) => return Err(images.not_computable(position, *at)),
                (false, Some(_)) => continue,
                (true, None) => changing.push(position),
                (false, None) => {}
            }
            computable.push(position);
        }
        Ok(Self {
            changing,
            computable,
        })
    }
}

/// What computes generated columns.
fn computed(catalog: &Arc<Catalog>, table: &Arc<Table>) -> Result<(Computed, Coercion), SqlError> {
    // The source has accepted the row: nothing about it is an error here.
    let mut session = SessionContext::new(0);
    session.sql_mode = SqlMode::default();
    let computed = Computed::new(catalog, table, &session)?;
    Ok((computed, Coercion::new(&session, true, NullPolicy::Adjust)))
}
