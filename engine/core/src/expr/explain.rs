//! What went wrong, for people.
//!
//! Duty: the crate's errors in words, with the value that was in the way. It must not decide what is an error.

use cel::{ExecutionError, ParseErrors, Value as Cel};
use serde_json::Value;

use crate::scope::{Problem, Reference, Scope};

const SHORT: usize = 60;

/// At most sixty characters of it, on one line.
pub(super) fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHORT {
        return line;
    }
    line.chars().take(SHORT - 1).chain(['…']).collect()
}

/// A value, shortened.
pub(super) fn json(value: &Value) -> String {
    match value {
        // A long text must not be written out only to be cut off.
        Value::String(text) => short(&Value::String(text.chars().take(SHORT).collect()).to_string()),
        Value::Array(items) if items.len() > SHORT => format!("a list of {} items", items.len()),
        Value::Object(fields) if fields.len() > SHORT => format!("a map of {} keys", fields.len()),
        other => short(&other.to_string()),
    }
}

fn cel(value: &Cel) -> String {
    super::to_json(value, 0).map_or_else(|_| format!("a {}", value.type_of()), |value| json(&value))
}

pub(super) fn syntax(text: &str, errors: &ParseErrors) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    // A letter that CEL does not know makes everything behind it look wrong.
    let unread = errors.errors.iter().any(|error| error.msg.contains("token recognition error"));
    for error in &errors.errors {
        let recognition = error.msg.contains("token recognition error");
        if error.msg.starts_with("Incomplete ") || (unread && !recognition) {
            continue;
        }
        let start = offset(text, error.pos);
        let (message, help) = words(&error.msg);
        let length = super::size::token(text, start).map_or(1, |token| token.length);
        let range = start..(start + length).min(text.len());
        if problems.iter().all(|problem| problem.range != range) {
            problems.push(Problem { message, range, help });
        }
    }
    if problems.is_empty() {
        let message = "this is not a CEL expression".to_owned();
        problems.push(Problem { message, range: 0..text.len(), help: None });
    }
    problems
}

/// Lines and columns count from 1, and columns in characters.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let start = match line {
        1 => 0,
        _ => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(at, _)| at + 1),
    };
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(at, _)| at)
}

fn words(message: &str) -> (String, Option<String>) {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let found = |text: &str| match text.trim() {
        "<EOF>" => "the end".to_owned(),
        other => format!("`{other}`"),
    };
    let quoted = |rest: &str| rest.trim().trim_start_matches('\'').trim_end_matches('\'').to_owned();
    if let Some(rest) = message.strip_prefix("token recognition error at: ") {
        let what = quoted(rest);
        let help = match what.trim().chars().next() {
            Some('=') => Some("to compare, write `==`".to_owned()),
            Some('&') => Some("write `&&`".to_owned()),
            Some('|') => Some("write `||`".to_owned()),
            Some(letter) if !letter.is_ascii() => Some("put text in quotes".to_owned()),
            _ => None,
        };
        return (format!("CEL has no {}", found(&what)), help);
    }
    for start in ["mismatched input ", "extraneous input "] {
        if let Some((what, expected)) = message.strip_prefix(start).and_then(|rest| rest.split_once(" expecting ")) {
            let expected = match expected {
                set if set.contains("IDENTIFIER") => "a value".to_owned(),
                "<EOF>" => "an operator or the end".to_owned(),
                set if set.contains("'=='") => "an operator".to_owned(),
                set => set.trim_matches(['{', '}']).replace('\'', "`"),
            };
            let what = quoted(what);
            // `30m` is read as the number 30 and the name `m`.
            let unit = matches!(what.as_str(), "ms" | "s" | "m" | "h" | "d");
            let help = unit.then(|| "a length of time is written `duration('1h30m')`".to_owned());
            return (format!("expected {expected}, found {}", found(&what)), help);
        }
    }
    if let Some((what, at)) = message.strip_prefix("missing ").and_then(|rest| rest.split_once(" at ")) {
        return (format!("expected {}, found {}", found(&quoted(what)), found(&quoted(at))), None);
    }
    if let Some(what) = message.strip_prefix("no viable alternative at input ") {
        let help = "a field whose name is a word of CEL, or has a sign in it, is written `x['name']`";
        return (format!("CEL cannot read {}", found(&quoted(what))), Some(help.to_owned()));
    }
    if let Some(name) = message.strip_prefix("reserved identifier: ") {
        return (format!("`{name}` is a word of CEL, not a name"), None);
    }
    match message {
        "argument must be a simple name" => {
            ("expected the name of a variable".to_owned(), Some("for example `list.all(x, x > 0)`".to_owned()))
        }
        "invalid argument to has() macro" => (
            "expected a field such as `has(json.count)`".to_owned(),
            Some("for a key, write `'key' in map`".to_owned()),
        ),
        "unsupported syntax '.?'" | "unsupported syntax '?'" | "unsupported syntax '[?'" => {
            ("there are no optional fields".to_owned(), Some("write `has(x.y) ? x.y : 0`".to_owned()))
        }
        other => (short(other), None),
    }
}

