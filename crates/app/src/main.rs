//! `idcheck`: the verification service as one program.
//!
//! Only this crate knows all the others; only here are configuration, clock, randomness and files read.

mod commands;
mod config;
mod demo;
mod jobs;
mod keyfile;
mod latency;
mod lifecycle;
mod logs;
mod metrics;
mod system;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Database, copies, mails and demo data tell of people: whatever this program makes is for its owner only.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    commands::run(commands::Arguments::parse())
}
