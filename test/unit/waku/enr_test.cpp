// test/unit/waku/enr_test.cpp - node records: the published vector, every refusal, both orders that are not ours.
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "discovery/enr.hpp"
#include "discovery/rlp.hpp"
#include "multiaddr.hpp"

namespace noroshi::waku {
namespace {

/// A boot node of the Status fleet.
constexpr std::string_view boot_node =
    "enr:-QEKuED9AJm2HGgrRpVaJY2nj68ao_QiPeUT43sK-aRM7sMJ6R4G11OSDOwnvVacgN1sTw-K7soC5dzHDFZgZkHU0u-XAYJpZIJ2NIJpcISnYxMv"
    "im11bHRpYWRkcnO4WgAqNiVib290LTAxLmRvLWFtczMuc3RhdHVzLnByb2Quc3RhdHVzLmltBnZfACw2JWJvb3QtMDEuZG8tYW1zMy5zdGF0dXMucHJv"
    "ZC5zdGF0dXMuaW0GAbveA4Jyc40AEAUAAQAgAEAAgAEAiXNlY3AyNTZrMaEC3rRtFQSgc24uWewzXaxTY8hDAHB8sgnxr9k8Rjb5GeSDdGNwgnZfg3Vk"
    "cIIjKIV3YWt1Mg0";

crypto::SecretKey key(std::uint64_t seed = 1) {
    SeededRandom random(seed);
    return crypto::SecretKey::generate(random);
}

Enr sample(const crypto::SecretKey& of) {
    Enr out(of.public_key());
    out.sequence = 7;
    out.ip4 = "192.0.2.1";
    out.tcp = 60000;
    out.udp = 9000;
    out.multiaddrs = {"/dns4/node.example.org/tcp/443/wss"};
    out.waku2 = enr_flag::relay | enr_flag::lightpush;
    out.shards = ShardSet{16, {32, 64}};
    return out;
}

std::string word(const Bytes& rlp) {
    const Result<Enr> enr = decode_enr(rlp);
    return enr ? "" : enr.error().message;
}

/// A record with exactly these pairs, signed by `of`, in the order given.
Bytes record(const crypto::SecretKey& of, const std::vector<std::pair<std::string, Bytes>>& pairs) {
    Bytes members;
    rlp::append_number(members, 1);
    for (const auto& [name, value] : pairs) {
        rlp::append_string(members, as_bytes(name));
        rlp::append_string(members, value);
    }
    const auto signature = of.sign(crypto::keccak256(rlp::list(members)));
    Bytes all;
    rlp::append_string(all, ByteView(signature).first(64));
    all.insert(all.end(), members.begin(), members.end());
    return rlp::list(all);
}

Bytes compressed(const crypto::SecretKey& of) {
    const auto point = of.public_key().compressed();
    return {point.begin(), point.end()};
}
const Bytes v4{'v', '4'};

TEST(Enr, PublishedVector) {
    const Bytes bytes = *enr_from_text(boot_node);
    EXPECT_EQ(bytes.size(), 269U);
    const Enr enr = decode_enr(bytes).value();
    EXPECT_EQ(enr.key.to_string(), "02deb46d1504a0736e2e59ec335dac5363c84300707cb209f1afd93c4636f919e4");
    EXPECT_EQ(enr.ip4, "167.99.19.47");
    EXPECT_EQ(enr.tcp, 30303);
    EXPECT_EQ(enr.udp, 9000);
    EXPECT_EQ(enr.waku2, 0x0d);
    EXPECT_EQ(enr.shards, (ShardSet{16, {1, 32, 64, 128, 256}}));
    EXPECT_EQ(peer_id_of(enr.key), "16Uiu2HAmAR24Mbb6VuzoyUiGx42UenDkshENVDj4qnmmbabLvo31");
    const std::string end = "/p2p/16Uiu2HAmAR24Mbb6VuzoyUiGx42UenDkshENVDj4qnmmbabLvo31";
    EXPECT_EQ(dial_addresses(enr), (std::vector<std::string>{
                                       "/dns4/boot-01.do-ams3.status.prod.status.im/tcp/30303" + end,
                                       "/ip4/167.99.19.47/tcp/30303" + end,
                                       "/dns4/boot-01.do-ams3.status.prod.status.im/tcp/443/wss" + end,
                                   }));
    EXPECT_EQ(enr_to_text(bytes), boot_node);
}

TEST(Enr, WhatIsWrittenIsReadBack) {
    const crypto::SecretKey own = key();
    const Enr enr = sample(own);
    EXPECT_EQ(decode_enr(encode_enr(enr, own).value()).value(), enr);
}

TEST(Enr, RsIsClusterCountAndShardsBigEndian) {
    const crypto::SecretKey own = key();
    const Bytes bytes = encode_enr(sample(own), own).value();
    EXPECT_NE(to_hex(bytes).find(to_hex(as_bytes("rs")) + "87" + "0010" "02" "0020" "0040"), std::string::npos);
}

TEST(Enr, RsvBitOrderIsThatOfGoWakuAndTheNimNode) {
    const crypto::SecretKey own = key();
    Bytes value(130);
    value[1] = 16;
    value[2 + 32 / 8] = 1 << (32 % 8);  // lowest bit first: js-waku would read shard 39, the specification's text 991
    EXPECT_EQ(decode_enr(record(own, {{"id", v4}, {"rsv", value}, {"secp256k1", compressed(own)}})).value().shards,
              (ShardSet{16, {32}}));
}

TEST(Enr, RsvIsWrittenOnlyForMoreShardsThanRsHolds) {
    const crypto::SecretKey own = key();
    Enr enr(own.public_key());
    enr.shards = ShardSet{16, {}};
    for (std::uint16_t shard = 0; shard < 64; ++shard) {
        enr.shards->shards.push_back(shard);
    }
    const Bytes many = encode_enr(enr, own).value();
    EXPECT_NE(to_hex(many).find(to_hex(as_bytes("rsv"))), std::string::npos);
    EXPECT_EQ(decode_enr(many).value().shards, enr.shards);
}

TEST(Enr, RsWinsOverRsv) {
    const crypto::SecretKey own = key();
    const Bytes bytes = record(own, {{"id", v4}, {"rs", {0, 16, 1, 0, 5}}, {"rsv", Bytes(130)}, {"secp256k1", compressed(own)}});
    EXPECT_EQ(decode_enr(bytes).value().shards, (ShardSet{16, {5}}));
}

TEST(Enr, RefusalsHaveNames) {
    const crypto::SecretKey own = key();
    const Bytes point = compressed(own);
    EXPECT_EQ(word({}), "malformed");
    EXPECT_EQ(word(Bytes(301, 1)), "too_large");
    EXPECT_EQ(word(record(own, {{"secp256k1", point}})), "no_v4");
    EXPECT_EQ(word(record(own, {{"id", {'v', '5'}}, {"secp256k1", point}})), "no_v4");
    EXPECT_EQ(word(record(own, {{"id", v4}})), "bad_key");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"secp256k1", Bytes(33, 0xff)}})), "bad_key");
    EXPECT_EQ(word(record(own, {{"secp256k1", point}, {"id", v4}})), "not_sorted");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"id", v4}, {"secp256k1", point}})), "not_sorted");
    EXPECT_EQ(word(record(key(2), {{"id", v4}, {"secp256k1", point}})), "bad_signature");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"ip", {1, 2, 3}}, {"secp256k1", point}})), "bad_address");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"secp256k1", point}, {"tcp", {0, 1}}})), "bad_address");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"secp256k1", point}, {"tcp", {1, 1, 1}}})), "bad_address");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"multiaddrs", {0, 9, 4}}, {"secp256k1", point}})), "bad_address");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"rs", {0, 16, 2, 0, 1}}, {"secp256k1", point}})), "bad_shards");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"rs", {0, 16, 1, 4, 0}}, {"secp256k1", point}})), "bad_shards");
    EXPECT_EQ(word(record(own, {{"id", v4}, {"rsv", Bytes(129)}, {"secp256k1", point}})), "bad_shards");
}

