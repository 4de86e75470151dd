//! What an option is: its name, the values it takes, its default, and the roles it acts in.
//!
//! [`all`] lists every option there is; parsing, typed settings, `weir config show` and the
//! reference page are all read off this one list. Names, ranges, block sizes and defaults are
//! MySQL 8.4's unless the description says `Differs from MySQL`.

mod logs;
mod operation;
mod renamed;
mod replication;
mod server;

pub(crate) use renamed::ABSENT;
pub use renamed::{RENAMED, Renamed};

/// The kind of process that is being configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `weir primary`.
    Primary,
    /// `weir replica`.
    Replica,
}

impl Role {
    /// The subcommand and the option group: `primary` or `replica`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        }
    }
}

/// The roles an option acts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// Both.
    Both,
    /// Only one.
    Only(Role),
}

impl Roles {
    /// Whether `role` is among them.
    #[must_use]
    pub fn contains(self, role: Role) -> bool {
        match self {
            Self::Both => true,
            Self::Only(only) => only == role,
        }
    }
}

/// What values an option takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// ON or OFF; without a value ON; `skip-` and `disable-` in front mean OFF, `enable-` ON.
    Flag {
        /// The one state that Weir does, if it does only one.
        only: Option<bool>,
    },
    /// A whole number with an optional suffix K, M, G, T, P or E. Outside the range it is moved
    /// to the nearer end, and down to a multiple of `block`, with a warning: as MySQL does.
    Unsigned {
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
        /// Values are multiples of this.
        block: u64,
    },
    /// A decimal number of seconds.
    Seconds {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// One word of a list, in any case; also its number in the list, as MySQL allows.
    Choice {
        /// MySQL's words in MySQL's order.
        words: &'static [&'static str],
        /// Those that Weir does.
        supported: &'static [&'static str],
    },
    /// Any text.
    Text,
    /// A name that may be left out (`log-bin` alone means the default name).
    Name,
    /// A file or directory; relative ones are taken from the data directory.
    Path,
    /// A password: shown nowhere.
    Secret,
    /// Values that add up over repeated options, also separated by commas.
    List(ListOf),
}

/// The elements of a list option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOf {
    /// Database names.
    Databases,
    /// `database.table`.
    Tables,
    /// `database.table` with `%` and `_`.
    WildTables,
    /// `from->to`.
    Rewrites,
    /// `database.table: condition`, one an option: conditions have commas of their own.
    RowFilters,
    /// IP addresses, host names or `*`. Unlike the others, the last option wins, as in MySQL.
    Addresses,
}

/// One option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Definition {
    /// MySQL's variable name, with underscores.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The default as it would be written; empty for none.
    pub default: &'static str,
    /// The default of `weir replica` where it is another one.
    pub default_on_replica: Option<&'static str>,
    /// Where it acts.
    pub roles: Roles,
    /// Whether a running process takes a changed value on SIGHUP.
    pub reloads: bool,
    /// The sentence for the reference page.
    pub description: &'static str,
}

impl Definition {
    const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        description: &'static str,
    ) -> Self {
        let roles = Roles::Both;
        Self {
            name,
            kind,
            default,
            default_on_replica: None,
            roles,
            reloads: false,
            description,
        }
    }

    const fn flag(name: &'static str, default: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Flag { only: None }, default, description)
    }

    const fn fixed_flag(name: &'static str, only: bool, description: &'static str) -> Self {
        let default = if only { "ON" } else { "OFF" };
        Self::new(name, Kind::Flag { only: Some(only) }, default, description)
    }

    const fn unsigned(
        name: &'static str,
        range: (u64, u64),
        default: &'static str,
        description: &'static str,
    ) -> Self {
        let kind = Kind::Unsigned {
            min: range.0,
            max: range.1,
            block: 1,
        };
        Self::new(name, kind, default, description)
    }

    /// A size in bytes that is a multiple of `block`.
    const fn size(
        name: &'static str,
        range: (u64, u64),
        block: u64,
        default: &'static str,
        description: &'static str,
    ) -> Self {
        let kind = Kind::Unsigned {
            min: range.0,
            max: range.1,
            block,
        };
        Self::new(name, kind, default, description)
    }

    const fn choice(
        name: &'static str,
        words: &'static [&'static str],
        supported: &'static [&'static str],
        default: &'static str,
        description: &'static str,
    ) -> Self {
        Self::new(
            name,
            Kind::Choice { words, supported },
            default,
            description,
        )
    }

    const fn text(name: &'static str, default: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Text, default, description)
    }

    const fn path(name: &'static str, default: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Path, default, description)
    }

    const fn list(name: &'static str, of: ListOf, description: &'static str) -> Self {
        Self::new(name, Kind::List(of), "", description)
    }

    const fn only(mut self, role: Role) -> Self {
        self.roles = Roles::Only(role);
        self
    }

    const fn on_replica(mut self, default: &'static str) -> Self {
        self.default_on_replica = Some(default);
        self
    }

    const fn reloads(mut self) -> Self {
        self.reloads = true;
        self
    }

    /// The default in `role`, as it would be written.
    #[must_use]
    pub fn default_in(&self, role: Role) -> &'static str {
        match (role, self.default_on_replica) {
            (Role::Replica, Some(default)) => default,
            _ => self.default,
        }
    }

    /// Whether the value stays hidden.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Whether repeated options add up.
    #[must_use]
    pub fn accumulates(&self) -> bool {
        matches!(self.kind, Kind::List(of) if of != ListOf::Addresses)
    }

    /// Whether the option may stand without a value.
    #[must_use]
    pub fn value_is_optional(&self) -> bool {
        matches!(self.kind, Kind::Flag { .. } | Kind::Name)
    }
}

/// Every option, grouped as on the reference page.
pub fn all() -> impl Iterator<Item = &'static Definition> {
    sections()
        .into_iter()
        .flat_map(|(_, definitions)| definitions)
}

/// The sections of the reference page, in order.
#[must_use]
pub fn sections() -> [(&'static str, &'static [Definition]); 5] {
    [
        ("Server", server::SERVER),
        ("Binlog and relay log", logs::LOGS),
        ("Source", replication::SOURCE),
        ("What a replica applies", replication::APPLIER),
        ("Operation", operation::OPERATION),
    ]
}

/// The option of that name (underscores, lower case).
#[must_use]
pub fn find(name: &str) -> Option<&'static Definition> {
    all().find(|definition| definition.name == name)
}

#[cfg(test)]
mod tests;
