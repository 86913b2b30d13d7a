//! The contract of [`UsageTally`]: records are counted once, over nodes, and tell the rules what they look at.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use idcheck_domain::{
    abuse::{AbuseRule, Activity, Answered, Thresholds, judge},
    key::Environment,
    outcome::{QueryRefusal, RecordedOutcome},
    taipei,
    value::{PersonId, UnifiedBusinessNumber},
    verification::{CardStatus, VerificationResult},
};
use idcheck_usecases::ports::{
    Ask, AuditAction, AuditActor, AuditEntry, Change, Changes, Clock, CommitError, FoundUser,
    HouseholdRegister, Ledger, LedgerAnswer, LedgerEntry, Suspend, Suspensions, UsageTally, UserChange,
    UserSuspensions,
};

use super::ledger::{admit, question};
use crate::{
    FixedClock, NobodySuspended,
    abuse::{Counts, Event},
    builders::{audit, register_row, ubn},
};

/// Organisations of this suite, from this number on.
const FIRST: usize = 3500;

fn entry(organisation: usize, person: usize, year: u32, jti: &str, millis: i64) -> LedgerEntry {
    let entry = question(person, year, jti);
    LedgerEntry {
        ubn: ubn(organisation),
        at: entry.at + TimeDelta::milliseconds(millis),
        user_id: "teller7".to_owned(),
        ..entry
    }
}

async fn counted(nodes: [&impl UsageTally; 2], thresholds: &Thresholds) -> Vec<Activity> {
    // Both count at once, in small strides, until nothing is left.
    let run =
        async |node: usize| while nodes[node].advance(7, thresholds, &NobodySuspended).await.unwrap() > 0 {};
    tokio::join!(run(0), run(1));
    nodes[0].activities(taipei::day(FixedClock::default().now()), thresholds).await.unwrap()
}

fn of(activities: &[Activity], ubn: UnifiedBusinessNumber) -> &Activity {
    activities.iter().find(|activity| activity.ubn == ubn).unwrap()
}

/// One company that guesses is noticed within 200 wrong answers; what is counted is what was recorded.
pub async fn one_company<S: UsageTally + Changes>(nodes: [&S; 2], ledger: &impl Ledger) {
    let who = admit(nodes[0], FIRST).await;
    // Two wrong answers about each of a hundred persons, steadily one every 300 ms.
    for number in 0..200_usize {
        let millis = i64::try_from(number).unwrap() * 300;
        let asked = entry(FIRST, 4000 + number / 2, 100, &format!("tally-{number}"), millis);
        ledger.record(asked).await.unwrap();
    }
    // Sent again, from elsewhere, and in the sandbox: none of these is an answer in production.
    ledger.record(entry(FIRST, 4000, 100, "tally-1", 0)).await.unwrap();
    let elsewhere =
        LedgerEntry { ask: Ask::Refused(QueryRefusal::AddressNotRegistered), ..entry(FIRST, 0, 100, "", 0) };
    ledger.record(LedgerEntry { user_id: String::new(), ..elsewhere }).await.unwrap();
    let sandbox = entry(FIRST, 4200, 100, "tally-sandbox", 0);
    ledger.record(LedgerEntry { environment: Environment::Sandbox, ..sandbox }).await.unwrap();

    let thresholds = Thresholds::default();
    let activities = counted(nodes, &thresholds).await;
    let activity = of(&activities, who);
    assert_eq!((activity.answered, activity.locked_numbers), (Answered { answers: 200, wrong: 200 }, 0));
    assert_eq!((activity.replays, activity.refused_addresses), (1, 1));
    assert_eq!(activity.users.len(), 1);
    assert_eq!((activity.week, activity.month), (activity.answered, activity.answered));
    // The replay came at the first second again, which is no distance.
    let user = &activity.users[0];
    assert_eq!((user.queries, user.wrong, user.gaps, user.even), (201, 200, 199, 198));
    let rules: Vec<_> = judge(activity, &thresholds).into_iter().map(|finding| finding.rule).collect();
    let mut expected = vec![AbuseRule::MismatchRatio, AbuseRule::MachinePaced, AbuseRule::UserMistakes];
    // They are a hundred neighbours.
    expected.push(AbuseRule::GuessedNeighbours);
    assert_eq!(rules, expected);
    // Counted again, nothing changes.
    assert_eq!(of(&counted(nodes, &thresholds).await, who), activity);
}

