//! CMS signatures, X.509 paths and revocation for company cards (工商憑證).
//!
//! A signature is accepted in this order, and the first rule that fails is the answer ([`Refusal`]):
//!
//! 1. [`cms`]: the message is read (BER or DER, bounded), has one signer whose certificate came along, and the
//!    signature verifies over the signed attributes as DER SET (RFC 5652 §5.4) or over the content;
//! 2. the content is the expected one;
//! 3. [`path`]: the certificate leads to a configured anchor (RFC 5280 §6.1) and may sign;
//! 4. [`facts`]: it is a company's card, not a person's or an agency's; the path runs through a configured company CA;
//! 5. [`revocation`]: nothing on the path is revoked, and everybody's status is known (RFC 5280 §6.3);
//! 6. [`facts`]: the company's number is there and not contradicted.
//!
//! Everything below [`adapter`] is synchronous and pure: bytes, a time and a [`TrustStore`] in, a verdict out. No input
//! makes it panic, and the work that one message can cause is bounded.
//!
//! This crate must never know challenges, applications, HTTP handlers or the database; it never trusts a certificate
//! because a message carried it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr))]

pub mod adapter;
mod asn1;
pub mod ber;
pub mod certificate;
pub mod cms;
pub mod crl;
pub mod facts;
pub mod fetch;
pub mod name;
pub mod ocsp;
pub mod path;
mod refusal;
pub mod revocation;
pub mod signature;
pub mod trust;
pub mod verifier;

pub use adapter::{FolderVerifier, ListState};
pub use asn1::Malformed;
pub use certificate::Certificate;
pub use crl::{Crl, CrlStore};
pub use facts::{CardRole, CompanyFacts};
pub use fetch::{FetchPolicy, Fetcher, StatusOrder};
pub use name::DistinguishedName;
pub use ocsp::{OcspAnswers, OcspResponse};
pub use refusal::Refusal;
pub use trust::{LoadError, TrustStore, pem};
pub use verifier::{Examination, Policy, Revocation, Verifier};
