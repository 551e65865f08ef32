//! Real sockets on 127.0.0.1.

use std::{net::Ipv4Addr, sync::Arc, time::SystemTime};

use hickory_resolver::proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{Name, RData, Record, rdata},
};
use lifeboat_core::{
    action::{Field, HttpOrder, ProcessOrder},
    check::{self, dns::RecordType},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

use super::*;
use crate::process::ByteFilter;

struct Clear;

impl ByteFilter for Clear {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

fn context() -> Context {
    Context {
        directory: std::env::temp_dir(),
        environment: [("PATH".to_owned(), std::env::var("PATH").unwrap())].into(),
        timeout: Duration::from_secs(10),
        grace: Duration::from_millis(100),
        filter: Arc::new(|| Box::new(Clear)),
        clients: Clients::default(),
        clusters: Clusters::new(tokio::sync::mpsc::unbounded_channel().0, std::env::temp_dir()),
        step: None,
    }
}

fn hasty() -> Context {
    Context { timeout: Duration::from_millis(200), ..context() }
}

fn assert_fields(result: &Value, wanted: &[Field]) {
    let fields: Vec<&str> = result.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, wanted.iter().map(|field| field.name).collect::<Vec<_>>());
}

fn closed() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn what_is_not_for_the_runtime_is_refused() {
    assert!(observe(&Order::Expr, &context()).await.unwrap_err().contains("expr"));
    assert!(observe(&Order::Ask { question: "?".into() }, &context()).await.unwrap_err().contains("ask"));
}

// --- process ---

fn process(script: &str) -> Order {
    Order::Process(ProcessOrder {
        argv: ["bash", "-c", script].map(str::to_owned).into(),
        env: [("OWN".to_owned(), "value".to_owned())].into(),
        cwd: Some("/".into()),
        stdin: None,
    })
}

#[tokio::test]
async fn a_process_that_fails_is_an_observation() {
    let result = observe(&process("echo $OWN in $PWD; exit 4"), &context()).await.unwrap();
    assert_fields(&result, check::exec::FACTS.result);
    assert_eq!((&result["exitCode"], &result["stdout"]), (&4.into(), &"value in /\n".into()));
}

#[tokio::test]
async fn a_process_that_takes_too_long_is_stopped() {
    let began = Instant::now();
    let error = observe(&process("echo waiting; sleep 1000"), &hasty()).await.unwrap_err();
    assert!(error.contains("longer than 200ms") && error.contains("waiting"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

// --- http ---

#[tokio::test]
async fn http_is_the_same_as_the_action() {
    let order = HttpOrder {
        method: "GET".into(),
        url: format!("http://{}/", closed()),
        headers: [].into(),
        body: None,
        follow_redirects: false,
        insecure: false,
        ca_file: None,
    };
    let error = observe(&Order::Http(order), &context()).await.unwrap_err();
    assert!(error.contains("refused"), "{error}");
}

// --- tcp ---

#[tokio::test]
async fn a_port_is_open_or_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let result = observe(&Order::Tcp { address }, &context()).await.unwrap();
    assert_fields(&result, check::tcp::FACTS.result);
    assert_eq!((&result["connected"], &result["error"]), (&true.into(), &"".into()));

    // `localhost` may have several addresses; only one of them has somebody who listens.
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    assert_eq!(observe(&Order::Tcp { address }, &context()).await.unwrap()["connected"], true);

    for (address, why) in [
        (closed(), "refused"),
        ("name.invalid:80".into(), "resolved"),
        ("no-port".into(), "host:port"),
        (String::new(), "host:port"),
    ] {
        let result = observe(&Order::Tcp { address }, &context()).await.unwrap();
        assert_eq!(result["connected"], false);
        assert!(result["error"].as_str().unwrap().contains(why), "{result}");
    }
}

// --- tls ---

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Test Root");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate.pem()).unwrap();
    Authority { issuer: Issuer::new(params, key), file }
}

/// A TLS server with a certificate for `case.example` that ends in so many days.
async fn tls_server(authority: &Authority, days: i64) -> String {
    let mut params = CertificateParams::new(["case.example".to_owned(), "127.0.0.9".to_owned()]).unwrap();
    let now = SystemTime::now();
    params.not_before = (now - Duration::from_secs(40 * 86_400)).into();
    let ends = Duration::from_secs(days.unsigned_abs() * 86_400 + 3600);
    params.not_after = if days < 0 { now - ends } else { now + ends }.into();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
    address
}

fn tls(address: &str, name: &str, roots: Option<&Authority>) -> Order {
    Order::Tls(check::tls::Order {
        address: address.to_owned(),
        server_name: name.to_owned(),
        ca_file: roots.map(|authority| authority.file.path().to_str().unwrap().to_owned()),
        min_days_left: 14,
    })
}

#[tokio::test]
async fn a_good_certificate_is_good() {
    let authority = authority();
    let address = tls_server(&authority, 30).await;
    for name in ["case.example", "case.example.", "127.0.0.9"] {
        let result = observe(&tls(&address, name, Some(&authority)), &context()).await.unwrap();
        assert_fields(&result, check::tls::FACTS.result);
        assert_eq!(result["connected"], true, "{result}");
        assert_eq!((&result["trusted"], &result["nameMatches"]), (&true.into(), &true.into()), "{result}");
        assert_eq!((&result["daysLeft"], &result["minDaysLeft"]), (&30.into(), &14.into()));
        assert_eq!(result["names"], serde_json::json!(["case.example", "127.0.0.9"]));
        assert_eq!((&result["issuer"], &result["error"]), (&"CN=Test Root".into(), &"".into()));
        let ends: jiff::Timestamp = result["notAfter"].as_str().unwrap().parse().unwrap();
        assert!(ends > jiff::Timestamp::now());
    }
}

#[tokio::test]
async fn a_bad_certificate_is_described() {
    let (right, wrong) = (authority(), authority());
    let address = tls_server(&right, 30).await;
    let result = observe(&tls(&address, "other.example", Some(&right)), &context()).await.unwrap();
    assert_eq!((&result["trusted"], &result["nameMatches"]), (&true.into(), &false.into()), "{result}");
    assert!(result["error"].as_str().unwrap().contains("other.example"), "{result}");

    for roots in [Some(&wrong), None] {
        let result = observe(&tls(&address, "case.example", roots), &context()).await.unwrap();
        assert_eq!((&result["trusted"], &result["nameMatches"]), (&false.into(), &true.into()), "{result}");
        assert!(result["error"].as_str().unwrap().contains("issuer is not trusted"), "{result}");
        assert_eq!(result["daysLeft"], 30);
    }

    let address = tls_server(&right, -3).await;
    let result = observe(&tls(&address, "case.example", Some(&right)), &context()).await.unwrap();
    assert_eq!((&result["connected"], &result["trusted"]), (&true.into(), &false.into()), "{result}");
    assert_eq!((&result["nameMatches"], &result["daysLeft"]), (&true.into(), &(-4).into()), "{result}");
    assert!(result["error"].as_str().unwrap().contains("expired"), "{result}");
}

#[tokio::test]
async fn no_handshake_is_data_and_bad_roots_are_an_error() {
    let authority = authority();
    let result = observe(&tls(&closed(), "case.example", Some(&authority)), &context()).await.unwrap();
    assert_eq!(
        (&result["connected"], &result["trusted"], &result["names"]),
        (&false.into(), &false.into(), &Vec::<u8>::new().into())
    );
    assert!(result["error"].as_str().unwrap().contains("refused"), "{result}");

    // It listens, and speaks no TLS at all.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let result = observe(&tls(&address, "case.example", Some(&authority)), &hasty()).await.unwrap();
    assert!(result["error"].as_str().unwrap().contains("timed out"), "{result}");

    std::fs::write(authority.file.path(), "nothing").unwrap();
    let error = observe(&tls(&address, "case.example", Some(&authority)), &context()).await.unwrap_err();
    assert!(error.contains("no certificate in it"), "{error}");
}

// --- dns ---

/// What a server knows: name, what it says; it answers by datagram or, where the answer is said to be long, by stream.
#[derive(Clone)]
struct Zone {
    records: Vec<Record>,
    code: ResponseCode,
    only_stream: bool,
}

impl Zone {
    fn answer(&self, question: &[u8], stream: bool) -> Vec<u8> {
        let question = Message::from_vec(question).unwrap();
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.message_type = MessageType::Response;
        answer.metadata.recursion_available = true;
        answer.metadata.response_code = self.code;
        let query = question.queries[0].clone();
        if self.only_stream && !stream {
            answer.metadata.truncation = true;
        } else {
            let mine = |record: &&Record| record.record_type() == query.query_type() || record.record_type().is_cname();
            answer.add_answers(self.records.iter().filter(mine).cloned());
        }
        answer.add_query(query);
        answer.to_vec().unwrap()
    }
}

async fn dns_server(zone: Zone) -> String {
    let (datagrams, streams) = loop {
        let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        // The same port may be taken for TCP: then another one.
        if let Ok(streams) = TcpListener::bind(datagrams.local_addr().unwrap()).await {
            break (datagrams, streams);
        }
    };
    let address = datagrams.local_addr().unwrap().to_string();
    let other = zone.clone();
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while let Ok((length, from)) = datagrams.recv_from(&mut bytes).await {
            drop(datagrams.send_to(&zone.answer(&bytes[..length], false), from).await);
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = streams.accept().await {
            let zone = other.clone();
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut question = vec![0; length.into()];
                    stream.read_exact(&mut question).await.unwrap();
                    let answer = zone.answer(&question, true);
                    stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    address
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn record(ttl: u32, data: RData) -> Record {
    Record::from_rdata(name("app.example."), ttl, data)
}

fn address(last: u8) -> RData {
    RData::A(Ipv4Addr::new(192, 0, 2, last).into())
}

fn zone(records: Vec<Record>) -> Zone {
    Zone { records, code: ResponseCode::NoError, only_stream: false }
}

fn dns(record: RecordType, resolvers: &[&str]) -> Order {
    let resolvers = resolvers.iter().map(|resolver| (*resolver).to_owned()).collect();
    Order::Dns(check::dns::Order { name: "app.example".into(), record, resolvers })
}

#[tokio::test]
async fn resolvers_that_agree() {
    let one = dns_server(zone(vec![record(300, address(9)), record(200, address(10))])).await;
    let two = dns_server(zone(vec![record(60, address(10)), record(90, address(9))])).await;
    let result = observe(&dns(RecordType::A, &[&one, &two]), &context()).await.unwrap();
    assert_fields(&result, check::dns::FACTS.result);
    assert_eq!(result["answers"], serde_json::json!(["192.0.2.10", "192.0.2.9"]));
    assert_eq!((&result["agreed"], &result["ttl"]), (&true.into(), &60.into()), "{result}");
    let first = &result["resolvers"][&one];
    assert_eq!((&first["ttl"], &first["code"], &first["error"]), (&200.into(), &"NOERROR".into(), &"".into()));
}

#[tokio::test]
async fn resolvers_that_differ() {
    let one = dns_server(zone(vec![record(30, address(1))])).await;
    let two = dns_server(zone(vec![record(30, address(2))])).await;
    let none = dns_server(Zone { code: ResponseCode::NXDomain, ..zone(vec![]) }).await;
    let refuses = dns_server(Zone { code: ResponseCode::Refused, ..zone(vec![]) }).await;
    let result = observe(&dns(RecordType::A, &[&one, &two]), &context()).await.unwrap();
    assert_eq!((&result["agreed"], &result["answers"]), (&false.into(), &serde_json::json!(["192.0.2.1"])), "{result}");
    let result = observe(&dns(RecordType::A, &[&one, &none, &refuses]), &context()).await.unwrap();
    assert_eq!(result["agreed"], false);
    assert_eq!(
        (&result["resolvers"][&none]["code"], &result["resolvers"][&none]["error"]),
        (&"NXDOMAIN".into(), &"".into())
    );
    assert_eq!(result["resolvers"][&refuses]["code"], "REFUSED");
    let result = observe(&dns(RecordType::A, &[&none, &none]), &context()).await.unwrap();
    assert_eq!((&result["agreed"], &result["ttl"]), (&true.into(), &0.into()), "they agree that there is none");
}

#[tokio::test]
async fn a_resolver_that_is_silent_or_not_there() {
    let one = dns_server(zone(vec![record(30, address(1))])).await;
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let began = Instant::now();
    let cx = Context { timeout: Duration::from_millis(600), ..context() };
    let result = observe(&dns(RecordType::A, &[&one, &silent]), &cx).await.unwrap();
    assert_eq!((&result["agreed"], &result["resolvers"][&silent]["code"]), (&false.into(), &"".into()));
    assert_ne!(result["resolvers"][&silent]["error"], "");
    assert_eq!(result["answers"], serde_json::json!(["192.0.2.1"]));
    assert!(began.elapsed() < Duration::from_secs(5));
    let error = observe(&dns(RecordType::A, &["dns.example"]), &context()).await.unwrap_err();
    assert!(error.contains("`dns.example`"), "{error}");
}

#[tokio::test]
async fn long_answers_come_by_stream() {
    let many: Vec<Record> = (0..200).map(|last| record(30, address(last))).collect();
    let server = dns_server(Zone { only_stream: true, ..zone(many) }).await;
    let result = observe(&dns(RecordType::A, &[&server]), &context()).await.unwrap();
    assert_eq!(result["answers"].as_array().unwrap().len(), 200, "{result}");
}

#[tokio::test]
async fn every_type_is_written_as_people_write_it() {
    let target = name("target.example.");
    let server = dns_server(zone(vec![
        record(7, RData::MX(rdata::MX::new(20, target.clone()))),
        record(7, RData::MX(rdata::MX::new(10, name("mail.example.org.")))),
        record(7, RData::TXT(rdata::TXT::new(vec!["v=spf1 ".into(), "-all".into()]))),
        record(7, RData::NS(rdata::NS(target.clone()))),
        record(7, RData::SRV(rdata::SRV::new(1, 2, 443, target.clone()))),
        record(7, RData::AAAA("2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().into())),
    ]))
    .await;
    for (wanted, answers) in [
        (RecordType::Mx, vec!["10 mail.example.org", "20 target.example"]),
        (RecordType::Txt, vec!["v=spf1 -all"]),
        (RecordType::Ns, vec!["target.example"]),
        (RecordType::Srv, vec!["1 2 443 target.example"]),
        (RecordType::Aaaa, vec!["2001:db8::1"]),
        (RecordType::Caa, vec![]),
    ] {
        let result = observe(&dns(wanted, &[&server]), &context()).await.unwrap();
        assert_eq!(result["answers"], serde_json::json!(answers), "{result}");
        assert_eq!(
            (&result["agreed"], &result["resolvers"][&server]["code"]),
            (&true.into(), &"NOERROR".into()),
            "{result}"
        );
    }

    // A name that leads to another one has the other one's addresses.
    let alias = Record::from_rdata(name("app.example."), 5, RData::CNAME(rdata::CNAME(target.clone())));
    let server = dns_server(zone(vec![alias, Record::from_rdata(target, 50, address(4))])).await;
    let result = observe(&dns(RecordType::A, &[&server]), &context()).await.unwrap();
    assert_eq!((&result["answers"], &result["ttl"]), (&serde_json::json!(["192.0.2.4"]), &50.into()), "{result}");
    let result = observe(&dns(RecordType::Cname, &[&server]), &context()).await.unwrap();
    assert_eq!(result["answers"], serde_json::json!(["target.example"]), "{result}");
}
