//! The row of SHOW REPLICA STATUS.
//!
//! Columns, their order and their meaning: MySQL 8.4 Reference Manual, "SHOW REPLICA STATUS".

use engine::outcome::ResultColumn;

/// Everything SHOW REPLICA STATUS shows of a channel, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaStatus {
    /// `Replica_IO_State`: What the receiver does, in MySQL's words.
    pub receiver_state: String,
    /// `Source_Host`: Host.
    pub source_host: String,
    /// `Source_User`: User.
    pub source_user: String,
    /// `Source_Port`: Port.
    pub source_port: u64,
    /// `Connect_Retry`: Seconds between attempts.
    pub connect_retry: u64,
    /// `Source_Log_File`: Source file that the receiver reads.
    pub source_log_file: String,
    /// `Read_Source_Log_Pos`: Where it reads, in bytes.
    pub read_source_log_pos: u64,
    /// `Relay_Log_File`: Relay log file that the applier reads.
    pub relay_log_file: String,
    /// `Relay_Log_Pos`: Where it reads, in bytes.
    pub relay_log_pos: u64,
    /// `Relay_Source_Log_File`: Source file of the last applied transaction.
    pub relay_source_log_file: String,
    /// `Replica_IO_Running`: `Yes`, `No` or `Connecting`.
    pub receiver_running: String,
    /// `Replica_SQL_Running`: `Yes` or `No`.
    pub applier_running: String,
    /// `Replicate_Do_DB`.
    pub replicate_do_db: String,
    /// `Replicate_Ignore_DB`.
    pub replicate_ignore_db: String,
    /// `Replicate_Do_Table`.
    pub replicate_do_table: String,
    /// `Replicate_Ignore_Table`.
    pub replicate_ignore_table: String,
    /// `Replicate_Wild_Do_Table`.
    pub replicate_wild_do_table: String,
    /// `Replicate_Wild_Ignore_Table`.
    pub replicate_wild_ignore_table: String,
    /// `Last_Errno`.
    pub last_errno: u64,
    /// `Last_Error`.
    pub last_error: String,
    /// `Skip_Counter`.
    pub skip_counter: u64,
    /// `Exec_Source_Log_Pos`: Applied up to, in bytes.
    pub exec_source_log_pos: u64,
    /// `Relay_Log_Space`: Size of all relay logs in bytes.
    pub relay_log_space: u64,
    /// `Until_Condition`.
    pub until_condition: String,
    /// `Until_Log_File`.
    pub until_log_file: String,
    /// `Until_Log_Pos`.
    pub until_log_pos: u64,
    /// `Source_SSL_Allowed`.
    pub source_ssl_allowed: String,
    /// `Source_SSL_CA_File`.
    pub source_ssl_ca_file: String,
    /// `Source_SSL_CA_Path`.
    pub source_ssl_ca_path: String,
    /// `Source_SSL_Cert`.
    pub source_ssl_cert: String,
    /// `Source_SSL_Cipher`.
    pub source_ssl_cipher: String,
    /// `Source_SSL_Key`.
    pub source_ssl_key: String,
    /// `Seconds_Behind_Source`: MySQL's lag in seconds; None when a thread does not run.
    pub seconds_behind_source: Option<u64>,
    /// `Source_SSL_Verify_Server_Cert`.
    pub source_ssl_verify_server_cert: String,
    /// `Last_IO_Errno`.
    pub last_io_errno: u64,
    /// `Last_IO_Error`.
    pub last_io_error: String,
    /// `Last_SQL_Errno`.
    pub last_sql_errno: u64,
    /// `Last_SQL_Error`.
    pub last_sql_error: String,
    /// `Replicate_Ignore_Server_Ids`.
    pub replicate_ignore_server_ids: String,
    /// `Source_Server_Id`.
    pub source_server_id: u64,
    /// `Source_UUID`.
    pub source_uuid: String,
    /// `Source_Info_File`.
    pub source_info_file: String,
    /// `SQL_Delay`.
    pub sql_delay: u64,
    /// `SQL_Remaining_Delay`.
    pub sql_remaining_delay: Option<u64>,
    /// `Replica_SQL_Running_State`.
    pub applier_state: String,
    /// `Source_Retry_Count`.
    pub source_retry_count: u64,
    /// `Source_Bind`.
    pub source_bind: String,
    /// `Last_IO_Error_Timestamp`: `YYMMDD hh:mm:ss`, or empty.
    pub last_io_error_timestamp: String,
    /// `Last_SQL_Error_Timestamp`: `YYMMDD hh:mm:ss`, or empty.
    pub last_sql_error_timestamp: String,
    /// `Source_SSL_Crl`.
    pub source_ssl_crl: String,
    /// `Source_SSL_Crlpath`.
    pub source_ssl_crlpath: String,
    /// `Retrieved_Gtid_Set`.
    pub retrieved_gtid_set: String,
    /// `Executed_Gtid_Set`.
    pub executed_gtid_set: String,
    /// `Auto_Position`: 1 with GTID auto-position.
    pub auto_position: u64,
    /// `Replicate_Rewrite_DB`.
    pub replicate_rewrite_db: String,
    /// `Channel_Name`.
    pub channel_name: String,
    /// `Source_TLS_Version`.
    pub source_tls_version: String,
    /// `Source_public_key_path`.
    pub source_public_key_path: String,
    /// `Get_Source_public_key`.
    pub get_source_public_key: u64,
    /// `Network_Namespace`.
    pub network_namespace: String,
}

