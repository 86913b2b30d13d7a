//! Challenge → proof → act.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use idcheck_domain::{
    Violation,
    access::Access,
    application::Kind,
    key::Environment,
    organisation::Organisation,
    precondition::Precondition,
    value::{AddressPolicy, CompanyName, IssKey, UnifiedBusinessNumber},
};
use uuid::Uuid;

use crate::{
    Content, Leaf,
    acts::{
        ActName, ActPorts, ActResult, ChallengeRefusal, IssueChallenge, OpenChallenges, ProofRefusal,
        ProveChallenge,
    },
    ports::{
        CardFacts, CardRefusal, Change, CommitError, MailMessage, MockApplications, MockAttachments,
        MockCardVerifier, MockChallenges, MockChanges, MockImprovementPlans, MockKeyReader, MockNotices,
        MockOrganisations, MockOwnSessions, MockWebhooks, ParsedKey, Requirement, StoredChallenge, Versioned,
        Write,
    },
    tests::{before, calendar, clock, contact, entropy, now, other_ubn, signing_card, ubn},
};

const FROM: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(8, 8, 8, 8));

fn text(leaves: &[(&str, &str)]) -> Content {
    leaves.iter().map(|(pointer, value)| ((*pointer).to_owned(), Leaf::Text((*value).to_owned()))).collect()
}

fn apply_content() -> Content {
    text(&[
        ("/companyName", "測試甲股份有限公司"),
        ("/hostAddresses/0", "8.8.8.8"),
        ("/contact/name", "王小明"),
        ("/contact/mobile", "0912345678"),
        ("/contact/email", "it@example.com"),
        ("/purpose/authority", "金融監督管理委員會"),
        ("/purpose/rule", "金融機構防制洗錢辦法"),
        ("/purpose/description", "開戶時確認客戶身分"),
        ("/consent/noticeVersion", "108-06"),
        ("/consent/conductVersion", "108-06"),
    ])
}

fn card(ubn: idcheck_domain::value::UnifiedBusinessNumber) -> CardFacts {
    CardFacts { ubn, card: signing_card() }
}

fn challenge() -> StoredChallenge {
    StoredChallenge {
        id: Uuid::from_u128(9),
        act: ActName::Apply,
        ubn: ubn(),
        content: apply_content(),
        tbs: "idcheck-1.test".to_owned(),
        session: None,
        issued_at: now() - TimeDelta::minutes(1),
        expires_at: now() + TimeDelta::minutes(14),
        spent_at: None,
    }
}

/// Ports that accept everything, for a challenge, a card and an organisation.
struct World {
    challenge: Option<StoredChallenge>,
    card: Result<CardFacts, CardRefusal>,
    organisation: Option<Organisation>,
    successor: Option<UnifiedBusinessNumber>,
    /// Whether another challenge may wait.
    room: bool,
    commits: Vec<Result<(), CommitError>>,
    committed: Arc<Mutex<Vec<Change>>>,
}

impl World {
    fn new() -> Self {
        Self {
            challenge: Some(challenge()),
            card: Ok(card(ubn())),
            organisation: None,
            successor: None,
            room: true,
            commits: vec![Ok(())],
            committed: Arc::default(),
        }
    }

    fn ports(self) -> ActPorts {
        let mut challenges = MockChallenges::new();
        let stored = self.challenge;
        challenges.expect_find().returning(move |_| Ok(stored.clone()));
        let mut cards = MockCardVerifier::new();
        let facts = self.card;
        cards.expect_verify().returning(move |_, _, _| facts.clone());
        let mut organisations = MockOrganisations::new();
        let held = self.organisation;
        organisations.expect_find().returning(move |asked| {
            Ok(held.clone().filter(|o| o.ubn == asked).map(|value| Versioned { value, version: 3 }))
        });
        let (successor, room) = (self.successor, self.room);
        organisations.expect_active_successor().returning(move |_| Ok(successor));
        let mut changes = MockChanges::new();
        let (committed, outcomes) = (self.committed, Mutex::new(self.commits.into_iter()));
        changes.expect_commit().returning(move |change| {
            committed.lock().unwrap().push(change);
            outcomes.lock().unwrap().next().unwrap_or(Err(CommitError::Conflict))
        });
        changes.expect_issue_challenge().returning(move |_, _| Ok(room));
        ActPorts {
            clock: clock(),
            entropy: entropy(),
            cards: Arc::new(cards),
            keys: Arc::new(MockKeyReader::new()),
            challenges: Arc::new(challenges),
            applications: Arc::new(MockApplications::new()),
            webhooks: Arc::new(MockWebhooks::new()),
            attachments: Arc::new(MockAttachments::new()),
            plans: Arc::new(MockImprovementPlans::new()),
            notices: Arc::new(MockNotices::new()),
            sessions: Arc::new(MockOwnSessions::new()),
            organisations: Arc::new(organisations),
            calendar: calendar(),
            usage: crate::tests::usage(),
            uses: Arc::new(no_uses()),
            changes: Arc::new(changes),
            challenge_life: TimeDelta::minutes(15),
            address_policy: AddressPolicy::Public,
            open_challenges: OpenChallenges { of_organisation: 5, of_address: 50 },
        }
    }

