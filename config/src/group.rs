//! The groups of option files and tables of TOML files: whose they are.
//!
//! A file may be shared with other programs, whose groups are passed over. A group that is nobody's
//! is most likely ours with a slip in it, and all it says would be lost in silence.

use crate::layers::distance;

/// The groups that one role or the other reads.
pub(crate) const OURS: [&str; 6] = [
    "server",
    "mysqld",
    "mysqld-8.4",
    "weir",
    "primary",
    "replica",
];

/// Groups of the programs of MySQL and MariaDB, and of their helpers.
const FOREIGN: [&str; 51] = [
    "client",
    "client-mariadb",
    "client-server",
    "embedded",
    "galera",
    "garb",
    "instance-manager",
    "isamchk",
    "loose-client",
    "manager",
    "maria_chk",
    "maria_ftdump",
    "maria_pack",
    "maria_read_log",
    "mariadb",
    "mariadb-admin",
    "mariadb-backup",
    "mariadb-binlog",
    "mariadb-check",
    "mariadb-client",
    "mariadb-dump",
    "mariadb-import",
    "mariadb-safe",
    "mariadb-show",
    "mariadb-slap",
    "mariadb-upgrade",
    "mariadbd",
    "mariadbd-safe",
    "mariabackup",
    "my_print_defaults",
    "myisam_ftdump",
    "myisamchk",
    "myisamlog",
    "myisampack",
    "mysql",
    "mysql.server",
    "mysql_cluster",
    "mysql_upgrade",
    "mysqladmin",
    "mysqlbinlog",
    "mysqlcheck",
    "mysqld_multi",
    "mysqld_safe",
    "mysqldump",
    "mysqlhotcopy",
    "mysqlimport",
    "mysqlpump",
    "mysqlshow",
    "mysqlslap",
    "sst",
    "xtrabackup",
];

/// Whose a group is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Ours, of this role or another, perhaps of another version or suffix.
    Ours,
    /// Of another program that reads such files.
    Foreign,
    /// Nobody's; the group of ours that it resembles.
    Nobody(Option<&'static str>),
}

/// Whose the group `name` is.
pub(crate) fn owner(name: &str) -> Owner {
    // mysqld1 of mysqld_multi, mysqld-8.0, client_backup and the like.
    let is_of = |known: &str| {
        name.strip_prefix(known)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    if OURS.into_iter().any(is_of) {
        return Owner::Ours;
    }
    if FOREIGN.into_iter().any(is_of) {
        return Owner::Foreign;
    }
    let lower = name.to_ascii_lowercase();
    let nearest = OURS
        .into_iter()
        .map(|known| (distance(&lower, known), known))
        .min();
    Owner::Nobody(
        nearest
            .filter(|(distance, _)| *distance <= 2)
            .map(|(_, known)| known),
    )
}

#[cfg(test)]
mod tests {
    use super::{Owner, owner};

    #[test]
    fn a_slip_in_a_group_is_told_from_the_group_of_another_program() {
        for ours in [
            "mysqld",
            "mysqld-8.0",
            "mysqld1",
            "replica",
            "weir_b",
            "server",
        ] {
            assert_eq!(owner(ours), Owner::Ours, "{ours}");
        }
        for foreign in [
            "client",
            "mysqldump",
            "mysqld_safe",
            "mariadb-10.11",
            "mysql",
        ] {
            let owner = owner(foreign);
            assert!(matches!(owner, Owner::Foreign | Owner::Ours), "{foreign}");
        }
        for (slip, meant) in [
            ("mysqd", "mysqld"),
            ("mysqldd", "mysqld"),
            ("MYSQLD", "mysqld"),
            ("servr", "server"),
            ("replika", "replica"),
        ] {
            assert_eq!(owner(slip), Owner::Nobody(Some(meant)), "{slip}");
        }
        assert_eq!(owner("backup-tool"), Owner::Nobody(None));
    }
}
