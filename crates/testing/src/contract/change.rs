//! The contract of [`Changes`] with the reading ports beside it.

use chrono::TimeDelta;
use idcheck_domain::{
    access::{Access, Ground},
    application::{Actor, Approvers, ClarificationId, Closing, Kind, State, StateName},
    calendar::WorkingCalendar,
    key::{Environment, KeyId, Profile, RegisteredKey},
    officer::OfficerId,
    reason::RecordedReason,
    value::{Account, IssKey, KeyLabel, Narrative, Reason},
};
use idcheck_usecases::{
    Content, Leaf,
    acts::ActName,
    ports::{
        ApplicationFilter, Applications, CallerSource, Challenges, Change, Changes, Clock, CommitError,
        GivenIssKey, MailMessage, Organisations, OutgoingMail, Requirement, Standing, StoredChallenge,
        Waiting, Write,
    },
};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{active_organisation, application, audit, contact, organisation, ubn},
};

pub trait Store:
    Changes + Applications + Organisations + Challenges + CallerSource + Clone + 'static
{
}
impl<T: Changes + Applications + Organisations + Challenges + CallerSource + Clone + 'static> Store for T {}

const WAITING: Waiting = Waiting {
    origin: std::net::IpAddr::V4(std::net::Ipv4Addr::new(8, 8, 8, 8)),
    of_organisation: 1_000,
    of_origin: 1_000,
};

fn challenge(id: u128) -> StoredChallenge {
    let at = FixedClock::default().now();
    StoredChallenge {
        id: Uuid::from_u128(id),
        act: ActName::Apply,
        ubn: ubn(0),
        content: Content::from_iter([
            ("/a".to_owned(), Leaf::Text("甲".to_owned())),
            ("/b".to_owned(), Leaf::Integer(-3)),
        ]),
        tbs: "tbs".to_owned(),
        session: Some([3; 32]),
        issued_at: at,
        expires_at: at + TimeDelta::minutes(15),
        spent_at: None,
    }
}

/// What is written is read again, every field of it.
pub async fn round_trips(store: &impl Store) {
    let at = FixedClock::default().now();
    let issued = challenge(900);
    assert!(store.issue_challenge(issued.clone(), &WAITING).await.unwrap());
    assert_eq!(Challenges::find(store, issued.id).await.unwrap(), Some(issued));

    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let ubn = ubn(10 + number);
        let (case, step) = application(ubn, kind, 10 + number as u128, at);
        let held = organisation(ubn);
        store
            .commit(Change {
                organisation: Some(Write::Insert(held.clone())),
                applications: vec![Write::Insert(case.clone())],
                history: vec![(case.id, step)],
                audit: audit(),
                ..Change::default()
            })
            .await
            .unwrap();
        assert_eq!(Organisations::find(store, ubn).await.unwrap().unwrap().value, held);
        let read = Applications::find(store, case.id).await.unwrap().unwrap();
        assert_eq!((read.version, &read.value), (1, &case));

        let officer = OfficerId(Uuid::from_u128(77));
        let id = ClarificationId(Uuid::from_u128(1000 + number as u128));
        let calendar = WorkingCalendar::default();
        let question = Narrative::parse("請補充\n說明").unwrap();
        let steps = [
            case.clone().claim(officer, at).unwrap(),
            case.claim(officer, at)
                .unwrap()
                .0
                .request_clarification(id, question, officer, at, &calendar)
                .unwrap(),
        ];
        for (version, (case, step)) in (1..).zip(steps) {
            store
                .commit(Change {
                    applications: vec![Write::Update { value: case.clone(), expected: version }],
                    history: vec![(case.id, step)],
                    audit: audit(),
                    ..Change::default()
                })
                .await
                .unwrap();
            let read = Applications::find(store, case.id).await.unwrap().unwrap();
            assert_eq!((read.version, read.value), (version + 1, case));
        }
        let open = Applications::of_organisation(store, ubn).await.unwrap().remove(0).value;
        let answer = Narrative::parse("如附件").unwrap();
        let answered = open.answer_clarification(id, answer, at, &calendar).unwrap().0;
        let rejected = answered.reject(officer, Reason::parse("未敘明").unwrap(), at).unwrap().0;
        store
            .commit(Change {
                applications: vec![Write::Update { value: rejected.clone(), expected: 3 }],
                audit: audit(),
                ..Change::default()
            })
            .await
            .unwrap();
        let by_number = store.find_by_case_number(&rejected.case_number).await.unwrap().unwrap();
        assert_eq!(by_number.value, rejected);
        assert_eq!(store.history(rejected.id).await.unwrap().len(), 3);
    }
}

