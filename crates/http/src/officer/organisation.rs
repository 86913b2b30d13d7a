//! One organisation: what it holds, what was done about it, and the steps that an officer can take.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    abuse::{AbuseRule, Measure},
    access::{Access, Ground},
    notice::{MAX_DAYS, Notice, NoticeId},
    officer::{Permission, permits},
    plan::{ImprovementPlan, PlanId},
    revocation::{Revocation, RevocationId, RevocationState, Ruling},
    value::{Narrative, Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::Refusal;
use idcheck_usecases::{
    FieldViolation,
    casework::{NoticeStep, OfficerNames, OrganisationFile, PlanRuling, RevocationRuling},
    ports::{Officer, SuspendedUser, Versioned},
};
use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Form, Path},
};
use uuid::Uuid;

use super::officer;
use crate::{
    i18n::Lang,
    page::{FormValues, Opener, Page, see_other, value},
    problem::Problem,
    show::{self as shown, Audience},
    view::{deadline, moment},
};

/// A form whose text breaks a rule, with the text.
struct Refused<'t> {
    /// The form: its step, and the identity it is about.
    form: String,
    typed: &'t str,
    violation: FieldViolation,
}

fn ruling(ruling: Option<&Ruling>, names: &OfficerNames) -> Option<Value> {
    ruling.map(|ruling| {
        context! {
            officer => names.get(&ruling.by), at => moment(ruling.at),
            note => ruling.note.as_ref().map(Reason::as_str),
        }
    })
}

/// A request as the templates take it; `officer` tells whether its reader may stand as second person.
pub(super) fn revocation(read: &Versioned<Revocation>, names: &OfficerNames, officer: &Officer) -> Value {
    let value = &read.value;
    let waits = matches!(value.state, RevocationState::Asked);
    context! {
        id => value.id.to_string(), version => read.version, ubn => value.ubn.to_string(),
        ground => value.ground.as_str(), reason => value.reason.as_str(), state => value.state.as_str(),
        asked_by => names.get(&value.asked_by), asked_at => moment(value.asked_at),
        ruling => ruling(value.state.ruling(), names), waits,
        may_confirm => waits && permits(officer.role, Permission::Confirm) && officer.id != value.asked_by,
        may_decline => waits && permits(officer.role, Permission::GovernAccess),
    }
}

/// A plan as the templates take it.
pub(super) fn plan(read: &Versioned<ImprovementPlan>, names: &OfficerNames) -> Value {
    let value = &read.value;
    context! {
        id => value.id.to_string(), version => read.version, ubn => value.ubn.to_string(),
        plan => value.plan.as_str(), state => value.state.as_str(), filed_at => moment(value.filed_at),
        ruling => ruling(value.state.ruling(), names), waits => value.state.ruling().is_none(),
    }
}

fn counts(counts: &[(Measure, u64)]) -> Value {
    counts.iter().map(|(m, count)| context! { measure => m.as_str(), count }).collect()
}

/// Suspended users as the templates take them.
fn users(users: &[SuspendedUser]) -> Value {
    let user = |user: &SuspendedUser| {
        context! {
            ubn => user.ubn.to_string(), user_id => &user.user_id, since => moment(user.since),
            rule => user.rule.map(AbuseRule::as_str),
        }
    };
    users.iter().map(user).collect()
}

/// A notice as the templates take it.
pub(super) fn notice(read: &Versioned<Notice>, names: &OfficerNames, now: DateTime<Utc>) -> Value {
    let value = &read.value;
    let due = value.state.due();
    let later = value.later.iter();
    let later = later.map(|found| context! { day => found.day.to_string(), counts => counts(&found.counts) });
    let sendings = value.sendings.iter().map(|sending| {
        context! {
            message => sending.message.as_str(), officer => names.get(&sending.sent_by),
            sent_at => moment(sending.sent_at), due => deadline(sending.due),
            explanation => sending.explanation.as_ref().map(|(text, _)| text.as_str()),
        }
    });
    context! {
        id => value.id.to_string(), version => read.version, ubn => value.ubn.to_string(),
        rule => value.rule.as_str(), state => value.state.as_str(), open => value.state.is_open(),
        raised_at => moment(value.raised_at), due => due.map(deadline),
        overdue => due.is_some_and(|due| due.is_over(now)),
        day => value.evidence.day.to_string(), user_id => value.evidence.user_id.as_deref(),
        counts => counts(&value.evidence.counts), later => later.collect::<Value>(),
        suggestion => value.rule.suggestion().as_str(), sendings => sendings.collect::<Value>(),
        ruling => ruling(value.state.ruling(), names),
    }
}

/// The steps that what an organisation holds may admit; whether it does is decided with the step.
fn possible(access: &Access) -> &'static [&'static str] {
    match access {
        Access::Active { .. } => &["revoke", "suspend"],
        Access::Suspended { .. } => &["revoke"],
        Access::Revoked { ground: Ground::NotRegistered, may_return: false, .. } => &["lift"],
        Access::None | Access::Revoked { .. } => &[],
    }
}

