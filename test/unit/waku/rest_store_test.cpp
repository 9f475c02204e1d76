// test/unit/waku/rest_store_test.cpp - stores asked through a REST API: what was missed, and whether a message is kept.
#include <gmock/gmock.h>

#include "rest_bench.hpp"

namespace noroshi::waku {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::string v3 = "GET /store/v3/messages";
const std::string v1 = "GET /store/v1/messages";
const RestBench::Reply no_v3{500, R"({"messages":null,"error_message":"no suitable remote peers"})"};
constexpr const char* store_peer =
    R"([{"id":"STORE","multiaddrs":["/ip4/127.0.0.1/tcp/2/p2p/STORE"],"protocols":["/vac/waku/store/2.0.0-beta4"],"connected":true}])";

class RestStoreTest : public ::testing::Test {
  protected:
    void start_catching_up() {
        bench_.start_server();
        RestConfig config = bench_.config();
        config.catch_up = true;
        config.catch_up_window = std::chrono::hours(1);
        bench_.start(std::move(config));
        ASSERT_TRUE(bench_.until([this] { return bench_.ready > 0; }));
    }
    static std::string page(const std::vector<WakuMessage>& messages, const std::string& rest = "") {
        return R"({"messages":)" + RestBench::list(messages) + rest + "}";
    }
    static Published published(std::uint8_t number) {
        const WakuMessage message = RestBench::message(number);
        return {std::string(RestBench::shard), message.content_topic, *message.timestamp_ns,
                message_hash(RestBench::shard, message), {"NODE"}};
    }
    Result<StoreWord> find(Published what) { return test::run(bench_.runtime, bench_.node->find_stored(std::move(what))); }
    std::uint64_t caught_up(const char* result) {
        return bench_.counter("noroshi_waku_catch_ups_total", {{"result", result}});
    }
    RestBench bench_;
};

TEST_F(RestStoreTest, Fetches_what_was_missed_from_the_programs_own_archive) {
    bench_.be_go_waku();
    bench_.replies[v3] = no_v3;
    bench_.replies[v1] = {200, page({})};
    bench_.once[v1] = {{200, page({RestBench::message(1)}, R"(,"cursor":{"senderTime":"1","storeTime":"2","digest":"AQ=="})")},
                       {200, page({RestBench::message(2)})}};
    start_catching_up();
    ASSERT_TRUE(bench_.until([this] { return bench_.received().size() == 2; }));
    EXPECT_THAT(bench_.received(), ElementsAre(RestBench::message(1), RestBench::message(2)));
    EXPECT_EQ(caught_up("ok"), 1U);
    EXPECT_THAT(bench_.bodies[v1], HasSubstr("digest=AQ%3D%3D"));
    EXPECT_THAT(bench_.bodies[v1], Not(HasSubstr("peerAddr")));
}

TEST_F(RestStoreTest, Asks_a_store_among_the_peers_first) {
    bench_.be_go_waku();
    bench_.replies["GET /admin/v1/peers"] = {200, store_peer};
    bench_.replies[v1] = {200, page({RestBench::message(1)})};
    start_catching_up();
    ASSERT_TRUE(bench_.until([this] { return !bench_.received().empty(); }));
    EXPECT_THAT(bench_.bodies[v1], HasSubstr("peerAddr=%2Fip4%2F127.0.0.1%2Ftcp%2F2%2Fp2p%2FSTORE"));
    EXPECT_EQ(bench_.times(v3), 0U);
}

TEST_F(RestStoreTest, A_store_that_appears_is_asked_at_once) {
    bench_.be_go_waku();
    bench_.replies["GET /admin/v1/peers"] = {200, "[]"};
    bench_.replies[v3] = bench_.replies[v1] = no_v3;
    start_catching_up();
    ASSERT_TRUE(bench_.until([this] { return caught_up("no_store") > 0; }));
    bench_.replies["GET /admin/v1/peers"] = {200, store_peer};
    bench_.replies[v1] = {200, page({RestBench::message(1)})};
    ASSERT_TRUE(bench_.until([this] { return !bench_.received().empty(); }));
}

TEST_F(RestStoreTest, What_was_missed_while_the_program_was_away_is_fetched) {
    bench_.be_go_waku();
    bench_.replies[v3] = no_v3;
    bench_.replies[v1] = {200, page({})};
    start_catching_up();
    ASSERT_TRUE(bench_.until([this] { return caught_up("ok") == 1; }));
    bench_.stop_server();
    ASSERT_TRUE(bench_.until([this] { return !bench_.node->problem().empty(); }));
    bench_.replies[v1] = {200, page({RestBench::message(7)})};
    bench_.start_server();
    ASSERT_TRUE(bench_.until([this] { return bench_.received().size() == 1; }));
}

TEST_F(RestStoreTest, A_store_that_repeats_its_cursor_does_not_keep_us) {
    bench_.be_nwaku();
    bench_.replies["GET " + RestBench::relay_path()] = {200, "[]"};
    bench_.replies[v3] = {200, R"({"statusCode":200,"statusDesc":"","messages":[],"paginationCursor":"0xab"})"};
    start_catching_up();
    ASSERT_TRUE(bench_.until([this] { return caught_up("ok") == 1; }));
    EXPECT_EQ(bench_.times(v3), 2U);
    EXPECT_EQ(bench_.times(v1), 0U) << "nwaku has no such endpoint";
}

TEST_F(RestStoreTest, A_named_store_is_an_independent_witness) {
    bench_.be_go_waku();
    bench_.replies["GET /admin/v1/peers"] = {200, store_peer};
    bench_.replies[v1] = {200, page({RestBench::message(1)})};
    bench_.start_ready();
    const Result<StoreWord> word = find(published(1));
    ASSERT_TRUE(word) << word.error().message;
    EXPECT_TRUE(word->found);
    EXPECT_TRUE(word->independent);
    EXPECT_EQ(word->peer, "STORE");
    EXPECT_THAT(bench_.bodies[v1], HasSubstr("startTime=1700000000000000000&endTime=1700000000000000002"));
    const Result<StoreWord> other = find(published(2));
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->found);
    EXPECT_TRUE(other->independent);
}

