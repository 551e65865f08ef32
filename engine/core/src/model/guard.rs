//! Guards: abort criteria that are watched while the run goes on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, Condition};
use crate::{duration::Duration, source::Spanned};

/// Something that must stay true while a part of the run goes on. Either `when` (bad when it is true) or `check` (bad when
/// it does not pass). What cannot be evaluated counts as bad: a guard that cannot be evaluated is not a guard that passed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guard {
    /// What it guards, as it is named in the evidence; unique in the runbook.
    pub name: Spanned<String>,
    /// While it is watched. Without it: from the first step to the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<During>,
    /// CEL that is true when things are bad: `clock.sinceOutage > duration('3h30m')`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Spanned<Condition>>,
    /// A check that passes while things are good. `within`, `every`, `holds` and `mustFailFirst` have no meaning here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Spanned<Check>>,
    /// Time between two looks. Without it: `30s` for a `check`, `5s` for a `when`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Spanned<Duration>>,
    /// How many looks in a row have to be bad. Without it: 3 for a `check`, 1 for a `when`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub failures: Option<Spanned<u32>>,
    /// How long it has to be bad without a break, on top of `failures`.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasting: Option<Spanned<Duration>>,
    /// What happens then. It happens once; again only when the guard was good in between.
    pub then: Then,
}

/// While a guard is watched: step ids or phases. A name that is both is the step.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct During {
    /// From the start of this step, or of the first step of this phase. Without it: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Spanned<String>>,
    /// To the end of this step, or of the last step of this phase. Without it: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Spanned<String>>,
}

/// What happens when a guard was bad for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The run is aborted: what was done is undone.
    Abort,
    /// Nothing new starts until a person says `continue`.
    Pause,
}

impl Then {
    /// `abort` or `pause`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Pause => "pause",
        }
    }
}

impl Guard {
    /// Time between two looks.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let otherwise = if self.when.is_some() { 5 } else { 30 };
        self.every.as_ref().map_or(Duration::from_secs(otherwise), |every| **every)
    }

    /// How many looks in a row have to be bad.
    #[must_use]
    pub fn most(&self) -> u32 {
        let otherwise = if self.when.is_some() { 1 } else { 3 };
        self.failures.as_ref().map_or(otherwise, |failures| **failures).max(1)
    }
}
