//! The contract of [`AuditLog`].

use idcheck_domain::{application::ApplicationId, officer::OfficerId};
use idcheck_usecases::ports::{
    AuditAction, AuditActor, AuditEntry, AuditFilter, AuditLog, Changes, RecordedEntry,
};
use uuid::Uuid;

/// Entries are found by each condition and by all together, newest first, in pages; batches of verifications between
/// them do not show.
pub async fn search<S: AuditLog + Changes>(store: &S) {
    let officer = |n| AuditActor::Officer(OfficerId(Uuid::from_u128(n)));
    let case = |n| ApplicationId(Uuid::from_u128(n));
    for (actor, action, subject) in [
        (1, AuditAction::ApplicationRead, 1),
        (2, AuditAction::ApplicationApprove, 1),
        (1, AuditAction::ApplicationRead, 2),
        (1, AuditAction::ApplicationReject, 2),
    ] {
        let entry = AuditEntry::new(officer(actor), action, case(subject)).detail("state:\"x\"");
        store.note(entry).await.unwrap();
    }
    let given = |text: &str| Some(text.to_owned());
    let ours = || AuditFilter { action: given("application."), limit: 100, ..AuditFilter::default() };
    let found = async |filter: AuditFilter| store.search(&filter).await.unwrap();
    let all = found(ours()).await;
    let subjects: Vec<_> = all.iter().map(|line| line.entry.subject.as_str()).collect();
    let [one, two] = [1, 2].map(|n| format!("application:{}", case(n)));
    assert_eq!(subjects, [&two, &two, &one, &one]);
    let first = RecordedEntry {
        actor: officer(1).to_string(),
        action: "application.read".to_owned(),
        subject: one.clone(),
        detail: "state:\"x\"".to_owned(),
    };
    assert_eq!(all[3].entry, first);
    assert_eq!(found(AuditFilter { actor: given(&officer(1).to_string()), ..ours() }).await.len(), 3);
    assert_eq!(found(AuditFilter { about: vec![one.clone()], ..ours() }).await.len(), 2);
    assert_eq!(found(AuditFilter { action: given("application.rej"), ..ours() }).await.len(), 1);
    assert_eq!(found(AuditFilter { action: given("application%"), ..ours() }).await, [], "no pattern");
    let both = AuditFilter { actor: given(&officer(2).to_string()), about: vec![two.clone()], ..ours() };
    assert_eq!(found(both).await, []);
    let first = found(AuditFilter { limit: 3, ..ours() }).await;
    assert_eq!(first, all[..3]);
    assert_eq!(found(AuditFilter { before: Some(first[2].seq), ..ours() }).await, all[3..]);
    assert_eq!(found(AuditFilter { from: Some(all[0].at), ..ours() }).await.first(), all.first());
    assert_eq!(found(AuditFilter { until: Some(all[3].at), ..ours() }).await, []);
    assert!(found(AuditFilter { limit: 100, ..AuditFilter::default() }).await.len() >= 4);
    let found = store.entry(all[0].seq).await.unwrap().unwrap();
    assert_eq!((&found.line, found.hash.len()), (&all[0], 32));
    assert_eq!(store.entry(all[0].seq + 1).await.unwrap(), None);
    let status = store.status(2).await.unwrap();
    assert_eq!((status.head, status.walked_from, status.first_bad), (all[0].seq, all[0].seq - 1, None));
}
