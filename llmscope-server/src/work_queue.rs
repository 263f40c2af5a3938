//! Blocking work: a few at a time, a bounded number that waits, and a deadline for the wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Admits work of one kind. A caller that goes away while it waits frees its place, and its work is never begun.
#[derive(Debug)]
pub(crate) struct WorkQueue {
    running: Arc<Semaphore>,
    places: Semaphore,
    patience: Duration,
}

/// Too much work waits, or it waited too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overloaded;

impl WorkQueue {
    /// Admits `running` at a time, lets `waiting` more wait, each for at most `patience`.
    pub(crate) fn new(running: usize, waiting: usize, patience: Duration) -> Self {
        Self { running: Arc::new(Semaphore::new(running)), places: Semaphore::new(waiting), patience }
    }

    /// Waits for its turn, which lasts until the permit is dropped.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Overloaded> {
        if let Ok(permit) = self.running.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.places.try_acquire().map_err(|_| Overloaded)?;
        let permit = tokio::time::timeout(self.patience, self.running.clone().acquire_owned()).await;
        permit.map_err(|_| Overloaded)?.map_err(|_| Overloaded)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn places_are_bounded_and_free_again_when_a_caller_goes() {
        let queue = WorkQueue::new(1, 1, Duration::from_secs(60));
        let permit = queue.enter().await.unwrap();
        let mut waiting = Box::pin(queue.enter());
        assert!((&mut waiting).now_or_never().is_none());
        assert_eq!(queue.enter().await.unwrap_err(), Overloaded, "no place is left");
        // The client of the waiting call closes its connection.
        drop(waiting);
        let mut next = Box::pin(queue.enter());
        assert!((&mut next).now_or_never().is_none());
        drop(permit);
        drop(next.await.unwrap());
    }

    #[tokio::test]
    async fn nothing_waits_longer_than_the_deadline() {
        let queue = WorkQueue::new(1, 9, Duration::from_millis(20));
        let permit = queue.enter().await.unwrap();
        assert_eq!(queue.enter().await.unwrap_err(), Overloaded);
        drop(permit);
        drop(queue.enter().await.unwrap());
    }
}
