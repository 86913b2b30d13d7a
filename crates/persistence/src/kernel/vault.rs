//! Secrets at rest: one master key, a derived key for each purpose.

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    hmac,
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use idcheck_domain::abuse::Neighbourhood;
use idcheck_domain::value::{IssKey, PersonId, UnifiedBusinessNumber};
use idcheck_usecases::ports::SessionToken;
use zeroize::Zeroizing;

/// Length of a keyed hash.
pub(crate) const HASH_LEN: usize = 32;
/// Length of the one of a neighbourhood, of which there are five million.
pub(crate) const NEIGHBOURS_LEN: usize = 16;

/// Seals secrets and makes keyed hashes for looking them up. Clones share the keys.
#[derive(Clone)]
pub struct Vault(Arc<Derived>);

struct Derived {
    seal: LessSafeKey,
    persons: hmac::Key,
    sandbox_persons: hmac::Key,
    neighbours: hmac::Key,
    iss_keys: hmac::Key,
    check: hmac::Key,
    sessions: hmac::Key,
    own_sessions: hmac::Key,
    passkeys: hmac::Key,
    publishing: Ed25519KeyPair,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

fn derive(master: &[u8; 32], purpose: &str) -> Result<Zeroizing<[u8; 32]>, Unspecified> {
    let mut key = Zeroizing::new([0; 32]);
    let pseudo_random = Salt::new(HKDF_SHA256, b"idcheck-1").extract(master);
    pseudo_random.expand(&[purpose.as_bytes()], Length)?.fill(key.as_mut())?;
    Ok(key)
}

impl Vault {
    /// A vault of the master key.
    ///
    /// # Errors
    /// When the cryptographic library refuses; it does not, for a key of this length.
    pub fn new(master: &[u8; 32]) -> Result<Self, Unspecified> {
        let mac = |purpose| {
            Ok::<_, Unspecified>(hmac::Key::new(hmac::HMAC_SHA256, derive(master, purpose)?.as_ref()))
        };
        let seal = UnboundKey::new(&AES_256_GCM, derive(master, "seal")?.as_ref())?;
        let keys = Derived {
            seal: LessSafeKey::new(seal),
            persons: mac("person-id")?,
            sandbox_persons: mac("sandbox-person-id")?,
            neighbours: mac("neighbouring-person-ids")?,
            iss_keys: mac("iss-key")?,
            check: mac("key-check")?,
            sessions: mac("session-token")?,
            own_sessions: mac("organisation-session")?,
            passkeys: mac("passkey-challenge")?,
            publishing: Ed25519KeyPair::from_seed_unchecked(derive(master, "publishing")?.as_ref())
                .map_err(|_| Unspecified)?,
        };
        Ok(Self(Arc::new(keys)))
    }

    /// The keyed hash of an ID number: the only form in which one is kept.
    pub(crate) fn person(&self, id: &PersonId) -> [u8; HASH_LEN] {
        hash(&self.0.persons, id.expose())
    }

    /// The keyed hash of a number asked about in the sandbox: of each organisation its own, and never one of
    /// [`person`](Self::person), so that nothing counted there counts anywhere else.
    pub(crate) fn sandbox_person(&self, ubn: UnifiedBusinessNumber, id: &PersonId) -> [u8; HASH_LEN] {
        hash(&self.0.sandbox_persons, &format!("{ubn}:{}", id.expose()))
    }

    /// The keyed hash of what an ID number has in common with its neighbours.
    pub(crate) fn neighbours(&self, neighbourhood: Neighbourhood<'_>) -> [u8; NEIGHBOURS_LEN] {
        let common = match neighbourhood {
            Neighbourhood::Beginning(beginning) => beginning,
            Neighbourhood::MadeUp => "",
        };
        let mut short = [0; NEIGHBOURS_LEN];
        short.copy_from_slice(&hash(&self.0.neighbours, common)[..NEIGHBOURS_LEN]);
        short
    }

