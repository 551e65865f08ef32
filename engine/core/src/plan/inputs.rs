//! Values for inputs: from text to a typed value, and whether it will do.
//!
//! Duty: types, patterns, allowed values, defaults. It must not fetch secrets or ask people.

use std::{fmt::Write as _, sync::Arc};

use indexmap::IndexMap;
use serde_json::Value;

use super::{Binding, nearest::Nearest};
use crate::{
    diagnostic::Diagnostic,
    duration::Duration,
    model::{Input, InputType, Runbook},
    source::{Source, Span},
};

/// The name of a type as it is written.
const fn name(kind: InputType) -> &'static str {
    match kind {
        InputType::String => "string",
        InputType::Integer => "integer",
        InputType::Number => "number",
        InputType::Boolean => "boolean",
        InputType::List => "list",
        InputType::Duration => "duration",
        InputType::Secret => "secret",
    }
}

/// Reads a value for an input from text, as after `--input name=`: a list is split at its commas.
///
/// # Errors
/// What was expected and what was found. Nothing of a secret is in it.
pub fn read(input: &Input, text: &str) -> Result<Value, String> {
    let wrong = || format!("expected {}, found `{text}`", article(input.kind));
    let value = match input.kind {
        InputType::String | InputType::Duration | InputType::Secret => Value::String(text.to_owned()),
        InputType::Integer => Value::from(text.trim().parse::<i64>().map_err(|_| wrong())?),
        InputType::Number => {
            let number: f64 = text.trim().parse().map_err(|_| wrong())?;
            Value::Number(serde_json::Number::from_f64(number).ok_or_else(wrong)?)
        }
        InputType::Boolean => Value::Bool(text.trim().parse().map_err(|_| wrong())?),
        InputType::List if text.trim().is_empty() => Value::Array(Vec::new()),
        InputType::List => text.split(',').map(|element| Value::String(element.trim().to_owned())).collect(),
    };
    check(input, &value)?;
    Ok(value)
}

/// Whether a value will do for an input: its type, its pattern and the allowed values.
///
/// # Errors
/// What was expected and what was found. Nothing of a secret is in it.
pub fn check(input: &Input, value: &Value) -> Result<(), String> {
    let fits = match (input.kind, value) {
        (InputType::String | InputType::Secret, Value::String(_))
        | (InputType::Boolean, Value::Bool(_))
        | (InputType::Number, Value::Number(_)) => true,
        (InputType::Integer, Value::Number(number)) => number.is_i64(),
        (InputType::List, Value::Array(elements)) => elements.iter().all(Value::is_string),
        (InputType::Duration, Value::String(text)) => {
            text.parse::<Duration>().map_err(|error| error.to_string())?;
            true
        }
        _ => false,
    };
    let found = if input.kind == InputType::Secret { String::from("something else") } else { format!("`{value}`") };
    if !fits {
        return Err(format!("expected {}, found {found}", article(input.kind)));
    }
    if let (Some(pattern), Value::String(text)) = (&input.pattern, value) {
        let regex =
            regex::Regex::new(pattern).map_err(|_| format!("expected a pattern, found `{}`", pattern.as_str()))?;
        if !regex.is_match(text) {
            return Err(format!("expected a text that matches `{}`, found {found}", pattern.as_str()));
        }
    }
    if let Some(allowed) = input.allowed.as_ref().filter(|allowed| !allowed.contains(value)) {
        let mut list = String::new();
        for (at, value) in allowed.iter().enumerate() {
            let _ = write!(list, "{}`{value}`", if at == 0 { "" } else { ", " });
        }
        return Err(format!("expected one of {list}, found {found}"));
    }
    Ok(())
}

/// The input of a template that is one input and nothing else: `{{inputs.name}}`.
pub(crate) fn alone(template: &str) -> Option<&str> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
    let name = inner.trim().strip_prefix("inputs.")?;
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')).then_some(name)
}

