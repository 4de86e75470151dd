//! Connections of the tools: URLs, passwords that stay out of the process list, time-outs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::client::{ClientOptions, Connection, Endpoint, QueryResult};
use protocol::tls::ClientTls;

/// A server as named on the command line. `Debug` and `Display` show no password.
#[derive(Clone)]
pub(crate) struct Server {
    /// What people see: `host:port` or the socket.
    pub(crate) name: String,
    options: ClientOptions,
}

impl Server {
    /// Reads `mysql://user[:password]@host[:port]`, `host[:port]`, or
    /// `mysql://user@localhost?socket=PATH`; `password` is for URLs without one.
    pub(crate) fn parse(url: &str, password: Option<&str>) -> Result<Self, String> {
        let refuse = |what: &str| {
            Err(format!(
                "{what}; expected mysql://user[:password]@host[:port][?socket=PATH]"
            ))
        };
        let rest = match url.split_once("://") {
            None => url,
            Some(("mysql" | "mariadb", rest)) => rest,
            Some((scheme, _)) => return refuse(&format!("'{scheme}://' is not a MySQL URL")),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.trim_end_matches('/');
        let (login, host) = rest.rsplit_once('@').unwrap_or(("root", rest));
        let (user, given) = match login.split_once(':') {
            Some((user, password)) => (user, Some(percent_decoded(password))),
            None => (login, None),
        };
        let password = given
            .or_else(|| password.map(str::to_owned))
            .unwrap_or_default();
        let endpoint = match query.strip_prefix("socket=") {
            Some(path) => Endpoint::Unix(PathBuf::from(percent_decoded(path))),
            None if query.is_empty() => match host_and_port(host) {
                Some((host, port)) => Endpoint::Tcp { host, port },
                None => return refuse(&format!("'{host}' is not a host and port")),
            },
            None => return refuse(&format!("'?{query}' is not known")),
        };
        Ok(Self::at(endpoint, &percent_decoded(user), &password))
    }

    /// A server at an address that is known to the program.
    pub(crate) fn at(endpoint: Endpoint, user: &str, password: &str) -> Self {
        let name = match &endpoint {
            Endpoint::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Endpoint::Tcp { host, port } => format!("{host}:{port}"),
            Endpoint::Unix(path) => path.display().to_string(),
        };
        let mut options = ClientOptions::new(endpoint, user, password);
        // The tools are run by hand against servers the caller names; without TLS the password
        // still travels encrypted by the key the server sends.
        options.get_source_public_key = true;
        Self { name, options }
    }

    /// The same server over other TLS.
    pub(crate) fn with_tls(mut self, tls: ClientTls) -> Self {
        self.options.tls = tls;
        self
    }

    /// How to connect.
    pub(crate) const fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Sets how it is talked to.
    pub(crate) fn set_tls(&mut self, tls: ClientTls) {
        self.options.tls = tls;
    }

    /// Logs in.
    pub(crate) async fn connect(&self, within: Duration) -> Result<Client, ClientError> {
        let connection = timed(within, Connection::connect(&self.options)).await?;
        Ok(Client { connection, within })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.name).finish()
    }
}

/// A connection whose statements have a time-out.
pub(crate) struct Client {
    connection: Connection,
    within: Duration,
}

/// Why a statement has no result.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// The connection is unusable or was never there.
    Lost(String),
    /// The server answered with an error; the connection goes on.
    Refused { code: u16, message: String },
}

impl ClientError {
    /// The error number of the server, if it answered.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Lost(_) => None,
            Self::Refused { code, .. } => Some(*code),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(message) => f.write_str(message),
            Self::Refused { code, message } => write!(f, "error {code}: {message}"),
        }
    }
}

/// A result set with text cells.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<Vec<u8>>>>,
}

impl Rows {
    /// The cell of `column` in the first row as text; `None` for NULL and for no such column.
    pub(crate) fn first(&self, column: &str) -> Option<String> {
        self.text(0, column)
    }

    /// The cell of `column` in a row as text.
    pub(crate) fn text(&self, row: usize, column: &str) -> Option<String> {
        let at = self
            .columns
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column))?;
        let cell = self.rows.get(row)?.get(at)?.as_deref()?;
        Some(String::from_utf8_lossy(cell).into_owned())
    }
}

