//! Notices of abnormal use; their pages are those of the organisation.

pub(crate) mod api;
pub(crate) mod dto;
