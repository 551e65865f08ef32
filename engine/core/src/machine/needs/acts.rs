//! What each action does to objects.
//!
//! Duty: verbs and kinds, as the runtime's action of the same name uses them. What an action can do without, because it
//! looks in another way then, is optional.

use std::collections::BTreeSet;

use super::{Backup, By, Manifests, Need, Place, Restore, What, known, manifest, place};
use crate::{
    action::{
        apply::Apply,
        argocd_sync::ArgocdSync,
        delete::Delete,
        flux_reconcile::FluxReconcile,
        job::Job,
        kube::{Render as _, Texts},
        patch::Patch,
        scale::Scale,
        velero_backup::VeleroBackup,
        velero_restore::VeleroRestore,
    },
    model::{Step, Template, UndoAction},
};

/// Something that an action needs. Its cluster has the name that it has in its own runbook.
pub(super) enum Part {
    Need(Need),
    Manifests(Manifests),
    Restore(Box<Restore>),
    Backup(Backup),
}

/// An action that will be carried out.
pub(super) struct Doing<'a> {
    pub(super) texts: &'a dyn Texts,
    pub(super) by: &'a By,
    /// `undo: auto` will take it back.
    pub(super) auto: bool,
}

/// What is done to objects of one kind in one place.
pub(super) struct To<'a> {
    pub(super) cluster: &'a str,
    pub(super) what: What,
    pub(super) place: Place,
    pub(super) name: Option<String>,
    pub(super) single: bool,
    pub(super) by: &'a By,
}

impl To<'_> {
    /// Does this to them.
    pub(super) fn need(&self, verbs: &[&str]) -> Need {
        Need {
            cluster: self.cluster.to_owned(),
            what: self.what.clone(),
            subresource: None,
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            place: self.place.clone(),
            names: self.name.iter().cloned().collect::<BTreeSet<_>>(),
            single: self.single,
            optional: false,
            may_be_absent: false,
            by: vec![self.by.clone()],
        }
    }

    /// Would do this if it were allowed. Whoever lists or watches sees all of them.
    pub(super) fn would(&self, verbs: &[&str]) -> Need {
        Need { optional: true, names: BTreeSet::new(), ..self.need(verbs) }
    }

    /// Does this to a part of them.
    fn below(&self, subresource: &str, verbs: &[&str]) -> Need {
        Need { subresource: Some(subresource.to_owned()), ..self.need(verbs) }
    }
}

/// A kind that has one name wherever it is served.
fn kind(name: &str) -> What {
    // The core group has no name that could stand behind a dot.
    let api_version = (!name.contains('.')).then(|| "v1".to_owned());
    What::Kind { kind: name.to_owned(), api_version }
}

