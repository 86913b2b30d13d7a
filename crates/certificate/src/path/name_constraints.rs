//! Name constraints (RFC 5280 §4.2.1.10): directory names, mail addresses, DNS names, URIs and IP addresses.

use std::net::IpAddr;

use der::Encode;
use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::name::GeneralName;

use crate::Refusal;
use crate::certificate::Certificate;
use crate::name::{DistinguishedName, EMAIL_ADDRESS};

/// The constraints of the CAs so far. A name must satisfy each of them, which is the intersection of RFC 5280 §6.1.4 g.
#[derive(Default)]
pub(super) struct NameConstraintsState {
    constraints: Vec<Constraints>,
}

#[derive(Default)]
struct Constraints {
    permitted: Vec<Subject>,
    excluded: Vec<Subject>,
}

/// A name of a kind that constraints can speak about; in a constraint, the base of the subtree.
enum Subject {
    Directory(DistinguishedName),
    Mail(String),
    Dns(String),
    Uri(String),
    Ip(Vec<u8>),
    /// A kind that is not supported: a constraint on it excludes every name of its kind.
    Other(u8),
}

impl NameConstraintsState {
    /// Adds the constraints of a CA.
    pub(super) fn add(&mut self, ca: &Certificate) -> Result<(), Refusal> {
        if let Some(constraints) = &ca.extensions().name_constraints {
            self.constraints.push(Constraints::read(constraints)?);
        }
        Ok(())
    }

    /// Holds all names of a certificate to the constraints so far (RFC 5280 §6.1.3 b, c).
    pub(super) fn check(&self, certificate: &Certificate) -> Result<(), Refusal> {
        if self.constraints.is_empty() {
            return Ok(());
        }
        let mut names = Vec::new();
        if !certificate.subject().is_empty() {
            names.push(Subject::Directory(certificate.subject().clone()));
        }
        for name in &certificate.extensions().subject_alt_names {
            names.push(Subject::read(name)?);
        }
        if !names.iter().any(|name| matches!(name, Subject::Mail(_))) {
            names.extend(
                certificate.subject().values(EMAIL_ADDRESS).map(|mail| Subject::Mail(mail.to_owned())),
            );
        }
        let allowed =
            names.iter().all(|name| self.constraints.iter().all(|constraints| constraints.allow(name)));
        if allowed { Ok(()) } else { Err(Refusal::NameConstraint) }
    }
}

