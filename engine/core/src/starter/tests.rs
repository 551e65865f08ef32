//! What must be true of every starter, for each of its scopes.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{Answers, STARTERS, Starter, disasters_of, find, scopes_of, write};
use crate::{
    duration::Duration,
    lint,
    model::{
        Disaster, Input, InputType, Mode, Runbook, Scope,
        parse::{Parsed, parse},
    },
    plan::{Binding, Request, Unreadable, build, inputs},
    source::Source,
    words,
};

fn answers(scope: Scope) -> Answers {
    Answers { name: "test".to_owned(), title: None, owner: None, scope, rpo: None, rto: None }
}

/// Every starter with each of its scopes.
fn all() -> impl Iterator<Item = (&'static Starter, Scope)> {
    STARTERS.iter().flat_map(|starter| starter.scopes.iter().map(move |scope| (starter, *scope)))
}

fn label(starter: &Starter, scope: Scope) -> String {
    format!("{} of {}", starter.disaster.name(), scope.name())
}

#[track_caller]
fn read(text: &str, label: &str) -> (Parsed, Runbook) {
    let parsed = parse(Source::new("starter.yaml", text));
    let told: Vec<_> = parsed.diagnostics.iter().map(|found| &found.message).collect();
    assert!(told.is_empty(), "{label}: {told:#?}\n{text}");
    let runbook = parsed.runbook.clone().unwrap_or_else(|| panic!("{label}: no runbook"));
    (parsed, runbook)
}

fn findings(parsed: &Parsed) -> Vec<String> {
    let found = lint::lint(parsed, &|_, _| Err(Unreadable::Missing("a starter includes nothing".to_owned())));
    found
        .iter()
        .map(|it| format!("{} {}: {}", parsed.source.position(it.span.start).line, it.code, it.message))
        .collect()
}

/// A value that an input takes.
fn sample(name: &str, input: &Input) -> Value {
    const TEXTS: [&str; 10] = [
        "sample",
        "https://example.org/health",
        "registry.example.org/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef01234567",
        "recovery.example.org:443",
        "2026-11-21T02:05:00Z",
        "10Gi",
        "lost: here",
        "old.example.org,mirror.example.org",
        "90m",
    ];
    let candidates = input.allowed.iter().flatten().cloned().chain(match input.kind {
        InputType::List => vec![json!(["one", "two"])],
        InputType::Integer | InputType::Number => vec![json!(2)],
        InputType::Boolean => vec![json!(true)],
        InputType::String | InputType::Duration | InputType::Secret => TEXTS.iter().map(|text| json!(text)).collect(),
    });
    let mut fitting = candidates.filter(|value| inputs::check(input, value).is_ok());
    fitting.next().unwrap_or_else(|| panic!("no sample for the input `{name}`"))
}

#[test]
fn each_lints_without_a_finding() {
    for (starter, scope) in all() {
        let label = label(starter, scope);
        let (parsed, _) = read(&write(starter, &answers(scope)), &label);
        let found = findings(&parsed);
        assert!(found.is_empty(), "{label}: {found:#?}");
    }
}

#[test]
fn each_plans_in_both_modes_and_says_when_the_capability_is_back() {
    for (starter, scope) in all() {
        let label = label(starter, scope);
        let (parsed, runbook) = read(&write(starter, &answers(scope)), &label);
        let wanted = runbook.inputs.iter();
        let wanted = wanted.filter(|(_, input)| input.default.is_none() && input.kind != InputType::Secret);
        let bindings: IndexMap<String, Binding> =
            wanted.map(|(name, input)| (name.clone(), Binding::Value(sample(name, input)))).collect();
        let runbook = Arc::new(runbook);
        for mode in [Mode::Incident, Mode::Drill] {
            let plan = build(Request {
                runbook: Arc::clone(&runbook),
                source: Arc::clone(&parsed.source),
                mode,
                inputs: bindings.clone(),
                resolve: &|_, _| Err(Unreadable::Missing("a starter includes nothing".to_owned())),
            });
            let plan = plan.unwrap_or_else(|found| panic!("{label} as {mode:?}: {found:#?}"));
            let steps = || plan.nodes.iter().filter_map(crate::plan::Node::step);
            assert!(steps().any(|step| step.spec.restores), "{label} as {mode:?}: nothing stops the clock");
        }
    }
}

