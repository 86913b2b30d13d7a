//! The audit log: search, export, and how its chain stands.

use idcheck_usecases::audit::{AuditPage, AuditQuestion};
use minijinja::{Value, context};
use poem::{
    Response, handler,
    http::{StatusCode, header},
    web::Query,
};

use crate::{
    audit::{EXPORTED, PAGE, csv, next_cursor, question},
    kernel::{
        officer_page::OfficerPage,
        page::{FormValues, query_string, value},
        problem::Problem,
        view::moment,
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
pub(crate) async fn search(page: OfficerPage<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let asked = page.or_problem(asked(&query, PAGE), "/officer/audit")?;
    let found = page.or_problem(page.app.services.audit.look(&page.officer, &asked).await, "/officer")?;
    let (found, chain) = (found.page, found.chain);
    let field = |name: &str| value(&query, name).to_owned();
    let with = context! {
        lines => lines(&found),
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
