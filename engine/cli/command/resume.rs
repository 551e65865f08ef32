//! `resume`: go on with a run.

use std::{path::PathBuf, sync::Arc};

use indexmap::IndexMap;
use jiff::Timestamp;
use lifeboat_core::{
    evidence::{
        Event, Record, chain,
        event::{InputRecord, RunCreated},
        verify::Fault,
    },
    machine::{Machine, Now},
    mask::Mask,
    model::InputType,
    plan::{Binding, digest},
};
use lifeboat_runtime::{
    files::Files,
    identity,
    store::{Holder, RunDir, verify_run},
};

use super::{Failure, Message, Outcome, engine, inputs, prepare, recorded, show};
use crate::{args, ui};

/// Goes on with a run, or tells how a finished one ended.
pub(super) fn run(arguments: &args::Resume) -> Outcome {
    let run = recorded::open(&arguments.store, &arguments.run)?;
    if let Some(code) = finished(&run)? {
        return Ok(code);
    }
    let who = Holder { pid: std::process::id(), host: identity::host(), user: identity::user() };
    let taken = run.take(&who).map_err(Failure::evidence)?;
    let Some(Event::RunCreated(created)) = taken.records.first().map(|record| &record.event) else {
        return Err(recorded::without_records(&run));
    };
    let created = (**created).clone();

    let opened = recorded::frozen(&run, &created)?;
    let runbook = prepare::sound(&opened)?;
    let (bindings, secrets) = inputs(&runbook, &created, engine::attended(&arguments.engine))?;
    let plan = Arc::new(prepare::plan(&opened, &runbook, created.mode, bindings)?);
    let plan_bytes = serde_json::to_vec_pretty(&digest::to_json(&plan)).unwrap_or_default();
    if chain::digest(&plan_bytes) != created.plan_digest {
        return Err(Failure::evidence(
            Message::new("expected the frozen runbook to give the plan that the run began with, found another one")
                .help(format!(
                    "the run was begun by engine {}; resume it with that one, or look whether its `runbook/` was changed: \
                     `lifeboat verify {}`",
                    created.engine,
                    run.id()
                )),
        ));
    }
    let mask = Mask::new(secrets.values().cloned());
    let targets = prepare::targets(&plan, &created, &secrets)?;
    let events = taken.records.iter().map(|record| (&record.event, now_of(record)));
    let machine = Machine::recover(plan, events, secrets)
        .map_err(|error| Failure::evidence(Message::new(format!("the log does not fit its plan: {error}"))))?;
    let rto_ms = created.objectives.rto.as_millis();
    let directory = PathBuf::from(&created.directory);
    let files = Files::recorded(&directory, &created.files);
    let (mode, title) = (created.mode.name(), &created.runbook.title);
    ui::err(&ui::plain(&format!("RESUMING {}, {mode} run of {title}\n\n", run.id())));
    engine::drive(
        engine::Drive {
            elapsed_ms: elapsed(&taken.records),
            machine,
            plan: show::plan_json(&run),
            first: Vec::new(),
            log: taken.log,
            run,
            directory,
            files,
            targets,
            past: taken.records,
            mask,
            torn_bytes: taken.torn_bytes,
            rto_ms,
        },
        &arguments.engine,
    )
}

/// The exit code of a run that is over, after telling its verdict: nothing is changed.
fn finished(run: &RunDir) -> Result<Option<u8>, Failure> {
    // A torn or damaged log is dealt with where it is opened for writing.
    let Ok(records) = lifeboat_runtime::store::read_log(&run.log_path()) else { return Ok(None) };
    let Some(last) = records.last() else { return Ok(None) };
    let Event::RunFinished(end) = &last.event else { return Ok(None) };
    let code = end.exit_code;
    seal(run, last.stamp.seq)?;
    ui::err(&format!("the run {} is over; nothing was changed\n", run.id()));
    show::print_text(run, &records);
    Ok(Some(code))
}

/// Writes the head of a finished run whose engine died in front of that. A head that does not fit is left as it is: that
/// is not what a dead engine leaves, and `verify` has to find it.
fn seal(run: &RunDir, last: u64) -> Result<(), Failure> {
    let Ok(report) = verify_run(run) else { return Ok(()) };
    let unsealed = |fault: &Fault| matches!(fault, Fault::HeadMissing { .. } | Fault::HeadNotLast { .. });
    if report.problems.is_empty() || !report.problems.iter().all(|problem| unsealed(&problem.fault)) {
        return Ok(());
    }
    let who = Holder { pid: std::process::id(), host: identity::host(), user: identity::user() };
    // Whoever has the run now is about to write its head.
    if let Ok(mut taken) = run.take(&who)
        && taken.log.finished()
        && taken.log.seq() == last
    {
        taken.log.seal().map_err(Failure::evidence)?;
        ui::err("its engine died before it could seal the evidence; that was done now\n");
    }
    Ok(())
}

/// Milliseconds since the run was created: by the wall clock, but never less than what was recorded already.
fn elapsed(records: &[Record]) -> u64 {
    let (Some(first), Some(last)) = (records.first(), records.last()) else { return 0 };
    let wall = Timestamp::now().as_millisecond().saturating_sub(first.stamp.at.as_millisecond());
    u64::try_from(wall).unwrap_or(0).max(last.stamp.elapsed_ms)
}

fn now_of(record: &Record) -> Now {
    Now { at: record.stamp.at, elapsed_ms: record.stamp.elapsed_ms }
}

type Inputs = (IndexMap<String, Binding>, IndexMap<String, String>);

fn inputs(runbook: &lifeboat_core::model::Runbook, created: &RunCreated, attended: bool) -> Result<Inputs, Failure> {
    let mut bindings = IndexMap::new();
    let mut secrets = IndexMap::new();
    let mut problems = Vec::new();
    for (name, record) in &created.inputs {
        match record {
            InputRecord::Value(value) => {
                bindings.insert(name.clone(), Binding::Value(value.clone()));
            }
            InputRecord::Secret(_) => {
                bindings.insert(name.clone(), Binding::Secret(name.clone()));
            }
        }
    }
    // Secrets are nowhere on disk, so they are asked for again.
    for (name, input) in runbook.inputs.iter().filter(|(_, input)| input.kind == InputType::Secret) {
        match inputs::secret(name, input, attended) {
            Ok(value) => {
                secrets.insert(name.clone(), value);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        return Ok((bindings, secrets));
    }
    Err(Failure::usage(
        Message::new(problems.join("\n")).help("secrets are not kept with a run; give them again to resume it"),
    ))
}
