//! Manifests: from files and texts to objects, in the order in which they are applied.
//!
//! Duty: what `apply` applies and what the pre-flight tries are the same objects, because both read them here.

use std::path::{Path, PathBuf};

use lifeboat_core::kube::manifest;
use serde_json::Value;

/// The largest file, in bytes.
const LARGEST: u64 = manifest::MAX_BYTES as u64;

/// Every object of a text and of files; a directory means the manifests in it, by their names.
///
/// # Errors
/// What cannot be read, and where.
pub(crate) async fn read(directory: &Path, text: Option<&str>, files: &[String]) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    if let Some(text) = text {
        objects.extend(manifest::parse(text).map_err(|mistake| format!("manifest: {mistake}"))?);
    }
    let paths: Vec<PathBuf> = files.iter().map(|file| directory.join(file)).collect();
    let read = move || paths.iter().map(|path| texts(path)).collect::<Result<Vec<_>, _>>();
    let files = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())??;
    for (path, text) in files.into_iter().flatten() {
        objects.extend(manifest::parse(&text).map_err(|mistake| format!("{}: {mistake}", path.display()))?);
    }
    if objects.is_empty() {
        return Err("expected at least one object in the manifests, found none".to_owned());
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
    let entries = std::fs::read_dir(path).map_err(wrong)?;
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(wrong)?;
    files.retain(|file| {
        file.extension().and_then(|it| it.to_str()).is_some_and(|it| matches!(it, "yaml" | "yml" | "json"))
    });
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
