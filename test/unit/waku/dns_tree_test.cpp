// test/unit/waku/dns_tree_test.cpp - signed trees in DNS: read whole, and every way in which one can lie.
#include <gtest/gtest.h>

#include "discovery/dns_tree.hpp"
#include "discovery/enr.hpp"
#include "run_task.hpp"

namespace noroshi::waku {
namespace {

crypto::SecretKey key(std::uint64_t seed) {
    SeededRandom random(seed);
    return crypto::SecretKey::generate(random);
}

/// A DNS zone, and a hand that publishes trees in it.
class Zone {
  public:
    std::string add(const std::string& text) {
        const std::string hash = tree_hash(text);
        names[hash + "." + domain] = {text};
        return hash;
    }
    std::string record(std::uint64_t seed) {
        const crypto::SecretKey of = key(seed);
        return enr_to_text(*encode_enr(Enr(of.public_key()), of));
    }
    std::string branch(const std::vector<std::string>& children) {
        std::string text = "enrtree-branch:";
        for (const std::string& child : children) {
            text += (text.back() == ':' ? "" : ",") + child;
        }
        return add(text);
    }
    void root(const std::string& records, const std::string& links, const crypto::SecretKey& signer) {
        const std::string content = "enrtree-root:v1 e=" + records + " l=" + links + " seq=3";
        names[domain] = {content + " sig=" + to_base64url(signer.sign(crypto::keccak256(as_bytes(content))))};
    }
    TreeLink link(const crypto::SecretKey& signer) const { return {signer.public_key(), domain}; }

    LookUpTxt look_up() {
        return [this](std::string name) -> Task<Result<std::vector<std::string>>> {
            ++lookups;
            clock.advance(Milliseconds(10));
            const auto found = names.find(name);
            if (found == names.end()) {
                co_return fail(Error{Errc::not_found, "no such name", {}, true});
            }
            co_return found->second;
        };
    }
    Result<std::vector<Bytes>> read(const TreeLink& from, TreeLimits limits = {}) {
        return test::run(runtime, read_tree(from, look_up(), clock, limits, Log::none()));
    }

    Runtime runtime{0};
    std::string domain{"nodes.example.org"};
    std::map<std::string, std::vector<std::string>> names;
    std::size_t lookups{0};
    ManualClock clock{from_unix_ms(1'700'000'000'000)};
};

TEST(DnsTree, RecordsOfAllBranchesAreRead) {
    Zone zone;
    const crypto::SecretKey signer = key(1);
    const std::string left = zone.branch({zone.add(zone.record(2)), zone.add(zone.record(3))});
    zone.root(zone.branch({left, zone.add(zone.record(4))}), zone.branch({}), signer);
    zone.names[zone.domain].insert(zone.names[zone.domain].begin(), "v=spf1 -all");  // other records of the name
    const auto records = zone.read(zone.link(signer)).value();
    ASSERT_EQ(records.size(), 3U);
    for (const Bytes& record : records) {
        EXPECT_TRUE(decode_enr(record));
    }
}

TEST(DnsTree, LinksLeadToOtherTreesAndARingOfThemEnds) {
    Zone zone;
    const crypto::SecretKey signer = key(1);
    zone.domain = "b.example.org";
    const std::string back = "enrtree://" + to_base32(signer.public_key().compressed()) + "@a.example.org";
    zone.root(zone.branch({zone.add(zone.record(2))}), zone.branch({zone.add(back)}), signer);
    zone.domain = "a.example.org";
    const std::string there = "enrtree://" + to_base32(signer.public_key().compressed()) + "@b.example.org";
    zone.root(zone.branch({zone.add(zone.record(3))}), zone.branch({zone.add(there)}), signer);
    EXPECT_EQ(zone.read(zone.link(signer)).value().size(), 2U);
}

TEST(DnsTree, AForgedRootIsRefused) {
    Zone zone;
    zone.root(zone.branch({zone.add(zone.record(2))}), zone.branch({}), key(9));
    EXPECT_EQ(zone.read(zone.link(key(1))).error().message, "bad_signature");
    zone.names.erase(zone.domain);
    EXPECT_EQ(zone.read(zone.link(key(1))).error().code, Errc::not_found);
}

TEST(DnsTree, AnEntryThatIsNotWhatItsHashNamesIsPassedOver) {
    Zone zone;
    const crypto::SecretKey signer = key(1);
    const std::string hash = zone.add(zone.record(2));
    zone.root(zone.branch({hash, zone.add(zone.record(3))}), zone.branch({}), signer);
    zone.names[hash + "." + zone.domain] = {zone.record(4)};
    EXPECT_EQ(zone.read(zone.link(signer)).value().size(), 1U);
}

TEST(DnsTree, LimitsHold) {
    Zone zone;
    const crypto::SecretKey signer = key(1);
    std::vector<std::string> children;
    for (std::uint64_t i = 0; i < 20; ++i) {
        children.push_back(zone.add(zone.record(10 + i)));
    }
    zone.root(zone.branch(children), zone.branch({}), signer);
    EXPECT_EQ(zone.read(zone.link(signer), {.records = 5}).value().size(), 5U);
    zone.lookups = 0;
    EXPECT_LT(zone.read(zone.link(signer), {.lookups = 10}).value().size(), 10U);
    EXPECT_LE(zone.lookups, 10U);
    EXPECT_LT(zone.read(zone.link(signer), {.time = Milliseconds(100)}).value().size(), 20U);
}

TEST(DnsTree, TextsAreChecked) {
    EXPECT_TRUE(parse_tree_link("enrtree://AMOJVZX4V6EXP7NTJPMAYJYST2QP6AJXYW76IU6VGJS7UVSNDYZG4@boot.prod.status.nodes.status.im"));
    EXPECT_FALSE(parse_tree_link("enrtree://@x"));
    EXPECT_FALSE(parse_tree_link("enrtree://AMOJVZX4V6EXP7NTJPMAYJYST2QP6AJXYW76IU6VGJS7UVSNDYZG4@"));
    EXPECT_FALSE(parse_tree_link("enrtree://AMOJVZX4V6EXP7NTJPMAYJYST2QP6AJXYW76IU6VGJS7UVSNDYZG4@a b"));
    EXPECT_FALSE(parse_tree_link("https://example.org"));
    for (const char* text : {"", "enrtree-branch:x", "enr:", "enrtree-root:v1 e=a l=b seq=1", "hello"}) {
        EXPECT_FALSE(parse_tree_entry(text, tree_hash(text))) << text;
    }
    EXPECT_TRUE(parse_tree_entry("enrtree-branch:", tree_hash("enrtree-branch:")));
    EXPECT_FALSE(parse_tree_root("enrtree-root:v1 e=a l=b seq=1 sig=AA", key(1).public_key()));
}

}  // namespace
}  // namespace noroshi::waku
