//! The reference page `docs/OPTIONS.md`, written from the definitions.

use std::fmt::Write;

use crate::definition::{self, Definition, RENAMED, Role, Roles};
use crate::value;

/// The page as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    for (title, definitions) in definition::sections() {
        let _ = write!(page, "\n## {title}\n\n{HEADER}");
        for definition in definitions {
            row(&mut page, definition);
        }
    }
    page.push_str(RENAMED_HEADER);
    for renamed in RENAMED {
        let note = match renamed.factor {
            1 => String::new(),
            factor => format!(" (value times {factor})"),
        };
        let _ = writeln!(page, "| `{}` | `{}`{note} |", renamed.old, renamed.new);
    }
    page
}

/// Every option of `role` with its default and meaning, for `--help`.
#[must_use]
pub fn help(role: Role) -> String {
    let mut text = String::new();
    for (title, definitions) in definition::sections() {
        let _ = writeln!(text, "{title}:");
        for definition in definitions
            .iter()
            .filter(|found| found.roles.contains(role))
        {
            let name = definition.name.replace('_', "-");
            let default = match definition.default_in(role) {
                "" => String::new(),
                default => format!(" [{default}]"),
            };
            let _ = writeln!(
                text,
                "  --{name}={}{default}\n          {}",
                value::allowed(definition.kind),
                definition.description
            );
        }
        text.push('\n');
    }
    text
}

fn row(page: &mut String, definition: &Definition) {
    let roles = match definition.roles {
        Roles::Both => "both",
        Roles::Only(role) => role.name(),
    };
    let shown = |text: &str| match text {
        "" => String::new(),
        text => format!("`{}`", text.replace(',', ", ")),
    };
    let mut default = shown(definition.default_in(Role::Primary));
    if let Some(other) = definition.default_on_replica {
        let _ = write!(default, "; replica {}", shown(other));
    }
    let reload = if definition.reloads {
        " Taken over on SIGHUP."
    } else {
        ""
    };
    let _ = writeln!(
        page,
        "| `{}` | {roles} | {} | {default} | {}{reload} |",
        definition.name,
        value::allowed(definition.kind).replace("->", "`->`"),
        definition.description,
    );
}

const INTRODUCTION: &str = "# Options

This page is written from the definitions in `config/src/definition`; the test
`the_reference_page_is_current` compares the two. Write it anew with
`WEIR_WRITE_DOCS=1 cargo test -p config reference_page`.

`weir primary` and `weir replica` take the same options from five layers, the later over the
earlier: built-in defaults, the option file (`--defaults-file=FILE`, then
`--defaults-extra-file=FILE`), a TOML file (`--toml-file=FILE`, or a `--defaults-file` that ends in
`.toml`), the command line, and what SET PERSIST kept in the data directory (`mysqld-auto.cnf`), which
`--no-defaults` and `--persisted-globals-load=OFF` leave out. No other file is read that was not named.
`weir config show FILE` prints every value and where it came from; `weir config check FILE` only judges.

Option files have MySQL's syntax: groups `[mysqld]`, `[server]`, `[mysqld-8.4]`, `[weir]`, and
`[primary]` or `[replica]` by role (others are skipped); comments with `#` and `;`, `#` also behind
a value; quotes; escapes `\\b \\t \\n \\r \\\\ \\s`; `!include FILE` and `!includedir DIR` (files ending in
`.cnf`, by name). Dashes and underscores are the same. `skip-NAME` and `disable-NAME` switch a flag
off, `enable-NAME` on. Numbers take K, M, G, T, P, E. An unknown option is an error, with `loose-`
before its name a warning. Of a repeated option the last counts; filter rules (`replicate_*`) add
up. A file that every user may write is ignored with a warning. On the command line, and only
there, the beginning of a name is enough if one option starts with it.

A relative path is taken from the data directory.
";

const HEADER: &str = "| option | role | allowed | default | meaning |\n|---|---|---|---|---|\n";

const RENAMED_HEADER: &str = "\n## Names of old\n
Accepted with a warning.\n
| old | today |\n|---|---|\n";

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn the_reference_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/OPTIONS.md");
        if std::env::var_os("WEIR_WRITE_DOCS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap();
        assert!(
            page == markdown(),
            "docs/OPTIONS.md is not what the definitions say"
        );
    }
}
