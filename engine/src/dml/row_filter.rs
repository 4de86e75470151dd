//! Conditions on the rows of a log: `replicate_row_filter`.
//!
//! A condition may say what the expression of a generated column may: literals, the row's columns, and
//! functions that give the same for the same row; anything else is refused by MySQL's error. It is
//! evaluated under one session, in UTC, with the collations of the columns. What is not true, NULL
//! too, does not admit a row.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use binlog::row::{Column as MapColumn, ColumnType as Code, Row, TableMap};
use binlog::value::Value;

use super::computed::kept_expression;
use super::row::{Extras, RowExpression};
use crate::catalog::{
    BlobSize, Catalog, Column, ColumnDefault, ColumnId, ColumnType, IntegerSize, Table, TableId,
    TableOptions,
};
use crate::collation::{self, BINARY, Collation};
use crate::ddl::deterministic;
use crate::expr::bind::{Binder, Place, Scope};
use crate::expr::env::Env;
use crate::select::base_relation;
use crate::session::{SessionContext, TimeZone};
use sql::ast::Expression;
use sql::error::SqlError;

/// A condition on the rows of one table.
#[derive(Debug)]
pub struct RowFilter {
    table: Arc<Table>,
    expression: RowExpression,
    env: Rc<Env>,
    /// Positions of the columns that it reads.
    reads: Vec<usize>,
}

/// The text of a condition as MySQL would keep it, and the columns that it names.
///
/// # Errors
/// 1064 for what is no expression; those of a generated column for what may not stand there.
pub fn check(text: &str) -> Result<(String, Vec<String>), SqlError> {
    let expr = kept_expression(text)?;
    let expression = Expression {
        expr,
        text: text.to_owned(),
    };
    deterministic(&session(), "replicate_row_filter", &expression)
}

/// All conditions are evaluated under the same session.
fn session() -> SessionContext {
    let mut session = SessionContext::new(0);
    session.time_zone = TimeZone::utc();
    session
}

impl RowFilter {
    /// Reads a condition for the rows of `map`, of which names, signs and collations are known.
    ///
    /// # Errors
    /// As [`check`]; 1054 for a column that the table does not have; 1235 for one whose values are not
    /// compared here, or of which too little is known.
    pub fn new(text: &str, map: &TableMap<'_>) -> Result<Self, SqlError> {
        let (text, names) = check(text)?;
        let table = Arc::new(table_of(map));
        let mut reads = Vec::new();
        for name in names {
            let (position, column) = table.require_column(&name, "replicate_row_filter")?;
            if map.columns.get(position).and_then(type_of).is_none() {
                let what = format!(
                    "column '{}' in replicate_row_filter: of its type, or without its collation,",
                    column.name
                );
                return Err(SqlError::not_supported(what));
            }
            reads.push(position);
        }
        let (catalog, session) = (Arc::new(Catalog::default()), session());
        let mut binder = Binder::new(&catalog, &session, &[], "", Env::of_write(&session, true));
        binder.is_kept = true;
        let scope = Scope {
            relations: vec![base_relation(
                &table,
                &table.name,
                "t",
                0,
                Some(table.database.clone()),
            )],
            ..Scope::default()
        };
        let condition = kept_expression(&format!("({text}) IS TRUE"))?;
        let node = binder.bind(&condition, &scope, Place::FIELDS)?;
        let mut extras = Extras::new();
        let expression = RowExpression::new(node, table.columns.len(), &mut extras);
        if !extras.is_empty() {
            return Err(SqlError::not_supported(
                "a subquery in replicate_row_filter",
            ));
        }
        Ok(Self {
            table,
            expression,
            env: Rc::clone(&binder.env),
            reads,
        })
    }

    /// Whether the condition holds for an image, whose columns that it lacks have the values of
    /// `otherwise`. `None` for an image that lacks a column all the same, which the error names.
    ///
    /// # Errors
    /// The name of a column that is missing; what MySQL says of values that the condition cannot take.
    pub fn admits(&self, image: &Row<'_>, otherwise: &Row<'_>) -> Result<bool, NotDecided> {
        let mut values = vec![Value::Null; self.table.columns.len()];
        for position in &self.reads {
            let value = |row: &Row<'_>| {
                let value = row.get(*position)?.as_ref()?;
                Some(value.borrowed().into_owned())
            };
            let found = value(image).or_else(|| value(otherwise));
            let (Some(found), Some(slot)) = (found, values.get_mut(*position)) else {
                let column = self.table.columns.get(*position);
                let name = column.map_or("", |column| column.name.as_str());
                return Err(NotDecided::Missing(name.to_owned()));
            };
            *slot = found;
        }
        let (table, env) = (&self.table, &self.env);
        let held = self.expression.eval(table, &values, &[], &[], env);
        drop(env.take_warnings());
        Ok(held?.to_truth() == Some(true))
    }
}

