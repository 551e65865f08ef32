//! `exec` and `shell` as checks: a process that only looks.

use lifeboat_core::action::ProcessOrder;
use serde_json::Value;

use super::Context;
use crate::process::{self, Launch, Sinks};

pub(super) async fn observe(order: &ProcessOrder, cx: &Context) -> Result<Value, String> {
    let mut launch = Launch::of(order, &cx.environment, &cx.directory, cx.grace);
    // Checks of one step run side by side under the same marks: one that is stopped must not take the others with it.
    launch.reach_marked = false;
    let sinks = Sinks { stdout: None, stderr: None, lines: None, filter: cx.filter.clone() };
    let running = process::start(launch, sinks).await.map_err(|error| error.to_string())?;
    let control = running.control();
    let ended = running.ended();
    tokio::pin!(ended);
    if let Ok(ended) = tokio::time::timeout(cx.timeout, &mut ended).await {
        return match ended.unknown.clone().or_else(|| ended.evidence_lost()) {
            Some(why) => Err(why),
            None => Ok(ended.result()),
        };
    }
    control.stop(cx.grace, false);
    let error = ended.await.error().unwrap_or_default();
    Err(format!("it took longer than {:?}: {error}", cx.timeout))
}
