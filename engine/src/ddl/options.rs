//! What stands behind the list of columns: ENGINE, COMMENT, ROW_FORMAT and the like.
//!
//! What only SHOW CREATE TABLE repeats is kept as text. What would make a replica's table another
//! than this one is refused, by MySQL's number where MySQL refuses it too.

use super::columns::within_names;
use super::types::{Defaults, resolve_collation};
use crate::catalog::Table;
use crate::collation::Collation;
use crate::session::SessionContext;
use sql::SqlMode;
use sql::ast::{AlterClause, CharsetSpec, TableOptions as WrittenOptions};
use sql::error::{SqlError, WarningLevel};

const COMMENT_CHARS_MAX: usize = 2048;

/// Engines of MySQL that keep rows in another way than this one.
const OTHER_ENGINES: [&str; 9] = [
    "MyISAM",
    "MEMORY",
    "HEAP",
    "CSV",
    "ARCHIVE",
    "BLACKHOLE",
    "MRG_MyISAM",
    "MERGE",
    "ndbinfo",
];

/// More engines of MariaDB that keep no foreign keys.
const ENGINES_OF_MARIADB: [&str; 11] = [
    "Aria",
    "S3",
    "CONNECT",
    "Spider",
    "ColumnStore",
    "RocksDB",
    "FederatedX",
    "FEDERATED",
    "Mroonga",
    "OQGRAPH",
    "SPHINX",
];

/// Whether tables of this engine keep foreign keys; one that is not known becomes InnoDB.
pub(super) fn keeps_foreign_keys(engine: &str) -> bool {
    let mut others = OTHER_ENGINES.iter().chain(&ENGINES_OF_MARIADB);
    !others.any(|other| engine.eq_ignore_ascii_case(other))
}

/// Options in the order of SHOW CREATE TABLE.
const SHOWN: [&str; 10] = [
    "MIN_ROWS",
    "MAX_ROWS",
    "AVG_ROW_LENGTH",
    "PACK_KEYS",
    "STATS_PERSISTENT",
    "STATS_AUTO_RECALC",
    "STATS_SAMPLE_PAGES",
    "CHECKSUM",
    "DELAY_KEY_WRITE",
    "KEY_BLOCK_SIZE",
];

/// The statement that says options, and its table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Site<'s> {
    /// CREATE TABLE.
    Create(&'s str),
    /// ALTER TABLE.
    Alter(&'s str),
}

impl Site<'_> {
    fn table(&self) -> &str {
        match self {
            Site::Create(table) | Site::Alter(table) => table,
        }
    }

    /// Error 1031 or 1478 for an option that InnoDB does not have.
    fn refuses(&self, option: &str) -> SqlError {
        match self {
            Site::Create(table) => SqlError::illegal_ha(table),
            Site::Alter(_) => SqlError::illegal_ha_create_option("InnoDB", option),
        }
    }
}

/// Checks what is written, before anything else of the statement: errors 1031, 1064, 1235, 1286, 1628
/// and 3510.
pub(super) fn check(
    session: &mut SessionContext,
    site: Site<'_>,
    options: &WrittenOptions,
) -> Result<(), SqlError> {
    let table = site.table();
    if options.partition.is_some() && !session.applies_log {
        return Err(SqlError::not_supported("PARTITION BY"));
    }
    for engine in options.earlier_engines.iter().chain(&options.engine) {
        check_engine(session, table, engine)?;
    }
    if let Some(row_format) = &options.row_format {
        row_format_is_known(session, site, row_format)?;
    }
    if session.applies_log {
        return Ok(());
    }
    for (name, value) in &options.others {
        check_option(site, name, value)?;
    }
    match &options.comment {
        Some(comment) if comment.chars().count() > COMMENT_CHARS_MAX => {
            Err(SqlError::too_long_table_comment(table, COMMENT_CHARS_MAX))
        }
        _ => Ok(()),
    }
}

