//! A session of a server, one statement after the other.

use std::time::Duration;

use protocol::client::{Connection, QueryResult};
use recovery::flashback::{Answer, Server, ServerError};
use tokio::runtime::{Builder, Runtime};

use crate::client;
use crate::exit::Failure;

/// How long a server may take to let us in. Statements may wait for locks as long as the server lets
/// them.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Session {
    runtime: Runtime,
    connection: Connection,
}

impl Session {
    pub(super) fn connect(server: &client::Server) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connecting =
            async { tokio::time::timeout(PATIENCE, Connection::connect(server.options())).await };
        let connected = runtime.block_on(connecting);
        let late = |_| format!("no answer within {} s", PATIENCE.as_secs());
        let connection = connected
            .map_err(late)
            .and_then(|done| done.map_err(|error| error.to_string()))
            .map_err(|error| Failure::failed(&server.name, error))?;
        Ok(Self {
            runtime,
            connection,
        })
    }
}

impl Server for Session {
    fn run(&mut self, sql: &str) -> Result<Answer, ServerError> {
        match self.runtime.block_on(self.connection.query(sql)) {
            Ok(QueryResult::Ok(ok)) => Ok(Answer {
                affected: ok.affected_rows,
                rows: Vec::new(),
            }),
            Ok(QueryResult::Rows { rows, .. }) => Ok(Answer { affected: 0, rows }),
            Err(protocol::Error::Refused(error)) => Err(ServerError {
                code: Some(error.code),
                message: error.message,
            }),
            Err(error) => Err(ServerError {
                code: None,
                message: error.to_string(),
            }),
        }
    }
}
