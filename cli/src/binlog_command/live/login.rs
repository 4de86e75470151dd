//! Which server, which file, as whom.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::fetch::Request;
use crate::arguments::InputArguments;
use crate::client::{self, Server};
use crate::exit::Failure;

/// Whether an input is named by a URL.
pub(in crate::binlog_command) fn is_url(name: &Path) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("mysql://") || name.starts_with("mariadb://")
}

/// What is asked of which server.
pub(super) fn request(url: &str, arguments: &InputArguments) -> Result<Request, Failure> {
    let (url, file) = split_file(url);
    let password = password(&url, arguments)?;
    let server = Server::parse(&url, password.as_deref()).map_err(Failure::Usage)?;
    let goes_on = file.is_none() || arguments.to_last_log || arguments.stop_never;
    Ok(Request {
        server,
        file,
        goes_on,
        stop_never: arguments.stop_never,
        server_id: arguments
            .connection_server_id
            .unwrap_or(0x7000_0000 | std::process::id() & 0x0fff_ffff),
    })
}

/// Takes the file's name off: what stands behind the host.
fn split_file(url: &str) -> (String, Option<String>) {
    let (before, query) = match url.split_once('?') {
        Some((before, query)) => (before, format!("?{query}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = before.split_once("://").unwrap_or(("mysql", before));
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (format!("{login}@"), rest),
        None => (String::new(), rest),
    };
    let (host, file) = rest.split_once('/').unwrap_or((rest, ""));
    let file = (!file.is_empty()).then(|| file.to_owned());
    (format!("{scheme}://{login}{host}{query}"), file)
}

/// The password for a URL without one: from a file, from the environment, or asked for.
pub(crate) fn password(url: &str, arguments: &InputArguments) -> Result<Option<String>, Failure> {
    if let Some(path) = &arguments.password_file {
        return client::password(Some(path)).map_err(Failure::Failed);
    }
    if arguments.password {
        return ask(url).map(Some);
    }
    if let Ok(password) = std::env::var("MYSQL_PWD") {
        return Ok(Some(password));
    }
    client::password(None).map_err(Failure::Failed)
}

/// Asks at the terminal, which does not show what is typed.
fn ask(url: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::failed("asking for the password", error);
    let mut terminal = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(failed)?;
    let host = url.rsplit_once('@').map_or(url, |(_, host)| host);
    write!(terminal, "Password for {host}: ").map_err(failed)?;
    let echo = |mode: &str| -> std::io::Result<()> {
        let input = std::fs::File::open("/dev/tty")?;
        Command::new("stty")
            .arg(mode)
            .stdin(Stdio::from(input))
            .status()
            .map(|_| ())
    };
    echo("-echo").map_err(failed)?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    echo("echo").map_err(failed)?;
    let _ = writeln!(terminal);
    read.map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::split_file;

    #[test]
    fn the_file_stands_behind_the_host() {
        for (url, expected, file) in [
            ("mysql://u@h:1/b.000003", "mysql://u@h:1", Some("b.000003")),
            ("mysql://u:a/b@h", "mysql://u:a/b@h", None),
            ("mysql://h/", "mysql://h", None),
            (
                "mysql://u@localhost/b.000001?socket=/tmp/s",
                "mysql://u@localhost?socket=/tmp/s",
                Some("b.000001"),
            ),
        ] {
            assert_eq!(
                split_file(url),
                (expected.to_owned(), file.map(str::to_owned))
            );
        }
    }
}
