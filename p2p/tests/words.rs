// p2p/tests/words.rs - the C ABI of key backups as a C caller sees it: declared here a second time, from include/noroshi_words.h.

use std::ffi::c_char;
use std::ptr::{null, null_mut};

// The crate is linked for its exported functions only.
use noroshi_p2p as _;

const OK: i32 = 0;
const EINVAL: i32 = -22;
const EMSGSIZE: i32 = -90;
const COUNT: i32 = -401;
const UNKNOWN: i32 = -402;
const CHECKSUM: i32 = -403;
const MAX_TEXT: usize = 215;

extern "C" {
    fn nrw_words_of_key(key: *const u8, buf: *mut c_char, cap: usize, len: *mut usize) -> i32;
    fn nrw_key_of_words(text: *const c_char, text_len: usize, key: *mut u8, detail: *mut u32) -> i32;
}

/// Result code, key and detail.
fn read(text: &str) -> (i32, [u8; 32], u32) {
    let (mut key, mut detail) = ([0xee; 32], 77);
    let code = unsafe { nrw_key_of_words(text.as_ptr().cast(), text.len(), key.as_mut_ptr(), &mut detail) };
    (code, key, detail)
}

#[test]
fn any_key_comes_back_from_its_words() {
    for seed in 0..=255u8 {
        let key: [u8; 32] = std::array::from_fn(|i| seed.wrapping_mul(167).wrapping_add((i * 59) as u8));
        let (mut text, mut length) = ([0u8; MAX_TEXT], 0);
        let code = unsafe { nrw_words_of_key(key.as_ptr(), text.as_mut_ptr().cast(), text.len(), &mut length) };
        assert_eq!(code, OK);
        let words = std::str::from_utf8(&text[..length]).expect("ASCII");
        assert_eq!(words.split(' ').count(), 24);
        assert_eq!(read(words), (OK, key, 0));
    }
}

#[test]
fn what_is_no_backup_is_told_apart_and_leaves_no_key() {
    let zoo = "zoo ".repeat(23);
    assert_eq!(read("zoo zoo"), (COUNT, [0; 32], 2));
    assert_eq!(read(&format!("{zoo}zooo")), (UNKNOWN, [0; 32], 24));
    assert_eq!(read(&format!("{zoo}zoo")), (CHECKSUM, [0; 32], 0));
    assert_eq!(read(&format!("{zoo}vote")), (OK, [0xff; 32], 0));
    assert_eq!(read(&"zoo ".repeat(1000)), (EMSGSIZE, [0; 32], 0));
    assert_eq!(read(""), (COUNT, [0; 32], 0));
    let (mut key, mut detail) = ([0xee; 32], 77);
    let no_text = [0xffu8; 4];
    let code = unsafe { nrw_key_of_words(no_text.as_ptr().cast(), 4, key.as_mut_ptr(), &mut detail) };
    assert_eq!((code, key), (EINVAL, [0; 32]));
}

#[test]
fn null_pointers_and_too_little_room_are_refused() {
    let (key, mut text, mut length) = ([1u8; 32], [0u8; 8], 0);
    unsafe {
        assert_eq!(nrw_words_of_key(null(), text.as_mut_ptr().cast(), 8, &mut length), EINVAL);
        assert_eq!(nrw_words_of_key(key.as_ptr(), text.as_mut_ptr().cast(), 8, null_mut()), EINVAL);
        assert_eq!(nrw_words_of_key(key.as_ptr(), text.as_mut_ptr().cast(), 8, &mut length), EMSGSIZE);
        assert!(length > 8 && length <= MAX_TEXT);
        assert_eq!(text, [0; 8]);
        assert_eq!(nrw_words_of_key(key.as_ptr(), null_mut(), MAX_TEXT, &mut length), EMSGSIZE);
        let (mut out, mut detail) = ([0u8; 32], 0);
        assert_eq!(nrw_key_of_words(null(), 5, out.as_mut_ptr(), &mut detail), EINVAL);
        assert_eq!(nrw_key_of_words("a".as_ptr().cast(), 1, null_mut(), &mut detail), EINVAL);
        assert_eq!(nrw_key_of_words("a".as_ptr().cast(), 1, out.as_mut_ptr(), null_mut()), EINVAL);
    }
}