pub(super) fn execution(text: &str, error: &ExecutionError, references: &[Reference], scope: &Scope) -> String {
    let note = note(error, references, scope);
    format!("`{}`: {}{note}", short(text), reason(error))
}

fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{}`", short(key)),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{}`", short(name)),
        ExecutionError::NoSuchOverload(overload) => {
            let types: Vec<String> = overload.argument_types().iter().map(|name| type_name(name)).collect();
            match (overload.function(), types.as_slice()) {
                ("_._", [target, ..]) => format!("expected a map, found {target}"),
                ("_[_]", [target, index]) => format!("{target} cannot be indexed by {index}"),
                ("_?_:_", [condition, ..]) => format!("expected true or false before `?`, found {condition}"),
                (function, types) => format!("`{}` cannot take {}", operator(function), types.join(" and ")),
            }
        }
        ExecutionError::UnexpectedType { got, want } => {
            let want = match want.as_str() {
                "bool" => "true or false".to_owned(),
                "iterable" => "a list or a map".to_owned(),
                other => type_name(other),
            };
            format!("expected {want}, found {}", type_name(got))
        }
        ExecutionError::UnsupportedBinaryOperator(name, a, b) => {
            let hint = match (a, b) {
                (Cel::Float(_), Cel::Int(_) | Cel::UInt(_)) | (Cel::Int(_) | Cel::UInt(_), Cel::Float(_)) => {
                    "; write `double(x)` around the whole number"
                }
                _ => "",
            };
            format!("`{}` cannot take {} and {}{hint}", operator(name), cel(a), cel(b))
        }
        ExecutionError::ValuesNotComparable(a, b) => format!("{} cannot be compared to {}", cel(a), cel(b)),
        ExecutionError::UnsupportedIndex(index, target) => {
            format!("{} cannot be indexed by {}", cel(target), cel(index))
        }
        ExecutionError::UnsupportedKeyType(key) => format!("{} cannot be a key", cel(key)),
        ExecutionError::UnsupportedTargetType { target } => format!("this cannot be called on {}", cel(target)),
        ExecutionError::NotSupportedAsMethod { method, target } => {
            format!("`{method}` cannot be called on {}", cel(target))
        }
        ExecutionError::DivisionByZero(a) => format!("{} is divided by zero", cel(a)),
        ExecutionError::RemainderByZero(a) => format!("{} has no remainder by zero", cel(a)),
        ExecutionError::Overflow("negate", a, _) => format!("-({}) is too large a number", cel(a)),
        ExecutionError::Overflow(name, a, b) => format!("{} {} {} is out of range", cel(a), operator(name), cel(b)),
        ExecutionError::IndexOutOfBounds(index) => format!("the list has no item {}", cel(index)),
        ExecutionError::DuplicateKey(key) => format!("the key {} is there twice", cel(key)),
        ExecutionError::FunctionError { function, message } => {
            let message = match function.as_str() {
                "duration" => "expected a length of time such as `90s` or `1h30m`".to_owned(),
                "timestamp" => "expected a time such as `2026-01-31T12:00:00Z`".to_owned(),
                _ => message.split_whitespace().collect::<Vec<_>>().join(" "),
            };
            format!("`{function}`: {message}")
        }
        other => short(&other.to_string()),
    }
}

