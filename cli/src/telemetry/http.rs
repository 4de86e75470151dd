//! The HTTP port of a node: `/metrics` and `/health`.

use std::io;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;
use server::Control;
use server::control::Observation;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::listener::{CONNECTIONS_MAX, Limited};
use super::metrics::{self, Process};

/// What the pages are made of.
struct Node {
    role: &'static str,
    control: Control,
    started: Instant,
}

/// Binds every address and serves in the background for as long as the runtime lives.
///
/// # Errors
///
/// If an address cannot be bound.
pub(crate) async fn serve(
    addresses: &[String],
    port: u16,
    role: &'static str,
    control: &Control,
) -> io::Result<()> {
    let node = Arc::new(Node {
        role,
        control: control.clone(),
        started: Instant::now(),
    });
    let router = Router::new()
        .route("/", get(|| async { "/metrics\n/health\n" }))
        .route("/metrics", get(metrics_page))
        .route("/health", get(health_page))
        .with_state(node);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    for address in addresses {
        let host = if address == "*" { "0.0.0.0" } else { address };
        for address in (host, port).to_socket_addrs()? {
            let listener = TcpListener::bind(address).await?;
            tracing::info!(address = %listener.local_addr()?, "HTTP port for metrics and health");
            let service = axum::serve(Limited::new(listener, &room), router.clone());
            tokio::spawn(async move {
                if let Err(error) = service.await {
                    tracing::error!(%error, "the HTTP port failed");
                }
            });
        }
    }
    Ok(())
}

async fn metrics_page(State(node): State<Arc<Node>>) -> impl IntoResponse {
    let process = Process {
        role: node.role,
        uptime_seconds: node.started.elapsed().as_secs_f64(),
        is_ready: node.control.is_ready(),
    };
    let text = metrics::render(&process, node.control.observe().as_ref());
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
}

async fn health_page(State(node): State<Arc<Node>>) -> impl IntoResponse {
    let problems = problems(
        node.control.is_ready(),
        node.control.is_stopping(),
        node.control.observe().as_ref(),
    );
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = if problems.is_empty() {
        "ok"
    } else {
        "unhealthy"
    };
    let body = json!({"status": word, "role": node.role, "problems": problems}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}

/// Why the node is not healthy; nothing if it is.
fn problems(is_ready: bool, is_stopping: bool, observation: Option<&Observation>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut add = |problem: &str| problems.push(problem.to_owned());
    if is_stopping {
        add("stopping");
    } else if !is_ready {
        add("starting: clients are not accepted yet");
    }
    let primary = observation.and_then(|observation| observation.primary.as_ref());
    if let Some(reason) = primary.and_then(|primary| primary.short.as_deref()) {
        add(reason);
    }
    if let Some(replica) = observation.and_then(|observation| observation.replica.as_ref()) {
        if !replica.receiver_running {
            add("the receiver does not run");
        } else if !replica.receiver_connected {
            add("the receiver is not connected to its source");
        }
        if !replica.applier_running {
            add("the applier does not run");
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use server::control::{Observation, PrimaryObservation, ReplicaObservation};

    use super::problems;

    #[test]
    fn health_is_ready_and_running() {
        let replica = |running| Observation {
            replica: Some(ReplicaObservation {
                receiver_running: running,
                receiver_connected: running,
                applier_running: running,
                ..ReplicaObservation::default()
            }),
            ..Observation::default()
        };
        assert!(problems(true, false, None).is_empty());
        assert!(problems(true, false, Some(&replica(true))).is_empty());
        assert_eq!(problems(true, false, Some(&replica(false))).len(), 2);
        assert_eq!(
            problems(false, false, None),
            ["starting: clients are not accepted yet"]
        );
        assert_eq!(problems(true, true, None), ["stopping"]);
        let full = Observation {
            primary: Some(PrimaryObservation {
                short: Some("no space".to_owned()),
                ..PrimaryObservation::default()
            }),
            ..Observation::default()
        };
        assert_eq!(problems(true, false, Some(&full)), ["no space"]);
    }
}
