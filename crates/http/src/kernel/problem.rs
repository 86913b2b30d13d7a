//! Errors as `application/problem+json` (RFC 9457): the one place where an error becomes a response. What is told
//! comes from this list; text of the database or of a library never does.

use std::net::IpAddr;

use chrono::NaiveDate;
use idcheck_domain::{
    Violation,
    application::{StateName, TransitionRefusal},
};
use idcheck_usecases::{
    FieldViolation, Refusal,
    acts::{ChallengeRefusal, ProofRefusal},
    attachment::FileRefusal,
    draft::DraftRefusal,
    officer::{OfficerRefusal, PasskeyRefusal, SignInRefusal},
    ports::{CardRefusal, RegisterError, StoreError, TokenRefusal},
};
use poem::{Response, http::StatusCode};
use serde::Serialize;

use crate::kernel::{i18n::Lang, state::App, view::roc};

/// A field and what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct FieldProblem {
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) code: &'static str,
}

/// An error on its way to the client; the language is known when it gets its words.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    /// The end of the `type`.
    name: String,
    title: &'static str,
    detail: Detail,
    violations: Vec<FieldViolation>,
}

#[derive(Debug, Clone)]
enum Detail {
    /// The title's key with `-detail`.
    OfTitle,
    Key(String),
    /// The state that refuses.
    State(&'static str),
    /// The title's key with `-detail`, and the address that was seen.
    Address(IpAddr),
    /// The title's key with `-detail`, and the day with whose end a deadline is over.
    Due(NaiveDate),
}

impl Problem {
    /// A problem whose type, title and detail share one key.
    pub(crate) const fn named(status: StatusCode, name: String, title: &'static str) -> Self {
        Self { status, name, title, detail: Detail::OfTitle, violations: Vec::new() }
    }

    pub(crate) fn simple(status: StatusCode, title: &'static str) -> Self {
        let name = title.strip_prefix("problem-").unwrap_or(title).to_owned();
        Self::named(status, name, title)
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::simple(StatusCode::NOT_FOUND, "problem-not-found")
    }

    /// 401, for calls without a session.
    pub(crate) fn unauthorised() -> Self {
        Self::simple(StatusCode::UNAUTHORIZED, "problem-unauthorised")
    }

    /// The card that signed is not good any more when its case is to be approved.
    fn card_at_decision(card: CardRefusal) -> Self {
        let (status, detail) = match card {
            CardRefusal::StatusUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "review-card-unavailable"),
            CardRefusal::Revoked => (StatusCode::CONFLICT, "review-card-revoked"),
            CardRefusal::Expired => (StatusCode::CONFLICT, "review-card-expired"),
            _ => (StatusCode::CONFLICT, "review-card-refused"),
        };
        let detail = Detail::Key(detail.to_owned());
        Self { detail, ..Self::named(status, card.code().to_owned(), "problem-review-card") }
    }

    /// A query came from an address that is not registered (check 3).
    pub(crate) fn address_not_registered(address: IpAddr) -> Self {
        let problem = Self::simple(StatusCode::FORBIDDEN, "problem-address-not-registered");
        Self { detail: Detail::Address(address), ..problem }
    }

    /// 429.
    pub(crate) fn too_many() -> Self {
        Self::simple(StatusCode::TOO_MANY_REQUESTS, "problem-too-many-requests")
    }

    /// 422 with the fields.
    pub(crate) fn content(violations: Vec<FieldViolation>) -> Self {
        Self { violations, ..Self::simple(StatusCode::UNPROCESSABLE_ENTITY, "problem-content") }
    }

