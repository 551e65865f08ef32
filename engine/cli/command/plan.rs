//! `plan`: the order, before anything runs.

use lifeboat_core::{model::Mode, plan::render};

use super::{Outcome, inputs, prepare};
use crate::{
    args::{self, PlanFormat},
    ui,
};

/// Prints the plan of a runbook.
pub(super) fn run(arguments: &args::Plan) -> Outcome {
    let opened = prepare::open(&arguments.file)?;
    let runbook = prepare::sound(&opened)?;
    let mode = if arguments.drill { Mode::Drill } else { Mode::Incident };
    let bindings = inputs::known(&runbook, &arguments.inputs)?;
    let plan = prepare::plan(&opened, &runbook, mode, bindings)?;
    ui::out(&match arguments.format {
        PlanFormat::Text => render::text(&plan),
        PlanFormat::Json => format!("{}\n", serde_json::to_string_pretty(&render::json(&plan)).unwrap_or_default()),
        PlanFormat::Mermaid => render::mermaid(&plan),
        PlanFormat::Dot => render::dot(&plan),
    });
    Ok(0)
}
