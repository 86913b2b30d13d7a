//! What is true of every answer.

use poem::http::{Method, StatusCode};

use crate::support::Service;

#[tokio::test]
async fn every_answer_is_sealed() {
    let service = Service::start().await;
    for (path, status) in [
        ("/", StatusCode::OK),
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/api/v1/nowhere", StatusCode::NOT_FOUND),
        ("/api/v1/notices", StatusCode::OK),
        ("/officer", StatusCode::SEE_OTHER),
        ("/livez", StatusCode::OK),
    ] {
        let response = service.http.get(path).send().await;
        assert_eq!(response.0.status(), status, "{path}");
        let headers = response.0.headers();
        for name in ["x-request-id", "x-content-type-options", "content-security-policy", "referrer-policy"] {
            assert!(headers.contains_key(name), "{path} lacks {name}");
        }
        assert!(!headers.contains_key("server"), "{path}");
    }
}

/// A page is told as a page, a call as a problem, in the reader's language.
#[tokio::test]
async fn what_is_not_there_is_told_to_people_and_programs() {
    let service = Service::start().await;
    for (path, kind, chinese, english) in [
        ("/nowhere", "text/html; charset=utf-8", "找不到", "not found"),
        ("/api/v1/nowhere", "application/problem+json", "找不到", "not found"),
    ] {
        for (language, words) in [("zh-TW", chinese), ("en", english)] {
            let response = service
                .http
                .get(path)
                .header("accept", "text/html")
                .header("accept-language", language)
                .send()
                .await;
            response.assert_content_type(kind);
            let text = response.0.into_body().into_string().await.unwrap();
            assert!(text.to_lowercase().contains(words), "{path} {language}: {text}");
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_names_those_that_are() {
    let service = Service::start().await;
    let response = service.http.request(Method::DELETE, "/api/v1/challenges").send().await;
    response.assert_status(StatusCode::METHOD_NOT_ALLOWED);
    let allowed = response.0.headers().get("allow").and_then(|allow| allow.to_str().ok()).unwrap();
    assert!(allowed.contains("POST"), "{allowed}");
}

/// A form of another site has no token of this browser's.
#[tokio::test]
async fn a_form_without_this_browsers_token_is_refused() {
    let service = Service::start().await;
    for path in ["/acts/apply", "/acts/progress", "/officer/sign-in", "/officer/sign-out"] {
        let request = service.http.post(path).content_type("application/x-www-form-urlencoded");
        let response = request.body("csrf=x&ubn=04595257").send().await;
        assert_eq!(response.0.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(service.database.number("SELECT count(*) FROM challenges").await, 0);
}

/// Every page of the portal says who runs the service and leads to its statements; where something failed, whom to ask.
#[tokio::test]
async fn every_page_says_who_runs_the_service() {
    let service = Service::start().await;
    for (language, agency) in [("zh-TW", "內政部戶政司"), ("en", "Department of Household Registration")]
    {
        for path in
            ["/", "/apply", "/privacy", "/accessibility", "/sitemap", "/register", "/progress", "/nowhere"]
        {
            let response =
                service.http.get(path).header("accept", "text/html").header("accept-language", language);
            let text = response.send().await.0.into_body().into_string().await.unwrap();
            assert!(text.contains(&format!("<strong>{agency}</strong>")), "{path} {language}");
            for link in
                ["/privacy", "/accessibility", "/sitemap", "mailto:idcheck@example.gov.tw", "accesskey=\"C\""]
            {
                assert!(text.contains(link), "{path} {language}: {link}");
            }
            let asks = text.matches("tel:02-12345678").count();
            // Statements say it once more, for the sheet on which they are printed.
            let twice = ["/nowhere", "/privacy", "/accessibility"].contains(&path);
            assert_eq!(asks, if twice { 2 } else { 1 }, "{path} {language}");
        }
    }
}

/// Behind TLS every cookie is bound to this host and to TLS (RFC 6265bis §4.1.3.2), and the host to TLS (RFC 6797).
#[tokio::test]
async fn behind_tls_cookies_and_host_are_bound_to_it() {
    let service = Service::over_tls().await;
    let mut names = Vec::new();
    for path in ["/?lang=en", "/apply", "/organisation/leave"] {
        let asked = match path {
            "/organisation/leave" => {
                let page = service.http.get("/").send().await;
                let cookie = page.0.headers().get("set-cookie").and_then(|one| one.to_str().ok()).unwrap();
                let cookie = cookie.split(';').next().unwrap().to_owned();
                let form = service.http.get("/progress").header("cookie", &cookie).send().await;
                let text = form.0.into_body().into_string().await.unwrap();
                let csrf = text
                    .split("name=\"csrf\" value=\"")
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .next()
                    .unwrap()
                    .to_owned();
                service.http.post(path).header("cookie", &cookie).form(&[("csrf", csrf)]).send().await
            }
            _ => service.http.get(path).send().await,
        };
        let headers = asked.0.headers();
        assert_eq!(headers.get("strict-transport-security").unwrap(), "max-age=31536000", "{path}");
        for cookie in headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()) {
            assert!(cookie.starts_with("__Host-"), "{cookie}");
            assert!(
                cookie.contains("; Path=/;") && cookie.contains("; Secure") && !cookie.contains("Domain"),
                "{cookie}"
            );
            names.push(cookie.split('=').next().unwrap().to_owned());
        }
    }
    for name in ["__Host-lang", "__Host-idcheck-session", "__Host-idcheck-organisation"] {
        assert!(names.iter().any(|one| one == name), "{name} in {names:?}");
    }
}
