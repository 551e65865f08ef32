//! Writing a log: by one engine, each record durable before anybody acts on it.
//!
//! Duty: numbers, hashes and tokens of records; one write and one sync for a group of them; and to stop for good at the
//! first doubt. After a failed sync nobody knows what is on the disk, and trying again would only hide that.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use lifeboat_core::evidence::{
    Event, Record, Stamp,
    verify::{Head, Links, Problem},
};

use super::{
    AppendError, Holder, LogDamage, OpenError, StoreError, files,
    lock::{self, Lock},
    read,
    run::RunDir,
};

/// A run that was taken.
#[derive(Debug)]
pub struct Opened {
    /// For writing on.
    pub log: Log,
    /// What was recorded before.
    pub records: Vec<Record>,
    /// Bytes of a torn last line that were cut off; 0 in the normal case. They are kept in `torn-<offset>`.
    pub torn_bytes: u64,
}

/// The log of a run, held by this engine until it is dropped.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
    head: PathBuf,
    links: Links,
    lock: Lock,
    failed: Option<AppendError>,
}

impl Log {
    /// Takes the run: lock, records, repair of a torn end, token; in this order, so that nothing is touched that another
    /// engine has, and no token is given for a log that is damaged.
    pub(super) fn open(run: &RunDir, who: &Holder) -> Result<Opened, OpenError> {
        let mut lock = Lock::take(&run.lock())?;
        let (path, head) = (run.log_path(), run.head());
        let sealed = match read::head(&head)?.transpose() {
            Ok(sealed) => sealed,
            Err(fault) => {
                let problem = Box::new(Problem { at: None, fault });
                return Err(LogDamage::Record { path: head, problem }.into());
            }
        };
        let read::Read { records, links, torn } = read::read(&path, sealed.as_ref())?;
        files::remove_unfinished(run.path())?;
        run.artifacts().remove_unfinished()?;
        let file = OpenOptions::new().append(true).open(&path).map_err(StoreError::io("open", &path))?;
        if !torn.is_empty() {
            cut(run.path(), &path, &file, links.offset(), &torn)?;
        }
        lock.raise(links.token(), who)?;
        let log = Self { file, path, head, links, lock, failed: None };
        Ok(Opened { log, records, torn_bytes: torn.len() as u64 })
    }

