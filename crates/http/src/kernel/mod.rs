//! What every handler stands on: the request and its session, pages and forms, problems, languages, the templates.

pub(crate) mod bodies;
pub(crate) mod body;
pub(crate) mod browser;
pub(crate) mod client_address;
pub(crate) mod connections;
pub(crate) mod csv;
pub(crate) mod desk;
pub(crate) mod doors;
pub(crate) mod durations;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod i18n;
pub(crate) mod json;
pub(crate) mod markdown;
pub(crate) mod methods;
pub(crate) mod officer_page;
pub(crate) mod page;
pub(crate) mod pdf;
pub(crate) mod problem;
pub(crate) mod session;
pub(crate) mod shape;
pub(crate) mod state;
pub(crate) mod surface;
pub(crate) mod tag;
pub(crate) mod view;