fn type_name(name: &str) -> String {
    match name {
        "null_type" | "null" => "null",
        "bool" => "a bool",
        "int" => "an int",
        "uint" => "a uint",
        "double" => "a double",
        "string" => "a string",
        "bytes" => "bytes",
        "list" => "a list",
        "map" => "a map",
        "google.protobuf.Duration" => "a duration",
        "google.protobuf.Timestamp" => "a timestamp",
        other => other,
    }
    .to_owned()
}

fn operator(name: &str) -> &str {
    match name {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        other => other.trim_matches(['_', '@']),
    }
}

/// The path that is in the way: one that is not there when something is missing, one that is null otherwise.
fn note(error: &ExecutionError, references: &[Reference], scope: &Scope) -> String {
    let missing = match error {
        ExecutionError::NoSuchKey(name) | ExecutionError::UndeclaredReference(name) => Some(name.as_str()),
        _ => None,
    };
    for reference in references {
        let (before, found) = resolve(&reference.path, scope);
        let path = reference.path.get(..=before).unwrap_or(&reference.path).join(".");
        match (found, missing) {
            (Found::Nothing(keys), Some(name)) if reference.path.get(before).is_some_and(|last| last == name) => {
                let owner = reference.path.get(..before).unwrap_or_default().join(".");
                let (known, more) = keys.split_at_checked(8).unwrap_or((&keys, &[]));
                let known = known.iter().map(|key| format!("`{}`", short(key))).collect::<Vec<_>>().join(", ");
                let more = if more.is_empty() { "" } else { ", …" };
                return match (owner.as_str(), known.as_str()) {
                    ("", _) => String::new(),
                    (owner, "") => format!(" in `{owner}`, which is empty"),
                    (owner, known) => format!(" in `{owner}`, which has {known}{more}"),
                };
            }
            (Found::Null, None) => return format!("; `{path}` is null"),
            _ => {}
        }
    }
    String::new()
}

enum Found {
    Null,
    /// The keys that there are instead.
    Nothing(Vec<String>),
    Something,
}

/// How many names of the path were passed, and what was there.
fn resolve(path: &[String], scope: &Scope) -> (usize, Found) {
    let Some((root, rest)) = path.split_first() else { return (0, Found::Something) };
    if root == "clock" && !scope.names.contains_key("clock") {
        let null = match rest.first().map(String::as_str) {
            Some("sinceOutage") => scope.clock.since_outage.is_none(),
            Some("sinceDeclared") => scope.clock.since_declared.is_none(),
            Some("elapsed") => scope.clock.elapsed.is_none(),
            Some(_) => {
                let keys = ["sinceOutage", "sinceDeclared", "elapsed"];
                return (1, Found::Nothing(keys.map(str::to_owned).to_vec()));
            }
            None => false,
        };
        return (1, if null { Found::Null } else { Found::Something });
    }
    let Some(mut value) = scope.names.get(root) else { return (0, Found::Nothing(Vec::new())) };
    for (at, name) in rest.iter().enumerate() {
        match value {
            Value::Object(fields) => match fields.get(name) {
                Some(field) => value = field,
                None => return (at + 1, Found::Nothing(fields.keys().cloned().collect())),
            },
            Value::Null => return (at, Found::Null),
            _ => return (at, Found::Something),
        }
    }
    (rest.len(), if value.is_null() { Found::Null } else { Found::Something })
}
