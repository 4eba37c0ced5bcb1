//! What the system tells the program to do.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A flag that SIGINT and SIGTERM raise. Called within a [`tokio::task::LocalSet`].
pub(crate) fn stop_on_signal() -> Arc<AtomicBool> {
    raised_by(first_signal(Hangup::IsTheSystem))
}

/// The same, and a terminal that is closed raises it as well.
pub(crate) fn stop_on_signal_or_hangup() -> Arc<AtomicBool> {
    raised_by(first_signal(Hangup::Ends))
}

/// What becomes of a run whose terminal is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hangup {
    /// What the system does, and what `nohup` said.
    IsTheSystem,
    /// It ends in order.
    Ends,
}

fn raised_by(signal: impl Future<Output = ()> + 'static) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    tokio::task::spawn_local(async move {
        signal.await;
        flag.store(true, Ordering::Relaxed);
    });
    stop
}

/// Ends at the first signal that comes from now on, however late it is waited for.
#[cfg(unix)]
fn first_signal(hangup: Hangup) -> impl Future<Output = ()> {
    use std::task::Poll;

    use tokio::signal::unix::{SignalKind, signal};

    let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt()];
    if hangup == Hangup::Ends {
        kinds.push(SignalKind::hangup());
    }
    let mut signals: Vec<_> = kinds.into_iter().flat_map(signal).collect();
    std::future::poll_fn(move |context| {
        // All of them are asked, or the others would wake nobody.
        let raised = signals.iter_mut().map(|signal| signal.poll_recv(context).is_ready());
        if raised.fold(false, |any, one| any | one) { Poll::Ready(()) } else { Poll::Pending }
    })
}

#[cfg(not(unix))]
async fn first_signal(_hangup: Hangup) {
    // Without the signal there is still the key.
    let _ = tokio::signal::ctrl_c().await;
}
