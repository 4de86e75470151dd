//! CREATE, ALTER, DROP and RENAME USER, SET PASSWORD, GRANT and REVOKE.
//!
//! Whether the session may run them is the dispatcher's question; here is what they do. Errors and
//! texts are MySQL 8.4's.

use protocol::auth::{AuthPlugin, PASSWORD_MAX};
use rand::Rng as _;
use sql::ast::{
    AccountName, AccountOptions, Authentication, Grant, GrantObject, Privilege as Written, Revoke,
    UserSpec,
};
use sql::error::SqlError;

use super::Accounts;
use super::account::Account;
use super::privilege::{Privilege, Privileges};
use super::store::StoreError;

/// The password that IDENTIFIED BY RANDOM PASSWORD made for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedPassword {
    /// Whose.
    pub account: AccountName,
    /// Clear text, shown once in the statement's result.
    pub password: String,
}

/// What a statement about accounts did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountChange {
    /// Passwords that were made, to be shown once.
    pub generated: Vec<GeneratedPassword>,
    /// Notes in place of errors, for `IF [NOT] EXISTS`.
    pub notes: Vec<SqlError>,
    /// What SHOW WARNINGS shows as a warning.
    pub warnings: Vec<SqlError>,
}

/// A failure inside a change, before it is an answer.
enum Failure {
    Refused(SqlError),
    Store(StoreError),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Accounts {
    /// CREATE USER.
    ///
    /// # Errors
    /// 1396 when an account exists, 1524 for an unknown plugin, 1827 for a hash of another form,
    /// 1235 for options that are not there yet.
    pub fn create_user(
        &self,
        users: &[UserSpec],
        options: &AccountOptions,
        if_not_exists: bool,
    ) -> Result<AccountChange, SqlError> {
        refuse_unsupported(options)?;
        refuse_long_passwords("CREATE USER", users, None)?;
        self.change(|accounts, change| {
            let mut failed = Vec::new();
            for user in users {
                let Some(name) = &user.account else {
                    return Err(SqlError::not_supported("CREATE USER of the current user"));
                };
                if accounts.iter().any(|account| account.name == *name) {
                    failed.push(name);
                    continue;
                }
                let (plugin, stored) =
                    self.credentials(name, user.authentication.as_ref(), None, change)?;
                let mut account = Account::new(name.clone(), plugin, stored);
                apply_options(&mut account, options);
                accounts.push(account);
            }
            refuse_or_note("CREATE USER", &failed, if_not_exists, change, |name| {
                SqlError::new(
                    3163,
                    "HY000",
                    format!("Authorization ID {} already exists.", written(name)),
                )
            })
        })
    }

    /// ALTER USER; `current` is the session's own account.
    ///
    /// # Errors
    /// As [`Accounts::create_user`]; 1396 when an account does not exist.
    pub fn alter_user(
        &self,
        users: &[UserSpec],
        options: &AccountOptions,
        if_exists: bool,
        current: &AccountName,
    ) -> Result<AccountChange, SqlError> {
        refuse_unsupported(options)?;
        refuse_long_passwords("ALTER USER", users, Some(current))?;
        self.change(|accounts, change| {
            let mut failed = Vec::new();
            for user in users {
                let name = user.account.as_ref().unwrap_or(current);
                let Some(account) = accounts.iter_mut().find(|account| account.name == *name)
                else {
                    failed.push(name);
                    continue;
                };
                if user.authentication.is_some() {
                    let (plugin, stored) = self.credentials(
                        name,
                        user.authentication.as_ref(),
                        Some(account.plugin),
                        change,
                    )?;
                    account.plugin = plugin;
                    account.stored_password = stored;
                }
                apply_options(account, options);
            }
            refuse_or_note("ALTER USER", &failed, if_exists, change, does_not_exist)
        })
    }

    /// SET PASSWORD.
    ///
    /// # Errors
    /// 1133 when the account does not exist.
    pub fn set_password(&self, name: &AccountName, password: &str) -> Result<(), SqlError> {
        if password.len() > PASSWORD_MAX {
            return Err(SqlError::cannot_user("SET PASSWORD", written(name)));
        }
        self.change(|accounts, _| {
            let account = accounts.iter_mut().find(|account| account.name == *name);
            let account = account.ok_or_else(|| {
                SqlError::new(
                    1133,
                    "42000",
                    "Can't find any matching row in the user table",
                )
            })?;
            account.stored_password = account.plugin.stored(password);
            Ok(())
        })
        .map(|_| ())
    }

    /// DROP USER.
    ///
    /// # Errors
    /// 1396 when an account does not exist.
    pub fn drop_user(
        &self,
        users: &[AccountName],
        if_exists: bool,
    ) -> Result<AccountChange, SqlError> {
        self.change(|accounts, change| {
            let mut failed = Vec::new();
            for name in users {
                let before = accounts.len();
                accounts.retain(|account| account.name != *name);
                if accounts.len() == before {
                    failed.push(name);
                }
            }
            refuse_or_note("DROP USER", &failed, if_exists, change, does_not_exist)
        })
    }

    /// RENAME USER.
    ///
    /// # Errors
    /// 1396 when an account does not exist or its new name does.
    pub fn rename_user(&self, pairs: &[(AccountName, AccountName)]) -> Result<(), SqlError> {
        self.change(|accounts, _| {
            for (from, to) in pairs {
                let taken = accounts.iter().any(|account| account.name == *to);
                match accounts.iter_mut().find(|account| account.name == *from) {
                    Some(account) if !taken => account.name = to.clone(),
                    _ => return Err(SqlError::cannot_user("RENAME USER", written(from))),
                }
            }
            Ok(())
        })
        .map(|_| ())
    }

    /// GRANT. `database` is the session's, for `ON *`.
    ///
    /// # Errors
    /// 1410 when the account does not exist, 1221 for a global privilege on a database, 1235 for
    /// tables, columns, routines and privileges that are not there yet.
    pub fn grant(&self, grant: &Grant, database: Option<&str>) -> Result<(), SqlError> {
        let target = Target::of(&grant.object, database)?;
        let privileges = target.privileges(&grant.privileges, grant.all)?;
        self.change(|accounts, _| {
            for name in &grant.accounts {
                let account = accounts.iter_mut().find(|account| account.name == *name);
                let account = account.ok_or_else(|| {
                    SqlError::new(
                        1410,
                        "42000",
                        "You are not allowed to create a user with GRANT",
                    )
                })?;
                let (held, option) = target.held_by(account);
                *held = held.union(privileges);
                *option |= grant.grant_option || names_grant_option(&grant.privileges);
            }
            Ok(())
        })
        .map(|_| ())
    }

    /// REVOKE. `database` is the session's, for `ON *`.
    ///
    /// # Errors
    /// 1141 when the account or the grant does not exist; else as [`Accounts::grant`].
    pub fn revoke(
        &self,
        revoke: &Revoke,
        database: Option<&str>,
    ) -> Result<AccountChange, SqlError> {
        let Some(object) = &revoke.object else {
            self.revoke_everything(&revoke.accounts, revoke.if_exists)?;
            return Ok(AccountChange::default());
        };
        let target = Target::of(object, database)?;
        let privileges = target.privileges(&revoke.privileges, revoke.all)?;
        self.change(|accounts, change| {
            for name in &revoke.accounts {
                let known = accounts.iter_mut().find(|account| account.name == *name);
                let account = known.ok_or_else(|| no_such_grant(name))?;
                if !target.is_held_by(account, privileges, revoke.all) {
                    let error = no_such_grant(name);
                    if revoke.if_exists {
                        change.warnings.push(error);
                        continue;
                    }
                    return Err(error);
                }
                let (held, option) = target.held_by(account);
                *held = held.without(privileges);
                // Everything on everything takes the right to hand it on too, as in MySQL.
                let is_everything = revoke.all && matches!(target, Target::Global);
                *option &= !is_everything && !names_grant_option(&revoke.privileges);
                account
                    .databases
                    .retain(|_, grant| !grant.privileges.is_empty() || grant.has_grant_option);
            }
            Ok(())
        })
    }

    fn revoke_everything(&self, names: &[AccountName], if_exists: bool) -> Result<(), SqlError> {
        self.change(|accounts, change| {
            for name in names {
                match accounts.iter_mut().find(|account| account.name == *name) {
                    Some(account) => {
                        account.global = Privileges::NONE;
                        account.has_grant_option = false;
                        account.databases.clear();
                    }
                    None if if_exists => change.notes.push(does_not_exist(name)),
                    None => {
                        return Err(SqlError::new(
                            1269,
                            "HY000",
                            "Can't revoke all privileges for one or more of the requested users",
                        ));
                    }
                }
            }
            Ok(())
        })
        .map(|_| ())
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Account>, &mut AccountChange) -> Result<(), SqlError>,
    ) -> Result<AccountChange, SqlError> {
        let outcome = self.replace(|accounts| {
            let mut done = AccountChange::default();
            change(accounts, &mut done).map_err(Failure::Refused)?;
            Ok::<_, Failure>(done)
        });
        outcome.map_err(|failure| match failure {
            Failure::Refused(error) => error,
            Failure::Store(error) => SqlError::new(1026, "HY000", error.to_string()),
        })
    }

