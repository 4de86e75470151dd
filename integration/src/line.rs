//! A line to a server that is cut once, at a chosen place: what a program does when its connection is
//! lost there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::Result;

/// Where a line is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nowhere.
    Never,
    /// Once so many bytes passed, of either direction.
    BehindBytes(u64),
    /// Once the client said something so many times.
    BehindRequests(u64),
}

/// A line.
#[derive(Debug)]
pub struct Line {
    cut: Cut,
    bytes: AtomicU64,
    requests: AtomicU64,
    is_cut: AtomicBool,
    /// Connections that are refused after that.
    refused: AtomicU32,
}

impl Line {
    /// A line to `port`, and the URL of its near end. Once it is cut, it refuses so many connections.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub async fn to(port: u16, cut: Cut, refused: u32) -> Result<(Arc<Self>, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("mysql://root@{}", listener.local_addr()?);
        let line = Arc::new(Self {
            cut,
            bytes: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            refused: AtomicU32::new(refused),
        });
        let passing = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let passing = Arc::clone(&passing);
                tokio::spawn(async move { passing.pass(near, port).await });
            }
        });
        Ok((line, url))
    }

    /// Bytes that passed.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Whether it was cut.
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }

    /// Passes on until either side ends or the line is cut.
    async fn pass(&self, mut near: TcpStream, port: u16) -> std::io::Result<()> {
        let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
        let (mut to, mut from) = ([0; 512], [0; 512]);
        if self.is_cut() {
            let order = Ordering::SeqCst;
            let less = |left: u32| left.checked_sub(1);
            if self.refused.fetch_update(order, order, less).is_ok() {
                return Ok(());
            }
        }
        loop {
            let len = tokio::select! {
                read = near.read(&mut to) => {
                    let len = read?;
                    self.requests.fetch_add(1, Ordering::SeqCst);
                    if len == 0 || self.is_cut_now() {
                        return Ok(());
                    }
                    far.write_all(to.get(..len).unwrap_or_default()).await?;
                    len
                }
                read = far.read(&mut from) => {
                    let len = read?;
                    if len == 0 || self.is_cut_now() {
                        return Ok(());
                    }
                    near.write_all(from.get(..len).unwrap_or_default()).await?;
                    len
                }
            };
            self.bytes.fetch_add(len as u64, Ordering::SeqCst);
        }
    }

    /// Whether it has to be cut; once it is.
    fn is_cut_now(&self) -> bool {
        let is_far = match self.cut {
            Cut::Never => false,
            Cut::BehindBytes(bytes) => self.bytes() >= bytes,
            Cut::BehindRequests(requests) => self.requests.load(Ordering::SeqCst) > requests,
        };
        is_far && !self.is_cut.swap(true, Ordering::SeqCst)
    }
}
