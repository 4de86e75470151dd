//! A counting allocator: how much one thread holds at most while it decodes one input.
//!
//! A binary that measures declares `#[global_allocator] static A: Counting = Counting;`. Counts are
//! per thread, so that workers do not see each other; what a decoder would allocate on other threads
//! is not seen (none does).

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What one measured call allocated, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Most that was live at once, above what was live before the call.
    pub peak: u64,
    /// The largest single request.
    pub largest: u64,
}

impl Usage {
    /// Whether either figure is above [`limit`] for an input of `input` bytes.
    #[must_use]
    pub const fn exceeds(self, input: usize) -> bool {
        self.peak > limit(input) || self.largest > limit(input)
    }
}

/// Most bytes that decoding an input of `input` bytes may request at once or hold: 64 MiB and four
/// times the input.
#[must_use]
pub const fn limit(input: usize) -> u64 {
    (64 << 20) + 4 * input as u64
}

/// Runs `call` and says what this thread allocated meanwhile. All figures are 0 in a binary that
/// does not have [`Counting`] as its global allocator.
pub fn measure<R>(call: impl FnOnce() -> R) -> (R, Usage) {
    LIVE.set(0);
    PEAK.set(0);
    LARGEST.set(0);
    let result = call();
    let usage = Usage {
        peak: u64::try_from(PEAK.get()).unwrap_or_default(),
        largest: LARGEST.get(),
    };
    (result, usage)
}

/// The system's allocator with a count of what each thread asks of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counting;

thread_local! {
    // Constant and without destructor: using them allocates nothing and works in any phase of a
    // thread's life.
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
    static LARGEST: Cell<u64> = const { Cell::new(0) };
}

fn add(size: usize) {
    let live = LIVE.get().saturating_add_unsigned(size as u64);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    LARGEST.set(LARGEST.get().max(size as u64));
}

fn remove(size: usize) {
    LIVE.set(LIVE.get().saturating_sub_unsigned(size as u64));
}

#[allow(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; every call goes to the system's unchanged"
)]
// SAFETY: all four methods pass their arguments to `System` and return what it returns; counting
// touches thread-local numbers only, and neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        remove(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        remove(layout.size());
        add(size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
