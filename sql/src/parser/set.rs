//! SET in all its forms, and RESET PERSIST.

use crate::ast::{
    Account, Admin, SetItem, SetScope, SetValue, Statement, TransactionCharacteristic,
};
use crate::cursor::{Cursor, Parse};
use crate::lexer::Kind;

use super::object::refuse_as_object;
use super::refuse;

const SCOPES: [&str; 5] = ["GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"];

impl Cursor<'_> {
    pub(super) fn set(&mut self) -> Parse<Statement> {
        self.advance();
        if self.is_word("PASSWORD") {
            return self.set_password();
        }
        if self.are_words(&["DEFAULT", "ROLE"]) {
            return refuse_as_object("SET DEFAULT ROLE");
        }
        if self.accept("ROLE") {
            return refuse("SET ROLE");
        }
        if self.are_words(&["RESOURCE", "GROUP"]) {
            return refuse("SET RESOURCE GROUP");
        }
        let mut scope = SetScope::Session;
        let items = self.list(|cursor| cursor.set_item(&mut scope))?;
        Ok(Statement::Admin(Admin::Set(items)))
    }

    fn set_password(&mut self) -> Parse<Statement> {
        self.expect("PASSWORD")?;
        let user = if self.accept("FOR") {
            Some(self.account()?)
        } else {
            None
        };
        if self.accept_all(&["TO", "RANDOM"]) {
            return refuse("SET PASSWORD TO RANDOM");
        }
        if !self.accept_symbol("=") {
            self.expect_symbol(":=")?;
        }
        Ok(Statement::Account(Account::SetPassword {
            user,
            password: self.string()?,
        }))
    }

    /// One item. A scope word holds for the items behind it too, as in MySQL's grammar.
    fn set_item(&mut self, scope: &mut SetScope) -> Parse<SetItem> {
        if let Kind::UserVariable(name) = self.peek() {
            let name = name.to_lowercase();
            self.advance();
            self.assign()?;
            return Ok(SetItem::User {
                name,
                value: self.expression()?,
            });
        }
        if let Kind::SystemVariable {
            scope: written,
            name,
        } = self.peek()
        {
            let scope = written.map_or(SetScope::Session, scope_of);
            let name = name.to_lowercase();
            self.advance();
            self.assign()?;
            let value = self.set_value()?;
            return Ok(SetItem::System {
                scope,
                explicit_scope: true,
                name,
                value,
            });
        }
        let written = self.accept_any(&SCOPES);
        if let Some(word) = written {
            *scope = scope_of(word);
        }
        if self.is_word("TRANSACTION") && !self.assignment_ahead(1) {
            let scope = if written.is_some() {
                *scope
            } else {
                SetScope::NextTransaction
            };
            return self.set_transaction(scope);
        }
        if let Some(item) = self.set_charset(written.is_some())? {
            return Ok(item);
        }
        let mut name = self.any_word()?.to_lowercase();
        if self.accept_symbol(".") {
            name = format!("{name}.{}", self.any_word()?.to_lowercase());
        }
        self.assign()?;
        let value = self.set_value()?;
        let explicit_scope = written.is_some() || *scope != SetScope::Session;
        Ok(SetItem::System {
            scope: *scope,
            explicit_scope,
            name,
            value,
        })
    }

    /// NAMES and CHARACTER SET, which take no scope: behind one, NAMES is a variable like any other.
    fn set_charset(&mut self, has_scope: bool) -> Parse<Option<SetItem>> {
        let is_set = self.are_words(&["CHARACTER", "SET"]) || self.are_words(&["CHAR", "SET"]);
        if has_scope {
            return match is_set {
                true => self.unexpected(),
                false => Ok(None),
            };
        }
        let is_word = |word: &str| self.is_word(word) && !self.assignment_ahead(1);
        if is_word("NAMES") {
            return self.set_names().map(Some);
        }
        if is_set || is_word("CHARSET") {
            return self.set_character_set().map(Some);
        }
        Ok(None)
    }

    /// What follows RESET PERSIST.
    pub(super) fn reset_persist(&mut self) -> Parse<Statement> {
        let if_exists = self.accept_all(&["IF", "EXISTS"]);
        if self.is_end() && !if_exists {
            let name = None;
            return Ok(Statement::Admin(Admin::ResetPersist { if_exists, name }));
        }
        let mut name = self.identifier()?;
        if self.accept_symbol(".") {
            name = format!("{name}.{}", self.identifier()?);
        }
        let name = Some(name);
        Ok(Statement::Admin(Admin::ResetPersist { if_exists, name }))
    }

    fn assignment_ahead(&self, ahead: usize) -> bool {
        matches!(self.peek_ahead(ahead), Kind::Symbol("=" | ":="))
    }

    fn assign(&mut self) -> Parse<()> {
        if self.accept_symbol(":=") {
            Ok(())
        } else {
            self.expect_symbol("=")
        }
    }

    /// The right side; a bare word stands for itself.
    fn set_value(&mut self) -> Parse<SetValue> {
        if let Kind::Word(word) = self.peek() {
            let word = (*word).to_owned();
            if !word.eq_ignore_ascii_case("NULL")
                && matches!(self.peek_ahead(1), Kind::End | Kind::Symbol(","))
            {
                self.advance();
                return Ok(if word.eq_ignore_ascii_case("DEFAULT") {
                    SetValue::Default
                } else {
                    SetValue::Word(word)
                });
            }
        }
        Ok(SetValue::Expression(self.expression()?))
    }

    fn set_names(&mut self) -> Parse<SetItem> {
        self.advance();
        if self.accept("DEFAULT") {
            return Ok(SetItem::Names {
                charset: None,
                collation: None,
            });
        }
        let charset = Some(self.name_or_string()?);
        let collation = if self.accept("COLLATE") {
            Some(self.name_or_string()?)
        } else {
            None
        };
        Ok(SetItem::Names { charset, collation })
    }

    fn set_character_set(&mut self) -> Parse<SetItem> {
        if !self.accept("CHARSET") {
            self.advance();
            self.expect("SET")?;
        }
        if self.accept("DEFAULT") {
            return Ok(SetItem::CharacterSet(None));
        }
        Ok(SetItem::CharacterSet(Some(self.name_or_string()?)))
    }

    fn set_transaction(&mut self, scope: SetScope) -> Parse<SetItem> {
        self.expect("TRANSACTION")?;
        let characteristics = self.list(|cursor| {
            if cursor.accept_all(&["ISOLATION", "LEVEL"]) {
                return cursor.isolation_level();
            }
            cursor.expect("READ")?;
            let only = cursor.expect_any(&["ONLY", "WRITE"])? == "ONLY";
            Ok(TransactionCharacteristic::ReadOnly(only))
        })?;
        Ok(SetItem::Transaction {
            scope,
            characteristics,
        })
    }

    fn isolation_level(&mut self) -> Parse<TransactionCharacteristic> {
        const LEVELS: [(&[&str], &str); 4] = [
            (&["READ", "UNCOMMITTED"], "READ-UNCOMMITTED"),
            (&["READ", "COMMITTED"], "READ-COMMITTED"),
            (&["REPEATABLE", "READ"], "REPEATABLE-READ"),
            (&["SERIALIZABLE"], "SERIALIZABLE"),
        ];
        for (words, name) in LEVELS {
            if self.accept_all(words) {
                return Ok(TransactionCharacteristic::Isolation(name));
            }
        }
        self.unexpected()
    }
}

fn scope_of(word: &str) -> SetScope {
    match word.to_ascii_uppercase().as_str() {
        "GLOBAL" => SetScope::Global,
        "PERSIST" => SetScope::Persist,
        "PERSIST_ONLY" => SetScope::PersistOnly,
        _ => SetScope::Session,
    }
}
