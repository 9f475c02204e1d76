// test/unit/status/messenger_kill_test.cpp - a whole conversation, cut off at each commit in turn: nothing lost, nothing doubled.
#include <gmock/gmock.h>

#include "messenger_bench.hpp"

namespace noroshi::status::test {
namespace {

using namespace std::chrono_literals;
using testing::SizeIs;

constexpr int texts_each = 3;

/// Two who pair and write to each other. Each asks for what it wants again until it has it, as the daemon's outbox does.
class Conversation {
  public:
    explicit Conversation(bool ratchet) : bench(ratchet) {
        daemon.owners = {owner.key()};
        owner.owners = {daemon.key()};
    }
    /// True when all was said within an hour of simulated time.
    bool hold() {
        daemon.start();
        owner.start();
        for (int minute = 0; minute < 360; ++minute) {
            revive();
            if (is_over()) {
                return true;
            }
            push();
            bench.pass(10s);
        }
        return false;
    }
    void expect_each_once() {
        for (Party* party : {&daemon, &owner}) {
            std::vector<std::string> texts = party->texts();
            std::ranges::sort(texts);
            std::vector<std::string> wanted;
            for (int i = 0; i < texts_each; ++i) {
                wanted.push_back("text " + std::to_string(i) + (party == &daemon ? " of owner" : " of daemon"));
            }
            EXPECT_EQ(texts, wanted);
            std::set<std::string> delivered;
            for (const Delivered& one : party->told<Delivered>()) {
                EXPECT_TRUE(delivered.insert(one.key).second) << one.key;
            }
            EXPECT_THAT(delivered, SizeIs(texts_each));
            EXPECT_THAT(party->told<ContactMade>(), SizeIs(1));
            EXPECT_TRUE(party->store.tables["events"].empty());
        }
    }
    Bench bench;
    Party& daemon = bench.add(0x11, "noroshi");
    Party& owner = bench.add(0x22, "owner");

  private:
    void revive() {
        for (Party* party : {&daemon, &owner}) {
            if (party->store.dead) {
                party->restart();
            }
        }
    }
    void push() {
        const auto asked = [&] {
            const auto all = owner.messenger->contacts();
            return std::ranges::any_of(all, &ContactInfo::asked_by_us);
        };
        if (!asked()) {
            static_cast<void>(owner.ask(daemon));
            return;
        }
        if (daemon.is_mutual_with(owner) && owner.is_mutual_with(daemon)) {
            say(daemon, owner, " of daemon");
            say(owner, daemon, " of owner");
        }
    }
    static void say(Party& from, const Party& to, const std::string& suffix) {
        std::set<std::string> delivered;
        for (const Delivered& one : from.told<Delivered>()) {
            delivered.insert(one.key);
        }
        for (int i = 0; i < texts_each; ++i) {
            const std::string key = "key-" + std::to_string(i);
            if (!delivered.contains(key) && !from.store.dead) {
                static_cast<void>(from.send(to, key, "text " + std::to_string(i) + suffix));
            }
        }
    }
    [[nodiscard]] bool is_over() {
        const bool dealt_with = daemon.store.tables["events"].empty() && owner.store.tables["events"].empty();
        return daemon.told<Delivered>().size() == texts_each && owner.told<Delivered>().size() == texts_each && dealt_with &&
               daemon.messenger->unacknowledged() + owner.messenger->unacknowledged() == 0;
    }
};

class KillTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Both, KillTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "ratchet" : "dh"; });

TEST_P(KillTest, Conversation_survives_a_kill_at_every_commit_of_either_side) {
    Conversation whole(GetParam());
    ASSERT_TRUE(whole.hold());
    whole.expect_each_once();
    const std::array<int, 2> commits{whole.daemon.store.commits, whole.owner.store.commits};
    for (std::size_t side = 0; side < 2; ++side) {
        ASSERT_GT(commits[side], 10);
        for (int k = 1; k <= commits[side]; ++k) {
            for (const bool after : {false, true}) {
                if (GetParam() && after == (k % 2 == 0)) {
                    continue;  // topic keys take long: by turns before and after
                }
                SCOPED_TRACE((side == 0 ? "daemon, commit " : "owner, commit ") + std::to_string(k) +
                             (after ? ", after" : ", before"));
                Conversation cut(GetParam());
                Party& victim = side == 0 ? cut.daemon : cut.owner;
                victim.store.kill_at = k;
                victim.store.after = after;
                ASSERT_TRUE(cut.hold());
                cut.expect_each_once();
                if (HasFailure()) {
                    return;
                }
            }
        }
    }
}

}  // namespace
}  // namespace noroshi::status::test
