// test/unit/status/push_test.cpp - push: names, grants and tokens; when which server is asked, and what answers change.
#include "push.hpp"

#include <gmock/gmock.h>

#include "base/crypto/shake.hpp"
#include "outsider.hpp"
#include "push_server.hpp"
#include "pushes.hpp"

namespace noroshi::status::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const crypto::SecretKey user = secret(0x22);
const crypto::SecretKey us = secret(0x11);

TEST(Push, The_name_of_a_user_is_shake_256_of_the_compressed_key) {
    EXPECT_EQ(to_hex(push_name(user.public_key())),
              "0d30ef80c0e4ff4f99b3418e76de21e3478bf2883c5212880f2a904bb7ec41fc94f00703ff85d09ebdcdd4a6a855f9122209c1c317ce30b0f1552413edc0dc22");
}

TEST(Push, An_open_token_and_one_sealed_to_us_are_taken) {
    Bench bench;
    PushServer server(bench, 0x77);
    const PushTarget expected{server.key(), "token", "phone", 1};
    EXPECT_EQ(*judge_push_info(server.info(user, "phone", "token"), user.public_key(), us, std::nullopt), expected);
    const std::vector<crypto::PublicKey> contacts{secret(0x44).public_key(), us.public_key()};
    PushInfo sealed = server.info_for(user, contacts, "phone", "token");
    EXPECT_EQ(*judge_push_info(sealed, user.public_key(), us, std::nullopt), expected);
    // In its own answer a server names nobody.
    sealed.server.clear();
    EXPECT_EQ(*judge_push_info(sealed, user.public_key(), us, server.key()), expected);
}

TEST(Push, What_the_user_did_not_sign_is_refused_with_its_reason) {
    Bench bench;
    PushServer server(bench, 0x77);
    const PushInfo good = server.info(user, "phone", "token");
    const auto word = [](const PushInfo& info, std::optional<crypto::PublicKey> answered_by = std::nullopt) {
        const auto judged = judge_push_info(info, user.public_key(), us, answered_by);
        return judged ? "" : judged.error().message;
    };
    EXPECT_EQ(word(good), "");
    EXPECT_EQ(word(good, secret(0x78).public_key()), "bad_grant");  // another server tells it
    PushInfo bad = good;
    bad.user.pop_back();
    EXPECT_EQ(word(bad), "other_user");
    bad = good;
    bad.access_token = "other";
    EXPECT_EQ(word(bad), "bad_grant");
    bad.access_token.clear();
    EXPECT_EQ(word(bad), "not_allowed");
    bad.access_token.assign(65, 'x');
    EXPECT_EQ(word(bad), "bad_token");
    bad = good;
    bad.server.clear();
    EXPECT_EQ(word(bad), "bad_server");
    bad = good;
    bad.installation_id.clear();
    EXPECT_EQ(word(bad), "bad_installation");
    bad = good;
    bad.grant.resize(10);
    EXPECT_EQ(word(bad), "bad_grant");
    EXPECT_EQ(word(server.info(secret(0x33), "phone", "token")), "other_user");
    EXPECT_EQ(word(server.info_for(user, {secret(0x44).public_key()}, "phone", "token")), "not_allowed");
}

TEST(Push, A_contact_code_keeps_eight_of_what_it_tells) {
    Bench bench;
    PushServer server(bench, 0x77);
    ContactCodeAdvertisement told;
    for (int i = 0; i < 10; ++i) {
        told.push_infos.push_back(server.info_for(user, {us.public_key()}, std::to_string(i), "token"));
    }
    const auto read = decode_payload(15, *encode_payload(told));
    told.push_infos.resize(most_push_infos);
    EXPECT_EQ(std::get<ContactCodeAdvertisement>(*read), told);
}

