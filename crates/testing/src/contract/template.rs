//! The contract of [`ReasonTemplates`], written through [`Changes`].

use idcheck_domain::{
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use idcheck_usecases::ports::{Change, Changes, CommitError, ReasonTemplates, Versioned, Write};

use crate::builders::audit;
use uuid::Uuid;

fn change(write: Write<ReasonTemplate>) -> Change {
    Change { template: Some(write), audit: audit(), ..Change::default() }
}

/// There are some to begin with; they are read as written, and a stale version is refused.
pub async fn suite(store: &(impl Changes + ReasonTemplates)) {
    let first = store.all().await.unwrap();
    for used_for in TemplateUse::ALL {
        assert!(first.iter().any(|one| one.value.used_for == used_for && one.value.in_use), "{used_for:?}");
    }
    let added = ReasonTemplate {
        id: TemplateId(Uuid::max()),
        used_for: TemplateUse::Reject,
        title: TemplateTitle::parse("其他").unwrap(),
        text: Reason::parse("第一行\n'第二行' {due}").unwrap(),
        in_use: true,
    };
    store.commit(change(Write::Insert(added.clone()))).await.unwrap();
    let again = store.commit(change(Write::Insert(added.clone()))).await;
    assert_eq!(again, Err(CommitError::Conflict));
    let withdrawn = ReasonTemplate { in_use: false, ..added.clone() };
    let update = Write::Update { value: withdrawn.clone(), expected: 1 };
    store.commit(change(update.clone())).await.unwrap();
    assert_eq!(store.commit(change(update)).await, Err(CommitError::Conflict));
    let all = store.all().await.unwrap();
    assert_eq!(all.len(), first.len() + 1);
    assert_eq!(all.last(), Some(&Versioned { value: withdrawn, version: 2 }));
}
