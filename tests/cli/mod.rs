//! The command line, by real runs.

mod check;
mod codes;
mod evidence;
mod guards;
mod hostile;
mod inputs;
mod new;
mod notify;
mod processes;
mod signals;
mod views;