TEST(Push, Answers_are_bounded_and_other_bytes_are_none) {
    Bytes many;
    for (int i = 0; i < 100; ++i) {
        many = many + field(1, ByteView(Bytes{}));
    }
    EXPECT_EQ(decode_push_query_response(many)->infos.size(), most_push_infos);
    Bytes reports;
    for (int i = 0; i < 100; ++i) {
        reports = reports + field(2, ByteView(Bytes{}));
    }
    EXPECT_EQ(decode_push_response(reports)->reports.size(), most_push_infos);
    EXPECT_EQ(decode_push_response(Bytes{0xFF}).error().message, "malformed");
    EXPECT_EQ(decode_push_query_response(Bytes{0xFF}).error().message, "malformed");
}

/// A daemon that pushes, and its owner.
class PushesTest : public testing::Test {
  protected:
    void SetUp() override {
        daemon.push = true;
        daemon.owners = {owner.key()};
        daemon.start();
        owner.say(owner.request(daemon.key()), daemon.key());
        bench.pass(1s);
        ASSERT_THAT(daemon.told<ContactMade>(), SizeIs(1));
    }
    void tell_code(const std::vector<PushInfo>& infos) {
        ContactCodeAdvertisement code;
        code.push_infos = infos;
        ProtocolMessage message;
        message.installation_id = "phone";
        message.public_message = owner.frame(code);
        SeededRandom random(++codes_);
        Mailbox mailbox(owner.identity, 16, 32, random);
        bench.inject(mailbox.seal_contact_code(encode_protocol_message(message), bench.loop.clock.now())->front());
        bench.settle();
    }
    void alert(const std::string& key, const std::string& text = "alert") {
        ASSERT_TRUE(run(bench.loop.runtime, daemon.messenger->send({key, owner.key(), text, "", std::nullopt})));
        bench.settle();
    }
    std::uint64_t counted(const std::string& word) {
        return daemon.metrics.counter("noroshi_status_push_total", "", {{"result", word}}).value();
    }
    [[nodiscard]] PushInfo info(PushServer& of, std::string installation = "phone", std::string token = "token",
                                std::uint64_t version = 1) const {
        return of.info(owner.identity, std::move(installation), std::move(token), version);
    }

    Bench bench;
    Party& daemon = bench.add(0x11, "noroshi");
    Outsider owner{bench, 0x22, "owner"};
    PushServer server{bench, 0x77};
    PushServer other_server{bench, 0x78};

  private:
    std::uint64_t codes_{0};
};

TEST_F(PushesTest, A_message_wakes_the_device_through_the_server_of_the_contact_code) {
    tell_code({info(server)});
    EXPECT_THAT(server.requests(), IsEmpty());  // an acceptance wakes nobody
    alert("1");
    ASSERT_THAT(server.requests(), SizeIs(1));
    const PushServer::Request request = server.requests()[0];
    EXPECT_NE(request.signer, daemon.key());  // one that stands for nobody
    EXPECT_THAT(request.message_id, SizeIs(32));
    ASSERT_THAT(request.notifications, SizeIs(1));
    const Fields& one = request.notifications[0];
    std::array<std::uint8_t, 64> author{};
    crypto::shake256(as_bytes("0x" + to_hex(daemon.key().uncompressed())), author);
    EXPECT_EQ(one.text(1), "token");
    EXPECT_EQ(to_hex(one.at(2)), to_hex(author));
    EXPECT_EQ(to_hex(one.at(3)), to_hex(push_name(owner.key())));
    EXPECT_EQ(one.text(4), "phone");
    EXPECT_EQ(one.at(5), Bytes{});  // nothing of the message
    EXPECT_EQ(one.numbers.find(6)->second, 1U);
    EXPECT_EQ(to_hex(one.at(7)), to_hex(author));
    EXPECT_THAT(server.questions(owner.key()), IsEmpty());
    server.report(request, PushFault::unknown, true);
    EXPECT_EQ(counted("accepted"), 1U);
    server.report(request, PushFault::internal, false);
    EXPECT_EQ(counted("unasked"), 1U);  // it answered already
    EXPECT_EQ(daemon.messenger->unacknowledged(), 2U);  // the acceptance, too: no delivery follows from it
}

