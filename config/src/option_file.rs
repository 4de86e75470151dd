//! Reads option files (`my.cnf`) exactly as MySQL's programs do.
//!
//! Only the form is judged here: groups, comments, quotes, escapes, `!include` and `!includedir`.
//! What an option means is [`crate::definition`]'s matter; no name or value is looked at. Lines of
//! groups that were not asked for are skipped, but must be well-formed all the same.
//!
//! Spec: mysql-server 8.4, mysys/my_default.cc, `search_default_file_with_ext`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::group::{self, Owner};
use crate::{ConfigError, Origin, Warning};

/// An option as it was written, before anything is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The name, dashes and prefixes as they stand.
    pub name: String,
    /// What follows the `=`, unquoted and unescaped; `None` if there is no `=`.
    pub value: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What was read from an option file and the files it includes.
#[derive(Debug, Default)]
pub struct OptionFile {
    /// The options of the asked groups in the order they stand.
    pub options: Vec<Written>,
    /// Files that were ignored.
    pub warnings: Vec<Warning>,
    /// Lines that could not be read.
    pub errors: Vec<ConfigError>,
}

/// Includes nested deeper than this are skipped with a warning.
const INCLUDE_DEPTH_MAX: usize = 10;

impl OptionFile {
    /// Reads the options that `path` holds for any of `groups`.
    ///
    /// A file that every user may write is ignored with a warning, as MySQL does: its content
    /// could be anybody's.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unreadable`] if the file itself cannot be read; mistakes inside it are in
    /// [`OptionFile::errors`].
    pub fn read(path: &Path, groups: &[String]) -> Result<Self, ConfigError> {
        let mut file = Self::default();
        let unreadable = |error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        };
        file.read_file(path, groups, 0, None).map_err(unreadable)?;
        Ok(file)
    }

    /// Reads the options that the text of a file holds for any of `groups`; `path` is what errors
    /// call it. Includes are not followed, and warned of.
    #[must_use]
    pub fn parse(bytes: &[u8], path: &Path, groups: &[String]) -> Self {
        let mut file = Self::default();
        file.read_lines(bytes, &Arc::new(path.to_owned()), groups, INCLUDE_DEPTH_MAX);
        file
    }

    fn read_file(
        &mut self,
        path: &Path,
        groups: &[String],
        depth: usize,
        included_at: Option<&Origin>,
    ) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        let path = Arc::new(path.to_owned());
        if metadata.is_file() && metadata.permissions().mode() & 0o002 != 0 {
            let origin = included_at.cloned().unwrap_or(Origin::File {
                path: path.clone(),
                line: 0,
            });
            let message = format!(
                "the option file {} is ignored because every user may write it",
                path.display()
            );
            self.warnings.push(Warning { origin, message });
            return Ok(());
        }
        let bytes = fs::read(path.as_path())?;
        self.read_lines(&bytes, &path, groups, depth);
        Ok(())
    }

    fn read_lines(&mut self, bytes: &[u8], path: &Arc<PathBuf>, groups: &[String], depth: usize) {
        let mut group = None;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let origin = Origin::File {
                path: path.clone(),
                line: index + 1,
            };
            let line = String::from_utf8_lossy(line);
            let line = line.trim_start_matches(is_space);
            if let Err(message) = self.read_line(line, &mut group, groups, depth, &origin) {
                self.errors.push(ConfigError::Syntax { origin, message });
            }
        }
    }

    /// `group` is `None` before the first group, then whether the current one was asked for.
    fn read_line(
        &mut self,
        line: &str,
        group: &mut Option<bool>,
        groups: &[String],
        depth: usize,
        origin: &Origin,
    ) -> Result<(), String> {
        match line.chars().next() {
            None | Some('#' | ';') => Ok(()),
            Some('!') => self.read_directive(line, groups, depth, origin),
            Some('[') => {
                let name = line.strip_prefix('[').unwrap_or(line);
                let (name, _) = name
                    .split_once(']')
                    .ok_or("a group needs a closing bracket: [mysqld]".to_owned())?;
                let name = name.trim_end_matches(is_space);
                let is_wanted = groups.iter().any(|wanted| wanted == name);
                *group = Some(is_wanted);
                match group::owner(name) {
                    _ if is_wanted => Ok(()),
                    Owner::Ours | Owner::Foreign => Ok(()),
                    Owner::Nobody(Some(meant)) => Err(format!(
                        "no program reads a group [{name}]; did you mean [{meant}]?"
                    )),
                    Owner::Nobody(None) => {
                        let message = format!("the group [{name}] is none that Weir reads");
                        let origin = origin.clone();
                        self.warnings.push(Warning { origin, message });
                        Ok(())
                    }
                }
            }
            Some(_) => {
                let (name, value) = split_option(line);
                match group {
                    None => Err(format!(
                        "option '{name}' stands before any group such as [mysqld]"
                    )),
                    Some(false) => Ok(()),
                    Some(true) if line.contains(char::REPLACEMENT_CHARACTER) => {
                        Err(format!("option '{name}' is not valid UTF-8"))
                    }
                    Some(true) => {
                        self.options.push(Written {
                            name,
                            value,
                            origin: origin.clone(),
                        });
                        Ok(())
                    }
                }
            }
        }
    }

    fn read_directive(
        &mut self,
        line: &str,
        groups: &[String],
        depth: usize,
        origin: &Origin,
    ) -> Result<(), String> {
        let line = line.trim_start_matches('!').trim_matches(is_space);
        let (keyword, argument) = line.split_once(is_space).unwrap_or((line, ""));
        let argument = argument.trim_matches(is_space);
        if !matches!(keyword, "include" | "includedir") {
            return Err(format!("'!{keyword}' is neither !include nor !includedir"));
        }
        if argument.is_empty() {
            return Err(format!("!{keyword} needs a path"));
        }
        if depth >= INCLUDE_DEPTH_MAX {
            let message = format!("!{keyword} {argument} is skipped: includes nest too deep");
            self.warnings.push(Warning {
                origin: origin.clone(),
                message,
            });
            return Ok(());
        }
        let paths = match keyword {
            "include" => Ok(vec![PathBuf::from(argument)]),
            _ => option_files_in(Path::new(argument)),
        };
        // MySQL passes over a missing include in silence; here it is at least said.
        let ignored = |error: io::Error| Warning {
            origin: origin.clone(),
            message: format!("!{keyword} {argument} is ignored: {error}"),
        };
        match paths {
            Err(error) => self.warnings.push(ignored(error)),
            Ok(paths) => {
                for path in paths {
                    if let Err(error) = self.read_file(&path, groups, depth + 1, Some(origin)) {
                        self.warnings.push(ignored(error));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The files of `!includedir`: those ending in `.cnf`, in the order of their names.
fn option_files_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "cnf") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Splits a line into name and value.
fn split_option(line: &str) -> (String, Option<String>) {
    let line = without_end_comment(line);
    match line.split_once('=') {
        None => (line.trim_end_matches(is_space).to_owned(), None),
        Some((name, value)) => {
            let value = unescape(unquote(value.trim_matches(is_space)));
            (name.trim_end_matches(is_space).to_owned(), Some(value))
        }
    }
}

/// The line up to the first `#` outside quotes.
fn without_end_comment(line: &str) -> &str {
    let mut quote = None;
    let mut escaped = false;
    for (index, character) in line.char_indices() {
        match (character, quote) {
            ('\'' | '"', None) if !escaped => quote = Some(character),
            ('\'' | '"', Some(open)) if !escaped && open == character => quote = None,
            ('#', None) => return line.get(..index).unwrap_or(line),
            _ => {}
        }
        escaped = quote.is_some() && character == '\\' && !escaped;
    }
    line
}

/// Takes away one pair of quotes around the whole value.
fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    value
}

/// `\b \t \n \r \\ \s \" \'`; any other backslash stays, as does one at the end.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('b') => text.push('\u{8}'),
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('s') => text.push(' '),
            Some(same @ ('\\' | '"' | '\'')) => text.push(same),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

/// C's `isspace`.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

#[cfg(test)]
mod tests;
