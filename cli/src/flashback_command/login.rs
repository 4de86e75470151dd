//! Which server, as whom, over what.

use std::path::Path;

use config::option_file::OptionFile;
use protocol::tls::{ClientTls, TlsMode};

use crate::arguments::FlashbackArguments;
use crate::binlog_command;
use crate::client::Server;
use crate::exit::Failure;

/// The server that `url` names. A password in it is refused: every user of the machine can read
/// command lines.
pub(super) fn server(arguments: &FlashbackArguments, url: &str) -> Result<Server, Failure> {
    let login = url.split_once("://").map_or(url, |(_, rest)| rest);
    let login = login.rsplit_once('@').map_or("", |(login, _)| login);
    if login.contains(':') {
        return Err(Failure::Usage(
            "a password does not belong on the command line, where other users can read it; use \
             --defaults-file, --password-file, $WEIR_PASSWORD or --password"
                .to_owned(),
        ));
    }
    let file = match &arguments.defaults_file {
        None => Written::default(),
        Some(path) => Written::read(path)?,
    };
    let password = match &file.password {
        Some(password) => Some(password.clone()),
        None => binlog_command::password(url, &arguments.input)?,
    };
    let url = match (&file.user, url.split_once("://")) {
        (Some(user), Some((scheme, host))) if login.is_empty() => {
            format!("{scheme}://{user}@{}", host.trim_start_matches('@'))
        }
        _ => url.to_owned(),
    };
    let server = Server::parse(&url, password.as_deref()).map_err(Failure::Usage)?;
    Ok(server.with_tls(file.tls))
}

/// What an option file says.
#[derive(Default)]
struct Written {
    user: Option<String>,
    password: Option<String>,
    tls: ClientTls,
}

impl Written {
    fn read(path: &Path) -> Result<Self, Failure> {
        let label = path.display().to_string();
        let groups = ["client".to_owned(), "weir-client".to_owned()];
        let file = OptionFile::read(path, &groups);
        let file = file.map_err(|error| Failure::Usage(error.to_string()))?;
        if let Some(error) = file.errors.first() {
            return Err(Failure::Usage(error.to_string()));
        }
        let mut written = Self::default();
        for option in file.options {
            let value = option.value.unwrap_or_default();
            match option.name.replace('_', "-").as_str() {
                "user" => written.user = Some(value),
                "password" => written.password = Some(value),
                "ssl-mode" => written.tls.mode = mode(&label, &value)?,
                "ssl-ca" => {
                    let pem = std::fs::read(&value);
                    let pem = pem.map_err(|error| Failure::failed(&value, error))?;
                    written.tls.ca = Some(pem);
                }
                // Options of other clients.
                _ => {}
            }
        }
        Ok(written)
    }
}

fn mode(label: &str, value: &str) -> Result<TlsMode, Failure> {
    match value.to_ascii_uppercase().as_str() {
        "DISABLED" => Ok(TlsMode::Disabled),
        "PREFERRED" => Ok(TlsMode::Preferred),
        "REQUIRED" => Ok(TlsMode::Required),
        "VERIFY_CA" => Ok(TlsMode::VerifyCa),
        "VERIFY_IDENTITY" => Ok(TlsMode::VerifyIdentity),
        _ => Err(Failure::Usage(format!(
            "{label}: ssl-mode is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"
        ))),
    }
}
