//! Column definitions: type, nullability, default and attributes together.

use super::defaults;
use super::expression::{self, Purpose};
use super::types::{Defaults, column_type, fsp_of};
use crate::catalog::{Column, ColumnDefault, ColumnId, ColumnType, Generated};
use crate::collation::Collation;
use crate::session::SessionContext;
use sql::ast::{CharsetSpec, ColumnAttributes, ColumnDefinition, DataType, DefaultValue};
use sql::error::SqlError;

/// Most characters of an identifier.
const NAME_CHARS_MAX: usize = 64;
const COMMENT_CHARS_MAX: usize = 1024;
/// The spatial reference systems that are known to exist: none, Web Mercator, WGS 84.
const SRIDS: [u32; 3] = [0, 3857, 4326];

/// A column with what its definition says about keys.
pub(super) struct DefinedColumn {
    pub(super) column: Column,
    pub(super) is_unique: bool,
    pub(super) is_primary: bool,
    /// Whether a replica that adds the column would get other defaults in its rows.
    pub(super) unsafe_default: bool,
    /// Whether NULL was written out, which a primary key forbids.
    pub(super) is_explicitly_null: bool,
}

/// Builds the column of a definition. `is_first_timestamp` matters only to old servers' rule that
/// the first TIMESTAMP follows the clock.
pub(super) fn define(
    session: &SessionContext,
    id: ColumnId,
    written: &ColumnDefinition,
    default_collation: &'static Collation,
    is_first_timestamp: bool,
) -> Result<DefinedColumn, SqlError> {
    let name = &written.name;
    check_name(name)?;
    let attributes = &written.attributes;
    if !attributes.checks.is_empty() {
        return Err(SqlError::not_supported("CHECK constraint"));
    }
    if attributes.references.is_some() {
        return Err(SqlError::not_supported("FOREIGN KEY"));
    }
    let collation = attributes.collation.as_deref();
    let column_type = column_type(
        name,
        &written.data_type,
        collation,
        Defaults::new(session, default_collation),
    )?;
    let column_type = with_srid(session, column_type, attributes.srid)?;
    let is_serial = written.data_type == DataType::Serial;
    check_attributes(name, attributes, is_serial)?;
    let generated = generated(session, name, attributes.generated.as_ref())?;
    let auto_increment = attributes.auto_increment || is_serial;
    // Without explicit_defaults_for_timestamp a TIMESTAMP is NOT NULL unless it says NULL.
    let is_old_timestamp = matches!(column_type, ColumnType::Timestamp { .. })
        && !session.explicit_defaults_for_timestamp;
    let default_nullable =
        !(attributes.primary_key || auto_increment || is_serial || is_old_timestamp);
    let mut column = Column {
        id,
        name: name.clone(),
        nullable: attributes.nullable.unwrap_or(default_nullable) && !attributes.primary_key,
        has_explicit_collation: collation.is_some() || has_own_charset(&written.data_type),
        default: ColumnDefault::None,
        on_update_now: false,
        auto_increment,
        generated,
        invisible: attributes.invisible.unwrap_or(false),
        comment: attributes.comment.clone().unwrap_or_default(),
        column_type,
    };
    column.default = defaults::define(session, &column, attributes.default.as_ref())?;
    column.on_update_now = match attributes.on_update {
        Some(fsp) => on_update(&column, fsp)?,
        None => false,
    };
    if is_old_timestamp && !column.nullable && attributes.default.is_none() {
        let follows_clock = is_first_timestamp && attributes.on_update.is_none();
        old_timestamp_default(&mut column, follows_clock);
    }
    check_auto_increment(&column, attributes.default.is_some())?;
    Ok(DefinedColumn {
        unsafe_default: is_unsafe(session, name, attributes.default.as_ref())?,
        is_unique: attributes.unique || is_serial,
        is_primary: attributes.primary_key,
        is_explicitly_null: attributes.nullable == Some(true)
            || attributes.default == Some(DefaultValue::Null),
        column,
    })
}

/// Whether rows that are there would get other defaults on a replica.
fn is_unsafe(
    session: &SessionContext,
    name: &str,
    default: Option<&DefaultValue>,
) -> Result<bool, SqlError> {
    let Some(DefaultValue::Expression(expression)) = default else {
        return Ok(false);
    };
    let written = expression::written(session, name, Purpose::Default, expression)?;
    Ok(written.unsafe_function.is_some())
}

