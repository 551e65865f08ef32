//! What texts and scripts say, remembered from one file to the next.
//!
//! Duty: to read a text once, however often it stands in runbooks. The runbooks of a repository have most of their templates and
//! many of their expressions in common, `--fix` looks at a file again after each change, and so does an editor after each key.
//! What is remembered depends on nothing but the text itself.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use crate::{
    expr::Expression,
    scope::{Problem, Reference},
    script::{self, Options, Script},
    template::Template,
};

/// What a text refers to, or why it cannot be understood.
pub(crate) type References = Result<Vec<Reference>, Vec<Problem>>;

/// The longest text that is remembered, in bytes: a longer one hardly stands anywhere else.
const LONGEST: usize = 8 * 1024;
/// How many bytes of texts are remembered; with what is known of them, it is about twenty times that.
const MOST: usize = 1024 * 1024;

/// What was read so far.
#[derive(Default)]
pub(super) struct Memory {
    templates: Remembered<References>,
    expressions: Remembered<References>,
    strict: Remembered<Script>,
}

impl Memory {
    pub(super) fn template(&self, text: &str) -> Arc<References> {
        self.templates.of(text, || Template::compile(text).map(|it| it.references()).map_err(|problem| vec![problem]))
    }

    pub(super) fn expression(&self, text: &str) -> Arc<References> {
        self.expressions.of(text, || Expression::compile(text).map(|it| it.references()))
    }

    pub(super) fn script(&self, text: &str, options: Options) -> Arc<Script> {
        // A shell of the author's own is rare, and what its options are is a part of what is known.
        if options == Options::STRICT {
            self.strict.of(text, || script::of_shell(text, options))
        } else {
            Arc::new(script::of_shell(text, options))
        }
    }
}

struct Remembered<T> {
    known: RefCell<(HashMap<String, Arc<T>>, usize)>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self { known: RefCell::default() }
    }
}

impl<T> Remembered<T> {
    fn of(&self, text: &str, read: impl FnOnce() -> T) -> Arc<T> {
        if let Some(known) = self.known.borrow().0.get(text) {
            return Arc::clone(known);
        }
        let new = Arc::new(read());
        if text.len() <= LONGEST {
            let (known, bytes) = &mut *self.known.borrow_mut();
            // Which of them come again is not known, and to begin anew costs each of them once.
            if *bytes + text.len() > MOST {
                known.clear();
                *bytes = 0;
            }
            *bytes += text.len();
            known.insert(text.to_owned(), Arc::clone(&new));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_not_read_again() {
        let remembered = Remembered::default();
        let mut reads = 0;
        for text in ["a", "b", "a", "a", "b"] {
            let length = remembered.of(text, || {
                reads += 1;
                text.len()
            });
            assert_eq!(*length, 1);
        }
        assert_eq!(reads, 2);
    }

    #[test]
    fn it_stays_small() {
        let remembered = Remembered::default();
        for number in 0..3 * MOST / LONGEST {
            let _length = remembered.of(&format!("{number:0LONGEST$}"), || number);
            assert!(remembered.known.borrow().1 <= MOST);
        }
        let few = remembered.known.borrow().0.len();
        assert!((1..=MOST / LONGEST).contains(&few), "{few}");
        let _length = remembered.of(&"x".repeat(LONGEST + 1), || 0);
        assert_eq!(remembered.known.borrow().0.len(), few);
    }

    #[test]
    fn the_same_text_may_be_of_several_kinds() {
        let memory = Memory::default();
        for _ in 0..2 {
            assert_eq!(memory.template("a.b").as_deref().map_or(9, <[_]>::len), 0);
            assert_eq!(memory.expression("a.b").as_deref().map_or(9, <[_]>::len), 1);
            assert!(memory.expression("a +").is_err());
            let relaxed = memory.script("a.b | c", Options::default());
            assert!(!relaxed.commands.iter().any(|it| it.options.pipefail));
            assert!(memory.script("a.b | c", Options::STRICT).commands.iter().all(|it| it.options.pipefail));
        }
    }
}