/// Twenty at once: one spends the challenge, and what the others brought is not there.
pub async fn a_challenge_is_spent_once(store: &impl Store) {
    assert!(store.issue_challenge(challenge(901), &WAITING).await.unwrap());
    let spent: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .commit(Change {
                        spends: Some((Uuid::from_u128(901), FixedClock::default().now())),
                        organisation: Some(Write::Insert(organisation(ubn(100 + number)))),
                        audit: audit(),
                        ..Change::default()
                    })
                    .await
            })
        })
        .collect();
    let mut committed = 0;
    for outcome in spent {
        match outcome.await.unwrap() {
            Ok(()) => committed += 1,
            Err(CommitError::ChallengeSpent) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(committed, 1);
    let mut there = 0;
    for number in 0..20 {
        there += usize::from(Organisations::find(store, ubn(100 + number)).await.unwrap().is_some());
    }
    assert_eq!(there, 1);
}

/// A challenge that ended at the instant of spending is not spent, and one that was never issued neither.
pub async fn an_ended_challenge_is_refused(store: &impl Store) {
    let issued = challenge(902);
    assert!(store.issue_challenge(issued.clone(), &WAITING).await.unwrap());
    let spend = |id: u128, at| Change {
        spends: Some((Uuid::from_u128(id), at)),
        audit: audit(),
        ..Change::default()
    };
    let unknown = store.commit(spend(903, issued.issued_at)).await;
    assert_eq!(unknown, Err(CommitError::ChallengeSpent));
    let late = store.commit(spend(902, issued.expires_at)).await;
    assert_eq!(late, Err(CommitError::ChallengeSpent));
    store.commit(spend(902, issued.expires_at - TimeDelta::microseconds(1))).await.unwrap();
    let held = Challenges::find(store, issued.id).await.unwrap().unwrap();
    assert_eq!(held.spent_at, Some(issued.expires_at - TimeDelta::microseconds(1)));
}

/// Only so many may wait, of one organisation and of all, from one place; what is spent or has ended makes room.
pub async fn so_many_challenges_wait(store: &impl Store, clock: &FixedClock) {
    let origin = |last| std::net::IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, last));
    let ask = async |id: u128, who: usize, last: u8| {
        let waiting = Waiting { origin: origin(last), of_organisation: 2, of_origin: 3 };
        let issued = StoredChallenge { ubn: ubn(who), ..challenge(id) };
        store.issue_challenge(issued, &waiting).await.unwrap()
    };
    assert!(ask(950, 50, 1).await && ask(951, 50, 1).await);
    assert!(!ask(952, 50, 1).await, "a third of the same organisation");
    assert!(ask(953, 50, 2).await, "nobody is kept from signing by what comes from elsewhere");
    assert!(ask(954, 51, 1).await && !ask(955, 52, 1).await, "four of one address");
    assert!(Challenges::find(store, Uuid::from_u128(955)).await.unwrap().is_none());
    let at = clock.now();
    let spent = Change { spends: Some((Uuid::from_u128(950), at)), audit: audit(), ..Change::default() };
    store.commit(spent).await.unwrap();
    assert!(ask(956, 52, 1).await && !ask(957, 53, 1).await);
    let later = StoredChallenge { issued_at: at + TimeDelta::minutes(16), ..challenge(958) };
    let waiting = Waiting { origin: origin(1), of_organisation: 1, of_origin: 1 };
    assert!(store.issue_challenge(later, &waiting).await.unwrap(), "all of them have ended");
}

