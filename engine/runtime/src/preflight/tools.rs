//! Tools and environment.
//!
//! Duty: which programs are there, in which versions, and whether variables are set. It must not change anything: a tool is
//! only asked for its version.

use std::{cmp::Ordering, collections::BTreeMap, fmt, path::Path, sync::Arc, time::Duration};

use lifeboat_core::{evidence::event::Finding, model::Requirement};
use tokio::sync::Semaphore;

use crate::process::{self, Filters, Launch, Sinks};

/// How long a tool may take to tell its version.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// From TERM to KILL for a tool that takes longer.
const PROBE_GRACE: Duration = Duration::from_millis(500);

/// How a tool is asked. `version --client` comes before `version`: the latter makes `kubectl` and its like call a
/// server, which is not there when it matters most.
const PROBES: [&[&str]; 3] = [&["--version"], &["version", "--client"], &["version"]];

/// How many tools are asked at once.
const AT_ONCE: usize = 8;

/// The numbers of a version, the most significant first.
pub type Version = Vec<u64>;

/// Versions that will do: all of its comparisons hold. Empty: every version does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted(Vec<(Comparison, Version)>);

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=` or nothing.
    Equal,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

impl Comparison {
    const ALL: [(&'static str, Self); 5] =
        // The longer ones first: `>` is the beginning of `>=`.
        [(">=", Self::AtLeast), ("<=", Self::AtMost), (">", Self::Greater), ("<", Self::Less), ("=", Self::Equal)];
}

impl Wanted {
    /// Reads `*`, or comparisons joined by commas: `>=1.9, <2`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self(Vec::new()));
        }
        let read = |part: &str| {
            let part = part.trim();
            let (comparison, number) = Comparison::ALL
                .iter()
                .find_map(|(sign, comparison)| part.strip_prefix(sign).map(|rest| (*comparison, rest)))
                .unwrap_or((Comparison::Equal, part));
            let number = number.trim();
            version(number.strip_prefix('v').unwrap_or(number))
                .map(|version| (comparison, version))
                .ok_or_else(|| format!("`{part}` in `{text}` is not a comparison such as `>=1.9`"))
        };
        text.split(',').map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether every version does.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this version will do.
    #[must_use]
    pub fn allows(&self, version: &[u64]) -> bool {
        self.0.iter().all(|(comparison, wanted)| {
            let order = compare(version, wanted);
            match comparison {
                Comparison::Equal => order == Ordering::Equal,
                Comparison::Greater => order == Ordering::Greater,
                Comparison::AtLeast => order != Ordering::Less,
                Comparison::Less => order == Ordering::Less,
                Comparison::AtMost => order != Ordering::Greater,
            }
        })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("*");
        }
        for (nth, (comparison, version)) in self.0.iter().enumerate() {
            let sign = Comparison::ALL.iter().find(|(_, known)| known == comparison).map_or("", |(sign, _)| sign);
            let comma = if nth == 0 { "" } else { ", " };
            write!(f, "{comma}{sign}{}", dotted(version))?;
        }
        Ok(())
    }
}

/// Part by part, as numbers; a part that is not there counts as 0, so `1.9` equals `1.9.0`.
#[must_use]
pub fn compare(one: &[u64], other: &[u64]) -> Ordering {
    let part = |version: &[u64], nth| version.get(nth).copied().unwrap_or_default();
    (0..one.len().max(other.len()))
        .map(|nth| part(one, nth).cmp(&part(other, nth)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// All of the text is a version: numbers with dots between them.
fn version(text: &str) -> Option<Version> {
    text.split('.').map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?).collect()
}

fn dotted(version: &[u64]) -> String {
    version.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

/// The first version in a text: two or more numbers with dots between them. Numbers beyond 64 bits are none.
#[must_use]
pub fn first_version(text: &str) -> Option<Version> {
    text.split(|sign: char| !(sign.is_ascii_digit() || sign == '.'))
        .map(|word| word.trim_matches('.'))
        .map(|word| word.split_once("..").map_or(word, |(first, _)| first))
        .filter(|word| word.contains('.'))
        .find_map(version)
}

/// Looks at all tools, several at once, and at all variables; the findings come in the order of the requirements.
///
/// `base` is the environment that steps get, without their own variables; `directory` is the runbook's.
pub async fn look(
    tools: &[(String, Requirement)],
    variables: &[String],
    base: &BTreeMap<String, String>,
    directory: &Path,
    filter: &Filters,
) -> Vec<Finding> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let probes: Vec<_> = tools
        .iter()
        .map(|(tool, requirement)| {
            let (tool, requirement) = (tool.clone(), requirement.0.clone());
            let (base, directory, filter) = (base.clone(), directory.to_owned(), Arc::clone(filter));
            let places = Arc::clone(&places);
            tokio::spawn(async move {
                // An error means that it is closed, which nobody does.
                let _place = places.acquire().await;
                probe(&tool, &requirement, &base, &directory, &filter).await
            })
        })
        .collect();
    let mut findings = Vec::with_capacity(tools.len() + variables.len());
    for (probe, (tool, requirement)) in probes.into_iter().zip(tools) {
        findings.push(probe.await.unwrap_or_else(|_| Finding {
            passed: false,
            ..Finding::met(title(tool, &requirement.0), "not looked at: the engine is shutting down")
        }));
    }
    findings.extend(variables.iter().map(|name| variable(name, base)));
    findings
}

fn title(tool: &str, requirement: &str) -> String {
    if requirement.trim() == "*" { tool.to_owned() } else { format!("{tool} {requirement}") }
}

/// The value is not told: it may be a secret.
fn variable(name: &str, base: &BTreeMap<String, String>) -> Finding {
    let (passed, found) = match base.get(name).map(String::as_str) {
        Some("") => (false, "it is empty"),
        Some(_) => (true, "it is set"),
        None => (false, "it is not set"),
    };
    Finding {
        passed,
        help: (!passed).then(|| format!("set it for the engine and start again: export {name}=…")),
        ..Finding::met(format!("environment variable {name}"), found)
    }
}

async fn probe(
    tool: &str,
    requirement: &str,
    base: &BTreeMap<String, String>,
    directory: &Path,
    filter: &Filters,
) -> Finding {
    let finding = |passed, found: String, help: Option<String>| Finding {
        passed,
        help,
        ..Finding::met(title(tool, requirement), found)
    };
    let wanted = match Wanted::parse(requirement) {
        Ok(wanted) => wanted,
        Err(why) => return finding(false, why, Some("correct `requires.tools` in the runbook".to_owned())),
    };
    let file = match process::find_program(tool, base.get("PATH").map(String::as_str), directory) {
        Ok(file) => file,
        Err(missing) => {
            let help = format!("install {} on this machine, or add its directory to PATH", title(tool, requirement));
            return finding(false, missing.to_string(), Some(help));
        }
    };
    let at = file.display();
    let (mut told, mut silent) = (None, String::new());
    for arguments in PROBES {
        match ask(&file, tool, arguments, base, directory, filter).await {
            Ok((version, true)) => {
                told = Some(version);
                break;
            }
            // A number in an error message is better than none; one that was asked for is better than that.
            Ok((version, false)) => told = told.or(Some(version)),
            Err(why) => silent = why,
        }
    }
    match told {
        Some(version) if wanted.allows(&version) => finding(true, format!("{} at {at}", dotted(&version)), None),
        Some(version) => {
            let help = format!("install {tool} {wanted}, or put the directory of one that fits first on PATH");
            finding(false, format!("{} at {at}", dotted(&version)), Some(help))
        }
        None if wanted.is_any() => finding(true, format!("{at}; it does not tell a version"), None),
        None => {
            let help = format!("see what `{tool} --version` says; if it has no version, require \"*\"");
            finding(false, format!("{at} does not tell its version: {silent}"), Some(help))
        }
    }
}

/// The version that a tool prints, and whether it ended well.
async fn ask(
    file: &Path,
    tool: &str,
    arguments: &[&str],
    base: &BTreeMap<String, String>,
    directory: &Path,
    filter: &Filters,
) -> Result<(Version, bool), String> {
    let mut argv = vec![program_word(file, tool)];
    argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let launch = Launch {
        argv,
        env: base.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        cwd: directory.to_owned(),
        stdin: None,
        grace: PROBE_GRACE,
        reach_marked: false,
    };
    let sinks = Sinks { stdout: None, stderr: None, lines: None, filter: Arc::clone(filter) };
    let running = process::start(launch, sinks).await.map_err(|error| error.to_string())?;
    let control = running.control();
    let ended = running.ended();
    tokio::pin!(ended);
    let ended = if let Ok(ended) = tokio::time::timeout(PROBE_TIMEOUT, &mut ended).await {
        ended
    } else {
        // What it has printed by then may be enough: some tell their own version before they ask a server for its.
        control.stop(PROBE_GRACE, false);
        ended.await
    };
    // Some print it on stderr, and some with an exit code that is not 0.
    let version = first_version(&ended.stdout.text()).or_else(|| first_version(&ended.stderr.text()));
    version.map(|version| (version, ended.succeeded())).ok_or_else(|| {
        let said = match ended.error() {
            Some(error) if ended.stopped => format!("no answer within {PROBE_TIMEOUT:?}, {error}"),
            Some(error) => error,
            None => "no version in what it printed".to_owned(),
        };
        format!("`{tool} {}`: {said}", arguments.join(" "))
    })
}

/// The file that was found is the one that is asked.
fn program_word(file: &Path, tool: &str) -> String {
    file.to_str().map_or_else(|| tool.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests;
