//! Runbooks to begin with, by the class of disaster and by how much is lost.
//!
//! Duty: which there are, and the text of each with somebody's names and objectives in it. It must not touch files or ask
//! people. Each starter is a runbook as it stands, so that it can be linted and edited like any other.

mod registry;
#[cfg(test)]
mod tests;
mod write;

pub use registry::STARTERS;
pub use write::{Answers, name_from, write};

use crate::model::{Disaster, Scope};

/// A runbook to begin with.
#[derive(Debug)]
pub struct Starter {
    /// The class of disaster that it is for.
    pub disaster: Disaster,
    /// The scopes that its steps are right for, the usual one first. Where another scope needs other steps, it is another
    /// starter.
    pub scopes: &'static [Scope],
    /// What it does, on one line.
    pub about: &'static str,
    /// The runbook.
    pub text: &'static str,
}

/// The starter for a disaster of a scope.
#[must_use]
pub fn find(disaster: Disaster, scope: Scope) -> Option<&'static Starter> {
    STARTERS.iter().find(|starter| starter.disaster == disaster && starter.scopes.contains(&scope))
}

/// The scopes that there are starters of for a disaster, the usual one first.
#[must_use]
pub fn scopes_of(disaster: Disaster) -> Vec<Scope> {
    let of_it = STARTERS.iter().filter(|starter| starter.disaster == disaster);
    of_it.flat_map(|starter| starter.scopes).copied().collect()
}

/// The disasters that there are starters of a scope for.
#[must_use]
pub fn disasters_of(scope: Scope) -> Vec<Disaster> {
    STARTERS.iter().filter(|starter| starter.scopes.contains(&scope)).map(|starter| starter.disaster).collect()
}
