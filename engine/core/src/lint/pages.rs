//! What the book says about every code: the one list that `explain`, `lint --rules` and SARIF read.
//!
//! Duty: putting rules and codes into one form. Their words are where they are told.

use super::{Rule, fixable, registry, silence::can_be_silenced};
use crate::{
    diagnostic::codes::{self, Page},
    plan::nearest::Nearest,
};

impl Rule {
    /// Its page.
    #[must_use]
    pub fn page(&self) -> Page {
        let text = self.explanation().trim().to_owned();
        // What comes before the first example: the headline says what is wrong, the rest why that is bad.
        let reason: Vec<&str> = text.lines().take_while(|line| *line != "Bad:").collect();
        let reason = reason.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        Page {
            id: self.id,
            severity: self.severity,
            is_rule: true,
            can_be_silenced: can_be_silenced(self.id),
            fixes: fixable::of(self.id),
            summary: self.summary.to_owned(),
            reason,
            text,
        }
    }
}

/// Every page: rules in the order of the reference, then mistakes of the text, the plan and the configuration.
#[must_use]
pub fn all() -> Vec<Page> {
    // A code of the text that is a rule as well is explained by the rule.
    let codes = codes::all().filter(|code| registry::find(code.id).is_none());
    registry::RULES.iter().map(Rule::page).chain(codes.map(codes::Code::page)).collect()
}

/// The page of a code.
#[must_use]
pub fn find(id: &str) -> Option<Page> {
    registry::find(id).map(Rule::page).or_else(|| codes::all().find(|code| code.id == id).map(codes::Code::page))
}

/// What to do about a name that no page has.
#[must_use]
pub fn suggestion(id: &str) -> String {
    match Nearest::new(registry::RULES.iter().map(|rule| rule.id).chain(codes::all().map(|code| code.id))).find(id) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lifeboat lint --rules` lists the rules; every finding names its code".to_owned(),
    }
}

/// What to do about a name that no rule has.
#[must_use]
pub fn rule_suggestion(id: &str) -> String {
    if codes::is_known(id) {
        return format!("`{id}` is a mistake of the text, and no rule: it cannot be left out or silenced, only mended");
    }
    match Nearest::new(registry::RULES.iter().map(|rule| rule.id)).find(id) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lifeboat lint --rules` lists them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_page() {
        let pages = all();
        let ids: std::collections::BTreeSet<&str> = pages.iter().map(|page| page.id).collect();
        assert_eq!(ids.len(), pages.len());
        for page in &pages {
            assert_eq!(find(page.id).as_ref(), Some(page));
            assert!(!page.summary.is_empty() && !page.summary.ends_with('.'), "{page:?}");
            assert!(!page.reason.is_empty() && !page.reason.contains('\n'), "{page:?}");
            assert!(page.text.starts_with(page.reason.split(' ').next().unwrap_or_default()), "{page:?}");
        }
        assert_eq!(find("unused"), None);
        assert_eq!(suggestion("duplicat-key"), "did you mean `duplicate-key`?");
        assert_eq!(rule_suggestion("unknown-setp"), "did you mean `unknown-step`?");
        assert!(rule_suggestion("unknown-key").contains("no rule"));
    }
}
