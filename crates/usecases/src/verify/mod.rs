//! One question about one card (查驗): the order of checks, and what each refusal costs.
//!
//! | # | check | where |
//! |---|---|---|
//! | 1 | size and form of the token | [`ReadToken::issuer`] |
//! | 2 | Iss Key known | [`CallerSnapshot`] |
//! | 3 | address registered | snapshot |
//! | 4, 5 | signature; times, `jti`, strict: `aud`, `digest` | [`TokenReader`], by profile |
//! | 6 | access active | snapshot, and again in the ledger's transaction |
//! | 7 | `orgId`, `apId` | `legacy` |
//! | 8 | fixed claims, conditions | `legacy`, `strict` |
//! | 9 | rate; quota and budget | [`RateLimiter`]; ledger |
//! | 10–13 | `jti` new, user not suspended, number not locked, comparison | ledger, one transaction with the record |
//!
//! The order is defined once, in `admission`; a profile says only how its token and its question are read. Nothing here
//! waits for IO but the ledger's answer.
//!
//! [`RateLimiter`]: crate::ports::RateLimiter
//! [`TokenReader`]: crate::ports::TokenReader
//! [`ReadToken::issuer`]: crate::ports::ReadToken::issuer

mod admission;
mod callers;
mod in_force;
mod legacy;
mod profile;
mod strict;

pub use admission::{Arrival, VerifyCard, VerifyPorts};
pub use callers::{Caller, CallerSnapshot};
pub use in_force::InForce;
pub use profile::Verdict;
