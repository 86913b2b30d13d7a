//! Health for load balancers, metrics for Prometheus.

use std::sync::Arc;

use poem::{Response, handler, http::StatusCode, web::Data};

use crate::kernel::state::App;

#[handler]
pub(crate) fn live() -> &'static str {
    "live\n"
}

/// The process can do its work, or a line for each thing that is wrong; then how its background jobs are doing.
#[handler]
pub(crate) async fn ready(Data(app): Data<&Arc<App>>) -> Response {
    let mut lines = app.services.readiness.problems().await;
    let status = if lines.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if lines.is_empty() {
        lines.push("ready".to_owned());
    }
    lines.extend(app.services.readiness.jobs());
    Response::builder().status(status).content_type("text/plain").body(lines.join("\n") + "\n")
}

#[handler]
pub(crate) fn metrics(Data(app): Data<&Arc<App>>) -> Response {
    Response::builder().content_type("text/plain; version=0.0.4").body((app.config.metrics)())
}
