//! Sign-in.

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::officer::{OfficerId, Role};
use uuid::Uuid;

use crate::{
    officer::{
        InvitationRefusal, KeepOfficers, KeptBy, NewCredential, OfficerPorts, OfficerRefusal, ProviderAnswer,
        SecondFactor, ShownOnce, SignIn, SignInMethods, SignInRefusal,
    },
    ports::{
        MockChanges, MockCredentials, MockIdentityProvider, MockOfficerSessions, MockOfficers, Officer,
        OfficerChange, OfficerCredential, OfficerRecord, ProviderError, SessionId, SessionOrigin,
        SignInAttempt,
    },
    tests::{clock, entropy, now},
};

#[allow(clippy::struct_excessive_bools, reason = "a table of what is right and wrong")]
pub(super) struct World {
    pub(super) known: bool,
    pub(super) closed: bool,
    pub(super) by_provider: bool,
    pub(super) locked: bool,
    pub(super) password_right: bool,
    pub(super) code_right: bool,
    pub(super) step_fresh: bool,
    pub(super) failures_counted: usize,
    pub(super) sessions_opened: usize,
}

pub(super) const GOOD: World = World {
    known: true,
    closed: false,
    by_provider: false,
    locked: false,
    password_right: true,
    code_right: true,
    step_fresh: true,
    failures_counted: 0,
    sessions_opened: 0,
};

pub(super) fn officer() -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role: Role::Reviewer }
}

pub(super) fn from() -> SessionOrigin {
    SessionOrigin::default()
}

fn local() -> OfficerCredential {
    OfficerCredential::Local { password_hash: "hash".to_owned(), totp_secret: vec![1; 20] }
}

pub(super) fn ports(world: &World) -> OfficerPorts {
    let mut officers = MockOfficers::new();
    let record = world.known.then(|| OfficerRecord {
        officer: officer(),
        credential: if world.by_provider {
            OfficerCredential::Provider { subject: "lin-1".to_owned() }
        } else {
            local()
        },
        closed: world.closed,
        failures: 0,
        locked_until: world.locked.then(|| now() + TimeDelta::minutes(1)),
    });
    officers.expect_find_by_username().returning(move |_| Ok(record.clone()));
    officers.expect_failed().times(world.failures_counted).returning(|_, limit, until| {
        assert_eq!((limit, until), (5, now() + TimeDelta::minutes(15)));
        Ok(())
    });
    let fresh = world.step_fresh;
    officers.expect_succeeded().returning(move |_, _, _| Ok(fresh));
    officers.expect_add().returning(|_, _, _, _| Ok(true));
    officers.expect_change().returning(|_, _, _| Ok(true));
    officers.expect_find_by_subject().returning(|subject| Ok((subject == "lin-1").then(officer)));
    let mut credentials = MockCredentials::new();
    let (right, known) = (world.password_right, world.known && !world.closed && !world.by_provider);
    // The work is done for unknown users too.
    credentials.expect_password_matches().returning(move |_, hash| {
        assert_eq!(hash.is_some(), known);
        Some(right && known)
    });
    let code = world.code_right;
    credentials.expect_totp_step().returning(move |_, _, _| code.then_some(77));
    credentials.expect_hash_password().returning(|_| "hash".to_owned());
    let mut sessions = MockOfficerSessions::new();
    sessions.expect_open().times(world.sessions_opened).returning(|_, _, _, _, _| Ok(()));
    let mut changes = MockChanges::new();
    changes.expect_note().returning(|_| Ok(()));
    OfficerPorts {
        clock: clock(),
        entropy: entropy(),
        officers: Arc::new(officers),
        sessions: Arc::new(sessions),
        credentials: Arc::new(credentials),
        changes: Arc::new(changes),
        methods: SignInMethods::Local,
        passkeys: None,
    }
}

