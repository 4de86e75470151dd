//! Tokens that begin with `@`: user variables and system variables.

use std::borrow::Cow;

use super::{Kind, Lexer, is_word_byte};

impl<'a> Lexer<'a, '_> {
    pub(super) fn variable(&mut self) -> Kind<'a> {
        if self.peek(1) == b'@' {
            self.at += 2;
            return self.system_variable();
        }
        match self.peek(1) {
            b'\'' | b'"' | b'`' => {
                self.at += 1;
                let quoted = if self.peek(0) == b'`' {
                    self.quoted_identifier(b'`')
                } else {
                    self.string()
                };
                self.after_word = false;
                match quoted {
                    Kind::Quoted(name) => Kind::UserVariable(name),
                    Kind::String(Cow::Borrowed(name)) => std::str::from_utf8(name)
                        .map_or(Kind::Bad, |name| Kind::UserVariable(Cow::Borrowed(name))),
                    Kind::String(Cow::Owned(name)) => String::from_utf8(name)
                        .map_or(Kind::Bad, |name| Kind::UserVariable(Cow::Owned(name))),
                    _ => Kind::Bad,
                }
            }
            byte if is_word_byte(byte) || byte == b'.' => {
                let start = self.at + 1;
                self.at = start;
                while is_word_byte(self.peek(0)) || self.peek(0) == b'.' {
                    self.at += 1;
                }
                self.text_between(start, self.at)
                    .map_or(Kind::Bad, |name| Kind::UserVariable(Cow::Borrowed(name)))
            }
            _ => {
                self.at += 1;
                Kind::Symbol("@")
            }
        }
    }

    fn system_variable(&mut self) -> Kind<'a> {
        let Some(first) = self.variable_word() else {
            return Kind::Bad;
        };
        if self.peek(0) != b'.' {
            return Kind::SystemVariable {
                scope: None,
                name: first,
            };
        }
        let scope = match &first {
            Cow::Borrowed(word) if is_scope(word) => Some(*word),
            _ => None,
        };
        self.at += 1;
        let Some(second) = self.variable_word() else {
            return Kind::Bad;
        };
        let Some(scope) = scope else {
            return Kind::SystemVariable {
                scope: None,
                name: Cow::Owned(format!("{first}.{second}")),
            };
        };
        if self.peek(0) != b'.' {
            return Kind::SystemVariable {
                scope: Some(scope),
                name: second,
            };
        }
        self.at += 1;
        let Some(third) = self.variable_word() else {
            return Kind::Bad;
        };
        Kind::SystemVariable {
            scope: Some(scope),
            name: Cow::Owned(format!("{second}.{third}")),
        }
    }

    fn variable_word(&mut self) -> Option<Cow<'a, str>> {
        if self.peek(0) == b'`' {
            return match self.quoted_identifier(b'`') {
                Kind::Quoted(name) => Some(name),
                _ => None,
            };
        }
        if !is_word_byte(self.peek(0)) {
            return None;
        }
        let word = self.word();
        self.after_word = false;
        match word {
            Kind::Word(word) => Some(Cow::Borrowed(word)),
            _ => None,
        }
    }
}

fn is_scope(word: &str) -> bool {
    ["global", "session", "local", "persist", "persist_only"]
        .iter()
        .any(|scope| word.eq_ignore_ascii_case(scope))
}
