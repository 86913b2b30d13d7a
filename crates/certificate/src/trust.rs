//! Who is trusted: anchors, the company CAs that a path must run through, and other known CAs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::asn1::Malformed;
use crate::certificate::Certificate;
use crate::name::DistinguishedName;

/// The configured certificates. Nothing that a message carries ever gets in here.
///
/// An anchor counts for its name and key (RFC 5280 §6.1.1 d). Asked in addition: that it is valid at that time, and that
/// it is a CA which may sign certificates, unless it is of version 1. What else it says of itself does not bind the paths
/// below it: its path length, name constraints, policies and policy constraints. Such bounds belong into the certificate
/// of the CA below, or that CA among the anchors.
#[derive(Debug, Default)]
pub struct TrustStore {
    anchors: HashMap<DistinguishedName, Vec<Arc<Certificate>>>,
    intermediates: HashMap<DistinguishedName, Vec<Arc<Certificate>>>,
    company_cas: Vec<Arc<Certificate>>,
}

/// A folder of certificates or CRLs that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file or folder can't be read.
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    /// The file holds nothing of what was expected.
    #[error("{path}: no {kind} in DER or PEM")]
    Nothing { path: PathBuf, kind: &'static str },
    /// One of those that the file holds can't be read.
    #[error(
        "{path}: {kind} {number} can't be read: {rule}; take the file out, or put a good one in its place"
    )]
    Unreadable {
        path: PathBuf,
        kind: &'static str,
        /// Which of them in the file, from 1.
        number: usize,
        /// The rule that it breaks.
        rule: Malformed,
    },
}

impl TrustStore {
    /// A store of these certificates. Company CAs are candidates for a path like other intermediates.
    pub fn new(
        anchors: impl IntoIterator<Item = Certificate>,
        company_cas: impl IntoIterator<Item = Certificate>,
        intermediates: impl IntoIterator<Item = Certificate>,
    ) -> Self {
        let mut store = Self::default();
        for anchor in anchors {
            insert(&mut store.anchors, Arc::new(anchor));
        }
        for ca in company_cas {
            let ca = Arc::new(ca);
            store.company_cas.push(Arc::clone(&ca));
            insert(&mut store.intermediates, ca);
        }
        for ca in intermediates {
            insert(&mut store.intermediates, Arc::new(ca));
        }
        store
    }

    /// Reads `dir/anchors`, `dir/company-ca` and `dir/intermediates`: PEM (several blocks to a file) or DER. A missing
    /// folder counts as empty.
    ///
    /// # Errors
    /// [`LoadError`], naming the file.
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        let folder = |name: &str| read_folder(&dir.join(name), "CERTIFICATE", Certificate::parse);
        Ok(Self::new(folder("anchors")?, folder("company-ca")?, folder("intermediates")?))
    }

    /// The anchors with this name.
    pub(crate) fn anchors_named(&self, name: &DistinguishedName) -> impl Iterator<Item = &Arc<Certificate>> {
        self.anchors.get(name).into_iter().flatten()
    }

    /// The configured CAs below anchors with this name.
    pub(crate) fn intermediates_named(
        &self,
        name: &DistinguishedName,
    ) -> impl Iterator<Item = &Arc<Certificate>> {
        self.intermediates.get(name).into_iter().flatten()
    }

    pub fn anchors(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.anchors.values().flatten()
    }

    pub fn company_cas(&self) -> &[Arc<Certificate>] {
        &self.company_cas
    }

    /// All CAs below anchors, company CAs included.
    pub fn intermediates(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.intermediates.values().flatten()
    }

    /// Whether `ca` is a company CA: by name and key, since a CA can have several certificates.
    pub(crate) fn is_company_ca(&self, ca: &Certificate) -> bool {
        self.company_cas.iter().any(|known| {
            known.subject() == ca.subject() && known.public_key().info() == ca.public_key().info()
        })
    }
}

fn insert(map: &mut HashMap<DistinguishedName, Vec<Arc<Certificate>>>, certificate: Arc<Certificate>) {
    let same_name = map.entry(certificate.subject().clone()).or_default();
    if !same_name.contains(&certificate) {
        same_name.push(certificate);
    }
}

/// Everything in a folder's files, in the order of their names; none if there is no folder.
pub(crate) fn read_folder<T>(
    folder: &Path,
    kind: &'static str,
    parse: impl Fn(&[u8]) -> Result<T, Malformed>,
) -> Result<Vec<T>, LoadError> {
    let io = |source| LoadError::Io { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(io)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    files.sort();
    let mut all = Vec::new();
    for file in files {
        all.extend(read_file(&file, kind, &parse)?);
    }
    Ok(all)
}

/// Everything in one DER or PEM file; at least one.
pub(crate) fn read_file<T>(
    path: &Path,
    kind: &'static str,
    parse: impl Fn(&[u8]) -> Result<T, Malformed>,
) -> Result<Vec<T>, LoadError> {
    let bytes = std::fs::read(path).map_err(|source| LoadError::Io { path: path.to_owned(), source })?;
    let ders = if bytes.first() == Some(&0x30) { Some(vec![bytes]) } else { pem_blocks(&bytes, kind) };
    let ders = ders.filter(|ders| !ders.is_empty());
    let ders = ders.ok_or_else(|| LoadError::Nothing { path: path.to_owned(), kind })?;
    let read = |(place, der): (usize, &Vec<u8>)| {
        parse(der).map_err(|rule| LoadError::Unreadable {
            path: path.to_owned(),
            kind,
            number: place + 1,
            rule,
        })
    };
    ders.iter().enumerate().map(read).collect()
}

/// The contents of the PEM blocks with this label; text around them is allowed (RFC 7468 §2).
fn pem_blocks(bytes: &[u8], label: &str) -> Option<Vec<Vec<u8>>> {
    let blocks = idcheck_domain::pem::blocks(std::str::from_utf8(bytes).ok()?);
    blocks.filter(|block| block.label == label).map(|block| STANDARD.decode(block.base64).ok()).collect()
}

/// The contents of one PEM block, whatever its label; text in front of it is allowed (RFC 7468 §2).
pub fn pem(text: &[u8]) -> Option<Vec<u8>> {
    let block = idcheck_domain::pem::blocks(std::str::from_utf8(text).ok()?).next()?;
    STANDARD.decode(block.base64).ok()
}
