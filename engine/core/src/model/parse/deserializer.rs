//! A tree with places, as serde sees it.
//!
//! Duty: one value at a time, strictly: the type that is wanted decides how a scalar is read, and nothing is guessed.
//! Every error knows its place, and every template and expression is noted. Going on after an error is `tolerant`'s.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    Found,
    error::{At, Error, Meant, Problem, text_words},
    fixes::{Fix, Fixes, TEXTS},
    route::{Route, Segment},
};
use crate::{
    model::{
        TextKind,
        yaml::{Core, Entry, Mapping, Node, NodeKind},
    },
    source::{Span, Spanned},
};

/// What is collected while decoding.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Every template and expression.
    pub(super) found: RefCell<Vec<Found>>,
    /// How many values were looked at.
    pub(super) visits: Cell<u64>,
}

/// The way to a value, kept on the stack: it becomes a [`Route`] only when somebody asks.
#[derive(Debug)]
pub(super) enum Path<'a> {
    /// The part that is being decoded.
    Root(&'a Route),
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn route(&self) -> Route {
        let mut segments = Vec::new();
        let mut path = self;
        loop {
            match path {
                Path::Root(route) => {
                    return route.segments().iter().cloned().chain(segments.into_iter().rev()).collect();
                }
                Path::Key(up, key) => {
                    segments.push(Segment::Key((*key).to_owned()));
                    path = up;
                }
                Path::Index(up, index) => {
                    segments.push(Segment::Index(*index));
                    path = up;
                }
            }
        }
    }
}

/// One value and how it was reached: the deserializer.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The value; `None` asks for a placeholder.
    pub(super) node: Option<&'a Node>,
    /// Where it stands, or where what lacks it stands.
    pub(super) span: Span,
    pub(super) path: &'a Path<'a>,
    pub(super) fixes: Option<&'a Fixes>,
    pub(super) notes: &'a Notes,
}

impl<'a> Place<'a> {
    fn at(&self) -> At {
        At { route: self.path.route(), span: self.span, placeholder: self.node.is_none() }
    }

    fn error(&self, problem: Problem) -> Error {
        Error::new(problem).or_at(|| self.at())
    }

    /// Gives an error that a visitor made its place.
    fn placed<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| error.or_at(|| self.at()))
    }

    /// The value is not what is wanted.
    fn wrong(&self, expected: impl Into<String>) -> Error {
        let Some(node) = self.node else { return self.error(Problem::Told) };
        let found = match &node.kind {
            NodeKind::Broken => return self.error(Problem::Told),
            NodeKind::Sequence(_) => "a list".to_owned(),
            NodeKind::Mapping(_) => "a mapping".to_owned(),
            NodeKind::Scalar { text, plain } => match if *plain { Core::of(text) } else { Core::Text } {
                Core::Null if text.is_empty() => return self.error(Problem::MissingValue),
                Core::Null => format!("`{text}`, which is no value"),
                Core::Bool(_) => format!("`{text}`"),
                Core::Int(_) | Core::Float(_) => format!("the number `{text}`"),
                Core::Text => text_words(text),
            },
        };
        self.error(Problem::WrongType { expected: expected.into(), found })
    }

    /// The raw text of a scalar that is not null.
    fn text(&self, expected: &str) -> Result<&'a str, Error> {
        let Some(node) = self.node else { return Ok(self.placeholder_text()) };
        match &node.kind {
            NodeKind::Scalar { text, plain } if *plain && Core::of(text) == Core::Null => {
                let help = format!("write `\"{text}\"` if the text is meant, or remove it");
                Err(self.wrong(expected).help(Some(help)))
            }
            NodeKind::Scalar { text, .. } => Ok(text),
            _ => Err(self.wrong(expected)),
        }
    }

    fn placeholder_text(&self) -> &'static str {
        let which = match self.fixes.and_then(Fixes::fix) {
            Some(Fix::Supplied(which)) => usize::from(which),
            _ => 0,
        };
        TEXTS.get(which).copied().unwrap_or_default()
    }

    /// What a plain scalar is; quoted ones are texts.
    fn core(&self) -> Option<(Core, &'a str)> {
        match &self.node?.kind {
            NodeKind::Scalar { text, plain: true } => Some((Core::of(text), text)),
            NodeKind::Scalar { text, .. } => Some((Core::Text, text)),
            _ => None,
        }
    }

    fn integer(&self, least: i128, most: i128) -> Result<i128, Error> {
        if self.node.is_none() {
            return Ok(1.clamp(least, most));
        }
        let expected = || match (least, most) {
            (0, most) if most == u64::MAX.into() => "a whole number that is not negative".to_owned(),
            (least, most) if least == i64::MIN.into() && most == i64::MAX.into() => "a whole number".to_owned(),
            _ => format!("a whole number from {least} to {most}"),
        };
        match self.core() {
            Some((Core::Int(number), _)) if (least..=most).contains(&number) => Ok(number),
            Some((Core::Text, text)) if matches!(Core::of(text), Core::Int(_)) => Err(self.quoted(expected())),
            _ => Err(self.wrong(expected())),
        }
    }

    fn quoted(&self, expected: impl Into<String>) -> Error {
        self.wrong(expected).help(Some("remove the quotes".to_owned())).meant(Some(Meant::WithoutQuotes))
    }

    fn scalar<'de, V: Visitor<'de>>(text: &str, plain: bool, visitor: V) -> Result<V::Value, Error> {
        match if plain { Core::of(text) } else { Core::Text } {
            Core::Null => visitor.visit_unit(),
            Core::Bool(value) => visitor.visit_bool(value),
            Core::Int(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => visitor.visit_i64(number),
                (_, Ok(number)) => visitor.visit_u64(number),
                // JSON has nothing larger; `inputs` looks at the digits where that matters.
                _ => visitor.visit_f64(text.parse().unwrap_or(f64::NAN)),
            },
            Core::Float(number) => visitor.visit_f64(number),
            Core::Text => visitor.visit_str(text),
        }
    }

    fn entries(self, mapping: Option<&'a Mapping>) -> Entries<'a> {
        let supplied = self.fixes.map(|fixes| fixes.supplied().collect()).unwrap_or_default();
        Entries { place: self, mapping: mapping.map(Mapping::iter), supplied, current: None }
    }

    fn map<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mapping = match self.node.map(|node| &node.kind) {
            None => None,
            Some(NodeKind::Mapping(mapping)) => Some(mapping),
            Some(_) => return Err(self.wrong("a mapping")),
        };
        self.placed(visitor.visit_map(self.entries(mapping)))
    }
}

