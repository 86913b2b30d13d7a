//! The public register: who may ask, for what, since when.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, FixedOffset};
use idcheck_domain::taipei;
use idcheck_usecases::ports::RegisteredOrganisation;
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    payload::{Json, PlainText},
    types::ToJSON,
};
use sha2::{Digest, Sha256};

use crate::kernel::{failure::Failure, i18n::Lang, session::Context, state::App, tag::Tag};

pub(crate) struct RegisterApi;

/// Organisations that may ask.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct Register {
    /// Whose register it is: the service's address.
    issuer: String,
    /// When it was read.
    as_of: DateTime<FixedOffset>,
    organisations: Vec<RegisterEntry>,
}

/// One of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct RegisterEntry {
    unified_business_number: String,
    name: String,
    /// The authority and its rule by which it asks, and what for.
    purpose: String,
    /// Since when.
    since: DateTime<FixedOffset>,
}

/// A public key as JWK (RFC 8037 §2).
#[derive(Debug, Object)]
struct Jwk {
    kty: String,
    crv: String,
    /// The key, base64url.
    x: String,
    /// The key's thumbprint (RFC 7638).
    kid: String,
    alg: String,
    r#use: String,
}

#[derive(ApiResponse)]
enum Signed {
    /// The register, signed.
    #[oai(status = 200, content_type = "application/jose")]
    Jws(PlainText<String>),
}

impl RegisterEntry {
    fn of(organisation: &RegisteredOrganisation) -> Self {
        Self {
            unified_business_number: organisation.ubn.to_string(),
            name: organisation.name.as_str().to_owned(),
            purpose: Lang::ZhHantTw.purpose(&organisation.purpose),
            since: taipei::local(organisation.since),
        }
    }
}

/// The key's thumbprint: SHA-256 of its members in the order of RFC 7638 §3.2.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

/// A text as JWS in compact form (RFC 7515 §7.1).
fn signed(app: &App, payload: &str) -> String {
    let kid = thumbprint(&URL_SAFE_NO_PAD.encode(app.services.public_register.public_key()));
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#);
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = app.services.public_register.sign(&input);
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn read(context: &Context) -> Result<Register, Failure> {
    let read = context.app.services.public_register.read().await.map_err(|error| context.failure(error))?;
    Ok(Register {
        issuer: context.app.config.base_url.clone(),
        as_of: taipei::local(read.as_of),
        organisations: read.organisations.iter().map(RegisterEntry::of).collect(),
    })
}

#[OpenApi(tag = "Tag::Public")]
impl RegisterApi {
    /// The organisations that may ask, by number.
    #[oai(path = "/register", method = "get", operation_id = "readRegister")]
    async fn register(&self, context: Context) -> Result<Json<Register>, Failure> {
        read(&context).await.map(Json)
    }

    /// The same as a JWS in compact form: whoever got it from somebody else can tell that it is ours.
    #[oai(path = "/register/jws", method = "get", operation_id = "readSignedRegister")]
    async fn register_jws(&self, context: Context) -> Result<Signed, Failure> {
        let payload = read(&context).await?.to_json_string();
        Ok(Signed::Jws(PlainText(signed(&context.app, &payload))))
    }

    /// The key that the JWS is checked with.
    #[expect(clippy::unused_async, reason = "handlers are async")]
    #[oai(path = "/register/key", method = "get", operation_id = "readRegisterKey")]
    async fn register_key(&self, context: Context) -> Result<Json<Jwk>, Failure> {
        let x = URL_SAFE_NO_PAD.encode(context.app.services.public_register.public_key());
        let kid = thumbprint(&x);
        let word = str::to_owned;
        Ok(Json(Jwk {
            kty: word("OKP"),
            crv: word("Ed25519"),
            x,
            kid,
            alg: word("EdDSA"),
            r#use: word("sig"),
        }))
    }
}

#[cfg(test)]
mod tests {
    /// The key and its thumbprint of RFC 8037 A.3.
    #[test]
    fn the_thumbprint_is_the_standards() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(super::thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
