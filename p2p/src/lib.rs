// p2p/src/lib.rs - the libp2p host of noroshi: `host` is the host itself in safe Rust, `ffi` its C ABI.
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::undocumented_unsafe_blocks)]
// The panics that a test asks for.
#![cfg_attr(feature = "test-hooks", allow(clippy::panic))]

pub mod ffi;
#[deny(unsafe_code)]
pub mod host;
