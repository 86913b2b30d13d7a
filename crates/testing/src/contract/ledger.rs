//! The contract of [`Ledger`]: exact under any interleaving, one node or two.

use idcheck_domain::outcome::QueryRefusal;
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    abuse::AbuseRule,
    access::Access,
    key::Environment,
    lockout::{self, Strikes},
    value::{Account, PersonId, Reason, UnifiedBusinessNumber},
    verification::{CardStatus, Comparison, VerificationResult},
};
use idcheck_usecases::ports::{
    Ask, CallerSource, CardQuestion, Change, Changes, Clock, CommitError, HouseholdRegister, Ledger,
    LedgerAnswer, LedgerEntry, Limits, Organisations, SuspendedUser, UserChange, UserSuspensions, Write,
};

use crate::{
    FixedClock,
    builders::{active_organisation, audit, card, person, register_row, ubn},
};

const WIDE: Limits = Limits { quota: 100_000, budget: 100_000 };
/// The organisation that [`question`]s are of.
pub const ORGANISATION: usize = 3000;

fn at() -> DateTime<Utc> {
    FixedClock::default().now()
}

/// A question of the suite's organisation about the `number`th person; the right card is of the year 108.
pub fn question(number: usize, year: u32, jti: &str) -> LedgerEntry {
    LedgerEntry {
        at: at(),
        ubn: ubn(ORGANISATION),
        environment: Environment::Production,
        user_id: "user1".to_owned(),
        address: [8, 8, 8, 8].into(),
        epoch: None,
        ask: Ask::Card {
            question: CardQuestion { person_id: person(number), data: card(year) },
            jti: jti.to_owned(),
            token_expires_at: at() + TimeDelta::minutes(3),
            limits: WIDE,
        },
    }
}

/// The change that makes an organisation that may ask.
pub fn admission(number: usize) -> Change {
    let account = Account::from_ordinal(u32::try_from(number).unwrap()).unwrap();
    let organisation = active_organisation(ubn(number), account, at());
    Change { organisation: Some(Write::Insert(organisation)), audit: audit(), ..Change::default() }
}

/// Makes an organisation that may ask.
pub async fn admit(store: &impl Changes, number: usize) -> UnifiedBusinessNumber {
    store.commit(admission(number)).await.unwrap();
    ubn(number)
}

async fn code(ledger: &impl Ledger, entry: LedgerEntry) -> u8 {
    match ledger.record(entry).await.unwrap() {
        LedgerAnswer::Result(result) => result.code(),
        other => panic!("{other:?}"),
    }
}

/// 注意事項 六, the statuses, and the Taipei day.
pub async fn strikes(ledger: &impl Ledger) {
    let mut asked = 0;
    let mut ask = |number, year, later: TimeDelta| {
        asked += 1;
        let mut entry = question(number, year, &format!("strikes-{asked}"));
        entry.at += later;
        code(ledger, entry)
    };
    let now = TimeDelta::zero();
    for (year, expected) in [(100, 2), (101, 3), (108, 1), (102, 4), (108, 5), (103, 5)] {
        assert_eq!(ask(1, year, now).await, expected);
    }
    // 10:00 in Taipei: 14 hours to midnight.
    let tomorrow = TimeDelta::hours(14);
    assert_eq!(ask(1, 108, tomorrow - TimeDelta::seconds(1)).await, 5);
    assert_eq!(ask(1, 108, tomorrow).await, 1);
    assert_eq!(ask(1, 100, tomorrow).await, 2);
    // Statuses are told to who knows the card, and to nobody else.
    assert_eq!(ask(2, 108, now).await, 6);
    assert_eq!(ask(3, 108, now).await, 7);
    assert_eq!(ask(2, 100, now).await, 2);
    // Nobody of this number: wrong, and counted.
    for expected in [2, 3, 4, 5] {
        assert_eq!(ask(999, 108, now).await, expected);
    }
}

