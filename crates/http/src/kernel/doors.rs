//! Which requests cost something before anybody is known, and so have a rate for each address.

use idcheck_usecases::ports::Door;
use poem::http::Method;

/// Where the identity provider sends officers back to; registered with it.
pub const SIGN_IN_CALLBACK: &str = "/officer/sign-in/callback";

/// The door that a request comes to.
pub(crate) fn door(method: &Method, path: &str) -> Option<Door> {
    if method != Method::POST {
        // The identity provider sends browsers back with GET.
        return (method == Method::GET && path == SIGN_IN_CALLBACK).then_some(Door::SignIn);
    }
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["api", "v1", "challenges"] | ["acts", _] | ["drafts" | "sign", _, "sign" | "again"] => {
            Some(Door::Challenge)
        }
        ["drafts", ..] | ["api", "v1", "attachments"] => Some(Door::Draft),
        ["api", "v1", "challenges", _, "proof"] | ["sign", _] => Some(Door::Proof),
        ["api", "v1", "officer", "session"]
        | ["officer", "sign-in" | "invitation"]
        | ["officer", "sign-in", "passkey"] => Some(Door::SignIn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_has_its_door_on_pages_as_in_the_api() {
        let post = Method::POST;
        for (method, path, expected) in [
            (&post, "/api/v1/challenges", Some(Door::Challenge)),
            (&post, "/api/v1/challenges/", Some(Door::Challenge)),
            (&post, "/acts/apply", Some(Door::Challenge)),
            (&post, "/drafts/0198/sign", Some(Door::Challenge)),
            (&post, "/drafts/0198/hosts", Some(Door::Draft)),
            (&post, "/drafts/0198/discard", Some(Door::Draft)),
            (&post, "/api/v1/attachments", Some(Door::Draft)),
            (&post, "/sign/0198/again", Some(Door::Challenge)),
            (&post, "/api/v1/challenges/0198/proof", Some(Door::Proof)),
            (&post, "/sign/0198", Some(Door::Proof)),
            (&post, "/api/v1/officer/session", Some(Door::SignIn)),
            (&post, "/officer/sign-in", Some(Door::SignIn)),
            (&post, "/officer/invitation", Some(Door::SignIn)),
            (&post, "/officer/sign-in/passkey", Some(Door::SignIn)),
            (&Method::GET, "/officer/sign-in/callback", Some(Door::SignIn)),
            (&Method::GET, "/acts/apply", None),
            (&post, "/organisation/leave", None),
            (&post, "/api/v1/officer/applications/0198/approve", None),
        ] {
            assert_eq!(door(method, path), expected, "{method} {path}");
        }
    }
}
