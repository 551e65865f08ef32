//! What a plan will need of its clusters, before anything of it runs.
//!
//! Duty: who will do what to which objects where, as far as texts are known already; and which steps may have made by
//! then what is not there now. It must not ask a cluster, nor judge: the pre-flight of the runtime asks, and what is missing
//! is judged there by these.
//!
//! - `acts`: what each action does to objects
//! - `looks`: what checks look at
//! - `manifest`: what `apply` does to the objects that its manifests hold

use std::collections::{BTreeSet, HashMap};

use crate::{
    action::{self, kube::Texts, velero_restore::VeleroRestore},
    model::{Check, Effect, Undo},
    plan::{Plan, PlanScope},
    policy::effect,
};

mod acts;
mod looks;
mod manifest;
#[cfg(test)]
mod tests;

pub use manifest::{Applied, of_objects};

/// What is known of texts before anything runs.
pub trait Ahead {
    /// Renders the texts of a step, or of one of the plan's runbooks. A text that depends on what a step will give is an
    /// error.
    fn texts(&self, node: Option<usize>, scope: usize) -> Box<dyn Texts + '_>;

    /// Whether a step may run: `false` only when its condition is known to be false.
    fn may_run(&self, node: usize) -> bool;
}

/// What a plan will need of its clusters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// What will be done to objects.
    pub objects: Vec<Need>,
    /// Custom resource definitions that the author requires.
    pub crds: Vec<WantedCrd>,
    /// Manifests that will be applied.
    pub manifests: Vec<Manifests>,
    /// Restores.
    pub restores: Vec<Restore>,
    /// Where backups are written.
    pub backups: Vec<Backup>,
    /// How much data may be lost, in milliseconds.
    pub rpo_ms: u64,
    /// How long the recovery may take, in milliseconds.
    pub rto_ms: u64,
    /// Steps that make or remove something, in the order of the plan.
    pub makers: Vec<Maker>,
    /// The direct predecessors of every node of the plan.
    order: Vec<Vec<usize>>,
}

/// Something that will be done to objects of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The cluster, by its name in the evidence.
    pub cluster: String,
    /// Which kind of objects.
    pub what: What,
    /// A subresource: `log`, `scale`.
    pub subresource: Option<String>,
    /// What is done to them: `get`, `patch`.
    pub verbs: Vec<String>,
    /// Where they are.
    pub place: Place,
    /// Single objects, by name, as far as they are known; empty: any.
    pub names: BTreeSet<String>,
    /// It is done to one object, so that one of a namespaced kind must have a namespace.
    pub single: bool,
    /// The step does without it, in a way that is not as good.
    pub optional: bool,
    /// A kind that is not served is as good as no objects.
    pub may_be_absent: bool,
    /// Who does it.
    pub by: Vec<By>,
}

/// Which kind of objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// As authors write it: the server says what it is.
    Kind {
        /// `Deployment`, `deployments.apps`, `Restore.velero.io`.
        kind: String,
        /// `apps/v1`, where it was written.
        api_version: Option<String>,
    },
    /// As it is: it is not looked whether there is such a thing.
    Resource {
        /// The API group; empty for the core one.
        group: String,
        /// The resource, in the plural.
        resource: String,
    },
}

/// Where objects are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In this namespace, if they are in one.
    Namespace(String),
    /// In all namespaces, or in none.
    All,
    /// It depends on what a step will give.
    Unknown,
}

/// Who needs something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct By {
    /// As people call it: a step's id, `undo of start`, `guard error-budget`, `requires.access`.
    pub name: String,
    /// When.
    pub when: When,
}

/// When something is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum When {
    /// Before the first step.
    Start,
    /// When this node is reached.
    At(usize),
    /// When this node has done what it does: its undo.
    After(usize),
    /// When anything of the plan may have been done: `cleanup`, guards.
    Anytime,
}

