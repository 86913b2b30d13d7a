//! The key file: 32 random bytes in hexadecimal, from which every key at rest is derived.

use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};
use idcheck_usecases::ports::Entropy;
use zeroize::Zeroizing;

pub(crate) type MasterKey = Zeroizing<[u8; 32]>;

/// Reads the key file.
///
/// # Errors
/// When it can't be read, others may read it, or it is not 64 hexadecimal digits.
pub(crate) fn read(path: &Path) -> anyhow::Result<MasterKey> {
    let shown = path.display();
    if !path.exists() {
        bail!(
            "key file {shown}: it is not there. For a database that is there, put back the key file that was kept with it: \
             nothing opens with another one. Only for a new database make one: \
             `openssl rand -hex 32 > {shown} && chmod 600 {shown}`"
        );
    }
    let text = secret(path, "key file")?;
    let mut key = Zeroizing::new([0; 32]);
    if hex::decode_to_slice(text.trim(), key.as_mut()).is_err() {
        bail!("key file {shown}: not 64 hexadecimal digits");
    }
    Ok(key)
}

/// Reads a file with a secret.
///
/// # Errors
/// When it can't be read, or others than its owner may read it.
pub(crate) fn secret(path: &Path, what: &str) -> anyhow::Result<Zeroizing<String>> {
    let shown = path.display();
    let metadata = fs::metadata(path).with_context(|| format!("{what} {shown}"))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        bail!("{what} {shown}: others than its owner may read it; run `chmod 600 {shown}`");
    }
    Ok(Zeroizing::new(fs::read_to_string(path).with_context(|| format!("{what} {shown}"))?))
}

/// Reads the key file, or makes it when there is none.
///
/// # Errors
/// As [`read`], or when it can't be written.
pub(crate) fn read_or_create(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<MasterKey> {
    if !path.exists() {
        let key = Zeroizing::new(hex::encode(entropy.bytes::<32>()));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("key file {}", path.display()))?;
        file.write_all(key.as_bytes())?;
        file.sync_all()?;
    }
    read(path)
}