fn access(lang: Lang, access: &Access) -> Value {
    let (ground, may_return) = match access {
        Access::Revoked { ground, may_return, .. } => (Some(ground.as_str()), *may_return),
        Access::None | Access::Active { .. } | Access::Suspended { .. } => (None, false),
    };
    let since = access.since().map(moment);
    let reason = shown::access_reason(lang, access);
    context! { word => access.as_str(), since, reason, ground, may_return }
}

fn organisation_page(
    page: &Page<'_>,
    officer: &Officer,
    (file, suspended): (&OrganisationFile, &[SuspendedUser]),
    refused: Option<&Refused<'_>>,
) -> Response {
    let now = page.app.services.clock.now();
    let names = &file.officers;
    let organisation = &file.organisation;
    let message = refused.map(|refused| page.words(&refused.violation)).unwrap_or_default();
    let errors =
        refused.map(|refused| context! { id => format!("{}-text", refused.form), message => &message });
    let with = context! {
        officer => &officer.username,
        ubn => organisation.ubn.to_string(),
        organisation => shown::organisation(organisation, now),
        access => access(page.lang, &organisation.access),
        may_govern => permits(officer.role, Permission::GovernAccess),
        steps => possible(&organisation.access).iter().copied().collect::<Value>(),
        grounds => [Ground::Abuse, Ground::Conduct, Ground::NotRegistered].map(Ground::as_str),
        revocations => file.revocations.iter().map(|read| revocation(read, names, officer)).collect::<Value>(),
        plans => file.plans.iter().map(|read| plan(read, names)).collect::<Value>(),
        users => users(suspended),
        notices => file.notices.iter().map(|read| notice(read, names, now)).collect::<Value>(),
        cases => file.cases.iter().map(|case| shown::case(case, &[], Audience::officer(page.lang), now)).collect::<Value>(),
        refused => refused.map(|refused| context! { form => &refused.form, typed => refused.typed, message => &message }),
        errors => errors.into_iter().collect::<Value>(),
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show(status, "officer/organisation.html", Opener::Isolated, with)
}

async fn open(page: &Page<'_>, officer: &Officer, ubn: &str, refused: Option<&Refused<'_>>) -> Response {
    let Ok(ubn) = UnifiedBusinessNumber::parse(ubn) else {
        return page.problem(&Problem::not_found(), "/officer");
    };
    let services = &page.app.services;
    let read = async {
        let file = services.organisations.organisation(officer, ubn).await?;
        Ok::<_, Refusal>((file, services.users.suspended(officer, Some(ubn)).await?))
    };
    match read.await {
        Ok((file, suspended)) => organisation_page(page, officer, (&file, &suspended), refused),
        Err(refusal) => page.problem(&refusal.into(), "/officer"),
    }
}

#[handler]
pub(super) async fn show_organisation(request: &Request, Path(ubn): Path<String>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    Ok(open(&page, &officer, &ubn, None).await)
}

/// The steps by their names in the path; what is not named here is no step.
pub(super) const STEPS: [&str; 11] = [
    "revoke",
    "suspend",
    "lift",
    "lift-user",
    "confirm",
    "decline",
    "approve-plan",
    "reject-plan",
    "send-notice",
    "accept-notice",
    "dismiss-notice",
];

/// A step with all that it needs.
enum Step {
    Revoke(Ground, Reason),
    Suspend(Reason),
    Lift(Reason),
    LiftUser(String),
    Rule(RevocationId, i64, RevocationRuling),
    Judge(PlanId, i64, PlanRuling),
    Notice(NoticeId, i64, NoticeStep),
}

/// Why a form is no step.
enum Unread {
    /// Not one of ours.
    Unknown,
    /// The text breaks a rule.
    Text(Violation),
}

impl From<Violation> for Unread {
    fn from(violation: Violation) -> Self {
        Self::Text(violation)
    }
}

impl Step {
    fn read(name: &str, form: &FormValues, typed: &str) -> Result<Self, Unread> {
        if !STEPS.contains(&name) {
            return Err(Unread::Unknown);
        }
        let reason = || if typed.is_empty() { Err(Violation::Required) } else { Reason::parse(typed) };
        let id = || Uuid::try_parse(value(form, "id")).map_err(|_| Unread::Unknown);
        let version = || value(form, "version").parse::<i64>().map_err(|_| Unread::Unknown);
        Ok(match name {
            "revoke" => Self::Revoke(Ground::parse(value(form, "ground")).ok_or(Unread::Unknown)?, reason()?),
            "suspend" => Self::Suspend(reason()?),
            "lift" => Self::Lift(reason()?),
            "lift-user" => Self::LiftUser(value(form, "user").to_owned()),
            "confirm" => Self::Rule(RevocationId(id()?), version()?, RevocationRuling::Confirm),
            "decline" => {
                Self::Rule(RevocationId(id()?), version()?, RevocationRuling::Decline { note: reason()? })
            }
            "approve-plan" => {
                let note = if typed.is_empty() { None } else { Some(reason()?) };
                Self::Judge(PlanId(id()?), version()?, PlanRuling::Approve { note })
            }
            "reject-plan" => Self::Judge(PlanId(id()?), version()?, PlanRuling::Reject { reason: reason()? }),
            "send-notice" => {
                let days = value(form, "days").parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
                let message =
                    if typed.is_empty() { Err(Violation::Required) } else { Narrative::parse(typed) };
                let step = NoticeStep::Send { message: message?, days: days.ok_or(Unread::Unknown)? };
                Self::Notice(NoticeId(id()?), version()?, step)
            }
            "accept-notice" => {
                let note = if typed.is_empty() { None } else { Some(reason()?) };
                Self::Notice(NoticeId(id()?), version()?, NoticeStep::Accept { note })
            }
            "dismiss-notice" => {
                Self::Notice(NoticeId(id()?), version()?, NoticeStep::Dismiss { reason: reason()? })
            }
            _ => return Err(Unread::Unknown),
        })
    }

    async fn take(
        &self,
        page: &Page<'_>,
        officer: &Officer,
        ubn: UnifiedBusinessNumber,
    ) -> Result<(), Refusal> {
        let services = &page.app.services;
        match self {
            Self::Revoke(ground, reason) => {
                services.govern.ask(officer, ubn, *ground, reason).await.map(drop)
            }
            Self::Suspend(reason) => services.govern.suspend(officer, ubn, reason).await,
            Self::Lift(reason) => services.govern.lift(officer, ubn, reason).await,
            Self::LiftUser(user) => services.users.lift(officer, ubn, user).await,
            Self::Rule(id, version, ruling) => {
                services.govern.rule(officer, *id, *version, ruling).await.map(drop)
            }
            Self::Notice(id, version, step) => {
                services.notices.take(officer, *id, *version, step).await.map(drop)
            }
            Self::Judge(id, version, ruling) => {
                services.plans.rule(officer, *id, *version, ruling).await.map(drop)
            }
        }
    }
}

#[handler]
pub(super) async fn take_step(
    request: &Request,
    Path((ubn, name)): Path<(String, String)>,
    Form(form): Form<FormValues>,
) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    if !page.ours(&form) {
        return Ok(page.foreign("/officer"));
    }
    let Ok(number) = UnifiedBusinessNumber::parse(&ubn) else {
        return Ok(page.problem(&Problem::not_found(), "/officer"));
    };
    let typed = value(&form, "text").replace("\r\n", "\n");
    let typed = typed.trim();
    let step = match Step::read(&name, &form, typed) {
        Ok(step) => step,
        Err(Unread::Unknown) => return Ok(page.problem(&Problem::not_found(), "/officer")),
        Err(Unread::Text(violation)) => {
            let violation = FieldViolation { pointer: "/text".to_owned(), violation };
            let refused = Refused { form: format!("{name}{}", value(&form, "id")), typed, violation };
            return Ok(open(&page, &officer, &ubn, Some(&refused)).await);
        }
    };
    let home = format!("/officer/organisations/{ubn}");
    match step.take(&page, &officer, number).await {
        Ok(()) => Ok(see_other(&home)),
        Err(refusal) => Ok(page.problem(&refusal.into(), &home)),
    }
}

