//! An officer's steps.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use idcheck_domain::{
    access::Access,
    application::{Application, Approvers, Request, StateName},
    contact::Contact,
    officer::{OfficerId, Role},
    organisation::Organisation,
    precondition::Precondition,
    usage::Latency,
    value::{Account, CompanyName, Reason, UnifiedBusinessNumber},
};
use uuid::Uuid;

use crate::{
    OfficePorts, Refusal,
    application::{ReadCases, ReviewApplication, ReviewCommand},
    ports::{
        CardRefusal, Change, CommitError, MailMessage, MailText, MockApplications, MockCardVerifier,
        MockChanges, MockCompanyRegister, MockImprovementPlans, MockMailComposer, MockNotices,
        MockOrganisations, MockReasonTemplates, MockUsageCounts, Officer, Versioned, Write,
    },
    tests::{application, before, contact, now, office, signing_card as case_card, ubn},
};

fn officer(role: Role) -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role }
}

struct World {
    claimed: bool,
    approvers: Approvers,
    request: Option<Request>,
    active: bool,
    /// The contact held, and the one that the case asks to replace.
    contacts: (Contact, Option<Contact>),
    successor: Option<UnifiedBusinessNumber>,
    card: Result<(), CardRefusal>,
    commits: Vec<Result<(), CommitError>>,
    committed: Arc<Mutex<Vec<Change>>>,
}

impl World {
    fn new() -> Self {
        Self {
            claimed: true,
            approvers: Approvers::One,
            request: None,
            active: false,
            contacts: (contact(), None),
            successor: None,
            card: Ok(()),
            commits: vec![Ok(())],
            committed: Arc::default(),
        }
    }

    async fn step(
        self,
        role: Role,
        version: Option<i64>,
        command: ReviewCommand,
    ) -> Result<Versioned<Application>, Refusal> {
        let mut case = application();
        if let Some(request) = &self.request {
            case.request = request.clone();
        }
        case.replaces.clone_from(&self.contacts.1);
        if self.claimed {
            case = case.claim(officer(role).id, now()).unwrap().0;
        }
        let (id, approvers) = (case.id, self.approvers);
        let (ports, cards) = self.ports(case);
        ReviewApplication::new(ports, cards, approvers).execute(&officer(role), id, version, &command).await
    }

