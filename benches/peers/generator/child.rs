//! The generator's own process: takes orders from its standard input, line by line.

use std::{
    io::{BufRead as _, Write as _},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::{Mutex, mpsc, watch};
use wxgate::base::tasks::Tasks;

use super::{
    super::{
        Outcome,
        idle::{Speak, connector},
        options,
        workshop::{MEBIBYTE, bodies, noise},
    },
    caller::{Line, Shared, call},
    connect::Dialer,
    pace::{Pace, Speed},
    tally::{Board, Kind},
};

/// Serves orders until there are no more: `rate N`, `max`, `pause`, `seen`.
pub(crate) fn serve(options: &options::Load) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut orders = orders();
    runtime.block_on(async {
        let (http1, http2) =
            (connector(&options.ca, Speak::Http1)?, connector(&options.ca, Speak::Http2)?);
        let shared = Arc::new(Shared {
            dialer: Dialer::new(options.address, http1, http2),
            board: Board::default(),
            key: options.key.clone(),
            small: bodies().into_iter().map(Bytes::from).collect(),
            mebibyte: noise(MEBIBYTE).into(),
        });
        let pace = |speed| Pace::new(speed, |kind| connections(options, kind) > 0);
        let (set_pace, paces) = watch::channel(pace(Speed::Paused));
        start(options, &shared, &paces).await?;
        answer("open")?;
        while let Some(order) = orders.recv().await {
            let speed = match order.split_once(' ') {
                None if order == "seen" => {
                    answer(&serde_json::to_string(&shared.board.take())?)?;
                    continue;
                }
                None if order == "max" => Speed::Unbounded,
                None if order == "pause" => Speed::Paused,
                Some(("rate", rate)) => Speed::Rate(rate.parse()?),
                _ => return Err(format!("there is no order {order}").into()),
            };
            set_pace.send_replace(pace(speed));
            answer("set")?;
        }
        Ok(())
    })
}

/// Opens every connection, then starts the callers.
async fn start(
    options: &options::Load,
    shared: &Arc<Shared>,
    paces: &watch::Receiver<Arc<Pace>>,
) -> Outcome<()> {
    let tasks = Tasks::default();
    let mut opening = Vec::new();
    for kind in Kind::ALL {
        for _ in 0..connections(options, kind) {
            let mut lines = vec![match kind {
                Kind::Http1 | Kind::Large => Line::Http1(None),
                Kind::Http2 => Line::Http2(Arc::new(Mutex::new(None))),
            }];
            if let [Line::Http2(connection)] = lines.as_slice() {
                let connection = connection.clone();
                lines.extend((1..STREAMS).map(|_| Line::Http2(connection.clone())));
            }
            let shared = shared.clone();
            opening.push(tasks.spawn(async move {
                for line in &mut lines {
                    shared.begin(kind, line).await?;
                }
                Ok::<_, String>((kind, lines))
            }));
        }
    }
    for opened in opening {
        let (kind, lines) = opened.await??;
        for line in lines {
            tasks.spawn(call(shared.clone(), kind, line, paces.clone()));
        }
    }
    Ok(())
}

fn connections(options: &options::Load, kind: Kind) -> usize {
    match kind {
        Kind::Http1 => options.http1,
        Kind::Http2 => options.http2,
        Kind::Large => options.large,
    }
}

/// A thread reads, because standard input cannot be waited for otherwise.
fn orders() -> mpsc::Receiver<String> {
    let (sender, orders) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    orders
}

fn answer(words: &str) -> Outcome<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "ok {words}")?;
    Ok(output.flush()?)
}

/// Requests at once over one HTTP/2 connection.
const STREAMS: usize = 8;