    async fn prove(self) -> Result<crate::acts::Proven, ProofRefusal> {
        ProveChallenge::new(self.ports()).execute(Uuid::from_u128(9), b"cms", None).await
    }
}

fn organisation(access: Access) -> Organisation {
    let mut held = Organisation::new(ubn(), CompanyName::parse("測試甲股份有限公司").unwrap(), contact());
    held.access = access;
    held
}

#[tokio::test]
async fn every_broken_rule_is_told_at_once_with_its_pointer() {
    let content = text(&[("/hostAddresses/0", "10.0.0.1"), ("/contact/email", "x"), ("/stray", "1")]);
    let refusal = IssueChallenge::new(World::new().ports())
        .execute(ActName::Apply, ubn(), content, None, FROM)
        .await
        .unwrap_err();
    let ChallengeRefusal::Content(violations) = refusal else { panic!("{refusal:?}") };
    let told: Vec<_> = violations.iter().map(|v| (v.pointer.as_str(), v.violation)).collect();
    for expected in [
        ("/companyName", Violation::Required),
        ("/hostAddresses/0", Violation::HostAddressNotPublic),
        ("/contact/name", Violation::Required),
        ("/contact/email", Violation::EmailFormat),
        ("/contact/landline", Violation::PhoneRequired),
        ("/purpose/authority", Violation::Required),
        ("/consent/noticeVersion", Violation::Required),
        ("/stray", Violation::UnknownMember),
    ] {
        assert!(told.contains(&expected), "{expected:?} is missing in {told:?}");
    }
}

/// Of a later kind the contact may be left out, in each way in which JSON leaves something out; one without members is none.
#[test]
fn a_part_that_may_be_left_out() {
    let told = |leaves: &[(&str, Leaf)]| {
        let mut content: Vec<_> = text(&[
            ("/reason", "不再需要"),
            ("/consent/noticeVersion", "108-06"),
            ("/consent/conductVersion", "108-06"),
        ])
        .iter()
        .map(|(pointer, leaf)| (pointer.to_owned(), leaf.clone()))
        .collect();
        content.extend(leaves.iter().map(|(pointer, leaf)| ((*pointer).to_owned(), leaf.clone())));
        let issue = IssueChallenge::new(World::new().ports());
        let read = issue.validate(ActName::Suspend, ubn(), &content.into_iter().collect());
        read.err().into_iter().flatten().map(|wrong| wrong.pointer).collect::<Vec<_>>()
    };
    assert!(told(&[]).is_empty());
    assert!(told(&[("/contact", Leaf::Null)]).is_empty());
    let parts = ["/contact/name", "/contact/email", "/contact/landline"];
    assert_eq!(told(&[("/contact", Leaf::Empty)]), parts);
    assert_eq!(told(&[("/contact/mobile", Leaf::Text("0912345678".to_owned()))]), parts[..2]);
}

/// Each broken rule of a change of addresses is told beside the others.
#[test]
fn a_cut_over_is_judged_with_the_rest() {
    let issue = IssueChallenge::new(World::new().ports());
    let told = |leaves: &[(&str, &str)]| {
        let read = issue.validate(ActName::ChangeAddress, ubn(), &text(leaves)).unwrap_err();
        read.iter().map(|wrong| (wrong.pointer.clone(), wrong.violation)).collect::<Vec<_>>()
    };
    let all = told(&[("/cutOverAt", "2000-01-01T00:00:00+08:00"), ("/overlapDays", "8")]);
    for (pointer, violation) in [
        ("/cutOverAt", Violation::CutOverTime),
        ("/overlapDays", Violation::OverlapDays),
        ("/reason", Violation::Required),
        ("/consent/noticeVersion", Violation::Required),
    ] {
        assert!(all.contains(&(pointer.to_owned(), violation)), "{pointer} is missing in {all:?}");
    }
    let lonely = [
        ("/hostAddresses/0", "8.8.8.8"),
        ("/reason", "機房搬遷"),
        ("/overlapDays", "1"),
        ("/consent/noticeVersion", "108-06"),
        ("/consent/conductVersion", "108-06"),
    ];
    assert_eq!(told(&lonely), [("/overlapDays".to_owned(), Violation::OverlapDays)]);
}

