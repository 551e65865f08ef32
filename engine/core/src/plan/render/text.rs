//! `--format text`: for the commander who starts a run and for the reviewer of a runbook. 80 columns, no colour.

use std::fmt::Write as _;

use super::{
    super::{Plan, forecast::Forecast},
    gate, marks, title,
};
use crate::{
    duration::Duration,
    model::{Phase, Unattended},
    words,
};

/// Columns.
const WIDTH: usize = 80;
/// The longest id that has its title on the same line.
const WIDEST: usize = 24;
/// Names of a list that are written out.
const NAMED: usize = 12;

/// Header, waves, gates, guards, critical path, forecast, point of no return, cleanup.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let forecast = Forecast::of(plan);
    // One width for the page, and a single long id must not push every title to the right.
    let ids = plan.nodes.iter().filter(|node| node.step().is_some()).map(|node| node.id.chars().count());
    let width = ids.filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let mut page = Page { plan, forecast: &forecast, width, text: String::new() };
    page.header();
    page.waves();
    page.gates();
    page.guards();
    page.critical_path();
    page.forecast();
    page.no_return();
    page.cleanup();
    page.text
}

struct Page<'a> {
    plan: &'a Plan,
    forecast: &'a Forecast,
    /// Columns of an id.
    width: usize,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref().trim_end());
        self.text.push('\n');
    }

    /// A text behind something on its first line, wrapped under itself.
    fn wrapped(&mut self, before: &str, text: &str) {
        let indent = before.chars().count();
        let mut line = before.to_owned();
        let mut used = indent;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if used > indent && used + 1 + length > WIDTH {
                self.line(&line);
                line = " ".repeat(indent);
                used = indent;
            }
            if used > indent {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
        self.line(&line);
    }

    fn section(&mut self, name: &str) {
        self.line("");
        self.line(name);
    }

    fn id(&self, at: usize) -> &str {
        &self.plan.nodes[at].id
    }

    /// `a, b, c and 4 more`.
    fn names(&self, nodes: &[usize]) -> String {
        let shown: Vec<&str> = nodes.iter().take(NAMED).map(|at| self.id(*at)).collect();
        let more = nodes.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", shown.join(", "))
    }

    fn estimate(&self, at: usize) -> String {
        let node = &self.plan.nodes[at];
        if node.step().is_some_and(super::super::PlanStep::is_estimated) {
            node.estimate.to_string()
        } else {
            String::from("?")
        }
    }

    fn header(&mut self) {
        self.wrapped("", &words::line(&title(self.plan)));
        let Some(scope) = self.plan.scopes.first() else { return };
        let steps: usize = self.forecast.waves.iter().map(Vec::len).sum();
        let mut facts = vec![
            scope.runbook.metadata.name.as_str().to_owned(),
            self.plan.mode.name().to_owned(),
            count(steps, "step"),
        ];
        if self.plan.scopes.len() > 1 {
            facts.push(count(self.plan.scopes.len() - 1, "included runbook"));
        }
        let recovery = &scope.runbook.recovery;
        let mut objectives =
            vec![format!("RPO {}", recovery.objectives.rpo), format!("RTO {}", recovery.objectives.rto)];
        objectives.extend(recovery.objectives.mtd.map(|mtd| format!("MTD {mtd}")));
        objectives.push(format!("a passing run proves {:?}", recovery.level));
        let capability = format!("restores {}", words::line(&recovery.capability));
        self.wrapped("", &facts.join(" · "));
        self.wrapped("", &capability);
        self.wrapped("", &objectives.join(" · "));
    }

    fn waves(&mut self) {
        let forecast = self.forecast;
        for (number, wave) in forecast.waves.iter().enumerate() {
            self.section(&format!("WAVE {}", number + 1));
            let mut group: Option<Option<Phase>> = None;
            for at in wave.iter().copied() {
                let phase = self.plan.nodes[at].step().and_then(|step| step.phase);
                if group != Some(phase) {
                    self.line(format!("  {}", phase.map_or("", Phase::name)));
                    group = Some(phase);
                }
                self.step(at);
            }
        }
    }

    fn step(&mut self, at: usize) {
        let node = &self.plan.nodes[at];
        let width = self.width;
        let title = node.step().and_then(|step| step.spec.title.as_deref()).map(words::line).unwrap_or_default();
        let id = words::line(&node.id);
        let estimate = self.estimate(at);
        let mut before = format!("    {id:width$} {estimate:>6}  ");
        if id.chars().count() > width {
            if title.is_empty() && marks(node).is_empty() {
                self.line(format!("    {id} {estimate:>6}"));
                return;
            }
            self.line(format!("    {id}"));
            before = format!("    {:width$} {estimate:>6}  ", "");
        }
        let marks = marks(node).join(" · ");
        let under = " ".repeat(before.chars().count());
        match (title.is_empty(), marks.is_empty()) {
            (false, false) => {
                self.wrapped(&before, &title);
                self.wrapped(&under, &marks);
            }
            (false, true) => self.wrapped(&before, &title),
            (true, _) => self.wrapped(&before, &marks),
        }
    }

    fn gates(&mut self) {
        let has_gate = |at: &usize| self.plan.nodes[*at].step().is_some_and(|step| step.spec.approval.is_some());
        let gates: Vec<usize> = (0..self.plan.nodes.len()).filter(has_gate).collect();
        if gates.is_empty() {
            return;
        }
        self.section("GATES");
        for at in gates {
            let Some(approval) = self.plan.nodes[at].step().and_then(|step| step.spec.approval.as_ref()) else {
                continue;
            };
            let mut words = gate(approval);
            if let Some(expires) = approval.expires {
                let _ = write!(words, ", denied after {expires}");
            }
            words.push_str(match approval.unattended {
                Unattended::Hold => "; unattended the run holds",
                Unattended::Deny => "; unattended it is denied",
                Unattended::DrillOnly => "; unattended it is passed in a drill, and an incident holds",
            });
            let before = format!("  {}: ", words::line(self.id(at)));
            self.wrapped(&before, &words);
        }
    }

    fn guards(&mut self) {
        let plan = self.plan;
        let guards: Vec<_> =
            plan.scopes.iter().flat_map(|scope| scope.runbook.guards.iter().map(move |one| (scope, one))).collect();
        if guards.is_empty() {
            return;
        }
        self.section("GUARDS");
        for (scope, guard) in guards {
            let kind = guard.check.as_ref().and_then(|check| crate::check::present(check).next());
            let bad = match (&guard.when, kind) {
                (Some(when), _) => format!("when {}", words::line(when.as_str())),
                (None, Some(kind)) => format!("when its {} check does not pass", kind.facts().name),
                (None, None) => String::new(),
            };
            let (then, most) = (guard.then.name(), guard.most());
            let mut words = format!("{then} {bad}, looked at every {}", guard.interval());
            if most > 1 {
                let _ = write!(words, ", {most} times in a row");
            }
            if let Some(lasting) = &guard.lasting {
                let _ = write!(words, ", for {}", **lasting);
            }
            if let Some(during) = &guard.during {
                for (word, name) in [("from", &during.from), ("until", &during.until)] {
                    if let Some(name) = name {
                        let _ = write!(words, ", {word} {}", words::line(name.as_str()));
                    }
                }
            }
            self.wrapped(&format!("  {}{}: ", scope.prefix, words::line(&guard.name)), &words);
        }
    }

    fn critical_path(&mut self) {
        let forecast = self.forecast;
        if forecast.critical_path.is_empty() {
            return;
        }
        self.section("CRITICAL PATH");
        for at in forecast.critical_path.iter().copied() {
            let (start, finish) = (forecast.start(at).to_string(), forecast.finish(at).to_string());
            let unknown = if self.estimate(at) == "?" { "  (no estimate)" } else { "" };
            let id = words::line(self.id(at));
            self.line(format!("  {start:>8} to {finish:>8}  {id}{unknown}"));
        }
    }

    fn forecast(&mut self) {
        let forecast = self.forecast;
        let Some(objectives) = self.plan.objectives() else { return };
        self.section("FORECAST");
        let (total, rto) = (forecast.total, objectives.rto);
        let margin = match total.as_millis().checked_sub(rto.as_millis()) {
            Some(0) => String::from("nothing to spare"),
            Some(over) => format!("{} TOO LONG", Duration::from_millis(over)),
            None => format!("{} to spare", Duration::from_millis(rto.as_millis() - total.as_millis())),
        };
        let mut words = format!("critical path {total} of RTO {rto}: {margin}");
        match forecast.restored_by {
            Some(at) => {
                let _ = write!(words, ", until {} is verified", words::line(self.id(at)));
            }
            None => words.push_str(", to the end of the plan, because no step says `restores: true`"),
        }
        if let Some(at) = forecast.outage_by {
            let _ = write!(words, ", from the start of {}", words::line(self.id(at)));
        }
        self.wrapped("  ", &words);
        let missing = &forecast.without_estimate;
        if !missing.is_empty() {
            let steps: usize = forecast.waves.iter().map(Vec::len).sum();
            let words = format!(
                "no estimate for {} of {}, counted as 0s: {}",
                missing.len(),
                count(steps, "step"),
                self.names(missing)
            );
            self.wrapped("  ", &words);
        }
        if forecast.contended {
            self.wrapped("  ", "locks and limits on instances are not counted: they can only make it longer");
        }
    }

    fn no_return(&mut self) {
        let forecast = self.forecast;
        if forecast.no_return.is_empty() {
            return;
        }
        self.section("POINT OF NO RETURN");
        for at in forecast.no_return.iter().copied() {
            let words = format!("from {} on, when {} starts", forecast.start(at), words::line(self.id(at)));
            self.wrapped("  ", &words);
        }
        let words = if forecast.kept.is_empty() {
            String::from("nothing that came before is needed by it, so all of that can still be undone")
        } else {
            format!("after that an abort does not undo what it needs: {}", self.names(&forecast.kept))
        };
        self.wrapped("  ", &words);
    }

    fn cleanup(&mut self) {
        let steps: Vec<usize> = (0..self.plan.nodes.len())
            .filter(|at| self.plan.nodes[*at].step().is_some_and(|step| step.cleanup))
            .collect();
        if steps.is_empty() {
            return;
        }
        self.section("CLEANUP (at the end of a drill, and after an abort)");
        for at in steps {
            self.step(at);
        }
    }
}

/// `1 step`, `2 steps`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
