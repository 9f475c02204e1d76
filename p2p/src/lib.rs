// p2p/src/lib.rs - noroshi's Rust: `host` is the libp2p host, `words` a key's backup, in safe Rust; `ffi` is their C ABI.
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::undocumented_unsafe_blocks)]
// The panics that a test asks for.
#![cfg_attr(feature = "test-hooks", allow(clippy::panic))]

pub mod ffi;
#[deny(unsafe_code)]
pub mod host;
#[deny(unsafe_code)]
pub mod words;
