//! `weir primary` and `weir replica`: a role as a process.
//!
//! Order of a life: settings, messages, HTTP port, role (which recovers, listens, says ready),
//! then signals until it ends. The role knows none of this; it sees a [`Control`].

mod first_password;
mod memory;
mod pid_file;

use std::io::Read;
use std::pin::pin;
use std::sync::Arc;

use config::definition::Role;
use config::settings::Initialize;
use config::{Effective, Loaded, Origin, PrimarySettings, ReplicaSettings, ServerSettings};
use server::Control;
use server::control::NewSettings;
use tokio::sync::oneshot;

use crate::exit::Failure;
use crate::output;
use crate::signals::{Signal, Signals};
use crate::systemd;
use crate::telemetry::{self, Messages};

/// Set by a parent that wants its nodes to end when it does, however it ends: the node then stops
/// when its standard input is closed.
pub(crate) const STOP_WITH_STDIN: &str = "WEIR_STOP_WITH_STDIN";

/// The settings of the role that runs.
#[derive(Clone)]
enum Settings {
    Primary(Arc<PrimarySettings>, Arc<Effective>),
    Replica(Arc<ReplicaSettings>, Arc<Effective>),
}

impl Settings {
    /// Reads the options, telling every warning with `warn`.
    fn load(
        role: Role,
        options: &[String],
        mut warn: impl FnMut(&config::Warning),
    ) -> Result<Self, config::ConfigErrors> {
        let options = options.iter().cloned();
        Ok(match role {
            Role::Primary => {
                let Loaded {
                    settings,
                    warnings,
                    effective,
                } = PrimarySettings::load(options)?;
                warnings.iter().for_each(&mut warn);
                Self::Primary(Arc::new(settings), Arc::new(effective))
            }
            Role::Replica => {
                let Loaded {
                    settings,
                    warnings,
                    effective,
                } = ReplicaSettings::load(options)?;
                warnings.iter().for_each(&mut warn);
                Self::Replica(Arc::new(settings), Arc::new(effective))
            }
        })
    }

    /// Every option's value, as text.
    fn effective(&self) -> &Effective {
        match self {
            Self::Primary(_, effective) | Self::Replica(_, effective) => effective,
        }
    }

    fn server(&self) -> &ServerSettings {
        match self {
            Self::Primary(settings, _) => &settings.server,
            Self::Replica(settings, _) => &settings.server,
        }
    }
}

