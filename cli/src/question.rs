//! Asks somebody at the terminal before something is changed.

use std::io::{IsTerminal, Write};

use crate::exit::Failure;

/// Goes on if `is_answered` (`--yes`) or somebody says yes to `question`.
pub(crate) fn ask(is_answered: bool, question: &str) -> Result<(), Failure> {
    if is_answered {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let text = "nobody is there to be asked: --yes goes on without";
        return Err(Failure::Usage(text.to_owned()));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Usage("nothing was changed".to_owned())),
    }
}
