//! The order in which objects are applied.
//!
//! Duty: what must be there before what, by kind. It is what Helm and kustomize do as well, with two differences that
//! matter when a platform comes back: custom resources come after the workloads whose operators look after them, and
//! what can refuse every write (webhooks, admission policies, aggregated APIs) comes last.

use serde_json::Value;

use crate::kube::object;

const DEFINITION: u8 = 0;
const CUSTOM: u8 = 16;

/// The groups that every API server has. What is in another one is a custom resource.
const BUILT_IN: [&str; 17] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
];

fn rank(object: &Value) -> u8 {
    let (group, kind) = (object::group(object), object::kind(object));
    match (group, kind) {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => DEFINITION,
        ("", "Namespace") => 1,
        ("", "ResourceQuota" | "LimitRange") | ("networking.k8s.io", "NetworkPolicy") => 2,
        ("", "ServiceAccount") => 3,
        ("rbac.authorization.k8s.io", "ClusterRole" | "Role") => 4,
        ("rbac.authorization.k8s.io", _) => 5,
        ("storage.k8s.io" | "scheduling.k8s.io" | "node.k8s.io", _)
        | ("networking.k8s.io", "IngressClass")
        | ("snapshot.storage.k8s.io", "VolumeSnapshotClass") => 6,
        ("", "Secret" | "ConfigMap") => 7,
        // A claim made from a snapshot needs it, and the snapshot its content.
        ("snapshot.storage.k8s.io", "VolumeSnapshotContent") => 8,
        ("snapshot.storage.k8s.io", _) => 9,
        ("", "PersistentVolume") => 10,
        ("", "PersistentVolumeClaim") => 11,
        ("", "Service" | "Endpoints") | ("discovery.k8s.io", _) => 12,
        ("apps", _) | ("", "Pod" | "ReplicationController") => 13,
        ("batch" | "autoscaling" | "policy", _) => 14,
        ("networking.k8s.io", "Ingress") => 15,
        ("apiregistration.k8s.io", _) => 17,
        ("admissionregistration.k8s.io", _) => 18,
        (group, _) if !BUILT_IN.contains(&group) => CUSTOM,
        _ => 13,
    }
}

/// Puts objects into the order to apply them in: definitions, namespaces, quotas, accounts and roles, classes,
/// Secrets and `ConfigMap`s, volumes and claims, Services, workloads, Ingresses, custom resources, aggregated APIs and
/// webhooks. Those of one rank stay in the order of the text. To delete them, go backwards.
pub fn order(objects: &mut [Value]) {
    objects.sort_by_key(rank);
}

/// Objects that can be applied one after the other without waiting.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave<'a> {
    /// The objects, in order.
    pub objects: &'a [Value],
    /// The names of the definitions among them that must be established before the next wave begins; empty: go on.
    pub establish: Vec<&'a str>,
}

/// Cuts what [`order`] has ordered after the definitions: objects of a kind that is not established yet are refused.
/// Waves have at least one object each.
#[must_use]
pub fn waves(objects: &[Value]) -> Vec<Wave<'_>> {
    let (definitions, others) = objects.split_at(objects.partition_point(|object| rank(object) == DEFINITION));
    let establish = definitions.iter().map(object::name).collect();
    [Wave { objects: definitions, establish }, Wave { objects: others, establish: Vec::new() }]
        .into_iter()
        .filter(|wave| !wave.objects.is_empty())
        .collect()
}
