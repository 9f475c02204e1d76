// test/unit/daemon/status_room_test.cpp - events reach the outbox once, pairings stay, strangers are nobody.
#include "status_room.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fake_messenger.hpp"
#include "fake_node.hpp"
#include "manual_timers.hpp"
#include "run_task.hpp"
#include "status_state.hpp"

namespace noroshi::daemon {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

crypto::SecretKey secret_of(std::uint8_t byte) { return *crypto::SecretKey::from_bytes(Bytes(32, byte)); }
crypto::PublicKey key_of(std::uint8_t byte) { return secret_of(byte).public_key(); }

class StatusRoomTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-status-room-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        open();
    }
    void TearDown() override {
        close();
        std::filesystem::remove_all(folder_);
    }
    void open(bool with_lines = true) {
        store_ = std::move(*store::Store::open(folder_, loop_.runtime.executor(), Log::none()));
        outbox_.emplace(*store_, loop_.timers, loop_.runtime.executor(), loop_.clock, random_, metrics_, Log::none());
        messenger_.emplace(node_, loop_.runtime.executor());
        state_.emplace(secret_of(1), StatusState::Parts{*store_, loop_.timers, loop_.runtime.executor(), random_, Log::none()});
        StatusRoom::Parts parts{*messenger_, *state_, *outbox_, loop_.timers, loop_.runtime.executor(), loop_.clock, Log::none()};
        if (with_lines) {
            parts.on_line = [this](const model::InboundLine& line, const std::string& receiver) {
                lines_.push_back(receiver + ": " + line.text);
            };
        }
        room_.emplace(StatusRoom::Self{key_of(1), "noroshi"}, std::move(parts));
        room_->on_topics([this] { topics_ = room_->topics(); });
        room_->set_receivers(receivers_);
        ASSERT_TRUE(test::run(loop_.runtime, room_->start()));
    }
    void close() {
        test::run(loop_.runtime, room_->stop());
        test::run(loop_.runtime, outbox_->stop());
        test::run(loop_.runtime, state_->stop());
        room_.reset();
        messenger_.reset();
        state_.reset();
        outbox_.reset();
        store_.reset();
    }
    void restart(bool with_lines = true) {
        close();
        open(with_lines);
    }
    /// Until everything that was set off is on disk.
    void settle() {
        for (int turn = 0; turn < 8; ++turn) {
            store::Batch nothing;
            nothing.put_setting("turn", std::to_string(turn));
            EXPECT_TRUE(test::run(loop_.runtime, store_->commit(std::move(nothing))));
            loop_.settle();
        }
    }
    void keep_message(const std::string& id, const std::string& receiver = "phone") {
        store::OutboxRow row;
        row.message.id = id;
        row.message.receiver = receiver;
        row.message.created_at = loop_.clock.now();
        row.state = store::OutboxState::handed_over;
        store::Batch batch;
        batch.put_outbox(std::move(row));
        ASSERT_TRUE(test::run(loop_.runtime, store_->commit(std::move(batch))));
    }
    std::string state_of(const std::string& id) {
        const auto row = test::run(loop_.runtime, store_->find_outbox(id));
        return row && *row ? std::string(store::outbox_state_name((*row)->state)) : "none";
    }
    void happen(const std::string& id, status::EventContent content) {
        messenger_->happen(id, std::move(content));
        settle();
    }
    static status::TextReceived text(std::uint8_t from, std::string what, std::string reply_key = "") {
        return {model::InboundLine{.signer = key_of(from), .text = std::move(what)}, std::move(reply_key)};
    }
    template <class T>
    T run(Task<T> task) {
        return test::run(loop_.runtime, std::move(task));
    }
    std::vector<std::string> contacts() {
        std::vector<std::string> out;
        const Result<api::StatusInfo> info = run(room_->info());
        for (const api::Contact& contact : info->contacts) {
            out.push_back(fmt::format("{} {} {} {}", contact.chat_key == status::chat_key(key_of(2)) ? "owner" : "other",
                                      contact.mutual ? "mutual" : "no", contact.receiver, contact.role));
        }
        return out;
    }

    const std::string other_ = status::chat_key(key_of(3));
    std::vector<StatusReceiver> receivers_{{"phone", key_of(2)}};
    std::filesystem::path folder_;
    test::ManualLoop loop_{from_unix_ms(1'700'000'000'000)};
    test::FakeNode node_{loop_.runtime.executor()};
    SeededRandom random_{1};
    Metrics metrics_;
    std::unique_ptr<store::Store> store_;
    std::optional<deliver::Outbox> outbox_;
    std::optional<StatusState> state_;
    std::optional<test::FakeMessenger> messenger_;
    std::optional<StatusRoom> room_;
    std::vector<std::string> lines_;
    std::vector<std::string> topics_;
};

