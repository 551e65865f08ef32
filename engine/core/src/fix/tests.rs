mod edits;
mod fixtures;
mod mutations;
mod several;
