//! The command line of `weir binlog`.

use std::path::PathBuf;

use binlog::transaction::TransactionGtid;
use clap::{Args, Subcommand, ValueEnum};
use inspect::filter::{Filter, GtidChoice, parse_gtid};
use inspect::find::KeyPart;

#[derive(Debug, Subcommand)]
pub(crate) enum BinlogCommand {
    /// Print every event, and with --rows every changed row.
    Show(Box<ShowArguments>),
    /// Read files to the last value and say everything that is wrong; exit code 1 if anything is.
    ///
    /// Checks sizes, checksums, positions, the fields of every event, every value of every row,
    /// that transactions begin and end where they may and are as long as they say, and that no GTID
    /// is there twice. Files of one log (same directory and base name, in the order given) are
    /// judged as one history too: none missing, doubled or out of order, and each begins with the
    /// GTIDs where the one before ends. The last one may still be in use.
    Verify(VerifyArguments),
    /// Count events, transactions, rows and bytes; by table, and the transactions that stand out.
    ///
    /// One pass in bounded memory. A damaged file is counted up to the damage, and the exit code is
    /// then 1.
    Stats(Box<StatsArguments>),
    /// Show what happened when: transactions and rows by minute, table and kind; what stands out has a
    /// `!` in front.
    ///
    /// A line stands out when one of its transactions changes at least 100 rows and ten times as many as
    /// transactions usually do to the table in this way: a DELETE without WHERE.
    Timeline(Box<TimelineArguments>),
    /// Find transactions, and what happened to a table or a row; exit code 1 if nothing is found.
    ///
    /// By GTID, time and position: the transactions, with their tables and row counts. With --table:
    /// its row events and the statements that name it. With --table and --key: every change of one
    /// row, its history. Files that cannot hold a wanted GTID are passed over by their heads.
    Find(Box<FindArguments>),
    /// Write the part of a log that is asked for as a binlog of its own.
    ///
    /// Whole transactions only, with the head of their source: PREVIOUS_GTIDS (MariaDB: GTID_LIST)
    /// grown by what was passed over in front of them. Positions, lengths and checksums are those of
    /// the new file, which is plain even where the source is encrypted. With --database or --table,
    /// other rows and statements are left out; a transaction that loses everything stays as an empty
    /// one under its GTID. An existing file is never overwritten.
    Cut(Box<CutArguments>),
    /// Measure how fast files are read: headers and checksums only, rows found, values borrowed,
    /// values owned, and JSON written to nowhere.
    Bench(BenchArguments),
}

/// What is read: the same for every subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArguments {
    /// Binlog or relay log files, in the order they are to be read; a quoted pattern
    /// ('binlog.*', sorted by number); an index (binlog.index), which stands for the files it
    /// lists; - for standard input; or a server,
    /// `mysql://user[:password]@host[:port][/FILE]`: that file of it, or all its files. Passwords are better in $MYSQL_PWD, --password-file or asked
    /// for (--password): other users can see command lines.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Keys of files that MySQL encrypted: the file of component_keyring_file (JSON).
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring: Option<PathBuf>,
    /// Keys of files that MariaDB encrypted: the file of file_key_management (id;key lines).
    #[arg(long, value_name = "FILE")]
    pub(crate) file_key: Option<PathBuf>,
    /// Of a server: the files behind the named one too.
    #[arg(long)]
    pub(crate) to_last_log: bool,
    /// Of a server: wait for more at the end of its log, and connect again when the connection
    /// breaks. Implies --to-last-log.
    #[arg(long)]
    pub(crate) stop_never: bool,
    /// The server id to be known by with --stop-never; by default one made of the process id.
    #[arg(long, value_name = "ID")]
    pub(crate) connection_server_id: Option<u32>,
    /// File whose first line is the password for URLs without one.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Ask for the password at the terminal.
    #[arg(short, long, conflicts_with = "password_file")]
    pub(crate) password: bool,
}

