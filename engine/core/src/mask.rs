//! Secrets out of everything that leaves: logs, evidence, reports, the terminal.
//!
//! Duty: to replace known values, and the usual encodings of them, by `***`. It must not decide what is a secret, nor
//! keep more of a stream than could be the beginning of one.
//!
//! What is recognised, for each value and for the value without surrounding white space:
//!
//! - itself, and each line of it that has at least [`SHORTEST`] characters;
//! - base64, both alphabets, padded or not, wrapped at 64 or 76 columns, and also where the value stands somewhere
//!   inside of what was encoded (`Authorization: Basic`), as far as the encoding does not depend on its neighbours;
//! - percent-encoding, with `%20` or `+`, with large or small hexadecimal digits;
//! - the inside of a JSON string, also with `\uXXXX` for what is not ASCII and with `\/`.
//!
//! What is not: other encodings (hexadecimal, compression, ciphers), values cut in two by something else, numbers in
//! JSON (a number that became a text would no longer fit its type), and values of fewer than [`SHORTEST`] characters:
//! to mask `no` would destroy every output. Inputs refuse such a secret by [`Mask::too_short`].

use std::{borrow::Cow, collections::BTreeSet, fmt, fmt::Write as _, sync::Arc};

use aho_corasick::{AhoCorasick, Input, MatchKind};
use serde_json::{Map, Value};

/// What stands for a secret.
pub const MASKED: &str = "***";
/// The fewest characters that a secret, or a line of one, must have to be masked.
pub const SHORTEST: usize = 4;
/// The inside of a longer base64 text is recognised from this many characters on; fewer are too likely to be chance.
const SHORTEST_INSIDE: usize = 8;

/// Replaces secrets in what leaves. Cloning is cheap.
#[derive(Clone)]
pub struct Mask(Arc<Engine>);

enum Engine {
    /// There are no secrets.
    Nothing,
    Patterns {
        automaton: AhoCorasick,
        /// Sorted, so that one search tells whether a text is the beginning of one of them.
        sorted: Vec<Vec<u8>>,
        longest: usize,
    },
    /// The automaton cannot be built (gigabytes of secrets): rather no output than a leak.
    Everything,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").field("is_empty", &self.is_empty()).finish_non_exhaustive()
    }
}

impl Default for Mask {
    fn default() -> Self {
        Self::new([])
    }
}

impl Mask {
    /// Takes the secrets. Empty ones, and those of which [`Mask::too_short`] is true, are left out.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut patterns = BTreeSet::new();
        for secret in secrets {
            for text in [secret.as_str(), secret.trim()] {
                if !Self::too_short(text) {
                    add_forms(text, &mut patterns);
                }
            }
            for line in secret.lines().flat_map(|line| [line, line.trim()]) {
                if !Self::too_short(line) {
                    add_forms(line, &mut patterns);
                }
            }
        }
        if patterns.is_empty() {
            return Self(Arc::new(Engine::Nothing));
        }
        let sorted: Vec<Vec<u8>> = patterns.into_iter().map(String::into_bytes).collect();
        let longest = sorted.iter().map(Vec::len).max().unwrap_or_default();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&sorted);
        Self(Arc::new(match automaton {
            Ok(automaton) => Engine::Patterns { automaton, sorted, longest },
            Err(_) => Engine::Everything,
        }))
    }

    /// Whether a value has too few characters to be masked, so that it must not be used as a secret.
    #[must_use]
    pub fn too_short(secret: &str) -> bool {
        secret.chars().take(SHORTEST).count() < SHORTEST
    }

    /// Whether there is nothing to mask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(*self.0, Engine::Nothing)
    }

    /// The text with every secret replaced; where several begin at one place, the longest counts.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &*self.0 {
            Engine::Nothing => Cow::Borrowed(text),
            Engine::Everything if text.is_empty() => Cow::Borrowed(text),
            Engine::Everything => Cow::Borrowed(MASKED),
            Engine::Patterns { automaton, .. } => {
                let mut out = String::new();
                let mut from = 0;
                for found in automaton.find_iter(text) {
                    out.push_str(text.get(from..found.start()).unwrap_or_default());
                    out.push_str(MASKED);
                    from = found.end();
                }
                if from == 0 {
                    return Cow::Borrowed(text);
                }
                out.push_str(text.get(from..).unwrap_or_default());
                Cow::Owned(out)
            }
        }
    }

    /// Replaces the secrets in every string and every key, in place. Keys that become equal get a number.
    pub fn value(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        // A list of what is left to do, not recursion: a value can be nested deeper than a stack is.
        let mut todo = vec![value];
        while let Some(value) = todo.pop() {
            match value {
                Value::String(text) => {
                    let masked = self.text(text);
                    if masked != text.as_str() {
                        *text = masked.into_owned();
                    }
                }
                Value::Array(items) => todo.extend(items),
                Value::Object(map) => {
                    if map.keys().any(|key| self.text(key) != key.as_str()) {
                        *map = self.keys(std::mem::take(map));
                    }
                    todo.extend(map.values_mut());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }

    fn keys(&self, map: Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::with_capacity(map.len());
        for (key, value) in map {
            let masked = self.text(&key).into_owned();
            let mut unique = masked.clone();
            let mut count = 1;
            while out.contains_key(&unique) {
                count += 1;
                unique = format!("{masked}{count}");
            }
            out.insert(unique, value);
        }
        out
    }

    /// A mask for bytes that come in pieces.
    #[must_use]
    pub fn stream(&self) -> StreamMask {
        StreamMask { mask: self.clone(), held: Vec::new(), said: false }
    }
}

/// Replaces secrets in bytes that come in pieces: however they are cut, the output is that of all of them at once.
///
/// It holds back only what could be the beginning of a secret, at most one byte less than the longest pattern.
pub struct StreamMask {
    mask: Mask,
    held: Vec<u8>,
    said: bool,
}

impl fmt::Debug for StreamMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamMask").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

impl StreamMask {
    /// Takes the next bytes, and appends to `out` what is certain.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &*self.mask.0 {
            Engine::Nothing => out.extend_from_slice(bytes),
            Engine::Everything => {
                if !self.said && !bytes.is_empty() {
                    self.said = true;
                    out.extend_from_slice(MASKED.as_bytes());
                }
            }
            Engine::Patterns { automaton, sorted, longest } => {
                self.held.extend_from_slice(bytes);
                let done = mask_until(automaton, &self.held, |from| undecided(sorted, *longest, &self.held, from), out);
                self.held.drain(..done.min(self.held.len()));
            }
        }
    }

    /// There is nothing more to come: appends what was held back. The mask can be used for another stream then.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let Engine::Patterns { automaton, .. } = &*self.mask.0 {
            mask_until(automaton, &self.held, |_| self.held.len(), out);
        }
        self.held.clear();
        self.said = false;
    }
}

