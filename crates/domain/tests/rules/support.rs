//! Values that are right, and cases in every state.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc, Weekday};
use idcheck_domain::{
    application::{
        Action, Application, ApplicationId, Approvers, ClarificationId, Filing, RefusedTransition, Request,
        State, StateName, Step,
    },
    calendar::WorkingCalendar,
    card::{CardRole, SigningCard},
    consent::{CONDUCT_VERSION, Consent, NOTICE_VERSION},
    contact::Contact,
    officer::OfficerId,
    organisation::Organisation,
    value::{
        AddressPolicy, Authority, CaseNumber, CompanyName, ContactName, Description, EmailAddress,
        HostAddress, HostAddresses, Landline, Narrative, Purpose, Reason, Rule, UnifiedBusinessNumber,
    },
};
use uuid::Uuid;

pub(crate) const OFFICER: OfficerId = OfficerId(Uuid::from_u128(0xA1));
pub(crate) const SECOND: OfficerId = OfficerId(Uuid::from_u128(0xA5));

/// `2026-01-05`.
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// `2026-01-05T09:00:00+08:00`.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Weekdays off and make-up Saturdays of the years that the tables use, as the government published them.
const DAYS_OFF: [(i32, &str, &str); 3] = [
    (2024, "0101 0208 0209 0212 0213 0214 0228 0404 0405 0610 0917 1010", "0217"),
    (2025, "0101 0127 0128 0129 0130 0131 0228 0403 0404 0530 1006 1010", "0208"),
    (2026, "0101 0216 0217 0218 0219 0220 0227 0403 0406 0501 0619 0925 0928 1009 1026 1225", ""),
];

static CALENDAR: LazyLock<WorkingCalendar> = LazyLock::new(|| {
    let mut calendar = WorkingCalendar::default();
    for (year, weekdays_off, make_up) in DAYS_OFF {
        let listed = |list: &'static str, day: NaiveDate| {
            list.split(' ').any(|entry| entry == day.format("%m%d").to_string())
        };
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let days = first.iter_days().take_while(|d| d.year() == year);
        let days_off = days.filter(|d| match d.weekday() {
            Weekday::Sat | Weekday::Sun => !listed(make_up, *d),
            _ => listed(weekdays_off, *d),
        });
        calendar.set_year(year, days_off);
    }
    calendar
});

/// The working calendar of 2024 to 2026.
pub(crate) fn calendar() -> &'static WorkingCalendar {
    &CALENDAR
}

pub(crate) fn ubn() -> UnifiedBusinessNumber {
    UnifiedBusinessNumber::parse("04595257").unwrap()
}

pub(crate) fn reason(text: &str) -> Reason {
    Reason::parse(text).unwrap()
}

pub(crate) fn narrative(text: &str) -> Narrative {
    Narrative::parse(text).unwrap()
}

pub(crate) fn host(text: &str) -> HostAddress {
    HostAddress::parse(text, AddressPolicy::Public).unwrap()
}

pub(crate) fn hosts(texts: &[&str]) -> HostAddresses {
    HostAddresses::new(texts.iter().map(|t| host(t)).collect()).unwrap()
}

pub(crate) fn purpose() -> Purpose {
    Purpose {
        authority: Authority::parse("金融監督管理委員會").unwrap(),
        rule: Rule::parse("金融機構防制洗錢辦法第三條").unwrap(),
        description: Description::parse("確認開戶客戶身分").unwrap(),
    }
}

pub(crate) fn contact(name: &str) -> Contact {
    Contact::new(
        ContactName::parse(name).unwrap(),
        Some(Landline::parse("(02)12345678#1234").unwrap()),
        None,
        EmailAddress::parse("contact@example.com.tw").unwrap(),
    )
    .unwrap()
}

pub(crate) fn apply() -> Request {
    Request::Apply { purpose: purpose(), former_ubn: None }
}

pub(crate) fn suspend() -> Request {
    Request::Suspend { reason: reason("不再使用") }
}

pub(crate) fn change_address(cut_over_at: Option<DateTime<Utc>>, overlap_days: u8) -> Request {
    Request::ChangeAddress { reason: reason("機房搬遷"), cut_over_at, overlap_days }
}

