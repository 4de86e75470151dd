//! What a dump says of the moment it is from.
//!
//! Forms: mysqldump 5.6 to 9.7 (`SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '…'`,
//! `CHANGE MASTER TO MASTER_LOG_FILE='…', MASTER_LOG_POS=…`, `CHANGE REPLICATION SOURCE TO
//! SOURCE_LOG_FILE=…`), mariadb-dump (`SET GLOBAL gtid_slave_pos='…'`), each also commented out, and
//! mydumper's `metadata`.

mod metadata;

use std::io::{self, BufRead};

use binlog::log::SourceCoordinates;
use binlog::transaction::Executed;
use metadata::Metadata;

/// Bytes of a dump that are looked at: these statements stand in front of the first table.
const HEAD: u64 = 4 << 20;

/// The moment that a dump is from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Base {
    /// What was executed.
    pub executed: Option<Executed>,
    /// Where the log stood.
    pub position: Option<SourceCoordinates>,
}

impl Base {
    /// Reads the head of a dump.
    ///
    /// # Errors
    /// When it cannot be read, or a statement that should say it makes no sense.
    pub fn read(dump: impl BufRead) -> io::Result<Self> {
        let mut base = Self::default();
        // A statement goes on over lines, as long sets do.
        let mut statement = String::new();
        let (mut file, mut offset) = (None, None);
        let mut metadata = None;
        for (number, line) in dump.take(HEAD).split(b'\n').enumerate() {
            let line = String::from_utf8_lossy(&line?).into_owned();
            if number == 0 && metadata::is_begun_by(&line) {
                metadata = Some(Metadata::default());
            }
            if let Some(metadata) = &mut metadata {
                metadata.take(&line);
                continue;
            }
            if line.starts_with("CREATE TABLE") || line.starts_with("INSERT INTO") {
                break;
            }
            statement.push_str(line.trim_start_matches("--"));
            statement.push(' ');
            if !line.trim_end().ends_with(';') {
                if line.trim().is_empty() || line.trim() == "--" {
                    statement.clear();
                }
                continue;
            }
            let whole = std::mem::take(&mut statement);
            let upper = whole.to_ascii_uppercase();
            if upper.contains("GTID_PURGED") || upper.contains("GTID_SLAVE_POS") {
                let quoted: Vec<&str> = whole.split('\'').skip(1).step_by(2).collect();
                let set = quoted.into_iter().find(|part| *part != "+");
                base.executed_of(set.unwrap_or_default())?;
            } else if upper.contains("CHANGE MASTER TO")
                || upper.contains("CHANGE REPLICATION SOURCE TO")
            {
                file = assigned(&whole, "LOG_FILE").or(file);
                offset = assigned(&whole, "LOG_POS").and_then(|value| value.parse().ok());
            }
        }
        if let Some(metadata) = metadata {
            return metadata.end();
        }
        if let (Some(file), Some(offset)) = (file, offset) {
            base.position = Some(SourceCoordinates { file, offset });
        }
        Ok(base)
    }

    fn executed_of(&mut self, text: &str) -> io::Result<()> {
        let text: String = text.split_whitespace().collect();
        let damaged = || {
            let text = format!("the dump's GTIDs '{text}' make no sense");
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        let mut executed = Executed::default();
        match text.parse() {
            Ok(mariadb) => executed.mariadb = mariadb,
            Err(_) => executed.mysql = text.parse().map_err(|_| damaged())?,
        }
        self.executed = Some(executed);
        Ok(())
    }
}

/// What a name that ends in `name` is set to.
fn assigned(statement: &str, name: &str) -> Option<String> {
    let at = statement.to_ascii_uppercase().find(name)?;
    let rest = statement.get(at + name.len()..)?.trim_start();
    let rest = rest.strip_prefix('=')?.trim_start();
    let value = match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next()?,
        None => rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?,
    };
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dump: &str) -> Base {
        Base::read(dump.as_bytes()).unwrap()
    }

    #[test]
    fn mysqldump_says_what_was_executed_and_where_the_log_stood() {
        let base = read(
            "-- MySQL dump 10.13  Distrib 9.7.4\n\
             --\n-- GTID state at the beginning of the backup\n--\n\n\
             SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n\
             4e11fa47-71ca-11e1-9e33-c80aa9429562:1-7';\n\n\
             --\n-- Position to start replication or point-in-time recovery from\n--\n\n\
             -- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000003', SOURCE_LOG_POS=157;\n\
             CREATE TABLE `t` (\n",
        );
        let executed = base.executed.unwrap();
        assert_eq!(executed.mysql.count(), 12);
        let position = base.position.unwrap();
        assert_eq!(
            (position.file.as_str(), position.offset),
            ("binlog.000003", 157)
        );
    }

    #[test]
    fn mariadb_dump_says_it_in_its_own_words() {
        let base = read(
            "-- MariaDB dump 10.19\n--\n\
             -- Preferably use GTID to start replication from GTID position:\n\n\
             -- CHANGE MASTER TO MASTER_USE_GTID=slave_pos;\n\
             -- SET GLOBAL gtid_slave_pos='0-1-5';\n\
             CHANGE MASTER TO MASTER_LOG_FILE='m.000001', MASTER_LOG_POS=342;\n",
        );
        assert_eq!(base.executed.unwrap().mariadb.to_string(), "0-1-5");
        assert_eq!(base.position.unwrap().offset, 342);
    }
}