impl Constraints {
    fn read(constraints: &NameConstraints) -> Result<Self, Refusal> {
        let read = |subtrees: &Option<Vec<x509_cert::ext::pkix::constraints::name::GeneralSubtree>>| {
            subtrees
                .iter()
                .flatten()
                .map(|subtree| {
                    // RFC 5280 §4.2.1.10: minimum is zero, maximum absent.
                    if subtree.minimum != 0 || subtree.maximum.is_some() {
                        return Err(Refusal::NameConstraint);
                    }
                    Subject::read(&subtree.base)
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            permitted: read(&constraints.permitted_subtrees)?,
            excluded: read(&constraints.excluded_subtrees)?,
        })
    }

    fn allow(&self, name: &Subject) -> bool {
        if let Subject::Uri(uri) = name
            && uri_host(uri).is_none()
        {
            // RFC 5280 §4.2.1.10: a URI without a host name is refused where URIs are constrained.
            return !self.permitted.iter().chain(&self.excluded).any(|base| name.is_kind_of(base));
        }
        if self.excluded.iter().any(|base| name.is_within(base)) {
            return false;
        }
        let mut same_kind = self.permitted.iter().filter(|base| name.is_kind_of(base)).peekable();
        same_kind.peek().is_none()
            || same_kind.any(|base| !matches!(base, Subject::Other(_)) && name.is_within(base))
    }
}

impl Subject {
    fn read(name: &GeneralName) -> Result<Self, Refusal> {
        Ok(match name {
            GeneralName::DirectoryName(name) => {
                let der = name.to_der().map_err(|_| Refusal::Malformed)?;
                Self::Directory(DistinguishedName::parse(&der)?)
            }
            GeneralName::Rfc822Name(mail) => Self::Mail(mail.to_string()),
            GeneralName::DnsName(name) => Self::Dns(name.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => Self::Uri(uri.to_string()),
            GeneralName::IpAddress(octets) => Self::Ip(octets.as_bytes().to_vec()),
            GeneralName::OtherName(_) => Self::Other(0),
            GeneralName::EdiPartyName(_) => Self::Other(5),
            GeneralName::RegisteredId(_) => Self::Other(8),
        })
    }

    fn is_kind_of(&self, base: &Self) -> bool {
        match (self, base) {
            (Self::Other(own), Self::Other(base)) => own == base,
            _ => std::mem::discriminant(self) == std::mem::discriminant(base),
        }
    }

    fn is_within(&self, base: &Self) -> bool {
        match (self, base) {
            (Self::Directory(name), Self::Directory(base)) => name.is_within(base),
            (Self::Mail(mail), Self::Mail(base)) => mail_is_within(mail, base),
            (Self::Dns(name), Self::Dns(base)) => {
                base.is_empty() || host_is(name, base) || host_is_below(name, base)
            }
            (Self::Uri(uri), Self::Uri(base)) => uri_is_within(uri, base),
            (Self::Ip(address), Self::Ip(base)) => ip_is_within(address, base),
            (Self::Other(own), Self::Other(base)) => own == base,
            _ => false,
        }
    }
}

fn host_is(host: &str, base: &str) -> bool {
    host.eq_ignore_ascii_case(base)
}

/// Whether labels were added on the left of `domain`.
fn host_is_below(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.as_bytes(), domain.as_bytes());
    host.len() > domain.len()
        && host[host.len() - domain.len()..].eq_ignore_ascii_case(domain)
        && host[host.len() - domain.len() - 1] == b'.'
}

/// A mailbox, all mailboxes of a host, or, with a leading dot, those of hosts below a domain.
fn mail_is_within(mail: &str, base: &str) -> bool {
    let Some((local, host)) = mail.rsplit_once('@') else { return false };
    if let Some((base_local, base_host)) = base.rsplit_once('@') {
        return local == base_local && host_is(host, base_host);
    }
    match base.strip_prefix('.') {
        Some(domain) => host_is_below(host, domain),
        None => host_is(host, base),
    }
}

/// Constraints look only at the host part, which must be a name.
fn uri_is_within(uri: &str, base: &str) -> bool {
    let Some(host) = uri_host(uri) else { return false };
    match base.strip_prefix('.') {
        Some(domain) => host_is_below(host, domain),
        None => host_is(host, base),
    }
}

fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next().filter(|host| !host.is_empty())?;
    host.parse::<IpAddr>().is_err().then_some(host)
}

/// Address and mask, four or sixteen octets each.
fn ip_is_within(address: &[u8], base: &[u8]) -> bool {
    let half = base.len() / 2;
    let (network, mask) = base.split_at(half);
    address.len() == half
        && matches!(half, 4 | 16)
        && mask.len() == half
        && (0..half).all(|at| address[at] & mask[at] == network[at] & mask[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_hosts_and_domains() {
        assert!(
            mail_is_within("a@example.com", "example.com")
                && mail_is_within("a@EXAMPLE.com", "a@example.com")
        );
        assert!(mail_is_within("a@x.example.com", ".example.com"));
        assert!(
            !mail_is_within("a@example.com", ".example.com")
                && !mail_is_within("a@x.example.com", "example.com")
        );
        assert!(
            !mail_is_within("A@example.com", "a@example.com")
                && !mail_is_within("example.com", "example.com")
        );
    }

    #[test]
    fn uris_by_host_name() {
        assert!(uri_is_within("http://u@host.example.com:80/x?y", ".example.com"));
        assert!(uri_is_within("ftp://host.example.com", "host.example.com"));
        assert!(!uri_is_within("http://example.com/", ".example.com"));
        assert!(!uri_is_within("http://hostexample.com/", ".example.com"));
    }

    #[test]
    fn addresses_by_mask() {
        assert!(ip_is_within(&[10, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0]));
        assert!(!ip_is_within(&[11, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0]));
        assert!(!ip_is_within(&[10, 1, 2, 3], &[10, 0, 0]) && !ip_is_within(&[], &[]));
    }
}
