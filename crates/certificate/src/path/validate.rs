//! One complete path held to RFC 5280 §6.1. Signatures and name chaining were checked when it was built.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::PathRules;
use super::name_constraints::NameConstraintsState;
use super::policy::PolicyState;
use crate::Refusal;
use crate::certificate::Certificate;

/// Validates `path`, signer's certificate first, anchor last, at `now`.
///
/// # Errors
/// The first rule broken, from the anchor downwards.
pub(super) fn validate(
    path: &[Arc<Certificate>],
    rules: &PathRules,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let (anchor, below) = path.split_last().ok_or(Refusal::Untrusted)?;
    check_anchor(anchor, now)?;

    let mut policies = PolicyState::new(rules, below.len());
    let mut names = NameConstraintsState::default();
    let mut max_path_length = u8::MAX;
    for (remaining, certificate) in below.iter().enumerate().rev() {
        let is_last = remaining == 0;
        check_validity(certificate, now, is_last)?;
        if is_last || !certificate.is_self_issued() {
            names.check(certificate)?;
        }
        policies.process(certificate, is_last)?;
        if certificate.extensions().unknown_critical {
            return Err(Refusal::UnknownCriticalExtension);
        }
        if !is_last {
            check_ca(certificate)?;
            max_path_length = path_length_below(certificate, max_path_length)?;
            policies.prepare_for_next(certificate)?;
            names.add(certificate)?;
        }
    }
    policies.wrap_up()
}

/// An anchor counts for its name and key (RFC 5280 §6.1.1 d); that it is valid and a CA is asked in addition, so that
/// a certificate put among the anchors by mistake opens no door.
fn check_anchor(anchor: &Certificate, now: DateTime<Utc>) -> Result<(), Refusal> {
    check_validity(anchor, now, false)?;
    if anchor.is_version1() { Ok(()) } else { check_ca(anchor) }
}

/// RFC 5280 §6.1.3 (a)(2).
fn check_validity(certificate: &Certificate, now: DateTime<Utc>, is_last: bool) -> Result<(), Refusal> {
    if now < certificate.not_before() {
        Err(if is_last { Refusal::NotYetValid } else { Refusal::IssuerNotYetValid })
    } else if now > certificate.not_after() {
        Err(if is_last { Refusal::Expired } else { Refusal::IssuerExpired })
    } else {
        Ok(())
    }
}

/// RFC 5280 §6.1.4 (k), (n).
fn check_ca(certificate: &Certificate) -> Result<(), Refusal> {
    if !certificate.is_ca() {
        return Err(Refusal::IssuerNotCa);
    }
    match &certificate.extensions().key_usage {
        Some(usage) if !usage.key_cert_sign() => Err(Refusal::IssuerKeyUsage),
        _ => Ok(()),
    }
}

/// RFC 5280 §6.1.4 (l), (m): how many CAs may still follow.
fn path_length_below(certificate: &Certificate, max: u8) -> Result<u8, Refusal> {
    let left = match max {
        u8::MAX => u8::MAX,
        max if certificate.is_self_issued() => max,
        max => max.checked_sub(1).ok_or(Refusal::PathTooLong)?,
    };
    let own = certificate.extensions().basic_constraints.as_ref().and_then(|own| own.path_len_constraint);
    Ok(own.map_or(left, |own| own.min(left)))
}
