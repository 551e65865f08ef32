//! `etcd-no-revision-bump`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule},
};

/// The etcd of a Kubernetes cluster is restored with revisions that its clients have seen already.
///
/// After the restore the revisions begin again where the snapshot was. Controllers and kubelets that were not restarted hold
/// objects with later ones, and take no notice of changes until the old numbers are passed: at two in the morning the cluster
/// answers, and half of it does not see what is done. With `--bump-revision` and `--mark-compacted` every client has to read
/// anew.
///
/// A restore is taken for one of Kubernetes when the runbook speaks of `kube-apiserver` or `/etc/kubernetes`.
///
/// Bad:
///
/// ```yaml
/// shell: etcdutl snapshot restore snapshot.db --data-dir /var/lib/etcd # then kube-apiserver is started
/// ```
///
/// Good:
///
/// ```yaml
/// shell: etcdutl snapshot restore snapshot.db --data-dir /var/lib/etcd --bump-revision 1000000000 --mark-compacted
/// ```
///
/// To fix it, add both flags; a thousand million is about a week of writes.
pub const RULE: Rule = Rule {
    id: "etcd-no-revision-bump",
    severity: Severity::Warning,
    summary: "a restored etcd of Kubernetes has revisions that its clients have seen already",
    check,
    source: include_str!("etcd_no_revision_bump.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    // Looked for once there is a restore: the whole file is long.
    let text = context.source.text();
    let sign = || ["kube-apiserver", "/etc/kubernetes"].iter().find_map(|it| Some((text.find(it)?, it.len())));
    for (reading, program, command) in context.commands() {
        let restores = matches!(program, "etcdutl" | "etcdctl") && command.does(program, &["snapshot", "restore"]);
        if !restores || command.may_have_more() || command.has(&["--bump-revision"]) {
            continue;
        }
        let Some((start, length)) = sign() else { return };
        let place = crate::source::Span::new(start, start + length);
        findings.push(
            context
                .finding_in(
                    &RULE,
                    reading,
                    &command.range,
                    "expected `--bump-revision` in the restore of an etcd of Kubernetes, found none",
                )
                .label("clients have seen these revisions already")
                .related(context.source, place, "this says that it is one of Kubernetes")
                .help("add `--bump-revision 1000000000 --mark-compacted`"),
        );
    }
}
