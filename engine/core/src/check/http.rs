//! `http` as a check: the same as the action.

use super::Facts;

pub use crate::action::http::Http;

/// What is known about it.
pub const FACTS: Facts = Facts {
    name: "http",
    summary: "sends one HTTP request",
    example: r#"http: {url: "https://shop.example.org/health"}
expect: "status == 200 && json.ready"
within: 2m
holds: 30s"#,
    result: crate::action::http::RESULT,
    expect: "status >= 200 && status < 300",
};
