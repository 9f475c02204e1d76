// p2p/src/host/panics.rs - keeps the text of a panic on a network thread for its STOPPED or STREAM_END event.
//!
//! The hook belongs to the process, so it is set once and holds no host: on a network thread it leaves its note in that
//! thread's own storage (no backtrace, nothing on stderr), on any other thread it does what the hook before it did.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static NOTE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sets the hook, once for the process.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = describe(info);
            let kept = NOTE.try_with(|note| match note.try_borrow_mut() {
                Ok(mut note) if note.is_some() => {
                    *note = Some(text);
                    true
                }
                _ => false,
            });
            if !kept.unwrap_or(false) {
                before(info);
            }
        }));
    });
}

/// From here on panics of this thread are noted.
pub(crate) fn watch_this_thread() {
    NOTE.with(|note| *note.borrow_mut() = Some(String::new()));
}

/// The last panic of this thread, as "message at file:line".
pub(crate) fn take_note() -> String {
    NOTE.with(|note| note.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default())
}

fn describe(info: &std::panic::PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic");
    let message: String = message.chars().take(512).collect();
    match info.location() {
        Some(place) => format!("{message} at {}:{}", place.file(), place.line()),
        None => message,
    }
}
