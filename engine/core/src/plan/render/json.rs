//! `--format json`: `plan.json` and what can be said about it.

use serde_json::{Value, json};

use super::super::{Plan, digest, forecast::Forecast};

/// The frozen plan with `digest`, `waves`, `criticalPath`, `forecastMs`, `objectives` and the point of no return.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    let forecast = Forecast::of(plan);
    let id = |at: &usize| plan.nodes[*at].id.as_str();
    let ids = |nodes: &[usize]| nodes.iter().map(id).collect::<Vec<_>>();
    let path = |at: &usize| {
        json!({
            "id": id(at),
            "startMs": forecast.start(*at).as_millis(),
            "finishMs": forecast.finish(*at).as_millis(),
        })
    };
    let objectives = plan.objectives().map(|objectives| {
        json!({
            "rpoMs": objectives.rpo.as_millis(),
            "rtoMs": objectives.rto.as_millis(),
            "mtdMs": objectives.mtd.map(crate::duration::Duration::as_millis),
        })
    });
    let mut json = digest::to_json(plan);
    let facts = json!({
        "digest": digest::digest(plan),
        "waves": forecast.waves.iter().map(|wave| ids(wave)).collect::<Vec<_>>(),
        "criticalPath": forecast.critical_path.iter().map(path).collect::<Vec<_>>(),
        "forecastMs": forecast.total.as_millis(),
        "restoredBy": forecast.restored_by.as_ref().map(id),
        "withoutEstimate": ids(&forecast.without_estimate),
        "pointOfNoReturn": {"steps": ids(&forecast.no_return), "keeps": ids(&forecast.kept)},
        "objectives": objectives,
    });
    if let (Value::Object(json), Value::Object(facts)) = (&mut json, facts) {
        json.extend(facts);
    }
    json
}