/// Checks the options of a table that is not made: what MySQL refuses while it reads them, and by name
/// what is not read to the end.
pub(super) fn check_unused(
    session: &mut SessionContext,
    site: Site<'_>,
    options: &WrittenOptions,
) -> Result<(), SqlError> {
    if options.partition.is_some() && !session.applies_log {
        return Err(SqlError::not_supported("PARTITION BY"));
    }
    for engine in options.earlier_engines.iter().chain(&options.engine) {
        check_engine(session, site.table(), engine)?;
    }
    for (name, value) in &options.others {
        match check_option(site, name, value) {
            // Whether the engine has it is found out later.
            Err(error) if error.code == 1031 || name == "ENCRYPTION" => {}
            checked => checked?,
        }
    }
    Ok(())
}

/// Takes the options over. Error 1031 for a KEY_BLOCK_SIZE that the table cannot have.
pub(super) fn apply(
    session: &SessionContext,
    table: &mut Table,
    options: &WrittenOptions,
) -> Result<(), SqlError> {
    if let Some(comment) = &options.comment {
        table.comment = within_names(comment);
    }
    if let Some(row_format) = &options.row_format {
        table.options.row_format = (row_format != "DEFAULT").then(|| row_format.clone());
    }
    if let Some(engine) = &options.engine {
        let keeps = keeps_foreign_keys(engine);
        table.options.keyless_engine = (!keeps).then(|| engine.clone());
    }
    for (name, value) in &options.others {
        if SHOWN.contains(&name.as_str()) {
            show(table, name, value);
        }
    }
    check_key_block_size(session, table, table.columns.is_empty())
}

/// The collation that the options of ALTER TABLE say together, wherever they stand.
pub(super) fn collation(
    session: &SessionContext,
    table: &Table,
    clauses: &[AlterClause],
    default: &'static Collation,
) -> Result<&'static Collation, SqlError> {
    let mut spec = CharsetSpec::default();
    let mut named: Option<&'static Collation> = None;
    let conversions = clauses
        .iter()
        .filter(|clause| matches!(clause, AlterClause::ConvertToCharset(_)));
    if conversions.count() > 1 {
        return Err(SqlError::not_supported("CONVERT TO CHARACTER SET twice"));
    }
    for clause in clauses {
        let (written, is_conversion) = match clause {
            AlterClause::Options(written) => (&written.charset, false),
            AlterClause::ConvertToCharset(written) => (written, true),
            AlterClause::AddColumn { .. }
            | AlterClause::AddIndex(_)
            | AlterClause::AddForeignKey(_)
            | AlterClause::AddCheck(_)
            | AlterClause::DropColumn(_)
            | AlterClause::DropIndex(_)
            | AlterClause::DropPrimaryKey
            | AlterClause::DropForeignKey(_)
            | AlterClause::DropCheck(_)
            | AlterClause::DropConstraint(_)
            | AlterClause::Modify { .. }
            | AlterClause::Change { .. }
            | AlterClause::AlterColumnDefault { .. }
            | AlterClause::AlterColumnVisibility { .. }
            | AlterClause::AlterIndexVisibility { .. }
            | AlterClause::AlterCheck { .. }
            | AlterClause::RenameColumn { .. }
            | AlterClause::RenameIndex { .. }
            | AlterClause::RenameTable(_)
            | AlterClause::DisableKeys
            | AlterClause::EnableKeys
            | AlterClause::Force
            | AlterClause::OrderBy(_)
            | AlterClause::Algorithm(_)
            | AlterClause::Lock(_)
            | AlterClause::Partitioning(_)
            | AlterClause::NotSupported(_) => continue,
        };
        if *written == CharsetSpec::default() && !is_conversion {
            continue;
        }
        let means = match is_conversion {
            true => converted(session, table, written, default)?,
            false => resolve_collation(written, None, &Defaults::new(session, table.collation))?,
        };
        if let Some(earlier) = named.filter(|earlier| earlier.charset != means.charset) {
            return Err(conflict(written, is_conversion, earlier, means));
        }
        named = Some(means);
        // Of all that is said of the collation the last word counts. A conversion always says one.
        let collation = match is_conversion {
            true => Some(means.name.to_owned()),
            false => written.collation.clone(),
        };
        spec.charset = written.charset.clone().or(spec.charset);
        spec.collation = collation.or(spec.collation);
    }
    resolve_collation(&spec, None, &Defaults::new(session, table.collation))
}

