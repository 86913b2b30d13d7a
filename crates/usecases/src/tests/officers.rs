//! Sign-in.

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::officer::{OfficerId, Role};
use uuid::Uuid;

use super::{clock, entropy, now};
use crate::{
    officers::{AddOfficer, AddOfficerRefusal, AddedBy, OfficerPorts, SignIn, SignInRefusal},
    ports::{MockChanges, MockCredentials, MockOfficerSessions, MockOfficers, Officer, OfficerRecord},
};

#[allow(clippy::struct_excessive_bools, reason = "a table of what is right and wrong")]
struct World {
    known: bool,
    locked: bool,
    password_right: bool,
    code_right: bool,
    step_fresh: bool,
    failures_counted: usize,
    sessions_opened: usize,
}

const GOOD: World = World {
    known: true,
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

fn ports(world: &World) -> OfficerPorts {
    let mut officers = MockOfficers::new();
    let record = world.known.then(|| OfficerRecord {
        officer: officer(),
        password_hash: "hash".to_owned(),
        totp_secret: vec![1; 20],
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
    officers.expect_add().returning(|_, _| Ok(true));
    let mut credentials = MockCredentials::new();
    let (right, known) = (world.password_right, world.known);
    // The work is done for unknown users too.
    credentials.expect_password_matches().returning(move |_, hash| {
        assert_eq!(hash.is_some(), known);
        right && known
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
async fn only_an_admin_adds_officers_and_only_with_a_name_and_password_that_hold() {
    let add = || AddOfficer::new(ports(&GOOD));
    let password = "a long enough one";
    let by = AddedBy::Officer(officer());
    let refused = add().execute(&by, "chen", password, Role::Reviewer).await.err().unwrap();
    assert_eq!(refused, AddOfficerRefusal::Forbidden);
    for (name, password, expected) in [
        ("Chen", password, AddOfficerRefusal::Username),
        ("chen wang", password, AddOfficerRefusal::Username),
        ("chen", "short", AddOfficerRefusal::Password),
    ] {
        let refused = add().execute(&AddedBy::Operator, name, password, Role::Reviewer).await.err().unwrap();
        assert_eq!(refused, expected);
    }
    let (_, secrets) = add().execute(&AddedBy::Operator, "chen", password, Role::Admin).await.ok().unwrap();
    assert_eq!(secrets.totp_secret.len(), 20);
}
