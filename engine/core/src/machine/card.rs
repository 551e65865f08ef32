//! What a person is shown of a step before they decide about it.
//!
//! Duty: words, from the plan and the state, secrets masked. It must not ask anything.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Key, Machine, checks::check_name, render::masked_order};
use crate::{
    action::{Order, kube},
    evidence::event::Task,
    model::{Effect, Undo},
    policy::effect,
    words::{clip, shell_word},
};

/// Longest line of a card, in characters; all of it is in the details.
const LINE: usize = 200;

impl Machine {
    /// Title, what it does with its values, what proves it, how it is taken back.
    pub(crate) fn card(&self, key: Key) -> String {
        let (node, task) = key;
        let Some(step) = self.step(node) else { return String::new() };
        let work = self.work(key);
        let mut card = String::new();
        let title = step.spec.title.as_deref().filter(|_| task == Task::Do).unwrap_or_default();
        let phase = step.phase.map_or("cleanup", crate::model::Phase::name);
        let estimate = if step.is_estimated() {
            format!(", takes about {}", self.plan.nodes[node].estimate)
        } else {
            String::new()
        };
        let colon = if title.is_empty() { "" } else { "  " };
        _ = writeln!(card, "{title}{colon}(phase {phase}{estimate})");
        match self.action_order(key) {
            Ok(Order::Nothing) => card.push_str("does      nothing, it is its checks\n"),
            Ok(order) => _ = writeln!(card, "does      {}", clip(&self.mask.text(&order_line(&order)), LINE)),
            Err(reason) => _ = writeln!(card, "does      it cannot be rendered: {reason}"),
        }
        let names: Vec<String> = (0..).zip(work.checks()).map(|(at, check)| check_name(check, at)).collect();
        _ = writeln!(
            card,
            "proof     {}",
            if names.is_empty() { "none but that it ends well".to_owned() } else { clip(&names.join("; "), LINE) }
        );
        if task == Task::Undo {
            return card;
        }
        _ = writeln!(
            card,
            "undo      {}",
            match step.spec.undo.as_deref() {
                _ if step.spec.irreversible =>
                    "IRREVERSIBLE: an abort cannot take it back, nor what it needs".to_owned(),
                _ if effect::of(&step.spec) == Effect::Reads => "not needed, it only reads".to_owned(),
                None => "NONE: it stays after an abort, which then ends with exit code 4".to_owned(),
                Some(Undo::Auto(_)) => "automatic".to_owned(),
                Some(Undo::Action(_)) => match self.action_order((node, Task::Undo)) {
                    Ok(order) => clip(&self.mask.text(&order_line(&order)), LINE),
                    Err(_) => "known when it has run".to_owned(),
                },
            }
        );
        card
    }

    /// Everything about a step, for whoever asks.
    pub(crate) fn details(&self, key: Key) -> String {
        let Some(step) = self.step(key.0) else { return String::new() };
        let mut all = serde_json::Map::new();
        let order = |key: Key| match self.action_order(key) {
            Ok(order) => masked_order(&order),
            Err(reason) => Value::from(format!("it cannot be rendered: {reason}")),
        };
        all.insert("action".to_owned(), order(key));
        all.insert("written".to_owned(), serde_json::to_value(&*step.spec).unwrap_or_default());
        if matches!(step.spec.undo.as_deref(), Some(Undo::Action(_))) {
            all.insert("undo".to_owned(), order((key.0, Task::Undo)));
        }
        let mut all = Value::Object(all);
        self.mask.value(&mut all);
        serde_json::to_string_pretty(&all).unwrap_or_default()
    }
}

/// An order on one line, as somebody would type it.
fn order_line(order: &Order) -> String {
    match order {
        Order::Process(process) => {
            let env = process.env.iter().map(|(name, value)| format!("{name}={}", shell_word(value)));
            env.chain(process.argv.iter().map(|word| shell_word(word))).collect::<Vec<_>>().join(" ")
        }
        Order::Http(http) => format!("{} {}", http.method, http.url),
        Order::Pause { duration } => format!("wait {duration}"),
        Order::Manual { instructions } => format!("by hand: {instructions}"),
        Order::Kube(order) => kube_line(order),
        Order::Nothing => String::new(),
    }
}

/// What is to be done in which cluster, with what the author said.
fn kube_line(order: &kube::Order) -> String {
    let spec = serde_json::to_value(&order.request).unwrap_or_default();
    let action = spec["action"].as_str().unwrap_or_default();
    let fields: Vec<String> = spec["spec"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "cluster")
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        })
        .collect();
    let context = order.cluster.context.as_ref().map_or(String::new(), |context| format!(" (context {context})"));
    match &order.request {
        kube::Request::Undo { of, .. } => {
            let of = serde_json::to_value(of).unwrap_or_default();
            format!("take back: {} in {}{context}", of["action"].as_str().unwrap_or_default(), order.cluster.name)
        }
        _ => format!("{action} in {}{context}: {}", order.cluster.name, fields.join(" ")),
    }
}
