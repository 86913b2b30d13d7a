//! One type per command or query of the verification service, and the ports they need.
//!
//! A use case loads, asks the domain, and hands **one** [`Change`](ports::Change) to one port call that is one
//! transaction: new state with the version it was read at, history, outgoing mail, audit entry. No rule is checked
//! outside the write that it guards unless the write checks it too.
//!
//! | use case | does |
//! |---|---|
//! | [`IssueChallenge`](acts::IssueChallenge), [`ProveChallenge`](acts::ProveChallenge) | an applicant's act, signed with the card |
//! | [`KeepDrafts`](draft::KeepDrafts) | what was typed, until it is signed |
//! | [`ReadOwn`](acts::ReadOwn) | an organisation's own page, while its session lasts |
//! | [`ReviewApplication`](application::ReviewApplication), [`ReadCases`](application::ReadCases) | an officer's work on a case |
//! | [`GovernAccess`](organisation::GovernAccess), [`JudgePlans`](plan::JudgePlans) | revoke with two persons, and the way back |
//! | [`SignIn`](officer::SignIn), [`KeepOfficers`](officer::KeepOfficers) | officers and their sessions |
//! | [`VerifyCard`](verify::VerifyCard) | one question about one card |
//! | [`DeliverMail`](mail::DeliverMail), [`DeadLetters`](mail::DeadLetters) | what the outbox holds |
//! | [`ReadAudit`](audit::ReadAudit) | the audit log, for auditors |
//! | [`ReadUsage`](usage::ReadUsage) | counts of use, for officers and for an organisation |
//! | [`PublishRegister`](public_register::PublishRegister) | the public register and its signature |
//! | [`SendReminders`](reminder::SendReminders) | deadlines of organisations that come or are over |
//!
//! # Embedding
//!
//! A use case is made from the ports it needs, as `Arc<dyn Port>`, and has one method for each thing that it does. What a
//! host brings are the ports: implement those of the use cases that you want, and put each through the contract suite in the
//! repository's `crates/testing`, whose `examples/own_store.rs` is a whole store in memory. Refusals are enums; the words for
//! them are the host's.
//!
//! ```
//! use std::sync::Arc;
//!
//! use chrono::{DateTime, Utc};
//! use idcheck_domain::{
//!     officer::{OfficerId, Role},
//!     template::ReasonTemplate,
//! };
//! use idcheck_usecases::{
//!     Refusal,
//!     template::KeepTemplates,
//!     ports::{
//!         AuditEntry, Change, Changes, Clock, CommitError, Entropy, Officer, ReasonTemplates, StoreError,
//!         StoredChallenge, Waiting, Versioned,
//!     },
//! };
//!
//! struct Host;
//!
//! impl Clock for Host {
//!     fn now(&self) -> DateTime<Utc> {
//!         DateTime::UNIX_EPOCH
//!     }
//! }
//!
//! impl Entropy for Host {
//!     fn fill(&self, bytes: &mut [u8]) {
//!         bytes.fill(7); // A real host asks the operating system.
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl ReasonTemplates for Host {
//!     async fn all(&self) -> Result<Vec<Versioned<ReasonTemplate>>, StoreError> {
//!         Ok(Vec::new())
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl Changes for Host {
//!     async fn commit(&self, _: Change) -> Result<(), CommitError> {
//!         Err(StoreError::Unavailable.into())
//!     }
//!     async fn issue_challenge(&self, _: StoredChallenge, _: &Waiting) -> Result<bool, StoreError> {
//!         Err(StoreError::Unavailable)
//!     }
//!     async fn note(&self, _: AuditEntry) -> Result<(), StoreError> {
//!         Err(StoreError::Unavailable)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let host = Arc::new(Host);
//! let templates = KeepTemplates::new(host.clone(), host.clone(), host.clone(), host);
//! let officer = |role| Officer { id: OfficerId(uuid::Uuid::nil()), username: "lin".to_owned(), role };
//! assert_eq!(templates.list(&officer(Role::Reviewer)).await, Ok(Vec::new()));
//! // What a role may do is the domain's rule, and asked before any port is.
//! let draft = idcheck_usecases::template::TemplateDraft {
//!     used_for: idcheck_domain::template::TemplateUse::Reject,
//!     title: idcheck_domain::value::TemplateTitle::parse("其他").unwrap(),
//!     text: idcheck_domain::value::Reason::parse("不符規定").unwrap(),
//!     in_use: true,
//! };
//! assert_eq!(templates.add(&officer(Role::Reviewer), draft).await, Err(Refusal::Forbidden));
//! # }
//! ```
//!
//! The life of a case, which these use cases follow, is drawn in [`idcheck_domain`].
//!
//! This crate must never know HTTP, SQL, JSON or a clock: time and randomness are ports.

#![warn(missing_docs)]

pub mod acts;
pub mod application;
pub mod attachment;
pub mod audit;
pub mod calendar;
pub mod draft;
mod kernel;
pub mod mail;
pub mod notice;
pub mod officer;
pub mod organisation;
pub mod plan;
pub mod ports;
pub mod public_register;
pub mod reminder;
pub mod sweep;
pub mod template;
pub mod usage;
pub mod user_suspension;
pub mod verify;
pub mod webhook;
pub mod worklist;

pub use kernel::content::{Content, FieldViolation, Fields, Leaf};
pub use kernel::{Named, OfficePorts, OfficerNames, Refusal};

#[cfg(test)]
mod tests;