    /// The fencing token of this engine.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.lock.token()
    }

    /// The number of the last record; 0 before the first.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.links.seq()
    }

    /// Whether the last record is `run-finished`, behind which nothing can be written.
    #[must_use]
    pub const fn finished(&self) -> bool {
        self.links.finished()
    }

    /// Makes these events durable, in this order and together: each with the time and the milliseconds since the run was
    /// created. It blocks until they are on the disk. All of them are, or the log cannot be written any more.
    ///
    /// # Errors
    /// After the first error every later call gives the same one.
    pub fn append(&mut self, events: Vec<(Event, Timestamp, u64)>) -> Result<Vec<Record>, AppendError> {
        self.unless_failed(|log| log.try_append(events, true))
    }

    /// The same without waiting for the disk: for events that announce no effect and are no outcome. The next `append`
    /// makes them durable.
    ///
    /// # Errors
    /// As `append`.
    pub fn append_lazily(&mut self, events: Vec<(Event, Timestamp, u64)>) -> Result<Vec<Record>, AppendError> {
        self.unless_failed(|log| log.try_append(events, false))
    }

    /// Writes the file `head`: at every `engine-stopped`, and after `run-finished`. `None` when nothing is recorded yet.
    ///
    /// # Errors
    /// As `append`.
    pub fn seal(&mut self) -> Result<Option<Head>, AppendError> {
        self.unless_failed(|log| {
            if log.links.seq() == 0 {
                return Ok(None);
            }
            log.still_ours()?;
            // A head must never be on the disk before the records that it seals, or a crash would look like a truncation.
            log.file.sync_data().map_err(StoreError::io("sync", &log.path))?;
            let head = Head { seq: log.links.seq(), hash: log.links.hash().to_owned() };
            files::replace(&log.head, &head.to_line())?;
            Ok(Some(head))
        })
    }

    fn unless_failed<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, AppendError>) -> Result<T, AppendError> {
        if let Some(first) = &self.failed {
            return Err(first.clone());
        }
        work(self).inspect_err(|error| self.failed = Some(error.clone()))
    }

    fn try_append(&mut self, events: Vec<(Event, Timestamp, u64)>, durable: bool) -> Result<Vec<Record>, AppendError> {
        let mut links = self.links.clone();
        let mut bytes = Vec::new();
        let mut records = Vec::with_capacity(events.len());
        for (event, at, elapsed_ms) in events {
            let stamp =
                Stamp { seq: links.seq() + 1, at, elapsed_ms, token: self.lock.token(), prev: links.hash().to_owned() };
            let line = Record { stamp, event }
                .to_line()
                .map_err(|error| AppendError::Unwritable { reason: error.to_string() })?;
            // The reader's own code reads it before it is written: a line that could not be read (nested too deep, say)
            // would make all of the log unreadable, and the run could not be resumed.
            records.push(links.follow(&line).map_err(|problem| AppendError::Unreadable { problem })?);
            bytes.extend_from_slice(&line);
        }
        if records.is_empty() {
            return Ok(records);
        }
        self.still_ours()?;
        self.file.write_all(&bytes).map_err(StoreError::io("write", &self.path))?;
        if durable {
            self.file.sync_data().map_err(StoreError::io("sync", &self.path))?;
        }
        self.links = links;
        Ok(records)
    }

    /// That nobody took the run, and the log is the file that this engine wrote.
    fn still_ours(&self) -> Result<(), AppendError> {
        self.lock.check()?;
        let expected = self.links.offset();
        let foreign = |found: String| AppendError::Foreign { path: self.path.clone(), expected, found };
        let look = StoreError::io("look at", &self.path);
        match lock::is(&self.path, &self.file).and_then(|same| Ok((same, self.file.metadata()?.len()))) {
            Err(error) => Err(look(error).into()),
            Ok((false, _)) => Err(foreign("another file of this name, or none".to_owned())),
            Ok((true, found)) if found != expected => Err(foreign(format!("{found}"))),
            Ok((true, _)) => Ok(()),
        }
    }
}

/// Cuts a torn line off the log, after it was put aside. What it said never came to be: nothing was done because of it,
/// since it was not durable. But it is evidence of what the engine was about to do.
fn cut(run: &Path, log: &Path, file: &File, offset: u64, torn: &[u8]) -> Result<(), StoreError> {
    put_aside(run, offset, torn)?;
    files::sync_dir(run)?;
    file.set_len(offset).and_then(|()| file.sync_all()).map_err(StoreError::io("cut the torn end off", log))
}

fn put_aside(run: &Path, offset: u64, torn: &[u8]) -> Result<(), StoreError> {
    for number in 1_u64.. {
        let path = match number {
            1 => run.join(format!("torn-{offset}")),
            number => run.join(format!("torn-{offset}-{number}")),
        };
        match files::new_file(&path, torn) {
            Ok(()) => break,
            // An engine may have died between putting it aside and cutting; then it is there already.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if fs::read(&path).map_err(StoreError::io("read", &path))? == torn {
                    break;
                }
            }
            Err(error) => return Err(StoreError::io("write", path)(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{super::tests, AppendError, OpenOptions};

    /// A disk that is full, as far as a file can be one. The log is empty, like the device.
    #[test]
    fn a_failed_write_is_the_end() {
        let (_directory, run) = tests::new_run();
        let mut log = run.take(&tests::who()).unwrap().log;
        let real = std::mem::replace(&mut log.path, PathBuf::from("/dev/full"));
        let device = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let file = std::mem::replace(&mut log.file, device);
        let error = log.append(tests::timed([tests::created()])).unwrap_err();
        assert!(matches!(error, AppendError::Store(_)), "{error}");
        assert!(error.to_string().contains("cannot write `/dev/full`: No space left on device"), "{error}");
        // There is room again. But what is on the disk is not known any more.
        (log.path, log.file) = (real, file);
        assert_eq!(log.append(tests::timed([tests::created()])).unwrap_err().to_string(), error.to_string());
        assert_eq!((log.seq(), std::fs::read(run.log_path()).unwrap()), (0, Vec::new()));
    }
}
