//! People who act on a run from other terminals.

mod acts;
mod attach;
mod signed;
mod terminal;
