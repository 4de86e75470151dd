//! Settings from a TOML file: the same names, as keys of the top level or of tables called like
//! the groups of an option file.
//!
//! ```toml
//! server_id = 7
//! [replica]
//! replicate_do_db = ["shop", "stock"]
//! ```

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::group::{self, Owner};
use crate::option_file::Written;
use crate::{ConfigError, Origin};

/// Reads the options that `path` holds at the top level and in tables named in `groups`.
pub(crate) fn read(path: &Path, groups: &[String], errors: &mut Vec<ConfigError>) -> Vec<Written> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            errors.push(ConfigError::Unreadable {
                path: path.to_owned(),
                error,
            });
            return Vec::new();
        }
    };
    parse(&text, path, groups, errors)
}

/// Reads the options of a file's text; `path` is what errors call it.
pub fn parse(
    text: &str,
    path: &Path,
    groups: &[String],
    errors: &mut Vec<ConfigError>,
) -> Vec<Written> {
    let mut reader = Reader {
        path: Arc::new(path.to_owned()),
        text,
        errors,
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table(table.get_ref(), groups, true),
        Err(error) => {
            let origin = reader.origin(error.span().unwrap_or_default());
            let message = error.message().to_owned();
            reader.errors.push(ConfigError::Syntax { origin, message });
            Vec::new()
        }
    }
}

struct Reader<'a> {
    path: Arc<std::path::PathBuf>,
    text: &'a str,
    errors: &'a mut Vec<ConfigError>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, groups: &[String], top: bool) -> Vec<Written> {
        let mut options = Vec::new();
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = key.get_ref().to_string();
            let origin = self.origin(key.span());
            match value.get_ref() {
                DeValue::Table(inner) if top => {
                    if groups.contains(&name) {
                        options.extend(self.table(inner, groups, false));
                    } else if let owner @ (Owner::Foreign | Owner::Nobody(_)) = group::owner(&name)
                    {
                        self.refuse_table(origin, &name, &owner);
                    }
                }
                DeValue::Array(items) => {
                    for item in items.iter() {
                        match scalar(item.get_ref()) {
                            Some(value) => options.push(Written {
                                name: name.clone(),
                                value: Some(value),
                                origin: self.origin(item.span()),
                            }),
                            None => self.refuse(origin.clone(), &name),
                        }
                    }
                }
                other => match scalar(other) {
                    Some(value) => options.push(Written {
                        name,
                        value: Some(value),
                        origin,
                    }),
                    None => self.refuse(origin, &name),
                },
            }
        }
        options
    }

    fn refuse_table(&mut self, origin: Origin, name: &str, owner: &Owner) {
        let message = match owner {
            Owner::Nobody(Some(meant)) => {
                format!("there is no table [{name}]; did you mean [{meant}]?")
            }
            Owner::Ours | Owner::Foreign | Owner::Nobody(None) => {
                let known = group::OURS.map(|name| match name.contains('.') {
                    true => format!("[\"{name}\"]"),
                    false => format!("[{name}]"),
                });
                format!(
                    "there is no table [{name}]; tables are {}",
                    known.join(", ")
                )
            }
        };
        self.errors.push(ConfigError::Syntax { origin, message });
    }

    fn refuse(&mut self, origin: Origin, name: &str) {
        let message =
            format!("'{name}' must be a string, a number, a boolean or an array of these");
        self.errors.push(ConfigError::Syntax { origin, message });
    }

    fn origin(&self, span: Range<usize>) -> Origin {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Origin::File {
            path: self.path.clone(),
            line,
        }
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
        DeValue::Float(number) => Some(number.as_str().replace('_', "")),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
