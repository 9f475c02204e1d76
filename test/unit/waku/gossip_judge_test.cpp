// test/unit/waku/gossip_judge_test.cpp - the verdicts that are given on the network thread, and what the node is told of.
#include "gossip_judge.hpp"

#include <gtest/gtest.h>

#include "waku/message.hpp"

namespace noroshi::waku {
namespace {

const std::string shard = "/waku/2/rs/16/32";

Bytes message(const std::string& content_topic) {
    WakuMessage out;
    out.payload = {1};
    out.content_topic = content_topic;
    return *encode_message(out);
}

class GossipJudgeTest : public ::testing::Test {
  protected:
    /// Past the one message that is told for the sake of the clock.
    void past_the_sample() { static_cast<void>(judge_.judge(shard, message("/other/1/a/proto"))); }
    std::uint64_t received(const char* result) { return received_by_relay(metrics_, result).value(); }

    ManualClock clock_{from_unix_ms(1'700'000'000'000)};
    Metrics metrics_;
    GossipJudge judge_{{shard}, {"/noroshi/1/alerts/proto"}, clock_, metrics_};
};

TEST_F(GossipJudgeTest, What_nobody_here_reads_is_accepted_and_not_told) {
    past_the_sample();
    const Judgement said = judge_.judge(shard, message("/other/1/a/proto"));
    EXPECT_EQ(said.verdict, Verdict::accept);
    EXPECT_FALSE(said.told);
    EXPECT_EQ(received("accepted"), 1U) << "what is told is counted where it is taken in";
}

TEST_F(GossipJudgeTest, What_is_read_here_is_judged_where_its_room_is_known) {
    const Judgement said = judge_.judge(shard, message("/noroshi/1/alerts/proto"));
    EXPECT_EQ(said.verdict, std::nullopt);
    EXPECT_TRUE(said.told);
}

TEST_F(GossipJudgeTest, What_is_read_may_change) {
    past_the_sample();
    judge_.read({"/other/1/a/proto"});
    EXPECT_EQ(judge_.judge(shard, message("/other/1/a/proto")).verdict, std::nullopt);
    EXPECT_EQ(judge_.judge(shard, message("/noroshi/1/alerts/proto")).verdict, Verdict::accept);
    judge_.read({});
    EXPECT_FALSE(judge_.judge(shard, message("/other/1/a/proto")).told);
}

TEST_F(GossipJudgeTest, A_role_that_keeps_messages_is_told_of_all) {
    past_the_sample();
    judge_.tell_all(true);
    const Judgement said = judge_.judge(shard, message("/other/1/a/proto"));
    EXPECT_EQ(said.verdict, Verdict::accept);
    EXPECT_TRUE(said.told);
    judge_.tell_all(false);
    EXPECT_FALSE(judge_.judge(shard, message("/other/1/a/proto")).told);
}

TEST_F(GossipJudgeTest, One_message_in_a_while_is_told_for_the_sake_of_the_clock) {
    EXPECT_TRUE(judge_.judge(shard, message("/other/1/a/proto")).told);
    EXPECT_FALSE(judge_.judge(shard, message("/other/1/a/proto")).told);
    clock_.advance(GossipJudge::sample_interval);
    EXPECT_TRUE(judge_.judge(shard, message("/other/1/a/proto")).told);
}

TEST_F(GossipJudgeTest, What_is_no_message_is_rejected_and_what_is_of_another_topic_ignored) {
    const Judgement bad = judge_.judge(shard, Bytes{0xff, 0xff});
    EXPECT_EQ(bad.verdict, Verdict::reject);
    EXPECT_FALSE(bad.told);
    EXPECT_EQ(received("rejected"), 1U);
    const Judgement foreign = judge_.judge("/waku/2/rs/16/33", message("/noroshi/1/alerts/proto"));
    EXPECT_EQ(foreign.verdict, Verdict::ignore);
    EXPECT_FALSE(foreign.told);
    EXPECT_EQ(received("foreign_topic"), 1U);
}

}  // namespace
}  // namespace noroshi::waku
