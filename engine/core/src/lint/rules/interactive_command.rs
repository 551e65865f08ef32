//! `interactive-command`.

use crate::{
    diagnostic::{Diagnostic, Severity},
    lint::{Context, Rule, scripts::Reading},
    script::{Command, Input, Word},
};

/// A command that asks a question.
///
/// A step has no terminal: nothing answers. The command ends with an error when it is lucky, and waits until the time-out when it is
/// not. Whoever wrote it saw the question on their own terminal, said yes, and never noticed; it is two in the morning when
/// it is asked again. Who may say yes is what `approval` is for. A variable by which the program is told not to ask
/// (`CLOUDSDK_CORE_DISABLE_PROMPTS`, `TF_CLI_ARGS_apply`) is an answer as well.
///
/// Bad:
///
/// ```yaml
/// exec: [terraform, "-chdir=infra", apply, -var-file=dr.tfvars]
/// ```
///
/// Good:
///
/// ```yaml
/// exec: [terraform, "-chdir=infra", apply, -input=false, -auto-approve, -var-file=dr.tfvars]
/// approval: {by: incident-commander}
/// ```
///
/// To fix it, add the flag that the finding names, and an `approval` where the question had a point.
pub const RULE: Rule = Rule {
    id: "interactive-command",
    severity: Severity::Warning,
    summary: "a command that asks a question, which nothing answers",
    check,
    source: include_str!("interactive_command.rs"),
};

