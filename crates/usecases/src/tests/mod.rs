//! Unit tests of the use cases against mocked ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acts;
mod audit;
mod casework;
mod drafts;
mod in_force;
mod officers;
mod passkeys;
mod reminders;
mod review;
mod templates;
mod usage;
mod verify;
mod webhooks;
mod worklist;

use std::sync::Arc;

use chrono::{DateTime, TimeZone, Utc};
use idcheck_domain::{
    application::{Application, ApplicationId, Filing, Request},
    calendar::WorkingCalendar,
    card::SigningCard,
    consent::{CONDUCT_VERSION, Consent, NOTICE_VERSION},
    contact::Contact,
    value::{
        AddressPolicy, Authority, CaseNumber, CompanyName, ContactName, Description, EmailAddress,
        HostAddress, HostAddresses, Mobile, Purpose, Rule, UnifiedBusinessNumber,
    },
};
use uuid::Uuid;

use crate::{
    OfficePorts,
    ports::{
        Clock, Entropy, MockApplications, MockCalendarStore, MockChanges, MockClock, MockCompanyRegister,
        MockDormancy, MockEntropy, MockImprovementPlans, MockMailComposer, MockNotices, MockOfficers,
        MockOrganisations, MockReasonTemplates, MockRevocations, MockUsageCounts, MockUserSuspensions,
    },
    usage::{ReadUsage, UsagePorts},
};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 2, 0, 0).unwrap()
}

fn clock() -> Arc<dyn Clock> {
    let mut clock = MockClock::new();
    clock.expect_now().return_const(now());
    Arc::new(clock)
}

/// Bytes that count up, so that every identity is another.
fn entropy() -> Arc<dyn Entropy> {
    let mut entropy = MockEntropy::new();
    let counter = std::sync::atomic::AtomicU8::new(0);
    entropy.expect_fill().returning(move |bytes| {
        for byte in bytes {
            *byte = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    Arc::new(entropy)
}

fn calendar() -> Arc<MockCalendarStore> {
    let mut calendar = MockCalendarStore::new();
    calendar.expect_load().returning(|| Ok(WorkingCalendar::default()));
    Arc::new(calendar)
}

fn ubn() -> UnifiedBusinessNumber {
    UnifiedBusinessNumber::parse("04595257").unwrap()
}

fn other_ubn() -> UnifiedBusinessNumber {
    UnifiedBusinessNumber::parse("12345675").unwrap()
}

fn contact() -> Contact {
    Contact::new(
        ContactName::parse("王小明").unwrap(),
        None,
        Some(Mobile::parse("0912345678").unwrap()),
        EmailAddress::parse("it@example.com").unwrap(),
    )
    .unwrap()
}

/// Another contact, who was there before.
fn before() -> Contact {
    Contact::new(
        ContactName::parse("陳大文").unwrap(),
        None,
        Some(Mobile::parse("0987654321").unwrap()),
        EmailAddress::parse("before@example.com").unwrap(),
    )
    .unwrap()
}

fn purpose() -> Purpose {
    Purpose {
        authority: Authority::parse("金融監督管理委員會").unwrap(),
        rule: Rule::parse("金融機構防制洗錢辦法").unwrap(),
        description: Description::parse("開戶時確認客戶身分").unwrap(),
    }
}

fn addresses() -> HostAddresses {
    HostAddresses::new(vec![HostAddress::parse("8.8.8.8", AddressPolicy::Public).unwrap()]).unwrap()
}

fn signing_card() -> SigningCard {
    SigningCard {
        company_name: "測試甲股份有限公司".to_owned(),
        role: None,
        serial: "01".to_owned(),
        issuer: "CN=x".to_owned(),
        not_before: now(),
        not_after: now(),
        fingerprint: "ab".repeat(32),
        chain: vec![vec![0x30, 0]],
    }
}

/// Counts of use that nobody asks for.
fn usage() -> ReadUsage {
    ReadUsage::new(UsagePorts {
        clock: clock(),
        counts: Arc::new(MockUsageCounts::new()),
        organisations: Arc::new(MockOrganisations::new()),
        calendar: calendar(),
        changes: Arc::new(MockChanges::new()),
    })
}

/// Ports of which a test sets those that it asks.
fn office() -> OfficePorts {
    let mut officers = MockOfficers::new();
    officers.expect_list().returning(|| Ok(Vec::new()));
    OfficePorts {
        clock: clock(),
        entropy: entropy(),
        applications: Arc::new(MockApplications::new()),
        organisations: Arc::new(MockOrganisations::new()),
        company_register: Arc::new(MockCompanyRegister::new()),
        revocations: Arc::new(MockRevocations::new()),
        plans: Arc::new(MockImprovementPlans::new()),
        notices: Arc::new(MockNotices::new()),
        users: Arc::new(MockUserSuspensions::new()),
        counts: Arc::new(MockUsageCounts::new()),
        dormancy: Arc::new(MockDormancy::new()),
        templates: Arc::new(MockReasonTemplates::new()),
        calendar: calendar(),
        officers: Arc::new(officers),
        composer: Arc::new(MockMailComposer::new()),
        changes: Arc::new(MockChanges::new()),
    }
}

fn application() -> Application {
    let filing = Filing {
        ubn: ubn(),
        company_name: CompanyName::parse("測試甲股份有限公司").unwrap(),
        card: signing_card(),
        contact: contact(),
        replaces: None,
        host_addresses: addresses(),
        request: Request::apply(purpose(), ubn(), None).unwrap(),
        consent: Consent::given(NOTICE_VERSION, CONDUCT_VERSION, now()).unwrap(),
    };
    let number = CaseNumber::parse("1151123-7K3M9QX").unwrap();
    Application::receive(
        ApplicationId(Uuid::from_u128(1)),
        number,
        filing,
        now(),
        &WorkingCalendar::default(),
    )
    .0
}
