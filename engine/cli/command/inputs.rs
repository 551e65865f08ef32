//! Where the values of inputs come from: arguments, a file, the environment, a person.
//!
//! Duty: to take them all in, and to tell all that is wrong at once. What a value may be is core's.

use std::{collections::BTreeSet, path::Path};

use indexmap::IndexMap;
use lifeboat_core::{
    mask::Mask,
    model::{Input, InputType, Runbook, yaml},
    plan::{Binding, inputs},
};
use lifeboat_runtime::load;
use serde_json::Value;

use super::{Failure, Message};
use crate::{args, ui};

/// Values of inputs: those for the plan, and the secrets.
pub(super) struct Values {
    pub bindings: IndexMap<String, Binding>,
    pub secrets: IndexMap<String, String>,
}

/// Takes the inputs from the command line, a file, the environment, and a person.
pub(super) fn values(runbook: &Runbook, arguments: &args::Inputs, attended: bool) -> Result<Values, Failure> {
    let Given { bindings, wrong, mut problems } = given(runbook, arguments)?;
    // Nobody wants to answer five questions and be told then that the first value was wrong.
    if attended && !problems.is_empty() {
        return Err(failure(&problems));
    }
    let mut values = Values { bindings, secrets: IndexMap::new() };
    for (name, input) in &runbook.inputs {
        if input.kind == InputType::Secret {
            match secret(name, input, attended) {
                Ok(value) => {
                    values.secrets.insert(name.clone(), value);
                    values.bindings.insert(name.clone(), Binding::Secret(name.clone()));
                }
                Err(problem) => problems.push(problem),
            }
        } else if !values.bindings.contains_key(name) && !wrong.contains(name) && input.default.is_none() {
            match ask(name, input, attended) {
                Ok(value) => {
                    values.bindings.insert(name.clone(), Binding::Value(value));
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(failure(&problems)) }
}

/// Inputs as far as they are known, for `plan`: a secret needs no value there.
pub(super) fn known(runbook: &Runbook, arguments: &args::Inputs) -> Result<IndexMap<String, Binding>, Failure> {
    let Given { mut bindings, problems, .. } = given(runbook, arguments)?;
    let secrets = runbook.inputs.iter().filter(|(_, input)| input.kind == InputType::Secret);
    bindings.extend(secrets.map(|(name, _)| (name.clone(), Binding::Secret(name.clone()))));
    if problems.is_empty() { Ok(bindings) } else { Err(failure(&problems)) }
}

fn failure(problems: &[String]) -> Failure {
    Failure::usage(
        Message::new(problems.join("\n"))
            .help("give inputs by `--input name=value` or `--inputs FILE`; nothing was touched"),
    )
}

/// What the call gives.
#[derive(Default)]
struct Given {
    bindings: IndexMap<String, Binding>,
    /// The inputs that got a value which cannot be theirs: they are not missing.
    wrong: BTreeSet<String>,
    problems: Vec<String>,
}

impl Given {
    fn take(&mut self, name: &str, value: Result<Value, String>, place: &str) {
        match value {
            Ok(value) => {
                self.bindings.insert(name.to_owned(), Binding::Value(value));
            }
            Err(problem) => {
                self.wrong.insert(name.to_owned());
                self.problems.push(format!("{place}input `{name}`: {problem}"));
            }
        }
    }
}

/// What the file has, and then the arguments, which come before it.
fn given(runbook: &Runbook, arguments: &args::Inputs) -> Result<Given, Failure> {
    let mut given = Given::default();
    if let Some(file) = &arguments.inputs {
        // What would have been in it nobody knows, so nothing is said to be missing.
        from_file(runbook, file, &mut given).map_err(|problem| failure(&[problem]))?;
    }
    for text in &arguments.input {
        let Some((name, value)) = text.split_once('=') else {
            given.problems.push(format!("expected `--input name=value`, found `{text}`"));
            continue;
        };
        match declared(runbook, name) {
            Ok(input) => given.take(name, inputs::read(input, value), ""),
            Err(problem) => given.problems.push(problem),
        }
    }
    Ok(given)
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

fn from_file(runbook: &Runbook, file: &Path, given: &mut Given) -> Result<(), String> {
    let shown = file.display().to_string();
    let source = load::read(file, &shown).map_err(|error| error.to_string())?;
    let (root, found) = yaml::parse(&source);
    if let Some(problem) = found.first() {
        let at = source.position(problem.span.start);
        return Err(format!("{shown}:{}:{}: {}", at.line, at.column, problem.message));
    }
    let Some(yaml::NodeKind::Mapping(entries)) = root.as_ref().map(|root| &root.kind) else {
        return Err(format!("expected a mapping of input names to values in `{shown}`, found something else"));
    };
    for (name, entry) in entries {
        let place = format!("{shown}:{}: ", source.position(entry.value.span.start).line);
        match declared(runbook, name) {
            Ok(input) => given.take(name, read(input, &entry.value), &place),
            Err(problem) => given.problems.push(format!("{place}{problem}")),
        }
    }
    Ok(())
}

/// A value as it stands in a file.
fn read(input: &Input, node: &yaml::Node) -> Result<Value, String> {
    match &node.kind {
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
    }
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
