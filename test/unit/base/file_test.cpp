// test/unit/base/file_test.cpp - files are whole or not there, and secrets are their owner's.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"

namespace noroshi {
namespace {

class FileTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("noroshi-file-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    static unsigned mode(const fs::path& path) {
        struct stat about {};
        EXPECT_EQ(::stat(path.c_str(), &about), 0);
        return about.st_mode & 0777U;
    }
    fs::path folder_;
};

TEST_F(FileTest, A_write_replaces_the_whole_file_and_leaves_nothing_else) {
    const fs::path file = folder_ / "a";
    ASSERT_TRUE(write_file_atomically(file, "one", FileMode::owner_only));
    ASSERT_TRUE(write_file_atomically(file, "two", FileMode::owner_only));
    EXPECT_EQ(*read_file(file, 100), "two");
    EXPECT_EQ(mode(file), 0600);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FileTest, Reads_no_more_than_its_limit) {
    ASSERT_TRUE(write_file_atomically(folder_ / "a", std::string(101, 'x'), FileMode::world_readable));
    EXPECT_EQ(read_file(folder_ / "a", 100).error().code, Errc::limit);
    EXPECT_EQ(read_file(folder_ / "none", 100).error().code, Errc::not_found);
}

TEST_F(FileTest, Reads_no_folder_and_no_endless_device) {
    EXPECT_FALSE(read_file(folder_, 100));
    EXPECT_FALSE(read_file("/dev/zero", 100));
}

TEST_F(FileTest, A_file_that_others_can_read_is_not_private) {
    ASSERT_TRUE(write_file_atomically(folder_ / "key", "k", FileMode::owner_only));
    EXPECT_TRUE(require_private_file(folder_ / "key"));
    fs::permissions(folder_ / "key", fs::perms(0640));
    EXPECT_EQ(require_private_file(folder_ / "key").error().code, Errc::refused);
}

TEST_F(FileTest, A_secret_is_read_only_where_others_cannot) {
    const fs::path file = folder_ / "key";
    ASSERT_TRUE(write_file_atomically(file, "secret\n", FileMode::owner_only));
    EXPECT_EQ(read_secret_file(file, 7)->expose_text(), "secret\n");
    EXPECT_EQ(read_secret_file(file, 6).error().code, Errc::limit);
    fs::permissions(file, fs::perms(0440));
    EXPECT_EQ(read_secret_file(file, 100).error().code, Errc::refused);
    EXPECT_TRUE(read_secret_file(file, 100, true));
    fs::permissions(file, fs::perms(0404));
    EXPECT_EQ(read_secret_file(file, 100, true).error().code, Errc::refused);
    EXPECT_EQ(read_secret_file(folder_, 100).error().code, Errc::refused);
    EXPECT_EQ(read_secret_file("/dev/zero", 100).error().code, Errc::refused);
    EXPECT_EQ(read_secret_file(folder_ / "none", 100).error().code, Errc::not_found);
    EXPECT_EQ(read_secret_file(file / "below", 100).error().code, Errc::io);
}

TEST_F(FileTest, A_private_folder_is_made_for_the_owner_alone) {
    ASSERT_TRUE(make_private_folder(folder_ / "x" / "y"));
    EXPECT_EQ(mode(folder_ / "x" / "y"), 0700);
}

TEST_F(FileTest, Patterns_give_files_in_order) {
    for (const char* name : {"b.yml", "a.yml", "c.txt"}) {
        ASSERT_TRUE(write_file_atomically(folder_ / name, "", FileMode::world_readable));
    }
    EXPECT_EQ(glob_files(folder_, "*.yml"), (std::vector<fs::path>{folder_ / "a.yml", folder_ / "b.yml"}));
}

TEST(Log, Writes_one_line_an_event_and_quotes_what_needs_it) {
    std::vector<std::string> lines;
    const Log log = Log::to([&lines](std::string_view line) { lines.emplace_back(line); }, LogLevel::info).named("part");
    log.info("happened", {{"count", 3}, {"text", "a \"b\"\nc"}, {"plain", "x/y"}});
    log.debug("not_wanted");
    ASSERT_EQ(lines.size(), 1);
    EXPECT_NE(lines[0].find("event=happened count=3 text=\"a \\\"b\\\"\\nc\" plain=x/y"), std::string::npos) << lines[0];
    EXPECT_EQ(lines[0].find('\n'), std::string::npos);
}

TEST(Metrics, Are_exposed_in_order_with_escaped_labels) {
    Metrics metrics;
    metrics.counter("b_total", "Help with \\ and\nnewline.", {{"l", "a\"b\\c\n"}}).add(2);
    metrics.gauge("a", "A gauge.").set(1.5);
    EXPECT_EQ(metrics.expose(),
              "# HELP a A gauge.\n# TYPE a gauge\na 1.5\n# HELP b_total Help with \\\\ and\\nnewline.\n# TYPE b_total counter\n"
              "b_total{l=\"a\\\"b\\\\c\\n\"} 2\n");
}

TEST(Metrics, A_label_with_endless_values_ends_in_one_series) {
    Metrics metrics;
    for (int i = 0; i < 5000; ++i) {
        metrics.counter("a_total", "", {{"peer", std::to_string(i)}}).add();
    }
    const std::string text = metrics.expose();
    EXPECT_LT(std::ranges::count(text, '\n'), 1100);
    EXPECT_NE(text.find("overflow=\"true\"} 4000"), std::string::npos);
}

}  // namespace
}  // namespace noroshi