/// What the log leaves open.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct SchemaArguments {
    /// Names of columns, members of ENUM and SET, primary keys and what else a log with minimal
    /// metadata leaves open: from a server, `mysql://user@host[:port]`, or from a file, a dump of
    /// mysqldump or mariadb-dump or CREATE TABLE statements. A table that is laid out otherwise in the
    /// log is refused.
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) schema: Option<String>,
}

/// What of it is asked for. MySQL's names, where mysqlbinlog has the option.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filter")]
pub(crate) struct FilterArguments {
    /// Only rows and statements of this database; may be repeated.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) database: Vec<String>,
    /// Only rows and statements of this table; may be repeated.
    #[arg(short = 'T', long, value_name = "DB.TABLE", value_parser = table_name)]
    pub(crate) table: Vec<(String, String)>,
    /// Only these transactions: a MySQL GTID set, MariaDB GTIDs (0-1-5) and runs (0-1-5:9), by
    /// commas.
    #[arg(long, visible_alias = "gtid", value_name = "GTIDS", value_parser = gtids)]
    pub(crate) include_gtids: Vec<GtidChoice>,
    /// Not these transactions.
    #[arg(long, value_name = "GTIDS", value_parser = gtids)]
    pub(crate) exclude_gtids: Vec<GtidChoice>,
    /// Only transactions whose first event is of this second or later: '2026-11-21 05:00:00', in
    /// UTC as all times are shown, '2026-11-21 05:00:00+02:00', or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) start_datetime: Option<u32>,
    /// End in front of the first transaction whose first event is of this second or later.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) stop_datetime: Option<u32>,
    /// Only events at this offset of the first file or behind it.
    #[arg(short = 'j', long, value_name = "OFFSET")]
    pub(crate) start_position: Option<u64>,
    /// End in front of the first event at this offset of the last file or behind it.
    #[arg(long, value_name = "OFFSET")]
    pub(crate) stop_position: Option<u64>,
    /// Only this transaction and those behind it.
    #[arg(long, value_name = "GTID", value_parser = gtid)]
    pub(crate) start_gtid: Option<TransactionGtid>,
    /// End behind this transaction.
    #[arg(long, value_name = "GTID", value_parser = gtid)]
    pub(crate) stop_gtid: Option<TransactionGtid>,
}

impl FilterArguments {
    /// What they ask for.
    pub(crate) fn filter(&self) -> Filter {
        let union = |choices: &[GtidChoice]| {
            choices.iter().fold(GtidChoice::default(), |mut all, one| {
                all.union(one.clone());
                all
            })
        };
        Filter {
            databases: self.database.clone(),
            tables: self.table.clone(),
            include_gtids: (!self.include_gtids.is_empty()).then(|| union(&self.include_gtids)),
            exclude_gtids: union(&self.exclude_gtids),
            start_datetime: self.start_datetime,
            stop_datetime: self.stop_datetime,
            start_position: self.start_position,
            stop_position: self.stop_position,
            start_gtid: self.start_gtid,
            stop_gtid: self.stop_gtid,
        }
    }
}

pub(super) fn table_name(text: &str) -> Result<(String, String), String> {
    let (schema, table) = text
        .split_once('.')
        .ok_or("expected DATABASE.TABLE, for instance shop.orders")?;
    let bare = |name: &str| {
        name.strip_prefix('`')
            .and_then(|name| name.strip_suffix('`'))
            .map_or_else(|| name.to_owned(), |name| name.replace("``", "`"))
    };
    Ok((bare(schema), bare(table)))
}

pub(super) fn gtids(text: &str) -> Result<GtidChoice, String> {
    text.parse()
        .map_err(|error: gtid::ParseError| error.to_string())
}

fn gtid(text: &str) -> Result<TransactionGtid, String> {
    parse_gtid(text).map_err(|error| error.to_string())
}

