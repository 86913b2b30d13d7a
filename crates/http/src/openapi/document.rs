//! The API document: what the framework makes of the calls, with the calls that it does not make, in a form that generators
//! of clients and linters read.

use std::collections::BTreeSet;

use poem::http::Method;
use serde_json::{Map, Value, json};

use super::acts;
use crate::{kernel::doors, verify::DOCUMENT};

/// Where the document says that the service is, for every installation.
pub(crate) const EXAMPLE: &str = "http://127.0.0.1:8080";

/// The document of an installation, from the framework's.
pub(crate) fn of(spec: &str, base_url: &str) -> String {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut document = read(spec);
    join(&mut document, read(&DOCUMENT.replace(EXAMPLE, base_url)));
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        acts::describe(schemas);
    }
    plain_references(&mut document);
    words(&mut document);
    errors(&mut document);
    close_requests(&mut document);
    doors_that_are_open(&mut document);
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// Adds members to objects and items to lists.
fn join(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                join(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(more)) => into.extend(more),
        (into, more) => *into = more,
    }
}

/// A reference with a description beside it is `allOf` of one in the framework's words, of which generators make types of
/// their own or nothing: a plain reference, whose schema has a description itself.
fn plain_references(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let all = members.get("allOf").and_then(Value::as_array);
            let is_words =
                |one: &Value| one.as_object().is_some_and(|one| one.keys().all(|key| key == "description"));
            if let Some([reference, words @ ..]) = all.map(Vec::as_slice)
                && reference["$ref"].is_string()
                && words.iter().all(is_words)
            {
                *value = reference.clone();
                return;
            }
            members.values_mut().for_each(plain_references);
        }
        Value::Array(items) => items.iter_mut().for_each(plain_references),
        _ => {}
    }
}

/// Members that hold one of a few words.
fn words(document: &mut Value) {
    use idcheck_domain::{
        abuse::AbuseRule,
        application::{Action, Kind, StateName},
        officer::Role,
        template::TemplateUse,
    };
    use idcheck_usecases::acts::ActName;
    let states: Vec<_> = StateName::ALL.iter().map(|state| state.as_str()).collect();
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let actions: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
    let acts: Vec<_> = ActName::ALL.iter().map(|act| act.as_str()).collect();
    let rules: Vec<_> = AbuseRule::ALL.iter().map(|rule| rule.as_str()).collect();
    let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let uses: Vec<_> = TemplateUse::ALL.iter().map(|used_for| used_for.as_str()).collect();
    for (schema, member, words) in [
        ("Application", "kind", &kinds),
        ("Application", "state", &states),
        ("QueueItem", "kind", &kinds),
        ("QueueItem", "state", &states),
        ("Case", "state", &states),
        ("HistoryEntry", "action", &actions),
        ("HistoryEntry", "to", &states),
        ("Organisation", "access", &vec!["none", "active", "suspended", "revoked"]),
        ("Key", "profile", &vec!["legacy", "strict"]),
        ("Key", "environment", &vec!["production", "sandbox"]),
        ("Proof", "act", &acts),
        ("Notice", "rule", &rules),
        ("Officer", "role", &roles),
        ("Template", "use", &uses),
    ] {
        let place = format!("/components/schemas/{schema}/properties/{member}");
        if let Some(Value::Object(member)) =
            document.pointer_mut(&place).filter(|found| found["type"] == "string")
        {
            member.insert("enum".to_owned(), json!(words));
        }
    }
}

/// Errors that a call can't end in go, by what it takes: the framework lists one set for all.
fn errors(document: &mut Value) {
    for (path, method, call) in calls(document) {
        let Some(has) = call.as_object_mut() else { continue };
        let takes_body = has.contains_key("requestBody");
        let known = has.get("security").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        let named = path.contains('{') || path.ends_with("/operations-document");
        let asks = has.get("parameters").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        let signs_in = path.ends_with("/officer/session");
        let Some(Value::Object(responses)) = has.get_mut("responses") else { continue };
        if responses.values().any(|response| response["content"].get("application/problem+json").is_none())
            && path.contains("/verifications") | path.contains("/integration/")
        {
            // Written by hand, each as it is.
            continue;
        }
        for response in responses.values_mut().filter(|response| response["description"] == "") {
            response["description"] = "What was asked for.".into();
        }
        responses.retain(|status, _| match status.as_str() {
            "400" | "422" => takes_body || asks,
            "401" | "403" => known || signs_in,
            "404" => named,
            "409" => method == "post",
            "413" | "415" => takes_body,
            "429" => doors::door(&Method::POST, &path).is_some(),
            _ => true,
        });
    }
}

/// A call that asks for no token says so: without that, a linter takes it for forgotten.
fn doors_that_are_open(document: &mut Value) {
    for (_, _, call) in calls(document) {
        if let Value::Object(members) = call {
            members.entry("security").or_insert_with(|| json!([]));
        }
    }
}

