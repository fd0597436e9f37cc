//! Other people's programs that check our TLS in tests, where they are installed.

use std::process::Command;

/// Whether `program` can be run. A test that needs it says so and skips; with
/// `WXGATE_TEST_TOOLS=required`, as `.ci/run` sets it, it fails instead.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
pub(super) fn is_here(program: &str) -> bool {
    if Command::new(program).arg("--version").output().is_ok() {
        return true;
    }
    let is_required =
        std::env::var_os("WXGATE_TEST_TOOLS").is_some_and(|value| value == "required");
    assert!(!is_required, "{program} is not here");
    eprintln!("skipped: {program} is not here");
    false
}
