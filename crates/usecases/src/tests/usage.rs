//! Usage: who may see whose, and what a report is made of.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{NaiveDate, TimeDelta};
use idcheck_domain::{
    officer::{OfficerId, Role},
    organisation::Organisation,
    usage::{DayCount, Latency, Period},
    value::CompanyName,
    verification::VerificationResult,
};
use uuid::Uuid;

use crate::{
    Refusal,
    ports::{
        AuditAction, MockChanges, MockOrganisations, MockUsageCounts, Officer, OrganisationUsage, Versioned,
    },
    tests::{calendar, clock, contact, now, other_ubn, ubn},
    usage::{ReadUsage, UsagePorts},
};

fn officer(role: Role) -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role }
}

fn name() -> CompanyName {
    CompanyName::parse("測試甲股份有限公司").unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Two queries on the 22nd; one decision in a day, one in eight working days.
fn counts() -> MockUsageCounts {
    let mut counts = MockUsageCounts::new();
    counts.expect_days().returning(|_, _| {
        let mut count = DayCount::default();
        count.add(Some(VerificationResult::Match), 2);
        Ok(BTreeMap::from([(day("2026-11-22"), count)]))
    });
    counts.expect_refused().returning(|_, _| Ok(Vec::new()));
    counts.expect_latency().returning(|_, _| {
        let mut latency = Latency::default();
        latency.add(1, 2);
        Ok(latency)
    });
    let since = |days| vec![(now() - TimeDelta::days(days), now())];
    counts.expect_reviews().returning(move |_, _| Ok(vec![since(3), since(12)]));
    counts.expect_organisations().returning(|_, _| {
        Ok(vec![OrganisationUsage { ubn: ubn(), name: name(), count: DayCount::default() }])
    });
    counts
}

fn read(notes: usize) -> ReadUsage {
    let mut organisations = MockOrganisations::new();
    organisations.expect_find().returning(|asked| {
        let known = Organisation::new(ubn(), name(), contact());
        Ok((asked == ubn()).then_some(Versioned { value: known, version: 1 }))
    });
    let mut changes = MockChanges::new();
    changes
        .expect_note()
        .withf(|entry| entry.action == AuditAction::UsageRead && entry.detail == "days:2026-11-21/2026-11-23")
        .times(notes)
        .returning(|_| Ok(()));
    ReadUsage::new(UsagePorts {
        clock: clock(),
        counts: Arc::new(counts()),
        organisations: Arc::new(organisations),
        calendar: calendar(),
        changes: Arc::new(changes),
    })
}

fn period() -> Period {
    Period::new(day("2026-11-21"), day("2026-11-23")).unwrap()
}

#[tokio::test]
async fn a_report_has_every_day_and_reviews_against_the_promise() {
    let report = read(0).report(&officer(Role::Auditor), None, period()).await.unwrap();
    let queries: Vec<_> = report.days.iter().map(|(day, count)| (day.to_string(), count.queries())).collect();
    let expected = [("2026-11-21", 0), ("2026-11-22", 2), ("2026-11-23", 0)];
    assert_eq!(queries, expected.map(|(day, count)| (day.to_owned(), count)));
    assert_eq!((report.total().queries(), report.latency.within(99)), (2, Some(2)));
    // From Friday to Monday one working day; from Wednesday of the week before last eight.
    assert_eq!((report.reviews.by_days()[1], report.reviews.late()), (1, 1));
    assert_eq!((report.busiest.len(), report.organisation), (1, None));
}

#[tokio::test]
async fn a_look_at_one_organisation_is_noted() {
    let report = read(1).report(&officer(Role::Reviewer), Some(ubn()), period()).await.unwrap();
    assert_eq!((report.organisation, report.busiest), (Some((ubn(), name())), Vec::new()));
    let read = read(0);
    let unknown = read.report(&officer(Role::Reviewer), Some(other_ubn()), period()).await;
    assert_eq!(unknown, Err(Refusal::Unknown));
    let admin = read.report(&officer(Role::Admin), None, period()).await;
    assert_eq!(admin, Err(Refusal::Forbidden));
}

#[tokio::test]
async fn an_organisation_reads_its_own_without_a_note() {
    let read = read(0);
    let own = read.own(ubn(), period()).await.unwrap();
    assert_eq!((own.total().queries(), own.reviews.decisions()), (2, 2));
    assert_eq!(read.latest(), Period::new(day("2026-10-25"), day("2026-11-23")).unwrap());
}
