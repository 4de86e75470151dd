//! Whom an account may change or interrupt, and what it may hand on.
//!
//! Only what is held, with the grant option where it is held, can be granted or revoked; an account
//! that has more rights than the actor is out of its reach.
// Differs from MySQL: there SYSTEM_USER alone puts an account out of reach, and root has it. Here an
// account is out of reach of everyone who has not all of its rights, and its sessions of everyone who
// has not all of its rights on the whole server.

use sql::ast::{Account as Statement, AccountName, AccountOptions, Grant, Revoke};
use sql::error::SqlError;

use super::Accounts;
use super::account::Account;
use super::privilege::{Privilege, Privileges};
use super::statement::Target;

impl Accounts {
    /// Fails unless `actor` may run the statement; `database` is the session's, for `ON *`.
    ///
    /// # Errors
    /// 1227 for a privilege on the whole server that is missing, 1044 and 1045 for one that is to
    /// be handed on.
    pub fn check(
        &self,
        actor: &Account,
        statement: &Statement,
        database: Option<&str>,
    ) -> Result<(), SqlError> {
        match statement {
            Statement::CreateUser { .. } => may_manage(actor),
            Statement::AlterUser { users, options, .. } => {
                for user in users {
                    match &user.account {
                        Some(name) if *name != actor.name => {
                            may_manage(actor)?;
                            self.in_reach(actor, name)?;
                        }
                        // One's own password, and nothing else, is one's own business.
                        Some(_) | None if user.authentication.is_none() => may_manage(actor)?,
                        Some(_) | None if *options != AccountOptions::default() => {
                            may_manage(actor)?;
                        }
                        Some(_) | None => {}
                    }
                }
                Ok(())
            }
            Statement::DropUser { users, .. } => {
                may_manage(actor)?;
                users.iter().try_for_each(|name| self.in_reach(actor, name))
            }
            Statement::RenameUser(pairs) => {
                may_manage(actor)?;
                pairs
                    .iter()
                    .try_for_each(|(from, _)| self.in_reach(actor, from))
            }
            Statement::SetPassword { user, .. } => match user {
                Some(name) if *name != actor.name => {
                    may_manage(actor)?;
                    self.in_reach(actor, name)
                }
                Some(_) | None => Ok(()),
            },
            Statement::Grant(grant) => self.check_grant(actor, grant, database),
            Statement::Revoke(revoke) => self.check_revoke(actor, revoke, database),
        }
    }

    fn check_grant(
        &self,
        actor: &Account,
        grant: &Grant,
        database: Option<&str>,
    ) -> Result<(), SqlError> {
        let target = Target::of(&grant.object, database)?;
        let privileges = target.privileges(&grant.privileges, grant.all)?;
        may_hand_on(actor, &target, privileges)?;
        let others = grant.accounts.iter();
        others
            .filter(|name| **name != actor.name)
            .try_for_each(|name| self.in_reach(actor, name))
    }

    fn check_revoke(
        &self,
        actor: &Account,
        revoke: &Revoke,
        database: Option<&str>,
    ) -> Result<(), SqlError> {
        match &revoke.object {
            Some(object) => {
                let target = Target::of(object, database)?;
                let privileges = target.privileges(&revoke.privileges, revoke.all)?;
                may_hand_on(actor, &target, privileges)?;
            }
            None => may_manage(actor)?,
        }
        let others = revoke.accounts.iter();
        others
            .filter(|name| **name != actor.name)
            .try_for_each(|name| self.in_reach(actor, name))
    }

    /// Whether the sessions of the account of this name are within `actor`'s reach. To end one hands
    /// out no rights: only what the other may do to the server as a whole counts, and not what it may
    /// do in databases.
    #[must_use]
    pub fn may_end_sessions_of(&self, actor: &Account, name: &AccountName) -> bool {
        let other = self.named(name).filter(|other| other.name != actor.name);
        other.is_none_or(|other| {
            let administrative = other.global.without(Privileges::all_for_databases());
            actor.global.has_all(administrative)
        })
    }

    /// An account that is not there is nobody's: what becomes of the statement is said elsewhere.
    fn in_reach(&self, actor: &Account, name: &AccountName) -> Result<(), SqlError> {
        match self.named(name) {
            Some(other) if !covers(actor, &other) => {
                Err(SqlError::specific_access_denied("SYSTEM_USER"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn may_manage(actor: &Account) -> Result<(), SqlError> {
    if actor.has(Privilege::CreateUser) {
        Ok(())
    } else {
        Err(SqlError::specific_access_denied("CREATE USER"))
    }
}

/// Whether `actor` has every right that `other` has.
fn covers(actor: &Account, other: &Account) -> bool {
    let options = actor.has_grant_option || !other.has_grant_option;
    let everywhere = actor.global.has_all(other.global);
    let in_databases = other.databases.iter().all(|(pattern, grant)| {
        let own = actor.databases.get(pattern).copied().unwrap_or_default();
        let option = actor.has_grant_option || own.has_grant_option || !grant.has_grant_option;
        option && own.privileges.union(actor.global).has_all(grant.privileges)
    });
    options && everywhere && in_databases
}

/// Whether `actor` holds the privileges on the target, and may give them away there.
fn may_hand_on(actor: &Account, target: &Target, privileges: Privileges) -> Result<(), SqlError> {
    let name = &actor.name;
    match target {
        Target::Global if actor.has_grant_option && actor.global.has_all(privileges) => Ok(()),
        Target::Global => Err(SqlError::access_denied(&name.user, &name.host, "YES")),
        Target::Database(pattern) => {
            let own = actor.databases.get(pattern).copied().unwrap_or_default();
            let option = actor.has_grant_option || own.has_grant_option;
            if option && own.privileges.union(actor.global).has_all(privileges) {
                Ok(())
            } else {
                Err(SqlError::db_access_denied(&name.user, &name.host, pattern))
            }
        }
    }
}