/// Reads a point in time as seconds since 1970.
fn moment(text: &str) -> Result<u32, String> {
    let refuse = || {
        format!(
            "'{text}' is no point in time; write '2026-11-21 05:00:00' or '2026-11-21 05:00' \
             (UTC), '2026-11-21 05:00:00+02:00', or seconds since 1970 such as 1795237200"
        )
    };
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A year or a date without its dashes would be a moment of 1970.
        let seconds: Option<u32> = text.parse().ok();
        return seconds
            .filter(|&seconds| seconds >= 100_000_000)
            .ok_or_else(refuse);
    }
    let timestamp = match text.parse::<jiff::Timestamp>() {
        Ok(timestamp) => timestamp,
        Err(_) => text
            .parse::<jiff::civil::DateTime>()
            .and_then(|moment| moment.to_zoned(jiff::tz::TimeZone::UTC))
            .map_err(|_| refuse())?
            .timestamp(),
    };
    u32::try_from(timestamp.as_second())
        .map_err(|_| "binlogs know times from 1970 to 2106 only".to_owned())
}

#[derive(Debug, Args)]
#[command(
    after_help = "The JSON objects and both forms of SQL are described in docs/BINLOG.md.\n\
                        Replay: weir binlog show --sql binlog.000007 | mysql --binary-mode"
)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) schema: SchemaArguments,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Also print changed rows; with --sql, as comments.
    #[arg(short = 'v', long, visible_alias = "verbose", help_heading = "Options")]
    pub(crate) rows: bool,
    /// One JSON object per event, rows included.
    #[arg(long, conflicts_with = "sql", help_heading = "Options")]
    pub(crate) json: bool,
    /// SQL that the mysql client replays: rows as BINLOG statements, or as INSERT, UPDATE and
    /// DELETE, which needs the names of columns.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "binlog", help_heading = "Options")]
    pub(crate) sql: Option<SqlFormName>,
    /// Long statements and values whole, not cut and not as digests.
    #[arg(long, visible_alias = "full", help_heading = "Options")]
    pub(crate) full_values: bool,
    /// SQL without GTIDs: transactions get new ones where they are replayed.
    #[arg(long, requires = "sql", help_heading = "Options")]
    pub(crate) skip_gtids: bool,
    /// SQL: where the files of LOAD DATA statements are written.
    #[arg(long, requires = "sql", value_name = "DIR", help_heading = "Options")]
    pub(crate) load_files: Option<PathBuf>,
    /// SQL: a column that the server computes, which INSERT and UPDATE leave out; may be repeated.
    #[arg(
        long,
        requires = "sql",
        value_name = "DB.TABLE.COLUMN",
        help_heading = "Options"
    )]
    pub(crate) generated_column: Vec<String>,
    /// Copy the files of a server byte by byte into --result-dir instead of showing them. A copy that
    /// was broken off goes on where it ended.
    #[arg(long, requires = "result_dir", help_heading = "Options")]
    pub(crate) raw: bool,
    /// The directory for --raw.
    #[arg(long, value_name = "DIR", requires = "raw", help_heading = "Options")]
    pub(crate) result_dir: Option<PathBuf>,
}

/// How changed rows become SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SqlFormName {
    Binlog,
    Statements,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Judge every file for itself, not as a part of its log.
    #[arg(long, help_heading = "Options")]
    pub(crate) separate: bool,
    /// One JSON object per file.
    #[arg(long, help_heading = "Options")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// One JSON object per file.
    #[arg(long, help_heading = "Options")]
    pub(crate) json: bool,
    /// A wrong checksum is an error too, not only listed.
    #[arg(long, help_heading = "Options")]
    pub(crate) verify: bool,
    /// How many tables and transactions are listed.
    #[arg(long, default_value_t = 10, value_name = "N", help_heading = "Options")]
    pub(crate) top: usize,
}

/// What is done to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindName {
    /// Rows come.
    Insert,
    /// Rows are changed.
    Update,
    /// Rows go.
    Delete,
}

