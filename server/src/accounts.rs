//! Accounts and privileges: who may connect, and what for.
//!
//! Statements about accounts are atomic as in MySQL 8: all of a list or none, and durable before
//! the answer. Checks of privileges are plain functions of [`Account`]; which statement needs which
//! privilege is decided where statements are dispatched.

mod account;
mod host;
mod privilege;
mod reach;
mod statement;
mod store;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use protocol::auth::AuthPlugin;
use sql::ast::AccountName;

pub use account::{Account, DatabasePrivileges};
pub use host::{ClientHost, wildcard_match};
pub use privilege::{Privilege, Privileges};
pub(crate) use statement::random_password;
pub use statement::{AccountChange, GeneratedPassword, no_such_grant};
pub(crate) use store::write_private;
pub use store::{AccountFile, StoreError};

/// The password that root@localhost of a fresh data directory gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialRootPassword {
    /// A random one, written to `initial-root-password` (mode 0600) in the data directory.
    Random,
    /// None: `--initialize-insecure`.
    Empty,
}

/// All accounts of a node.
///
/// Readers take a snapshot and never wait for the disk; writers are one at a time and replace the
/// snapshot only after the file was.
#[derive(Debug)]
pub struct Accounts {
    file: AccountFile,
    default_plugin: AuthPlugin,
    /// Most specific host first. Replaced as a whole by the holder of `changing`; read anywhere,
    /// never held across an await or a write to disk.
    current: RwLock<Arc<Vec<Arc<Account>>>>,
    /// Held while a statement changes accounts.
    changing: Mutex<()>,
}

impl Accounts {
    /// Opens the accounts of a data directory, making root@localhost when there are none yet.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or cannot be made.
    pub fn open(
        datadir: &Path,
        default_plugin: AuthPlugin,
        initial: InitialRootPassword,
    ) -> Result<Self, StoreError> {
        let file = AccountFile::in_datadir(datadir);
        let accounts = if file.exists() {
            file.load()?
        } else {
            let root = initial_root(datadir, default_plugin, initial)?;
            file.save(std::slice::from_ref(&root))?;
            vec![root]
        };
        Ok(Self {
            file,
            default_plugin,
            current: RwLock::new(Arc::new(sorted(accounts))),
            changing: Mutex::new(()),
        })
    }

    /// The account that a client which names itself `user` is let in as, if any. It still has to
    /// prove that.
    #[must_use]
    pub fn find(&self, user: &str, client: &ClientHost) -> Option<Arc<Account>> {
        self.snapshot()
            .iter()
            .find(|account| {
                (account.name.user.is_empty() || account.name.user == user)
                    && host::host_matches(&account.name.host, client)
            })
            .cloned()
    }

    /// The account of exactly this name.
    #[must_use]
    pub fn named(&self, name: &AccountName) -> Option<Arc<Account>> {
        self.snapshot()
            .iter()
            .find(|account| account.name == *name)
            .cloned()
    }

    /// Every account, in the order in which they are tried.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Vec<Arc<Account>>> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes a copy of all accounts with `change`, makes it durable, then visible.
    fn replace<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Vec<Account>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut accounts: Vec<Account> = self
            .snapshot()
            .iter()
            .map(|account| Account::clone(account))
            .collect();
        let outcome = change(&mut accounts)?;
        self.file.save(&accounts)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(sorted(accounts));
        Ok(outcome)
    }
}

fn initial_root(
    datadir: &Path,
    plugin: AuthPlugin,
    initial: InitialRootPassword,
) -> Result<Account, StoreError> {
    let name = AccountName {
        user: "root".to_owned(),
        host: "localhost".to_owned(),
    };
    let stored = match initial {
        InitialRootPassword::Empty => String::new(),
        InitialRootPassword::Random => {
            let password = random_password();
            let path = datadir.join("initial-root-password");
            write_private(&path, format!("{password}\n").as_bytes()).map_err(|source| {
                StoreError::Io {
                    action: "write beside",
                    path,
                    source,
                }
            })?;
            plugin.stored(&password)
        }
    };
    let mut root = Account::new(name, plugin, stored);
    root.global = Privileges::all();
    root.has_grant_option = true;
    Ok(root)
}

/// MySQL's order: the most specific host first, named users before the anonymous one.
fn sorted(mut accounts: Vec<Account>) -> Vec<Arc<Account>> {
    accounts.sort_by_cached_key(|account| {
        let by_host = std::cmp::Reverse(host::specificity(&account.name.host));
        (
            by_host,
            account.name.user.is_empty(),
            account.name.user.clone(),
        )
    });
    accounts.into_iter().map(Arc::new).collect()
}

#[cfg(test)]
mod tests;
