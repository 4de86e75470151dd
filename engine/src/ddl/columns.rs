//! Column definitions: type, nullability, default and attributes together.

use super::expression::{self, Purpose};
use super::types::{Defaults, check_members, column_type, fsp_of};
use super::{defaults, keys, types};
use crate::catalog::{Column, ColumnDefault, ColumnId, ColumnType, Generated, IntegerSize};
use crate::collation::Collation;
use crate::session::SessionContext;
use sql::ast::{CharsetSpec, ColumnAttributes, ColumnDefinition, DataType, DefaultValue};
use sql::error::SqlError;

/// Most characters of an identifier.
const NAME_CHARS_MAX: usize = 64;
const COMMENT_CHARS_MAX: usize = 1024;
/// InnoDB's own columns.
const ENGINE_COLUMNS: [&str; 3] = ["DB_ROW_ID", "DB_TRX_ID", "DB_ROLL_PTR"];
/// The column by which InnoDB finds rows in its full-text indexes.
const FULLTEXT_ROW_ID: &str = "FTS_DOC_ID";
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
    let drafted = draft(session, id, written, default_collation, is_first_timestamp)?;
    settle(session, written, drafted)
}

/// Builds the column but for its default: with the errors that MySQL finds while it reads the statement,
/// whatever table it is about.
pub(super) fn draft(
    session: &SessionContext,
    id: ColumnId,
    written: &ColumnDefinition,
    default_collation: &'static Collation,
    is_first_timestamp: bool,
) -> Result<DefinedColumn, SqlError> {
    let name = &written.name;
    check_length(name)?;
    let attributes = &written.attributes;
    if !session.applies_log {
        refuse_constraints(attributes)?;
    }
    let collation = attributes.collation.as_deref();
    let column_type = column_type(
        name,
        &written.data_type,
        collation,
        Defaults::new(session, default_collation),
    )?;
    if !session.applies_log {
        check_collation(&column_type, attributes)?;
    }
    let column_type = with_srid(session, column_type, attributes.srid)?;
    let is_serial = written.data_type == DataType::Serial;
    check_attributes(attributes, is_serial)?;
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
        shown: types::shown(&written.data_type),
        nullable: attributes.nullable.unwrap_or(default_nullable)
            && !attributes.primary_key
            && (!attributes.auto_increment || attributes.null_behind_auto_increment),
        has_explicit_collation: collation.is_some() || has_own_charset(&written.data_type),
        default: ColumnDefault::None,
        on_update_now: false,
        auto_increment,
        generated,
        invisible: attributes.invisible.unwrap_or(false),
        comment: within_names(attributes.comment.as_deref().unwrap_or_default()),
        storage: storage(attributes),
        column_type,
    };
    let default = default_of(attributes, auto_increment);
    defaults::check(session, &column, default)?;
    column.on_update_now = match attributes.on_update {
        Some(fsp) => on_update(&column, fsp)?,
        None => false,
    };
    if is_old_timestamp && !column.nullable && attributes.default.is_none() {
        let follows_clock = is_first_timestamp && attributes.on_update.is_none();
        old_timestamp_default(&mut column, follows_clock);
    }
    check_auto_increment(session, &column, default)?;
    Ok(DefinedColumn {
        unsafe_default: is_unsafe(session, name, attributes.default.as_ref())?,
        is_unique: attributes.unique || is_serial,
        is_primary: attributes.primary_key,
        is_explicitly_null: attributes.nullable == Some(true)
            || attributes.default == Some(DefaultValue::Null),
        column,
    })
}

/// Gives a drafted column its default. Errors are those that MySQL finds when it makes the table: names,
/// members, comments, values of defaults.
pub(super) fn settle(
    session: &SessionContext,
    written: &ColumnDefinition,
    mut drafted: DefinedColumn,
) -> Result<DefinedColumn, SqlError> {
    let column = &mut drafted.column;
    let attributes = &written.attributes;
    check_name(&column.name)?;
    check_members(&column.name, &column.column_type)?;
    let comment = attributes.comment.as_deref().unwrap_or_default();
    if comment.chars().count() > COMMENT_CHARS_MAX {
        let name = &column.name;
        return Err(SqlError::too_long_field_comment(name, COMMENT_CHARS_MAX));
    }
    check_engine_name(session, column)?;
    // The rule of old servers has given it one already.
    if column.default == ColumnDefault::None {
        let default = default_of(attributes, column.auto_increment);
        column.default = defaults::define(session, column, default)?;
    }
    Ok(drafted)
}

/// The default that is written: an AUTO_INCREMENT column may say that NULL is its.
fn default_of(attributes: &ColumnAttributes, auto_increment: bool) -> Option<&DefaultValue> {
    let default = attributes.default.as_ref();
    default.filter(|default| !auto_increment || **default != DefaultValue::Null)
}