async fn all_at_once<L: Ledger + Clone + 'static>(
    nodes: &[L],
    entries: Vec<LedgerEntry>,
) -> Vec<LedgerAnswer> {
    let tasks: Vec<_> = entries
        .into_iter()
        .enumerate()
        .map(|(number, entry)| {
            let node = nodes[number % nodes.len()].clone();
            tokio::spawn(async move { node.record(entry).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// A hundred wrong answers at once: one 2, one 3, one 4, the rest 5.
pub async fn a_hundred_wrong_at_once<L: Ledger + Clone + 'static>(nodes: &[L]) {
    let entries = (0..100).map(|n| question(10, 100, &format!("hundred-{n}"))).collect();
    let mut counts = BTreeMap::new();
    for answer in all_at_once(nodes, entries).await {
        let LedgerAnswer::Result(result) = answer else { panic!("{answer:?}") };
        *counts.entry(result.code()).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([(2, 1), (3, 1), (4, 1), (5, 97)]));
}

/// Midnight in Taipei under load: ten wrong answers about each of twenty numbers, half of them in the last second of a
/// day, half in the first of the next, from all nodes at once. Each day has its own three strikes.
pub async fn midnight<L: Ledger + Clone + 'static>(nodes: &[L]) {
    let midnight = at() + TimeDelta::hours(14);
    let asked: Vec<_> = (0..200_usize).map(|n| (230 + n / 10, if n % 2 == 0 { -1 } else { 1 }, n)).collect();
    let entries = asked.iter().map(|(person, side, n)| {
        let mut entry = question(*person, 100, &format!("midnight-{n}"));
        entry.at = midnight + TimeDelta::milliseconds(side * i64::try_from(n % 10 * 100).unwrap_or_default());
        // The first of the next day is midnight itself.
        entry.at -= TimeDelta::microseconds(i64::from(*side < 0));
        entry
    });
    let mut days: BTreeMap<(usize, i64), Vec<u8>> = BTreeMap::new();
    for ((person, side, _), answer) in asked.iter().zip(all_at_once(nodes, entries.collect()).await) {
        let LedgerAnswer::Result(result) = answer else { panic!("{answer:?}") };
        days.entry((*person, *side)).or_default().push(result.code());
    }
    for (day, codes) in &mut days {
        codes.sort_unstable();
        assert_eq!(*codes, [2, 3, 4, 5, 5], "{day:?}");
    }
    assert_eq!(days.len(), 40);
}

/// One token many times: one answer, and the others cost nothing.
pub async fn a_token_is_answered_once<L: Ledger + Clone + 'static>(nodes: &[L]) {
    let entries = (0..200).map(|_| question(11, 100, "one token")).collect();
    let answers = all_at_once(nodes, entries).await;
    let answered = answers.iter().filter(|a| matches!(a, LedgerAnswer::Result(_))).count();
    let replayed = answers.iter().filter(|a| **a == LedgerAnswer::Replayed).count();
    assert_eq!((answered, replayed), (1, 199));
    assert_eq!(code(&nodes[0], question(11, 100, "another token")).await, 3);
}

/// Quota and budget hold exactly, and a refusal spends no token.
pub async fn quota_and_budget<L: Ledger + Clone + 'static>(nodes: &[L], store: &impl Changes) {
    let (few, careful) = (admit(store, ORGANISATION + 1).await, admit(store, ORGANISATION + 2).await);
    let limited = |ubn, limits: Limits, year: u32, number: usize| {
        let mut entry = question(100 + number, year, &format!("limited-{number}"));
        entry.ubn = ubn;
        if let Ask::Card { limits: of, .. } = &mut entry.ask {
            *of = limits;
        }
        entry
    };
    let quota = Limits { quota: 7, budget: 1000 };
    let answers = all_at_once(nodes, (0..40).map(|n| limited(few, quota, 108, n)).collect()).await;
    assert_eq!(answers.iter().filter(|a| matches!(a, LedgerAnswer::Result(_))).count(), 7);
    assert_eq!(answers.iter().filter(|a| **a == LedgerAnswer::QuotaExceeded).count(), 33);
    let refused = answers.iter().position(|a| *a == LedgerAnswer::QuotaExceeded).unwrap();
    let again = limited(few, WIDE, 108, refused);
    assert!(matches!(nodes[0].record(again).await.unwrap(), LedgerAnswer::Result(_)), "the token was spent");

    let budget = Limits { quota: 1000, budget: 5 };
    let answers = all_at_once(nodes, (40..80).map(|n| limited(careful, budget, 100, n)).collect()).await;
    let wrong = answers.iter().filter(|a| matches!(a, LedgerAnswer::Result(r) if r.is_strike())).count();
    let exceeded = answers.iter().filter(|a| **a == LedgerAnswer::BudgetExceeded).count();
    assert_eq!((wrong, exceeded), (5, 35));
}

/// No result is recorded after access has ended.
pub async fn access_ends_at_once<S: Changes + Organisations>(ledger: &impl Ledger, store: &S) {
    let number = ORGANISATION + 3;
    let asker = admit(store, number).await;
    let ask = |jti: &str| {
        let mut entry = question(20, 108, jti);
        entry.ubn = asker;
        ledger.record(entry)
    };
    assert_eq!(ask("before").await.unwrap(), LedgerAnswer::Result(VerificationResult::Match));
    let held = Organisations::find(store, asker).await.unwrap().unwrap();
    let mut value = held.value;
    value.access = Access::Suspended { since: at(), reason: Reason::parse("停用").unwrap() };
    let organisation = Some(Write::Update { value, expected: held.version });
    store.commit(Change { organisation, audit: audit(), ..Change::default() }).await.unwrap();
    assert_eq!(ask("after").await.unwrap(), LedgerAnswer::AccessEnded);
}

/// A query that was let through before callers changed is judged again: no key, address or Iss Key counts for longer than
/// until the change is committed. Refusals are recorded whatever changed.
pub async fn what_callers_may_do_is_checked<S: Changes + CallerSource>(ledger: &impl Ledger, store: &S) {
    let asker = admit(store, ORGANISATION + 6).await;
    let ask = |epoch: i64, jti: &str| {
        ledger.record(LedgerEntry { ubn: asker, epoch: Some(epoch), ..question(95, 100, jti) })
    };
    let told = |result| Ok(LedgerAnswer::Result(result));
    let epoch = store.epoch().await.unwrap();
    assert_eq!(ask(epoch, "epoch-1").await, told(VerificationResult::FirstMismatch));
    admit(store, ORGANISATION + 7).await;
    assert_eq!(ask(epoch, "epoch-2").await, Ok(LedgerAnswer::Outdated));
    let refused = LedgerEntry {
        epoch: Some(epoch),
        ask: Ask::Refused(QueryRefusal::TokenTimes),
        ..question(95, 100, "")
    };
    assert_eq!(ledger.record(refused).await, Ok(LedgerAnswer::Recorded));
    // The token was not spent, and no strike counted.
    let epoch = store.epoch().await.unwrap();
    assert_eq!(ask(epoch, "epoch-2").await, told(VerificationResult::SecondMismatch));
}

/// Check 11: a suspended user gets 8 and spends a token, but no strike; lifted, it asks on.
pub async fn suspended_users<S: Changes + UserSuspensions>(ledger: &impl Ledger, store: &S) {
    const RULE: AbuseRule = AbuseRule::UserMistakes;
    let asker = admit(store, ORGANISATION + 4).await;
    let ask = |user: &str, jti: &str, year| {
        let mut entry = question(30, year, jti);
        entry.ubn = asker;
        user.clone_into(&mut entry.user_id);
        ledger.record(entry)
    };
    let turn = |since: Option<DateTime<Utc>>| {
        let suspended = since.map(|since| (since, RULE));
        let users = vec![UserChange { ubn: asker, user_id: "bad".to_owned(), suspended }];
        store.commit(Change { users, audit: audit(), ..Change::default() })
    };
    let told = |result| LedgerAnswer::Result(result);
    assert_eq!(ask("bad", "user-1", 100).await.unwrap(), told(VerificationResult::FirstMismatch));
    turn(Some(at())).await.unwrap();
    turn(Some(at() + TimeDelta::days(1))).await.unwrap();
    let listed = store.suspended(Some(asker)).await.unwrap();
    assert_eq!(
        listed,
        [SuspendedUser { ubn: asker, user_id: "bad".to_owned(), since: at(), rule: Some(RULE) }]
    );
    assert_eq!(store.suspended(Some(ubn(ORGANISATION))).await.unwrap(), []);
    assert_eq!(store.suspended(None).await.unwrap(), listed);
    for year in [100, 108] {
        let outcome = ask("bad", &format!("user-2-{year}"), year).await.unwrap();
        assert_eq!(outcome, told(VerificationResult::UserSuspended));
    }
    assert_eq!(ask("bad", "user-2-108", 108).await.unwrap(), LedgerAnswer::Replayed);
    assert_eq!(ask("good", "user-3", 100).await.unwrap(), told(VerificationResult::SecondMismatch));
    turn(None).await.unwrap();
    assert_eq!(turn(None).await, Err(CommitError::Conflict), "there is nobody to let in any more");
    assert_eq!(ask("bad", "user-4", 108).await.unwrap(), told(VerificationResult::Match));
    assert_eq!(store.suspended(None).await.unwrap(), []);
}

/// The sandbox counts for itself and for each organisation, and asks neither for access nor for a suspended user nor
/// the register (checks 3, 6 and 11 do not apply in it).
pub async fn the_sandbox_is_apart<S: Changes>(ledger: &impl Ledger, store: &S) {
    let mut asked = 0;
    let mut ask = |organisation, person_id: PersonId, year, environment| {
        asked += 1;
        let mut entry = question(22, year, &format!("sandbox-{asked}"));
        (entry.ubn, entry.environment) = (ubn(organisation), environment);
        if let Ask::Card { question, .. } = &mut entry.ask {
            question.person_id = person_id;
        }
        code(ledger, entry)
    };
    let (mine, other) = (ORGANISATION + 9, ORGANISATION + 10);
    let users = vec![UserChange {
        ubn: ubn(mine),
        user_id: "user1".to_owned(),
        suspended: Some((at(), AbuseRule::UserMistakes)),
    }];
    store.commit(Change { users, audit: audit(), ..Change::default() }).await.unwrap();
    let sandbox = Environment::Sandbox;
    // The right card of the real register is nobody's here.
    assert_eq!(ask(mine, person(22), 108, sandbox).await, 2);
    assert_eq!(ask(mine, person(22), 100, sandbox).await, 3);
    assert_eq!(ask(ORGANISATION, person(22), 100, Environment::Production).await, 2);
    assert_eq!(ask(mine, person(22), 100, sandbox).await, 4);
    assert_eq!(ask(mine, person(22), 100, sandbox).await, 5);
    assert_eq!(ask(other, person(22), 100, sandbox).await, 2);
    assert_eq!(ask(ORGANISATION, person(22), 108, Environment::Production).await, 1);
    let number = |text| PersonId::parse(text).unwrap();
    // Reserved numbers: played, as often as asked; and the made-up person.
    for (text, expected) in [("A190000053", 5), ("A190000044", 4), ("A190000017", 1), ("A190000080", 8)] {
        for _ in 0..2 {
            assert_eq!(ask(mine, number(text), 100, sandbox).await, expected, "{text}");
        }
    }
    for (year, expected) in [(108, 1), (100, 2), (108, 1), (100, 3), (100, 4), (108, 5)] {
        assert_eq!(ask(mine, number("A190001014"), year, sandbox).await, expected);
    }
    // A token that was tried in the sandbox is new in production, and used once in each.
    let token = |environment| ledger.record(LedgerEntry { environment, ..question(96, 100, "one-of-each") });
    for environment in [sandbox, Environment::Production] {
        assert!(matches!(token(environment).await, Ok(LedgerAnswer::Result(_))), "{environment:?}");
        assert_eq!(token(environment).await, Ok(LedgerAnswer::Replayed));
    }
    // In production they mean nothing.
    assert_eq!(ask(ORGANISATION, number("A190000017"), 100, Environment::Production).await, 2);
}

/// Right, wrong and locked questions from all nodes at once: what each was told, in the order of the records, is what
/// the rule of the domain says of that order. `order` reads the users of the records that begin with `o`, in the
/// order of the chain.
pub async fn answers_agree_with_the_rule<L, F>(nodes: &[L], order: impl FnOnce() -> F)
where
    L: Ledger + Clone + 'static,
    F: Future<Output = Vec<String>>,
{
    // A linear congruential sequence: the same traffic in each run, in another interleaving.
    let mut seed = 7_u32;
    let mut next = |bound: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % bound
    };
    let asked: Vec<_> = (0..600).map(|_| (200 + next(12) as usize, next(3) == 0)).collect();
    let entries = asked.iter().enumerate().map(|(n, (person, right))| {
        let mut entry = question(*person, if *right { 108 } else { 100 }, &format!("oracle-{n}"));
        entry.user_id = format!("o{n}");
        entry
    });
    let answers = all_at_once(nodes, entries.collect()).await;
    let order = order().await;
    assert_eq!(order.len(), asked.len());
    let mut strikes = BTreeMap::new();
    for user in order {
        let number: usize = user[1..].parse().unwrap();
        let (person, right) = asked[number];
        let count = strikes.entry(person).or_insert(Strikes::NONE);
        let compared = if right { Comparison::Same(CardStatus::Normal) } else { Comparison::Different };
        let (expected, after) = lockout::answer(*count, || compared);
        *count = after;
        assert_eq!(answers[number], LedgerAnswer::Result(expected), "query {number}");
    }
}