TEST_F(PushesTest, Messages_of_one_minute_are_one_request_more_at_its_end) {
    tell_code({info(server)});
    alert("1");
    bench.pass(10s);
    alert("2");
    alert("3");
    bench.pass(49s);
    EXPECT_THAT(server.requests(), SizeIs(1));
    bench.pass(1s);
    ASSERT_THAT(server.requests(), SizeIs(2));
    EXPECT_NE(server.requests()[0].message_id, server.requests()[1].message_id);
    bench.pass(10min);  // repeats wake nobody
    EXPECT_THAT(server.requests(), SizeIs(2));
}

TEST_F(PushesTest, Without_a_contact_code_servers_are_asked_first) {
    alert("1");
    ASSERT_THAT(server.questions(owner.key()), SizeIs(1));
    const PushServer::Question question = server.questions(owner.key())[0];
    EXPECT_NE(question.signer, daemon.key());
    EXPECT_EQ(to_hex(question.user), to_hex(push_name(owner.key())));
    bench.pass(1s);
    server.answer(question, {info(server)});
    other_server.answer(question, {other_server.info_for(owner.identity, {daemon.key()}, "tablet", "its token")});
    EXPECT_THAT(server.requests(), IsEmpty());  // others may answer yet
    bench.pass(2s);
    ASSERT_THAT(server.requests(), SizeIs(1));
    ASSERT_THAT(other_server.requests(), SizeIs(1));
    EXPECT_EQ(other_server.requests()[0].notifications[0].text(1), "its token");
    bench.pass(23h);
    alert("2");
    EXPECT_THAT(server.requests(), SizeIs(2));
    EXPECT_THAT(server.questions(owner.key()), SizeIs(1));
    bench.pass(1h);
    alert("3");
    EXPECT_THAT(server.questions(owner.key()), SizeIs(2));
    bench.pass(3s);
    EXPECT_THAT(server.requests(), SizeIs(3));  // what was known holds when nobody answers
}

TEST_F(PushesTest, Whom_no_server_knows_is_asked_for_once_an_hour) {
    for (const char* key : {"1", "2", "3"}) {
        alert(key);
        bench.pass(19min);
    }
    EXPECT_THAT(server.questions(owner.key()), SizeIs(1));
    EXPECT_EQ(counted("no_info"), 3U);
    bench.pass(4min);
    alert("4");
    EXPECT_THAT(server.questions(owner.key()), SizeIs(2));
}

TEST_F(PushesTest, A_wrong_token_is_asked_for_anew_and_tried_once_more) {
    tell_code({info(server, "phone", "old")});
    alert("1");
    server.report(server.requests().at(0), PushFault::wrong_token, false);
    EXPECT_EQ(counted("wrong_token"), 1U);
    bench.pass(1min);
    ASSERT_THAT(server.questions(owner.key()), SizeIs(1));
    server.answer(server.questions(owner.key())[0], {info(server, "phone", "new", 2)});
    bench.pass(3s);
    ASSERT_THAT(server.requests(), SizeIs(2));
    EXPECT_EQ(server.requests()[1].notifications[0].text(1), "new");
    EXPECT_EQ(server.requests()[0].message_id, server.requests()[1].message_id);
    server.report(server.requests()[1], PushFault::wrong_token, false);
    bench.pass(5min);
    EXPECT_THAT(server.requests(), SizeIs(2));
}

TEST_F(PushesTest, A_device_that_is_not_registered_is_asked_for_no_more) {
    tell_code({info(server)});
    alert("1");
    server.report(server.requests().at(0), PushFault::not_registered, false);
    bench.pass(1min);
    alert("2");
    bench.pass(1min);
    EXPECT_THAT(server.requests(), SizeIs(1));
    EXPECT_EQ(counted("not_registered"), 1U);
    EXPECT_EQ(counted("no_info"), 1U);
}

