//! `undeclared-file`.

use std::collections::BTreeSet;

use glob::{MatchOptions, Pattern};

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, facts::literal, scripts::Reading},
    model::Template,
    script::{Command, Word},
};

/// A step uses a file of the repository that `files` does not name.
///
/// What `files` names is digested at the start, looked at again before every step, and stands in the evidence: that what ran is
/// what was reviewed. A script that is not named may be another one at two in the morning than in the drill, may change while the
/// run goes on, and nobody can say later what it was. Looked at are relative paths that stand in the runbook as they are: scripts
/// that are run, modules of Terraform, manifests, values and charts, SQL and playbooks.
///
/// Runbooks of level L0 and L1, which restore nothing, are not asked for it.
///
/// Bad:
///
/// ```yaml
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh]}
/// ```
///
/// Good:
///
/// ```yaml
/// files: [shift.sh]
/// steps:
///   shift: {phase: shift-traffic, exec: [./shift.sh]}
/// ```
///
/// To fix it, add the path to `files`, or a pattern that covers it; `infra/**` is everything below a directory.
pub const RULE: Rule = Rule {
    id: "undeclared-file",
    severity: Severity::Warning,
    summary: "a step uses a file of the repository that `files` does not name",
    check,
    source: include_str!("undeclared_file.rs"),
};

/// As the engine finds them: `*` stays in one directory.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    if !context.claims_to_restore() || context.is_damaged(&["files"]) {
        return;
    }
    let patterns: Vec<Pattern> =
        context.runbook.files.iter().filter_map(|it| Pattern::new(it.trim_start_matches("./")).ok()).collect();
    // A pattern that cannot be read is told when it is used; what it would cover nobody knows.
    if patterns.len() < context.runbook.files.len() {
        return;
    }
    let mut told = BTreeSet::new();
    for reading in context.readings() {
        let Some(directory) = directory(reading) else { continue };
        for (program, command) in reading.commands() {
            for (word, path) in used(program, command) {
                let Some(whole) = join(&directory, path) else { continue };
                // What a script names twice it may well have written itself.
                let made = reading
                    .script
                    .commands
                    .iter()
                    .flat_map(|it| &it.arguments)
                    .filter(|it| it.constant() == Some(path));
                if covered(&patterns, &whole) || made.count() > 1 || !told.insert(whole.clone()) {
                    continue;
                }
                findings.push(
                    context
                        .finding_in(
                            &RULE,
                            reading,
                            &word.range,
                            format!("expected `{whole}` to be covered by `files`, found no pattern for it"),
                        )
                        .label("may be another one when it runs")
                        .help(format!("add `{whole}` to `files`, or a pattern such as `dir/**`")),
                );
            }
        }
    }
}

/// Where a script runs, relative to the runbook; `None` when nobody can know.
fn directory(reading: &Reading<'_>) -> Option<String> {
    let moves = reading.script.commands.iter().any(|it| matches!(it.program(), Some("cd" | "pushd" | "popd")));
    let own = match reading.cwd.map(Template::as_str) {
        Some(text) => literal(text)?.trim_end_matches('/').to_owned(),
        None => String::new(),
    };
    (!moves).then_some(own)
}

/// A relative path below the runbook, in its plain form.
fn join(directory: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~', '-']) || path.is_empty() || path.contains([':', '*', '?', '[', '\n']) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            // What is above the runbook may be covered by a pattern that goes there, which is compared as it is written.
            ".." if parts.last().is_none_or(|it| *it == "..") => parts.push(part),
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    (!parts.is_empty() && !directory.starts_with('/')).then(|| parts.join("/"))
}

fn covered(patterns: &[Pattern], path: &str) -> bool {
    patterns.iter().any(|pattern| {
        // Of a directory it is enough that something in it is covered.
        pattern.matches_with(path, OPTIONS)
            || pattern.matches_with(&format!("{path}/any"), OPTIONS)
            || pattern.as_str().strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// The paths that a command uses, each with the word it stands in.
fn used<'a>(program: &'a str, command: &'a Command) -> Vec<(&'a Word, &'a str)> {
    let mut found = Vec::new();
    let mut take = |word: Option<&'a Word>| {
        found.extend(word.and_then(|word| Some((word, word.constant()?))));
    };
    if program.contains('/') {
        take(Some(&command.name));
    }
    match program {
        "bash" | "sh" | "dash" | "ksh" | "zsh" | "python" | "python3" | "node" | "ruby" | "perl" => {
            let first = command.arguments.iter().find(|it| !it.head().starts_with('-'));
            let code = ["-c", "-e", "-m", "-ec", "-euc", "-lc"];
            let inline = command.arguments.iter().any(|it| it.constant().is_some_and(|it| code.contains(&it)));
            // `-o pipefail` has a word of its own.
            take(first.filter(|it| !inline && it.constant().is_some_and(|it| it.contains(['/', '.']))));
        }
        "source" | "." => take(command.arguments.first()),
        "ansible-playbook" => take(command.positional().next()),
        _ => {}
    }
    let many = |names: &'static [&'static str]| {
        command.arguments.windows(2).filter_map(move |pair| match pair {
            [flag, value] if names.contains(&flag.constant()?) => Some(value),
            _ => None,
        })
    };
    match program {
        "kubectl" | "oc" => many(&["-f", "--filename", "-k", "--kustomize"]).for_each(|it| take(Some(it))),
        "helm" => {
            many(&["-f", "--values"]).for_each(|it| take(Some(it)));
            let chart = command.positional().nth(2);
            take(chart.filter(|it| it.head().starts_with('.')));
        }
        "psql" => many(&["-f", "--file"]).for_each(|it| take(Some(it))),
        "terraform" | "tofu" => {
            let flag = command.flag(&["-chdir"]).map(|it| it.word);
            found.extend(flag.and_then(|word| Some((word, word.constant()?.strip_prefix("-chdir=")?))));
        }
        _ => {}
    }
    found
}