/// What requests hold: their schemas by name, and those that these refer to.
fn request_schemas(document: &mut Value) -> BTreeSet<String> {
    let mut open: Vec<String> = Vec::new();
    for (_, _, call) in calls(document) {
        references(&call["requestBody"], &mut open);
    }
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(schema) = document.pointer(&format!("/components/schemas/{name}"))
            && found.insert(name)
        {
            references(schema, &mut open);
        }
    }
    found
}

/// Unknown members of a request are refused, and the document says so; it tells the bounds of the known ones too.
fn close_requests(document: &mut Value) {
    for name in request_schemas(document) {
        let schema = document.pointer_mut(&format!("/components/schemas/{name}"));
        let Some(Value::Object(members)) = schema else { continue };
        if let Some(Value::Object(properties)) = members.get_mut("properties") {
            for (member, property) in properties {
                bound(member, property);
            }
            members.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
}

/// The bounds of a member of a request, as the domain has them.
fn bound(member: &str, property: &mut Value) {
    use idcheck_domain::{
        access::Ground,
        value::{Narrative, Reason, TemplateTitle},
    };
    let grounds = [Ground::Abuse, Ground::Conduct, Ground::NotRegistered].map(Ground::as_str);
    let bounds = match member {
        "reason" | "note" => json!({"maxLength": Reason::MAX}),
        "question" | "message" => json!({"maxLength": Narrative::MAX}),
        "title" => json!({"maxLength": TemplateTitle::MAX}),
        "ground" => json!({"enum": grounds}),
        _ => return,
    };
    join(property, bounds);
}

/// The names of the schemas that a value refers to.
fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|link| link.rsplit('/').next());
            names.extend(name.map(str::to_owned));
            members.values().for_each(|value| references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

/// Path, method and call.
fn calls(document: &mut Value) -> impl Iterator<Item = (String, String, &mut Value)> {
    let paths = document["paths"].as_object_mut().map(Map::iter_mut).into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object_mut().map(Map::iter_mut).into_iter().flatten();
        methods.map(|(method, call)| (path.clone(), method.clone(), call)).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        serde_json::from_str(&crate::openapi::document()).unwrap()
    }

    /// What a generator, a linter and a reader need of every call.
    #[test]
    fn every_call_can_be_generated() {
        let mut document = document();
        assert_eq!(document["servers"], json!([{ "url": EXAMPLE }]), "one server");
        let mut identities = BTreeSet::new();
        for (path, method, call) in calls(&mut document) {
            let place = format!("{method} {path}");
            assert!(
                path.starts_with("/api/v1/")
                    || path.starts_with("/integration/")
                    || path.starts_with("/sandbox/")
            );
            let identity =
                call["operationId"].as_str().unwrap_or_else(|| panic!("{place} has no operationId"));
            assert!(identities.insert(identity.to_owned()), "{identity} stands twice");
            assert!(call["summary"].is_string() || call["description"].is_string(), "{place}");
            assert!(call.get("servers").is_none() && call["security"].is_array(), "{place}");
            let responses = call["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{place}");
            let public = ["/notices", "/register", "/register/jws", "/register/key"];
            if public.iter().any(|end| path == format!("/api/v1{end}")) {
                assert!(!responses.contains_key("401") && !responses.contains_key("422"), "{place}");
            }
        }
        assert!(identities.len() > 50);
    }

    #[test]
    fn the_operations_document_has_both_its_forms() {
        let document = document();
        let call = &document["paths"]["/api/v1/organisations/me/operations-document"]["get"];
        let forms: Vec<_> = call["responses"]["200"]["content"].as_object().unwrap().keys().collect();
        assert_eq!(forms, ["application/pdf", "text/html; charset=utf-8"]);
    }

    #[test]
    fn the_members_with_few_words_name_them() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        for (schema, member) in [
            ("Application", "kind"),
            ("Application", "state"),
            ("QueueItem", "state"),
            ("HistoryEntry", "action"),
            ("Organisation", "access"),
            ("Key", "environment"),
            ("Proof", "act"),
        ] {
            let words = schemas[schema]["properties"][member]["enum"].as_array();
            assert!(words.is_some_and(|words| words.len() > 1), "{schema}.{member}");
        }
        let apply = &schemas["ApplyContent"];
        assert_eq!(apply["additionalProperties"], false);
        assert_eq!(apply["properties"]["companyName"]["maxLength"], 100);
        assert_eq!(apply["properties"]["hostAddresses"]["maxItems"], 10);
        assert_eq!(
            schemas["RegisterKeyContent"]["properties"]["profile"]["enum"],
            json!(["legacy", "strict"])
        );
        assert_eq!(schemas["ChallengeRequest"]["additionalProperties"], false);
        assert!(!document.to_string().contains("allOf"));
    }
}
