//! `check`: everything that a run would look at before it touches anything, and nothing else.

use std::sync::Arc;

use jiff::Timestamp;
use lifeboat_core::{
    evidence::event::{ClusterMet, Finding, Severity},
    machine::{Engine, Machine, Now},
    mask::Mask,
    model::Mode,
    plan::{Plan, digest},
};
use lifeboat_runtime::{
    clock::whole_micros,
    identity,
    preflight::alone::{self, Setup, Verdict},
    store::run_id,
};
use serde_json::json;

use super::{Failure, Message, Outcome, created, engine::GRACE, inputs, prepare};
use crate::{
    args::{self, ShowFormat},
    ui,
};

/// Looks whether a run could begin.
pub(super) fn run(arguments: &args::Check) -> Outcome {
    let opened = prepare::open(&arguments.file)?;
    let runbook = prepare::sound(&opened)?;
    let attended = !arguments.no_input && ui::prompt::somebody();
    let values = inputs::values(&runbook, &arguments.inputs, attended)?;
    let mode = if arguments.drill { Mode::Drill } else { Mode::Incident };
    let plan = Arc::new(prepare::plan(&opened, &runbook, mode, values.bindings)?);
    let files = prepare::files(&opened, &plan)?;
    let now = whole_micros(Timestamp::now());
    // The run that there would be: it has a name, and no place in any store.
    let run = run_id(now, &runbook.metadata.name, identity::random());
    let plan_bytes = serde_json::to_vec_pretty(&digest::to_json(&plan)).unwrap_or_default();
    let sources = created::sources(&opened);
    let created = created::created(&opened, &runbook, &plan, &run, &sources, &plan_bytes, &files);
    // Whom to tell must be known before a run begins, too.
    prepare::targets(&plan, &created, &values.secrets)?;
    let mask = Mask::new(values.secrets.values().cloned());
    let title = created.runbook.title.clone();
    let (machine, _) = Machine::new(Arc::clone(&plan), created, values.secrets, Now { at: now, elapsed_ms: 0 });
    let (wanted, environment) = prepare::wanted(&plan);
    let setup = Setup {
        machine,
        engine: Engine {
            pid: std::process::id(),
            host: identity::host(),
            user: identity::user(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            attended: false,
            parallel: 1,
            step_by_step: false,
            torn_bytes: 0,
        },
        directory: opened.directory.clone(),
        environment,
        filter: prepare::filter(&mask),
        mask,
        grace: GRACE,
        files,
        wanted,
    };
    if ui::prompt::somebody() && arguments.format == ShowFormat::Text {
        ui::err("looking; a cluster that does not answer takes 15 s\n\n");
    }
    let verdict = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::usage(Message::new(format!("the engine cannot be started: {error}"))))?
        .block_on(alone::look(setup));
    let Some(verdict) = verdict else {
        return Err(Failure::usage(Message::new("the engine gave no verdict: this is a mistake of the engine")));
    };
    let passed = !verdict.findings.iter().any(fails);
    ui::out(&match arguments.format {
        ShowFormat::Text => text(&title, &plan, &verdict),
        ShowFormat::Json => {
            format!("{}\n", serde_json::to_string_pretty(&machine_readable(&plan, &verdict)).unwrap_or_default())
        }
    });
    Ok(if passed { 0 } else { 2 })
}

/// Whether the check fails for it: what keeps a run from beginning, and what an objective will be missed by. In an incident
/// one begins nevertheless; today there is time to mend it.
fn fails(finding: &Finding) -> bool {
    !finding.passed && finding.severity != Severity::Warning
}

fn machine_readable(plan: &Plan, verdict: &Verdict) -> serde_json::Value {
    let count = |what: &dyn Fn(&Finding) -> bool| verdict.findings.iter().filter(|finding| what(finding)).count();
    json!({
        "version": 1,
        "runbook": plan.scopes.first().map(|scope| scope.runbook.metadata.name.as_str()),
        "mode": plan.mode.name(),
        "passed": !verdict.findings.iter().any(fails),
        "runWouldBegin": verdict.passed,
        "clusters": verdict.clusters,
        "findings": verdict.findings,
        "summary": {
            "requirements": verdict.findings.len(),
            "missing": count(&Finding::blocks),
            "objectives": count(&|finding| !finding.passed && finding.severity == Severity::Objective),
            "warnings": count(&|finding| !finding.passed && finding.severity == Severity::Warning),
        },
    })
}

/// Findings by where they are: this machine first, then one cluster after the other.
fn text(title: &str, plan: &Plan, verdict: &Verdict) -> String {
    let mut out = format!("PRE-FLIGHT of {title} ({})\n", plan.mode.name());
    let mut places: Vec<Option<&str>> = Vec::new();
    for finding in &verdict.findings {
        let place = finding.cluster.as_deref();
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_by_key(Option::is_some);
    for place in places {
        out.push_str(&format!("\n{}\n", heading(place, &verdict.clusters)));
        for finding in verdict.findings.iter().filter(|finding| finding.cluster.as_deref() == place) {
            out.push_str(&line(finding));
        }
    }
    out.push_str(&format!("\n{}\n", sum(verdict)));
    ui::plain(&out)
}

fn heading(place: Option<&str>, clusters: &[ClusterMet]) -> String {
    let Some(name) = place else { return format!("this machine ({})", identity::host()) };
    let met = clusters.iter().find(|met| met.cluster == name);
    match met.and_then(|met| met.context.as_deref()) {
        Some(context) => format!("cluster {name} (context {context})"),
        None => format!("cluster {name}"),
    }
}

fn line(finding: &Finding) -> String {
    let width = ui::width().max(60);
    let word = match (finding.passed, finding.severity) {
        (true, _) => "ok",
        (false, Severity::Error) => "MISSING",
        (false, Severity::Objective) => "LATE",
        (false, Severity::Warning) => "warning",
    };
    if finding.passed {
        return ui::wrapped(&format!("  {word:<9}"), &format!("{}: {}", finding.requirement, finding.found), width);
    }
    let mut out = ui::wrapped(&format!("  {word:<9}"), &finding.requirement, width);
    out.push_str(&ui::wrapped("           found  ", &finding.found, width));
    if let Some(help) = &finding.help {
        out.push_str(&ui::wrapped("           do     ", help, width));
    }
    out
}

fn sum(verdict: &Verdict) -> String {
    let all = verdict.findings.len();
    let count = |severity| verdict.findings.iter().filter(|it| !it.passed && it.severity == severity).count();
    let (missing, late, warnings) = (count(Severity::Error), count(Severity::Objective), count(Severity::Warning));
    let plural =
        |number: usize, word: &str| if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") };
    let mut parts = Vec::new();
    if missing > 0 {
        parts.push(format!("{missing} of {} missing: a run would not begin", plural(all, "requirement")));
    }
    if late > 0 {
        parts.push(format!("{} would be missed", plural(late, "objective")));
    }
    if missing == 0 && late == 0 {
        parts.push(format!("ready: {}", plural(all, "requirement")));
    }
    if warnings > 0 {
        parts.push(plural(warnings, "warning"));
    }
    format!("{}; nothing was touched", parts.join("; "))
}
