// test/unit/waku/discovery_test.cpp - the peer book, and a node that fills it from DNS, discv5 and other peers.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.hpp"
#include "discovery/discovery.hpp"
#include "discovery/dns_tree.hpp"
#include "fake_host.hpp"
#include "lightpush_rpc.hpp"

namespace noroshi::waku {
namespace {

crypto::SecretKey key(std::uint64_t seed) {
    SeededRandom random(seed);
    return crypto::SecretKey::generate(random);
}

std::string id_of(std::uint64_t seed) { return peer_id_of(key(seed).public_key()); }

Enr relay_node(std::uint64_t seed) {
    Enr out(key(seed).public_key());
    out.sequence = 1;
    out.ip4 = "192.0.2.1";
    out.tcp = static_cast<std::uint16_t>(10'000 + seed);
    out.waku2 = enr_flag::relay;
    out.shards = ShardSet{16, {32}};
    return out;
}
Bytes record(const Enr& enr, std::uint64_t seed) { return encode_enr(enr, key(seed)).value(); }
Bytes record(std::uint64_t seed) { return record(relay_node(seed), seed); }

const TimestampMs start = from_unix_ms(1'700'000'000'000);
constexpr std::chrono::minutes minute{1};

class BookTest : public ::testing::Test {
  protected:
    std::string_view learn(const Enr& enr, std::uint64_t seed) {
        return book_.learn(record(enr, seed), PeerSource::discv5, start);
    }
    PeerBook book_{PeerNeeds{16, {32, 64}, enr_flag::relay}, id_of(99)};
    SeededRandom random_{3};
};

TEST_F(BookTest, OnlyNodesThatCanServeUsAreTakenIn) {
    EXPECT_EQ(learn(relay_node(1), 1), "new");
    EXPECT_EQ(learn(relay_node(1), 1), "known");
    EXPECT_EQ(learn(relay_node(99), 99), "own");
    Enr enr = relay_node(2);
    enr.waku2.reset();
    EXPECT_EQ(learn(enr, 2), "not_waku");
    enr.waku2 = enr_flag::store;
    EXPECT_EQ(learn(enr, 2), "useless");
    enr.waku2 = 0;
    EXPECT_EQ(learn(enr, 2), "useless");
    enr = relay_node(2);
    enr.shards->cluster = 1;
    EXPECT_EQ(learn(enr, 2), "foreign_cluster");
    enr.shards.reset();
    EXPECT_EQ(learn(enr, 2), "foreign_cluster");
    enr.shards = ShardSet{16, {1, 2}};
    EXPECT_EQ(learn(enr, 2), "foreign_shard");
    enr = relay_node(2);
    enr.tcp.reset();
    EXPECT_EQ(learn(enr, 2), "no_address");
    EXPECT_EQ(book_.learn(Bytes{1, 2}, PeerSource::dns, start), "malformed");
    Bytes forged = record(2);
    forged[10] ^= 1;
    EXPECT_EQ(book_.learn(forged, PeerSource::dns, start), "bad_signature");
    EXPECT_EQ(book_.size(), 1U);
}

TEST_F(BookTest, ANewerRecordReplacesTheOlder) {
    Enr enr = relay_node(1);
    enr.sequence = 5;
    EXPECT_EQ(learn(enr, 1), "new");
    enr.sequence = 4;
    enr.tcp = 4;
    EXPECT_EQ(learn(enr, 1), "known");
    enr.sequence = 6;
    enr.tcp = 6;
    EXPECT_EQ(learn(enr, 1), "known");
    EXPECT_EQ(book_.next_to_dial(start, random_)->address, "/ip4/192.0.2.1/tcp/6/p2p/" + id_of(1));
}

TEST_F(BookTest, AFailedPeerWaitsLongerEachTimeAndIsTriedAtItsOtherAddress) {
    Enr enr = relay_node(1);
    enr.multiaddrs = {"/dns4/node.example.org/tcp/1"};
    EXPECT_EQ(learn(enr, 1), "new");
    TimestampMs now = start;
    std::vector<std::string> tried;
    for (const int minutes : {1, 2, 4, 8, 16, 32, 60, 60}) {
        const auto due = book_.next_to_dial(now, random_);
        ASSERT_TRUE(due) << minutes;
        tried.push_back(due->address);
        book_.dial_failed(due->peer, now);
        EXPECT_FALSE(book_.next_to_dial(now + minutes * minute - std::chrono::seconds(1), random_)) << minutes;
        now += minutes * minute;
    }
    EXPECT_NE(tried[0], tried[1]);
    EXPECT_EQ(tried[0], tried[2]);
    EXPECT_EQ(book_.score(id_of(1)), -3 * 8);
}

TEST_F(BookTest, TheBestIsDialledFirstAndAConnectedOneNotAtAll) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        EXPECT_EQ(learn(relay_node(seed), seed), "new");
    }
    book_.connected(id_of(2), start);
    book_.disconnected(id_of(2), start + minute);  // it held
    book_.connected(id_of(3), start);
    book_.disconnected(id_of(3), start + std::chrono::seconds(1));  // it threw us out
    const TimestampMs later = start + std::chrono::hours(2);
    EXPECT_EQ(book_.score(id_of(2)), 1);
    EXPECT_EQ(book_.score(id_of(3)), -3);
    EXPECT_EQ(book_.next_to_dial(later, random_)->peer, id_of(2));
    EXPECT_EQ(book_.next_to_dial(later, random_)->peer, id_of(1));
    EXPECT_EQ(book_.next_to_dial(later, random_)->peer, id_of(3));
    EXPECT_FALSE(book_.next_to_dial(later, random_));
    book_.connected(id_of(2), later);
    EXPECT_NE(book_.next_to_dial(later + std::chrono::hours(2), random_)->peer, id_of(2));
    book_.blame(id_of(2), later);
    EXPECT_EQ(book_.score(id_of(2)), 1 - 10);
}

TEST_F(BookTest, ItsSizeIsBoundedAndBadNodesMakeRoom) {
    std::uint64_t seed = 100;
    for (; book_.size() < PeerBook::capacity; ++seed) {
        ASSERT_EQ(learn(relay_node(seed), seed), "new");
    }
    EXPECT_EQ(learn(relay_node(1), 1), "full");
    book_.dial_failed(id_of(300), start);
    EXPECT_EQ(learn(relay_node(1), 1), "new");
    EXPECT_FALSE(book_.score(id_of(300)));
    EXPECT_EQ(book_.size(), PeerBook::capacity);
}

TEST_F(BookTest, RecordsOfUnreachableNodesAreNotSharedAndReachedOnesComeFirst) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        EXPECT_EQ(learn(relay_node(seed), seed), "new");
    }
    book_.dial_failed(id_of(1), start);
    book_.connected(id_of(3), start);
    EXPECT_EQ(book_.share(10, start), (std::vector<Bytes>{record(3), record(2)}));
    EXPECT_EQ(book_.share(1, start), (std::vector<Bytes>{record(3)}));
    EXPECT_EQ(book_.share(10, start + std::chrono::hours(2)), (std::vector<Bytes>{record(3)}));
}

