// test/unit/tsdb/disk_fixture.hpp - a store in a folder of its own, its answers as text, and copies of the folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {

namespace fs = std::filesystem;

inline TimestampMs at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

class DiskTest : public testing::Test {
  protected:
    static constexpr std::int64_t hour = 3600;

    void SetUp() override {
        const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
        root_ = fs::temp_directory_path() / (std::string("noroshi-tsdb-") + test.test_suite_name() + test.name());
        fs::remove_all(root_);
        fs::create_directories(root_);
        options_.folder = root_ / "tsdb";
        options_.retention = std::chrono::hours(24 * 15);
        options_.flush_every = std::chrono::hours(1);  // the test says when
    }
    void TearDown() override {
        head_.reset();
        fs::remove_all(root_);
    }

    /// The store as it would be after a start at `now` (seconds).
    std::unique_ptr<Head> opened(const fs::path& folder, std::int64_t now) {
        Options options = options_;
        options.folder = folder;
        options.after_step = {};
        Result<std::unique_ptr<Head>> head = Head::open(std::move(options), at(now), log_);
        EXPECT_TRUE(head) << head.error().to_string();
        return std::move(*head);
    }
    void open(std::int64_t now) {
        head_.reset();
        Result<std::unique_ptr<Head>> head = Head::open(options_, at(now), log_);
        ASSERT_TRUE(head) << head.error().to_string();
        head_ = std::move(*head);
    }
    void put(const model::Labels& labels, std::int64_t seconds, const Value& value) {
        ASSERT_TRUE(head_->append(*head_->open_series(labels), at(seconds), value));
    }
    /// What `fill` puts: numbers, but histograms in the third series, of another layout each half hour.
    static Value value(int i, std::int64_t seconds) {
        if (i != 2) {
            return static_cast<double>(seconds + i);
        }
        auto out = std::make_shared<model::Histogram>();
        out->sum = static_cast<double>(seconds) / 3;
        out->zero_threshold = 0.001;
        out->positive.spans = {{static_cast<std::int32_t>(seconds / 1800 % 5), 2}, {3, 1}};
        out->positive.counts = {static_cast<double>(seconds / 60), 2, static_cast<double>(seconds / 7)};
        out->count = out->positive.counts[0] + 2 + out->positive.counts[2];
        return out;
    }
    /// One sample of `m{i="0"}` to `m{i="<series - 1>"}` every `step` seconds in [from, to).
    void fill(std::int64_t from, std::int64_t to, std::int64_t step = 60, int series = 3) {
        for (std::int64_t t = from; t < to; t += step) {
            for (int i = 0; i < series; ++i) {
                put(name(i), t, value(i, t));
            }
        }
    }
    static model::Labels name(int i) { return {{"__name__", "m"}, {"i", std::to_string(i)}}; }
    /// Everything that was started, done; twice, because a merge may follow a cut.
    void maintain(std::int64_t now) {
        for (int i = 0; i < 3; ++i) {
            head_->drop_expired(at(now));
            ASSERT_TRUE(head_->flush());
        }
    }

    /// Without blanks.
    static std::string text(const model::HistogramPtr& histogram, double number) {
        std::string out = histogram ? histogram->to_string() : fmt::format("{}", number);
        std::erase(out, ' ');
        return out;
    }
    static std::string all(const Head& head, std::int64_t from = -1, std::int64_t to = 1'000'000'000) {
        std::string out;
        const model::Matcher any = *model::Matcher::create(model::MatchOp::regex, "__name__", ".+");
        for (SelectedSeries& series : head.select(std::vector{any}, at(from), at(to))) {
            std::string samples;
            model::Sample sample{};
            while (series.cursor->next(sample)) {
                samples += fmt::format(" {}@{}", text(series.cursor->histogram(), sample.value), to_unix_ms(sample.at) / 1000);
            }
            out += samples.empty() ? "" : series.labels->to_string() + samples + "\n";
        }
        return out;
    }
    static std::size_t count(const std::string& answer) {
        return static_cast<std::size_t>(std::ranges::count(answer, '@'));
    }

    std::vector<std::string> files(const std::string& suffix) const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(options_.folder)) {
            if (entry.path().string().ends_with(suffix)) {
                out.push_back(entry.path().filename().string());
            }
        }
        std::ranges::sort(out);
        return out;
    }
    static std::string read(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        std::stringstream out;
        out << in.rdbuf();
        return out.str();
    }
    static void write(const fs::path& file, std::string_view content) {
        std::ofstream(file, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    }
    /// The folder as a kill would leave it at this moment.
    fs::path copy(const std::string& to) const {
        fs::remove_all(root_ / to);
        fs::copy(options_.folder, root_ / to, fs::copy_options::recursive);
        return root_ / to;
    }

    fs::path root_;
    Options options_;
    std::string logged_;
    Log log_ = Log::to([this](std::string_view line) { logged_ += std::string(line) + "\n"; }, LogLevel::info);
    std::unique_ptr<Head> head_;
};

}  // namespace noroshi::tsdb
