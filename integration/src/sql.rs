//! A MySQL client for the tests: rows come back as bytes, exactly as the server printed them.

use std::fmt;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Row, SslOpts, Value};

use crate::failure::{Failure, Result};

/// Where and as whom to connect.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// TCP port on the loopback interface.
    pub port: u16,
    /// Account name.
    pub user: String,
    /// Password; empty for none.
    pub password: String,
    /// TLS with any certificate.
    pub tls: bool,
}

impl ClientOptions {
    /// root without a password, without TLS.
    pub fn root(port: u16) -> Self {
        Self {
            port,
            user: "root".to_owned(),
            password: String::new(),
            tls: false,
        }
    }

    fn opts(&self) -> Opts {
        let tls = SslOpts::default()
            .with_danger_accept_invalid_certs(true)
            .with_danger_skip_domain_validation(true);
        OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(&self.user))
            .pass((!self.password.is_empty()).then_some(&self.password))
            .prefer_socket(false)
            .ssl_opts(self.tls.then_some(tls))
            .into()
    }
}

/// One connection.
pub struct Client {
    conn: Conn,
}

impl Client {
    /// Connects and authenticates.
    ///
    /// # Errors
    /// What the server or the network answered.
    pub async fn connect(options: &ClientOptions) -> Result<Self> {
        let conn = Conn::new(options.opts()).await.map_err(|error| {
            Failure::from(error).during(format!("connect to port {}", options.port))
        })?;
        Ok(Self { conn })
    }

    /// Runs statements whose rows do not matter.
    ///
    /// # Errors
    /// The first statement that fails, with its text.
    pub async fn run<S: AsRef<str>>(&mut self, statements: &[S]) -> Result {
        for statement in statements {
            self.execute(statement.as_ref()).await?;
        }
        Ok(())
    }

    /// Runs one statement by the text protocol and returns the affected rows.
    ///
    /// # Errors
    /// The server's error, with the statement's text.
    pub async fn execute(&mut self, statement: &str) -> Result<u64> {
        self.conn
            .query_drop(statement)
            .await
            .map_err(|error| during(error, statement))?;
        Ok(self.conn.affected_rows())
    }

    /// Runs one statement that is no UTF-8.
    ///
    /// # Errors
    /// The server's error, with the statement's text.
    pub async fn execute_bytes(&mut self, statement: &[u8]) -> Result<u64> {
        self.conn
            .query_drop(statement)
            .await
            .map_err(|error| during(error, &String::from_utf8_lossy(statement)))?;
        Ok(self.conn.affected_rows())
    }

    /// Runs one statement and tells the server's refusal from everything else.
    ///
    /// # Errors
    /// When the connection itself failed.
    pub async fn attempt(
        &mut self,
        statement: &str,
    ) -> Result<std::result::Result<u64, ServerError>> {
        self.attempt_bytes(statement.as_bytes()).await
    }

    /// The same with a text that need not be UTF-8.
    ///
    /// # Errors
    /// When the connection itself failed.
    pub async fn attempt_bytes(
        &mut self,
        statement: &[u8],
    ) -> Result<std::result::Result<u64, ServerError>> {
        match self.conn.query_drop(statement).await {
            Ok(()) => Ok(Ok(self.conn.affected_rows())),
            Err(mysql_async::Error::Server(error)) => Ok(Err(ServerError {
                code: error.code,
                message: error.message,
            })),
            Err(error) => Err(during(error, &String::from_utf8_lossy(statement))),
        }
    }

    /// How one statement ends for its client: its warnings, or its error. With parameters it is
    /// prepared.
    ///
    /// # Errors
    /// When the connection itself failed.
    pub async fn end_of(
        &mut self,
        statement: &str,
        parameters: Option<Params>,
    ) -> Result<StatementEnd> {
        let ended = match parameters {
            None => self.conn.query_drop(statement).await,
            Some(parameters) => self.conn.exec_drop(statement, parameters).await,
        };
        match ended {
            Ok(()) => {}
            Err(mysql_async::Error::Server(error)) => {
                return Ok(StatementEnd::Refused {
                    code: error.code,
                    state: error.state,
                    message: error.message,
                });
            }
            Err(error) => return Err(during(error, statement)),
        }
        if self.conn.get_warnings() == 0 {
            return Ok(StatementEnd::Done(Vec::new()));
        }
        let warnings = self.rows("SHOW WARNINGS").await?;
        let warnings = warnings.into_iter().map(|row| {
            let columns: Vec<String> = row.iter().map(Cell::to_string).collect();
            columns.join(" ")
        });
        Ok(StatementEnd::Done(warnings.collect()))
    }

    /// The rows of a query by the text protocol.
    ///
    /// # Errors
    /// The server's error, with the query's text.
    pub async fn rows(&mut self, query: &str) -> Result<Vec<Vec<Cell>>> {
        let rows: Vec<Row> = self
            .conn
            .query(query)
            .await
            .map_err(|error| during(error, query))?;
        Ok(rows.into_iter().map(cells).collect())
    }

