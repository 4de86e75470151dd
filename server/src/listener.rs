//! The listener: accepts clients on TCP and the Unix socket and gives each a session.
//!
//! It refuses those beyond `max_connections` (one more for an administrator, as MySQL) and stops
//! when asked: sessions that wait for a command end at once, others after their statement.

use std::hash::RandomState;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use config::ServerSettings;
use config::settings::{AuthenticationPlugin, Initialize};
use engine::database::Database;
use protocol::auth::{AuthPlugin, Sha2Cache};
use protocol::server::{Connection, Peer, ServerIdentity};
use protocol::{ErrPacket, Transport};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use crate::accounts::{Accounts, InitialRootPassword, StoreError};
use crate::control::{Control, Listening, SessionCounts};
use crate::executor::WriteExecutor;
use crate::node::{AccountLookup, Node, RoleVariables};
use crate::readers::Readers;
use crate::registry::ReplicaRegistry;
use crate::role::Role;
use crate::session::Session;
use crate::tls::{self, TlsError, TlsFiles};
use crate::variables::{GlobalVariables, PersistedValueError};

/// After how long a silent peer is asked whether it is there, how often, and how many questions may
/// stay without an answer: one that is gone is noticed within two minutes.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);
/// How long sessions get to end when the node stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The variables whose options are taken over while the node runs.
const RELOADED: &[&str] = &[
    "max_connections",
    "read_only",
    "super_read_only",
    "require_secure_transport",
];

/// Why a node does not serve clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A persisted variable cannot have its value.
    #[error(transparent)]
    Persisted(#[from] PersistedValueError),
    /// The accounts cannot be read or made.
    #[error(transparent)]
    Accounts(#[from] StoreError),
    /// Certificates or keys cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address or path.
        address: String,
        /// What the system says.
        source: io::Error,
    },
}

/// What a role brings.
pub struct ServerParts {
    /// Settings of the node.
    pub settings: ServerSettings,
    /// Its `server_uuid`.
    pub server_uuid: String,
    /// The rows.
    pub database: Database,
    /// Who executes writes.
    pub executor: Arc<dyn WriteExecutor>,
    /// What else the role does.
    pub role: Arc<dyn Role>,
    /// Global variables that only the role knows: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// The replicas it serves.
    pub replicas: ReplicaRegistry,
    /// The line to the process.
    pub control: Control,
}

impl std::fmt::Debug for ServerParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerParts")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Makes the accounts of a new data directory and nothing else, for `--initialize`.
///
/// # Errors
/// When the accounts cannot be made.
pub fn initialize(settings: &ServerSettings) -> Result<(), ServerError> {
    accounts(settings).map(drop)
}

fn accounts(settings: &ServerSettings) -> Result<Accounts, ServerError> {
    let initial = match settings.initialize {
        Initialize::Insecure => InitialRootPassword::Empty,
        Initialize::IfMissing | Initialize::RandomPassword => InitialRootPassword::Random,
    };
    Ok(Accounts::open(
        &settings.datadir,
        plugin(settings),
        initial,
    )?)
}

const fn plugin(settings: &ServerSettings) -> AuthPlugin {
    match settings.default_authentication_plugin {
        AuthenticationPlugin::CachingSha2 => AuthPlugin::CachingSha2,
        AuthenticationPlugin::Native => AuthPlugin::Native,
    }
}

fn tls_files(settings: &ServerSettings) -> TlsFiles<'_> {
    TlsFiles {
        datadir: &settings.datadir,
        cert: settings.ssl_cert.as_deref(),
        key: settings.ssl_key.as_deref(),
        auto_generate: settings.auto_generate_certs,
    }
}

/// A node that serves clients.
pub struct Server {
    node: Arc<Node>,
    /// Replaced when certificates are read again; taken for a moment by every login.
    identity: RwLock<Arc<ServerIdentity>>,
    tcp: Vec<TcpListener>,
    unix: Option<UnixListener>,
    listening: Listening,
    next_connection: AtomicU32,
}