#[test]
fn each_says_what_it_wants() {
    for starter in STARTERS {
        let label = label(starter, starter.scopes[0]);
        let (_, runbook) = read(starter.text, &label);
        assert!(runbook.metadata.title.is_some() && runbook.metadata.description.is_some(), "{label}");
        assert!(!runbook.inputs.is_empty(), "{label}");
        for (name, input) in &runbook.inputs {
            assert!(input.description.as_ref().is_some_and(|it| it.len() > 5), "{label}: `{name}` is not described");
        }
        for (id, step) in &runbook.steps {
            assert!(step.title.is_some(), "{label}: `{id}` has no title");
        }
        let lines: Vec<&str> = starter.text.lines().collect();
        let schema: Value = serde_json::from_str(&crate::schema::runbook()).unwrap();
        let modeline = format!("# yaml-language-server: $schema={}", schema["$id"].as_str().unwrap());
        assert_eq!(lines[0], modeline, "{label}");
        assert!(
            lines.iter().filter(|line| line.trim_start().starts_with("# ")).count() >= 15,
            "{label}: teaches little"
        );
        assert!(!starter.text.contains("TODO"), "{label}: leaves something to do");
        assert!(lines.iter().all(|line| line.chars().count() <= 130), "{label}: a line is too long");
        assert!(runbook.recovery.disaster == starter.disaster, "{label}: is for another disaster");
        // A title and what it does are shown on one line of a terminal.
        assert!(starter.about.len() <= 70 && !starter.about.ends_with('.'), "{label}: {}", starter.about);
    }
}

#[test]
fn answers_are_what_was_asked_for_however_nasty() {
    let nasty = [
        "Bring it back",
        "a: b",
        "it's #1 \"best\" \\ 100%",
        "{{inputs.context}}",
        "- [x]",
        "null",
        "no",
        "0x1f",
        " both ends ",
        "two\nlines\r\n\tthree",
        "Überlauf 漢字 🚢 \u{202e}\u{85}\u{2028}\u{7f}\u{feff}",
        "name: &x *y !z | > % @ `",
        "team-platform",
    ];
    let (rpo, rto) = ("7m".parse::<Duration>().unwrap(), "26h30m".parse::<Duration>().unwrap());
    for (starter, scope) in all() {
        let label = label(starter, scope);
        let (_, before) = read(starter.text, &label);
        for text in nasty {
            let wanted = Answers {
                name: "x-1".to_owned(),
                title: Some(text.to_owned()),
                owner: Some(text.to_owned()),
                scope,
                rpo: Some(rpo),
                rto: Some(rto),
            };
            let written = write(starter, &wanted);
            let (parsed, runbook) = read(&written, &label);
            assert_eq!(runbook.metadata.name.as_str(), "x-1", "{label}");
            assert_eq!(runbook.metadata.title.as_deref(), Some(text), "{label}");
            assert_eq!(runbook.metadata.owner, text, "{label}");
            assert_eq!(runbook.recovery.scope, scope, "{label}");
            assert_eq!((runbook.recovery.objectives.rpo, runbook.recovery.objectives.rto), (rpo, rto), "{label}");
            // Nothing else has changed: the same lines, the same steps.
            assert_eq!(written.lines().count(), starter.text.lines().count(), "{label}");
            assert_eq!(runbook.steps.len(), before.steps.len(), "{label}");
            // Whatever is in it that looks like a template, an answer is nothing that is evaluated.
            if text.contains("{{") {
                assert_eq!(findings(&parsed), Vec::<String>::new(), "{label}: {text}");
            }
        }
    }
}

#[test]
fn an_objective_that_the_estimates_exceed_is_found() {
    let starter = find(Disaster::DataCorruption, Scope::Application).unwrap();
    let wanted = Answers { rto: Some("10m".parse().unwrap()), ..answers(Scope::Application) };
    let (parsed, _) = read(&write(starter, &wanted), "data");
    let found = findings(&parsed);
    assert!(found.len() == 1 && found[0].contains("critical-path-exceeds-rto"), "{found:#?}");
}

/// The words that the schema of a type allows.
fn written<T: JsonSchema>() -> BTreeSet<String> {
    let schema = schemars::schema_for!(T).to_value();
    let words = schema["oneOf"].as_array().unwrap().iter().filter_map(|one| one["const"].as_str());
    words.map(str::to_owned).collect()
}

#[test]
fn every_disaster_and_every_scope_is_served() {
    let disasters: BTreeSet<String> = Disaster::ALL.iter().map(|it| it.name().to_owned()).collect();
    let scopes: BTreeSet<String> = Scope::ALL.iter().map(|it| it.name().to_owned()).collect();
    assert_eq!(disasters, written::<Disaster>());
    assert_eq!(scopes, written::<Scope>());
    for disaster in Disaster::ALL {
        assert_eq!(words::name(&disaster), disaster.name());
        let scopes = scopes_of(disaster);
        assert!(!scopes.is_empty(), "nothing for {}", disaster.name());
        assert_eq!(
            scopes.iter().map(|it| it.name()).collect::<BTreeSet<_>>().len(),
            scopes.len(),
            "{}",
            disaster.name()
        );
    }
    for scope in Scope::ALL {
        assert_eq!(words::name(&scope), scope.name());
        assert!(!disasters_of(scope).is_empty(), "nothing for {}", scope.name());
    }
    assert!(find(Disaster::PvcCorruption, Scope::Journey).is_none());
}

#[test]
fn no_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/starter");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    let there: BTreeSet<String> = texts.map(|path| fs::read_to_string(path).unwrap()).collect();
    let listed: BTreeSet<String> = STARTERS.iter().map(|starter| starter.text.to_owned()).collect();
    assert_eq!(there.len(), listed.len());
    assert!(there == listed, "a starter of the folder is not in the registry");
}
