//! The contracts of the ports, as tests that any adapter can be put through.

pub mod application_queue;
pub mod attachment;
pub mod audit;
pub mod calendar;
pub mod change;
pub mod company_register;
pub mod dormancy;
pub mod draft;
pub mod household_register;
pub mod last_use;
pub mod ledger;
pub mod mail;
pub mod notice;
pub mod officer;
pub mod own_session;
pub mod passkey;
pub mod plan;
pub mod revocation;
pub mod sweep;
pub mod template;
pub mod usage;
pub mod usage_tally;
pub mod webhook;
pub mod worklist;
