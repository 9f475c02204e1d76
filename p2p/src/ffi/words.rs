// p2p/src/ffi/words.rs - the functions of include/noroshi_words.h.

use std::ffi::c_char;

use zeroize::{Zeroize, Zeroizing};

use super::types::{EINVAL, EMSGSIZE, OK};
use super::{contained, text};
use crate::words::{key_of, words_of, Fault, MOST_TEXT};

const COUNT: i32 = -401;
const UNKNOWN: i32 = -402;
const CHECKSUM: i32 = -403;

#[no_mangle]
pub unsafe extern "C" fn nrw_words_of_key(key: *const u8, buf: *mut c_char, cap: usize, len: *mut usize) -> i32 {
    contained(|| {
        // SAFETY: null, or 32 bytes of the caller; null, or the caller's variable.
        let (Some(key), Some(len)) = (unsafe { key.cast::<[u8; 32]>().as_ref() }, unsafe { len.as_mut() }) else {
            return EINVAL;
        };
        let mut words = Zeroizing::new([0; MOST_TEXT]);
        let Some(used) = words_of(key, &mut words) else { return EINVAL };
        *len = used;
        if buf.is_null() || used > cap {
            return EMSGSIZE;
        }
        // SAFETY: `buf` has room for `cap` bytes, which is enough.
        unsafe { std::ptr::copy_nonoverlapping(words.as_ptr(), buf.cast(), used) };
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn nrw_key_of_words(ptr: *const c_char, len: usize, key: *mut u8, detail: *mut u32) -> i32 {
    contained(|| {
        // SAFETY: null, or room for 32 bytes of the caller; null, or the caller's variable.
        let (Some(out), Some(detail)) = (unsafe { key.cast::<[u8; 32]>().as_mut() }, unsafe { detail.as_mut() }) else {
            return EINVAL;
        };
        out.zeroize();
        *detail = 0;
        // SAFETY: the caller's text, valid during the call.
        let Ok(text) = (unsafe { text(ptr, len) }) else { return EINVAL };
        let told = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        match key_of(text) {
            Ok(read) => {
                out.copy_from_slice(&*read);
                OK
            }
            Err(Fault::TooLong) => EMSGSIZE,
            Err(Fault::Count(count)) => {
                *detail = told(count);
                COUNT
            }
            Err(Fault::Unknown(place)) => {
                *detail = told(place).saturating_add(1);
                UNKNOWN
            }
            Err(Fault::Checksum) => CHECKSUM,
        }
    })
}
