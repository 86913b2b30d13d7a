//! What the approval of a case changes, addresses over time, and how many keys there may be.

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    Violation,
    access::Access,
    application::{MAX_CUT_OVER_DAYS, Request},
    key::{Environment, KeyId, MAX_KEYS, Profile, RegisteredKey, Validity},
    organisation::{AddressPlan, CutOver, Effect, Organisation},
    precondition::Precondition,
    value::{Account, KeyLabel, UnifiedBusinessNumber},
};
use rstest::rstest;
use uuid::Uuid;

use crate::support::{
    apply, at, case, change_address, contact, host, hosts, organisation, purpose, reason, start, suspend, ubn,
};

fn account(text: &str) -> Account {
    Account::parse(text).unwrap()
}

fn active() -> Organisation {
    Organisation {
        access: Access::Active { since: start() },
        account: Some(account("AW007")),
        addresses: Some(AddressPlan::fixed(hosts(&["203.66.9.9"]))),
        purpose: Some(purpose()),
        ..organisation()
    }
}

#[test]
fn approving_an_application_gives_access() {
    let (after, effect) = organisation().approve(&case(apply(), start()), Account::FIRST, start()).unwrap();
    assert_eq!(effect, Effect::Granted);
    assert_eq!(after.access, Access::Active { since: start() });
    assert_eq!(after.account, Some(Account::FIRST));
    assert_eq!(after.addresses, Some(AddressPlan::fixed(hosts(&["203.66.1.2", "2404:6800::1"]))));
    assert_eq!(after.purpose, Some(purpose()));
    assert_eq!(after.name.as_str(), "新名股份有限公司");
    assert_eq!(after.contact, contact("王小明"));
}

/// Whoever was named while the case waited is who the company names now: a case never puts back an older contact.
#[test]
fn a_case_takes_the_contact_s_place_only_if_it_is_the_one_it_was_to_replace() {
    let changed = Organisation { contact: contact("林志玲"), ..organisation() };
    let (after, _) = changed.approve(&case(apply(), start()), Account::FIRST, start()).unwrap();
    assert_eq!(after.contact, contact("林志玲"));
    let mut same = case(apply(), start());
    same.replaces = None;
    let (after, _) = organisation().approve(&same, Account::FIRST, start()).unwrap();
    assert_eq!(after.contact, contact("陳大文"), "a case that asks for no change makes none");
}

#[test]
fn the_former_number_is_kept_with_the_access() {
    let former = Some(UnifiedBusinessNumber::parse("12345675").unwrap());
    let renumbered = Request::apply(purpose(), ubn(), former).unwrap();
    let (after, _) = organisation().approve(&case(renumbered, start()), Account::FIRST, start()).unwrap();
    assert_eq!(after.former, former);
    let suspended = Organisation {
        access: Access::Suspended { since: start(), reason: reason("停用") },
        former,
        ..active()
    };
    let (after, _) = suspended.approve(&case(apply(), start()), Account::FIRST, start()).unwrap();
    assert_eq!(after.former, None, "as the last approved application says");
}

#[test]
fn the_account_is_kept_on_re_application() {
    let suspended =
        Organisation { access: Access::Suspended { since: start(), reason: reason("停用") }, ..active() };
    let (after, effect) = suspended.approve(&case(apply(), start()), account("AX001"), start()).unwrap();
    assert_eq!((after.account, effect), (Some(account("AW007")), Effect::Granted));
}

#[test]
fn approving_a_suspension_ends_access_and_nothing_else() {
    let (after, effect) = active().approve(&case(suspend(), start()), account("AX001"), start()).unwrap();
    assert_eq!(effect, Effect::Ended);
    assert_eq!(after.access, Access::Suspended { since: start(), reason: reason("不再使用") });
    let before = Organisation { access: after.access.clone(), contact: after.contact.clone(), ..active() };
    assert_eq!(after, before);
}

#[test]
fn preconditions_are_checked_again_at_the_decision() {
    let approve =
        |o: Organisation, request| o.approve(&case(request, start()), Account::FIRST, start()).err();
    assert_eq!(approve(active(), apply()), Some(Precondition::AlreadyActive));
    assert_eq!(approve(organisation(), suspend()), Some(Precondition::NotActive));
    assert_eq!(approve(organisation(), change_address(None, 0)), Some(Precondition::NotActive));
}

const NEW: &str = "203.66.1.2";
const OLD: &str = "203.66.9.9";

/// Whether the old and the new address pass at `now` after a change of address was approved at `decided`.
fn passing(request: Request, decided: DateTime<Utc>, now: DateTime<Utc>) -> (bool, bool) {
    let (after, effect) = active().approve(&case(request, start()), Account::FIRST, decided).unwrap();
    assert_eq!(effect, Effect::AddressesReplaced);
    let plan = after.addresses.unwrap();
    (plan.admits(host(OLD), now), plan.admits(host(NEW), now))
}

