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

/// A question as text, at most `width` columns wide.
pub(crate) fn show(question: &Question, more: usize, width: usize) -> String {
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
        // What stands behind a word of ours goes on below itself.
        let label = line.get(..10).filter(|label| label.ends_with(' ') && !label.starts_with(' '));
        text.push_str(&wrapped(line, "  ", if label.is_some() { "            " } else { "  " }, width));
    }
    for &choice in &question.choices {
        let reason = if needs_reason(choice) { " REASON" } else { "" };
        let typed = format!("{}{reason}", word(choice));
        text.push_str(&format!("    {typed:<16} {}\n", about(choice, question.kind)));
    }
    if question.kind == QuestionKind::Step {
        text.push_str("    Enter            start this step\n");
    }
    text.push_str("    ?                help: e everything, a what an abort would undo, …\n");
    if more > 0 {
        let s = if more == 1 { "" } else { "s" };
        text.push_str(&format!("  ({more} more question{s} after this; `approve STEP` answers another one now)\n"));
    }
    text
}

/// A line, broken between words.
fn wrapped(line: &str, first: &str, rest: &str, width: usize) -> String {
    let mut text = first.to_owned();
    let (mut used, mut fresh) = (first.chars().count(), true);
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if !fresh && used + length > width {
            text.truncate(text.trim_end().len());
            text.push('\n');
            text.push_str(rest);
            used = rest.chars().count();
        }
        text.push_str(word);
        used += word.chars().count();
        fresh = false;
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// What a line at the prompt means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// An act on the run.
    Act(Act),
    /// Show the question again.
    Again,
    /// Show everything about what is asked.
    Everything,
    /// Show what an abort would undo.
    Preview,
    /// Show what can be typed.
    Help,
    /// Put a file into the evidence, for the step on the screen if there is one.
    Attach {
        /// Where it is.
        file: String,
        /// Its name in the evidence.
        name: Option<String>,
        /// The step.
        step: Option<String>,
    },
}

/// What can be typed, always.
pub(crate) const HELP: &str = "
  Enter            start the step that is shown; otherwise show the question again
  s REASON         skip                       e    everything about the step
  r                retry                      a    what an abort would undo, and what stays
  p                pause, start nothing new   c    continue
  q                detach: leave the run as it is, to be resumed
  abort [REASON]   abort the run and undo what was done
  attach FILE NAME put a file into the evidence
  WORD STEP …      answer the question of another step
  Ctrl-C           pause; a second one aborts; a third one kills what runs
";

/// What a line means: `open` are the questions, the one on the screen first.
pub(crate) fn read(open: &[Question], typed: &str, who: &str) -> Result<Typed, String> {
    let typed = typed.trim();
    let first = open.first();
    let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    match (word, first.map(|question| question.kind)) {
        ("", Some(QuestionKind::Step)) => return answer(open, "continue", who).map(Typed::Act),
        ("", _) => return Ok(Typed::Again),
        ("?" | "h" | "help", _) => return Ok(Typed::Help),
        ("e", _) => return Ok(Typed::Everything),
        ("a", _) => return Ok(Typed::Preview),
        ("attach", _) => {
            let (file, name) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
            if file.is_empty() {
                return Err("expected `attach FILE`, or `attach FILE NAME`".to_owned());
            }
            let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
            let step = first.map(|question| question.step.clone()).filter(|step| !step.is_empty());
            return Ok(Typed::Attach { file: file.to_owned(), name, step });
        }
        _ => {}
    }
    let long = match word {
        "s" => "skip",
        "r" => "retry",
        "p" => "pause",
        "c" => "continue",
        "q" => "detach",
        word => word,
    };
    answer(open, &format!("{long} {rest}"), who).map(Typed::Act)
}

