//! What a session says: outcomes, errors and its state, as packets.

use std::sync::Arc;

use engine::collation::Charset;
use engine::outcome::{Outcome, ResultSet};
use protocol::{Capabilities, ErrPacket, OkPacket, status};
use sql::error::SqlError;

use super::Session;
use crate::result::{self, RowFormat};
use crate::variables::VariableValue;

impl Session {
    /// Sends what a statement came to.
    pub(super) async fn answer(
        &mut self,
        result: Result<Outcome, SqlError>,
        format: RowFormat,
        more: bool,
    ) -> Result<(), protocol::Error> {
        let more = if more { status::MORE_RESULTS_EXISTS } else { 0 };
        let streamed = std::mem::take(&mut self.is_streaming);
        match result {
            Ok(Outcome::Rows(rows)) => {
                let status = self.status() | more;
                let charset = self.context.character_set_results;
                let warnings = self.announced_warnings;
                let process = Arc::clone(&self.registered.process);
                let connection = &mut self.connection;
                if !streamed {
                    result::send_columns(connection, &rows.columns, charset, status);
                }
                let sending = result::send_rows(connection, &rows, format, charset);
                tokio::select! {
                    sent = sending => sent?,
                    () = process.killed() => return Err(protocol::Error::Closed),
                }
                self.connection.finish_result_set(status, warnings);
                Ok(())
            }
            Ok(outcome) => {
                self.send_ok(&outcome, more != 0);
                Ok(())
            }
            Err(error) => {
                self.connection.send_err(&packet(&error));
                Ok(())
            }
        }
    }

    /// Sends rows of a result that goes on; the first ones follow the columns. `status` is the
    /// session's, which is away with the query.
    pub(super) async fn send_part(
        &mut self,
        part: ResultSet,
        charset: Option<Charset>,
        status: u16,
    ) -> Result<(), protocol::Error> {
        let process = Arc::clone(&self.registered.process);
        let connection = &mut self.connection;
        if !std::mem::replace(&mut self.is_streaming, true) {
            result::send_columns(connection, &part.columns, charset, status);
        }
        tokio::select! {
            sent = result::send_rows(connection, &part, self.format, charset) => sent,
            () = process.killed() => Err(protocol::Error::Closed),
        }
    }

    pub(super) fn send_ok(&mut self, outcome: &Outcome, more: bool) {
        let status = self.status() | if more { status::MORE_RESULTS_EXISTS } else { 0 };
        let warnings = self.announced_warnings;
        let gtids = self.tracked_gtids();
        let ok = match outcome {
            Outcome::Ok {
                affected,
                last_insert_id,
                info,
                ..
            } => OkPacket {
                affected_rows: *affected,
                last_insert_id: *last_insert_id,
                status,
                warnings,
                info: info.clone(),
                gtids,
            },
            Outcome::Rows(_) => OkPacket {
                status,
                warnings,
                gtids,
                ..OkPacket::default()
            },
        };
        self.connection.send_ok(&ok);
    }

    /// What `session_track_gtids` has the next OK say: of the session's own transactions those that
    /// were not told, or all of the server's, unless a transaction is open.
    fn tracked_gtids(&self) -> Option<String> {
        let own = self.context.committed.take();
        let tracks = self.connection.capabilities();
        if !tracks.has(Capabilities::SESSION_TRACK) {
            return None;
        }
        let Some(VariableValue::Text(mode)) = self.variables.get("session_track_gtids") else {
            return None;
        };
        let gtids = match mode.as_str() {
            "OWN_GTID" => own,
            "ALL_GTIDS" if !self.transaction.is_open() => self.node.role.gtid_executed(),
            _ => return None,
        };
        (!gtids.is_empty()).then(|| gtids.to_string())
    }

    pub(super) fn status(&self) -> u16 {
        let mut flags = 0;
        if self.is_autocommit() {
            flags |= status::AUTOCOMMIT;
        }
        if self.transaction.is_open() {
            flags |= status::IN_TRANS;
            if self.transaction.is_read_only {
                flags |= status::IN_TRANS_READONLY;
            }
        }
        if self
            .context
            .sql_mode
            .contains(sql::SqlMode::NO_BACKSLASH_ESCAPES)
        {
            flags |= status::NO_BACKSLASH_ESCAPES;
        }
        flags
    }
}

/// An error for the wire.
pub(super) fn packet(error: &SqlError) -> ErrPacket {
    let mut state = *b"HY000";
    if let Ok(own) = <[u8; 5]>::try_from(error.state.as_bytes()) {
        state = own;
    }
    ErrPacket::new(error.code, &state, error.message.clone())
}
