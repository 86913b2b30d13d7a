//! Taking access away with two persons, and the two ways back.

use idcheck_domain::{
    access::{Access, AccessStep, Ground},
    application::Kind,
    key::{Environment, KeyId, Profile, RegisteredKey},
    officer::{OfficerId, Role},
    organisation::Organisation,
    plan::{ImprovementPlan, PlanId, PlanState},
    precondition::Precondition,
    revocation::{Revocation, RevocationId, RevocationState},
    ruling::RefusedRuling,
    value::KeyLabel,
};
use rstest::rstest;
use uuid::Uuid;

use crate::support::{OFFICER, at, narrative, organisation, reason, ubn};

const OTHER: OfficerId = OfficerId(Uuid::from_u128(0xA2));
const ASKED: &str = "2026-01-05T09:00:00+08:00";
const LATER: &str = "2026-01-06T09:00:00+08:00";

fn asked() -> Revocation {
    let id = RevocationId(Uuid::from_u128(1));
    Revocation::ask(id, ubn(), Ground::Abuse, reason("大量試探"), OFFICER, at(ASKED))
}

fn active() -> Organisation {
    let key = |id, environment| RegisteredKey {
        id: KeyId(Uuid::from_u128(id)),
        fingerprint: String::new(),
        public_key_pem: String::new(),
        profile: Profile::Legacy,
        environment,
        label: KeyLabel::parse("主機").unwrap(),
        registered_at: at(ASKED),
        expires_at: None,
        revoked_at: (id == 3).then(|| at(ASKED)),
    };
    let keys =
        vec![key(1, Environment::Production), key(2, Environment::Sandbox), key(3, Environment::Production)];
    Organisation { access: Access::Active { since: at(ASKED) }, keys, ..organisation() }
}

#[test]
fn who_asked_is_never_the_second_person() {
    assert_eq!(asked().confirm(OFFICER, at(LATER)).unwrap_err(), RefusedRuling::SamePerson);
    let confirmed = asked().confirm(OTHER, at(LATER)).unwrap();
    assert_eq!(confirmed.state.as_str(), "confirmed");
    assert_eq!(confirmed.state.ruling().map(|ruling| ruling.by), Some(OTHER));
}

#[test]
fn a_ruling_is_final() {
    let confirmed = asked().confirm(OTHER, at(LATER)).unwrap();
    assert_eq!(confirmed.clone().confirm(OTHER, at(LATER)).unwrap_err(), RefusedRuling::Decided);
    assert_eq!(confirmed.decline(OTHER, reason("證據不足"), at(LATER)).unwrap_err(), RefusedRuling::Decided);
    // Who asked may take it back.
    let declined = asked().decline(OFFICER, reason("誤植"), at(LATER)).unwrap();
    assert!(matches!(&declined.state, RevocationState::Declined(ruling) if ruling.note.is_some()));
    assert_eq!(declined.confirm(OTHER, at(LATER)).unwrap_err(), RefusedRuling::Decided);
}

#[test]
fn revoking_drops_every_key_and_closes_the_way() {
    let revoked = active().revoke(Ground::Conduct, reason("違反管理規範").into(), at(LATER)).unwrap();
    assert_eq!(revoked.access.as_str(), "revoked");
    assert!(revoked.keys.iter().all(|key| !key.in_force(at(LATER))));
    assert_eq!(revoked.keys[2].revoked_at, Some(at(ASKED)), "a key withdrawn before keeps its time");
    assert_eq!(revoked.admits_case(Kind::Apply), Err(Precondition::ImprovementPlanNeeded));
    let again = revoked.revoke(Ground::Abuse, reason("再次").into(), at(LATER));
    assert_eq!(again.unwrap_err(), Precondition::AlreadyRevoked);
}

#[test]
fn suspended_access_can_be_revoked_and_keeps_its_keys_until_then() {
    let suspended = active().suspend(reason("憑證已失效"), at(LATER)).unwrap();
    assert_eq!(suspended.keys.iter().filter(|key| key.in_force(at(LATER))).count(), 2);
    assert_eq!(suspended.clone().suspend(reason("再次"), at(LATER)).unwrap_err(), Precondition::NotActive);
    assert!(suspended.revoke(Ground::Abuse, reason("停用前之異常使用").into(), at(LATER)).is_ok());
    assert_eq!(
        organisation().revoke(Ground::Abuse, reason("無").into(), at(LATER)).unwrap_err(),
        Precondition::NothingHeld
    );
}

