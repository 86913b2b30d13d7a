//! The rules of 國民身分證領補換資料查驗作業 API 介接服務 (verification of national ID card data for companies).
//!
//! Everything here is a pure function of its arguments: no async, no serde, no IO, no clock, no randomness.
//! Time comes in as a parameter and so does entropy; what goes out is a new value and what happened.
//!
//! | look for | in |
//! |---|---|
//! | a case, its states and transitions | [`application`] |
//! | what an organisation may do | [`access`], [`organisation`] |
//! | abnormal use and its notices (注意事項 九) | [`abuse`], [`notice`] |
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

pub mod abuse;
pub mod access;
pub mod application;
pub mod calendar;
pub mod card;
pub mod company;
pub mod consent;
pub mod contact;
pub mod key;
pub mod lockout;
pub mod notice;
pub mod officer;
pub mod organisation;
pub mod plan;
pub mod revocation;
pub mod sandbox;
pub mod taipei;
pub mod template;
pub mod usage;
pub mod value;
pub mod verification;
mod violation;

pub use violation::Violation;
