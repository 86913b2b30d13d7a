//! One type per command or query of the verification service, and the ports they need.
//!
//! A use case loads, asks the domain, and hands **one** [`Change`](ports::Change) to one port call that is one
//! transaction: new state with the version it was read at, history, outgoing mail, audit entry. No rule is checked
//! outside the write that it guards unless the write checks it too.
//!
//! | use case | does |
//! |---|---|
//! | [`IssueChallenge`](acts::IssueChallenge), [`ProveChallenge`](acts::ProveChallenge) | an applicant's act, signed with the card |
//! | [`ReadOwn`](acts::ReadOwn) | where an organisation stands, while its session lasts |
//! | [`ReviewApplication`](review::ReviewApplication), [`ReadCases`](review::ReadCases) | an officer's work on a case |
//! | [`GovernAccess`](casework::GovernAccess), [`JudgePlans`](casework::JudgePlans) | revoke with two persons, and the way back |
//! | [`SignIn`](officers::SignIn), [`KeepOfficers`](officers::KeepOfficers) | officers and their sessions |
//! | [`VerifyCard`](verify::VerifyCard) | one question about one card |
//! | [`DeliverMail`](mail::DeliverMail), [`DeadLetters`](dead_letters::DeadLetters) | what the outbox holds |
//! | [`ReadAudit`](audit::ReadAudit) | the audit log, for auditors |
//! | [`ReadUsage`](usage::ReadUsage) | counts of use, for officers and for an organisation |
//! | [`SendReminders`](reminders::SendReminders) | deadlines of organisations that come or are over |
//!
//! This crate must never know HTTP, SQL, JSON or a clock: time and randomness are ports.

pub mod acts;
pub mod audit;
pub mod casework;
pub mod content;
pub mod dead_letters;
pub mod mail;
pub mod officers;
pub mod ports;
pub mod reminders;
pub mod review;
mod settlement;
pub mod usage;
pub mod verify;

pub use content::{Content, FieldViolation, Fields, Leaf};

#[cfg(test)]
mod tests;
