//! The recipes of docs/RECOVERY.md, run as they stand there.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Result, ensure};
use crate::peers::{self, Peer, workspace};
use crate::weir;

/// The commands of a recipe by block, between its heading and the next.
///
/// # Errors
/// When there is no such recipe.
pub fn blocks(heading: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(workspace().join("docs/RECOVERY.md"))?;
    let recipe = text
        .split("\n## ")
        .find(|part| part.starts_with(heading))
        .ok_or_else(|| Failure::new(format!("no recipe {heading}")))?;
    let blocks = recipe.split("```sh\n").skip(1);
    Ok(blocks
        .filter_map(|block| Some(block.split("```").next()?.to_owned()))
        .collect())
}

/// What is to be filled in: every line gives a name in capitals a value.
pub fn is_to_be_filled_in(block: &str) -> bool {
    let names = |line: &str| {
        line.split_once('=')
            .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase()))
    };
    block.lines().all(names)
}

/// Runs a piece of shell with `weir` and the clients of `peer` in its path; gives what it printed.
///
/// # Errors
/// When it fails, with what it printed.
pub fn shell(directory: &Path, peer: Peer, script: &str) -> Result<String> {
    let weir = weir::binary()?;
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = weir.parent().unwrap_or(Path::new("."));
    let clients = peers::folder(peer.folder())?.join("bin");
    let ended = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(directory)
        .env(
            "PATH",
            format!("{}:{}:{path}", bin.display(), clients.display()),
        )
        .output()?;
    let text = [ended.stdout, ended.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    ensure(ended.status.success(), || format!("{script}\n{text}"))?;
    Ok(text)
}
