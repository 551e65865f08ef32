//! YAML of other projects, read as JSON.

use serde_json::Value;

/// Reads the one document of a file.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        // Definitions of custom resources are long; whose files these are is pinned.
        budget: None,
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| error.to_string())
}
