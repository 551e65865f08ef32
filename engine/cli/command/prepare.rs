//! From a file and arguments to a plan: reading, linting, inputs.

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
        Input, InputType, Mode, Runbook,
        parse::{self, Parsed},
        yaml,
    },
    notify,
    plan::{self, Binding, Loaded, Plan, Request, inputs},
};
use lifeboat_runtime::{
    files::Files,
    load::Library,
    preflight::Wanted,
    process::{self, Filters},
};
use serde_json::Value;
use std::sync::Arc;

use super::{Failure, Message};
use crate::{args, ui};

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

/// Values of inputs: those for the plan, and the secrets.
pub(super) struct Values {
    pub bindings: IndexMap<String, Binding>,
    pub secrets: IndexMap<String, String>,
}

/// Takes the inputs from the command line, a file, the environment, and a person.
pub(super) fn values(runbook: &Runbook, arguments: &args::Inputs, attended: bool) -> Result<Values, Failure> {
    let mut values = Values { bindings: IndexMap::new(), secrets: IndexMap::new() };
    let mut problems = Vec::new();
    if let Some(file) = &arguments.inputs {
        match from_file(runbook, file) {
            Ok(found) => values.bindings.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    for given in &arguments.input {
        match from_argument(runbook, given) {
            Ok((name, value)) => {
                values.bindings.insert(name, Binding::Value(value));
            }
            Err(problem) => problems.push(problem),
        }
    }
    for (name, input) in &runbook.inputs {
        if input.kind == InputType::Secret {
            match secret(name, input, attended) {
                Ok(value) => {
                    values.secrets.insert(name.clone(), value);
                    values.bindings.insert(name.clone(), Binding::Secret(name.clone()));
                }
                Err(problem) => problems.push(problem),
            }
        } else if !values.bindings.contains_key(name) && input.default.is_none() {
            match ask(name, input, attended) {
                Ok(value) => {
                    values.bindings.insert(name.clone(), Binding::Value(value));
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    if problems.is_empty() {
        return Ok(values);
    }
    Err(Failure::usage(
        Message::new(problems.join("\n"))
            .help("give inputs by `--input name=value` or `--inputs FILE`; nothing was touched"),
    ))
}

/// Inputs as far as they are known, for `plan`: a secret needs no value there.
pub(super) fn known(runbook: &Runbook, arguments: &args::Inputs) -> Result<IndexMap<String, Binding>, Failure> {
    let mut bindings = IndexMap::new();
    let mut problems = Vec::new();
    if let Some(file) = &arguments.inputs {
        match from_file(runbook, file) {
            Ok(found) => bindings.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    for given in &arguments.input {
        match from_argument(runbook, given) {
            Ok((name, value)) => {
                bindings.insert(name, Binding::Value(value));
            }
            Err(problem) => problems.push(problem),
        }
    }
    for (name, input) in &runbook.inputs {
        if input.kind == InputType::Secret {
            bindings.insert(name.clone(), Binding::Secret(name.clone()));
        }
    }
    if problems.is_empty() { Ok(bindings) } else { Err(Failure::usage(Message::new(problems.join("\n")))) }
}

fn declared<'a>(runbook: &'a Runbook, name: &str) -> Result<&'a Input, String> {
    match runbook.inputs.get(name) {
        Some(input) if input.kind == InputType::Secret => Err(format!(
            "expected the secret `{name}` from where its `from` says, found it among the inputs: what is on a command \
             line or in a file can be read by others"
        )),
        Some(input) => Ok(input),
        None => {
            let names: Vec<&str> = runbook.inputs.keys().map(String::as_str).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Err(format!("expected an input of the runbook ({known}), found `{name}`"))
        }
    }
}

fn from_argument(runbook: &Runbook, given: &str) -> Result<(String, Value), String> {
    let (name, text) =
        given.split_once('=').ok_or_else(|| format!("expected `--input name=value`, found `{given}`"))?;
    let input = declared(runbook, name)?;
    let value = inputs::read(input, text).map_err(|problem| format!("input `{name}`: {problem}"))?;
    Ok((name.to_owned(), value))
}

fn from_file(runbook: &Runbook, file: &Path) -> Result<IndexMap<String, Binding>, Vec<String>> {
    let shown = file.display().to_string();
    let source = lifeboat_runtime::load::read(file, &shown).map_err(|error| vec![error.to_string()])?;
    let (root, found) = yaml::parse(&source);
    if let Some(problem) = found.first() {
        let at = source.position(problem.span.start);
        return Err(vec![format!("{shown}:{}:{}: {}", at.line, at.column, problem.message)]);
    }
    let Some(yaml::NodeKind::Mapping(entries)) = root.as_ref().map(|root| &root.kind) else {
        return Err(vec![format!("expected a mapping of input names to values in `{shown}`, found something else")]);
    };
    let mut bindings = IndexMap::new();
    let mut problems = Vec::new();
    for (name, entry) in entries {
        let node = &entry.value;
        let at = source.position(node.span.start);
        let value = declared(runbook, name).and_then(|input| match &node.kind {
            yaml::NodeKind::Scalar { text, .. } => inputs::read(input, text),
            yaml::NodeKind::Sequence(items) => {
                let list: Option<Vec<Value>> = items
                    .iter()
                    .map(|item| match &item.kind {
                        yaml::NodeKind::Scalar { text, .. } => Some(Value::from(text.as_str())),
                        _ => None,
                    })
                    .collect();
                let list = Value::Array(list.ok_or("expected a list of strings, found something deeper")?);
                inputs::check(input, &list).map(|()| list)
            }
            yaml::NodeKind::Mapping(_) | yaml::NodeKind::Broken => Err("expected a value, found a mapping".to_owned()),
        });
        match value {
            Ok(value) => {
                bindings.insert(name.clone(), Binding::Value(value));
            }
            Err(problem) => problems.push(format!("{shown}:{}: input `{name}`: {problem}", at.line)),
        }
    }
    if problems.is_empty() { Ok(bindings) } else { Err(problems) }
}

fn ask(name: &str, input: &Input, attended: bool) -> Result<Value, String> {
    let about = input.description.as_deref().unwrap_or("");
    if !attended {
        return Err(format!("expected a value for the input `{name}`, found none{}", bracket(about)));
    }
    loop {
        ui::err(&format!("input {name}{}: ", bracket(about)));
        let text = ui::prompt::line().ok_or_else(|| format!("expected a value for the input `{name}`, found none"))?;
        match inputs::read(input, &text) {
            Ok(value) => return Ok(value),
            Err(problem) => ui::err(&format!("{problem}\n")),
        }
    }
}

fn bracket(about: &str) -> String {
    if about.is_empty() { String::new() } else { format!(" ({about})") }
}

/// The value of a secret input.
pub(super) fn secret(name: &str, input: &Input, attended: bool) -> Result<String, String> {
    let from = input.from.as_deref();
    let value = match (from.and_then(|from| from.env.as_ref()), from.and_then(|from| from.file.as_ref())) {
        (Some(variable), _) => std::env::var(variable).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
            format!("expected the secret `{name}` in the environment variable {variable}, found nothing")
        }),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map(|text| text.strip_suffix('\n').map_or(text.as_str(), |text| text.trim_end_matches('\r')).to_owned())
            .map_err(|error| format!("expected the secret `{name}` in the file {file}, found: {error}")),
        (None, None) if attended => dialoguer::Password::new()
            .with_prompt(format!("secret {name}{}", bracket(input.description.as_deref().unwrap_or(""))))
            .interact()
            .map_err(|error| format!("expected the secret `{name}` from the terminal, found: {error}")),
        (None, None) => {
            Err(format!("expected `from: {{env: …}}` or a terminal for the secret `{name}`, found neither"))
        }
    }?;
    inputs::check(input, &Value::from(value.as_str()))?;
    if Mask::too_short(&value) {
        return Err(format!(
            "expected at least 4 characters in the secret `{name}`, found fewer: a shorter one cannot be masked in outputs"
        ));
    }
    Ok(value)
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
