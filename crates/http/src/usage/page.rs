//! Charts of use: of all organisations, or of one; the same figures as CSV.

use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::usage::UsageReport;
use minijinja::{Value, context};
use poem::{
    Response, handler,
    http::{StatusCode, header},
    web::Query,
};

use crate::{
    kernel::{
        officer_page::OfficerPage,
        page::{FormValues, value},
        problem::Problem,
    },
    usage::{Table, charts, csv, no_period, period},
};

/// The report that is asked for.
async fn report(page: &OfficerPage<'_>, query: &FormValues) -> poem::Result<UsageReport> {
    let ubn = match value(query, "ubn").trim() {
        "" => None,
        text => Some(UnifiedBusinessNumber::parse(text).map_err(|_| page.not_found("/officer"))?),
    };
    let usage = &page.app.services.usage;
    let from = value(query, "from");
    let asked = period(from, value(query, "until"), usage.latest());
    let asked = asked.ok_or_else(|| Problem::content(vec![no_period(from)]));
    let asked = page.or_problem(asked, "/officer")?;
    page.or_problem(usage.report(&page.officer, ubn, asked).await, "/officer")
}

/// The question again, for links; made of values that were read, so that nothing typed comes back.
fn same(report: &UsageReport) -> String {
    let period = report.period;
    let ubn = report.organisation.as_ref().map_or(String::new(), |(ubn, _)| format!("&ubn={ubn}"));
    format!("from={}&until={}{ubn}", period.first(), period.last())
}

#[handler]
pub(crate) async fn show(page: OfficerPage<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let report = report(&page, &query).await?;
    let busiest = report.busiest.iter().map(|one| {
        context! {
            ubn => one.ubn.to_string(), name => one.name.as_str(), queries => one.count.queries(),
            wrong => one.count.wrong(), lock_outs => one.count.lock_outs(), refused => one.count.refused(),
        }
    });
    let of = report.organisation.as_ref();
    let with = context! {
        ubn => of.map(|(ubn, _)| ubn.to_string()), name => of.map(|(_, name)| name.as_str()),
        usage => charts(&report), busiest => busiest.collect::<Value>(), same => same(&report),
    };
    Ok(page.show(StatusCode::OK, "officer/usage.html", with))
}

#[handler]
pub(crate) async fn export(page: OfficerPage<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let table = Table::parse(value(&query, "table")).ok_or_else(|| page.not_found("/officer"))?;
    let report = report(&page, &query).await?;
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
        .header(header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\"")
        .body(csv(&report, table)))
}
