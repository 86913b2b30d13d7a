//! The parts of the service that face different people, and which paths are whose.

/// A part that a process may serve without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Pages and calls of applicants and of the public.
    Portal,
    /// Pages and calls of officers.
    Officer,
    /// The verification API and its sandbox.
    Verify,
}

impl Surface {
    pub const ALL: [Self; 3] = [Self::Portal, Self::Officer, Self::Verify];

    /// How metrics call it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Officer => "officer",
            Self::Verify => "verify",
        }
    }

    /// Whose a path is; none for what every process serves: health, metrics, the assets of pages.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let below = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let any = |prefixes: &[&str]| prefixes.iter().any(|prefix| below(prefix));
        if any(&["/livez", "/readyz", "/metrics", "/assets"]) {
            None
        } else if any(&["/integration", "/sandbox", "/api/v1/verifications"]) {
            Some(Self::Verify)
        } else if any(&["/officer", "/api/v1/officer"]) {
            Some(Self::Officer)
        } else {
            Some(Self::Portal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Surface;

    #[test]
    fn each_path_has_its_surface() {
        for (path, surface) in [
            ("/", Some(Surface::Portal)),
            ("/apply/form", Some(Surface::Portal)),
            ("/api/v1/challenges", Some(Surface::Portal)),
            ("/api/v1/openapi.json", Some(Surface::Portal)),
            ("/officers-of-old", Some(Surface::Portal)),
            ("/officer", Some(Surface::Officer)),
            ("/officer/sign-in", Some(Surface::Officer)),
            ("/api/v1/officer/session", Some(Surface::Officer)),
            ("/integration/rwv2c2", Some(Surface::Verify)),
            ("/api/v1/verifications", Some(Surface::Verify)),
            ("/sandbox/integration/rwv2c2/", Some(Surface::Verify)),
            ("/readyz", None),
            ("/assets/site.css", None),
        ] {
            assert_eq!(Surface::of(path), surface, "{path}");
        }
    }
}
