//! PEM as tools write it (RFC 7468): lines of any width, blanks and empty lines between them, text around the blocks, a byte order
//! mark. What a block holds is not looked at here.

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'t> {
    /// The label after `BEGIN`, such as `PUBLIC KEY`.
    pub label: &'t str,
    /// The text between the boundaries, without any white space: base64 where the block is one.
    pub base64: String,
}

/// The blocks of a text, in its order; those without an end are left out.
pub fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once("-----BEGIN ")?;
            rest = after;
            let Some((label, body)) = after.split_once("-----") else { continue };
            let Some((base64, after)) = body.split_once(&format!("-----END {label}-----")) else { continue };
            rest = after;
            let base64 = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            return Some(Block { label, base64 });
        }
    })
}

/// Whether a text holds a private key in any form that people paste: PEM, a JSON Web Key with its private member, XML of .NET.
pub fn holds_private_key(text: &str) -> bool {
    let jwk = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).starts_with('{');
    text.contains("PRIVATE KEY-----")
        || text.contains("-----BEGIN PGP PRIVATE")
        || text.contains("PuTTY-User-Key-File")
        || (text.contains("<RSAKeyValue>") && text.contains("<D>"))
        || (jwk && text.contains("\"kty\"") && text.contains("\"d\""))
}
