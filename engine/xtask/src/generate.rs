//! Files that are made from the code: schemas, and the reference pages of the book.
//!
//! Duty: the same text for the same code. With `--check` nothing is written, and what is stale is told.

use std::{fmt::Write as _, fs, process::Command};

use lifeboat_core::{action, check, diagnostic::codes, lint::registry::RULES, schema};
use serde_json::Value;

use crate::{root, say};

/// What stands at the top of every generated page.
const NOTE: &str = "<!-- Made by `cargo xtask gen` from the code. Edit the code. -->\n\n";

/// Writes what is stale, or tells it.
pub(crate) fn run(check_only: bool) -> Result<(), String> {
    say(if check_only { "── generated files: are they what the code says?" } else { "── generating" });
    let mut stale = Vec::new();
    for (name, text) in files()? {
        let path = root().join(name);
        if fs::read_to_string(&path).is_ok_and(|now| now == text) {
            continue;
        }
        stale.push(name);
        if !check_only {
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory).map_err(|error| error.to_string())?;
            }
            fs::write(&path, text).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    if check_only && !stale.is_empty() {
        return Err(format!("stale: {}; run `cargo xtask gen`", stale.join(", ")));
    }
    Ok(())
}

fn files() -> Result<Vec<(&'static str, String)>, String> {
    Ok(vec![
        ("schemas/runbook.json", schema::runbook()),
        ("schemas/evidence.json", schema::evidence()),
        ("schemas/catalog.json", schema::catalog()),
        ("book/src/reference/runbook.md", keys(&schema::runbook())?),
        ("book/src/reference/actions.md", actions()),
        ("book/src/reference/checks.md", checks()),
        ("book/src/reference/diagnostics.md", diagnostics()),
        ("book/src/reference/events.md", events(&schema::evidence())?),
        ("book/src/reference/cli.md", cli()?),
    ])
}

fn table(page: &mut String, fields: &[action::Field]) {
    if fields.is_empty() {
        return;
    }
    page.push_str("\n| name | type | what it is |\n|---|---|---|\n");
    for field in fields {
        _ = writeln!(page, "| `{}` | {} | {} |", field.name, field.kind, field.about);
    }
}

fn actions() -> String {
    let mut page = format!(
        "{NOTE}# Actions\n\nWhat a step can do, and what its `result` has for `outputs` and `recoveryPoint`.\n"
    );
    for kind in action::Kind::ALL {
        let facts = kind.facts();
        _ = writeln!(page, "\n## {}\n\n`{}` {}.", facts.name, facts.name, facts.summary);
        _ = writeln!(page, "\n```yaml\n{}\n```", facts.example);
        table(&mut page, facts.result);
    }
    page
}

fn checks() -> String {
    let mut page = format!("{NOTE}# Checks\n\nWhat can be observed, and the names that `expect` sees.\n");
    for kind in check::Kind::ALL {
        let facts = kind.facts();
        _ = writeln!(page, "\n## {}\n\n`{}` {}.", facts.name, facts.name, facts.summary);
        _ = writeln!(page, "\n```yaml\n{}\n```", facts.example);
        _ = writeln!(page, "\nWithout `expect` it passes when `{}`.", facts.expect);
        table(&mut page, facts.result);
    }
    page
}

fn diagnostics() -> String {
    let mut page = format!(
        "{NOTE}# Lint rules and mistakes\n\nEverything that `lint` tells, by its code. All of a file is told in one go, each \
         finding at its line and column with what was expected, what was found and what to do.\n\n# Rules\n\n\
         What is wrong with a runbook that can be read.\n"
    );
    for rule in RULES {
        let severity = format!("{:?}", rule.severity).to_lowercase();
        let (id, summary, text) = (rule.id, rule.summary, rule.explanation());
        _ = writeln!(page, "\n## {id}\n\n*{severity}*: {summary}.\n\n{}", text.trim());
        if let Some(fixes) = rule.page().about_fixes() {
            _ = writeln!(page, "\n{fixes}.");
        }
    }
    for (title, about, codes) in [
        ("Mistakes in the YAML", "They are errors.", codes::YAML),
        ("Mistakes in the language", "They are errors.", codes::LANGUAGE),
        ("Mistakes of the plan", "They are errors, and some show only with the inputs of a run.", codes::PLAN),
        ("Mistakes in the configuration", "They are errors.", codes::LINT),
    ] {
        _ = writeln!(page, "\n# {title}\n\n{about}");
        for code in codes {
            _ = writeln!(page, "\n## {}\n\n{}", code.id, code.about);
            if let Some(fixes) = code.page().about_fixes() {
                _ = writeln!(page, "\n{fixes}.");
            }
        }
    }
    page
}

