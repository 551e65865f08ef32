//! Does a run's evidence hold, with all that belongs to it?
//!
//! Duty: to bring the files of a run's directory to the verifier of `lifeboat-core`, and to compare what the records name
//! with what is there. It takes no lock and changes nothing, so it can be run on a copy that is read-only.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

use lifeboat_core::evidence::{
    chain::hex,
    verify::{Fault, Notice, Place, Problem, Report, Verifier},
};
use sha2::{Digest, Sha256};

use super::{RunDir, StoreError, files, read};

/// Verifies a run: its log, its head, every artifact that a record names, the frozen runbook and the plan. What is wrong
/// is in the report.
///
/// # Errors
/// When the log, the head or a directory cannot be read at all.
pub fn verify_run(run: &RunDir) -> Result<Report, StoreError> {
    // The head first: while a run goes on it may be sealed at any time, and a head must not be newer than the records.
    let (head, damaged) = match read::head(&run.head())?.transpose() {
        Ok(head) => (head, None),
        Err(fault) => (None, Some(fault)),
    };
    let mut verifier = Verifier::new(head);
    read::lines::<StoreError>(&run.log_path(), |line| {
        verifier.line(line);
        Ok(())
    })?;
    let mut report = verifier.finish();
    if let Some(fault) = damaged {
        // It is there, so it is not missing.
        report.problems.retain(|problem| !matches!(problem.fault, Fault::HeadMissing { .. }));
        report.problems.push(Problem { at: None, fault });
    }
    artifacts(run, &mut report)?;
    frozen(run, &mut report)?;
    let beside = files::children(run.path())?;
    let torn = beside.iter().filter(|(name, _)| name.starts_with("torn-"));
    report.notices.extend(torn.map(|(name, _)| Notice::TornSide { path: name.clone() }));
    if run.signature().exists() {
        report.notices.retain(|notice| *notice != Notice::Unsigned);
        report.notices.push(Notice::SignatureNotChecked);
    }
    if let Some(recorded) = report.run.clone().filter(|recorded| recorded != run.id()) {
        report.notices.push(Notice::OtherName { recorded, directory: run.id().to_owned() });
    }
    Ok(report)
}

fn artifacts(run: &RunDir, report: &mut Report) -> Result<(), StoreError> {
    let artifacts = run.artifacts();
    let mut known: HashMap<String, Found> = HashMap::new();
    for reference in std::mem::take(&mut report.artifacts) {
        let artifact = &reference.artifact;
        let problem = if is_digest(&artifact.sha256) {
            // The same content may be named a thousand times, and is read once.
            let found = known.entry(artifact.sha256.clone()).or_insert_with(|| look(&artifacts.path(artifact)));
            let path = format!("artifacts/{}", artifact.sha256);
            found.against(&artifact.name, path, &artifact.sha256, Some(artifact.bytes))
        } else {
            // A digest becomes part of a path, so nothing else may.
            Some(Fault::NotADigest { name: artifact.name.clone(), digest: artifact.sha256.clone() })
        };
        report.problems.extend(problem.map(|fault| Problem { at: Some(reference.at.clone()), fault }));
        report.artifacts.push(reference);
    }
    for (name, _) in files::children(artifacts.directory())? {
        if !known.contains_key(&name) && !name.starts_with(files::UNFINISHED) {
            report.notices.push(Notice::Unreferenced { path: format!("artifacts/{name}") });
        }
    }
    Ok(())
}

fn frozen(run: &RunDir, report: &mut Report) -> Result<(), StoreError> {
    // Without a first record that holds nothing is known about them.
    let (Some(at), Some(plan)) = (report.first.clone(), report.plan_digest.clone()) else { return Ok(()) };
    let mut faults = Vec::new();
    faults.extend(look(&run.plan_path()).against("the plan", "plan.json".to_owned(), &plan, None));
    if let Some(signers) = &report.signers {
        let path = run.path().join(crate::signers::FILE);
        faults.extend(look(&path).against("the keys of people", crate::signers::FILE.to_owned(), signers, None));
    }
    let root = run.runbook();
    for (name, digest) in &report.frozen {
        let found = files::below(&root, name).map_or(Found::Missing, |path| look(&path));
        faults.extend(found.against("a file of the runbook", format!("runbook/{name}"), digest, None));
    }
    let named: HashSet<&String> = report.frozen.keys().collect();
    let there = files::tree(&root)?;
    let added = there.iter().filter(|(name, _)| !named.contains(name));
    faults.extend(added.map(|(name, _)| Fault::FileAdded { path: format!("runbook/{name}") }));
    let at = |fault| Problem { at: Some(Place::clone(&at)), fault };
    report.problems.extend(faults.into_iter().map(at));
    Ok(())
}

/// What is there under a name.
enum Found {
    Missing,
    Unreadable(String),
    File { bytes: u64, sha256: String },
}

impl Found {
    fn against(&self, name: &str, path: String, expected: &str, bytes: Option<u64>) -> Option<Fault> {
        let name = name.to_owned();
        match self {
            Self::Missing => Some(Fault::FileMissing { name, path }),
            Self::Unreadable(reason) => Some(Fault::FileUnreadable { name, path, reason: reason.clone() }),
            Self::File { bytes: found, sha256 } if sha256 == expected && bytes.is_none_or(|bytes| bytes == *found) => {
                None
            }
            Self::File { bytes: found_bytes, sha256 } => Some(Fault::FileChanged {
                name,
                path,
                bytes,
                expected: expected.to_owned(),
                found_bytes: *found_bytes,
                found: sha256.clone(),
            }),
        }
    }
}

fn look(path: &Path) -> Found {
    match hash(path) {
        Ok((bytes, sha256)) => Found::File { bytes, sha256 },
        Err(error) if error.kind() == ErrorKind::NotFound => Found::Missing,
        Err(error) => Found::Unreadable(error.to_string()),
    }
}

fn hash(path: &Path) -> io::Result<(u64, String)> {
    // A pipe in the place of a file would never come to its end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut file = File::open(path)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(read) => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
