//! `lifeboat.toml`.
//!
//! Duty: text to choices, with every mistake told at its place; what is wrong is left out, and the rest counts. It must
//! not read files.

use std::{borrow::Cow, collections::BTreeSet, ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    choice::{Levels, rule},
    organisation::Organisation,
};
use crate::{
    diagnostic::{Diagnostic, Severity},
    duration::Duration,
    plan::nearest::Nearest,
    source::{Source, Span},
    words::clip,
};

/// The name of the file.
pub const NAME: &str = "lifeboat.toml";

/// What it says.
#[derive(Debug, Default)]
pub struct Config {
    /// Only these rules, when it says so.
    pub(super) select: Option<BTreeSet<&'static str>>,
    /// None of these.
    pub(super) ignore: BTreeSet<&'static str>,
    /// How much a rule counts.
    pub(super) rules: Levels,
    /// The same for some files; later ones win.
    paths: Vec<(glob::Pattern, Levels)>,
    /// What holds for all runbooks.
    organisation: Organisation,
}

impl Config {
    /// Reads it.
    #[must_use]
    pub fn read(source: &Arc<Source>) -> (Self, Vec<Diagnostic>) {
        let mut reader = Reader { source, mistakes: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(source.text());
        for error in errors {
            let span = error.span().map_or_else(Span::default, |range| Span::new(range.start, range.end));
            let line = clip(error.message(), 200);
            reader.mistakes.push(
                Diagnostic::error("bad-config", source, span, format!("expected TOML, found a mistake: {line}"))
                    .help("texts stand in quotes, lists in `[…]`, and a key with `/` or `.` in it in quotes"),
            );
        }
        // What is left of a text that is no TOML may say something else than was meant.
        let config = if reader.mistakes.is_empty() { reader.top(table.get_ref()) } else { Self::default() };
        reader.mistakes.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
        (config, reader.mistakes)
    }

    /// What holds for all runbooks.
    #[must_use]
    pub const fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// What is different for the file at a path, relative to the configuration's directory.
    #[must_use]
    pub(super) fn at(&self, path: &str) -> Levels {
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
        let matching = self.paths.iter().filter(|(pattern, _)| pattern.matches_with(path, options));
        matching.flat_map(|(_, levels)| levels).map(|(id, level)| (*id, *level)).collect()
    }
}

type Key<'a> = Spanned<Cow<'a, str>>;
type Value<'a> = Spanned<DeValue<'a>>;

struct Reader<'s> {
    source: &'s Arc<Source>,
    mistakes: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn mistake(&mut self, range: Range<usize>, message: String, help: impl Into<String>) {
        let span = Span::new(range.start, range.end);
        self.mistakes.push(Diagnostic::error("bad-config", self.source, span, message).help(help));
    }

    fn unknown(&mut self, key: &Key<'_>, known: &[&str], place: &str) {
        let name = clip(key.get_ref(), 40);
        let list: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
        let help = match Nearest::new(known.iter().copied()).find(key.get_ref()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => String::from("remove it; the page on `lint` in the book shows all that can stand here"),
        };
        self.mistake(key.span(), format!("expected {} in {place}, found `{name}`", list.join(" or ")), help);
    }

    fn wrong(&mut self, value: &Value<'_>, expected: &str, help: &str) {
        let found = match value.get_ref() {
            DeValue::String(text) => format!("the text `{}`", clip(text, 40)),
            DeValue::Integer(_) | DeValue::Float(_) => String::from("a number"),
            DeValue::Boolean(value) => format!("`{value}`"),
            DeValue::Datetime(_) => String::from("a time"),
            DeValue::Array(_) => String::from("a list"),
            DeValue::Table(_) => String::from("a table"),
        };
        self.mistake(value.span(), format!("expected {expected}, found {found}"), help);
    }

