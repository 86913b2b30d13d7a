//! Tokens of the verification API: form, signature, times.
//!
//! Synchronous and without IO. A token is never asked which key or algorithm to use: the algorithm is pinned to the
//! key when it is registered, and members of the header that carry or point to keys are not looked at (threat 1).
//! Nothing of a token is ever logged or put into an error.

mod claims;
mod jws;
mod key;
mod reader;
mod window;

pub use key::PublicKeys;
pub use reader::Tokens;
pub use window::Window;