TEST_F(BookTest, WhatIsSavedIsLoaded) {
    EXPECT_EQ(learn(relay_node(1), 1), "new");
    EXPECT_EQ(learn(relay_node(2), 2), "new");
    book_.connected(id_of(1), start);
    book_.disconnected(id_of(1), start + minute);
    book_.dial_failed(id_of(2), start);
    const std::string text = book_.save();
    EXPECT_FALSE(book_.changed());
    PeerBook other({16, {32}, enr_flag::relay}, id_of(99));
    EXPECT_EQ(other.load(text, start + minute), 2U);
    EXPECT_EQ(other.score(id_of(1)), 1);
    EXPECT_EQ(other.score(id_of(2)), -3);
    PeerBook foreign({1, {32}, enr_flag::relay}, id_of(99));
    EXPECT_EQ(foreign.load(text, start), 0U) << "another network's peers are none of ours";
    PeerBook late({16, {32}, enr_flag::relay}, id_of(99));
    EXPECT_EQ(late.load(text, start + std::chrono::hours(24 * 15)), 0U) << "nobody heard of them for two weeks";
}

TEST_F(BookTest, AFileThatIsNoneIsPassedOver) {
    for (const char* text : {"", "{", "[]", "{\"peers\":3}", "{\"peers\":[3,{},{\"record\":7},{\"record\":\"enr:x\"}]}"}) {
        EXPECT_EQ(book_.load(text, start), 0U) << text;
    }
    std::string odd = book_.save();
    EXPECT_EQ(learn(relay_node(1), 1), "new");
    odd = book_.save();
    odd.replace(odd.find("\"good\": 0"), 9, "\"good\": \"x\"");
    PeerBook other({16, {32}, enr_flag::relay}, id_of(99));
    EXPECT_LE(other.load(odd, start), 1U);
}