#[tokio::test]
async fn where_too_many_wait_none_is_issued() {
    let ports = World { room: false, ..World::new() }.ports();
    let issued = IssueChallenge::new(ports).execute(ActName::Apply, ubn(), apply_content(), None, FROM).await;
    assert_eq!(issued, Err(ChallengeRefusal::TooMany));
}

#[tokio::test]
async fn the_signed_text_changes_with_every_letter_of_the_content() {
    let issue = |content| async {
        IssueChallenge::new(World::new().ports()).execute(ActName::Apply, ubn(), content, None, FROM).await
    };
    let digest = |tbs: &str| tbs.split('.').nth(5).unwrap().to_owned();
    let first = issue(apply_content()).await.unwrap();
    let mut leaves: Vec<_> = apply_content().iter().map(|(p, l)| (p.to_owned(), l.clone())).collect();
    leaves[0].1 = Leaf::Text("測試乙股份有限公司".to_owned());
    let second = issue(leaves.into_iter().collect()).await;
    // The first leaf by pointer is the company name; another name is another digest.
    assert_ne!(digest(&first.tbs), digest(&second.unwrap().tbs));
    assert!(first.tbs.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'), "{}", first.tbs);
}

#[tokio::test]
async fn filing_commits_case_history_mail_audit_and_spent_challenge_together() {
    let world = World::new();
    let committed = Arc::clone(&world.committed);
    let proven = world.prove().await.unwrap();
    let ActResult::Application(filed) = proven.result else { panic!("no application") };
    assert_eq!(filed.kind(), Kind::Apply);
    let change = committed.lock().unwrap().remove(0);
    assert_eq!(change.spends, Some((Uuid::from_u128(9), now())));
    assert_eq!(change.applications.len(), 1);
    assert_eq!(change.history.len(), 1);
    assert_eq!(change.mail.len(), 1);
    assert_eq!(change.audit.len(), 1);
    assert!(matches!(change.organisation, Some(Write::Insert(_))));
}

/// The contact held keeps its place until a case that names another is approved, and is told that one was asked for.
#[tokio::test]
async fn another_contact_is_asked_for_and_the_one_held_is_told() {
    for (same, mails) in [(true, 1), (false, 2)] {
        let mut held = organisation(Access::None);
        if !same {
            held.contact = before();
        }
        let world = World { organisation: Some(held), ..World::new() };
        let committed = Arc::clone(&world.committed);
        world.prove().await.unwrap();
        let change = committed.lock().unwrap().remove(0);
        assert_eq!(change.mail.len(), mails);
        let Write::Insert(case) = &change.applications[0] else { panic!("no case") };
        assert_eq!((case.contact.clone(), case.replaces.clone()), (contact(), (!same).then(before)));
        let Some(Write::Update { value, .. }) = &change.organisation else { panic!("no organisation") };
        assert_eq!(value.contact, if same { contact() } else { before() });
        if !same {
            assert!(matches!(change.mail[1].message, MailMessage::ContactAsked { .. }));
            assert_eq!(change.mail[1].to, *before().email());
        }
    }
}

/// Whatever is counted by the calendar is written only if that calendar is still in force.
#[tokio::test]
async fn what_filing_relies_on_is_required_in_the_write() {
    let world = World::new();
    let committed = Arc::clone(&world.committed);
    world.prove().await.unwrap();
    assert_eq!(committed.lock().unwrap()[0].requires, [Requirement::CalendarEdition(0)]);
}

#[tokio::test]
async fn a_change_that_someone_else_came_before_is_made_again() {
    let mut world = World::new();
    world.commits = vec![Err(CommitError::Conflict), Ok(())];
    let committed = Arc::clone(&world.committed);
    world.prove().await.unwrap();
    assert_eq!(committed.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_change_that_never_gets_through_is_a_conflict() {
    let mut world = World::new();
    world.commits = Vec::new();
    let committed = Arc::clone(&world.committed);
    assert_eq!(world.prove().await.unwrap_err(), ProofRefusal::Conflict);
    assert_eq!(committed.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn refused_before_anything_is_written() {
    let cases: Vec<(World, ProofRefusal)> = vec![
        (World { challenge: None, ..World::new() }, ProofRefusal::UnknownChallenge),
        (
            World {
                challenge: Some(StoredChallenge { session: Some([1; 32]), ..challenge() }),
                ..World::new()
            },
            ProofRefusal::UnknownChallenge,
        ),
        (
            World {
                challenge: Some(StoredChallenge { spent_at: Some(now()), ..challenge() }),
                ..World::new()
            },
            ProofRefusal::Spent,
        ),
        (
            World { challenge: Some(StoredChallenge { expires_at: now(), ..challenge() }), ..World::new() },
            ProofRefusal::Expired,
        ),
        (World { card: Err(CardRefusal::Revoked), ..World::new() }, ProofRefusal::Card(CardRefusal::Revoked)),
        (
            World { card: Ok(card(other_ubn())), ..World::new() },
            ProofRefusal::Card(CardRefusal::OtherCompany),
        ),
        (
            World { organisation: Some(organisation(Access::Active { since: now() })), ..World::new() },
            ProofRefusal::Precondition(Precondition::AlreadyActive),
        ),
        (
            World { successor: Some(other_ubn()), ..World::new() },
            ProofRefusal::Precondition(Precondition::SuccessorActive),
        ),
    ];
    for (world, expected) in cases {
        let committed = Arc::clone(&world.committed);
        assert_eq!(world.prove().await.unwrap_err(), expected);
        assert!(committed.lock().unwrap().is_empty(), "{expected:?} wrote something");
    }
}

#[tokio::test]
async fn what_the_write_refuses_is_told_by_its_own_name() {
    for (error, refusal) in [
        (CommitError::ChallengeSpent, ProofRefusal::Spent),
        (CommitError::OpenCase, ProofRefusal::Precondition(Precondition::OpenCase)),
    ] {
        let world = World { commits: vec![Err(error)], ..World::new() };
        assert_eq!(world.prove().await.unwrap_err(), refusal);
    }
}

#[test]
fn moving_text_between_fields_changes_the_digest() {
    let one = text(&[("/a", "xy"), ("/b", "z")]);
    let other = text(&[("/a", "x"), ("/b", "yz")]);
    assert_ne!(one.digest(), other.digest());
}

/// A proof of `registerKey` for the sandbox, with the Iss Key that is held there already.
async fn register_sandbox_key(
    held: Option<IssKey>,
    environment: &str,
) -> (Result<crate::acts::Proven, ProofRefusal>, Vec<Change>) {
    let mut world = World::new();
    let stored = world.challenge.as_mut().unwrap();
    stored.act = ActName::RegisterKey;
    stored.content = text(&[
        ("/publicKeyPem", "PEM"),
        ("/profile", "strict"),
        ("/environment", environment),
        ("/label", "測試機"),
    ]);
    let committed = Arc::clone(&world.committed);
    let mut ports = world.ports();
    let mut keys = MockKeyReader::new();
    keys.expect_read().returning(|_, _| {
        Ok(ParsedKey { material: Arc::new(crate::tests::verify::AnyKey), fingerprint: "ab".repeat(32) })
    });
    ports.keys = Arc::new(keys);
    let mut organisations = MockOrganisations::new();
    let known = organisation(Access::None);
    organisations.expect_find().returning(move |_| Ok(Some(Versioned { value: known.clone(), version: 3 })));
    organisations.expect_iss_key().returning(move |_, asked| {
        assert_eq!(asked, Environment::Sandbox);
        Ok(held.clone())
    });
    ports.organisations = Arc::new(organisations);
    let outcome = ProveChallenge::new(ports).execute(Uuid::from_u128(9), b"cms", None).await;
    let changes = committed.lock().unwrap().clone();
    (outcome, changes)
}

#[tokio::test]
async fn the_first_sandbox_key_makes_an_iss_key_and_the_next_is_told_it() {
    let (outcome, changes) = register_sandbox_key(None, "sandbox").await;
    let ActResult::SandboxKeyRegistered { key, iss_key } = outcome.unwrap().result else { panic!("no key") };
    assert_eq!(key.environment, Environment::Sandbox);
    let given = changes[0].iss_key.clone().unwrap();
    assert_eq!((given.environment, &given.iss_key), (Environment::Sandbox, &iss_key));
    assert!(matches!(changes[0].organisation, Some(Write::Update { expected: 3, .. })));

    let (outcome, changes) = register_sandbox_key(Some(iss_key.clone()), "sandbox").await;
    let ActResult::SandboxKeyRegistered { iss_key: told, .. } = outcome.unwrap().result else {
        panic!("no key")
    };
    assert_eq!(told, iss_key);
    assert_eq!(changes[0].iss_key, None);
}

#[tokio::test]
async fn without_access_there_is_no_production_key() {
    let (outcome, changes) = register_sandbox_key(None, "production").await;
    assert_eq!(outcome, Err(ProofRefusal::Precondition(Precondition::NotActive)));
    assert!(changes.is_empty());
}

fn no_uses() -> crate::ports::MockLastUses {
    let mut uses = crate::ports::MockLastUses::new();
    uses.expect_uses_of().returning(|_| Ok(Vec::new()));
    uses
}