#[rstest]
#[case::at_once(None, 0, "2026-01-08T10:00:00Z", (false, true))]
#[case::before_the_cut_over(Some("2026-01-09T00:00:00Z"), 0, "2026-01-08T23:59:59.999999Z", (true, false))]
#[case::at_the_cut_over(Some("2026-01-09T00:00:00Z"), 0, "2026-01-09T00:00:00Z", (false, true))]
#[case::overlap_begins(Some("2026-01-09T00:00:00Z"), 7, "2026-01-09T00:00:00Z", (true, true))]
#[case::before_the_overlap(Some("2026-01-09T00:00:00Z"), 7, "2026-01-08T23:59:59.999999Z", (true, false))]
#[case::overlap_lasts(Some("2026-01-09T00:00:00Z"), 7, "2026-01-15T23:59:59.999999Z", (true, true))]
#[case::overlap_is_over(Some("2026-01-09T00:00:00Z"), 7, "2026-01-16T00:00:00Z", (false, true))]
#[case::decided_after_the_cut_over(Some("2026-01-08T00:00:00Z"), 0, "2026-01-08T10:00:00Z", (false, true))]
#[case::late_decision_overlap(Some("2026-01-08T00:00:00Z"), 1, "2026-01-09T09:59:59.999999Z", (true, true))]
#[case::late_decision_overlap_over(Some("2026-01-08T00:00:00Z"), 1, "2026-01-09T10:00:00Z", (false, true))]
fn addresses_change_over(
    #[case] cut_over: Option<&str>,
    #[case] overlap: u8,
    #[case] now: &str,
    #[case] old_and_new: (bool, bool),
) {
    let decided = at("2026-01-08T10:00:00Z");
    let request = change_address(cut_over.map(at), overlap);
    assert_eq!(passing(request, decided, at(now)), old_and_new);
}

#[test]
fn a_second_change_starts_from_the_addresses_in_force() {
    let first = CutOver {
        addresses: hosts(&["203.66.5.5"]),
        at: at("2026-01-06T00:00:00Z"),
        overlap_until: at("2026-01-13T00:00:00Z"),
    };
    let before = Organisation {
        addresses: Some(AddressPlan { current: hosts(&[OLD]), next: Some(first) }),
        ..active()
    };
    let request = change_address(Some(at("2026-01-09T00:00:00Z")), 1);
    let decided = at("2026-01-08T00:00:00Z");
    let (after, _) = before.approve(&case(request, start()), Account::FIRST, decided).unwrap();
    let plan = after.addresses.unwrap();
    let in_overlap = at("2026-01-09T12:00:00Z");
    assert!(plan.admits(host("203.66.5.5"), in_overlap) && plan.admits(host(NEW), in_overlap));
    assert!(!plan.admits(host(OLD), in_overlap));
    assert_eq!(plan.shown(decided), &hosts(&["203.66.5.5"]));
    assert_eq!(plan.shown(at("2026-01-09T00:00:00Z")), &hosts(&[NEW, "2404:6800::1"]));
}

#[test]
fn nothing_but_registered_addresses_passes() {
    let plan = AddressPlan::fixed(hosts(&[OLD]));
    assert!(plan.admits(host(OLD), start()));
    assert!(!plan.admits(host("203.66.9.8"), start()));
    assert_eq!(plan.shown(start()), &hosts(&[OLD]));
}

#[rstest]
#[case::at_once(None, 0, None)]
#[case::now(Some(TimeDelta::zero()), 0, None)]
#[case::in_the_past(Some(TimeDelta::microseconds(-1)), 0, Some(Violation::CutOverTime))]
#[case::latest(Some(TimeDelta::days(MAX_CUT_OVER_DAYS)), 7, None)]
#[case::too_late(
    Some(TimeDelta::days(MAX_CUT_OVER_DAYS) + TimeDelta::microseconds(1)), 0, Some(Violation::CutOverTime)
)]
#[case::too_long(Some(TimeDelta::days(1)), 8, Some(Violation::OverlapDays))]
#[case::overlap_of_nothing(None, 1, Some(Violation::OverlapDays))]
fn a_cut_over_has_bounds(
    #[case] ahead: Option<TimeDelta>,
    #[case] overlap: u8,
    #[case] refused: Option<Violation>,
) {
    let made = Request::change_address(reason("搬遷"), ahead.map(|d| start() + d), overlap, start());
    assert_eq!(made.err(), refused);
}

#[test]
fn the_former_number_is_another_one() {
    let former = UnifiedBusinessNumber::parse("12345675").unwrap();
    assert_eq!(Request::apply(purpose(), ubn(), Some(ubn())), Err(Violation::FormerUbnSame));
    assert!(Request::apply(purpose(), ubn(), Some(former)).is_ok());
    assert!(Request::apply(purpose(), ubn(), None).is_ok());
}