/// A refusal is recorded and costs neither token nor strike.
pub async fn refusals_are_recorded(ledger: &impl Ledger) {
    let mut entry = question(21, 108, "x");
    entry.ask = Ask::Refused(QueryRefusal::ConditionMalformed);
    assert_eq!(ledger.record(entry).await.unwrap(), LedgerAnswer::Recorded);
}

/// Everything above, on a register of 300 persons.
pub async fn suite<L, S>(nodes: &[L], store: &S)
where
    L: Ledger + Clone + 'static,
    S: Changes + Organisations + HouseholdRegister + UserSuspensions + CallerSource,
{
    let rows: Vec<_> = (0..300)
        .map(|number| {
            let status = match number {
                2 => CardStatus::OutOfUse,
                3 => CardStatus::ReportedLost,
                _ => CardStatus::Normal,
            };
            register_row(number, status)
        })
        .collect();
    store.import(&rows).await.unwrap();
    store.import(&rows[..10]).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 300);
    admit(store, ORGANISATION).await;
    strikes(&nodes[0]).await;
    a_hundred_wrong_at_once(nodes).await;
    midnight(nodes).await;
    a_token_is_answered_once(nodes).await;
    quota_and_budget(nodes, store).await;
    access_ends_at_once(&nodes[0], store).await;
    refusals_are_recorded(&nodes[0]).await;
    what_callers_may_do_is_checked(&nodes[0], store).await;
    suspended_users(&nodes[0], store).await;
    the_sandbox_is_apart(&nodes[0], store).await;
}
