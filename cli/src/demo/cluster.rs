//! The three processes of the demo: option files, start, kill, end.
//!
//! A node ends when its standard input closes, so that none outlives the demo, not even one that
//! was killed itself.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use protocol::client::Endpoint;

use crate::client::Server;
use crate::exit::Failure;
use crate::node::STOP_WITH_STDIN;
use crate::output;

/// For a node to answer after it was started.
const START: Duration = Duration::from_secs(60);
/// For a node to drain and end.
const END: Duration = Duration::from_secs(10);
/// For one statement of the demo's own.
pub(super) const STATEMENT: Duration = Duration::from_secs(30);
/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(10);

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeName {
    Primary,
    Replica1,
    Replica2,
}

impl NodeName {
    pub(super) const ALL: [Self; 3] = [Self::Primary, Self::Replica1, Self::Replica2];
    pub(super) const REPLICAS: [Self; 2] = [Self::Replica1, Self::Replica2];

    fn server_id(self) -> u32 {
        match self {
            Self::Primary => 1,
            Self::Replica1 => 2,
            Self::Replica2 => 3,
        }
    }

    fn subcommand(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica1 | Self::Replica2 => "replica",
        }
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Primary => "primary",
            Self::Replica1 => "replica-1",
            Self::Replica2 => "replica-2",
        })
    }
}

/// The nodes and the directory they live in.
pub(super) struct Cluster {
    directory: PathBuf,
    is_temporary: bool,
    nodes: [Node; 3],
}

