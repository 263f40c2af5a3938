//! The end of the service, as whoever lasts as long as it does hears of it.

use tokio::sync::watch;

/// Hears when the service ends.
#[derive(Debug, Clone)]
pub(crate) struct Ending(watch::Receiver<bool>);

impl Ending {
    /// What ends it, and what hears of that.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Returns when the service ends, or whoever could end it is gone.
    pub(crate) async fn wait(&mut self) {
        let _ = self.0.wait_for(|ending| *ending).await;
    }
}
