// test/unit/tsdb/wal_test.cpp - what was flushed is there after a restart; what is torn or damaged costs only itself.
#include "disk_fixture.hpp"
#include "wal_format.hpp"

namespace noroshi::tsdb {
namespace {

class WalTest : public DiskTest {
  protected:
    /// Five batches of ten minutes each, one segment.
    std::string five_batches() {
        open(0);
        for (int i = 0; i < 5; ++i) {
            fill(i * 600, (i + 1) * 600);
            EXPECT_TRUE(head_->flush());
        }
        return read(options_.folder / "00000001.wal");
    }
    /// Counts what is read.
    struct Counting final : WalSink {
        void series(std::uint64_t, model::Labels) override { ++definitions; }
        void sample(std::uint64_t, std::int64_t, const Value&) override { ++samples; }
        std::size_t definitions{0};
        std::size_t samples{0};
    };
};

TEST_F(WalTest, A_restart_keeps_everything) {
    open(0);
    fill(0, 600);
    put({{"__name__", "stale"}}, 600, model::stale_marker());
    const std::string before = all(*head_);
    open(601);
    EXPECT_EQ(all(*head_), before);
    EXPECT_EQ(head_->disk_stats().replayed_samples, 31);
    fill(660, 900);
    const std::string more = all(*head_);
    open(901);
    EXPECT_EQ(all(*head_), more);
    EXPECT_EQ(logged_, "");
}

TEST_F(WalTest, A_kill_keeps_what_was_flushed) {
    open(0);
    fill(0, 600);
    ASSERT_TRUE(head_->flush());
    const std::string flushed = all(*head_);
    fill(600, 660);
    EXPECT_EQ(all(*opened(copy("killed"), 660)), flushed);
}

TEST_F(WalTest, The_writer_flushes_by_itself) {
    options_.flush_every = Milliseconds(1);
    open(0);
    fill(0, 60);
    while (head_->disk_stats().log_written_bytes == 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(count(all(*opened(copy("killed"), 60))), 3);
}

TEST_F(WalTest, The_order_of_samples_is_still_asked_for_after_a_restart) {
    open(0);
    fill(0, 120);
    open(121);
    const SeriesId id = *head_->open_series(name(0));
    EXPECT_EQ(head_->append(id, at(59), 1).error().code, Errc::conflict);
    EXPECT_EQ(head_->append(id, at(60), 1).error().code, Errc::conflict);
    EXPECT_TRUE(head_->append(id, at(60), 60));
}

TEST_F(WalTest, A_segment_cut_at_any_byte_gives_its_whole_batches) {
    const std::string whole = five_batches();
    head_.reset();
    Counting complete;
    ASSERT_EQ(scan_wal(whole, complete).damaged_parts, 0);
    std::size_t last = 0;
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        Counting seen;
        const WalScan scan = scan_wal(std::string_view(whole).substr(0, length), seen);
        EXPECT_EQ(scan.damaged_parts, 0) << length;
        EXPECT_EQ(seen.samples % 30, 0) << length;
        EXPECT_GE(seen.samples, last);
        last = seen.samples;
    }
    EXPECT_EQ(last, 150);
    write(options_.folder / "00000001.wal", whole.substr(0, whole.size() - 5));
    EXPECT_EQ(count(all(*opened(options_.folder, 3000))), 120);
    EXPECT_THAT(logged_, testing::HasSubstr("log_ends_early"));
    EXPECT_TRUE(files(".damaged").empty());
}

TEST_F(WalTest, A_flipped_bit_costs_at_most_its_batch) {
    const std::string whole = five_batches();
    head_.reset();
    for (std::size_t byte = 0; byte < whole.size(); byte += 3) {
        std::string flipped = whole;
        flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << (byte % 8)));
        Counting seen;
        const WalScan scan = scan_wal(flipped, seen);
        EXPECT_GE(seen.samples, 120) << byte;
        EXPECT_GE(scan.damaged_parts + scan.torn_bytes, 1) << byte;
    }
}

TEST_F(WalTest, A_damaged_segment_is_kept_aside_named_and_met_once) {
    std::string content = five_batches();
    head_.reset();
    const std::size_t third = content.size() / 2;
    content[third] = static_cast<char>(content[third] ^ 1);
    write(options_.folder / "00000001.wal", content);
    open(3000);
    EXPECT_EQ(count(all(*head_)), 120);
    EXPECT_EQ(head_->disk_stats().damaged_parts, 1);
    EXPECT_EQ(files(".damaged"), std::vector<std::string>{"00000001.wal.damaged"});
    EXPECT_EQ(read(options_.folder / "00000001.wal.damaged"), content);
    EXPECT_THAT(logged_, testing::HasSubstr("00000001.wal"));
    const std::string kept = all(*head_);
    open(3001);
    EXPECT_EQ(all(*head_), kept);
    EXPECT_EQ(head_->disk_stats().damaged_parts, 0);
}

TEST_F(WalTest, A_file_that_is_no_segment_is_set_aside) {
    open(0);
    head_.reset();
    write(options_.folder / "00000007.wal", std::string(5000, 'x'));
    write(options_.folder / "00000008.wal", "");
    open(0);
    fill(0, 60);
    EXPECT_EQ(files(".damaged"), std::vector<std::string>{"00000007.wal.damaged"});
    open(60);
    EXPECT_EQ(count(all(*head_)), 3);
}

TEST_F(WalTest, A_disk_that_refuses_is_counted_and_memory_serves) {
    open(0);
    fill(0, 60);
    ASSERT_TRUE(head_->flush());
    fs::rename(options_.folder, root_ / "away");
    write(options_.folder, "in the way");
    // The segment's own file is still open: the next one can't be made.
    head_->drop_expired(at(3 * hour));
    fill(3 * hour, 3 * hour + 60);
    EXPECT_FALSE(head_->flush());
    EXPECT_EQ(head_->disk_stats().unlogged_samples, 3);
    EXPECT_THAT(logged_, testing::HasSubstr("samples_not_logged"));
    EXPECT_EQ(count(all(*head_)), 6);
    fs::remove(options_.folder);
    fs::rename(root_ / "away", options_.folder);
    fill(3 * hour + 60, 3 * hour + 120);
    ASSERT_TRUE(head_->flush());
    EXPECT_EQ(count(all(*opened(copy("killed"), 3 * hour + 120))), 6);
}

TEST_F(WalTest, Samples_of_a_clock_that_was_ahead_do_not_refuse_those_of_now) {
    open(0);
    fill(100 * hour, 100 * hour + 60);
    open(60);
    EXPECT_EQ(all(*head_), "");
    put(name(0), 60, 1);
}

TEST_F(WalTest, Replay_of_a_full_head) {
    const int series = 2'000;
    open(0);
    for (std::int64_t t = 0; t < 2 * hour; t += 60) {
        for (int i = 0; i < series; ++i) {
            put(name(i), t, static_cast<double>(i % 7));
        }
    }
    head_.reset();
    const auto begin = std::chrono::steady_clock::now();
    open(2 * hour);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(head_->stats().samples, 120 * series);
    RecordProperty("replay", fmt::format("{} samples in {:.2f} s", 120 * series, took.count()));
    fmt::print("replayed {} samples of {} series in {:.2f} s\n", 120 * series, series, took.count());
}

}  // namespace
}  // namespace noroshi::tsdb