    fn ports(self, case: Application) -> (OfficePorts, Arc<MockCardVerifier>) {
        let mut applications = MockApplications::new();
        applications
            .expect_find()
            .returning(move |_| Ok(Some(Versioned { value: case.clone(), version: 4 })));
        applications.expect_history().returning(|_| Ok(Vec::new()));
        applications.expect_of_organisation().returning(|_| Ok(Vec::new()));
        let mut organisations = MockOrganisations::new();
        let (active, held) = (self.active, self.contacts.0);
        organisations.expect_find().returning(move |_| {
            let mut value = Organisation::new(ubn(), CompanyName::parse("測試甲").unwrap(), held.clone());
            if active {
                value.access = Access::Active { since: now() };
            }
            Ok(Some(Versioned { value, version: 1 }))
        });
        let successor = self.successor;
        organisations.expect_active_successor().returning(move |_| Ok(successor));
        organisations.expect_last_account().returning(|| Ok(Account::parse("AW999")));
        let mut changes = MockChanges::new();
        let (committed, outcomes) = (self.committed, Mutex::new(self.commits.into_iter()));
        changes.expect_note().returning(|_| Ok(()));
        changes.expect_commit().returning(move |change| {
            committed.lock().unwrap().push(change);
            outcomes.lock().unwrap().next().unwrap_or(Err(CommitError::Conflict))
        });
        let mut cards = MockCardVerifier::new();
        let (card, of_case) = (self.card, case_card());
        cards.expect_recheck().withf(move |asked, at| *asked == of_case && *at == now()).return_const(card);
        let mut notices = MockNotices::new();
        notices.expect_of_organisation().returning(|_| Ok(Vec::new()));
        let mut register = MockCompanyRegister::new();
        register.expect_company().returning(|_| Ok(None));
        let mut templates = MockReasonTemplates::new();
        templates.expect_all().returning(|| Ok(Vec::new()));
        let mut counts = MockUsageCounts::new();
        counts.expect_days().returning(|_, _| Ok(BTreeMap::new()));
        counts.expect_refused().returning(|_, _| Ok(Vec::new()));
        counts.expect_latency().returning(|_, _| Ok(Latency::default()));
        counts.expect_reviews().returning(|_, _| Ok(Vec::new()));
        let mut composer = MockMailComposer::new();
        composer.expect_compose().returning(|message| MailText {
            subject: format!("{message:?}"),
            plain: String::new(),
            html: String::new(),
        });
        let mut plans = MockImprovementPlans::new();
        plans.expect_of_organisation().returning(|_| Ok(Vec::new()));
        let ports = OfficePorts {
            plans: Arc::new(plans),
            applications: Arc::new(applications),
            organisations: Arc::new(organisations),
            company_register: Arc::new(register),
            notices: Arc::new(notices),
            counts: Arc::new(counts),
            templates: Arc::new(templates),
            composer: Arc::new(composer),
            changes: Arc::new(changes),
            ..office()
        };
        (ports, Arc::new(cards))
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
    assert_eq!(change.audit[0].action.to_string(), "application.approve");
}

/// A proposal is a line of the history and nothing else: no account, no key, no mail; and none where the card is dead already.
#[tokio::test]
async fn a_proposal_gives_nothing_yet() {
    let note = Reason::parse("請先測試").ok();
    let propose = ReviewCommand::ProposeApproval { note };
    let world = World { approvers: Approvers::Two, ..World::new() };
    let committed = Arc::clone(&world.committed);
    let proposed = world.step(Role::Reviewer, Some(4), propose.clone()).await.unwrap();
    assert_eq!(proposed.value.state.name(), StateName::ApprovalProposed);
    let change = committed.lock().unwrap().remove(0);
    assert!(change.organisation.is_none() && change.iss_key.is_none() && change.mail.is_empty());
    assert_eq!(change.history.len(), 1);
    assert_eq!(change.audit[0].action.to_string(), "application.proposeApproval");
    let world = World { approvers: Approvers::Two, card: Err(CardRefusal::Revoked), ..World::new() };
    let refused = world.step(Role::Reviewer, Some(4), propose.clone()).await;
    assert_eq!(refused.unwrap_err(), Refusal::Card(CardRefusal::Revoked));
    // Nor what one may approve is proposed, nor what takes two approved alone.
    assert!(World::new().step(Role::Reviewer, Some(4), propose).await.is_err());
    let world = World { approvers: Approvers::Two, ..World::new() };
    assert!(world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await.is_err());
}

/// Whoever takes the contact's place learns of the approval, and whoever gives it up learns that much.
#[tokio::test]
async fn a_new_contact_is_taken_over_with_the_approval() {
    let world = World { contacts: (before(), Some(before())), ..World::new() };
    let committed = Arc::clone(&world.committed);
    world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await.unwrap();
    let change = committed.lock().unwrap().remove(0);
    let Some(Write::Update { value, .. }) = &change.organisation else { panic!("no organisation") };
    assert_eq!(value.contact, contact());
    let mails: Vec<_> = change.mail.iter().map(|mail| (&mail.to, &mail.message)).collect();
    assert!(matches!(mails[0], (to, MailMessage::ContactChanged { .. }) if to == before().email()));
    assert!(matches!(mails[1], (to, MailMessage::Approved { .. }) if to == contact().email()));
}

/// What the contact changed to meanwhile stays: the case was to replace the one before.
#[tokio::test]
async fn a_contact_changed_since_is_not_put_back() {
    for replaces in [None, Some(contact())] {
        let world = World { contacts: (before(), replaces), ..World::new() };
        let committed = Arc::clone(&world.committed);
        world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await.unwrap();
        let change = committed.lock().unwrap().remove(0);
        let Some(Write::Update { value, .. }) = &change.organisation else { panic!("no organisation") };
        assert_eq!(value.contact, before());
        assert!(change.mail.iter().all(|mail| mail.to == *before().email()), "{:?}", change.mail);
        assert_eq!(change.mail.len(), 1);
    }
    let reject = ReviewCommand::Reject { reason: Reason::parse("未敘明規定").unwrap() };
    let world = World { contacts: (before(), Some(before())), ..World::new() };
    let committed = Arc::clone(&world.committed);
    world.step(Role::Reviewer, Some(4), reject).await.unwrap();
    assert_eq!(
        committed.lock().unwrap()[0].mail[0].to,
        *before().email(),
        "the one held, not the one asked for"
    );
}

/// 注意事項 八(三), from the old number's side.
#[tokio::test]
async fn a_number_whose_successor_has_access_gets_none() {
    let world = World { successor: UnifiedBusinessNumber::parse("12345675").ok(), ..World::new() };
    let committed = Arc::clone(&world.committed);
    let refused = world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await;
    assert_eq!(refused.unwrap_err(), Refusal::Precondition(Precondition::SuccessorActive));
    assert!(committed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_stale_version_is_refused_before_anything_is_written() {
    let world = World::new();
    let committed = Arc::clone(&world.committed);
    let reason = Reason::parse("未敘明規定").unwrap();
    let refusal = world.step(Role::Reviewer, Some(3), ReviewCommand::Reject { reason }).await.unwrap_err();
    assert_eq!(refusal, Refusal::Stale);
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
    assert!(matches!(refusal, Refusal::Transition(_)), "{refusal:?}");
}

#[tokio::test]
async fn auditor_and_admin_may_not_decide() {
    for role in [Role::Auditor, Role::Admin] {
        let refusal = World::new().step(role, None, ReviewCommand::Claim).await.unwrap_err();
        assert_eq!(refusal, Refusal::Forbidden);
    }
}

#[tokio::test]
async fn a_card_that_is_not_good_any_more_gets_nothing() {
    for card in [CardRefusal::Revoked, CardRefusal::Expired, CardRefusal::StatusUnavailable] {
        let world = World { card: Err(card), ..World::new() };
        let committed = Arc::clone(&world.committed);
        let refusal = world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await;
        assert_eq!(refusal.unwrap_err(), Refusal::Card(card));
        assert!(committed.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn rejecting_and_stopping_need_no_good_card() {
    let reason = Reason::parse("憑證已廢止").unwrap();
    let world = World { card: Err(CardRefusal::Revoked), ..World::new() };
    let rejected =
        world.step(Role::Reviewer, Some(4), ReviewCommand::Reject { reason: reason.clone() }).await;
    assert_eq!(rejected.unwrap().value.state.name(), StateName::Rejected);

    let request = Some(Request::Suspend { reason });
    let world = World { card: Err(CardRefusal::Revoked), request, active: true, ..World::new() };
    let stopped = world.step(Role::Reviewer, Some(4), ReviewCommand::Approve { note: None }).await;
    assert_eq!(stopped.unwrap().value.state.name(), StateName::Approved);
}

#[tokio::test]
async fn a_case_shows_how_its_card_stands_while_it_is_open() {
    for (closed, expected) in [(false, Some(Err(CardRefusal::Revoked))), (true, None)] {
        let mut case = application();
        if closed {
            case = case.withdraw(None, now()).unwrap().0;
        }
        let id = case.id;
        let (ports, cards) = World { card: Err(CardRefusal::Revoked), ..World::new() }.ports(case);
        let file =
            ReadCases::new(ports, cards, Approvers::One).case(&officer(Role::Auditor), id).await.unwrap();
        assert_eq!(file.card_today, expected);
    }
}

#[tokio::test]
async fn a_preview_is_the_mail_of_the_step_and_commits_nothing() {
    let reason = Reason::parse("未敘明規定").unwrap();
    let reject = ReviewCommand::Reject { reason: reason.clone() };
    let case = application().claim(officer(Role::Reviewer).id, now()).unwrap().0;
    let id = case.id;
    let world = World::new();
    let committed = Arc::clone(&world.committed);
    let (ports, cards) = world.ports(case);
    let review = ReviewApplication::new(ports, cards, Approvers::One);
    let mail = review.preview(&officer(Role::Reviewer), id, 4, &reject).await.unwrap();
    assert!(mail.text.subject.starts_with("Rejected") && mail.text.subject.contains("未敘明規定"));
    assert_eq!(mail.to, *contact().email());
    let refused = |role, version, command| {
        let review = review.clone();
        async move { review.preview(&officer(role), id, version, &command).await.unwrap_err() }
    };
    assert_eq!(refused(Role::Reviewer, 3, reject.clone()).await, Refusal::Stale);
    assert_eq!(refused(Role::Auditor, 4, reject).await, Refusal::Forbidden);
    assert_eq!(refused(Role::Reviewer, 4, ReviewCommand::Release).await, Refusal::Unknown);
    assert!(committed.lock().unwrap().is_empty());
}
