//! The `metadata` that mydumper writes beside the tables of a dump.
//!
//! Only what it says of the dumped server counts: of a replica it names, in a part of its own, the place
//! in the logs of its source.
//!
//! Forms: until 0.13 a part `SHOW MASTER STATUS:` with `Log:`, `Pos:` and `GTID:`; then sections, of
//! which `[master]`, later `[source]`, has `File`, `Position` and `Executed_Gtid_Set`, or
//! `SOURCE_LOG_FILE`, `SOURCE_LOG_POS` and `executed_gtid_set`, in quotes and partly commented out.

use std::io;

use binlog::log::SourceCoordinates;

use super::Base;

/// Whether a file that begins with this line is one.
pub(super) fn is_begun_by(line: &str) -> bool {
    let line = line.trim_start_matches(['#', ' ']);
    line.starts_with("Started dump at:")
        || (line.starts_with('[') && line.trim_end().ends_with(']'))
}

/// What is read of it, line by line.
#[derive(Default)]
pub(super) struct Metadata {
    /// Whether the lines are of the dumped server itself.
    is_own: bool,
    /// Whether the line in front of this one is of a set of GTIDs that may go on.
    is_in_set: bool,
    file: Option<String>,
    offset: Option<u64>,
    gtids: String,
}

impl Metadata {
    pub(super) fn take(&mut self, line: &str) {
        let text = line.trim();
        if let Some(section) = text.strip_prefix('[') {
            let section = section.trim_end_matches(']').to_ascii_lowercase();
            self.is_own = ["master", "source"].contains(&section.as_str());
        } else if text.starts_with("SHOW ") && text.ends_with(':') {
            self.is_own = text == "SHOW MASTER STATUS:" || text == "SHOW BINARY LOG STATUS:";
        }
        if !self.is_own {
            return;
        }
        let was_in_set = std::mem::take(&mut self.is_in_set);
        let text = text.trim_start_matches(['#', ' ']);
        let Some((name, value)) = text.split_once(['=', ':']) else {
            return;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        match name.trim().to_ascii_lowercase().as_str() {
            "log" | "file" | "source_log_file" => self.file = Some(value.to_owned()),
            "pos" | "position" | "source_log_pos" => self.offset = value.parse().ok(),
            "gtid" | "executed_gtid_set" => {
                self.is_in_set = true;
                // What its C library prints for nothing.
                value.trim_matches(['(', ')']).clone_into(&mut self.gtids);
                if self.gtids == "null" {
                    self.gtids.clear();
                }
            }
            // `uuid:1-5,` on a line of its own.
            _ if was_in_set && self.gtids.ends_with(',') => {
                self.is_in_set = true;
                self.gtids.push_str(text);
            }
            _ => {}
        }
    }

    pub(super) fn end(self) -> io::Result<Base> {
        let mut base = Base::default();
        if !self.gtids.is_empty() {
            base.executed_of(&self.gtids)?;
        }
        if let (Some(file), Some(offset)) = (self.file, self.offset)
            && !file.is_empty()
        {
            base.position = Some(SourceCoordinates { file, offset });
        }
        Ok(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Base {
        Base::read(text.as_bytes()).unwrap()
    }

    fn place(base: &Base) -> (&str, u64) {
        let position = base.position.as_ref().unwrap();
        (position.file.as_str(), position.offset)
    }

    /// As 0.10 writes it of a MariaDB that is a replica.
    #[test]
    fn the_older_form_tells_the_place_of_the_dumped_server_and_not_of_its_source() {
        let base = read(
            "Started dump at: 2026-11-30 13:11:28\n\
             SHOW MASTER STATUS:\n\tLog: binlog.000002\n\tPos: 544\n\tGTID:0-1-4\n\n\
             SHOW SLAVE STATUS:\n\tHost: 10.0.0.1\n\tLog: other.000009\n\tPos: 4711\n\tGTID:0-2-9\n\n\
             Finished dump at: 2026-11-30 13:11:28\n",
        );
        assert_eq!(place(&base), ("binlog.000002", 544));
        assert_eq!(base.executed.unwrap().mariadb.to_string(), "0-1-4");
    }

    #[test]
    fn a_set_that_goes_on_over_lines_is_read_whole() {
        let base = read(
            "Started dump at: 2026-11-30 13:11:28\n\
             SHOW MASTER STATUS:\n\tLog: b.000001\n\tPos: 4\n\
             \tGTID:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n\
             4e11fa47-71ca-11e1-9e33-c80aa9429562:1-7\n\n\
             Finished dump at: 2026-11-30 13:11:28\n",
        );
        assert_eq!(base.executed.unwrap().mysql.count(), 12);
    }

    /// As docs/files.rst of mydumper shows it.
    #[test]
    fn sections_tell_it_in_settings() {
        let base = read(
            "# Started dump at: 2023-06-09 11:47:18\n\
             [master]\n\
             # Channel_Name = '' # It can be use to setup replication FOR CHANNEL\n\
             File = mydumper1-bin.000017\nPosition = 241149225\n\
             Executed_Gtid_Set = 7b166a41-65a2-11ed-9de3-0800275ff74d:1-5,\
             7b166a41-65a2-11ed-9de3-0800275ff74e:1-7\n\n\
             [`sakila`.`store`]\nRows = 2\nFile = no.000001\n\n\
             [`sakila`]\nschema_checksum = FDF2173B\n\
             # Finished dump at: 2023-06-09 11:47:18\n",
        );
        assert_eq!(place(&base), ("mydumper1-bin.000017", 241_149_225));
        assert_eq!(base.executed.unwrap().mysql.count(), 12);
    }

    /// As its option --source-data has it written.
    #[test]
    fn places_that_are_commented_out_count_and_those_of_a_replica_do_not() {
        let base = read(
            "# Started dump at: 2026-11-30 13:11:28\n\
             [config]\nquote-character = BACKTICK\n\n\
             [source]\n# Channel_Name = '' # It can be use to setup replication FOR CHANNEL\n\
             #SOURCE_HOST = \"h\"\n#SOURCE_PORT = \n#SOURCE_SSL = {0|1}\n\
             executed_gtid_set = \"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5\"\n\
             SOURCE_AUTO_POSITION = 1\n\
             #SOURCE_LOG_FILE = \"b.000003\"\n#SOURCE_LOG_POS = 157\n\
             myloader_exec_reset_replica = 0\n\n\
             [replication]\nFile = other.000009\nPosition = 4711\nExecuted_Gtid_Set = 0-2-9\n",
        );
        assert_eq!(place(&base), ("b.000003", 157));
        assert_eq!(base.executed.unwrap().mysql.count(), 5);
    }

    #[test]
    fn a_server_without_gtids_or_without_a_log_says_less() {
        let base = read("[master]\nFile = b.000009\nPosition = 44\nExecuted_Gtid_Set = \n");
        assert_eq!(
            (base.executed.is_none(), place(&base)),
            (true, ("b.000009", 44))
        );
        let base = read("[source]\nFile = b.000009\nPosition = 44\nExecuted_Gtid_Set = (null)\n");
        assert_eq!(base.executed, None);
        let base = read("Started dump at: 2026-11-30 13:11:28\nFinished dump at: 2026-11-30\n");
        assert_eq!(base, Base::default());
    }
}
