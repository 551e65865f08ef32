//! From a file to a plan: reading, linting, expanding, and what a run needs around it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use lifeboat_core::{
    diagnostic::Diagnostic,
    evidence::event::RunCreated,
    lint,
    mask::{Mask, StreamMask},
    model::{
        Mode, Runbook,
        parse::{self, Parsed},
    },
    notify,
    plan::{self, Binding, Loaded, Plan, Request},
};
use lifeboat_runtime::{
    files::Files,
    load::Library,
    preflight::Wanted,
    process::{self, Filters},
};
use std::sync::Arc;

use super::{Failure, Message};
use crate::ui;

/// A runbook that was read, with everything around it.
pub(super) struct Opened {
    pub library: Library,
    pub parsed: Parsed,
    pub directory: PathBuf,
    pub name: String,
}

/// Reads a runbook.
pub(super) fn open(file: &Path) -> Result<Opened, Failure> {
    let shown = file.parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(name) = file.file_name().map(|name| name.to_string_lossy().into_owned()) else {
        return Err(Failure::usage(Message::new(format!("expected a runbook, found `{}`", file.display()))));
    };
    let parent = if shown.is_empty() { Path::new(".") } else { Path::new(&shown) };
    let directory = std::path::absolute(parent).unwrap_or_else(|_| parent.to_owned());
    let library = Library::on_disk(&directory, &shown);
    let source = library.source(&name).map_err(|error| {
        Failure::usage(Message::new(error.to_string()).help("give the path of a runbook, a YAML file"))
    })?;
    let parsed = parse::parse(source);
    Ok(Opened { library, parsed, directory, name })
}

/// The runbook, when it has no errors. Errors are told on the spot; warnings are for `lint`.
pub(super) fn sound(opened: &Opened) -> Result<Arc<Runbook>, Failure> {
    let mut errors = opened.parsed.diagnostics.clone();
    errors.retain(lint::stops_a_run);
    let resolve = |directory: &str, path: &str| opened.library.resolve(directory, path);
    errors.extend(lint::before_a_run(&opened.parsed, &resolve));
    errors.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    match (&opened.parsed.runbook, errors.is_empty()) {
        (Some(runbook), true) => Ok(Arc::new(runbook.clone())),
        _ => Err(broken(&errors)),
    }
}

fn broken(errors: &[Diagnostic]) -> Failure {
    for error in errors {
        ui::err(&ui::diagnostics::text(error));
    }
    Failure::usage(
        Message::new(format!("{}: nothing was touched", ui::diagnostics::tally(errors, 1)))
            .help("mend the runbook; `lifeboat lint` shows the same findings, unless it is told to leave some out"),
    )
}

/// Who is told what.
pub(super) fn targets(
    plan: &Plan,
    created: &RunCreated,
    secrets: &IndexMap<String, String>,
) -> Result<Vec<notify::Target>, Failure> {
    notify::targets(plan, created, secrets).map_err(|error| {
        Failure::usage(
            Message::new(format!("whom to notify cannot be told: {error}")).help("mend `notify` in the runbook"),
        )
    })
}

/// Expands the runbook.
pub(super) fn plan(
    opened: &Opened,
    runbook: &Arc<Runbook>,
    mode: Mode,
    bindings: IndexMap<String, Binding>,
) -> Result<Plan, Failure> {
    let resolve = |directory: &str, path: &str| -> Result<Arc<Loaded>, plan::Unreadable> {
        opened.library.resolve(directory, path)
    };
    let request = Request {
        runbook: Arc::clone(runbook),
        source: Arc::clone(&opened.parsed.source),
        mode,
        inputs: bindings,
        resolve: &resolve,
    };
    plan::build(request).map_err(|errors| broken(&errors))
}

/// The files that the runbook says its steps use, digested.
pub(super) fn files(opened: &Opened, plan: &Plan) -> Result<Files, Failure> {
    let below = |directory: &str, file: &str| match directory {
        "" => file.to_owned(),
        directory => format!("{directory}/{file}"),
    };
    let of_scopes = plan.scopes.iter();
    let patterns: Vec<String> =
        of_scopes.flat_map(|scope| scope.runbook.files.iter().map(|file| below(&scope.directory, file))).collect();
    Files::digest(&opened.directory, &patterns)
        .map_err(|error| Failure::usage(Message::new(format!("the runbook's `files` cannot be read: {error}"))))
}

/// What the plan wants of this machine, and the environment that its processes get.
pub(super) fn wanted(plan: &Plan) -> (Wanted, BTreeMap<String, String>) {
    let variables: Vec<String> = plan.scopes.iter().flat_map(|scope| scope.runbook.requires.env.clone()).collect();
    let tools = plan
        .scopes
        .iter()
        .flat_map(|scope| &scope.runbook.requires.tools)
        .map(|(name, requirement)| (name.clone(), (**requirement).clone()))
        .collect();
    let environment = process::base_environment(
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        &variables,
    );
    (Wanted { tools, variables }, environment)
}

/// Takes secrets out of what processes print.
pub(super) fn filter(mask: &Mask) -> Filters {
    let mask = mask.clone();
    Arc::new(move || Box::new(Filter(mask.stream())))
}

/// Core's mask, as the runtime wants it.
struct Filter(StreamMask);

impl process::ByteFilter for Filter {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.push(bytes, out);
    }
    fn finish(&mut self, out: &mut Vec<u8>) {
        self.0.finish(out);
    }
}
