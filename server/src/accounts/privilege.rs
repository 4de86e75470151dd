//! Privileges: MySQL's names, and sets of them.
//!
//! Names and their levels: MySQL 8.4 Reference Manual 8.2.2, "Privileges Provided by MySQL".

/// One privilege. The discriminant is its bit in [`Privileges`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named and described by MySQL's manual")]
pub enum Privilege {
    Select,
    Insert,
    Update,
    Delete,
    Create,
    Drop,
    Reload,
    Shutdown,
    Process,
    References,
    Index,
    Alter,
    ShowDatabases,
    Super,
    LockTables,
    ReplicationSlave,
    ReplicationClient,
    CreateUser,
    BinlogAdmin,
    BinlogEncryptionAdmin,
    ConnectionAdmin,
    PersistRoVariablesAdmin,
    ReplicationSlaveAdmin,
    SystemVariablesAdmin,
}

use Privilege as P;

/// Every privilege with its name, in the order in which SHOW GRANTS lists them, and whether it can
/// be granted on a single database.
const PRIVILEGES: [(Privilege, &str, bool); 24] = [
    (P::Select, "SELECT", true),
    (P::Insert, "INSERT", true),
    (P::Update, "UPDATE", true),
    (P::Delete, "DELETE", true),
    (P::Create, "CREATE", true),
    (P::Drop, "DROP", true),
    (P::Reload, "RELOAD", false),
    (P::Shutdown, "SHUTDOWN", false),
    (P::Process, "PROCESS", false),
    (P::References, "REFERENCES", true),
    (P::Index, "INDEX", true),
    (P::Alter, "ALTER", true),
    (P::ShowDatabases, "SHOW DATABASES", false),
    (P::Super, "SUPER", false),
    (P::LockTables, "LOCK TABLES", true),
    (P::ReplicationSlave, "REPLICATION SLAVE", false),
    (P::ReplicationClient, "REPLICATION CLIENT", false),
    (P::CreateUser, "CREATE USER", false),
    (P::BinlogAdmin, "BINLOG_ADMIN", false),
    (P::BinlogEncryptionAdmin, "BINLOG_ENCRYPTION_ADMIN", false),
    (P::ConnectionAdmin, "CONNECTION_ADMIN", false),
    (
        P::PersistRoVariablesAdmin,
        "PERSIST_RO_VARIABLES_ADMIN",
        false,
    ),
    (P::ReplicationSlaveAdmin, "REPLICATION_SLAVE_ADMIN", false),
    (P::SystemVariablesAdmin, "SYSTEM_VARIABLES_ADMIN", false),
];

/// MariaDB's and MySQL's other spellings of privileges in [`PRIVILEGES`].
const SYNONYMS: [(&str, Privilege); 5] = [
    ("REPLICATION REPLICA", P::ReplicationSlave),
    ("BINLOG MONITOR", P::ReplicationClient),
    ("BINLOG ADMIN", P::BinlogAdmin),
    ("CONNECTION ADMIN", P::ConnectionAdmin),
    ("REPLICATION SLAVE ADMIN", P::ReplicationSlaveAdmin),
];

impl Privilege {
    /// The privilege of an upper-cased name with single blanks.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let by_own_name = PRIVILEGES
            .iter()
            .find(|(_, known, _)| *known == name)
            .map(|(privilege, ..)| *privilege);
        by_own_name.or_else(|| {
            SYNONYMS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, privilege)| *privilege)
        })
    }

    /// MySQL's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        PRIVILEGES
            .iter()
            .find(|(privilege, ..)| *privilege == self)
            .map_or("USAGE", |(_, name, _)| name)
    }

    /// Whether it may be granted on one database; the others are global only.
    #[must_use]
    pub fn is_for_databases(self) -> bool {
        PRIVILEGES
            .iter()
            .any(|(privilege, _, databases)| *privilege == self && *databases)
    }

    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

/// A set of privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privileges(u64);

impl Privileges {
    /// No privilege: MySQL's USAGE.
    pub const NONE: Self = Self(0);

    /// Everything that can be granted on `*.*`.
    #[must_use]
    pub fn all() -> Self {
        PRIVILEGES
            .iter()
            .map(|(privilege, ..)| *privilege)
            .collect()
    }

    /// Everything that can be granted on one database.
    #[must_use]
    pub fn all_for_databases() -> Self {
        PRIVILEGES
            .iter()
            .filter(|(.., database)| *database)
            .map(|(p, ..)| *p)
            .collect()
    }

    /// Whether `privilege` is in the set.
    #[must_use]
    pub const fn has(self, privilege: Privilege) -> bool {
        self.0 & privilege.bit() != 0
    }

    /// Whether every privilege of `other` is in the set.
    #[must_use]
    pub const fn has_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some privilege of `other` is in the set.
    #[must_use]
    pub const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds a privilege.
    pub const fn insert(&mut self, privilege: Privilege) {
        self.0 |= privilege.bit();
    }

    /// The privileges of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The privileges of this set that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// MySQL's names, in MySQL's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        PRIVILEGES
            .iter()
            .filter(move |(p, ..)| self.has(*p))
            .map(|(_, name, _)| *name)
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Self {
        let mut set = Self::NONE;
        for privilege in privileges {
            set.insert(privilege);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_privilege_has_its_own_bit_and_is_found_by_its_name() {
        let mut seen = Privileges::NONE;
        for (privilege, name, _) in PRIVILEGES {
            assert!(!seen.has(privilege), "{name} shares a bit");
            seen.insert(privilege);
            assert_eq!(Privilege::by_name(name), Some(privilege));
            assert_eq!(privilege.name(), name);
        }
        assert_eq!(seen, Privileges::all());
    }

    #[test]
    fn all_on_a_database_leaves_out_what_is_global_only() {
        let all = Privileges::all_for_databases();
        assert!(all.has(Privilege::Select) && all.has(Privilege::Alter));
        assert!(!all.has(Privilege::ReplicationSlave) && !all.has(Privilege::Super));
    }
}
