//! YAML or JSON text as a value, for patches and the like.
//!
//! Duty: YAML 1.2's core schema: `y`, `no` and `on` are strings. Manifests of several documents are `manifest`'s.

use serde_json::Value;

/// One document as a value.
///
/// # Errors
/// What is wrong with it, and where.
pub fn value(text: &str) -> Result<Value, String> {
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        // The parser draws a picture below its first line.
        error.to_string().lines().next().unwrap_or_default().trim().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_and_json() {
        assert_eq!(value("spec: {paused: true, on: no}"), Ok(json!({"spec": {"paused": true, "on": "no"}})));
        assert_eq!(value(r#"[{"op": "remove", "path": "/spec/x"}]"#), Ok(json!([{"op": "remove", "path": "/spec/x"}])));
        assert!(value("a: [1").is_err_and(|why| !why.is_empty() && !why.contains('\n')));
    }
}
