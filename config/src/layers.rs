//! Puts the layers over each other: defaults, option files, the TOML file, the command line, the
//! persisted variables.
//!
//! The last one wins, except for options that add up (filter rules). All mistakes of all layers
//! are collected before loading fails.

use std::path::Path;

use crate::command_line::CommandLine;
use crate::definition::{self, ABSENT, Definition, RENAMED, Role};
use crate::option_file::{OptionFile, Written};
use crate::value::{self, Value};
use crate::{ConfigError, ConfigErrors, Effective, Origin, Warning};

/// Settings that were loaded, with all that is known about how.
#[derive(Debug, Clone)]
pub struct Loaded<S> {
    /// The typed settings.
    pub settings: S,
    /// Every option with its value and origin.
    pub effective: Effective,
    /// What the operator should know.
    pub warnings: Vec<Warning>,
}

/// The groups of an option file that `role` reads, in no order of precedence: the later line wins.
#[must_use]
pub fn groups(role: Role, suffix: Option<&str>) -> Vec<String> {
    let mut groups: Vec<String> = ["server", "mysqld", "mysqld-8.4", "weir", role.name()]
        .map(str::to_owned)
        .to_vec();
    if let Some(suffix) = suffix {
        let more: Vec<String> = groups
            .iter()
            .map(|group| format!("{group}{suffix}"))
            .collect();
        groups.extend(more);
    }
    groups
}

/// Reads all layers, then the typed settings with `read`, and shows what defaults came to.
pub(crate) fn load<S, A: Into<String>>(
    role: Role,
    arguments: impl IntoIterator<Item = A>,
    read: impl FnOnce(&Effective, &mut Vec<ConfigError>) -> S,
    derived: impl FnOnce(&S) -> Vec<(&'static str, Value)>,
) -> Result<Loaded<S>, ConfigErrors> {
    let mut layers = Layers::over(Effective::defaults(role));
    let line = CommandLine::parse(arguments.into_iter().map(Into::into), &mut layers.errors);
    let groups = groups(role, line.group_suffix.as_deref());
    for path in [&line.defaults_file, &line.defaults_extra_file]
        .into_iter()
        .flatten()
    {
        layers.file(path, &groups);
    }
    if let Some(path) = &line.toml_file {
        layers.toml(path, &groups);
    }
    for option in line.options {
        layers.option(option);
    }
    layers.persisted(!line.no_defaults);
    let settings = read(&layers.effective, &mut layers.errors);
    for (name, value) in derived(&settings) {
        layers.effective.derive(name, value);
    }
    if layers.errors.is_empty() {
        Ok(Loaded {
            settings,
            effective: layers.effective,
            warnings: layers.warnings,
        })
    } else {
        Err(ConfigErrors(layers.errors))
    }
}

pub(crate) struct Layers {
    pub(crate) effective: Effective,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) errors: Vec<ConfigError>,
}

impl Layers {
    /// Layers that lie over `effective`.
    pub(crate) fn over(effective: Effective) -> Self {
        Self {
            effective,
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn file(&mut self, path: &Path, groups: &[String]) {
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            return self.toml(path, groups);
        }
        match OptionFile::read(path, groups) {
            Err(error) => self.errors.push(error),
            Ok(file) => {
                self.warnings.extend(file.warnings);
                self.errors.extend(file.errors);
                for option in file.options {
                    self.option(option);
                }
            }
        }
    }

    fn toml(&mut self, path: &Path, groups: &[String]) {
        for option in crate::toml_file::read(path, groups, &mut self.errors) {
            self.option(option);
        }
    }

    fn option(&mut self, written: Written) {
        let Written {
            name,
            value,
            origin,
        } = written;
        match find_name(&name, origin == Origin::CommandLine) {
            Name::Unknown { loose: true } => {
                let message = format!("unknown option '{name}' is ignored");
                self.warnings.push(Warning { origin, message });
            }
            Name::Unknown { loose: false } => {
                let hint = hint(&name);
                self.errors.push(ConfigError::UnknownOption {
                    origin,
                    option: name,
                    hint,
                });
            }
            Name::Ambiguous(candidates) => {
                self.errors.push(ConfigError::Ambiguous {
                    option: name,
                    candidates,
                });
            }
            Name::Found {
                definition,
                switch,
                factor,
                today,
            } => {
                if let Some(today) = today {
                    let message = format!("option '{name}' is the name of old; write '{today}'");
                    self.warnings.push(Warning {
                        origin: origin.clone(),
                        message,
                    });
                }
                let found = Found {
                    name,
                    definition,
                    factor,
                };
                self.found(found, switched(switch, value), origin);
            }
        }
    }

    pub(crate) fn found(&mut self, found: Found, text: Option<String>, origin: Origin) {
        let Found {
            name,
            definition,
            factor,
        } = found;
        if let definition::Roles::Only(role) = definition.roles
            && role != self.effective.role()
        {
            let (option, role) = (definition.name, role.name());
            self.errors.push(ConfigError::OtherRole {
                origin,
                option,
                role,
            });
            return;
        }
        let read = match value::read(definition, text.as_deref()) {
            Ok(read) => read,
            Err(allowed) => {
                let value = if definition.is_secret() {
                    crate::secret::HIDDEN.to_owned()
                } else {
                    text.unwrap_or_default()
                };
                let option = name;
                self.errors.push(ConfigError::BadValue {
                    origin,
                    option,
                    value,
                    allowed,
                });
                return;
            }
        };
        if let Some(message) = read.adjusted {
            self.warnings.push(Warning {
                origin: origin.clone(),
                message,
            });
        }
        match read.value {
            Value::List(items) if definition.accumulates() => {
                self.effective.extend(definition, items, origin);
            }
            Value::Unsigned(number) if factor > 1 => {
                let scaled = Value::Unsigned(number.saturating_mul(factor));
                self.effective.set(definition, scaled, origin);
            }
            value => self.effective.set(definition, value, origin),
        }
    }
}

/// An option that was written somewhere.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) definition: &'static Definition,
    pub(crate) factor: u64,
}

