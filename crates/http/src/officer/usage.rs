//! Charts of use: of all organisations, or of one; the same figures as CSV.

use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::usage::UsageReport;
use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::{StatusCode, header},
    web::Query,
};

use super::officer;
use crate::{
    page::{FormValues, Opener, Page, value},
    problem::Problem,
    usage::{Table, charts, csv, no_period, period},
};

/// The report that is asked for, with the officer's name; or the page that is shown instead.
async fn report(page: &Page<'_>, query: &FormValues) -> Result<(String, UsageReport), Response> {
    let officer = officer(page).await?;
    let refused = |problem: &Problem| page.problem(problem, "/officer");
    let ubn = match value(query, "ubn").trim() {
        "" => None,
        text => Some(UnifiedBusinessNumber::parse(text).map_err(|_| refused(&Problem::not_found()))?),
    };
    let usage = &page.app.services.usage;
    let asked = period(value(query, "from"), value(query, "until"), usage.latest());
    let asked = asked.ok_or_else(|| refused(&Problem::content(vec![no_period(value(query, "from"))])))?;
    let report = usage.report(&officer, ubn, asked).await.map_err(|refusal| refused(&refusal.into()))?;
    Ok((officer.username, report))
}

/// The question again, for links; made of values that were read, so that nothing typed comes back.
fn same(report: &UsageReport) -> String {
    let period = report.period;
    let ubn = report.organisation.as_ref().map_or(String::new(), |(ubn, _)| format!("&ubn={ubn}"));
    format!("from={}&until={}{ubn}", period.first(), period.last())
}

#[handler]
pub(super) async fn show(request: &Request, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let (username, report) = match report(&page, &query).await {
        Ok(report) => report,
        Err(response) => return Ok(response),
    };
    let busiest = report.busiest.iter().map(|one| {
        context! {
            ubn => one.ubn.to_string(), name => one.name.as_str(), queries => one.count.queries(),
            wrong => one.count.wrong(), lock_outs => one.count.lock_outs(), refused => one.count.refused(),
        }
    });
    let of = report.organisation.as_ref();
    let with = context! {
        officer => username,
        ubn => of.map(|(ubn, _)| ubn.to_string()), name => of.map(|(_, name)| name.as_str()),
        usage => charts(&report), busiest => busiest.collect::<Value>(), same => same(&report),
    };
    Ok(page.show(StatusCode::OK, "officer/usage.html", Opener::Isolated, with))
}

#[handler]
pub(super) async fn export(request: &Request, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let Some(table) = Table::parse(value(&query, "table")) else {
        return Ok(page.problem(&Problem::not_found(), "/officer"));
    };
    Ok(match report(&page, &query).await {
        Ok((_, report)) => Response::builder()
            .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
            .header(header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\"")
            .body(csv(&report, table)),
        Err(response) => response,
    })
}
