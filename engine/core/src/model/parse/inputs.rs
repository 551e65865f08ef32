//! What must hold inside one input, and the values in it as its type reads them.
//!
//! Duty: an input by itself. Values that come from outside are checked by whoever takes them.

use serde_json::{Number, Value};

use super::{
    Mapping, Node, NodeKind, Route, Segment,
    error::Meant,
    meant, names,
    steps::{at_most_one, regex},
    tolerant::{Decoder, heading},
};
use crate::{
    duration::Duration,
    model::{Input, InputType, yaml::Core},
    source::Spanned,
};

const SOURCES: [&str; 2] = ["env", "file"];

/// Checks an input. Its `default` and `enum` are read again, now by its type: `1.10` is that very text in a string.
pub(super) fn check(decoder: &mut Decoder<'_>, route: &Route, node: &Node, input: Spanned<Input>) -> Spanned<Input> {
    if let Some(Segment::Key(name)) = route.segments().last() {
        let place = heading(decoder.source, decoder.root, route);
        names::name(decoder, place, "the name of an input", name);
    }
    let Some(mapping) = node.as_mapping() else { return input };
    let span = input.span();
    let mut input = input.into_inner();
    source(decoder, mapping, route, &input);
    if let Some(pattern) = &input.pattern {
        regex(decoder, pattern);
    }
    // Without a type nothing more can be said.
    if decoder.damaged.covers(&route.key("type")) {
        return Spanned::new(input, span);
    }
    let secret = input.kind == InputType::Secret;
    let misplaced = [
        (
            "pattern",
            input.kind != InputType::String,
            "only a string has a pattern: remove it, or make the input a `string`",
        ),
        ("from", !secret, "only a secret says where it comes from: remove it, or make the input a `secret`"),
        ("default", secret, "a secret must not stand in a file: remove it, and say by `from` where it comes from"),
        ("enum", secret, "a secret must not stand in a file: remove it"),
    ];
    for (key, wrong, help) in misplaced {
        if let (true, Some(entry)) = (wrong, mapping.get(key)) {
            let message = format!("expected a key of an input of type `{}`, found `{key}`", name(input.kind));
            decoder.error("not-for-this-type", entry.key, message, help);
        }
    }
    if secret {
        return Spanned::new(input, span);
    }
    if let (Some(old), Some(entry)) = (&input.default, mapping.get("default")) {
        let place = old.span();
        input.default = value(&entry.value, input.kind).map(|new| Spanned::new(new, place));
        if input.default.is_none() {
            wrong(decoder, &route.key("default"), &entry.value, input.kind);
        }
    }
    if let (Some(old), Some(items)) =
        (&mut input.allowed, mapping.get("enum").and_then(|entry| entry.value.as_sequence()))
    {
        old.clear();
        for (index, item) in items.iter().enumerate() {
            match value(item, input.kind) {
                Some(new) => old.push(new),
                None => wrong(decoder, &route.key("enum").index(index), item, input.kind),
            }
        }
    }
    Spanned::new(input, span)
}

fn source(decoder: &mut Decoder<'_>, mapping: &Mapping, route: &Route, input: &Input) {
    let route = route.key("from");
    let (Some(entry), Some(from)) = (mapping.get("from"), &input.from) else { return };
    let Some(sources) = entry.value.as_mapping() else { return };
    let number = at_most_one(decoder, sources, &SOURCES, "two-sources", "source of a secret");
    if number == 0 && !decoder.is_odd(&route) {
        let message = format!("expected a source in `{route}`, found none");
        decoder.error("empty-source", entry.key, message, format!("add one of {}", SOURCES.join(", ")));
    }
    if let (Some(name), Some(variable)) = (&from.env, sources.get("env")) {
        names::variable(decoder, variable.value.span, name);
    }
}

/// A value as an input's type reads it; `None` when it is of another type.
fn value(node: &Node, kind: InputType) -> Option<Value> {
    let text = || match node.core()? {
        Core::Null => None,
        _ => node.as_text().map(str::to_owned),
    };
    match (kind, node.core()) {
        (InputType::String | InputType::Secret, _) => text().map(Value::String),
        (InputType::Duration, _) => text().filter(|text| text.parse::<Duration>().is_ok()).map(Value::String),
        (InputType::Boolean, Some(Core::Bool(value))) => Some(Value::Bool(value)),
        (InputType::Integer, Some(Core::Int(number))) => i64::try_from(number).ok().map(Value::from),
        // One that has no 64 bits is a number all the same.
        (InputType::Number, Some(Core::Int(number))) => Some(
            i64::try_from(number)
                .map_or_else(|_| number.to_string().parse::<f64>().unwrap_or(f64::NAN).into(), Value::from),
        ),
        (InputType::Number, Some(Core::Float(number))) => Number::from_f64(number).map(Value::Number),
        (InputType::List, None) => {
            let items = node.as_sequence()?.iter().map(|item| value(item, InputType::String));
            items.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        _ => None,
    }
}

fn wrong(decoder: &mut Decoder<'_>, route: &Route, node: &Node, kind: InputType) {
    // The model cannot hold it, and what could not be read has been told.
    let told = decoder.damaged.covers(route) || node.kind == NodeKind::Broken;
    decoder.damaged.add(route);
    if told {
        return;
    }
    let expected = match kind {
        InputType::String | InputType::Secret => "a text",
        InputType::Integer => "a whole number of at most 64 bits",
        InputType::Number => "a number",
        InputType::Boolean => "`true` or `false`",
        InputType::List => "a list of texts",
        InputType::Duration => "a time such as `15m`",
    };
    let quoted = matches!(&node.kind, NodeKind::Scalar { text, plain: false }
        if value(&Node { kind: NodeKind::Scalar { text: text.clone(), plain: true }, span: node.span }, kind).is_some());
    let found = match &node.kind {
        NodeKind::Scalar { text, .. } => format!("`{}`", text.chars().take(60).collect::<String>()),
        NodeKind::Sequence(_) => "a list".to_owned(),
        NodeKind::Mapping(_) | NodeKind::Broken => "a mapping".to_owned(),
    };
    let help = if quoted { "remove the quotes" } else { "change the value, or the input's `type`" };
    decoder.error("wrong-type", node.span, format!("expected {expected}, found {found}"), help);
    if quoted {
        decoder.offer(meant::value(&decoder.editor, node, route, Meant::WithoutQuotes));
    }
}

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
