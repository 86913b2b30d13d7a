//! What of the API document belongs together.

use poem_openapi::Tags;

/// What of the document belongs together.
#[derive(Tags)]
pub(crate) enum Tag {
    /// What an applicant does with the card: ask for a challenge, sign it, prove it.
    Applicant,
    /// What an officer does, after signing in.
    Officer,
    /// What anyone may read.
    Public,
}
