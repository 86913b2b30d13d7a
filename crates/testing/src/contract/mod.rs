//! The contracts of the ports, as tests that any adapter can be put through.

pub mod audit;
pub mod calendar;
pub mod casework;
pub mod changes;
pub mod companies;
pub mod ledger;
pub mod mail;
pub mod officers;
pub mod own_session;
pub mod queue;
pub mod register;
pub mod tally;
pub mod templates;
pub mod usage;
