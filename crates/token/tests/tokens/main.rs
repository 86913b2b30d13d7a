//! Tokens and keys of both profiles. One program, so that it links once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod keys;
mod legacy;
mod matrix;
mod strict;
mod support;
mod wycheproof;
