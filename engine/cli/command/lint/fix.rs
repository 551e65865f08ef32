//! `--fix` and `--diff`: what can be mended, and files that get another text.
//!
//! Duty: files. What is changed, and that it does no harm, is decided in core. All changes are found before the first one is
//! written, so that the order of the files does not matter.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lifeboat_core::{
    diagnostic::Safety,
    fix::{self, Mended},
    lint::choice::Choice,
    source::Source,
    words::count,
};
use lifeboat_runtime::replace;
use similar::TextDiff;

use super::{
    super::{Failure, Message, Outcome, lint_config::Configs, prepare},
    at_once, judge,
};
use crate::{args, ui};

/// A file and what it would become.
pub(super) struct Change {
    path: PathBuf,
    before: Arc<Source>,
    after: Mended,
}

/// What would be changed, and what could not be read.
pub(super) struct Plans {
    pub changes: Vec<Change>,
    failures: Vec<Failure>,
}

/// The differences are approximate after this time, and still right.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finds out what would be changed in every file.
pub(super) fn plan(arguments: &args::Lint, files: &[PathBuf], choice: &Choice, configs: &mut Configs) -> Plans {
    let most = if arguments.suggestions { Safety::Unsafe } else { Safety::Safe };
    let all = at_once::each(&configs.of_all(files), |linter, (file, config)| {
        let opened = prepare::open(file)?;
        let before = Arc::clone(&opened.parsed.source);
        let after = fix::mend(&before, most, &|parsed| judge(linter, &opened, parsed, choice, config, file).findings);
        Ok((after.text != before.text()).then(|| Change { path: file.to_path_buf(), before, after }))
    });
    let mut plans = Plans { changes: Vec::new(), failures: Vec::new() };
    for one in all {
        match one {
            Ok(change) => plans.changes.extend(change),
            Err(failure) => plans.failures.push(failure),
        }
    }
    plans
}

/// Shows what would be changed. The exit code says whether something would be.
pub(super) fn show(plans: Plans, configs: Configs) -> Outcome {
    for change in &plans.changes {
        let differences = differences(change.before.name(), change.before.text(), &change.after.text);
        // What goes into a file has to be exact; a terminal obeys what it is shown.
        ui::out(&if std::io::stdout().is_terminal() { ui::plain(&differences) } else { differences });
    }
    let failures: Vec<Failure> = plans.failures.into_iter().chain(configs.unreadable).collect();
    for failure in &failures {
        ui::report(&*failure.report);
    }
    for mistake in &configs.mistakes {
        ui::err(&ui::diagnostics::text(mistake));
    }
    let fixes: usize = plans.changes.iter().map(|change| change.after.applied.len()).sum();
    let (files, fixes) =
        (count(plans.changes.len(), "runbook"), if fixes == 1 { "1 fix" } else { &format!("{fixes} fixes") });
    ui::err(&format!("{files} would change by {fixes}\n"));
    let nothing = plans.changes.is_empty() && failures.is_empty() && configs.mistakes.is_empty();
    Ok(if nothing { 0 } else { 2 })
}

/// The differences as `diff -u` and `patch` have them.
fn differences(name: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    diff.unified_diff().header(name, name).to_string()
}

/// Writes what is changed. One file that cannot be written is no reason not to write the others.
pub(super) fn write(changes: Vec<Change>) -> (usize, Vec<Failure>) {
    let (mut mended, mut failures) = (0, Vec::new());
    for change in changes {
        match write_one(&change.path, &change.before, &change.after.text) {
            Ok(()) => mended += change.after.applied.len(),
            Err(failure) => failures.push(failure),
        }
    }
    (mended, failures)
}

fn write_one(path: &Path, before: &Source, after: &str) -> Result<(), Failure> {
    replace::replace(path, before.name(), before.text(), after).map_err(|error| {
        let help = match error {
            replace::ReplaceError::ReadOnly(_) => {
                "make it writable, or mend it where it is made; nothing of it was changed"
            }
            replace::ReplaceError::Changed(_) => "run it again; nothing of it was changed",
            replace::ReplaceError::Io(..) => "look whether there is room and whether its directory can be written",
        };
        Failure::usage(Message::new(error.to_string()).help(help))
    })
}
