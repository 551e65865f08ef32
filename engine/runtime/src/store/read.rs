//! Reading a log, with or without the right to write it.
//!
//! Duty: lines to records, each checked as the verifier checks it, one line in memory at a time. It must not repair.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, ErrorKind},
    path::Path,
};

use lifeboat_core::evidence::{
    Record,
    verify::{Fault, Head, Links, Place, Problem},
};

use super::{LogDamage, StoreError};

/// The records of a log, without its lock: for looking on and for reports. A torn last line is left out, because an
/// engine may be writing it at this moment.
///
/// # Errors
/// When the file cannot be read, or a record is not what an engine wrote.
pub fn read_log(path: &Path) -> Result<Vec<Record>, LogDamage> {
    Ok(read(path, None)?.records)
}

/// A log as it was read.
pub(super) struct Read {
    pub(super) records: Vec<Record>,
    pub(super) links: Links,
    /// The last line, when it has no end.
    pub(super) torn: Vec<u8>,
}

/// Reads a log. A head that seals a record which is not there, or is another one, is damage.
pub(super) fn read(path: &Path, head: Option<&Head>) -> Result<Read, LogDamage> {
    let damage = |problem| LogDamage::Record { path: path.to_owned(), problem };
    let (mut records, mut links, mut torn) = (Vec::new(), Links::new(), Vec::new());
    lines(path, |line| {
        if line.last() != Some(&b'\n') {
            line.clone_into(&mut torn);
            return Ok(());
        }
        let byte = links.offset();
        let record = links.follow(line).map_err(damage)?;
        if let Some(head) = head.filter(|head| head.seq == record.stamp.seq && head.hash != links.hash()) {
            let fault = Fault::HeadHash { expected: head.hash.clone(), found: links.hash().to_owned() };
            return Err(damage(Box::new(Problem { at: Some(Place::of(&record, byte)), fault })));
        }
        records.push(record);
        Ok(())
    })?;
    match head {
        Some(head) if head.seq > links.seq() => {
            let fault = Fault::HeadPast { head: head.seq, last: links.seq() };
            Err(damage(Box::new(Problem { at: None, fault })))
        }
        _ => Ok(Read { records, links, torn }),
    }
}

/// Hands every line of a file on, its line end included.
pub(super) fn lines<E: From<StoreError>>(path: &Path, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(StoreError::io("read", path))? > 0 {
        each(&line)?;
        line.clear();
    }
    Ok(())
}

/// The file `head`, when there is one.
pub(super) fn head(path: &Path) -> Result<Option<Result<Head, Fault>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Head::from_line(&bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}