/// A program, the subcommand that asks, and the flags of which any one makes it go on. The first one is what people are told.
type Asks = (&'static str, &'static [&'static str], &'static [&'static str]);

const YES: &[&str] = &["--yes", "-y"];
const QUIET: &[&str] = &["--quiet", "-q"];
const APPROVE: &[&str] = &["-auto-approve", "--auto-approve"];

const QUESTIONS: [Asks; 38] = [
    ("argocd", &["app", "delete"], YES),
    ("az", &["acr", "delete"], YES),
    ("az", &["aks", "delete"], YES),
    ("az", &["disk", "delete"], YES),
    ("az", &["group", "delete"], YES),
    ("az", &["network", "dns", "record-set", "a", "delete"], YES),
    ("az", &["network", "dns", "record-set", "cname", "delete"], YES),
    ("az", &["network", "dns", "zone", "delete"], YES),
    ("az", &["network", "traffic-manager", "endpoint", "delete"], YES),
    ("az", &["postgres", "flexible-server", "delete"], YES),
    ("az", &["postgres", "flexible-server", "replica", "promote"], YES),
    ("az", &["snapshot", "delete"], YES),
    ("az", &["sql", "db", "delete"], YES),
    ("az", &["storage", "account", "delete"], YES),
    ("az", &["storage", "account", "failover"], YES),
    ("az", &["vm", "delete"], YES),
    ("flux", &["delete"], &["--silent", "-s"]),
    ("flux", &["uninstall"], &["--silent", "-s"]),
    ("gcloud", &["compute", "instances", "delete"], QUIET),
    ("gcloud", &["container", "clusters", "delete"], QUIET),
    ("gcloud", &["sql", "backups", "restore"], QUIET),
    ("gcloud", &["sql", "instances", "delete"], QUIET),
    ("gcloud", &["sql", "instances", "failover"], QUIET),
    ("gcloud", &["sql", "instances", "promote-replica"], QUIET),
    ("patronictl", &["failover"], &["--force"]),
    ("patronictl", &["reinit"], &["--force"]),
    ("patronictl", &["restart"], &["--force"]),
    ("patronictl", &["switchover"], &["--force"]),
    ("pulumi", &["destroy"], YES),
    ("pulumi", &["up"], YES),
    ("terraform", &["destroy"], APPROVE),
    ("tofu", &["destroy"], APPROVE),
    ("velero", &["backup", "delete"], &["--confirm"]),
    ("velero", &["delete", "backup"], &["--confirm"]),
    ("velero", &["delete", "restore"], &["--confirm"]),
    ("velero", &["delete", "schedule"], &["--confirm"]),
    ("velero", &["restore", "delete"], &["--confirm"]),
    ("velero", &["schedule", "delete"], &["--confirm"]),
];

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for (reading, program, command) in context.commands() {
        let answered = command.stdin != Input::Step || reading.has_stdin;
        if answered || command.may_have_more() || is_told_not_to_ask(reading, program, command) {
            continue;
        }
        if let Some((what, help)) = asks(program, command) {
            findings.push(
                context
                    .finding_in(
                        &RULE,
                        reading,
                        &command.range,
                        format!("expected a command that asks nothing, found {what}"),
                    )
                    .label("nobody is there to answer")
                    .help(help),
            );
        }
    }
}

/// Whether the environment may say yes for it. What it is set to is not looked at: whoever sets it has thought of the question.
fn is_told_not_to_ask(reading: &Reading<'_>, program: &str, command: &Command) -> bool {
    let names: &[&str] = match program {
        "az" => &["AZURE_CORE_DISABLE_CONFIRM_PROMPT"],
        "gcloud" => &["CLOUDSDK_CORE_DISABLE_PROMPTS"],
        "terraform" | "tofu" => match command.verbs().first() {
            Some(&"apply") => &["TF_CLI_ARGS", "TF_CLI_ARGS_apply"],
            Some(&"destroy") => &["TF_CLI_ARGS", "TF_CLI_ARGS_destroy"],
            _ => &[],
        },
        _ => &[],
    };
    names.iter().any(|name| reading.sets(name, command))
}

/// Whether one of these flags is given, also as one letter of several: `-fy`.
fn says(command: &Command, flags: &[&str]) -> bool {
    let letter = |flag: &&str| flag.strip_prefix('-').filter(|it| it.len() == 1).and_then(|it| it.chars().next());
    command.has(flags) || flags.iter().filter_map(letter).any(|it| command.has_switch(it))
}

fn asks(program: &str, command: &Command) -> Option<(String, String)> {
    let known = QUESTIONS.iter().find(|(name, verbs, _)| *name == program && command.does(name, verbs));
    if let Some((_, verbs, flags)) = known {
        let flag = flags.first()?;
        let what = format!("`{program} {}` without `{flag}`", verbs.join(" "));
        return (!says(command, flags))
            .then(|| (what, format!("add `{flag}`, and an `approval` to the step if it has a point")));
    }
    let verbs = command.verbs();
    match (program, verbs.first().copied()) {
        // A saved plan has been looked at already; a word that is not constant may be one.
        ("terraform" | "tofu", Some("apply")) if command.positional().count() == 1 && !command.has(APPROVE) => Some((
            format!("`{program} apply` with neither a saved plan nor `-auto-approve`"),
            "apply a plan that was saved by `-out`, or add `-auto-approve`".to_owned(),
        )),
        ("kubectl" | "oc", Some("edit")) => {
            Some((format!("`{program} edit`"), "use the action `patch`, or `kubectl patch`".to_owned()))
        }
        ("kubectl" | "oc", Some(verb @ ("attach" | "debug" | "exec" | "run"))) if wants_terminal(command) => Some((
            format!("`{program} {verb}` with a terminal"),
            "take `-t` away: there is no terminal to give".to_owned(),
        )),
        ("psql", _) if command.has(&["-W", "--password"]) => Some((
            "`psql` that asks for a password".to_owned(),
            "take `-W` away, and set `PGPASSWORD` in `env`".to_owned(),
        )),
        ("dropdb", _) if command.has(&["-i", "--interactive"]) => Some((
            "`dropdb` with a question".to_owned(),
            "take `-i` away, and add an `approval` to the step".to_owned(),
        )),
        ("read", _) if says(command, &["-p"]) => Some((
            "`read` with a question".to_owned(),
            "use `approval`, a check with `ask`, or an input: the answer is then in the evidence".to_owned(),
        )),
        _ => None,
    }
}

fn wants_terminal(command: &Command) -> bool {
    // Behind `--` are the flags of the program in the container.
    let own = command.arguments.iter().map(Word::constant).take_while(|text| *text != Some("--"));
    own.flatten().any(|text| matches!(text, "--tty" | "--tty=true" | "-t" | "-it" | "-ti"))
}