/// Twenty companies that share the guessing of one number are noticed, each of them, within 2,000 wrong answers.
pub async fn colluding_companies<S: UsageTally + Changes>(nodes: [&S; 2], ledger: &impl Ledger) {
    let mut who = Vec::new();
    for number in 1..=20 {
        who.push(admit(nodes[0], FIRST + number).await);
    }
    // Each asks once about each of four numbers, and hides it among right answers about others.
    for (asked, organisation) in (1..=20_usize).flat_map(|o| [o; 4]).enumerate() {
        let jti = format!("colluding-{asked}");
        ledger.record(entry(FIRST + organisation, 4300 + asked % 4, 100, &jti, 0)).await.unwrap();
    }
    let thresholds = Thresholds::default();
    let activities = counted(nodes, &thresholds).await;
    for ubn in who {
        let found = judge(of(&activities, ubn), &thresholds);
        let finding = found.iter().find(|finding| finding.rule == AbuseRule::GuessedNumber).unwrap();
        let counts: Vec<_> = finding.evidence.counts.iter().map(|(_, count)| *count).collect();
        // Four numbers; each was asked about by all twenty, three times in vain and then locked.
        assert_eq!(counts, [4, 20, 20]);
    }
}

/// What a store counts is what the model counts: any queries, over days and organisations, with neighbours and made-up numbers.
pub async fn as_the_model<S: UsageTally + Changes>(
    nodes: [&S; 2],
    ledger: &impl Ledger,
    draw: &mut (dyn FnMut(usize) -> usize + Send),
) {
    const ORGANISATIONS: usize = 4;
    let thresholds = Thresholds {
        answers: 10,
        locked_numbers: 2,
        number_attempts: 4,
        number_organisations: 3,
        neighbours: 4,
        shared_neighbours: 6,
        made_up: 3,
        paced_run: 3,
        ..Thresholds::default()
    };
    let mut who = Vec::new();
    for number in 0..ORGANISATIONS {
        who.push(admit(nodes[0], FIRST + 100 + number).await);
    }
    let mut counts = Counts::default();
    let usual = ["A123456789", "A111111113"].map(|text| PersonId::parse(text).unwrap());
    for query in 0..400 {
        // Nine days, in their order.
        let at = FixedClock::default().now() + TimeDelta::hours(query / 2) + TimeDelta::minutes(query % 2);
        let jti = format!("model-{query}");
        let person = 5_000 + draw(2) * 100 + draw(12);
        let mut entry = LedgerEntry { at, ..entry(FIRST + 100 + draw(ORGANISATIONS), person, 100, &jti, 0) };
        ["", "teller1", "teller2"][draw(3)].clone_into(&mut entry.user_id);
        match draw(10) {
            0 => entry.ask = Ask::Refused(QueryRefusal::AddressNotRegistered),
            1 => {
                if let Ask::Card { question, .. } = &mut entry.ask {
                    question.person_id = usual[draw(2)];
                }
            }
            _ => {}
        }
        let (ubn, user_id) = (entry.ubn, entry.user_id.clone());
        let (number, refused) = match &entry.ask {
            Ask::Card { question, .. } => (Some(question.person_id), None),
            Ask::Refused(refusal) => (None, Some(RecordedOutcome::Refused(*refusal))),
        };
        let answer = ledger.record(entry).await.unwrap();
        let outcome = refused.or_else(|| answer.outcome()).unwrap();
        counts.add(Event { ubn, user_id: &user_id, at, number, outcome });
    }
    counted(nodes, &thresholds).await;
    let first = taipei::day(FixedClock::default().now());
    let mut found = BTreeSet::new();
    for day in first.iter_days().take(10) {
        let activities = nodes[1].activities(day, &thresholds).await.unwrap();
        for ubn in &who {
            let stored = activities.iter().find(|activity| activity.ubn == *ubn);
            let model = counts.activity(*ubn, day);
            let judged = |activity: Option<&Activity>| activity.map(|activity| judge(activity, &thresholds));
            let findings = judged(stored);
            assert_eq!(findings, judged(model.as_ref()), "{ubn} on {day}");
            found.extend(findings.into_iter().flatten().map(|finding| finding.rule));
        }
    }
    for rule in [AbuseRule::GuessedNumber, AbuseRule::GuessedNeighbours, AbuseRule::MadeUpNumbers] {
        assert!(found.contains(&rule), "{rule:?} was not found: {found:?}");
    }
}

