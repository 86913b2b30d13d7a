//! What an act gave, as the API tells it.

use chrono::{DateTime, Utc};
use idcheck_domain::sandbox;
use idcheck_usecases::acts::{ActResult, Progress, Proven};
use poem_openapi::{Object, Union};

use crate::{
    application::{
        dto::{Application, application_of},
        show::Audience,
    },
    kernel::{
        i18n::Lang,
        shape::{Time, time},
    },
    notice::dto::{Notice, own_notice},
    organisation::dto::{ImprovementPlan, Key, Organisation, key_of, organisation_of, own_plan, unknown},
    portal::webhook::secret_text,
};

/// `apply`, `changeAddress`, `suspend`, `answerClarification`, `withdraw`.
#[derive(Debug, Object)]
struct ApplicationResult {
    application: Application,
}

/// `progress`.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct ProgressResult {
    organisation: Organisation,
    /// Newest first.
    applications: Vec<Application>,
    /// Notices of abnormal use, newest first.
    notices: Vec<Notice>,
    /// Newest first.
    improvement_plans: Vec<ImprovementPlan>,
    queried_at: Time,
    session: OrganisationSession,
}

/// Reads the operations document without the card, for a short time; changes nothing.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct OrganisationSession {
    /// The bearer token.
    token: String,
    expires_at: Time,
}

/// `revealIssKey`, `rotateIssKey`.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct IssKeyResult {
    account: String,
    iss_key: String,
}

/// `registerKey`, `revokeKey`.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct KeyResult {
    key: Key,
    /// For a key of the sandbox: what tokens there name.
    sandbox: Option<IssKeyResult>,
}

/// `setWebhook`, `removeWebhook`.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct WebhookResult {
    /// The address that is called, or was.
    url: String,
    /// What signs the calls: `whsec_` and base64 (Standard Webhooks); where it was set.
    secret: Option<String>,
}

/// `changeContact`.
#[derive(Debug, Object)]
struct OrganisationResult {
    organisation: Organisation,
}

/// `explain`.
#[derive(Debug, Object)]
struct NoticeResult {
    notice: Notice,
}

/// `submitImprovementPlan`.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct PlanResult {
    improvement_plan: ImprovementPlan,
}

/// What an act gave.
#[derive(Debug, Union)]
enum ResultOfAct {
    Application(ApplicationResult),
    Progress(ProgressResult),
    IssKey(IssKeyResult),
    Key(KeyResult),
    Webhook(WebhookResult),
    Organisation(OrganisationResult),
    Notice(NoticeResult),
    Plan(PlanResult),
}

/// An act that was done.
#[derive(Debug, Object)]
pub(crate) struct Proof {
    /// Which.
    act: String,
    /// What it gave.
    result: ResultOfAct,
}

fn progress_of(lang: Lang, progress: &Progress) -> ProgressResult {
    let organisation = progress.organisation.as_ref();
    ProgressResult {
        organisation: organisation
            .map_or_else(|| unknown(progress.ubn), |o| organisation_of(lang, o, progress.queried_at)),
        applications: progress
            .cases
            .iter()
            .map(|case| application_of(&case.application, &case.history, Audience::applicant(lang)))
            .collect(),
        notices: progress.notices.iter().map(|n| own_notice(n, progress.queried_at)).collect(),
        improvement_plans: progress.plans.iter().map(own_plan).collect(),
        queried_at: time(progress.queried_at),
        session: OrganisationSession {
            token: progress.session.expose().to_owned(),
            expires_at: time(progress.session.expires_at),
        },
    }
}

/// What is told of an act.
pub(crate) fn proof_of(lang: Lang, proven: &Proven, now: DateTime<Utc>) -> Proof {
    let result = match &proven.result {
        ActResult::Application(case) => ResultOfAct::Application(ApplicationResult {
            application: application_of(case, &[], Audience::applicant(lang)),
        }),
        ActResult::Progress(progress) => ResultOfAct::Progress(progress_of(lang, progress)),
        ActResult::IssKey { account, iss_key } => ResultOfAct::IssKey(IssKeyResult {
            account: account.clone(),
            iss_key: iss_key.expose().to_owned(),
        }),
        ActResult::KeyRegistered(key) | ActResult::KeyRevoked(key) => {
            ResultOfAct::Key(KeyResult { key: key_of(key), sandbox: None })
        }
        ActResult::SandboxKeyRegistered { key, iss_key } => {
            let account = sandbox::ACCOUNT.to_owned();
            let sandbox = Some(IssKeyResult { account, iss_key: iss_key.expose().to_owned() });
            ResultOfAct::Key(KeyResult { key: key_of(key), sandbox })
        }
        ActResult::WebhookSet(webhook) => ResultOfAct::Webhook(WebhookResult {
            url: webhook.url.as_str().to_owned(),
            secret: Some(secret_text(&webhook.secret)),
        }),
        ActResult::WebhookRemoved(webhook) => {
            ResultOfAct::Webhook(WebhookResult { url: webhook.url.as_str().to_owned(), secret: None })
        }
        ActResult::Contact(organisation) => {
            let organisation = organisation_of(lang, organisation, now);
            ResultOfAct::Organisation(OrganisationResult { organisation })
        }
        ActResult::Notice(notice) => ResultOfAct::Notice(NoticeResult { notice: own_notice(notice, now) }),
        ActResult::ImprovementPlan(plan) => {
            ResultOfAct::Plan(PlanResult { improvement_plan: own_plan(plan) })
        }
    };
    Proof { act: proven.act.as_str().to_owned(), result }
}
