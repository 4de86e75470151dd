//! A node as its operator sees it: signals, health, messages, exit code.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use protocol::client::{ClientOptions, Connection, Endpoint};

/// A running `weir primary` with JSON messages on standard error. Ends with the test.
struct Node {
    child: Child,
    messages: BufReader<ChildStderr>,
    port: u16,
}

impl Node {
    fn start(option_file: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .arg("primary")
            .arg(format!("--defaults-file={}", option_file.display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let messages = BufReader::new(child.stderr.take().unwrap());
        let mut node = Self {
            child,
            messages,
            port: 0,
        };
        let ready = node.message("ready for connections");
        let addresses = ready["addresses"].as_str().unwrap();
        node.port = addresses.rsplit(':').next().unwrap().parse().unwrap();
        node
    }

    /// Reads messages up to the one with this text.
    fn message(&mut self, text: &str) -> serde_json::Value {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(
                self.messages.read_line(&mut line).unwrap() > 0,
                "no '{text}' in\n{all}"
            );
            all.push_str(&line);
            if let Ok(message) = serde_json::from_str::<serde_json::Value>(&line)
                && message["message"] == text
            {
                return message;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn scalar(&self, sql: &str) -> Option<String> {
        let endpoint = Endpoint::Tcp {
            host: "127.0.0.1".to_owned(),
            port: self.port,
        };
        let options = ClientOptions::new(endpoint, "root", "");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut connection = Connection::connect(&options).await.unwrap();
            connection.query(sql).await.unwrap().scalar()
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn initialize(option_file: &Path) {
    let file = format!("--defaults-file={}", option_file.display());
    let status = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["primary", &file, "--initialize-insecure"])
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

/// `/path` of the HTTP port: status line and body.
fn http(port: u16, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn options(directory: &Path, more: &str) -> String {
    let datadir = directory.join("data");
    format!(
        "[mysqld]\nserver-id=7\ndatadir={}\nport=0\nbind-address=127.0.0.1\nsocket=\n\
         log_format=json\n{more}",
        datadir.display()
    )
}

#[test]
fn a_node_reloads_on_hangup_and_ends_cleanly_on_terminate() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.cnf");
    fs::write(&file, options(directory.path(), "max_connections=7\n")).unwrap();
    initialize(&file);
    let mut node = Node::start(&file);
    let certificate = directory.path().join("data/server-cert.pem");
    let before = fs::read(&certificate).unwrap();
    assert_eq!(
        node.scalar("SELECT @@global.max_connections").as_deref(),
        Some("7")
    );

    fs::write(
        &file,
        options(directory.path(), "max_connections=9\nread_only=1\n"),
    )
    .unwrap();
    node.signal("-HUP");
    node.message("configuration read again");
    // The node takes it over in a task of its own, at the latest before its next login but a few.
    while node.scalar("SELECT @@global.max_connections").as_deref() != Some("9") {}
    assert_eq!(
        node.scalar("SELECT @@global.read_only").as_deref(),
        Some("1")
    );
    assert_eq!(fs::read(&certificate).unwrap(), before);

    fs::write(&file, options(directory.path(), "max_connections=many\n")).unwrap();
    node.signal("-HUP");
    loop {
        let mut line = String::new();
        assert!(node.messages.read_line(&mut line).unwrap() > 0);
        if line.contains("the configuration is not taken over") {
            assert!(
                line.contains("my.cnf:8: option 'max_connections' cannot be 'many'"),
                "{line}"
            );
            break;
        }
    }
    assert_eq!(
        node.scalar("SELECT @@global.max_connections").as_deref(),
        Some("9")
    );

    node.signal("-TERM");
    node.message("stopped");
    assert!(node.child.wait().unwrap().success());
}

#[test]
fn what_a_statement_persisted_stays_when_a_node_reloads() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.cnf");
    let write = |more: &str| fs::write(&file, options(directory.path(), more)).unwrap();
    write("max_connections=7\n");
    initialize(&file);
    let mut node = Node::start(&file);
    let shown = |node: &Node, name: &str| node.scalar(&format!("SELECT @@global.{name}"));
    node.scalar("SET PERSIST max_connections = 11");

    // The flag says when the node has taken the file over.
    write("max_connections=12\nread_only=1\n");
    node.signal("-HUP");
    while shown(&node, "read_only").as_deref() != Some("1") {}
    assert_eq!(shown(&node, "max_connections").as_deref(), Some("11"));

    // What is no longer persisted is what it was until the file says something else.
    node.scalar("RESET PERSIST max_connections");
    write("max_connections=12\n");
    node.signal("-HUP");
    while shown(&node, "read_only").as_deref() != Some("0") {}
    assert_eq!(shown(&node, "max_connections").as_deref(), Some("11"));
    write("max_connections=13\n");
    node.signal("-HUP");
    while shown(&node, "max_connections").as_deref() != Some("13") {}

    node.signal("-TERM");
    node.message("stopped");
    assert!(node.child.wait().unwrap().success());
}

#[test]
fn the_http_port_tells_health_and_metrics() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.cnf");
    let http_port = free_port();
    fs::write(
        &file,
        options(directory.path(), &format!("metrics_port={http_port}\n")),
    )
    .unwrap();
    initialize(&file);
    let node = Node::start(&file);
    let (status, body) = http(http_port, "/health");
    assert!(status.ends_with("200 OK"), "{status}");
    assert!(body.contains("\"status\":\"ok\""), "{body}");
    assert_eq!(node.scalar("SELECT 1").as_deref(), Some("1"));
    let (_, body) = http(http_port, "/metrics");
    assert!(body.contains("\nweir_up 1\n"), "{body}");
    assert!(body.contains("\nweir_commits_total 0\n"), "{body}");
    assert!(body.contains("weir_info{role=\"primary\""), "{body}");
}

#[test]
fn a_data_directory_in_use_ends_with_1_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.cnf");
    fs::write(&file, options(directory.path(), "")).unwrap();
    initialize(&file);
    let _node = Node::start(&file);
    let second = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("primary")
        .arg(format!("--defaults-file={}", file.display()))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(stderr.contains("is used by another process"), "{stderr}");
}
