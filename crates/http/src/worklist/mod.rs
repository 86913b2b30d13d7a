//! What waits for an officer: the console's first page, and the same for programs.

pub(crate) mod api;
pub(crate) mod page;