impl Doing<'_> {
    /// The action of a step.
    pub(super) fn step(&self, step: &Step, out: &mut Vec<Part>) {
        macro_rules! each {
            ($($field:ident),*) => {$(if let Some(action) = step.$field.as_deref() { self.$field(action, out); })*};
        }
        each!(apply, patch, scale, delete, job, velero_backup, velero_restore, flux_reconcile, argocd_sync);
    }

    /// The action of an undo.
    pub(super) fn undo(&self, undo: &UndoAction, out: &mut Vec<Part>) {
        macro_rules! each {
            ($($field:ident),*) => {$(if let Some(action) = undo.$field.as_deref() { self.$field(action, out); })*};
        }
        each!(apply, patch, scale, delete, job, velero_backup, velero_restore, flux_reconcile, argocd_sync);
    }

    /// What is done to objects whose kind an author writes; `None` when that is not known yet.
    fn written<'b>(
        &'b self,
        cluster: &'b str,
        (kind, api_version): (&Template, Option<&Template>),
        namespace: Option<&Template>,
        name: Option<&Template>,
    ) -> Option<To<'b>> {
        let kind = known(self.texts, Some(kind))?;
        // An unknown version leaves the choice to the server.
        let what = What::Kind { kind, api_version: known(self.texts, api_version) };
        let place = place(self.texts, namespace);
        Some(To { cluster, what, place, name: known(self.texts, name), single: name.is_some(), by: self.by })
    }

    /// What is done to objects of a kind that the action itself knows.
    fn own<'b>(&'b self, cluster: &'b str, what: What, namespace: Place) -> To<'b> {
        To { cluster, what, place: namespace, name: None, single: false, by: self.by }
    }

    /// The namespace of a product, which has a usual one.
    fn usual(&self, namespace: Option<&Template>, usual: &str) -> Place {
        match place(self.texts, namespace) {
            Place::All => Place::Namespace(usual.to_owned()),
            place => place,
        }
    }

    fn apply(&self, apply: &Apply, out: &mut Vec<Part>) {
        let files: Vec<Option<String>> =
            apply.files.iter().map(|file| self.texts.path(file).ok().map(|path| path.0)).collect();
        let text = apply.manifest.as_ref().map(|text| self.texts.secret(text).map(|text| text.0));
        let namespace = place(self.texts, apply.namespace.as_ref());
        let complete =
            files.iter().all(Option::is_some) && !matches!(text, Some(Err(_))) && namespace != Place::Unknown;
        let manifest = match (text, &apply.manifest) {
            (Some(Ok(text)), _) => Some(text),
            (Some(Err(_)), Some(written)) => Some(manifest::without_unknown(self.texts, written.as_str())),
            _ => None,
        };
        out.push(Part::Manifests(Manifests {
            cluster: String::clone(&apply.cluster),
            by: self.by.clone(),
            files: files.into_iter().flatten().collect(),
            manifest,
            complete,
            namespace,
            force: apply.force,
            undo: self.auto,
        }));
    }

    fn patch(&self, patch: &Patch, out: &mut Vec<Part>) {
        let kind = (&patch.kind, patch.api_version.as_ref());
        let Some(to) = self.written(&patch.cluster, kind, patch.namespace.as_ref(), Some(&patch.name)) else { return };
        match (&patch.subresource, known(self.texts, patch.subresource.as_ref())) {
            (None, _) => out.push(Part::Need(to.need(&["get", "patch"]))),
            (Some(_), Some(below)) => {
                out.push(Part::Need(to.need(&["get"])));
                out.push(Part::Need(to.below(&below, &["patch"])));
            }
            (Some(_), None) => out.push(Part::Need(to.need(&["get"]))),
        }
        if self.auto {
            // What was deleted meanwhile is made again.
            out.push(Part::Need(to.need(&["update", "create"])));
        }
    }

    fn scale(&self, scale: &Scale, out: &mut Vec<Part>) {
        let kind = (&scale.kind, scale.api_version.as_ref());
        let to = self.written(&scale.cluster, kind, scale.namespace.as_ref(), Some(&scale.name));
        out.extend(to.map(|to| Part::Need(to.below("scale", &["get", "patch"]))));
    }

    fn delete(&self, delete: &Delete, out: &mut Vec<Part>) {
        let kind = (&delete.kind, delete.api_version.as_ref());
        let to = self.written(&delete.cluster, kind, delete.namespace.as_ref(), delete.name.as_ref());
        let Some(to) = to else { return };
        let mut needs = if to.single {
            vec![to.need(&["get", "delete"]), to.would(&["list", "watch"])]
        } else {
            vec![to.need(&["list", "delete"]), to.would(&["watch"])]
        };
        if self.auto {
            needs.push(to.need(&["get", "create"]));
        }
        // A kind that is not served has nothing that could be deleted.
        out.extend(needs.into_iter().map(|need| Part::Need(Need { may_be_absent: true, ..need })));
    }

    fn job(&self, job: &Job, out: &mut Vec<Part>) {
        let place = place(self.texts, Some(&job.namespace));
        let jobs = self.own(&job.cluster, kind("jobs.batch"), place.clone());
        let pods = self.own(&job.cluster, kind("pods"), place.clone());
        out.push(Part::Need(jobs.need(&["create", "get"])));
        out.push(Part::Need(jobs.would(&["list", "watch"])));
        out.push(Part::Need(pods.need(&["list"])));
        out.push(Part::Need(pods.would(&["watch"])));
        out.push(Part::Need(pods.below("log", &["get"])));
        if !job.env.is_empty() {
            // The environment goes by a Secret that the Job owns.
            let secrets = self.own(&job.cluster, kind("secrets"), place);
            out.push(Part::Need(secrets.need(&["create", "get", "patch"])));
        }
        if self.auto {
            out.push(Part::Need(jobs.need(&["delete"])));
        }
    }

    fn velero_backup(&self, backup: &VeleroBackup, out: &mut Vec<Part>) {
        let place = self.usual(backup.velero_namespace.as_ref(), "velero");
        let of = |name: &str| self.own(&backup.cluster, kind(name), place.clone());
        let backups = of("backups.velero.io");
        out.push(Part::Need(backups.need(&["create", "get"])));
        out.push(Part::Need(backups.would(&["list", "watch"])));
        if self.auto {
            out.push(Part::Need(of("deletebackuprequests.velero.io").need(&["create", "get"])));
        }
        out.push(Part::Backup(Backup {
            cluster: String::clone(&backup.cluster),
            by: self.by.clone(),
            velero_namespace: namespace(&place),
            location: known(self.texts, backup.storage_location.as_ref()),
        }));
    }

    fn velero_restore(&self, restore: &VeleroRestore, out: &mut Vec<Part>) {
        let place = self.usual(restore.velero_namespace.as_ref(), "velero");
        let of = |name: &str| self.own(&restore.cluster, kind(name), place.clone());
        let restores = of("restores.velero.io");
        out.push(Part::Need(of("backups.velero.io").need(&["list"])));
        out.push(Part::Need(restores.need(&["create", "get"])));
        out.push(Part::Need(restores.would(&["list", "watch"])));
        // By these it reads what Velero says it has restored.
        out.push(Part::Need(of("downloadrequests.velero.io").would(&["create", "get"])));
        if self.auto {
            out.push(Part::Need(restores.need(&["delete"])));
        }
        let whole = restore.render(self.texts);
        let spec = whole.or_else(|_| {
            // What is restored does not matter for which backup it comes from.
            let less = VeleroRestore {
                namespaces: Vec::new(),
                namespace_mapping: indexmap::IndexMap::new(),
                included_resources: Vec::new(),
                excluded_resources: Vec::new(),
                selector: None,
                resource_modifier: None,
                ..restore.clone()
            };
            less.render(self.texts)
        });
        out.push(Part::Restore(Box::new(Restore {
            cluster: String::clone(&restore.cluster),
            by: self.by.clone(),
            velero_namespace: namespace(&place),
            spec: spec.ok(),
        })));
    }

    fn flux_reconcile(&self, flux: &FluxReconcile, out: &mut Vec<Part>) {
        let written = match &flux.kind {
            Some(kind) => known(self.texts, Some(kind)),
            None => Some("Kustomization".to_owned()),
        };
        let Some(written) = written else { return };
        let group = match written.as_str() {
            "Kustomization" => "kustomize",
            "HelmRelease" => "helm",
            _ => "source",
        };
        let what = kind(&format!("{written}.{group}.toolkit.fluxcd.io"));
        let to = To {
            cluster: &flux.cluster,
            what,
            place: self.usual(flux.namespace.as_ref(), "flux-system"),
            name: known(self.texts, Some(&flux.name)),
            single: true,
            by: self.by,
        };
        out.push(Part::Need(to.need(&["get", "patch"])));
        out.push(Part::Need(to.would(&["list", "watch"])));
    }

    fn argocd_sync(&self, argocd: &ArgocdSync, out: &mut Vec<Part>) {
        let to = To {
            cluster: &argocd.cluster,
            what: kind("applications.argoproj.io"),
            place: self.usual(argocd.namespace.as_ref(), "argocd"),
            name: known(self.texts, Some(&argocd.application)),
            single: true,
            by: self.by,
        };
        out.push(Part::Need(to.need(&["get", "patch"])));
        out.push(Part::Need(to.would(&["list", "watch"])));
    }
}

fn namespace(place: &Place) -> Option<String> {
    match place {
        Place::Namespace(namespace) => Some(namespace.clone()),
        Place::All | Place::Unknown => None,
    }
}
