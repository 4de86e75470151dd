//! Accounts on disk: one JSON file in the data directory, mode 0600, replaced as a whole.
//!
//! Accounts are local to the node, as the `mysql` schema is in practice for a replica with other
//! users than its source; they are not replicated. A change is durable before it is visible: write
//! a temporary file, sync it, rename it over the old one, sync the directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use protocol::auth::AuthPlugin;
use serde::{Deserialize, Serialize};
use sql::ast::AccountName;

use super::account::{Account, DatabasePrivileges};
use super::privilege::{Privilege, Privileges};
use crate::private_file;

/// Why the accounts could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} the account file {path}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is not what Weir writes.
    #[error(
        "the account file {path} is damaged: {reason}. Restore it from a backup, or remove it to start with a new root account"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

/// The file and its format.
#[derive(Debug)]
pub struct AccountFile {
    path: PathBuf,
}

/// 1 is from before there was PERSIST_RO_VARIABLES_ADMIN: who had all privileges has all.
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct FileContent {
    format: u32,
    accounts: Vec<AccountRecord>,
}

#[derive(Serialize, Deserialize)]
struct AccountRecord {
    user: String,
    host: String,
    plugin: String,
    stored_password: String,
    #[serde(default)]
    is_locked: bool,
    #[serde(default)]
    requires_tls: bool,
    global: GrantRecord,
    databases: BTreeMap<String, GrantRecord>,
}

#[derive(Serialize, Deserialize)]
struct GrantRecord {
    privileges: Vec<String>,
    grant_option: bool,
}

impl AccountFile {
    /// The account file of a data directory.
    #[must_use]
    pub fn in_datadir(datadir: &Path) -> Self {
        Self {
            path: datadir.join("accounts.json"),
        }
    }

    /// Whether the file exists: a fresh data directory has none.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Reads all accounts.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something Weir did not write: an unknown plugin or
    /// privilege is an error, never dropped.
    pub fn load(&self) -> Result<Vec<Account>, StoreError> {
        let text = fs::read(&self.path).map_err(|source| self.io("read", source))?;
        let content: FileContent =
            serde_json::from_slice(&text).map_err(|error| self.damaged(error.to_string()))?;
        if !(1..=FORMAT).contains(&content.format) {
            let format = content.format;
            return Err(self.damaged(format!("format {format} is not one of 1 to {FORMAT}")));
        }
        let mut accounts = Vec::with_capacity(content.accounts.len());
        for record in content.accounts {
            let mut account = self.account(record)?;
            let newer = [Privilege::PersistRoVariablesAdmin].into_iter().collect();
            let had_all = account.global.has_all(Privileges::all().without(newer));
            if content.format == 1 && had_all {
                account.global = Privileges::all();
            }
            accounts.push(account);
        }
        Ok(accounts)
    }

    /// Replaces all accounts; on return they are durable.
    ///
    /// # Errors
    /// When the file system refuses; the old file then still stands.
    pub fn save(&self, accounts: &[Account]) -> Result<(), StoreError> {
        let content = FileContent {
            format: FORMAT,
            accounts: accounts.iter().map(AccountRecord::of).collect(),
        };
        let text =
            serde_json::to_vec_pretty(&content).map_err(|error| self.damaged(error.to_string()))?;
        let temporary = self.path.with_extension("json.new");
        write_private(&temporary, &text)
            .and_then(|()| fs::rename(&temporary, &self.path))
            .and_then(|()| match self.path.parent() {
                Some(directory) => File::open(directory)?.sync_all(),
                None => Ok(()),
            })
            .map_err(|source| self.io("write", source))
    }

    fn account(&self, record: AccountRecord) -> Result<Account, StoreError> {
        let plugin = AuthPlugin::by_name(&record.plugin)
            .ok_or_else(|| self.damaged(format!("unknown plugin {}", record.plugin)))?;
        if !plugin.accepts_stored(&record.stored_password) {
            let reason = format!("the stored password of {} is not one", record.user);
            return Err(self.damaged(reason));
        }
        let name = AccountName {
            user: record.user,
            host: record.host,
        };
        let mut account = Account::new(name, plugin, record.stored_password);
        account.is_locked = record.is_locked;
        account.requires_tls = record.requires_tls;
        account.has_grant_option = record.global.grant_option;
        account.global = self.privileges(&record.global)?;
        for (pattern, grant) in &record.databases {
            let privileges = self.privileges(grant)?;
            let grant = DatabasePrivileges {
                privileges,
                has_grant_option: grant.grant_option,
            };
            account.databases.insert(pattern.clone(), grant);
        }
        Ok(account)
    }

    fn privileges(&self, grant: &GrantRecord) -> Result<Privileges, StoreError> {
        let known = |name: &String| {
            Privilege::by_name(name)
                .ok_or_else(|| self.damaged(format!("unknown privilege {name}")))
        };
        grant.privileges.iter().map(known).collect()
    }

    fn io(&self, action: &'static str, source: io::Error) -> StoreError {
        StoreError::Io {
            action,
            path: self.path.clone(),
            source,
        }
    }

    fn damaged(&self, reason: String) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            reason,
        }
    }
}

impl AccountRecord {
    fn of(account: &Account) -> Self {
        let grant = |privileges: Privileges, grant_option| GrantRecord {
            privileges: privileges.names().map(str::to_owned).collect(),
            grant_option,
        };
        Self {
            user: account.name.user.clone(),
            host: account.name.host.clone(),
            plugin: account.plugin.name().to_owned(),
            stored_password: account.stored_password.clone(),
            is_locked: account.is_locked,
            requires_tls: account.requires_tls,
            global: grant(account.global, account.has_grant_option),
            databases: account
                .databases
                .iter()
                .map(|(pattern, on)| (pattern.clone(), grant(on.privileges, on.has_grant_option)))
                .collect(),
        }
    }
}

/// Writes and syncs a file that only its owner may read.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    private_file::write(path, content, private_file::SECRET)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn account() -> Account {
        let name = AccountName {
            user: "repl".to_owned(),
            host: "%".to_owned(),
        };
        let mut account = Account::new(name, AuthPlugin::Native, AuthPlugin::Native.stored("x"));
        account.global.insert(Privilege::ReplicationSlave);
        account.requires_tls = true;
        account.databases.insert(
            "shop".to_owned(),
            DatabasePrivileges {
                privileges: Privileges::all_for_databases(),
                has_grant_option: true,
            },
        );
        account
    }

    #[test]
    fn accounts_survive_a_round_trip_in_a_file_only_the_owner_reads() {
        let directory = tempfile::tempdir().unwrap();
        let file = AccountFile::in_datadir(directory.path());
        assert!(!file.exists());
        file.save(&[account()]).unwrap();
        file.save(&[account()]).unwrap();
        assert_eq!(file.load().unwrap(), [account()]);
        let mode = fs::metadata(directory.path().join("accounts.json"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn an_unknown_privilege_is_an_error_and_not_a_smaller_grant() {
        let directory = tempfile::tempdir().unwrap();
        let file = AccountFile::in_datadir(directory.path());
        file.save(&[account()]).unwrap();
        let path = directory.path().join("accounts.json");
        let text = fs::read_to_string(&path)
            .unwrap()
            .replace("REPLICATION SLAVE", "FLY");
        fs::write(&path, text).unwrap();
        let error = file.load().unwrap_err().to_string();
        assert!(error.contains("unknown privilege FLY"), "{error}");
    }
}