impl Server {
    /// Opens accounts and keys and binds the addresses; clients that connect now wait for
    /// [`Server::run`].
    ///
    /// # Errors
    /// See [`ServerError`].
    pub async fn bind(parts: ServerParts) -> Result<Self, ServerError> {
        let settings = &parts.settings;
        let accounts = Arc::new(accounts(settings)?);
        let tls = tls::server_config(tls_files(settings))?;
        let rsa = tls::rsa_key_pair(&settings.datadir)?;
        let live = Arc::new(RoleVariables(Arc::clone(&parts.role)));
        let mut facts = parts.facts;
        facts.push(("server_uuid", parts.server_uuid.clone()));
        let variables = GlobalVariables::new(settings, &facts, live);
        variables.load_persisted(&settings.persisted, &settings.datadir)?;
        let variables = Arc::new(variables.with_fence(parts.role.fence()));
        let collation = engine::collation::by_name(&settings.collation_server).ok();
        let charset = collation
            .and_then(|found| u8::try_from(found.id).ok())
            .unwrap_or(45);
        let identity = Arc::new(ServerIdentity {
            version: settings.version.clone(),
            default_auth: plugin(settings),
            charset,
            tls,
            rsa: Some(Arc::new(rsa)),
            sha2_cache: Sha2Cache::default(),
            authenticator: Arc::new(AccountLookup(Arc::clone(&accounts), RandomState::new())),
            max_allowed_packet: usize::try_from(settings.max_allowed_packet).unwrap_or(usize::MAX),
        });
        let (tcp, addresses) = bind_tcp(settings).await?;
        let unix = settings.socket.as_deref().map(bind_unix).transpose()?;
        let listening = Listening {
            addresses,
            socket: settings.socket.clone(),
        };
        let readers = Arc::new(Readers::new(parts.database));
        let node = Arc::new(Node::new(
            parts.settings,
            parts.server_uuid,
            accounts,
            variables,
            readers,
            parts.executor,
            parts.role,
            parts.replicas,
            parts.control,
        ));
        Ok(Self {
            node,
            identity: RwLock::new(identity),
            tcp,
            unix,
            listening,
            next_connection: AtomicU32::new(1),
        })
    }

    /// Where clients connect.
    #[must_use]
    pub const fn listening(&self) -> &Listening {
        &self.listening
    }

    /// The node's global variables.
    #[must_use]
    pub fn variables(&self) -> Arc<GlobalVariables> {
        Arc::clone(&self.node.variables)
    }

    /// A function that counts the sessions.
    pub fn session_counts(&self) -> impl Fn() -> SessionCounts + Send + Sync + 'static {
        let processes = Arc::clone(&self.node.processes);
        let replicas = self.node.replicas.clone();
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        move || SessionCounts {
            connected: processes.count() as u64,
            accepted: load(&processes.accepted),
            refused: load(&processes.refused),
            statements: load(&processes.questions),
            statement_errors: load(&processes.errors),
            dump_sessions: replicas.dumps() as u64,
        }
    }

    /// Serves clients until the process says stop, then lets the sessions end.
    pub async fn run(self) {
        let server = Arc::new(self);
        let control = server.node.control.clone();
        control.on_ready(server.listening.clone());
        let mut tasks = Vec::new();
        for index in 0..server.tcp.len() {
            let server = Arc::clone(&server);
            tasks.push(tokio::spawn(async move { server.accept_tcp(index).await }));
        }
        if server.unix.is_some() {
            let server = Arc::clone(&server);
            tasks.push(tokio::spawn(async move { server.accept_unix().await }));
        }
        let reloading = Arc::clone(&server);
        tasks.push(tokio::spawn(
            async move { reloading.follow_reloads().await },
        ));
        control.stopped().await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        server.drain().await;
        if let Some(path) = &server.listening.socket {
            remove_socket(path);
        }
    }

    async fn drain(&self) {
        for process in self.node.processes.all() {
            process.kill();
        }
        let deadline = tokio::time::Instant::now() + DRAIN_TIMEOUT;
        while self.node.processes.count() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn identity(&self) -> Arc<ServerIdentity> {
        let identity = self.identity.read();
        Arc::clone(&identity.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what can change while the node runs, whenever its process read the
    /// configuration again. Sessions that are logged in keep their TLS.
    async fn follow_reloads(&self) {
        let mut reloads = self.node.control.reloads();
        let mut before = self.node.settings.clone();
        while reloads.changed().await.is_ok() {
            let settings = reloads.borrow_and_update().clone();
            let Some(settings) = settings else { continue };
            let settings = settings.server();
            self.node.variables.take_over(&before, settings, RELOADED);
            before = settings.clone();
            if let Err(error) = self.node.role.settle_fence().await {
                tracing::error!(%error, "cannot tell whether writes from before read_only have ended");
            }
            match tls::server_config(tls_files(settings)) {
                Err(error) => {
                    tracing::error!(%error, "the certificates stay as they were");
                }
                Ok(tls) => {
                    let old = self.identity();
                    let identity = Arc::new(ServerIdentity {
                        version: old.version.clone(),
                        default_auth: old.default_auth,
                        charset: old.charset,
                        tls,
                        rsa: old.rsa.clone(),
                        sha2_cache: Sha2Cache::default(),
                        authenticator: Arc::clone(&old.authenticator),
                        max_allowed_packet: old.max_allowed_packet,
                    });
                    *self
                        .identity
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = identity;
                }
            }
        }
    }

    async fn accept_tcp(self: Arc<Self>, index: usize) {
        let Some(listener) = self.tcp.get(index) else {
            return;
        };
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    // Without it a small answer waits for the client's delayed acknowledgement.
                    let _ = stream.set_nodelay(true);
                    keep_alive(&stream);
                    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
                    let server = Arc::clone(&self);
                    tokio::spawn(async move { server.serve(stream, Some(address)).await });
                }
                Err(error) => wait_after(&error).await,
            }
        }
    }

    async fn accept_unix(self: Arc<Self>) {
        let Some(listener) = &self.unix else { return };
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let server = Arc::clone(&self);
                    tokio::spawn(async move { server.serve(stream, None).await });
                }
                Err(error) => wait_after(&error).await,
            }
        }
    }

    /// One client from its greeting to its end.
    async fn serve(
        self: Arc<Self>,
        transport: impl Transport + 'static,
        address: Option<SocketAddr>,
    ) {
        let processes = &self.node.processes;
        let limit = self.node.variables.number("max_connections");
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // One place more is for an administrator; who it is shows after the login.
        if processes.count() > limit {
            processes.refused.fetch_add(1, Ordering::Relaxed);
            let packet = ErrPacket::new(1040, b"08004", "Too many connections");
            let _ = Connection::reject(transport, &packet).await;
            return;
        }
        let id = self.next_connection.fetch_add(1, Ordering::Relaxed);
        let host = address.map_or_else(|| "localhost".to_owned(), |a| a.ip().to_string());
        let shown = address.map_or_else(
            || "localhost".to_owned(),
            |address| match address.ip().is_loopback() {
                true => format!("localhost:{}", address.port()),
                false => address.to_string(),
            },
        );
        let peer = Peer {
            connection_id: id,
            host,
            is_local_socket: address.is_none(),
        };
        let registered = processes.register_login(id, &shown);
        let patience = Duration::from_secs(self.node.variables.number("connect_timeout"));
        let identity = self.identity();
        let login = Connection::accept(transport, identity, peer);
        let connection = tokio::select! {
            login = tokio::time::timeout(patience, login) => login,
            () = registered.process.killed() => return,
        };
        match connection {
            Ok(Ok(connection)) => {
                let session = Session::open(Arc::clone(&self.node), connection, id, &shown).await;
                drop(registered);
                if let Some(session) = session {
                    processes.accepted.fetch_add(1, Ordering::Relaxed);
                    session.run().await;
                    return;
                }
                processes.refused.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Err(error)) => {
                processes.refused.fetch_add(1, Ordering::Relaxed);
                tracing::info!(connection = id, host = %shown, %error, "login failed");
            }
            Err(_) => {
                processes.refused.fetch_add(1, Ordering::Relaxed);
                tracing::info!(connection = id, host = %shown, "login took too long");
            }
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("listening", &self.listening)
            .finish_non_exhaustive()
    }
}