/// Two decisions on one version: one stands.
pub async fn one_of_two_decisions_stands(store: &impl Store, other: &impl Store, rounds: u128) {
    let at = FixedClock::default().now();
    for round in 0..rounds {
        let ubn = ubn(700 + usize::try_from(round).unwrap());
        let (case, _) = application(ubn, Kind::Apply, 20_000 + round, at);
        let officer = OfficerId(Uuid::from_u128(1));
        let case = case.claim(officer, at).unwrap().0;
        store
            .commit(Change {
                organisation: Some(Write::Insert(organisation(ubn))),
                applications: vec![Write::Insert(case.clone())],
                audit: audit(),
                ..Change::default()
            })
            .await
            .unwrap();
        let decide = |approve: bool| {
            let reason = Reason::parse("理由").unwrap();
            let (value, step) = if approve {
                case.clone().approve(officer, None, at, Approvers::One).unwrap()
            } else {
                case.clone().reject(officer, reason, at).unwrap()
            };
            Change {
                applications: vec![Write::Update { value, expected: 1 }],
                history: vec![(case.id, step)],
                mail: vec![OutgoingMail {
                    id: Uuid::from_u128(500_000 + round * 2 + u128::from(approve)),
                    about: case.ubn,
                    to: contact().email().clone(),
                    message: MailMessage::IssKeyRotated { company: "x".to_owned() },
                }],
                audit: audit(),
                ..Change::default()
            }
        };
        let outcomes = tokio::join!(store.commit(decide(true)), other.commit(decide(false)));
        let won = match outcomes {
            (Ok(()), Err(CommitError::Conflict)) => StateName::Approved,
            (Err(CommitError::Conflict), Ok(())) => StateName::Rejected,
            other => panic!("round {round}: {other:?}"),
        };
        let read = Applications::find(store, case.id).await.unwrap().unwrap();
        assert_eq!((read.version, read.value.state.name()), (2, won));
        assert_eq!(store.history(case.id).await.unwrap().len(), 1);
    }
}

/// 注意事項 八(三): of an old number and the new one that names it, one at most gets access, whoever is decided first.
pub async fn one_of_two_numbers_has_access(store: &impl Store, other: &impl Store, rounds: usize) {
    let at = FixedClock::default().now();
    for round in 0..rounds {
        let [old, new] = [ubn(5_000 + 2 * round), ubn(5_001 + 2 * round)];
        for ubn in [old, new] {
            let organisation = Some(Write::Insert(organisation(ubn)));
            store.commit(Change { organisation, audit: audit(), ..Change::default() }).await.unwrap();
        }
        let admit = |who, former, requires| {
            let account =
                Account::from_ordinal(u32::try_from(500 + 2 * round).unwrap() + u32::from(who == new));
            let value = idcheck_domain::organisation::Organisation {
                former,
                ..active_organisation(who, account.unwrap(), at)
            };
            let organisation = Some(Write::Update { value, expected: 1 });
            Change { organisation, requires, audit: audit(), ..Change::default() }
        };
        let old_again = admit(old, None, vec![Requirement::NoActiveSuccessor(old)]);
        let renumbered =
            admit(new, Some(old), vec![Requirement::NotActive(old), Requirement::NoActiveSuccessor(new)]);
        let outcomes = tokio::join!(store.commit(old_again), other.commit(renumbered));
        assert!(
            matches!(outcomes, (Ok(()), Err(CommitError::Conflict)) | (Err(CommitError::Conflict), Ok(()))),
            "round {round}: {outcomes:?}"
        );
        let successor = store.active_successor(old).await.unwrap();
        let held = Organisations::find(store, old).await.unwrap().unwrap().value;
        assert_eq!(held.access.is_active(), outcomes.0.is_ok());
        assert_eq!(successor, outcomes.1.is_ok().then_some(new));
    }
}

