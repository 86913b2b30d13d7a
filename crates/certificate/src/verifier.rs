//! The whole judgement on one signature, in the order that the crate's documentation gives.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use der::oid::ObjectIdentifier;

use crate::Refusal;
use crate::certificate::Certificate;
use crate::cms::SignedMessage;
use crate::crl::CrlStore;
use crate::facts::{self, CompanyFacts};
use crate::ocsp::OcspAnswers;
use crate::path::{self, Path, PathRules};
use crate::revocation::StatusCheck;
use crate::trust::TrustStore;

/// Whether revocation is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revocation {
    /// Everybody on the path must be known not to be revoked.
    #[default]
    Required,
    /// Not looked at; only for `idcheck cert verify --no-revocation`.
    Off,
}

/// What is asked beyond the standards.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Rules for paths; SHA-1 is allowed there, for messages too.
    pub path: PathRules,
    /// Whether revocation is looked at.
    pub revocation: Revocation,
}

impl Policy {
    /// The rules of a configuration. A path needs one of `policies`, object identifiers in dotted form, if any are given
    /// (RFC 5280 §6.1.1 c, f).
    ///
    /// # Errors
    /// The first text that is no object identifier.
    pub fn configured(allow_sha1: bool, policies: &[String]) -> Result<Self, &str> {
        let mut path =
            PathRules { allow_sha1, require_explicit_policy: !policies.is_empty(), ..PathRules::default() };
        for policy in policies {
            path.policies.push(ObjectIdentifier::new(policy).map_err(|_| policy.as_str())?);
        }
        Ok(Self { path, revocation: Revocation::Required })
    }
}

/// Judges signatures by one set of trusted certificates and lists.
#[derive(Debug, Clone)]
pub struct Verifier {
    trust: Arc<TrustStore>,
    crls: Arc<CrlStore>,
    ocsp: Arc<OcspAnswers>,
    policy: Policy,
}

/// What was found out about a signature, accepted or not.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The signer's certificate, once the message could be read; not trusted unless accepted.
    pub signer: Option<Arc<Certificate>>,
    /// The validated path, signer first and anchor last; empty when there is none.
    pub chain: Path,
    pub outcome: Result<CompanyFacts, Refusal>,
}

impl Verifier {
    /// A verifier for these.
    pub fn new(trust: Arc<TrustStore>, crls: Arc<CrlStore>, policy: Policy) -> Self {
        Self { trust, crls, ocsp: Arc::default(), policy }
    }

    /// The same verifier with other revocation information.
    pub fn with_status(&self, crls: Arc<CrlStore>, ocsp: Arc<OcspAnswers>) -> Self {
        Self { trust: Arc::clone(&self.trust), crls, ocsp, policy: self.policy.clone() }
    }

    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// The lists at hand.
    pub fn crls(&self) -> &CrlStore {
        &self.crls
    }

    /// Judges a BER or DER CMS `SignedData` at `now`. `content` is what it must sign; `None` accepts any content.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn verify(
        &self,
        cms: &[u8],
        content: Option<&[u8]>,
        now: DateTime<Utc>,
    ) -> Result<CompanyFacts, Refusal> {
        self.examine(cms, content, now).outcome
    }

    /// Judges like [`Verifier::verify`] and tells what was found out on the way.
    pub fn examine(&self, cms: &[u8], content: Option<&[u8]>, now: DateTime<Utc>) -> Examination {
        let (mut signer, mut chain) = (None, Path::new());
        let outcome = self.judge(cms, content, now, &mut signer, &mut chain);
        Examination { signer, chain, outcome }
    }

    /// Judges a certificate that was accepted before, with the others that came along then, as it stands at `now`.
    pub fn examine_certificate(
        &self,
        signer: &Arc<Certificate>,
        sent: &[Arc<Certificate>],
        now: DateTime<Utc>,
    ) -> Examination {
        let mut chain = Path::new();
        let outcome = path::find(signer, sent, &self.trust, &self.policy.path, now).and_then(|found| {
            chain = found;
            self.judge_path(&chain, now)
        });
        Examination { signer: Some(Arc::clone(signer)), chain, outcome }
    }

    fn judge(
        &self,
        cms: &[u8],
        content: Option<&[u8]>,
        now: DateTime<Utc>,
        found_signer: &mut Option<Arc<Certificate>>,
        found_chain: &mut Path,
    ) -> Result<CompanyFacts, Refusal> {
        let message = SignedMessage::parse(cms)?;
        let signer = Arc::new(message.signer_certificate()?.clone());
        *found_signer = Some(Arc::clone(&signer));
        message.verify(&signer, self.policy.path.allow_sha1)?;
        if content.is_some_and(|content| !message.content_is(content)) {
            return Err(Refusal::ContentMismatch);
        }
        let sent: Vec<_> = message.certificates().iter().cloned().map(Arc::new).collect();
        *found_chain = path::find(&signer, &sent, &self.trust, &self.policy.path, now)?;
        self.judge_path(found_chain, now)
    }

    /// Judges a validated path: whose card it is, whether it may sign, whether it is revoked.
    fn judge_path(&self, path: &Path, now: DateTime<Utc>) -> Result<CompanyFacts, Refusal> {
        let leaf = path.first().ok_or(Refusal::Untrusted)?;
        facts::check_company_ca(path, &self.trust)?;
        facts::check_usage(leaf)?;
        if self.policy.revocation == Revocation::Required {
            let check = StatusCheck {
                crls: &self.crls,
                ocsp: &self.ocsp,
                trust: &self.trust,
                rules: &self.policy.path,
                now,
            };
            check.check_path(path)?;
        }
        CompanyFacts::read(leaf)
    }
}
