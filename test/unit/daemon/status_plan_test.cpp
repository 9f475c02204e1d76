// test/unit/daemon/status_plan_test.cpp - keys, name and picture of the section status, each fault with its place.
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "config/config.hpp"
#include "plan.hpp"
#include "status_plan.hpp"

namespace noroshi::daemon {
namespace {

class StatusPlanTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("noroshi-status-plan-" +
                                               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    config::Config read(const std::string& text) {
        config::Loaded loaded = config::parse(folder_ / "n.yml", text);
        EXPECT_TRUE(loaded.config) << loaded.errors.front().to_string();
        return std::move(*loaded.config);
    }
    std::string faults(const std::string& text) {
        std::string out;
        for (const Error& error : make_plan(read(text)).errors) {
            out += error.to_string() + "\n";
        }
        const std::string place = folder_.string() + "/";
        for (std::size_t found = out.find(place); found != std::string::npos; found = out.find(place)) {
            out.erase(found, place.size());
        }
        return out;
    }
    void picture(const std::string& name, std::string_view data) {
        ASSERT_TRUE(write_file_atomically(folder_ / name, data, FileMode::world_readable));
    }

    fs::path folder_;
};

std::string receiver(std::string_view to) { return fmt::format("receivers:\n  - name: phone\n    status_configs:\n      - to: {}\n", to); }

crypto::SecretKey some_key() {
    SeededRandom random(5);
    return crypto::SecretKey::generate(random);
}

TEST_F(StatusPlanTest, Every_form_of_a_key_means_the_same_user) {
    const crypto::PublicKey user = some_key().public_key();
    for (const std::string& form : {status::chat_key(user), status::contact_id(user), status::share_url(user)}) {
        const config::Config config = read(receiver(form));
        EXPECT_EQ(faults(receiver(form)), "") << form;
        const Result<crypto::PublicKey> read = status_user_of(config.receivers.at(0).status_configs.at(0));
        ASSERT_TRUE(read) << form;
        EXPECT_EQ(*read, user);
    }
}

TEST_F(StatusPlanTest, A_bad_key_is_told_with_its_place) {
    const std::string told = faults(receiver("zQ3shNoKey"));
    EXPECT_TRUE(told.starts_with("n.yml:4:13: receiver \"phone\": status_configs.to: ")) << told;
    EXPECT_NE(faults(receiver("me.stateofus.eth")), "");
    EXPECT_NE(faults(receiver("\"\"")), "");
}

TEST_F(StatusPlanTest, Two_users_in_one_receiver_are_refused) {
    const std::string key = status::chat_key(some_key().public_key());
    EXPECT_EQ(faults(receiver(key) + "      - to: " + key + "\n"),
              "n.yml:2:11: receiver \"phone\": this version writes to one identity a receiver; expected one entry under "
              "status_configs\n");
}

TEST_F(StatusPlanTest, A_name_that_peers_would_drop_is_refused_with_its_place) {
    const std::string good = receiver(status::chat_key(some_key().public_key()));
    for (const char* name : {"abc", "a name that is much too long for it", "node.eth", "dots.are.none"}) {
        const std::string told = faults(good + "status: {display_name: " + name + "}\n");
        EXPECT_TRUE(told.starts_with("n.yml:5:24: status.display_name: ")) << name << ": " << told;
    }
    EXPECT_EQ(faults(good + "status: {display_name: my-node_1}\n"), "");
    EXPECT_EQ(faults(good + "status: {display_name: ''}\n"), "");
}

TEST_F(StatusPlanTest, A_picture_is_known_by_its_first_bytes) {
    using namespace std::string_view_literals;
    const std::string good = receiver(status::chat_key(some_key().public_key()));
    const std::pair<std::string_view, status::ImageFormat> formats[] = {
        {"\x89PNG\r\n\x1a\nrest"sv, status::ImageFormat::png},
        {"\xff\xd8\xff\xe0rest"sv, status::ImageFormat::jpeg},
        {"RIFF\x10\0\0\0WEBPVP8 "sv, status::ImageFormat::webp},
    };
    for (const auto& [data, format] : formats) {
        picture("me", data);
        const Result<status::MessengerConfig> config =
            make_messenger_config(read(good + "status: {picture: me, ratchet: true}\nwaku: {cluster: 77}\n"), some_key());
        ASSERT_TRUE(config) << config.error().to_string();
        ASSERT_TRUE(config->picture);
        EXPECT_EQ(config->picture->format, format);
        EXPECT_EQ(as_text(config->picture->data), data);
        EXPECT_TRUE(config->ratchet);
        EXPECT_EQ(config->cluster, 77);
        EXPECT_EQ(config->display_name, "noroshi");
    }
    for (const std::string_view data : {"GIF89a"sv, ""sv, "RIFF\x10\0\0\0WAVE"sv, "<svg/>"sv, "\x89PNG"sv}) {
        picture("me", data);
        EXPECT_EQ(faults(good + "status: {picture: me}\n"),
                  "n.yml:5:19: status.picture: expected a PNG, JPEG or WebP picture in me\n");
    }
}

TEST_F(StatusPlanTest, A_picture_that_is_missing_or_too_large_is_told_with_its_place) {
    const std::string good = receiver(status::chat_key(some_key().public_key()));
    EXPECT_EQ(faults(good + "status: {picture: none.png}\n"),
              "n.yml:5:19: status.picture: cannot open none.png: No such file or directory\n");
    std::string data = "\xff\xd8\xff";
    data.resize(max_profile_picture_bytes, 'x');
    picture("large.jpg", data);
    EXPECT_EQ(faults(good + "status: {picture: large.jpg}\n"), "");
    picture("large.jpg", data + "x");
    EXPECT_EQ(faults(good + "status: {picture: large.jpg}\n"),
              "n.yml:5:19: status.picture: large.jpg is larger than 102400 bytes\n");
}

}  // namespace
}  // namespace noroshi::daemon
