//! An organisation with all that was done about it, as the API tells it.

use chrono::{DateTime, Utc};
use idcheck_usecases::organisation::OrganisationFile;
use poem_openapi::Object;

use crate::{
    application::{
        dto::{Application, application_of},
        show::Audience,
    },
    kernel::i18n::Lang,
    notice::dto::{Notice, notice_of},
    organisation::dto::{
        ImprovementPlan, Organisation, Revocation, Suspended, organisation_of, plan_of, revocation_of,
        suspended_of,
    },
};

/// An organisation with all that was done about it.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct File {
    organisation: Organisation,
    /// Newest first.
    applications: Vec<Application>,
    /// Requests to revoke, newest first.
    revocations: Vec<Revocation>,
    /// Newest first.
    improvement_plans: Vec<ImprovementPlan>,
    /// Notices of abnormal use, newest first.
    notices: Vec<Notice>,
    /// Its users who get result 8, longest suspended first.
    suspended_users: Vec<Suspended>,
}

/// An organisation's file.
pub(crate) fn file_of(lang: Lang, file: &OrganisationFile, now: DateTime<Utc>) -> File {
    let names = &file.officers;
    File {
        organisation: organisation_of(lang, &file.organisation, now),
        applications: file
            .cases
            .iter()
            .map(|case| application_of(case, &[], Audience::officer(lang)))
            .collect(),
        revocations: file.revocations.iter().map(|read| revocation_of(read, names)).collect(),
        improvement_plans: file.plans.iter().map(|read| plan_of(read, names)).collect(),
        notices: file.notices.iter().map(|read| notice_of(read, Some(names), now)).collect(),
        suspended_users: file.suspended_users.iter().map(suspended_of).collect(),
    }
}