TEST_F(StatusRoomTest, A_devices_acknowledgement_makes_the_message_delivered_and_the_event_done) {
    keep_message("m1");
    happen("e1", status::Delivered{"m1", key_of(2)});
    EXPECT_EQ(state_of("m1"), "delivered");
    EXPECT_THAT(messenger_->dealt_with, ElementsAre("e1"));
}

TEST_F(StatusRoomTest, Only_the_receiver_of_a_message_delivers_or_answers_it) {
    keep_message("m1");
    keep_message("m2", "tablet");
    happen("e1", status::Delivered{"m1", key_of(3)});
    happen("e2", status::Reacted{key_of(3), "m1", status::Emoji::thumbs_up, false, ""});
    happen("e3", status::Delivered{"m2", key_of(2)});
    happen("e4", text(3, "hello", "m1"));
    EXPECT_EQ(state_of("m1"), "handed_over");
    EXPECT_EQ(state_of("m2"), "handed_over");
    EXPECT_THAT(messenger_->dealt_with, ElementsAre("e1", "e2", "e3", "e4")) << "they don't come again and again";
}

TEST_F(StatusRoomTest, A_reaction_and_a_reply_are_answers) {
    keep_message("m1");
    keep_message("m2");
    keep_message("m3");
    happen("e1", status::Reacted{key_of(2), "m1", status::Emoji::thumbs_up, false, ""});
    happen("e2", text(2, "on it", "m2"));
    happen("e3", status::Reacted{key_of(2), "m3", status::Emoji::sad, true, ""});
    EXPECT_EQ(state_of("m1"), "answered");
    EXPECT_EQ(state_of("m2"), "answered");
    EXPECT_EQ(state_of("m3"), "handed_over") << "a reaction that was taken back is none";
    EXPECT_THAT(lines_, ElementsAre("phone: on it"));
}

TEST_F(StatusRoomTest, An_edit_that_arrives_is_not_the_message_that_arrives) {
    keep_message("m1");
    happen("e1", status::Delivered{"m1.edit", key_of(2)});
    EXPECT_EQ(state_of("m1"), "handed_over");
}

TEST_F(StatusRoomTest, A_text_of_somebody_who_is_no_receiver_has_no_name) {
    happen("e1", text(3, "hello"));
    EXPECT_THAT(lines_, ElementsAre(": hello"));
}

TEST_F(StatusRoomTest, Without_anybody_to_read_them_texts_wait_for_the_daemon) {
    restart(false);
    happen("e1", text(2, "hello"));
    EXPECT_THAT(messenger_->dealt_with, IsEmpty());
}

TEST_F(StatusRoomTest, Receivers_and_pairings_may_write_and_a_reload_changes_the_receivers) {
    EXPECT_THAT(messenger_->allowed, ElementsAre(key_of(2)));
    messenger_->open_requests = {key_of(3)};
    ASSERT_TRUE(run(room_->accept(other_, "operator")));
    EXPECT_THAT(messenger_->allowed, UnorderedElementsAre(key_of(2), key_of(3)));
    receivers_ = {{"tablet", key_of(4)}};
    room_->set_receivers(receivers_);
    EXPECT_THAT(messenger_->allowed, UnorderedElementsAre(key_of(4), key_of(3)));
    restart();
    EXPECT_THAT(messenger_->allowed, UnorderedElementsAre(key_of(4), key_of(3))) << "pairings are on disk";
}

