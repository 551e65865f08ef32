//! One stream of a process: through the filter, into a file, a digest, a head, and lines for a display.
//!
//! Duty: bounded memory however much is printed, and never a byte less in the file. It must not wait for a display.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write as _},
    path::PathBuf,
};

use lifeboat_core::evidence::chain;
use sha2::{Digest as _, Sha256};
use tokio::{
    net::unix::pipe,
    sync::{mpsc, watch},
};

use super::{ByteFilter, HEAD};

/// Longest line that a display gets, in bytes.
const LINE: usize = 8 << 10;
/// How many last lines are kept for error texts.
const TAIL: usize = 10;
/// How much of each of those, in bytes.
const TAIL_LINE: usize = 512;
/// How much is read at once; also what a pipe holds, as a rule.
const CHUNK: usize = 64 << 10;
/// How much at first: most print little or nothing.
const FIRST_CHUNK: usize = 4 << 10;
/// The most that a pipe can hold without privileges.
const PIPE_LIMIT: usize = 1 << 20;

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// `stdout` or `stderr`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A line for a display. Control characters are still in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it came from.
    pub stream: Stream,
    /// Without its end; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// Whether it was longer than 8 KiB and the rest is missing here.
    pub cut: bool,
    /// How many lines of this stream were left out just before this one, because the display was slow.
    pub missed: u64,
}

/// What came out of a stream; secrets are already taken out.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// How much, in bytes.
    pub bytes: u64,
    /// SHA-256 of all of it, in hex.
    pub sha256: String,
    /// The file that has all of it; none when nothing came.
    pub file: Option<PathBuf>,
    /// Its last lines.
    pub tail: Vec<String>,
    /// Lines that the display did not get.
    pub missed: u64,
    /// Whether a process that left the group still held the stream, so that reading ended before it did.
    pub held: bool,
    /// Why the file does not have all of it.
    pub error: Option<String>,
    head: Vec<u8>,
}

impl Output {
    pub(super) fn lost(stream: Stream, why: &str) -> Self {
        Self { error: Some(format!("{} was not recorded: {why}", stream.name())), ..Self::default() }
    }

    /// Its first [`HEAD`] bytes.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether there is more of it than [`Output::head`] has.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.bytes > self.head.len() as u64
    }

    /// The head as text; bytes that are not UTF-8 are replaced, a character that was cut in two is left out.
    #[must_use]
    pub fn text(&self) -> String {
        let mut head = self.head.as_slice();
        if self.truncated() {
            head = &head[..whole_characters(head)];
        }
        String::from_utf8_lossy(head).into_owned()
    }
}

/// The length without a UTF-8 character at the end that is not complete.
fn whole_characters(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let needed = match bytes[at] {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            0x80..=0xBF => continue,
            _ => 1,
        };
        return if needed > back { at } else { bytes.len() };
    }
    bytes.len()
}

/// Where a stream is kept. Most print nothing, so the file is made when there is something to keep.
enum Keep {
    Nowhere,
    Later(PathBuf),
    File(File),
}

impl Keep {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt as _;
        if let Self::Later(path) = self {
            *self = Self::File(File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?);
        }
        if let Self::File(file) = self { file.write_all(bytes) } else { Ok(()) }
    }
}

/// A stream on its way to an [`Output`].
pub(super) struct Capture {
    stream: Stream,
    filter: Box<dyn ByteFilter + Send>,
    file: Keep,
    digest: Sha256,
    lines: Option<mpsc::Sender<Line>>,
    /// The line that has no end yet, at most `LINE` bytes of it.
    line: Vec<u8>,
    cut: bool,
    missed: u64,
    tail: VecDeque<String>,
    filtered: Vec<u8>,
    output: Output,
}

impl Capture {
    /// The file is made anew when the first bytes come. It is known now whether it can be: evidence that cannot be kept
    /// is a reason not to begin.
    pub(super) fn open(
        stream: Stream,
        path: Option<PathBuf>,
        filter: Box<dyn ByteFilter + Send>,
        lines: Option<mpsc::Sender<Line>>,
    ) -> io::Result<Self> {
        use rustix::fs::{Access, access};
        let file = match &path {
            Some(path) => {
                access(path.parent().unwrap_or(path), Access::WRITE_OK | Access::EXEC_OK)?;
                Keep::Later(path.clone())
            }
            None => Keep::Nowhere,
        };
        Ok(Self {
            stream,
            filter,
            file,
            digest: Sha256::new(),
            lines,
            line: Vec::new(),
            cut: false,
            missed: 0,
            tail: VecDeque::new(),
            filtered: Vec::new(),
            output: Output { file: path, ..Output::default() },
        })
    }

