// test/unit/deliver/outage_test.cpp - six hours without a peer: nothing is lost, nothing is tried in vain all the time.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "../waku/fake_host.hpp"
#include "deliver/waku_channel.hpp"
#include "waku/store_rpc.hpp"

namespace noroshi::deliver {
namespace {

using namespace std::chrono_literals;
using waku::NodeBench;
namespace event = waku::event;

const waku::PeerId peer(NodeBench::static_peer);
constexpr Milliseconds step = 10s;
const std::string just_before(32, 'f');
std::string id_of(int n) { return std::string(30, '0') + (n < 10 ? "0" : "1") + std::to_string(n % 10); }

/// The outbox over a node whose only peer goes away and comes back; the network takes everything while it is there.
class OutageTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / "noroshi-outage-test";
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        store_ = std::move(*store::Store::open(folder_, bench_.runtime().executor(), Log::none()));
        waku::NodeConfig config = NodeBench::config();
        config.peers = {std::string(NodeBench::static_address)};
        bench_.start(std::move(config));
        outbox_ = std::make_unique<Outbox>(*store_, bench_.timers(), bench_.runtime().executor(), bench_.clock(),
                                           bench_.random(), bench_.metrics(), Log::none());
        const WakuChannelConfig to{reader_.public_key(), std::string(NodeBench::shard)};
        outbox_->set_channels({{"phone", make_waku_channel(to, *crypto::SecretKey::from_bytes(Bytes(32, 3)),
                                                           bench_.node(), bench_.clock(), bench_.random())}});
        bench_.node().on_peer_ready([this] { outbox_->retry_now(); });
        outbox_->start();
    }
    void TearDown() override {
        static_cast<void>(bench_.runtime().run(stop()));
        bench_.stop();
        outbox_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    void enqueue(const std::string& id) {
        store::OutboxRow row;
        row.message.id = id;
        row.message.receiver = "phone";
        row.message.title = "t";
        row.message.created_at = bench_.clock().now();
        outbox_->enqueue({row});
    }
    void come() {
        connected_ = true;
        bench_.event(event::Connected{peer, "/ip4/127.0.0.1/tcp/60001", false, 1});
        bench_.event(event::Identified{peer, "agent", {std::string(waku::store_v3_protocol)}});
        bench_.event(event::Subscription{peer, std::string(NodeBench::shard), true});
    }
    void go() {
        connected_ = false;
        bench_.event(event::Closed{peer, "gone", 0});
    }
    /// Lets time pass; the network answers what the host was told.
    void pass(Milliseconds time) {
        for (Milliseconds gone{0}; gone < time; gone += step) {
            // Before time passes, or the node's own deadlines come first.
            for (int quiet = 0; quiet < 4; ++quiet) {
                const std::size_t before = asked_.size() + publishes_;
                answer_all();
                static_cast<void>(bench_.runtime().run(on_disk()));
                quiet = asked_.size() + publishes_ > before ? -1 : quiet;
            }
            bench_.advance(step, step);
        }
    }
    void answer_all() {
        for (; dials_ < bench_.notes.dials.size(); ++dials_) {
            if (!connected_) {
                bench_.event(event::DialError{bench_.notes.dials[dials_].request, "refused", ""});
            }
        }
        for (; publishes_ < bench_.notes.publishes.size(); ++publishes_) {
            const waku::HostNotes::Publish one = bench_.notes.publishes[publishes_];
            if (connected_) {
                note(one.data);
            }
            const auto outcome = connected_ ? waku::PublishOutcome::published : waku::PublishOutcome::no_peers;
            bench_.event(event::Published{one.request, outcome, ""});
        }
        for (const waku::StreamId stream : bench_.streams_of(waku::store_v3_protocol)) {
            if (asked_.insert(stream).second) {
                answer_query(stream);
            }
        }
    }
    void note(const Bytes& data) {
        waku::ReceivedMessage received;
        received.message = *waku::decode_message(data);
        received.hash = waku::message_hash(NodeBench::shard, received.message);
        const auto opened = open_notification(received, reader_);
        ASSERT_TRUE(opened) << opened.error().message;
        taken_[opened->message.id].push_back(opened->sent_at);
        if (!loses_) {
            kept_.insert(received.hash);
        }
    }
    void answer_query(waku::StreamId stream) {
        const Bytes& written = bench_.notes.streams.at(stream).written;
        const auto query = waku::decode_store_query(**waku::FrameReader(waku::max_small_frame_bytes).feed(written));
        ASSERT_TRUE(query);
        waku::StoreAnswer answer;
        answer.request_id = query->request_id;
        for (const crypto::Digest& hash : query->hashes) {
            if (kept_.contains(hash)) {
                answer.entries.push_back({hash, {}, ""});
            }
        }
        bench_.answer(stream, waku::encode_store_answer(answer));
    }

    NodeBench bench_;
    std::unique_ptr<Outbox> outbox_;
    const crypto::SecretKey reader_ = *crypto::SecretKey::from_bytes(Bytes(32, 2));
    std::map<std::string, std::vector<TimestampMs>> taken_;  ///< by message id: when it was sealed
    bool loses_{false};                                      ///< what the peer takes does not reach its store

  private:
    /// Ends when what the outbox wrote is on disk.
    Task<int> on_disk() {
        store::Batch nothing;
        nothing.put_setting("turn", "0");
        EXPECT_TRUE(co_await store_->commit(std::move(nothing)));
        co_return 0;
    }
    Task<int> stop() {
        co_await outbox_->stop();
        co_return 0;
    }
    std::filesystem::path folder_;
    std::unique_ptr<store::Store> store_;
    bool connected_{false};
    std::size_t dials_{0};
    std::size_t publishes_{0};
    std::set<waku::StreamId> asked_;
    std::set<crypto::Digest> kept_;
};

TEST_F(OutageTest, Six_hours_without_the_only_peer_lose_nothing_and_nothing_runs_in_circles) {
    come();
    loses_ = true;
    enqueue(just_before);
    pass(step);
    ASSERT_EQ(taken_.size(), 1U) << "a peer took it, and died with it";
    loses_ = false;
    go();
    const std::size_t dials = bench_.notes.dials.size();
    for (int n = 0; n < 12; ++n) {
        enqueue(id_of(n));
        pass(30min);
        outbox_->retry_now();  // as a reload does
        pass(step);
    }
    const std::size_t redials = bench_.notes.dials.size() - dials;
    EXPECT_GE(redials, 250U) << "it never stops trying";
    EXPECT_LE(redials, 490U) << "once in 45 to 75 s";
    EXPECT_LE(bench_.notes.publishes.size(), 60U);
    EXPECT_EQ(outbox_->waiting(), 12U);
    EXPECT_EQ(outbox_->unconfirmed(), 1U) << "nobody could be asked: that is no answer";

    const TimestampMs back = bench_.clock().now();
    come();
    for (int n = 0; n < 3; ++n) {
        pass(30s);
        outbox_->retry_now();  // the loop's own timers do not know of this clock
    }
    pass(30s);
    EXPECT_EQ(outbox_->waiting(), 0U);
    EXPECT_EQ(outbox_->unconfirmed(), 0U);
    ASSERT_EQ(taken_.size(), 13U);
    for (const auto& [id, sealed] : taken_) {
        EXPECT_EQ(sealed.size(), id == just_before ? 2U : 1U) << id;
        EXPECT_LE(std::chrono::abs(sealed.back() - back), 5min) << id << " carries a fresh time, or stores refuse it";
    }
}

}  // namespace
}  // namespace noroshi::deliver
