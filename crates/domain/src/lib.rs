//! The rules of 國民身分證領補換資料查驗作業 API 介接服務 (verification of national ID card data for companies).
//!
//! Everything here is a pure function of its arguments: no async, no serde, no IO, no clock, no randomness.
//! Time comes in as a parameter and so does entropy; what goes out is a new value and what happened.
//!
//! # How it fits together
//!
//! An organisation files an [`Application`](application::Application), signed with its company card. Officers take it
//! through the states below; each transition consumes the case and gives the new one with the [`Step`](application::Step)
//! for its history, or says why not. An approved case changes the [`Organisation`](organisation::Organisation), whose
//! [`Access`](access::Access) says whether it may ask. What it asks is answered by [`lockout::answer`].
//!
//! ```text
//!                receive
//!                   │
//!                   ▼      claim               approve
//!               Received ────────► UnderReview ───────► Approved
//!                                  │  ▲      │
//!             requestClarification │  │      │ reject
//!                                  ▼  │      ▼
//!               ClarificationRequested ────► Rejected
//!                answerClarification ▲  reject, once its time is over
//!
//!               any open state ── withdraw ──► Withdrawn
//!               any open state ── close ─────► Rejected
//! ```
//!
//! Every edge, `release` too, stands in [`application`], and a test holds that list to the code. So a host needs no table of
//! what is allowed when: it calls and shows what it gets.
//!
//! ```
//! use idcheck_domain::{Violation, calendar::WorkingCalendar, value::UnifiedBusinessNumber};
//!
//! // A value that exists is right.
//! assert_eq!(UnifiedBusinessNumber::parse("04595258"), Err(Violation::UbnChecksum));
//! assert_eq!(UnifiedBusinessNumber::parse("04595257")?.as_str(), "04595257");
//!
//! // A deadline of five working days (注意事項 五) that needed a year without a calendar says so.
//! let due = WorkingCalendar::default().due("2026-11-23".parse()?, 5);
//! assert_eq!((due.date.to_string().as_str(), due.provisional), ("2026-11-30", true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! | look for | in |
//! |---|---|
//! | a case, its states and transitions | [`application`] |
//! | what an organisation may do | [`access`], [`organisation`] |
//! | abnormal use and its notices (注意事項 九) | [`abuse`], [`notice`] |
//! | why a case was closed or access taken away | [`reason`] |
//! | taking access away, and the way back (注意事項 九–十一) | [`revocation`], [`plan`] |
//! | working days and deadlines (注意事項 五) | [`calendar`] |
//! | three wrong answers a day (注意事項 六) | [`lockout`] |
//! | results and code tables of the verification | [`verification`], [`value`] |
//! | texts that officers begin with | [`template`] |
//! | counts of use and of review times | [`usage`] |
//! | who among the officers may do what | [`officer`] |
//! | numbers, dates, addresses, names | [`value`] |
//!
//! The source of a rule is named in the doc comment of the item that keeps it: `注意事項 N` and `管理規範 N`
//! are the Ministry's notices and rules of conduct, **decided** is a decision of this project.
//!
//! # Hosts to read
//!
//! `examples/review.rs` takes one application through its review from a terminal; `examples/lockout.rs` keeps the rule of
//! three in a service that has nothing to do with ID cards.

#![warn(missing_docs)]

pub mod abuse;
pub mod access;
pub mod application;
pub mod attachment;
pub mod calendar;
pub mod card;
pub mod company;
pub mod consent;
pub mod contact;
mod identity;
pub mod key;
pub mod lockout;
pub mod notice;
pub mod officer;
pub mod organisation;
pub mod outcome;
pub mod pem;
pub mod plan;
pub mod precondition;
pub mod reason;
pub mod revocation;
pub mod ruling;
pub mod sandbox;
pub mod sweep;
pub mod taipei;
pub mod template;
pub mod usage;
pub mod value;
pub mod verification;
mod violation;
pub mod webhook;
mod words;

pub use violation::Violation;

/// The examples of the page that the package registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
