//! `secret-in-argv`.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, scripts::Reading},
    script::Word,
};

/// A secret is an argument of a program.
///
/// Arguments can be read by everybody on the machine for as long as the program runs (`ps`, `/proc`), and audit logs keep them
/// for years. That the secret came in by `env` is of no use once the shell has put it into a command line. At two in the
/// morning a recovery runs on a machine that many are logged on to. What `sudo` or `env` sets for a program is an argument of
/// theirs. What the shell itself does (`echo`, `printf`, `test`) is no
/// program and is left alone.
///
/// Bad:
///
/// ```yaml
/// shell: curl -fsS -H "Authorization: Bearer $TOKEN" https://dns.example.org/shift
/// env: {TOKEN: "{{inputs.token}}"}
/// ```
///
/// Good:
///
/// ```yaml
/// shell: printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" | curl -fsS --config - https://dns.example.org/shift
/// env: {TOKEN: "{{inputs.token}}"}
/// ```
///
/// To fix it, let the program read it from its environment (`PGPASSWORD`), from standard input (`--password-stdin`,
/// `curl --config -`) or from a file. The action `http` takes secrets in headers and bodies.
pub const RULE: Rule = Rule {
    id: "secret-in-argv",
    severity: Severity::Warning,
    summary: "a secret is an argument of a program",
    check,
    source: include_str!("secret_in_argv.rs"),
};

/// What a shell does itself, so that no process list has its arguments.
const BUILTINS: [&str; 20] = [
    ".", ":", "[", "alias", "cd", "declare", "echo", "eval", "exit", "export", "false", "local", "printf", "read",
    "readonly", "return", "set", "source", "test", "true",
];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let inputs = context.secrets();
    if inputs.is_empty() {
        return;
    }
    for reading in context.readings() {
        let secrets = variables(reading, &inputs);
        if secrets.is_empty() {
            continue;
        }
        for (program, command) in reading.commands().filter(|(program, _)| !BUILTINS.contains(program)) {
            let shown = command.arguments.iter().find_map(|word| Some((word, holder(word, &secrets)?, None)));
            // `sudo NAME=value` and `env NAME=value` are arguments until the program itself is started.
            let wrapped = command.assignments.iter().filter(|it| it.argument);
            let shown = shown.or_else(|| {
                wrapped.into_iter().find_map(|it| Some((&it.value, holder(&it.value, &secrets)?, Some(&it.name))))
            });
            let Some((word, name, set)) = shown else { continue };
            let (whose, help) = match set {
                Some(set) => (
                    format!("what starts `{program}`"),
                    format!("set it in `env`, and let `sudo --preserve-env={set}` pass it on"),
                ),
                None => (format!("`{program}`"), instead(program).to_owned()),
            };
            let input = secrets.get(name).copied().unwrap_or_default();
            let declared = context.key(&["inputs", input], crate::source::Span::default());
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &word.range,
                        format!(
                            "expected no secret in the arguments of {whose}, found `{name}`, which has `inputs.{input}`"
                        ),
                    )
                    .label("everybody on the machine can read it")
                    .related(context.source, declared, "declared as a secret here")
                    .help(help),
            );
        }
    }
}

/// The variable in a word that has a secret.
fn holder<'a>(word: &'a Word, secrets: &BTreeMap<&str, &str>) -> Option<&'a str> {
    word.variables().find(|name| secrets.contains_key(*name))
}

fn instead(program: &str) -> &'static str {
    match program {
        "curl" => "pipe it into `curl --config -`, read it from a file with `-H @file`, or use the action `http`",
        "psql" | "pg_dump" | "pg_restore" | "createdb" | "dropdb" => "set `PGPASSWORD` or `PGPASSFILE` in `env`",
        "mysql" | "mysqldump" => "set `MYSQL_PWD` in `env`, or read it from a file with `--defaults-extra-file`",
        "docker" | "podman" | "helm" | "crane" | "skopeo" => "pipe it into `--password-stdin`",
        "vault" => "set `VAULT_TOKEN` in `env`, or pipe it into `-`",
        "redis-cli" => "set `REDISCLI_AUTH` in `env`",
        _ => "let the program read it from its environment, from standard input or from a file",
    }
}

/// The variables that have a secret, by the runbook or by an assignment from such a one, with the name of the input.
fn variables<'a>(reading: &'a Reading<'_>, inputs: &[&'a str]) -> BTreeMap<&'a str, &'a str> {
    let mut found = BTreeMap::new();
    for (name, value) in reading.variables() {
        if let Some(input) = inputs.iter().find(|input| mentions(value.as_str(), input)) {
            found.insert(name, *input);
        }
    }
    for assignment in &reading.script.assignments {
        let from = assignment.value.variables().find_map(|name| found.get(name).copied());
        if let Some(input) = from {
            found.insert(&assignment.name, input);
        }
    }
    found
}

/// Whether a template has this input.
fn mentions(template: &str, input: &str) -> bool {
    let path = format!("inputs.{input}");
    template.match_indices(&path).any(|(at, _)| {
        let next = template[at + path.len()..].chars().next();
        !next.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
    })
}
