//! Which starter: by the command line, or by asking.

use lifeboat_core::{
    model::{Disaster, Scope},
    starter::{self, STARTERS, Starter},
};
use serde_json::json;

use super::{Failure, Message};
use crate::{args::ShowFormat, ui};

/// Prints what there is to begin with.
pub(super) fn list(format: ShowFormat) {
    let scopes = |starter: &Starter| starter.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>();
    match format {
        ShowFormat::Text => {
            let row = |disaster: &str, scopes: &str, about: &str| format!("{disaster:<20}  {scopes:<22}  {about}\n");
            let mut text = row("DISASTER", "SCOPES", "WHAT IT DOES");
            for starter in STARTERS {
                text.push_str(&row(starter.disaster.name(), &scopes(starter).join(", "), starter.about));
            }
            ui::out(&text);
        }
        ShowFormat::Json => {
            let rows = STARTERS.iter().map(|starter| {
                json!({"disaster": starter.disaster.name(), "scopes": scopes(starter), "about": starter.about})
            });
            let list = json!({"version": 1, "starters": rows.collect::<Vec<_>>()});
            ui::out(&format!("{}\n", serde_json::to_string_pretty(&list).unwrap_or_default()));
        }
    }
}

/// The starter, and which of its scopes.
pub(super) fn choose(
    disaster: Option<Disaster>,
    scope: Option<Scope>,
    attended: bool,
) -> Result<(&'static Starter, Scope), Failure> {
    let disaster = match (disaster, attended) {
        (Some(disaster), _) => disaster,
        (None, true) => ask_disaster(scope)?,
        (None, false) => return Err(unsaid(scope)),
    };
    let scopes = starter::scopes_of(disaster);
    let scope = match scope {
        Some(scope) => scope,
        None if attended && scopes.len() > 1 => ask_scope(disaster, &scopes)?,
        // The usual one; what was taken is said when it is written.
        None => scopes.first().copied().unwrap_or(Scope::Application),
    };
    starter::find(disaster, scope).map(|starter| (starter, scope)).ok_or_else(|| no_such(disaster, scope))
}

/// The disasters that there is something for, of one scope if it is known already.
fn disasters(scope: Option<Scope>) -> Vec<Disaster> {
    scope.map_or_else(|| Disaster::ALL.to_vec(), starter::disasters_of)
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> String {
    all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ")
}

fn unsaid(scope: Option<Scope>) -> Failure {
    let choices = names(&disasters(scope), Disaster::name);
    Failure::usage(
        Message::new("expected a class of disaster by `--disaster`, found none, and nobody to ask")
            .help(format!("choose one of {choices}; `lifeboat new --list` tells what there is for each")),
    )
}

fn no_such(disaster: Disaster, scope: Scope) -> Failure {
    let (scopes, disasters) = (starter::scopes_of(disaster), starter::disasters_of(scope));
    Failure::usage(
        Message::new(format!("expected a starter for `{}` of scope `{}`, found none", disaster.name(), scope.name()))
            .help(format!(
                "for `{}` there is: {}; of scope `{}` there is: {}; `lifeboat new --list` shows all",
                disaster.name(),
                names(&scopes, Scope::name),
                scope.name(),
                names(&disasters, Disaster::name)
            )),
    )
}

fn ask_disaster(scope: Option<Scope>) -> Result<Disaster, Failure> {
    let all = disasters(scope);
    let about = |disaster: Disaster| {
        let of_it = STARTERS.iter().filter(|starter| starter.disaster == disaster);
        let fit = of_it.clone().find(|starter| scope.is_none_or(|scope| starter.scopes.contains(&scope)));
        fit.map_or("", |starter| starter.about)
    };
    let shown: Vec<String> = all.iter().map(|it| format!("{:<20}  {}", it.name(), about(*it))).collect();
    let chosen = ui::choose::choose("What for", &shown).and_then(|at| all.get(at).copied());
    chosen.ok_or_else(nothing_chosen)
}

fn ask_scope(disaster: Disaster, scopes: &[Scope]) -> Result<Scope, Failure> {
    let about = |scope: Scope| starter::find(disaster, scope).map_or("", |starter| starter.about);
    let shown: Vec<String> = scopes.iter().map(|it| format!("{:<11}  {}", it.name(), about(*it))).collect();
    let chosen = ui::choose::choose("How much is lost", &shown).and_then(|at| scopes.get(at).copied());
    chosen.ok_or_else(nothing_chosen)
}

fn nothing_chosen() -> Failure {
    Failure::usage(
        Message::new("expected a choice, found none; nothing was written")
            .help("say it by `--disaster` and `--scope`; `lifeboat new --list` shows what there is"),
    )
}
