//! Revoking with two persons, and judging plans.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
};

use idcheck_domain::{
    abuse::{AbuseRule, Activity, Answered, Measure, NumberActivity, Thresholds, judge},
    access::{Access, Ground},
    application::{Application, StateName},
    notice::{Notice, NoticeId},
    officer::{OfficerId, Role},
    organisation::Organisation,
    plan::{ImprovementPlan, PlanId},
    precondition::Precondition,
    revocation::{Revocation, RevocationId},
    ruling::RefusedRuling,
    sweep::{SweepId, SweepItem},
    value::{CompanyName, Narrative, Reason},
};
use uuid::Uuid;

use crate::{
    OfficePorts, Refusal,
    notice::{HandleNotices, NoticeStep, ReplayAbuse, Replayed, WatchUsage},
    organisation::{GovernAccess, RevocationRuling},
    plan::{JudgePlans, PlanRuling},
    ports::{
        AuditAction, AuditActor, Change, CommitError, FoundUser, MailMessage, MockApplications, MockChanges,
        MockCompanyRegister, MockImprovementPlans, MockNotices, MockOrganisations, MockRevocations,
        MockSweeps, MockUsageTally, MockUserSuspensions, Officer, RegisterError, SuspendedUser, UserChange,
        Versioned, Write,
    },
    sweep::SweepCompanies,
    tests::{application, contact, now, office, ubn},
    user_suspension::GovernUsers,
};

const ASKER: u128 = 5;

fn officer(id: u128, role: Role) -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(id)), username: "lin".to_owned(), role }
}

fn reason() -> Reason {
    Reason::parse("大量試探").unwrap()
}

fn activity() -> Activity {
    Activity {
        ubn: ubn(),
        day: idcheck_domain::taipei::day(now()),
        answered: Answered { answers: 200, wrong: 200 },
        week: Answered { answers: 200, wrong: 200 },
        month: Answered { answers: 200, wrong: 200 },
        locked_numbers: 0,
        replays: 0,
        refused_addresses: 0,
        users: Vec::new(),
        numbers: vec![NumberActivity { own: 40, attempts: 40, organisations: 1 }],
        neighbours: Vec::new(),
        made_up: 0,
    }
}

fn raised() -> Notice {
    let finding = judge(&activity(), &Thresholds::default()).remove(0);
    Notice::raise(NoticeId(Uuid::from_u128(3)), ubn(), finding, now())
}

struct World {
    access: Access,
    cases: Vec<Application>,
    notices: Vec<Notice>,
    commits: Vec<Result<(), CommitError>>,
    committed: Arc<Mutex<Vec<Change>>>,
}

impl World {
    fn new(access: Access) -> Self {
        Self {
            access,
            cases: Vec::new(),
            notices: Vec::new(),
            commits: vec![Ok(())],
            committed: Arc::default(),
        }
    }

    fn active() -> Self {
        Self::new(Access::Active { since: now() })
    }

    fn ports(self) -> OfficePorts {
        let mut applications = MockApplications::new();
        let cases: Vec<_> = self.cases.into_iter().map(|value| Versioned { value, version: 7 }).collect();
        applications.expect_of_organisation().returning(move |_| Ok(cases.clone()));
        let mut organisations = MockOrganisations::new();
        let mut held = Organisation::new(ubn(), CompanyName::parse("測試甲").unwrap(), contact());
        held.access = self.access;
        organisations
            .expect_find()
            .returning(move |_| Ok(Some(Versioned { value: held.clone(), version: 3 })));
        let mut revocations = MockRevocations::new();
        revocations.expect_find().returning(|id| {
            let by = officer(ASKER, Role::Reviewer).id;
            let value = Revocation::ask(id, ubn(), Ground::Abuse, reason(), by, now());
            Ok(Some(Versioned { value, version: 2 }))
        });
        let mut plans = MockImprovementPlans::new();
        plans.expect_find().returning(|id| {
            let value = ImprovementPlan::file(id, ubn(), Narrative::parse("加強控管").unwrap(), now());
            Ok(Some(Versioned { value, version: 1 }))
        });
        let mut notices = MockNotices::new();
        let open: Vec<_> = self.notices.into_iter().map(|value| Versioned { value, version: 4 }).collect();
        let (found, waiting) = (open.clone(), open.clone());
        notices.expect_of_organisation().returning(move |_| Ok(open.clone()));
        notices.expect_find().returning(move |_| Ok(found.first().cloned()));
        notices.expect_open().returning(move || Ok(waiting.clone()));
        notices.expect_standing().returning(|_| Ok(HashSet::new()));
        let mut changes = MockChanges::new();
        let (committed, outcomes) = (self.committed, Mutex::new(self.commits.into_iter()));
        changes.expect_commit().returning(move |change| {
            committed.lock().unwrap().push(change);
            outcomes.lock().unwrap().next().unwrap_or(Err(CommitError::Conflict))
        });
        OfficePorts {
            applications: Arc::new(applications),
            organisations: Arc::new(organisations),
            revocations: Arc::new(revocations),
            plans: Arc::new(plans),
            notices: Arc::new(notices),
            changes: Arc::new(changes),
            ..office()
        }
    }

