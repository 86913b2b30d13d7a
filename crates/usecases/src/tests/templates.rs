//! Templates of reasons: who reads and who keeps them.

use std::sync::{Arc, Mutex};

use idcheck_domain::{
    officer::{OfficerId, Role},
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use uuid::Uuid;

use crate::{
    Refusal,
    ports::{AuditAction, Change, CommitError, MockChanges, MockReasonTemplates, Officer, Versioned, Write},
    template::{KeepTemplates, TemplateDraft},
    tests::{clock, entropy},
};

const KNOWN: TemplateId = TemplateId(Uuid::from_u128(7));

fn officer(role: Role) -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role }
}

fn draft(text: &str) -> TemplateDraft {
    TemplateDraft {
        used_for: TemplateUse::Reject,
        title: TemplateTitle::parse("補件逾期").unwrap(),
        text: Reason::parse(text).unwrap(),
        in_use: true,
    }
}

fn keep(committed: &Arc<Mutex<Vec<Change>>>, outcome: Result<(), CommitError>) -> KeepTemplates {
    let mut templates = MockReasonTemplates::new();
    templates.expect_all().returning(|| {
        let TemplateDraft { used_for, title, text, in_use } = draft("舊");
        let value = ReasonTemplate { id: KNOWN, used_for, title, text, in_use };
        Ok(vec![Versioned { value, version: 3 }])
    });
    let mut changes = MockChanges::new();
    let committed = Arc::clone(committed);
    changes.expect_commit().returning(move |change| {
        committed.lock().unwrap().push(change);
        outcome
    });
    KeepTemplates::new(clock(), entropy(), Arc::new(templates), Arc::new(changes))
}

#[tokio::test]
async fn every_role_reads_and_only_an_admin_writes() {
    let committed = Arc::default();
    let keep = keep(&committed, Ok(()));
    for role in Role::ALL {
        assert_eq!(keep.list(&officer(role)).await.unwrap().len(), 1);
        let may = role == Role::Admin;
        assert_eq!(keep.add(&officer(role), draft("新")).await.is_ok(), may, "{role:?}");
        assert_eq!(keep.change(&officer(role), KNOWN, 3, draft("新")).await.is_ok(), may, "{role:?}");
    }
    let actions: Vec<_> = committed.lock().unwrap().iter().map(|c| c.audit[0].action).collect();
    assert_eq!(actions, [AuditAction::TemplateAdd, AuditAction::TemplateChange]);
}

#[tokio::test]
async fn a_template_is_changed_as_it_was_read() {
    let committed = Arc::default();
    let kept = keep(&committed, Ok(()));
    let changed = kept.change(&officer(Role::Admin), KNOWN, 3, draft("新")).await.unwrap();
    assert_eq!((changed.version, changed.value.text.as_str()), (4, "新"));
    let change = committed.lock().unwrap().remove(0);
    assert!(matches!(change.template, Some(Write::Update { expected: 3, value }) if value.id == KNOWN));
    // Nothing that was typed is in the log.
    assert_eq!(change.audit[0].detail, "use:reject inUse:true");
    let other = TemplateId(Uuid::from_u128(8));
    let unknown = kept.change(&officer(Role::Admin), other, 1, draft("新")).await;
    assert_eq!(unknown, Err(Refusal::Unknown));
    let stale = keep(&committed, Err(CommitError::Conflict));
    let refused = stale.change(&officer(Role::Admin), KNOWN, 2, draft("新")).await;
    assert_eq!(refused, Err(Refusal::Stale));
}
