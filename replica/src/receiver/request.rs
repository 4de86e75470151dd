//! How the receiver connects to its source, and what it asks of it.

use binlog::event::Flavour;
use binlog::log::SourceCoordinates;
use binlog::transaction::Executed;
use config::settings::SourcePosition;
use config::{Secret, SourceSettings};
use protocol::client::{ClientOptions, CompressionPermits, Connection, Endpoint};
use protocol::tls::{ClientTls, TlsMode};
use protocol::{BinlogDump, BinlogDumpGtid, dump_flag};

use super::greeting::Source;
use super::{Receiver, ReceiverError};

impl Receiver {
    /// Asks for what is neither in the relay log nor applied, which is what the source was greeted
    /// with.
    pub(super) async fn request_dump(
        &self,
        connection: &mut Connection,
        source: &Source,
        have: &Executed,
    ) -> Result<(), ReceiverError> {
        let from = match &self.settings.position {
            SourcePosition::Auto if source.flavour == Flavour::MySql => {
                let dump = self.by_set(source, have)?;
                let sent = connection.binlog_dump_gtid(&dump).await;
                return sent.map_err(ReceiverError::Lost);
            }
            // A MariaDB source was told the position when it was greeted, and finds the file.
            SourcePosition::Auto => SourceCoordinates {
                file: String::new(),
                offset: binlog::log::FIRST_EVENT,
            },
            SourcePosition::File { file, position } => {
                let known = self.relay_log.source_coordinates();
                let known = known.or_else(|| self.applied.source_coordinates());
                known.unwrap_or_else(|| SourceCoordinates {
                    file: file.clone(),
                    offset: *position,
                })
            }
        };
        let dump = self.by_place(from, source.flavour)?;
        let sent = connection.binlog_dump(&dump).await;
        sent.map_err(ReceiverError::Lost)
    }

    fn by_set(&self, source: &Source, have: &Executed) -> Result<BinlogDumpGtid, ReceiverError> {
        let mode = source.gtid_mode.clone().unwrap_or_else(|| "OFF".to_owned());
        if !mode.eq_ignore_ascii_case("ON") && !mode.eq_ignore_ascii_case("ON_PERMISSIVE") {
            return Err(ReceiverError::GtidMode { found: mode });
        }
        let mut gtid_set = Vec::new();
        have.mysql.encode(&mut gtid_set);
        Ok(BinlogDumpGtid {
            flags: dump_flag::HEARTBEAT_V2,
            server_id: self.identity.server_id,
            file: Vec::new(),
            position: binlog::log::FIRST_EVENT,
            gtid_set,
        })
    }

    fn by_place(
        &self,
        from: SourceCoordinates,
        flavour: Flavour,
    ) -> Result<BinlogDump, ReceiverError> {
        let position = u32::try_from(from.offset).map_err(|_| ReceiverError::BeyondProtocol {
            file: from.file.clone(),
            offset: from.offset,
        })?;
        Ok(BinlogDump {
            position,
            flags: match flavour {
                Flavour::MySql => dump_flag::HEARTBEAT_V2,
                // Places are followed by sizes, so nothing may be left out.
                Flavour::MariaDb => dump_flag::ANNOTATE_ROWS,
            },
            server_id: self.identity.server_id,
            file: from.file.into_bytes(),
        })
    }
}

/// How to connect to the source of `settings`.
pub(super) fn client_options(
    settings: &SourceSettings,
    payload_bytes_max: usize,
) -> Result<ClientOptions, ReceiverError> {
    let host = settings.host.clone().ok_or(ReceiverError::NoSource)?;
    let endpoint = Endpoint::Tcp {
        host,
        port: settings.port,
    };
    let password = settings
        .password
        .as_ref()
        .map(Secret::expose)
        .unwrap_or_default();
    let mut options = ClientOptions::new(endpoint, settings.user.clone(), password);
    options.get_source_public_key = settings.get_public_key;
    options.source_public_key = tls_file(settings.public_key_path.as_deref())?;
    let compression = settings.compression;
    options.compression = CompressionPermits {
        zlib: compression.zlib,
        zstd: compression.zstd,
        uncompressed: compression.uncompressed,
        zstd_level: compression.zstd_level,
    };
    options.payload_bytes_max = payload_bytes_max;
    options
        .attributes
        .push(("_client_role".to_owned(), "binary_log_listener".to_owned()));
    options.tls = match &settings.tls {
        None => ClientTls {
            mode: TlsMode::Disabled,
            ..ClientTls::default()
        },
        Some(tls) => ClientTls {
            mode: match (&tls.ca, tls.verify_server_cert) {
                (_, true) => TlsMode::VerifyIdentity,
                (Some(_), false) => TlsMode::VerifyCa,
                (None, false) => TlsMode::Required,
            },
            ca: tls_file(tls.ca.as_deref())?,
            certificate: tls_file(tls.cert.as_deref())?,
            key: tls_file(tls.key.as_deref())?,
        },
    };
    Ok(options)
}

fn tls_file(path: Option<&std::path::Path>) -> Result<Option<Vec<u8>>, ReceiverError> {
    path.map(|path| {
        std::fs::read(path).map_err(|source| ReceiverError::TlsFile {
            path: path.to_owned(),
            source,
        })
    })
    .transpose()
}
