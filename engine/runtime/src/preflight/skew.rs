//! Clusters against one another, and against what this engine was tried with.

use lifeboat_core::{
    evidence::event::{ClusterMet, Finding, Severity},
    kube::skew::{Version, skew},
};

/// The oldest minor version of Kubernetes 1 that has all that is used: aggregated discovery and the review of oneself.
const OLDEST: u32 = 30;
/// From so many minor versions on it is worth a thought.
const FAR: i64 = 2;

/// What is odd about the clusters that were reached.
pub(super) fn look(met: &[ClusterMet]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in met {
        let Some(version) = Version::parse(&one.version) else { continue };
        if (version.major, version.minor) < (1, OLDEST) {
            let requirement = format!("Kubernetes 1.{OLDEST} or newer");
            let help = "it may work; rehearse it there before you need it";
            let finding = Finding::missing(requirement, version.to_string(), help);
            findings.push(finding.severity(Severity::Warning).of(&one.cluster));
        }
    }
    findings.extend(twice(met));
    findings.extend(apart(met));
    findings
}

/// Two names of one runbook for one cluster: one of them was meant to be another.
fn twice(met: &[ClusterMet]) -> Vec<Finding> {
    let room = |name: &str| name.rsplit_once('/').map_or("", |(room, _)| room).to_owned();
    let mut findings = Vec::new();
    for (at, one) in met.iter().enumerate() {
        let Some(other) = met[..at].iter().find(|it| same(it, one) && room(&it.cluster) == room(&one.cluster)) else {
            continue;
        };
        let requirement = format!("a cluster other than `{}`", other.cluster);
        let found = format!("the same one: {}, UID {}", one.server, one.uid);
        let help = "look at the contexts under `clusters`: what is meant for one would be done to the other";
        findings.push(Finding::missing(requirement, found, help).severity(Severity::Warning).of(&one.cluster));
    }
    findings
}

/// Where one of them may not tell its UID, their addresses have to do.
fn same(one: &ClusterMet, other: &ClusterMet) -> bool {
    let unknown = one.uid.starts_with('[') || other.uid.starts_with('[');
    one.uid == other.uid || (unknown && one.server == other.server)
}

/// The newest against the oldest.
fn apart(met: &[ClusterMet]) -> Option<Finding> {
    let mut versions: Vec<(&str, Version)> =
        met.iter().filter_map(|one| Some((one.cluster.as_str(), Version::parse(&one.version)?))).collect();
    versions.sort_by_key(|(name, version)| (version.major, version.minor, version.patch, (*name).to_owned()));
    let (oldest, newest) = (versions.first()?, versions.last()?);
    if versions.len() < 2 {
        return None;
    }
    let skew = skew((newest.0, &newest.1), (oldest.0, &oldest.1));
    let requirement = format!("clusters less than {FAR} minor versions apart");
    if skew.minors.abs() < FAR {
        return Some(Finding::met(requirement, skew.message));
    }
    let help = "see that what goes from one to the other is known there; bring them closer together";
    Some(Finding::missing(requirement, skew.message, help).severity(Severity::Warning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(cluster: &str, version: &str, uid: &str) -> ClusterMet {
        ClusterMet {
            cluster: cluster.to_owned(),
            context: None,
            server: "https://a".to_owned(),
            uid: uid.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn oddities_are_warnings() {
        let told = |met: &[ClusterMet]| -> Vec<(bool, String)> {
            look(met).into_iter().map(|it| (it.passed || it.severity != Severity::Warning, it.title())).collect()
        };
        assert_eq!(told(&[met("a", "v1.36.1", "1")]), []);
        assert_eq!(
            told(&[met("a", "v1.36.1", "1"), met("b", "v1.35.0", "2")]),
            [(true, "clusters less than 2 minor versions apart".to_owned())]
        );
        assert_eq!(
            told(&[met("a", "v1.36.1", "1"), met("b", "v1.29.0", "2")]),
            [
                (false, "b: Kubernetes 1.30 or newer".to_owned()),
                (false, "clusters less than 2 minor versions apart".to_owned())
            ]
        );
        assert_eq!(
            told(&[
                met("primary", "v1.36.1", "1"),
                met("recovery", "v1.36.1", "1"),
                met("db/recovery", "v1.36.1", "1")
            ])[0],
            (false, "recovery: a cluster other than `primary`".to_owned())
        );
        assert_eq!(look(&[met("a", "unknown", "1"), met("b", "unknown", "2")]), []);
    }
}
