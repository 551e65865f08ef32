//! `secret-captured-as-evidence`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, programs::words, scripts::Reading},
    script::{Command, Flag, Sink, Word},
};

/// A command prints secrets into the output of its step, which is kept as evidence.
///
/// Secrets that come in by an input are masked in every output. What a command fetches by itself is not known to be one: it
/// stands in the evidence, which cannot be changed, is kept for years, and is read by auditors. Whatever it opens has to be made
/// anew, and that at two in the morning, in the middle of a recovery.
///
/// Bad:
///
/// ```yaml
/// shell: kubectl --context "$DR" -n shop get secret db -o yaml
/// ```
///
/// Good:
///
/// ```yaml
/// shell: kubectl --context "$DR" -n shop get secret db -o name
/// ```
///
/// To fix it, print only what is needed (names, keys, a digest), send it into a file that is taken away again, or pipe it into
/// the program that needs it.
pub const RULE: Rule = Rule {
    id: "secret-captured-as-evidence",
    severity: Severity::Warning,
    summary: "a command prints secrets into the evidence",
    check,
    source: include_str!("secret_captured_as_evidence.rs"),
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (reading, program, command) in context.commands() {
        let Some(what) = prints(program, command) else { continue };
        if command.may_have_more() {
            continue;
        }
        let Some(printer) = arrives(reading, command) else { continue };
        let mut finding = context
            .finding_in(
                &RULE,
                reading,
                &command.range,
                format!("expected no secret in the output of a step, found {what}"),
            )
            .label("is kept as evidence");
        if printer.range != command.range {
            finding = finding.related(context.source, context.in_script(reading, &printer.range), "printed here");
        }
        findings
            .push(finding.help("print a name or a digest of it, send it into a file, or pipe it into what needs it"));
    }
}

/// What secrets a command prints.
fn prints(program: &str, command: &Command) -> Option<&'static str> {
    let verbs = command.verbs();
    let text = words(command);
    match (program, verbs.as_slice()) {
        ("kubectl" | "oc", ["get", ..]) => prints_a_secret(command).then_some("the contents of a Secret"),
        ("kubectl" | "oc", ["config", "view", ..]) => {
            command.has(&["--raw"]).then_some("the credentials of a kubeconfig")
        }
        ("terraform" | "tofu", ["output"]) => {
            command.has(&["-json", "--json"]).then_some("outputs, sensitive ones included")
        }
        ("terraform" | "tofu", ["show", ..]) => {
            command.has(&["-json", "--json"]).then_some("state, sensitive values included")
        }
        // How the server itself does stands below `sys/`.
        ("vault", ["read", path, ..]) if path.starts_with("sys/") => None,
        ("vault", ["kv", "get", ..] | ["read", ..]) => Some("a secret of Vault"),
        ("aws", ["secretsmanager", "get-secret-value", ..]) => {
            asks_for(command, "Secret", &[]).then_some("a secret of Secrets Manager")
        }
        ("aws", ["ssm", "get-parameter" | "get-parameters" | "get-parameters-by-path", ..]) => {
            let decrypts = command.has(&["--with-decryption"]);
            (decrypts && asks_for(command, "Value", &["Parameter", "Parameters"])).then_some("a decrypted parameter")
        }
        ("aws", ["sts", "assume-role" | "get-session-token", ..]) => {
            (!text.contains("--query")).then_some("temporary credentials")
        }
        ("az", ["keyvault", "secret", "show" | "download", ..]) => {
            let query = command.flag(&["--query"]);
            let harmless = query.is_some_and(|it| !it.value().is_some_and(|it| it.contains("value")));
            (!harmless).then_some("a secret of Key Vault")
        }
        ("az", ["account", "get-access-token", ..]) => {
            let query = command.flag(&["--query"]);
            let harmless = query.is_some_and(|it| !it.value().is_some_and(|it| it.contains("Token")));
            (!harmless).then_some("an access token")
        }
        ("gcloud", ["secrets", "versions", "access", ..]) => Some("a secret of Secret Manager"),
        ("gcloud", ["auth", "print-access-token" | "print-identity-token", ..]) => Some("an access token"),
        ("sops", _) => {
            let decrypts = command.has(&["-d", "--decrypt"]) || verbs.first() == Some(&"decrypt");
            (decrypts && !command.has(&["-i", "--in-place", "--output"])).then_some("what was encrypted")
        }
        ("age", _) => {
            (command.has(&["-d", "--decrypt"]) && !command.has(&["-o", "--output"])).then_some("what was encrypted")
        }
        ("printenv" | "env", []) if command.arguments.is_empty() => Some("the whole environment"),
        _ => None,
    }
}

