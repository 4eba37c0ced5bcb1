//! Keys on disk: the words of a wallet, encrypted with a passphrase, or plainly for a demo.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use age::{
    Decryptor, Encryptor,
    armor::{ArmoredReader, ArmoredWriter, Format},
    scrypt,
    secrecy::SecretString,
};
use coinop_core::obyte::mnemonic::Mnemonic;
use zeroize::Zeroizing;

/// The first line of a wallet that is not encrypted.
const BURNER: &str = "coinop burner wallet: not encrypted, for demos and test money only";
/// The longest file that is read.
const MAX_FILE: u64 = 64 * 1024;

/// What a file of keys holds.
#[derive(Debug)]
pub enum Keystore {
    /// The words as they are.
    Burner(Mnemonic),
    /// The words, encrypted; [`unlock`](Keystore::unlock) wants the passphrase.
    Locked(Vec<u8>),
}

/// A file of keys cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// There is one already, and it is never overwritten.
    #[error("{0} exists already, and a wallet is never overwritten: name another file, or move it away")]
    Exists(PathBuf),
    /// There is none.
    #[error("there is no wallet {0}: make one with `coinop wallet new`, or name its file with --wallet")]
    Missing(PathBuf),
    /// Others can read it.
    #[error(
        "{0} can be read by others: chmod 600 it, and if they may have read it move the money to a new wallet"
    )]
    Open(PathBuf),
    /// It holds no keys.
    #[error("{0} is no wallet of coinop")]
    NoWallet(PathBuf),
    /// Another passphrase is wanted.
    #[error("the passphrase is wrong")]
    Passphrase,
    /// It cannot be encrypted or decrypted.
    #[error("the wallet cannot be encrypted or decrypted: {0}")]
    Crypto(String),
    /// The file system says no.
    #[error("{path} cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Keystore {
    /// Writes words into a new file that only its owner can read, encrypted when there is a passphrase.
    ///
    /// # Errors
    ///
    /// [`KeystoreError`]; a file that exists is left as it is.
    pub fn create(path: &Path, words: &Mnemonic, passphrase: Option<&str>) -> Result<(), KeystoreError> {
        if path.exists() {
            return Err(KeystoreError::Exists(path.to_owned()));
        }
        let content = match passphrase {
            Some(passphrase) => lock(words, passphrase)?,
            None => Zeroizing::new(format!("{BURNER}\n{}\n", *words.words()).into_bytes()),
        };
        let failed = |source| KeystoreError::Io { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        // Made with mode 0600, complete before it has its name.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(&content).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist_noclobber(path).map(drop).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => KeystoreError::Exists(path.to_owned()),
            _ => failed(error.error),
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`KeystoreError`] when there is none, others can read it, or it is something else.
    pub fn open(path: &Path) -> Result<Self, KeystoreError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => KeystoreError::Missing(path.to_owned()),
            _ => KeystoreError::Io { path: path.to_owned(), source },
        };
        let file = fs::File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if is_open_to_others(&about) {
            return Err(KeystoreError::Open(path.to_owned()));
        }
        let mut content = Zeroizing::new(Vec::new());
        file.take(MAX_FILE).read_to_end(&mut content).map_err(failed)?;
        if content.starts_with(b"-----BEGIN AGE") {
            return Ok(Self::Locked(content.to_vec()));
        }
        let text = std::str::from_utf8(&content).ok().and_then(|text| text.strip_prefix(BURNER));
        let words = text.and_then(|text| text.trim().parse().ok());
        words.map(Self::Burner).ok_or_else(|| KeystoreError::NoWallet(path.to_owned()))
    }

    /// The words.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Passphrase`] when it is another one; whatever `ask` says.
    pub fn unlock<E: From<KeystoreError>>(
        self,
        ask: impl FnOnce() -> Result<Zeroizing<String>, E>,
    ) -> Result<Mnemonic, E> {
        match self {
            Self::Burner(words) => Ok(words),
            Self::Locked(content) => Ok(unlock(&content, &ask()?)?),
        }
    }
}

fn lock(words: &Mnemonic, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let crypto = |error: io::Error| KeystoreError::Crypto(error.to_string());
    let encryptor = Encryptor::with_user_passphrase(SecretString::from(passphrase.to_owned()));
    let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).map_err(crypto)?;
    let mut writer = encryptor.wrap_output(armored).map_err(crypto)?;
    writer.write_all(words.words().as_bytes()).map_err(crypto)?;
    let content = writer.finish().and_then(ArmoredWriter::finish).map_err(crypto)?;
    Ok(Zeroizing::new(content))
}

fn unlock(content: &[u8], passphrase: &str) -> Result<Mnemonic, KeystoreError> {
    let crypto = |error: &dyn std::error::Error| KeystoreError::Crypto(error.to_string());
    let decryptor = Decryptor::new(ArmoredReader::new(content)).map_err(|error| crypto(&error))?;
    let identity = scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    let mut reader = match decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)) {
        Ok(reader) => reader,
        Err(age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys) => {
            return Err(KeystoreError::Passphrase);
        }
        Err(error) => return Err(crypto(&error)),
    };
    let mut words = Zeroizing::new(String::new());
    reader.read_to_string(&mut words).map_err(|error| crypto(&error))?;
    words.parse().map_err(|error| crypto(&error))
}

#[cfg(unix)]
fn is_open_to_others(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    about.mode() & 0o077 != 0
}

/// Elsewhere a file's mode says nothing about others.
#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Mnemonic {
        Mnemonic::from_entropy(&[7; 16]).unwrap()
    }

    fn asked(passphrase: &str) -> impl FnOnce() -> Result<Zeroizing<String>, KeystoreError> {
        let passphrase = passphrase.to_owned();
        || Ok(Zeroizing::new(passphrase))
    }

    #[test]
    fn a_locked_wallet_opens_with_its_passphrase_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/wallet");
        Keystore::create(&path, &words(), Some("open sesame")).unwrap();

        let text = fs::read_to_string(&path).unwrap();
        assert!(!words().words().split(' ').any(|word| text.contains(word)), "the words are not in the file");
        let wrong = Keystore::open(&path).unwrap().unlock(asked("open barley"));
        assert!(matches!(wrong, Err(KeystoreError::Passphrase)));
        let opened = Keystore::open(&path).unwrap().unlock(asked("open sesame")).unwrap();
        assert_eq!(*opened.words(), *words().words());
    }

    #[test]
    fn a_burner_opens_without_and_says_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet");
        Keystore::create(&path, &words(), None).unwrap();

        assert!(fs::read_to_string(&path).unwrap().contains("not encrypted"));
        let opened = Keystore::open(&path).unwrap().unlock(|| -> Result<_, KeystoreError> { unreachable!() });
        assert_eq!(*opened.unwrap().words(), *words().words());
    }

    #[test]
    fn a_wallet_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet");
        fs::write(&path, "something else").unwrap();

        assert!(matches!(Keystore::create(&path, &words(), None), Err(KeystoreError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "something else");
    }

    #[cfg(unix)]
    #[test]
    fn a_wallet_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet");
        Keystore::create(&path, &words(), None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

        assert!(matches!(Keystore::open(&path), Err(KeystoreError::Open(_))));
    }

    #[test]
    fn what_is_no_wallet_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wallet");
        assert!(matches!(Keystore::open(&path), Err(KeystoreError::Missing(_))));

        tempfile::NamedTempFile::new_in(folder.path()).unwrap().persist(&path).unwrap();

        assert!(matches!(Keystore::open(&path), Err(KeystoreError::NoWallet(_))));
    }
}