/// A cell of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StatusCell<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// NULL.
    Null,
}

/// Name in today's words, whether the column is text, and its length as MySQL reports it.
const COLUMNS: [(&str, bool, u32); 60] = [
    ("Replica_IO_State", true, 56),
    ("Source_Host", true, 1024),
    ("Source_User", true, 388),
    ("Source_Port", false, 8),
    ("Connect_Retry", false, 11),
    ("Source_Log_File", true, 2048),
    ("Read_Source_Log_Pos", false, 11),
    ("Relay_Log_File", true, 2048),
    ("Relay_Log_Pos", false, 11),
    ("Relay_Source_Log_File", true, 2048),
    ("Replica_IO_Running", true, 12),
    ("Replica_SQL_Running", true, 12),
    ("Replicate_Do_DB", true, 80),
    ("Replicate_Ignore_DB", true, 80),
    ("Replicate_Do_Table", true, 80),
    ("Replicate_Ignore_Table", true, 92),
    ("Replicate_Wild_Do_Table", true, 96),
    ("Replicate_Wild_Ignore_Table", true, 112),
    ("Last_Errno", false, 5),
    ("Last_Error", true, 80),
    ("Skip_Counter", false, 11),
    ("Exec_Source_Log_Pos", false, 11),
    ("Relay_Log_Space", false, 11),
    ("Until_Condition", true, 24),
    ("Until_Log_File", true, 2048),
    ("Until_Log_Pos", false, 11),
    ("Source_SSL_Allowed", true, 28),
    ("Source_SSL_CA_File", true, 2048),
    ("Source_SSL_CA_Path", true, 2048),
    ("Source_SSL_Cert", true, 2048),
    ("Source_SSL_Cipher", true, 2048),
    ("Source_SSL_Key", true, 2048),
    ("Seconds_Behind_Source", false, 11),
    ("Source_SSL_Verify_Server_Cert", true, 12),
    ("Last_IO_Errno", false, 5),
    ("Last_IO_Error", true, 80),
    ("Last_SQL_Errno", false, 5),
    ("Last_SQL_Error", true, 80),
    ("Replicate_Ignore_Server_Ids", true, 2048),
    ("Source_Server_Id", false, 9),
    ("Source_UUID", true, 144),
    ("Source_Info_File", true, 4096),
    ("SQL_Delay", false, 11),
    ("SQL_Remaining_Delay", false, 9),
    ("Replica_SQL_Running_State", true, 80),
    ("Source_Retry_Count", false, 11),
    ("Source_Bind", true, 1024),
    ("Last_IO_Error_Timestamp", true, 80),
    ("Last_SQL_Error_Timestamp", true, 80),
    ("Source_SSL_Crl", true, 2048),
    ("Source_SSL_Crlpath", true, 2048),
    ("Retrieved_Gtid_Set", true, 0),
    ("Executed_Gtid_Set", true, 168),
    ("Auto_Position", false, 9),
    ("Replicate_Rewrite_DB", true, 96),
    ("Channel_Name", true, 768),
    ("Source_TLS_Version", true, 2048),
    ("Source_public_key_path", true, 2048),
    ("Get_Source_public_key", false, 9),
    ("Network_Namespace", true, 772),
];