/// Unique things are unique, each told by its own error, and nothing of a refused change is there.
pub async fn unique_things_are_unique(store: &impl Store) {
    let at = FixedClock::default().now();
    let (first, second) = (ubn(300), ubn(301));
    let file = |ubn, id| {
        let (case, _) = application(ubn, Kind::Apply, id, at);
        Change { applications: vec![Write::Insert(case)], audit: audit(), ..Change::default() }
    };
    let change = Change { organisation: Some(Write::Insert(organisation(first))), ..file(first, 30_000) };
    store.commit(change).await.unwrap();
    assert_eq!(store.commit(file(first, 30_001)).await, Err(CommitError::OpenCase));
    let taken_number =
        Change { organisation: Some(Write::Insert(organisation(second))), ..file(second, 30_000) };
    assert_eq!(store.commit(taken_number).await, Err(CommitError::Conflict));
    assert!(Organisations::find(store, second).await.unwrap().is_none(), "a refused change left something");

    let give = |ubn, expected: Option<i64>| {
        let value = active_organisation(ubn, Account::from_ordinal(5000).unwrap(), at);
        let write = match expected {
            Some(expected) => Write::Update { value, expected },
            None => Write::Insert(value),
        };
        Change { organisation: Some(write), audit: audit(), ..Change::default() }
    };
    store.commit(give(first, Some(1))).await.unwrap();
    assert_eq!(store.commit(give(second, None)).await, Err(CommitError::AccountTaken));
    assert_eq!(store.commit(give(first, Some(1))).await, Err(CommitError::Conflict));
    assert_eq!(store.last_account().await.unwrap(), Account::from_ordinal(5000));
}

fn key(id: u128, fingerprint: &str) -> RegisteredKey {
    RegisteredKey {
        id: KeyId(Uuid::from_u128(id)),
        fingerprint: fingerprint.to_owned(),
        public_key_pem: "PEM".to_owned(),
        profile: Profile::Legacy,
        environment: Environment::Production,
        label: KeyLabel::parse("主機").unwrap(),
        registered_at: FixedClock::default().now(),
        expires_at: Some(FixedClock::default().now() + chrono::TimeDelta::days(365)),
        revoked_at: None,
    }
}

