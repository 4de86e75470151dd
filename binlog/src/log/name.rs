//! Names of log files: a base, a dot, a number of at least six digits.

use std::fmt;

/// The name of one log file without its directory, such as `master-bin.000001`.
///
/// Order is by base and then by number, so that `x.1000000` follows `x.999999`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogFileName {
    text: String,
    /// Bytes of `text` in front of the dot.
    base_len: usize,
    number: u32,
}

/// The largest number that a log file may have, as in MySQL.
pub const MAX_LOG_NUMBER: u32 = 0x7fff_ffff;

impl LogFileName {
    /// The file of `base` with this number.
    #[must_use]
    pub fn new(base: &str, number: u32) -> Self {
        Self {
            text: format!("{base}.{number:06}"),
            base_len: base.len(),
            number,
        }
    }

    /// Reads a name. `None` if it has no number, a directory, or a number out of range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (base, digits) = text.rsplit_once('.')?;
        if base.is_empty()
            || text.contains(['/', '\0', '\n'])
            || digits.len() < 6
            || !digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let number = digits.parse().ok().filter(|&n| n <= MAX_LOG_NUMBER)?;
        Some(Self {
            base_len: base.len(),
            text: text.to_owned(),
            number,
        })
    }

    /// Reads a name that may stand behind a directory, as in an index (`./binlog.000001`).
    #[must_use]
    pub fn parse_path(text: &str) -> Option<Self> {
        Self::parse(text.rsplit('/').next()?)
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part in front of the number's dot.
    #[must_use]
    pub fn base(&self) -> &str {
        self.text.get(..self.base_len).unwrap_or_default()
    }

    /// The number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl PartialOrd for LogFileName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LogFileName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.base()
            .cmp(other.base())
            .then(self.number.cmp(&other.number))
            .then_with(|| self.text.cmp(&other.text))
    }
}

impl fmt::Display for LogFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A place between two events: a file and a byte offset in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The file.
    pub file: LogFileName,
    /// Bytes from the start of the file; 4 is the first event.
    pub offset: u64,
}

impl LogPosition {
    /// The place `offset` bytes into `file`.
    #[must_use]
    pub const fn new(file: LogFileName, offset: u64) -> Self {
        Self { file, offset }
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_six_digits_and_grow_longer_after_the_millionth_file() {
        assert_eq!(LogFileName::new("b", 1).as_str(), "b.000001");
        assert_eq!(LogFileName::new("b", 1_000_000).as_str(), "b.1000000");
        assert!(LogFileName::new("b", 999_999) < LogFileName::new("b", 1_000_000));
    }

    #[test]
    fn reads_what_it_writes_and_the_paths_of_an_index() {
        let name = LogFileName::parse("my.log-bin.000042").unwrap();
        assert_eq!((name.base(), name.number()), ("my.log-bin", 42));
        assert_eq!(
            LogFileName::parse_path("./master-bin.000001"),
            LogFileName::parse("master-bin.000001")
        );
    }

    #[test]
    fn refuses_what_is_not_a_log_file() {
        for text in [
            "",
            "x",
            "x.",
            "x.1",
            "x.index",
            ".000001",
            "a/b.000001",
            "x.99999999999",
        ] {
            assert_eq!(LogFileName::parse(text), None, "{text}");
        }
    }
}
