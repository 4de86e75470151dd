//! Option files and TOML files, and every option in them as it would stand on a command line.

use std::path::Path;

use config::definition::Role;
use config::option_file::{OptionFile, Written};
use config::{PrimarySettings, ReplicaSettings};

use super::Verdict;

/// Takes bytes as an option file and as a TOML file.
pub fn run(input: &[u8]) -> Verdict {
    let groups = config::groups(Role::Replica, Some("_2"));
    let path = Path::new("weir.cnf");
    let file = OptionFile::parse(input, path, &groups);
    settings(&file.options);
    let mut is_decoded = file.errors.is_empty();
    for error in &file.errors {
        assert!(!error.to_string().is_empty());
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let mut errors = Vec::new();
        let options = config::toml_file::parse(text, path, &groups, &mut errors);
        settings(&options);
        is_decoded |= errors.is_empty();
    }
    Verdict::from_bool(is_decoded)
}

fn settings(options: &[Written]) {
    let arguments = || {
        options.iter().filter_map(|option| {
            let name = option.name.replace('-', "_");
            // These name files, which no input may choose.
            let names_file =
                name.contains("defaults") || name.contains("toml") || name.contains("config");
            let value = option.value.as_ref();
            (!names_file).then(|| match value {
                Some(value) => format!("--{name}={value}"),
                None => format!("--{name}"),
            })
        })
    };
    let primary = PrimarySettings::load(arguments());
    let replica = ReplicaSettings::load(arguments());
    for error in primary.err().into_iter().chain(replica.err()) {
        assert!(!error.to_string().is_empty());
    }
}