#[tokio::test]
async fn password_and_code_open_a_session() {
    let opened = SignIn::new(ports(&World { sessions_opened: 1, ..GOOD }))
        .open("lin", "p", "123456", &from())
        .await
        .unwrap();
    assert_eq!(opened.officer, officer());
    assert_eq!(opened.token.expose().len(), 64);
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_one_way_and_counted_when_it_is_a_guess() {
    for world in [
        World { known: false, ..GOOD },
        World { closed: true, ..GOOD },
        World { by_provider: true, ..GOOD },
        World { locked: true, ..GOOD },
        World { password_right: false, failures_counted: 1, ..GOOD },
        World { code_right: false, failures_counted: 1, ..GOOD },
        World { step_fresh: false, ..GOOD },
    ] {
        let refusal = SignIn::new(ports(&world)).open("lin", "p", "123456", &from()).await.unwrap_err();
        assert_eq!(refusal, SignInRefusal::Refused);
    }
}

#[tokio::test]
async fn only_an_admin_keeps_accounts_and_only_with_a_name_and_a_credential_that_hold() {
    let keep = || KeepOfficers::new(ports(&GOOD));
    let password = NewCredential::Password("a long enough one");
    let by = KeptBy::Officer(officer());
    let forbidden = OfficerRefusal::Forbidden;
    assert_eq!(keep().add(&by, "chen", Role::Reviewer, password).await.err().unwrap(), forbidden);
    assert_eq!(keep().reset(&by, "lin", password).await.err().unwrap(), forbidden);
    assert_eq!(keep().set_role(&by, "lin", Role::Admin).await.err().unwrap(), forbidden);
    assert_eq!(keep().set_closed(&by, "lin", false).await.err().unwrap(), forbidden);
    let long = "x".repeat(256);
    for (name, credential, expected) in [
        ("Chen", password, OfficerRefusal::Username),
        ("chen wang", password, OfficerRefusal::Username),
        ("chen", NewCredential::Password("short"), OfficerRefusal::Password),
        ("chen", NewCredential::Subject(""), OfficerRefusal::Subject),
        ("chen", NewCredential::Subject("陳"), OfficerRefusal::Subject),
        ("chen", NewCredential::Subject(&long), OfficerRefusal::Subject),
    ] {
        let refused = keep().add(&KeptBy::Operator, name, Role::Reviewer, credential).await.err().unwrap();
        assert_eq!(refused, expected);
    }
    let (_, factor) = keep().add(&KeptBy::Operator, "chen", Role::Admin, password).await.ok().unwrap();
    assert!(matches!(factor, Some(ShownOnce::Factor(SecondFactor(secret))) if secret.len() == 20));
    let subject = NewCredential::Subject("chen-1");
    let (_, factor) = keep().add(&KeptBy::Operator, "chen", Role::Admin, subject).await.ok().unwrap();
    assert!(factor.is_none(), "a second factor that nobody asks for");
}

#[tokio::test]
async fn an_account_that_is_not_there_is_not_changed() {
    let keep = KeepOfficers::new(ports(&World { known: false, ..GOOD }));
    let refused = keep.set_closed(&KeptBy::Operator, "lin", true).await.err().unwrap();
    assert_eq!(refused, OfficerRefusal::Unknown);
}

#[tokio::test]
async fn a_lost_second_factor_is_replaced_with_a_new_one() {
    let mut changed = ports(&GOOD);
    let mut officers = MockOfficers::new();
    officers.expect_find_by_username().returning(|_| {
        Ok(Some(OfficerRecord {
            officer: officer(),
            credential: local(),
            closed: false,
            failures: 0,
            locked_until: None,
        }))
    });
    officers.expect_change().times(1).returning(|id, change, _| {
        assert_eq!(id, officer().id);
        assert!(matches!(change, OfficerChange::Credential(OfficerCredential::Local { .. })));
        Ok(true)
    });
    changed.officers = Arc::new(officers);
    let password = NewCredential::Password("a long enough one");
    let factor = KeepOfficers::new(changed).reset(&KeptBy::Operator, "lin", password).await.ok().unwrap();
    assert!(matches!(factor, Some(ShownOnce::Factor(SecondFactor(secret))) if secret.len() == 20));
}

/// An admin.
fn admin(id: u128) -> KeptBy {
    let id = OfficerId(Uuid::from_u128(id));
    KeptBy::Officer(Officer { id, username: "root".to_owned(), role: Role::Admin })
}

#[tokio::test]
async fn nobody_changes_their_own_account() {
    let keep = KeepOfficers::new(ports(&GOOD));
    let (own, other) = (admin(5), admin(6));
    let password = NewCredential::Password("a long enough one");
    let oneself = Some(OfficerRefusal::Oneself);
    assert_eq!(keep.set_role(&own, "lin", Role::Auditor).await.err(), oneself);
    assert_eq!(keep.set_closed(&own, "lin", true).await.err(), oneself);
    assert_eq!(keep.reset(&own, "lin", password).await.err(), oneself);
    assert_eq!(keep.set_closed(&other, "lin", true).await, Ok(()));
}

#[tokio::test]
async fn only_an_admin_sees_accounts_and_ends_sessions_of_others() {
    let mut sessions = MockOfficerSessions::new();
    sessions.expect_end().returning(|_, id, _| Ok(id.0 == "known"));
    let ports = OfficerPorts { sessions: Arc::new(sessions), ..ports(&GOOD) };
    let keep = KeepOfficers::new(ports);
    let by = KeptBy::Officer(officer());
    let known = SessionId("known".to_owned());
    assert_eq!(keep.list(&by).await.unwrap_err(), OfficerRefusal::Forbidden);
    assert_eq!(keep.account(&by, "lin").await.unwrap_err(), OfficerRefusal::Forbidden);
    assert_eq!(keep.end_session(&by, "lin", &known).await, Err(OfficerRefusal::Forbidden));
    assert_eq!(keep.end_session(&admin(6), "lin", &known).await, Ok(()));
    let other = SessionId("other".to_owned());
    assert_eq!(keep.end_session(&admin(6), "lin", &other).await, Err(OfficerRefusal::Unknown));
}

/// Ports of an account that was invited until `hours` from now; `right` is the one code that its hash takes.
fn invited(hours: i64, right: &'static str, accepted: bool, failures: usize) -> OfficerPorts {
    let mut officers = MockOfficers::new();
    officers.expect_find_by_username().returning(move |_| {
        let credential = OfficerCredential::Invited {
            code_hash: "hash".to_owned(),
            totp_secret: vec![7; 20],
            until: now() + TimeDelta::hours(hours),
        };
        Ok(Some(OfficerRecord {
            officer: officer(),
            credential,
            closed: false,
            failures: 0,
            locked_until: None,
        }))
    });
    officers.expect_failed().times(failures).returning(|_, _, _| Ok(()));
    officers.expect_accept().returning(move |_, code_hash, password_hash, step, _, _| {
        assert_eq!((code_hash, password_hash, step), ("hash", "hash", 77));
        Ok(accepted)
    });
    let mut credentials = MockCredentials::new();
    credentials.expect_password_matches().returning(move |code, _| Some(code == right));
    credentials.expect_totp_step().returning(|_, code, _| (code == "123456").then_some(77));
    credentials.expect_hash_password().returning(|_| "hash".to_owned());
    OfficerPorts {
        officers: Arc::new(officers),
        credentials: Arc::new(credentials),
        ..ports(&World { sessions_opened: usize::from(accepted), ..GOOD })
    }
}

#[tokio::test]
async fn an_invitation_is_taken_up_with_its_code_a_password_and_the_second_factor() {
    const CODE: &str = "ABCDE-FGHJK-LMNPQ-RSTUV";
    let sign_in = SignIn::new(invited(72, CODE, true, 0));
    // As people type it.
    let invitation = sign_in.invitation("lin", " abcde fghjk-lmnpq rstuv").await.ok().unwrap();
    assert!(invitation.factor == SecondFactor(vec![7; 20]));
    let password = "a long enough one";
    let refused = async |password: &str, totp| {
        sign_in.take_up("lin", &invitation, password, totp, &from()).await.err().unwrap()
    };
    assert_eq!(refused("short", "123456").await, InvitationRefusal::Password);
    assert_eq!(refused(password, "123457").await, InvitationRefusal::Totp);
    let opened = sign_in.take_up("lin", &invitation, password, "123 456", &from()).await.unwrap();
    assert_eq!(opened.officer, officer());
    // Another was first.
    let raced = SignIn::new(invited(72, CODE, false, 0));
    let invitation = raced.invitation("lin", CODE).await.ok().unwrap();
    let refused = raced.take_up("lin", &invitation, password, "123456", &from()).await.err().unwrap();
    assert_eq!(refused, SignInRefusal::Refused.into());
    // A wrong code counts, one that is over does not; neither is told from the other, nor from an account that has a password.
    let wrong = SignIn::new(invited(72, CODE, false, 1)).invitation("lin", "AAAAA").await.err();
    let over = SignIn::new(invited(0, CODE, false, 0)).invitation("lin", CODE).await.err();
    let not_invited = SignIn::new(ports(&World { known: false, ..GOOD })).invitation("lin", CODE).await.err();
    assert_eq!([wrong, over, not_invited], [Some(SignInRefusal::Refused); 3]);
    // Nobody signs in with the code.
    let mut ports = invited(72, CODE, false, 0);
    let mut credentials = MockCredentials::new();
    credentials.expect_password_matches().returning(|_, hash| Some(hash.is_some()));
    ports.credentials = Arc::new(credentials);
    let refused = SignIn::new(ports).open("lin", CODE, "123456", &from()).await.unwrap_err();
    assert_eq!(refused, SignInRefusal::Refused);
}

#[tokio::test]
async fn codes_of_invitations_are_four_groups_and_end_after_three_days() {
    let keep = KeepOfficers::new(ports(&GOOD));
    let invited =
        keep.add(&admin(6), "chen", Role::Reviewer, NewCredential::Invitation).await.ok().unwrap().1;
    let Some(ShownOnce::Invitation { code, until }) = invited else { panic!("no invitation") };
    assert_eq!(until, now() + TimeDelta::hours(72));
    let groups: Vec<_> = code.split('-').collect();
    assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 5), "{code}");
    assert!(code.chars().all(|c| c == '-' || (c.is_ascii_alphanumeric() && !"IO01".contains(c))), "{code}");
}

