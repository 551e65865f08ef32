//! Flags and subcommands of a command.
//!
//! Duty: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, and the words that are none of these. What a program means by
//! them is its own.

use super::{Command, Piece, Word, tools};

/// A flag that is given.
#[derive(Debug, Clone)]
pub struct Flag<'a> {
    /// The word that it is.
    pub word: &'a Word,
    /// The text behind `=`, or behind a flag of one letter, as far as it is constant; `None` when it is not.
    attached: Option<String>,
    /// Whether something is attached at all.
    has_attached: bool,
    /// The word behind it.
    next: Option<&'a Word>,
}

impl<'a> Flag<'a> {
    /// Its value, when it is constant.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        if self.has_attached { self.attached.as_deref() } else { self.next?.constant() }
    }

    /// The word in which its value stands.
    #[must_use]
    pub fn value_word(&self) -> Option<&'a Word> {
        if self.has_attached { Some(self.word) } else { self.next }
    }
}

impl Command {
    /// The first of these flags that is given: `--context`, `-n`, `-auto-approve`.
    #[must_use]
    pub fn flag(&self, names: &[&str]) -> Option<Flag<'_>> {
        let end = self.arguments.iter().position(|word| word.constant() == Some("--"));
        let words = self.arguments.get(..end.unwrap_or(self.arguments.len()))?;
        words.iter().enumerate().find_map(|(at, word)| {
            let head = word.head();
            if !head.starts_with('-') {
                return None;
            }
            let rest = names.iter().find_map(|name| {
                let rest = head.strip_prefix(name)?;
                let short = name.len() == 2 && !name.starts_with("--");
                (rest.is_empty() || rest.starts_with('=') || short).then_some(rest)
            })?;
            let more = word.pieces.len() > 1;
            let has_attached = !rest.is_empty() || more;
            let attached = (!more).then(|| rest.strip_prefix('=').unwrap_or(rest).to_owned());
            Some(Flag { word, attached, has_attached, next: self.arguments.get(at + 1) })
        })
    }

    /// Whether one of these flags is given.
    #[must_use]
    pub fn has(&self, names: &[&str]) -> bool {
        self.flag(names).is_some()
    }

    /// Whether a switch of one letter is given, alone or together with others: `-it`.
    #[must_use]
    pub fn has_switch(&self, letter: char) -> bool {
        self.arguments.iter().filter_map(Word::constant).any(|text| {
            let letters = text.strip_prefix('-').filter(|it| !it.starts_with('-') && it.len() <= 4);
            letters.is_some_and(|it| it.contains(letter) && it.chars().all(|it| it.is_ascii_alphabetic()))
        })
    }

    /// Whether it may get flags that nobody can read here: `"$@"`, `"${flags[@]}"`, `$OPTIONS`. Who passes flags in a variable
    /// leaves the quotes out and names it so; other variables without quotes are values of careless people.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        self.open
            || self.arguments.iter().any(|word| {
                let flags = |name: &str| {
                    let name = name.to_ascii_lowercase();
                    ["flag", "opt", "arg", "extra", "param"].iter().any(|it| name.contains(it))
                };
                let commands = word.splits && word.pieces.iter().any(|it| matches!(it, Piece::Substitution(_)));
                word.list || commands || word.splits && word.variables().any(flags)
            })
    }

    /// The words that are no flags and no values of flags.
    pub fn positional(&self) -> impl Iterator<Item = &Word> {
        self.positional_in(&self.arguments)
    }

    fn positional_in<'a>(&self, arguments: &'a [Word]) -> impl Iterator<Item = &'a Word> {
        let values = self.program().map(tools::values).unwrap_or_default();
        let mut skip = false;
        let mut all = false;
        arguments.iter().filter(move |word| {
            if std::mem::take(&mut skip) {
                return false;
            }
            if all {
                return true;
            }
            let head = word.head();
            if word.constant() == Some("--") {
                all = true;
                return false;
            }
            if head.len() > 1 && head.starts_with('-') {
                let text = word.constant().unwrap_or_default();
                skip = values.contains(&text);
                return false;
            }
            true
        })
    }

    /// The words that say what to do: `["restore", "create"]` of `velero -n x restore create --from-backup b`. They end
    /// where one is not constant.
    #[must_use]
    pub fn verbs(&self) -> Vec<&str> {
        self.saying().collect()
    }

    fn saying(&self) -> impl Iterator<Item = &str> {
        self.positional_in(self.before_own_flags()).map_while(Word::constant)
    }

    /// The arguments up to the first flag behind the subcommand, for the clients of clouds: they have thousands of flags of
    /// which nobody knows whether they take a value. Those that every subcommand has may stand in between.
    fn before_own_flags(&self) -> &[Word] {
        let Some(program) = self.program().filter(|it| tools::is_of_a_cloud(it)) else { return &self.arguments };
        let values = tools::values(program);
        let (mut skip, mut said) = (false, false);
        let end = self.arguments.iter().position(|word| {
            if std::mem::take(&mut skip) {
                return false;
            }
            let head = word.head();
            if !head.starts_with('-') {
                said = true;
                return false;
            }
            let name = head.split('=').next().unwrap_or(head);
            let takes_value = values.contains(&name);
            skip = takes_value && name == head;
            said && !takes_value && !tools::CLOUD_SWITCHES.contains(&name)
        });
        self.arguments.get(..end.unwrap_or(self.arguments.len())).unwrap_or_default()
    }

    /// Whether it is this program, asked to do this.
    #[must_use]
    pub fn does(&self, program: &str, verbs: &[&str]) -> bool {
        self.program() == Some(program) && {
            let mut found = self.saying();
            verbs.iter().all(|verb| found.next() == Some(verb))
        }
    }
}