struct Node {
    name: NodeName,
    port: u16,
    option_file: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Cluster {
    /// Makes the directory and the option files.
    pub(super) fn create(directory: Option<&Path>) -> Result<Self, Failure> {
        let is_temporary = directory.is_none();
        let directory = match directory {
            Some(directory) => std::path::absolute(directory).map_err(at(directory))?,
            None => std::env::temp_dir().join(format!("weir-demo-{}", std::process::id())),
        };
        fs::create_dir_all(&directory).map_err(at(&directory))?;
        if fs::read_dir(&directory)
            .map_err(at(&directory))?
            .next()
            .is_some()
        {
            let message = format!("{} is not empty; name a new directory", directory.display());
            return Err(Failure::Usage(message));
        }
        let password = uuid::Uuid::new_v4().to_string();
        let file = directory.join("replication.password");
        write_private(&file, &password).map_err(at(&file))?;
        let ports = free_ports()
            .map_err(|error| Failure::failed("cannot take a port of 127.0.0.1", error))?;
        let [primary_port, ..] = ports;
        let mut cluster = Self {
            directory: directory.clone(),
            is_temporary,
            nodes: NodeName::ALL.map(Node::new),
        };
        for (node, port) in cluster.nodes.iter_mut().zip(ports) {
            node.port = port;
            node.option_file = directory.join(format!("{}.cnf", node.name));
            node.log = directory.join(format!("{}.log", node.name));
            let options = node.options(&directory, primary_port);
            fs::write(&node.option_file, options).map_err(at(&node.option_file))?;
        }
        Ok(cluster)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn ports(&self) -> String {
        self.nodes
            .each_ref()
            .map(|node| format!("{} on port {}", node.name, node.port))
            .join(", ")
    }

    /// The password of the account that the replicas use on the primary.
    pub(super) fn replication_password(&self) -> Result<String, Failure> {
        let file = self.directory.join("replication.password");
        let text = fs::read_to_string(&file).map_err(at(&file))?;
        Ok(text.trim().to_owned())
    }

    /// How to reach a node as root.
    pub(super) fn server(&self, name: NodeName) -> Server {
        let port = self
            .nodes
            .iter()
            .find(|node| node.name == name)
            .map_or(0, |node| node.port);
        Server::at(
            Endpoint::Tcp {
                host: "127.0.0.1".to_owned(),
                port,
            },
            "root",
            "",
        )
    }

    /// Makes the three data directories at the same time.
    pub(super) async fn initialize(&mut self) -> Result<(), Failure> {
        for node in &mut self.nodes {
            node.spawn(&["--initialize-insecure"])?;
        }
        for node in &mut self.nodes {
            let deadline = Instant::now() + START;
            let status = loop {
                match node.ended()? {
                    Some(status) => break status,
                    None if Instant::now() > deadline => return Err(node.failure("hangs")),
                    None => tokio::time::sleep(LOOK).await,
                }
            };
            node.child = None;
            if !status.success() {
                return Err(node.failure(&format!("--initialize-insecure ended with {status}")));
            }
        }
        Ok(())
    }

    /// Starts the primary, gives it the replication account, starts the replicas.
    pub(super) async fn start_all(&mut self) -> Result<(), Failure> {
        self.start(NodeName::Primary).await?;
        let password = self.replication_password()?;
        let failed = |error| Failure::failed("cannot make the replication account", error);
        let mut client = self
            .server(NodeName::Primary)
            .connect(STATEMENT)
            .await
            .map_err(failed)?;
        for statement in [
            format!("CREATE USER 'replica'@'%' IDENTIFIED BY '{password}'"),
            "GRANT REPLICATION SLAVE ON *.* TO 'replica'@'%'".to_owned(),
        ] {
            client.query(&statement).await.map_err(failed)?;
        }
        for name in NodeName::REPLICAS {
            self.start(name).await?;
        }
        Ok(())
    }

    /// Starts a node and waits until it answers; how long that took.
    pub(super) async fn start(&mut self, name: NodeName) -> Result<Duration, Failure> {
        let server = self.server(name);
        let node = self.node(name)?;
        let begin = Instant::now();
        node.spawn(&[])?;
        loop {
            if let Some(status) = node.ended()? {
                node.child = None;
                return Err(node.failure(&format!("ended with {status}")));
            }
            let answer = match server.connect(Duration::from_secs(5)).await {
                Ok(mut client) => client.query("SELECT 1").await.map(drop),
                Err(error) => Err(error),
            };
            match answer {
                Ok(()) => return Ok(begin.elapsed()),
                Err(error) if begin.elapsed() > START => {
                    return Err(node.failure(&format!("does not answer: {error}")));
                }
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// kill -9.
    pub(super) fn kill(&mut self, name: NodeName) -> Result<(), Failure> {
        let node = self.node(name)?;
        if let Some(mut child) = node.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Ends every node, politely first; removes a temporary directory after success.
    pub(super) async fn end(mut self, succeeded: bool) {
        for node in &mut self.nodes {
            if let Some(child) = &mut node.child {
                drop(child.stdin.take());
            }
        }
        let deadline = Instant::now() + END;
        for node in &mut self.nodes {
            while node.child.is_some() && !matches!(node.ended(), Ok(Some(_)) | Err(_)) {
                if Instant::now() > deadline {
                    output::note(format_args!("{} does not end and is killed", node.name));
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        if succeeded && self.is_temporary {
            drop(fs::remove_dir_all(&self.directory));
        } else {
            output::note(format_args!(
                "data, option files and logs: {}",
                self.directory.display()
            ));
        }
    }

    fn node(&mut self, name: NodeName) -> Result<&mut Node, Failure> {
        let node = self.nodes.iter_mut().find(|node| node.name == name);
        node.ok_or_else(|| Failure::Failed(format!("there is no {name}")))
    }
}

impl Node {
    fn new(name: NodeName) -> Self {
        Self {
            name,
            port: 0,
            option_file: PathBuf::new(),
            log: PathBuf::new(),
            child: None,
        }
    }

    fn options(&self, directory: &Path, primary_port: u16) -> String {
        let name = self.name;
        let mut text = format!(
            "[mysqld]\nserver-id={}\ndatadir={}\nport={}\nbind-address=127.0.0.1\nsocket=\n\
             gtid_mode=ON\nenforce_gtid_consistency=ON\nlog_error_verbosity=3\n",
            name.server_id(),
            directory.join(name.to_string()).display(),
            self.port,
        );
        text.push_str(&match name {
            NodeName::Primary => "log-bin=binlog\nsync_binlog=1\nmax_binlog_size=16M\n".to_owned(),
            NodeName::Replica1 | NodeName::Replica2 => format!(
                "relay-log=relay-bin\nsource-host=127.0.0.1\nsource-port={primary_port}\n\
                 source-user=replica\nsource-password-file={}\nsource-auto-position=1\n\
                 source-connect-retry=1\nsource-retry-count=0\n",
                directory.join("replication.password").display(),
            ),
        });
        text
    }

    fn spawn(&mut self, more: &[&str]) -> Result<(), Failure> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(at(&self.log))?;
        let program = std::env::current_exe()?;
        let child = Command::new(&program)
            .arg(self.name.subcommand())
            .arg(format!("--defaults-file={}", self.option_file.display()))
            .args(more)
            .env(STOP_WITH_STDIN, "1")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(at(&self.log))?)
            .stderr(log)
            .spawn()
            .map_err(at(&program))?;
        self.child = Some(child);
        Ok(())
    }

    fn ended(&mut self) -> std::io::Result<Option<std::process::ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// What went wrong, with the end of the node's log.
    fn failure(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(10)..)
            .unwrap_or_default()
            .join("\n  ");
        Failure::Failed(format!("{} {what}\n  {tail}", self.name))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An error of the machine with the path it is about.
fn at(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::failed(&path, error)
}

/// Ports nobody listens on now, taken at the same time so that they differ.
fn free_ports() -> std::io::Result<[u16; 3]> {
    let bind = || TcpListener::bind(("127.0.0.1", 0));
    let listeners = [bind()?, bind()?, bind()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{text}")
}

#[cfg(test)]
mod tests {
    use config::{PrimarySettings, ReplicaSettings};

    use super::{Cluster, NodeName};

    #[test]
    fn the_option_files_load_without_a_warning() {
        let directory = tempfile::tempdir().unwrap();
        let cluster = Cluster::create(Some(&directory.path().join("new"))).unwrap();
        for node in &cluster.nodes {
            let file = format!("--defaults-file={}", node.option_file.display());
            let (warnings, port) = match node.name {
                NodeName::Primary => {
                    let loaded = PrimarySettings::load([file]).unwrap();
                    (loaded.warnings, loaded.settings.server.port)
                }
                _ => {
                    let loaded = ReplicaSettings::load([file]).unwrap();
                    (loaded.warnings, loaded.settings.server.port)
                }
            };
            assert_eq!((warnings.len(), port), (0, node.port));
        }
    }

    #[test]
    fn a_directory_in_use_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("precious"), "x").unwrap();
        assert!(Cluster::create(Some(directory.path())).is_err());
    }
}
