//! What the API tells: the domain's values as the document's objects.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use idcheck_domain::{
    access::Access,
    application::{self, Actor, Request},
    card::SigningCard,
    company::{CompanyRecord, same_name},
    contact, key, organisation, sandbox, taipei,
    value::CompanyName,
};
use idcheck_usecases::{
    acts::{ActResult, Progress, Proven},
    ports::{CardRefusal, CaseSummary, HistoryLine, RegisterError},
    review::CaseFile,
};
use poem_openapi::{Object, Union};
use uuid::Uuid;

use super::{
    officer_usage::{UsageCounts, counts},
    render_casework::{ImprovementPlan, Notice, notice_of, own_notice, own_plan},
    shape::{Contact, Purpose},
};
use crate::{
    case::{Difference, differences},
    i18n::Lang,
    show::{Audience, access_reason, card_status},
};

type Time = DateTime<FixedOffset>;

fn time(at: DateTime<Utc>) -> Time {
    taipei::local(at)
}

/// A question of the officer and its answer.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Clarification {
    id: Uuid,
    question: String,
    asked_at: Time,
    due_at: Time,
    /// Whether the deadline was counted through a year whose working calendar is not published yet: it can move.
    due_provisional: bool,
    answer: Option<String>,
    answered_at: Option<Time>,
}

/// A step of a case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct HistoryEntry {
    action: String,
    from: Option<String>,
    to: String,
    /// `applicant`, `officer` or `system`.
    by: String,
    /// The officer's user name; for officers only.
    officer: Option<String>,
    at: Time,
    text: Option<String>,
}

/// A case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct Application {
    id: Uuid,
    case_number: String,
    kind: String,
    state: String,
    unified_business_number: String,
    company_name: String,
    contact: Contact,
    host_addresses: Vec<String>,
    purpose: Option<Purpose>,
    /// Why addresses change or access is given up.
    request_reason: Option<String>,
    former_unified_business_number: Option<String>,
    cut_over_at: Option<Time>,
    overlap_days: Option<u8>,
    received_at: Time,
    /// When the running deadline ends.
    due_at: Option<Time>,
    /// Whether it was counted through a year whose working calendar is not published yet: it can move.
    due_provisional: Option<bool>,
    decided_at: Option<Time>,
    /// Why it was decided or withdrawn.
    reason: Option<String>,
    clarifications: Vec<Clarification>,
    history: Vec<HistoryEntry>,
}

fn contact_of(contact: &contact::Contact) -> Contact {
    Contact {
        name: contact.name().as_str().to_owned(),
        landline: contact.landline().map(|n| n.as_str().to_owned()),
        mobile: contact.mobile().map(|n| n.as_str().to_owned()),
        email: contact.email().as_str().to_owned(),
    }
}

fn clarification_of(c: &application::Clarification) -> Clarification {
    Clarification {
        id: c.id.0,
        question: c.question.as_str().to_owned(),
        asked_at: time(c.asked_at),
        due_at: time(c.due.ends_at()),
        due_provisional: c.due.provisional,
        answer: c.answer.as_ref().map(|(answer, _)| answer.as_str().to_owned()),
        answered_at: c.answer.as_ref().map(|(_, at)| time(*at)),
    }
}

fn history_of(line: &HistoryLine, audience: Audience) -> HistoryEntry {
    let by = match line.step.by {
        Actor::Applicant => "applicant",
        Actor::Officer(_) => "officer",
        Actor::System => "system",
    };
    HistoryEntry {
        action: line.step.action.as_str().to_owned(),
        from: line.step.from.map(|state| state.as_str().to_owned()),
        to: line.step.to.as_str().to_owned(),
        by: by.to_owned(),
        officer: audience.officer_name(line).map(str::to_owned),
        at: time(line.step.at),
        text: audience.text(&line.step),
    }
}

/// A case with its history.
pub(super) fn application_of(
    case: &application::Application,
    history: &[HistoryLine],
    audience: Audience,
) -> Application {
    let (purpose, request_reason) = match &case.request {
        Request::Apply { purpose, .. } => {
            let purpose = Purpose {
                authority: purpose.authority.as_str().to_owned(),
                rule: purpose.rule.as_str().to_owned(),
                description: purpose.description.as_str().to_owned(),
            };
            (Some(purpose), None)
        }
        Request::ChangeAddress { reason, .. } | Request::Suspend { reason } => {
            (None, Some(reason.as_str().to_owned()))
        }
    };
    let (cut_over_at, overlap_days) = match &case.request {
        Request::ChangeAddress { cut_over_at, overlap_days, .. } => {
            (cut_over_at.map(time), Some(*overlap_days))
        }
        Request::Apply { .. } | Request::Suspend { .. } => (None, None),
    };
    let former = match &case.request {
        Request::Apply { former_ubn, .. } => former_ubn.map(|ubn| ubn.to_string()),
        Request::ChangeAddress { .. } | Request::Suspend { .. } => None,
    };
    let closing = case.state.closing();
    Application {
        id: case.id.0,
        case_number: case.case_number.to_string(),
        kind: case.kind().as_str().to_owned(),
        state: case.state.name().as_str().to_owned(),
        unified_business_number: case.ubn.to_string(),
        company_name: case.company_name.as_str().to_owned(),
        contact: contact_of(&case.contact),
        host_addresses: case.host_addresses.as_slice().iter().map(ToString::to_string).collect(),
        purpose,
        request_reason,
        former_unified_business_number: former,
        cut_over_at,
        overlap_days,
        received_at: time(case.received_at),
        due_at: case.state.due().map(|due| time(due.ends_at())),
        due_provisional: case.state.due().map(|due| due.provisional),
        decided_at: closing.map(|closing| time(closing.at)),
        reason: audience.closing_reason(case),
        clarifications: case.clarifications.iter().map(clarification_of).collect(),
        history: history.iter().map(|line| history_of(line, audience)).collect(),
    }
}

