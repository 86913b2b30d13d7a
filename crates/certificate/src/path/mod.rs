//! From the signer's certificate to a configured anchor (RFC 5280 §6.1).
//!
//! The search goes upwards: by name, by key identifier where both sides have one, and only over links whose signature
//! verifies, so that two CAs with one name and different keys (the Ministry's G2 and G3) are kept apart. Candidates are
//! the configured certificates and those sent along; only configured anchors end a path. Every complete path is held
//! to [`validate`]; the first that passes is the answer.

mod name_constraints;
mod policy;
mod validate;

use std::cell::Cell;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use der::oid::ObjectIdentifier;

use crate::Refusal;
use crate::certificate::Certificate;
use crate::trust::TrustStore;

/// Certificates in a path, anchor included. The real ones have three.
const MAX_LENGTH: usize = 10;
/// Signatures verified for one question, over all paths.
const MAX_SIGNATURES: u32 = 24;

/// What a path must fulfil besides RFC 5280. The names are those of its inputs (§6.1.1).
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Default)]
pub struct PathRules {
    /// Certificates and CRLs signed with SHA-1 count.
    pub allow_sha1: bool,
    /// `user-initial-policy-set` (RFC 5280 §6.1.1 c); empty is any-policy. If given, one of them is required.
    pub policies: Vec<ObjectIdentifier>,
    /// `initial-explicit-policy` (RFC 5280 §6.1.1 f).
    pub require_explicit_policy: bool,
    /// `initial-policy-mapping-inhibit` (RFC 5280 §6.1.1 e).
    pub inhibit_policy_mapping: bool,
    /// `initial-any-policy-inhibit` (RFC 5280 §6.1.1 g).
    pub inhibit_any_policy: bool,
}

/// A validated path: the signer's certificate first, the anchor last.
pub type Path = Vec<Arc<Certificate>>;

/// Finds and validates a path for `leaf` at `now`, with `sent` as further candidates in between.
///
/// # Errors
/// [`Refusal::Untrusted`] when no path ends at an anchor, else what the best path breaks.
pub fn find(
    leaf: &Arc<Certificate>,
    sent: &[Arc<Certificate>],
    trust: &TrustStore,
    rules: &PathRules,
    now: DateTime<Utc>,
) -> Result<Path, Refusal> {
    let search = Search { sent, trust, rules, now, signatures: Cell::new(MAX_SIGNATURES) };
    search.extend(&mut vec![Arc::clone(leaf)])
}

struct Search<'a> {
    sent: &'a [Arc<Certificate>],
    trust: &'a TrustStore,
    rules: &'a PathRules,
    now: DateTime<Utc>,
    signatures: Cell<u32>,
}

impl Search<'_> {
    fn extend(&self, path: &mut Path) -> Result<Path, Refusal> {
        let Some(last) = path.last().map(Arc::clone) else { return Err(Refusal::Untrusted) };
        let mut refusal = Refusal::Untrusted;
        if path.len() >= MAX_LENGTH {
            return Err(refusal);
        }
        for (candidate, is_anchor) in self.candidates(&last) {
            if path.contains(candidate) {
                continue;
            }
            if let Err(reason) = self.link(&last, candidate) {
                // A link that fails only for its algorithm says more than "no path".
                if matches!(reason, Refusal::WeakAlgorithm | Refusal::UnsupportedAlgorithm) {
                    refusal = prefer(refusal, reason);
                }
                continue;
            }
            path.push(Arc::clone(candidate));
            let outcome = if is_anchor {
                validate::validate(path, self.rules, self.now).map(|()| path.clone())
            } else {
                self.extend(path)
            };
            path.pop();
            match outcome {
                Ok(found) => return Ok(found),
                Err(reason) => refusal = prefer(refusal, reason),
            }
        }
        Err(refusal)
    }

    fn candidates<'s>(&'s self, child: &Certificate) -> Vec<(&'s Arc<Certificate>, bool)> {
        let anchors = self.trust.anchors_named(child.issuer()).map(|anchor| (anchor, true));
        let configured = self.trust.intermediates_named(child.issuer()).map(|ca| (ca, false));
        let sent = self.sent.iter().map(|ca| (ca, false));
        anchors.chain(configured).chain(sent).filter(|(ca, _)| child.may_be_issued_by(ca)).collect()
    }

    fn link(&self, child: &Certificate, issuer: &Certificate) -> Result<(), Refusal> {
        self.signatures.set(self.signatures.get().checked_sub(1).ok_or(Refusal::TooLarge)?);
        child.verify_signature(issuer.public_key(), self.rules.allow_sha1)
    }
}

/// Keeps the first reason that says more than [`Refusal::Untrusted`].
fn prefer(first: Refusal, second: Refusal) -> Refusal {
    if first == Refusal::Untrusted { second } else { first }
}