    /// The plugin and the stored password that a clause asks for.
    fn credentials(
        &self,
        name: &AccountName,
        clause: Option<&Authentication>,
        present: Option<AuthPlugin>,
        change: &mut AccountChange,
    ) -> Result<(AuthPlugin, String), SqlError> {
        let plugin = |named: Option<&String>| match named {
            None => Ok(present.unwrap_or(self.default_plugin)),
            Some(named) => AuthPlugin::by_name(&named.to_ascii_lowercase()).ok_or_else(|| {
                SqlError::new(1524, "HY000", format!("Plugin '{named}' is not loaded"))
            }),
        };
        match clause {
            None => Ok((self.default_plugin, String::new())),
            Some(Authentication::Plugin(named)) => Ok((plugin(Some(named))?, String::new())),
            Some(Authentication::Password {
                plugin: named,
                password,
            }) => {
                let plugin = plugin(named.as_ref())?;
                Ok((plugin, plugin.stored(password)))
            }
            Some(Authentication::RandomPassword { plugin: named }) => {
                let plugin = plugin(named.as_ref())?;
                let password = random_password();
                let stored = plugin.stored(&password);
                change.generated.push(GeneratedPassword {
                    account: name.clone(),
                    password,
                });
                Ok((plugin, stored))
            }
            Some(Authentication::Hash {
                plugin: named,
                hash,
            }) => {
                let plugin = plugin(Some(named))?;
                let stored = String::from_utf8(hash.clone()).ok();
                let stored = stored.filter(|text| plugin.accepts_stored(text));
                stored.map(|stored| (plugin, stored)).ok_or_else(|| {
                    SqlError::new(
                        1827,
                        "HY000",
                        "The password hash doesn't have the expected format.",
                    )
                })
            }
        }
    }
}