#[rstest]
#[case(Ground::Abuse, true)]
#[case(Ground::Conduct, true)]
#[case(Ground::NotRegistered, false)]
fn each_ground_has_its_own_way_back(#[case] ground: Ground, #[case] by_plan: bool) {
    let revoked = active().revoke(ground, reason("註銷").into(), at(LATER)).unwrap();
    assert_eq!(revoked.access.may_file_plan().is_ok(), by_plan);
    let (right, wrong) = if by_plan {
        (revoked.clone().improved(), revoked.registered_again())
    } else {
        (revoked.clone().registered_again(), revoked.improved())
    };
    assert_eq!(wrong.unwrap_err(), Precondition::NotRevoked);
    let open = right.unwrap();
    assert_eq!(open.admits_case(Kind::Apply), Ok(()));
    assert_eq!(open.access.as_str(), "revoked", "the way back is open; access is not given");
    assert_eq!(open.access.may_file_plan(), Err(Precondition::NoPlanNeeded));
    assert_eq!(open.clone().improved().unwrap_err(), Precondition::NotRevoked);
    assert_eq!(open.registered_again().unwrap_err(), Precondition::NotRevoked);
}

#[test]
fn no_plan_is_asked_for_while_nothing_is_revoked() {
    assert_eq!(active().access.may_file_plan(), Err(Precondition::NoPlanNeeded));
    assert_eq!(organisation().access.may_file_plan(), Err(Precondition::NoPlanNeeded));
}

#[test]
fn a_plan_is_judged_once() {
    let plan = || ImprovementPlan::file(PlanId(Uuid::from_u128(1)), ubn(), narrative("加強控管"), at(ASKED));
    let approved = plan().approve(OFFICER, None, at(LATER)).unwrap();
    assert!(matches!(approved.state, PlanState::Approved(_)));
    assert_eq!(approved.reject(OTHER, reason("不足"), at(LATER)).unwrap_err(), RefusedRuling::Decided);
    let rejected = plan().reject(OFFICER, reason("未敘明期程"), at(LATER)).unwrap();
    assert!(rejected.state.ruling().is_some_and(|ruling| ruling.note.is_some()));
    assert_eq!(rejected.approve(OTHER, None, at(LATER)).unwrap_err(), RefusedRuling::Decided);
}

/// What is offered about an organisation's access is what its rules let pass.
#[test]
fn steps_on_access_are_offered_as_they_are_allowed() {
    let suspended = active().suspend(reason("憑證已失效"), at(LATER)).unwrap();
    let revoked = |ground| active().revoke(ground, reason("註銷").into(), at(LATER)).unwrap();
    let returned = revoked(Ground::NotRegistered).registered_again().unwrap();
    let all = [
        organisation(),
        active(),
        suspended,
        revoked(Ground::Abuse),
        revoked(Ground::NotRegistered),
        returned,
    ];
    for held in all {
        let mut allowed = Vec::new();
        if held.access.may_be_revoked().is_ok() {
            allowed.push(AccessStep::Revoke);
        }
        if held.clone().suspend(reason("停用"), at(LATER)).is_ok() {
            allowed.push(AccessStep::Suspend);
        }
        if held.clone().registered_again().is_ok() {
            allowed.push(AccessStep::Lift);
        }
        assert_eq!(held.access.possible_steps(Role::Reviewer), allowed, "{:?}", held.access);
        assert_eq!(held.access.possible_steps(Role::Auditor), []);
    }
}

#[test]
fn a_second_person_is_offered_the_confirmation() {
    let asked = asked();
    for (officer, role, may) in
        [(OFFICER, Role::Supervisor, false), (OTHER, Role::Supervisor, true), (OTHER, Role::Reviewer, false)]
    {
        assert_eq!(asked.may_be_confirmed(officer, role), may);
    }
    assert!(asked.may_be_declined(Role::Reviewer) && !asked.may_be_declined(Role::Auditor));
    let confirmed = asked.confirm(OTHER, at(LATER)).unwrap();
    assert!(
        !confirmed.may_be_confirmed(OTHER, Role::Supervisor) && !confirmed.may_be_declined(Role::Reviewer)
    );
}