/// The collation that CONVERT TO says; CHARACTER SET DEFAULT means that of the session's default
/// database, wherever the table is.
pub(super) fn converted(
    session: &SessionContext,
    table: &Table,
    charset: &CharsetSpec,
    default: &'static Collation,
) -> Result<&'static Collation, SqlError> {
    let written = match (&charset.charset, &charset.collation) {
        // A collation beside DEFAULT must be one of its character set.
        (None, Some(_)) => &CharsetSpec {
            charset: Some(default.charset.name().to_owned()),
            ..charset.clone()
        },
        _ => charset,
    };
    let default = match charset.charset {
        Some(_) => table.collation,
        None => default,
    };
    resolve_collation(written, None, &Defaults::new(session, default))
}

/// What a statement says twice of its character set, and not the same: errors 1253 and 1302.
fn conflict(
    written: &CharsetSpec,
    is_conversion: bool,
    earlier: &Collation,
    means: &Collation,
) -> SqlError {
    let (earlier, now) = (earlier.charset.name(), means.charset.name());
    let what = "CHARACTER SET ";
    match written.charset {
        None if is_conversion && written.collation.is_none() => {
            SqlError::conflicting_declarations(what, earlier, what, now)
        }
        Some(_) => SqlError::conflicting_declarations(what, earlier, what, now),
        None => SqlError::collation_charset_mismatch(means.name, earlier),
    }
}

/// Keeps an option for SHOW CREATE TABLE, unless it says what is the default.
fn show(table: &mut Table, name: &str, value: &str) {
    let rank = |option: &str| {
        let name = option.split('=').next().unwrap_or_default();
        SHOWN.iter().position(|shown| *shown == name)
    };
    let value = match name {
        "MIN_ROWS" | "MAX_ROWS" => value
            .parse::<u64>()
            .map_or(u32::MAX, |rows| u32::try_from(rows).unwrap_or(u32::MAX))
            .to_string(),
        "CHECKSUM" | "DELAY_KEY_WRITE" if value != "0" => "1".to_owned(),
        _ => value.to_owned(),
    };
    let is_default = value.eq_ignore_ascii_case("DEFAULT")
        || (value == "0" && !name.starts_with("STATS") && name != "PACK_KEYS");
    let prefix = format!("{name}=");
    let others = &mut table.options.others;
    others.retain(|other| !other.starts_with(&prefix));
    if !is_default {
        others.push(format!("{prefix}{value}"));
        others.sort_by_key(|option| rank(option));
    }
}

fn row_format_is_known(
    session: &SessionContext,
    site: Site<'_>,
    row_format: &str,
) -> Result<(), SqlError> {
    match row_format {
        "DEFAULT" | "DYNAMIC" | "COMPACT" | "REDUNDANT" | "COMPRESSED" => Ok(()),
        "FIXED" | "PAGE" if session.applies_log => Ok(()),
        "FIXED" => Err(site.refuses("ROW_TYPE")),
        other => Err(near(other)),
    }
}

/// Error 1031 unless a KEY_BLOCK_SIZE is one, and of a compressed table.
fn check_key_block_size(
    session: &SessionContext,
    table: &Table,
    is_new: bool,
) -> Result<(), SqlError> {
    let options = &table.options;
    let size = options
        .others
        .iter()
        .find_map(|option| option.strip_prefix("KEY_BLOCK_SIZE="));
    let Some(size) = size.filter(|_| !session.applies_log) else {
        return Ok(());
    };
    let is_compressed = matches!(options.row_format.as_deref(), None | Some("COMPRESSED"));
    match is_compressed && ["1", "2", "4", "8", "16"].contains(&size) {
        true => Ok(()),
        false if is_new => Err(Site::Create(&table.name).refuses("KEY_BLOCK_SIZE")),
        false => Err(Site::Alter(&table.name).refuses("KEY_BLOCK_SIZE")),
    }
}

