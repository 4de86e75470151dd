//! Says where the password of root@localhost is, when this start made it.

use std::path::{Path, PathBuf};

use crate::output;

/// The file that a new data directory's accounts come with.
pub(super) struct FirstPassword {
    path: PathBuf,
    was_there: bool,
}

impl FirstPassword {
    /// Before accounts are made.
    pub(super) fn of(datadir: &Path) -> Self {
        let path = datadir.join("initial-root-password");
        let was_there = path.exists();
        Self { path, was_there }
    }

    /// Once accounts are there: says it, and only once. `to_file`: messages go to a file, and whoever
    /// started the process looks at standard error.
    pub(super) fn tell(&mut self, to_file: bool) {
        if self.was_there || !self.path.exists() {
            return;
        }
        self.was_there = true;
        let message = format!(
            "root@localhost has a random password: it is in {}; change it at the first login with \
             ALTER USER root@localhost IDENTIFIED BY '...', and remove the file",
            self.path.display()
        );
        tracing::info!("{message}");
        if to_file {
            output::note(format_args!("weir: {message}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FirstPassword;

    #[test]
    fn a_password_that_was_there_before_is_no_news() {
        let directory = tempfile::tempdir().unwrap();
        let mut password = FirstPassword::of(directory.path());
        password.tell(false);
        assert!(!password.was_there);
        std::fs::write(directory.path().join("initial-root-password"), "x\n").unwrap();
        password.tell(false);
        assert!(password.was_there);
        assert!(FirstPassword::of(directory.path()).was_there);
    }
}
