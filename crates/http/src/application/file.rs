//! One case with everything that a decision needs, as the API tells it.

use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    card::SigningCard,
    company::{CompanyRecord, same_name},
    value::CompanyName,
};
use idcheck_usecases::{
    application::CaseFile,
    ports::{CardRefusal, RegisterError},
};
use poem_openapi::Object;
use uuid::Uuid;

use crate::{
    application::{
        difference::{Difference, differences},
        dto::{Application, application_of},
        show::{Audience, card_status},
    },
    kernel::{
        i18n::Lang,
        shape::{Time, time},
    },
    notice::dto::{Notice, notice_of},
    organisation::dto::{Organisation, organisation_of},
    usage::api::{UsageCounts, counts},
};

/// The card that signed a case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Card {
    company_name: String,
    /// `primary` 正卡 or `secondary` 附卡, where the certificate says.
    role: Option<String>,
    /// Hexadecimal.
    serial: String,
    /// Distinguished name (RFC 4514).
    issuer: String,
    not_before: Time,
    not_after: Time,
    /// SHA-256 of the certificate, hexadecimal.
    fingerprint: String,
    /// How it stands today, for an open case: `good`, `revoked`, `expired`, `unavailable` (can't be found out now) or
    /// `refused` (no longer trusted). A case that gives something is approved only while it is `good`.
    status: Option<String>,
}

fn card_of(card: &SigningCard, today: Option<Result<(), CardRefusal>>) -> Card {
    Card {
        company_name: card.company_name.clone(),
        role: card.role.map(|role| role.as_str().to_owned()),
        serial: card.serial.clone(),
        issuer: card.issuer.clone(),
        not_before: time(card.not_before),
        not_after: time(card.not_after),
        fingerprint: card.fingerprint.clone(),
        status: today.map(|today| card_status(today).to_owned()),
    }
}

/// What the company register says about the applicant.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Registered {
    /// `found`, `notFound`, `noSnapshot` or `unreadable`; the last two are no answer.
    state: String,
    name: Option<String>,
    /// The register's words; none in a register that lists current companies only.
    status: Option<String>,
    /// Whether the typed name is the register's; width, 台 or 臺, case and blanks do not count.
    names_agree: Option<bool>,
}

fn registered_of(answer: &Result<Option<CompanyRecord>, RegisterError>, typed: &CompanyName) -> Registered {
    let (state, record) = match answer {
        Ok(Some(record)) => ("found", Some(record)),
        Ok(None) => ("notFound", None),
        Err(RegisterError::NoSnapshot) => ("noSnapshot", None),
        Err(RegisterError::Unreadable) => ("unreadable", None),
    };
    Registered {
        state: state.to_owned(),
        name: record.map(|record| record.name.clone()),
        status: record.and_then(|record| record.status.clone()),
        names_agree: record.map(|record| same_name(&record.name, typed.as_str())),
    }
}

/// Everything that a decision needs.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Case {
    id: Uuid,
    /// To be named by a decision.
    version: i64,
    state: String,
    application: Application,
    /// The company name in the certificate that signed.
    certificate_name: String,
    /// Whether the typed name is the certificate's; width, 台 or 臺, case and blanks do not count.
    names_agree: bool,
    card: Card,
    company_register: Registered,
    /// Working days left for the decision or the answer, while one is awaited.
    working_days_left: Option<u32>,
    /// What the organisation holds now.
    organisation: Option<Organisation>,
    /// What the case would change of that; none for an organisation that never held access.
    changes: Option<Vec<Change>>,
    /// Its other cases, newest first.
    former_applications: Vec<Application>,
    /// Notices of abnormal use, newest first.
    notices: Vec<Notice>,
    /// Its use of the last 30 days; production only.
    usage: RecentUsage,
}

/// A field that a case would change.
#[derive(Debug, Object)]
struct Change {
    /// The field of the act's content.
    pointer: String,
    /// As the organisation has it now; empty where it has none.
    is: String,
    /// As the case has it.
    asked: String,
}

/// Use in a short period.
#[derive(Debug, Object)]
struct RecentUsage {
    from: NaiveDate,
    until: NaiveDate,
    #[oai(flatten)]
    counts: UsageCounts,
}

/// A case after a step, or as it is read.
pub(crate) fn case_of(lang: Lang, file: &CaseFile, now: DateTime<Utc>) -> Case {
    let audience = Audience::officer(lang);
    let case = &file.application;
    let change = |one: Difference| Change { pointer: one.pointer.to_owned(), is: one.is, asked: one.asked };
    let period = file.usage.period;
    Case {
        id: case.id.0,
        version: file.version,
        state: case.state.name().as_str().to_owned(),
        application: application_of(case, &file.history, audience),
        certificate_name: case.card.company_name.clone(),
        names_agree: case.card.bears(&case.company_name),
        card: card_of(&case.card, file.card_today),
        company_register: registered_of(&file.registered, &case.company_name),
        working_days_left: file.days_left,
        organisation: file.organisation.as_ref().map(|o| organisation_of(lang, o, now)),
        changes: differences(lang, file, now).map(|all| all.into_iter().map(change).collect()),
        former_applications: file.former.iter().map(|a| application_of(a, &[], audience)).collect(),
        notices: file.notices.iter().map(|read| notice_of(read, None, now)).collect(),
        usage: RecentUsage {
            from: period.first(),
            until: period.last(),
            counts: counts(&file.usage.total()),
        },
    }
}
