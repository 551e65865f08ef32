//! `run`: a runbook for a real incident.

use jiff::Timestamp;
use lifeboat_core::{
    evidence::{chain, event::RunCreated},
    machine::{Machine, Now},
    mask::Mask,
    model::Mode,
    plan::digest,
};
use lifeboat_runtime::{
    clock::whole_micros,
    identity,
    store::{Holder, RunDir, Store, run_id},
};
use std::{path::Path, sync::Arc};

use super::{Failure, Message, Outcome, created, engine, inputs, prepare};
use crate::{args, ui};

/// Runs a runbook.
pub(super) fn run(arguments: &args::Run, mode: Mode) -> Outcome {
    let opened = prepare::open(&arguments.file)?;
    let runbook = prepare::sound(&opened)?;
    let attended = engine::attended(&arguments.engine);
    let values = inputs::values(&runbook, &arguments.inputs, attended)?;
    let plan = Arc::new(prepare::plan(&opened, &runbook, mode, values.bindings)?);

    let files = prepare::files(&opened, &plan)?;

    let now = whole_micros(Timestamp::now());
    let mark = |text: &Option<String>| text.as_deref().map(|text| instant(text, now)).transpose();
    let outage_at = mark(&arguments.outage_at)?;
    let detected_at = mark(&arguments.detected_at)?;
    let declared_at = mark(&arguments.declared_at)?;

    let store = Store::new(&arguments.store.store);
    let run = create(&store, &runbook.metadata.name, now)?;
    let sources = created::sources(&opened);
    let frozen = digest::to_json(&plan);
    let signers = freeze_signers(arguments.allowed_signers.as_deref(), &run)?;
    let plan_bytes = serde_json::to_vec_pretty(&frozen).unwrap_or_default();
    run.freeze(&sources).and_then(|()| run.write_plan(&plan_bytes)).map_err(Failure::evidence)?;

    let created = RunCreated {
        outage_at,
        detected_at,
        declared_at,
        signers,
        ..created::created(&opened, &runbook, &plan, run.id(), &sources, &plan_bytes, &files)
    };
    let targets = prepare::targets(&plan, &created, &values.secrets)?;
    let who = Holder { pid: std::process::id(), host: created.host.clone(), user: created.user.clone() };
    let taken = run.take(&who).map_err(Failure::evidence)?;
    let rto_ms = created.objectives.rto.as_millis();
    introduce(&created, &run);
    let mask = Mask::new(values.secrets.values().cloned());
    let (machine, first) = Machine::new(plan, created, values.secrets, Now { at: now, elapsed_ms: 0 });
    engine::drive(
        engine::Drive {
            machine,
            first,
            plan: Some(frozen),
            log: taken.log,
            run,
            directory: opened.directory.clone(),
            files,
            targets,
            past: Vec::new(),
            mask,
            elapsed_ms: 0,
            torn_bytes: 0,
            rto_ms,
        },
        &arguments.engine,
    )
}

/// Freezes the file that binds people to keys; its digest.
fn freeze_signers(file: Option<&Path>, run: &RunDir) -> Result<Option<String>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let bytes = std::fs::read(file).map_err(|error| {
        Failure::usage(
            Message::new(format!("expected a file of allowed signers at {}, found: {error}", file.display())).help(
                "it has lines such as `alice@example.org ssh-ed25519 AAAA…`; see `man ssh-keygen`, ALLOWED SIGNERS",
            ),
        )
    })?;
    run.write_signers(&bytes).map_err(Failure::evidence)?;
    Ok(Some(chain::digest(&bytes)))
}

fn create(store: &Store, name: &str, now: Timestamp) -> Result<RunDir, Failure> {
    let mut last = None;
    // Two runs of one runbook in the same second differ in their random part, and even that may meet another.
    for _ in 0..8 {
        match RunDir::create(store, &run_id(now, name, identity::random())) {
            Ok(run) => return Ok(run),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) => Failure::evidence(error),
        None => Failure::evidence(Message::new("the store cannot be written")),
    })
}

fn introduce(created: &RunCreated, run: &RunDir) {
    let objectives = created.objectives;
    ui::err(&ui::plain(&format!(
        "{} of {}\n  restores    {}\n  objectives  RTO {}, RPO {}\n  run         {}\n\n",
        match created.mode {
            Mode::Drill => "DRILL",
            Mode::Incident => "INCIDENT RUN",
        },
        created.runbook.title,
        created.runbook.capability,
        objectives.rto,
        objectives.rpo,
        run.id(),
    )));
}

/// A mark: an RFC 3339 time, or so long before now (`-25m`).
fn instant(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let wrong = |why: String| {
        Failure::usage(
            Message::new(format!(
                "expected a time such as 2026-11-21T02:20:28Z, or -25m for so long ago, found `{text}`{why}"
            ))
            .help("nothing was touched"),
        )
    };
    let at = match text.strip_prefix('-') {
        Some(ago) => {
            let ago: lifeboat_core::duration::Duration = ago.parse().map_err(|_| wrong(String::new()))?;
            let ago = jiff::SignedDuration::try_from(ago.as_std()).map_err(|_| wrong(String::new()))?;
            now.checked_sub(ago).map_err(|_| wrong(String::new()))?
        }
        None => text.parse::<Timestamp>().map_err(|_| wrong(String::new()))?,
    };
    if at > now {
        return Err(wrong(", which is in the future".to_owned()));
    }
    Ok(whole_micros(at))
}