TEST_F(RestStoreTest, The_programs_own_archive_is_none) {
    bench_.be_go_waku();
    bench_.replies[v3] = no_v3;
    bench_.replies[v1] = {200, page({RestBench::message(1)})};
    bench_.start_ready();
    const Result<StoreWord> word = find(published(1));
    ASSERT_TRUE(word) << word.error().message;
    EXPECT_TRUE(word->found);
    EXPECT_FALSE(word->independent);
    EXPECT_EQ(word->peer, "NODE");
}

TEST_F(RestStoreTest, Version_3_needs_no_data_for_the_answer) {
    bench_.be_nwaku();
    bench_.replies["GET " + RestBench::relay_path()] = {200, "[]"};
    bench_.replies[v3] = {200, R"({"statusCode":200,"statusDesc":"OK","messages":[{"messageHash":"0x)" +
                                   to_hex(published(1).hash) + R"("}]})"};
    bench_.start_ready();
    ASSERT_TRUE(find(published(1))->found);
    EXPECT_FALSE(find(published(2))->found);
    EXPECT_THAT(bench_.bodies[v3], HasSubstr("includeData=false"));
}

TEST_F(RestStoreTest, Nobody_to_ask_is_not_nobody_has_it) {
    bench_.be_go_waku();
    bench_.replies[v3] = bench_.replies[v1] = no_v3;
    bench_.start_ready();
    const Result<StoreWord> word = find(published(1));
    ASSERT_FALSE(word);
    EXPECT_THAT(word.error().message, StartsWith("no_store: "));
    EXPECT_TRUE(word.error().retryable);
    bench_.stop_server();
    ASSERT_TRUE(bench_.until([this] { return !bench_.node->problem().empty(); }));
    EXPECT_THAT(find(published(1)).error().message, StartsWith("host_down: "));
}

}  // namespace
}  // namespace noroshi::waku