    async fn rule(self, by: Officer, version: i64, ruling: RevocationRuling) -> Result<(), Refusal> {
        let id = RevocationId(Uuid::from_u128(1));
        GovernAccess::new(self.ports()).rule(&by, id, version, &ruling).await.map(drop)
    }
}

#[tokio::test]
async fn a_confirmation_revokes_settles_and_tells_in_one_change() {
    let mut world = World::active();
    let mut suspend = application();
    suspend.request = idcheck_domain::application::Request::Suspend { reason: reason() };
    // An open application for access is not settled: its precondition is checked at the decision.
    world.cases = vec![suspend, application()];
    world.notices = vec![raised()];
    let committed = Arc::clone(&world.committed);
    world.rule(officer(6, Role::Supervisor), 2, RevocationRuling::Confirm).await.unwrap();
    let change = committed.lock().unwrap().remove(0);
    let Some(Write::Update { value, expected: 3 }) = change.organisation else { panic!("no organisation") };
    assert_eq!(value.access.as_str(), "revoked");
    assert_eq!(change.applications.len(), 1);
    let Write::Update { value: closed, expected: 7 } = &change.applications[0] else { panic!("no case") };
    assert_eq!(closed.state.name(), StateName::Rejected);
    assert_eq!(change.history.len(), 1);
    assert!(matches!(change.revocation, Some(Write::Update { expected: 2, .. })));
    assert!(matches!(&change.mail[0].message, MailMessage::AccessRevoked { ground: Ground::Abuse, .. }));
    assert!(matches!(&change.mail[1].message, MailMessage::Settled { .. }));
    assert_eq!(change.audit[0].action.to_string(), "revocation.confirm");
    let Write::Update { value: ended, expected: 4 } = &change.notices[0] else { panic!("no notice") };
    assert_eq!(ended.state.as_str(), "ended");
}

