//! `lint`: every mistake at once, offline, in the form that is asked for.

use std::{
    collections::{BTreeSet, HashSet},
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use lifeboat_core::{
    diagnostic::{Diagnostic, Severity, github, json, sarif},
    lint::{
        self,
        choice::{self, Choice},
        pages, registry,
    },
    words::{count, name},
};

use super::{Failure, Message, Outcome, lint_config::Configs, prepare};
use crate::{
    args::{self, LintFormat},
    ui,
};

/// Lints files, and the runbooks in directories.
pub(super) fn run(arguments: &args::Lint) -> Outcome {
    if arguments.rules {
        return rules(arguments.format);
    }
    let choice = choose(arguments)?;
    let files = files(&arguments.paths)?;
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut unreadable = Vec::new();
    let mut configs = Configs::default();
    let mut hushed = BTreeSet::new();
    for file in &files {
        match prepare::open(file) {
            Ok(opened) => {
                found.extend(opened.parsed.diagnostics.iter().cloned());
                let config = configs.of(file);
                let of_rules = lint::lint_for(config.config.organisation(), &opened.parsed, &|directory, path| {
                    opened.library.resolve(directory, path)
                });
                let judged = choice::judge(of_rules, &choice, &config.config, &config.path(file));
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
    print(arguments.format, &found, files.len());
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

/// What the command line says about rules.
fn choose(arguments: &args::Lint) -> Result<Choice, Failure> {
    Choice::new(&arguments.select, &arguments.ignore).map_err(|wrong| {
        let ids: Vec<String> = wrong.iter().map(|no| format!("`{}`", no.id)).collect();
        let mut helps: Vec<&str> = wrong.iter().map(|no| no.help.as_str()).collect();
        helps.dedup();
        Failure::usage(Message::new(format!("expected ids of rules, found {}", ids.join(", "))).help(helps.join("\n")))
    })
}

/// Every file once, in the order in which they were given.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(search(path));
        } else {
            files.push(path.clone());
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    if files.is_empty() {
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::usage(
            Message::new(format!("expected runbooks in {}, found none", shown.join(", ")))
                .help("a runbook is a `.yaml` or `.yml` file with `apiVersion: lifeboat.dev/…` and `kind: Runbook`"),
        ));
    }
    Ok(files)
}

fn note(text: &str) {
    ui::err(&format!("note: {text}\n"));
}

fn print(format: LintFormat, found: &[Diagnostic], files: usize) {
    let here = std::env::current_dir().map(|here| here.to_string_lossy().into_owned()).unwrap_or_default();
    match format {
        LintFormat::Json => {
            let text = serde_json::to_string_pretty(&json::to_json(found, files)).unwrap_or_default();
            ui::out(&format!("{text}\n"));
        }
        LintFormat::Text => {
            for diagnostic in found {
                ui::err(&ui::diagnostics::text(diagnostic));
            }
            ui::out(&format!("{}\n", ui::diagnostics::tally(found, files)));
        }
        LintFormat::Github => {
            ui::out(&github::to_github(found, &here));
            ui::err(&format!("{}\n", ui::diagnostics::tally(found, files)));
            let of = |severity| found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
            if of(Severity::Error).max(of(Severity::Warning)) > github::SHOWN {
                note(&format!(
                    "GitHub shows {} errors and {} warnings of a step beside the lines; the others are in this log only",
                    github::SHOWN,
                    github::SHOWN
                ));
            }
        }
        LintFormat::Sarif => print_sarif(found, &here),
    }
}

/// Prints a log that GitHub takes, and says what did not fit.
fn print_sarif(found: &[Diagnostic], here: &str) {
    let pages = pages::all();
    let mut most = sarif::MOST_RESULTS;
    let (made, text) = loop {
        let made = sarif::to_sarif(found, &pages, here, env!("CARGO_PKG_VERSION"), most);
        let text = serde_json::to_string_pretty(&made.log).unwrap_or_default();
        if most == 0 || packed(&text) <= sarif::MOST_PACKED {
            break (made, text);
        }
        most = most.min(found.len()) / 2;
    };
    ui::out(&format!("{text}\n"));
    let (left_out, places) = (made.left_out, made.places_left_out);
    if left_out > 0 {
        note(&format!(
            "{} left out, warnings first: GitHub takes at most {} results and 10 MB (packed) at a time",
            count(left_out, "finding"),
            sarif::MOST_RESULTS
        ));
    }
    if found.len() - left_out > sarif::SHOWN_RESULTS {
        note(&format!("GitHub shows {} of these results, the worst ones", sarif::SHOWN_RESULTS));
    }
    if places > 0 {
        note(&format!(
            "{} of findings left out: GitHub takes at most {} at one finding",
            count(places, "related place"),
            sarif::MOST_LOCATIONS
        ));
    }
}

/// How many bytes are left when it is packed. What is small enough as it is, is not.
fn packed(text: &str) -> usize {
    if text.len() <= sarif::MOST_PACKED {
        return text.len();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.map_or(text.len(), |bytes| bytes.len())
}

/// The list of rules.
fn rules(format: LintFormat) -> Outcome {
    match format {
        LintFormat::Text => {
            let width = registry::RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
            for rule in registry::RULES {
                let severity = name(&rule.severity);
                ui::out(&format!("{:width$}  {severity:7}  {}\n", rule.id, rule.summary));
            }
            Ok(0)
        }
        LintFormat::Json => {
            let rules = registry::RULES.iter().map(|rule| {
                let page = rule.page();
                serde_json::json!({
                    "id": page.id,
                    "severity": page.severity,
                    "summary": page.summary,
                    "canBeSilenced": page.can_be_silenced,
                    "url": page.url(),
                })
            });
            let list = serde_json::json!({"version": 1, "rules": rules.collect::<Vec<_>>()});
            ui::out(&format!("{}\n", serde_json::to_string_pretty(&list).unwrap_or_default()));
            Ok(0)
        }
        LintFormat::Github | LintFormat::Sarif => Err(Failure::usage(
            Message::new("expected `--format text` or `--format json` with `--rules`, found a form for findings")
                .help("leave `--format` out"),
        )),
    }
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