TEST_F(PushesTest, A_device_is_woken_through_one_of_its_servers_and_its_later_registration_counts) {
    tell_code({info(server, "phone", "1", 5), info(other_server, "phone", "1", 5)});
    alert("1");
    EXPECT_EQ(server.requests().size() + other_server.requests().size(), 1U);
    tell_code({info(server, "phone", "0", 4)});
    EXPECT_EQ(counted("old_info"), 1U);
    tell_code({info(other_server, "phone", "2", 6)});
    bench.pass(1min);
    const std::size_t before = other_server.requests().size();
    alert("2");
    ASSERT_THAT(other_server.requests(), SizeIs(before + 1));
    EXPECT_EQ(other_server.requests().back().notifications[0].text(1), "2");
}

TEST_F(PushesTest, Answers_of_strangers_change_nothing) {
    alert("1");
    const PushServer::Question question = server.questions(owner.key()).at(0);
    PushServer thief(bench, 0x79);
    thief.answer(question, {info(server)});  // a grant for another server
    EXPECT_EQ(counted("bad_grant"), 1U);
    PushServer::Question other = question;
    other.id = "0x" + std::string(64, '0');
    server.answer(other, {info(server)});
    EXPECT_EQ(counted("unasked"), 1U);
    server.answer(question, {}, false);
    EXPECT_EQ(counted("not_known"), 1U);
    server.answer(question.signer, MessageType::push_notification_response, Bytes{0xFF});
    EXPECT_EQ(counted("malformed"), 1U);
    server.answer(question.signer, MessageType::chat_message, Bytes{});
    EXPECT_EQ(counted("other_type"), 1U);
    bench.pass(1min);
    EXPECT_THAT(server.requests(), IsEmpty());
    EXPECT_THAT(thief.requests(), IsEmpty());
}

TEST_F(PushesTest, An_edit_wakes_nobody_and_a_contact_request_does) {
    tell_code({info(server)});
    alert("1");
    bench.pass(2min);
    ASSERT_TRUE(run(bench.loop.runtime, daemon.messenger->edit("1e", owner.key(), "1", "over")));
    bench.pass(2min);
    EXPECT_THAT(server.requests(), SizeIs(1));
    ASSERT_TRUE(run(bench.loop.runtime, daemon.messenger->request_contact(owner.key(), "add me")));
    bench.settle();
    EXPECT_THAT(server.requests(), SizeIs(2));
}

TEST_F(PushesTest, A_network_that_takes_nothing_loses_the_push_and_not_the_message) {
    tell_code({info(server)});
    daemon.node->offline = true;
    EXPECT_FALSE(run(bench.loop.runtime, daemon.messenger->send({"1", owner.key(), "alert", "", std::nullopt})));
    bench.pass(1s);
    EXPECT_EQ(counted("requested") + counted("not_sent"), 0U);  // nothing was told yet
    daemon.node->offline = false;
    bench.pass(1min);
    EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST(PushesOff, Nobody_is_asked_and_no_topic_is_read) {
    Bench bench;
    Party& daemon = bench.add(0x11, "noroshi");
    Outsider owner{bench, 0x22, "owner"};
    PushServer server{bench, 0x77};
    daemon.owners = {owner.key()};
    daemon.start();
    owner.say(owner.request(daemon.key()), daemon.key());
    EXPECT_THAT(daemon.messenger->content_topics(), SizeIs(2));
    ASSERT_TRUE(run(bench.loop.runtime, daemon.messenger->send({"1", owner.key(), "alert", "", std::nullopt})));
    bench.pass(1min);
    EXPECT_THAT(server.questions(owner.key()), IsEmpty());
}

TEST(PushesOn, At_most_sixteen_users_have_a_key_for_answers) {
    Bench bench;
    Party& daemon = bench.add(0x11, "noroshi");
    daemon.push = true;
    for (std::uint8_t i = 0; i < 20; ++i) {
        daemon.owners.push_back(secret(static_cast<std::uint8_t>(0x40 + i)).public_key());
    }
    daemon.start();
    EXPECT_LE(daemon.messenger->content_topics().size(), 2 + Pushes::most_users + 20);
    EXPECT_GE(daemon.messenger->content_topics().size(), 2 + Pushes::most_users + 19);  // buckets may be shared
}

}  // namespace
}  // namespace noroshi::status::test