TEST_F(StatusRoomTest, A_pairing_has_a_role_until_it_is_removed) {
    messenger_->open_requests = {key_of(3)};
    ASSERT_TRUE(run(room_->accept(status::share_url(key_of(3)), "operator")));
    EXPECT_THAT(contacts(), UnorderedElementsAre("owner no phone ", "other mutual  operator"));
    restart();
    EXPECT_THAT(contacts(), UnorderedElementsAre("owner no phone ", "other no  operator"));
    EXPECT_TRUE(run(room_->remove(other_))) << "the messenger has forgotten it, the pairing goes all the same";
    EXPECT_THAT(contacts(), ElementsAre("owner no phone "));
    restart();
    EXPECT_THAT(contacts(), ElementsAre("owner no phone "));
    EXPECT_EQ(run(room_->remove(other_)).error().code, Errc::not_found);
}

TEST_F(StatusRoomTest, What_is_no_key_no_role_or_no_request_is_refused) {
    EXPECT_FALSE(run(room_->accept("zQ3shnonsense", "viewer")));
    EXPECT_EQ(run(room_->accept(other_, "admin")).error().code, Errc::invalid_argument);
    EXPECT_EQ(run(room_->accept(other_, "viewer")).error().code, Errc::not_found);
    EXPECT_FALSE(run(room_->request("", "hello")));
    EXPECT_EQ(run(room_->request(status::chat_key(key_of(1)), "hello")).error().code, Errc::invalid_argument);
    EXPECT_FALSE(run(room_->remove("0x04")));
    EXPECT_THAT(contacts(), ElementsAre("owner no phone "));
}

TEST_F(StatusRoomTest, An_acceptance_that_finds_no_network_is_kept) {
    messenger_->open_requests = {key_of(3)};
    node_.refuses = Error{Errc::refused, "no_peers", {}, true};
    EXPECT_TRUE(run(room_->accept(other_, "viewer")));
    EXPECT_THAT(messenger_->allowed, UnorderedElementsAre(key_of(2), key_of(3)));
}

TEST_F(StatusRoomTest, Asking_somebody_lets_them_answer) {
    ASSERT_TRUE(run(room_->request(other_, "hello")));
    ASSERT_EQ(messenger_->asked.size(), 1U);
    EXPECT_EQ(messenger_->asked[0], std::pair(key_of(3), std::string("hello")));
    EXPECT_THAT(messenger_->allowed, UnorderedElementsAre(key_of(2), key_of(3)));
}

TEST_F(StatusRoomTest, Requests_are_seen_once_by_number_newest_of_each_sender) {
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    happen("e1", status::ContactRequested{key_of(3), "Ann", "hello"});
    happen("e2", status::ContactRequested{key_of(4), "Bob", "hi"});
    happen("e3", status::ContactRequested{key_of(3), "Ann", "hello again"});
    const auto all = run(room_->requests(0, 0ms));
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ(all->at(0).name, "Bob");
    EXPECT_EQ(all->at(1).text, "hello again");
    EXPECT_EQ(all->at(1).from, other_);
    EXPECT_TRUE(run(room_->requests(all->at(1).number, 0ms))->empty());
    messenger_->open_requests = {key_of(3)};
    ASSERT_TRUE(run(room_->accept(other_, "viewer")));
    EXPECT_EQ(run(room_->requests(0, 0ms))->size(), 1U);
}

TEST_F(StatusRoomTest, At_most_sixteen_requests_are_kept) {
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    for (std::uint8_t i = 10; i < 40; ++i) {
        messenger_->happen("e" + std::to_string(i), status::ContactRequested{key_of(i), "", ""});
    }
    settle();
    settle();
    EXPECT_EQ(messenger_->dealt_with.size(), 30U);
    EXPECT_EQ(run(room_->requests(0, 0ms))->size(), 16U);
}

