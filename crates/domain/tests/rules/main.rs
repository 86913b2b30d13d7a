//! The rules, held to tables worked out by hand, to reference models and to the diagram in the docs.
//!
//! One program, so that it links once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod abuse;
mod access;
mod application;
mod calendar;
mod card;
mod company;
mod host_address;
mod identifiers;
mod lockout;
mod notice;
mod organisation;
mod outcome;
mod person_id;
mod revocation;
mod sandbox;
mod state_diagram;
mod support;
mod template;
mod text;
mod ubn;
mod usage;
mod values;
