//! The shapes of bodies, for the document. Requests are read by [`crate::kernel::body`]; these describe them.

use chrono::{DateTime, FixedOffset, Utc};
use idcheck_domain::{contact, taipei};
use poem_openapi::{Object, types::Any};
use serde_json::Value;

/// Ask for a challenge.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChallengeRequest {
    /// What is to be done.
    act: String,
    /// By which company: eight digits.
    #[oai(validator(pattern = "^[0-9]{8}$"))]
    unified_business_number: String,
    /// With what, as the act asks.
    content: Any<Value>,
}

/// Whom to call and write to.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct Contact {
    pub(crate) name: String,
    /// `(02)12345678` or `(02)12345678#1234`; this or the mobile number.
    pub(crate) landline: Option<String>,
    /// `09` and eight digits.
    pub(crate) mobile: Option<String>,
    pub(crate) email: String,
}

/// By which authority's which rule the verification is needed (注意事項 四).
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Purpose {
    pub(crate) authority: String,
    pub(crate) rule: String,
    pub(crate) description: String,
}

/// A card's signature over the challenge's `tbs`.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct ProofRequest {
    /// CMS `SignedData` in base64.
    signature: String,
}

/// Sign in.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct SessionRequest {
    username: String,
    password: String,
    /// Six digits.
    totp: String,
}

/// A question to the applicant.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct ClarificationRequest {
    question: String,
}

/// An approval.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct ApproveRequest {
    /// A note for the applicant.
    note: Option<String>,
    /// The version of the case that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// A proposal that goes back to the review.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct ReturnRequest {
    /// What is to be looked at again; for officers only.
    reason: Option<String>,
    /// The version of the case that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// A rejection.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct RejectRequest {
    /// Why; mailed to the applicant.
    reason: String,
    /// The version of the case that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// A contact as it is told.
pub(crate) fn contact_of(contact: &contact::Contact) -> Contact {
    Contact {
        name: contact.name().as_str().to_owned(),
        landline: contact.landline().map(|n| n.as_str().to_owned()),
        mobile: contact.mobile().map(|n| n.as_str().to_owned()),
        email: contact.email().as_str().to_owned(),
    }
}

/// An instant as it is told: Taipei's clock.
pub(crate) type Time = DateTime<FixedOffset>;

/// An instant as it is told.
pub(crate) fn time(at: DateTime<Utc>) -> Time {
    taipei::local(at)
}
