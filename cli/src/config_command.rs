//! `weir config check|show`: a configuration judged and explained.

use config::definition::Role;
use config::{ConfigErrors, Effective, PrimarySettings, ReplicaSettings, Warning};
use serde_json::json;

use crate::arguments::{ConfigArguments, ConfigCommand};
use crate::exit::Failure;
use crate::output;

/// What the rest of the command needs of a loaded configuration, whatever the role.
struct Read {
    effective: Effective,
    warnings: Vec<Warning>,
}

pub(crate) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    let (ConfigCommand::Check(arguments) | ConfigCommand::Show(arguments)) = command;
    let role = match arguments.role {
        Some(role) => role.into(),
        None => {
            config::role_of(&arguments.file).map_err(|error| Failure::Usage(error.to_string()))?
        }
    };
    let read = match read(role, arguments) {
        Ok(read) => read,
        Err(errors) if arguments.json => {
            output::line(refusal(role, &errors))?;
            return Err(Failure::Usage(String::new()));
        }
        Err(errors) => return Err(Failure::Usage(errors.to_string())),
    };
    match (command, arguments.json) {
        (ConfigCommand::Check(_), false) => {
            tell(&read.warnings);
            let file = arguments.file.display();
            let warnings = match read.warnings.len() {
                0 => String::new(),
                1 => ", with 1 warning".to_owned(),
                count => format!(", with {count} warnings"),
            };
            output::line(format_args!(
                "{file}: fit for `weir {}`{warnings}",
                role.name()
            ))?;
        }
        (ConfigCommand::Show(_), false) => {
            tell(&read.warnings);
            table(&read.effective)?;
        }
        (ConfigCommand::Check(_), true) => output::line(verdict(role, &read))?,
        (ConfigCommand::Show(_), true) => {
            let mut object = verdict(role, &read);
            let options = read.effective.iter().map(|row| {
                let origin = row.origin.to_string();
                let value = json!({"value": row.value, "origin": origin, "reloads": row.reloads});
                (row.name.to_owned(), value)
            });
            if let Some(fields) = object.as_object_mut() {
                fields.insert("options".to_owned(), options.collect());
            }
            output::line(object)?;
        }
    }
    Ok(())
}

fn read(role: Role, arguments: &ConfigArguments) -> Result<Read, ConfigErrors> {
    let file = format!("--defaults-file={}", arguments.file.display());
    let options = [file].into_iter().chain(arguments.options.iter().cloned());
    Ok(match role {
        Role::Primary => {
            let loaded = PrimarySettings::load(options)?;
            Read {
                effective: loaded.effective,
                warnings: loaded.warnings,
            }
        }
        Role::Replica => {
            let loaded = ReplicaSettings::load(options)?;
            Read {
                effective: loaded.effective,
                warnings: loaded.warnings,
            }
        }
    })
}

fn tell(warnings: &[Warning]) {
    for warning in warnings {
        output::note(format_args!("warning: {warning}"));
    }
}

fn verdict(role: Role, read: &Read) -> serde_json::Value {
    let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    json!({"valid": true, "role": role.name(), "warnings": warnings})
}

fn refusal(role: Role, errors: &ConfigErrors) -> serde_json::Value {
    let errors: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
    json!({"valid": false, "role": role.name(), "errors": errors})
}

fn table(effective: &Effective) -> Result<(), Failure> {
    let rows: Vec<_> = effective.iter().collect();
    let name_width = rows
        .iter()
        .map(|row| row.name.len())
        .max()
        .unwrap_or_default();
    let value_width = rows
        .iter()
        .map(|row| row.value.len())
        .max()
        .unwrap_or_default()
        .min(40);
    for row in rows {
        let (name, value, origin) = (row.name, row.value, row.origin);
        output::line(format_args!(
            "{name:name_width$}  {value:value_width$}  {origin}"
        ))?;
    }
    Ok(())
}
