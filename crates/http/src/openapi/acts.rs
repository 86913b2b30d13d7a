//! The schemas of the acts' contents, made from what these consist of.

use idcheck_usecases::acts::{
    ActName,
    schema::{Field, Group, Shape},
};
use serde_json::{Map, Value, json};

/// Adds the acts, the content of each, and what these refer to.
pub(crate) fn describe(schemas: &mut Map<String, Value>) {
    let mut contents: Vec<Group> = Vec::new();
    for content in ActName::ALL.map(ActName::content) {
        if !contents.iter().any(|known| known.name == content.name) {
            contents.push(content);
        }
    }
    // A content without members agrees with every act: it is the last to be tried.
    contents.sort_by_key(|content| content.fields.is_empty());
    let names = ActName::ALL.map(ActName::as_str);
    schemas.insert("Act".to_owned(), json!({"type": "string", "description": "The acts.", "enum": names}));
    let any: Vec<_> = contents.iter().map(|content| reference(content.name)).collect();
    let content = json!({"type": "object", "description": "The content of an act.", "anyOf": any});
    schemas.insert("ActContent".to_owned(), content);
    for content in &contents {
        object(content, schemas);
    }
    let request = &mut schemas["ChallengeRequest"]["properties"];
    request["act"] = reference("Act");
    request["content"] = reference("ActContent");
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn object(group: &Group, schemas: &mut Map<String, Value>) {
    let mut schema = json!({"type": "object", "title": group.name, "description": group.doc.trim()});
    if !group.fields.is_empty() {
        let required = group.fields.iter().filter(|field| field.required).map(|field| field.name);
        schema["required"] = required.collect();
        schema["properties"] =
            group.fields.iter().map(|field| (field.name.to_owned(), member(field, schemas))).collect();
    }
    schemas.insert(group.name.to_owned(), schema);
}

fn member(field: &Field, schemas: &mut Map<String, Value>) -> Value {
    let mut schema = match field.shape {
        Shape::Group(group) | Shape::Consent(group) => {
            object(group, schemas);
            return reference(group.name);
        }
        Shape::Line { max: Some(max), .. } | Shape::Text { max } | Shape::Email { max } => {
            json!({"type": "string", "maxLength": max})
        }
        Shape::Line { max: None, .. } | Shape::PublicKey | Shape::Landline | Shape::Mobile => {
            json!({"type": "string"})
        }
        Shape::BusinessNumber => json!({"type": "string", "pattern": "^[0-9]{8}$"}),
        Shape::Identity => json!({"type": "string", "format": "uuid"}),
        Shape::Instant => json!({"type": "string", "format": "date-time"}),
        Shape::Integer { min, max } => {
            json!({"type": "integer", "format": "int64", "minimum": min, "maximum": max})
        }
        Shape::Choice(words) => json!({"type": "string", "enum": words}),
        Shape::HostAddresses { max } => {
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": max})
        }
        Shape::Files { max } => json!({"type": "array", "items": {"type": "string"}, "maxItems": max}),
    };
    if !field.doc.is_empty() {
        schema["description"] = field.doc.trim().into();
    }
    schema
}