/// Whether `kubectl get` prints what stands in a Secret.
fn prints_a_secret(command: &Command) -> bool {
    // The name may be known only when it runs: `"secret/$NAME"`.
    let kinds = command.positional().nth(1).map_or("", Word::head);
    let kinds = kinds.split(['/', '.']).next().unwrap_or_default();
    if !kinds.split(',').any(|it| matches!(it, "secret" | "secrets")) {
        return false;
    }
    let form = command.flag(&["-o", "--output"]);
    let template = command.flag(&["--template"]);
    let text = |flag: &Option<Flag<'_>>| flag.as_ref().and_then(Flag::value).unwrap_or_default().to_owned();
    let (form, template) = (text(&form), text(&template));
    let data = [&form, &template]
        .into_iter()
        .any(|it| it.contains("data") && !it.contains("metadata") || it.contains(".data"));
    matches!(form.as_str(), "yaml" | "json") || data
}

/// Whether the `--query` of a command, if it has one, leaves something secret in what is printed: a field of which the name has
/// `field`, or one of the `wholes`. What is not constant is in doubt.
fn asks_for(command: &Command, field: &str, wholes: &[&str]) -> bool {
    let Some(query) = command.flag(&["--query"]) else { return true };
    let Some(query) = query.value() else { return false };
    let letters = query.trim_matches(|it: char| !it.is_ascii_alphabetic());
    query.contains(field) && !query.contains("length(") || letters.is_empty() || wholes.contains(&letters)
}

/// The command that prints it into the output of the step: itself, the last one of its pipeline, or an `echo` of the variable
/// that it is put into.
fn arrives<'a>(reading: &'a Reading<'_>, command: &'a Command) -> Option<&'a Command> {
    let last = match &command.stdout {
        Sink::Pipe => {
            let behind = reading.script.behind_in_pipeline(command);
            let last = behind.last()?;
            behind.iter().all(|it| passes_on(it)).then_some(*last)?
        }
        _ => command,
    };
    match &last.stdout {
        Sink::Step => Some(last),
        Sink::Variable(name) => reading.script.commands.iter().find(|it| {
            let prints = matches!(it.program(), Some("echo" | "printf")) && !it.has(&["-v"]);
            prints
                && it.stdout == Sink::Step
                && it.range.start > last.range.end
                && it.arguments.iter().any(|word| word.variables().any(|it| it == name))
        }),
        Sink::Argument | Sink::File | Sink::Null | Sink::Caller | Sink::Pipe => None,
    }
}

/// Whether a command of a pipeline prints the secrets that it reads.
fn passes_on(command: &Command) -> bool {
    match command.program() {
        Some("cat" | "tee" | "base64" | "awk" | "cut" | "sed" | "tr" | "sort" | "head" | "tail") => true,
        Some("jq" | "yq") => !prints_little(&words(command)),
        Some("grep") => !command.has_switch('q') && !command.has_switch('c') && !command.has_switch('l'),
        _ => false,
    }
}

/// Whether a filter leaves nothing secret: names, numbers, or an answer of yes or no.
fn prints_little(filter: &str) -> bool {
    // What a Secret is called, and the version of one of Vault, stand in `metadata`.
    let filter = filter.replace(".data.metadata", ".metadata");
    let last = filter.rsplit('|').next().unwrap_or_default();
    let chooses = filter.contains("select(") || filter.contains("if ");
    let compares = ["==", "!=", "has(", "test("].iter().any(|it| last.contains(it)) && !chooses;
    let counts = ["keys", "length"].iter().any(|it| last.contains(it)) || last.trim() == "type";
    let names = ["keys", "metadata", "name", "type"].iter().any(|it| filter.contains(it));
    compares || counts || names && (!filter.contains(".data") || filter.contains("keys"))
}
