//! One organisation: what it holds, what was done about it, and the steps that an officer can take.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    abuse::{AbuseRule, Measure},
    access::{Access, Ground},
    notice::{MAX_DAYS, Notice, NoticeId},
    officer::Permission,
    plan::{ImprovementPlan, PlanId},
    revocation::{Revocation, RevocationId, RevocationState},
    ruling::Ruling,
    value::{CompanyName, Narrative, Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::{
    FieldViolation, OfficerNames, Refusal,
    notice::NoticeStep,
    organisation::{OrganisationFile, RevocationRuling},
    plan::PlanRuling,
    ports::{Officer, SuspendedUser, Versioned},
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Path};
use uuid::Uuid;

use crate::{
    application::show::{self as shown, Audience},
    attachment,
    kernel::{
        i18n::Lang,
        officer_page::OfficerPage,
        page::{FormValues, PostedForm, see_other, text, value},
        problem::Problem,
        view::{deadline, moment, roc},
    },
};

/// A form that was not taken, with its text.
struct Refused<'t> {
    /// The form: its step, and the identity it is about.
    form: String,
    typed: &'t str,
    /// What was read when it was typed: put right, the form is still about that.
    version: &'t str,
    why: Why,
}

/// What was wrong with it.
enum Why {
    /// Its text breaks a rule.
    Text(FieldViolation),
    /// Its days are too few or too many.
    Days,
    /// What it asks for is refused.
    Problem(Problem),
}

impl Refused<'_> {
    /// What is told at the field, or above the page.
    fn message(&self, page: &OfficerPage<'_>) -> String {
        match &self.why {
            Why::Text(violation) => page.words(violation),
            Why::Days => page.lang.t("notice-days-range"),
            Why::Problem(problem) => {
                let told = problem.told(page.lang);
                format!("{} {}", told.title, told.detail)
            }
        }
    }

    const fn field(&self) -> &'static str {
        if matches!(self.why, Why::Days) { "days" } else { "text" }
    }

    const fn status(&self) -> StatusCode {
        match &self.why {
            Why::Text(_) | Why::Days => StatusCode::UNPROCESSABLE_ENTITY,
            Why::Problem(problem) => problem.status(),
        }
    }
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
pub(crate) fn revocation(read: &Versioned<Revocation>, names: &OfficerNames, officer: &Officer) -> Value {
    let value = &read.value;
    let waits = matches!(value.state, RevocationState::Asked);
    context! {
        id => value.id.to_string(), version => read.version, ubn => value.ubn.to_string(),
        ground => value.ground.as_str(), reason => value.reason.as_str(), state => value.state.as_str(),
        asked_by => names.get(&value.asked_by), asked_at => moment(value.asked_at),
        ruling => ruling(value.state.ruling(), names), waits,
        may_confirm => value.may_be_confirmed(officer.id, officer.role),
        may_decline => value.may_be_declined(officer.role),
    }
}

/// A plan as the templates take it.
pub(crate) fn plan(read: &Versioned<ImprovementPlan>, names: &OfficerNames) -> Value {
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
/// The names of organisations in a list.
type Companies = HashMap<UnifiedBusinessNumber, CompanyName>;

impl OfficerPage<'_> {
    async fn companies(&self, ubns: Vec<UnifiedBusinessNumber>) -> poem::Result<Companies> {
        self.or_problem(self.app.services.organisations.names(&ubns).await, "/officer")
    }
}

/// The line of a list with the company's name.
fn named(line: Value, company: Option<&CompanyName>) -> Value {
    context! { company => company.map(CompanyName::as_str), ..line }
}

fn users(users: &[SuspendedUser], companies: &Companies) -> Value {
    let user = |user: &SuspendedUser| {
        context! {
            ubn => user.ubn.to_string(), company => companies.get(&user.ubn).map(CompanyName::as_str), user_id => &user.user_id, since => moment(user.since),
            rule => user.rule.map(AbuseRule::as_str),
        }
    };
    users.iter().map(user).collect()
}

