//! Health for load balancers, metrics for Prometheus.

use std::sync::Arc;

use poem::{Response, handler, http::StatusCode, web::Data};

use crate::kernel::state::App;

#[handler]
pub(crate) fn live() -> &'static str {
    "live\n"
}

/// The process can do its work, or a line for each thing that is wrong.
#[handler]
pub(crate) async fn ready(Data(app): Data<&Arc<App>>) -> Response {
    let problems = app.services.readiness.problems().await;
    if problems.is_empty() {
        return Response::builder().content_type("text/plain").body("ready\n");
    }
    let lines: String = problems.iter().flat_map(|problem| [problem.as_str(), "\n"]).collect();
    Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).content_type("text/plain").body(lines)
}

#[handler]
pub(crate) fn metrics(Data(app): Data<&Arc<App>>) -> Response {
    Response::builder().content_type("text/plain; version=0.0.4").body((app.config.metrics)())
}