impl ReplicaStatus {
    /// The columns, in today's words or, with `legacy`, those of SHOW SLAVE STATUS.
    pub(crate) fn columns(legacy: bool) -> Vec<ResultColumn> {
        COLUMNS
            .iter()
            .map(|(name, is_text, length)| {
                let name = if legacy {
                    old_words(name)
                } else {
                    (*name).to_owned()
                };
                if *is_text {
                    let collation = &engine::collation::UTF8MB4_0900_AI_CI;
                    ResultColumn {
                        length: *length,
                        ..ResultColumn::text(name, collation, 0)
                    }
                } else {
                    ResultColumn {
                        length: *length,
                        ..ResultColumn::integer(name)
                    }
                }
            })
            .collect()
    }

    /// The cells in the order of the columns.
    pub(crate) fn cells(&self) -> Vec<StatusCell<'_>> {
        use StatusCell::{Number, Text};
        let optional = |value: Option<u64>| value.map_or(StatusCell::Null, Number);
        vec![
            Text(&self.receiver_state),
            Text(&self.source_host),
            Text(&self.source_user),
            Number(self.source_port),
            Number(self.connect_retry),
            Text(&self.source_log_file),
            Number(self.read_source_log_pos),
            Text(&self.relay_log_file),
            Number(self.relay_log_pos),
            Text(&self.relay_source_log_file),
            Text(&self.receiver_running),
            Text(&self.applier_running),
            Text(&self.replicate_do_db),
            Text(&self.replicate_ignore_db),
            Text(&self.replicate_do_table),
            Text(&self.replicate_ignore_table),
            Text(&self.replicate_wild_do_table),
            Text(&self.replicate_wild_ignore_table),
            Number(self.last_errno),
            Text(&self.last_error),
            Number(self.skip_counter),
            Number(self.exec_source_log_pos),
            Number(self.relay_log_space),
            Text(&self.until_condition),
            Text(&self.until_log_file),
            Number(self.until_log_pos),
            Text(&self.source_ssl_allowed),
            Text(&self.source_ssl_ca_file),
            Text(&self.source_ssl_ca_path),
            Text(&self.source_ssl_cert),
            Text(&self.source_ssl_cipher),
            Text(&self.source_ssl_key),
            optional(self.seconds_behind_source),
            Text(&self.source_ssl_verify_server_cert),
            Number(self.last_io_errno),
            Text(&self.last_io_error),
            Number(self.last_sql_errno),
            Text(&self.last_sql_error),
            Text(&self.replicate_ignore_server_ids),
            Number(self.source_server_id),
            Text(&self.source_uuid),
            Text(&self.source_info_file),
            Number(self.sql_delay),
            optional(self.sql_remaining_delay),
            Text(&self.applier_state),
            Number(self.source_retry_count),
            Text(&self.source_bind),
            Text(&self.last_io_error_timestamp),
            Text(&self.last_sql_error_timestamp),
            Text(&self.source_ssl_crl),
            Text(&self.source_ssl_crlpath),
            Text(&self.retrieved_gtid_set),
            Text(&self.executed_gtid_set),
            Number(self.auto_position),
            Text(&self.replicate_rewrite_db),
            Text(&self.channel_name),
            Text(&self.source_tls_version),
            Text(&self.source_public_key_path),
            Number(self.get_source_public_key),
            Text(&self.network_namespace),
        ]
    }
}

/// The column's name before MySQL 8.0.22: legacy words are for monitors that know no others.
fn old_words(name: &str) -> String {
    match name {
        "Get_Source_public_key" => "Get_master_public_key".to_owned(),
        "Source_public_key_path" => "Master_public_key_path".to_owned(),
        "Replica_IO_State" => "Slave_IO_State".to_owned(),
        name => name
            .replace("Replica_IO", "Slave_IO")
            .replace("Replica_SQL", "Slave_SQL")
            .replace("Source_", "Master_")
            .replace("_Source", "_Master"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_cell_in_both_vocabularies() {
        assert_eq!(ReplicaStatus::default().cells().len(), COLUMNS.len());
        let old: Vec<_> = ReplicaStatus::columns(true)
            .into_iter()
            .map(|c| c.name)
            .collect();
        for name in [
            "Master_Host",
            "Seconds_Behind_Master",
            "Slave_SQL_Running_State",
            "Relay_Master_Log_File",
            "Exec_Master_Log_Pos",
            "Master_UUID",
            "Slave_IO_Running",
        ] {
            assert!(old.iter().any(|column| column == name), "{name}");
        }
        assert!(!old.iter().any(|column| column.contains("Source")));
    }
}