/// Masks `bytes` as far as they are decided and returns how far that is. `undecided(from)` is the first place at or
/// after `from` where more bytes could change what begins there.
///
/// A match that begins before that place is final: a longer one at the same place, or one further left, would need
/// more bytes, and then its beginning would itself be undecided.
fn mask_until(automaton: &AhoCorasick, bytes: &[u8], undecided: impl Fn(usize) -> usize, out: &mut Vec<u8>) -> usize {
    let mut from = 0;
    let mut limit = undecided(0);
    while let Some(found) = automaton.find(Input::new(bytes).range(from..)) {
        if found.start() >= limit {
            break;
        }
        out.extend_from_slice(bytes.get(from..found.start()).unwrap_or_default());
        out.extend_from_slice(MASKED.as_bytes());
        from = found.end();
        if from > limit {
            limit = undecided(from);
        }
    }
    out.extend_from_slice(bytes.get(from..limit).unwrap_or_default());
    limit.max(from)
}

/// The first place, at or after `from`, from which on the bytes are the beginning of a pattern but not all of it.
fn undecided(sorted: &[Vec<u8>], longest: usize, bytes: &[u8], from: usize) -> usize {
    let first = from.max((bytes.len() + 1).saturating_sub(longest));
    (first..bytes.len())
        .find(|&at| {
            let tail = bytes.get(at..).unwrap_or_default();
            // What `tail` begins stands right behind `tail` itself in the order.
            let next = sorted.partition_point(|pattern| pattern.as_slice() <= tail);
            sorted.get(next).is_some_and(|pattern| pattern.starts_with(tail))
        })
        .unwrap_or(bytes.len())
}

fn add_forms(secret: &str, patterns: &mut BTreeSet<String>) {
    patterns.insert(secret.to_owned());
    for alphabet in [STANDARD, URL_SAFE] {
        let unpadded = base64(secret.as_bytes(), alphabet);
        for width in [64, 76] {
            // The lines of a wrapped text; the last one may be so short that it is chance.
            let lines = unpadded.as_bytes().chunks(width).filter(|line| line.len() >= SHORTEST_INSIDE);
            patterns.extend(lines.map(|line| String::from_utf8_lossy(line).into_owned()));
        }
        patterns.insert(format!("{unpadded}{}", "=".repeat((4 - unpadded.len() % 4) % 4)));
        patterns.insert(unpadded);
        for shift in 0..3 {
            let inside = base64_inside(secret.as_bytes(), shift, alphabet);
            if inside.len() >= SHORTEST_INSIDE {
                patterns.insert(inside);
            }
        }
    }
    for upper in [true, false] {
        for keep in ["-_.~", "-_.~/", "-_.!~*'()", "-_.!~*'();/?:@&=+$,#"] {
            let encoded = percent(secret, keep, upper);
            patterns.insert(encoded.replace("%20", "+"));
            patterns.insert(encoded);
        }
    }
    let json = serde_json::to_string(secret).unwrap_or_default();
    if let Some(inside) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let ascii = ascii_json(inside);
        for form in [inside, ascii.as_str()] {
            patterns.insert(form.to_owned());
            patterns.insert(form.replace('/', "\\/"));
        }
    }
}

type Alphabet = [u8; 64];
const STANDARD: &Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &Alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 without padding.
fn base64(bytes: &[u8], alphabet: &Alphabet) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = word >> (18 - 6 * place) & 63;
            let letter = usize::try_from(index).ok().and_then(|index| alphabet.get(index));
            out.extend(letter.map(|letter| char::from(*letter)));
        }
    }
    out
}

/// The part of the base64 of a longer text that depends on `bytes` alone, when `shift` bytes (modulo 3) precede them.
fn base64_inside(bytes: &[u8], shift: usize, alphabet: &Alphabet) -> String {
    let shifted: Vec<u8> = std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
    let encoded = base64(&shifted, alphabet);
    let first = (shift * 8).div_ceil(6);
    let last = shifted.len() * 8 / 6;
    encoded.get(first..last).unwrap_or_default().to_owned()
}

fn percent(text: &str, keep: &str, upper: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let letter = char::from(byte);
        // Writing to a string cannot fail.
        let _: fmt::Result = match () {
            () if letter.is_ascii_alphanumeric() || keep.contains(letter) => out.write_char(letter),
            () if upper => write!(out, "%{byte:02X}"),
            () => write!(out, "%{byte:02x}"),
        };
    }
    out
}

/// `\uXXXX` for what is not ASCII.
fn ascii_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _: fmt::Result = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
