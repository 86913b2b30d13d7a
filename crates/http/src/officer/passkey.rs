//! Passkeys on pages: signing in with one, and adding one to one's own account. The browser makes and uses them; what it says comes in
//! hidden fields, in base64url.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use idcheck_usecases::ports::{Passkey, PasskeyMade, PasskeyUsed};
use minijinja::{Value, context};

use crate::kernel::{
    page::{FormValues, Page, value},
    view::moment,
};

/// What can go wrong in the browser, by the names of its errors.
const MESSAGES: [&str; 3] = ["NotAllowedError", "InvalidStateError", "other"];

/// What the page's script needs; none where passkeys are not offered.
pub(super) fn config(page: &Page<'_>, more: Value) -> Option<Value> {
    let (host, challenge) = page.app.services.sign_in.passkey_challenge(page.session())?;
    let messages = MESSAGES.map(|name| (name, page.lang.t(&format!("passkey-failed-{name}"))));
    Some(context! {
        host, challenge => identity(&challenge.bytes), messages => Value::from_pairs(messages), ..more
    })
}

/// One passkey for a template.
pub(super) fn shown(passkey: &Passkey) -> Value {
    context! {
        id => identity(&passkey.half.credential),
        name => passkey.name.as_str(),
        added_at => moment(passkey.added_at),
        used_at => passkey.used_at.map(moment),
    }
}

/// The bytes of a hidden field; none of what is no base64url.
pub(super) fn bytes(form: &FormValues, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value(form, name)).unwrap_or_default()
}

/// A passkey that was used.
pub(super) fn used(form: &FormValues) -> PasskeyUsed {
    PasskeyUsed {
        credential: bytes(form, "credential"),
        client_data: bytes(form, "clientData"),
        authenticator_data: bytes(form, "authenticatorData"),
        signature: bytes(form, "signature"),
    }
}

/// A passkey that was made.
pub(super) fn made(form: &FormValues) -> PasskeyMade {
    PasskeyMade {
        credential: bytes(form, "credential"),
        client_data: bytes(form, "clientData"),
        authenticator_data: bytes(form, "authenticatorData"),
        public_key: bytes(form, "publicKey"),
    }
}

/// A credential's identity as pages have it.
pub(super) fn identity(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