/// A key is in force once in an organisation, whoever else has it; callers see what changed, and the epoch tells that something did.
pub async fn callers_see_keys_and_access(store: &impl Store) {
    let at = FixedClock::default().now();
    let (one, two) = (ubn(400), ubn(401));
    let mut held = active_organisation(one, Account::from_ordinal(6000).unwrap(), at);
    held.keys.push(key(40_000, "aa"));
    let iss_key = IssKey::parse("e3yMEJMEppYGbb37BxVaOSX00btXCASk").unwrap();
    let epoch = store.epoch().await.unwrap();
    store
        .commit(Change {
            organisation: Some(Write::Insert(held.clone())),
            iss_key: Some(GivenIssKey {
                ubn: one,
                environment: Environment::Production,
                iss_key: iss_key.clone(),
            }),
            audit: audit(),
            ..Change::default()
        })
        .await
        .unwrap();
    assert!(store.epoch().await.unwrap() > epoch);
    assert_eq!(store.iss_key(one, Environment::Production).await.unwrap(), Some(iss_key.clone()));
    let caller = store.load().await.unwrap().callers.into_iter().find(|c| c.ubn == one).unwrap();
    assert!(matches!(caller.standing, Standing::Production { active: true, .. }));
    assert_eq!((caller.iss_key, caller.keys.len()), (iss_key, 1));
    assert_eq!(caller.keys[0].expires_at, held.keys[0].expires_at);
    let ends = held.keys[0].expires_at.unwrap();
    let hour = chrono::TimeDelta::hours(1);
    for (from, until, found) in
        [(ends, ends + hour, true), (ends - hour, ends, false), (ends + hour, ends + hour * 2, false)]
    {
        let ending = store.with_keys_ending(from, until).await.unwrap();
        assert_eq!(ending.contains(&one), found, "{from} {until}");
    }

    let mut other = active_organisation(two, Account::from_ordinal(6001).unwrap(), at);
    other.keys.push(key(40_001, "aa"));
    let register = |o| Change { organisation: Some(Write::Insert(o)), audit: audit(), ..Change::default() };
    store.commit(register(other.clone())).await.unwrap();
    other.keys.push(key(40_002, "aa"));
    let twice = Write::Update { value: other, expected: 1 };
    let twice = Change { organisation: Some(twice), audit: audit(), ..Change::default() };
    assert_eq!(store.commit(twice).await, Err(CommitError::KeyKnown));

    held.keys[0].revoked_at = Some(at);
    held.access = Access::Suspended { since: at, reason: Reason::parse("停用").unwrap() };
    let update = Write::Update { value: held.clone(), expected: 1 };
    store.commit(Change { organisation: Some(update), audit: audit(), ..Change::default() }).await.unwrap();
    let caller = store.load().await.unwrap().callers.into_iter().find(|c| c.ubn == one).unwrap();
    assert!(matches!(caller.standing, Standing::Production { active: false, .. }));
    assert!(caller.keys.is_empty());
    assert!(
        !store.with_keys_ending(ends, ends + hour).await.unwrap().contains(&one),
        "withdrawn, and without access"
    );
    assert_eq!(Organisations::find(store, one).await.unwrap().unwrap().value, held);
}

/// A reason is read as it was recorded: typed, or one that follows from a rule.
pub async fn reasons_are_read_as_recorded(store: &impl Store) {
    let at = FixedClock::default().now();
    let typed = RecordedReason::from(Reason::parse("大量試探").unwrap());
    let status = RecordedReason::CompanyStatus("解散".to_owned());
    let all = [typed, RecordedReason::AccessEnded, RecordedReason::NotRegistered, status];
    for (number, reason) in (440_u32..).zip(all) {
        let ubn = ubn(number as usize);
        let account = Account::from_ordinal(5800 + number).unwrap();
        let held = active_organisation(ubn, account, at);
        let held = held.revoke(Ground::NotRegistered, reason.clone(), at).unwrap();
        let (mut case, _) = application(ubn, Kind::Suspend, number.into(), at);
        case.state = State::Rejected(Closing { by: Actor::System, at, reason: Some(reason) });
        let change = Change {
            organisation: Some(Write::Insert(held.clone())),
            applications: vec![Write::Insert(case.clone())],
            audit: audit(),
            ..Change::default()
        };
        store.commit(change).await.unwrap();
        assert_eq!(Organisations::find(store, held.ubn).await.unwrap().unwrap().value.access, held.access);
        assert_eq!(Applications::find(store, case.id).await.unwrap().unwrap().value.state, case.state);
    }
}

/// An organisation that may ask, with a key of this fingerprint and an Iss Key.
pub async fn equipped(
    store: &impl Changes,
    number: usize,
    fingerprint: &str,
) -> idcheck_domain::value::UnifiedBusinessNumber {
    let one = ubn(420 + number);
    let account = Account::from_ordinal(u32::try_from(6100 + number).unwrap()).unwrap();
    let mut held = active_organisation(one, account, FixedClock::default().now());
    held.keys.push(key(40_100 + u128::try_from(number).unwrap(), fingerprint));
    let iss_key = IssKey::parse(&format!("{number:032}")).unwrap();
    let given = GivenIssKey { ubn: one, environment: Environment::Production, iss_key };
    let organisation = Some(Write::Insert(held));
    let change = Change { organisation, iss_key: Some(given), audit: audit(), ..Change::default() };
    store.commit(change).await.unwrap();
    one
}