#[tokio::test]
async fn nobody_is_invited_where_only_the_provider_vouches() {
    let provider = Arc::new(MockIdentityProvider::new());
    let methods = SignInMethods::Provider { provider, local: false };
    let keep = KeepOfficers::new(OfficerPorts { methods, ..ports(&GOOD) });
    let refused = keep.add(&admin(6), "chen", Role::Reviewer, NewCredential::Invitation).await.err();
    assert_eq!(refused, Some(OfficerRefusal::Subject));
    let refused = keep.reset(&admin(6), "lin", NewCredential::Invitation).await.err();
    assert_eq!(refused, Some(OfficerRefusal::Subject));
}

fn vouched(world: &World, local: bool, says: Result<&'static str, ProviderError>) -> SignIn {
    let mut provider = MockIdentityProvider::new();
    provider.expect_authorization_url().returning(|_| Ok("https://login.example/".to_owned()));
    provider.expect_subject().returning(move |_, _, _| says.map(str::to_owned));
    SignIn::new(OfficerPorts {
        methods: SignInMethods::Provider { provider: Arc::new(provider), local },
        ..ports(world)
    })
}

fn answer(attempt: &SignInAttempt) -> ProviderAnswer {
    ProviderAnswer { code: Some("c".to_owned()), state: attempt.state(), issuer: None }
}

