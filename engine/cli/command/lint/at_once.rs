//! Several files at once.
//!
//! Duty: threads. Each has a linter of its own, as what one remembers is not shared; the results come in the order of the files.

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread::{self, Builder, available_parallelism},
};

use lifeboat_core::lint::Linter;

/// From how many files for each thread on it is worth to start threads.
const ENOUGH: usize = 16;
/// The stack of a thread: as much as a program begins with, so that expressions need no other one.
const STACK: usize = 8 * 1024 * 1024;

/// Does something with each file.
pub(super) fn each<T: Sync, R: Send>(files: &[T], work: impl Fn(&Linter, &T) -> R + Sync) -> Vec<R> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let threads = (files.len() / ENOUGH).clamp(1, cores);
    let next = AtomicUsize::new(0);
    let turn = || {
        let linter = Linter::default();
        let mut done = Vec::new();
        // Files differ in length, so each thread takes the next one when it has done one.
        while let Some((at, file)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            files.get(at).map(|file| (at, file))
        } {
            done.push((at, work(&linter, file)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> =
            (1..threads).map_while(|_| Builder::new().stack_size(STACK).spawn_scoped(scope, turn).ok()).collect();
        let mut done = turn();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_once_and_in_order() {
        for count in [0, 1, 15, 16, 33, 1_000] {
            let files: Vec<usize> = (0..count).collect();
            assert_eq!(each(&files, |_, file| file * 2), files.iter().map(|file| file * 2).collect::<Vec<_>>());
        }
    }
}
