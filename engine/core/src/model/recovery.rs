//! The recovery invariant: what is restored, how far back, how fast, and what a passing run proves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{duration::Duration, source::Spanned};

/// The recovery invariant: given a total loss of *scope*, *capability* is back within the objectives.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recovery {
    /// The business capability that is restored, in the words of those who need it.
    pub capability: String,
    /// How much is lost.
    pub scope: Scope,
    /// What kind of disaster this runbook is for.
    pub disaster: Disaster,
    /// How much data may be lost and how long it may take.
    pub objectives: Spanned<Objectives>,
    /// The validation level that a passing run proves.
    pub level: Level,
    /// How often this runbook must be drilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill_every: Option<Duration>,
}

/// Recovery objectives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Objectives {
    /// Recovery point objective: how much data, as time before the outage, may be lost.
    pub rpo: Duration,
    /// Recovery time objective: how long after the outage the capability must be back.
    pub rto: Duration,
    /// Maximum tolerable downtime; longer than `rto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtd: Option<Duration>,
}

/// How much is lost and restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One pod.
    Pod,
    /// One namespace.
    Namespace,
    /// One application.
    Application,
    /// One cluster.
    Cluster,
    /// One region.
    Region,
    /// One provider.
    Provider,
    /// One business journey across systems.
    Journey,
}

impl Scope {
    /// All, the smallest first.
    pub const ALL: [Self; 7] =
        [Self::Pod, Self::Namespace, Self::Application, Self::Cluster, Self::Region, Self::Provider, Self::Journey];

    /// The name as written in a runbook.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Namespace => "namespace",
            Self::Application => "application",
            Self::Cluster => "cluster",
            Self::Region => "region",
            Self::Provider => "provider",
            Self::Journey => "journey",
        }
    }
}

/// The class of disaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Disaster {
    /// A workload fails.
    WorkloadFailure,
    /// A namespace is deleted or damaged.
    NamespaceCorruption,
    /// A volume is damaged.
    PvcCorruption,
    /// A cluster is lost.
    ClusterFailure,
    /// A region is lost.
    RegionFailure,
    /// An account or subscription is lost.
    AccountFailure,
    /// A dependency of the build or an image is malicious.
    SupplyChain,
    /// A secret is known to others.
    SecretCompromise,
    /// Data is wrong.
    DataCorruption,
    /// Something outside is down.
    DependencyOutage,
}

impl Disaster {
    /// All, in the order of the language.
    pub const ALL: [Self; 10] = [
        Self::WorkloadFailure,
        Self::NamespaceCorruption,
        Self::PvcCorruption,
        Self::ClusterFailure,
        Self::RegionFailure,
        Self::AccountFailure,
        Self::SupplyChain,
        Self::SecretCompromise,
        Self::DataCorruption,
        Self::DependencyOutage,
    ];

    /// The name as written in a runbook.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WorkloadFailure => "workload-failure",
            Self::NamespaceCorruption => "namespace-corruption",
            Self::PvcCorruption => "pvc-corruption",
            Self::ClusterFailure => "cluster-failure",
            Self::RegionFailure => "region-failure",
            Self::AccountFailure => "account-failure",
            Self::SupplyChain => "supply-chain",
            Self::SecretCompromise => "secret-compromise",
            Self::DataCorruption => "data-corruption",
            Self::DependencyOutage => "dependency-outage",
        }
    }
}

/// What a passing run proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Level {
    /// A backup job succeeded.
    L0,
    /// A backup object exists.
    L1,
    /// Restored into an empty namespace.
    L2,
    /// Restored into a clean cluster.
    L3,
    /// Clean cluster, and the business journey works.
    L4,
    /// Regional failover with traffic shifted.
    L5,
}

/// The phases of a recovery, in restore order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Networks, clusters, machines.
    Provision,
    /// What everything else needs: controllers, CRDs, `GitOps`.
    Bootstrap,
    /// Who may do what: cloud and workload identities.
    Identity,
    /// Secrets and keys.
    Secrets,
    /// Databases, volumes, objects.
    Data,
    /// The applications.
    Workloads,
    /// Proof that the capability works.
    Validate,
    /// Users are sent to it.
    ShiftTraffic,
}

impl Phase {
    /// All, in restore order.
    pub const ALL: [Self; 8] = [
        Self::Provision,
        Self::Bootstrap,
        Self::Identity,
        Self::Secrets,
        Self::Data,
        Self::Workloads,
        Self::Validate,
        Self::ShiftTraffic,
    ];

    /// The name as written in a runbook.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Bootstrap => "bootstrap",
            Self::Identity => "identity",
            Self::Secrets => "secrets",
            Self::Data => "data",
            Self::Workloads => "workloads",
            Self::Validate => "validate",
            Self::ShiftTraffic => "shift-traffic",
        }
    }
}