TEST(Enr, EveryChangedByteIsNoticed) {
    const crypto::SecretKey own = key();
    const Bytes good = encode_enr(sample(own), own).value();
    for (std::size_t at = 0; at < good.size(); ++at) {
        Bytes bad = good;
        bad[at] ^= 1;
        EXPECT_FALSE(decode_enr(bad)) << at;
    }
    EXPECT_FALSE(decode_enr(ByteView(good).first(good.size() - 1)));
}

TEST(Enr, AddressesThatCannotBeDialledAreLeftOut) {
    const crypto::SecretKey own = key();
    const Bytes quic{0, 8, 4, 127, 0, 0, 1, 0x91, 0x02, 1};  // /ip4/127.0.0.1/udp/..
    const Enr enr = decode_enr(record(own, {{"id", v4}, {"multiaddrs", quic}, {"secp256k1", compressed(own)}})).value();
    EXPECT_TRUE(enr.multiaddrs.empty());
    EXPECT_TRUE(dial_addresses(enr).empty());
}

TEST(Enr, TooManyAddressesAreToldWhenWriting) {
    const crypto::SecretKey own = key();
    Enr enr = sample(own);
    enr.multiaddrs = std::vector<std::string>(9, "/dns4/a-rather-long-name.example.org/tcp/443/wss");
    EXPECT_EQ(encode_enr(enr, own).error().code, Errc::limit);
    enr = sample(own);
    enr.ip4 = "no address";
    EXPECT_EQ(encode_enr(enr, own).error().code, Errc::invalid_argument);
}