    /// Everything a client sees of one statement, as text: column names and rows, or counts and
    /// warnings, or the error.
    ///
    /// # Errors
    /// When the connection itself failed.
    pub async fn answer(&mut self, statement: &str) -> Result<String> {
        let is_query = statement.starts_with("SELECT") || statement.starts_with("WITH");
        let mut result = match self.conn.query_iter(statement).await {
            Ok(result) => result,
            Err(mysql_async::Error::Server(error)) => {
                return Ok(format!(
                    "error {} ({}): {}",
                    error.code, error.state, error.message
                ));
            }
            Err(error) => return Err(during(error, statement)),
        };
        if result.is_empty() {
            let (affected, warnings) = (result.affected_rows(), result.warnings());
            let (id, info) = (
                result.last_insert_id().unwrap_or(0),
                result.info().into_owned(),
            );
            return Ok(format!(
                "affected {affected}, id {id}, warnings {warnings}, info {info:?}"
            ));
        }
        let columns: Vec<String> = result
            .columns_ref()
            .iter()
            .map(|column| match is_query {
                true => format!("{}:{:?}", column.name_str(), column.column_type()),
                // SHOW prints from tables of the server's own, whose column types nobody reads.
                false => column.name_str().into_owned(),
            })
            .collect();
        let rows: Vec<Row> = match result.collect().await {
            Ok(rows) => rows,
            Err(mysql_async::Error::Server(error)) => {
                return Ok(format!(
                    "error {} ({}): {}",
                    error.code, error.state, error.message
                ));
            }
            Err(error) => return Err(during(error, statement)),
        };
        let rows: Vec<Vec<Cell>> = rows.into_iter().map(cells).collect();
        Ok(format!("{columns:?} {rows:?}"))
    }

    /// The rows of a prepared statement (binary protocol).
    ///
    /// # Errors
    /// The server's error, with the statement's text.
    pub async fn prepared(&mut self, query: &str, params: Params) -> Result<Vec<Vec<Cell>>> {
        let rows: Vec<Row> = self
            .conn
            .exec(query, params)
            .await
            .map_err(|error| during(error, query))?;
        Ok(rows.into_iter().map(cells).collect())
    }

    /// The first column of the first row.
    ///
    /// # Errors
    /// The server's error, or that there was no row.
    pub async fn value(&mut self, query: &str) -> Result<Cell> {
        self.rows(query)
            .await?
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next())
            .ok_or_else(|| Failure::new(format!("no row from: {query}")))
    }

    /// The value of the named column in the first row, for the wide status statements.
    ///
    /// # Errors
    /// The server's error.
    pub async fn column(&mut self, query: &str, name: &str) -> Result<Option<String>> {
        let row: Option<Row> = self
            .conn
            .query_first(query)
            .await
            .map_err(|error| during(error, query))?;
        let Some(row) = row else { return Ok(None) };
        let index = row
            .columns_ref()
            .iter()
            .position(|column| column.name_str() == name)
            .ok_or_else(|| Failure::new(format!("no column {name} from: {query}")))?;
        Ok(row
            .as_ref(index)
            .map(|value| cell(value.clone()).to_string()))
    }

    /// True when the connection is encrypted.
    ///
    /// # Errors
    /// The server's error.
    pub async fn is_encrypted(&mut self) -> Result<bool> {
        let row = self.rows("SHOW STATUS LIKE 'Ssl_cipher'").await?;
        Ok(row
            .first()
            .and_then(|row| row.get(1))
            .is_some_and(|cell| !cell.to_string().is_empty()))
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// When the connection is already broken.
    pub async fn close(self) -> Result {
        Ok(self.conn.disconnect().await?)
    }
}

/// An error packet.
#[derive(Debug, Clone)]
pub struct ServerError {
    /// MySQL's error number.
    pub code: u16,
    /// Its text.
    pub message: String,
}

/// How a statement ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementEnd {
    /// Done, with what SHOW WARNINGS says.
    Done(Vec<String>),
    /// Refused.
    Refused {
        /// MySQL's error number.
        code: u16,
        /// SQLSTATE.
        state: String,
        /// Its text.
        message: String,
    },
}

impl fmt::Display for StatementEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(warnings) if warnings.is_empty() => f.write_str("done"),
            Self::Done(warnings) => write!(f, "done, warnings {warnings:?}"),
            Self::Refused {
                code,
                state,
                message,
            } => write!(f, "error {code} ({state}): {message}"),
        }
    }
}

/// One value of a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// The bytes of the text protocol, or the printed form of a binary value.
    Bytes(Vec<u8>),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n') => {
                    f.write_str(text)
                }
                _ => bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
            },
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn cells(row: Row) -> Vec<Cell> {
    row.unwrap().into_iter().map(cell).collect()
}

fn cell(value: Value) -> Cell {
    match value {
        Value::NULL => Cell::Null,
        Value::Bytes(bytes) => Cell::Bytes(bytes),
        other => Cell::Bytes(other.as_sql(false).into_bytes()),
    }
}

fn during(error: mysql_async::Error, statement: &str) -> Failure {
    let shown: String = statement.chars().take(300).collect();
    Failure::from(error).during(format!("statement `{shown}`"))
}