/// Error 1235 for constraints of a column.
fn refuse_constraints(attributes: &ColumnAttributes) -> Result<(), SqlError> {
    match (attributes.checks.is_empty(), &attributes.references) {
        (false, _) => Err(SqlError::not_supported("CHECK constraint")),
        (true, Some(_)) => Err(SqlError::not_supported("FOREIGN KEY")),
        (true, None) => Ok(()),
    }
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

/// Attributes that cannot stand together or are not kept.
fn check_attributes(attributes: &ColumnAttributes, is_serial: bool) -> Result<(), SqlError> {
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
        for (option, _) in &attributes.others {
            match option.as_str() {
                "STORAGE" => return wrong("STORAGE"),
                "COLUMN_FORMAT" => return wrong("COLUMN_FORMAT"),
                _ => {}
            }
        }
    }
    match attributes
        .others
        .iter()
        .find(|(option, _)| option == "ENGINE_ATTRIBUTE")
    {
        Some((_, value)) => keys::engine_attribute(value),
        None => Ok(()),
    }?;
    let is_secondary = |(option, value): &&(String, String)| {
        option == "SECONDARY_ENGINE_ATTRIBUTE" && !value.is_empty()
    };
    match attributes.others.iter().find(is_secondary) {
        Some((option, _)) => Err(SqlError::not_supported(option)),
        None => Ok(()),
    }
}

/// STORAGE and COLUMN_FORMAT in the order of SHOW CREATE TABLE; the last of each counts.
fn storage(attributes: &ColumnAttributes) -> Vec<String> {
    let last = |name: &str| {
        let mut written = attributes.others.iter().rev();
        let (_, value) = written.find(|(option, _)| option == name)?;
        (value != "DEFAULT").then(|| format!("{name} {value}"))
    };
    let options = ["STORAGE", "COLUMN_FORMAT"];
    options.into_iter().filter_map(last).collect()
}

/// A comment as MySQL keeps it: in utf8mb3, which ends at U+FFFF.
pub(super) fn within_names(text: &str) -> String {
    let kept = |character| match u32::from(character) > 0xffff {
        true => '?',
        false => character,
    };
    text.chars().map(kept).collect()
}

/// Error 1253 for a collation of what is no text, 1273 for one that is not known, and 1064 for a second
/// one that is.
fn check_collation(
    column_type: &ColumnType,
    attributes: &ColumnAttributes,
) -> Result<(), SqlError> {
    let named = attributes.collation.as_deref();
    let Some(named) = named.map(crate::collation::served).transpose()? else {
        return Ok(());
    };
    if let Some((again, error)) = &attributes.repeated_collation {
        crate::collation::served(again)?;
        return Err(error.clone());
    }
    match column_type {
        ColumnType::Binary { .. }
        | ColumnType::Varbinary { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Json
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. }
            if !named.is_binary() =>
        {
            Err(SqlError::collation_charset_mismatch(named.name, "binary"))
        }
        _ => Ok(()),
    }
}

/// Error 1166 for the names of InnoDB's own columns, and for that of the full-text row id unless the
/// column is one.
fn check_engine_name(session: &SessionContext, column: &Column) -> Result<(), SqlError> {
    let name = &column.name;
    if session.applies_log {
        return Ok(());
    }
    let is_row_id = name == FULLTEXT_ROW_ID
        && !column.nullable
        && matches!(
            column.column_type,
            ColumnType::Integer {
                size: IntegerSize::Big,
                unsigned: true,
                ..
            }
        );
    match name.eq_ignore_ascii_case(FULLTEXT_ROW_ID) && !is_row_id {
        true => Err(SqlError::wrong_column_name(name)),
        false => Ok(()),
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
        | DataType::Set { charset, .. } => {
            let CharsetSpec {
                charset, collation, ..
            } = charset;
            charset.is_some() || collation.is_some()
        }
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

fn check_auto_increment(
    session: &SessionContext,
    column: &Column,
    default: Option<&DefaultValue>,
) -> Result<(), SqlError> {
    if !column.auto_increment {
        return Ok(());
    }
    match default {
        None => {}
        // MySQL takes these, shows neither, and gives every row the number.
        Some(DefaultValue::Bool(_)) => {
            let construct = "a default of an AUTO_INCREMENT column";
            return Err(SqlError::not_supported(construct));
        }
        Some(_) => return Err(SqlError::invalid_default(&column.name)),
    }
    match column.column_type {
        ColumnType::Integer { .. } => Ok(()),
        // Other servers and versions have such columns.
        ColumnType::Float { .. } | ColumnType::Double { .. } if session.applies_log => Ok(()),
        _ => Err(SqlError::wrong_field_spec(&column.name)),
    }
}

/// Errors 1059, 1166 and 1235.
pub(super) fn check_name(name: &str) -> Result<(), SqlError> {
    let is_of_engine = ENGINE_COLUMNS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name));
    if name.is_empty() || name.ends_with(' ') || is_of_engine {
        return Err(SqlError::wrong_column_name(name));
    }
    check_characters(name)?;
    check_length(name)
}

/// Error 1059.
fn check_length(name: &str) -> Result<(), SqlError> {
    match name.chars().count() > NAME_CHARS_MAX {
        true => Err(SqlError::too_long_ident(name)),
        false => Ok(()),
    }
}

/// Error 1235 for a name with a character beyond U+FFFF, in whose place MySQL writes a question mark.
pub(super) fn check_characters(name: &str) -> Result<(), SqlError> {
    match name.chars().any(|character| u32::from(character) > 0xffff) {
        true => Err(SqlError::not_supported(
            "a name with characters beyond U+FFFF",
        )),
        false => Ok(()),
    }
}
