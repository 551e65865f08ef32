//! A run as it stands on the disk, for whoever looks at it without having it.

use std::{path::PathBuf, sync::Arc};

use lifeboat_core::{
    evidence::{
        Event, Record,
        event::{InputRecord, RunCreated},
    },
    machine::{Now, State, fold},
    plan::{Binding, Plan},
};
use lifeboat_runtime::{
    load::Library,
    store::{RunDir, Store, read_log},
};

use super::{Failure, Message, prepare};
use crate::args;

/// A run, its records and what they come to.
pub(super) struct Recorded {
    pub run: RunDir,
    pub records: Vec<Record>,
    pub created: RunCreated,
    pub plan: Arc<Plan>,
    pub state: State,
}

/// The run of that name.
pub(super) fn open(store: &args::Store, name: &str) -> Result<RunDir, Failure> {
    let store = Store::new(&store.store);
    let found = store.find(name).map_err(Failure::usage)?;
    RunDir::open(found.path).map_err(Failure::usage)
}

/// What there is to say of a run whose engine died before its first record.
pub(super) fn without_records(run: &RunDir) -> Failure {
    Failure::usage(
        Message::new(format!("expected the records of the run {}, found none", run.id()))
            .help("its engine died before it wrote the first one, so nothing was touched: start the run anew"),
    )
}

/// Reads all of a run. Secrets are not needed for that.
pub(super) fn load(run: RunDir) -> Result<Recorded, Failure> {
    let records = read_log(&run.log_path()).map_err(Failure::evidence)?;
    let Some(Event::RunCreated(created)) = records.first().map(|record| &record.event) else {
        return Err(without_records(&run));
    };
    let created = (**created).clone();
    let opened = frozen(&run, &created)?;
    let runbook = prepare::sound(&opened)?;
    let binding = |name: &String, record: &InputRecord| match record {
        InputRecord::Value(value) => Binding::Value(value.clone()),
        InputRecord::Secret(_) => Binding::Secret(name.clone()),
    };
    let bindings = created.inputs.iter().map(|(name, record)| (name.clone(), binding(name, record))).collect();
    let plan = Arc::new(prepare::plan(&opened, &runbook, created.mode, bindings)?);
    let now = |record: &Record| Now { at: record.stamp.at, elapsed_ms: record.stamp.elapsed_ms };
    let state = fold(&plan, records.iter().map(|record| (&record.event, now(record))))
        .map_err(|error| Failure::evidence(Message::new(format!("the log does not fit its plan: {error}"))))?;
    Ok(Recorded { run, records, created, plan, state })
}

/// The runbook as it was when the run began.
pub(super) fn frozen(run: &RunDir, created: &RunCreated) -> Result<prepare::Opened, Failure> {
    let library = Library::frozen(&run.runbook());
    let source = library
        .source(&created.runbook.path)
        .map_err(|error| Failure::evidence(Message::new(format!("the frozen runbook cannot be read: {error}"))))?;
    Ok(prepare::Opened {
        library,
        parsed: lifeboat_core::model::parse::parse(source),
        directory: PathBuf::from(&created.directory),
        name: created.runbook.path.clone(),
    })
}
