//! The audit log: search, export, and how its chain stands.

use std::collections::HashMap;

use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::{
    audit::{AuditPage, AuditQuestion},
    ports::{AuditAction, AuditLine, KnownSubject},
};
use minijinja::{Value, context};
use poem::{
    Response, handler,
    http::{StatusCode, header},
    web::{Path, Query},
};

use crate::{
    audit::{EXPORTED, PAGE, csv, next_cursor, question},
    kernel::{
        i18n::Lang,
        officer_page::OfficerPage,
        page::{FormValues, query_string, value},
        problem::Problem,
        view::{moment, roc},
    },
};

/// What can be asked for, in the order of [`question`].
const FIELDS: [&str; 6] = ["who", "what", "about", "from", "until", "cursor"];

fn asked(query: &FormValues, limit: u32) -> Result<AuditQuestion, Problem> {
    question(FIELDS.map(|name| value(query, name)), limit).map_err(Problem::content)
}

/// The same question as a query string, without the cursor.
fn same(query: &FormValues) -> String {
    query_string(FIELDS[..5].iter().map(|name| (*name, value(query, name))))
}

/// Who did something, in words: a user name, a company, the operator or the service.
fn actor(page: &AuditPage, identity: &str, lang: Lang) -> String {
    match (page.officers.get(identity), page.known.get(identity), identity) {
        (Some(name), ..) => name.clone(),
        (None, Some(KnownSubject::Organisation { name, .. }), _) => name.as_str().to_owned(),
        (None, None, "operator") => lang.t("audit-by-operator"),
        (None, None, "system") => lang.t("audit-by-system"),
        _ => identity.to_owned(),
    }
}

/// What something was done to: its kind, its name, and the page where it is.
fn subject(page: &AuditPage, identity: &str, lang: Lang) -> Value {
    let kind = identity.split(':').next().unwrap_or_default();
    let organisation = |ubn: &UnifiedBusinessNumber| format!("/officer/organisations/{ubn}");
    let own = |kind: &str| Some(lang.t(&format!("audit-of-{kind}")));
    let (kind, name, place) = match page.known.get(identity) {
        Some(KnownSubject::Application { id, number, .. }) => {
            (own("case"), number.to_string(), Some(format!("/officer/applications/{id}")))
        }
        Some(KnownSubject::Organisation { ubn, name }) => {
            (Some(ubn.to_string()), name.as_str().to_owned(), Some(organisation(ubn)))
        }
        Some(KnownSubject::Of { ubn }) => (own(kind), ubn.to_string(), Some(organisation(ubn))),
        Some(KnownSubject::Officer(name)) => (own(kind), name.clone(), None),
        Some(KnownSubject::Template(title)) => {
            (own(kind), title.clone(), Some("/officer/templates".to_owned()))
        }
        Some(KnownSubject::Sweep(day)) => {
            let id = identity.trim_start_matches("sweep:");
            (own(kind), roc(*day), Some(format!("/officer/sweeps/{id}")))
        }
        None => (None, identity.to_owned(), None),
    };
    context! { kind, name, place }
}

/// What was done, in words; of an act its own name.
fn action(word: &str, lang: Lang) -> String {
    let key = match word.strip_prefix("act.") {
        Some(act) => format!("act-{act}"),
        None => format!("audited-{}", word.replace('.', "-")),
    };
    lang.lookup(&key, &HashMap::new())
}

fn line(page: &AuditPage, line: &AuditLine, lang: Lang) -> Value {
    let entry = &line.entry;
    let words = action(&entry.action, lang);
    context! {
        seq => line.seq, at => moment(line.at), who => actor(page, &entry.actor, lang), actor => &entry.actor,
        words => Some(words).filter(|words| !words.is_empty()), action => &entry.action,
        subject => subject(page, &entry.subject, lang), identity => &entry.subject, detail => &entry.detail,
    }
}

fn lines(page: &AuditPage, lang: Lang) -> Value {
    page.lines.iter().map(|one| line(page, one, lang)).collect()
}

/// `/officer/audit/:seq`: one entry as it stands in the chain.
#[handler]
pub(crate) async fn show_entry(page: OfficerPage<'_>, Path(seq): Path<String>) -> poem::Result<Response> {
    let seq = seq.parse::<i64>().map_err(|_| page.not_found("/officer/audit"))?;
    let read = page.app.services.audit.entry(&page.officer, seq).await;
    let (found, names) = page.or_problem(read, "/officer/audit")?;
    let with = context! { line => line(&names, &found.line, page.lang), hash => hex::encode(&found.hash) };
    Ok(page.show(StatusCode::OK, "officer/entry.html", with))
}

#[handler]
pub(crate) async fn search(page: OfficerPage<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let asked = page.or_problem(asked(&query, PAGE), "/officer/audit")?;
    let found = page.or_problem(page.app.services.audit.look(&page.officer, &asked).await, "/officer")?;
    let (found, chain) = (found.page, found.chain);
    let field = |name: &str| value(&query, name).to_owned();
    let with = context! {
        lines => lines(&found, page.lang),
        actions => AuditAction::MEANINGS.iter().map(|(word, _)| context! {
            word => *word, words => action(word, page.lang),
        }).collect::<Value>(),
        asked => context! {
            who => field("who"), what => field("what"), about => field("about"), from => field("from"),
            until => field("until"),
        },
        same => same(&query),
        next => next_cursor(&found, PAGE),
        chain => context! { head => chain.head, walked_from => chain.walked_from, first_bad => chain.first_bad },
    };
    Ok(page.show(StatusCode::OK, "officer/audit.html", with))
}

#[handler]
pub(crate) async fn export(page: OfficerPage<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let asked = page.or_problem(asked(&query, EXPORTED), "/officer/audit")?;
    let found = page.app.services.audit.export(&page.officer, &asked).await;
    let found = page.or_problem(found, "/officer/audit")?;
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
        .header(header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\"")
        .body(csv(&found)))
}

#[cfg(test)]
mod tests {
    use idcheck_usecases::acts::ActName;

    use super::*;

    #[test]
    fn every_action_has_words() {
        let acts = ActName::ALL.iter().map(|act| format!("act.{}", act.as_str()));
        let all = AuditAction::MEANINGS.iter().map(|(word, _)| (*word).to_owned()).chain(acts);
        for word in all {
            for lang in Lang::ALL {
                assert_ne!(action(&word, lang), "", "{word} {lang:?}");
            }
        }
    }
}
