//! The registry of event types: code, constant, name in the manual and name in SHOW BINLOG EVENTS.
//!
//! An event type is an integer, not an enum, so that one this build does not know survives a round
//! trip.

use std::borrow::Cow;
use std::fmt;

/// Type code of an event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(
    /// The code as written in the header.
    pub u8,
);

macro_rules! event_types {
    ($($code:literal $name:ident $(= $text:literal)? $shown:literal)*) => {
        impl EventType {
            $(
                #[doc = concat!("Type ", $code, ", `", $shown, "` in SHOW BINLOG EVENTS.")]
                pub const $name: Self = Self($code);
            )*

            /// Every type this build can name.
            pub const KNOWN: &'static [Self] = &[$(Self::$name),*];

            /// The type's name, for instance `WRITE_ROWS`; `UNKNOWN` for a type without one.
            ///
            /// MariaDB's `GTID` is a type of its own but has the name of MySQL's.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($code => event_types!(@name $name $($text)?),)*
                    _ => "UNKNOWN",
                }
            }

            /// The name that SHOW BINLOG EVENTS prints, for instance `Write_rows`.
            #[must_use]
            pub const fn show_name(self) -> &'static str {
                match self.0 {
                    $($code => $shown,)*
                    _ => "Unknown",
                }
            }
        }
    };
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $text:literal) => { $text };
}

event_types! {
    1 START_V3 "Start_v3"
    2 QUERY "Query"
    3 STOP "Stop"
    4 ROTATE "Rotate"
    5 INTVAR "Intvar"
    6 LOAD "Load"
    7 SOURCE_POSITION = "SLAVE" "Slave" // legacy name of the format, never written today
    8 CREATE_FILE "Create_file"
    9 APPEND_BLOCK "Append_block"
    10 EXEC_LOAD "Exec_load"
    11 DELETE_FILE "Delete_file"
    12 NEW_LOAD "New_load"
    13 RAND "RAND"
    14 USER_VAR "User var"
    15 FORMAT_DESCRIPTION "Format_desc"
    16 XID "Xid"
    17 BEGIN_LOAD_QUERY "Begin_load_query"
    18 EXECUTE_LOAD_QUERY "Execute_load_query"
    19 TABLE_MAP "Table_map"
    20 PRE_GA_WRITE_ROWS "Write_rows_event_old"
    21 PRE_GA_UPDATE_ROWS "Update_rows_event_old"
    22 PRE_GA_DELETE_ROWS "Delete_rows_event_old"
    23 WRITE_ROWS_V1 "Write_rows_v1"
    24 UPDATE_ROWS_V1 "Update_rows_v1"
    25 DELETE_ROWS_V1 "Delete_rows_v1"
    26 INCIDENT "Incident"
    27 HEARTBEAT "Heartbeat"
    28 IGNORABLE "Ignorable"
    29 ROWS_QUERY "Rows_query"
    30 WRITE_ROWS "Write_rows"
    31 UPDATE_ROWS "Update_rows"
    32 DELETE_ROWS "Delete_rows"
    33 GTID "Gtid"
    34 ANONYMOUS_GTID "Anonymous_Gtid"
    35 PREVIOUS_GTIDS "Previous_gtids"
    36 TRANSACTION_CONTEXT "Transaction_context"
    37 VIEW_CHANGE "View_change"
    38 XA_PREPARE "XA_prepare"
    39 PARTIAL_UPDATE_ROWS "Update_rows_partial"
    40 TRANSACTION_PAYLOAD "Transaction_payload"
    41 HEARTBEAT_V2 "Heartbeat"
    42 GTID_TAGGED "Gtid_tagged_log_event"
    160 ANNOTATE_ROWS "Annotate_rows"
    161 BINLOG_CHECKPOINT "Binlog_checkpoint"
    162 MARIADB_GTID = "GTID" "Gtid"
    163 MARIADB_GTID_LIST = "GTID_LIST" "Gtid_list"
    164 START_ENCRYPTION "Start_encryption"
    165 QUERY_COMPRESSED "Query_compressed"
    166 WRITE_ROWS_COMPRESSED_V1 "Write_rows_compressed_v1"
    167 UPDATE_ROWS_COMPRESSED_V1 "Update_rows_compressed_v1"
    168 DELETE_ROWS_COMPRESSED_V1 "Delete_rows_compressed_v1"
    169 WRITE_ROWS_COMPRESSED "Write_rows_compressed"
    170 UPDATE_ROWS_COMPRESSED "Update_rows_compressed"
    171 DELETE_ROWS_COMPRESSED "Delete_rows_compressed"
    172 PARTIAL_ROW_DATA "Partial_row_data"
}

impl EventType {
    /// Type 0, which no event has.
    pub const UNKNOWN: Self = Self(0);

    /// The type's name; `UNKNOWN_n` with its code for a type without one.
    #[must_use]
    pub fn label(self) -> Cow<'static, str> {
        if self.is_known() || self == Self::UNKNOWN {
            Cow::Borrowed(self.name())
        } else {
            Cow::Owned(format!("UNKNOWN_{}", self.0))
        }
    }

    /// Whether this build can name the type.
    #[must_use]
    pub fn is_known(self) -> bool {
        Self::KNOWN.contains(&self)
    }

    /// Whether the type is one of those that only MariaDB writes.
    #[must_use]
    pub const fn is_mariadb(self) -> bool {
        self.0 >= Self::ANNOTATE_ROWS.0
    }

    /// Whether an event of this type begins a transaction by its GTID.
    #[must_use]
    pub const fn is_gtid(self) -> bool {
        matches!(
            self,
            Self::GTID | Self::ANONYMOUS_GTID | Self::GTID_TAGGED | Self::MARIADB_GTID
        )
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
