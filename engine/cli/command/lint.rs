//! `lint`: every mistake at once, offline, in the form that is asked for; and `--fix`, which mends what it can.

use std::{collections::BTreeSet, path::Path};

use lifeboat_core::{
    diagnostic::{Diagnostic, Severity},
    lint::{
        Linter,
        choice::{self, Choice, Judged},
    },
    model::parse::Parsed,
};

use super::{
    Failure, Message, Outcome,
    lint_config::{Configs, Found},
    prepare::{self, Opened},
};
use crate::{args, ui};

mod at_once;
mod fix;
mod print;
mod search;

use print::note;

/// Lints files, and the runbooks in directories.
pub(super) fn run(arguments: &args::Lint) -> Outcome {
    if arguments.rules {
        return print::rules(arguments.format);
    }
    let choice = choose(arguments)?;
    let search::Files { files, failures: mut unreadable } = search::files(&arguments.paths, arguments.only_runbooks)?;
    let mut configs = Configs::default();
    let mut mended = None;
    if arguments.fix || arguments.diff {
        let mut plans = fix::plan(arguments, &files, &choice, &mut configs);
        // What is left out, and what is not to be mended, a broken configuration does not tell.
        if !configs.mistakes.is_empty() || !configs.unreadable.is_empty() {
            plans.changes.clear();
            note("nothing is mended before the configuration of `lint` can be read");
        }
        if arguments.diff {
            return fix::show(plans, configs);
        }
        let (count, failures) = fix::write(plans.changes);
        mended = Some(count);
        unreadable.extend(failures);
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut hushed = BTreeSet::new();
    let configured = configs.of_all(&files);
    let all = at_once::each(&configured, |linter, (file, config)| {
        prepare::open(file).map(|opened| judge(linter, &opened, &opened.parsed, &choice, config, file))
    });
    for one in all {
        match one {
            Ok(judged) => {
                found.extend(judged.findings);
                hushed.extend(judged.hushed);
            }
            Err(failure) => unreadable.push(failure),
        }
    }
    found.append(&mut configs.mistakes);
    unreadable.append(&mut configs.unreadable);
    found.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    for failure in &unreadable {
        ui::report(&*failure.report);
    }
    let failures: Vec<String> = unreadable.iter().map(|failure| failure.report.to_string()).collect();
    print::print(arguments.format, &found, files.len(), mended, &failures);
    if !hushed.is_empty() {
        let ids: Vec<&str> = hushed.into_iter().collect();
        note(&format!(
            "a run would still refuse what was found by {}: what is chosen here is for `lint` only; mend it, or silence it \
             in the runbook by `# lifeboat: ignore[…] reason`",
            ids.join(", ")
        ));
    }
    let worst = if arguments.deny.is_some() { Severity::Warning } else { Severity::Error };
    let failed = !unreadable.is_empty() || found.iter().any(|diagnostic| diagnostic.severity <= worst);
    Ok(if failed { 2 } else { 0 })
}

/// Everything that is wrong with a text of a file, and counts.
fn judge(linter: &Linter, opened: &Opened, parsed: &Parsed, choice: &Choice, config: &Found, file: &Path) -> Judged {
    let of_rules =
        linter.lint(config.config.organisation(), parsed, &|directory, path| opened.library.resolve(directory, path));
    let mut judged = choice::judge(of_rules, choice, &config.config, &config.path(file));
    judged.findings.extend(parsed.diagnostics.iter().cloned());
    judged
}

/// What the command line says about rules.
fn choose(arguments: &args::Lint) -> Result<Choice, Failure> {
    Choice::new(&arguments.select, &arguments.ignore).map_err(|wrong| {
        let ids: Vec<String> = wrong.iter().map(|no| format!("`{}`", no.id)).collect();
        let mut helps: Vec<&str> = wrong.iter().map(|no| no.help.as_str()).collect();
        helps.dedup();
        Failure::usage(Message::new(format!("expected ids of rules, found {}", ids.join(", "))).help(helps.join("\n")))
    })
}
