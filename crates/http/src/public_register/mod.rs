//! Who may ask, for the public.

pub(crate) mod api;
pub(crate) mod page;
