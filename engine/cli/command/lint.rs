//! `lint`: every mistake at once, offline.

use std::path::{Path, PathBuf};

use lifeboat_core::diagnostic::{Diagnostic, Severity, json};

use super::{Failure, Message, Outcome, prepare};
use crate::{
    args::{self, LintFormat},
    ui,
};

/// Lints files, and the runbooks in directories.
pub fn run(arguments: &args::Lint) -> Outcome {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in &arguments.paths {
        if path.is_dir() {
            files.extend(search(path));
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        let shown: Vec<String> = arguments.paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::usage(
            Message::new(format!("expected runbooks in {}, found none", shown.join(", ")))
                .help("a runbook is a `.yaml` or `.yml` file with `apiVersion: lifeboat.dev/…` and `kind: Runbook`"),
        ));
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut unreadable = Vec::new();
    for file in &files {
        match prepare::open(file) {
            Ok(opened) => found.extend(prepare::findings(&opened)),
            Err(failure) => unreadable.push(failure),
        }
    }
    found.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    for failure in &unreadable {
        ui::report(&*failure.report);
    }
    match arguments.format {
        LintFormat::Json => {
            let text = serde_json::to_string_pretty(&json::to_json(&found, files.len())).unwrap_or_default();
            ui::out(&format!("{text}\n"));
        }
        LintFormat::Text => {
            for diagnostic in &found {
                ui::err(&ui::diagnostics::text(diagnostic));
            }
            ui::out(&format!("{}\n", ui::diagnostics::tally(&found, files.len())));
        }
    }
    let worst = if arguments.deny.is_some() { Severity::Warning } else { Severity::Error };
    let failed = !unreadable.is_empty() || found.iter().any(|diagnostic| diagnostic.severity <= worst);
    Ok(if failed { 2 } else { 0 })
}

/// The runbooks below a directory: YAML files that say that they are one. `.gitignore` and hidden files are respected.
fn search(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ignore::WalkBuilder::new(directory)
        .require_git(false)
        .build()
        .filter_map(Result::ok)
        .map(ignore::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
        .filter(|path| path.is_file() && is_runbook(path))
        .collect();
    files.sort();
    files
}

/// Whether a file's beginning says that it is a runbook of ours; whatever else is wrong with it is a finding then.
fn is_runbook(path: &Path) -> bool {
    use std::io::Read as _;
    let mut beginning = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(64 << 10).read_to_end(&mut beginning));
    read.is_ok()
        && String::from_utf8_lossy(&beginning).lines().any(|line| line.starts_with("apiVersion: lifeboat.dev/"))
}