/// An organisation that nobody approved yet has a place in the sandbox, with the keys of the sandbox only.
pub async fn the_sandbox_needs_no_approval(store: &impl Store) {
    let at = FixedClock::default().now();
    let one = ubn(402);
    let mut held = organisation(one);
    let mut sandbox_key = key(40_010, "cc");
    sandbox_key.environment = Environment::Sandbox;
    held.keys = vec![sandbox_key.clone(), RegisteredKey { revoked_at: Some(at), ..key(40_011, "dd") }];
    let iss_key = IssKey::parse("SandboxSandboxSandboxSandbox1234").unwrap();
    let given = GivenIssKey { ubn: one, environment: Environment::Sandbox, iss_key: iss_key.clone() };
    let change = Change {
        organisation: Some(Write::Insert(held)),
        iss_key: Some(given),
        audit: audit(),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    let callers: Vec<_> = store.load().await.unwrap().callers.into_iter().filter(|c| c.ubn == one).collect();
    assert_eq!(callers.len(), 1);
    assert_eq!((&callers[0].iss_key, &callers[0].standing), (&iss_key, &Standing::Sandbox));
    let keys: Vec<_> = callers[0].keys.iter().map(|key| key.id).collect();
    assert_eq!(keys, [sandbox_key.id]);
}

/// The queue: oldest due first, filtered, in pages that miss and repeat nothing.
pub async fn the_queue_is_in_order(store: &impl Store) {
    let at = FixedClock::default().now();
    for number in 0..25_u128 {
        let ubn = ubn(500 + usize::try_from(number).unwrap());
        let received = at + TimeDelta::days(i64::try_from((number * 7) % 25).unwrap());
        let (case, step) = application(ubn, Kind::Apply, 50_000 + number, received);
        store
            .commit(Change {
                organisation: Some(Write::Insert(organisation(ubn))),
                applications: vec![Write::Insert(case.clone())],
                history: vec![(case.id, step)],
                audit: audit(),
                ..Change::default()
            })
            .await
            .unwrap();
    }
    let mut filter = ApplicationFilter { limit: 10, ..ApplicationFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.queue(&filter).await.unwrap();
        seen.extend(
            page.items
                .into_iter()
                .map(|item| (item.application.state.due().unwrap().date, item.application.id)),
        );
        filter.after = page.next;
        if filter.after.is_none() {
            break;
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "not in the order of the deadlines");
    let ours: std::collections::BTreeSet<_> = seen.iter().map(|(_, id)| *id).collect();
    assert_eq!(ours.len(), seen.len(), "a case comes twice");
    assert!(
        (0..25)
            .all(|n| ours.contains(&idcheck_domain::application::ApplicationId(Uuid::from_u128(50_000 + n))))
    );
    let text =
        ApplicationFilter { text: Some(ubn(500).to_string()), limit: 10, ..ApplicationFilter::default() };
    assert_eq!(store.queue(&text).await.unwrap().items.len(), 1);
    let overdue = ApplicationFilter {
        overdue_at: Some(at - TimeDelta::days(9)),
        limit: 10,
        ..ApplicationFilter::default()
    };
    assert!(store.queue(&overdue).await.unwrap().items.is_empty());
}

/// Everything above, in an order in which one does not disturb the other.
pub async fn suite(store: &(impl Store + Send + Sync), other: &(impl Store + Send + Sync)) {
    round_trips(store).await;
    a_challenge_is_spent_once(store).await;
    an_ended_challenge_is_refused(store).await;
    so_many_challenges_wait(store, &FixedClock::default()).await;
    one_of_two_decisions_stands(store, other, 200).await;
    one_of_two_numbers_has_access(store, other, 200).await;
    unique_things_are_unique(store).await;
    reasons_are_read_as_recorded(store).await;
    callers_see_keys_and_access(store).await;
    the_sandbox_needs_no_approval(store).await;
    the_queue_is_in_order(store).await;
}