TEST(Enr, TextsAreChecked) {
    EXPECT_FALSE(enr_from_text("enr"));
    EXPECT_FALSE(enr_from_text("enr:=="));
    EXPECT_FALSE(enr_from_text("enr:" + std::string(1000, 'A')));
}

TEST(Rlp, OnlyTheShortestFormIsRead) {
    EXPECT_EQ(rlp::read_list(Bytes{0xc0}).value().size(), 0U);
    EXPECT_EQ(rlp::read_list(Bytes{0xc1, 0x05}).value().front().payload.size(), 1U);
    EXPECT_FALSE(rlp::read_list(Bytes{0xc2, 0x81, 0x05}));                    // a byte that stands for itself
    EXPECT_FALSE(rlp::read_list(Bytes{0xf8, 0x01, 0x05}));                    // a long header for a short list
    EXPECT_FALSE(rlp::read_list(Bytes{0xf9, 0x00, 0x38}));                    // leading zero in a length
    EXPECT_FALSE(rlp::read_list(Bytes{0xff, 1, 1, 1, 1, 1, 1, 1, 1}));        // a length beyond all bounds
    EXPECT_FALSE(rlp::read_list(Bytes{0xc2, 0x05}));                          // cut short
    EXPECT_FALSE(rlp::read_list(Bytes{0xc0, 0x00}));                          // something behind it
    EXPECT_FALSE(rlp::read_list(Bytes{0x80}));                                // no list
    EXPECT_FALSE(rlp::read_list({}));
}

TEST(Rlp, LongListsAndNumbers) {
    Bytes members;
    rlp::append_number(members, 0);
    rlp::append_number(members, 0x0123456789abcdef);
    rlp::append_string(members, Bytes(300, 9));
    const Bytes list = rlp::list(members);
    const auto items = rlp::read_list(list).value();
    ASSERT_EQ(items.size(), 3U);
    EXPECT_EQ(rlp::read_number(items[0]).value(), 0U);
    EXPECT_EQ(rlp::read_number(items[1]).value(), 0x0123456789abcdefU);
    EXPECT_EQ(items[2].payload.size(), 300U);
    EXPECT_FALSE(rlp::read_number(items[2]));
}

TEST(Multiaddr, BinaryFormBothWays) {
    for (const char* text : {"/ip4/192.0.2.1/tcp/60000", "/ip6/2001:db8::1/tcp/1", "/dns4/example.org/tcp/443/wss",
                             "/dns/example.org/tcp/80/ws", "/dns6/a/tcp/443/tls/ws"}) {
        EXPECT_EQ(multiaddr_from_bytes(multiaddr_to_bytes(text).value()).value(), text);
    }
    EXPECT_EQ(to_hex(multiaddr_to_bytes("/ip4/127.0.0.1/tcp/60000/ws").value()), "047f00000106ea60dd03");
    for (const char* text : {"", "/", "/ip4", "/ip4/1.2.3", "/tcp/70000", "/udp/1", "/dns4//tcp/1", "ip4/1.2.3.4"}) {
        EXPECT_FALSE(multiaddr_to_bytes(text)) << text;
    }
    EXPECT_EQ(multiaddr_from_bytes(Bytes{0x04, 1, 2}).error().message, "malformed");
    EXPECT_EQ(multiaddr_from_bytes(Bytes{0x36, 5, 'a'}).error().message, "malformed");
    EXPECT_EQ(multiaddr_from_bytes(Bytes{0x36, 2, 'a', '/'}).error().message, "malformed");
    EXPECT_EQ(multiaddr_from_bytes(Bytes{0x91, 0x02, 0, 1}).error().code, Errc::unsupported);
    EXPECT_EQ(multiaddr_from_bytes(Bytes{0xff, 0xff, 0xff, 0xff}).error().message, "malformed");
}

}  // namespace
}  // namespace noroshi::waku
