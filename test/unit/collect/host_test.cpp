// test/unit/collect/host_test.cpp - the host collector over a prepared /proc; against the real one see test/integration.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "collect/collect.hpp"

namespace noroshi::collect {
namespace {

class HostTest : public testing::Test {
  protected:
    void SetUp() override {
        root_ = std::filesystem::temp_directory_path() /
                ("noroshi-host-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(root_);
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void file(const std::string& path, const std::string& content) {
        const std::filesystem::path whole = root_ / path;
        std::filesystem::create_directories(whole.parent_path());
        std::ofstream(whole) << content;
    }
    std::optional<double> value(const std::string& series) {
        for (const ScrapedSample& sample : collector().read().samples) {
            if (sample.labels.to_string() == series) {
                return sample.value;
            }
        }
        return std::nullopt;
    }
    HostCollector collector() { return {root_.string(), clock_}; }

    std::filesystem::path root_;
    ManualClock clock_{from_unix_ms(1'700'000'000'000)};
};

TEST_F(HostTest, Memory_is_in_bytes) {
    file("proc/meminfo", "MemTotal:       16000 kB\nMemAvailable:    4000 kB\nSwapTotal: 0 kB\nActive(anon): 7 kB\nHugePages_Total: 3\n");
    EXPECT_EQ(value("node_memory_MemTotal_bytes"), 16'384'000);
    EXPECT_EQ(value("node_memory_MemAvailable_bytes"), 4'096'000);
    EXPECT_EQ(value("node_memory_Active_anon_bytes"), 7 * 1024);
    EXPECT_EQ(value("node_memory_HugePages_Total"), 3);
}

TEST_F(HostTest, Processor_time_is_in_seconds_by_mode) {
    file("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 100 200 300 400 500 600 700 800 900 1000\nbtime 1600000000\nctxt 5\n");
    EXPECT_EQ(value(R"(node_cpu_seconds_total{cpu="0", mode="idle"})"), 4);
    EXPECT_EQ(value(R"(node_cpu_seconds_total{cpu="0", mode="user"})"), 1);
    EXPECT_EQ(value("node_boot_time_seconds"), 1.6e9);
}

TEST_F(HostTest, Load_network_and_time) {
    file("proc/loadavg", "0.50 1.25 2.00 1/100 1234\n");
    file("proc/net/dev", "Inter-| Receive | Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs "
                         "drop fifo colls carrier compressed\n  eth0: 1000 2 0 0 0 0 0 0 3000 4 0 0 0 0 0 0\n");
    EXPECT_EQ(value("node_load1"), 0.5);
    EXPECT_EQ(value("node_load15"), 2);
    EXPECT_EQ(value(R"(node_network_receive_bytes_total{device="eth0"})"), 1000);
    EXPECT_EQ(value(R"(node_network_transmit_bytes_total{device="eth0"})"), 3000);
    EXPECT_EQ(value("node_time_seconds"), 1.7e9);
}

TEST_F(HostTest, What_cannot_be_read_is_left_out_and_named) {
    file("proc/meminfo", "MemTotal: many kB\n\x01\x02\n");
    const HostCollector::Reading reading = collector().read();
    EXPECT_FALSE(reading.problems.empty());
    EXPECT_EQ(value("node_memory_MemTotal_bytes"), std::nullopt);
    EXPECT_TRUE(value("node_time_seconds"));
}

}  // namespace
}  // namespace noroshi::collect
