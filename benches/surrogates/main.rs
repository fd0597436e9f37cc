//! Measures what a surrogate costs: sealing one, opening one, and the bare cipher beside it.
//!
//! ```sh
//! cargo bench --bench surrogates
//! ```

#![expect(clippy::print_stdout, reason = "its output is its product")]

use std::{hint::black_box, process::ExitCode, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use tokio::time::Instant;
use wxgate::{
    base::{
        clock::{Clock as _, SystemClock, unix_ms},
        permission::Lane,
    },
    store::InstallationKey,
    token::{Claims, Surrogates},
};

/// The same as the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let key = InstallationKey::load_or_create(&folder.path().join("installation.key"))?;
    let surrogates = Surrogates::new(Arc::new(key));
    let now = SystemClock.now();
    let claims = Claims {
        key: "4fZ0aQ81bC".parse()?,
        account: "shop".parse()?,
        lane: Lane::Live,
        merchant: None,
        expires_ms: unix_ms(now) + 7_200_000,
    };
    let text = surrogates.seal(&claims, now)?;
    println!("a surrogate of {} characters; best of {ROUNDS} rounds of {CALLS}", text.len());
    tell("seal", || drop(black_box(surrogates.seal(black_box(&claims), now))));
    tell("open", || drop(black_box(surrogates.open(black_box(&text), now))));
    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(|_| "no key")?);
    let mut sealed = vec![0; 25 + "shop".len()];
    let nonce = || Nonce::assume_unique_for_key([1; 12]);
    bare.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).map_err(|_| "no seal")?;
    tell("AES-256-GCM alone", || {
        let mut copy = sealed.clone();
        let plain = bare.open_in_place(nonce(), Aad::empty(), &mut copy);
        black_box(plain.map_or(0, |plain| plain.len()));
    });
    Ok(())
}

fn tell(what: &str, mut call: impl FnMut()) {
    let mut round = || {
        let began = Instant::now();
        (0..CALLS).for_each(|_| call());
        began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    let best = (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min);
    println!("{what:>20}  {best:>6.0} ns");
}

const ROUNDS: u32 = 20;
const CALLS: u32 = 20_000;
