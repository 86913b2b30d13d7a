//! The port [`CardVerifier`] on the verifier of this crate.
//!
//! Trusted certificates and lists live in one folder, `anchors/`, `company-ca/`, `intermediates/` and `crls/`. They are
//! read at start; [`FolderVerifier::reload_if_changed`] reads them again when a file changed, so that a fetched CRL
//! counts without a restart. A reload that fails leaves what was there.
//!
//! With a [`Fetcher`], information that is missing is fetched once while the applicant waits, and again in the
//! background by [`FolderVerifier::refresh`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::card::{CardRole, SigningCard};
use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::ports::{CardFacts, CardRefusal, CardVerifier};

use crate::fetch::{Fetcher, StatusOrder};
use crate::path::Path as CertificatePath;
use crate::{
    Certificate, CompanyFacts, CrlStore, Examination, LoadError, Policy, Refusal, TrustStore, Verifier, facts,
};

const FOLDERS: [&str; 4] = ["anchors", "company-ca", "intermediates", "crls"];

/// Verifies card signatures by the certificates and lists of a folder.
#[derive(Debug)]
pub struct FolderVerifier {
    dir: PathBuf,
    policy: Policy,
    verifier: ArcSwap<Verifier>,
    seen: Mutex<Stamp>,
    fetcher: Option<Fetcher>,
}

/// How new a revocation list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListState {
    /// The issuer's name (RFC 4514).
    pub issuer: String,
    /// The issuer's key identifier, hexadecimal: two issuers may share a name. Empty where the list has none.
    pub key: String,
    /// When it was issued.
    pub this_update: DateTime<Utc>,
    /// Until when it counts; a list without that never does.
    pub next_update: Option<DateTime<Utc>>,
}

/// Names, sizes and times of the files read: what tells that something changed.
type Stamp = Vec<(PathBuf, u64, Option<SystemTime>)>;

impl FolderVerifier {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`LoadError`], naming the file.
    pub fn load(dir: &Path, policy: Policy) -> Result<Self, LoadError> {
        // The stamp is taken first: what changes while reading is read again next time.
        let seen = stamp(dir);
        let verifier = read(dir, &policy)?;
        Ok(Self {
            dir: dir.to_owned(),
            policy,
            verifier: ArcSwap::from_pointee(verifier),
            seen: Mutex::new(seen),
            fetcher: None,
        })
    }

    /// The same verifier fetching what is missing.
    #[must_use]
    pub fn fetching(mut self, fetcher: Fetcher) -> Self {
        self.fetcher = Some(fetcher);
        self
    }

    /// Reads the folder again if a file was added, removed or changed; true if it did.
    ///
    /// # Errors
    /// [`LoadError`]; the verifier goes on with what it had, and the next call tries again.
    pub fn reload_if_changed(&self) -> Result<bool, LoadError> {
        let now = stamp(&self.dir);
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return Ok(false);
        }
        self.verifier.store(Arc::new(read(&self.dir, &self.policy)?));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(true)
    }

    /// Fetches again the lists fetched before, so that nobody waits for them; call it every few minutes.
    pub async fn refresh(&self, now: DateTime<Utc>) {
        if let Some(fetcher) = &self.fetcher {
            fetcher.refresh(now).await;
        }
    }

    /// Judges with what is at hand, fetching what the order of sources asks for.
    async fn judge(
        &self,
        now: DateTime<Utc>,
        examine: impl Fn(&Verifier) -> Examination + Send + Sync,
    ) -> Examination {
        let verifier = self.current();
        let Some(fetcher) = &self.fetcher else { return examine(&verifier) };
        let order = fetcher.order();
        let with_fetched = || {
            let crls = verifier.crls().iter().cloned().chain(fetcher.crls());
            examine(&verifier.with_status(Arc::new(CrlStore::new(crls)), Arc::new(fetcher.answers())))
        };
        let mut found = with_fetched();
        let undecided =
            |found: &Examination| matches!(&found.outcome, Err(refusal) if refusal.is_retryable());
        let ask_first = order == StatusOrder::OcspThenCrl && (found.outcome.is_ok() || undecided(&found));
        if ask_first && fetcher.fetch_answers(&found.chain, now, random).await {
            found = with_fetched();
        }
        if undecided(&found) && fetcher.fetch_lists(&found.chain, now).await {
            found = with_fetched();
        }
        let ask_last = order == StatusOrder::CrlThenOcsp && undecided(&found);
        if ask_last && fetcher.fetch_answers(&found.chain, now, random).await {
            found = with_fetched();
        }
        found
    }

    /// The lists at hand, of files and fetched: for each issuer's key the newest, in the order of the names.
    pub fn lists(&self) -> Vec<ListState> {
        let mut newest = BTreeMap::new();
        let fetched = self.fetcher.iter().flat_map(Fetcher::crls);
        for crl in self.current().crls().iter().cloned().chain(fetched) {
            let state = ListState {
                issuer: crl.issuer().to_string(),
                key: crl.authority_key_id().map(hex::encode).unwrap_or_default(),
                this_update: crl.this_update(),
                next_update: crl.next_update(),
            };
            let known = newest.entry((state.issuer.clone(), state.key.clone())).or_insert(state.clone());
            if known.this_update < state.this_update {
                *known = state;
            }
        }
        newest.into_values().collect()
    }

    /// What is trusted now, for `doctor`.
    pub fn current(&self) -> Arc<Verifier> {
        self.verifier.load_full()
    }
}

