//! A server of a few lines on 127.0.0.1, with and without TLS.

use std::io::Write as _;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

const LONG: Duration = Duration::from_secs(10);

fn order(url: &str) -> HttpOrder {
    HttpOrder {
        method: "GET".into(),
        url: url.into(),
        headers: [].into(),
        body: None,
        follow_redirects: false,
        insecure: false,
        ca_file: None,
    }
}

async fn get(order: &HttpOrder) -> Result<Value, String> {
    send(order, Path::new("/"), &Clients::default(), LONG).await
}

/// Answers each connection with these bytes, and hands back what was asked, whole head.
async fn serve(answer: impl Into<Vec<u8>>) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (asked, questions) = tokio::sync::mpsc::unbounded_channel();
    let answer = answer.into();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (asked, answer) = (asked.clone(), answer.clone());
            tokio::spawn(async move {
                let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
                loop {
                    let length = stream.read(&mut part).await.unwrap_or(0);
                    bytes.extend_from_slice(&part[..length]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let wanted = text
                        .to_ascii_lowercase()
                        .split_once("content-length: ")
                        .map_or(0, |(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
                    if length == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= wanted) {
                        drop(asked.send(text));
                        break;
                    }
                }
                drop(stream.write_all(&answer).await);
            });
        }
    });
    (address, questions)
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn the_result_has_exactly_the_fields_of_the_specification() {
    let (url, mut asked) = serve(answer("200 OK\r\nX-Thing: one\r\nX-Thing: two", r#"{"ready": true}"#)).await;
    let mut order = order(&format!("{url}/healthz?full=1"));
    order.method = "POST".into();
    order.headers.insert("Authorization".into(), "Bearer hush".into());
    order.body = Some("input".into());
    let result = get(&order).await.unwrap();
    let fields: Vec<&String> = result.as_object().unwrap().keys().collect();
    let wanted: Vec<&str> = lifeboat_core::action::http::RESULT.iter().map(|field| field.name).collect();
    assert_eq!(fields, wanted);
    assert_eq!(result["status"], 200);
    assert_eq!(result["headers"]["x-thing"], "one, two");
    assert_eq!(result["json"], json!({"ready": true}));
    assert_eq!(failure(&order, &result), None);
    let asked = asked.recv().await.unwrap();
    assert!(asked.starts_with("POST /healthz?full=1 HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.to_lowercase().contains("authorization: bearer hush\r\n") && asked.ends_with("\r\n\r\ninput"),
        "{asked}"
    );
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let (url, _asked) = serve(answer("503 Service Unavailable", "no")).await;
    let order = order(&url);
    let result = get(&order).await.unwrap();
    assert_eq!((&result["status"], &result["body"], &result["json"]), (&json!(503), &json!("no"), &Value::Null));
    let failure = failure(&order, &result).unwrap();
    assert!(failure.contains("answered 503 Service Unavailable"), "{failure}");
}

#[tokio::test]
async fn redirects_are_followed_only_when_asked_for() {
    let (target, _asked) = serve(answer("200 OK", "there")).await;
    let (url, _asked) = serve(answer(&format!("302 Found\r\nLocation: {target}/"), "")).await;
    let mut order = order(&url);
    let result = get(&order).await.unwrap();
    assert_eq!(result["status"], 302);
    assert!(failure(&order, &result).unwrap().contains("followRedirects"));
    order.follow_redirects = true;
    assert_eq!(get(&order).await.unwrap()["body"], "there");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let round = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (endless, _asked) = serve(answer("302 Found\r\nLocation: /again", "")).await;
    order.url = endless;
    let error = get(&order).await.unwrap_err();
    assert!(error.contains("too many redirects"), "{error}");
    order.url = round;
    let error = get(&order).await.unwrap_err();
    assert!(error.contains("connection refused"), "{error}");
}

#[tokio::test]
async fn a_long_body_is_kept_in_part() {
    let (url, _asked) = serve(answer("200 OK", &"1".repeat(HEAD + 100))).await;
    let result = get(&order(&url)).await.unwrap();
    assert_eq!(result["body"].as_str().unwrap().len(), HEAD);
    assert_eq!(result["json"], Value::Null);
}

#[tokio::test]
async fn what_goes_wrong_is_said_without_secrets() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut bad = order(&format!("http://user:hush@{closed}/x"));
    bad.headers.insert("Authorization".into(), "hush".into());
    bad.body = Some("hush".into());
    let error = get(&bad).await.unwrap_err();
    assert!(
        error.contains("connection refused") && error.contains(&closed.to_string()) && !error.contains("hush"),
        "{error}"
    );

    bad.headers.insert("X".into(), "hush\n".into());
    let error = get(&bad).await.unwrap_err();
    assert!(error.contains("`X`") && !error.contains("hush"), "{error}");

    let error = get(&order("http://name.invalid/")).await.unwrap_err();
    assert!(error.contains("cannot be resolved"), "{error}");
    let error = get(&order("ftp://example.org/")).await.unwrap_err();
    assert!(error.contains("only http://"), "{error}");
    let error = get(&order("http://user:hush@exa mple/")).await.unwrap_err();
    assert!(error.contains("no address") && !error.contains("hush"), "{error}");
    let (url, _asked) = serve("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    let error = get(&order(&url)).await.unwrap_err();
    assert!(error.contains("broke off after 4 bytes"), "{error}");
}

#[tokio::test]
async fn the_time_is_for_all_of_it() {
    // It listens, and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let order = order(&format!("http://{}", listener.local_addr().unwrap()));
    let error = send(&order, Path::new("/"), &Clients::default(), Duration::from_millis(50)).await.unwrap_err();
    assert!(error.contains("timed out after 50ms") && error.contains("begin"), "{error}");
}

#[tokio::test]
async fn certificates_are_verified_unless_that_is_waived() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    drop(stream.read(&mut [0; 4096]).await);
                    drop(stream.write_all(answer("200 OK", "safe").as_bytes()).await);
                    drop(stream.shutdown().await);
                }
            });
        }
    });
    let mut order = order(&format!("https://localhost:{port}/"));
    let error = get(&order).await.unwrap_err();
    assert!(error.contains("certificate is not accepted"), "{error}");
    order.insecure = true;
    assert_eq!(get(&order).await.unwrap()["body"], "safe");
    order.insecure = false;
    let mut roots = tempfile::NamedTempFile::new().unwrap();
    roots.write_all(made.cert.pem().as_bytes()).unwrap();
    order.ca_file = Some(roots.path().file_name().unwrap().to_str().unwrap().to_owned());
    let directory = roots.path().parent().unwrap();
    assert_eq!(send(&order, directory, &Clients::default(), LONG).await.unwrap()["body"], "safe");
    order.ca_file = Some("no-such.pem".into());
    let error = send(&order, directory, &Clients::default(), LONG).await.unwrap_err();
    assert!(error.contains("no-such.pem"), "{error}");
}
