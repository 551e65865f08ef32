//! Clusters: who they are, and what an action in one found before it changes anything.
//!
//! Duty: to refuse another cluster under a known name, and to let nothing be changed before what was there is durable. It
//! must not know what the objects in a cluster mean: that is for the room `kube`.

use serde_json::Value;

use super::{Command, Key, Machine, Stage, input::ApiTrouble};
use crate::{
    action::kube::ClusterRef,
    evidence::{
        Event,
        event::{Artifact, ClusterMet, Resolution, Resolved},
    },
};

impl Machine {
    /// Every cluster of the plan. One whose texts cannot be rendered is left out: the step that uses it says so.
    pub(crate) fn clusters(&self) -> Vec<ClusterRef> {
        let names = |scope: usize| self.plan.scopes[scope].runbook.clusters.keys();
        let all = (0..self.plan.scopes.len()).flat_map(|scope| names(scope).map(move |name| (scope, name)));
        all.filter_map(|(scope, name)| self.cluster_of(scope, name).ok()).collect()
    }

    /// Reaches the clusters of a run that is taken up again, so that another one under a known name is found out early.
    /// What is done meanwhile is safe: every order has the identity that it is meant for.
    pub(crate) fn meet_clusters(&mut self) {
        let clusters = self.clusters();
        if !clusters.is_empty() {
            self.push(Command::MeetClusters(clusters));
        }
    }

    /// A cluster said who it is.
    pub(crate) fn on_cluster(&mut self, met: ClusterMet) {
        let known = self.state.clusters.get(&met.cluster).map(|known| known.uid.clone());
        match known {
            Some(expected) if expected != met.uid => {
                let ClusterMet { cluster, uid: found, .. } = met;
                let reason = format!(
                    "the cluster `{cluster}` is another one than before: expected {expected}, found {found}; look at the \
                     context in the kubeconfig, then resume"
                );
                self.emit(Event::ClusterRefused { cluster, expected, found });
                self.stop(5, &reason);
                // What runs elsewhere gets the grace that it always gets; what acts in a cluster stops at once.
                let keys: Vec<Key> = self.live.keys().copied().collect();
                for key in keys {
                    if self.live.get(&key) == Some(&Stage::Action) && self.work(key).finds_itself() {
                        self.stop_action(key, false);
                    }
                }
            }
            _ => self.emit(Event::ClusterMet(met)),
        }
    }

    /// A request has to be made again.
    pub(crate) fn on_api_trouble(&mut self, trouble: ApiTrouble) {
        let ApiTrouble { cluster, step, request, reason, wait_ms, failures } = trouble;
        self.emit(Event::ApiRetried { cluster, step, request, reason, wait_ms, failures });
    }

    /// Records how often each cluster was asked; nothing comes after it but the end.
    pub(crate) fn tell_requests(&mut self) {
        for (cluster, requests) in std::mem::take(&mut self.asked) {
            self.emit(Event::ClusterAsked { cluster, requests });
        }
    }

    /// An action has found what it needs: it may go on as soon as that is durable.
    pub(crate) fn on_prepared(&mut self, key: Key, attempt: u32, facts: Value, artifacts: Vec<Artifact>) {
        let (node, task) = key;
        if self.live.get(&key) != Some(&Stage::Action) || self.state.steps[node].task(task).attempts != attempt {
            // It was told to stop before it changed anything.
            return;
        }
        let step = self.id(node);
        self.emit(Event::ActionPrepared { step, task, attempt, facts, artifacts });
        self.push(Command::Proceed { node, task, attempt });
    }

    /// Goes on with an attempt of an earlier engine: the action looks for what it has begun. It is no other attempt, so
    /// nothing is made twice, and its time goes on.
    pub(crate) fn follow(&mut self, key: Key) {
        let (node, task) = key;
        let order = match self.action_order(key) {
            Ok(order) => order,
            Err(reason) => return self.fail(key, &format!("its action cannot be rendered: {reason}")),
        };
        let step = self.id(node);
        self.emit(Event::UnknownResolved { step, task, way: Resolution::Action, outcome: Resolved::Followed });
        let state = self.state.steps[node].task(task);
        let (attempt, prepared) = (state.attempts, state.prepared.clone());
        self.stage(key, Some(Stage::Action));
        self.slots.insert(key);
        self.push(Command::StartAction { node, task, attempt, order, prepared });
        self.arm_the_rest(key);
    }
}
