//! Many fixes of one text: those that do not meet at once, the others in a next round, until nothing is left.
//!
//! Duty: that the result is never harder to read than what it was made from, and that there is an end. What is wrong with
//! the text is told by the caller; whether it can be read is looked at here, after every step.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use crate::{
    diagnostic::{Diagnostic, Edit, Fix, Safety},
    model::parse::{Parsed, parse},
    source::Source,
};

/// How many rounds there are at most. One is enough but for fixes that meet, and for what only shows when something else
/// can be read.
const ROUNDS: usize = 64;

/// How many bytes are read again at most, to find out which fixes do not fit. A runbook of some pages can be read ten thousand
/// times; what is larger than that is no runbook, and must not take for ever.
const BUDGET: usize = 512 * 1024 * 1024;

/// What judging a text costs, compared with reading it.
const JUDGING: usize = 8;

/// A fix that was applied, or one that would have done harm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Applied {
    /// The code of the finding.
    pub code: &'static str,
    /// What the finding said.
    pub message: String,
    /// What the fix does.
    pub title: String,
}

/// A text after its fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The text.
    pub text: String,
    /// What was applied, in order.
    pub applied: Vec<Applied>,
    /// What was not, because afterwards something could not be read that could be read before.
    pub dropped: BTreeSet<Applied>,
}

/// Applies every fix that is at most as unsafe as `most`. `judge` tells what is wrong with a text, mistakes of the text
/// included.
#[must_use]
pub fn mend(source: &Arc<Source>, most: Safety, judge: &dyn Fn(&Parsed) -> Vec<Diagnostic>) -> Mended {
    let mut mended = Mended { text: source.text().to_owned(), applied: Vec::new(), dropped: BTreeSet::new() };
    let mut parsed = parse(Arc::clone(source));
    let mut seen = HashSet::from([print(&mended.text)]);
    let mut left = BUDGET;
    for _ in 0..ROUNDS {
        left = left.saturating_sub(cost(&mended.text).saturating_mul(JUDGING));
        let findings = judge(&parsed);
        let wanted: Vec<Wanted<'_>> = findings
            .iter()
            .filter_map(|finding| Some(Wanted { finding, fix: finding.fix.as_ref()? }))
            .filter(|wanted| wanted.fix.safety <= most && !mended.dropped.contains(&wanted.name()))
            .collect();
        let chosen = apart(wanted);
        let mut round = Round { before: &parsed, left, done: Vec::new(), dropped: Vec::new() };
        round.take(&chosen);
        left = round.left;
        let (done, dropped) = (round.done, round.dropped);
        mended.dropped.extend(dropped.iter().map(Wanted::name));
        if done.is_empty() && dropped.is_empty() {
            break;
        }
        let text = apply(parsed.source.text(), done.iter().flat_map(|wanted| &wanted.fix.edits));
        // Fixes that take back what others do would go on for ever.
        if !done.is_empty() && !seen.insert(print(&text)) {
            break;
        }
        mended.applied.extend(done.iter().map(Wanted::name));
        parsed = parse(Source::new(source.name(), text.clone()));
        mended.text = text;
    }
    mended
}

/// A text after edits, which must not overlap; what does is left out.
#[must_use]
pub fn apply<'a>(text: &str, edits: impl IntoIterator<Item = &'a Edit>) -> String {
    let mut edits: Vec<&Edit> = edits.into_iter().collect();
    edits.sort_by_key(|edit| edit.span);
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let Some(kept) = text.get(at..edit.span.start).filter(|_| text.is_char_boundary(edit.span.end)) else {
            continue;
        };
        result.push_str(kept);
        result.push_str(&edit.text);
        at = edit.span.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

fn print(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}

/// Even an empty text takes a while.
const fn cost(text: &str) -> usize {
    text.len() + 1024
}

#[derive(Clone, Copy)]
struct Wanted<'a> {
    finding: &'a Diagnostic,
    fix: &'a Fix,
}

impl Wanted<'_> {
    fn name(&self) -> Applied {
        Applied { code: self.finding.code, message: self.finding.message.clone(), title: self.fix.title.clone() }
    }
}

/// Those that do not meet one that comes before them.
fn apart(mut wanted: Vec<Wanted<'_>>) -> Vec<Wanted<'_>> {
    wanted.sort_by_key(|wanted| wanted.fix.edits.first().map(|edit| edit.span));
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    wanted.retain(|wanted| {
        let edits = &wanted.fix.edits;
        // What removes a line may touch what removes the next one; what puts something in must be alone there.
        let meets = edits.iter().any(|edit| {
            let span = edit.span;
            let empty = span.start == span.end;
            let near = taken.range(..=span.end).rev().take_while(|(_, end)| span.start <= **end);
            near.into_iter().any(|(start, end)| empty || start == end || span.start < *end && *start < span.end)
        });
        if !meets {
            taken.extend(edits.iter().map(|edit| (edit.span.start, edit.span.end)));
        }
        !meets && !edits.is_empty()
    });
    wanted
}

struct Round<'a, 'p> {
    before: &'p Parsed,
    left: usize,
    done: Vec<Wanted<'a>>,
    dropped: Vec<Wanted<'a>>,
}

impl<'a> Round<'a, '_> {
    /// Takes all of them, or both halves by themselves when all of them do harm.
    fn take(&mut self, wanted: &[Wanted<'a>]) {
        if wanted.is_empty() || self.left == 0 {
            return;
        }
        let all: Vec<Wanted<'a>> = self.done.iter().chain(wanted).copied().collect();
        if self.fits(&all) {
            self.done = all;
        } else if let [only] = wanted {
            // With the others it does not fit; it may without them, in the next round.
            if self.done.is_empty() || !self.fits(&[*only]) {
                self.dropped.push(*only);
            }
        } else {
            let (first, second) = wanted.split_at(wanted.len() / 2);
            self.take(first);
            self.take(second);
        }
    }

    fn fits(&mut self, wanted: &[Wanted<'_>]) -> bool {
        let text = apply(self.before.source.text(), wanted.iter().flat_map(|wanted| &wanted.fix.edits));
        self.left = self.left.saturating_sub(cost(&text));
        let after = parse(Source::new(self.before.source.name(), text));
        match (&self.before.root, &after.root) {
            // Reading got further: what it finds there was there before.
            (None, Some(_)) => return true,
            (Some(_), None) => return false,
            _ => {}
        }
        let mut there: HashMap<(&str, &str), usize> = HashMap::new();
        for mistake in &self.before.diagnostics {
            *there.entry((mistake.code, &mistake.message)).or_default() += 1;
        }
        after.diagnostics.iter().all(|mistake| match there.get_mut(&(mistake.code, mistake.message.as_str())) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        })
    }
}
