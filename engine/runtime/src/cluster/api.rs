//! One request to an API server, and when it is made again.
//!
//! Duty: to send it, to read the answer, and to tell every try that has to be repeated. What may be asked again is asked
//! until whoever waits gives up, because that one has a time-out and this has none. It must not repeat what may have been
//! done already, unless doing it twice is the same as doing it once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, StatusCode, header};
use serde_json::Value;

use super::{Cluster, connect::causes};

/// What answers are read as.
const JSON: &str = "application/json";
/// The longest time between two tries.
const LONGEST: Duration = Duration::from_secs(10);
/// How long an answer may take before it is asked for again. The server itself gives up after a minute.
const ANSWER: Duration = Duration::from_secs(65);

/// Whoever asks a cluster: what is told of retries names it, and its requests are counted.
#[derive(Clone)]
pub struct Ask {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    step: Option<String>,
    requests: Arc<AtomicU64>,
    /// After how many tries in a row it is given up.
    most: u32,
}

/// Whether a request may be made again when nobody knows whether it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It only reads, or doing it twice is the same as doing it once.
    Always,
    /// It changes nothing, and others have a say in the answer: a webhook that fails will fail again.
    Trial,
    /// Only when the server said that it did nothing.
    Refused,
}

/// Why a request was not answered as it should.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// The server's own word: `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`; empty when there was none.
    pub reason: String,
    /// For people.
    pub message: String,
    /// What was asked for.
    pub request: String,
    /// The whole answer, when it was a `Status`.
    pub answer: Value,
    /// Nobody knows whether it was carried out.
    pub in_doubt: bool,
}

impl ApiError {
    /// There is no such object, or no such kind.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.status == 404
    }

    /// The credentials do not allow it, or are not taken.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.status, 401 | 403)
    }

    /// It is there already.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.status == 409 && self.reason == "AlreadyExists"
    }

    /// Somebody else changed it meanwhile, or owns a field.
    #[must_use]
    pub fn conflicts(&self) -> bool {
        self.status == 409 && !self.exists()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.message)?;
        if self.in_doubt {
            f.write_str(" (whether it was carried out is not known)")?;
        }
        Ok(())
    }
}

impl From<ApiError> for String {
    fn from(error: ApiError) -> Self {
        error.to_string()
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: Method,
    pub path: String,
    pub accept: &'static str,
    pub content: Option<(&'static str, Vec<u8>)>,
    pub again: Again,
}

impl Call {
    fn get(path: &str) -> Self {
        Self { method: Method::GET, path: path.to_owned(), accept: JSON, content: None, again: Again::Always }
    }

    fn name(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let path = path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/apis/")).unwrap_or(path);
        format!("{} {path}", self.method)
    }
}

impl Ask {
    pub(super) fn new(cluster: Arc<Cluster>, step: Option<String>) -> Self {
        Self { cluster, step, requests: Arc::new(AtomicU64::new(0)), most: u32::MAX }
    }

    /// The same, but what has failed so many times in a row is given up: for those who only want to know whether it works
    /// now.
    #[must_use]
    pub fn at_most(self, most: u32) -> Self {
        Self { most: most.max(1), ..self }
    }

    /// Requests that were made through this.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The step that asks.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        self.step.as_deref()
    }

    /// Reads.
    ///
    /// # Errors
    /// What the server said, if asking again cannot help.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.send(Method::GET, path, None, Again::Always).await
    }

    /// Reads in a form of the server's that not every server has; one that has not answers in the usual one.
    pub(super) async fn get_as(&self, path: &str, accept: &'static str) -> Result<Value, ApiError> {
        let call = Call { accept, ..Call::get(path) };
        let body = self.tried(&call).await?;
        read(&call, &body)
    }

