//! Which dependencies the crates name in their manifests and use in their sources.

use std::collections::BTreeSet;
use std::path::Path;

use integration::peers::workspace;
use serde_json::Value;

/// A dependency of a crate.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dependency {
    /// The crate.
    pub(crate) of: String,
    /// What it depends on.
    pub(crate) name: String,
    /// Whether only its tests and benches may use it.
    pub(crate) is_dev: bool,
    /// Whether its sources (its tests, if only they may) name it.
    pub(crate) is_used: bool,
}

/// Every direct dependency of every crate of the workspace.
pub(crate) fn all(metadata: &Value) -> Vec<Dependency> {
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let manifest = Path::new(package["manifest_path"].as_str().expect("path"));
        let folder = manifest.parent().expect("a folder");
        let of = package["name"].as_str().expect("name");
        let product = text_below(&[folder.join("src")]);
        let whole = text_below(&["src", "tests", "benches"].map(|name| folder.join(name)));
        // Integration is tests and benches as a whole.
        let sources = if of == "integration" {
            &whole
        } else {
            &product
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = dependency["name"].as_str().expect("name");
            let is_dev = dependency["kind"] == "dev";
            found.push(Dependency {
                of: of.to_owned(),
                name: name.to_owned(),
                is_dev,
                is_used: names(if is_dev { &whole } else { sources }, name),
            });
        }
    }
    found.sort();
    found
}

/// Those that are not used, as sentences.
pub(crate) fn unused(all: &[Dependency]) -> Vec<String> {
    let unused = all.iter().filter(|dependency| !dependency.is_used);
    unused
        .map(|found| match found.is_dev {
            true => format!("the tests of {} do not use {}", found.of, found.name),
            false => format!("{} does not use {}", found.of, found.name),
        })
        .collect()
}

/// Whether code names a crate: in a path, or in a `use`.
fn names(code: &str, dependency: &str) -> bool {
    // The only ones whose library is called otherwise.
    let name = match dependency {
        "md-5" => "md5".to_owned(),
        other => other.replace('-', "_"),
    };
    code.match_indices(&name).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + name.len()..).unwrap_or_default();
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == '.'));
        let is_path = after.starts_with("::");
        let is_use = after.starts_with(';') || after.starts_with(" as ");
        starts && (is_path || is_use)
    })
}

/// The Rust files below these folders, and those that they take from elsewhere by path, as one text.
fn text_below(folders: &[std::path::PathBuf]) -> String {
    let mut text = String::new();
    let mut folders: Vec<_> = folders.to_vec();
    let mut seen = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = std::fs::read_to_string(&path).expect("readable");
                if file.contains("binlog/tests/corpora/mod.rs\"") {
                    folders.push(workspace().join("binlog/tests/corpora"));
                }
                text.push_str(&file);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_crate_is_named_in_paths_and_in_uses() {
        assert!(names("let x = tar::Archive::new(y);", "tar"));
        assert!(names("use md5::Md5;", "md-5"));
        assert!(names("use async_trait as a;", "async-trait"));
        assert!(!names("start::now()", "tar"));
        assert!(!names("// about tar and so on", "tar"));
    }
}
