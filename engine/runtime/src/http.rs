//! One HTTP request.
//!
//! Duty: to send it once and to say in words what went wrong. It must not try again (the machine does), nor print a
//! header's value, a body or the password in an address: they may be secret.

use std::{
    collections::HashMap,
    error::Error as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use lifeboat_core::action::HttpOrder;
use reqwest::{Certificate, Client, Method, Url, header::HeaderMap, redirect};
use serde_json::{Map, Value, json};

mod download;

pub(crate) use download::download;

/// How much of a body is kept, in bytes.
pub const HEAD: usize = 1 << 20;

/// How much of a body is read at all, in bytes; the connection is closed then.
pub const BODY_LIMIT: usize = 64 << 20;

/// The most redirects that are followed.
pub const REDIRECTS: usize = 10;

/// Makes `ring` the cryptography of this process, unless there is one already.
pub fn install_crypto() {
    // An error means that somebody did it before.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Clients, one for each way to treat redirects and certificates: reading the system's roots takes its time.
///
/// A clone shares them. No connection is kept: after a switch-over the next request must see where the name leads *now*.
#[derive(Debug, Clone, Default)]
pub struct Clients {
    known: Arc<Mutex<HashMap<(bool, bool), Client>>>,
}

impl Clients {
    /// With a file of roots a client is made each time, as the file may have changed.
    fn get(&self, order: &HttpOrder, roots: Option<&Path>) -> Result<Client, String> {
        if let Some(roots) = roots {
            return build(order, &certificates(roots)?);
        }
        let key = (order.follow_redirects, order.insecure);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let client = build(order, &[])?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, client.clone());
        Ok(client)
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, String> {
    let bad = |why: String| format!("the roots in {} cannot be used: {why}", file.display());
    let pem = std::fs::read(file).map_err(|error| bad(error.to_string()))?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|error| bad(chain_of(&error)))?;
    if roots.is_empty() { Err(bad("there is no certificate in it".to_owned())) } else { Ok(roots) }
}

fn build(order: &HttpOrder, roots: &[Certificate]) -> Result<Client, String> {
    install_crypto();
    let redirects =
        if order.follow_redirects { redirect::Policy::limited(REDIRECTS) } else { redirect::Policy::none() };
    Client::builder()
        .user_agent(concat!("lifeboat/", env!("CARGO_PKG_VERSION")))
        .redirect(redirects)
        .referer(false)
        .pool_max_idle_per_host(0)
        .retry(reqwest::retry::never())
        .tls_certs_merge(roots.iter().cloned())
        .tls_danger_accept_invalid_certs(order.insecure)
        .build()
        .map_err(|error| format!("no HTTP client: {}", chain_of(&error)))
}

/// Sends one request and reads its answer. An answer with any status is an answer.
///
/// `directory` is where a relative file of roots begins; `timeout` is for all of it, the body too.
///
/// # Returns
/// Exactly the fields of `core::action::http::RESULT`.
///
/// # Errors
/// When there was no whole answer: why, in words, without secrets.
pub async fn send(order: &HttpOrder, directory: &Path, clients: &Clients, timeout: Duration) -> Result<Value, String> {
    let mut stage = "connecting or waiting for the answer to begin".to_owned();
    let what = format!("{} {}", order.method, public(&order.url));
    match tokio::time::timeout(timeout, exchange(order, directory, clients, &mut stage)).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(why)) => Err(format!("{what}: {why}")),
        Err(_) => Err(format!("{what}: timed out after {timeout:?} while {stage}")),
    }
}

/// Why a result is not a success (status 200 to 299), or `None` when it is one.
#[must_use]
pub fn failure(order: &HttpOrder, result: &Value) -> Option<String> {
    let status = result.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok())?;
    if (200..300).contains(&status) {
        return None;
    }
    let reason = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let hint = match status {
        300..400 if !order.follow_redirects => "; redirects are not followed without `followRedirects: true`",
        _ => "",
    };
    Some(format!("{} {}: answered {status} {}{hint}", order.method, public(&order.url), reason.unwrap_or_default()))
}

async fn exchange(order: &HttpOrder, directory: &Path, clients: &Clients, stage: &mut String) -> Result<Value, String> {
    let url = Url::parse(&order.url).map_err(|error| format!("this is no address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}://` is not supported, only http:// and https://", url.scheme()));
    }
    let method = Method::from_bytes(order.method.as_bytes()).map_err(|_| "this is no HTTP method".to_owned())?;
    let headers = headers(order)?;
    let roots: Option<PathBuf> = order.ca_file.as_ref().map(|file| directory.join(file));
    // Reading roots blocks, and that of the system takes tens of milliseconds.
    let (asked, clients) = (order.clone(), clients.clone());
    let client = tokio::task::spawn_blocking(move || clients.get(&asked, roots.as_deref()))
        .await
        .map_err(|_| "the engine is shutting down".to_owned())??;

    let began = Instant::now();
    let mut request = client.request(method, url).headers(headers);
    if let Some(body) = &order.body {
        request = request.body(body.clone());
    }
    let mut response = request.send().await.map_err(|error| explain(&error))?;
    let status = response.status().as_u16();
    let headers = described(response.headers());

    let (mut head, mut total) = (Vec::new(), 0_usize);
    loop {
        *stage = format!("reading the body ({total} bytes so far, status {status})");
        let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| format!("the body broke off after {total} bytes: {}", explain(&error)))?
        else {
            break;
        };
        total = total.saturating_add(chunk.len());
        head.extend_from_slice(&chunk[..chunk.len().min(HEAD - head.len())]);
        if total > BODY_LIMIT {
            break;
        }
    }
    let json = if total > head.len() { None } else { serde_json::from_slice::<Value>(&head).ok() };
    Ok(json!({
        "status": status,
        "headers": headers,
        "body": String::from_utf8_lossy(&head),
        "json": json,
        "durationMs": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}

/// The name is told, the value never: it may be a token.
fn headers(order: &HttpOrder) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &order.headers {
        let known = reqwest::header::HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{name}` is no header name"))?;
        let mut value = reqwest::header::HeaderValue::from_str(value)
            .map_err(|_| format!("the value of header `{name}` has a character that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    Ok(headers)
}

/// Names in lower case; several values of one name are joined as the standard says.
fn described(headers: &HeaderMap) -> Map<String, Value> {
    headers
        .keys()
        .map(|name| {
            let values: Vec<_> =
                headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            (name.as_str().to_owned(), Value::String(values.join(", ")))
        })
        .collect()
}

/// An address without user and password.
#[must_use]
pub fn public(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) => {
            // An error means that it cannot have them.
            _ = url.set_username("");
            _ = url.set_password(None);
            url.to_string()
        }
        // It may be a bad address with a good password.
        Err(_) => address.rsplit_once('@').map_or_else(|| address.to_owned(), |(_, rest)| format!("…@{rest}")),
    }
}

/// The whole chain of causes; the address is left out, as it may have a password.
fn explain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut refused = false;
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            refused |= io.kind() == std::io::ErrorKind::ConnectionRefused;
        }
        let text = error.to_string();
        // Many layers repeat what is below them.
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        cause = error.source();
    }
    let all = texts.join(": ");
    let kind = if all.contains("dns error") {
        "the name cannot be resolved"
    } else if refused {
        "connection refused"
    } else if all.contains("certificate") {
        "the server's certificate is not accepted"
    } else if error.is_redirect() {
        "too many redirects, or one that leads nowhere"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "timed out"
    } else {
        "no answer"
    };
    if all.is_empty() { kind.to_owned() } else { format!("{kind} ({all})") }
}

fn chain_of(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() { "it is not understood".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
