//! The audit log, for auditors.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use idcheck_domain::officer::{OfficerId, Role};
use uuid::Uuid;

use crate::{
    Refusal,
    acts::ActName,
    audit::{AuditQuestion, ReadAudit},
    ports::{AuditAction, ListedOfficer, MockApplications, MockAuditLog, MockChanges, MockOfficers, Officer},
};

fn officer(role: Role) -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role }
}

#[tokio::test]
async fn people_ask_by_name_and_number_and_only_auditors_are_answered() {
    let filters = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&filters);
    let mut log = MockAuditLog::new();
    log.expect_search().returning(move |filter| {
        kept.lock().unwrap().push((filter.actor.clone(), filter.about.clone()));
        Ok(Vec::new())
    });
    log.expect_known().returning(|_| Ok(HashMap::new()));
    log.expect_identities_of()
        .returning(|ubn| Ok(vec![format!("organisation:{ubn}"), "application:1".to_owned()]));
    let mut officers = MockOfficers::new();
    officers.expect_list().returning(|| {
        Ok(vec![ListedOfficer {
            officer: officer(Role::Reviewer),
            by_provider: false,
            closed: false,
            invited_until: None,
            locked_until: None,
            signed_in_at: None,
        }])
    });
    let mut changes = MockChanges::new();
    changes
        .expect_note()
        .withf(|entry| entry.action == AuditAction::AuditExport)
        .times(1)
        .returning(|_| Ok(()));
    let read = ReadAudit::new(
        Arc::new(log),
        Arc::new(officers),
        Arc::new(MockApplications::new()),
        Arc::new(changes),
    );
    let ask = |who: &str, about: &str| AuditQuestion {
        who: Some(who.to_owned()),
        about: Some(about.to_owned()),
        ..AuditQuestion::default()
    };
    for role in [Role::Reviewer, Role::Supervisor, Role::Admin] {
        assert_eq!(read.search(&officer(role), &ask("lin", "x")).await, Err(Refusal::Forbidden));
    }
    read.search(&officer(Role::Auditor), &ask("lin", "04595257")).await.unwrap();
    read.export(&officer(Role::Auditor), &ask("system", "sweep:7")).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let by_name = format!("officer:{}", Uuid::from_u128(5));
    let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    // An organisation's number asks for all that is its own.
    let asked = [
        (some(&by_name), all(&["organisation:04595257", "application:1"])),
        (some("system"), all(&["sweep:7"])),
    ];
    assert_eq!(*filters.lock().unwrap(), asked);
}

/// What the audit log can hold is listed for those who read it.
#[test]
fn every_action_is_documented() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let act = "An organisation's act, by its name in the API, signed with its card; `detail` is the certificate's fingerprint.";
    let actions = AuditAction::MEANINGS.iter().map(|(word, meaning)| format!("| `{word}` | {meaning} |"));
    assert_eq!(listed, actions.chain([format!("| `act.<name>` | {act} |")]).collect::<Vec<_>>());
    assert_eq!(AuditAction::Act(ActName::Apply).to_string(), "act.apply");
}
