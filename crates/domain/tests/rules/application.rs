//! The life of a case: every action in every state, the clock, and random lives held to the diagram.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    application::{
        Action, Actor, Application, Approvers, ClarificationId, RefusedTransition, State, StateName,
        TransitionRefusal,
    },
    calendar::DueDate,
    officer::{OfficerId, Permission, Role, permits},
};
use proptest::prelude::*;
use rstest::rstest;
use uuid::Uuid;

use crate::{
    state_diagram::edges_of_the_module,
    support::{
        OFFICER, SECOND, apply, at, attempt, attempt_with, calendar, case, change_address, day, in_state,
        narrative, overdue, reason, start, suspend,
    },
};

fn outcome(state: StateName, action: Action, when: DateTime<Utc>, approvers: Approvers) -> String {
    match attempt_with(in_state(state), action, when, approvers) {
        Ok((case, _)) => case.state.name().as_str().to_owned(),
        Err(RefusedTransition { why: TransitionRefusal::State, .. }) => "–".to_owned(),
        Err(RefusedTransition { why: TransitionRefusal::ClarificationStillRunning(due), .. }) => {
            format!("after {}", due.date)
        }
        Err(RefusedTransition { why: TransitionRefusal::OtherClarification, .. }) => "other".to_owned(),
        Err(RefusedTransition { why: TransitionRefusal::NotProposed, .. }) => "not proposed".to_owned(),
        Err(RefusedTransition { why: TransitionRefusal::SameOfficer, .. }) => "same officer".to_owned(),
    }
}

