//! The pages of memory that the process asks the kernel for.

/// Takes ordinary pages of 4 KiB only, from now on.
///
/// The allocator asks for huge ones. With them every block is resident as a whole, though an idle
/// connection's buffers are touched at their beginning only, and memory once used hardly goes
/// back: half as much again for each connection, twice as much under load, and no request was
/// measurably faster (docs/PERFORMANCE.md).
pub(super) fn use_small_pages() {
    // A kernel that refuses goes on as before: it works as well, with more memory.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
