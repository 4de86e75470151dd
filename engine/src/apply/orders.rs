//! Collations of a log whose order is not kept: strings compare by the nearest kept rule.

use std::collections::BTreeSet;

use crate::collation::Collation;
use crate::ddl::existing;
use crate::execute::Writer;
use crate::session::SessionContext;
use sql::ast::Ddl;

/// The orders of the columns of the table that a definition is about, as far as they are not kept.
pub(super) fn not_kept(
    writer: &Writer,
    ddl: &Ddl,
    session: &SessionContext,
) -> BTreeSet<&'static str> {
    let name = match ddl {
        Ddl::CreateTable(create) => &create.name,
        Ddl::AlterTable(alter) => &alter.table,
        // A database's default is that of no string.
        Ddl::CreateDatabase { .. }
        | Ddl::AlterDatabase { .. }
        | Ddl::DropDatabase { .. }
        | Ddl::DropTable { .. }
        | Ddl::DropView { .. }
        | Ddl::TruncateTable(_)
        | Ddl::CreateIndex(_)
        | Ddl::DropIndex { .. }
        | Ddl::RenameTable(_) => return BTreeSet::new(),
    };
    // It may have got another name.
    let Ok(table) = existing(writer, name, session) else {
        return BTreeSet::new();
    };
    let columns = table.columns.iter();
    let collations = columns.filter_map(|column| column.column_type.collation());
    collations.filter_map(Collation::not_kept).collect()
}
