// src/waku/discovery/rlp.hpp - RLP, Ethereum's encoding of byte strings and lists, as far as node records need it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

/// Ethereum yellow paper, appendix B. Only the shortest encoding of each value is read, so that equal records are equal
/// bytes. Thread: any.
namespace noroshi::waku::rlp {

/// One member of a list. Views into the bytes that were read.
struct Item {
    bool list{false};
    ByteView payload;  ///< of a string its bytes, of a list its encoded members
    ByteView whole;    ///< with its header
};

/// The members of the one list that `bytes` are; lists inside are not looked into. Errors: parse (malformed).
[[nodiscard]] Result<std::vector<Item>> read_list(ByteView bytes);
/// A byte string as a big-endian number without leading zeros. Errors: parse (a list, too long, leading zero).
[[nodiscard]] Result<std::uint64_t> read_number(const Item& item);

void append_string(Bytes& out, ByteView string);
void append_number(Bytes& out, std::uint64_t number);
/// A list whose members are already encoded.
[[nodiscard]] Bytes list(ByteView members);

}  // namespace noroshi::waku::rlp
