//! Accounts and privileges.

/// A statement about accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// CREATE USER.
    CreateUser {
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// Accounts.
        users: Vec<UserSpec>,
        /// What follows the list.
        options: AccountOptions,
    },
    /// ALTER USER.
    AlterUser {
        /// IF EXISTS.
        if_exists: bool,
        /// Accounts.
        users: Vec<UserSpec>,
        /// What follows the list.
        options: AccountOptions,
    },
    /// DROP USER.
    DropUser {
        /// IF EXISTS.
        if_exists: bool,
        /// Accounts.
        users: Vec<AccountName>,
    },
    /// RENAME USER a TO b, ...
    RenameUser(Vec<(AccountName, AccountName)>),
    /// SET PASSWORD [FOR user] = 'text'.
    SetPassword {
        /// Account; the session's own when left out.
        user: Option<AccountName>,
        /// The new password, clear text.
        password: String,
    },
    /// GRANT.
    Grant(Box<Grant>),
    /// REVOKE.
    Revoke(Box<Revoke>),
}

/// `'user'@'host'`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountName {
    /// User; empty for the anonymous one.
    pub user: String,
    /// Host pattern, lower-cased; `%` when left out.
    pub host: String,
}

/// How an account proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// IDENTIFIED [WITH plugin] BY 'password'.
    Password {
        /// Plugin; None takes the server's default.
        plugin: Option<String>,
        /// Clear text.
        password: String,
    },
    /// IDENTIFIED WITH plugin AS 'hash'.
    Hash {
        /// Plugin.
        plugin: String,
        /// The stored form.
        hash: Vec<u8>,
    },
    /// IDENTIFIED WITH plugin.
    Plugin(String),
    /// IDENTIFIED [WITH plugin] BY RANDOM PASSWORD.
    RandomPassword {
        /// Plugin.
        plugin: Option<String>,
    },
}

/// An account in CREATE USER or ALTER USER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSpec {
    /// None is USER() / CURRENT_USER in ALTER USER.
    pub account: Option<AccountName>,
    /// IDENTIFIED ...
    pub authentication: Option<Authentication>,
}

/// What may follow the list of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountOptions {
    /// REQUIRE SSL, X509 or any of SUBJECT, ISSUER, CIPHER (`Some(true)`), REQUIRE NONE
    /// (`Some(false)`).
    pub require_tls: Option<bool>,
    /// REQUIRE X509, SUBJECT, ISSUER or CIPHER was written: not checked by this version.
    pub require_certificate: bool,
    /// ACCOUNT LOCK (`true`), ACCOUNT UNLOCK.
    pub locked: Option<bool>,
    /// PASSWORD EXPIRE, resource limits, COMMENT, ATTRIBUTE ...: the words.
    pub others: Vec<String>,
}

/// One privilege of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privilege {
    /// Upper-cased, single blanks: `SELECT`, `REPLICATION SLAVE`, `CONNECTION_ADMIN`.
    pub name: String,
    /// Column list; empty for the whole table.
    pub columns: Vec<String>,
}

/// What a privilege is granted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantObject {
    /// `*.*`.
    Global,
    /// `db.*`; the name is a pattern.
    Database(String),
    /// `*`: the current database.
    CurrentDatabase,
    /// `db.table` or `table`.
    Table(super::TableName),
    /// FUNCTION or PROCEDURE.
    Routine(super::TableName),
}

/// GRANT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Empty with `all`: ALL \[PRIVILEGES\].
    pub privileges: Vec<Privilege>,
    /// ALL \[PRIVILEGES\].
    pub all: bool,
    /// ON.
    pub object: GrantObject,
    /// TO; the old form with IDENTIFIED is 1064 as in MySQL 8.
    pub accounts: Vec<AccountName>,
    /// WITH GRANT OPTION.
    pub grant_option: bool,
}

/// REVOKE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoke {
    /// Privileges; `GRANT OPTION` may be among them.
    pub privileges: Vec<Privilege>,
    /// ALL \[PRIVILEGES\].
    pub all: bool,
    /// None is REVOKE ALL PRIVILEGES, GRANT OPTION FROM.
    pub object: Option<GrantObject>,
    /// FROM.
    pub accounts: Vec<AccountName>,
    /// IF EXISTS.
    pub if_exists: bool,
}