/// `deserialize_u8` and the like.
macro_rules! integers {
    ($($method:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.count();
            let number = self.integer(<$type>::MIN.into(), <$type>::MAX.into())?;
            self.placed(match u64::try_from(number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(i64::try_from(number).unwrap_or(i64::MIN)),
            })
        }
    )*};
}

impl Place<'_> {
    fn count(&self) {
        self.notes.visits.set(self.notes.visits.get() + 1);
    }
}

impl<'de> Deserializer<'de> for Place<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count();
        let result = match self.node.map(|node| &node.kind) {
            None => visitor.visit_unit(),
            Some(NodeKind::Scalar { text, plain }) => Self::scalar(text, *plain, visitor),
            Some(NodeKind::Sequence(items)) => visitor.visit_seq(Elements { place: self, items, next: 0 }),
            Some(NodeKind::Mapping(mapping)) => visitor.visit_map(self.entries(Some(mapping))),
            Some(NodeKind::Broken) => Err(self.error(Problem::Told)),
        };
        self.placed(result)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count();
        if self.node.is_none() {
            return self.placed(visitor.visit_bool(false));
        }
        let expected = "`true` or `false`";
        match self.core() {
            Some((Core::Bool(value), _)) => self.placed(visitor.visit_bool(value)),
            Some((Core::Text, text)) if matches!(Core::of(text), Core::Bool(_)) => Err(self.quoted(expected)),
            Some((_, text)) => {
                let meant = match text.to_ascii_lowercase().as_str() {
                    "yes" | "y" | "on" | "1" | "true" => Some(true),
                    "no" | "n" | "off" | "0" | "false" => Some(false),
                    _ => None,
                };
                let help = meant.map(|value| format!("write `{value}`"));
                let word = !text.starts_with(|first: char| first.is_ascii_digit());
                let meant = meant.map(|value| Meant::Boolean { value, word });
                Err(self.wrong(expected).help(help).meant(meant))
            }
            None => Err(self.wrong(expected)),
        }
    }

    integers! {
        deserialize_i8 i8;
        deserialize_i16 i16;
        deserialize_i32 i32;
        deserialize_i64 i64;
        deserialize_u8 u8;
        deserialize_u16 u16;
        deserialize_u32 u32;
        deserialize_u64 u64;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count();
        let expected = "a number";
        let number = match self.core() {
            _ if self.node.is_none() => 1.0,
            Some((Core::Float(number), _)) => number,
            // By its digits, because there is no conversion that rounds without a cast.
            Some((Core::Int(number), _)) => number.to_string().parse().unwrap_or(f64::NAN),
            Some((Core::Text, text)) if matches!(Core::of(text), Core::Int(_) | Core::Float(_)) => {
                return Err(self.quoted(expected));
            }
            _ => return Err(self.wrong(expected)),
        };
        self.placed(visitor.visit_f64(number))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count();
        let text = self.text("a text")?;
        self.placed(visitor.visit_str(text))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count();
        match self.core() {
            _ if self.node.is_none() => self.placed(visitor.visit_none()),
            // A key without a value is a slip more often than not, and never needed: the key can be left out.
            Some((Core::Null, _)) => Err(self.error(Problem::MissingValue)),
            _ => self.placed(visitor.visit_some(self)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if let Some(kind) = TextKind::ALL.into_iter().find(|kind| kind.marker() == name) {
            let text = self.text("a text")?;
            if self.node.is_some() {
                let found = Found { kind, text: text.to_owned(), route: self.path.route(), span: self.span };
                self.notes.found.borrow_mut().push(found);
            }
        }
        self.placed(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count();
        let items = match self.node.map(|node| &node.kind) {
            None => &[][..],
            Some(NodeKind::Sequence(items)) => items,
            Some(_) => {
                let help = self.core().map(|(_, text)| in_brackets(text));
                return Err(self.wrong("a list").help(help).meant(Some(Meant::OneElement)));
            }
        };
        self.placed(visitor.visit_seq(Elements { place: self, items, next: 0 }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.count();
        self.map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.count();
        if name == Spanned::<()>::MARKER {
            return self.placed(visitor.visit_map(WithSpan { place: self, next: 0 }));
        }
        self.map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.count();
        let text = match self.node {
            None => variants.first().copied().unwrap_or_default(),
            // In words only when it has to be told.
            Some(_) => self.text("").or_else(|_| self.text(&one_of(variants)))?,
        };
        self.placed(visitor.visit_enum(text.into_deserializer()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple_struct identifier
    }
}

/// "one of `a`, `b`", or just "`a`".
pub(super) fn one_of(known: &[&str]) -> String {
    match known {
        [only] => format!("`{only}`"),
        _ => format!("one of {}", listed(known)),
    }
}

/// "`a`, `b`".
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn in_brackets(text: &str) -> String {
    let simple =
        text.len() <= 40 && !text.contains([',', '[', ']', '{', '}', '"', '\'', '#', ':', '\n']) && !text.is_empty();
    if simple { format!("write `[{text}]`") } else { "write it as a list: `[a, b]`, or one `- ` a line".to_owned() }
}

/// The elements of a list.
struct Elements<'a> {
    place: Place<'a>,
    items: &'a [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        loop {
            let index = self.next;
            let Some(node) = self.items.get(index) else { return Ok(None) };
            self.next += 1;
            let fixes = self.place.fixes.and_then(|fixes| fixes.element(index));
            if fixes.and_then(Fixes::fix).is_some() {
                self.place.count();
                continue;
            }
            let path = Path::Index(self.place.path, index);
            let place = Place { node: Some(node), span: node.span, path: &path, fixes, ..self.place };
            return place.placed(seed.deserialize(place)).map(Some);
        }
    }
}

/// The entries of a mapping, then the placeholders for those that it lacks.
struct Entries<'a> {
    place: Place<'a>,
    mapping: Option<indexmap::map::Iter<'a, String, Entry>>,
    supplied: Vec<(&'a str, &'a Fixes)>,
    current: Option<(&'a str, Option<&'a Entry>, Option<&'a Fixes>)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = None;
        for (key, entry) in self.mapping.iter_mut().flatten() {
            let fixes = self.place.fixes.and_then(|fixes| fixes.key(key));
            if fixes.and_then(Fixes::fix).is_some() {
                self.place.count();
                continue;
            }
            self.current = Some((key, Some(entry), fixes));
            break;
        }
        if self.current.is_none() {
            self.current = self.supplied.pop().map(|(key, fixes)| (key, None, Some(fixes)));
        }
        let Some((key, entry, _)) = self.current else { return Ok(None) };
        let path = Path::Key(self.place.path, key);
        let name = Name { key, span: entry.map(|entry| entry.key), path: &path, notes: self.place.notes };
        seed.deserialize(name).map(Some).map_err(|error| {
            error.or_at(|| At {
                route: path.route(),
                span: entry.map_or(self.place.span, |entry| entry.key),
                placeholder: entry.is_none(),
            })
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, entry, fixes)) = self.current.take() else {
            return Err(self.place.error(Problem::Custom("a value was asked for before its key".to_owned())));
        };
        let path = Path::Key(self.place.path, key);
        let node = entry.map(|entry| &entry.value);
        let span = node.map_or(self.place.span, |node| node.span);
        let place = Place { node, span, path: &path, fixes, ..self.place };
        place.placed(seed.deserialize(place))
    }
}

/// A key. It is a name, or a template like any other text.
struct Name<'a> {
    key: &'a str,
    /// Where it stands; `None` for that of a placeholder.
    span: Option<Span>,
    path: &'a Path<'a>,
    notes: &'a Notes,
}

impl<'de> de::Deserializer<'de> for Name<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.key)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        let kind = TextKind::ALL.into_iter().find(|kind| kind.marker() == name);
        if let (Some(kind), Some(span)) = (kind, self.span) {
            let found = Found { kind, text: self.key.to_owned(), route: self.path.route(), span };
            self.notes.found.borrow_mut().push(found);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text: de::value::StrDeserializer<'_, Error> = self.key.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

/// A value with its span, as [`Spanned`] wants it.
struct WithSpan<'a> {
    place: Place<'a>,
    next: usize,
}

impl<'de> MapAccess<'de> for WithSpan<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(name) = Spanned::<()>::FIELDS.get(self.next) else { return Ok(None) };
        let name: de::value::StrDeserializer<'_, Error> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.next += 1;
        let number: de::value::UsizeDeserializer<Error> = match self.next {
            1 => self.place.span.start.into_deserializer(),
            2 => self.place.span.end.into_deserializer(),
            _ => return seed.deserialize(self.place),
        };
        seed.deserialize(number)
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.path.route(), self.span)
    }
}