fn article(kind: InputType) -> String {
    let name = name(kind);
    format!("{} {name}", if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

/// Fills in defaults and tells what is missing, unknown or unfit. `place` is where the values were handed over; without
/// it, they came from outside and findings stand at the declarations.
pub(crate) fn complete(
    runbook: &Runbook,
    declared_in: &Arc<Source>,
    mut given: IndexMap<String, Binding>,
    place: Option<(&Arc<Source>, Span)>,
) -> Result<IndexMap<String, Binding>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut complete = IndexMap::with_capacity(runbook.inputs.len());
    for (name, input) in &runbook.inputs {
        let (source, span) = place.unwrap_or((declared_in, input.span()));
        match given.shift_remove(name) {
            Some(Binding::Value(_)) if input.kind == InputType::Secret => {
                problems.push(
                    Diagnostic::error(
                        "bad-input",
                        source,
                        span,
                        format!(
                            "expected a secret for the secret input `{name}`, found a value that everybody can read"
                        ),
                    )
                    .related(declared_in, input.span(), "declared as a secret here")
                    .help("hand on a secret input of this runbook by its template alone: `{{inputs.name}}`"),
                );
            }
            Some(Binding::Secret(_)) if input.kind != InputType::Secret => {
                problems.push(
                    Diagnostic::error(
                        "secret-misplaced",
                        source,
                        span,
                        format!("expected {} for the input `{name}`, found a secret", article(input.kind)),
                    )
                    .related(declared_in, input.span(), "not declared as a secret here")
                    .help(format!("declare `{name}` as `type: secret` in the included runbook")),
                );
            }
            Some(Binding::Value(value)) => {
                if let Err(message) = check(input, &value) {
                    problems.push(
                        Diagnostic::error("bad-input", source, span, format!("input `{name}`: {message}")).related(
                            declared_in,
                            input.span(),
                            "declared here",
                        ),
                    );
                }
                complete.insert(name.clone(), Binding::Value(value));
            }
            Some(secret @ Binding::Secret(_)) => {
                complete.insert(name.clone(), secret);
            }
            None => {
                if let Some(default) = &input.default {
                    complete.insert(name.clone(), Binding::Value((**default).clone()));
                } else {
                    problems.push(
                        Diagnostic::error(
                            "missing-input",
                            source,
                            span,
                            format!("expected a value for the input `{name}`, found none"),
                        )
                        .related(declared_in, input.span(), "declared here, without a default")
                        .help(match input.kind {
                            InputType::Secret => {
                                format!("hand it on by `{name}: \"{{{{inputs.…}}}}\"` from a secret input")
                            }
                            kind => format!("give it {}, or its declaration a default", article(kind)),
                        }),
                    );
                }
            }
        }
    }
    let names = Nearest::new(runbook.inputs.keys().map(String::as_str));
    for name in given.keys() {
        let (source, span) = place.unwrap_or((declared_in, Span::default()));
        problems.push(unknown(source, span, name, &names));
    }
    if problems.is_empty() { Ok(complete) } else { Err(problems) }
}

/// An input that is not declared.
pub(crate) fn unknown(source: &Arc<Source>, span: Span, name: &str, names: &Nearest<'_>) -> Diagnostic {
    Diagnostic::error(
        "unknown-input",
        source,
        span,
        format!("expected an input that the runbook declares, found `{name}`"),
    )
    .help(names.help(name, "input"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input(yaml: Value) -> Input {
        serde_json::from_value(yaml).unwrap()
    }

    #[test]
    fn reads_by_type() {
        assert_eq!(read(&input(json!({"type": "integer"})), "7"), Ok(json!(7)));
        assert_eq!(read(&input(json!({"type": "list"})), "a, b"), Ok(json!(["a", "b"])));
        assert_eq!(read(&input(json!({"type": "boolean"})), "true"), Ok(json!(true)));
        assert_eq!(
            read(&input(json!({"type": "integer"})), "7x"),
            Err(String::from("expected an integer, found `7x`"))
        );
        assert!(read(&input(json!({"type": "duration"})), "7").is_err());
        assert_eq!(
            read(&input(json!({"type": "string", "enum": ["a", "b"]})), "c"),
            Err(String::from("expected one of `\"a\"`, `\"b\"`, found `\"c\"`"))
        );
    }

    #[test]
    fn a_secret_is_never_repeated() {
        let message = check(&input(json!({"type": "secret"})), &json!(4711)).unwrap_err();
        assert!(!message.contains("4711"), "{message}");
    }
}