/// What privileges are granted on.
pub(super) enum Target {
    Global,
    Database(String),
}

impl Target {
    pub(super) fn of(object: &GrantObject, database: Option<&str>) -> Result<Self, SqlError> {
        match object {
            GrantObject::Global => Ok(Self::Global),
            GrantObject::Database(pattern) => Ok(Self::Database(pattern.clone())),
            GrantObject::CurrentDatabase => match database {
                Some(database) => Ok(Self::Database(database.to_owned())),
                None => Err(SqlError::new(1046, "3D000", "No database selected")),
            },
            GrantObject::Table(_) => Err(SqlError::not_supported("privileges on tables")),
            GrantObject::Routine(_) => Err(SqlError::not_supported("privileges on routines")),
        }
    }

    pub(super) fn privileges(
        &self,
        written: &[Written],
        all: bool,
    ) -> Result<Privileges, SqlError> {
        if all {
            return Ok(match self {
                Self::Global => Privileges::all(),
                Self::Database(_) => Privileges::all_for_databases(),
            });
        }
        let mut set = Privileges::NONE;
        for one in written {
            if one.name == "USAGE" || one.name == "GRANT OPTION" {
                continue;
            }
            if !one.columns.is_empty() {
                return Err(SqlError::not_supported("privileges on columns"));
            }
            let privilege = Privilege::by_name(&one.name)
                .ok_or_else(|| SqlError::not_supported(format!("privilege {}", one.name)))?;
            if matches!(self, Self::Database(_)) && !privilege.is_for_databases() {
                return Err(SqlError::new(
                    1221,
                    "HY000",
                    "Incorrect usage of DB GRANT and GLOBAL PRIVILEGES",
                ));
            }
            set.insert(privilege);
        }
        Ok(set)
    }