/// A registered public key.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Key {
    id: Uuid,
    fingerprint: String,
    profile: String,
    environment: String,
    label: String,
    registered_at: Time,
    revoked_at: Option<Time>,
}

fn key_of(key: &key::RegisteredKey) -> Key {
    Key {
        id: key.id.0,
        fingerprint: key.fingerprint.clone(),
        profile: key.profile.as_str().to_owned(),
        environment: key.environment.as_str().to_owned(),
        label: key.label.as_str().to_owned(),
        registered_at: time(key.registered_at),
        revoked_at: key.revoked_at.map(time),
    }
}

/// An organisation.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct Organisation {
    unified_business_number: String,
    name: String,
    access: String,
    access_since: Option<Time>,
    /// Why access was suspended or revoked.
    access_reason: Option<String>,
    /// On what ground it was revoked: `abuse`, `conduct` or `notRegistered`.
    revocation_ground: Option<String>,
    /// After a revocation: whether a new `apply` is possible.
    may_return: Option<bool>,
    account: Option<String>,
    host_addresses: Vec<String>,
    contact: Option<Contact>,
    keys: Vec<Key>,
}

/// An organisation, with the addresses in force at `now`.
pub(super) fn organisation_of(
    lang: Lang,
    organisation: &organisation::Organisation,
    now: DateTime<Utc>,
) -> Organisation {
    let access = &organisation.access;
    let (ground, may_return) = match access {
        Access::Revoked { ground, may_return, .. } => (Some(ground.as_str().to_owned()), Some(*may_return)),
        Access::None | Access::Active { .. } | Access::Suspended { .. } => (None, None),
    };
    let shown = organisation.addresses.as_ref().map(|plan| plan.shown(now));
    Organisation {
        unified_business_number: organisation.ubn.to_string(),
        name: organisation.name.as_str().to_owned(),
        access: access.as_str().to_owned(),
        access_since: access.since().map(time),
        access_reason: access_reason(lang, access),
        revocation_ground: ground,
        may_return,
        account: organisation.account.map(|account| account.to_string()),
        host_addresses: shown
            .map_or_else(Vec::new, |set| set.as_slice().iter().map(ToString::to_string).collect()),
        contact: Some(contact_of(&organisation.contact)),
        keys: organisation.keys.iter().map(key_of).collect(),
    }
}

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
    Organisation(OrganisationResult),
    Notice(NoticeResult),
    Plan(PlanResult),
}

/// An act that was done.
#[derive(Debug, Object)]
pub(super) struct Proof {
    /// Which.
    act: String,
    /// What it gave.
    result: ResultOfAct,
}

fn progress_of(lang: Lang, progress: &Progress) -> ProgressResult {
    let unknown = || Organisation {
        unified_business_number: progress.ubn.to_string(),
        name: String::new(),
        access: "none".to_owned(),
        access_since: None,
        access_reason: None,
        revocation_ground: None,
        may_return: None,
        account: None,
        host_addresses: Vec::new(),
        contact: None,
        keys: Vec::new(),
    };
    let organisation = progress.organisation.as_ref();
    ProgressResult {
        organisation: organisation.map_or_else(unknown, |o| organisation_of(lang, o, progress.queried_at)),
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
pub(super) fn proof_of(lang: Lang, proven: &Proven, now: DateTime<Utc>) -> Proof {
    let result = match &proven.result {
        ActResult::Application(case) => ResultOfAct::Application(ApplicationResult {
            application: application_of(case, &[], Audience::applicant(lang)),
        }),
        ActResult::Progress(progress) => ResultOfAct::Progress(progress_of(lang, progress)),
        ActResult::IssKey { account, iss_key } => ResultOfAct::IssKey(IssKeyResult {
            account: account.to_string(),
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

/// A line of the queue.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct QueueItem {
    id: Uuid,
    case_number: String,
    kind: String,
    state: String,
    version: i64,
    unified_business_number: String,
    company_name: String,
    received_at: Time,
    due_at: Option<Time>,
    /// Whether the deadline was counted through a year whose working calendar is not published yet: it can move.
    due_provisional: Option<bool>,
    /// Whether the deadline is over.
    overdue: bool,
    assignee: Option<String>,
}

/// A page of the queue.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct Queue {
    pub(super) applications: Vec<QueueItem>,
    /// To be sent as `cursor` for the next page.
    pub(super) next_cursor: Option<String>,
}

/// A line of the queue.
pub(super) fn queue_item(item: &CaseSummary, now: DateTime<Utc>) -> QueueItem {
    let case = &item.application;
    let due = case.state.due();
    QueueItem {
        id: case.id.0,
        case_number: case.case_number.to_string(),
        kind: case.kind().as_str().to_owned(),
        state: case.state.name().as_str().to_owned(),
        version: item.version,
        unified_business_number: case.ubn.to_string(),
        company_name: case.company_name.as_str().to_owned(),
        received_at: time(case.received_at),
        due_at: due.map(|due| time(due.ends_at())),
        due_provisional: due.map(|due| due.provisional),
        overdue: due.is_some_and(|due| due.is_over(now)),
        assignee: item.assignee_name.clone(),
    }
}

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
pub(super) struct Case {
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
pub(super) fn case_of(lang: Lang, file: &CaseFile, now: DateTime<Utc>) -> Case {
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