#[tokio::test]
async fn who_asked_can_not_confirm_even_as_supervisor() {
    let world = World::active();
    let committed = Arc::clone(&world.committed);
    let refusal =
        world.rule(officer(ASKER, Role::Supervisor), 2, RevocationRuling::Confirm).await.unwrap_err();
    assert_eq!(refusal, Refusal::Ruling(RefusedRuling::SamePerson));
    assert!(committed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn only_a_supervisor_confirms() {
    for role in [Role::Reviewer, Role::Auditor, Role::Admin] {
        let refusal = World::active().rule(officer(6, role), 2, RevocationRuling::Confirm).await.unwrap_err();
        assert_eq!(refusal, Refusal::Forbidden);
    }
}

#[tokio::test]
async fn a_ruling_on_another_version_is_stale() {
    let ruling = RevocationRuling::Decline { note: reason() };
    let refusal = World::active().rule(officer(6, Role::Supervisor), 1, ruling).await.unwrap_err();
    assert_eq!(refusal, Refusal::Stale);
}

#[tokio::test]
async fn a_change_that_came_between_is_taken_into_account() {
    let mut world = World::active();
    world.commits = vec![Err(CommitError::Conflict), Ok(())];
    let committed = Arc::clone(&world.committed);
    world.rule(officer(6, Role::Supervisor), 2, RevocationRuling::Confirm).await.unwrap();
    assert_eq!(committed.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn asking_needs_something_to_revoke_and_waits_its_turn() {
    let ask = |world: World| async {
        let govern = GovernAccess::new(world.ports());
        govern.ask(&officer(ASKER, Role::Reviewer), ubn(), Ground::Conduct, &reason()).await
    };
    let asked = ask(World::active()).await.unwrap();
    assert_eq!((asked.value.version, asked.value.value.state.as_str()), (1, "asked"));
    let nothing = ask(World::new(Access::None)).await.unwrap_err();
    assert_eq!(nothing, Refusal::Precondition(Precondition::NothingHeld));
    let mut second = World::active();
    second.commits = vec![Err(CommitError::OpenCase)];
    assert_eq!(ask(second).await.unwrap_err(), Refusal::Waiting);
}

#[tokio::test]
async fn an_accepted_plan_opens_the_way_back_in_the_same_change() {
    let revoked =
        Access::Revoked { since: now(), ground: Ground::Abuse, reason: reason().into(), may_return: false };
    let world = World::new(revoked);
    let committed = Arc::clone(&world.committed);
    let judge = JudgePlans::new(world.ports());
    let ruling = PlanRuling::Approve { note: None };
    judge.rule(&officer(6, Role::Reviewer), PlanId(Uuid::from_u128(1)), 1, &ruling).await.unwrap();
    let change = committed.lock().unwrap().remove(0);
    let Some(Write::Update { value, .. }) = change.organisation else { panic!("no organisation") };
    assert_eq!(value.access.may_apply(), Ok(()));
    assert!(matches!(&change.mail[0].message, MailMessage::ReturnOpened { .. }));
    assert!(matches!(change.plan, Some(Write::Update { expected: 1, .. })));
}

#[tokio::test]
async fn what_the_rules_find_is_raised_once_and_another_node_s_is_passed_over() {
    let mut world = World::active();
    // Two rules are touched; the second was raised by another node a moment ago.
    world.commits = vec![Ok(()), Err(CommitError::OpenCase)];
    let committed = Arc::clone(&world.committed);
    let mut tally = MockUsageTally::new();
    let mut counted = [250, 250, 7].into_iter();
    tally.expect_advance().times(3).returning(move |_, _, _| Ok(counted.next().unwrap()));
    tally.expect_activities().times(1).returning(|_, _| Ok(vec![activity()]));
    let watch = WatchUsage::new(world.ports(), Arc::new(tally), Thresholds::default());
    assert_eq!(watch.execute().await, Ok(1));
    let changes = committed.lock().unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!((changes[0].audit[0].actor, changes[0].mail.len()), (AuditActor::System, 0));
}

#[tokio::test]
async fn other_thresholds_are_tried_on_past_days_and_nothing_is_raised() {
    let mut tally = MockUsageTally::new();
    let today = idcheck_domain::taipei::day(now());
    tally.expect_activities().times(3).returning(move |day, _| {
        let wrong = if day == today { 200 } else { 100 };
        let answered = Answered { answers: 200, wrong };
        Ok(vec![Activity { day, answered, week: answered, month: answered, ..activity() }])
    });
    let mut world = World::active();
    world.notices = vec![raised()];
    let ports = world.ports();
    let replay = ReplayAbuse::new(ports.clock, Arc::new(tally), ports.notices);
    let thresholds = Thresholds { mismatch_percent: 50, number_attempts: 41, ..Thresholds::default() };
    let found = replay.execute(&thresholds, 3).await.unwrap();
    let counts = BTreeMap::from([(Measure::Answers, 200), (Measure::Wrong, 200)]);
    let (rule, first) = (AbuseRule::MismatchRatio, today - chrono::Days::new(2));
    assert_eq!(found, [Replayed { ubn: ubn(), rule, first, days: 3, counts, raised: true }]);
}

#[tokio::test]
async fn a_notice_is_sent_with_its_mail_and_not_twice() {
    let mut world = World::active();
    world.notices = vec![raised()];
    let committed = Arc::clone(&world.committed);
    let handle = HandleNotices::new(world.ports());
    let by = officer(6, Role::Reviewer);
    let step = NoticeStep::Send { message: Narrative::parse("請說明").unwrap(), days: 3 };
    let id = NoticeId(Uuid::from_u128(3));
    assert_eq!(handle.take(&by, id, 3, &step).await.unwrap_err(), Refusal::Stale);
    let sent = handle.take(&by, id, 4, &step).await.unwrap();
    assert_eq!((sent.value.version, sent.value.value.state.as_str()), (5, "sent"));
    let change = committed.lock().unwrap().remove(0);
    // 2026-11-23 is a Monday: three working days later is Thursday.
    let MailMessage::NoticeSent { due, .. } = &change.mail[0].message else { panic!("no mail") };
    assert_eq!(due.date.to_string(), "2026-11-26");
    let accept = NoticeStep::Accept { note: None };
    let refused = handle.take(&by, id, 4, &accept).await.unwrap_err();
    assert!(matches!(refused, Refusal::Notice(_)), "{refused:?}");
}

/// A notice that was sent is taken back with a mail; one that never was is put away without; asking again says so.
#[tokio::test]
async fn the_company_is_told_what_becomes_of_a_notice_that_it_got() {
    let narrative = |text: &str| Narrative::parse(text).unwrap();
    let by = officer(6, Role::Reviewer);
    let calendar = idcheck_domain::calendar::WorkingCalendar::default();
    let sent = raised().send(narrative("請說明"), 3, by.id, now(), &calendar).unwrap();
    let explained = sent.clone().explain(narrative("已改善"), now()).unwrap();
    let mails = async |notice: Notice, step: NoticeStep| {
        let mut world = World::active();
        let id = notice.id;
        world.notices = vec![notice];
        let committed = Arc::clone(&world.committed);
        HandleNotices::new(world.ports()).take(&by, id, 4, &step).await.unwrap();
        let change = committed.lock().unwrap().remove(0);
        change.mail.into_iter().map(|mail| mail.message).collect::<Vec<_>>()
    };
    let dismiss = || NoticeStep::Dismiss { reason: reason() };
    assert_eq!(mails(raised(), dismiss()).await, []);
    let told = mails(sent, dismiss()).await;
    assert!(matches!(&told[..], [MailMessage::NoticeWithdrawn { reason, .. }] if reason == "大量試探"));
    let again = NoticeStep::Send { message: narrative("請再說明"), days: 3 };
    let told = mails(explained, again).await;
    assert!(matches!(&told[..], [MailMessage::NoticeAskedAgain { .. }]), "{told:?}");
}

fn suspended(user_id: &str) -> MockUserSuspensions {
    let mut users = MockUserSuspensions::new();
    let user = SuspendedUser {
        ubn: ubn(),
        user_id: user_id.to_owned(),
        since: now(),
        rule: Some(AbuseRule::UserMistakes),
    };
    users.expect_suspended().returning(move |_| Ok(vec![user.clone()]));
    users
}

#[tokio::test]
async fn a_user_is_let_in_with_its_mail_and_without_its_name_in_the_log() {
    let world = World::active();
    let committed = Arc::clone(&world.committed);
    let govern = GovernUsers::new(OfficePorts { users: Arc::new(suspended("teller7")), ..world.ports() });
    let refused = async |role, user| govern.lift(&officer(6, role), ubn(), user).await.unwrap_err();
    assert_eq!(refused(Role::Auditor, "teller7").await, Refusal::Forbidden);
    assert_eq!(refused(Role::Reviewer, "teller8").await, Refusal::Unknown);
    assert!(committed.lock().unwrap().is_empty());
    govern.lift(&officer(6, Role::Reviewer), ubn(), "teller7").await.unwrap();
    let change = committed.lock().unwrap().remove(0);
    assert_eq!(change.users, [UserChange { ubn: ubn(), user_id: "teller7".to_owned(), suspended: None }]);
    assert!(
        matches!(&change.mail[0].message, MailMessage::UserLifted { user_id, .. } if user_id == "teller7")
    );
    assert!(!format!("{:?}", change.audit).contains("teller7"));
    // Another officer was first.
    assert_eq!(refused(Role::Reviewer, "teller7").await, Refusal::Stale);
}

#[tokio::test]
async fn who_is_found_is_suspended_told_and_not_named_in_the_log() {
    let mut tally = MockUsageTally::new();
    tally.expect_advance().times(1).returning(|_, _, suspend| {
        let found = FoundUser {
            ubn: ubn(),
            company: CompanyName::parse("測試甲").unwrap(),
            to: contact().email().clone(),
            user_id: "teller7".to_owned(),
            wrong: 101,
        };
        let made = suspend.suspend(vec![found]);
        assert_eq!(made.users[0].suspended, Some((now(), AbuseRule::UserMistakes)));
        assert!(matches!(made.mail[0].message, MailMessage::UserSuspended { .. }));
        assert_eq!(
            (made.mail[0].to.clone(), made.audit[0].action),
            (contact().email().clone(), AuditAction::UserSuspend)
        );
        assert!(!format!("{:?}", made.audit).contains("teller7"));
        Ok(0)
    });
    tally.expect_activities().returning(|_, _| Ok(Vec::new()));
    let watch = WatchUsage::new(World::active().ports(), Arc::new(tally), Thresholds::default());
    assert_eq!(watch.execute().await, Ok(0));
}

/// One number without an answer keeps no other from being asked about.
#[tokio::test]
async fn a_number_without_an_answer_is_passed_over() {
    let item = || SweepItem::unread(ubn(), CompanyName::parse("甲公司").unwrap());
    let (mut sweeps, mut register) = (MockSweeps::new(), MockCompanyRegister::new());
    let id = SweepId(Uuid::from_u128(7));
    sweeps.expect_unread().returning(move |_, _| Ok(vec![(id, item()); 7]));
    // Two in a row are silent, again and again, and the register is not away.
    let mut asked = 0;
    register.expect_company().times(7).returning(move |_| {
        asked += 1;
        if asked % 3 == 0 { Ok(None) } else { Err(RegisterError::Unreadable) }
    });
    sweeps.expect_unanswered().times(5).returning(|_, _, _| Ok(()));
    sweeps.expect_found().times(2).returning(|_, _| Ok(()));
    let sweeps = SweepCompanies::new(
        OfficePorts { company_register: Arc::new(register), ..World::active().ports() },
        Arc::new(sweeps),
    );
    assert_eq!(sweeps.advance().await, Ok(7));
}

/// A register that does not answer is not an empty one: nothing is written, and it is asked again.
#[tokio::test]
async fn what_the_register_did_not_answer_has_no_finding() {
    let item = || SweepItem::unread(ubn(), CompanyName::parse("甲公司").unwrap());
    for answer in [Err(RegisterError::Unreadable), Err(RegisterError::NoSnapshot)] {
        let (mut sweeps, mut register) = (MockSweeps::new(), MockCompanyRegister::new());
        let silent = answer == Err(RegisterError::Unreadable);
        sweeps.expect_unanswered().times(if silent { 3 } else { 0 }).returning(|_, _, again_at| {
            assert!(again_at > now());
            Ok(())
        });
        sweeps.expect_unread().returning(move |_, _| Ok(vec![(SweepId(Uuid::from_u128(7)), item()); 4]));
        sweeps.expect_candidates().returning(move || Ok(vec![item()]));
        register.expect_company().return_const(answer.clone());
        register.expect_state_of().returning(|| Ok(None));
        let sweeps = SweepCompanies::new(
            OfficePorts { company_register: Arc::new(register), ..World::active().ports() },
            Arc::new(sweeps),
        );
        let refused = Refusal::Register(answer.unwrap_err());
        assert_eq!(sweeps.advance().await, Err(refused));
        assert_eq!(sweeps.preview().await.unwrap(), [item()]);
    }
}
