//! Sign-in.

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::officer::{OfficerId, Role};
use uuid::Uuid;

use crate::{
    officer::{
        KeepOfficers, KeptBy, NewCredential, OfficerPorts, OfficerRefusal, ProviderAnswer, SignIn,
        SignInMethods, SignInRefusal,
    },
    ports::{
        MockChanges, MockCredentials, MockIdentityProvider, MockOfficerSessions, MockOfficers, Officer,
        OfficerChange, OfficerCredential, OfficerRecord, ProviderError, SignInAttempt,
    },
    tests::{clock, entropy, now},
};

#[allow(clippy::struct_excessive_bools, reason = "a table of what is right and wrong")]
struct World {
    known: bool,
    closed: bool,
    by_provider: bool,
    locked: bool,
    password_right: bool,
    code_right: bool,
    step_fresh: bool,
    failures_counted: usize,
    sessions_opened: usize,
}

const GOOD: World = World {
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

fn officer() -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role: Role::Reviewer }
}

fn local() -> OfficerCredential {
    OfficerCredential::Local { password_hash: "hash".to_owned(), totp_secret: vec![1; 20] }
}

fn ports(world: &World) -> OfficerPorts {
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
    sessions.expect_open().times(world.sessions_opened).returning(|_, _, _, _| Ok(()));
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
    }
}

#[tokio::test]
async fn password_and_code_open_a_session() {
    let opened =
        SignIn::new(ports(&World { sessions_opened: 1, ..GOOD })).open("lin", "p", "123456").await.unwrap();
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
        let refusal = SignIn::new(ports(&world)).open("lin", "p", "123456").await.unwrap_err();
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
    assert_eq!(factor.unwrap().0.len(), 20);
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
    assert_eq!(factor.unwrap().0.len(), 20);
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
    let opened = sign_in.finish(Some(&attempt), &answer(&attempt)).await.unwrap();
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
        let refusal = vouched(&GOOD, false, Ok("lin-1")).finish(attempt, told).await.unwrap_err();
        assert_eq!(refusal, SignInRefusal::NotVouched);
    }
    for (says, expected) in [
        (Ok("somebody"), SignInRefusal::NoAccount),
        (Err(ProviderError::Refused), SignInRefusal::NotVouched),
        (Err(ProviderError::Unavailable), SignInRefusal::ProviderUnavailable),
    ] {
        let refusal = vouched(&GOOD, false, says).finish(Some(&ours), &answer(&ours)).await.unwrap_err();
        assert_eq!(refusal, expected);
    }
}

#[tokio::test]
async fn only_the_ways_that_are_offered_count() {
    let refused = vouched(&GOOD, false, Ok("lin-1")).open("lin", "p", "123456").await.unwrap_err();
    assert_eq!(refused, SignInRefusal::NotOffered);
    let opened = World { sessions_opened: 1, ..GOOD };
    assert!(vouched(&opened, true, Ok("lin-1")).open("lin", "p", "123456").await.is_ok());
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