impl Client {
    /// The version the server gave in its greeting.
    pub(crate) fn version(&self) -> String {
        self.connection.greeting().version.clone()
    }

    /// Runs a statement; its rows, if it has any.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Rows, ClientError> {
        match timed(self.within, self.connection.query(sql)).await? {
            QueryResult::Ok(_) => Ok(Rows::default()),
            QueryResult::Rows { columns, rows } => {
                let columns = columns.into_iter().map(|column| column.name).collect();
                Ok(Rows { columns, rows })
            }
        }
    }

    /// The first cell of a statement's result as text.
    pub(crate) async fn scalar(&mut self, sql: &str) -> Result<Option<String>, ClientError> {
        let rows = self.query(sql).await?;
        let cell = rows
            .rows
            .first()
            .and_then(|row| row.first())
            .and_then(Option::as_deref);
        Ok(cell.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }
}

async fn timed<T>(
    within: Duration,
    exchange: impl Future<Output = Result<T, protocol::Error>>,
) -> Result<T, ClientError> {
    match tokio::time::timeout(within, exchange).await {
        Err(_) => Err(ClientError::Lost(format!(
            "no answer within {} s",
            within.as_secs_f64()
        ))),
        Ok(Err(protocol::Error::Refused(error))) => Err(ClientError::Refused {
            code: error.code,
            message: error.message,
        }),
        Ok(Err(error)) => Err(ClientError::Lost(error.to_string())),
        Ok(Ok(value)) => Ok(value),
    }
}

/// The password for URLs without one: from the file, else from `$WEIR_PASSWORD`.
pub(crate) fn password(file: Option<&Path>) -> Result<Option<String>, String> {
    match file {
        None => Ok(std::env::var("WEIR_PASSWORD").ok()),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("the password file {}: {error}", path.display()))?;
            Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
        }
    }
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    const PORT: u16 = 3306;
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if rest.is_empty() => PORT,
            None => return None,
        };
        return Some((host.to_owned(), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, PORT),
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// `%41` is `A`; what is no escape stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escape = (*byte == b'%').then(|| after.split_at_checked(2)).flatten();
        let decoded = escape.and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = decoded.unwrap_or((*byte, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use protocol::client::Endpoint;

    use super::Server;

    fn parse(url: &str) -> (String, String, String) {
        let server = Server::parse(url, Some("from file")).unwrap();
        (server.name, server.options.user, server.options.password)
    }

    fn parts(name: &str, user: &str, password: &str) -> (String, String, String) {
        (name.to_owned(), user.to_owned(), password.to_owned())
    }

    #[test]
    fn urls_name_user_password_host_and_port() {
        assert_eq!(parse("mysql://u:p@h:1"), parts("h:1", "u", "p"));
        assert_eq!(parse("mysql://u@h"), parts("h:3306", "u", "from file"));
        assert_eq!(parse("mysql://u:@h/"), parts("h:3306", "u", ""));
        assert_eq!(parse("h:3307"), parts("h:3307", "root", "from file"));
        assert_eq!(
            parse("mysql://u:a%40b%3a%zz@[::1]:7"),
            parts("[::1]:7", "u", "a@b:%zz")
        );
        assert_eq!(parse("mysql://u:p@w@h"), parts("h:3306", "u", "p@w"));
    }

    #[test]
    fn a_socket_is_named_in_the_query() {
        let server = Server::parse("mysql://root@localhost?socket=/tmp/a%20b.sock", None).unwrap();
        assert_eq!(
            server.options.endpoint,
            Endpoint::Unix("/tmp/a b.sock".into())
        );
    }

    #[test]
    fn what_is_no_url_is_refused_with_the_form() {
        for url in [
            "postgres://h",
            "mysql://h:x",
            "mysql://",
            "mysql://u@[::1",
            "h?ssl=1",
        ] {
            let error = Server::parse(url, None).unwrap_err();
            assert!(error.contains("expected mysql://user"), "{url}: {error}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let server = Server::parse("mysql://u:swordfish@h", None).unwrap();
        assert!(!format!("{server:?}").contains("swordfish"));
    }
}
