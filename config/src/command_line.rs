//! The arguments of `weir primary` and `weir replica`, read as mysqld reads its own.
//!
//! `--name=value`, `--name` for options that may stand alone, `--name value` for those that need
//! a value, dashes and underscores alike, and prefixes of a name as long as only one option starts
//! with them.

use std::path::PathBuf;

use crate::layers::{self, Name};
use crate::option_file::Written;
use crate::{ConfigError, Origin};

/// Arguments, sorted into those that name files and those that set options.
#[derive(Debug, Default)]
pub(crate) struct CommandLine {
    /// `--defaults-file`.
    pub(crate) defaults_file: Option<PathBuf>,
    /// `--defaults-extra-file`, read after the other.
    pub(crate) defaults_extra_file: Option<PathBuf>,
    /// `--no-defaults`: the persisted variables do not count, as in MySQL.
    pub(crate) no_defaults: bool,
    /// `--defaults-group-suffix`.
    pub(crate) group_suffix: Option<String>,
    /// `--toml-file`.
    pub(crate) toml_file: Option<PathBuf>,
    /// Everything else.
    pub(crate) options: Vec<Written>,
}

impl CommandLine {
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = String>,
        errors: &mut Vec<ConfigError>,
    ) -> Self {
        let mut line = Self::default();
        let mut arguments = arguments.into_iter().peekable();
        while let Some(argument) = arguments.next() {
            let Some(option) = argument.strip_prefix("--").filter(|rest| !rest.is_empty()) else {
                errors.push(syntax(format!(
                    "'{argument}' is not an option; options are written --name=value"
                )));
                continue;
            };
            let (name, mut value) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (option, None),
            };
            if value.is_none() && needs_value(name) {
                value = arguments.next_if(|next| !next.starts_with("--"));
            }
            line.take(name, value, errors);
        }
        line
    }

    fn take(&mut self, name: &str, value: Option<String>, errors: &mut Vec<ConfigError>) {
        let known = name.replace('_', "-");
        let file = match known.as_str() {
            "defaults-file" => &mut self.defaults_file,
            "defaults-extra-file" => &mut self.defaults_extra_file,
            "toml-file" => &mut self.toml_file,
            "defaults-group-suffix" => {
                self.group_suffix = value;
                return;
            }
            // No file is read that was not named, so this is about the one in the data directory.
            "no-defaults" => {
                self.no_defaults = true;
                return;
            }
            _ => {
                let name = name.to_owned();
                self.options.push(Written {
                    name,
                    value,
                    origin: Origin::CommandLine,
                });
                return;
            }
        };
        match value {
            Some(value) if !value.is_empty() => *file = Some(PathBuf::from(value)),
            _ => errors.push(syntax(format!("--{known} needs a file: --{known}=FILE"))),
        }
    }
}

/// Whether the next argument belongs to this option.
fn needs_value(name: &str) -> bool {
    let files = [
        "defaults-file",
        "defaults-extra-file",
        "toml-file",
        "defaults-group-suffix",
    ];
    if files.contains(&name.replace('_', "-").as_str()) {
        return true;
    }
    match layers::find_name(name, true) {
        Name::Found {
            definition,
            switch: None,
            ..
        } => !definition.value_is_optional(),
        _ => false,
    }
}

fn syntax(message: String) -> ConfigError {
    ConfigError::Syntax {
        origin: Origin::CommandLine,
        message,
    }
}

#[cfg(test)]
mod tests;