/// The text of a description, on one line.
fn about(value: &Value) -> String {
    line(value.get("description").unwrap_or(&Value::Null))
}

/// A text on one line, fit for a table.
fn line(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn type_of(value: &Value) -> String {
    if let Some(name) = value.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    for key in ["anyOf", "allOf", "oneOf"] {
        if let Some(some) = value.get(key).and_then(Value::as_array) {
            let named: Vec<String> = some
                .iter()
                .filter(|one| one.get("type").and_then(Value::as_str) != Some("null"))
                .map(|one| match one.get("const") {
                    Some(constant) => format!("`{}`", constant.as_str().unwrap_or_default()),
                    None => type_of(one),
                })
                .collect();
            return named.join(" or ");
        }
    }
    match value.get("type") {
        Some(Value::String(name)) if name == "array" => {
            format!("list of {}", value.get("items").map(type_of).unwrap_or_default())
        }
        Some(Value::String(name)) if name == "object" => match value.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("map to {}", type_of(values)),
            _ => "map".to_owned(),
        },
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn properties(page: &mut String, schema: &Value) {
    let Some(keys) = schema.get("properties").and_then(Value::as_object) else { return };
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    page.push_str("\n| key | type | what it is |\n|---|---|---|\n");
    for (name, value) in keys {
        let must = if required.contains(&name.as_str()) { " (required)" } else { "" };
        _ = writeln!(page, "| `{name}`{must} | {} | {} |", type_of(value), about(value));
    }
}

/// Every key of a runbook.
fn keys(schema: &str) -> Result<String, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|error| error.to_string())?;
    let mut page = format!("{NOTE}# Every key of a runbook\n\n{}\n", about(&schema));
    properties(&mut page, &schema);
    types(&mut page, &schema);
    Ok(page)
}

/// Every type that other places refer to.
fn types(page: &mut String, schema: &Value) {
    for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        _ = writeln!(page, "\n## {name}\n\n{}", about(definition));
        properties(page, definition);
        let list = |key: &str| definition.get(key).and_then(Value::as_array).into_iter().flatten();
        let constants = list("oneOf");
        let mut listed: Vec<String> =
            constants.filter_map(|one| Some(format!("- `{}`: {}", one.get("const")?.as_str()?, about(one)))).collect();
        let values = list("enum").zip(list("enumDescriptions"));
        listed.extend(values.filter_map(|(name, about)| Some(format!("- `{}`: {}", name.as_str()?, line(about)))));
        if !listed.is_empty() {
            _ = writeln!(page, "\n{}", listed.join("\n"));
        }
    }
}

/// Every event of the log.
fn events(schema: &str) -> Result<String, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|error| error.to_string())?;
    let mut page =
        format!("{NOTE}# Events\n\nEvery record of `evidence.jsonl` has these keys, and those of its event.\n");
    properties(&mut page, &schema);
    for event in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = event.pointer("/properties/event/const").and_then(Value::as_str) else { continue };
        _ = writeln!(page, "\n## {name}\n\n{}", about(event));
        match event.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#')) {
            Some(path) => properties(&mut page, schema.pointer(path).unwrap_or(&Value::Null)),
            None => properties(&mut page, event),
        }
    }
    page.push_str("\n# Types\n\nWhat the values of keys are.\n");
    types(&mut page, &schema);
    Ok(page)
}

/// The commands that an overview lists, so that none is forgotten here. What is indented further is the rest of a line.
fn commands(overview: &str) -> impl Iterator<Item = &str> {
    let lines = overview.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help")
}

/// The help of every command, as the binary prints it.
fn cli() -> Result<String, String> {
    let help = |arguments: &[&str]| -> Result<String, String> {
        let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
            .args(["run", "--quiet", "--locked", "--bin", "lifeboat", "--"])
            .args(arguments)
            .arg("--help")
            .current_dir(root())
            .env("COLUMNS", "100")
            .env("NO_COLOR", "1")
            .env_remove("LIFEBOAT_STORE")
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
    };
    let overview = help(&[])?;
    let mut page = format!("{NOTE}# The command line\n\n```text\n{overview}\n```\n");
    for command in commands(&overview) {
        _ = writeln!(page, "\n## {command}\n\n```text\n{}\n```", help(&[command])?);
    }
    Ok(page)
}
