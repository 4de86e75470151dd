//! One account: its name, how it proves who it is, and what it may do.

use std::collections::BTreeMap;

use protocol::auth::AuthPlugin;
use sql::ast::AccountName;

use super::privilege::{Privilege, Privileges};

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// `'user'@'host'`.
    pub name: AccountName,
    /// How it proves who it is.
    pub plugin: AuthPlugin,
    /// The stored form of the password in the plugin's format; empty for no password. Never a
    /// clear password, and never logged.
    pub stored_password: String,
    /// ACCOUNT LOCK.
    pub is_locked: bool,
    /// REQUIRE SSL.
    pub requires_tls: bool,
    /// Privileges on `*.*`.
    pub global: Privileges,
    /// WITH GRANT OPTION on `*.*`.
    pub has_grant_option: bool,
    /// Privileges by database pattern.
    pub databases: BTreeMap<String, DatabasePrivileges>,
}

/// What an account may do in the databases that match one pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DatabasePrivileges {
    /// Privileges on `db.*`.
    pub privileges: Privileges,
    /// WITH GRANT OPTION on `db.*`.
    pub has_grant_option: bool,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("plugin", &self.plugin)
            .field("global", &self.global)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// An account that may connect and nothing else.
    #[must_use]
    pub const fn new(name: AccountName, plugin: AuthPlugin, stored_password: String) -> Self {
        Self {
            name,
            plugin,
            stored_password,
            is_locked: false,
            requires_tls: false,
            global: Privileges::NONE,
            has_grant_option: false,
            databases: BTreeMap::new(),
        }
    }

    /// Whether the account has `privilege` on every database.
    #[must_use]
    pub const fn has(&self, privilege: Privilege) -> bool {
        self.global.has(privilege)
    }

    /// Whether the account has `privilege` in `database`, by a global grant or one on a pattern
    /// that matches it. The most specific pattern alone counts, as in MySQL.
    #[must_use]
    pub fn has_on(&self, privilege: Privilege, database: &str) -> bool {
        self.has(privilege)
            || self
                .grant_for(database)
                .is_some_and(|grant| grant.privileges.has(privilege))
    }

    /// Whether the account sees that `database` exists: what SHOW DATABASES asks.
    #[must_use]
    pub fn can_see(&self, database: &str) -> bool {
        self.has(Privilege::ShowDatabases) || self.has_any_on(database)
    }

    /// Whether the account has any privilege on the tables of `database`: what USE and DESCRIBE ask.
    #[must_use]
    pub fn has_any_on(&self, database: &str) -> bool {
        self.global.has_any(Privileges::all_for_databases())
            || self
                .grant_for(database)
                .is_some_and(|grant| !grant.privileges.is_empty())
    }

    fn grant_for(&self, database: &str) -> Option<&DatabasePrivileges> {
        self.databases
            .iter()
            .filter(|(pattern, _)| {
                super::host::wildcard_match(pattern.as_bytes(), database.as_bytes())
            })
            .max_by_key(|(pattern, _)| super::host::specificity(pattern))
            .map(|(_, grant)| grant)
    }

    /// The lines of SHOW GRANTS.
    #[must_use]
    pub fn grants(&self) -> Vec<String> {
        let to = quoted(&self.name);
        let mut lines = vec![grant_line(
            self.global,
            Privileges::all(),
            "*.*",
            &to,
            self.has_grant_option,
        )];
        for (pattern, grant) in &self.databases {
            let on = format!("`{}`.*", pattern.replace('`', "``"));
            let all = Privileges::all_for_databases();
            lines.push(grant_line(
                grant.privileges,
                all,
                &on,
                &to,
                grant.has_grant_option,
            ));
        }
        lines
    }
}

fn grant_line(
    privileges: Privileges,
    all: Privileges,
    on: &str,
    to: &str,
    has_grant_option: bool,
) -> String {
    let names = if privileges.is_empty() {
        "USAGE".to_owned()
    } else if privileges.has_all(all) {
        "ALL PRIVILEGES".to_owned()
    } else {
        privileges.names().collect::<Vec<_>>().join(", ")
    };
    let option = if has_grant_option {
        " WITH GRANT OPTION"
    } else {
        ""
    };
    format!("GRANT {names} ON {on} TO {to}{option}")
}

fn quoted(name: &AccountName) -> String {
    format!(
        "`{}`@`{}`",
        name.user.replace('`', "``"),
        name.host.replace('`', "``")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        let name = AccountName {
            user: "app".to_owned(),
            host: "%".to_owned(),
        };
        Account::new(name, AuthPlugin::CachingSha2, String::new())
    }

    #[test]
    fn grants_read_as_mysql_prints_them() {
        let mut account = account();
        assert_eq!(account.grants(), ["GRANT USAGE ON *.* TO `app`@`%`"]);
        account.global = [Privilege::ReplicationSlave, Privilege::Select]
            .into_iter()
            .collect();
        let all = Privileges::all_for_databases();
        account.databases.insert(
            "shop".to_owned(),
            DatabasePrivileges {
                privileges: all,
                has_grant_option: true,
            },
        );
        assert_eq!(
            account.grants(),
            [
                "GRANT SELECT, REPLICATION SLAVE ON *.* TO `app`@`%`",
                "GRANT ALL PRIVILEGES ON `shop`.* TO `app`@`%` WITH GRANT OPTION",
            ]
        );
    }

    #[test]
    fn a_database_grant_counts_only_where_its_pattern_matches() {
        let mut account = account();
        let select = [Privilege::Select].into_iter().collect();
        account.databases.insert(
            "shop\\_%".to_owned(),
            DatabasePrivileges {
                privileges: select,
                has_grant_option: false,
            },
        );
        assert!(account.has_on(Privilege::Select, "shop_eu"));
        assert!(!account.has_on(Privilege::Select, "shopeu"));
        assert!(!account.has_on(Privilege::Insert, "shop_eu"));
        assert!(account.can_see("shop_eu") && !account.can_see("other"));
    }

    #[test]
    fn debug_output_never_shows_the_stored_password() {
        let mut account = account();
        account.stored_password = "$A$005$secret".to_owned();
        assert!(!format!("{account:?}").contains("secret"));
    }
}