Task<void> wait_for_requests(StatusRoom& room, std::vector<std::size_t>& seen) {
    const auto requests = co_await room.requests(0, Milliseconds(60'000));
    seen.push_back(requests ? requests->size() : 999);
}

TEST_F(StatusRoomTest, Everybody_who_waits_for_a_request_hears_of_it) {
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    std::vector<std::size_t> seen;
    TaskGroup tasks(loop_.runtime.executor());
    tasks.spawn("wait", wait_for_requests(*room_, seen));
    tasks.spawn("wait", wait_for_requests(*room_, seen));
    loop_.settle();
    EXPECT_THAT(seen, IsEmpty());
    happen("e1", status::ContactRequested{key_of(3), "Ann", "hello"});
    EXPECT_THAT(seen, ElementsAre(1, 1));
    test::run(loop_.runtime, tasks.stop());
}

TEST_F(StatusRoomTest, A_contact_that_is_made_wakes_those_who_wait_and_the_outbox) {
    std::vector<std::size_t> seen;
    TaskGroup tasks(loop_.runtime.executor());
    tasks.spawn("wait", wait_for_requests(*room_, seen));
    loop_.settle();
    happen("e1", status::ContactMade{key_of(2)});
    EXPECT_THAT(seen, ElementsAre(0));
    test::run(loop_.runtime, tasks.stop());
}

TEST_F(StatusRoomTest, Pairing_is_closed_at_first_and_closes_by_itself) {
    EXPECT_FALSE(messenger_->lets_in);
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    EXPECT_TRUE(messenger_->lets_in);
    EXPECT_TRUE(run(room_->info())->pairing_open);
    happen("e1", status::ContactRequested{key_of(3), "Ann", "hello"});
    loop_.clock.advance(11min);
    EXPECT_FALSE(run(room_->info())->pairing_open);
    ASSERT_TRUE(run(room_->open_pairing(0ms)));
    EXPECT_FALSE(messenger_->lets_in);
    EXPECT_TRUE(run(room_->requests(0, 0ms))->empty());
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    EXPECT_EQ(run(room_->requests(0, 0ms))->at(0).text, "hello") << "who was not answered still asks";
}

TEST_F(StatusRoomTest, Who_asked_before_a_restart_still_asks) {
    messenger_->make_contact(key_of(2));
    messenger_->ask_us(key_of(3), "Ann");
    EXPECT_TRUE(run(room_->requests(0, 0ms))->empty());
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    const auto requests = run(room_->requests(0, 0ms));
    ASSERT_EQ(requests->size(), 1U);
    EXPECT_EQ(requests->at(0).from, other_);
    EXPECT_EQ(requests->at(0).name, "Ann");
}

TEST_F(StatusRoomTest, Nobody_to_hear_is_no_topic_to_listen_to) {
    EXPECT_THAT(topics_, ElementsAre("/waku/1/0x00000001/rfc26"));
    room_->set_receivers({});
    EXPECT_THAT(topics_, IsEmpty());
    ASSERT_TRUE(run(room_->open_pairing(10min)));
    EXPECT_EQ(topics_.size(), 1U);
    ASSERT_TRUE(run(room_->open_pairing(0ms)));
    EXPECT_THAT(topics_, IsEmpty());
}

TEST_F(StatusRoomTest, Health_names_the_receivers_that_are_not_paired) {
    EXPECT_FALSE(room_->health().ok);
    EXPECT_THAT(room_->health().detail, HasSubstr("phone"));
    messenger_->make_contact(key_of(2));
    EXPECT_TRUE(room_->health().ok);
}

TEST_F(StatusRoomTest, A_damaged_pairing_lets_nobody_in) {
    const auto bytes = [](std::string_view text) { return Bytes(text.begin(), text.end()); };
    status::StateWrites writes{{"pairings", key_of(3).to_string(), bytes("{}")},
                               {"pairings", "no key", bytes("1")},
                               {"pairings", key_of(5).to_string(), bytes(R"({"role":"admin","name":""})")},
                               {"pairings", key_of(4).to_string(), bytes(R"({"role":"viewer","name":"Bob"})")}};
    ASSERT_TRUE(run(state_->commit(std::move(writes))));
    restart();
    EXPECT_THAT(messenger_->allowed, UnorderedElementsAre(key_of(2), key_of(4)));
}

}  // namespace
}  // namespace noroshi::daemon
