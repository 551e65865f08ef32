//! Asking a person to choose one of a list, with the arrow keys.

/// The place of what was chosen; `None` when the person would rather not. Asks on standard error, so that standard output
/// stays free for what was asked for.
pub(crate) fn choose(question: &str, choices: &[String]) -> Option<usize> {
    let terminal = dialoguer::console::Term::stderr();
    let chosen = dialoguer::Select::new().with_prompt(question).items(choices).default(0).interact_on_opt(&terminal);
    // What is interrupted leaves the cursor hidden.
    drop(terminal.show_cursor());
    chosen.ok().flatten()
}
