//! One question about one card (查驗): the order of checks, and what each refusal costs.
//!
//! | # | check | where |
//! |---|---|---|
//! | 1 | size and form of the token | [`TokenReader::issuer`] |
//! | 2 | Iss Key known | [`CallerSnapshot`] |
//! | 3 | address registered | snapshot |
//! | 4, 5 | signature; times and `jti` | [`TokenReader::verify_legacy`] |
//! | 6 | access active | snapshot, and again in the ledger's transaction |
//! | 7 | `orgId`, `apId` | here |
//! | 8 | fixed claims, `conditionMap` | here |
//! | 9 | rate; quota and budget | [`RateLimiter`](crate::ports::RateLimiter); ledger |
//! | 10–13 | `jti` new, user not suspended, number not locked, comparison | ledger, one transaction with the record |
//!
//! Nothing here waits for IO but the ledger's answer.
//!
//! [`TokenReader::issuer`]: crate::ports::TokenReader::issuer
//! [`TokenReader::verify_legacy`]: crate::ports::TokenReader::verify_legacy

mod callers;
mod legacy;

pub use callers::{Caller, CallerSnapshot};
pub use legacy::{Verdict, VerifyCard, VerifyPorts};
