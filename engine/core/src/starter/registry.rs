//! Every starter, one line each.
//!
//! Duty: the list. The test over it says what must be true of each.

use super::Starter;
use crate::model::{
    Disaster,
    Scope::{self, Application, Cluster, Journey, Namespace, Pod, Provider, Region},
};

const fn starter(disaster: Disaster, scopes: &'static [Scope], about: &'static str, text: &'static str) -> Starter {
    Starter { disaster, scopes, about, text }
}

/// All of them, in the order of the disasters; for each disaster the usual scope first.
#[rustfmt::skip]
pub const STARTERS: &[Starter] = &[
    starter(Disaster::WorkloadFailure, &[Application], "takes a Deployment back to the image that worked", include_str!("workload-failure-application.yaml")),
    starter(Disaster::WorkloadFailure, &[Pod], "replaces a pod that hangs, off a bad node", include_str!("workload-failure-pod.yaml")),
    starter(Disaster::NamespaceCorruption, &[Namespace], "restores a namespace by Velero; in a drill, a copy beside it", include_str!("namespace-corruption.yaml")),
    starter(Disaster::PvcCorruption, &[Application], "puts a volume from a CSI snapshot in place of a damaged one", include_str!("pvc-corruption.yaml")),
    starter(Disaster::ClusterFailure, &[Cluster], "rebuilds by Flux and Velero in another cluster, and moves users", include_str!("cluster-failure.yaml")),
    starter(Disaster::RegionFailure, &[Region], "fails over to a warm standby: fence, promote, start, shift", include_str!("region-failure.yaml")),
    starter(Disaster::RegionFailure, &[Journey], "fails over a journey across systems, each with its own store", include_str!("region-failure-journey.yaml")),
    starter(Disaster::AccountFailure, &[Provider], "restores copied backups in another account, with new secrets", include_str!("account-failure.yaml")),
    starter(Disaster::SupplyChain, &[Application, Cluster], "blocks a malicious image and rolls out trusted ones by Flux", include_str!("supply-chain.yaml")),
    starter(Disaster::SecretCompromise, &[Application, Namespace], "replaces a credential by External Secrets, and revokes it", include_str!("secret-compromise.yaml")),
    starter(Disaster::DataCorruption, &[Application], "recovers a CloudNativePG database to a point in time, beside", include_str!("data-corruption.yaml")),
    starter(Disaster::DependencyOutage, &[Application, Provider], "switches to a degraded mode, waits, and switches back", include_str!("dependency-outage.yaml")),
];
