//! A byte stream that timestamps its reads and writes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Gauges;

/// Timestamps of a connection, in nanoseconds since it was opened; 0 means "not yet".
#[derive(Debug)]
pub(super) struct Stamps {
    opened_at: Instant,
    /// Arrival of the bytes that were read last.
    read: AtomicU64,
    /// When the operating system accepted the bytes that were written last.
    written: AtomicU64,
}

impl Stamps {
    fn new() -> Self {
        Self { opened_at: Instant::now(), read: AtomicU64::new(0), written: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened_at.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    fn instant(&self, stamp: &AtomicU64) -> Option<Instant> {
        match stamp.load(Ordering::Acquire) {
            0 => None,
            nanoseconds => Some(self.opened_at + Duration::from_nanos(nanoseconds)),
        }
    }

    /// Arrival of the bytes that were read last; the current time before the first read.
    pub(super) fn last_read(&self) -> Instant {
        self.instant(&self.read).unwrap_or_else(Instant::now)
    }

    /// When the operating system accepted the bytes that were written last.
    pub(super) fn last_written(&self) -> Option<Instant> {
        self.instant(&self.written)
    }
}

/// Records when the socket became readable, before its bytes are read.
///
/// With many streams, one poll of the event loop reports many sockets as readable, and their tasks run one after the
/// other. The time at which a task runs depends on the client; the time of readiness depends on the network.
#[derive(Debug)]
struct ReadinessWaker {
    stamps: Arc<Stamps>,
    ready_at: AtomicU64,
    task: AtomicWaker,
}

impl Wake for ReadinessWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready_at.store(self.stamps.now(), Ordering::Release);
        self.task.wake();
    }
}

/// A byte stream that timestamps its reads and writes.
#[derive(Debug)]
pub(super) struct Stamped<S> {
    inner: S,
    readiness: Arc<ReadinessWaker>,
    waker: Waker,
    gauges: Arc<Gauges>,
}

impl<S> Stamped<S> {
    pub(super) fn new(inner: S, gauges: Arc<Gauges>) -> Self {
        let stamps = Arc::new(Stamps::new());
        let readiness = Arc::new(ReadinessWaker { stamps, ready_at: AtomicU64::new(0), task: AtomicWaker::new() });
        Self { inner, waker: Waker::from(readiness.clone()), readiness, gauges }
    }

    pub(super) fn stamps(&self) -> Arc<Stamps> {
        self.readiness.stamps.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stamped<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.readiness.task.register(cx.waker());
        let ready_at = this.readiness.ready_at.swap(0, Ordering::AcqRel);
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(&mut Context::from_waker(&this.waker), buffer);
        if matches!(polled, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            let stamps = &this.readiness.stamps;
            let now = stamps.now();
            // Without a wake-up no task was waiting for the bytes: they are read as they arrive.
            let arrived = if ready_at == 0 { now } else { ready_at };
            stamps.read.store(arrived, Ordering::Release);
            this.gauges.record_wait(Duration::from_nanos(now - arrived));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> Stamped<S> {
    fn note_written(&self, polled: &Poll<io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(count)) if *count > 0) {
            let stamps = &self.readiness.stamps;
            stamps.written.store(stamps.now(), Ordering::Release);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stamped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note_written(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.note_written(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
