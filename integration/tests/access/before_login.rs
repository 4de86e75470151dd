//! What a peer can do before it has proven who it is: ask for little, learn nothing, and keep
//! nobody else out.

use std::time::{Duration, Instant};

use integration::failure::ensure;
use integration::peers::Peer;
use integration::sql::ClientOptions;
use integration::wire::{Wire, error_code, login};
use integration::{Client, RealServer, Result, Weir, wait};

const SHA2: &str = "caching_sha2_password";
/// What a password's check may add to the memory of the process.
const MEMORY: u64 = 64 << 20;

/// Logs in over the Unix socket as somebody with a password, and sends `password` in full. Returns
/// the first bytes of every packet before the last, and the last packet's error.
fn in_full(node: &Weir, user: &str, password: &[u8]) -> Result<(Vec<Vec<u8>>, Option<u16>)> {
    let mut wire = Wire::connect_unix(&node.socket())?;
    wire.send(&login(user, &[7; 32], SHA2, None))?;
    let mut heads = Vec::new();
    loop {
        let payload = wire.read()?;
        match payload.as_slice() {
            [0xfe, rest @ ..] => {
                let plugin = rest.split(|byte| *byte == 0).next().unwrap_or_default();
                heads.push(plugin.to_vec());
                wire.send(&[7; 20])?;
            }
            [1, 4] => {
                heads.push(payload);
                wire.send(&[password, &[0]].concat())?;
            }
            last => return Ok((heads, error_code(last))),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_of_more_than_256_bytes_is_refused_before_it_is_hashed() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.execute("CREATE USER a@'%' IDENTIFIED BY 'se cret'")
        .await?;
    let before = resident(&mut node)?;
    let started = Instant::now();
    let long = vec![b'x'; 65_000];
    for user in ["a", "nobody"] {
        let (_, error) = in_full(&node, user, &long)?;
        ensure(error == Some(1045), || format!("{user}: {error:?}"))?;
    }
    ensure(started.elapsed() < Duration::from_secs(2), || {
        format!("the refusals took {:?}", started.elapsed())
    })?;
    let after = resident(&mut node)?;
    ensure(after < before + MEMORY, || {
        format!("{before} bytes became {after}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_user_hashes_no_long_password_either() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.execute("CREATE USER a@'%' IDENTIFIED BY 'se cret'")
        .await?;
    let before = resident(&mut node)?;
    for size in [257, 60_000, 1 << 20] {
        let mut wire = Wire::connect_unix(&node.socket())?;
        wire.send(&login("root", &[], SHA2, None))?;
        wire.read()?;
        wire.command(b"\x11a\0\0\0\x2d\0caching_sha2_password\0")?;
        let asked = wire.read()?;
        ensure(asked.first() == Some(&0xfe), || format!("{asked:02x?}"))?;
        wire.send(&[7; 32])?;
        let more = wire.read()?;
        ensure(more == [1, 4], || format!("{more:02x?}"))?;
        let mut password = vec![b'x'; size];
        password.push(0);
        // It may close before it has taken everything.
        let _ = wire.send(&password);
        let _ = wire.drained();
    }
    let after = resident(&mut node)?;
    ensure(after < before + MEMORY, || {
        format!("{before} bytes became {after}")
    })?;
    root.execute("DO 1").await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_does_not_exist_looks_like_one_with_another_password() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.run(&[
        "CREATE USER a@'%' IDENTIFIED BY 'se cret'",
        "CREATE USER open@'%'",
    ])
    .await?;
    let (packets, error) = in_full(&node, "a", b"wrong")?;
    for user in ["nobody", "open"] {
        let found = in_full(&node, user, b"wrong")?;
        ensure(found == (packets.clone(), error), || {
            format!("{user}: {found:02x?}, an account: {packets:02x?} {error:?}")
        })?;
    }
    let existing = median(|| in_full(&node, "a", b"wrong").map(drop))?;
    for user in ["nobody", "open"] {
        let missing = median(|| in_full(&node, user, b"wrong").map(drop))?;
        ensure(missing * 2 > existing && existing * 2 > missing, || {
            format!("{user} is answered after {missing:?}, an account after {existing:?}")
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_without_account_has_a_plugin_that_accounts_have_and_keeps_it() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    for number in 0..6 {
        root.execute(&format!(
            "CREATE USER n{number}@'%' IDENTIFIED WITH mysql_native_password BY 'p'"
        ))
        .await?;
    }
    let mut plugins = std::collections::BTreeSet::new();
    // One account of seven has the other plugin: 200 names miss it once in 10^13 runs.
    for number in 0..200 {
        let user = format!("nobody{number}");
        let (first, _) = in_full(&node, &user, b"wrong")?;
        let (again, _) = in_full(&node, &user, b"wrong")?;
        ensure(first == again, || {
            format!("{user}: {first:02x?}, then {again:02x?}")
        })?;
        plugins.insert(first);
    }
    ensure(plugins.len() == 2, || format!("{plugins:02x?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_passwords_are_hashed_sessions_are_answered() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    root.execute("CREATE USER a@'%' IDENTIFIED BY 'se cret'")
        .await?;
    let socket = node.socket();
    let guesses: Vec<_> = (0..24)
        .map(|number| {
            let socket = socket.clone();
            // Two would keep two threads busy for seconds, were they hashed at all.
            let length = if number < 2 { 65_000 } else { 256 };
            std::thread::spawn(move || -> Result {
                let mut wire = Wire::connect_unix(&socket)?;
                wire.send(&login("a", &[7; 32], SHA2, None))?;
                wire.read()?;
                wire.send(&[vec![b'x'; length], vec![0]].concat())?;
                wire.error().map(drop)
            })
        })
        .collect();
    while !guesses.iter().all(std::thread::JoinHandle::is_finished) {
        let started = Instant::now();
        root.value("SELECT 1").await?;
        ensure(started.elapsed() < Duration::from_secs(1), || {
            format!("answered after {:?}", started.elapsed())
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_never_log_in_keep_nobody_out() -> Result {
    let node = Weir::primary(1, &["max_connections=5"]).await?;
    let silent: Vec<_> = (0..300)
        .map(|_| std::net::TcpStream::connect(("127.0.0.1", node.port)))
        .collect::<std::io::Result<_>>()?;
    let mut root = node.client().await?;
    root.execute("SET GLOBAL connect_timeout = 2").await?;
    drop(silent);
    let mut wire = Wire::connect(node.port)?;
    let started = Instant::now();
    wire.drained()?;
    ensure(started.elapsed() < Duration::from_secs(10), || {
        format!("a silent login ended after {:?}", started.elapsed())
    })
}

/// What four logins come to when two sessions are allowed: two of an account without rights, a
/// third, one of an administrator, and a second one.
async fn logins(port: u16) -> Result<Vec<String>> {
    let mut root = Client::connect(&ClientOptions::root(port)).await?;
    root.run(&["CREATE USER app@'%'", "SET GLOBAL max_connections = 2"])
        .await?;
    let app = ClientOptions {
        user: "app".to_owned(),
        ..ClientOptions::root(port)
    };
    let first = Client::connect(&app).await?;
    let mut said = Vec::new();
    let mut admins = Vec::new();
    for options in [&app, &ClientOptions::root(port), &ClientOptions::root(port)] {
        let mut login = Client::connect(options).await;
        // MySQL counts the client that it has just refused for a moment longer.
        let started = Instant::now();
        while said.len() == 1 && login.is_err() && started.elapsed() < wait::PATIENCE {
            wait::let_run(Duration::from_millis(20)).await;
            login = Client::connect(options).await;
        }
        said.push(match login {
            Ok(client) => {
                admins.push(client);
                "in".to_owned()
            }
            Err(failure) => {
                let text = failure.to_string();
                text.split_once("1040")
                    .map_or(text.clone(), |_| "1040".to_owned())
            }
        });
    }
    root.execute("SET GLOBAL max_connections = 151").await?;
    drop((first, admins));
    Ok(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_session_more_is_kept_for_an_administrator_as_in_mysql() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (own, theirs) = (logins(node.port).await?, logins(mysql.port).await?);
    ensure(own == theirs, || format!("Weir {own:?}, MySQL {theirs:?}"))?;
    ensure(own == ["1040", "in", "1040"], || format!("{own:?}"))
}

fn resident(node: &mut Weir) -> Result<u64> {
    match node.process() {
        Some(process) => process.resident_bytes(),
        None => Ok(0),
    }
}

/// The middle one of some runs.
fn median(run: impl Fn() -> Result) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..9 {
        let started = Instant::now();
        run()?;
        times.push(started.elapsed());
    }
    times.sort();
    times
        .get(4)
        .copied()
        .ok_or_else(|| integration::Failure::new("no runs"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_ends_leaves_the_process_list() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut root = node.client().await?;
    let silent = Wire::connect(node.port)?;
    let logins = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
                  WHERE USER = 'unauthenticated user'";
    ensure(root.value(logins).await?.to_string() == "1", || {
        "not shown".to_owned()
    })?;
    drop(silent);
    wait::until("the login is gone", wait::PATIENCE, || async {
        let count = node.client().await?.value(logins).await?.to_string();
        Ok(if count == "0" { Ok(()) } else { Err(count) })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_account_gets_a_password_of_more_than_256_bytes_as_in_mysql() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut said = Vec::new();
    for port in [node.port, mysql.port] {
        let mut root = Client::connect(&ClientOptions::root(port)).await?;
        let mut answers = Vec::new();
        for length in [256, 257, 1 << 20] {
            let password = "x".repeat(length);
            for statement in [
                "CREATE USER a@'%' IDENTIFIED BY",
                "ALTER USER a@'%' IDENTIFIED BY",
                "SET PASSWORD FOR a@'%' =",
            ] {
                answers.push(
                    match root.attempt(&format!("{statement} '{password}'")).await? {
                        Ok(_) => "done".to_owned(),
                        Err(error) => format!("{} {}", error.code, error.message),
                    },
                );
            }
        }
        said.push(answers);
    }
    ensure(said.first() == said.last(), || {
        format!("Weir and MySQL: {said:#?}")
    })
}
