//! TLS certificates and the RSA key of a node: read from where the options say, or made in the
//! data directory under mysqld's own file names.
//!
//! What mysqld makes at first start (`auto_generate_certs`, MySQL 8.4 Reference Manual 8.3.3.1) is
//! made here too, so that clients with `--ssl-mode=VERIFY_CA --ssl-ca=ca.pem` work as against
//! mysqld. Private keys are written 0600 and never logged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use protocol::auth::RsaKeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::accounts::write_private;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file is not the PEM that it should be.
    #[error("{path} holds no usable {expected}: {reason}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not make a server.
    #[error("the certificate and the key do not fit a TLS server: {0}")]
    Rustls(#[from] rustls::Error),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// The RSA key could not be made or read.
    #[error("cannot use the RSA key {path}: {reason}")]
    Rsa {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Where certificate and key are, as the options of the same names say.
#[derive(Debug, Clone, Copy)]
pub struct TlsFiles<'a> {
    /// The data directory: where files are made, and what relative names are relative to.
    pub datadir: &'a Path,
    /// `ssl_cert`.
    pub cert: Option<&'a Path>,
    /// `ssl_key`.
    pub key: Option<&'a Path>,
    /// `auto_generate_certs`: make ca.pem, server-cert.pem and their keys when there are none.
    pub auto_generate: bool,
}

/// The TLS configuration that the files give, or none when there are none and none are to be made.
///
/// # Errors
/// When a named file cannot be read or used: a server that was told to have TLS never starts
/// without it.
pub fn server_config(files: TlsFiles<'_>) -> Result<Option<Arc<ServerConfig>>, TlsError> {
    let in_datadir = |name: &str| files.datadir.join(name);
    let (cert, key) = match (files.cert, files.key) {
        (Some(cert), Some(key)) => (files.datadir.join(cert), files.datadir.join(key)),
        (Some(cert), None) => (files.datadir.join(cert), in_datadir("server-key.pem")),
        (None, Some(key)) => (in_datadir("server-cert.pem"), files.datadir.join(key)),
        (None, None) => {
            let (cert, key) = (in_datadir("server-cert.pem"), in_datadir("server-key.pem"));
            if !cert.exists() && !key.exists() {
                if !files.auto_generate {
                    return Ok(None);
                }
                generate(files.datadir)?;
            }
            (cert, key)
        }
    };
    let mut chain = certificates(&cert)?;
    // The authority goes along: a client that does not know it can then tell a certificate signed
    // by it from a broken chain, and MariaDB's accepts that where it can do without trust.
    let authority = in_datadir("ca.pem");
    if files.cert.is_none() && chain.len() == 1 && authority.exists() {
        chain.extend(certificates(&authority)?);
    }
    let private = private_key(&key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    Ok(Some(Arc::new(config)))
}

/// The RSA key pair of `private_key.pem` in the data directory, made when it is not there.
///
/// # Errors
/// When the file cannot be read, written or used.
pub fn rsa_key_pair(datadir: &Path) -> Result<RsaKeyPair, TlsError> {
    let path = datadir.join("private_key.pem");
    let unusable = |reason: &dyn std::fmt::Display| TlsError::Rsa {
        path: path.clone(),
        reason: reason.to_string(),
    };
    if path.exists() {
        let pem = read(&path)?;
        return RsaKeyPair::from_private_pem(&pem).map_err(|error| unusable(&error));
    }
    let pair = RsaKeyPair::generate().map_err(|error| unusable(&error))?;
    let pem = pair.private_pem().map_err(|error| unusable(&error))?;
    write(
        &datadir.join("public_key.pem"),
        pair.public_pem().as_bytes(),
    )?;
    write(&path, pem.as_bytes())?;
    Ok(pair)
}

/// Makes `ca.pem`, `ca-key.pem`, `server-cert.pem` and `server-key.pem`; the server's key last, so
/// that an interrupted first start is repeated and not half used.
fn generate(datadir: &Path) -> Result<(), TlsError> {
    let ca_key = KeyPair::generate()?;
    let mut ca = dated(CertificateParams::new(Vec::new())?);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name
        .push(DnType::CommonName, "Weir_Auto_Generated_CA_Certificate");
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_pem = ca.self_signed(&ca_key)?.pem();
    let ca_key_pem = ca_key.serialize_pem();
    let issuer = Issuer::new(ca, ca_key);

    let names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    let key = KeyPair::generate()?;
    let mut server = dated(CertificateParams::new(names)?);
    server
        .distinguished_name
        .push(DnType::CommonName, "Weir_Auto_Generated_Server_Certificate");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_pem = server.signed_by(&key, &issuer)?.pem();

    write(&datadir.join("ca.pem"), ca_pem.as_bytes())?;
    write(&datadir.join("ca-key.pem"), ca_key_pem.as_bytes())?;
    write(
        &datadir.join("server-key.pem"),
        key.serialize_pem().as_bytes(),
    )?;
    write(&datadir.join("server-cert.pem"), server_pem.as_bytes())
}

/// Valid for ten years from the start of the present one, as mysqld's are for ten.
fn dated(mut params: CertificateParams) -> CertificateParams {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let year = i32::try_from(1970 + since_epoch.as_secs() / 31_556_952).unwrap_or(2026);
    params.not_before = date_time_ymd(year, 1, 1);
    params.not_after = date_time_ymd(year.saturating_add(11), 1, 1);
    params
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |reason: String| TlsError::Pem {
        path: path.to_owned(),
        expected: "certificate",
        reason,
    };
    let chain = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable("it has no CERTIFICATE block".to_owned()));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| TlsError::Pem {
        path: path.to_owned(),
        expected: "private key",
        reason: error.to_string(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, content: &[u8]) -> Result<(), TlsError> {
    write_private(path, content).map_err(|source| TlsError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn files(datadir: &Path, auto_generate: bool) -> TlsFiles<'_> {
        TlsFiles {
            datadir,
            cert: None,
            key: None,
            auto_generate,
        }
    }

    #[test]
    fn makes_certificates_once_and_reads_them_again() {
        let directory = tempfile::tempdir().unwrap();
        assert!(
            server_config(files(directory.path(), false))
                .unwrap()
                .is_none()
        );
        assert!(
            server_config(files(directory.path(), true))
                .unwrap()
                .is_some()
        );
        let first = fs::read(directory.path().join("server-cert.pem")).unwrap();
        assert!(
            server_config(files(directory.path(), true))
                .unwrap()
                .is_some()
        );
        assert_eq!(
            fs::read(directory.path().join("server-cert.pem")).unwrap(),
            first
        );
        for key in ["ca-key.pem", "server-key.pem"] {
            let mode = fs::metadata(directory.path().join(key))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }

    #[test]
    fn a_named_certificate_that_is_missing_or_wrong_stops_the_start() {
        let directory = tempfile::tempdir().unwrap();
        let named = TlsFiles {
            datadir: directory.path(),
            cert: Some(Path::new("c.pem")),
            key: Some(Path::new("k.pem")),
            auto_generate: true,
        };
        assert!(matches!(server_config(named), Err(TlsError::Io { .. })));
        fs::write(directory.path().join("c.pem"), "nothing").unwrap();
        assert!(matches!(server_config(named), Err(TlsError::Pem { .. })));
    }

    #[test]
    fn the_rsa_key_is_kept_over_restarts() {
        let directory = tempfile::tempdir().unwrap();
        let made = rsa_key_pair(directory.path()).unwrap();
        let read = rsa_key_pair(directory.path()).unwrap();
        assert_eq!(made.public_pem(), read.public_pem());
    }
}
