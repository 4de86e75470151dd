//! MySQL's reserved words: they are names only when quoted or behind a point.
//!
//! Spec: MySQL 8.4 and 9.7 reference manuals, 11.3 (the words marked R), and 9.7's own table
//! `information_schema.KEYWORDS`.

use super::ParseOptions;

/// Words that are reserved from some version on, and words that no longer are.
const SINCE: [(&str, u32); 2] = [("EXTERNAL", 90_400), ("LIBRARY", 90_200)];
const UNTIL: [(&str, u32); 2] = [("MANUAL", 90_000), ("PARALLEL", 90_000)];
/// MariaDB's versions begin here; it reserves none of those.
pub(crate) const MARIADB: u32 = 100_000;
/// Words that MySQL reserves and MariaDB 10.11 and 11.8 take as names of columns.
#[rustfmt::skip]
const FREE_IN_MARIADB: [&str; 33] = [
    "CUBE", "CUME_DIST", "DATABASE", "DENSE_RANK", "EMPTY", "FIRST_VALUE", "FUNCTION", "GENERATED",
    "GET", "GROUPING", "GROUPS", "IO_AFTER_GTIDS", "IO_BEFORE_GTIDS", "JSON_TABLE", "LAG",
    "LAST_VALUE", "LATERAL", "LEAD", "MANUAL", "NTH_VALUE", "NTILE", "OF", "OPTIMIZER_COSTS",
    "PARALLEL", "PERCENT_RANK", "QUALIFY", "RANK", "ROW", "STORED", "SYSTEM", "TABLESAMPLE",
    "VIRTUAL", "WINDOW",
];

/// Whether an unquoted `word` of a statement cannot be a name: of one that is logged here it could
/// not be one in any version that may replay it.
pub(super) fn is_reserved_in(word: &str, options: &ParseOptions) -> bool {
    is_reserved(word) && !(options.is_logged && is_free(word, options.version))
}

/// Whether a version's own statements use the word as a name.
fn is_free(word: &str, version: u32) -> bool {
    let among = |words: &[(&str, u32)], is_free: fn(u32, u32) -> bool| {
        words
            .iter()
            .any(|(known, number)| word.eq_ignore_ascii_case(known) && is_free(version, *number))
    };
    among(&SINCE, |version, since| {
        version < since || version >= MARIADB
    }) || among(&UNTIL, |version, until| version >= until)
        || (version >= MARIADB
            && FREE_IN_MARIADB
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known)))
}

/// Whether an unquoted `word` cannot be a name in some version.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    if word.len() > LONGEST {
        return false;
    }
    let upper = word.to_ascii_uppercase();
    RESERVED.binary_search(&upper.as_str()).is_ok()
}

const LONGEST: usize = 28;

