//! The target that the options name.

use config::Secret;
use config::settings::{GtidMode, MysqlTarget, TargetKind};
use engine::database::Database;
use protocol::client::{ClientOptions, Endpoint};
use protocol::tls::{ClientTls, TlsMode};
use targets::{MarkTable, MysqlOptions, MysqlStore, SqliteStore, Store, Truth};

use crate::error::ReplicaError;

/// Where a server that keeps no GTIDs of the source says what it has applied.
const DATABASE: &str = "weir";
const TABLE: &str = "applied";

/// Opens the target.
///
/// # Errors
/// When a server cannot be reached or logged in to, or does not grant what an applier needs.
pub(crate) fn open(
    kind: &TargetKind,
    database: &Database,
    channel: &str,
    gtid_mode: GtidMode,
) -> Result<Box<dyn Store>, ReplicaError> {
    match kind {
        TargetKind::Sqlite => Ok(Box::new(SqliteStore::new(database, channel)?)),
        TargetKind::Mysql(target) => {
            let store = server(target, channel, gtid_mode)?;
            let name = format!("{}:{}", target.host, target.port);
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
    }
}

fn server(
    target: &MysqlTarget,
    channel: &str,
    gtid_mode: GtidMode,
) -> Result<MysqlStore, ReplicaError> {
    let endpoint = Endpoint::Tcp {
        host: target.host.clone(),
        port: target.port,
    };
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
        otherwise: (truth == Truth::Gtids).then(|| table.clone()),
        truth,
        is_logged: true,
        keeps_mariadb_gtids: true,
    };
    let by_row =
        MysqlStore::open(options(Truth::Row(table.clone()))).map_err(ReplicaError::from)?;
    // A server that keeps the source's GTIDs is the truth itself. With gtid_mode=OFF there are none.
    match by_row.facts().has_gtids && gtid_mode != GtidMode::Off {
        true => Ok(MysqlStore::open(options(Truth::Gtids))?),
        false => Ok(by_row),
    }
}