/// A nonce against replayed OCSP answers; where there is no randomness the dates of the answer must do.
fn random(nonce: &mut [u8]) {
    if aws_lc_rs::rand::fill(nonce).is_err() {
        nonce.fill(0);
    }
}

fn read(dir: &Path, policy: &Policy) -> Result<Verifier, LoadError> {
    let trust = TrustStore::load(dir)?;
    let crls = CrlStore::new(CrlStore::read_folder(&dir.join("crls"))?);
    Ok(Verifier::new(Arc::new(trust), Arc::new(crls), policy.clone()))
}

fn stamp(dir: &Path) -> Stamp {
    let mut files: Stamp = FOLDERS
        .iter()
        .filter_map(|folder| std::fs::read_dir(dir.join(folder)).ok())
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            Some((entry.path(), data.len(), data.modified().ok()))
        })
        .collect();
    files.sort();
    files
}

#[async_trait]
impl CardVerifier for FolderVerifier {
    async fn verify(&self, cms: &[u8], content: &[u8], now: DateTime<Utc>) -> Result<CardFacts, CardRefusal> {
        let found = self.judge(now, |verifier| verifier.examine(cms, Some(content), now)).await;
        let facts = found.outcome.map_err(|refusal| {
            // The reason in its finer grain is for the operator; it names nobody.
            tracing::info!(reason = refusal.code(), "card signature refused");
            to_port(refusal)
        })?;
        card_facts(facts, &found.chain)
    }

    async fn recheck(&self, card: &SigningCard, now: DateTime<Utc>) -> Result<(), CardRefusal> {
        let mut path = Vec::with_capacity(card.chain.len());
        for der in &card.chain {
            path.push(Arc::new(Certificate::parse(der).map_err(|_| CardRefusal::Malformed)?));
        }
        let (signer, sent) = path.split_first().ok_or(CardRefusal::Malformed)?;
        let found = self.judge(now, |verifier| verifier.examine_certificate(signer, sent, now)).await;
        found.outcome.map(drop).map_err(|refusal| {
            tracing::info!(reason = refusal.code(), "card refused when looked at again");
            to_port(refusal)
        })
    }
}

fn card_facts(facts: CompanyFacts, path: &CertificatePath) -> Result<CardFacts, CardRefusal> {
    let ubn = UnifiedBusinessNumber::parse(&facts.unified_business_number)
        .map_err(|_| CardRefusal::NoCompanyNumber)?;
    let below_anchor = path.len().saturating_sub(1);
    let card = SigningCard {
        company_name: facts.company_name,
        role: facts.role.map(|role| match role {
            facts::CardRole::Primary => CardRole::Primary,
            facts::CardRole::Secondary => CardRole::Secondary,
        }),
        serial: facts.serial,
        issuer: facts.issuer,
        not_before: facts.not_before,
        not_after: facts.not_after,
        fingerprint: facts.fingerprint,
        chain: path.iter().take(below_anchor).map(|certificate| certificate.der().to_vec()).collect(),
    };
    Ok(CardFacts { ubn, card })
}

/// What an applicant is told: coarser than what the operator sees.
const fn to_port(refusal: Refusal) -> CardRefusal {
    match refusal {
        Refusal::Malformed | Refusal::TooLarge => CardRefusal::Malformed,
        Refusal::NoCertificate
        | Refusal::SignerCertificateMissing
        | Refusal::CertificateUnreadable
        | Refusal::NoSigner
        | Refusal::SeveralSigners
        | Refusal::DetachedContent
        | Refusal::UnsupportedAlgorithm
        | Refusal::WeakAlgorithm => CardRefusal::Unsupported,
        Refusal::SignedAttributesInvalid | Refusal::SignatureInvalid => CardRefusal::SignatureInvalid,
        Refusal::ContentMismatch => CardRefusal::ContentMismatch,
        Refusal::Untrusted
        | Refusal::IssuerNotYetValid
        | Refusal::IssuerExpired
        | Refusal::IssuerNotCa
        | Refusal::PathTooLong
        | Refusal::IssuerKeyUsage
        | Refusal::UnknownCriticalExtension
        | Refusal::NameConstraint
        | Refusal::Policy
        | Refusal::NotCompanyCa
        | Refusal::IssuerRevoked => CardRefusal::Untrusted,
        Refusal::NotYetValid => CardRefusal::NotYetValid,
        Refusal::Expired => CardRefusal::Expired,
        Refusal::Revoked => CardRefusal::Revoked,
        Refusal::RevocationUnknown | Refusal::RevocationStale | Refusal::DeltaCrl | Refusal::IndirectCrl => {
            CardRefusal::StatusUnavailable
        }
        Refusal::PersonalCard => CardRefusal::PersonalCard,
        Refusal::GovernmentCard => CardRefusal::GovernmentCard,
        Refusal::WrongUsage => CardRefusal::WrongUsage,
        Refusal::NoCompanyNumber | Refusal::CompanyNumberInvalid => CardRefusal::NoCompanyNumber,
        Refusal::OtherCompany => CardRefusal::OtherCompany,
    }
}
