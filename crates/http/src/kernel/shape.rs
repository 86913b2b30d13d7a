//! The shapes of bodies, for the document. Requests are read by [`crate::kernel::body`]; these describe them.

use chrono::{DateTime, FixedOffset, Utc};
use idcheck_domain::{contact, taipei};
use poem_openapi::{Enum, Object, Union};

/// The acts.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "camelCase")]
pub(crate) enum Act {
    Apply,
    ChangeAddress,
    Suspend,
    Progress,
    RevealIssKey,
    RotateIssKey,
    RegisterKey,
    RevokeKey,
    ChangeContact,
    AnswerClarification,
    Explain,
    SubmitImprovementPlan,
    Withdraw,
}

/// Ask for a challenge.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChallengeRequest {
    /// What is to be done.
    act: Act,
    /// By which company: eight digits.
    #[oai(validator(pattern = "^[0-9]{8}$"))]
    unified_business_number: String,
    /// With what, as the act asks.
    content: ActContent,
}

/// The content of an act.
#[derive(Debug, Union)]
pub(crate) enum ActContent {
    /// `apply`
    Apply(ApplyContent),
    /// `changeAddress`
    ChangeAddress(ChangeAddressContent),
    /// `suspend`
    Suspend(SuspendContent),
    /// `registerKey`
    RegisterKey(RegisterKeyContent),
    /// `revokeKey`
    RevokeKey(RevokeKeyContent),
    /// `changeContact`
    ChangeContact(ChangeContactContent),
    /// `answerClarification`
    AnswerClarification(AnswerClarificationContent),
    /// `explain`
    Explain(ExplainContent),
    /// `submitImprovementPlan`
    SubmitImprovementPlan(SubmitImprovementPlanContent),
    /// `withdraw`
    Withdraw(WithdrawContent),
    /// `progress`, `revealIssKey`, `rotateIssKey`
    Empty(EmptyContent),
}

/// Nothing.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct EmptyContent {}

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

/// The versions that were read and accepted; see `GET /notices`.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Consent {
    notice_version: String,
    conduct_version: String,
}

/// An application for access.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ApplyContent {
    company_name: String,
    /// 1 to 10 public IPv4 or IPv6 addresses.
    host_addresses: Vec<String>,
    contact: Contact,
    purpose: Purpose,
    /// The number before a change of number (注意事項 八(三)).
    former_unified_business_number: Option<String>,
    consent: Consent,
}

/// A change of host addresses (注意事項 七).
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeAddressContent {
    host_addresses: Vec<String>,
    reason: String,
    contact: Option<Contact>,
    consent: Consent,
    /// When the new addresses take over; at the decision when absent.
    cut_over_at: Option<String>,
    /// Days in which old and new addresses are both valid, 0 to 7.
    overlap_days: Option<i64>,
}

/// Giving access up (注意事項 八).
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SuspendContent {
    reason: String,
    contact: Option<Contact>,
    consent: Consent,
}

/// A public key.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RegisterKeyContent {
    public_key_pem: String,
    /// `legacy` or `strict`.
    profile: String,
    /// `production`; the default.
    environment: Option<String>,
    label: String,
}

/// The key to withdraw.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RevokeKeyContent {
    key_id: String,
}

/// The new contact.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeContactContent {
    contact: Contact,
}

/// An answer to the officer's question.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AnswerClarificationContent {
    application_id: String,
    clarification_id: String,
    answer: String,
}

/// The explanation of a notice (注意事項 九).
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExplainContent {
    notice_id: String,
    explanation: String,
}

/// What is done so that it does not happen again (注意事項 十).
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(crate) struct SubmitImprovementPlanContent {
    plan: String,
}

/// The case to take back.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WithdrawContent {
    application_id: String,
    reason: Option<String>,
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
