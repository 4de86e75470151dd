//! What MySQL refuses of a CREATE TABLE while it reads it, before it looks for the table.
//!
//! A statement that creates nothing, for the table is there, is logged all the same: replicas read it,
//! and stop at what they cannot read. So it must be as free of such faults as any other.

use std::sync::Arc;

use super::{build, like};
use crate::catalog::ColumnId;
use crate::collation::Collation;
use crate::ddl::columns::draft;
use crate::ddl::options::Site;
use crate::ddl::{keys, options, qualified};
use crate::execute::Writer;
use crate::session::SessionContext;
use sql::ast::{CreateTableSource, IndexDefinition, KeyPartTarget, TableElement};
use sql::error::SqlError;

/// What MySQL says only of a table that it makes, of its columns, its keys, and all of it.
const LATER: [u16; 34] = [
    1031, 1050, 1054, 1059, 1060, 1061, 1067, 1068, 1069, 1070, 1071, 1072, 1073, 1075, 1089, 1097,
    1113, 1117, 1118, 1166, 1167, 1170, 1171, 1280, 1291, 1367, 1628, 1629, 1688, 3105, 3106, 3107,
    3152, 3505,
];
/// The same of expressions, and of the rest.
const LATER_STILL: [u16; 8] = [3109, 3522, 3728, 3766, 3767, 3768, 3854, 4028];

/// Checks the statement by itself. Errors of what is written of columns and keys; 1066 and 1146 for
/// LIKE.
pub(super) fn check(
    writer: &Writer,
    session: &SessionContext,
    (database, name): (&str, &str),
    source: &CreateTableSource,
) -> Result<(), SqlError> {
    let elements = match source {
        CreateTableSource::Like(original) => {
            if qualified(original, session)? == (database, name) {
                return Err(SqlError::nonuniq_table(name));
            }
            return like(writer, session, original).map(drop);
        }
        CreateTableSource::Definition { elements, .. } => elements,
    };
    let known = writer.catalog().database(database);
    let collation = known.map_or(session.collation_server, |known| known.collation);
    for element in elements {
        session.interrupt.check()?;
        match element {
            TableElement::Column(written) => {
                draft(session, ColumnId(0), written, collation, false)?;
            }
            TableElement::Index(index) => keys::check_written(index)?,
            TableElement::ForeignKey(_) | TableElement::Check(_) => {}
        }
    }
    Ok(())
}

/// Checks a definition that is not used, for the table is there: what no table could be of is refused,
/// and by name what is not read to the end.
pub(super) fn check_unused(
    writer: &Writer,
    session: &mut SessionContext,
    subject: (&str, &str),
    default: &'static Collation,
    source: &CreateTableSource,
) -> Result<(), SqlError> {
    let CreateTableSource::Definition {
        elements,
        options: written,
        select,
    } = source
    else {
        return Ok(());
    };
    if select.is_some() {
        return Err(SqlError::not_supported("CREATE TABLE ... SELECT"));
    }
    let warnings = session.warnings.len();
    options::check_unused(session, Site::Create(subject.1), written)?;
    for element in elements {
        match element {
            TableElement::Check(_) => return Err(SqlError::not_supported("CHECK constraint")),
            TableElement::Index(index) => refuse_unread(index)?,
            TableElement::Column(_) | TableElement::ForeignKey(_) => {}
        }
    }
    let catalog = Arc::clone(writer.catalog());
    let built = build(&catalog, session, subject, default, elements, written);
    session.warnings.truncate(warnings);
    match built {
        Err(error) if !LATER.contains(&error.code) && !LATER_STILL.contains(&error.code) => {
            Err(error)
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Error 1235 for parts of a key that are expressions, and parsers of its words.
fn refuse_unread(index: &IndexDefinition) -> Result<(), SqlError> {
    let is_expression = |target: &KeyPartTarget| !matches!(target, KeyPartTarget::Column { .. });
    if index.parts.iter().any(|part| is_expression(&part.target)) {
        return Err(SqlError::not_supported("functional index"));
    }
    match index.options.parser {
        Some(_) => Err(SqlError::not_supported("WITH PARSER")),
        None => Ok(()),
    }
}
