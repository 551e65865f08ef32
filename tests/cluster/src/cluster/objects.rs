//! The objects that a cluster has from the start, and definitions of custom resources.

use std::thread;

use serde_json::{Value, json};

use super::{Cluster, LIMIT, Options, users};
use crate::{Crds, Error, client};

impl Cluster {
    /// Everything that is an object, at the same time where it can be.
    pub(super) fn prepare(&self, options: &Options) -> Result<(), Error> {
        let mut sets = options.crds.clone();
        if options.nodes > 0 {
            sets.insert(Crds::Kwok);
        }
        if options.velero {
            sets.insert(Crds::Velero);
        }
        let definitions: Vec<Value> =
            sets.into_iter().map(Crds::read).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        self.define(&definitions)?;
        for (user, role) in [(users::VIEWER, "view"), (users::EDITOR, "edit")] {
            self.admin.apply(&json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": { "name": format!("lifeboat-test-{user}") },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
                "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
            }))?;
        }
        for (name, mode, default) in
            [("immediate", "Immediate", "true"), ("wait-for-first-consumer", "WaitForFirstConsumer", "false")]
        {
            self.admin.apply(&json!({
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": { "name": name, "annotations": { "storageclass.kubernetes.io/is-default-class": default } },
                "provisioner": "kubernetes.io/host-path",
                "volumeBindingMode": mode,
            }))?;
        }
        Ok(())
    }

    /// Creates definitions of custom resources, and returns when objects of them can be made.
    ///
    /// # Errors
    /// When the API server refuses one, or does not serve it in time.
    pub fn define(&self, definitions: &[Value]) -> Result<(), Error> {
        let create = |definition: &Value| match self.admin.create(definition) {
            Err(Error::Refused { status: 409, .. }) => Ok(()),
            other => other.map(drop),
        };
        in_parallel(definitions, create)?;
        in_parallel(definitions, |definition| self.is_served(definition))
    }

    /// Waits until objects of all versions of a definition can be listed, and are told of. A definition that was just
    /// established is refused for a moment, as its storage is being made.
    fn is_served(&self, definition: &Value) -> Result<(), Error> {
        let spec = &definition["spec"];
        let (group, plural) = (spec["group"].as_str().unwrap_or_default(), spec["names"]["plural"].as_str());
        let plural = plural.unwrap_or_default();
        for version in spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true) {
            let version = format!("{group}/{}", version["name"].as_str().unwrap_or_default());
            client::wait_until(&format!("{plural} of {version} to be served"), LIMIT, || {
                let listed = self.admin.find(&format!("/apis/{version}/{plural}?limit=1"))?;
                let Some(told) = self.admin.find(&format!("/apis/{version}"))? else { return Ok(None) };
                let mut resources = told["resources"].as_array().into_iter().flatten();
                Ok((listed.is_some() && resources.any(|resource| resource["name"] == plural)).then_some(()))
            })?;
        }
        Ok(())
    }
}

/// Does the same with all, some at a time: the API server works on one after the other anyway, but does not wait then.
fn in_parallel(all: &[Value], each: impl Fn(&Value) -> Result<(), Error> + Copy + Send) -> Result<(), Error> {
    thread::scope(|scope| {
        let chunks = all.chunks(all.len().div_ceil(6).max(1));
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(move || chunk.iter().try_for_each(each))).collect();
        let ended = threads.into_iter().map(|thread| thread.join().map_err(|_| Error::Input("a thread died".into())));
        ended.collect::<Result<Vec<_>, _>>()?.into_iter().collect()
    })
}
