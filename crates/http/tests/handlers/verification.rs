//! The verification API, where it is refused before a query is known.

use poem::http::StatusCode;
use serde_json::json;

use crate::support::Service;

/// A program that was written for the Ministry's format is answered in it, whatever is wrong.
#[tokio::test]
async fn a_query_that_is_none_is_answered_in_the_legacy_format() {
    let service = Service::start().await;
    for base in ["", "/sandbox"] {
        for query in ["", "?x=1"] {
            let response = service.http.get(format!("{base}/integration/rwv2c2/{query}")).send().await;
            response.assert_status(StatusCode::UNAUTHORIZED);
            response
                .assert_json(json!({
                    "httpCode": "401", "httpMessage": "token missing", "rdCode": "", "rdMessage": "", "responseData": {}
                }))
                .await;
        }
    }
}

#[tokio::test]
async fn a_query_of_the_strict_profile_without_a_token_is_a_problem() {
    let service = Service::start().await;
    let response = service.http.post("/api/v1/verifications").body("{}").send().await;
    response.assert_status(StatusCode::UNAUTHORIZED);
    response.assert_content_type("application/problem+json");
}