    fn top(&mut self, table: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "lint" => match value.get_ref().as_table() {
                    Some(table) => self.lint(table, &mut config),
                    None => self.wrong(
                        value,
                        "the table `[lint]`",
                        "write `[lint]` on a line of its own, and its keys below",
                    ),
                },
                "organisation" => match value.get_ref().as_table() {
                    Some(table) => config.organisation = self.organisation(table),
                    None => self.wrong(
                        value,
                        "the table `[organisation]`",
                        "write `[organisation]` on a line of its own, and its keys below",
                    ),
                },
                _ => self.unknown(key, &["lint", "organisation"], "`lifeboat.toml`"),
            }
        }
        config
    }

    fn lint(&mut self, table: &DeTable<'_>, config: &mut Config) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "select" => config.select = self.ids(value),
                "ignore" => config.ignore = self.ids(value).unwrap_or_default(),
                "rules" => config.rules = self.levels(value),
                "paths" => match value.get_ref().as_array() {
                    Some(items) => {
                        for item in items {
                            config.paths.extend(self.path(item));
                        }
                    }
                    None => {
                        self.wrong(value, "a list of tables", "write `[[lint.paths]]`, with two brackets on each side");
                    }
                },
                _ => self.unknown(key, &["select", "ignore", "rules", "paths"], "`[lint]`"),
            }
        }
    }

    fn organisation(&mut self, table: &DeTable<'_>) -> Organisation {
        let mut organisation = Organisation::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "registries" => organisation.registries = self.texts(value, "`[\"registry.example.org\"]`"),
                "failed-domain-labels" => organisation.failed_domain_labels = self.texts(value, "`[\"region\"]`"),
                "drill-every" => match value.get_ref().as_str().and_then(|text| text.parse::<Duration>().ok()) {
                    Some(every) if every > Duration::from_millis(0) => organisation.drill_every = Some(every),
                    _ => self.wrong(value, "a length of time, in quotes", "write `drill-every = \"30d\"`"),
                },
                _ => self.unknown(key, &["registries", "failed-domain-labels", "drill-every"], "`[organisation]`"),
            }
        }
        organisation
    }

    fn texts(&mut self, value: &Value<'_>, example: &str) -> Vec<String> {
        let help = format!("write {example}");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, "a list of texts", &help);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str().map(str::trim).filter(|text| !text.is_empty()) {
                Some(text) => texts.push(text.to_owned()),
                None => self.wrong(item, "a text that is not empty, in quotes", &help),
            }
        }
        texts
    }

    fn id(&mut self, id: &str, range: Range<usize>) -> Option<&'static str> {
        match rule(id) {
            Ok(rule) => Some(rule.id),
            Err(no) => {
                self.mistake(range, format!("expected the id of a rule, found `{}`", clip(id, 40)), no.help);
                None
            }
        }
    }

    fn ids(&mut self, value: &Value<'_>) -> Option<BTreeSet<&'static str>> {
        const HELP: &str = "write `[\"unused-input\", …]`; `lifeboat lint --rules` lists the ids";
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(value, "a list of ids of rules", HELP);
            return None;
        };
        let mut ids = BTreeSet::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(id) => ids.extend(self.id(id, item.span())),
                None => self.wrong(item, "the id of a rule, in quotes", HELP),
            }
        }
        Some(ids)
    }

    fn levels(&mut self, value: &Value<'_>) -> Levels {
        const HELP: &str = "write `\"unused-input\" = \"off\"`; there is `\"error\"`, `\"warning\"` and `\"off\"`";
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, "a table of rules and how much they count", HELP);
            return Levels::new();
        };
        let mut levels = Levels::new();
        for (key, value) in table {
            let id = self.id(key.get_ref(), key.span());
            let level = match value.get_ref().as_str() {
                Some("error") => Some(Severity::Error),
                Some("warning") => Some(Severity::Warning),
                Some("off") => None,
                _ => {
                    self.wrong(value, "`\"error\"`, `\"warning\"` or `\"off\"`", HELP);
                    continue;
                }
            };
            levels.extend(id.map(|id| (id, level)));
        }
        levels
    }

    fn path(&mut self, value: &Value<'_>) -> Option<(glob::Pattern, Levels)> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, "a table with `match` and `rules`", "write `[[lint.paths]]`, and both keys below it");
            return None;
        };
        let (mut pattern, mut levels, mut wrong) = (None, None, false);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "match" => {
                    pattern = self.pattern(value);
                    wrong |= pattern.is_none();
                }
                "rules" => levels = Some(self.levels(value)),
                _ => self.unknown(key, &["match", "rules"], "`[[lint.paths]]`"),
            }
        }
        for (there, key, example) in [
            (pattern.is_some() || wrong, "match", "`match = \"drills/**\"`"),
            (levels.is_some(), "rules", "`rules = {\"unused-input\" = \"off\"}`"),
        ] {
            if !there {
                let message = format!("expected `{key}` in `[[lint.paths]]`, found none");
                self.mistake(value.span(), message, format!("add {example}"));
            }
        }
        Some((pattern?, levels?))
    }

    fn pattern(&mut self, value: &Value<'_>) -> Option<glob::Pattern> {
        const HELP: &str = "`*` stands for a part of a name and `**` for directories: `drills/**`, `**/*-drill.yaml`";
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value, "a path with `*`, in quotes", HELP);
            return None;
        };
        if text.is_empty() || text.starts_with('/') || text.split('/').any(|part| part == "..") {
            self.wrong(value, "a path below the directory of this file", HELP);
            return None;
        }
        match glob::Pattern::new(text.trim_start_matches("./")) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let message = format!("expected a path with `*`, found `{}`: {}", clip(text, 40), error.msg);
                self.mistake(value.span(), message, HELP);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::choice::{Choice, judge};

    fn read(text: &str) -> (Config, Vec<(usize, String)>) {
        let (config, mistakes) = Config::read(&Source::new(NAME, text));
        let told = mistakes.iter().map(|it| {
            assert_eq!(it.code, "bad-config");
            assert!(it.message.contains("expected ") && it.message.contains(", found ") && it.help.is_some(), "{it:?}");
            (it.source.position(it.span.start).line, format!("{}; {}", it.message, it.help.as_deref().unwrap_or("")))
        });
        (config, told.collect())
    }

    fn found() -> Vec<Diagnostic> {
        let source = Source::new("r.yaml", "x\n");
        let one = |id: &'static str| {
            let severity = rule(id).map_or(Severity::Error, |rule| rule.severity);
            Diagnostic { severity, ..Diagnostic::error(id, &source, Span::new(0, 1), "m") }
        };
        vec![one("unused-input"), one("unknown-step"), one("no-restores")]
    }

    fn left(choice: &Choice, config: &Config, path: &str) -> (Vec<(&'static str, Severity)>, Vec<&'static str>) {
        let judged = judge(found(), choice, config, path);
        let left = judged.findings.iter().map(|it| (it.code, it.severity)).collect();
        (left, judged.hushed.into_iter().collect())
    }

    #[test]
    fn what_is_chosen_counts() {
        use Severity::{Error, Warning};
        let (config, mistakes) = read(
            "[lint]\nignore = [\"no-restores\"]\n[lint.rules]\n\"unknown-step\" = \"warning\"\nunused-input = \"error\"\n\
             [[lint.paths]]\nmatch = \"drills/**\"\nrules = {\"unused-input\" = \"off\"}\n\
             [[lint.paths]]\nmatch = \"drills/old/*.yaml\"\nrules = {unused-input = \"warning\"}\n",
        );
        assert_eq!(mistakes, []);
        let none = Choice::default();
        let of = |path| left(&none, &config, path).0;
        assert_eq!(of("r.yaml"), [("unused-input", Error), ("unknown-step", Warning)]);
        assert_eq!(of("drills/a/r.yaml"), [("unknown-step", Warning)]);
        assert_eq!(of("drills/old/r.yaml"), [("unused-input", Warning), ("unknown-step", Warning)]);
        assert_eq!(of("drills/old/x/r.yaml"), [("unknown-step", Warning)]);
        assert_eq!(left(&none, &config, "r.yaml").1, ["unknown-step"], "a run would stop");
        // The command line has the last word.
        let select = Choice::new(&["no-restores".into(), "unused-input".into()], &["unused-input".into()]);
        let select = select.unwrap_or_default();
        assert_eq!(left(&select, &config, "r.yaml"), (vec![("no-restores", Warning)], vec![]));
        let (config, _) = read("lint.select = [\"unknown-step\"]");
        assert_eq!(left(&none, &config, "r.yaml").0, [("unknown-step", Error)]);
    }

    #[test]
    fn names_on_the_command_line_are_known() {
        let wrong = Choice::new(&["unused-inptu".into(), "unknown-key".into()], &["unused-inptu".into()]).unwrap_err();
        assert_eq!(wrong.len(), 2);
        assert_eq!(wrong[0].help, "did you mean `unused-input`?");
        assert!(wrong[1].help.contains("no rule"), "{wrong:?}");
    }

    #[test]
    fn an_organisation_decides() {
        let (config, mistakes) = read(
            "[organisation]\nregistries = [\"registry.example.org\"]\nfailed-domain-labels = [\"region\"]\ndrill-every = \"30d\"\n",
        );
        assert_eq!(mistakes, []);
        assert_eq!(
            *config.organisation(),
            Organisation {
                registries: vec![String::from("registry.example.org")],
                failed_domain_labels: vec![String::from("region")],
                drill_every: Some(Duration::from_secs(30 * 86_400)),
            }
        );
        let (config, mistakes) = read(
            "[organisation]\nregitries = []\nregistries = \"x\"\nfailed-domain-labels = [\"\", 1, \"a\"]\ndrill-every = 30\n",
        );
        let lines: Vec<usize> = mistakes.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 4, 5], "{mistakes:#?}");
        assert!(mistakes[0].1.ends_with("found `regitries`; did you mean `registries`?"), "{mistakes:#?}");
        assert!(mistakes[4].1.contains("write `drill-every = \"30d\"`"), "{mistakes:#?}");
        assert_eq!(config.organisation().failed_domain_labels, ["a"], "what can be read counts");
    }

    #[test]
    fn every_mistake_is_told_at_its_line() {
        let (config, mistakes) = read(
            "[lint]\nselcet = []\nignore = \"no-restores\"\n[lint.rules]\nunused-inptu = \"off\"\nno-restores = \"of\"\n\
             unknown-step = true\nunused-input = \"off\"\n[[lint.paths]]\nmatch = \"a/**b\"\nrules = []\n[[lint.paths]]\n\
             match = \"../x\"\nrule = {}\n[other]\n",
        );
        let lines: Vec<usize> = mistakes.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 5, 6, 7, 10, 11, 12, 13, 14, 15], "{mistakes:#?}");
        assert_eq!(
            mistakes[0].1,
            "expected `select` or `ignore` or `rules` or `paths` in `[lint]`, found `selcet`; did you mean `select`?"
        );
        assert!(mistakes[1].1.starts_with("expected a list of ids of rules, found the text `no-restores`; "));
        assert!(mistakes[2].1.ends_with("found `unused-inptu`; did you mean `unused-input`?"));
        assert_eq!(config.rules.len(), 1, "what can be read counts");
        let (_, mistakes) = read("[lint\nselect = [");
        assert!(mistakes.iter().all(|(_, text)| text.starts_with("expected TOML, found a mistake: ")), "{mistakes:#?}");
        assert_eq!(mistakes[0].0, 1);
        assert_eq!(read("").1, []);
    }
}
