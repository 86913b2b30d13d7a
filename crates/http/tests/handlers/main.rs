//! The handlers, asked as they are asked over HTTP: what they refuse, in which words, and what they let through.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod applicant;
mod frame;
mod officer;
mod support;
mod verification;