    pub(crate) fn iss_key(&self, key: &IssKey) -> [u8; HASH_LEN] {
        hash(&self.0.iss_keys, key.expose())
    }

    /// By which the master key is told from others without telling anything of it.
    pub(crate) fn check_value(&self) -> [u8; HASH_LEN] {
        hash(&self.0.check, "idcheck")
    }

    pub(crate) fn session(&self, token: &SessionToken) -> [u8; HASH_LEN] {
        hash(&self.0.sessions, token.expose())
    }

    /// The tag of a challenge that a passkey is to sign, for a browser session. Both parts have one length.
    pub(crate) fn passkey_challenge(&self, session: &[u8; 32], open: &[u8]) -> [u8; HASH_LEN] {
        let mut tag = [0; HASH_LEN];
        tag.copy_from_slice(hmac::sign(&self.0.passkeys, &[session.as_slice(), open].concat()).as_ref());
        tag
    }

    /// Whether this is that tag.
    pub(crate) fn is_passkey_challenge(&self, session: &[u8; 32], open: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0.passkeys, &[session.as_slice(), open].concat(), tag).is_ok()
    }

    /// The tag of an organisation's session.
    pub(crate) fn own_session(&self, told: &str) -> [u8; HASH_LEN] {
        hash(&self.0.own_sessions, told)
    }

    /// Whether a tag is of this session; takes as long for any wrong one.
    pub(crate) fn is_own_session(&self, told: &str, tag: &[u8]) -> bool {
        hmac::verify(&self.0.own_sessions, told.as_bytes(), tag).is_ok()
    }

    /// Signs what is published (Ed25519).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.publishing.sign(message).as_ref());
        signature
    }

    /// The public half of the key that [`sign`](Self::sign) uses.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.publishing.public_key().as_ref());
        key
    }

    /// Seals a secret to its place: moved to another row or column it does not open.
    pub(crate) fn seal(&self, place: &str, secret: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce)?;
        let mut sealed = nonce.to_vec();
        let mut body = secret.to_vec();
        self.0.seal.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place),
            &mut body,
        )?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what was sealed to this place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(Unspecified)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let opened = self.0.seal.open_in_place(nonce, Aad::from(place), &mut body)?.len();
        body.truncate(opened);
        Ok(body)
    }
}

fn hash(key: &hmac::Key, text: &str) -> [u8; HASH_LEN] {
    let tag = hmac::sign(key, text.as_bytes());
    let mut hash = [0; HASH_LEN];
    hash.copy_from_slice(tag.as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(master: u8) -> Vault {
        Vault::new(&[master; 32]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let sealed = vault(1).seal("iss_keys/1", b"secret").unwrap();
        assert_eq!(vault(1).open("iss_keys/1", &sealed).unwrap().as_slice(), b"secret");
        assert!(vault(1).open("iss_keys/2", &sealed).is_err());
        assert!(vault(2).open("iss_keys/1", &sealed).is_err());
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(vault(1).open("iss_keys/1", &changed).is_err(), "byte {position} does not count");
            assert!(vault(1).open("iss_keys/1", &sealed[..position]).is_err(), "{position} bytes are enough");
        }
    }

    #[test]
    fn sealed_twice_is_not_the_same() {
        assert_ne!(vault(1).seal("place", b"secret").unwrap(), vault(1).seal("place", b"secret").unwrap());
    }

    #[test]
    fn hashes_depend_on_key_and_purpose() {
        let first = vault(1);
        let of = |key: &hmac::Key| hash(key, "A123456789");
        assert_eq!(of(&first.0.persons), of(&vault(1).0.persons));
        assert_ne!(of(&first.0.persons), of(&vault(2).0.persons));
        assert_ne!(of(&first.0.persons), of(&first.0.iss_keys));
        assert_ne!(of(&first.0.persons), of(&first.0.sessions));
        assert_ne!(of(&first.0.iss_keys), of(&first.0.sessions));
    }

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", vault(1)), "Vault(…)");
    }
}
