//! Officers: the audit log.

use chrono::{DateTime, FixedOffset};
use idcheck_domain::taipei;
use idcheck_usecases::{
    audit::{AuditPage, AuditQuestion},
    ports::KnownSubject,
};
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

use crate::{
    audit::{PAGE, question},
    kernel::{failure::Failure, session::SignedIn, tag::Tag},
};

pub(crate) struct AuditApi;

/// An act, a decision or a look.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Entry {
    /// Its number in the hash chain.
    seq: i64,
    at: DateTime<FixedOffset>,
    /// `officer:<id>`, `organisation:<UBN>`, `operator` or `system`.
    actor: String,
    /// The user name where it was an officer.
    officer: Option<String>,
    action: String,
    subject: String,
    /// Where the subject is a case that is still there.
    case_number: Option<String>,
    /// Where the subject is an organisation, or something of its own.
    unified_business_number: Option<String>,
    detail: String,
}

/// A page of the log.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Entries {
    /// Newest first.
    entries: Vec<Entry>,
    /// To be sent as `cursor` for the next page.
    next_cursor: Option<String>,
}

/// How the hash chain stands.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Chain {
    /// The number of the last entry.
    head: i64,
    /// The first entry that was walked now; `idcheck audit verify` walks all.
    walked_from: i64,
    /// Whether what was walked is intact.
    intact: bool,
    /// The first bad entry.
    first_bad: Option<i64>,
}

fn entries_of(page: AuditPage, next_cursor: Option<String>) -> Entries {
    let AuditPage { lines, officers, known } = page;
    let number = |subject: &str| match known.get(subject)? {
        KnownSubject::Application { number, .. } => Some(number.to_string()),
        _ => None,
    };
    let of = |subject: &str| match known.get(subject)? {
        KnownSubject::Application { ubn, .. }
        | KnownSubject::Organisation { ubn, .. }
        | KnownSubject::Of { ubn } => Some(ubn.to_string()),
        KnownSubject::Officer(_) | KnownSubject::Template(_) | KnownSubject::Sweep(_) => None,
    };
    let entries = lines.into_iter().map(|line| Entry {
        case_number: number(&line.entry.subject),
        unified_business_number: of(&line.entry.subject),
        seq: line.seq,
        at: taipei::local(line.at),
        officer: officers.get(&line.entry.actor).cloned(),
        actor: line.entry.actor,
        action: line.entry.action,
        subject: line.entry.subject,
        detail: line.entry.detail,
    });
    Entries { entries: entries.collect(), next_cursor }
}

#[OpenApi(tag = "Tag::Officer")]
impl AuditApi {
    /// Entries of the audit log: who did or looked at what, when.
    #[oai(path = "/officer/audit", method = "get", operation_id = "searchAudit")]
    #[allow(clippy::too_many_arguments, reason = "one for each parameter of the query")]
    async fn search(
        &self,
        signed_in: SignedIn,
        /// An officer's user name, a UBN, `operator` or `system`.
        who: Query<Option<String>>,
        /// How the action's word begins.
        what: Query<Option<String>>,
        /// A case number, a UBN, or an identity such as `sweep:<id>`.
        about: Query<Option<String>>,
        /// From this day in Taipei on, `2026-11-23`.
        from: Query<Option<String>>,
        /// To this day, inclusive.
        until: Query<Option<String>>,
        cursor: Query<Option<String>>,
    ) -> Result<Json<Entries>, Failure> {
        let given = [&who.0, &what.0, &about.0, &from.0, &until.0, &cursor.0];
        let asked: AuditQuestion = question(given.map(|text| text.as_deref().unwrap_or_default()), PAGE)
            .map_err(|wrong| signed_in.content(wrong))?;
        let read = signed_in.app.services.audit.search(&signed_in.officer, &asked).await;
        let page = signed_in.or_failure(read)?;
        let next = crate::audit::next_cursor(&page, PAGE);
        Ok(Json(entries_of(page, next)))
    }

    /// How the end of the hash chain stands.
    #[oai(path = "/officer/audit/chain", method = "get", operation_id = "verifyAuditChain")]
    async fn chain(&self, signed_in: SignedIn) -> Result<Json<Chain>, Failure> {
        let status = signed_in.app.services.audit.status(&signed_in.officer).await;
        let status = signed_in.or_failure(status)?;
        let (intact, first_bad) = (status.first_bad.is_none(), status.first_bad);
        Ok(Json(Chain { head: status.head, walked_from: status.walked_from, intact, first_bad }))
    }
}
