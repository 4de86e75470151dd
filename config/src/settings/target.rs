//! Where a replica's rows go: the options `target`, `target_password_file`, `target_ssl_ca`,
//! `postgres_zero_dates`.

use std::path::{Path, PathBuf};

use super::source::read_private;
use crate::{ConfigError, Effective, Secret};

/// `target`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// The embedded engine in the data directory.
    Sqlite,
    /// A MySQL or MariaDB server.
    Mysql(MysqlTarget),
    /// A PostgreSQL server.
    Postgres(PostgresTarget),
}

/// `postgres_zero_dates`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostgresZeroDates {
    /// They stop the applier.
    Stop,
    /// They become NULL.
    Null,
    /// They become `-infinity`.
    Infinity,
}

/// A PostgreSQL server that rows go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresTarget {
    /// Host name or address, or the directory of a Unix socket, which begins with `/`.
    pub host: String,
    /// TCP port, or that in the socket's name.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password, from `target_password_file`.
    pub password: Option<Secret>,
    /// Database.
    pub database: String,
    /// Authorities (PEM) that its certificate must be signed by; it must then name the host.
    pub ssl_ca: Option<PathBuf>,
    /// What becomes of dates that it does not have.
    pub zero_dates: PostgresZeroDates,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHost {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A server that rows go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MysqlTarget {
    /// Where it is.
    pub host: TargetHost,
    /// The other nodes of its cluster.
    pub others: Vec<TargetHost>,
    /// Account.
    pub user: String,
    /// Its password, from `target_password_file`.
    pub password: Option<Secret>,
    /// Authorities (PEM) that its certificate must be signed by; it must then name the host.
    pub ssl_ca: Option<PathBuf>,
}

const FORM: &str =
    "sqlite, mysql://user@host[:port][,host[:port]...] or postgres://user@host[:port]/database";

impl TargetKind {
    pub(super) fn read(
        effective: &Effective,
        datadir: &Path,
        errors: &mut Vec<ConfigError>,
    ) -> Self {
        let text = effective.text("target").unwrap_or_default();
        let mut refuse = |name: &str, message: String| {
            let origin = effective.origin(name);
            errors.push(ConfigError::Contradiction { origin, message });
        };
        let password = match effective.path("target_password_file", datadir) {
            None => None,
            Some(path) => match read_private(&path) {
                Ok(text) => Some(Secret::new(text.lines().next().unwrap_or_default())),
                Err(message) => {
                    refuse("target_password_file", message);
                    None
                }
            },
        };
        if text == "sqlite" {
            return Self::Sqlite;
        }
        let ssl_ca = effective.path("target_ssl_ca", datadir);
        match address(&text) {
            Ok(Address {
                database: Some(database),
                host,
                others: _,
                user,
            }) => Self::Postgres(PostgresTarget {
                host: host.host,
                port: host.port,
                user,
                password,
                database,
                ssl_ca,
                zero_dates: zero_dates(effective),
            }),
            Ok(Address {
                database: None,
                host,
                others,
                user,
            }) => Self::Mysql(MysqlTarget {
                host,
                others,
                user,
                password,
                ssl_ca,
            }),
            Err(message) => {
                refuse("target", message);
                Self::Sqlite
            }
        }
    }
}

fn zero_dates(effective: &Effective) -> PostgresZeroDates {
    let word = effective.text("postgres_zero_dates").unwrap_or_default();
    match word.to_ascii_uppercase().as_str() {
        "NULL" => PostgresZeroDates::Null,
        "INFINITY" => PostgresZeroDates::Infinity,
        _ => PostgresZeroDates::Stop,
    }
}

/// What `target` names.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    user: String,
    host: TargetHost,
    /// The other nodes of a cluster.
    others: Vec<TargetHost>,
    /// That of a PostgreSQL.
    database: Option<String>,
}

