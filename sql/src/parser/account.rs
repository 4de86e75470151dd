//! Accounts, GRANT and REVOKE.

use super::object::refuse_as_object;
use super::refuse;
use crate::ast::{
    Account, AccountName, AccountOptions, Authentication, Grant, GrantObject, Privilege, Revoke,
    Statement, TableName, UserSpec,
};
use crate::cursor::{Cursor, Parse};
use crate::lexer::Kind;

/// The plugin of accounts that name none in their logs.
const NATIVE_PASSWORD: &str = "mysql_native_password";

/// What an account may use, behind WITH.
const LIMITS: [&str; 4] = [
    "MAX_QUERIES_PER_HOUR",
    "MAX_UPDATES_PER_HOUR",
    "MAX_CONNECTIONS_PER_HOUR",
    "MAX_USER_CONNECTIONS",
];

impl Cursor<'_> {
    /// Behind CREATE, ALTER, DROP or RENAME; USER is next.
    pub(super) fn account_statement(&mut self, verb: &str) -> Parse<Statement> {
        self.advance();
        match verb {
            "CREATE" => {
                let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
                let users = self.list(Self::user_spec)?;
                let options = self.account_options()?;
                Ok(Statement::Account(Account::CreateUser {
                    if_not_exists,
                    users,
                    options,
                }))
            }
            "ALTER" => {
                let if_exists = self.accept_all(&["IF", "EXISTS"]);
                let users = self.list(Self::user_spec)?;
                let options = self.account_options()?;
                Ok(Statement::Account(Account::AlterUser {
                    if_exists,
                    users,
                    options,
                }))
            }
            "DROP" => {
                let if_exists = self.accept_all(&["IF", "EXISTS"]);
                Ok(Statement::Account(Account::DropUser {
                    if_exists,
                    users: self.list(Self::account)?,
                }))
            }
            _ => {
                let pairs = self.list(|cursor| {
                    let from = cursor.account()?;
                    cursor.expect("TO")?;
                    Ok((from, cursor.account()?))
                })?;
                Ok(Statement::Account(Account::RenameUser(pairs)))
            }
        }
    }

    /// An account, or None for CURRENT_USER and USER().
    pub(super) fn account_or_current(&mut self) -> Parse<Option<AccountName>> {
        let current = self.is_word("CURRENT_USER")
            || (self.is_word("USER") && matches!(self.peek_ahead(1), Kind::Symbol("(")));
        if !current {
            return self.account().map(Some);
        }
        self.advance();
        if self.accept_symbol("(") {
            self.expect_symbol(")")?;
        }
        Ok(None)
    }

    fn user_spec(&mut self) -> Parse<UserSpec> {
        let account = self.account_or_current()?;
        let authentication = if self.accept("IDENTIFIED") {
            Some(self.authentication()?)
        } else {
            None
        };
        if self.accept("DEFAULT") {
            return refuse_as_object("DEFAULT ROLE");
        }
        Ok(UserSpec {
            account,
            authentication,
        })
    }

    fn authentication(&mut self) -> Parse<Authentication> {
        let plugin = if self.accept("WITH") {
            Some(self.name_or_string()?)
        } else {
            None
        };
        if self.accept("BY") {
            if self.accept_all(&["RANDOM", "PASSWORD"]) {
                return Ok(Authentication::RandomPassword { plugin });
            }
            // What MySQL before 5.7, and MariaDB, make of a password in their logs.
            if self.options.is_logged && self.accept("PASSWORD") {
                return Ok(Authentication::Hash {
                    plugin: plugin.unwrap_or_else(|| NATIVE_PASSWORD.to_owned()),
                    hash: self.bytes()?,
                });
            }
            let password = self.string()?;
            if self.is_word("REPLACE") {
                return refuse("IDENTIFIED BY ... REPLACE");
            }
            if self.accept_all(&["RETAIN", "CURRENT", "PASSWORD"]) {
                return refuse("RETAIN CURRENT PASSWORD");
            }
            return Ok(Authentication::Password { plugin, password });
        }
        // MariaDB's form, with plugins of its own and several for one account.
        if self.accept("VIA") || plugin.is_some() && self.accept("USING") {
            return refuse_as_object("IDENTIFIED VIA");
        }
        let Some(plugin) = plugin else {
            return self.unexpected();
        };
        if self.accept("AS") {
            let hash = match self.peek() {
                Kind::Hex(digits) => {
                    let hash = super::hex_bytes(digits);
                    self.advance();
                    hash
                }
                _ => self.bytes()?,
            };
            return Ok(Authentication::Hash { plugin, hash });
        }
        Ok(Authentication::Plugin(plugin))
    }

    fn account_options(&mut self) -> Parse<AccountOptions> {
        let mut options = AccountOptions::default();
        if self.accept("REQUIRE") {
            self.require(&mut options)?;
        }
        if self.accept("WITH") {
            while let Some(limit) = self.accept_any(&LIMITS) {
                let value = self.integer()?;
                if value != 0 {
                    options.others.push(format!("{limit} {value}"));
                }
            }
        }
        loop {
            if self.accept("ACCOUNT") {
                options.locked = Some(self.expect_any(&["LOCK", "UNLOCK"])? == "LOCK");
            } else if self.accept("PASSWORD") {
                self.password_option(&mut options)?;
            } else if self
                .accept_any(&["FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME"])
                .is_some()
            {
                if self.accept("UNBOUNDED") || self.integer()? != 0 {
                    options.others.push("FAILED_LOGIN_ATTEMPTS".to_owned());
                }
            } else if let Some(word) = self.accept_any(&["COMMENT", "ATTRIBUTE"]) {
                self.string()?;
                options.others.push(word.to_owned());
            } else {
                return Ok(options);
            }
        }
    }

    fn require(&mut self, options: &mut AccountOptions) -> Parse<()> {
        match self.expect_any(&["NONE", "SSL", "X509", "SUBJECT", "ISSUER", "CIPHER"])? {
            "NONE" => options.require_tls = Some(false),
            "SSL" => options.require_tls = Some(true),
            first => {
                options.require_tls = Some(true);
                options.require_certificate = true;
                if first != "X509" {
                    self.string()?;
                }
                loop {
                    self.accept("AND");
                    if self.accept_any(&["SUBJECT", "ISSUER", "CIPHER"]).is_none() {
                        break;
                    }
                    self.string()?;
                }
            }
        }
        Ok(())
    }

    /// PASSWORD EXPIRE ..., HISTORY ..., REUSE INTERVAL ..., REQUIRE CURRENT ...; the defaults and
    /// NEVER change nothing.
    fn password_option(&mut self, options: &mut AccountOptions) -> Parse<()> {
        let mut harmless = false;
        let mut words = vec!["PASSWORD".to_owned()];
        loop {
            match self.peek() {
                Kind::Word(word)
                    if [
                        "ACCOUNT",
                        "PASSWORD",
                        "FAILED_LOGIN_ATTEMPTS",
                        "PASSWORD_LOCK_TIME",
                        "COMMENT",
                        "ATTRIBUTE",
                    ]
                    .iter()
                    .any(|next| word.eq_ignore_ascii_case(next)) =>
                {
                    break;
                }
                Kind::Word(word) => {
                    harmless |= ["DEFAULT", "NEVER"]
                        .iter()
                        .any(|w| word.eq_ignore_ascii_case(w));
                    words.push(word.to_ascii_uppercase());
                }
                Kind::Integer(digits) => words.push((*digits).to_owned()),
                _ => break,
            }
            self.advance();
        }
        if words.len() == 1 {
            return self.unexpected();
        }
        if !harmless {
            options.others.push(words.join(" "));
        }
        Ok(())
    }

    pub(super) fn grant(&mut self) -> Parse<Statement> {
        self.advance();
        if self.accept("PROXY") {
            return refuse_as_object("GRANT PROXY");
        }
        if self.is_quoted_role() {
            return refuse_as_object("GRANT role");
        }
        let (all, privileges) = self.privileges()?;
        if self.is_word("TO") {
            return refuse_as_object("GRANT role");
        }
        self.expect("ON")?;
        let object = self.grant_object()?;
        self.expect("TO")?;
        let (accounts, grant_option) = match self.options.is_logged {
            true => self.grantees_with_options()?,
            false => {
                let accounts = self.list(Self::account)?;
                let grant_option = self.accept("WITH");
                if grant_option {
                    self.expect("GRANT")?;
                    self.expect("OPTION")?;
                }
                (accounts, grant_option)
            }
        };
        if self.is_word("AS") {
            return refuse_as_object("GRANT ... AS");
        }
        Ok(Statement::Account(Account::Grant(Box::new(Grant {
            privileges,
            all,
            object,
            accounts,
            grant_option,
        }))))
    }

    /// What servers take that make accounts by GRANT: MySQL before 8.0, and MariaDB.
    fn grantees_with_options(&mut self) -> Parse<(Vec<AccountName>, bool)> {
        let accounts = self.list(|cursor| {
            let account = cursor.account()?;
            if cursor.accept("IDENTIFIED") {
                cursor.authentication()?;
            }
            Ok(account)
        })?;
        if self.accept("REQUIRE") {
            self.require(&mut AccountOptions::default())?;
        }
        let mut grant_option = false;
        if self.accept("WITH") {
            loop {
                if self.accept("GRANT") {
                    self.expect("OPTION")?;
                    grant_option = true;
                } else if self.accept_any(&LIMITS).is_some() {
                    self.integer()?;
                } else {
                    break;
                }
            }
        }
        Ok((accounts, grant_option))
    }

    pub(super) fn revoke(&mut self) -> Parse<Statement> {
        self.advance();
        let if_exists = self.accept_all(&["IF", "EXISTS"]);
        if self.accept("PROXY") {
            return refuse_as_object("REVOKE PROXY");
        }
        if self.is_quoted_role() {
            return refuse_as_object("REVOKE role");
        }
        let (all, privileges) = self.privileges()?;
        let object = if self.accept("ON") {
            Some(self.grant_object()?)
        } else {
            None
        };
        if object.is_none() && !all {
            if self.is_word("FROM") {
                return refuse_as_object("REVOKE role");
            }
            return self.unexpected();
        }
        self.expect("FROM")?;
        let accounts = self.list(Self::account)?;
        self.accept_all(&["IGNORE", "UNKNOWN", "USER"]);
        let revoke = Revoke {
            privileges,
            all,
            object,
            accounts,
            if_exists,
        };
        Ok(Statement::Account(Account::Revoke(Box::new(revoke))))
    }

    /// Whether a role is next as logs write it: `'name'@'host'`.
    fn is_quoted_role(&self) -> bool {
        matches!(self.peek(), Kind::String(_) | Kind::Quoted(_))
    }

    fn privileges(&mut self) -> Parse<(bool, Vec<Privilege>)> {
        if self.accept("ALL") {
            self.accept("PRIVILEGES");
            let mut others = Vec::new();
            if self.accept_symbol(",") {
                self.expect("GRANT")?;
                self.expect("OPTION")?;
                others.push(Privilege {
                    name: "GRANT OPTION".to_owned(),
                    columns: Vec::new(),
                });
            }
            return Ok((true, others));
        }
        Ok((false, self.list(Self::privilege)?))
    }

    fn privilege(&mut self) -> Parse<Privilege> {
        let mut words: Vec<String> = Vec::new();
        while let Kind::Word(word) = self.peek() {
            let ends = !words.is_empty()
                && ["ON", "TO", "FROM"]
                    .iter()
                    .any(|end| word.eq_ignore_ascii_case(end));
            if ends {
                break;
            }
            words.push(word.to_ascii_uppercase());
            self.advance();
        }
        if words.is_empty() {
            if self.is_quoted_role() {
                return refuse_as_object("GRANT role");
            }
            return self.unexpected();
        }
        let columns = if self.is_symbol("(") {
            self.parenthesised(Self::identifier)?
        } else {
            Vec::new()
        };
        Ok(Privilege {
            name: words.join(" "),
            columns,
        })
    }

    fn grant_object(&mut self) -> Parse<GrantObject> {
        let routine = self
            .accept_any(&["FUNCTION", "PROCEDURE", "LIBRARY"])
            .is_some();
        self.accept("TABLE");
        if self.accept_symbol("*") {
            if self.accept_symbol(".") {
                self.expect_symbol("*")?;
                return Ok(GrantObject::Global);
            }
            return Ok(GrantObject::CurrentDatabase);
        }
        let first = self.identifier()?;
        if !self.accept_symbol(".") {
            let name = TableName {
                database: None,
                name: first,
            };
            return Ok(if routine {
                GrantObject::Routine(name)
            } else {
                GrantObject::Table(name)
            });
        }
        if self.accept_symbol("*") {
            return Ok(GrantObject::Database(first));
        }
        let name = TableName {
            database: Some(first),
            name: self.any_word()?,
        };
        Ok(if routine {
            GrantObject::Routine(name)
        } else {
            GrantObject::Table(name)
        })
    }
}
