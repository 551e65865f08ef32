//! Every cluster, all of them at once.
//!
//! Duty: to reach each, to have everything in it looked at, and to say so once when it does not answer.

use futures_util::future::join_all;
use jiff::Timestamp;
use lifeboat_core::{
    action::kube::ClusterRef,
    evidence::event::{ClusterMet, Finding, Severity},
    kube::words,
    machine::needs::Applied,
};

use super::{
    Look, access, admission, dry_run, manifests, served,
    site::{Lost, Site},
    skew, storage, velero,
};
use crate::cluster::{Clusters, MEETING, Unreachable};

/// Looks at all clusters and at what the plan will do there.
pub(super) async fn look(look: &Look) -> Vec<Finding> {
    let (applied, mut findings) = manifests::read(&look.needs, &look.directory).await;
    let all = join_all(look.refs.iter().map(|cluster| one(look, cluster, &applied))).await;
    let mut met = Vec::new();
    for (cluster, found) in all {
        met.extend(cluster);
        findings.extend(found);
    }
    findings.extend(skew::look(&met));
    findings
}

/// One cluster: who it is, and everything that was found.
async fn one(look: &Look, cluster: &ClusterRef, applied: &[Option<Applied<'_>>]) -> (Option<ClusterMet>, Vec<Finding>) {
    let name = cluster.name.as_str();
    let reached = match tokio::time::timeout(MEETING, look.clusters.get(cluster, None)).await {
        Ok(Ok(reached)) => reached,
        Ok(Err(why)) => return (None, vec![unusable(name, &why)]),
        Err(_) => return (None, vec![silent(&look.clusters, name)]),
    };
    let met = reached.met.clone();
    let found = format!("{} at {}, UID {}", met.version, met.server, met.uid);
    let mut findings = vec![Finding::met("an answer of its API", found).of(name)];
    let site = match Site::new(name, reached.ask(None), &look.needs, applied, Timestamp::now()).await {
        Ok(Ok(site)) => site,
        Ok(Err(error)) => {
            let help = "see that its API server and the APIs that are aggregated to it are well";
            findings.push(Finding::missing("the kinds that it serves", error.message, help).of(name));
            return (Some(met), findings);
        }
        Err(Lost) => return (None, vec![silent(&look.clusters, name)]),
    };
    let (served, access, dry_run, velero, storage, admission) = tokio::join!(
        served::look(&site),
        access::look(&site),
        dry_run::look(&site),
        velero::look(&site),
        storage::look(&site),
        admission::look(&site),
    );
    let mut lost = false;
    for found in [served, access, dry_run, velero, storage, admission] {
        match found {
            Ok(found) => findings.extend(found.into_iter().map(|finding| finding.of(name))),
            Err(Lost) => lost = true,
        }
    }
    if lost {
        let mut finding = silent(&look.clusters, name);
        finding.found = format!("it stopped answering while it was looked at: {}", finding.found);
        findings.push(finding);
    }
    let unseen = site.unseen();
    if !unseen.is_empty() {
        let found = format!("it could not list {}", words::list(&unseen, 6));
        let help = "what depends on these was not looked at; allow the engine to list them, or look yourself";
        let finding = Finding::missing("a look at everything that matters here", found, help);
        findings.push(finding.severity(Severity::Warning).of(name));
    }
    reached.tell_requests();
    (Some(met), findings)
}

/// It cannot be used, and trying again does not help.
fn unusable(name: &str, why: &Unreachable) -> Finding {
    let (why, help) = match why {
        Unreachable::Failed(why) => {
            (why, format!("correct `clusters.{name}` in the runbook, its inputs, or the kubeconfig"))
        }
        Unreachable::Another(why) => {
            (why, "look at the context in the kubeconfig: it leads to another cluster".to_owned())
        }
    };
    // That it is about this cluster is said by the finding.
    let why = why.strip_prefix(&format!("cluster `{name}`: ")).unwrap_or(why);
    Finding::missing("an answer of its API", why, help).of(name)
}

/// It does not answer.
fn silent(clusters: &Clusters, name: &str) -> Finding {
    let why = clusters.trouble(name).map(|why| format!("; the last try: {}", words::quote(&why))).unwrap_or_default();
    let found = format!("no answer within {} s{why}", MEETING.as_secs());
    let help = "see that its API can be reached from this machine: VPN, firewall, address and proxy in the kubeconfig; \
                nothing else was looked at in it";
    Finding::missing("an answer of its API", found, help).of(name)
}
