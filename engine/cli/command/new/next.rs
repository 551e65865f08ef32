//! What to do with a runbook that was just written.

use std::path::Path;

use lifeboat_core::{
    model::{Input, InputType, Runbook},
    starter::Starter,
    words::{list, shell_word},
};

/// Where it is, what it still wants to know, and the commands that come next.
pub(super) fn text(file: &Path, starter: &Starter, runbook: &Runbook, owned: bool) -> String {
    let (recovery, path) = (&runbook.recovery, word(&file.to_string_lossy()));
    let mut text = format!(
        "wrote {}, for {} of scope {}: RPO {}, RTO {}\n",
        file.display(),
        starter.disaster.name(),
        recovery.scope.name(),
        recovery.objectives.rpo,
        recovery.objectives.rto
    );
    let wanted = |input: &Input| input.default.is_none();
    let inputs: Vec<_> = runbook.inputs.iter().filter(|(_, input)| wanted(input)).collect();
    let width = inputs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    text.push_str("\nit wants to know, by `--input NAME=VALUE` or in a file by `--inputs FILE`:\n");
    for (name, input) in inputs {
        let about = input.description.as_deref().unwrap_or_default();
        let variable = input.from.as_ref().and_then(|from| from.env.as_deref());
        // A secret stands on no command line and in no file.
        let from = match (input.kind, variable) {
            (InputType::Secret, Some(variable)) => format!(" (by the environment variable {variable})"),
            _ => String::new(),
        };
        text.push_str(&format!("  {name:width$}  {about}{from}\n"));
    }
    let roles: Vec<&str> = runbook.roles.keys().map(String::as_str).collect();
    text.push_str("\nnext: read it, comments too");
    if !roles.is_empty() {
        text.push_str(&format!("; put your people under `roles` ({})", list(&roles, 4)));
    }
    if !owned {
        text.push_str(&format!("; say who owns it (now `{}`)", runbook.metadata.owner));
    }
    text.push_str("; then\n");
    for call in ["lint {}", "plan {} --drill --inputs FILE", "check {} --drill --inputs FILE", "drill {} --inputs FILE"]
    {
        text.push_str(&format!("  lifeboat {}\n", call.replace("{}", &path)));
    }
    text
}

/// A path as one word of a shell, and never as an option.
fn word(path: &str) -> String {
    if path.starts_with('-') { shell_word(&format!("./{path}")) } else { shell_word(path) }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_path_is_one_word() {
        for (path, shown) in [
            ("a/b.yaml", "a/b.yaml"),
            ("-x.yaml", "./-x.yaml"),
            ("a b.yaml", "'a b.yaml'"),
            ("it's.yaml", r"'it'\''s.yaml'"),
            ("$(x).yaml", "'$(x).yaml'"),
            ("~.yaml", "'~.yaml'"),
        ] {
            assert_eq!(word(path), shown);
        }
    }
}
