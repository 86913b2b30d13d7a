//! What an organisation may file, and what a role may do, as whole tables.

use idcheck_domain::{
    access::{Access, Ground},
    application::Kind,
    officer::{Permission, Role, permits},
    precondition::Precondition,
};
use rstest::rstest;

use crate::support::{at, organisation, reason};

fn revoked(ground: Ground, may_return: bool) -> Access {
    Access::Revoked {
        since: at("2026-01-05T00:00:00Z"),
        ground,
        reason: reason("異常使用").into(),
        may_return,
    }
}

fn active() -> Access {
    Access::Active { since: at("2026-01-05T00:00:00Z") }
}

fn suspended() -> Access {
    Access::Suspended { since: at("2026-01-05T00:00:00Z"), reason: reason("停用") }
}

/// What is looked up by the identifiers of revocable states is what can be revoked.
#[test]
fn revocable_states_are_those_that_may_be_revoked() {
    for access in
        [Access::None, active(), suspended(), revoked(Ground::Abuse, false), revoked(Ground::Abuse, true)]
    {
        let revocable = access.may_be_revoked().is_ok();
        assert_eq!(Access::REVOCABLE.contains(&access.as_str()), revocable, "{access:?}");
    }
}

#[rstest]
#[case::none(Access::None, "none", None, Some(Precondition::NotActive))]
#[case::active(active(), "active", Some(Precondition::AlreadyActive), None)]
#[case::suspended(suspended(), "suspended", None, Some(Precondition::NotActive))]
#[case::abuse(
    revoked(Ground::Abuse, false),
    "revoked",
    Some(Precondition::ImprovementPlanNeeded),
    Some(Precondition::NotActive)
)]
#[case::conduct(
    revoked(Ground::Conduct, false),
    "revoked",
    Some(Precondition::ImprovementPlanNeeded),
    Some(Precondition::NotActive)
)]
#[case::not_registered(
    revoked(Ground::NotRegistered, false),
    "revoked",
    Some(Precondition::RegistrationNotCurrent),
    Some(Precondition::NotActive)
)]
#[case::improved(revoked(Ground::Abuse, true), "revoked", None, Some(Precondition::NotActive))]
#[case::conduct_improved(revoked(Ground::Conduct, true), "revoked", None, Some(Precondition::NotActive))]
#[case::registered(revoked(Ground::NotRegistered, true), "revoked", None, Some(Precondition::NotActive))]
fn who_may_file(
    #[case] access: Access,
    #[case] word: &str,
    #[case] apply: Option<Precondition>,
    #[case] others: Option<Precondition>,
) {
    assert_eq!(access.as_str(), word);
    assert_eq!(access.is_active(), others.is_none());
    let organisation = idcheck_domain::organisation::Organisation { access, ..organisation() };
    assert_eq!(organisation.admits_case(Kind::Apply).err(), apply);
    assert_eq!(organisation.admits_case(Kind::ChangeAddress).err(), others);
    assert_eq!(organisation.admits_case(Kind::Suspend).err(), others);
}

#[rstest]
#[case(Role::Reviewer, &[Permission::ReadCases, Permission::ReviewCases, Permission::GovernAccess])]
#[case(
    Role::Supervisor,
    &[Permission::ReadCases, Permission::ReviewCases, Permission::GovernAccess, Permission::Confirm]
)]
#[case(Role::Auditor, &[Permission::ReadCases, Permission::ReadAudit])]
#[case(Role::Admin, &[Permission::ManageOfficers])]
fn who_may_do_what(#[case] role: Role, #[case] permitted: &[Permission]) {
    for permission in Permission::ALL {
        assert_eq!(permits(role, permission), permitted.contains(&permission), "{role:?} {permission:?}");
    }
}