/// A custom resource definition that must be established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedCrd {
    /// The cluster, by its name in the evidence.
    pub cluster: String,
    /// Its name: `restores.velero.io`.
    pub name: String,
    /// A version that must be served.
    pub version: Option<String>,
}

/// Manifests that a step will apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifests {
    /// The cluster, by its name in the evidence.
    pub cluster: String,
    /// Who applies them.
    pub by: By,
    /// Files and directories, relative to the runbook that was asked for.
    pub files: Vec<String>,
    /// In place; a text of which a part is not known yet has `unknown-yet` in its place.
    pub manifest: Option<String>,
    /// Whether all of it is known.
    pub complete: bool,
    /// The namespace of objects that name none.
    pub namespace: Place,
    /// Fields of other managers are taken over.
    pub force: bool,
    /// `undo: auto` takes them back.
    pub undo: bool,
}

/// A restore from a backup.
#[derive(Debug, Clone, PartialEq)]
pub struct Restore {
    /// The cluster, by its name in the evidence.
    pub cluster: String,
    /// Who restores.
    pub by: By,
    /// Velero's own namespace, if it is known.
    pub velero_namespace: Option<String>,
    /// What is restored, without what is not known yet; `None` when it is not even known from which backup.
    pub spec: Option<VeleroRestore>,
}

/// A backup that will be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The cluster, by its name in the evidence.
    pub cluster: String,
    /// Who makes it.
    pub by: By,
    /// Velero's own namespace, if it is known.
    pub velero_namespace: Option<String>,
    /// The storage location; `None`: the default one, or it is not known yet.
    pub location: Option<String>,
}

/// A step after which a cluster is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// Its node in the plan.
    pub node: usize,
    /// Its id.
    pub step: String,
    /// The cluster that it acts on; `None`: nobody knows.
    pub cluster: Option<String>,
    /// What it does there.
    pub makes: Makes,
}

/// What a step leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makes {
    /// The objects of these [`Needs::manifests`].
    Manifests(usize),
    /// A backup.
    Backup,
    /// Fewer objects than there were.
    Gaps,
    /// Nobody can tell: a program, a restore, what stands in Git.
    Anything,
}

/// Everything that a plan will need of its clusters. What nobody knows before a step has run is left out.
#[must_use]
pub fn of(plan: &Plan, ahead: &dyn Ahead) -> Needs {
    let mut list = List { needs: Needs::default(), at: HashMap::new(), plan, ahead };
    list.needs.order = plan.nodes.iter().map(|node| [node.needs.clone(), node.after.clone()].concat()).collect();
    for scope in 0..plan.scopes.len() {
        list.requirements(scope);
    }
    for node in 0..plan.nodes.len() {
        list.node(node);
    }
    for scope in 0..plan.scopes.len() {
        list.guards(scope);
    }
    list.needs
}

impl Needs {
    /// Steps that have a part in a cluster before something is needed there, in the order of the plan.
    pub fn before<'a>(&'a self, when: When, cluster: &'a str) -> impl Iterator<Item = &'a Maker> {
        let reached = self.reached(when);
        self.makers.iter().filter(move |maker| {
            reached.as_ref().is_none_or(|reached| reached.contains(&maker.node))
                && maker.cluster.as_deref().is_none_or(|made| made == cluster)
        })
    }

    /// The nodes that have ended by then; `None`: any of them may have.
    fn reached(&self, when: When) -> Option<BTreeSet<usize>> {
        let (node, itself) = match when {
            When::Start => return Some(BTreeSet::new()),
            When::Anytime => return None,
            When::At(node) => (node, false),
            When::After(node) => (node, true),
        };
        let mut reached = BTreeSet::new();
        let mut open = vec![node];
        while let Some(next) = open.pop() {
            for before in self.order.get(next).into_iter().flatten() {
                if reached.insert(*before) {
                    open.push(*before);
                }
            }
        }
        if itself {
            reached.insert(node);
        }
        Some(reached)
    }
}

