//! What is known of texts before anything runs.
//!
//! Duty: to render what depends on inputs only, and to say of everything else that it is not known yet. It must not put an
//! empty text or a null in the place of what a step will give.

use super::{
    Machine,
    needs::Ahead,
    render::{Reader, Rendering, compile},
};
use crate::{
    action::kube::{Rendered, Texts},
    model::{SecretTemplate, Template},
    scope::Reference,
    template,
};

/// Names that are known when the plan is made.
const KNOWN: [&str; 3] = ["inputs", "run", "each"];

fn are_known(references: &[Reference]) -> bool {
    references.iter().all(|reference| reference.path.first().is_some_and(|top| KNOWN.contains(&top.as_str())))
}

/// Renders for one reader what is known.
struct Foreseen<'a>(Rendering<'a>);

impl Foreseen<'_> {
    fn check(text: &str) -> Result<(), String> {
        let template = template::Template::compile(text).map_err(|problem| problem.message)?;
        if are_known(&template.references()) { Ok(()) } else { Err("it is not known yet".to_owned()) }
    }
}

impl Texts for Foreseen<'_> {
    fn plain(&self, template: &Template) -> Rendered<Template> {
        Self::check(template.as_str())?;
        self.0.plain(template)
    }

    fn secret(&self, template: &SecretTemplate) -> Rendered<SecretTemplate> {
        Self::check(template.as_str())?;
        self.0.secret(template)
    }

    fn path(&self, template: &Template) -> Rendered<Template> {
        Self::check(template.as_str())?;
        self.0.path(template)
    }
}

impl Ahead for Machine {
    fn texts(&self, node: Option<usize>, scope: usize) -> Box<dyn Texts + '_> {
        Box::new(Foreseen(Rendering { machine: self, reader: Reader { node, scope } }))
    }

    fn may_run(&self, node: usize) -> bool {
        let Some(when) = self.step(node).and_then(|step| step.spec.when.as_ref()) else { return true };
        let known = compile(when.as_str()).is_ok_and(|expression| are_known(&expression.references()));
        !known || self.test(Some(node), None, when.as_str(), Vec::new()) != Ok(false)
    }
}
