//! `dns`: what resolvers answer.
//!
//! Duty: each resolver is asked by itself, past caches, hosts file and search domains of this machine.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use hickory_resolver::{
    Resolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
};
use lifeboat_core::check::dns::{Order, RecordType as Wanted};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

/// How often a resolver is asked when it does not answer: datagrams get lost.
const TRIES: usize = 3;

/// What one resolver said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    answers: Vec<String>,
    ttl: u32,
    /// `NOERROR`, `NXDOMAIN`, …; empty without an answer.
    code: String,
    error: String,
}

impl Answer {
    fn nothing(code: ResponseCode) -> Self {
        Self { answers: Vec::new(), ttl: 0, code: code_name(code), error: String::new() }
    }

    fn failed(error: String) -> Self {
        Self { answers: Vec::new(), ttl: 0, code: String::new(), error }
    }
}

pub(super) async fn observe(order: &Order, timeout: Duration) -> Result<Value, String> {
    let began = Instant::now();
    let mut name =
        Name::from_utf8(&order.name).map_err(|error| format!("`{}` is not a DNS name: {error}", order.name))?;
    name.set_fqdn(true);
    let resolvers = if order.resolvers.is_empty() {
        system()?
    } else {
        order.resolvers.iter().map(|text| Ok((text.clone(), address(text)?))).collect::<Result<_, String>>()?
    };

    let mut asked = JoinSet::new();
    for (nth, (_, resolver)) in resolvers.iter().enumerate() {
        let (name, record, resolver) = (name.clone(), record_type(order.record), *resolver);
        asked.spawn(async move { (nth, ask(name, record, resolver, timeout).await) });
    }
    let mut answers: Vec<Option<Answer>> = vec![None; resolvers.len()];
    while let Some(answer) = asked.join_next().await {
        if let Ok((nth, answer)) = answer
            && let Some(place) = answers.get_mut(nth)
        {
            *place = Some(answer);
        }
    }
    let answers: Vec<(String, Answer)> = resolvers
        .into_iter()
        .zip(answers)
        .map(|((resolver, _), answer)| {
            (resolver, answer.unwrap_or_else(|| Answer::failed("the engine is shutting down".to_owned())))
        })
        .collect();
    Ok(describe(&answers, began))
}

fn describe(answers: &[(String, Answer)], began: Instant) -> Value {
    let first = answers.first().map(|(_, answer)| answer);
    let agreed = first.is_some_and(|first| {
        answers
            .iter()
            .all(|(_, other)| other.error.is_empty() && (&other.code, &other.answers) == (&first.code, &first.answers))
    });
    let each: Map<String, Value> = answers
        .iter()
        .map(|(resolver, answer)| {
            let Answer { answers, ttl, code, error } = answer;
            (resolver.clone(), json!({"answers": answers, "ttl": ttl, "code": code, "error": error}))
        })
        .collect();
    let ttl = answers.iter().filter(|(_, answer)| !answer.answers.is_empty()).map(|(_, answer)| answer.ttl).min();
    json!({
        "answers": first.map(|first| first.answers.clone()).unwrap_or_default(),
        "agreed": agreed,
        "ttl": ttl.unwrap_or_default(),
        "resolvers": each,
        "durationMs": super::milliseconds(began),
    })
}

async fn ask(name: Name, record: RecordType, resolver: SocketAddr, timeout: Duration) -> Answer {
    let mut options = ResolverOpts::default();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.attempts = TRIES - 1;
    options.timeout =
        (timeout / u32::try_from(TRIES).unwrap_or(1)).clamp(Duration::from_millis(50), Duration::from_secs(5));
    options.try_tcp_on_error = true;
    // What the resolver said, not what a cache would make of it.
    options.positive_max_ttl = Some(Duration::from_secs(u64::from(u32::MAX)));

    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = resolver.port();
        connection
    });
    let server = NameServerConfig::new(resolver.ip(), true, connections.into());
    let config = ResolverConfig::from_name_servers(vec![server]);
    let client = Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options).build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return Answer::failed(error.to_string()),
    };
    match tokio::time::timeout(timeout, client.lookup(name, record)).await {
        Ok(Ok(lookup)) => {
            // A CNAME on the way is not what was asked for.
            let found = lookup.answers().iter().filter(|found| found.record_type() == record);
            let ttl = found.clone().map(|found| found.ttl).min().unwrap_or_default();
            let mut answers: Vec<String> = found.map(|found| text(&found.data)).collect();
            answers.sort();
            answers.dedup();
            Answer { answers, ttl, code: code_name(ResponseCode::NoError), error: String::new() }
        }
        Ok(Err(error)) => failed(&error),
        Err(_) => Answer::failed(format!("no answer within {timeout:?}")),
    }
}

fn failed(error: &NetError) -> Answer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => Answer::nothing(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => {
            Answer { error: format!("it refused to answer: {code}"), ..Answer::nothing(*code) }
        }
        NetError::Timeout => Answer::failed("it does not answer".to_owned()),
        error => Answer::failed(error.to_string()),
    }
}

/// As master files write it; names without the last dot.
fn text(data: &RData) -> String {
    let plain = |name: &Name| name.to_utf8().trim_end_matches('.').to_owned();
    match data {
        RData::CNAME(name) => plain(name),
        RData::NS(name) => plain(name),
        RData::MX(mx) => format!("{} {}", mx.preference, plain(&mx.exchange)),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, plain(&srv.target)),
        // The parts of a long text belong together; they are cut at 255 bytes only for the wire.
        RData::TXT(txt) => txt.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect(),
        RData::SOA(soa) => format!(
            "{} {} {} {} {} {} {}",
            plain(&soa.mname),
            plain(&soa.rname),
            soa.serial,
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum
        ),
        other => other.to_string(),
    }
}

/// As everybody else calls it.
fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::NotAuth => "NOTAUTH",
        ResponseCode::NotZone => "NOTZONE",
        other => return format!("RCODE{}", u16::from(other)),
    }
    .to_owned()
}

/// `ip` or `ip:port`; an IPv6 address with a port in brackets.
fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, 53));
    }
    text.parse().map_err(|_| format!("resolver `{text}` is neither an address nor `address:port`"))
}

fn system() -> Result<Vec<(String, SocketAddr)>, String> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| format!("this system's resolvers are not known: {error}"))?;
    Ok(config.name_servers().iter().map(|server| (server.ip.to_string(), SocketAddr::new(server.ip, 53))).collect())
}

const fn record_type(wanted: Wanted) -> RecordType {
    match wanted {
        Wanted::A => RecordType::A,
        Wanted::Aaaa => RecordType::AAAA,
        Wanted::Cname => RecordType::CNAME,
        Wanted::Txt => RecordType::TXT,
        Wanted::Mx => RecordType::MX,
        Wanted::Ns => RecordType::NS,
        Wanted::Srv => RecordType::SRV,
        Wanted::Soa => RecordType::SOA,
        Wanted::Caa => RecordType::CAA,
    }
}