/// Why a condition was not decided.
#[derive(Debug)]
pub enum NotDecided {
    /// The image lacks this column.
    Missing(String),
    /// The values cannot be taken.
    Error(SqlError),
}

impl From<SqlError> for NotDecided {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

/// The table as far as conditions need it.
fn table_of(map: &TableMap<'_>) -> Table {
    let columns = map.columns.iter().zip(0..).map(|(column, id)| Column {
        id: ColumnId(id),
        name: column.name.as_deref().unwrap_or_default().to_owned(),
        // One that no condition names is whatever it is.
        column_type: type_of(column).unwrap_or(ColumnType::Json),
        shown: None,
        has_explicit_collation: false,
        nullable: true,
        default: ColumnDefault::None,
        on_update_now: false,
        auto_increment: false,
        generated: None,
        invisible: false,
        comment: String::new(),
        storage: Vec::new(),
    });
    Table {
        id: TableId(0),
        database: map.schema.clone().into_owned(),
        name: map.table.clone().into_owned(),
        columns: columns.collect(),
        keys: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        partitioning: None,
        collation: &BINARY,
        comment: String::new(),
        options: TableOptions::default(),
        next_column_id: 0,
        next_key_id: 0,
    }
}

/// The type of a logged column; `None` for one whose values conditions do not take.
fn type_of(column: &MapColumn<'_>) -> Option<ColumnType> {
    let integer = |size| {
        Some(ColumnType::Integer {
            size,
            unsigned: column.unsigned?,
            zerofill: false,
            width: None,
        })
    };
    let fsp = u8::try_from(column.metadata).ok();
    match column.real_type() {
        Code::TINY => integer(IntegerSize::Tiny),
        Code::SHORT => integer(IntegerSize::Small),
        Code::INT24 => integer(IntegerSize::Medium),
        Code::LONG => integer(IntegerSize::Int),
        Code::LONGLONG => integer(IntegerSize::Big),
        Code::NEWDECIMAL => {
            let [precision, scale] = column.metadata.to_be_bytes();
            Some(ColumnType::Decimal {
                precision,
                scale,
                unsigned: column.unsigned?,
                zerofill: false,
            })
        }
        Code::FLOAT => Some(ColumnType::Float {
            digits: None,
            unsigned: column.unsigned?,
            zerofill: false,
        }),
        Code::DOUBLE => Some(ColumnType::Double {
            digits: None,
            unsigned: column.unsigned?,
            zerofill: false,
        }),
        Code::BIT => {
            let [bytes, bits] = column.metadata.to_be_bytes();
            let width = bytes.checked_mul(8)?.checked_add(bits)?;
            Some(ColumnType::Bit { width })
        }
        Code::YEAR => Some(ColumnType::Year),
        Code::DATE | Code::NEWDATE => Some(ColumnType::Date),
        Code::TIME => Some(ColumnType::Time { fsp: 0 }),
        Code::DATETIME => Some(ColumnType::DateTime { fsp: 0 }),
        Code::TIMESTAMP => Some(ColumnType::Timestamp { fsp: 0 }),
        Code::TIME2 => Some(ColumnType::Time { fsp: fsp? }),
        Code::DATETIME2 => Some(ColumnType::DateTime { fsp: fsp? }),
        Code::TIMESTAMP2 => Some(ColumnType::Timestamp { fsp: fsp? }),
        Code::STRING
        | Code::VARCHAR
        | Code::VAR_STRING
        | Code::BLOB
        | Code::VARCHAR_COMPRESSED
        | Code::BLOB_COMPRESSED => text_type(column),
        Code::ENUM => Some(ColumnType::Enum {
            members: members(column)?,
            collation: collation_of(column)?,
        }),
        Code::SET => Some(ColumnType::Set {
            members: members(column)?,
            collation: collation_of(column)?,
        }),
        _ => None,
    }
}

fn collation_of(column: &MapColumn<'_>) -> Option<&'static Collation> {
    collation::by_id(column.charset?)
}

fn members(column: &MapColumn<'_>) -> Option<Arc<[String]>> {
    let charset = collation_of(column)?.charset;
    let members = column.members.as_ref()?.iter();
    members
        .map(|member| Some(charset.decode(member).ok()?.into_owned()))
        .collect()
}

fn text_type(column: &MapColumn<'_>) -> Option<ColumnType> {
    let collation = collation_of(column)?;
    let width = u16::from(collation.charset.bytes_per_char_max()).max(1);
    let is_bytes = collation.is_binary();
    Some(match column.real_type() {
        Code::BLOB | Code::BLOB_COMPRESSED => {
            let size = match column.metadata {
                1 => BlobSize::Tiny,
                2 => BlobSize::Normal,
                3 => BlobSize::Medium,
                _ => BlobSize::Long,
            };
            match is_bytes {
                true => ColumnType::Blob { size },
                false => ColumnType::Text { size, collation },
            }
        }
        Code::STRING => {
            let length = u8::try_from(column.string_len_max() / width).ok()?;
            match is_bytes {
                true => ColumnType::Binary { length },
                false => ColumnType::Char { length, collation },
            }
        }
        _ => {
            let length = column.metadata / width;
            match is_bytes {
                true => ColumnType::Varbinary { length },
                false => ColumnType::Varchar { length, collation },
            }
        }
    })
}

/// The map with what it leaves out of its columns and `known` says, column by column from the first.
#[must_use]
pub fn completed(map: &TableMap<'static>, known: &[MapColumn<'static>]) -> TableMap<'static> {
    let mut map = map.clone();
    for (column, known) in map.columns.iter_mut().zip(known) {
        let name = known.name.clone().map(Cow::into_owned).map(Cow::Owned);
        column.name = column.name.take().or(name);
        column.charset = column.charset.or(known.charset);
        column.members = column.members.take().or_else(|| known.members.clone());
        if column.is_numeric() {
            column.unsigned = column.unsigned.or(known.unsigned);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> TableMap<'static> {
        let named = |mut column: MapColumn<'static>, name: &'static str| {
            column.name = Some(Cow::Borrowed(name));
            column
        };
        let mut id = named(MapColumn::new(Code::LONG, 0, false), "id");
        id.unsigned = Some(false);
        let mut region = named(MapColumn::new(Code::VARCHAR, 40, true), "region");
        // utf8mb4_0900_ai_ci
        region.charset = Some(255);
        let document = named(MapColumn::new(Code::JSON, 4, true), "document");
        TableMap::new(7, "d", "t", vec![id, region, document])
    }

    fn row(id: i64, region: Option<&'static str>) -> Row<'static> {
        let text = |text: &'static str| Value::Bytes(Cow::Borrowed(text.as_bytes()));
        vec![
            Some(Value::Int(id)),
            Some(region.map_or(Value::Null, text)),
            None,
        ]
    }

    /// As `SELECT condition IS TRUE` of MySQL 9.7.
    #[test]
    fn a_condition_is_mysqls_and_null_is_not_true() {
        for (condition, id, region, expected) in [
            ("region = 'eu'", 1, Some("EU"), true),
            ("region = 'eu'", 1, Some("us"), false),
            ("region = 'eu'", 1, None, false),
            ("NOT region = 'eu'", 1, None, false),
            ("region <=> NULL", 1, None, true),
            ("region IN ('eu', 'us') AND id % 2 = 1", 3, Some("us"), true),
            ("region LIKE 'E%' OR id BETWEEN 5 AND 7", 7, None, true),
            ("id", 2, None, true),
            ("CRC32(id) % 2 = 1 XOR id > 1", 1, None, true),
            ("region COLLATE utf8mb4_bin = 'eu'", 1, Some("EU"), false),
        ] {
            let filter = RowFilter::new(condition, &map()).unwrap();
            let found = filter.admits(&row(id, region), &Row::new()).unwrap();
            assert_eq!(found, expected, "{condition} for {id}, {region:?}");
        }
    }

    #[test]
    fn what_is_not_of_the_row_alone_is_refused() {
        for (condition, code) in [
            ("id > RAND()", 3763),
            ("id = (SELECT 1)", 3102),
            ("id = @a", 3772),
            ("region = USER()", 3763),
            ("id >", 1064),
            ("other = 1", 1054),
            ("document = '1'", 1235),
        ] {
            let refused = RowFilter::new(condition, &map()).unwrap_err();
            assert_eq!(refused.code, code, "{condition}: {}", refused.message);
        }
    }

    #[test]
    fn an_image_without_a_column_of_the_condition_does_not_decide() {
        let filter = RowFilter::new("region = 'eu'", &map()).unwrap();
        let key: Row<'_> = vec![Some(Value::Int(1)), None, None];
        let missing = filter.admits(&key, &Row::new());
        assert!(matches!(missing, Err(NotDecided::Missing(name)) if name == "region"));
        assert!(filter.admits(&key, &row(1, Some("eu"))).unwrap());
    }
}
