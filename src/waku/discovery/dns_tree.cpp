// src/waku/discovery/dns_tree.cpp - texts of a DNS tree, and the walk through it.
#include "dns_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <set>

#include "enr.hpp"
#include "rpc.hpp"

namespace noroshi::waku {
namespace {

constexpr std::string_view link_prefix = "enrtree://";
constexpr std::string_view root_prefix = "enrtree-root:v1 ";
constexpr std::string_view branch_prefix = "enrtree-branch:";
constexpr std::string_view signature_mark = " sig=";
constexpr std::size_t longest_text = 4096;
constexpr std::size_t longest_domain = 200;  // with a hash in front it is still a DNS name
constexpr std::size_t hash_bytes = 16;
constexpr std::size_t most_children = 32;

tl::unexpected<Error> malformed() { return fail(Errc::parse, "malformed"); }

/// EIP-1459 lets a hash be shortened to 12 bytes; all published trees have 16.
bool is_hash(std::string_view text) {
    const Result<Bytes> bytes = from_base32(text);
    return bytes && bytes->size() == hash_bytes;
}

bool is_domain(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    };
    return !text.empty() && text.size() <= longest_domain && std::ranges::all_of(text, allowed);
}

/// The value of " name=" in `text`, up to the next space.
std::optional<std::string_view> value_of(std::string_view text, std::string_view name) {
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        if (at == 0 || text[at - 1] == ' ') {
            const std::string_view rest = text.substr(at + name.size());
            return rest.substr(0, rest.find(' '));
        }
    }
    return std::nullopt;
}

/// The walk: what is still to be asked, and what has been.
class Walk {
  public:
    Walk(LookUpTxt look_up, const Clock& clock, TreeLimits limits, Log log)
        : look_up_(std::move(look_up)), clock_(clock), limits_(limits), log_(std::move(log)), until_(clock.steady() + limits.time) {}

    Task<Result<std::vector<Bytes>>> run(TreeLink link) {
        NOROSHI_CO_TRY_VOID(co_await open(std::move(link)));
        while (!to_read_.empty() || !links_.empty()) {
            if (records_.size() >= limits_.records || lookups_ >= limits_.lookups || clock_.steady() >= until_) {
                log_.warn("dns_tree_cut", {{"records", records_.size()}, {"lookups", lookups_}});
                break;
            }
            if (to_read_.empty()) {
                co_await follow();
            } else {
                const Result<void> read = co_await read_one();
                if (!read && read.error().code == Errc::cancelled) {
                    co_return fail(read.error());
                }
            }
        }
        co_return std::move(records_);
    }

  private:
    struct ToRead {
        std::string hash;
        std::string domain;
    };

    Task<Result<std::string>> ask(std::string name, std::string_view prefix) {
        ++lookups_;
        Task<Result<std::vector<std::string>>> asked = look_up_(std::move(name));
        NOROSHI_CO_TRY(const std::vector<std::string> texts, co_await std::move(asked));
        for (const std::string& text : texts) {
            if (text.size() <= longest_text && text.starts_with(prefix)) {
                co_return text;
            }
        }
        co_return fail(Errc::not_found, "no such TXT record");
    }

    /// A tree's root: what hangs on it is to be read.
    Task<Result<void>> open(TreeLink link) {
        const std::string domain = link.domain;
        if (!domains_.insert(domain).second) {
            co_return Result<void>{};
        }
        NOROSHI_CO_TRY(const std::string text, co_await ask(domain, root_prefix));
        NOROSHI_CO_TRY(const TreeRoot root, parse_tree_root(text, link.signer));
        want(root.records, domain);
        want(root.links, domain);
        co_return Result<void>{};
    }

    void want(const std::string& hash, const std::string& domain) {
        if (asked_.size() < limits_.lookups && asked_.insert(hash + "." + domain).second) {
            to_read_.push_back({hash, domain});
        }
    }

    Task<void> follow() {
        const std::string text = std::move(links_.front());
        links_.pop_front();
        Result<TreeLink> link = parse_tree_link(text);
        Result<void> opened = fail(Errc::parse, "malformed");
        if (link && domains_.size() <= limits_.links) {
            opened = co_await open(std::move(*link));
        }
        if (!opened) {
            log_.warn("dns_tree_link_passed_over", {{"link", printable(text, 300)}, {"reason", opened.error().message}});
        }
    }

