//! A Galera cluster of MariaDB 10.11 nodes on the loopback interface.
//!
//! A node that was killed comes back by itself, as under systemd: it is asked for the position that
//! its files are at, and joins with that. The others send what it lacks, or copy everything to it.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tempfile::TempDir;

use crate::failure::{Failure, Result, ensure};
use crate::peers::{self, Peer};
use crate::process::free_port;
use crate::real_server::RealServer;
use crate::sql::Client;
use crate::wait::{self, PATIENCE};

/// What copies everything to a node that joins.
const TRANSFER: &str = include_str!("wsrep_sst_copy");

/// A node that is gone is missed within a second or two rather than five.
const TIMES: &str = "evs.keepalive_period=PT0.3S;evs.inactive_check_period=PT0.3S;\
                     evs.suspect_timeout=PT1S;evs.inactive_timeout=PT3S;evs.install_timeout=PT3S";

/// Nodes that hold the same.
pub struct Galera {
    /// Each of them.
    pub nodes: Vec<RealServer>,
    /// Where all of them look for each other.
    address: String,
    _programs: TempDir,
}

impl Galera {
    /// Starts so many nodes with these further options, and waits until all are in step.
    ///
    /// # Errors
    /// When a peer is missing, or a node does not come.
    pub async fn start(count: u32, options: &[&str]) -> Result<Self> {
        let library = peers::galera_library()?;
        let programs = tempfile::Builder::new().prefix("weir-galera-").tempdir()?;
        let transfer = programs.path().join("wsrep_sst_copy");
        std::fs::write(&transfer, TRANSFER)?;
        std::fs::set_permissions(&transfer, std::fs::Permissions::from_mode(0o755))?;
        let (mut nodes, mut members) = (Vec::new(), Vec::new());
        for number in 1..=count {
            let mut node = RealServer::prepare(Peer::MariaDb1011, 100 + number, options)?;
            let (port, increments) = (free_port()?, free_port()?);
            node.use_programs(programs.path());
            node.add_options([
                "--wsrep-on=ON".to_owned(),
                format!("--wsrep-provider={}", library.display()),
                "--wsrep-cluster-name=weir".to_owned(),
                format!("--wsrep-node-address=127.0.0.1:{port}"),
                "--wsrep-sst-method=copy".to_owned(),
                "--innodb-autoinc-lock-mode=2".to_owned(),
                format!(
                    "--wsrep-provider-options=base_host=127.0.0.1;base_port={port};\
                     gmcast.listen_addr=tcp://127.0.0.1:{port};\
                     ist.recv_addr=127.0.0.1:{increments};gcache.size=32M;{TIMES}"
                ),
            ]);
            members.push(format!("127.0.0.1:{port}"));
            nodes.push(node);
        }
        let address = format!("gcomm://{}", members.join(","));
        let mut cluster = Self {
            nodes,
            address,
            _programs: programs,
        };
        for number in 0..cluster.nodes.len() {
            match number {
                0 => {
                    let node = cluster.node(number)?;
                    node.add_options(["--wsrep-cluster-address=gcomm://".to_owned()]);
                    node.launch().await?;
                }
                number => cluster.join(number, None).await?,
            }
            cluster.until_in_step(number, number + 1).await?;
        }
        Ok(cluster)
    }

    /// A node.
    ///
    /// # Errors
    /// When there are not as many.
    pub fn node(&mut self, number: usize) -> Result<&mut RealServer> {
        let node = self.nodes.get_mut(number);
        node.ok_or_else(|| Failure::new(format!("there is no node {number}")))
    }

    /// A connection to a node as root.
    ///
    /// # Errors
    /// When the node refuses it.
    pub async fn client(&self, number: usize) -> Result<Client> {
        let node = self.nodes.get(number);
        let node = node.ok_or_else(|| Failure::new(format!("there is no node {number}")))?;
        node.client().await
    }

    /// The nodes as the address of a target names them, from this one on.
    pub fn hosts_from(&self, first: usize) -> String {
        let ports = self.nodes.iter().map(|node| node.port);
        let ports = ports.cycle().skip(first).take(self.nodes.len());
        let hosts: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        hosts.join(",")
    }