/// Runs the role until it ends by itself or by a signal.
pub(crate) fn run(role: Role, options: &[String]) -> Result<(), Failure> {
    let mut warnings = Vec::new();
    let settings = Settings::load(role, options, |warning| warnings.push(warning.clone()))
        .map_err(|errors| Failure::Usage(errors.to_string()))?;
    let messages = Messages::start(settings.server())
        .map_err(|error| Failure::failed("cannot write messages", error))?;
    for warning in warnings {
        tracing::warn!(origin = %warning.origin, "{}", warning.message);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(sql::THREAD_STACK)
        .build()
        .map_err(|error| Failure::failed("cannot start the runtime", error))?;
    memory::give_back_while_running();
    let outcome = runtime.block_on(live(role, options, settings, &messages));
    // Whatever is left (an HTTP answer, a name look-up) must not keep the process.
    runtime.shutdown_background();
    outcome
}

async fn live(
    role: Role,
    options: &[String],
    settings: Settings,
    messages: &Messages,
) -> Result<(), Failure> {
    let control = Control::new();
    let mut signals =
        Signals::listen().map_err(|error| Failure::failed("cannot take signals", error))?;
    let server = settings.server();
    let (pid_path, mut known) = (server.pid_file.clone(), settings.clone());
    let mut pid_file = pid_file::PidFile::default();
    serve_early(server, role, &control).await?;
    tracing::info!(
        role = role.name(),
        version = env!("CARGO_PKG_VERSION"),
        server_id = server.server_id,
        datadir = %server.datadir.display(),
        "starting"
    );
    let to_file = server.log_error.is_some();
    let mut password = first_password::FirstPassword::of(&server.datadir);
    let mut role_ends = pin!(run_role(settings, control.clone()));
    let mut watchdog = pin!(systemd::keep_watchdog());
    let mut parent_ends = pin!(parent_ends());
    let mut became_ready = pin!(ready(&control));
    let mut is_ready = false;
    let mut stops = 0_u32;
    loop {
        tokio::select! {
            outcome = &mut role_ends => {
                password.tell(to_file);
                drop(pid_file);
                return tell_end(role, to_file, outcome);
            }
            () = &mut watchdog => {}
            () = &mut became_ready, if !is_ready => {
                is_ready = true;
                password.tell(to_file);
                match pid_file::PidFile::write(pid_path.as_deref()) {
                    Ok(written) => pid_file = written,
                    Err(error) => {
                        tracing::error!(%error, "cannot write pid_file");
                        stop(&control, "pid_file cannot be written");
                    }
                }
            }
            () = &mut parent_ends, if !control.is_stopping() => {
                stop(&control, "the parent process ended");
            }
            signal = signals.next() => match signal {
                Signal::Stop(name) if stops == 0 => {
                    stops += 1;
                    stop(&control, name);
                }
                Signal::Stop(name) => {
                    tracing::error!(signal = name, "asked again to stop: ending without draining");
                    return Err(Failure::Told);
                }
                Signal::Reload => reload(role, options, &mut known, &control, messages),
            },
        }
    }
}

/// Serves metrics while a data directory is made: that takes a moment, during which nobody watches.
async fn serve_early(
    server: &ServerSettings,
    role: Role,
    control: &Control,
) -> Result<(), Failure> {
    let port = server
        .metrics_port
        .filter(|_| server.initialize == Initialize::IfMissing);
    if let Some(port) = port {
        telemetry::serve(&server.metrics_bind_address, port, role.name(), control)
            .await
            .map_err(|error| Failure::failed("cannot serve metrics_port", error))?;
    }
    Ok(())
}

async fn run_role(settings: Settings, control: Control) -> Result<(), String> {
    match settings {
        Settings::Primary(settings, _) => {
            let run = primary::run(settings.as_ref().clone(), control);
            run.await.map_err(|error| chain(&error))
        }
        Settings::Replica(settings, _) => {
            let run = replica::run(settings.as_ref().clone(), control);
            run.await.map_err(|error| chain(&error))
        }
    }
}

/// An error with everything below it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

async fn ready(control: &Control) {
    let listening = control.ready().await;
    let addresses: Vec<String> = listening
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let addresses = addresses.join(", ");
    let socket = listening
        .socket
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    tracing::info!(addresses, socket, "ready for connections");
    systemd::ready(&format!("ready for connections on {addresses}"));
}

fn stop(control: &Control, reason: &str) {
    tracing::info!(reason, "stopping");
    systemd::stopping();
    control.stop();
}

/// `to_file`: messages go to a file, so that a failure is told on standard error as well, where
/// whoever started the process looks first.
fn tell_end(role: Role, to_file: bool, outcome: Result<(), String>) -> Result<(), Failure> {
    match outcome {
        Ok(()) => {
            tracing::info!(role = role.name(), "stopped");
            Ok(())
        }
        Err(error) => {
            tracing::error!(role = role.name(), "{error}");
            if to_file {
                output::complain(&format!("{}: {error}", role.name()));
            }
            Err(Failure::Told)
        }
    }
}

/// Reads the configuration again; `known` is what was read before. One that has mistakes changes
/// nothing.
fn reload(
    role: Role,
    options: &[String],
    known: &mut Settings,
    control: &Control,
    messages: &Messages,
) {
    systemd::reloading();
    let warn =
        |warning: &config::Warning| tracing::warn!(origin = %warning.origin, "{}", warning.message);
    match Settings::load(role, options, warn) {
        Err(errors) => {
            for error in &errors.0 {
                tracing::error!("the configuration is not taken over: {error}");
            }
        }
        Ok(settings) => {
            if let Err(error) = messages.reload(settings.server()) {
                tracing::error!(%error, "cannot open the message file again");
            }
            tell_changes(known, &settings);
            control.reload(match &settings {
                Settings::Primary(settings, _) => NewSettings::Primary(Arc::clone(settings)),
                Settings::Replica(settings, _) => NewSettings::Replica(Arc::clone(settings)),
            });
            *known = settings;
            tracing::info!("configuration read again");
        }
    }
    systemd::ready("ready for connections");
}

/// Names every option whose value changed, and says of those that do not reload that they wait.
fn tell_changes(before: &Settings, after: &Settings) {
    let old: Vec<_> = before.effective().iter().collect();
    for option in after.effective().iter() {
        let was = old.iter().find(|old| old.name == option.name);
        // What statements keep is set by them, not by this.
        let is_kept = |origin: &Origin| matches!(origin, Origin::Persisted(_));
        if is_kept(&option.origin) || was.is_some_and(|was| is_kept(&was.origin)) {
            continue;
        }
        if was.is_some_and(|was| was.value == option.value) {
            continue;
        }
        if option.reloads {
            tracing::info!(option = option.name, "took a changed option over");
        } else {
            tracing::warn!(
                option = option.name,
                "a changed option is not taken over: it takes a restart"
            );
        }
    }
}

/// Ends when standard input does, if a parent asked for that; otherwise never.
async fn parent_ends() {
    if std::env::var_os(STOP_WITH_STDIN).is_none() {
        return std::future::pending().await;
    }
    let (ended, end) = oneshot::channel();
    // Reading standard input cannot be cancelled, so it has a thread that ends with the process.
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while matches!(std::io::stdin().lock().read(&mut bytes), Ok(1..)) {}
        let _ = ended.send(());
    });
    let _ = end.await;
}