/// Ten actions on an `Apply` in each of seven states: while every deadline runs, after all of them, and where two officers approve.
#[test]
fn every_action_in_every_state() {
    let mut table = String::new();
    for (title, when, approvers) in [
        ("in time", start() + TimeDelta::hours(1), Approvers::One),
        ("overdue", overdue(), Approvers::One),
        ("two approve", start() + TimeDelta::hours(1), Approvers::Two),
    ] {
        let names = StateName::ALL.map(|state| format!("{:<23}", state.as_str()));
        writeln!(table, "{title:<21}{}", names.concat().trim_end()).unwrap();
        for action in Action::ALL {
            let outcomes =
                StateName::ALL.map(|state| format!("{:<23}", outcome(state, action, when, approvers)));
            writeln!(table, "{:<21}{}", action.as_str(), outcomes.concat().trim_end()).unwrap();
        }
        writeln!(table).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_refusal_says_from_where_and_what() {
    for state in StateName::ALL {
        for action in Action::ALL {
            if let Err(refused) = attempt(in_state(state), action, start()) {
                assert_eq!((refused.from, refused.action), (state, action));
            }
        }
    }
    let refused = attempt(in_state(StateName::Approved), Action::Reject, start()).unwrap_err();
    assert_eq!(refused.to_string(), "Reject is refused from Approved");
}

#[test]
fn a_step_says_who_when_and_why() {
    let when = start() + TimeDelta::hours(1);
    let (case, step) = in_state(StateName::UnderReview).reject(OFFICER, reason("目的不明"), when).unwrap();
    assert_eq!((step.from, step.to), (Some(StateName::UnderReview), StateName::Rejected));
    assert_eq!((step.action, step.by, step.at), (Action::Reject, Actor::Officer(OFFICER), when));
    assert_eq!(step.text.as_deref(), Some("目的不明"));
    let closing = case.state.closing().unwrap();
    assert_eq!((closing.by, closing.at), (Actor::Officer(OFFICER), when));
    assert_eq!(closing.reason, Some(reason("目的不明").into()));
    assert!(!case.is_open() && case.state.due().is_none() && case.state.assignee().is_none());
}

#[test]
fn the_assignee_is_taken_over_and_cleared_without_touching_the_clock() {
    let other = idcheck_domain::officer::OfficerId(Uuid::from_u128(0xA2));
    let received = case(apply(), start());
    let due = received.state.due();
    let (claimed, _) = received.claim(OFFICER, start()).unwrap();
    assert_eq!(claimed.state.assignee(), Some(OFFICER));
    let (taken_over, _) = claimed.claim(other, start() + TimeDelta::days(1)).unwrap();
    assert_eq!(taken_over.state.assignee(), Some(other));
    let (released, _) = taken_over.release(other, start() + TimeDelta::days(2)).unwrap();
    assert_eq!((released.state.assignee(), released.state.due()), (None, due));
    // A courtesy, not a lock: anybody may decide a case that nobody has.
    assert!(released.approve(OFFICER, None, start() + TimeDelta::days(3), Approvers::One).is_ok());
}

fn question(id: u128) -> ClarificationId {
    ClarificationId(Uuid::from_u128(id))
}

fn asked(received: &str, asked: &str) -> Application {
    let (claimed, _) = case(apply(), at(received)).claim(OFFICER, at(received)).unwrap();
    claimed.request_clarification(question(7), narrative("請補充"), OFFICER, at(asked), calendar()).unwrap().0
}

/// Due dates worked out by hand; the day of asking and the day of the answer are not counted.
#[rstest]
#[case::as_if_never_asked("01-05T09:00", "01-07T09:00", "01-14", "01-07T17:00", "01-12")]
#[case::three_days_left("01-05T09:00", "01-07T09:00", "01-14", "01-13T17:00", "01-16")]
#[case::asked_on_the_first_day("01-05T09:00", "01-05T10:00", "01-12", "01-08T10:00", "01-15")]
#[case::asked_on_the_last_day("01-05T09:00", "01-12T23:59", "01-19", "01-14T10:00", "01-14")]
#[case::asked_when_overdue("01-05T09:00", "01-15T10:00", "01-22", "01-16T10:00", "01-16")]
#[case::answered_on_saturday("01-05T09:00", "01-07T09:00", "01-14", "01-10T10:00", "01-14")]
#[case::answered_late("01-05T09:00", "01-07T09:00", "01-14", "01-17T10:00", "01-21")]
#[case::after_midnight_is_the_next_day("01-05T09:00", "01-08T00:00", "01-15", "01-13T00:00", "01-15")]
#[case::over_the_new_year_week("02-12T09:00", "02-13T09:00", "03-02", "02-23T09:00", "03-02")]
fn the_clock_stands_still_while_the_applicant_is_asked(
    #[case] received: &str,
    #[case] asked_at: &str,
    #[case] answer_due: &str,
    #[case] answered_at: &str,
    #[case] decision_due: &str,
) {
    let instant = |text: &str| format!("2026-{text}:00+08:00");
    let due = |text: &str| Some(DueDate { date: day(&format!("2026-{text}")), provisional: false });
    let waiting = asked(&instant(received), &instant(asked_at));
    assert_eq!(waiting.state.due(), due(answer_due));
    assert_eq!(waiting.state.assignee(), Some(OFFICER));
    let when = at(&instant(answered_at));
    let (answered, step) =
        waiting.answer_clarification(question(7), narrative("已補充"), when, calendar()).unwrap();
    assert_eq!(answered.state.due(), due(decision_due));
    assert_eq!(answered.state.assignee(), Some(OFFICER));
    assert_eq!((step.by, step.text.as_deref()), (Actor::Applicant, Some("已補充")));
    assert_eq!(answered.clarifications[0].answer, Some((narrative("已補充"), when)));
}

#[test]
fn only_the_open_clarification_is_answered() {
    let waiting = asked("2026-01-05T09:00:00+08:00", "2026-01-06T09:00:00+08:00");
    let when = at("2026-01-07T09:00:00+08:00");
    let other = waiting.clone().answer_clarification(question(8), narrative("答"), when, calendar());
    assert_eq!(other.unwrap_err().why, TransitionRefusal::OtherClarification);
    let (answered, _) = waiting.answer_clarification(question(7), narrative("一"), when, calendar()).unwrap();
    let (again, _) =
        answered.request_clarification(question(9), narrative("再問"), OFFICER, when, calendar()).unwrap();
    let old = again.clone().answer_clarification(question(7), narrative("答"), when, calendar());
    assert_eq!(old.unwrap_err().why, TransitionRefusal::OtherClarification);
    let (done, _) = again.answer_clarification(question(9), narrative("二"), when, calendar()).unwrap();
    let answers: Vec<_> = done.clarifications.iter().map(|c| c.answer.as_ref().unwrap().0.as_str()).collect();
    assert_eq!(answers, ["一", "二"]);
}

/// The applicant has the whole of the last day.
#[test]
fn rejecting_waits_for_the_applicant() {
    let waiting = asked("2026-01-05T09:00:00+08:00", "2026-01-07T09:00:00+08:00");
    let reject = |when| waiting.clone().reject(OFFICER, reason("逾期未補件"), at(when));
    let due = DueDate { date: day("2026-01-14"), provisional: false };
    let early = reject("2026-01-14T23:59:59.999999+08:00").unwrap_err();
    assert_eq!(early.why, TransitionRefusal::ClarificationStillRunning(due));
    assert_eq!(reject("2026-01-15T00:00:00+08:00").unwrap().0.state.name(), StateName::Rejected);
}

/// It takes two different officers to let a company ask; the note of the first is kept unless the second gives another.
#[test]
fn two_officers_approve_an_apply() {
    let under_review = |request| case(request, start()).claim(OFFICER, start()).unwrap().0;
    let alone = under_review(apply()).approve(SECOND, None, start(), Approvers::Two).unwrap_err();
    assert_eq!(alone.why, TransitionRefusal::NotProposed);
    let propose = |note: Option<&str>| {
        let note = note.map(reason);
        under_review(apply()).propose_approval(OFFICER, note, start(), Approvers::Two).unwrap()
    };
    let (proposed, step) = propose(Some("請先測試"));
    assert_eq!((step.action, step.text.as_deref()), (Action::ProposeApproval, Some("請先測試")));
    assert_eq!(proposed.state.due(), under_review(apply()).state.due(), "the time goes on");
    // Whether two are asked or one now: who proposed is not the second.
    for approvers in [Approvers::One, Approvers::Two] {
        let same = proposed.clone().approve(OFFICER, None, start(), approvers).unwrap_err();
        assert_eq!(same.why, TransitionRefusal::SameOfficer);
        for (note, kept) in [(None, "請先測試"), (Some("照准"), "照准")] {
            let approved = proposed.clone().approve(SECOND, note.map(reason), start(), approvers);
            assert_eq!(approved.unwrap().1.text.as_deref(), Some(kept));
        }
    }
    for officer in [OFFICER, SECOND] {
        let (back, _) =
            proposed.clone().return_to_review(officer, Some(&reason("法條不符")), start()).unwrap();
        assert_eq!((back.state.name(), back.state.proposal()), (StateName::UnderReview, None));
    }
    for other in [suspend(), change_address(None, 0)] {
        let refused = under_review(other.clone()).propose_approval(OFFICER, None, start(), Approvers::Two);
        assert_eq!(refused.unwrap_err().why, TransitionRefusal::State, "of other kinds one decides");
        assert!(under_review(other).approve(OFFICER, None, start(), Approvers::Two).is_ok());
    }
}

/// A case's whole life: what was tried, how long after the step before.
fn life() -> impl Strategy<Value = Vec<(Action, i64)>> {
    prop::collection::vec((prop::sample::select(Action::ALL.to_vec()), 0_i64..4 * 24 * 60), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn random_lives_stay_in_the_diagram(life in life(), two: bool) {
        let approvers = if two { Approvers::Two } else { Approvers::One };
        let edges = edges_of_the_module();
        let mut now = start();
        let mut case = case(apply(), now);
        for (action, minutes) in life {
            now += TimeDelta::minutes(minutes);
            let before = case.clone();
            match attempt_with(case, action, now, approvers) {
                Ok((after, step)) => {
                    prop_assert_eq!(step.from, Some(before.state.name()));
                    prop_assert_eq!(step.to, after.state.name());
                    prop_assert_eq!((step.action, step.at), (action, now));
                    prop_assert!(before.is_open(), "{:?} left a final state", action);
                    if two && action == Action::Approve {
                        let proposed = before.state.proposal().map(|proposal| Actor::Officer(proposal.by));
                        prop_assert!(proposed.is_some_and(|by| by != step.by), "approved by one");
                    }
                    let edge = (step.from.unwrap(), action, step.to);
                    prop_assert!(edges.contains(&edge), "{:?} is not in the diagram", edge);
                    prop_assert_eq!(after.is_open(), after.state.closing().is_none());
                    prop_assert_eq!(after.is_open(), after.state.due().is_some());
                    let unanswered = after.clarifications.iter().filter(|c| c.answer.is_none()).count();
                    prop_assert!(unanswered <= 1);
                    if let State::ClarificationRequested { open, .. } = &after.state {
                        prop_assert_eq!(after.clarifications.last().map(|c| c.id), Some(open.id));
                        prop_assert!(open.days_left <= 5);
                    }
                    case = after;
                }
                Err(refused) => {
                    prop_assert_eq!((refused.from, refused.action), (before.state.name(), action));
                    case = before;
                }
            }
        }
    }
}

/// What is offered to an officer is what the transitions let pass, at every state and moment; to a role that may not review,
/// nothing.
#[rstest]
fn steps_are_offered_as_they_are_allowed(
    #[values(
        StateName::Received,
        StateName::UnderReview,
        StateName::ApprovalProposed,
        StateName::ClarificationRequested,
        StateName::Approved,
        StateName::Rejected,
        StateName::Withdrawn
    )]
    state: StateName,
    #[values(Role::Reviewer, Role::Supervisor, Role::Auditor, Role::Admin)] role: Role,
    #[values(1, 20)] days: i64,
    #[values(Approvers::One, Approvers::Two)] approvers: Approvers,
    #[values(OFFICER, SECOND)] officer: OfficerId,
) {
    let now = start() + TimeDelta::days(days);
    let case = in_state(state);
    let of_officers = [
        Action::Claim,
        Action::Release,
        Action::RequestClarification,
        Action::ProposeApproval,
        Action::Approve,
        Action::ReturnToReview,
        Action::Reject,
    ];
    let allowed = of_officers.into_iter().filter(|action| match action {
        Action::Approve => case.clone().approve(officer, None, now, approvers).is_ok(),
        _ => attempt_with(case.clone(), *action, now, approvers).is_ok(),
    });
    let expected: Vec<_> = allowed.filter(|_| permits(role, Permission::ReviewCases)).collect();
    assert_eq!(case.possible_steps((officer, role), approvers, now), expected);
}
