//! Kills of everybody who takes part in a replication, one after the other.

use std::time::Duration;

use crate::chance::Chance;
use crate::failure::Result;
use crate::real_server::RealServer;
use crate::sql::Client;
use crate::wait;
use crate::weir::Weir;

/// Who or what is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// The process of Weir.
    Replica,
    /// The server that is followed.
    Source,
    /// The server that rows go to.
    Target,
    /// The connections of Weir to both.
    Connections,
}

impl Killed {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Replica, Self::Source, Self::Target, Self::Connections];
}

/// Who takes part.
pub struct Parties {
    /// The server that is followed.
    pub source: RealServer,
    /// The server that rows go to.
    pub target: RealServer,
    /// Weir.
    pub replica: Weir,
}

impl Parties {
    /// Kills each of `who` `each` times, in turns, and lets it run in between.
    ///
    /// # Errors
    /// When somebody does not come back.
    pub async fn kill(&mut self, who: &[Killed], each: u64, chance: &mut Chance) -> Result {
        for _ in 0..each {
            for killed in who {
                wait::let_run(chance.millis(100, 900)).await;
                let pause = chance.millis(10, 300);
                let outcome = self.kill_one(*killed, pause).await;
                outcome.map_err(|failure| failure.during(format!("kill of {killed:?}")))?;
            }
        }
        Ok(())
    }

    async fn kill_one(&mut self, killed: Killed, pause: Duration) -> Result {
        match killed {
            Killed::Replica => {
                self.replica.kill()?;
                self.replica.launch().await
            }
            Killed::Source => restart(&mut self.source, pause).await,
            Killed::Target => restart(&mut self.target, pause).await,
            Killed::Connections => {
                let dumps = "COMMAND LIKE 'Binlog Dump%'";
                cut(&mut self.source.client().await?, dumps).await?;
                cut(&mut self.target.client().await?, "USER = 'root'").await
            }
        }
    }
}

async fn restart(server: &mut RealServer, pause: Duration) -> Result {
    server.kill()?;
    wait::let_run(pause).await;
    server.launch().await
}

async fn cut(client: &mut Client, which: &str) -> Result {
    let ids = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND {which}"
    );
    for row in client.rows(&ids).await? {
        let id = row.first().map(ToString::to_string).unwrap_or_default();
        // It may have ended by itself.
        client.attempt(&format!("KILL {id}")).await?.ok();
    }
    Ok(())
}
