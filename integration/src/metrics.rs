//! What a node's metrics say.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use crate::failure::{Failure, Result};

/// The value of the metric `name` (without labels) of the node whose `metrics_port` this is.
///
/// # Errors
/// When nobody answers there, or the metric is not among what is answered.
pub async fn metric(port: u16, name: &str) -> Result<f64> {
    let text = tokio::task::spawn_blocking(move || fetch(port)).await??;
    let line = text.lines().find(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']))
    });
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    value.ok_or_else(|| Failure::new(format!("no metric {name} on port {port}")))
}

fn fetch(port: u16) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
