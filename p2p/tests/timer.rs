// p2p/tests/timer.rs - the timer that stands in for futures-timer: its time, its resets, and who is woken.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures_timer::Delay;
use tokio::runtime::{Builder, Runtime};

const SOON: Duration = Duration::from_millis(20);
const LATE: Duration = Duration::from_secs(600);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_delay_is_over_after_its_time_and_not_before() {
    let start = Instant::now();
    runtime().block_on(async { Delay::new(SOON).await });
    assert!((SOON..LATE).contains(&start.elapsed()));
}

#[test]
fn a_reset_counts_from_its_moment_in_both_directions() {
    runtime().block_on(async {
        let start = Instant::now();
        let mut delay = Delay::new(LATE);
        assert!(futures::poll!(&mut delay).is_pending());
        delay.reset(SOON);
        (&mut delay).await;
        assert!(start.elapsed() >= SOON);
        delay.reset(LATE);
        assert!(futures::poll!(&mut delay).is_pending(), "one that was over runs again");
        delay.reset(Duration::MAX);
        assert!(futures::poll!(&mut delay).is_pending());
        delay.reset(Duration::ZERO);
        delay.await;
    });
}

#[test]
fn the_task_that_polled_last_is_woken() {
    runtime().block_on(async {
        let mut delay = Delay::new(SOON);
        assert!((&mut delay).now_or_never().is_none());
        tokio::spawn(delay).await.unwrap();
    });
}

#[test]
fn a_delay_may_be_dropped_while_it_is_waited_for_and_after_its_runtime() {
    let runtime = runtime();
    let (left,) = runtime.block_on(async {
        let mut dropped = Delay::new(SOON);
        assert!(futures::poll!(&mut dropped).is_pending());
        drop(dropped);
        let mut left = Delay::new(LATE);
        assert!(futures::poll!(&mut left).is_pending());
        (left,)
    });
    drop(runtime);
    drop(left);
}
