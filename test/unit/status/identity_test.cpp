// test/unit/status/identity_test.cpp - chat keys, share URLs, display names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "status/identity.hpp"
#include "text.hpp"
#include "vectors.hpp"

namespace noroshi::status {
namespace {

using namespace test;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string alice_url = "https://status.app/u#zQ3shjyJXUaRJC2GC43mX8aPrUhoTdoiongXhZjsdTzPKYZUM";
// Made by another brotli, at its highest quality, from name "noroshi", a description of two lines and color "#4360df".
const std::string profile_data = "ixaACiwKB25vcm9zaGkSGHdhdGNoZXMgbXkgbm9kZQpub3cgMjQvNxoHIzQzNjBkZgM=";

std::string user_url(std::string_view data, std::string_view end = "#zQ3shjyJXUaRJC2GC43mX8aPrUhoTdoiongXhZjsdTzPKYZUM") {
    return "https://status.app/u/" + std::string(data) + std::string(end);
}
std::string refusal(std::string_view text) {
    const auto user = parse_user(text);
    return user ? "taken" : user.error().message;
}

TEST(Chat_key, Is_the_vector) {
    for (const auto& [name, key] : {std::pair("alice", alice().public_key()), std::pair("bob", bob().public_key())}) {
        EXPECT_EQ(to_hex(key.uncompressed()), vector_text(std::string(name) + ".public_key"));
        EXPECT_EQ(to_hex(key.compressed()), vector_text(std::string(name) + ".compressed_key"));
        EXPECT_EQ(chat_key(key), vector_text(std::string(name) + ".chat_key"));
        EXPECT_EQ(contact_id(key), "0x" + vector_text(std::string(name) + ".public_key"));
    }
}

TEST(Chat_key, Of_every_key_has_one_length_and_start_and_is_read_back) {
    SeededRandom random(1);
    for (int i = 0; i < 200; ++i) {
        const crypto::PublicKey key = crypto::SecretKey::generate(random).public_key();
        EXPECT_EQ(chat_key(key).size(), 49U);
        EXPECT_THAT(chat_key(key), StartsWith("zQ3sh"));
        EXPECT_EQ(parse_user(chat_key(key))->key, key);
    }
}

TEST(Parse_user, Reads_every_form_an_owner_pastes) {
    const crypto::PublicKey key = alice().public_key();
    EXPECT_EQ(share_url(key), alice_url);
    for (const std::string& text : {alice_url, chat_key(key), contact_id(key), user_url(""), user_url("no data"),
                                    "https://status.app/u#name#" + chat_key(key)}) {
        const auto user = parse_user(text);
        ASSERT_TRUE(user) << text << ": " << user.error().message;
        EXPECT_EQ(user->key, key) << text;
        EXPECT_FALSE(user->profile) << text;
    }
}

TEST(Parse_user, Says_what_it_expected) {
    const std::string key = chat_key(alice().public_key());
    EXPECT_THAT(refusal(""), HasSubstr("expected a chat key"));
    EXPECT_THAT(refusal("zQ3sh"), HasSubstr("49 characters, this one has 5"));
    EXPECT_THAT(refusal(key + "a"), HasSubstr("this one has 50"));
    EXPECT_THAT(refusal(key.substr(0, 48) + "0"), HasSubstr("base58"));
    EXPECT_THAT(refusal("zQ3sh" + std::string(44, 'z')), HasSubstr("chat key"));
    EXPECT_THAT(refusal("0x04ab"), HasSubstr("132 characters, this one has 6"));
    EXPECT_THAT(refusal("0x04" + std::string(128, 'f')), HasSubstr("secp256k1"));
    EXPECT_THAT(refusal("0x04" + std::string(128, 'x')), HasSubstr("hex"));
    EXPECT_THAT(refusal("https://status.app/u"), HasSubstr("share URL"));
    EXPECT_THAT(refusal("https://status.app/u/"), HasSubstr("share URL"));
    EXPECT_THAT(refusal("https://status.app/u#"), HasSubstr("share URL"));
    EXPECT_THAT(refusal("https://status.app/user#" + key), HasSubstr("share URL"));
    EXPECT_THAT(refusal("https://status.app/c#" + key), HasSubstr("share URL"));
    EXPECT_THAT(refusal("https://status.app.evil.example/u#" + key), HasSubstr("share URL"));
    EXPECT_THAT(refusal("http://status.app/u#" + key), HasSubstr("share URL"));
    EXPECT_THAT(refusal(std::string(1'000'000, 'z')), HasSubstr("expected a chat key"));
}

TEST(Parse_user, A_mistyped_letter_that_leaves_the_curve_is_seen) {
    const std::string key = chat_key(alice().public_key());
    int refused = 0;
    for (std::size_t i = 5; i < key.size(); ++i) {
        std::string other = key;
        other[i] = other[i] == 'a' ? 'b' : 'a';
        const auto user = parse_user(other);
        EXPECT_TRUE(!user || user->key != alice().public_key());
        refused += user ? 0 : 1;
    }
    EXPECT_GT(refused, 10);  // half of all numbers are no X of a point
}

TEST(Parse_user, Ens_names_are_refused_with_what_to_do) {
    for (const char* text : {"owner.eth", "https://status.app/u#owner.eth", "https://status.app/u/data#owner.stateofus.eth"}) {
        const auto user = parse_user(text);
        ASSERT_FALSE(user);
        EXPECT_EQ(user.error().code, Errc::unsupported);
        EXPECT_THAT(user.error().message, HasSubstr("zQ3sh"));
    }
}

TEST(Share_url, Another_programs_profile_is_read) {
    const auto user = parse_user(user_url(profile_data));
    ASSERT_TRUE(user && user->profile);
    EXPECT_EQ(*user->profile, (SharedProfile{"noroshi", "watches my node\nnow 24/7", "#4360df"}));
    std::string unpadded = profile_data;
    unpadded.resize(unpadded.find('='));
    EXPECT_EQ(parse_user(user_url(unpadded))->profile, user->profile);
}

TEST(Share_url, A_profile_is_read_back) {
    const std::string url = share_url(alice().public_key(), SharedProfile{"noroshi", "two\nlines", "#00aaFF"});
    EXPECT_THAT(url, EndsWith("#" + chat_key(alice().public_key())));
    EXPECT_EQ((url.rfind('#') - std::string_view("https://status.app/u/").size()) % 4, 0U);
    EXPECT_EQ(parse_user(url)->profile, (SharedProfile{"noroshi", "two\nlines", "#00aaFF"}));
    EXPECT_EQ(parse_user(share_url(alice().public_key(), SharedProfile{}))->profile, SharedProfile{});
}

TEST(Share_url, Bad_profile_data_leaves_the_key) {
    for (const std::string& data : {std::string("!!!!"), std::string("AAAA"), profile_data.substr(0, 20), std::string(9000, 'A'),
                                    profile_data + profile_data, "%69" + profile_data}) {
        const auto user = parse_user(user_url(data));
        ASSERT_TRUE(user) << data;
        EXPECT_FALSE(user->profile) << data;
    }
}

TEST(Share_url, A_profile_that_unpacks_to_too_much_is_none) {
    const SharedProfile large{"noroshi", std::string(5000, 'a'), ""};
    const auto user = parse_user(share_url(alice().public_key(), large));
    ASSERT_TRUE(user);
    EXPECT_FALSE(user->profile);
}

TEST(Share_url, What_would_disturb_a_terminal_is_left_out) {
    const SharedProfile evil{"\x1b[2Jname", "a\x1b[2J", "red"};
    EXPECT_EQ(parse_user(share_url(alice().public_key(), evil))->profile, SharedProfile{});
}

TEST(Display_name, Keeps_the_rule_of_the_app) {
    for (const char* name : {"", "noroshi", "a-b_c", "12345", "twenty-four-characters--", "two words", "alert 2 me", "a b c d"}) {
        EXPECT_TRUE(check_display_name(name)) << name;
    }
    const std::vector<std::pair<const char*, const char*>> broken{
        {"four", "5 to 24"},       {"twenty-five-characters---", "5 to 24"},
        {"n\xc3\xb6roshi", "A-Z"}, {"noro.shi", "A-Z"},
        {"tab\tname", "A-Z"},      {"name_eth", "eth"},
        {"name-eth", "eth"},       {"name.eth", "A-Z"},
        {" noroshi", "blank"},     {"noroshi ", "blank"},
        {"     ", "blank"},        {"Bowed Skeletal Baleenwhale", "5 to 24"},
        {"Green Deep Toad", "three words"}, {"green deep  toad", "three words"}};
    for (const auto& [name, rule] : broken) {
        const auto checked = check_display_name(name);
        ASSERT_FALSE(checked) << name;
        EXPECT_EQ(checked.error().code, Errc::invalid_argument);
        EXPECT_THAT(checked.error().message, HasSubstr(rule)) << name;
    }
}

TEST(Shown_name, Takes_what_newer_apps_allow_and_nothing_that_disturbs) {
    EXPECT_EQ(shown_name("  Ђорђе \xc2\xa0"), "Ђорђе");
    EXPECT_EQ(shown_name("abc"), "abc");
    EXPECT_EQ(shown_name(""), "");
    EXPECT_EQ(shown_name(" \t\n"), "");
    EXPECT_EQ(shown_name("\xff"), "");
    EXPECT_EQ(shown_name("a\nb"), "");
    EXPECT_EQ(shown_name("a\xe2\x80\xae" "b"), "");
    EXPECT_EQ(shown_name("a\xc2\x85" "b"), "");
    EXPECT_EQ(shown_name(std::string(25, 'a')), "");
    EXPECT_EQ(shown_name(std::string(5000, ' ')), "");
}

TEST(Text, Counts_code_points_and_trims) {
    EXPECT_EQ(count_code_points("a\xc3\xb6\xe2\x82\xac\xf0\x9f\x94\xa5"), 4U);
    EXPECT_EQ(trim("\xe3\x80\x80 a \xe2\x80\x83" "b\r\n"), "a \xe2\x80\x83" "b");
    EXPECT_EQ(trim("\xe2\x80\xa8"), "");
    EXPECT_EQ(trim(""), "");
}

}  // namespace
}  // namespace noroshi::status
