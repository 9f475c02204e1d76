// p2p/src/host/log.rs - log lines of a host as events, through a dispatcher that only its own thread has.
//!
//! Everything runs on the network thread, so a thread-scoped subscriber is enough: no global subscriber can outlive the
//! host, and two hosts of a process do not meet. Lines of the libraries count one level lower than ours: a warning of
//! libp2p about a strange peer is news only to somebody who asked for "info".

use std::fmt::{self, Write as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span;
use tracing::{Level, Metadata, Subscriber};

use super::event::Event;
use super::shared::{lock, Shared};

const LINES_A_SECOND: u32 = 100;
const LINE_BYTES: usize = 1024;

pub(crate) struct LogEvents {
    shared: Arc<Shared>,
    level: u8,
    window: Mutex<(Instant, u32)>,
}

impl LogEvents {
    pub(crate) fn new(shared: Arc<Shared>, level: u8) -> Self {
        Self { shared, level, window: Mutex::new((Instant::now(), 0)) }
    }

    fn within_rate(&self) -> bool {
        let mut window = lock(&self.window);
        if window.0.elapsed() >= Duration::from_secs(1) {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        window.1 <= LINES_A_SECOND
    }
}

fn number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

fn wanted(level: &Level, target: &str, shown: u8) -> bool {
    let ours = target.starts_with("noroshi_p2p");
    let number = number(level);
    number <= if ours || number == 1 { shown } else { shown.saturating_sub(1) }
}

impl Subscriber for LogEvents {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && wanted(metadata.level(), metadata.target(), self.level)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.level {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn event(&self, event: &tracing::Event<'_>) {
        if !self.within_rate() {
            self.shared.totals.log_lines_dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        let level = number(event.metadata().level());
        self.shared.emit(&Event::Log { level, line: line.0, target: event.metadata().target() });
    }

    // Spans are never enabled.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// "message key=value ...", cut at LINE_BYTES.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let rest = std::mem::take(&mut self.0);
            let _ = write!(Capped(&mut self.0), "{value:?}{rest}");
        } else {
            let _ = write!(Capped(&mut self.0), " {}={value:?}", field.name());
        }
    }
}

struct Capped<'a>(&'a mut String);

impl fmt::Write for Capped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LINE_BYTES.saturating_sub(self.0.len());
        self.0.push_str(cut(text, room));
        if text.len() > room {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// The longest start of `text` that has at most `bytes` bytes and whole characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_warning_is_hidden_at_level_warn() {
        assert!(wanted(&Level::WARN, "noroshi_p2p::host", 2));
        assert!(!wanted(&Level::WARN, "libp2p_gossipsub::behaviour", 2));
        assert!(wanted(&Level::ERROR, "libp2p_gossipsub::behaviour", 2));
    }

    #[test]
    fn level_none_hides_errors_too() {
        assert!(!wanted(&Level::ERROR, "noroshi_p2p::host", 0));
    }

    #[test]
    fn long_line_is_cut_at_a_character() {
        let mut text = String::new();
        let _ = Capped(&mut text).write_str(&"é".repeat(LINE_BYTES));
        assert_eq!(text.len(), LINE_BYTES);
        let _ = Capped(&mut text).write_str("more");
        assert_eq!(text.len(), LINE_BYTES);
    }
}