    /// Creates an object. After a lost answer it is not made again: look whether it is there by its name.
    ///
    /// # Errors
    /// What the server said; `in_doubt` when nobody knows whether it is there now.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value, ApiError> {
        self.send(Method::POST, path, Some(("application/json", object)), Again::Refused).await
    }

    /// Asks something by `POST` that changes nothing: a review.
    ///
    /// # Errors
    /// What the server said, if asking again cannot help.
    pub async fn review(&self, path: &str, object: &Value) -> Result<Value, ApiError> {
        self.send(Method::POST, path, Some(("application/json", object)), Again::Always).await
    }

    /// Changes an object by a patch of the given media type.
    ///
    /// # Errors
    /// What the server said; `in_doubt` only when `again` is [`Again::Refused`].
    pub async fn patch(&self, path: &str, media: &'static str, patch: &Value, again: Again) -> Result<Value, ApiError> {
        self.send(Method::PATCH, path, Some((media, patch)), again).await
    }

    /// Replaces an object. The resource version in it keeps it from being done twice.
    ///
    /// # Errors
    /// What the server said.
    pub async fn put(&self, path: &str, object: &Value) -> Result<Value, ApiError> {
        self.send(Method::PUT, path, Some(("application/json", object)), Again::Always).await
    }

    /// Deletes an object; `options` are its `DeleteOptions`. With a UID as precondition it cannot hit another one.
    ///
    /// # Errors
    /// What the server said.
    pub async fn delete(&self, path: &str, options: &Value) -> Result<Value, ApiError> {
        self.send(Method::DELETE, path, Some(("application/json", options)), Again::Always).await
    }

    /// Reads text, for example a log, as far as it is there.
    ///
    /// # Errors
    /// What the server said, if asking again cannot help.
    pub async fn text(&self, path: &str) -> Result<String, ApiError> {
        let call = Call { accept: "*/*", ..Call::get(path) };
        let body = self.tried(&call).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content: Option<(&'static str, &Value)>,
        again: Again,
    ) -> Result<Value, ApiError> {
        let content = content.map(|(media, value)| (media, value.to_string().into_bytes()));
        let call = Call { method, content, again, ..Call::get(path) };
        let body = self.tried(&call).await?;
        read(&call, &body)
    }

    async fn tried(&self, call: &Call) -> Result<Vec<u8>, ApiError> {
        let done = tried(&self.cluster, self.step.as_deref(), call, self.most).await;
        // Others ask meanwhile: only our own tries count here, and `tried` counts one for each.
        self.requests.fetch_add(done.tries, Ordering::Relaxed);
        done.answer
    }
}

/// Reads once more often than it fails.
pub(super) async fn get(cluster: &Cluster, step: Option<&str>, path: &str) -> Result<Value, ApiError> {
    let call = Call::get(path);
    let body = tried(cluster, step, &call, u32::MAX).await.answer?;
    read(&call, &body)
}

fn read(call: &Call, body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError {
        status: 0,
        reason: String::new(),
        message: format!("expected JSON, found something else ({error})"),
        request: call.name(),
        answer: Value::Null,
        in_doubt: false,
    })
}

struct Tried {
    answer: Result<Vec<u8>, ApiError>,
    tries: u64,
}

async fn tried(cluster: &Cluster, step: Option<&str>, call: &Call, most: u32) -> Tried {
    let (mut failures, mut renewed, mut tries) = (0_u32, false, 0);
    loop {
        tries += 1;
        cluster.requests.fetch_add(1, Ordering::Relaxed);
        let failed = match once(&cluster.client(), call).await {
            Ok(body) => return Tried { answer: Ok(body), tries },
            Err(failed) => failed,
        };
        let error = failed.error;
        if error.status == 401 && !renewed {
            // A token that has run out meanwhile; a second refusal is meant.
            renewed = true;
            cluster.trouble(step, &error.request, "the credentials are not taken any more", Duration::ZERO, 1);
            if let Err(why) = cluster.renew().await {
                let message = format!("{}, and new credentials cannot be had: {why}", error.message);
                return Tried { answer: Err(ApiError { message, ..error }), tries };
            }
            continue;
        }
        let may = match failed.kind {
            Kind::Said => false,
            Kind::Refused => true,
            Kind::Lost => match call.again {
                Again::Always => true,
                Again::Trial => !error.message.contains("calling webhook"),
                Again::Refused => false,
            },
        };
        if !may {
            return Tried { answer: Err(error), tries };
        }
        failures = failures.saturating_add(1);
        if failures >= most {
            return Tried { answer: Err(error), tries };
        }
        let wait = pause(failures, failed.retry_after);
        cluster.trouble(step, &error.request, &error.message, wait, failures);
        tokio::time::sleep(wait).await;
    }
}

/// How long to wait after so many failures in a row; the server's own wish counts for more, up to a minute.
pub(super) fn pause(failures: u32, wish: Option<Duration>) -> Duration {
    if let Some(wish) = wish {
        return wish.clamp(Duration::from_millis(100), Duration::from_secs(60));
    }
    let doubled = 200_u64.saturating_mul(1 << failures.saturating_sub(1).min(10));
    Duration::from_millis(doubled).min(LONGEST)
}

/// How a try has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The server has said no, and will say so again.
    Said,
    /// The server has said that it did nothing, and may another time.
    Refused,
    /// There was no answer, or one that leaves open whether it was carried out.
    Lost,
}

struct Failed {
    error: ApiError,
    kind: Kind,
    retry_after: Option<Duration>,
}

