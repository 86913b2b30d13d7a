//! The card's signature: who signed, and whether it counts.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{card::SigningCard, value::UnifiedBusinessNumber};

/// What an accepted signature proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFacts {
    /// The company's number, from the certificate.
    pub ubn: UnifiedBusinessNumber,
    /// The card.
    pub card: SigningCard,
}

/// Why a signature or a card was refused. Each has a stable name ([`CardRefusal::code`]) and its own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.code())]
pub enum CardRefusal {
    /// Not a CMS `SignedData` that can be read.
    Malformed,
    /// No certificate, several signers, or another shape that is not accepted.
    Unsupported,
    /// The signature does not verify.
    SignatureInvalid,
    /// It signs something other than this challenge.
    ContentMismatch,
    /// The certificate can't be led back to a configured anchor.
    Untrusted,
    /// Not valid yet.
    NotYetValid,
    /// No longer valid.
    Expired,
    /// Revoked by its issuer.
    Revoked,
    /// Whether it is revoked can't be found out now; the same request may pass later.
    StatusUnavailable,
    /// A personal card (自然人憑證).
    PersonalCard,
    /// A government card (政府憑證).
    GovernmentCard,
    /// A certificate for encryption, or otherwise not for signing.
    WrongUsage,
    /// No company number in the certificate, or two that differ.
    NoCompanyNumber,
    /// A card of another company than the one that applies.
    OtherCompany,
}

impl CardRefusal {
    /// One of each, for tables of texts.
    pub const ALL: [Self; 14] = [
        Self::Malformed,
        Self::Unsupported,
        Self::SignatureInvalid,
        Self::ContentMismatch,
        Self::Untrusted,
        Self::NotYetValid,
        Self::Expired,
        Self::Revoked,
        Self::StatusUnavailable,
        Self::PersonalCard,
        Self::GovernmentCard,
        Self::WrongUsage,
        Self::NoCompanyNumber,
        Self::OtherCompany,
    ];

    /// Stable name, the key of the message shown to people and the end of the problem's type.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "card-malformed",
            Self::Unsupported => "card-unsupported",
            Self::SignatureInvalid => "card-signature-invalid",
            Self::ContentMismatch => "card-content-mismatch",
            Self::Untrusted => "card-untrusted",
            Self::NotYetValid => "card-not-yet-valid",
            Self::Expired => "card-expired",
            Self::Revoked => "card-revoked",
            Self::StatusUnavailable => "card-status-unavailable",
            Self::PersonalCard => "card-personal",
            Self::GovernmentCard => "card-government",
            Self::WrongUsage => "card-wrong-usage",
            Self::NoCompanyNumber => "card-no-company-number",
            Self::OtherCompany => "card-other-company",
        }
    }
}

/// Verifies card signatures.
///
/// Implementations MUST refuse what they can't decide: a certificate whose revocation status is unknown is
/// [`CardRefusal::StatusUnavailable`], never accepted.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CardVerifier: Send + Sync {
    /// Verifies a DER or BER CMS `SignedData` over `content` at the time `now`.
    ///
    /// # Errors
    /// The first rule that refuses it. That the company is the expected one is the caller's to check.
    async fn verify(&self, cms: &[u8], content: &[u8], now: DateTime<Utc>) -> Result<CardFacts, CardRefusal>;

    /// Judges at the time `now` a card that was accepted before: whether it is still trusted, valid and not revoked.
    ///
    /// # Errors
    /// The first rule that refuses it.
    async fn recheck(&self, card: &SigningCard, now: DateTime<Utc>) -> Result<(), CardRefusal>;
}