    /// The same problem with its pointers below `prefix`.
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        for violation in &mut self.violations {
            violation.pointer.insert_str(0, prefix);
        }
        self
    }

    /// What the framework refused, by its status alone.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let title = match status {
            StatusCode::NOT_FOUND => "problem-not-found",
            StatusCode::UNAUTHORIZED => "problem-unauthorised",
            StatusCode::METHOD_NOT_ALLOWED => "problem-method-not-allowed",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "problem-unsupported-media-type",
            StatusCode::PAYLOAD_TOO_LARGE => "problem-too-large",
            StatusCode::REQUEST_TIMEOUT => "problem-too-slow",
            status if status.is_client_error() => "problem-malformed",
            _ => "problem-unavailable",
        };
        let status = if title == "problem-unavailable" { StatusCode::SERVICE_UNAVAILABLE } else { status };
        Self::simple(status, title)
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence that tells what is wrong and what to do.
    pub(crate) fn detail(&self, lang: Lang) -> String {
        match &self.detail {
            Detail::OfTitle => lang.t(&format!("{}-detail", self.title)),
            Detail::Key(key) => lang.t(key),
            Detail::Address(address) => lang
                .t_with("problem-address-not-registered-detail", &[("address", address.to_string().into())]),
            Detail::Due(day) => {
                lang.t_with("problem-clarification-running-detail", &[("due", roc(*day).into())])
            }
            Detail::State(state) => {
                let state = lang.t(&format!("state-{state}"));
                lang.t_with("problem-state-detail", &[("state", state.into())])
            }
        }
    }

    /// What is told, in words.
    pub(crate) fn told(&self, lang: Lang) -> Told {
        let message = |v: &FieldViolation| FieldProblem {
            pointer: v.pointer.clone(),
            message: lang.violation(v.violation),
            code: v.violation.code(),
        };
        Told {
            r#type: format!("/problems/{}", self.name),
            title: lang.t(self.title),
            detail: self.detail(lang),
            errors: self.violations.iter().map(message).collect(),
        }
    }

    /// The response, for handlers that the document does not make.
    pub(crate) fn response(&self, lang: Lang, request_id: &str) -> Response {
        let told = self.told(lang);
        let errors = told.errors.iter();
        let body = ProblemJson {
            r#type: &told.r#type,
            title: &told.title,
            status: self.status.as_u16(),
            detail: &told.detail,
            request_id,
            errors: errors
                .map(|e| ErrorJson { pointer: &e.pointer, message: &e.message, code: e.code })
                .collect(),
        };
        Response::builder()
            .status(self.status)
            .content_type("application/problem+json")
            .body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

/// RFC 9457 §3.1, the same members as in the document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemJson<'p> {
    r#type: &'p str,
    title: &'p str,
    status: u16,
    detail: &'p str,
    request_id: &'p str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorJson<'p>>,
}

#[derive(Serialize)]
struct ErrorJson<'p> {
    pointer: &'p str,
    message: &'p str,
    code: &'static str,
}

/// A problem in words.
pub(crate) struct Told {
    pub(crate) r#type: String,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) errors: Vec<FieldProblem>,
}

