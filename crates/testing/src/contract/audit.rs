//! The contract of [`AuditLog`].

use idcheck_usecases::ports::{AuditEntry, AuditFilter, AuditLog, Changes};

fn entry(actor: &str, action: &str, subject: &str) -> AuditEntry {
    let text = |text: &str| text.to_owned();
    AuditEntry {
        actor: text(actor),
        action: text(action),
        subject: text(subject),
        detail: "state:\"x\"".to_owned(),
    }
}

/// Entries are found by each condition and by all together, newest first, in pages; batches of verifications between
/// them do not show.
pub async fn search<S: AuditLog + Changes>(store: &S) {
    for (actor, action, subject) in [
        ("officer:a", "audited.read", "application:1"),
        ("officer:b", "audited.approve", "application:1"),
        ("officer:a", "audited.read", "application:2"),
        ("officer:a", "audited%.odd", "application:2"),
    ] {
        store.note(entry(actor, action, subject)).await.unwrap();
    }
    let given = |text: &str| Some(text.to_owned());
    let ours = || AuditFilter { action: given("audited"), limit: 100, ..AuditFilter::default() };
    let found = async |filter: AuditFilter| store.search(&filter).await.unwrap();
    let all = found(ours()).await;
    let subjects: Vec<_> = all.iter().map(|line| line.entry.subject.as_str()).collect();
    assert_eq!(subjects, ["application:2", "application:2", "application:1", "application:1"]);
    assert_eq!(all[3].entry, entry("officer:a", "audited.read", "application:1"));
    assert_eq!(found(AuditFilter { actor: given("officer:a"), ..ours() }).await.len(), 3);
    assert_eq!(found(AuditFilter { subject: given("application:1"), ..ours() }).await.len(), 2);
    assert_eq!(found(AuditFilter { action: given("audited%"), ..ours() }).await.len(), 1);
    let both = AuditFilter { actor: given("officer:b"), subject: given("application:2"), ..ours() };
    assert_eq!(found(both).await, []);
    let first = found(AuditFilter { limit: 3, ..ours() }).await;
    assert_eq!(first, all[..3]);
    assert_eq!(found(AuditFilter { before: Some(first[2].seq), ..ours() }).await, all[3..]);
    assert_eq!(found(AuditFilter { from: Some(all[0].at), ..ours() }).await.first(), all.first());
    assert_eq!(found(AuditFilter { until: Some(all[3].at), ..ours() }).await, []);
    assert!(found(AuditFilter { limit: 100, ..AuditFilter::default() }).await.len() >= 4);
    let status = store.status(2).await.unwrap();
    assert_eq!((status.head, status.walked_from, status.first_bad), (all[0].seq, all[0].seq - 1, None));
}