/// Length of the spans of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpanName {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day, of UTC.
    Day,
}

impl SpanName {
    /// How many seconds.
    pub(crate) const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct TimelineArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Length of the spans.
    #[arg(long, value_enum, default_value = "minute", help_heading = "Options")]
    pub(crate) by: SpanName,
    /// Only what stands out.
    #[arg(long, help_heading = "Options")]
    pub(crate) outliers: bool,
    /// One JSON object per line.
    #[arg(long, help_heading = "Options")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FindArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) schema: SchemaArguments,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// A value of the row's primary key: 42 (the next column of the key), id=42 (by name), or @1=42
    /// (by position, where the log tells no names); repeated for keys of several columns. Needs
    /// --table.
    #[arg(
        short,
        long,
        value_name = "[COLUMN=]VALUE",
        requires = "table",
        help_heading = "Options"
    )]
    pub(crate) key: Vec<KeyPart>,
    /// Only transactions that do this to rows; may be repeated. One line per transaction.
    #[arg(long, value_enum, conflicts_with = "key", help_heading = "Options")]
    pub(crate) kind: Vec<KindName>,
    /// Only transactions that change at least this many rows, of --table, --database and --kind if
    /// they are given. One line per transaction.
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "key",
        help_heading = "Options"
    )]
    pub(crate) min_rows: Option<u64>,
    /// Only the transaction that this offset lies in.
    #[arg(long, value_name = "OFFSET", help_heading = "Options")]
    pub(crate) at_position: Option<u64>,
    /// End after this many finds.
    #[arg(short = 'n', long, value_name = "N", help_heading = "Options")]
    pub(crate) limit: Option<u64>,
    /// One JSON object per find.
    #[arg(long, help_heading = "Options")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CutArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// The file to write.
    #[arg(short, long, value_name = "FILE", help_heading = "Options")]
    pub(crate) output: PathBuf,
    /// Leave out transactions that lose all their changes, and their GTIDs with them.
    #[arg(long, help_heading = "Options")]
    pub(crate) drop_empty: bool,
    /// One JSON object that says what was written.
    #[arg(long, help_heading = "Options")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// How often each way reads each file; the best time counts.
    #[arg(long, default_value_t = 3, value_name = "N", help_heading = "Options")]
    pub(crate) rounds: u32,
    /// Also run this tool (mysqlbinlog, mariadb-binlog) with -v in the same turns and print how
    /// many times as fast everything else is; may be repeated, the first one is compared with.
    #[arg(long, value_name = "PROGRAM", help_heading = "Options")]
    pub(crate) beside: Vec<String>,
    /// One JSON object per file.
    #[arg(long, help_heading = "Options")]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_a_zone_and_as_seconds() {
        assert_eq!(moment("2026-11-21T05:00:00Z"), Ok(1_795_237_200));
        assert_eq!(moment("1795237200"), Ok(1_795_237_200));
        assert_eq!(moment("2026-11-21 05:00:00"), Ok(1_795_237_200));
        assert_eq!(moment("2026-11-21 05:00"), Ok(1_795_237_200));
        assert_eq!(moment("2026-11-21 07:00:00+02:00"), Ok(1_795_237_200));
        assert_eq!(moment("2026-11-21"), moment("2026-11-21 00:00:00"));
        for text in ["14:03", "14:03:59", "2026", "20261121", "yesterday", ""] {
            let refusal = moment(text).unwrap_err();
            assert!(refusal.contains("write '2026-11-21 05:00:00'"), "{refusal}");
        }
        assert!(moment("1969-01-01T00:00:00Z").is_err());
    }

    #[test]
    fn a_table_is_named_with_its_database() {
        let name = |text| table_name(text).unwrap();
        assert_eq!(name("a.b"), ("a".to_owned(), "b".to_owned()));
        assert_eq!(name("`a`.`b``c`"), ("a".to_owned(), "b`c".to_owned()));
        assert!(table_name("b").is_err());
    }
}
