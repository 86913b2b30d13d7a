//! An officer's steps.

use std::sync::{Arc, Mutex};

use idcheck_domain::{
    access::Access,
    officer::{OfficerId, Role},
    organisation::Organisation,
    value::{Account, CompanyName, Reason},
};
use uuid::Uuid;

use super::{application, calendar, clock, contact, entropy, now, ubn};
use crate::{
    ports::{
        Change, CommitError, MailMessage, MockApplications, MockChanges, MockOrganisations, Officer,
        Versioned, Write,
    },
    review::{ReviewApplication, ReviewCommand, ReviewPorts, ReviewRefusal},
};

fn officer(role: Role) -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role }
}

struct World {
    claimed: bool,
    commits: Vec<Result<(), CommitError>>,
    committed: Arc<Mutex<Vec<Change>>>,
}

impl World {
    fn new() -> Self {
        Self { claimed: true, commits: vec![Ok(())], committed: Arc::default() }
    }

    async fn step(
        self,
        role: Role,
        version: Option<i64>,
        command: ReviewCommand,
    ) -> Result<Versioned<idcheck_domain::application::Application>, ReviewRefusal> {
        let mut case = application();
        if self.claimed {
            case = case.claim(officer(role).id, now()).unwrap().0;
        }
        let id = case.id;
        let mut applications = MockApplications::new();
        applications
            .expect_find()
            .returning(move |_| Ok(Some(Versioned { value: case.clone(), version: 4 })));
        applications.expect_of_organisation().returning(|_| Ok(Vec::new()));
        let mut organisations = MockOrganisations::new();
        organisations.expect_find().returning(|_| {
            let value = Organisation::new(ubn(), CompanyName::parse("測試甲").unwrap(), contact());
            Ok(Some(Versioned { value, version: 1 }))
        });
        organisations.expect_last_account().returning(|| Ok(Account::parse("AW999")));
        let mut changes = MockChanges::new();
        let (committed, outcomes) = (self.committed, Mutex::new(self.commits.into_iter()));
        changes.expect_commit().returning(move |change| {
            committed.lock().unwrap().push(change);
            outcomes.lock().unwrap().next().unwrap_or(Err(CommitError::Conflict))
        });
        let ports = ReviewPorts {
            clock: clock(),
            entropy: entropy(),
            applications: Arc::new(applications),
            organisations: Arc::new(organisations),
            calendar: calendar(),
            changes: Arc::new(changes),
        };
        ReviewApplication::new(ports).execute(&officer(role), id, version, &command).await
    }
}

#[tokio::test]
async fn approving_gives_account_and_iss_key_in_the_same_change() {
    let world = World::new();
    let committed = Arc::clone(&world.committed);
    let decided = world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await.unwrap();
    assert_eq!(decided.version, 5);
    let change = committed.lock().unwrap().remove(0);
    let Some(Write::Update { value, expected: 1 }) = change.organisation else { panic!("no organisation") };
    assert_eq!(value.account.unwrap().to_string(), "AX001");
    assert!(matches!(value.access, Access::Active { .. }));
    assert!(change.iss_key.is_some());
    assert!(matches!(change.mail[0].message, MailMessage::Approved { .. }));
    assert_eq!(change.history.len(), 1);
    assert_eq!(change.audit[0].action, "application.approve");
}

#[tokio::test]
async fn a_stale_version_is_refused_before_anything_is_written() {
    let world = World::new();
    let committed = Arc::clone(&world.committed);
    let reason = Reason::parse("未敘明規定").unwrap();
    let refusal = world.step(Role::Reviewer, Some(3), ReviewCommand::Reject { reason }).await.unwrap_err();
    assert_eq!(refusal, ReviewRefusal::Stale);
    assert!(committed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_account_taken_meanwhile_is_drawn_again() {
    let mut world = World::new();
    world.commits = vec![Err(CommitError::AccountTaken), Ok(())];
    assert!(world.step(Role::Supervisor, Some(4), ReviewCommand::Approve { note: None }).await.is_ok());
}

#[tokio::test]
async fn a_case_not_taken_on_can_not_be_decided() {
    let world = World { claimed: false, ..World::new() };
    let refusal =
        world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await.unwrap_err();
    assert!(matches!(refusal, ReviewRefusal::Transition(_)), "{refusal:?}");
}

#[tokio::test]
async fn auditor_and_admin_may_not_decide() {
    for role in [Role::Auditor, Role::Admin] {
        let refusal = World::new().step(role, None, ReviewCommand::Claim).await.unwrap_err();
        assert_eq!(refusal, ReviewRefusal::Forbidden);
    }
}
