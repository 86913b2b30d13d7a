//! The broken rule of a value, named so that a page and the API can say it in the reader's language.

/// Why a value was refused. The text a person reads is looked up by [`Violation::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.code())]
#[non_exhaustive]
pub enum Violation {
    /// Nothing was given where something must be.
    Required,
    /// More than this many characters.
    TooLong {
        /// The greatest number of characters allowed.
        max: usize,
    },
    /// More than this many entries.
    TooMany {
        /// The greatest number of entries allowed.
        max: usize,
    },
    /// The same entry twice.
    Duplicate,
    /// A control character, or one that turns the direction of text.
    ControlCharacter,
    /// Not eight digits.
    UbnFormat,
    /// The check digit of the unified business number is wrong.
    UbnChecksum,
    /// Not a letter, 1 or 2, and eight digits.
    PersonIdFormat,
    /// The check digit of the national ID number is wrong.
    PersonIdChecksum,
    /// Not seven digits `yyyMMdd` of the ROC calendar.
    RocDateFormat,
    /// Not `YYYY-MM-DD`.
    IsoDateFormat,
    /// Not 1 to 12 letters and digits.
    UserIdFormat,
    /// No such day.
    RocDateImpossible,
    /// A day after today.
    DateInFuture,
    /// Not one of the apply codes 0–3.
    ApplyCodeUnknown,
    /// Not one of the issue sites.
    IssueSiteUnknown,
    /// Not an IPv4 or IPv6 address of one host.
    HostAddressFormat,
    /// An address that is not reachable over the public Internet.
    HostAddressNotPublic,
    /// Not `(0…)` and 6–8 digits, optionally `#` and an extension.
    LandlineFormat,
    /// Not `09` and eight digits.
    MobileFormat,
    /// Neither landline nor mobile number.
    PhoneRequired,
    /// Not an e-mail address.
    EmailFormat,
    /// The notices have another version now: they must be read again.
    NoticeVersionOutdated,
    /// The rules of conduct have another version now: they must be read again.
    ConductVersionOutdated,
    /// The former number is the number that applies.
    FormerUbnSame,
    /// The cut-over lies in the past or more than 30 days ahead.
    CutOverTime,
    /// More than seven days of overlap, or an overlap without a cut-over.
    OverlapDays,
    /// Not a public key in PEM.
    PublicKeyFormat,
    /// A public key that is too weak, or of a kind the profile does not take.
    PublicKeyRefused,
    /// A private key where the public one belongs: it was sent to somebody, and counts as leaked.
    PrivateKey,
    /// A certificate where its public key belongs.
    PublicKeyCertificate,
    /// A public key in JSON or XML where PEM belongs.
    PublicKeyNotPem,
    /// A key of another curve than P-256 and Ed25519, or of any curve where the profile takes RSA only.
    PublicKeyCurve,
    /// An RSA key whose exponent is below 65537.
    PublicKeyExponent,
    /// Not one of the allowed words.
    ValueUnknown,
    /// Not a UUID.
    IdFormat,
    /// A member or field that the act does not have.
    UnknownMember,
    /// A number, list or the like where text is expected, or the other way round.
    WrongType,
    /// Not 3 to 32 lower-case letters, digits, full stops or hyphens with a letter first.
    OfficerNameFormat,
    /// Shorter than 12 characters or longer than 128.
    PasswordLength,
    /// Not 1 to 255 ASCII characters without blanks (OpenID Connect Core 1.0 §2).
    SubjectFormat,
    /// Not the second factor's code of this moment.
    SecondFactorWrong,
    /// Not an RFC 3339 time with offset.
    TimeFormat,
    /// Not an `https` address of a host name or a public address, without user, password or fragment.
    WebhookUrlFormat,
    /// A file of more than this many MiB.
    FileTooLarge {
        /// The greatest size in MiB.
        max: usize,
    },
    /// A file that is neither PDF nor PNG nor JPEG by its content.
    FileTypeRefused,
    /// No such file: never sent from here, changed, used in another act, or kept for longer than its time.
    FileUnknown,
}