/// What waits for someone beside the cases: requests to revoke, improvement plans.
#[handler]
pub(super) async fn waiting(request: &Request) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let services = &page.app.services;
    let read = async {
        let waiting = services.organisations.waiting(&officer).await?;
        Ok::<_, Refusal>((waiting, services.users.suspended(&officer, None).await?))
    };
    let (waiting, suspended) = match read.await {
        Ok(read) => read,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let names = &waiting.officers;
    let with = context! {
        officer => &officer.username,
        revocations => waiting.revocations.iter().map(|r| revocation(r, names, &officer)).collect::<Value>(),
        plans => waiting.plans.iter().map(|read| plan(read, names)).collect::<Value>(),
        users => users(&suspended),
        dormant => waiting.dormant.iter().map(|one| {
            context! { ubn => one.ubn.to_string(), name => one.name.as_str(), since => one.since.to_string() }
        }).collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/waiting.html", Opener::Isolated, with))
}

/// The open notices, overdue ones on top.
#[handler]
pub(super) async fn open_notices(request: &Request) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let services = &page.app.services;
    let open = match services.notices.open(&officer).await {
        Ok(open) => open,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let now = services.clock.now();
    let names = OfficerNames::new();
    let with = context! {
        officer => &officer.username,
        notices => open.iter().map(|read| notice(read, &names, now)).collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/notices.html", Opener::Isolated, with))
}
