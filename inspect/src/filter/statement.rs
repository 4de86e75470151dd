//! Which tables a statement is about, as far as its words say.
//!
//! A binlog names the tables of row events, not those of statements. For definitions (CREATE, ALTER,
//! DROP, RENAME, TRUNCATE and the like) the name stands in the text and is looked for there; the
//! text is cut into words, strings and comments are passed over. Nothing more of SQL is understood.

/// Whether a statement only frames a transaction or sets up what follows it.
#[must_use]
pub fn is_control(sql: &[u8]) -> bool {
    let mut words = Words::new(sql, 0);
    let Some(Word::Name(first)) = words.next() else {
        return false;
    };
    [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "XA",
        "SAVEPOINT",
        "RELEASE",
        "START",
    ]
    .iter()
    .any(|word| first.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a statement makes, changes or drops a database.
#[must_use]
pub fn is_of_database(sql: &[u8]) -> bool {
    let mut words = Words::new(sql, 0);
    let mut is_next = |any: &[&str]| {
        matches!(words.next(), Some(Word::Name(name))
            if any.iter().any(|word| name.eq_ignore_ascii_case(word.as_bytes())))
    };
    is_next(&["CREATE", "ALTER", "DROP"]) && is_next(&["DATABASE", "SCHEMA"])
}

/// Whether the words of `sql`, which ran in `sql_mode`, name the table, in `default_schema` where
/// they name no schema.
///
/// Statements that change rows (statement-based logging) are looked through in the same way, so a
/// column or alias of the table's name counts too: rather one statement too many than one lost. For
/// the same reason letter case does not matter, as on a server with `lower_case_table_names`, which
/// logs statements as they were typed.
#[must_use]
pub fn names_table(
    sql: &[u8],
    sql_mode: u64,
    default_schema: &[u8],
    schema: &[u8],
    table: &[u8],
) -> bool {
    let mut before: [Option<Word<'_>>; 2] = [None, None];
    for word in Words::new(sql, sql_mode) {
        if let Word::Name(name) = word
            && name.eq_ignore_ascii_case(table)
        {
            let qualifier = match (before[0], before[1]) {
                (Some(Word::Name(qualifier)), Some(Word::Other(b'.'))) => Some(qualifier),
                _ => None,
            };
            if qualifier
                .unwrap_or(default_schema)
                .eq_ignore_ascii_case(schema)
            {
                return true;
            }
        }
        before = [before[1], Some(word)];
    }
    false
}

/// Whether the words of `sql`, which ran in `sql_mode`, name the schema.
#[must_use]
pub fn names_schema(sql: &[u8], sql_mode: u64, schema: &[u8]) -> bool {
    Words::new(sql, sql_mode)
        .any(|word| matches!(word, Word::Name(name) if name.eq_ignore_ascii_case(schema)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    /// A keyword, a name, or what stood between the quotes of names.
    Name(&'a [u8]),
    /// One byte of anything else.
    Other(u8),
}

/// The words of a statement.
struct Words<'a> {
    rest: &'a [u8],
    /// Whether double quotes stand around names.
    has_quoted_names: bool,
    /// Whether a backslash in text takes away the meaning of the byte behind it.
    has_escapes: bool,
}

impl<'a> Words<'a> {
    const fn new(sql: &'a [u8], sql_mode: u64) -> Self {
        const ANSI_QUOTES: u64 = 1 << 2;
        const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;
        Self {
            rest: sql,
            has_quoted_names: sql_mode & ANSI_QUOTES != 0,
            has_escapes: sql_mode & NO_BACKSLASH_ESCAPES == 0,
        }
    }

    /// Takes the next `len` bytes.
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Takes everything up to the closing `quote`; a doubled one belongs to the text.
    fn quoted(&mut self, quote: u8) -> &'a [u8] {
        let mut len = 0;
        while let Some(&byte) = self.rest.get(len) {
            if byte == b'\\' && quote != b'`' && self.has_escapes {
                len += 2;
                continue;
            }
            if byte == quote {
                if self.rest.get(len + 1) != Some(&quote) {
                    break;
                }
                len += 1;
            }
            len += 1;
        }
        let text = self.take(len);
        self.take(1);
        text
    }

    fn skip_to(&mut self, end: &[u8]) {
        let found = self.rest.windows(end.len()).position(|at| at == end);
        self.take(found.map_or(self.rest.len(), |at| at + end.len()));
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            let first = *self.rest.first()?;
            let second = self.rest.get(1).copied();
            match (first, second) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => {
                    self.take(1);
                }
                (b'#', _) | (b'-', Some(b'-')) => self.skip_to(b"\n"),
                // What stands in a versioned comment is executed.
                (b'/', Some(b'*')) if self.rest.get(2) == Some(&b'!') => {
                    self.take(3);
                    let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit());
                    let len = digits.count();
                    self.take(len);
                }
                (b'/', Some(b'*')) => self.skip_to(b"*/"),
                (b'"', _) if self.has_quoted_names => {
                    self.take(1);
                    return Some(Word::Name(self.quoted(b'"')));
                }
                (b'\'' | b'"', _) => {
                    self.take(1);
                    self.quoted(first);
                    return Some(Word::Other(first));
                }
                (b'`', _) => {
                    self.take(1);
                    return Some(Word::Name(self.quoted(b'`')));
                }
                _ if is_name(first) => {
                    let len = self.rest.iter().take_while(|&&byte| is_name(byte)).count();
                    return Some(Word::Name(self.take(len)));
                }
                _ => {
                    self.take(1);
                    return Some(Word::Other(first));
                }
            }
        }
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_with_and_without_its_schema() {
        for (sql, expected) in [
            ("CREATE TABLE t (a INT)", true),
            ("create table `t`(a int)", true),
            ("DROP TABLE `shop`.`t` /* generated by server */", true),
            ("DROP TABLE other.t", false),
            ("ALTER TABLE u COMMENT 't'", false),
            ("ALTER TABLE u /* t */ ADD b INT -- t", false),
            ("ALTER TABLE u /*!50100 RENAME t */", true),
            ("INSERT INTO t2 VALUES ('it''s t', \"\\\"t\")", false),
        ] {
            let found = names_table(sql.as_bytes(), 0, b"shop", b"shop", b"t");
            assert_eq!(found, expected, "{sql}");
        }
        assert!(!names_table(b"DROP TABLE t", 0, b"", b"shop", b"t"));
    }

    #[test]
    fn names_are_read_as_the_sql_mode_says() {
        const ANSI_QUOTES: u64 = 4;
        const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;
        for (sql, sql_mode, expected) in [
            (r#"DROP TABLE "t""#, ANSI_QUOTES, true),
            (r#"DROP TABLE "Shop"."T""#, ANSI_QUOTES, true),
            (r#"ALTER TABLE u COMMENT "t""#, 0, false),
            (
                r"INSERT INTO u SELECT '\', a FROM t",
                NO_BACKSLASH_ESCAPES,
                true,
            ),
            (r"INSERT INTO u SELECT '\', t'", 0, false),
        ] {
            let found = names_table(sql.as_bytes(), sql_mode, b"shop", b"shop", b"t");
            assert_eq!(found, expected, "{sql}");
        }
        assert!(names_table(b"TRUNCATE Shop.T", 0, b"", b"shop", b"t"));
    }

    #[test]
    fn the_frame_of_a_transaction_is_control() {
        for sql in ["BEGIN", "xa start 'a'", "COMMIT", "SAVEPOINT `s`"] {
            assert!(is_control(sql.as_bytes()), "{sql}");
        }
        for sql in ["CREATE TABLE begin (a INT)", "", "'BEGIN'"] {
            assert!(!is_control(sql.as_bytes()), "{sql}");
        }
    }

    #[test]
    fn statements_about_databases_are_told_apart() {
        assert!(is_of_database(b"create database if not exists shop"));
        assert!(is_of_database(b"DROP SCHEMA `shop`"));
        assert!(!is_of_database(b"DROP TABLE shop"));
        assert!(!is_of_database(b"CREATE"));
    }

    #[test]
    fn unfinished_quotes_and_comments_end_with_the_statement() {
        for sql in ["`t", "'t", "/* t", "-- t", "\"t\\", "/*!"] {
            let _ = names_table(sql.as_bytes(), 0, b"", b"", b"x");
        }
        assert!(names_schema(b"DROP DATABASE `shop", 0, b"shop"));
    }
}