/// A notice as the templates take it.
pub(crate) fn notice(read: &Versioned<Notice>, names: &OfficerNames, now: DateTime<Utc>) -> Value {
    let value = &read.value;
    let due = value.state.due();
    let later = value.later.iter();
    let later = later.map(|found| context! { day => roc(found.day), counts => counts(&found.counts) });
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
        day => roc(value.evidence.day), user_id => value.evidence.user_id.as_deref(),
        counts => counts(&value.evidence.counts), later => later.collect::<Value>(),
        suggestion => value.rule.suggestion().as_str(), sendings => sendings.collect::<Value>(),
        ruling => ruling(value.state.ruling(), names),
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

async fn organisation_page(
    page: &OfficerPage<'_>,
    file: &OrganisationFile,
    refused: Option<&Refused<'_>>,
) -> poem::Result<Response> {
    let now = page.app.services.clock.now();
    let names = &file.officers;
    let organisation = &file.organisation;
    let message = refused.map(|refused| refused.message(page)).unwrap_or_default();
    let errors = refused.map(|refused| {
        context! { id => format!("{}-{}", refused.form, refused.field()), message => &message }
    });
    let told = |refused: &Refused<'_>| {
        let above = matches!(refused.why, Why::Problem(_));
        context! {
            form => &refused.form, typed => refused.typed, version => refused.version,
            field => refused.field(), message => &message, above,
        }
    };
    let files: Vec<_> = file.notices.iter().flat_map(|read| attachment::of_notice(&read.value)).collect();
    let files = attachment::page::listed(page, &files, "/officer").await?;
    let with = context! {
        files,
        ubn => organisation.ubn.to_string(),
        organisation => shown::organisation(organisation, now, &[]),
        access => access(page.lang, &organisation.access),
        may_govern => page.permits(Permission::GovernAccess),
        steps => file.steps.iter().map(|step| step.as_str()).collect::<Value>(),
        grounds => [Ground::Abuse, Ground::Conduct, Ground::NotRegistered].map(Ground::as_str),
        revocations => file.revocations.iter().map(|read| revocation(read, names, &page.officer)).collect::<Value>(),
        plans => file.plans.iter().map(|read| plan(read, names)).collect::<Value>(),
        users => users(&file.suspended_users, &Companies::new()),
        notices => file.notices.iter().map(|read| notice(read, names, now)).collect::<Value>(),
        cases => file.cases.iter().map(|case| shown::case(case, &[], Audience::officer(page.lang), now)).collect::<Value>(),
        refused => refused.map(told),
        errors => errors.into_iter().collect::<Value>(),
    };
    let status = refused.map_or(StatusCode::OK, Refused::status);
    Ok(page.show(status, "officer/organisation.html", with))
}

async fn open(page: &OfficerPage<'_>, ubn: &str, refused: Option<&Refused<'_>>) -> poem::Result<Response> {
    let ubn = UnifiedBusinessNumber::parse(ubn).map_err(|_| page.not_found("/officer"))?;
    let file = page.app.services.organisations.organisation(&page.officer, ubn).await;
    organisation_page(page, &page.or_problem(file, "/officer")?, refused).await
}

#[handler]
pub(crate) async fn show_organisation(
    page: OfficerPage<'_>,
    Path(ubn): Path<String>,
) -> poem::Result<Response> {
    open(&page, &ubn, None).await
}

