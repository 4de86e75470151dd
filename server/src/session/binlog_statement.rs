//! BINLOG '...': events of a log, replayed by a client.
//!
//! The format description that comes first is kept in the session; the row events behind it are
//! executed where writes run, as the rows of one statement of the session's transaction, and logged
//! again as this server's.

use std::sync::Arc;

use binlog::value::Value;
use engine::apply::binlog_events;
use engine::outcome::Outcome;
use sql::Parsed;
use sql::ast::PrepareSource;
use sql::error::SqlError;

use super::Session;
use crate::accounts::Privilege;
use crate::executor::TransactionMode;

impl Session {
    pub(super) async fn replay_events(
        &mut self,
        parsed: &Arc<Parsed>,
        pieces: &[PrepareSource],
    ) -> Result<Outcome, SqlError> {
        let may = [Privilege::Super, Privilege::BinlogAdmin];
        if !may.iter().any(|privilege| self.account.has(*privilege)) {
            let names = "SUPER, BINLOG_ADMIN or REPLICATION_APPLIER";
            return Err(SqlError::specific_access_denied(names));
        }
        let mut bytes = Vec::new();
        for piece in pieces {
            let text = match piece {
                PrepareSource::Text(text) => text.clone(),
                PrepareSource::Variable(name) => {
                    let value = self.context.user_variables.get(name);
                    let text = value.and_then(engine::value::sourced::Sourced::to_text);
                    text.unwrap_or_default().into_bytes()
                }
            };
            bytes.extend(text);
        }
        let events = decode_base64(&bytes).ok_or_else(SqlError::base64_decode)?;
        let found = binlog_events(&events, self.context.binlog_format)?;
        if !found.has_rows {
            self.context.binlog_format = found.format;
            return Ok(Outcome::done());
        }
        self.open_implicitly();
        let mode = match self.is_in_transaction() {
            true => TransactionMode::InTransaction,
            false => TransactionMode::Autocommit,
        };
        let parameters = vec![Value::Bytes(events.into())];
        let outcome = self.at_executor(parsed, parameters, mode).await?;
        self.context.binlog_format = found.format;
        Ok(outcome)
    }
}

/// The bytes that base 64 text stands for; blanks and line feeds do not count. Each event may be
/// padded by itself.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut symbols = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    loop {
        let mut group = [0_u8; 4];
        let mut len = 0;
        let mut padding = 0;
        for slot in &mut group {
            match symbols.next() {
                Some(b'=') if len > 1 => padding += 1,
                Some(symbol) if padding == 0 => {
                    *slot = six_bits(*symbol)?;
                    len += 1;
                }
                Some(_) => return None,
                None if len == 0 => return Some(out),
                None => return None,
            }
        }
        let [a, b, c, d] = group;
        let bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        out.extend(bytes.iter().take(3 - padding));
    }
}

const fn six_bits(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol - b'A'),
        b'a'..=b'z' => Some(symbol - b'a' + 26),
        b'0'..=b'9' => Some(symbol - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode_base64;

    #[test]
    fn decodes_as_the_standard_shows_and_refuses_everything_else() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9v\nYg==\n", "foob"),
            (" Zm9v YmFy ", "foobar"),
            ("Zg==\nZm9v\nYg==", "ffoob"),
        ] {
            assert_eq!(
                decode_base64(text.as_bytes()).as_deref(),
                Some(bytes.as_bytes())
            );
        }
        assert_eq!(decode_base64(b"/+++"), Some(vec![0xff, 0xef, 0xbe]));
        for text in [
            "Z",
            "Zg",
            "Zg=",
            "Zg==Zg",
            "Zg=a",
            "Z===",
            "====",
            "!!!!",
            "Zm9\u{fc}",
        ] {
            assert_eq!(decode_base64(text.as_bytes()), None, "{text}");
        }
    }
}
