//! `ANNOTATE_ROWS_EVENT` (MariaDB): text of the statement whose rows follow.
//!
//! Spec: mariadb-server 11.8, sql/log_event.h, `Annotate_rows_log_event`.

use codec::{Reader, Write};

/// | offset | size | field |
/// |-------:|-----:|-------|
/// |      0 | rest | `sql` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnnotateRows<'a> {
    /// The statement, in the client's charset.
    pub sql: &'a [u8],
}

impl<'a> AnnotateRows<'a> {
    /// Decodes the body.
    #[must_use]
    pub fn decode(mut reader: Reader<'a>) -> Self {
        let sql = reader.rest();
        Self { sql }
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put(self.sql);
    }
}
