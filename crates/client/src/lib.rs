//! Client of the verification API, for companies that ask whether the data printed on a national ID card match the
//! household register (國民身分證領補換資料查驗作業 API 介接服務).
//!
//! ```no_run
//! use idcheck_client::{Answer, Client, Credentials, Environment, Error, Question};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let pem = std::fs::read_to_string("private-key.pem")?;
//! let credentials = Credentials::new("04595257", "SBX00", "e3yMEJMEppYGbb37BxVaOSX00btXCASk", &pem)?;
//! // Made-up persons; in production a wrong answer counts against a real one.
//! let client = Client::builder("https://idcheck.example", credentials).environment(Environment::Sandbox).build()?;
//!
//! let question = Question::parse("A190000017", "1", "1080617", "63000")?;
//! match client.verify(&question).await {
//!     Ok(answered) => match answered.answer {
//!         Answer::Match => println!("the data match"),
//!         Answer::Mismatch { attempts_left } => println!("they do not; {attempts_left} left today"),
//!         other => println!("{}", other.code()),
//!     },
//!     // The reply was lost. Sending the same token again tells what became of it and never counts twice.
//!     Err(Error::OutcomeUnknown { unanswered, .. }) => println!("{:?}", client.send_again(&unanswered).await),
//!     Err(error) => println!("{}: {error}", error.code()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is sent twice, and what never is
//!
//! Three wrong answers about one ID number lock it for the day (注意事項 六), so a question must not be asked twice by
//! accident. Every question gets a token of its own, with a `jti` of its own, and **only this same token is ever
//! repeated**: the service takes a `jti` once, so a repeat is either the first that arrives or is refused as `already
//! used`, which counts nothing.
//!
//! | what happened | repeated by [`Client::verify`] | what it ends in |
//! |---|---|---|
//! | no connection, so nothing was sent | yes | [`Error::NotSent`]: nothing was recorded, ask again |
//! | 429 with `Retry-After` within the bound | yes | [`Error::TooMany`]: nothing was compared, ask later |
//! | 503 with `Retry-After` within the bound | yes | [`Error::Unavailable`] with the token to send again |
//! | 429 or 503 without, or with a longer one | no | the same |
//! | no whole reply after sending, 500, 502, 504 | no | [`Error::OutcomeUnknown`] with the token to send again |
//! | `already used` | no | [`Error::AlreadyRecorded`]: recorded once, its answer is lost |
//! | any other refusal | no | [`Error::Refused`]: nothing was compared |
//!
//! [`Client::send_again`] is for the rows that end with a token: it tells whether the first sending was recorded.
//!
//! # What is never shown
//!
//! ID numbers, card data, the Iss Key, the private key and tokens are in no error, no log and no URL; the types that
//! hold them have a silent `Debug`. Outside the loopback interface only TLS is spoken, redirects are not followed, and a
//! proxy (`HTTPS_PROXY` of the environment) is only asked for a tunnel.
//!
//! Values are those of `idcheck-domain`: the same parser on both sides means that a question which the service would
//! refuse as malformed never leaves.

#![warn(missing_docs)]

mod answer;
mod client;
mod credentials;
mod error;
pub mod inspect;
mod key;
mod message;
mod probe;
mod question;
mod refusal;
mod reply;
mod retry;
mod token;
mod transport;

pub use answer::{Answer, Answered};
pub use client::{BuildError, Builder, Client};
pub use credentials::{ApId, Credentials, CredentialsError};
pub use error::{Error, Lost, NotSent};
pub use idcheck_domain::{
    Violation,
    key::{Environment, Profile},
    value::{ApplyCode, IssKey, IssueSite, PersonId, RocDate, UnifiedBusinessNumber},
    verification::CardData,
};
pub use key::{Algorithm, KeyError, KeyKind, NewKey, SigningKey};
pub use message::Unanswered;
pub use probe::{Clock, Probe, Step};
pub use question::{Field, Question, QuestionError, UserId};
pub use refusal::Refusal;
pub use reply::{Reading, read};
pub use retry::Retries;

/// The programs of the guide compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/client.md")]
struct Guide;