/// What a written name stands for.
pub(crate) enum Name {
    Found {
        definition: &'static Definition,
        /// `Some` when `skip-`, `disable-` (false) or `enable-` (true) stood in front.
        switch: Option<bool>,
        /// What the value is multiplied by.
        factor: u64,
        /// The full name of today when an old name or a prefix was written.
        today: Option<&'static str>,
    },
    Ambiguous(Vec<&'static str>),
    Unknown {
        loose: bool,
    },
}

/// Looks a written name up. `prefixes`: whether the start of a name is enough, as on a command
/// line; in files MySQL wants the whole name.
pub(crate) fn find_name(written: &str, prefixes: bool) -> Name {
    let name = written.replace('-', "_");
    let (mut rest, mut switch, mut loose) = (name.as_str(), None, false);
    loop {
        match find_bare(rest, prefixes) {
            Name::Found {
                definition,
                factor,
                today,
                ..
            } => {
                return Name::Found {
                    definition,
                    switch,
                    factor,
                    today,
                };
            }
            Name::Ambiguous(candidates) => return Name::Ambiguous(candidates),
            Name::Unknown { .. } => {}
        }
        let Some((prefix, bare)) = rest.split_once('_') else {
            break;
        };
        match prefix {
            "loose" => loose = true,
            "skip" | "disable" => switch = Some(false),
            "enable" => switch = Some(true),
            _ => break,
        }
        rest = bare;
    }
    Name::Unknown { loose }
}

fn find_bare(name: &str, prefixes: bool) -> Name {
    let found = |name: &str, factor, today| match definition::find(name) {
        Some(definition) => Name::Found {
            definition,
            switch: None,
            factor,
            today,
        },
        None => Name::Unknown { loose: false },
    };
    if definition::find(name).is_some() {
        return found(name, 1, None);
    }
    if let Some(old) = RENAMED.iter().find(|renamed| renamed.old == name) {
        return found(old.new, old.factor, Some(old.new));
    }
    if !prefixes || name.is_empty() {
        return Name::Unknown { loose: false };
    }
    let candidates: Vec<&'static str> = definition::all()
        .map(|definition| definition.name)
        .filter(|full| full.starts_with(name))
        .collect();
    match candidates.as_slice() {
        [] => Name::Unknown { loose: false },
        [full] => found(full, 1, Some(full)),
        _ => Name::Ambiguous(candidates),
    }
}

/// The value under `skip-` and `enable-`. As in MySQL, `skip-name=0` is a double negation.
fn switched(switch: Option<bool>, value: Option<String>) -> Option<String> {
    let Some(on) = switch else { return value };
    let on = if value.as_deref() == Some("0") {
        !on
    } else {
        on
    };
    Some(if on { "1" } else { "0" }.to_owned())
}

/// What an unknown name may have meant.
fn hint(written: &str) -> Option<String> {
    let name = written.replace('-', "_");
    if let Some((_, why)) = ABSENT.iter().find(|(absent, _)| *absent == name) {
        return Some(format!("Weir has no such option: {why}"));
    }
    if name.starts_with("innodb_") || name.starts_with("performance_schema") {
        return Some(
            "Weir has no such part; write 'loose-' before the name to share the file with MySQL"
                .to_owned(),
        );
    }
    let nearest = definition::all()
        .map(|definition| definition.name)
        .map(|known| {
            if known.starts_with(&name) {
                (0, known)
            } else {
                (distance(&name, known), known)
            }
        })
        .min()?;
    (nearest.0 <= 2 && name.len() > 2).then(|| format!("did you mean '{}'?", nearest.1))
}

/// Levenshtein's distance.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.bytes().enumerate() {
        let mut next = vec![index + 1];
        for ((to, above), diagonal) in right.bytes().zip(row.iter().skip(1)).zip(&row) {
            let before = next.last().copied().unwrap_or_default();
            let change = diagonal + usize::from(from != to);
            next.push(change.min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Whether a file is meant for a replica: it sets something that acts in no other role.
///
/// # Errors
///
/// If the file cannot be read.
pub fn role_of(path: &Path) -> Result<Role, ConfigError> {
    let mut everything = groups(Role::Primary, None);
    everything.push(Role::Replica.name().to_owned());
    let written = if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        crate::toml_file::read(path, &everything, &mut Vec::new())
    } else {
        OptionFile::read(path, &everything)?.options
    };
    let of_replica = |option: &Written| match find_name(&option.name, false) {
        Name::Found { definition, .. } => {
            definition.roles == definition::Roles::Only(Role::Replica)
        }
        _ => false,
    };
    Ok(if written.iter().any(of_replica) {
        Role::Replica
    } else {
        Role::Primary
    })
}

#[cfg(test)]
mod tests;
