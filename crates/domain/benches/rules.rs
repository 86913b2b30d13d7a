//! The rules that every query is decided by, one by one. On one core, without IO.

#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use chrono::{NaiveDate, TimeZone, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use idcheck_domain::{
    calendar::WorkingCalendar,
    lockout::{Strikes, answer},
    outcome::RecordedOutcome,
    taipei,
    value::{ApplyCode, IssueSite, PersonId, RocDate, UnifiedBusinessNumber},
    verification::{CardData, CardStatus, compare},
};

fn card(date: &str) -> CardData {
    CardData {
        apply_code: ApplyCode::First,
        applied_on: RocDate::parse(date).unwrap(),
        issue_site: IssueSite::parse("68000").unwrap(),
    }
}

fn query(criterion: &mut Criterion) {
    let (right, wrong) = (card("0940706"), card("0940707"));
    let registered = (right, CardStatus::Normal);
    for (name, asked) in [("answer, right", right), ("answer, wrong", wrong)] {
        criterion.bench_function(name, |b| {
            b.iter(|| {
                answer(black_box(Strikes::default()), || compare(black_box(&asked), Some(&registered)))
            });
        });
    }
    criterion.bench_function("read a card's data", |b| b.iter(|| card(black_box("0940706"))));
    criterion.bench_function("read an ID number", |b| b.iter(|| PersonId::parse(black_box("A123456789"))));
    criterion
        .bench_function("read a UBN", |b| b.iter(|| UnifiedBusinessNumber::parse(black_box("04595257"))));
    let at = Utc.with_ymd_and_hms(2026, 11, 28, 15, 59, 59).unwrap();
    criterion.bench_function("day in Taipei", |b| b.iter(|| taipei::day(black_box(at))));
    criterion.bench_function("read an outcome", |b| b.iter(|| RecordedOutcome::parse(black_box("replayed"))));
}

fn calendar(criterion: &mut Criterion) {
    let (calendar, from) = (WorkingCalendar::default(), NaiveDate::from_ymd_opt(2026, 11, 27).unwrap());
    criterion.bench_function("five working days", |b| b.iter(|| calendar.due(black_box(from), 5)));
}

criterion_group!(benches, query, calendar);
criterion_main!(benches);