    fn held_by<'a>(&self, account: &'a mut Account) -> (&'a mut Privileges, &'a mut bool) {
        match self {
            Self::Global => (&mut account.global, &mut account.has_grant_option),
            Self::Database(pattern) => {
                let grant = account.databases.entry(pattern.clone()).or_default();
                (&mut grant.privileges, &mut grant.has_grant_option)
            }
        }
    }

    /// Whether there is what a REVOKE takes: on a database every privilege that it names.
    fn is_held_by(&self, account: &Account, privileges: Privileges, all: bool) -> bool {
        match self {
            Self::Global => true,
            Self::Database(pattern) => account
                .databases
                .get(pattern)
                .is_some_and(|grant| all || grant.privileges.union(privileges) == grant.privileges),
        }
    }
}

fn names_grant_option(written: &[Written]) -> bool {
    written.iter().any(|one| one.name == "GRANT OPTION")
}

fn refuse_unsupported(options: &AccountOptions) -> Result<(), SqlError> {
    if options.require_certificate {
        return Err(SqlError::not_supported(
            "REQUIRE X509, SUBJECT, ISSUER or CIPHER",
        ));
    }
    match options.others.first() {
        Some(other) => Err(SqlError::not_supported(other)),
        None => Ok(()),
    }
}

const fn apply_options(account: &mut Account, options: &AccountOptions) {
    if let Some(requires_tls) = options.require_tls {
        account.requires_tls = requires_tls;
    }
    if let Some(is_locked) = options.locked {
        account.is_locked = is_locked;
    }
}

/// One 1396 for all the accounts of a list that are not as they must be, or a note for each.
fn refuse_or_note(
    operation: &str,
    failed: &[&AccountName],
    as_notes: bool,
    change: &mut AccountChange,
    note: impl Fn(&AccountName) -> SqlError,
) -> Result<(), SqlError> {
    if failed.is_empty() {
        return Ok(());
    }
    if as_notes {
        change.notes.extend(failed.iter().map(|name| note(name)));
        return Ok(());
    }
    let names = failed
        .iter()
        .map(|name| written(name))
        .collect::<Vec<_>>()
        .join(",");
    Err(SqlError::cannot_user(operation, names))
}

/// No login takes a password of more than 256 bytes, and hashing takes memory with its square.
fn refuse_long_passwords(
    operation: &str,
    users: &[UserSpec],
    current: Option<&AccountName>,
) -> Result<(), SqlError> {
    let is_long = |user: &&UserSpec| {
        matches!(
            &user.authentication,
            Some(Authentication::Password { password, .. }) if password.len() > PASSWORD_MAX
        )
    };
    match users.iter().find(is_long) {
        None => Ok(()),
        Some(user) => {
            let name = user.account.as_ref().or(current);
            let name = name.map_or_else(String::new, written);
            Err(SqlError::cannot_user(operation, name))
        }
    }
}

fn does_not_exist(name: &AccountName) -> SqlError {
    let text = format!("Authorization ID {} does not exist.", written(name));
    SqlError::new(3162, "HY000", text)
}

/// 1141: also the answer to SHOW GRANTS for an account that does not exist.
#[must_use]
pub fn no_such_grant(name: &AccountName) -> SqlError {
    let text = format!(
        "There is no such grant defined for user '{}' on host '{}'",
        name.user, name.host
    );
    SqlError::new(1141, "42000", text)
}

fn written(name: &AccountName) -> String {
    format!("'{}'@'{}'", name.user, name.host)
}

/// Twenty characters of 62, about 119 bits.
pub(crate) fn random_password() -> String {
    let mut generator = rand::rng();
    (0..20)
        .map(|_| char::from(generator.sample(rand::distr::Alphanumeric)))
        .collect()
}
