//! Where a replica's rows go: the options `target`, `target_password_file`, `target_ssl_ca`.

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
}

/// A server that rows go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MysqlTarget {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Its password, from `target_password_file`.
    pub password: Option<Secret>,
    /// Authorities (PEM) that its certificate must be signed by; it must then name the host.
    pub ssl_ca: Option<PathBuf>,
}

const FORM: &str = "sqlite or mysql://user@host[:port]";

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
        match address(&text) {
            Ok((user, host, port)) => Self::Mysql(MysqlTarget {
                host,
                port,
                user,
                password,
                ssl_ca: effective.path("target_ssl_ca", datadir),
            }),
            Err(message) => {
                refuse("target", message);
                Self::Sqlite
            }
        }
    }
}

/// User, host and port of `mysql://user@host[:port]`.
fn address(text: &str) -> Result<(String, String, u16), String> {
    let rest = text
        .strip_prefix("mysql://")
        .or_else(|| text.strip_prefix("mariadb://"));
    let wrong = || format!("target='{text}' is not {FORM}");
    let rest = rest.ok_or_else(wrong)?.trim_end_matches('/');
    let (user, host) = rest.rsplit_once('@').unwrap_or(("root", rest));
    if user.contains(':') {
        // The text itself would be shown to whoever may see options.
        return Err("target names a password; put it into target_password_file".to_owned());
    }
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
            (host, port.strip_prefix(':').unwrap_or("3306"))
        }
        None => host.split_once(':').unwrap_or((host, "3306")),
    };
    let port = port.parse().map_err(|_| wrong())?;
    match host.is_empty() || user.is_empty() {
        true => Err(wrong()),
        false => Ok((user.to_owned(), host.to_owned(), port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_user_host_and_port_and_never_by_password() {
        let of = |user: &str, host: &str, port| (user.to_owned(), host.to_owned(), port);
        assert_eq!(address("mysql://w@db"), Ok(of("w", "db", 3306)));
        assert_eq!(address("mariadb://w@db:3307/"), Ok(of("w", "db", 3307)));
        assert_eq!(address("mysql://w@[::1]:7"), Ok(of("w", "::1", 7)));
        assert_eq!(address("mysql://db"), Ok(of("root", "db", 3306)));
        let error = address("mysql://w:secret@db").unwrap_err();
        assert!(error.contains("target_password_file") && !error.contains("secret"));
        for wrong in [
            "",
            "postgres://a@b",
            "mysql://",
            "mysql://w@:1",
            "mysql://w@h:x",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
