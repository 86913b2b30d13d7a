//! Why the service refused a question before comparing anything, in both profiles.

/// A refusal. Nothing was compared, no strike was counted, and the token's `jti` is not spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("refused: {}", self.code())]
#[non_exhaustive]
pub enum Refusal {
    /// 401: no token arrived; something on the way removed it.
    TokenMissing,
    /// 401: not three parts of base64url, a claim missing, twice or of another type.
    TokenMalformed,
    /// 401: no organisation has this Iss Key in this environment.
    KeyUnknown,
    /// 401: none of the keys registered for this profile and environment made the signature.
    SignatureInvalid,
    /// 401: the token's time lies ahead of the service's clock.
    NotYetValid,
    /// 401: the token is over, or good for too long.
    Expired,
    /// 401: `aud` is not the service's base URL (strict profile).
    AudienceWrong,
    /// 401: `digest` is not that of the body (strict profile).
    DigestWrong,
    /// 403: the address that the service sees is not one of the registered host addresses.
    AddressNotRegistered,
    /// 403: the organisation's access is suspended or revoked.
    AccessEnded,
    /// RS3811: UBN and account do not belong to this Iss Key.
    AccountMismatch,
    /// RS3822, 422: a value is malformed, or a fixed claim is not as it must be.
    QuestionMalformed,
    /// 431: more than 16 KiB of headers.
    HeadersTooLarge,
    /// Another status, which the service does not give: a wrong base URL, or something between.
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
}

/// Each refusal that has a status of its own: its code, which is the strict profile's problem type too, and what the
/// legacy profile calls it in `httpMessage`.
const TABLE: [(Refusal, &str, &str); 13] = [
    (Refusal::TokenMissing, "token-missing", "token missing"),
    (Refusal::TokenMalformed, "token-malformed", "token malformed"),
    (Refusal::KeyUnknown, "key-unknown", "key unknown"),
    (Refusal::SignatureInvalid, "signature-invalid", "signature invalid"),
    (Refusal::NotYetValid, "not-yet-valid", "not yet valid"),
    (Refusal::Expired, "expired", "expired"),
    (Refusal::AudienceWrong, "audience-wrong", ""),
    (Refusal::DigestWrong, "digest-wrong", ""),
    (Refusal::AddressNotRegistered, "address-not-registered", "address not registered"),
    (Refusal::AccessEnded, "access-ended", "access suspended or revoked"),
    (Refusal::AccountMismatch, "account-mismatch", ""),
    (Refusal::QuestionMalformed, "question-malformed", ""),
    (Refusal::HeadersTooLarge, "headers-too-large", "headers too large"),
];

impl Refusal {
    /// A stable name.
    pub fn code(self) -> &'static str {
        TABLE.iter().find(|(refusal, ..)| *refusal == self).map_or("unexpected-status", |(_, code, _)| code)
    }

    /// Every refusal but [`Refusal::Unexpected`].
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(refusal, ..)| *refusal)
    }

    /// The refusal of a message; what stands after a colon is of this one reply, such as the address that was seen.
    pub(crate) fn from_legacy_message(message: &str) -> Option<Self> {
        let message = message.split_once(": ").map_or(message, |(said, _)| said);
        TABLE.iter().find(|(.., said)| !said.is_empty() && *said == message).map(|(refusal, ..)| *refusal)
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        TABLE.iter().find(|(_, known, _)| *known == code).map(|(refusal, ..)| *refusal)
    }
}
