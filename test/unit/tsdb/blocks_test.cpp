// test/unit/tsdb/blocks_test.cpp - blocks beside the head, over restarts, kills, damage, retention and the cap.
#include <set>

#include "disk_fixture.hpp"

namespace noroshi::tsdb {
namespace {

class BlocksTest : public DiskTest {
  protected:
    /// Runs the clock from `from` to `to` (hours) with samples every minute, as the daemon does it.
    void live(std::int64_t from, std::int64_t to) {
        for (std::int64_t t = from; t < to; ++t) {
            fill(t * hour, (t + 1) * hour);
            maintain((t + 1) * hour);
        }
    }
    /// What `live` appended in [from, to) hours.
    static std::string expected(std::int64_t from, std::int64_t to) {
        std::string out;
        for (int i = 0; i < 3; ++i) {
            out += name(i).to_string();
            for (std::int64_t t = from * hour; t < to * hour; t += 60) {
                const Value put = value(i, t);
                out += fmt::format(" {}@{}", text(put.histogram, put.number), t);
            }
            out += "\n";
        }
        return out;
    }
    void flip(const std::string& file, std::size_t byte) {
        std::string content = read(options_.folder / file);
        content.at(byte) = static_cast<char>(content.at(byte) ^ 0x10);
        write(options_.folder / file, content);
    }
};

TEST_F(BlocksTest, Old_chunks_go_to_a_block_and_the_log_gets_shorter) {
    open(0);
    live(0, 4);
    EXPECT_EQ(head_->disk_stats().blocks, 1);
    EXPECT_LE(head_->stats().samples, 3u * 60 * 2);
    EXPECT_EQ(all(*head_), expected(0, 4));
    live(4, 6);
    EXPECT_EQ(head_->disk_stats().blocks, 2);
    EXPECT_EQ(all(*head_), expected(0, 6));
    EXPECT_EQ(files(".wal").front(), "00000002.wal") << "the first segment is in blocks by now";
    EXPECT_EQ(head_->disk_stats().oldest, at(0));
}

TEST_F(BlocksTest, A_restart_has_blocks_and_head_without_doubles) {
    open(0);
    live(0, 6);
    open(6 * hour);
    EXPECT_EQ(all(*head_), expected(0, 6));
    EXPECT_LE(head_->disk_stats().replayed_samples, 3u * 60 * 2) << "what is in a block is not replayed";
    live(6, 9);
    open(9 * hour);
    EXPECT_EQ(all(*head_), expected(0, 9));
    EXPECT_EQ(logged_, "");
}

TEST_F(BlocksTest, Selects_over_the_borders_of_blocks) {
    open(0);
    live(0, 7);
    ASSERT_EQ(head_->disk_stats().blocks, 1) << "three were merged";
    live(7, 10);
    ASSERT_EQ(head_->disk_stats().blocks, 2);
    const auto part = [this](std::int64_t from, std::int64_t to) {
        std::string out;
        for (std::int64_t t = from / 60 * 60; t <= to; t += 60) {
            out += t > from ? fmt::format(" {}@{}", static_cast<double>(t), t) : "";
        }
        const std::string answer = all(*head_, from, to);
        EXPECT_EQ(answer.substr(0, answer.find('\n')), name(0).to_string() + out);
    };
    part(6 * hour - 120, 6 * hour + 60);
    part(6 * hour - 60, 6 * hour);
    part(8 * hour - 180, 8 * hour + 180);
    part(8 * hour, 8 * hour + 60);
    part(1 * hour, 10 * hour - 60);
    EXPECT_EQ(all(*head_, 20 * hour, 21 * hour), "");
}

TEST_F(BlocksTest, Blocks_are_merged_into_longer_ones) {
    open(0);
    live(0, 60);
    EXPECT_LE(head_->disk_stats().blocks, 5) << "of thirty";
    EXPECT_EQ(all(*head_), expected(0, 60));
    EXPECT_EQ(files(".block").size(), head_->disk_stats().blocks);
    open(60 * hour);
    EXPECT_EQ(all(*head_), expected(0, 60));
}

TEST_F(BlocksTest, Late_samples_of_a_new_series_overlap_a_block) {
    open(0);
    live(0, 6);
    for (std::int64_t t = 0; t < 2 * hour; t += 600) {
        put({{"__name__", "late"}}, t, 1);
    }
    const std::string before = all(*head_);
    EXPECT_EQ(count(before), 3u * 60 * 6 + 12);
    live(6, 8);
    EXPECT_EQ(count(all(*head_)), 3u * 60 * 8 + 12);
    open(8 * hour);
    EXPECT_EQ(count(all(*head_)), 3u * 60 * 8 + 12);
}

TEST_F(BlocksTest, A_series_that_ended_is_found_in_its_block_and_does_not_count_as_live) {
    options_.max_series = 4;
    open(0);
    put({{"__name__", "ended"}}, 0, 1);
    live(0, 6);
    EXPECT_EQ(head_->stats().series, 3);
    EXPECT_TRUE(head_->open_series({{"__name__", "one_more"}}));
    EXPECT_FALSE(head_->open_series({{"__name__", "ended"}}));
    EXPECT_THAT(all(*head_), testing::HasSubstr("ended 1@0"));
}

TEST_F(BlocksTest, Retention_drops_whole_blocks) {
    options_.retention = std::chrono::hours(10);
    open(0);
    live(0, 24);
    const std::string kept = all(*head_);
    EXPECT_EQ(all(*head_, 14 * hour - 60), expected(14, 24));
    EXPECT_LE(count(kept), 3u * 60 * 13);
    EXPECT_GE(count(kept), 3u * 60 * 10);
    EXPECT_EQ(files(".block").size(), head_->disk_stats().blocks);
    maintain(100 * hour);
    EXPECT_EQ(all(*head_), "");
    EXPECT_TRUE(files(".block").empty());
    EXPECT_EQ(head_->stats().series, 0);
}

TEST_F(BlocksTest, The_cap_drops_the_oldest) {
    open(0);
    live(0, 12);
    const std::uint64_t all_bytes = head_->disk_stats().bytes;
    options_.max_bytes = all_bytes - 1;
    open(12 * hour);
    maintain(12 * hour);
    EXPECT_LE(head_->disk_stats().bytes, options_.max_bytes);
    const std::string kept = all(*head_);
    EXPECT_EQ(all(*head_, 11 * hour, 12 * hour).size() > 0, true);
    EXPECT_LT(count(kept), 3u * 60 * 12);
    EXPECT_THAT(logged_, testing::HasSubstr("storage.max_bytes"));
    options_.max_bytes = 1;
    open(12 * hour);
    maintain(12 * hour);
    EXPECT_TRUE(files(".block").empty());
    EXPECT_TRUE(files(".wal").empty());
}

TEST_F(BlocksTest, A_flipped_bit_anywhere_in_a_block_costs_a_chunk_or_the_block_and_never_a_wrong_value) {
    open(0);
    live(0, 6);
    const std::string right = all(*head_);
    std::set<std::string> samples;
    std::stringstream words(right);
    for (std::string word; words >> word;) {
        samples.insert(word);
    }
    head_.reset();
    const std::string file = files(".block").front();
    const std::size_t size = read(options_.folder / file).size();
    for (std::size_t byte = 0; byte < size; byte += 7) {
        const fs::path folder = copy("flipped");
        std::string content = read(folder / file);
        content[byte] = static_cast<char>(content[byte] ^ (1 << (byte % 8)));
        write(folder / file, content);
        const std::unique_ptr<Head> head = opened(folder, 6 * hour);
        const std::string answer = all(*head);
        EXPECT_LT(count(answer), count(right)) << byte;
        EXPECT_GE(count(answer), 3u * 60 * 4) << "the rest is whole, byte " << byte;
        std::stringstream got(answer);
        for (std::string word; got >> word;) {
            ASSERT_TRUE(samples.contains(word)) << word << " is no sample, byte " << byte;
        }
        head->drop_expired(at(6 * hour));
        ASSERT_TRUE(head->flush());
        head->drop_expired(at(6 * hour));
        EXPECT_TRUE(fs::exists(folder / (file + ".damaged"))) << byte;
        EXPECT_EQ(head->disk_stats().damaged_parts, 1) << byte;
        EXPECT_EQ(all(*head), answer) << byte;
    }
    EXPECT_THAT(logged_, testing::HasSubstr(file));
}

TEST_F(BlocksTest, A_kill_after_any_step_loses_nothing_that_was_flushed) {
    std::set<std::string> steps;
    std::string flushed;
    std::int64_t now = 0;
    std::size_t kills = 0;
    bool looking = false;
    options_.after_step = [&](std::string_view step) {
        if (!looking) {
            return;
        }
        steps.insert(std::string(step.substr(0, step.find(' '))));
        EXPECT_EQ(all(*opened(copy("killed"), now)), flushed) << "after " << step << " at hour " << now / hour;
        ++kills;
    };
    open(0);
    for (std::int64_t t = 0; t < 21; ++t) {
        fill(t * hour, (t + 1) * hour, 600);
        ASSERT_TRUE(head_->flush());
        now = (t + 1) * hour;
        flushed = all(*head_);
        looking = true;
        maintain(now);
        looking = false;
    }
    EXPECT_EQ(steps, (std::set<std::string>{"append", "create", "remove", "rename", "sync"}));
    EXPECT_GT(kills, 50);
    fmt::print("{} kills\n", kills);
}

TEST_F(BlocksTest, Kills_in_the_log_leave_a_prefix) {
    std::string before;
    options_.after_step = [&](std::string_view step) {
        const std::string after = all(*opened(copy("killed"), hour));
        EXPECT_GE(count(after), count(before)) << step;
        EXPECT_EQ(count(after) % 3, 0) << step;
    };
    open(0);
    for (int i = 0; i < 4; ++i) {
        before = all(*head_);
        fill(i * 60, (i + 1) * 60);
        ASSERT_TRUE(head_->flush());
    }
}

TEST_F(BlocksTest, A_kill_between_a_merge_and_the_removal_of_its_sources_doubles_nothing) {
    open(0);
    live(0, 6);
    const fs::path sources = copy("sources");
    live(6, 7);
    ASSERT_EQ(head_->disk_stats().blocks, 1);
    head_.reset();
    for (const auto& entry : fs::directory_iterator(sources)) {
        if (entry.path().extension() == ".block") {
            fs::copy(entry.path(), options_.folder / entry.path().filename());
        }
    }
    ASSERT_GT(files(".block").size(), 1u);
    open(7 * hour);
    EXPECT_EQ(all(*head_), expected(0, 7));
    EXPECT_EQ(files(".block").size(), 1u);
}

TEST_F(BlocksTest, Names_and_values_of_labels) {
    open(0);
    put({{"__name__", "old"}, {"zone", "a"}}, 0, 1);
    live(0, 6);
    put({{"__name__", "new"}, {"host", "b"}}, 6 * hour, 1);
    using Texts = std::vector<std::string>;
    EXPECT_EQ(head_->label_names({}, at(-1), at(7 * hour)), (Texts{"__name__", "host", "i", "zone"}));
    EXPECT_EQ(head_->label_names({}, at(5 * hour), at(7 * hour)), (Texts{"__name__", "host", "i"}));
    EXPECT_EQ(head_->label_values("__name__", {}, at(-1), at(7 * hour)), (Texts{"m", "new", "old"}));
    EXPECT_EQ(head_->label_values("i", std::vector{*model::Matcher::create(model::MatchOp::not_equal, "i", "1")}, at(-1),
                                  at(7 * hour)),
              (Texts{"0", "2"}));
    EXPECT_EQ(head_->label_values("none", {}, at(-1), at(7 * hour)), Texts{});
}

}  // namespace
}  // namespace noroshi::tsdb
