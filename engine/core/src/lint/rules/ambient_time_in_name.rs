//! `ambient-time-in-name`.

use std::ops::Range;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::velero_begins, scripts::Reading},
    script::{Command, Input, Piece, Word},
};

/// Something is given a name by the clock or by chance.
///
/// Every attempt makes another one: a second restore beside the first one, a second database server that costs money. After a
/// crash nobody can say what the run that is taken up again has made already, and a later step has to guess the name. At two in
/// the morning there are three of them, and one is right. `LIFEBOAT_RUN_ID` is the same in every attempt and after `resume`, and no
/// other run has it.
///
/// Times that are not names are left alone.
///
/// Bad:
///
/// ```yaml
/// shell: kubectl --context "$DR" create namespace "restore-$(date +%s)"
/// ```
///
/// Good:
///
/// ```yaml
/// shell: kubectl --context "$DR" create namespace "restore-$LIFEBOAT_RUN_ID"
/// ```
///
/// To fix it, make the name of `LIFEBOAT_RUN_ID`, or of `{{run.id}}` in a template.
pub const RULE: Rule = Rule {
    id: "ambient-time-in-name",
    severity: Severity::Warning,
    summary: "something is given a name by the clock or by chance",
    check,
    source: include_str!("ambient_time_in_name.rs"),
};

/// Flags that give what is created its name.
const NAMES: [&str; 12] = [
    "--name",
    "--db-instance-identifier",
    "--db-cluster-identifier",
    "--target-db-instance-identifier",
    "--target-db-cluster-identifier",
    "--db-snapshot-identifier",
    "--db-cluster-snapshot-identifier",
    "--cluster-name",
    "--bucket",
    "--stack-name",
    "--server-name",
    "-n",
];
/// What is another value each time.
const AMBIENT: [&str; 6] = ["RANDOM", "SRANDOM", "EPOCHSECONDS", "EPOCHREALTIME", "SECONDS", "BASHPID"];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (reading, program, command) in context.commands() {
        let mut names: Vec<&Word> = Vec::new();
        let verbs = command.verbs();
        let verb = |at: usize| verbs.get(at).copied().unwrap_or_default();
        let positional = |from: usize| command.positional().nth(from);
        match program {
            "velero" if velero_begins(program, command).is_some() => names.extend(positional(2)),
            "kubectl" | "oc" if matches!(verb(0), "create" | "run" | "expose") => {
                names.extend(command.positional().skip(1).last());
            }
            "kubectl" | "oc" if matches!(verb(0), "apply" | "replace") => {}
            "helm" if matches!(verb(0), "install" | "upgrade") => names.extend(positional(1)),
            "createdb" => names.extend(positional(0)),
            "aws" if ["create-", "restore-", "copy-"].iter().any(|it| verb(1).starts_with(it)) => {
                // One of them names what is copied, another one the copy.
                names.extend(NAMES[..11].iter().filter_map(|name| command.flag(&[name])?.value_word()));
            }
            "az" if verbs.iter().any(|it| matches!(*it, "create" | "restore" | "geo-restore" | "copy")) => {
                names.extend(command.flag(&["--name", "-n", "--dest-name"]).and_then(|it| it.value_word()));
            }
            _ => continue,
        }
        let place = names.into_iter().find_map(|word| ambient(reading, word));
        let place = place.or_else(|| in_manifest(reading, program, command));
        if let Some((place, source)) = place {
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &place,
                        format!("expected a name that is the same in every attempt, found one made of `{source}`"),
                    )
                    .label("another attempt makes another one")
                    .related(
                        context.source,
                        context.in_script(reading, &command.name.range),
                        "this is what gets the name",
                    )
                    .help("use `$LIFEBOAT_RUN_ID`, or `{{run.id}}` in a template"),
            );
        }
    }
}

/// Where in a word there is something that is another value each time, directly or by a variable, and what makes it.
fn ambient(reading: &Reading<'_>, word: &Word) -> Option<(Range<usize>, &'static str)> {
    let direct = |word: &Word| {
        word.pieces.iter().find_map(|piece| match piece {
            Piece::Variable(name) => AMBIENT.iter().find(|it| *it == name).copied(),
            Piece::Substitution(range) => reading.script.within(range).find_map(|command| match command.program() {
                // That of a given time is the same each time; only today's is not.
                Some("date") if !command.has(&["-d", "--date", "-r", "--reference"]) => Some("date"),
                Some("uuidgen") => Some("uuidgen"),
                Some("openssl") if command.verbs().first() == Some(&"rand") => Some("openssl rand"),
                _ => None,
            }),
            _ => None,
        })
    };
    let by_variable = || {
        word.variables()
            .find_map(|name| direct(reading.assigned(name, word.range.start)?))
            .map(|it| (word.range.clone(), it))
    };
    direct(word).map(|source| (word.range.clone(), source)).or_else(by_variable)
}

/// A `name:` in a manifest that the command is given in place.
fn in_manifest(reading: &Reading<'_>, program: &str, command: &Command) -> Option<(Range<usize>, &'static str)> {
    let Input::Text(range) = &command.stdin else { return None };
    if !matches!(program, "kubectl" | "oc") {
        return None;
    }
    let mut at = range.start;
    for line in reading.text(range).split_inclusive('\n') {
        let content = line.trim();
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let Some(value) = content.strip_prefix("name:") else { continue };
        let source = [("$(date", "date"), ("$(uuidgen", "uuidgen"), ("$RANDOM", "RANDOM")];
        if let Some((_, source)) = source.iter().find(|(it, _)| value.contains(it)) {
            return Some((start..start + content.len(), source));
        }
    }
    None
}
