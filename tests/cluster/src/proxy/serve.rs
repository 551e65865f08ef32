//! Connections of the proxy, and what becomes of a request.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::{
    ClientConfig, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time,
};
use tokio_rustls::TlsAcceptor;

use super::{Shared, Wanted, counts::Asked, fault::Fault};
use crate::{Error, certificates::Signed};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Everything that the thread of a proxy needs.
pub(super) struct Front {
    address: SocketAddr,
    acceptor: TlsAcceptor,
    upstream: Upstream,
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Upstream {
    http: reqwest::Client,
    url: Arc<str>,
}

impl Front {
    pub(super) fn new(
        port: u16,
        signed: &Signed,
        upstream: ClientConfig,
        url: String,
        shared: Arc<Shared>,
    ) -> Result<Self, Error> {
        let bad = |error: &dyn std::fmt::Display| Error::Certificate(format!("the proxy's certificate: {error}"));
        let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).map_err(|error| bad(&error))?;
        let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).map_err(|error| bad(&error))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(&error))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(|error| bad(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(upstream)
            // One watch then has one connection, and dropping it is what ends it.
            .http1_only()
            .no_proxy()
            // Answers pass as they are.
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| Error::Certificate(format!("no client for the proxy: {error}")))?;
        Ok(Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            upstream: Upstream { http, url: url.into() },
            shared,
        })
    }

    /// Serves until it is over.
    pub(super) fn run(self) {
        let done = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .and_then(|runtime| runtime.block_on(self.serve()));
        if let Err(error) = done {
            *self.shared.why_not.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
    }

    async fn serve(&self) -> io::Result<()> {
        let mut wanted = self.shared.wanted.subscribe();
        loop {
            let now = *wanted.borrow_and_update();
            match now {
                Wanted::Over => return Ok(()),
                Wanted::Up => self.listen(&mut wanted).await?,
                Wanted::Down => {}
            }
            let is_up = *wanted.borrow() == Wanted::Up;
            if !is_up && wanted.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Accepts connections until that is not wanted anymore; then closes all.
    async fn listen(&self, wanted: &mut watch::Receiver<Wanted>) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.shared.listens.store(true, Ordering::SeqCst);
        let mut connections = JoinSet::new();
        while *wanted.borrow() == Wanted::Up {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        self.shared.counts().connections += 1;
                        let (acceptor, upstream) = (self.acceptor.clone(), self.upstream.clone());
                        connections.spawn(connection(stream, acceptor, upstream, Arc::clone(&self.shared)));
                    }
                }
                Some(_) = connections.join_next() => {}
                _ = wanted.changed() => {}
            }
        }
        drop(listener);
        connections.shutdown().await;
        self.shared.listens.store(false, Ordering::SeqCst);
        // What was changed meanwhile has been seen only here.
        wanted.mark_changed();
        Ok(())
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, upstream: Upstream, shared: Arc<Shared>) {
    // Small answers must not wait for a full packet.
    drop(stream.set_nodelay(true));
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let (upstream, shared) = (upstream.clone(), Arc::clone(&shared));
        async move { answer(request, &upstream, &shared).await }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    // How a connection ends is the client's business.
    drop(builder.serve_connection(TokioIo::new(stream), service).await);
}

/// One request. An error closes its connection, or, with HTTP/2, resets its stream.
async fn answer(request: Request<Incoming>, upstream: &Upstream, shared: &Arc<Shared>) -> io::Result<Response<Body>> {
    let uri = request.uri();
    let asked = Asked::new(request.method().as_str(), uri.path(), uri.query().unwrap_or_default());
    shared.counts().add(&asked);
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let (delay, fault, expired) = {
        let mut rules = shared.rules();
        let expired = token.is_some_and(|token| rules.is_expired(token));
        let (delay, fault) = if expired { (Duration::ZERO, None) } else { rules.hit(&asked) };
        (delay, fault, expired)
    };
    if expired {
        return status(401, None);
    }
    time::sleep(delay).await;
    match fault {
        Some(Fault::Status { code, retry_after }) => status(code, retry_after),
        Some(Fault::Gone) => gone(),
        Some(Fault::Cut) => Err(io::Error::other("cut")),
        Some(Fault::Swallow) => {
            let answer = forward(request, upstream).await?;
            // All of it: only then has the API server done everything.
            drop(answer.bytes().await);
            Err(io::Error::other("swallowed"))
        }
        Some(Fault::Delay(_)) | None => pass(forward(request, upstream).await?, &asked, shared),
    }
}