    Task<Result<void>> read_one() {
        const ToRead next = std::move(to_read_.front());
        to_read_.pop_front();
        const std::string name = next.hash + "." + next.domain;
        const Result<std::string> text = co_await ask(name, "enr");
        Result<TreeEntry> entry = text ? parse_tree_entry(*text, next.hash) : fail(text.error());
        if (!entry) {
            log_.warn("dns_tree_entry_passed_over", {{"name", name}, {"reason", entry.error().message}});
            co_return fail(entry.error());
        }
        for (const std::string& child : entry->children) {
            want(child, next.domain);
        }
        if (!entry->record.empty()) {
            records_.push_back(std::move(entry->record));
        }
        if (!entry->link.empty() && links_.size() < limits_.links) {
            links_.push_back(std::move(entry->link));
        }
        co_return Result<void>{};
    }

    LookUpTxt look_up_;
    const Clock& clock_;
    TreeLimits limits_;
    Log log_;
    SteadyMs until_;
    std::size_t lookups_{0};
    std::set<std::string> domains_;
    std::set<std::string> asked_;
    std::deque<ToRead> to_read_;
    std::deque<std::string> links_;
    std::vector<Bytes> records_;
};

}  // namespace

Result<TreeLink> parse_tree_link(std::string_view text) {
    const auto refuse = [] {
        return fail(Errc::parse, "expected enrtree://<key in base32>@<domain>, such as "
                                 "enrtree://AIRVQ5DDA4FFWLRBCHJWUWOO6X6S4ZTZ5B667LQ6AJU6PEYDLRD5O@sandbox.waku.nodes.status.im");
    };
    if (!text.starts_with(link_prefix) || text.size() > longest_text) {
        return refuse();
    }
    text.remove_prefix(link_prefix.size());
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos || !is_domain(text.substr(at + 1))) {
        return refuse();
    }
    const Result<Bytes> key = from_base32(text.substr(0, at));
    if (!key || key->size() != 33) {
        return refuse();
    }
    Result<crypto::PublicKey> signer = crypto::PublicKey::from_bytes(*key);
    if (!signer) {
        return refuse();
    }
    return TreeLink{std::move(*signer), std::string(text.substr(at + 1))};
}

Result<TreeRoot> parse_tree_root(std::string_view text, const crypto::PublicKey& signer) {
    const std::size_t mark = text.rfind(signature_mark);
    if (text.size() > longest_text || !text.starts_with(root_prefix) || mark == std::string_view::npos) {
        return malformed();
    }
    const std::string_view content = text.substr(0, mark);
    const Result<Bytes> signature = from_base64url(text.substr(mark + signature_mark.size()));
    if (!signature || signature->size() != 65) {
        return malformed();
    }
    const Result<crypto::PublicKey> by = crypto::recover(crypto::keccak256(as_bytes(content)), *signature);
    if (!by || *by != signer) {
        return fail(Errc::corrupt, "bad_signature");
    }
    const std::string_view values = content.substr(root_prefix.size());
    const auto records = value_of(values, "e=");
    const auto links = value_of(values, "l=");
    const auto sequence = value_of(values, "seq=");
    TreeRoot out;
    if (!records || !links || !sequence || !is_hash(*records) || !is_hash(*links) ||
        std::from_chars(sequence->data(), sequence->data() + sequence->size(), out.sequence).ptr !=
            sequence->data() + sequence->size()) {
        return malformed();
    }
    out.records = *records;
    out.links = *links;
    return out;
}

std::string tree_hash(std::string_view text) {
    return to_base32(ByteView(crypto::keccak256(as_bytes(text))).first(hash_bytes));
}

Result<TreeEntry> parse_tree_entry(std::string_view text, std::string_view hash) {
    if (text.size() > longest_text) {
        return malformed();
    }
    if (tree_hash(text) != hash) {
        return fail(Errc::corrupt, "wrong_hash");
    }
    TreeEntry out;
    if (text.starts_with(branch_prefix)) {
        std::string_view rest = text.substr(branch_prefix.size());
        while (!rest.empty()) {
            const std::string_view child = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(rest.size(), child.size() + 1));
            if (!is_hash(child) || out.children.size() == most_children) {
                return malformed();
            }
            out.children.emplace_back(child);
        }
        return out;
    }
    if (text.starts_with(link_prefix)) {
        out.link = text;
        return out;
    }
    Result<Bytes> record = enr_from_text(text);
    if (!record || record->empty()) {
        return malformed();
    }
    out.record = std::move(*record);
    return out;
}

Task<Result<std::vector<Bytes>>> read_tree(TreeLink link, LookUpTxt look_up, const Clock& clock, TreeLimits limits,
                                           Log log) {
    Walk walk(std::move(look_up), clock, limits, std::move(log));
    co_return co_await walk.run(std::move(link));
}

}  // namespace noroshi::waku
