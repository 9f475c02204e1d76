/* p2p/include/noroshi_words.h - the C ABI of key backups: 32 bytes as 24 English words of BIP-39, and back. */
#pragma once

/* Pure functions for any thread; nothing is kept. What they copied of the key is wiped before they return. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that hold the words of any key. */
#define NRW_MAX_TEXT 215
/** Longest text that is read, in bytes. */
#define NRW_MAX_INPUT 1024

/** Result codes. */
enum {
    NRW_OK = 0,
    NRW_EINVAL = -22,    /**< null pointer, or not UTF-8 */
    NRW_EMSGSIZE = -90,  /**< no room, or a text longer than NRW_MAX_INPUT */
    NRW_PANIC = -99,     /**< a Rust panic was contained */
    NRW_COUNT = -401,    /**< not 24 words; *detail: how many */
    NRW_UNKNOWN = -402,  /**< a word is not in the list; *detail: which one, from 1 */
    NRW_CHECKSUM = -403  /**< the words are in the list, but one is wrong or they are out of order */
};

/** Writes the words of `key` (32 bytes) into buf, a blank between them, without an end mark. *len: bytes needed, also with
 *  NRW_EMSGSIZE. */
int32_t nrw_words_of_key(const uint8_t *key, char *buf, size_t cap, size_t *len);

/** Reads 24 words, in any case and with any white space between them, into `key` (32 bytes); all zero on an error. */
int32_t nrw_key_of_words(const char *text, size_t text_len, uint8_t *key, uint32_t *detail);

#ifdef __cplusplus
}
#endif