/// Needs in the making.
struct List<'a> {
    needs: Needs,
    /// Where the need of this kind stands, so that a thousand instances of a step make it once.
    at: HashMap<Same, usize>,
    plan: &'a Plan,
    ahead: &'a dyn Ahead,
}

type Same = (String, What, Option<String>, Vec<String>, Place, bool, bool, bool);

impl List<'_> {
    fn scope(&self, scope: usize) -> &PlanScope {
        &self.plan.scopes[scope]
    }

    /// What a cluster is called in the evidence.
    fn cluster(&self, scope: usize, name: &str) -> String {
        format!("{}{name}", self.scope(scope).prefix)
    }

    fn add(&mut self, need: Need) {
        let same = (
            need.cluster.clone(),
            need.what.clone(),
            need.subresource.clone(),
            need.verbs.clone(),
            need.place.clone(),
            need.single,
            need.optional,
            need.may_be_absent,
        );
        let Some(known) = self.at.get(&same).and_then(|at| self.needs.objects.get_mut(*at)) else {
            self.at.insert(same, self.needs.objects.len());
            return self.needs.objects.push(need);
        };
        // One that is done to any object is not done to fewer because another is done to some.
        if known.names.is_empty() || need.names.is_empty() {
            known.names.clear();
        } else {
            known.names.extend(need.names);
        }
        known.by.extend(need.by.into_iter().filter(|by| !known.by.contains(by)).collect::<Vec<_>>());
    }

    /// What the author says himself.
    fn requirements(&mut self, scope: usize) {
        let runbook = std::sync::Arc::clone(&self.scope(scope).runbook);
        let texts = self.ahead.texts(None, scope);
        let by = |name: &str| vec![By { name: name.to_owned(), when: When::Start }];
        for access in &runbook.requires.access {
            let (resource, subresource) = match access.resource.split_once('/') {
                Some((resource, below)) => (resource.to_owned(), Some(below.to_owned())),
                None => (access.resource.clone(), None),
            };
            self.add(Need {
                cluster: self.cluster(scope, &access.cluster),
                what: What::Resource { group: access.group.clone(), resource },
                subresource,
                verbs: vec![access.verb.clone()],
                place: place(&*texts, access.namespace.as_ref()),
                names: BTreeSet::new(),
                single: false,
                optional: false,
                may_be_absent: false,
                by: by("requires.access"),
            });
        }
        for crd in &runbook.requires.crds {
            let cluster = self.cluster(scope, &crd.cluster);
            let wanted = WantedCrd { cluster, name: crd.name.clone(), version: crd.version.clone() };
            if !self.needs.crds.contains(&wanted) {
                self.needs.crds.push(wanted);
            }
        }
        for check in &runbook.requires.checks {
            self.check(None, scope, check, &By { name: "requires.checks".to_owned(), when: When::Start });
        }
    }

    fn guards(&mut self, scope: usize) {
        let runbook = std::sync::Arc::clone(&self.scope(scope).runbook);
        for guard in &runbook.guards {
            if let Some(check) = &guard.check {
                let name = format!("guard {}{}", self.scope(scope).prefix, *guard.name);
                self.check(None, scope, check, &By { name, when: When::Anytime });
            }
        }
    }

    fn check(&mut self, node: Option<usize>, scope: usize, check: &Check, by: &By) {
        let texts = self.ahead.texts(node, scope);
        let mut found = looks::of(&*texts, check, by);
        for need in &mut found {
            need.cluster = self.cluster(scope, &need.cluster);
        }
        for need in found {
            self.add(need);
        }
    }

    fn node(&mut self, node: usize) {
        let Some(step) = self.plan.nodes[node].step() else { return };
        if !self.ahead.may_run(node) {
            return;
        }
        let (scope, spec) = (step.scope, std::sync::Arc::clone(&step.spec));
        let name = self.plan.nodes[node].id.clone();
        let when = if step.cleanup { When::Anytime } else { When::At(node) };
        let by = By { name: name.clone(), when };
        let texts = self.ahead.texts(Some(node), scope);
        let auto = matches!(spec.undo.as_deref(), Some(Undo::Auto(_)));
        let first = self.needs.manifests.len();
        let mut found = Vec::new();
        let done = acts::Doing { texts: &*texts, by: &by, auto };
        done.step(&spec, &mut found);
        if let Some(Undo::Action(undo)) = spec.undo.as_deref() {
            let by = By { name: format!("undo of {name}"), when: When::After(node) };
            acts::Doing { texts: &*texts, by: &by, auto: false }.undo(undo, &mut found);
        }
        for part in found {
            self.part(scope, part);
        }
        for check in &spec.verify {
            // It is verified when it is done.
            let when = if step.cleanup { When::Anytime } else { When::After(node) };
            self.check(Some(node), scope, check, &By { name: name.clone(), when });
        }
        if let Some(Undo::Action(undo)) = spec.undo.as_deref() {
            for check in &undo.verify {
                self.check(Some(node), scope, check, &By { name: format!("undo of {name}"), when: When::After(node) });
            }
        }
        self.maker(node, first);
    }

    fn part(&mut self, scope: usize, part: acts::Part) {
        use acts::Part;
        let named = |list: &Self, cluster: &mut String| *cluster = list.cluster(scope, cluster);
        match part {
            Part::Need(mut need) => {
                named(self, &mut need.cluster);
                self.add(need);
            }
            Part::Manifests(mut manifests) => {
                named(self, &mut manifests.cluster);
                self.needs.manifests.push(manifests);
            }
            Part::Restore(mut restore) => {
                named(self, &mut restore.cluster);
                self.needs.restores.push(*restore);
            }
            Part::Backup(mut backup) => {
                named(self, &mut backup.cluster);
                self.needs.backups.push(backup);
            }
        }
    }

    /// What the step leaves behind, if anything; its manifests are those from `first` on.
    fn maker(&mut self, node: usize, first: usize) {
        use action::Kind;
        let Some(step) = self.plan.nodes[node].step() else { return };
        if effect::of(&step.spec) == Effect::Reads {
            return;
        }
        let makes = match action::of_step(&step.spec) {
            // Its own manifests were found before those of its undo.
            Some(Kind::Apply) => Makes::Manifests(first),
            Some(Kind::VeleroBackup) => Makes::Backup,
            Some(Kind::Delete) => Makes::Gaps,
            Some(
                Kind::Exec
                | Kind::Shell
                | Kind::Http
                | Kind::Manual
                | Kind::Job
                | Kind::VeleroRestore
                | Kind::FluxReconcile
                | Kind::ArgocdSync,
            ) => Makes::Anything,
            // They change what is there.
            None | Some(Kind::Pause | Kind::Runbook | Kind::Patch | Kind::Scale) => return,
        };
        let cluster = action::clusters(&step.spec).next().map(|name| self.cluster(step.scope, name));
        self.needs.makers.push(Maker { node, step: self.plan.nodes[node].id.clone(), cluster, makes });
    }
}

/// A namespace, as far as it is known.
fn place(texts: &dyn Texts, namespace: Option<&crate::model::Template>) -> Place {
    match namespace.map(|namespace| texts.plain(namespace)) {
        None => Place::All,
        Some(Ok(namespace)) if namespace.as_str().is_empty() => Place::All,
        Some(Ok(namespace)) => Place::Namespace(namespace.0),
        Some(Err(_)) => Place::Unknown,
    }
}

/// A text, as far as it is known.
fn known(texts: &dyn Texts, template: Option<&crate::model::Template>) -> Option<String> {
    texts.plain(template?).ok().map(|text| text.0).filter(|text| !text.is_empty())
}
