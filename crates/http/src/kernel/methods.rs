//! Which methods a path takes, for `Allow` (RFC 9110 §15.5.6): of the API by its document, of a page by what it does not take.

use std::sync::LazyLock;

use poem::http::{HeaderValue, Method};
use serde_json::Value;

/// A path of the document, in segments, and its methods.
type Call = (Vec<String>, Vec<String>);

static CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&crate::openapi::document()).unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    let call = |(path, item): (&String, &Value)| {
        let known = ["get", "post", "put", "patch", "delete"];
        let methods =
            item.as_object().into_iter().flatten().filter(|(name, _)| known.contains(&name.as_str()));
        let mut methods: Vec<_> = methods.map(|(name, _)| name.to_uppercase()).collect();
        if methods.iter().any(|method| method == "GET") {
            methods.push("HEAD".to_owned());
        }
        (segments(path), methods)
    };
    paths.map(call).collect()
});

fn segments(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(str::to_owned).collect()
}

/// The methods that a path takes, when it does not take this one.
pub(crate) fn allowed(path: &str, method: &Method) -> Option<HeaderValue> {
    let asked = segments(path);
    let fits = |call: &&Call| {
        call.0.len() == asked.len()
            && call.0.iter().zip(&asked).all(|(known, asked)| known.starts_with('{') || known == asked)
    };
    if let Some((_, methods)) = CALLS.iter().find(fits) {
        return HeaderValue::try_from(methods.join(", ")).ok();
    }
    // A page that is not posted to is read, and the other way round; nothing else is asked of pages.
    Some(HeaderValue::from_static(match *method {
        Method::GET | Method::HEAD => "POST",
        Method::POST => "GET, HEAD",
        _ => "GET, HEAD, POST",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_s_methods_are_those_of_its_document() {
        for (path, method, methods) in [
            ("/api/v1/challenges", Method::GET, "POST"),
            ("/api/v1/challenges/0198/proof", Method::DELETE, "POST"),
            ("/api/v1/notices", Method::POST, "GET, HEAD"),
            ("/api/v1/verifications", Method::HEAD, "POST"),
            ("/sandbox/api/v1/verifications", Method::GET, "POST"),
            ("/apply", Method::POST, "GET, HEAD"),
            ("/apply/check", Method::GET, "POST"),
        ] {
            assert_eq!(allowed(path, &method).unwrap(), methods, "{method} {path}");
        }
    }
}
