//! Gives memory that is free inside of the process back to the system.
//!
//! The C library's allocator keeps what was freed, in a heap for each of many threads: after a few
//! large statements a node would stay as large as they were together. It keeps the more the larger the
//! pieces were, unless it is told how much; what is free at the end of a heap no call gives back.

/// Begins to give free memory back whenever the process has grown, until it ends.
pub(super) fn give_back_while_running() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    gnu::keep_little();
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if let Err(error) = std::thread::Builder::new()
        .name("memory".to_owned())
        .spawn(gnu::watch)
    {
        tracing::warn!(%error, "memory that is freed stays with the process");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod gnu {
    use std::time::Duration;

    /// How often the size of the process is looked at.
    const PERIOD: Duration = Duration::from_millis(100);
    /// Below this many bytes nothing is given back.
    const SMALL: u64 = 64 << 20;
    /// By how many bytes the process must have grown since it last gave back.
    const GROWTH: u64 = 8 << 20;

    /// After how many looks memory is given back although the process has not grown.
    const LOOKS: u32 = 5;

    /// Pieces of more bytes than this are the system's own, and go back to it when they are freed.
    const PIECE: libc::c_int = 256 << 10;
    /// Bytes that may stay free at the end of a heap.
    const KEPT: libc::c_int = 512 << 10;

    /// Says how much may be kept, instead of twice the largest piece that ever was.
    #[allow(unsafe_code, reason = "the C library's function has no safe face")]
    pub(super) fn keep_little() {
        // SAFETY: it takes two numbers, and may be called at any time by any thread.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, PIECE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        }
    }

    pub(super) fn watch() {
        let (mut least, mut looks) = (0, 0_u32);
        loop {
            std::thread::sleep(PERIOD);
            let Some(resident) = resident() else { return };
            least = resident.min(least);
            looks = looks.wrapping_add(1);
            // What a statement held while memory was given back is free only later.
            let is_due = looks.is_multiple_of(LOOKS);
            if resident > SMALL && (is_due || resident > least.saturating_add(GROWTH)) {
                give_back();
                least = self::resident().unwrap_or(resident);
            }
        }
    }

    fn resident() -> Option<u64> {
        const PAGE: u64 = 4096;
        let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
        let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
        Some(pages.saturating_mul(PAGE))
    }

    #[allow(unsafe_code, reason = "the C library's function has no safe face")]
    fn give_back() {
        // SAFETY: it takes no pointer and may be called at any time by any thread.
        unsafe { libc::malloc_trim(0) };
    }
}
