//! Notifies the tasks of the service of its shutdown.

use tokio::sync::watch;

/// Waits for the shutdown of the service.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Creates the sender that starts the shutdown, and a receiver.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Returns when the service shuts down, or when the sender is dropped.
    pub(crate) async fn wait(&mut self) {
        let _ = self.0.wait_for(|is_shutting_down| *is_shutting_down).await;
    }
}
