//! `explain`: the page of a code, in the terminal.

use lifeboat_core::{
    diagnostic::{Severity, codes::Page},
    lint::pages,
};

use super::{Failure, Message, Outcome};
use crate::{args, ui};

/// Prints the page of a code.
pub(super) fn run(arguments: &args::Explain) -> Outcome {
    let code = &arguments.code;
    let Some(page) = pages::find(code) else {
        return Err(Failure::usage(
            Message::new(format!("expected the code of a finding, found `{code}`")).help(pages::suggestion(code)),
        ));
    };
    ui::out(&text(&page, ui::width()));
    Ok(0)
}

fn text(page: &Page, width: usize) -> String {
    let severity = match page.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut text = format!("{} ({severity})\n\n", page.id);
    let mut paragraph = String::new();
    let mut code = false;
    for line in page.text.lines().chain([""]) {
        if line.starts_with("```") {
            code = !code;
        } else if code {
            text.push_str(&format!("    {line}\n"));
        } else if line.is_empty() {
            if !paragraph.is_empty() {
                text.push_str(&ui::wrapped("", &paragraph, width));
            }
            paragraph.clear();
            if !text.ends_with("\n\n") {
                text.push('\n');
            }
        } else {
            paragraph.push_str(line);
            paragraph.push(' ');
        }
    }
    if !paragraph.is_empty() {
        text.push_str(&ui::wrapped("", &paragraph, width));
        text.push('\n');
    }
    let silenced = if page.can_be_silenced {
        format!(
            "Where it is right as it is, say why at the end of the line, or alone above it:\n\n    \
             # lifeboat: ignore[{}] the reason\n",
            page.id
        )
    } else {
        ui::wrapped("", "It cannot be silenced.", width)
    };
    let fixes = page.about_fixes().map(|about| ui::wrapped("", &format!("{about}."), width) + "\n");
    format!("{text}{}{silenced}\n{}\n", fixes.map(|fixes| fixes + "\n").unwrap_or_default(), page.url())
}