#[rustfmt::skip]
const RESERVED: [&str; 266] = [
    "ACCESSIBLE", "ADD", "ALL", "ALTER", "ANALYZE", "AND", "AS", "ASC", "ASENSITIVE", "BEFORE",
    "BETWEEN", "BIGINT", "BINARY", "BLOB", "BOTH", "BY", "CALL", "CASCADE", "CASE", "CHANGE",
    "CHAR", "CHARACTER", "CHECK", "COLLATE", "COLUMN", "CONDITION", "CONSTRAINT", "CONTINUE",
    "CONVERT", "CREATE", "CROSS", "CUBE", "CUME_DIST", "CURRENT_DATE", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "CURRENT_USER", "CURSOR", "DATABASE", "DATABASES", "DAY_HOUR",
    "DAY_MICROSECOND", "DAY_MINUTE", "DAY_SECOND", "DEC", "DECIMAL", "DECLARE", "DEFAULT",
    "DELAYED", "DELETE", "DENSE_RANK", "DESC", "DESCRIBE", "DETERMINISTIC", "DISTINCT",
    "DISTINCTROW", "DIV", "DOUBLE", "DROP", "DUAL", "EACH", "ELSE", "ELSEIF", "EMPTY", "ENCLOSED",
    "ESCAPED", "EXCEPT", "EXISTS", "EXIT", "EXPLAIN", "EXTERNAL", "FALSE", "FETCH", "FIRST_VALUE", "FLOAT",
    "FLOAT4", "FLOAT8", "FOR", "FORCE", "FOREIGN", "FROM", "FULLTEXT", "FUNCTION", "GENERATED",
    "GET", "GRANT", "GROUP", "GROUPING", "GROUPS", "HAVING", "HIGH_PRIORITY", "HOUR_MICROSECOND",
    "HOUR_MINUTE", "HOUR_SECOND", "IF", "IGNORE", "IN", "INDEX", "INFILE", "INNER", "INOUT",
    "INSENSITIVE", "INSERT", "INT", "INT1", "INT2", "INT3", "INT4", "INT8", "INTEGER", "INTERSECT",
    "INTERVAL", "INTO", "IO_AFTER_GTIDS", "IO_BEFORE_GTIDS", "IS", "ITERATE", "JOIN", "JSON_TABLE",
    "KEY", "KEYS", "KILL", "LAG", "LAST_VALUE", "LATERAL", "LEAD", "LEADING", "LEAVE", "LEFT",
    "LIBRARY", "LIKE", "LIMIT", "LINEAR", "LINES", "LOAD", "LOCALTIME", "LOCALTIMESTAMP", "LOCK", "LONG",
    "LONGBLOB", "LONGTEXT", "LOOP", "LOW_PRIORITY", "MANUAL", "MATCH", "MAXVALUE", "MEDIUMBLOB",
    "MEDIUMINT", "MEDIUMTEXT", "MIDDLEINT", "MINUTE_MICROSECOND", "MINUTE_SECOND", "MOD",
    "MODIFIES", "NATURAL", "NOT", "NO_WRITE_TO_BINLOG", "NTH_VALUE", "NTILE", "NULL", "NUMERIC",
    "OF", "ON", "OPTIMIZE", "OPTIMIZER_COSTS", "OPTION", "OPTIONALLY", "OR", "ORDER", "OUT",
    "OUTER", "OUTFILE", "OVER", "PARALLEL", "PARTITION", "PERCENT_RANK", "PRECISION", "PRIMARY",
    "PROCEDURE", "PURGE", "QUALIFY", "RANGE", "RANK", "READ", "READS", "READ_WRITE", "REAL",
    "RECURSIVE", "REFERENCES", "REGEXP", "RELEASE", "RENAME", "REPEAT", "REPLACE", "REQUIRE",
    "RESIGNAL", "RESTRICT", "RETURN", "REVOKE", "RIGHT", "RLIKE", "ROW", "ROWS", "ROW_NUMBER",
    "SCHEMA", "SCHEMAS", "SECOND_MICROSECOND", "SELECT", "SENSITIVE", "SEPARATOR", "SET", "SHOW",
    "SIGNAL", "SMALLINT", "SPATIAL", "SPECIFIC", "SQL", "SQLEXCEPTION", "SQLSTATE", "SQLWARNING",
    "SQL_BIG_RESULT", "SQL_CALC_FOUND_ROWS", "SQL_SMALL_RESULT", "SSL", "STARTING", "STORED",
    "STRAIGHT_JOIN", "SYSTEM", "TABLE", "TABLESAMPLE", "TERMINATED", "THEN", "TINYBLOB", "TINYINT",
    "TINYTEXT", "TO", "TRAILING", "TRIGGER", "TRUE", "UNDO", "UNION", "UNIQUE", "UNLOCK",
    "UNSIGNED", "UPDATE", "USAGE", "USE", "USING", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP",
    "VALUES", "VARBINARY", "VARCHAR", "VARCHARACTER", "VARYING", "VIRTUAL", "WHEN", "WHERE",
    "WHILE", "WINDOW", "WITH", "WRITE", "XOR", "YEAR_MONTH", "ZEROFILL",
];

/// Words that are functions, and no names, when `(` follows without a blank.
const FUNCTION_WORDS: [&str; 34] = [
    "ADDDATE",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "CAST",
    "COUNT",
    "CURDATE",
    "CURTIME",
    "DATE_ADD",
    "DATE_SUB",
    "EXTRACT",
    "GROUP_CONCAT",
    "JSON_ARRAYAGG",
    "JSON_OBJECTAGG",
    "MAX",
    "MID",
    "MIN",
    "NOW",
    "POSITION",
    "SESSION_USER",
    "STD",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUBDATE",
    "SUBSTR",
    "SUBSTRING",
    "SUM",
    "SYSDATE",
    "SYSTEM_USER",
    "TRIM",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
];

/// Whether a word is one of them.
pub(crate) fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS
        .iter()
        .any(|function| function.eq_ignore_ascii_case(word))
}

/// MySQL's character sets: a word of `_` and one of them introduces a string and is no name.
const CHARSETS: [&str; 41] = [
    "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850",
    "cp852", "cp866", "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8",
    "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7",
    "macce", "macroman", "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32",
    "utf8mb3", "utf8mb4",
];

/// Whether a word introduces a string of another character set: `_latin1`.
pub(crate) fn is_introducer(word: &str) -> bool {
    word.strip_prefix('_').is_some_and(|name| {
        name.eq_ignore_ascii_case("utf8")
            || CHARSETS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_for_searching() {
        assert!(RESERVED.is_sorted());
        assert!(FREE_IN_MARIADB.iter().all(|word| is_reserved(word)));
        assert!(RESERVED.iter().all(|word| word.len() <= LONGEST));
        assert!(is_reserved("select") && !is_reserved("offset"));
    }

    #[test]
    fn a_log_reserves_the_words_of_its_version() {
        let logged = |version| ParseOptions {
            version,
            is_logged: true,
            ..ParseOptions::default()
        };
        for (word, version, expected) in [
            ("library", 80_406, false),
            ("LIBRARY", 90_700, true),
            ("external", 101_100, false),
            ("manual", 80_406, true),
            ("Parallel", 90_700, false),
            ("select", 90_700, true),
            ("rank", 101_100, false),
            ("Rank", 90_700, true),
            ("system", 110_809, false),
            ("key", 110_809, true),
        ] {
            assert_eq!(is_reserved_in(word, &logged(version)), expected, "{word}");
        }
        for word in ["library", "external", "manual", "parallel"] {
            assert!(is_reserved_in(word, &ParseOptions::default()), "{word}");
        }
    }
}
