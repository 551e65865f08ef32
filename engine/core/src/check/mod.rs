//! The checks: what authors write for each, what is asked of the runtime, and what is expected by default.
//!
//! Duty: the specification, one check a file. Doing it lives in the runtime's room of the same name; judging what was
//! observed is the machine's.

use serde::{Deserialize, Serialize};

use crate::{
    action::{Field, HttpOrder, ProcessOrder},
    model,
    source::Spanned,
};

pub mod ask;
pub mod can_i;
pub mod dns;
pub mod exec;
pub mod expr;
pub mod http;
pub mod kube;
pub mod shell;
pub mod tcp;
pub mod tls;

/// The kinds of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A program.
    Exec,
    /// A script.
    Shell,
    /// An HTTP request.
    Http,
    /// A TCP connection.
    Tcp,
    /// A TLS handshake.
    Tls,
    /// DNS answers.
    Dns,
    /// Objects of a cluster.
    Kube,
    /// Rights in a cluster.
    CanI,
    /// Nothing but CEL.
    Expr,
    /// A person's answer.
    Ask,
}

/// What is known about a kind of check.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The key in a runbook.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// How it is written, with what mostly stands beside it: YAML.
    pub example: &'static str,
    /// Names that `expect` sees, each with its type and meaning.
    pub result: &'static [Field],
    /// The CEL that judges the result when the author does not say.
    pub expect: &'static str,
}

impl Kind {
    /// Every kind, in the order of the reference.
    pub const ALL: [Self; 10] = [
        Self::Exec,
        Self::Shell,
        Self::Kube,
        Self::CanI,
        Self::Http,
        Self::Tcp,
        Self::Tls,
        Self::Dns,
        Self::Expr,
        Self::Ask,
    ];

    /// What is known about it.
    #[must_use]
    pub const fn facts(self) -> &'static Facts {
        match self {
            Self::Exec => &exec::FACTS,
            Self::Shell => &shell::FACTS,
            Self::Http => &http::FACTS,
            Self::Tcp => &tcp::FACTS,
            Self::Tls => &tls::FACTS,
            Self::Dns => &dns::FACTS,
            Self::Kube => &kube::FACTS,
            Self::CanI => &can_i::FACTS,
            Self::Expr => &expr::FACTS,
            Self::Ask => &ask::FACTS,
        }
    }
}

/// What the runtime is asked to observe: rendered, with nothing left to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Order {
    /// Run a process.
    Process(ProcessOrder),
    /// Send a request.
    Http(HttpOrder),
    /// Open a TCP connection.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// Make a TLS handshake.
    Tls(tls::Order),
    /// Ask DNS resolvers.
    Dns(dns::Order),
    /// Look at objects of a cluster.
    Kube(Box<kube::Order>),
    /// Ask a cluster for rights.
    CanI(Box<can_i::Order>),
    /// Evaluate only: the runtime is not asked.
    Expr,
    /// Ask a person: the machine asks.
    Ask {
        /// The question.
        question: String,
    },
}

/// All the kinds that a check names.
pub fn present(check: &model::Check) -> impl Iterator<Item = Kind> {
    [
        check.exec.as_ref().map(|_| Kind::Exec),
        check.shell.as_ref().map(|_| Kind::Shell),
        check.http.as_ref().map(|_| Kind::Http),
        check.tcp.as_ref().map(|_| Kind::Tcp),
        check.tls.as_ref().map(|_| Kind::Tls),
        check.dns.as_ref().map(|_| Kind::Dns),
        check.kube.as_ref().map(|_| Kind::Kube),
        check.can_i.as_ref().map(|_| Kind::CanI),
        check.expr.as_ref().map(|_| Kind::Expr),
        check.ask.as_ref().map(|_| Kind::Ask),
    ]
    .into_iter()
    .flatten()
}

/// The clusters that a check names.
pub fn clusters(check: &model::Check) -> impl Iterator<Item = &Spanned<String>> {
    let kube = check.kube.as_ref().map(|check| &check.cluster);
    kube.into_iter().chain(check.can_i.as_ref().map(|check| &check.cluster))
}