/// Notices peers that went without a word, so that what they hold is let go.
fn keep_alive(stream: &TcpStream) {
    let (time, interval, retries) = KEEP_ALIVE;
    let keep_alive = TcpKeepalive::new()
        .with_time(time)
        .with_interval(interval)
        .with_retries(retries);
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&keep_alive) {
        tracing::debug!(%error, "no keep-alive for a client");
    }
}

/// Out of file descriptors, most likely: others end meanwhile.
async fn wait_after(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a client");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn bind_tcp(
    settings: &ServerSettings,
) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), ServerError> {
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for host in &settings.bind_address {
        // `*` is every interface, IPv6 with IPv4 inside it where the system has IPv6.
        let candidates: Vec<String> = match host.as_str() {
            "*" => vec![
                format!("[::]:{}", settings.port),
                format!("0.0.0.0:{}", settings.port),
            ],
            host if host.contains(':') && !host.starts_with('[') => {
                vec![format!("[{host}]:{}", settings.port)]
            }
            host => vec![format!("{host}:{}", settings.port)],
        };
        let mut outcome = Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
        for candidate in &candidates {
            outcome = TcpListener::bind(candidate).await;
            if outcome.is_ok() {
                break;
            }
        }
        let failed = |source| ServerError::Listen {
            address: format!("{host}:{}", settings.port),
            source,
        };
        let listener = outcome.map_err(failed)?;
        addresses.push(listener.local_addr().map_err(failed)?);
        listeners.push(listener);
    }
    Ok((listeners, addresses))
}

fn bind_unix(path: &Path) -> Result<UnixListener, ServerError> {
    use std::os::unix::fs::PermissionsExt as _;
    let failed = |source| ServerError::Listen {
        address: path.display().to_string(),
        source,
    };
    // A socket that nobody listens on is left from a crash.
    if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
        remove_socket(path);
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    // Accounts decide who gets in, as with mysqld.
    let everyone = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(PathBuf::from(path), everyone).map_err(failed)?;
    Ok(listener)
}

fn remove_socket(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, path = %path.display(), "socket file is gone already");
    }
}