impl Violation {
    /// One of each, for tables of texts and the test that none is missing.
    pub const ALL: [Self; 47] = [
        Self::Required,
        Self::TooLong { max: 0 },
        Self::TooMany { max: 0 },
        Self::Duplicate,
        Self::ControlCharacter,
        Self::UbnFormat,
        Self::UbnChecksum,
        Self::PersonIdFormat,
        Self::PersonIdChecksum,
        Self::RocDateFormat,
        Self::IsoDateFormat,
        Self::UserIdFormat,
        Self::RocDateImpossible,
        Self::DateInFuture,
        Self::ApplyCodeUnknown,
        Self::IssueSiteUnknown,
        Self::HostAddressFormat,
        Self::HostAddressNotPublic,
        Self::LandlineFormat,
        Self::MobileFormat,
        Self::PhoneRequired,
        Self::EmailFormat,
        Self::NoticeVersionOutdated,
        Self::ConductVersionOutdated,
        Self::FormerUbnSame,
        Self::CutOverTime,
        Self::OverlapDays,
        Self::PublicKeyFormat,
        Self::PublicKeyRefused,
        Self::PrivateKey,
        Self::PublicKeyCertificate,
        Self::PublicKeyNotPem,
        Self::PublicKeyCurve,
        Self::PublicKeyExponent,
        Self::ValueUnknown,
        Self::IdFormat,
        Self::UnknownMember,
        Self::WrongType,
        Self::OfficerNameFormat,
        Self::PasswordLength,
        Self::SubjectFormat,
        Self::SecondFactorWrong,
        Self::TimeFormat,
        Self::WebhookUrlFormat,
        Self::FileTooLarge { max: 0 },
        Self::FileTypeRefused,
        Self::FileUnknown,
    ];

    /// Stable name, the key of the message shown to people.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooLong { .. } => "too-long",
            Self::TooMany { .. } => "too-many",
            Self::Duplicate => "duplicate",
            Self::ControlCharacter => "control-character",
            Self::UbnFormat => "ubn-format",
            Self::UbnChecksum => "ubn-checksum",
            Self::PersonIdFormat => "person-id-format",
            Self::PersonIdChecksum => "person-id-checksum",
            Self::RocDateFormat => "roc-date-format",
            Self::IsoDateFormat => "iso-date-format",
            Self::UserIdFormat => "user-id-format",
            Self::RocDateImpossible => "roc-date-impossible",
            Self::DateInFuture => "date-in-future",
            Self::ApplyCodeUnknown => "apply-code-unknown",
            Self::IssueSiteUnknown => "issue-site-unknown",
            Self::HostAddressFormat => "host-address-format",
            Self::HostAddressNotPublic => "host-address-not-public",
            Self::LandlineFormat => "landline-format",
            Self::MobileFormat => "mobile-format",
            Self::PhoneRequired => "phone-required",
            Self::EmailFormat => "email-format",
            Self::NoticeVersionOutdated => "notice-version-outdated",
            Self::ConductVersionOutdated => "conduct-version-outdated",
            Self::FormerUbnSame => "former-ubn-same",
            Self::CutOverTime => "cut-over-time",
            Self::OverlapDays => "overlap-days",
            Self::PublicKeyFormat => "public-key-format",
            Self::PublicKeyRefused => "public-key-refused",
            Self::PrivateKey => "private-key",
            Self::PublicKeyCertificate => "public-key-certificate",
            Self::PublicKeyNotPem => "public-key-not-pem",
            Self::PublicKeyCurve => "public-key-curve",
            Self::PublicKeyExponent => "public-key-exponent",
            Self::ValueUnknown => "value-unknown",
            Self::IdFormat => "id-format",
            Self::UnknownMember => "unknown-member",
            Self::WrongType => "wrong-type",
            Self::OfficerNameFormat => "officer-name-format",
            Self::PasswordLength => "password-length",
            Self::SubjectFormat => "subject-format",
            Self::SecondFactorWrong => "second-factor-wrong",
            Self::TimeFormat => "time-format",
            Self::WebhookUrlFormat => "webhook-url-format",
            Self::FileTooLarge { .. } => "file-too-large",
            Self::FileTypeRefused => "file-type-refused",
            Self::FileUnknown => "file-unknown",
        }
    }

    /// The bound that the rule names, for the message's `{ $max }`.
    pub const fn limit(self) -> Option<usize> {
        match self {
            Self::TooLong { max } | Self::TooMany { max } | Self::FileTooLarge { max } => Some(max),
            _ => None,
        }
    }
}
