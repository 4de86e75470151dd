//! What a system variable is: name, scope, kind of value, whether it can be set, and where its value
//! comes from at start. The tables below hold all that there are, one table for each subject.
//!
//! Names, scopes and defaults: MySQL 8.4 Reference Manual 7.1.8, "Server System Variables", and
//! 19.1.6 for replication. A variable is here because a client reads or sets it (see the captures
//! that the tests replay) or because an option of the same name acts.

mod charsets;
mod connections;
mod logs;
mod server;
mod statements;

use std::sync::LazyLock;

use charsets::CHARSETS;
use connections::CONNECTIONS;
use logs::LOGS;
use server::SERVER;
use statements::STATEMENTS;

/// Where a variable lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One value for the node.
    Global,
    /// A global value that new sessions copy.
    Both,
    /// Only in sessions.
    Session,
}

/// Values a variable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ON or OFF; 1 or 0 in SELECT.
    Flag,
    /// A number; a value outside is brought inside with warning 1292.
    Unsigned {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// One of these words, or its place in the list.
    Choice(&'static [&'static str]),
    /// Any text.
    Text,
    /// Text or NULL.
    NullableText,
    /// A character set's name.
    Charset,
    /// A collation's name.
    Collation,
    /// A list of SQL modes.
    SqlMode,
    /// A time zone.
    TimeZone,
}

/// What SET may do to a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// SET changes it and something heeds it.
    Dynamic,
    /// SET changes what it shows; this server has nothing that it would steer. Real clients set
    /// these and must not fail; `docs/COMPATIBILITY.md` lists them.
    Inert,
    /// Fixed at start: 1238.
    ReadOnly,
    /// Only its present value may be set; anything else would make the server lie: 1231.
    Pinned,
}

/// One system variable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Definition {
    /// Name in lower case.
    pub(crate) name: &'static str,
    /// Where it lives.
    pub(crate) scope: Scope,
    /// Values it takes.
    pub(crate) kind: Kind,
    /// What SET may do.
    pub(crate) access: Access,
    /// Value at start, unless the settings or the node give another.
    pub(crate) initial: &'static str,
}

const fn variable(
    name: &'static str,
    scope: Scope,
    kind: Kind,
    access: Access,
    initial: &'static str,
) -> Definition {
    Definition {
        name,
        scope,
        kind,
        access,
        initial,
    }
}

const fn up_to(max: u64) -> Kind {
    Kind::Unsigned { min: 0, max }
}

const fn between(min: u64, max: u64) -> Kind {
    Kind::Unsigned { min, max }
}

const U32_MAX: u64 = 0xffff_ffff;
const YEAR: u64 = 31_536_000;

/// Every variable, sorted by name.
pub(crate) fn all() -> &'static [Definition] {
    static ALL: LazyLock<Vec<Definition>> = LazyLock::new(|| {
        let mut all = [CHARSETS, CONNECTIONS, LOGS, SERVER, STATEMENTS].concat();
        all.sort_unstable_by_key(|definition| definition.name);
        all
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::super::names::find;
    use super::*;

    #[test]
    fn names_are_sorted_and_unique_so_that_the_search_finds_each() {
        for (a, b) in all().iter().zip(all().iter().skip(1)) {
            assert!(a.name < b.name, "{} is not before {}", a.name, b.name);
        }
        assert!(
            all()
                .iter()
                .all(|d| find(d.name).is_some_and(|f| f.name == d.name))
        );
    }
}