async fn once(client: &kube::Client, call: &Call) -> Result<Vec<u8>, Failed> {
    let answered = tokio::time::timeout(ANSWER, async {
        let response = client.send(request(call)?).await.map_err(|error| lost(call, &error))?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let body = collect(response.into_body()).await.map_err(|why| lost_because(call, why))?;
        if status.is_success() { Ok(body) } else { Err(said(call, status, retry_after, &body)) }
    });
    answered.await.unwrap_or_else(|_| Err(lost_because(call, format!("no answer within {} s", ANSWER.as_secs()))))
}

pub(super) fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    // A date is allowed, too; no API server sends one.
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn request(call: &Call) -> Result<Request<kube::client::Body>, Failed> {
    let mut request = Request::builder().method(call.method.clone()).uri(&call.path);
    request = request.header(header::ACCEPT, call.accept);
    if let Some((media, _)) = &call.content {
        request = request.header(header::CONTENT_TYPE, *media);
    }
    let body = call.content.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
    request.body(kube::client::Body::from(body)).map_err(|error| Failed {
        kind: Kind::Said,
        ..lost_because(call, format!("expected a path of the API, found `{}`: {error}", call.path))
    })
}

async fn collect(body: kube::client::Body) -> Result<Vec<u8>, String> {
    body.collect_bytes().await.map(|bytes| bytes.to_vec()).map_err(|error| causes(&error))
}

fn lost(call: &Call, error: &kube::Error) -> Failed {
    let why = causes(error);
    let mut failed = lost_because(call, why);
    // What cannot become right by itself is not worth a night of waiting: credentials that cannot be had.
    if matches!(error, kube::Error::Auth(_)) {
        failed.kind = Kind::Said;
        failed.error.in_doubt = false;
    }
    failed
}

fn lost_because(call: &Call, message: String) -> Failed {
    let in_doubt = call.again == Again::Refused;
    let error =
        ApiError { status: 0, reason: String::new(), message, request: call.name(), answer: Value::Null, in_doubt };
    Failed { error, kind: Kind::Lost, retry_after: None }
}

fn said(call: &Call, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Failed {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let reason = answer["reason"].as_str().unwrap_or_default().to_owned();
    let message = if let Some(message) = answer["message"].as_str().filter(|message| !message.is_empty()) {
        message.to_owned()
    } else {
        let text = String::from_utf8_lossy(body);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no text").to_owned();
        format!("{status}: {line}")
    };
    let kind = match status.as_u16() {
        // The server has too much to do, and has done nothing of this.
        429 => Kind::Refused,
        // A server that starts or stops says so before it does anything; with `Retry-After` it says that it did not.
        503 if retry_after.is_some() => Kind::Refused,
        500 | 502 | 503 | 504 => Kind::Lost,
        _ => Kind::Said,
    };
    let in_doubt = kind == Kind::Lost && call.again == Again::Refused;
    let error = ApiError { status: status.as_u16(), reason, message, request: call.name(), answer, in_doubt };
    Failed { error, kind, retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_and_longer_but_not_for_ever() {
        let waits: Vec<u128> = [1, 2, 3, 6, 7, 100].map(|failures| pause(failures, None).as_millis()).into();
        assert_eq!(waits, [200, 400, 800, 6400, 10_000, 10_000]);
        assert_eq!(pause(1, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(pause(9, Some(Duration::from_secs(3600))), Duration::from_secs(60));
        assert_eq!(pause(1, Some(Duration::ZERO)), Duration::from_millis(100));
    }

    #[test]
    fn what_was_perhaps_done_is_not_done_again() {
        let call = |again| Call { method: Method::POST, again, ..Call::get("/api/v1/namespaces") };
        let body = br#"{"kind":"Status","message":"etcdserver: request timed out","reason":"InternalError"}"#;
        let failed = said(&call(Again::Refused), StatusCode::INTERNAL_SERVER_ERROR, None, body);
        assert!(failed.error.in_doubt && failed.kind == Kind::Lost);
        assert_eq!(
            failed.error.to_string(),
            "POST namespaces: etcdserver: request timed out (whether it was carried out is not known)"
        );
        let failed = said(&call(Again::Refused), StatusCode::TOO_MANY_REQUESTS, None, b"slow down\n");
        assert!(!failed.error.in_doubt && failed.kind == Kind::Refused);
        assert_eq!(failed.error.message, "429 Too Many Requests: slow down");
        let failed = said(&call(Again::Always), StatusCode::FORBIDDEN, None, b"");
        assert!(failed.error.is_denied() && failed.kind == Kind::Said);
    }
}
