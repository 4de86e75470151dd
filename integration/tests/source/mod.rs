//! The sources as the tidy tests see them: files, their code without comments and literals, their
//! functions.
//!
//! The scanner leans on rustfmt's layout (a function ends at a closing brace in its own column),
//! which the formatting check guarantees.

use std::path::Path;

use integration::peers::workspace;

/// One Rust file.
pub(crate) struct SourceFile {
    /// Path from the workspace root, with slashes.
    pub(crate) path: String,
    /// The file's text.
    pub(crate) text: String,
    /// True when the whole file is test code.
    pub(crate) is_test: bool,
    code: String,
}

/// One function of a file.
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Line of its signature, from 1.
    pub(crate) line: usize,
    /// Lines from signature to closing brace.
    pub(crate) lines: usize,
}

impl SourceFile {
    /// Reads `text` as the file at `path`, which is relative to the workspace.
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        let path = path.to_string_lossy().replace('\\', "/");
        let is_test = path.contains("/tests/")
            || path.contains("/benches/")
            || path.ends_with("/tests.rs")
            || path.ends_with("_tests.rs");
        Self {
            is_test,
            code: code_of(text),
            text: text.to_owned(),
            path,
        }
    }

    /// The lines with comments and literals blanked, numbered from 1.
    pub(crate) fn code_lines(&self) -> Vec<(usize, String)> {
        (1..).zip(self.code.lines().map(str::to_owned)).collect()
    }

    /// Lines before the test module.
    pub(crate) fn production_lines(&self) -> usize {
        self.first_test_line()
            .map_or_else(|| self.code.lines().count(), |line| line - 1)
    }

    /// True when the line with this number belongs to the test module at the end.
    pub(crate) fn is_test_line(&self, number: usize) -> bool {
        self.is_test || self.first_test_line().is_some_and(|first| number >= first)
    }

    /// The functions outside the test module.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let lines: Vec<&str> = self.code.lines().take(self.production_lines()).collect();
        let mut found = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let Some(name) = function_name(line) else {
                continue;
            };
            let indent = line.len() - line.trim_start().len();
            let close = format!("{}}}", " ".repeat(indent));
            // A declaration without a body, or a body on the signature's line, has one line.
            let rest = lines.get(index..).unwrap_or_default();
            let signature_end = rest
                .iter()
                .position(|line| line.contains('{') || line.trim_end().ends_with(';'));
            let has_body = signature_end
                .and_then(|at| rest.get(at))
                .is_some_and(|line| line.trim_end().ends_with('{'));
            let length = if has_body {
                rest.iter()
                    .position(|line| line.trim_end() == close)
                    .map_or(1, |at| at + 1)
            } else {
                1
            };
            found.push(Function {
                name,
                line: index + 1,
                lines: length,
            });
        }
        found
    }

    fn first_test_line(&self) -> Option<usize> {
        let lines: Vec<&str> = self.code.lines().collect();
        lines
            .windows(2)
            .position(|pair| {
                matches!(pair, [attribute, module] if *attribute == "#[cfg(test)]"
                    && (module.starts_with("mod ") || module.starts_with("#[")))
            })
            .map(|index| index + 1)
    }
}

/// Every Rust file of the workspace.
pub(crate) fn all() -> Vec<SourceFile> {
    documents()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| {
            let text = std::fs::read_to_string(workspace().join(&path)).expect("readable");
            SourceFile::new(Path::new(&path), &text)
        })
        .collect()
}

/// Every text file of the project that people edit.
pub(crate) fn documents() -> Vec<String> {
    let mut found = Vec::new();
    walk(&workspace(), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let is_ours = !matches!(name, "target" | ".git" | ".peers" | "Cargo.lock");
        if is_ours && path.is_dir() {
            walk(&path, found);
        } else if is_ours && is_text(&path) {
            let relative = path.strip_prefix(workspace()).expect("below the workspace");
            found.push(relative.to_string_lossy().replace('\\', "/"));
        }
    }
}

fn is_text(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("none");
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    matches!(extension, "rs" | "toml" | "md" | "sh" | "cnf" | "txt")
        || (extension == "none" && matches!(folder, Some("scripts" | ".ci")))
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for prefix in [
        "pub(crate) ",
        "pub(super) ",
        "pub ",
        "default ",
        "const ",
        "async ",
        "unsafe ",
    ] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    Some(
        name.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect(),
    )
}

/// `text` with comments, string and character literals replaced by blanks; lines stay.
fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let end = literal_end(&chars, at);
        if end > at {
            for &blanked in chars.get(at..end).unwrap_or_default() {
                code.push(if blanked == '\n' { '\n' } else { ' ' });
            }
            at = end;
        } else {
            code.push(c);
            at += 1;
        }
    }
    code
}

/// Where the comment or literal that starts at `at` ends; `at` when none starts there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let char_at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let previous = at.checked_sub(1).map_or(' ', char_at);
    let in_word = previous.is_alphanumeric() || previous == '_';
    match (char_at(at), char_at(at + 1)) {
        ('/', '/') => find(chars, at, |index| char_at(index) == '\n'),
        ('/', '*') => {
            find(chars, at + 2, |index| {
                char_at(index) == '*' && char_at(index + 1) == '/'
            }) + 2
        }
        ('"', _) => quoted_end(chars, at + 1, '"'),
        ('b', '"') if !in_word => quoted_end(chars, at + 2, '"'),
        ('b', '\'') if !in_word => quoted_end(chars, at + 2, '\''),
        ('r', '"' | '#') if !in_word => raw_end(chars, at, at + 1),
        ('b', 'r') if !in_word && matches!(char_at(at + 2), '"' | '#') => {
            raw_end(chars, at, at + 2)
        }
        ('\'', '\\') => quoted_end(chars, at + 1, '\''),
        ('\'', _) if char_at(at + 2) == '\'' => at + 3,
        _ => at,
    }
}

fn quoted_end(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while let Some(&c) = chars.get(at) {
        at += match c {
            '\\' => 2,
            c if c == quote => return at + 1,
            _ => 1,
        };
    }
    chars.len()
}

fn raw_end(chars: &[char], start: usize, hashes_from: usize) -> usize {
    let hashes = chars
        .iter()
        .skip(hashes_from)
        .take_while(|&&c| c == '#')
        .count();
    let open = hashes_from + hashes;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let closes = |index: usize| {
        chars.get(index) == Some(&'"')
            && chars
                .iter()
                .skip(index + 1)
                .take(hashes)
                .filter(|&&c| c == '#')
                .count()
                == hashes
    };
    find(chars, open + 1, closes) + 1 + hashes
}

fn find(chars: &[char], from: usize, found: impl Fn(usize) -> bool) -> usize {
    (from..chars.len())
        .find(|&index| found(index))
        .unwrap_or(chars.len())
}
