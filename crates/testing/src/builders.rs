//! Values that are right.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    application::{Application, ApplicationId, Filing, Kind, Request, Step},
    calendar::WorkingCalendar,
    card::{CardRole, SigningCard},
    consent::{CONDUCT_VERSION, Consent, NOTICE_VERSION},
    contact::Contact,
    organisation::Organisation,
    value::{
        Account, AddressPolicy, ApplyCode, Authority, CaseNumber, CompanyName, ContactName, Description,
        EmailAddress, HostAddress, HostAddresses, IssueSite, Mobile, PersonId, Purpose, Reason, RocDate,
        Rule, UnifiedBusinessNumber,
    },
    verification::{CardData, CardStatus},
};
use idcheck_usecases::ports::{AuditAction, AuditActor, AuditEntry, AuditSubject, RegisterRow};
use uuid::Uuid;

/// Numbers with a right check digit, from a fixed start: every fifth, roughly.
static UBNS: LazyLock<Vec<UnifiedBusinessNumber>> = LazyLock::new(|| {
    (70_000_000..70_025_000_u32)
        .filter_map(|number| UnifiedBusinessNumber::parse(&number.to_string()).ok())
        .collect()
});

/// The `number`th business number, up to some 5,000.
pub fn ubn(number: usize) -> UnifiedBusinessNumber {
    UBNS[number]
}

pub fn contact() -> Contact {
    Contact::new(
        ContactName::parse("王小明").unwrap(),
        None,
        Some(Mobile::parse("0912345678").unwrap()),
        EmailAddress::parse("it@example.com").unwrap(),
    )
    .unwrap()
}

pub fn addresses(text: &str) -> HostAddresses {
    HostAddresses::new(vec![HostAddress::parse(text, AddressPolicy::Public).unwrap()]).unwrap()
}

pub fn request(kind: Kind, ubn: UnifiedBusinessNumber) -> Request {
    let reason = || Reason::parse("機房搬遷").unwrap();
    match kind {
        Kind::Apply => {
            let purpose = Purpose {
                authority: Authority::parse("金融監督管理委員會").unwrap(),
                rule: Rule::parse("金融機構防制洗錢辦法").unwrap(),
                description: Description::parse("開戶時確認客戶身分").unwrap(),
            };
            Request::apply(purpose, ubn, None).unwrap()
        }
        Kind::ChangeAddress => {
            Request::ChangeAddress { reason: reason(), cut_over_at: None, overlap_days: 0 }
        }
        Kind::Suspend => Request::Suspend { reason: reason() },
    }
}

pub fn organisation(ubn: UnifiedBusinessNumber) -> Organisation {
    Organisation::new(ubn, CompanyName::parse("測試甲股份有限公司").unwrap(), contact())
}

/// A card of this company, issued a year before `at`.
pub fn signing_card(ubn: UnifiedBusinessNumber, at: DateTime<Utc>) -> SigningCard {
    SigningCard {
        company_name: "測試甲股份有限公司".to_owned(),
        role: Some(CardRole::Secondary),
        serial: format!("40{ubn}"),
        issuer: "C=TW,O=示範機構".to_owned(),
        not_before: at - TimeDelta::days(365),
        not_after: at + TimeDelta::days(4 * 365),
        fingerprint: "0f".repeat(32),
        chain: vec![vec![0x30, 2, 5, 0], vec![0x30, 0]],
    }
}

pub fn application(
    ubn: UnifiedBusinessNumber,
    kind: Kind,
    id: u128,
    at: DateTime<Utc>,
) -> (Application, Step) {
    let filing = Filing {
        ubn,
        company_name: CompanyName::parse("測試甲股份有限公司").unwrap(),
        card: signing_card(ubn, at),
        contact: contact(),
        replaces: None,
        host_addresses: addresses("8.8.8.8"),
        request: request(kind, ubn),
        consent: Consent::given(NOTICE_VERSION, CONDUCT_VERSION, at).unwrap(),
    };
    let day = idcheck_domain::taipei::day(at);
    let number = CaseNumber::new(day, u64::try_from(id).unwrap());
    Application::receive(ApplicationId(Uuid::from_u128(id)), number, filing, at, &WorkingCalendar::default())
}

/// An organisation as the approval of its application leaves it.
pub fn active_organisation(ubn: UnifiedBusinessNumber, account: Account, at: DateTime<Utc>) -> Organisation {
    let (application, _) = application(ubn, Kind::Apply, 1, at);
    organisation(ubn).approve(&application, account, at).unwrap().0
}

/// The `number`th person: each has another number, all the same card data.
pub fn person(number: usize) -> PersonId {
    let stem = format!("A1{number:07}");
    (0..10).find_map(|digit| PersonId::parse(&format!("{stem}{digit}")).ok()).unwrap()
}

pub fn card(year: u32) -> CardData {
    CardData {
        apply_code: ApplyCode::First,
        applied_on: RocDate::parse(&format!("{year:03}0617")).unwrap(),
        issue_site: IssueSite::parse("63000").unwrap(),
    }
}

/// The register's row of a person; its card is of the year 108.
pub fn register_row(number: usize, status: CardStatus) -> RegisterRow {
    RegisterRow { person_id: person(number), data: card(108), status }
}

/// What every change leaves in the audit log, where it does not matter what.
pub fn audit() -> Vec<AuditEntry> {
    vec![audit_entry()]
}

pub fn audit_entry() -> AuditEntry {
    let subject = AuditSubject::Reminder("x".to_owned());
    AuditEntry::new(AuditActor::System, AuditAction::ReminderSend, subject)
}
