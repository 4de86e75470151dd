//! What benches of appliers share: how one runs, MySQL's own as the other follower of a log, and the end of receiving.

use std::time::Duration;

use crate::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER};
use crate::{Client, Result, wait};

/// Longer than any run of a bench takes.
pub const LIMIT: Duration = Duration::from_secs(3600);

/// Runs a bench to its end; `cargo test --benches` only asks whether it links.
///
/// # Errors
/// What the bench ends with, or when there is no runtime.
pub fn bench(run: impl Future<Output = Result>) -> Result {
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run)
}

/// Points a real MySQL at a source by GTID and starts nothing.
///
/// # Errors
/// The server's.
pub async fn follow_by_mysql(
    server: &mut Client,
    source_port: u16,
    workers: &str,
    order: &str,
) -> Result {
    server
        .run(&[
            format!("SET GLOBAL replica_parallel_workers = {workers}"),
            format!("SET GLOBAL replica_preserve_commit_order = {order}"),
            format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {source_port}, \
                 SOURCE_USER = '{REPLICATION_USER}', SOURCE_PASSWORD = '{REPLICATION_PASSWORD}', \
                 SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1"
            ),
        ])
        .await
}

/// Waits until a replica has received everything that the source has executed.
///
/// # Errors
/// Either side's, or after [`LIMIT`].
pub async fn until_received(source: &mut Client, replica: &mut Client) -> Result {
    let executed = source
        .value("SELECT @@GLOBAL.gtid_executed")
        .await?
        .to_string();
    let wanted = executed.replace('\n', "");
    let replica = &tokio::sync::Mutex::new(replica);
    let wanted = &wanted;
    wait::until("everything is received", LIMIT, || async move {
        let column = "Retrieved_Gtid_Set";
        let mut replica = replica.lock().await;
        let retrieved = replica.column("SHOW REPLICA STATUS", column).await?;
        let retrieved = retrieved.unwrap_or_default().replace('\n', "");
        Ok(match retrieved == *wanted {
            true => Ok(()),
            false => Err(retrieved),
        })
    })
    .await
}
