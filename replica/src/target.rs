//! The target that the options name.

use config::Secret;
use std::path::{Path, PathBuf};

use config::settings::{
    GtidMode, MysqlTarget, PostgresTarget, PostgresZeroDates, TargetHost, TargetKind,
};
use engine::database::Database;
use protocol::client::{ClientOptions, Endpoint};
use protocol::tls::{ClientTls, TlsMode};
use targets::{
    MarkTable, MysqlOptions, MysqlStore, Nodes, PostgresAddress, PostgresOptions, PostgresStore,
    SqliteStore, Store, Truth, ZeroDates,
};

use crate::error::ReplicaError;

/// Where a server that keeps no GTIDs of the source says what it has applied.
const DATABASE: &str = "weir";
const TABLE: &str = "applied";

/// The definitions that a PostgreSQL target is known by, in the data directory; written anew each time.
const DEFINITIONS: &str = "definitions.db";

/// Opens the target.
///
/// # Errors
/// When a server cannot be reached or logged in to, or does not grant what an applier needs.
pub(crate) fn open(
    kind: &TargetKind,
    database: &Database,
    channel: &str,
    gtid_mode: GtidMode,
    datadir: &Path,
) -> Result<Box<dyn Store>, ReplicaError> {
    match kind {
        TargetKind::Sqlite => Ok(Box::new(SqliteStore::new(database, channel)?)),
        TargetKind::Mysql(target) => {
            let store = server(target, channel, gtid_mode)?;
            let hosts = std::iter::once(&target.host).chain(&target.others);
            let names: Vec<String> = hosts.map(|at| format!("{}:{}", at.host, at.port)).collect();
            let name = names.join(",");
            let (facts, truth) = (store.facts(), store.truth());
            let keeps = match truth {
                Truth::Gtids => "its gtid_executed",
                Truth::Row(_) => "a row of weir.applied",
            };
            tracing::info!(
                target: crate::LIFE,
                server = name.as_str(),
                version = facts.version,
                what_is_applied = keeps,
                "rows go to a server"
            );
            Ok(Box::new(store))
        }
        TargetKind::Postgres(target) => {
            let store = postgres(target, channel, datadir)?;
            let name = format!("{}:{}/{}", target.host, target.port, target.database);
            tracing::info!(
                target: crate::LIFE,
                server = name.as_str(),
                version = store.version(),
                what_is_applied = "a row of weir.applied",
                "rows go to a PostgreSQL server"
            );
            Ok(Box::new(store))
        }
    }
}

fn postgres(
    target: &PostgresTarget,
    channel: &str,
    datadir: &Path,
) -> Result<PostgresStore, ReplicaError> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|error| ReplicaError::io("reading", path, error))
    };
    let password = target.password.as_ref().map(Secret::expose);
    let address = PostgresAddress {
        host: target.host.clone(),
        port: target.port,
        user: target.user.clone(),
        password: password.map(str::to_owned),
        database: target.database.clone(),
        ca: target.ssl_ca.as_ref().map(read).transpose()?,
    };
    let zero_dates = match target.zero_dates {
        PostgresZeroDates::Stop => ZeroDates::Stop,
        PostgresZeroDates::Null => ZeroDates::Null,
        PostgresZeroDates::Infinity => ZeroDates::Infinity,
    };
    let scratch = datadir.join(DEFINITIONS);
    let options = PostgresOptions::new(&address, channel, zero_dates, scratch);
    Ok(PostgresStore::open(options)?)
}

fn server(
    target: &MysqlTarget,
    channel: &str,
    gtid_mode: GtidMode,
) -> Result<MysqlStore, ReplicaError> {
    let endpoint = |at: &TargetHost| Endpoint::Tcp {
        host: at.host.clone(),
        port: at.port,
    };
    let nodes = Nodes::beside(target.others.iter().map(endpoint).collect());
    let endpoint = endpoint(&target.host);
    let password = target.password.as_ref().map(Secret::expose);
    let mut client = ClientOptions::new(endpoint, &target.user, password.unwrap_or_default());
    client.get_source_public_key = true;
    if let Some(path) = &target.ssl_ca {
        let ca = std::fs::read(path).map_err(|error| ReplicaError::io("reading", path, error))?;
        client.tls = ClientTls {
            mode: TlsMode::VerifyIdentity,
            ca: Some(ca),
            ..ClientTls::default()
        };
    }
    let table = MarkTable {
        database: DATABASE.to_owned(),
        table: TABLE.to_owned(),
        channel: channel.to_owned(),
    };
    let options = |truth: Truth| MysqlOptions {
        client: client.clone(),
        nodes: nodes.clone(),
        otherwise: (truth == Truth::Gtids).then(|| table.clone()),
        truth,
        is_logged: true,
        keeps_mariadb_gtids: true,
    };
    let by_row =
        MysqlStore::open(options(Truth::Row(table.clone()))).map_err(ReplicaError::from)?;
    // A server that keeps the source's GTIDs is the truth itself. With gtid_mode=OFF there are none.
    // A cluster's nodes number what they commit as one.
    let has_gtids = by_row.facts().has_gtids && !by_row.facts().is_node;
    match has_gtids && gtid_mode != GtidMode::Off {
        true => Ok(MysqlStore::open(options(Truth::Gtids))?),
        false => Ok(by_row),
    }
}
