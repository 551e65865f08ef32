//! What checks look at.

use super::{By, Need, Place, What, acts::To, known, place};
use crate::{action::kube::Texts, model::Check};

/// What a check needs. Its cluster has the name that it has in its own runbook.
pub(super) fn of(texts: &dyn Texts, check: &Check, by: &By) -> Vec<Need> {
    let mut needs = Vec::new();
    if let Some(kube) = &check.kube
        && let Some(kind) = known(texts, Some(&kube.kind))
    {
        let to = To {
            cluster: &kube.cluster,
            what: What::Kind { kind, api_version: known(texts, kube.api_version.as_ref()) },
            place: place(texts, kube.namespace.as_ref()),
            name: known(texts, kube.name.as_ref()),
            single: kube.name.is_some(),
            by,
        };
        let found = if to.single {
            [to.need(&["get"]), to.would(&["list", "watch"])]
        } else {
            [to.need(&["list"]), to.would(&["watch"])]
        };
        // What is not served has no objects, which is what `absent` asks.
        needs.extend(found.map(|need| Need { may_be_absent: kube.absent, ..need }));
    }
    if let Some(can_i) = &check.can_i {
        // Everybody may ask about himself; asking about others is a right of its own.
        if can_i.service_account.is_some() || can_i.user.is_some() {
            let what = What::Resource {
                group: "authorization.k8s.io".to_owned(),
                resource: "subjectaccessreviews".to_owned(),
            };
            let to = To { cluster: &can_i.cluster, what, place: Place::All, name: None, single: false, by };
            needs.push(to.need(&["create"]));
        }
    }
    needs
}