impl From<TokenRefusal> for Problem {
    fn from(refusal: TokenRefusal) -> Self {
        let code = refusal.code();
        Self {
            detail: Detail::Key(format!("token-{code}")),
            ..Self::named(StatusCode::UNAUTHORIZED, code.to_owned(), "problem-token")
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        App::store_failed(error);
        Self::simple(StatusCode::SERVICE_UNAVAILABLE, "problem-unavailable")
    }
}

impl From<DraftRefusal> for Problem {
    fn from(refusal: DraftRefusal) -> Self {
        match refusal {
            DraftRefusal::Unknown => Self::simple(StatusCode::NOT_FOUND, "problem-draft-unknown"),
            DraftRefusal::TooMany => Self::simple(StatusCode::TOO_MANY_REQUESTS, "problem-too-many-drafts"),
            DraftRefusal::Conflict => Self::simple(StatusCode::CONFLICT, "problem-conflict"),
            DraftRefusal::Store(error) => error.into(),
        }
    }
}

impl From<FileRefusal> for Problem {
    fn from(refusal: FileRefusal) -> Self {
        match refusal {
            FileRefusal::Content(violations) => Self::content(violations),
            FileRefusal::TooMany => Self::simple(StatusCode::TOO_MANY_REQUESTS, "problem-too-many-files"),
            FileRefusal::Store(error) => error.into(),
        }
    }
}

impl From<ChallengeRefusal> for Problem {
    fn from(refusal: ChallengeRefusal) -> Self {
        match refusal {
            ChallengeRefusal::Content(violations) => Self::content(violations),
            ChallengeRefusal::Unknown => ProofRefusal::UnknownChallenge.into(),
            ChallengeRefusal::TooMany => {
                Self::simple(StatusCode::TOO_MANY_REQUESTS, "problem-too-many-challenges")
            }
            ChallengeRefusal::Store(error) => error.into(),
        }
    }
}

impl From<idcheck_domain::precondition::Precondition> for Problem {
    fn from(precondition: idcheck_domain::precondition::Precondition) -> Self {
        let key = format!("precondition-{}", precondition.code());
        Self {
            detail: Detail::Key(key),
            ..Self::named(StatusCode::CONFLICT, precondition.code().to_owned(), "problem-precondition")
        }
    }
}

impl From<idcheck_domain::application::RefusedTransition> for Problem {
    fn from(refused: idcheck_domain::application::RefusedTransition) -> Self {
        if let TransitionRefusal::ClarificationStillRunning(due) = refused.why {
            let problem = Self::simple(StatusCode::CONFLICT, "problem-clarification-running");
            return Self { detail: Detail::Due(due.date), ..problem };
        }
        match refused.why {
            TransitionRefusal::NotProposed => {
                return Self::simple(StatusCode::CONFLICT, "problem-not-proposed");
            }
            TransitionRefusal::SameOfficer => {
                return Self::simple(StatusCode::CONFLICT, "problem-same-officer");
            }
            TransitionRefusal::State
            | TransitionRefusal::OtherClarification
            | TransitionRefusal::ClarificationStillRunning(_) => {}
        }
        let detail = Detail::State(refused.from.as_str());
        Self { detail, ..Self::simple(StatusCode::CONFLICT, "problem-state") }
    }
}

impl From<ProofRefusal> for Problem {
    fn from(refusal: ProofRefusal) -> Self {
        match refusal {
            ProofRefusal::UnknownChallenge => {
                Self::simple(StatusCode::NOT_FOUND, "problem-challenge-unknown")
            }
            ProofRefusal::Spent => Self::simple(StatusCode::CONFLICT, "problem-challenge-spent"),
            ProofRefusal::Expired => Self::simple(StatusCode::CONFLICT, "problem-challenge-expired"),
            ProofRefusal::Card(card) => {
                let status = if card == CardRefusal::StatusUnavailable {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::UNPROCESSABLE_ENTITY
                };
                let name = card.code().to_owned();
                Self { detail: Detail::Key(name.clone()), ..Self::named(status, name, "problem-card") }
            }
            ProofRefusal::Precondition(precondition) => precondition.into(),
            ProofRefusal::Transition(mut refused) => {
                // Whether an approval is proposed is for officers.
                if refused.from == StateName::ApprovalProposed {
                    refused.from = StateName::UnderReview;
                }
                refused.into()
            }
            ProofRefusal::Conflict => Self::simple(StatusCode::CONFLICT, "problem-conflict"),
            ProofRefusal::Store(error) => error.into(),
        }
    }
}

impl From<idcheck_domain::ruling::RefusedRuling> for Problem {
    fn from(refused: idcheck_domain::ruling::RefusedRuling) -> Self {
        use idcheck_domain::ruling::RefusedRuling;
        let title = match refused {
            RefusedRuling::SamePerson => "problem-same-person",
            RefusedRuling::Decided => "problem-decided",
            RefusedRuling::NoGround => "problem-no-ground",
        };
        Self::simple(StatusCode::CONFLICT, title)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forbidden => Self::simple(StatusCode::FORBIDDEN, "problem-forbidden"),
            Refusal::Unknown => Self::not_found(),
            Refusal::Stale => Self::simple(StatusCode::CONFLICT, "problem-conflict"),
            Refusal::Waiting => Self::simple(StatusCode::CONFLICT, "problem-waiting"),
            Refusal::Ruling(refused) => refused.into(),
            Refusal::Precondition(precondition) => precondition.into(),
            Refusal::Notice(refused) => {
                let key = format!("problem-notice-{}", refused.from);
                Self { detail: Detail::Key(key), ..Self::simple(StatusCode::CONFLICT, "problem-state") }
            }
            Refusal::Transition(refused) => refused.into(),
            Refusal::Register(RegisterError::NoSnapshot) => {
                Self::simple(StatusCode::CONFLICT, "problem-no-register")
            }
            Refusal::Register(RegisterError::Unreadable) => {
                Self::simple(StatusCode::SERVICE_UNAVAILABLE, "problem-register-unreadable")
            }
            Refusal::Card(card) => Self::card_at_decision(card),
            Refusal::AccountsExhausted => StoreError::Unavailable.into(),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<OfficerRefusal> for Problem {
    fn from(refusal: OfficerRefusal) -> Self {
        let wrong = |pointer: &str, violation| {
            Self::content(vec![FieldViolation { pointer: pointer.to_owned(), violation }])
        };
        match refusal {
            OfficerRefusal::Forbidden => Refusal::Forbidden.into(),
            OfficerRefusal::Unknown => Self::not_found(),
            OfficerRefusal::Username => wrong("/username", Violation::OfficerNameFormat),
            OfficerRefusal::Password => wrong("/password", Violation::PasswordLength),
            OfficerRefusal::Subject => wrong("/subject", Violation::SubjectFormat),
            OfficerRefusal::Taken => Self::simple(StatusCode::CONFLICT, "problem-account-taken"),
            OfficerRefusal::Oneself => Self::simple(StatusCode::CONFLICT, "problem-own-account"),
            OfficerRefusal::Store(error) => error.into(),
        }
    }
}

impl From<PasskeyRefusal> for Problem {
    fn from(refusal: PasskeyRefusal) -> Self {
        match refusal {
            PasskeyRefusal::Code => Self::simple(StatusCode::UNPROCESSABLE_ENTITY, "problem-sign-in-refused"),
            PasskeyRefusal::NotMade => {
                Self::simple(StatusCode::UNPROCESSABLE_ENTITY, "problem-passkey-not-made")
            }
            PasskeyRefusal::NotAdded => Self::simple(StatusCode::CONFLICT, "problem-passkey-not-added"),
            PasskeyRefusal::NotOffered | PasskeyRefusal::Unknown => Self::not_found(),
            PasskeyRefusal::Store(error) => error.into(),
        }
    }
}

impl From<SignInRefusal> for Problem {
    fn from(refusal: SignInRefusal) -> Self {
        match refusal {
            SignInRefusal::Refused => Self::simple(StatusCode::UNAUTHORIZED, "problem-sign-in-refused"),
            SignInRefusal::Busy => Self::simple(StatusCode::TOO_MANY_REQUESTS, "problem-sign-in-busy"),
            SignInRefusal::NotOffered => Self::simple(StatusCode::FORBIDDEN, "problem-sign-in-not-offered"),
            SignInRefusal::NotVouched => {
                Self::simple(StatusCode::UNAUTHORIZED, "problem-sign-in-not-vouched")
            }
            SignInRefusal::NoAccount => Self::simple(StatusCode::FORBIDDEN, "problem-sign-in-no-account"),
            SignInRefusal::ProviderUnavailable => {
                Self::simple(StatusCode::SERVICE_UNAVAILABLE, "problem-sign-in-provider")
            }
            SignInRefusal::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use idcheck_domain::application::{Action, RefusedTransition};

    use super::*;

    /// An applicant does not learn that an approval is proposed, also where an act is refused because of it.
    #[test]
    fn a_proposed_approval_is_told_to_officers_only() {
        let refused = |from| RefusedTransition {
            from,
            action: Action::AnswerClarification,
            why: TransitionRefusal::State,
        };
        let told = |problem: Problem| Lang::ALL.map(|lang| problem.detail(lang));
        let to_applicant = |from| told(ProofRefusal::Transition(refused(from)).into());
        assert_eq!(to_applicant(StateName::ApprovalProposed), to_applicant(StateName::UnderReview));
        let to_officer = told(Refusal::Transition(refused(StateName::ApprovalProposed)).into());
        assert_ne!(to_officer, to_applicant(StateName::ApprovalProposed));
    }
}