class DiscoveryTest : public ::testing::Test {
  protected:
    static NodeConfig config(Mode mode = Mode::relay) {
        NodeConfig out = NodeBench::config();
        out.mode = mode;
        return out;
    }
    std::vector<std::string> dialled() const {
        std::vector<std::string> out;
        for (const auto& dial : bench_.notes.dials) {
            out.push_back(dial.address);
        }
        return out;
    }
    static std::string address(std::uint64_t seed) {
        return "/ip4/192.0.2.1/tcp/" + std::to_string(10'000 + seed) + "/p2p/" + id_of(seed);
    }
    void discovered(std::uint64_t seed) { bench_.event(event::Discovered{enr_to_text(record(seed))}); }

    NodeBench bench_;
};

TEST_F(DiscoveryTest, Discv5BeginsWithOurSignedRecordOnceTheNodeListens) {
    NodeConfig with = config();
    with.listen = {"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws"};
    with.discovery.discv5 = true;
    with.discovery.discv5_address = "127.0.0.1";
    with.discovery.discv5_port = 9001;
    with.discovery.bootstrap = {enr_to_text(record(1))};
    const auto started = bench_.begin(std::move(with));
    bench_.event(event::Listening{"/ip4/127.0.0.1/tcp/60000/p2p/own"});
    bench_.advance(Milliseconds(500));
    EXPECT_TRUE(bench_.notes.discoveries.empty());
    bench_.event(event::Listening{"/ip4/127.0.0.1/tcp/60001/ws/p2p/own"});
    bench_.advance(Milliseconds(1'000));
    ASSERT_EQ(bench_.notes.discoveries.size(), 1U);
    const DiscoveryStart& options = bench_.notes.discoveries.front();
    EXPECT_EQ(options.ip, "127.0.0.1");
    EXPECT_EQ(options.port, 9001);
    EXPECT_EQ(options.bootstrap.size(), 1U);
    const Enr own = decode_enr(enr_from_text(options.record).value()).value();
    EXPECT_EQ(own.key, NodeBench::config().key.public_key());
    EXPECT_EQ(own.ip4, "127.0.0.1");
    EXPECT_EQ(own.tcp, 60000);
    EXPECT_EQ(own.multiaddrs, (std::vector<std::string>{"/ip4/127.0.0.1/tcp/60001/ws"}));
    EXPECT_EQ(own.waku2, enr_flag::relay);
    EXPECT_EQ(own.shards, (ShardSet{16, {32}}));
}

TEST_F(DiscoveryTest, WhatDiscv5FindsIsDialledUntilEnoughPeersServeUs) {
    NodeConfig with = config();
    with.discovery.discv5 = true;
    bench_.start(std::move(with));
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        discovered(seed);
    }
    bench_.event(event::Discovered{"enr:nonsense"});
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(bench_.notes.dials.size(), Discovery::dials_at_once);
    bench_.advance(Milliseconds(5'000));
    EXPECT_EQ(bench_.notes.dials.size(), Discovery::dials_at_once) << "no more at a time";
    for (std::size_t i = 0; i < bench_.notes.dials.size() && i < 20; ++i) {
        const std::string to = bench_.notes.dials[i].address;
        bench_.connect(to.substr(to.find("/p2p/") + 5));
        bench_.advance(Milliseconds(500));
    }
    EXPECT_EQ(bench_.notes.dials.size(), Discovery::wanted_relay);
    EXPECT_EQ(bench_.counter("noroshi_waku_records_total", {{"source", "discv5"}, {"result", "new"}}), 10U);
}

TEST_F(DiscoveryTest, TheCountersOfDiscv5AreShownAndGoOnWithANewHost) {
    NodeConfig with = config();
    with.discovery.discv5 = true;
    bench_.start(std::move(with));
    bench_.advance(Milliseconds(10'500));
    EXPECT_EQ(bench_.notes.discv5_asked, 3) << "every five seconds";
    const auto queries = [this] { return bench_.counter("noroshi_waku_discv5_queries_total"); };
    bench_.event(event::Discv5Counters{4, 7, 2, 5, 1});
    bench_.event(event::Discv5Counters{4, 9, 3, 5, 1});
    EXPECT_EQ(queries(), 3U);
    EXPECT_EQ(bench_.counter("noroshi_waku_discv5_sessions_total"), 9U);
    EXPECT_EQ(bench_.counter("noroshi_waku_discv5_refused_total", {{"reason", "unrecognized"}}), 5U);
    EXPECT_EQ(bench_.counter("noroshi_waku_discv5_refused_total", {{"reason", "unverifiable"}}), 1U);
    EXPECT_EQ(bench_.metrics().gauge("noroshi_waku_discv5_nodes", "").value(), 4);
    bench_.event(event::Discv5Counters{1, 2, 1, 0, 0});  // of the successor of a host that died
    EXPECT_EQ(queries(), 4U);
    EXPECT_EQ(bench_.counter("noroshi_waku_discv5_sessions_total"), 11U);
}

TEST_F(DiscoveryTest, AFoundPeerThatFailsIsNotDialledAtOnceAgain) {
    NodeConfig with = config();
    with.discovery.discv5 = true;
    bench_.start(std::move(with));
    discovered(1);
    bench_.advance(Milliseconds(500));
    ASSERT_EQ(dialled(), std::vector<std::string>{address(1)});
    bench_.event(event::DialError{bench_.notes.dials[0].request, "refused", ""});
    bench_.advance(Milliseconds(50'000));
    EXPECT_EQ(bench_.notes.dials.size(), 1U);
    bench_.advance(Milliseconds(15'000));
    EXPECT_EQ(bench_.notes.dials.size(), 2U);
    bench_.advance(Milliseconds(40'000));  // no answer ever comes: the place is free again
    discovered(2);
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(dialled().back(), address(2));
}

TEST_F(DiscoveryTest, NodeListsOfDnsAreReadAtTheStartAndTriedAgainAfterAFailure) {
    const crypto::SecretKey signer = key(50);
    std::map<std::string, std::string> names;
    const std::string leaf = enr_to_text(record(1));
    const std::string none = "enrtree-branch:";
    const std::string content = "enrtree-root:v1 e=" + tree_hash(leaf) + " l=" + tree_hash(none) + " seq=1";
    names["nodes.example.org"] = content + " sig=" + to_base64url(signer.sign(crypto::keccak256(as_bytes(content))));
    names[tree_hash(leaf) + ".nodes.example.org"] = leaf;
    names[tree_hash(none) + ".nodes.example.org"] = none;
    int asked = 0;
    bench_.look_up_txt = [&](std::string name) -> Task<Result<std::vector<std::string>>> {
        if (++asked == 1) {
            co_return fail(Error{Errc::timeout, "timeout", {}, true});
        }
        co_return std::vector<std::string>{names.at(name)};
    };
    NodeConfig with = config();
    with.discovery.dns = {"enrtree://" + to_base32(signer.public_key().compressed()) + "@nodes.example.org"};
    bench_.start(std::move(with));
    bench_.advance(Milliseconds(59'000));
    EXPECT_TRUE(bench_.notes.dials.empty());
    bench_.advance(Milliseconds(2'000));
    EXPECT_EQ(dialled(), std::vector<std::string>{address(1)});
    EXPECT_TRUE(bench_.notes.discoveries.empty()) << "discv5 was not asked for";
}

TEST_F(DiscoveryTest, AConnectedPeerIsAskedForOthers) {
    NodeConfig with = config();
    with.discovery.peer_exchange = true;
    bench_.start(std::move(with));
    bench_.connect("friend", {std::string(peer_exchange_protocol)});
    bench_.advance(Milliseconds(500));
    ASSERT_EQ(bench_.streams_of(peer_exchange_protocol).size(), 1U);
    const StreamId stream = bench_.streams_of(peer_exchange_protocol).front();
    bench_.answer(stream, encode_peer_exchange_answer({status::ok, "", {record(1), Bytes{1, 2, 3}, record(2)}}));
    bench_.advance(Milliseconds(500));
    std::vector<std::string> dials = dialled();
    std::ranges::sort(dials);
    EXPECT_EQ(dials, (std::vector<std::string>{address(1), address(2)}));
    bench_.advance(Discovery::exchange_hungry);
    EXPECT_EQ(bench_.streams_of(peer_exchange_protocol).size(), 2U) << "asked again while there are too few";
    EXPECT_EQ(bench_.counter("noroshi_waku_records_total", {{"source", "peer_exchange"}, {"result", "malformed"}}), 1U);
}

TEST_F(DiscoveryTest, ALightNodeWantsNodesThatPushAndFilter) {
    NodeConfig with = config(Mode::light);
    with.discovery.discv5 = true;
    bench_.start(std::move(with));
    discovered(1);  // relay alone
    Enr server = relay_node(2);
    server.waku2 = enr_flag::relay | enr_flag::lightpush;
    bench_.event(event::Discovered{enr_to_text(record(server, 2))});
    bench_.advance(Milliseconds(1'000));
    EXPECT_EQ(dialled(), std::vector<std::string>{address(2)});
    EXPECT_EQ(decode_enr(enr_from_text(bench_.notes.discoveries.front().record).value()).value().waku2, 0);
}

TEST_F(DiscoveryTest, AConnectedPeerIsNotDialledWhenItsRecordComes) {
    NodeConfig with = config();
    with.discovery.discv5 = true;
    bench_.start(std::move(with));
    bench_.connect(id_of(1));
    discovered(1);
    discovered(2);
    bench_.advance(Milliseconds(1'000));
    EXPECT_EQ(dialled(), std::vector<std::string>{address(2)});
}

TEST_F(DiscoveryTest, Discv5ThatEndedBeginsAgainAfterAMinute) {
    NodeConfig with = config();
    with.discovery.discv5 = true;
    bench_.start(std::move(with));
    bench_.advance(Milliseconds(500));
    ASSERT_EQ(bench_.notes.discoveries.size(), 1U);
    bench_.event(event::Discv5Failed{"address in use"});
    bench_.advance(Milliseconds(59'000));
    EXPECT_EQ(bench_.notes.discoveries.size(), 1U);
    bench_.advance(Milliseconds(1'500));
    EXPECT_EQ(bench_.notes.discoveries.size(), 2U);
}

TEST_F(DiscoveryTest, TheBookIsRememberedInItsFile) {
    const std::filesystem::path file = std::filesystem::temp_directory_path() / "noroshi-peer-book-test.json";
    std::filesystem::remove(file);
    NodeConfig with = config();
    with.discovery.discv5 = true;
    with.discovery.book_file = file.string();
    {
        NodeBench first;
        NodeConfig same = config();
        same.discovery = with.discovery;
        first.start(std::move(same));
        first.event(event::Discovered{enr_to_text(record(1))});
        first.advance(Milliseconds(500));
    }
    ASSERT_TRUE(std::filesystem::exists(file));
    bench_.start(std::move(with));
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(dialled(), std::vector<std::string>{address(1)});
    std::filesystem::remove(file);
}

TEST_F(DiscoveryTest, AServerOfPeerExchangeGivesWhatItKnowsAndLimitsWhoAsksTooOften) {
    NodeConfig with = config();
    with.discovery.discv5 = true;
    with.services.peer_exchange = true;
    bench_.start(std::move(with));
    discovered(1);
    StreamId next = 1ULL << 32;
    const auto ask = [&](const Bytes& query) {
        const StreamId stream = next++;
        bench_.event(event::StreamIn{stream, "client", std::string(peer_exchange_protocol)});
        bench_.event(event::StreamData{stream, frame(query)});
        FrameReader reader(max_small_frame_bytes);
        const auto answer = decode_peer_exchange_answer(**reader.feed(bench_.notes.streams.at(stream).written));
        bench_.event(event::StreamEnded{stream, StreamEnd::finished, ""});
        return answer.value();
    };
    EXPECT_EQ(ask(encode_peer_exchange_query(5)).records, (std::vector<Bytes>{record(1)}));
    EXPECT_EQ(ask(encode_peer_exchange_query(0)).records.size(), 1U) << "go-waku names no number";
    EXPECT_EQ(ask(encode_peer_exchange_query(UINT64_MAX)).records.size(), 1U);
    EXPECT_EQ(ask(Bytes{9, 9}).code, status::bad_request);
    std::uint32_t code = status::ok;
    for (int i = 0; i < 100 && code == status::ok; ++i) {
        code = ask(encode_peer_exchange_query(1)).code;
    }
    EXPECT_EQ(code, status::rate_limited);
}

TEST_F(DiscoveryTest, FaultsOfTheConfigurationAreNamed) {
    const auto fault = [](auto change) {
        NodeConfig with = config();
        change(with);
        Runtime runtime(0);
        ManualClock clock(start);
        SeededRandom random(1);
        Metrics metrics;
        const auto node = Node::create(std::move(with), HostFactory{}, runtime, clock, random, metrics, Log::none());
        return node ? std::string() : node.error().message;
    };
    EXPECT_NE(fault([](NodeConfig& c) { c.discovery.dns = {"example.org"}; }).find("discovery.dns"), std::string::npos);
    EXPECT_NE(fault([](NodeConfig& c) { c.discovery.bootstrap = {"enr:AA"}; }).find("discovery.bootstrap"), std::string::npos);
    EXPECT_NE(fault([](NodeConfig& c) { c.announce = {"192.0.2.1"}; }).find("announce"), std::string::npos);
}

}  // namespace
}  // namespace noroshi::waku