    /// Takes what was printed. May block on the file.
    fn take(&mut self, bytes: &[u8]) {
        let mut filtered = std::mem::take(&mut self.filtered);
        filtered.clear();
        self.filter.push(bytes, &mut filtered);
        self.keep(&filtered);
        self.filtered = filtered;
    }

    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.output.bytes += bytes.len() as u64;
        self.digest.update(bytes);
        let room = HEAD - self.output.head.len();
        self.output.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if let Err(error) = self.file.write(bytes) {
            // Reading goes on: a child must not hang because our disk is full. The caller is told at the end.
            self.lose(&error);
        }
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.lengthen(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.lengthen(rest);
    }

    fn lose(&mut self, error: &io::Error) {
        self.file = Keep::Nowhere;
        let path = self.output.file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        self.output.error = Some(format!("{} could not be written to {path}: {error}", self.stream.name()));
    }

    fn lengthen(&mut self, bytes: &[u8]) {
        let room = LINE - self.line.len();
        self.cut |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_line(&mut self) {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let length = if self.cut { whole_characters(&self.line) } else { self.line.len() };
        let line = &self.line[..length];
        if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            let short = line.len() > TAIL_LINE;
            let end = if short { whole_characters(&line[..TAIL_LINE]) } else { line.len() };
            let mut text = String::from_utf8_lossy(&line[..end]).into_owned();
            if short {
                text.push('…');
            }
            self.tail.push_back(text);
        }
        if let Some(lines) = &self.lines {
            // The place comes first: for a line that nobody will see, no text is made.
            if let Ok(place) = lines.try_reserve() {
                place.send(Line {
                    stream: self.stream,
                    text: String::from_utf8_lossy(line).into_owned(),
                    cut: self.cut,
                    missed: std::mem::take(&mut self.missed),
                });
            } else {
                // Full, or closed because nobody looks any more.
                self.missed += 1;
                self.output.missed += 1;
            }
        }
        self.line.clear();
        self.cut = false;
    }

    /// The end of the stream. Returns after the file is on the disk.
    fn finish(mut self, held: bool) -> Output {
        let mut rest = Vec::new();
        self.filter.finish(&mut rest);
        self.keep(&rest);
        if !self.line.is_empty() || self.cut {
            self.end_line();
        }
        match std::mem::replace(&mut self.file, Keep::Nowhere) {
            Keep::File(file) => {
                if let Err(error) = file.sync_all() {
                    self.lose(&error);
                }
            }
            Keep::Later(_) => self.output.file = None,
            Keep::Nowhere => {}
        }
        self.output.sha256 = chain::hex(&self.digest.finalize());
        self.output.tail = self.tail.into();
        self.output.held = held;
        self.output
    }
}

/// Reads a pipe to its end; or, after `cut` became true, what is in it at that time.
pub(super) async fn read(pipe: pipe::Receiver, mut capture: Capture, mut cut: watch::Receiver<bool>) -> Output {
    let stream = capture.stream;
    let lost = |why: &str| Output::lost(stream, why);
    let mut buffer = vec![0; FIRST_CHUNK];
    let mut silent = true;
    // How much may still be read after the cut. What the process wrote before it ended is in the pipe, so it is at
    // most what a pipe can hold; somebody else who holds the other end may write without end.
    let mut left: Option<usize> = None;
    let held = loop {
        if left.is_none() {
            tokio::select! {
                biased;
                ready = pipe.readable() => if let Err(error) = ready { return lost(&error.to_string()) },
                // The sender is gone only when the runtime ends.
                _ = cut.wait_for(|cut| *cut) => left = Some(PIPE_LIMIT),
            }
        }
        let length = match pipe.try_read(&mut buffer) {
            Ok(0) => break false,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => match left {
                Some(_) => break true,
                None => continue,
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return lost(&error.to_string()),
        };
        silent = false;
        let full = length == buffer.len();
        // Filter, digest and disk take their time: not on a thread that others wait for.
        let work = tokio::task::spawn_blocking(move || {
            capture.take(&buffer[..length]);
            (capture, buffer)
        });
        match work.await {
            Ok(back) => (capture, buffer) = back,
            Err(error) => return lost(&error.to_string()),
        }
        if full && buffer.len() < CHUNK {
            buffer.resize(CHUNK, 0);
        }
        if *cut.borrow() && left.is_none() {
            left = Some(PIPE_LIMIT);
        }
        left = left.map(|left| left.saturating_sub(length));
        if left == Some(0) {
            break true;
        }
    };
    drop(pipe);
    if silent {
        return capture.finish(held);
    }
    tokio::task::spawn_blocking(move || capture.finish(held)).await.unwrap_or_else(|error| lost(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn a_cut_character_is_left_out() {
        for (text, length) in [("aé", 1), ("aé", 3), ("a→", 2), ("a→", 3), ("a→", 4), ("😀", 3), ("", 0), ("abc", 3)]
        {
            let whole = whole_characters(&text.as_bytes()[..length]);
            assert!(std::str::from_utf8(&text.as_bytes()[..whole]).is_ok(), "{text} {length}");
            assert!(length - whole < 4 && (length < text.len() || whole == text.len()), "{text} {length}");
        }
        assert_eq!(whole_characters(&[0x80, 0x80, 0x80, 0x80]), 4);
    }
}
