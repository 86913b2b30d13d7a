//! Organisations: what they hold, revocations with two persons, improvement plans, suspended users.

pub(crate) mod api;
pub(crate) mod dto;
pub(crate) mod file;
pub(crate) mod page;
