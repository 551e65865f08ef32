//! `tcp`: a connection opens.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinSet};

/// How long one address is tried before the next one is tried beside it (RFC 8305 says 250 ms).
const STAGGER: Duration = Duration::from_millis(250);

pub(super) async fn observe(address: &str, timeout: Duration) -> Value {
    let began = Instant::now();
    let connection = connect(address, timeout).await;
    json!({
        "connected": connection.is_ok(),
        "error": connection.err().unwrap_or_default(),
        "durationMs": super::milliseconds(began),
    })
}

/// Connects to `host:port`. All addresses of the host get their chance within the time: one that swallows packets does
/// not hide one that answers.
pub(super) async fn connect(address: &str, timeout: Duration) -> Result<TcpStream, String> {
    tokio::time::timeout(timeout, race(address))
        .await
        .unwrap_or_else(|_| Err(format!("{address}: timed out after {timeout:?} without an answer")))
}

async fn race(address: &str) -> Result<TcpStream, String> {
    let mut addresses: Vec<SocketAddr> = tokio::net::lookup_host(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidInput => format!("`{address}` is not `host:port`: {error}"),
            _ => format!("{address}: the name cannot be resolved ({error})"),
        })?
        .collect();
    addresses.dedup();
    let mut attempts = JoinSet::new();
    for (nth, address) in addresses.into_iter().enumerate() {
        attempts.spawn(async move {
            tokio::time::sleep(STAGGER * u32::try_from(nth).unwrap_or(u32::MAX)).await;
            TcpStream::connect(address).await.map_err(|error| format!("{address}: {}", in_words(&error)))
        });
    }
    let mut errors = Vec::new();
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            // The others are given up when the set is dropped.
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => errors.push(error),
            Err(_) => errors.push("the engine is shutting down".to_owned()),
        }
    }
    if errors.is_empty() { Err(format!("{address}: the name has no address")) } else { Err(errors.join("; ")) }
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused: nobody listens there".to_owned(),
        std::io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
        std::io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        _ => error.to_string(),
    }
}
