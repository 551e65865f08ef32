//! What an action does to the world: whether there is anything to take back.

use crate::{
    action::{self, Kind, http::Method},
    model::{Effect, Step},
};

/// What a step's action does: what the author says, else what is known about the action.
#[must_use]
pub fn of(step: &Step) -> Effect {
    if let Some(effect) = &step.effect {
        return **effect;
    }
    match action::of_step(step) {
        None | Some(Kind::Pause | Kind::Runbook) => Effect::Reads,
        Some(Kind::Http) => match step.http.as_ref().and_then(|http| http.method.as_ref()).map(|method| **method) {
            None | Some(Method::Get | Method::Head) => Effect::Reads,
            Some(Method::Post | Method::Put | Method::Patch | Method::Delete) => Effect::Mutates,
        },
        Some(
            Kind::Exec
            | Kind::Shell
            | Kind::Manual
            | Kind::Apply
            | Kind::Patch
            | Kind::Scale
            | Kind::Delete
            | Kind::Job
            | Kind::VeleroBackup
            | Kind::VeleroRestore
            | Kind::FluxReconcile
            | Kind::ArgocdSync,
        ) => Effect::Mutates,
    }
}
