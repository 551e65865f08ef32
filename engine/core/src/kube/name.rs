//! Names.
/// A name.
#[must_use]
pub fn object_name(run: &str, step: &str, attempt: u32) -> String {
    format!("{run}-{step}-{attempt}")
}