/// Suspends whoever is found.
struct Everybody;

impl Suspend for Everybody {
    fn suspend(&self, found: Vec<FoundUser>) -> Suspensions {
        let since = FixedClock::default().now();
        let entry = |user: &FoundUser| {
            let entry = AuditEntry::new(AuditActor::System, AuditAction::UserSuspend, user.ubn);
            entry.detail(format!("wrong:{}", user.wrong))
        };
        let audit = found.iter().map(entry).collect();
        let suspend = |user: FoundUser| UserChange {
            ubn: user.ubn,
            user_id: user.user_id,
            suspended: Some((since, AbuseRule::UserMistakes)),
        };
        Suspensions { users: found.into_iter().map(suspend).collect(), audit, ..Suspensions::default() }
    }
}

/// Check 11: whoever answers wrongly too often is suspended once, however many nodes count, and gets result 8; lifted, what
/// was counted until then counts no more.
pub async fn a_user_is_suspended_once<S>(nodes: [&S; 2], ledger: &impl Ledger)
where
    S: UsageTally + Changes + UserSuspensions + HouseholdRegister,
{
    let who = admit(nodes[0], FIRST + 30).await;
    let known: Vec<_> = (0..3).map(|round| register_row(4426 + 30 * round, CardStatus::Normal)).collect();
    nodes[0].import(&known).await.unwrap();
    let thresholds = Thresholds { user_wrong: 20, ..Thresholds::default() };
    let ask = |person: usize, year, jti: String| ledger.record(entry(FIRST + 30, person, year, &jti, 0));
    let counted = async || {
        let run =
            async |node: usize| while nodes[node].advance(3, &thresholds, &Everybody).await.unwrap() > 0 {};
        tokio::join!(run(0), run(1));
        nodes[0].suspended(Some(who)).await.unwrap().len()
    };
    for round in 0..3_usize {
        let first = 4400 + round * 30;
        for person in first..first + 19 {
            ask(person, 100, format!("suspended-{person}")).await.unwrap();
        }
        assert_eq!(counted().await, 0, "one is missing");
        // Two more at once; either node may be the first to find it.
        for person in first + 19..first + 21 {
            ask(person, 100, format!("suspended-{person}")).await.unwrap();
        }
        assert_eq!(counted().await, 1);
        let answer = ask(first + 25, 108, format!("suspended-after-{round}")).await.unwrap();
        assert_eq!(answer, LedgerAnswer::Result(VerificationResult::UserSuspended));
        // Two officers at once: one lets the user in, and one mail says so.
        let lift = || {
            let users = vec![UserChange { ubn: who, user_id: "teller7".to_owned(), suspended: None }];
            Change { users, audit: audit(), ..Change::default() }
        };
        let outcomes = tokio::join!(nodes[0].commit(lift()), nodes[1].commit(lift()));
        assert!(
            matches!(outcomes, (Ok(()), Err(CommitError::Conflict)) | (Err(CommitError::Conflict), Ok(()))),
            "{outcomes:?}"
        );
        assert_eq!(counted().await, 0, "what it did before is forgiven");
        let answer = ask(first + 26, 108, format!("lifted-{round}")).await.unwrap();
        assert_eq!(answer, LedgerAnswer::Result(VerificationResult::Match));
    }
}
