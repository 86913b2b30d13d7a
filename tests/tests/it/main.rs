//! The suites against the built programs, started as processes: one binary, a file a feature.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and tells what it saw"
)]

mod application;
mod calendar;
mod card;
mod client;
mod command_line;
mod crash_recovery;
mod database_crash;
mod demo;
mod doctor;
mod flood;
mod guides;
mod mail;
mod main_job;
mod notice;
mod officer;
mod operations;
mod operator;
mod organisation;
mod races;
mod rate_limits;
mod restore;
mod slow_clients;
mod smtp;
mod sweep;
mod usage;
mod verification;
mod verification_oracle;
mod webhook;
