//! Where log lines go: a bounded buffer, and a thread that writes it out.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crate::base::redact::Redactor;

/// Takes lines and never makes anybody wait: what does not fit is dropped and counted.
///
/// The thread is woken for the first line and then waits a moment for more, so that a busy log
/// costs one system call for many lines. Urgent lines are written at once.
#[derive(Clone)]
pub(super) struct Sink(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    dropped_lines: usize,
    is_urgent: bool,
    is_closed: bool,
}

/// Writes out what is queued when it is dropped.
pub(super) struct WritesOut {
    sink: Sink,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts the thread. Every live secret, and everything of the shape of a key, is masked
    /// before it reaches `out`.
    ///
    /// # Errors
    /// When the system has no thread.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        redactor: Arc<Redactor>,
    ) -> io::Result<(Self, WritesOut)> {
        let sink = Self(Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() }));
        let writer = sink.clone();
        let thread = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer.write_out(out, &redactor))?;
        Ok((sink.clone(), WritesOut { sink, thread: Some(thread) }))
    }

    /// Appends whole lines.
    pub(super) fn push(&self, line: &[u8], is_urgent: bool) {
        let mut state = self.lock();
        if state.waiting.len() + line.len() > WAITING_MOST_BYTES {
            state.dropped_lines += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        let was_hurried = state.is_hurried();
        state.waiting.extend_from_slice(line);
        state.is_urgent |= is_urgent;
        let wakes = was_empty || (!was_hurried && state.is_hurried());
        drop(state);
        if wakes {
            self.0.changed.notify_one();
        }
    }

    /// How many lines were dropped since the start.
    pub(super) fn dropped_lines(&self) -> usize {
        self.lock().dropped_lines
    }

    fn write_out(&self, mut out: impl Write, redactor: &Redactor) {
        let mut batch = Vec::new();
        while self.take(&mut batch) {
            // A log that cannot be written has nobody to be told of it.
            let _ = out.write_all(&redactor.bytes(&batch)).and_then(|()| out.flush());
            batch.clear();
            batch.shrink_to(BATCH_KEPT_BYTES);
        }
    }

    /// Moves what waits into `batch`; false once the log is closed and empty.
    fn take(&self, batch: &mut Vec<u8>) -> bool {
        let waits = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let state = self.0.changed.wait_while(self.lock(), waits);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let lingers = self.0.changed.wait_timeout_while(state, LINGER, |s| !s.is_hurried());
        let (mut state, _) = lingers.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.waiting, batch);
        state.is_urgent = false;
        !batch.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_hurried(&self) -> bool {
        self.is_urgent || self.is_closed || self.waiting.len() >= HURRY_BYTES
    }
}

impl Drop for WritesOut {
    fn drop(&mut self) {
        self.sink.lock().is_closed = true;
        self.sink.0.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It panics only if `out` does, and then there is nothing left to write.
            let _ = thread.join();
        }
    }
}

/// Some seconds of a busy log; beyond that lines are dropped and counted.
const WAITING_MOST_BYTES: usize = 4 << 20;

/// How long the thread waits for company for the first line. Whoever reads along does not see it.
const LINGER: Duration = Duration::from_millis(20);

/// With this many bytes waiting it is time, whatever the clock says.
const HURRY_BYTES: usize = 256 << 10;

/// A burst must not hold its memory for ever.
const BATCH_KEPT_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Hands each write to the test, which decides when it is over.
    struct Slow(mpsc::SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_is_not_taken_drops_lines_and_counts_them() {
        let (tell, told) = mpsc::sync_channel(0);
        let (sink, writes_out) = Sink::start(Slow(tell), Arc::new(Redactor::new())).unwrap();
        sink.push(b"first\n", true);
        // The thread has taken it and waits for somebody to read.
        while !sink.lock().waiting.is_empty() {
            std::thread::yield_now();
        }
        sink.push(&vec![b'x'; WAITING_MOST_BYTES], false);
        sink.push(b"second\n", false);
        assert_eq!(sink.dropped_lines(), 1);
        assert_eq!(told.recv().unwrap(), b"first\n");
        assert_eq!(told.recv().unwrap().len(), WAITING_MOST_BYTES);
        sink.push(b"third\n", true);
        assert_eq!(told.recv().unwrap(), b"third\n");
        drop(writes_out);
        assert!(told.recv().is_err(), "nothing more was written");
    }

    #[test]
    fn what_is_queued_is_written_before_the_log_ends() {
        let (tell, told) = mpsc::sync_channel(100);
        let (sink, writes_out) = Sink::start(Slow(tell), Arc::new(Redactor::new())).unwrap();
        for number in 0..10 {
            sink.push(format!("{number}\n").as_bytes(), false);
        }
        drop(writes_out);
        let all: Vec<u8> = told.iter().take_while(|_| true).flatten().collect();
        assert_eq!(all, b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    }
}
