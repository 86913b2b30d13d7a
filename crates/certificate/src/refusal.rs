//! Why a signature was refused: one name for each reason, stable for people who script against it.

/// Why a signature was refused.
///
/// [`Refusal::code`] is stable; it is the `reason` of `idcheck cert verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[error("{}", self.code())]
pub enum Refusal {
    /// Not a CMS `SignedData`, or not well-formed.
    Malformed,
    /// Longer or more deeply nested than anything a card makes.
    TooLarge,
    /// No certificate came along (card.md).
    NoCertificate,
    /// Certificates came along, the signer's is not among them.
    SignerCertificateMissing,
    /// The signer's certificate is not among those that can be read, and one came along that can't.
    CertificateUnreadable,
    /// No signer at all.
    NoSigner,
    /// More than one signer.
    SeveralSigners,
    /// The content is not in the message.
    DetachedContent,
    /// Content type or message digest are missing, doubled or wrong (RFC 5652 §5.3, §5.4).
    SignedAttributesInvalid,
    /// An algorithm or a key type that this service does not verify.
    UnsupportedAlgorithm,
    /// SHA-1, which is off unless switched on.
    WeakAlgorithm,
    /// The signature does not verify.
    SignatureInvalid,
    /// The content is not the expected one.
    ContentMismatch,
    /// No path to a configured anchor.
    Untrusted,
    /// The signer's certificate is not valid yet.
    NotYetValid,
    /// The signer's certificate is no longer valid.
    Expired,
    /// A certificate above the signer's is not valid yet.
    IssuerNotYetValid,
    /// A certificate above the signer's is no longer valid.
    IssuerExpired,
    /// A certificate on the path is used as a CA and is none (RFC 5280 §6.1.4 k).
    IssuerNotCa,
    /// More CAs than a `pathLenConstraint` allows (RFC 5280 §6.1.4 l, m).
    PathTooLong,
    /// A CA's key usage does not allow signing certificates (RFC 5280 §6.1.4 n).
    IssuerKeyUsage,
    /// A critical extension that is not understood (RFC 5280 §4.2).
    UnknownCriticalExtension,
    /// A name outside a CA's name constraints (RFC 5280 §4.2.1.10).
    NameConstraint,
    /// No acceptable certificate policy (RFC 5280 §6.1.5 g).
    Policy,
    /// The certificate is not for signing.
    WrongUsage,
    /// A person's card (自然人憑證).
    PersonalCard,
    /// An agency's card (政府憑證).
    GovernmentCard,
    /// Leads to an anchor, but not through a configured company CA.
    NotCompanyCa,
    /// Revoked by its issuer.
    Revoked,
    /// A CA on the path is revoked.
    IssuerRevoked,
    /// No revocation information for a certificate on the path.
    RevocationUnknown,
    /// Revocation information is past its `nextUpdate`.
    RevocationStale,
    /// Only delta CRLs, which are not supported, speak about the certificate.
    DeltaCrl,
    /// Only indirect CRLs, which are not supported, speak about the certificate.
    IndirectCrl,
    /// No company number in the certificate.
    NoCompanyNumber,
    /// Not eight digits, or the extension and the subject disagree.
    CompanyNumberInvalid,
    /// Another company's card than the one asked for.
    OtherCompany,
}

impl Refusal {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::NoCertificate => "no-certificate",
            Self::SignerCertificateMissing => "signer-certificate-missing",
            Self::CertificateUnreadable => "certificate-unreadable",
            Self::NoSigner => "no-signer",
            Self::SeveralSigners => "several-signers",
            Self::DetachedContent => "detached-content",
            Self::SignedAttributesInvalid => "signed-attributes-invalid",
            Self::UnsupportedAlgorithm => "unsupported-algorithm",
            Self::WeakAlgorithm => "weak-algorithm",
            Self::SignatureInvalid => "signature-invalid",
            Self::ContentMismatch => "content-mismatch",
            Self::Untrusted => "untrusted",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::IssuerNotYetValid => "issuer-not-yet-valid",
            Self::IssuerExpired => "issuer-expired",
            Self::IssuerNotCa => "issuer-not-ca",
            Self::PathTooLong => "path-too-long",
            Self::IssuerKeyUsage => "issuer-key-usage",
            Self::UnknownCriticalExtension => "unknown-critical-extension",
            Self::NameConstraint => "name-constraint",
            Self::Policy => "policy",
            Self::WrongUsage => "wrong-usage",
            Self::PersonalCard => "personal-card",
            Self::GovernmentCard => "government-card",
            Self::NotCompanyCa => "not-company-ca",
            Self::Revoked => "revoked",
            Self::IssuerRevoked => "issuer-revoked",
            Self::RevocationUnknown => "revocation-unknown",
            Self::RevocationStale => "revocation-stale",
            Self::DeltaCrl => "delta-crl-unsupported",
            Self::IndirectCrl => "indirect-crl-unsupported",
            Self::NoCompanyNumber => "no-company-number",
            Self::CompanyNumberInvalid => "company-number-invalid",
            Self::OtherCompany => "other-company",
        }
    }

    /// Whether the same signature may pass later, once revocation information can be had again.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RevocationUnknown | Self::RevocationStale | Self::DeltaCrl | Self::IndirectCrl)
    }

    /// Whether the input could not be read at all (exit code 2 of `idcheck cert verify`).
    pub const fn is_unreadable(self) -> bool {
        matches!(self, Self::Malformed | Self::TooLarge)
    }
}
