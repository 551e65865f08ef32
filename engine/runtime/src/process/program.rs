//! The word in a runbook to a file; and why something could not be started.
//!
//! Duty: to say it so that the person at the terminal knows what to do. It must not start anything.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::Launch;

/// Why a process could not be started. Nothing of it is there.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no program in the order.
    #[error("no program is given")]
    Nothing,
    /// A word or a variable cannot be handed to a process.
    #[error("{what} cannot be handed to a process: {why}")]
    Unfit {
        /// Which one.
        what: String,
        /// Why.
        why: &'static str,
    },
    /// The working directory is not there, or cannot be entered.
    #[error("the working directory {} cannot be used: {why}", path.display())]
    Directory {
        /// Which one.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The program is not there, or is not one.
    #[error("{0}")]
    Missing(#[from] Missing),
    /// Arguments and environment are more than the system takes.
    #[error(
        "arguments and environment are too long for the system: {total} bytes in all, the longest one {longest} bytes ({which}); \
         Linux takes 131072 bytes for one and, as a rule, 2 MiB for all: hand long data over by stdin or by a file"
    )]
    TooLong {
        /// All of it, in bytes.
        total: usize,
        /// The longest argument or variable, in bytes.
        longest: usize,
        /// Which one that is.
        which: String,
    },
    /// The file for the output cannot be made.
    #[error("the file for its output {} cannot be made: {error}", file.display())]
    Evidence {
        /// Which one.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no pipe for it.
    #[error("no pipe for its output: {0}")]
    Pipe(io::Error),
    /// The system refused.
    #[error("{} could not be started: {why}", program.display())]
    Refused {
        /// The file.
        program: PathBuf,
        /// Why.
        why: String,
    },
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    Ending,
}

/// Why a program was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It is in none of the directories.
    #[error("program `{program}` is not there; the PATH was searched: {searched}")]
    NotOnPath {
        /// The word.
        program: String,
        /// The `PATH`.
        searched: String,
    },
    /// There is no `PATH`.
    #[error("program `{program}` cannot be searched: there is no PATH in its environment")]
    NoPath {
        /// The word.
        program: String,
    },
    /// There is no such file.
    #[error("program `{program}` is not there{}", relative(cwd.as_deref()))]
    NoFile {
        /// The word.
        program: String,
        /// The directory that a relative path began at.
        cwd: Option<PathBuf>,
    },
    /// It is there, and cannot be executed.
    #[error("{} is there but cannot be executed: {why}", file.display())]
    NotExecutable {
        /// The file.
        file: PathBuf,
        /// Why.
        why: &'static str,
    },
}

fn relative(cwd: Option<&Path>) -> String {
    cwd.map_or_else(String::new, |cwd| format!(", relative to {}", cwd.display()))
}

/// Finds the file of a program as the system would: a word without `/` on `path`, everything else relative to `cwd`.
///
/// # Errors
/// When it is not there or cannot be executed.
pub fn find_program(program: &str, path: Option<&str>, cwd: &Path) -> Result<PathBuf, Missing> {
    if program.contains('/') {
        let file = cwd.join(program);
        return match executable(&file) {
            Ok(()) => Ok(file),
            Err(None) => Err(Missing::NoFile {
                program: program.to_owned(),
                cwd: Path::new(program).is_relative().then(|| cwd.to_owned()),
            }),
            Err(Some(why)) => Err(Missing::NotExecutable { file, why }),
        };
    }
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return Err(Missing::NoPath { program: program.to_owned() });
    };
    let mut unfit = None;
    // An empty or relative entry is relative to the working directory, as in every shell.
    for file in std::env::split_paths(path).map(|directory| cwd.join(directory).join(program)) {
        match executable(&file) {
            Ok(()) => return Ok(file),
            Err(Some(why)) => unfit = unfit.or(Some(Missing::NotExecutable { file, why })),
            Err(None) => {}
        }
    }
    Err(unfit.unwrap_or_else(|| Missing::NotOnPath { program: program.to_owned(), searched: path.to_owned() }))
}

/// `Err(None)`: it is not there. `Err(Some(why))`: it cannot be executed.
fn executable(file: &Path) -> Result<(), Option<&'static str>> {
    let metadata = std::fs::metadata(file).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => Some("a directory on the way to it may not be entered"),
        _ => None,
    })?;
    if metadata.is_dir() {
        return Err(Some("it is a directory"));
    }
    access(file, Access::EXEC_OK).map_err(|_| Some("it has no permission to be executed (chmod +x)"))
}

/// What the system would refuse with a word that helps nobody.
pub(super) fn check(launch: &Launch) -> Result<(), StartError> {
    let unfit = |what, why| Err(StartError::Unfit { what, why });
    if launch.argv.first().is_none_or(String::is_empty) {
        return Err(StartError::Nothing);
    }
    for (index, word) in launch.argv.iter().enumerate() {
        if word.contains('\0') {
            return unfit(format!("argument {index}"), "it has a NUL byte");
        }
    }
    for (name, value) in &launch.env {
        // The value may be a secret: only the name is told.
        if name.is_empty() || name.contains(['=', '\0']) {
            return unfit(format!("variable {name:?}"), "its name is empty or has `=` or a NUL byte");
        }
        if value.contains('\0') {
            return unfit(format!("variable {name}"), "its value has a NUL byte");
        }
    }
    let why = match std::fs::metadata(&launch.cwd) {
        Ok(metadata) if !metadata.is_dir() => "it is not a directory".to_owned(),
        Ok(_) if access(&launch.cwd, Access::EXEC_OK).is_err() => "it may not be entered".to_owned(),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => "it does not exist".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(StartError::Directory { path: launch.cwd.clone(), why })
}

/// The file that a launch starts.
pub(super) fn locate(launch: &Launch) -> Result<PathBuf, StartError> {
    let word = launch.argv.first().ok_or(StartError::Nothing)?;
    // The last one counts, as it does when the environment is handed over.
    let path = launch.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
    let file = find_program(word, path, &launch.cwd)?;
    // `duct` and `exec` would read a relative path from the engine's own directory.
    std::path::absolute(&file).map_err(|error| StartError::Refused { program: file, why: error.to_string() })
}

/// What the system said, in words.
pub(super) fn explain(launch: &Launch, program: &Path, error: &io::Error) -> StartError {
    let why = match error.kind() {
        io::ErrorKind::ArgumentListTooLong => return too_long(launch),
        // The file was found a moment ago: what is missing is what its first line names, or its dynamic loader.
        io::ErrorKind::NotFound => {
            "the interpreter that its first line (#!) names, or the loader it was linked for, is not there".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied (a script's interpreter that is not executable, or a file system mounted noexec)"
                .to_owned()
        }
        io::ErrorKind::ExecutableFileBusy => "it is being written to".to_owned(),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            "it is neither a program for this machine nor a script with a #! line".to_owned()
        }
        _ => error.to_string(),
    };
    StartError::Refused { program: program.to_owned(), why }
}

fn too_long(launch: &Launch) -> StartError {
    let words = launch.argv.iter().enumerate().map(|(index, word)| (word.len() + 1, format!("argument {index}")));
    let variables = launch.env.iter().map(|(name, value)| (name.len() + value.len() + 2, format!("variable {name}")));
    let (mut total, mut longest, mut which) = (0, 0, String::new());
    for (length, what) in words.chain(variables) {
        // Each costs a pointer, too.
        total += length + size_of::<usize>();
        if length > longest {
            (longest, which) = (length, what);
        }
    }
    StartError::TooLong { total, longest, which }
}