/// The parts of `mysql://user@host[:port][,host[:port]...]` or `postgres://user@host[:port]/database`.
fn address(text: &str) -> Result<Address, String> {
    let wrong = || format!("target='{text}' is not {FORM}");
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let (rest, database, default_user, default_port) = match scheme {
        "mysql" | "mariadb" => (rest.trim_end_matches('/'), None, "root", "3306"),
        "postgres" | "postgresql" => {
            let (rest, database) = rest.split_once('/').ok_or_else(wrong)?;
            let is_name = !database.is_empty() && !database.contains(['/', '?']);
            let database = is_name.then(|| database.to_owned()).ok_or_else(wrong)?;
            (rest, Some(database), "postgres", "5432")
        }
        _ => return Err(wrong()),
    };
    let (user, host) = rest.rsplit_once('@').unwrap_or((default_user, rest));
    if user.contains(':') {
        // The text itself would be shown to whoever may see options.
        return Err("target names a password; put it into target_password_file".to_owned());
    }
    let is_postgres = database.is_some();
    let mut hosts = host
        .split(',')
        .map(|host| one_host(host, default_port, is_postgres));
    let first = hosts.next().flatten().ok_or_else(wrong)?;
    let others: Option<Vec<TargetHost>> = hosts.collect();
    let others = others.ok_or_else(wrong)?;
    match user.is_empty() || (is_postgres && !others.is_empty()) {
        true => Err(wrong()),
        false => Ok(Address {
            user: user.to_owned(),
            host: first,
            others,
            database,
        }),
    }
}

/// `host`, `host:port` or `[address]:port`.
fn one_host(text: &str, default_port: &str, may_be_socket: bool) -> Option<TargetHost> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let port = match port {
                "" => default_port,
                port => port.strip_prefix(':')?,
            };
            (host, port)
        }
        None => text.split_once(':').unwrap_or((text, default_port)),
    };
    let host = match may_be_socket {
        true => host.replace("%2F", "/").replace("%2f", "/"),
        false => host.to_owned(),
    };
    let port = port.parse().ok()?;
    (!host.is_empty()).then_some(TargetHost { host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> TargetHost {
        TargetHost {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn a_server_is_named_by_user_host_and_port_and_never_by_password() {
        let of = |user: &str, host: &str, port| Address {
            user: user.to_owned(),
            host: at(host, port),
            others: Vec::new(),
            database: None,
        };
        assert_eq!(address("mysql://w@db"), Ok(of("w", "db", 3306)));
        assert_eq!(address("mariadb://w@db:3307/"), Ok(of("w", "db", 3307)));
        assert_eq!(address("mysql://w@[::1]:7"), Ok(of("w", "::1", 7)));
        assert_eq!(address("mysql://db"), Ok(of("root", "db", 3306)));
        let error = address("mysql://w:secret@db").unwrap_err();
        assert!(error.contains("target_password_file") && !error.contains("secret"));
        for wrong in [
            "",
            "postgres://a@b",
            "postgres://a@b/",
            "postgres://a@b/c?sslmode=disable",
            "oracle://a@b/c",
            "mysql://",
            "mysql://w@:1",
            "mysql://w@h:x",
            "mysql://w@a,,b",
            "mysql://w@a,b:x",
            "mysql://w@[::1]x",
            "postgres://w@a,b/c",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cluster_is_named_by_all_of_its_nodes() {
        let cluster = Address {
            user: "w".to_owned(),
            host: at("a", 3306),
            others: vec![at("b", 7), at("::1", 8)],
            database: None,
        };
        assert_eq!(address("mysql://w@a,b:7,[::1]:8"), Ok(cluster));
    }

    #[test]
    fn a_postgresql_is_named_with_its_database_and_may_be_a_socket() {
        let of = |user: &str, host: &str, port| Address {
            user: user.to_owned(),
            host: at(host, port),
            others: Vec::new(),
            database: Some("d".to_owned()),
        };
        assert_eq!(address("postgres://w@db/d"), Ok(of("w", "db", 5432)));
        assert_eq!(address("postgresql://w@[::1]:7/d"), Ok(of("w", "::1", 7)));
        let socket = "postgres://w@%2Fvar%2Frun%2Fpostgresql:5433/d";
        assert_eq!(address(socket), Ok(of("w", "/var/run/postgresql", 5433)));
        assert!(address("postgres://w:secret@db/d").is_err());
    }
}