/// A card of a company with this name in its certificate.
pub(crate) fn card(company_name: &str) -> SigningCard {
    SigningCard {
        company_name: company_name.to_owned(),
        role: Some(CardRole::Primary),
        serial: "01".to_owned(),
        issuer: "O=x".to_owned(),
        not_before: at("2025-01-05T09:00:00+08:00"),
        not_after: at("2030-01-05T09:00:00+08:00"),
        fingerprint: "ab".repeat(32),
        chain: vec![vec![0x30, 0]],
    }
}

pub(crate) fn filing(request: Request) -> Filing {
    Filing {
        ubn: ubn(),
        company_name: CompanyName::parse("新名股份有限公司").unwrap(),
        card: card("新名股份有限公司"),
        contact: contact("王小明"),
        replaces: Some(contact("陳大文")),
        host_addresses: hosts(&["203.66.1.2", "2404:6800::1"]),
        request,
        consent: Consent::given(NOTICE_VERSION, CONDUCT_VERSION, at("2026-01-05T09:00:00+08:00")).unwrap(),
    }
}

/// A case received at `received`.
pub(crate) fn case(request: Request, received: DateTime<Utc>) -> Application {
    let number = CaseNumber::new(received.date_naive(), 1);
    let id = ApplicationId(Uuid::from_u128(0xC1));
    Application::receive(id, number, filing(request), received, calendar()).0
}

pub(crate) fn organisation() -> Organisation {
    Organisation::new(ubn(), CompanyName::parse("舊名股份有限公司").unwrap(), contact("陳大文"))
}

/// Does `action` to a case as well as it can be done: an answer names the open clarification if there is one.
pub(crate) fn attempt(
    case: Application,
    action: Action,
    at: DateTime<Utc>,
) -> Result<(Application, Step), RefusedTransition> {
    attempt_with(case, action, at, Approvers::One)
}

/// The same where it takes so many officers to approve.
pub(crate) fn attempt_with(
    case: Application,
    action: Action,
    at: DateTime<Utc>,
    approvers: Approvers,
) -> Result<(Application, Step), RefusedTransition> {
    let id = ClarificationId(Uuid::from_u128(case.clarifications.len() as u128));
    match action {
        Action::Receive | Action::Redate => panic!("no step of a case that stands: {action:?}"),
        Action::Claim => case.claim(OFFICER, at),
        Action::Release => case.release(OFFICER, at),
        Action::RequestClarification => {
            case.request_clarification(id, narrative("請補充"), OFFICER, at, calendar())
        }
        Action::AnswerClarification => {
            let open = match &case.state {
                State::ClarificationRequested { open, .. } => open.id,
                _ => id,
            };
            case.answer_clarification(open, narrative("已補充"), at, calendar())
        }
        Action::ProposeApproval => case.propose_approval(OFFICER, None, at, approvers),
        // Of what was proposed somebody else is asked.
        Action::Approve if case.state.proposal().is_some() => case.approve(SECOND, None, at, approvers),
        Action::Approve => case.approve(OFFICER, None, at, approvers),
        Action::ReturnToReview => case.return_to_review(SECOND, None, at),
        Action::Reject => case.reject(OFFICER, reason("不符規定"), at),
        Action::Withdraw => case.withdraw(None, at),
        Action::Close => case.close(idcheck_domain::application::Actor::System, at),
    }
}

/// When [`in_state`]'s cases are received.
pub(crate) fn start() -> DateTime<Utc> {
    at("2026-01-05T09:00:00+08:00")
}

/// A case in `state`, brought there within an hour of [`start`].
pub(crate) fn in_state(state: StateName) -> Application {
    let way: &[Action] = match state {
        StateName::Received => &[],
        StateName::UnderReview => &[Action::Claim],
        StateName::ApprovalProposed => &[Action::Claim, Action::ProposeApproval],
        StateName::ClarificationRequested => &[Action::Claim, Action::RequestClarification],
        StateName::Approved => &[Action::Claim, Action::Approve],
        StateName::Rejected => &[Action::Claim, Action::Reject],
        StateName::Withdrawn => &[Action::Withdraw],
    };
    let case = way.iter().fold(case(apply(), start()), |case, action| {
        let approvers = if state == StateName::ApprovalProposed { Approvers::Two } else { Approvers::One };
        attempt_with(case, *action, start() + TimeDelta::minutes(1), approvers).unwrap().0
    });
    assert_eq!(case.state.name(), state);
    case
}

/// Long after every deadline of [`in_state`]'s cases.
pub(crate) fn overdue() -> DateTime<Utc> {
    start() + Days::new(60)
}
