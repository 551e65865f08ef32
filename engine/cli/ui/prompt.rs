//! Asking a person, in a first plain form: a question, its choices, a line typed.

use std::io::{BufRead as _, IsTerminal as _};

use lifeboat_core::{
    evidence::event::ActName,
    machine::{Act, Question, QuestionKind},
};

/// Whether somebody is there to be asked.
pub(crate) fn somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A line from standard input without its end; `None` when there is no more.
pub(crate) fn line() -> Option<String> {
    let mut text = String::new();
    match std::io::stdin().lock().read_line(&mut text) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(text.trim_end_matches(['\n', '\r']).to_owned()),
    }
}

/// The acts that can be typed while looking on.
pub(crate) const ACTS: [ActName; 11] = [
    ActName::Approve,
    ActName::Deny,
    ActName::Skip,
    ActName::Accept,
    ActName::Retry,
    ActName::Recheck,
    ActName::Pause,
    ActName::Continue,
    ActName::Abort,
    ActName::Done,
    ActName::Fail,
];

/// The word a person types for an act.
pub(crate) const fn word(act: ActName) -> &'static str {
    match act {
        ActName::Approve => "approve",
        ActName::Deny => "deny",
        ActName::Skip => "skip",
        ActName::Accept => "accept",
        ActName::Retry => "retry",
        ActName::Recheck => "recheck",
        ActName::Pause => "pause",
        ActName::Continue => "continue",
        ActName::Abort => "abort",
        ActName::Done => "done",
        ActName::Fail => "fail",
        ActName::Yes => "yes",
        ActName::No => "no",
        ActName::Detach => "detach",
        ActName::AttachFile => "attach-file",
        ActName::Handover => "handover",
    }
}

/// What an act does, for the list of choices.
const fn about(act: ActName, kind: QuestionKind) -> &'static str {
    match act {
        ActName::Approve => "say yes; the step starts",
        ActName::Deny => "say no, with a reason; the step fails",
        ActName::Skip => "leave it out, with a reason; what needs it is blocked",
        ActName::Accept => "take it as done, with a reason; what needs it goes on",
        ActName::Retry => "run it again",
        ActName::Recheck => "run only its checks again",
        ActName::Pause => "start nothing new",
        ActName::Continue => match kind {
            QuestionKind::Step => "start this step",
            _ => "go on",
        },
        ActName::Abort => "abort the run and undo what was done",
        ActName::Done => "it is done",
        ActName::Fail => "it could not be done, with a reason",
        ActName::Yes => "yes",
        ActName::No => "no",
        ActName::Detach => "leave the run as it is; resume it later",
        ActName::AttachFile => "put a file into the evidence",
        ActName::Handover => "pass command on",
    }
}

/// Whether an act overrides the plan, so that it needs a reason.
pub(crate) const fn needs_reason(act: ActName) -> bool {
    matches!(act, ActName::Skip | ActName::Accept | ActName::Deny | ActName::Fail)
}

/// A question as text.
pub(crate) fn show(question: &Question, more: usize) -> String {
    let title = match question.kind {
        QuestionKind::Approval => "APPROVAL",
        QuestionKind::Step => "NEXT STEP",
        QuestionKind::Failure => "FAILED",
        QuestionKind::Unknown => "UNKNOWN",
        QuestionKind::Manual => "TO DO BY HAND",
        QuestionKind::Check => "QUESTION",
        QuestionKind::Paused => "PAUSED",
    };
    let about_what = if question.step.is_empty() { "the run" } else { &question.step };
    let mut text = format!("\n{title}  {about_what}\n");
    for line in question.text.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    for &choice in &question.choices {
        let reason = if needs_reason(choice) { " REASON" } else { "" };
        let typed = format!("{}{reason}", word(choice));
        text.push_str(&format!("    {typed:<16} {}\n", about(choice, question.kind)));
    }
    if more > 0 {
        text.push_str(&format!("  ({more} more to answer after this)\n"));
    }
    text
}

/// What a line means as an answer to a question: the act, or what was wrong with it.
pub(crate) fn answer(question: Option<&Question>, typed: &str, who: &str) -> Result<Act, String> {
    let typed = typed.trim();
    let (first, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let first = first.to_lowercase();
    let always = [ActName::Pause, ActName::Continue, ActName::Abort, ActName::Detach];
    let choices: Vec<ActName> = question.map(|question| question.choices.clone()).unwrap_or_default();
    let matching = |acts: &[ActName]| -> Vec<ActName> {
        acts.iter().copied().filter(|&act| !first.is_empty() && word(act).starts_with(&first)).collect()
    };
    let mut found = matching(&choices);
    let for_question = !found.is_empty();
    if found.is_empty() {
        found = matching(&always);
    }
    let act = match found.as_slice() {
        [act] => *act,
        [] => {
            let words: Vec<&str> = choices.iter().chain(&always).map(|&act| word(act)).collect();
            return Err(format!("expected one of {}, found `{first}`", words.join(", ")));
        }
        several => {
            let words: Vec<&str> = several.iter().map(|&act| word(act)).collect();
            return Err(format!("`{first}` may be {}: type more of it", words.join(" or ")));
        }
    };
    let reason = Some(rest.trim().to_owned()).filter(|reason| !reason.is_empty());
    if needs_reason(act) && reason.is_none() {
        return Err(format!("`{}` overrides the plan: add the reason, as in `{} the reason`", word(act), word(act)));
    }
    let step = question.filter(|_| for_question).map(|question| question.step.clone()).filter(|step| !step.is_empty());
    Ok(Act::at_the_terminal(act, step, who.to_owned(), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question {
            step: "restore".to_owned(),
            kind: QuestionKind::Failure,
            text: "it failed".to_owned(),
            choices: vec![ActName::Retry, ActName::Recheck, ActName::Accept, ActName::Skip, ActName::Abort],
        }
    }

    #[test]
    fn a_word_or_its_beginning_will_do() {
        let act = answer(Some(&question()), "skip the board is flaky", "alice").expect("it is an answer");
        assert_eq!(
            (act.act, act.step.as_deref(), act.reason.as_deref()),
            (ActName::Skip, Some("restore"), Some("the board is flaky"))
        );
        let act = answer(Some(&question()), "ret", "alice").expect("it is an answer");
        assert_eq!(act.act, ActName::Retry);
        let act = answer(None, "detach", "alice").expect("it is an act");
        assert_eq!((act.act, act.step), (ActName::Detach, None));
    }

    #[test]
    fn what_is_no_answer_says_what_would_be() {
        assert!(answer(Some(&question()), "re", "a").is_err_and(|text| text.contains("retry or recheck")));
        assert!(answer(Some(&question()), "skip", "a").is_err_and(|text| text.contains("reason")));
        assert!(answer(Some(&question()), "", "a").is_err());
        assert!(answer(Some(&question()), "rm -rf /", "a").is_err_and(|text| text.contains("expected one of")));
    }
}
