//! `pause`: soak time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Facts, Field};
use crate::duration::Duration;

/// Waits for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Pause(pub Duration);

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "pause",
    summary: "soak time: waits",
    example: "pause: 5m",
    result: &[Field { name: "durationMs", kind: "int", about: "how long it waited, in milliseconds" }],
    undo_auto: false,
};