/// What is between two neighbours only, and not passed on.
fn is_for_neighbours(name: &HeaderName) -> bool {
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::HOST, header::UPGRADE]
        .contains(name)
        || name == "keep-alive"
}

fn passing(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| !is_for_neighbours(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

async fn forward(request: Request<Incoming>, upstream: &Upstream) -> io::Result<reqwest::Response> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    upstream
        .http
        .request(parts.method, format!("{}{path}", upstream.url))
        .headers(passing(&parts.headers))
        .body(body)
        .send()
        .await
        .map_err(io::Error::other)
}

/// Passes an answer on, as it comes. That of a watch breaks off when watches are cut.
fn pass(answer: reqwest::Response, asked: &Asked, shared: &Arc<Shared>) -> io::Result<Response<Body>> {
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        *headers = passing(answer.headers());
    }
    let open = (asked.verb == "watch" && answer.status().is_success()).then(|| OpenWatch::new(shared));
    let cut = shared.cut.subscribe();
    let parts = stream::unfold(Some((answer, cut, open)), |state| async move {
        let (mut answer, mut cut, open) = state?;
        tokio::select! {
            biased;
            _ = cut.changed(), if open.is_some() => Some((Err(io::Error::other("cut")), None)),
            chunk = answer.chunk() => match chunk {
                Ok(Some(bytes)) => Some((Ok(Frame::data(bytes)), Some((answer, cut, open)))),
                Ok(None) => None,
                Err(error) => Some((Err(io::Error::other(error)), None)),
            },
        }
    });
    response.body(StreamBody::new(parts).boxed_unsync()).map_err(io::Error::other)
}

/// Counts a watch as open while it is.
struct OpenWatch(Arc<Shared>);

impl OpenWatch {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.counts().open_watches += 1;
        Self(Arc::clone(shared))
    }
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        self.0.counts().open_watches -= 1;
    }
}

/// An answer in the API server's own words.
fn status(code: u16, retry_after: Option<u32>) -> io::Result<Response<Body>> {
    let status = StatusCode::from_u16(code).map_err(io::Error::other)?;
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    if let Some(seconds) = retry_after {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    response.body(text(status_object(code, retry_after).to_string())).map_err(io::Error::other)
}

fn status_object(code: u16, retry_after: Option<u32>) -> serde_json::Value {
    let (reason, message) = match code {
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "injected: forbidden"),
        404 => ("NotFound", "injected: not found"),
        409 => ("Conflict", "injected: the object has been modified"),
        410 => ("Expired", "injected: too old resource version"),
        429 => ("TooManyRequests", "injected: the server has received too many requests"),
        500 => ("InternalError", "injected: internal error"),
        503 => ("ServiceUnavailable", "injected: the server is currently unable to handle the request"),
        504 => ("Timeout", "injected: the request did not complete within the allotted time"),
        _ => ("", "injected"),
    };
    let mut object = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    });
    if let Some(seconds) = retry_after {
        object["details"] = json!({ "retryAfterSeconds": seconds });
    }
    object
}

/// A watch whose first event is an error.
fn gone() -> io::Result<Response<Body>> {
    let event = json!({ "type": "ERROR", "object": status_object(410, None) });
    Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .body(text(format!("{event}\n")))
        .map_err(io::Error::other)
}

fn text(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {}).boxed_unsync()
}
