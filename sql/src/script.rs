//! The statements of a script, which may be a dump of any size: pieces of bytes in, statements out.
//!
//! It knows quotes, comments and the client's DELIMITER, and nothing of what statements mean. Of a
//! statement no more is kept than [`LEN_MAX`] bytes, and nothing of one that begins with a word nobody
//! asked for, so that the rows of a dump take no memory.

/// Bytes of the longest statement that is given out.
pub const LEN_MAX: usize = 16 << 20;

/// Bytes of a statement by which its first word is known.
const HEAD_LEN: usize = 64;

/// What mariadb-dump begins with: a word to the client that ends without a delimiter.
const SANDBOX: &[u8] = b"/*M!999999\\-";

/// Takes a script in pieces.
#[derive(Debug)]
pub struct Script {
    /// First words of the statements that are given out.
    wanted: &'static [&'static str],
    state: State,
    /// The statement or comment so far, without what is not kept.
    kept: Vec<u8>,
    is_kept: bool,
    /// Whether something of a statement was seen since the last one ended.
    has_begun: bool,
    /// The last byte, and whether it is at the front of a line.
    last: u8,
    is_line_start: bool,
    delimiter: Vec<u8>,
}

/// A part of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// A statement without its delimiter.
    Statement(&'a [u8]),
    /// A line of comment between statements.
    Comment(&'a [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    /// In quotes of this kind; whether the last byte takes the next one's meaning.
    Quoted {
        quote: u8,
        is_escaped: bool,
    },
    /// Up to the end of the line.
    LineComment,
    /// Up to `*/`. Version comments are code.
    Comment,
    /// A line of the client's: DELIMITER.
    Delimiter,
}

impl Script {
    /// Gives out statements that begin with one of these words.
    #[must_use]
    pub fn new(wanted: &'static [&'static str]) -> Self {
        Self {
            wanted,
            state: State::Code,
            kept: Vec::new(),
            is_kept: true,
            has_begun: false,
            last: 0,
            is_line_start: true,
            delimiter: b";".to_vec(),
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8], take: &mut impl FnMut(Part<'_>)) {
        for &byte in bytes {
            self.take(byte, take);
            self.is_line_start = byte == b'\n';
            self.last = byte;
        }
    }

    /// Nothing follows: what stands without a delimiter at the end is a statement too.
    pub fn finish(mut self, take: &mut impl FnMut(Part<'_>)) {
        if self.state == State::LineComment {
            self.end_line_comment(take);
        }
        self.end(take);
    }

    fn take(&mut self, byte: u8, take: &mut impl FnMut(Part<'_>)) {
        match self.state {
            State::Code => self.code(byte, take),
            State::Quoted { quote, is_escaped } => {
                self.keep(byte);
                // A doubled quote ends one string and begins the next.
                self.state = match byte {
                    _ if is_escaped => State::Quoted {
                        quote,
                        is_escaped: false,
                    },
                    b'\\' if quote != b'`' => State::Quoted {
                        quote,
                        is_escaped: true,
                    },
                    byte if byte == quote => State::Code,
                    _ => self.state,
                };
            }
            State::LineComment if byte == b'\n' => self.end_line_comment(take),
            State::LineComment => {
                if !self.has_begun {
                    self.keep(byte);
                }
            }
            State::Comment if byte == b'/' && self.last == b'*' => self.state = State::Code,
            State::Comment => {}
            State::Delimiter if byte == b'\n' => {
                let line = String::from_utf8_lossy(&self.kept).into_owned();
                let word = line.split_whitespace().nth(1).unwrap_or(";");
                self.delimiter = word.as_bytes().to_vec();
                self.begin();
            }
            State::Delimiter => self.keep(byte),
        }
    }

    fn code(&mut self, byte: u8, take: &mut impl FnMut(Part<'_>)) {
        match byte {
            b'\'' | b'"' | b'`' => {
                self.state = State::Quoted {
                    quote: byte,
                    is_escaped: false,
                };
            }
            b'#' => return self.begin_line_comment(0),
            // Two dashes are a comment only in front of a blank.
            b' ' | b'\t' | b'\n' if self.kept.ends_with(b"--") && self.last == b'-' => {
                self.begin_line_comment(2);
                if byte == b'\n' {
                    self.end_line_comment(take);
                }
                return;
            }
            b'*' if self.last == b'/' => {
                // What kind of comment it is, the next byte tells.
            }
            _ if self.last == b'*'
                && self.kept.ends_with(b"/*")
                && byte != b'!'
                && byte != b'M' =>
            {
                self.kept.truncate(self.kept.len().saturating_sub(2));
                self.state = State::Comment;
                if byte == b'/' {
                    // `/*/` has not ended.
                    self.last = 0;
                }
                return;
            }
            _ => {}
        }
        if !self.has_begun && byte.is_ascii_whitespace() {
            return;
        }
        self.keep(byte);
        let is_comment_yet =
            self.kept == b"-" || self.kept == b"--" || self.kept == b"/" || self.kept == b"/*";
        self.has_begun |= !is_comment_yet;
        if byte == b'/' && self.kept.starts_with(SANDBOX) && self.kept.ends_with(b"*/") {
            self.begin();
        } else if self.is_delimiter_word() {
            self.state = State::Delimiter;
        } else if self.state == State::Code && self.ends_statement() {
            let len = self.kept.len().saturating_sub(self.delimiter.len());
            self.kept.truncate(len);
            self.end(take);
        }
    }

    /// The client's own word, at the front of a statement.
    fn is_delimiter_word(&self) -> bool {
        let word = b"DELIMITER ";
        self.kept.len() == word.len() && self.kept.eq_ignore_ascii_case(word)
    }

    fn ends_statement(&self) -> bool {
        self.kept.ends_with(&self.delimiter)
    }

    /// The bytes of the mark that were kept are not of the statement.
    fn begin_line_comment(&mut self, mark: usize) {
        self.kept.truncate(self.kept.len().saturating_sub(mark));
        self.state = State::LineComment;
    }

    fn end_line_comment(&mut self, take: &mut impl FnMut(Part<'_>)) {
        self.state = State::Code;
        if self.has_begun {
            self.keep(b'\n');
            return;
        }
        take(Part::Comment(self.kept.trim_ascii()));
        self.begin();
    }

    fn keep(&mut self, byte: u8) {
        if self.is_kept {
            self.kept.push(byte);
        } else {
            // As much as marks and delimiters take.
            let rest = self.kept.len().saturating_sub(HEAD_LEN);
            if rest > HEAD_LEN {
                self.kept.drain(..rest);
            }
            self.kept.push(byte);
        }
        if self.has_begun && self.is_kept {
            let is_long = self.kept.len() > LEN_MAX;
            let is_other = self.kept.len() == HEAD_LEN && !self.is_wanted();
            if is_long || is_other {
                self.is_kept = false;
                let rest = self.kept.len().saturating_sub(HEAD_LEN);
                self.kept.drain(..rest);
            }
        }
    }

    fn is_wanted(&self) -> bool {
        let mut head = self.kept.trim_ascii_start();
        // `/*!40000 CREATE ..`
        if let Some(rest) = head.strip_prefix(b"/*!").or(head.strip_prefix(b"/*M!")) {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            head = rest.get(digits..).unwrap_or_default().trim_ascii_start();
        }
        self.wanted.iter().any(|word| {
            let found = head.get(..word.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
        })
    }

    fn end(&mut self, take: &mut impl FnMut(Part<'_>)) {
        if self.is_kept && self.is_wanted() {
            take(Part::Statement(self.kept.trim_ascii()));
        }
        self.begin();
    }

    fn begin(&mut self) {
        self.kept.clear();
        self.is_kept = true;
        self.has_begun = false;
        self.state = State::Code;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In pieces of every size the same comes out.
    fn parts(script: &str) -> Vec<String> {
        let in_pieces = |size: usize| {
            let mut found = Vec::new();
            let mut take = |part: Part<'_>| {
                let (mark, text) = match part {
                    Part::Statement(text) => ("", text),
                    Part::Comment(text) => ("# ", text),
                };
                found.push(format!("{mark}{}", String::from_utf8_lossy(text)));
            };
            let mut reader = Script::new(&["CREATE", "USE"]);
            for piece in script.as_bytes().chunks(size) {
                reader.feed(piece, &mut take);
            }
            reader.finish(&mut take);
            found
        };
        let whole = in_pieces(script.len().max(1));
        for size in 1..9 {
            assert_eq!(in_pieces(size), whole, "{size}");
        }
        whole
    }

    #[test]
    fn wanted_statements_come_out_and_others_do_not() {
        let insert = format!(
            "INSERT INTO t VALUES ('{}\\'; CREATE TABLE no (a INT);', \"; CREATE\", `;`);",
            "x".repeat(300)
        );
        let script = format!(
            "-- Host: localhost    Database: shop\n--\n\n/*!40101 SET NAMES utf8mb4 */;\nUSE `a;b`;\n\
             CREATE TABLE `t` (\n  `a` int DEFAULT NULL COMMENT 'it''s; -- no', # why\n  `b` int -- why\n\
             ) /* ; */ ENGINE=InnoDB;\n{insert}\nDELIMITER ;;\nCREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW \
             BEGIN SET @a = 1; END ;;\nDELIMITER ;\n/*!50003 CREATE*/ /*!50017 VIEW v */;\nUSE b"
        );
        let parts = parts(&script);
        let expected = [
            "# Host: localhost    Database: shop",
            "# ",
            "USE `a;b`",
            "CREATE TABLE `t` (\n  `a` int DEFAULT NULL COMMENT 'it''s; -- no', \n  `b` int \n)  ENGINE=InnoDB",
            "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END",
            "/*!50003 CREATE*/ /*!50017 VIEW v */",
            "USE b",
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn what_mariadb_dump_begins_with_is_no_statement() {
        let parts = parts(
            "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n-- Server version\t11.8.9\n\
             CREATE TABLE a (b INT);\n",
        );
        let expected = [
            "# MariaDB dump 10.19",
            "# Server version\t11.8.9",
            "CREATE TABLE a (b INT)",
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn a_statement_beyond_all_bounds_is_left_out() {
        let mut found = 0;
        let mut take = |_: Part<'_>| found += 1;
        let mut script = Script::new(&["CREATE"]);
        script.feed(b"CREATE TABLE t (a INT COMMENT '", &mut take);
        for _ in 0..20 {
            script.feed(&[b'x'; 1 << 20], &mut take);
        }
        script.feed(b"'); CREATE TABLE t (a INT);", &mut take);
        assert!(script.kept.len() <= 2 * HEAD_LEN);
        script.finish(&mut take);
        assert_eq!(found, 1);
    }
}
