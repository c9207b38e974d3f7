//! A channel and what is read over it.

use super::connect::within;
use lapin::Channel;

/// A channel with its consumers' streams. However it ends, what was got and not acknowledged goes back in its order:
/// streams that are dropped before their channel is closed give back what nobody has looked at yet, ahead of what was
/// looked at.
pub(super) struct Reading<S: Default + Send + 'static> {
    pub(super) channel: Channel,
    pub(super) streams: S,
}

impl<S: Default + Send + 'static> Drop for Reading<S> {
    fn drop(&mut self) {
        let (channel, streams) = (self.channel.clone(), std::mem::take(&mut self.streams));
        if channel.status().connected()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                let _ = within("closing a channel", channel.close(200, "".into())).await;
                drop(streams);
            });
        }
    }
}