fn check_option(site: Site<'_>, name: &str, value: &str) -> Result<(), SqlError> {
    let is_switch = || ["0", "1", "DEFAULT"].contains(&value.to_ascii_uppercase().as_str());
    let number = value.parse::<u64>();
    match name {
        "STATS_PERSISTENT" | "STATS_AUTO_RECALC" | "PACK_KEYS" if !is_switch() => Err(near(value)),
        "STATS_SAMPLE_PAGES" if !value.eq_ignore_ascii_case("DEFAULT") => match number {
            Ok(1..=65_535) => Ok(()),
            _ => Err(out_of_range("stats_sample_pages is [1, 65535]", value)),
        },
        "AVG_ROW_LENGTH" => match number {
            Ok(0..=4_294_967_295) => Ok(()),
            _ => Err(out_of_range("avg_row_length is [0,4294967295]", value)),
        },
        "KEY_BLOCK_SIZE" if number.as_ref().is_ok_and(|size| *size > 65_535) => {
            Err(out_of_range("key_block_size is [0,65535]", value))
        }
        "MIN_ROWS" | "MAX_ROWS" | "CHECKSUM" | "TABLE_CHECKSUM" | "DELAY_KEY_WRITE"
        | "KEY_BLOCK_SIZE" => match number {
            Ok(_) => Ok(()),
            Err(_) => Err(near(value)),
        },
        "INSERT_METHOD" => match value.to_ascii_uppercase().as_str() {
            "NO" | "FIRST" | "LAST" => Ok(()),
            _ => Err(near(value)),
        },
        "STATS_PERSISTENT" | "STATS_AUTO_RECALC" | "PACK_KEYS" | "STATS_SAMPLE_PAGES" => Ok(()),
        "TABLESPACE" => Err(match value.to_ascii_lowercase().as_str() {
            "innodb_system" | "innodb_file_per_table" | "innodb_temporary" => {
                SqlError::not_supported("TABLESPACE")
            }
            _ => SqlError::tablespace_missing_with_name(value),
        }),
        "COMPRESSION" => match value.to_ascii_lowercase().as_str() {
            "" => Ok(()),
            "none" | "zlib" | "lz4" => Err(SqlError::not_supported("COMPRESSION")),
            _ => Err(site.refuses("COMPRESSION")),
        },
        "ENCRYPTION" => match value.to_ascii_lowercase().as_str() {
            "n" => Ok(()),
            "y" => Err(SqlError::not_supported("ENCRYPTION='Y'")),
            _ => Err(SqlError::invalid_encryption_option()),
        },
        "ENGINE_ATTRIBUTE" | "SECONDARY_ENGINE_ATTRIBUTE" if value.is_empty() => Ok(()),
        other => Err(SqlError::not_supported(other)),
    }
}

fn near(value: &str) -> SqlError {
    SqlError::parse(value, 1)
}

fn out_of_range(range: &str, value: &str) -> SqlError {
    let text = format!("The valid range for {range}. Error near '{value}' at line 1");
    SqlError::new(1064, "42000", text)
}

/// InnoDB is what the engine stands for. A table of another engine of MySQL would be another table
/// on a MySQL replica: it is refused by name. Unknown engines are error 1286 unless sql_mode allows
/// a substitute, which is InnoDB there and here. Logs of other servers get the substitute always.
fn check_engine(session: &mut SessionContext, table: &str, engine: &str) -> Result<(), SqlError> {
    if engine.eq_ignore_ascii_case("InnoDB") {
        return Ok(());
    }
    let other = OTHER_ENGINES
        .iter()
        .find(|known| engine.eq_ignore_ascii_case(known));
    if session.applies_log {
        return Ok(());
    }
    if let Some(other) = other {
        return Err(SqlError::not_supported(format!("ENGINE={other}")));
    }
    if engine.eq_ignore_ascii_case("PERFORMANCE_SCHEMA") {
        return Err(SqlError::new(
            1683,
            "HY000",
            "Invalid performance_schema usage.",
        ));
    }
    let error = SqlError::unknown_storage_engine(engine);
    if session.sql_mode.contains(SqlMode::NO_ENGINE_SUBSTITUTION) {
        return Err(error);
    }
    session.warn(error);
    let text = format!("Using storage engine InnoDB for table '{table}'");
    session
        .warnings
        .push(SqlError::new(1266, "HY000", text).into_warning(WarningLevel::Warning));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_innodb_and_what_becomes_innodb_keep_foreign_keys() {
        for (engine, keeps) in [
            ("InnoDB", true),
            ("unheard_of", true),
            ("myisam", false),
            ("MEMORY", false),
            ("Aria", false),
        ] {
            assert_eq!(keeps_foreign_keys(engine), keeps, "{engine}");
        }
    }
}
