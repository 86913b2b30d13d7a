//! The audit log: search, export, and how its chain stands.

use idcheck_usecases::Refusal;
use idcheck_usecases::audit::{AuditPage, AuditQuestion};
use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::{StatusCode, header},
    web::Query,
};

use super::officer;
use crate::{
    audit::{EXPORTED, PAGE, csv, next_cursor, question},
    page::{FormValues, Opener, Page, query_string, value},
    problem::Problem,
    view::moment,
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

fn lines(page: &AuditPage) -> Value {
    let line = |line: &idcheck_usecases::ports::AuditLine| {
        let entry = &line.entry;
        context! {
            seq => line.seq, at => moment(line.at), who => page.officers.get(&entry.actor).unwrap_or(&entry.actor),
            action => &entry.action, subject => &entry.subject, detail => &entry.detail,
        }
    };
    page.lines.iter().map(line).collect()
}

#[handler]
pub(super) async fn search(request: &Request, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let asked = match asked(&query, PAGE) {
        Ok(asked) => asked,
        Err(problem) => return Ok(page.problem(&problem, "/officer/audit")),
    };
    let log = &page.app.services.audit;
    let read = async { Ok::<_, Refusal>((log.search(&officer, &asked).await?, log.status(&officer).await?)) };
    let (found, chain) = match read.await {
        Ok(read) => read,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let field = |name: &str| value(&query, name).to_owned();
    let with = context! {
        officer => &officer.username,
        lines => lines(&found),
        asked => context! {
            who => field("who"), what => field("what"), about => field("about"), from => field("from"),
            until => field("until"),
        },
        same => same(&query),
        next => next_cursor(&found, PAGE),
        chain => context! { head => chain.head, walked_from => chain.walked_from, first_bad => chain.first_bad },
    };
    Ok(page.show(StatusCode::OK, "officer/audit.html", Opener::Isolated, with))
}

#[handler]
pub(super) async fn export(request: &Request, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let asked = match asked(&query, EXPORTED) {
        Ok(asked) => asked,
        Err(problem) => return Ok(page.problem(&problem, "/officer/audit")),
    };
    match page.app.services.audit.export(&officer, &asked).await {
        Ok(found) => Ok(Response::builder()
            .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
            .header(header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\"")
            .body(csv(&found))),
        Err(refusal) => Ok(page.problem(&refusal.into(), "/officer/audit")),
    }
}
