//! A connection that knows when its bytes arrived.

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

/// Moments of a connection, in nanoseconds since it was opened; 0 stands for "not yet".
#[derive(Debug)]
pub(super) struct Stamps {
    opened_at: Instant,
    /// When the bytes that were read last had arrived.
    read: AtomicU64,
    /// When the bytes that were written last had been taken by the operating system.
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

    /// When the bytes that were read last had arrived; the present before any.
    pub(super) fn last_read(&self) -> Instant {
        self.instant(&self.read).unwrap_or_else(Instant::now)
    }

    /// When the bytes that were written last had been taken.
    pub(super) fn last_written(&self) -> Option<Instant> {
        self.instant(&self.written)
    }
}

/// Takes the news that bytes have arrived, before anybody gets round to reading them.
///
/// With many streams the news of all of them come at once and are worked off one after the other: the time at which a
/// stream's turn comes is the client's doing, the time of the news is the network's.
#[derive(Debug)]
struct Bell {
    stamps: Arc<Stamps>,
    rung: AtomicU64,
    sleeper: AtomicWaker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(self.stamps.now(), Ordering::Release);
        self.sleeper.wake();
    }
}

/// A byte stream that stamps what it reads and writes.
#[derive(Debug)]
pub(super) struct Stamped<S> {
    inner: S,
    bell: Arc<Bell>,
    waker: Waker,
    gauges: Arc<Gauges>,
}

impl<S> Stamped<S> {
    pub(super) fn new(inner: S, gauges: Arc<Gauges>) -> Self {
        let stamps = Arc::new(Stamps::new());
        let bell = Arc::new(Bell { stamps, rung: AtomicU64::new(0), sleeper: AtomicWaker::new() });
        Self { inner, waker: Waker::from(bell.clone()), bell, gauges }
    }

    pub(super) fn stamps(&self) -> Arc<Stamps> {
        self.bell.stamps.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stamped<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.bell.sleeper.register(cx.waker());
        let rung = this.bell.rung.swap(0, Ordering::AcqRel);
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(&mut Context::from_waker(&this.waker), buffer);
        if matches!(polled, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            let stamps = &this.bell.stamps;
            let now = stamps.now();
            // Without a bell nobody had been waiting: the bytes are met as they come.
            let arrived = if rung == 0 { now } else { rung };
            stamps.read.store(arrived, Ordering::Release);
            this.gauges.waited(Duration::from_nanos(now - arrived));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> Stamped<S> {
    fn note_written(&self, polled: &Poll<io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(count)) if *count > 0) {
            let stamps = &self.bell.stamps;
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
