//! What stands between tokens: blanks and comments, of which executable ones are entered when they are
//! for this server and noted when they are not.

use std::ops::RangeInclusive;

use super::Lexer;
use crate::NameCharacters;
use crate::reserved::MARIADB;

/// Versions of MySQL whose comments MariaDB does not enter: what they hold it may have in another form.
const OF_MYSQL_ALONE: RangeInclusive<u32> = 50_700..=99_999;

/// U+00A0.
const NO_BREAK_SPACE: &[u8] = b"\xc2\xa0";

impl Lexer<'_, '_> {
    pub(super) fn skip_blanks(&mut self) {
        while self.at < self.text.len() {
            match self.peek(0) {
                byte if byte.is_ascii_whitespace() || byte == 0x0b => self.at += 1,
                _ if self.is_wide_blank() => self.at += NO_BREAK_SPACE.len(),
                // mysqlslap ends its statements with a NUL.
                0 if self.at >= self.nuls => self.at = self.text.len(),
                b'#' => self.skip_line(),
                b'-' if self.peek(1) == b'-'
                    && (self.at + 2 >= self.text.len()
                        || self.peek(2) <= b' '
                        || self.is_wide_blank_at(2)) =>
                {
                    self.skip_line();
                }
                b'*' if self.in_version_comment && self.peek(1) == b'/' => {
                    self.in_version_comment = false;
                    self.at += 2;
                }
                b'/' if self.peek(1) == b'*' => self.comment(),
                _ => return,
            }
        }
    }

    /// Whether a blank beyond ASCII stands here: latin1 has one.
    pub(super) fn is_wide_blank(&self) -> bool {
        self.is_wide_blank_at(0)
    }

    fn is_wide_blank_at(&self, ahead: usize) -> bool {
        let rest = self.rest().get(ahead..).unwrap_or_default();
        self.options.names == NameCharacters::Latin1 && rest.starts_with(NO_BREAK_SPACE)
    }

    fn skip_line(&mut self) {
        let line = self.rest().iter().position(|byte| *byte == b'\n');
        self.at = line.map_or(self.text.len(), |length| self.at + length + 1);
    }

    /// `/* */`, `/*! */`, `/*!80013 */`, `/*M! */`, `/*+ */`.
    fn comment(&mut self) {
        let is_mariadb = self.options.version >= MARIADB;
        // MariaDB's own are comments to all others.
        let own = usize::from(is_mariadb && self.rest().starts_with(b"/*M!"));
        if self.peek(2 + own) == b'!' && !self.in_version_comment {
            let mark = 3 + own;
            let digits = self
                .rest()
                .iter()
                .skip(mark)
                .take(6)
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let digits = if digits < 5 { 0 } else { digits };
            let version = self.text_between(self.at + mark, self.at + mark + digits);
            let version = version
                .and_then(|digits| digits.parse::<u32>().ok())
                .unwrap_or(0);
            let is_of_mysql = is_mariadb && own == 0 && OF_MYSQL_ALONE.contains(&version);
            if version <= self.options.version && !is_of_mysql {
                self.in_version_comment = true;
                self.at += mark + digits;
                return;
            }
            let start = self.at + 2;
            self.skip_nested_comment();
            self.pass_over(start);
            return;
        }
        let start = self.at + 2;
        let is_for_mariadb = self.rest().starts_with(b"/*M!");
        self.skip_comment();
        if is_for_mariadb {
            self.pass_over(start);
        }
    }

    /// Takes note of the comment that ends here.
    fn pass_over(&mut self, start: usize) {
        let is_whole = self
            .text
            .get(..self.at)
            .is_some_and(|text| text.ends_with(b"*/"));
        let end = if is_whole {
            self.at.saturating_sub(2)
        } else {
            self.at
        };
        self.passed_over.push(start..end);
    }

    /// A version comment that is not for us may hold plain comments.
    fn skip_nested_comment(&mut self) {
        self.at += 3;
        while self.at < self.text.len() {
            if self.rest().starts_with(b"*/") {
                self.at += 2;
                return;
            }
            // Whatever kind of comment stands inside: there is one level of them.
            if self.rest().starts_with(b"/*") {
                self.skip_comment();
            } else {
                self.at += 1;
            }
        }
    }

    /// To behind the next `*/`.
    fn skip_comment(&mut self) {
        let end = self
            .rest()
            .windows(2)
            .skip(2)
            .position(|pair| pair == b"*/");
        self.at = end.map_or(self.text.len(), |length| self.at + length + 4);
    }
}
