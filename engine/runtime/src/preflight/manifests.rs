//! What `apply` will apply: files and texts to objects, read once for all that look at them.

use std::path::{Path, PathBuf};

use lifeboat_core::{
    evidence::event::{Finding, Severity},
    kube::manifest,
    machine::needs::{Applied, Makes, Manifests, Needs},
};
use serde_json::Value;

use super::site::users;

/// The largest file, in bytes.
const LARGEST: u64 = manifest::MAX_BYTES as u64;

/// The objects of all manifests, in their order; and what cannot be read.
pub(super) async fn read<'a>(needs: &'a Needs, directory: &Path) -> (Vec<Option<Applied<'a>>>, Vec<Finding>) {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for manifests in &needs.manifests {
        match objects(manifests, directory).await {
            Ok(objects) => all.push(Some(Applied { manifests, objects })),
            // A part of it is not known yet: it is read when it is.
            Err(_) if !manifests.complete => all.push(None),
            Err(why) => {
                all.push(None);
                let requirement = format!("manifests{}", users([&manifests.by]));
                let finding = Finding::missing(requirement, why, "correct `files` or `manifest` in the runbook");
                // A program before it may write the file.
                let written = |cluster: &str| {
                    needs
                        .before(manifests.by.when, cluster)
                        .any(|maker| maker.makes == Makes::Anything && maker.cluster.is_none())
                };
                let severity = if written(&manifests.cluster) { Severity::Warning } else { Severity::Error };
                findings.push(finding.severity(severity));
            }
        }
    }
    (all, findings)
}

async fn objects(manifests: &Manifests, directory: &Path) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    if let Some(text) = &manifests.manifest {
        objects.extend(manifest::parse(text).map_err(|mistake| format!("manifest: {mistake}"))?);
    }
    let paths: Vec<PathBuf> = manifests.files.iter().map(|file| directory.join(file)).collect();
    let read = move || paths.iter().map(|path| texts(path)).collect::<Result<Vec<_>, _>>();
    let files = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())??;
    for (path, text) in files.into_iter().flatten() {
        objects.extend(manifest::parse(&text).map_err(|mistake| format!("{}: {mistake}", path.display()))?);
    }
    if objects.is_empty() {
        return Err("expected at least one object, found none".to_owned());
    }
    manifest::order(&mut objects);
    Ok(objects)
}

/// A file, or those of a directory, in the order of their names.
fn texts(path: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    if !path.is_dir() {
        return Ok(vec![text(path)?]);
    }
    let wrong = |error: std::io::Error| format!("expected manifests in {}, found: {error}", path.display());
    let entries: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(wrong)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(wrong)?;
    let is_manifest = |file: &PathBuf| {
        file.extension().and_then(|it| it.to_str()).is_some_and(|it| matches!(it, "yaml" | "yml" | "json"))
    };
    let mut files: Vec<PathBuf> = entries.into_iter().filter(is_manifest).collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("expected *.yaml, *.yml or *.json in {}, found none", path.display()));
    }
    files.iter().map(|file| text(file)).collect()
}

fn text(path: &Path) -> Result<(PathBuf, String), String> {
    let wrong = |error: std::io::Error| format!("expected a manifest in {}, found: {error}", path.display());
    let size = std::fs::metadata(path).map_err(wrong)?.len();
    if size > LARGEST {
        return Err(format!("expected at most {LARGEST} bytes in {}, found {size}", path.display()));
    }
    Ok((path.to_owned(), std::fs::read_to_string(path).map_err(wrong)?))
}