    /// Starts a node again that was killed or stopped, and waits until it is in step with all others. One
    /// that hangs is started once more, as whoever looks after it would: Galera's nodes may wait for the next
    /// change among them when they are flooded in the middle of one ("will try again in next primary
    /// component").
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn rejoin(&mut self, number: usize) -> Result {
        for _ in 0..2 {
            let position = self.recovered(number)?;
            if self.join_within(number, position, JOINING).await.is_ok() {
                return self.until_in_step(number, self.nodes.len()).await;
            }
            self.node(number)?.kill()?;
        }
        let position = self.recovered(number)?;
        self.join(number, position).await?;
        self.until_in_step(number, self.nodes.len()).await
    }

    async fn join(&mut self, number: usize, position: Option<String>) -> Result {
        self.join_within(number, position, PATIENCE).await
    }

    async fn join_within(
        &mut self,
        number: usize,
        position: Option<String>,
        limit: Duration,
    ) -> Result {
        let address = format!("--wsrep-cluster-address={}", self.address);
        // A position is only that of one start.
        let position = position.unwrap_or_else(|| NOWHERE.to_owned());
        let node = self.node(number)?;
        node.add_options([address, format!("--wsrep-start-position={position}")]);
        node.launch_within(limit).await
    }

    /// The position that a node's files are at.
    fn recovered(&mut self, number: usize) -> Result<Option<String>> {
        let address = format!("--wsrep-cluster-address={}", self.address);
        let node = self.node(number)?;
        let asked = node
            .command()?
            .args([&address, "--wsrep-recover", "--skip-networking"])
            .output()?;
        ensure(asked.status.success(), || {
            format!("node {number} --wsrep-recover: {}", asked.status)
        })?;
        let text = String::from_utf8_lossy(&asked.stderr);
        let found = text
            .lines()
            .find_map(|line| line.split_once("Recovered position: "));
        let position = found.and_then(|(_, position)| position.split(',').next());
        Ok(position.map(|position| position.trim().to_owned()))
    }

    /// The failure with the end of each node's log.
    pub fn explain(&self, failure: Failure) -> Failure {
        let mut text = failure.to_string();
        for (number, node) in self.nodes.iter().enumerate() {
            let log = std::fs::read(node.log()).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            let from = lines.len().saturating_sub(LINES);
            let end = lines.get(from..).unwrap_or_default().join("\n");
            text.push_str(&format!("\nnode {number} says at last:\n{end}"));
        }
        Failure::new(text)
    }

    /// Waits until a node says that it is in step with a cluster of so many.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn until_in_step(&self, number: usize, size: usize) -> Result {
        let what = format!("node {number} is in step with {size} nodes");
        let wanted = format!("{size} Synced ON");
        wait::until(&what, PATIENCE, || async {
            let Ok(mut client) = self.client(number).await else {
                return Ok(Err("no connection".to_owned()));
            };
            let mut seen = Vec::new();
            for name in ["cluster_size", "local_state_comment", "ready"] {
                let sql = format!("SHOW STATUS LIKE 'wsrep_{name}'");
                seen.push(client.column(&sql, "Value").await?.unwrap_or_default());
            }
            let seen = seen.join(" ");
            Ok(match seen == wanted {
                true => Ok(()),
                false => Err(seen),
            })
        })
        .await
    }

    /// Waits until the other nodes have missed one that was killed.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn until_missed(&self, number: usize) -> Result {
        let other = usize::from(number == 0);
        self.until_in_step(other, self.nodes.len() - 1).await
    }

    /// Waits until every node has what any of them has committed: by a question that waits for it.
    ///
    /// # Errors
    /// What a node answered.
    pub async fn until_level(&self) -> Result {
        for number in 0..self.nodes.len() {
            let mut client = self.client(number).await?;
            client
                .run(&["SET SESSION wsrep_sync_wait=15", "SELECT 1"])
                .await?;
        }
        Ok(())
    }
}

/// Time for a node to come back, before it is started once more.
const JOINING: Duration = Duration::from_secs(25);

/// Lines of a node's log that are shown.
const LINES: usize = 20;

/// The position of a node that knows none.
const NOWHERE: &str = "00000000-0000-0000-0000-000000000000:-1";