/// The steps by their names in the path; what is not named here is no step.
pub(crate) const STEPS: [&str; 12] = [
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
    "withdraw-notice",
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
    /// Days that are none, or too few or many.
    Days,
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
        let reason = || Reason::parse(typed);
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
                let message = Narrative::parse(typed)?;
                let step = NoticeStep::Send { message, days: days.ok_or(Unread::Days)? };
                Self::Notice(NoticeId(id()?), version()?, step)
            }
            "accept-notice" => {
                let note = if typed.is_empty() { None } else { Some(reason()?) };
                Self::Notice(NoticeId(id()?), version()?, NoticeStep::Accept { note })
            }
            "dismiss-notice" | "withdraw-notice" => {
                Self::Notice(NoticeId(id()?), version()?, NoticeStep::Dismiss { reason: reason()? })
            }
            _ => return Err(Unread::Unknown),
        })
    }

    async fn take(&self, page: &OfficerPage<'_>, ubn: UnifiedBusinessNumber) -> Result<(), Refusal> {
        let officer = &page.officer;
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
pub(crate) async fn take_step(
    page: OfficerPage<'_>,
    Path((ubn, name)): Path<(String, String)>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let number = UnifiedBusinessNumber::parse(&ubn).map_err(|_| page.not_found("/officer"))?;
    let typed = text(&form, "text");
    let again = async |why| {
        let (version, form) = (value(&form, "version"), format!("{name}{}", value(&form, "id")));
        open(&page, &ubn, Some(&Refused { form, typed: &typed, version, why })).await
    };
    let step = match Step::read(&name, &form, &typed) {
        Ok(step) => step,
        Err(Unread::Unknown) => return Err(page.not_found("/officer")),
        Err(Unread::Days) => return again(Why::Days).await,
        Err(Unread::Text(violation)) => {
            return again(Why::Text(FieldViolation { pointer: "/text".to_owned(), violation })).await;
        }
    };
    match step.take(&page, number).await {
        Ok(()) => Ok(see_other(&format!("/officer/organisations/{ubn}"))),
        Err(refusal @ (Refusal::Forbidden | Refusal::Unknown)) => page.or_problem(Err(refusal), "/officer"),
        Err(refusal) => again(Why::Problem(refusal.into())).await,
    }
}

/// What waits for someone beside the cases: requests to revoke, improvement plans.
#[handler]
pub(crate) async fn waiting(page: OfficerPage<'_>) -> poem::Result<Response> {
    let waiting = page.app.services.organisations.waiting(&page.officer).await;
    let waiting = page.or_problem(waiting, "/officer")?;
    let names = &waiting.officers;
    let asked = waiting.revocations.iter().map(|read| read.value.ubn);
    let suspended = waiting.suspended_users.iter().map(|user| user.ubn);
    let ubns = asked.chain(waiting.plans.iter().map(|read| read.value.ubn)).chain(suspended).collect();
    let companies = page.companies(ubns).await?;
    let revocations = waiting
        .revocations
        .iter()
        .map(|asked| named(revocation(asked, names, &page.officer), companies.get(&asked.value.ubn)));
    let plans = waiting.plans.iter().map(|read| named(plan(read, names), companies.get(&read.value.ubn)));
    let with = context! {
        revocations => revocations.collect::<Value>(),
        plans => plans.collect::<Value>(), users => users(&waiting.suspended_users, &companies),
        dormant => waiting.dormant.iter().map(|one| {
            let (iso, since) = (one.since.to_string(), roc(one.since));
            context! { ubn => one.ubn.to_string(), name => one.name.as_str(), iso, since }
        }).collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/waiting.html", with))
}

/// The open notices, overdue ones on top.
#[handler]
pub(crate) async fn open_notices(page: OfficerPage<'_>) -> poem::Result<Response> {
    let services = &page.app.services;
    let open = page.or_problem(services.notices.open(&page.officer).await, "/officer")?;
    let now = services.clock.now();
    let companies = page.companies(open.value.iter().map(|read| read.value.ubn).collect()).await?;
    let notices = open
        .value
        .iter()
        .map(|read| named(notice(read, &open.officers, now), companies.get(&read.value.ubn)));
    let with = context! { notices => notices.collect::<Value>() };
    Ok(page.show(StatusCode::OK, "officer/notices.html", with))
}
