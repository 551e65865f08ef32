//! Files that somebody else keeps, by an address that is itself the permission to read them.
//!
//! Duty: to fetch one, no more of it than fits. It must not tell the address: whoever has it can read the file.

use std::time::Duration;

use lifeboat_core::action::HttpOrder;
use reqwest::{Certificate, Url};

use super::{build, chain_of, explain};

/// How long a download may take.
const LONGEST: Duration = Duration::from_secs(60);

/// Downloads a file. `roots` are further certificates to trust, in PEM; empty: those of the system.
///
/// # Errors
/// When it is not there, cannot be reached, or is larger than `most` bytes: why, without the address but for its host.
pub(crate) async fn download(url: &str, roots: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let url = Url::parse(url).map_err(|error| format!("its address is none: {error}"))?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "an address without a host".to_owned(),
    };
    let fetched = tokio::time::timeout(LONGEST, fetch(url, roots.to_vec(), most)).await;
    let fetched = fetched.unwrap_or_else(|_| Err(format!("not over after {} s", LONGEST.as_secs())));
    fetched.map_err(|why| format!("{host}: {why}"))
}

async fn fetch(url: Url, roots: Vec<u8>, most: usize) -> Result<Vec<u8>, String> {
    let order = HttpOrder {
        method: "GET".to_owned(),
        url: String::new(),
        headers: [].into(),
        body: None,
        follow_redirects: true,
        insecure: false,
        ca_file: None,
    };
    // Reading the system's roots blocks.
    let client = tokio::task::spawn_blocking(move || {
        let roots = Certificate::from_pem_bundle(&roots)
            .map_err(|error| format!("the roots that its location names cannot be used: {}", chain_of(&error)))?;
        build(&order, &roots)
    });
    let client = client.await.map_err(|_| "the engine is shutting down".to_owned())??;
    // Some stores unpack what is packed unless they are told that it may come packed.
    let request = client.get(url).header(reqwest::header::ACCEPT_ENCODING, "gzip");
    let mut response = request.send().await.map_err(|error| explain(&error))?;
    match response.status() {
        status if status.is_success() => {}
        reqwest::StatusCode::NOT_FOUND => return Err("there is no such file (404)".to_owned()),
        status => return Err(format!("answered {status}")),
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Err(format!("it is larger than {most} bytes"));
        }
    }
    Ok(bytes)
}
