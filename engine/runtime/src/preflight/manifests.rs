//! What `apply` will apply, read once for all that look at it.

use std::path::Path;

use lifeboat_core::{
    evidence::event::{Finding, Severity},
    machine::needs::{Applied, Makes, Needs},
};

use super::site::users;
use crate::manifests;

/// The objects of all manifests, in their order; and what cannot be read.
pub(super) async fn read<'a>(needs: &'a Needs, directory: &Path) -> (Vec<Option<Applied<'a>>>, Vec<Finding>) {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for wanted in &needs.manifests {
        match manifests::read(directory, wanted.manifest.as_deref(), &wanted.files).await {
            Ok(objects) => all.push(Some(Applied { manifests: wanted, objects })),
            // A part of it is not known yet: it is read when it is.
            Err(_) if !wanted.complete => all.push(None),
            Err(why) => {
                all.push(None);
                let requirement = format!("manifests{}", users([&wanted.by]));
                let finding = Finding::missing(requirement, why, "correct `files` or `manifest` in the runbook");
                // A program before it may write the file.
                let written = |cluster: &str| {
                    needs
                        .before(wanted.by.when, cluster)
                        .any(|maker| maker.makes == Makes::Anything && maker.cluster.is_none())
                };
                let severity = if written(&wanted.cluster) { Severity::Warning } else { Severity::Error };
                findings.push(finding.severity(severity));
            }
        }
    }
    (all, findings)
}
