//! Modes of files and directories, roles of data directories, locks and pid files.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use integration::wait::{self, PATIENCE};
use integration::{Result, Weir, weir};

fn mode(path: &Path) -> Result<u32> {
    Ok(std::fs::metadata(path)?.mode() & 0o777)
}

/// What `weir ROLE` says that must not start with these options.
fn refusal(role: &str, option_file: &Path) -> Result<String> {
    let output = Command::new(weir::binary()?)
        .arg(role)
        .arg(format!("--defaults-file={}", option_file.display()))
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "weir {role} started: {told}");
    Ok(told)
}

/// What `weir ROLE` says of a data directory that it must not open.
fn refusal_of(role: &str, node: &Weir) -> Result<String> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("other.cnf");
    let datadir = node.data();
    let text = format!(
        "[mysqld]\nserver-id=9\nport=0\ndatadir={}\n",
        datadir.display()
    );
    std::fs::write(&file, text)?;
    refusal(role, &file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_user_may_look_into_a_data_directory() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    node.client()
        .await?
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY)",
            "INSERT INTO d.t VALUES (1)",
            "CREATE USER u@h IDENTIFIED BY 'x'",
        ])
        .await?;
    assert_eq!(mode(&node.data())?, 0o750);
    for entry in std::fs::read_dir(node.data())? {
        let path = entry?.path();
        let bits = mode(&path)?;
        assert_eq!(bits & 0o027, 0, "{} has {bits:04o}", path.display());
    }
    for file in [
        "weir.db",
        "weir.db-wal",
        "weir.db-shm",
        "binlog.000001",
        "binlog.index",
    ] {
        let bits = mode(&node.data().join(file))?;
        assert_eq!(bits, 0o640, "{file}");
    }
    for file in ["server-key.pem", "private_key.pem", "accounts.json"] {
        assert_eq!(mode(&node.data().join(file))?, 0o600, "{file}");
    }
    // What was opened to others, by hand or by an older version, is closed at the next start.
    node.kill()?;
    let open = |file: &str, bits| {
        std::fs::set_permissions(
            node.data().join(file),
            std::fs::Permissions::from_mode(bits),
        )
    };
    open("", 0o755)?;
    open("weir.db", 0o644)?;
    open("weir.db-wal", 0o644)?;
    open("server-key.pem", 0o644)?;
    node.launch().await?;
    assert_eq!(mode(&node.data())?, 0o750);
    assert_eq!(mode(&node.data().join("weir.db"))?, 0o640);
    assert_eq!(mode(&node.data().join("weir.db-wal"))?, 0o640);
    assert_eq!(mode(&node.data().join("server-key.pem"))?, 0o600);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_is_opened_in_its_own_role_only() -> Result {
    let mut primary = Weir::primary(1, &[]).await?;
    primary.client().await?.execute("CREATE DATABASE d").await?;
    let executed = "SELECT @@GLOBAL.gtid_executed";
    let before = primary.client().await?.value(executed).await?;
    primary.stop()?;
    let told = refusal_of("replica", &primary)?;
    assert!(told.contains("is a primary's"), "{told}");
    assert!(told.contains("start it with `weir primary`"), "{told}");
    // A directory that a later version has written.
    let record = primary.data().join("weir-node.json");
    let kept = std::fs::read(&record)?;
    std::fs::write(&record, r#"{"format": 9}"#)?;
    let told = refusal_of("primary", &primary)?;
    assert!(told.contains("has format 9"), "{told}");
    std::fs::write(&record, kept)?;
    primary.launch().await?;
    assert_eq!(primary.client().await?.value(executed).await?, before);

    let lines = [
        "source-host=127.0.0.1",
        "source-port=1",
        "skip-replica-start",
    ];
    let mut replica = Weir::replica(2, &lines).await?;
    replica.stop()?;
    let told = refusal_of("primary", &replica)?;
    assert!(told.contains("start it with `weir replica`"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_leaves_the_pid_file_of_the_first() -> Result {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("weir.pid");
    let line = format!("pid-file={}", path.display());
    let mut node = Weir::primary(1, &[&line]).await?;
    wait::until("the pid file is there", PATIENCE, || async {
        Ok(if path.exists() {
            Ok(())
        } else {
            Err("no file")
        })
    })
    .await?;
    let number = std::fs::read_to_string(&path)?;
    let told = refusal("primary", &node.option_file())?;
    assert!(told.contains("is used by another process"), "{told}");
    assert_eq!(std::fs::read_to_string(&path)?, number);
    node.stop()?;
    assert!(!path.exists(), "removed at the end of its process");
    Ok(())
}