fn key(n: usize, environment: Environment, revoked: bool) -> RegisteredKey {
    RegisteredKey {
        id: KeyId(Uuid::from_u128(n as u128)),
        fingerprint: format!("{n:064x}"),
        public_key_pem: String::new(),
        profile: Profile::Legacy,
        environment,
        label: KeyLabel::parse("主機").unwrap(),
        registered_at: start(),
        expires_at: None,
        revoked_at: revoked.then(start),
    }
}

#[rstest]
#[case::four(4, 0, 0, None)]
#[case::five(5, 0, 0, Some(Precondition::TooManyKeys))]
#[case::withdrawn_do_not_count(4, 9, 0, None)]
#[case::the_sandbox_does_not_count(4, 0, 5, None)]
fn up_to_five_keys(
    #[case] in_force: usize,
    #[case] withdrawn: usize,
    #[case] sandbox: usize,
    #[case] refused: Option<Precondition>,
) {
    let keys = (0..in_force)
        .map(|n| key(n, Environment::Production, false))
        .chain((0..withdrawn).map(|n| key(100 + n, Environment::Production, true)))
        .chain((0..sandbox).map(|n| key(200 + n, Environment::Sandbox, false)))
        .collect();
    let organisation = Organisation { keys, ..active() };
    assert_eq!(organisation.admits_key(Environment::Production, "new", start()).err(), refused);
    assert_eq!(organisation.admits_key(Environment::Sandbox, "new", start()).is_err(), sandbox >= MAX_KEYS);
}

#[test]
fn a_production_key_needs_access_a_sandbox_key_does_not() {
    assert_eq!(
        organisation().admits_key(Environment::Production, "new", start()),
        Err(Precondition::NotActive)
    );
    assert_eq!(organisation().admits_key(Environment::Sandbox, "new", start()), Ok(()));
}

#[rstest]
#[case::in_force(Environment::Production, false, [true, true])]
#[case::withdrawn(Environment::Production, true, [true, false])]
#[case::tried_in_the_sandbox(Environment::Sandbox, false, [true, true])]
#[case::done_with_in_the_sandbox(Environment::Sandbox, true, [false, true])]
fn a_key_is_registered_once_and_does_not_come_back(
    #[case] registered: Environment,
    #[case] withdrawn: bool,
    #[case] refused: [bool; 2],
) {
    let key = key(7, registered, withdrawn);
    let fingerprint = key.fingerprint.clone();
    let organisation = Organisation { keys: vec![key], ..active() };
    for (environment, refused) in [Environment::Production, Environment::Sandbox].into_iter().zip(refused) {
        let answer = organisation.admits_key(environment, &fingerprint, start());
        assert_eq!(answer.err(), refused.then_some(Precondition::KeyKnown), "{environment:?}");
    }
}

/// A key that ended makes room for another, and comes back no more than one that was withdrawn.
#[test]
fn a_key_ends_by_itself() {
    let end = start() + TimeDelta::days(1);
    let ending = |n| RegisteredKey { expires_at: Some(end), ..key(n, Environment::Sandbox, false) };
    let organisation = Organisation { keys: (0..MAX_KEYS).map(ending).collect(), ..organisation() };
    let admits = |fingerprint: &str, now| organisation.admits_key(Environment::Sandbox, fingerprint, now);
    let before = end - TimeDelta::microseconds(1);
    assert_eq!(admits("new", before), Err(Precondition::TooManyKeys));
    assert_eq!(admits("new", end), Ok(()));
    assert_eq!(admits(&format!("{:064x}", 0), end), Err(Precondition::KeyKnown));
    assert!(organisation.keys[0].in_force(before) && !organisation.keys[0].in_force(end));
}

/// It ends with the Taipei day of the same date; a day that is not there is the one before.
#[rstest]
#[case(Validity::OneYear, "2026-11-29T09:00:00+08:00", Some("2027-11-30T00:00:00+08:00"))]
#[case(Validity::TwoYears, "2026-11-29T23:59:59+08:00", Some("2028-11-30T00:00:00+08:00"))]
#[case(Validity::ThreeYears, "2026-11-28T23:59:59Z", Some("2029-11-30T00:00:00+08:00"))]
#[case(Validity::OneYear, "2028-02-29T12:00:00+08:00", Some("2029-03-01T00:00:00+08:00"))]
#[case(Validity::Unlimited, "2026-11-29T09:00:00+08:00", None)]
fn a_key_is_good_for_what_was_chosen(
    #[case] validity: Validity,
    #[case] registered_at: &str,
    #[case] end: Option<&str>,
) {
    let parsed = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
    assert_eq!(validity.end(parsed(registered_at)), end.map(parsed));
    assert_eq!(Validity::parse(validity.as_str()), Some(validity));
}
