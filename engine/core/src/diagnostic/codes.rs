//! The codes of everything that is told besides lint rules: mistakes of the text and of the plan.
//!
//! Duty: that none of them is without its line in the reference. Rules explain themselves where they are.

use super::{Safety, Severity};

/// What the book says about a code, whether it is a rule's or one of those below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is a rule, which can be chosen and silenced, or a mistake that cannot.
    pub is_rule: bool,
    /// Whether a comment in the runbook can silence it.
    pub can_be_silenced: bool,
    /// How sure the fixes are that findings of it may have; empty when there are none.
    pub fixes: &'static [Safety],
    /// What is wrong, in a few words without a full stop.
    pub summary: String,
    /// Why it matters: a paragraph.
    pub reason: String,
    /// All of it, as Markdown, without a heading.
    pub text: String,
}

impl Page {
    /// Whether `lint --fix` mends it, in one sentence without a full stop; `None` when it does not.
    #[must_use]
    pub fn about_fixes(&self) -> Option<&'static str> {
        match self.fixes {
            [] => None,
            [Safety::Safe] => Some("`lint --fix` can mend it"),
            [Safety::Unsafe] => Some("`lint --fix --unsafe` can mend it: look at what it writes"),
            _ => Some("`lint --fix` can mend it; some of it by `--unsafe` only: look at what that writes"),
        }
    }

    /// Where it is on the web.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.id)
    }
}

/// The page of the book about a code.
#[must_use]
pub fn url(id: &str) -> String {
    format!("https://lifeboat.dev/book/reference/diagnostics.html#{id}")
}

/// A code, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// Stable kebab-case id.
    pub id: &'static str,
    /// What is wrong, and what to do, one or two sentences.
    pub about: &'static str,
}

const fn code(id: &'static str, about: &'static str) -> Code {
    Code { id, about }
}

/// Of the YAML, before anything of it means something.
pub const YAML: &[Code] = &[
    code(
        "yaml-syntax",
        "The text is no YAML. The place is where reading it stopped; the mistake may be some lines above.",
    ),
    code("yaml-key", "A key of a mapping is not a plain text. Only texts can be keys."),
    code("yaml-tag", "A tag such as `!!binary` or `!Ref`. The language has none: remove it."),
    code(
        "yaml-merge-key",
        "A merge key `<<`. YAML 1.2 has none, and its readers do not agree on it: write the keys out.",
    ),
    code(
        "duplicate-key",
        "A key twice in one mapping. Other readers take the last one silently; here each is there once.",
    ),
    code("unknown-anchor", "An alias `*x` without an anchor `&x` before it."),
    code("recursive-alias", "An alias inside of what it stands for."),
    code(
        "alias-bomb",
        "Aliases that would become far more than what is written, as in the attack known as billion laughs.",
    ),
    code("too-deep", "More levels than anybody could read."),
    code("too-many-mistakes", "So many mistakes in one place that the rest of it was not looked at: mend these first."),
    code("document-too-large", "More than 4 MiB. Split the runbook by `runbook` steps."),
    code("empty-document", "Nothing is written, or only comments."),
    code("more-than-one-document", "A second document behind `---`. A file is one runbook."),
];

/// Of the language.
pub const LANGUAGE: &[Code] = &[
    code("unknown-key", "A key that this place does not have; the nearest one is named."),
    code("missing-key", "A key that this place must have."),
    code("missing-value", "A key without a value. Leave the key out, or give it one; nothing here is null."),
    code("wrong-type", "A value of another type: a list where a text is wanted, or a quoted number."),
    code("unknown-value", "A word that is none of those that can stand here."),
    code("invalid-value", "A value that cannot be: a zero, an empty list, a duration such as `1 hour` (it is `1h`)."),
    code(
        "not-yet",
        "Part of the language's design that this version cannot do; the message says what to use meanwhile.",
    ),
    code("bad-name", "A name that is not of the form that names here have, or that somebody else has."),
    code("bad-input", "An input whose parts do not fit one another, such as a default that its pattern refuses."),
    code("not-for-this-type", "A key of an input that its type does not have."),
    code("two-actions", "More than one action in a step or undo. Each action is a step of its own."),
    code("two-checks", "More than one kind of check in a check, or more than one criterion in a guard."),
    code("two-sources", "More than one source of an output or a secret."),
    code(
        "two-ways",
        "Keys that exclude one another: `name` and `selector` of a `delete`, two kinds of `patch`, a `context` for the \
         cluster that the engine runs in.",
    ),
    code("empty-step", "A step that neither does nor proves anything."),
    code("empty-undo", "An undo without an action."),
    code("empty-check", "A check without a kind, or a guard without a criterion."),
    code("empty-output", "An output that does not say where it comes from."),
    code("empty-source", "A secret that does not say where it comes from."),
    code("not-in-cleanup", "A key that a step of `cleanup` cannot have: it runs in file order, whatever happened."),
    code("not-in-guard", "A key that the check of a guard cannot have: the guard says how often and how long."),
];

/// Of the plan, which is made from the runbook and its inputs.
pub const PLAN: &[Code] = &[
    code(
        "bad-for-each",
        "What `forEach` goes over cannot be evaluated, is empty, or has elements that cannot be told apart.",
    ),
    code("duplicate-node", "Two steps of the expanded plan have one name."),
    code("include-depth", "Runbooks that include runbooks, more levels deep than anybody could follow."),
    code("too-many-nodes", "An expanded plan of more steps than the engine takes."),
];

/// Of `lint` itself.
pub const LINT: &[Code] = &[code(
    "bad-config",
    "A `lifeboat.toml` that cannot be read: no TOML, a key or a rule that is not known, a value that cannot be. What can \
     be read of it counts.",
)];

/// Every code of this file.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [YAML, LANGUAGE, PLAN, LINT].into_iter().flatten()
}

/// Whether a code is explained here. Those of rules are explained by the rules.
#[must_use]
pub fn is_known(id: &str) -> bool {
    all().any(|code| code.id == id)
}

impl Code {
    /// Its page.
    #[must_use]
    pub fn page(&self) -> Page {
        let first = self.about.split_once(". ").map_or(self.about, |(first, _)| first);
        Page {
            id: self.id,
            severity: Severity::Error,
            is_rule: false,
            can_be_silenced: false,
            fixes: crate::lint::fixable::of(self.id),
            summary: first.trim_end_matches('.').to_owned(),
            reason: self.about.to_owned(),
            text: self.about.to_owned(),
        }
    }
}
