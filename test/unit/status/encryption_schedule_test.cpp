// test/unit/status/encryption_schedule_test.cpp - random sends, losses, reorderings, kills and days: what is delivered opens.
#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <vector>

#include "encryption_world.hpp"

namespace noroshi::status {
namespace {

using test::TestDevice;

struct InFlight {
    std::size_t from{0};
    Bytes bytes;
    std::string text;
};

/// Devices of two identities, a mailbox of each, and one source of chance.
class Schedule {
  public:
    explicit Schedule(std::uint64_t seed) : random_(seed) {
        devices_.emplace_back(std::uint8_t{0x11}, "alice-1");
        devices_.emplace_back(std::uint8_t{0x22}, "bob-desk");
        devices_.emplace_back(std::uint8_t{0x22}, "bob-phone");
        boxes_.resize(devices_.size());
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
            step();
        }
        while (!testing::Test::HasFatalFailure() && (!boxes_[0].empty() || !boxes_[1].empty() || !boxes_[2].empty())) {
            deliver(random_.below(boxes_.size()));
        }
    }
    std::size_t delivered{0};

  private:
    void step() {
        const std::size_t who = random_.below(devices_.size());
        switch (random_.below(16)) {
            case 0:
            case 1:
            case 2:
            case 3:
            case 4:
                send(who);
                return;
            case 5:  // lost
                if (!boxes_[who].empty()) {
                    take(who, random_.below(boxes_[who].size()));
                }
                return;
            case 6:
                devices_[who].restart();
                return;
            case 7:  // killed after it sealed and before it committed: nothing went out
                killed_sending(who);
                return;
            case 8:  // killed after it opened and before it committed: it comes again
                killed_opening(who);
                return;
            case 9:
                for (TestDevice& device : devices_) {
                    device.now += Milliseconds(static_cast<std::int64_t>(random_.below(6 * 3'600'000)));
                }
                return;
            default:
                deliver(who);
        }
    }

    [[nodiscard]] bool same_identity(std::size_t a, std::size_t b) const {
        return devices_[a].identity() == devices_[b].identity();
    }
    [[nodiscard]] std::size_t other_identity(std::size_t who) const { return who == 0 ? 1 : 0; }

    void send(std::size_t who) {
        const std::string text = "message " + std::to_string(++sent_);
        const Bytes bytes = devices_[who].write(devices_[other_identity(who)], text);
        for (std::size_t to = 0; to < devices_.size(); ++to) {
            if (!same_identity(who, to)) {
                boxes_[to].push_back({who, bytes, text});
            }
        }
    }

    void take(std::size_t who, std::size_t at) {
        boxes_[who].erase(boxes_[who].begin() + static_cast<std::ptrdiff_t>(at));
    }

    void deliver(std::size_t who) {
        if (boxes_[who].empty()) {
            return;
        }
        const std::size_t at = random_.below(boxes_[who].size());
        const InFlight message = boxes_[who][at];
        const bool again = random_.below(8) == 0;
        if (!again) {
            take(who, at);
        }
        const std::string read = devices_[who].read(devices_[message.from], message.bytes);
        if (opened_[who].contains(message.text)) {
            // A repeated message: sealed by a ratchet it is refused, DH-only it opens again.
            ASSERT_TRUE(read.starts_with("refused: ") || read == message.text) << read;
            return;
        }
        // One who sealed before it knew of this device could not write to it.
        if (read == "refused: other_device") {
            ASSERT_FALSE(decode_protocol_message(message.bytes)->encrypted.contains(devices_[who].installation()));
            return;
        }
        ASSERT_EQ(read, message.text) << "delivered to " << devices_[who].installation();
        opened_[who].insert(message.text);
        ++delivered;
    }

    void killed_sending(std::size_t who) {
        StateWrites uncommitted;
        const crypto::PublicKey to = devices_[other_identity(who)].identity();
        static_cast<void>(devices_[who].encryption().seal(to, as_bytes("never sent"), devices_[who].now, uncommitted));
        devices_[who].restart();
    }

    void killed_opening(std::size_t who) {
        if (boxes_[who].empty()) {
            return;
        }
        StateWrites uncommitted;
        const InFlight& message = boxes_[who][random_.below(boxes_[who].size())];
        const crypto::PublicKey from = devices_[message.from].identity();
        static_cast<void>(devices_[who].encryption().open(from, message.bytes, uncommitted));
        devices_[who].restart();
    }

    SeededRandom random_;
    std::deque<TestDevice> devices_;
    std::vector<std::deque<InFlight>> boxes_;
    std::map<std::size_t, std::set<std::string>> opened_;
    std::size_t sent_{0};
};

TEST(Encryption_schedule, What_is_delivered_opens) {
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Schedule schedule(seed);
        schedule.run(300);
        ASSERT_FALSE(HasFatalFailure());
        EXPECT_GT(schedule.delivered, 80U);
    }
}

}  // namespace
}  // namespace noroshi::status