/// The expression of a generated column as it is kept.
fn generated(
    session: &SessionContext,
    name: &str,
    written: Option<&sql::ast::Generated>,
) -> Result<Option<Generated>, SqlError> {
    let Some(written) = written else {
        return Ok(None);
    };
    let kept = expression::written(session, name, Purpose::Generated, &written.expression)?;
    Ok(Some(Generated {
        expression: kept.text,
        stored: written.stored,
    }))
}

/// Attributes that cannot stand together, are too long, or are not kept.
fn check_attributes(
    name: &str,
    attributes: &ColumnAttributes,
    is_serial: bool,
) -> Result<(), SqlError> {
    if attributes.generated.is_some() {
        let wrong = |what| Err(SqlError::wrong_usage(what, "generated column"));
        if is_serial {
            return wrong("SERIAL");
        }
        if attributes.default.is_some() {
            return wrong("DEFAULT");
        }
        if attributes.auto_increment {
            return wrong("AUTO_INCREMENT");
        }
        if attributes.on_update.is_some() {
            return wrong("ON UPDATE");
        }
    }
    let comment = attributes.comment.as_deref().unwrap_or_default();
    if comment.chars().count() > COMMENT_CHARS_MAX {
        return Err(SqlError::too_long_field_comment(name, COMMENT_CHARS_MAX));
    }
    match attributes
        .others
        .iter()
        .find(|(option, _)| option == "ENGINE_ATTRIBUTE")
    {
        Some((_, value)) if !value.is_empty() => {
            Err(SqlError::engine_attribute_not_supported("InnoDB"))
        }
        _ => Ok(()),
    }
}

/// The type of a column for whose values a spatial reference system was written.
fn with_srid(
    session: &SessionContext,
    column_type: ColumnType,
    srid: Option<u64>,
) -> Result<ColumnType, SqlError> {
    let Some(srid) = srid else {
        return Ok(column_type);
    };
    let ColumnType::Geometry { kind, .. } = column_type else {
        return Err(SqlError::wrong_usage("SRID", "non-geometry column"));
    };
    // Which others exist is a table of thousands that only a MySQL server has.
    let known = u32::try_from(srid)
        .ok()
        .filter(|srid| session.applies_log || SRIDS.contains(srid));
    match known {
        Some(srid) => Ok(ColumnType::Geometry {
            kind,
            srid: Some(srid),
        }),
        None => Err(SqlError::not_supported("SRID other than 0, 3857 and 4326")),
    }
}

/// Whether a character set was written behind the type.
fn has_own_charset(written: &DataType) -> bool {
    match written {
        DataType::Char { charset, .. }
        | DataType::VarChar { charset, .. }
        | DataType::Text { charset, .. }
        | DataType::Enum { charset, .. }
        | DataType::Set { charset, .. } => *charset != CharsetSpec::default(),
        _ => false,
    }
}

fn old_timestamp_default(column: &mut Column, follows_clock: bool) {
    if follows_clock {
        column.default = ColumnDefault::CurrentTimestamp;
        column.on_update_now = true;
    } else {
        column.default = ColumnDefault::Literal("0000-00-00 00:00:00".to_owned());
    }
}

fn on_update(column: &Column, fsp: u32) -> Result<bool, SqlError> {
    let wrong = || SqlError::invalid_on_update(&column.name);
    let is_moment = matches!(
        column.column_type,
        ColumnType::DateTime { .. } | ColumnType::Timestamp { .. }
    );
    if !is_moment || fsp_of(&column.name, Some(fsp))? != column.column_type.fsp() {
        return Err(wrong());
    }
    Ok(true)
}

fn check_auto_increment(column: &Column, has_default: bool) -> Result<(), SqlError> {
    if !column.auto_increment {
        return Ok(());
    }
    if has_default {
        return Err(SqlError::invalid_default(&column.name));
    }
    match column.column_type {
        ColumnType::Integer { .. } | ColumnType::Float { .. } | ColumnType::Double { .. } => Ok(()),
        _ => Err(SqlError::wrong_field_spec(&column.name)),
    }
}

/// Errors 1059 and 1166.
pub(super) fn check_name(name: &str) -> Result<(), SqlError> {
    if name.is_empty() || name.ends_with(' ') {
        return Err(SqlError::wrong_column_name(name));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(SqlError::too_long_ident(name));
    }
    Ok(())
}
