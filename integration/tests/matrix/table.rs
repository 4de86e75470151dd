//! The table in `docs/COMPATIBILITY.md`.

use std::fmt::Write as _;

use integration::failure::ensure;
use integration::peers::workspace;
use integration::{Failure, Result};

use super::cell::Target;

const FILE: &str = "docs/COMPATIBILITY.md";
const BEGIN: &str =
    "<!-- matrix: written by `WEIR_WRITE_DOCS=1`, integration/tests/matrix.rs -->\n";
const END: &str = "<!-- end of matrix -->\n";

/// What was seen of one source.
pub(crate) struct Row {
    /// Its name.
    pub(crate) source: &'static str,
    /// A cell for each target.
    pub(crate) cells: Vec<String>,
}

/// Fails unless the document has what was seen, or writes it.
pub(crate) fn check(rows: &[Row]) -> Result {
    let path = workspace().join(FILE);
    let document = std::fs::read_to_string(&path)?;
    let missing = || Failure::new(format!("{FILE} has no place for the matrix"));
    let (before, rest) = document.split_once(BEGIN).ok_or_else(missing)?;
    let (there, after) = rest.split_once(END).ok_or_else(missing)?;
    let seen = text(rows)?;
    if std::env::var_os("WEIR_WRITE_DOCS").is_some() {
        let written = [before, BEGIN, &seen, END, after].concat();
        std::fs::write(&path, written)?;
        return Ok(());
    }
    ensure(seen == there, || {
        format!("{FILE} says\n{there}\nand this was seen:\n{seen}")
    })
}

fn text(rows: &[Row]) -> Result<String> {
    let mut out = String::from("| source |");
    for target in Target::ALL {
        write!(out, " {} |", target.name())?;
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(Target::ALL.len()));
    out.push('\n');
    for row in rows {
        writeln!(out, "| {} | {} |", row.source, row.cells.join(" | "))?;
    }
    Ok(out)
}