#[tokio::test]
async fn the_provider_s_word_opens_a_session() {
    let sign_in = vouched(&World { sessions_opened: 1, ..GOOD }, false, Ok("lin-1"));
    let (attempt, url) = sign_in.begin().await.unwrap();
    assert_eq!(url, "https://login.example/");
    let opened = sign_in.finish(Some(&attempt), &answer(&attempt), &from()).await.unwrap();
    assert_eq!(opened.officer, officer());
}

#[tokio::test]
async fn an_answer_that_this_browser_did_not_ask_for_is_not_believed() {
    let ours = SignInAttempt::new([1; 32]);
    let others = SignInAttempt::new([2; 32]);
    let refused_by_provider = ProviderAnswer { code: None, ..answer(&ours) };
    for (attempt, told) in [
        (None, &answer(&ours)),
        (Some(&ours), &answer(&others)),
        (Some(&ours), &ProviderAnswer { state: String::new(), ..answer(&ours) }),
        (Some(&ours), &refused_by_provider),
    ] {
        let refusal = vouched(&GOOD, false, Ok("lin-1")).finish(attempt, told, &from()).await.unwrap_err();
        assert_eq!(refusal, SignInRefusal::NotVouched);
    }
    for (says, expected) in [
        (Ok("somebody"), SignInRefusal::NoAccount),
        (Err(ProviderError::Refused), SignInRefusal::NotVouched),
        (Err(ProviderError::Unavailable), SignInRefusal::ProviderUnavailable),
    ] {
        let refusal =
            vouched(&GOOD, false, says).finish(Some(&ours), &answer(&ours), &from()).await.unwrap_err();
        assert_eq!(refusal, expected);
    }
}

#[tokio::test]
async fn only_the_ways_that_are_offered_count() {
    let refused = vouched(&GOOD, false, Ok("lin-1")).open("lin", "p", "123456", &from()).await.unwrap_err();
    assert_eq!(refused, SignInRefusal::NotOffered);
    let opened = World { sessions_opened: 1, ..GOOD };
    assert!(vouched(&opened, true, Ok("lin-1")).open("lin", "p", "123456", &from()).await.is_ok());
    assert_eq!(SignIn::new(ports(&GOOD)).begin().await.unwrap_err(), SignInRefusal::NotOffered);
}

#[test]
fn what_an_attempt_derives_differs_and_does_not_tell_the_secret() {
    let attempt = SignInAttempt::new([3; 32]);
    let told = [attempt.state(), attempt.nonce(), attempt.code_verifier(), attempt.expose()];
    for (n, one) in told.iter().enumerate() {
        assert_eq!(one.len(), 64);
        assert!(told[n + 1..].iter().all(|other| other != one));
    }
    assert_eq!(SignInAttempt::parse(&attempt.expose()), Some(attempt.clone()));
    assert_eq!(format!("{attempt:?}"), "SignInAttempt(…)");
    for bad in ["", "00", "zz", &"0".repeat(66)] {
        assert_eq!(SignInAttempt::parse(bad), None, "{bad}");
    }
}