/// The act that a line is, or what was wrong with it. The word of an act may be cut short; behind it another step than
/// the one on the screen can be named.
fn answer(open: &[Question], typed: &str, who: &str) -> Result<Act, String> {
    let (first, rest) = typed.trim().split_once(char::is_whitespace).unwrap_or((typed.trim(), ""));
    let first = first.to_lowercase();
    let (named, after) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
    let other = open.iter().find(|question| !named.is_empty() && question.step == named);
    let (question, rest) = match other {
        Some(other) => (Some(other), after),
        None => (open.first(), rest),
    };
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
            return Err(format!("expected one of {}, found `{first}`; ? tells more", words.join(", ")));
        }
        several => {
            let exact = several.iter().copied().find(|&act| word(act) == first);
            exact.ok_or_else(|| {
                let words: Vec<&str> = several.iter().map(|&act| word(act)).collect();
                format!("`{first}` may be {}: type more of it", words.join(" or "))
            })?
        }
    };
    let reason = Some(rest.trim().to_owned()).filter(|reason| !reason.is_empty());
    if needs_reason(act) && reason.is_none() {
        return Err(format!("`{}` overrides the plan: add the reason, as in `{} the reason`", word(act), word(act)));
    }
    // An abort is of the run, wherever it is said.
    let of_step = for_question && act != ActName::Abort;
    let step = question.filter(|_| of_step).map(|question| question.step.clone()).filter(|step| !step.is_empty());
    Ok(Act::at_the_terminal(act, step, who.to_owned(), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(step: &str, kind: QuestionKind, choices: &[ActName]) -> Question {
        let (text, details) = ("it failed".to_owned(), String::new());
        Question { step: step.to_owned(), kind, text, details, choices: choices.to_vec() }
    }

    fn failed() -> Question {
        let choices = [ActName::Retry, ActName::Recheck, ActName::Accept, ActName::Skip, ActName::Abort];
        question("restore", QuestionKind::Failure, &choices)
    }

    fn gate(step: &str) -> Question {
        question(step, QuestionKind::Approval, &[ActName::Approve, ActName::Deny, ActName::Abort])
    }

    fn act(open: &[Question], typed: &str) -> (ActName, Option<String>, Option<String>) {
        match read(open, typed, "alice") {
            Ok(Typed::Act(act)) => (act.act, act.step, act.reason),
            other => panic!("{typed}: {other:?}"),
        }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_word_its_beginning_or_its_letter_will_do() {
        for typed in ["skip the board is flaky", "ski the board is flaky", "s the board is flaky"] {
            assert_eq!(act(&[failed()], typed), (ActName::Skip, some("restore"), some("the board is flaky")));
        }
        for typed in ["retry", "ret", "r"] {
            assert_eq!(act(&[failed()], typed), (ActName::Retry, some("restore"), None));
        }
        assert_eq!(act(&[], "q"), (ActName::Detach, None, None));
        assert_eq!(act(&[failed()], "abort wrong region"), (ActName::Abort, None, some("wrong region")));
    }

    #[test]
    fn another_question_can_be_answered_by_its_step() {
        let open = [gate("promote"), gate("shift"), failed()];
        assert_eq!(act(&open, "approve"), (ActName::Approve, some("promote"), None));
        assert_eq!(act(&open, "approve shift"), (ActName::Approve, some("shift"), None));
        assert_eq!(act(&open, "deny shift not yet"), (ActName::Deny, some("shift"), some("not yet")));
        assert_eq!(act(&open, "retry restore"), (ActName::Retry, some("restore"), None));
    }

    #[test]
    fn enter_starts_a_step_and_nothing_else() {
        let step = question("restore", QuestionKind::Step, &[ActName::Continue, ActName::Skip, ActName::Abort]);
        assert_eq!(act(&[step], ""), (ActName::Continue, some("restore"), None));
        assert_eq!(read(&[gate("promote")], "", "a"), Ok(Typed::Again));
        assert_eq!(read(&[failed()], " ", "a"), Ok(Typed::Again));
    }

    #[test]
    fn letters_that_only_show() {
        let attach = |name: Option<&str>| Typed::Attach {
            file: "a.png".to_owned(),
            name: name.map(str::to_owned),
            step: some("restore"),
        };
        assert_eq!(read(&[failed()], "attach a.png", "a"), Ok(attach(None)));
        assert_eq!(read(&[failed()], "attach a.png screenshot", "a"), Ok(attach(Some("screenshot"))));
        assert!(read(&[failed()], "attach", "a").is_err());
        for (typed, shown) in [("e", Typed::Everything), ("a", Typed::Preview), ("?", Typed::Help)] {
            assert_eq!(read(&[failed()], typed, "a"), Ok(shown));
        }
    }

    #[test]
    fn what_is_no_answer_says_what_would_be() {
        assert!(read(&[failed()], "re", "a").is_err_and(|text| text.contains("retry or recheck")));
        assert!(read(&[failed()], "skip", "a").is_err_and(|text| text.contains("reason")));
        assert!(read(&[failed()], "rm -rf /", "a").is_err_and(|text| text.contains("expected one of")));
        assert!(read(&[gate("promote")], "deny promote", "a").is_err_and(|text| text.contains("reason")));
    }

    #[test]
    fn lines_are_broken_between_words_below_themselves() {
        let text = wrapped("undo      one two three", "  ", "            ", 20);
        assert_eq!(text, "  undo      one two\n            three\n");
        assert_eq!(wrapped("", "  ", "  ", 20), "\n");
        let long = "x".repeat(50);
        assert_eq!(wrapped(&long, "  ", "  ", 20), format!("  {long}\n"));
    }
}
