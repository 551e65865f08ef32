//! What must hold inside one guard and what its type cannot say.
//!
//! Duty: one criterion, a name of its own, a check that can be repeated without a person. It must not look at steps.

use std::collections::HashMap;

use super::{
    Mapping, Node, Route, steps,
    tolerant::{Decoder, heading},
};

/// What a check can have and a guard has in a way of its own.
const NOT_IN_GUARD: [(&str, &str); 6] = [
    ("name", "the guard has a name"),
    ("within", "use `failures` and `for` of the guard"),
    ("every", "use `every` of the guard"),
    ("holds", "use `failures` and `for` of the guard"),
    ("mustFailFirst", "a guard has no negative control"),
    ("ask", "a guard is looked at again and again, with nobody to answer: use another kind of check"),
];

/// The guards of a runbook.
pub(super) fn check(decoder: &mut Decoder<'_>, top: &Mapping) {
    let list = Route::new().key("guards");
    let mut names = HashMap::new();
    let nodes = top.get("guards").and_then(|entry| entry.value.as_sequence()).unwrap_or_default();
    for (index, node) in nodes.iter().enumerate() {
        let route = list.index(index);
        let Some(mapping) = node.as_mapping() else { continue };
        let number = steps::at_most_one(decoder, mapping, &["when", "check"], "two-checks", "criterion in a guard");
        if number == 0 && !decoder.is_odd(&route) {
            let place = heading(decoder.source, decoder.root, &route);
            let message = format!("expected `when` or `check` in `{route}`, found neither");
            decoder.error(
                "empty-check",
                place,
                message,
                "add `when:` with CEL that is true when things are bad, or `check:`",
            );
        }
        name(decoder, mapping, &mut names);
        failures(decoder, mapping);
        if let Some(check) = mapping.get("check").and_then(|entry| entry.value.as_mapping()) {
            for (key, help) in NOT_IN_GUARD {
                if let Some(entry) = check.get(key) {
                    let message = format!("expected a key that a guard's check can have, found `{key}`");
                    decoder.error("not-in-guard", entry.key, message, help);
                }
            }
            // That it cannot ask is told already.
            if check.get("ask").is_none() {
                steps::one_check(decoder, check, &route.key("check"));
            }
        }
    }
}

fn name<'n>(decoder: &mut Decoder<'_>, guard: &'n Mapping, names: &mut HashMap<&'n str, ()>) {
    let Some(entry) = guard.get("name") else { return };
    let Some(name) = entry.value.as_text() else { return };
    if name.trim().is_empty() {
        decoder.error(
            "bad-name",
            entry.value.span,
            "expected the name of a guard, found an empty text",
            "say what it guards",
        );
    } else if names.insert(name, ()).is_some() {
        let message = format!("expected every guard to have a name of its own, found `{name}` a second time");
        decoder.error("bad-name", entry.value.span, message, "give one of the two another name");
    }
}

fn failures(decoder: &mut Decoder<'_>, guard: &Mapping) {
    let number = guard.get("failures").map(|entry| &entry.value);
    let Some((node, text)) = number.and_then(|node: &Node| Some((node, node.as_text()?))) else { return };
    if text.parse::<u32>().is_ok_and(|number| !(1..=1000).contains(&number)) {
        let message = format!("expected a number of looks from 1 to 1000, found {text}");
        decoder.error("invalid-value", node.span, message, "1 trips the guard at the first bad look");
    }
}
