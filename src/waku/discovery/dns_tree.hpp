// src/waku/discovery/dns_tree.hpp - node lists in DNS (EIP-1459): a signed tree of TXT records whose leaves are node records.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/log.hpp"
#include "base/task.hpp"
#include "base/time.hpp"
#include "waku/node.hpp"

namespace noroshi::waku {

/// "enrtree://<base32 of the signer's compressed key>@<domain>".
struct TreeLink {
    crypto::PublicKey signer;
    std::string domain;
    bool operator==(const TreeLink&) const = default;
};
/// Errors: parse, with what was expected.
[[nodiscard]] Result<TreeLink> parse_tree_link(std::string_view text);

/// The record at the domain itself, its signature verified.
struct TreeRoot {
    std::string records;  ///< hash of the subtree of node records
    std::string links;    ///< hash of the subtree of links to other trees
    std::uint64_t sequence{0};
};
/// Errors: parse (malformed), corrupt (bad_signature).
[[nodiscard]] Result<TreeRoot> parse_tree_root(std::string_view text, const crypto::PublicKey& signer);
/// The base32 of the first 16 bytes of the Keccak-256 of `text`: the name under which it is published.
[[nodiscard]] std::string tree_hash(std::string_view text);

/// One entry below the root: a branch, a node record or a link.
struct TreeEntry {
    std::vector<std::string> children;  ///< of a branch: hashes
    Bytes record;                       ///< RLP of a node record, not verified yet
    std::string link;                   ///< enrtree://..
};
/// Errors: parse (malformed), corrupt (wrong_hash: `text` is not what `hash` names).
[[nodiscard]] Result<TreeEntry> parse_tree_entry(std::string_view text, std::string_view hash);

/// A tree is a stranger's: how much of it is read at the most.
struct TreeLimits {
    std::size_t lookups{300};  ///< TXT queries, over all linked trees
    std::size_t records{200};
    std::size_t links{4};      ///< other trees that are followed
    Milliseconds time{60'000};
};

/// Reads a tree, breadth first, and the trees it links to: RLP of the records, not verified yet, in the order they came.
/// Entries that cannot be had or do not fit their hash are passed over and logged; so is what is beyond a limit.
/// Errors: those of the root: of the look-up, parse, corrupt.
[[nodiscard]] Task<Result<std::vector<Bytes>>> read_tree(TreeLink link, LookUpTxt look_up, const Clock& clock,
                                                         TreeLimits limits, Log log);

}  // namespace noroshi::waku
