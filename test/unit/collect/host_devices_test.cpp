// test/unit/collect/host_devices_test.cpp - disks, file systems, network devices and the rest of a prepared /proc and /sys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "collect/collect.hpp"
#include "manual_timers.hpp"
#include "model/sample.hpp"
#include "run_task.hpp"

namespace noroshi::collect {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class HostDevices : public testing::Test {
  protected:
    void SetUp() override {
        root_ = std::filesystem::temp_directory_path() /
                ("noroshi-devices-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_);
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void file(const std::string& path, const std::string& content) const {
        const std::filesystem::path whole = root_ / path;
        std::filesystem::create_directories(whole.parent_path());
        std::ofstream(whole) << content;
    }
    static std::map<std::string, double> values(HostCollector& collector) {
        std::map<std::string, double> out;
        for (const ScrapedSample& sample : collector.read().samples) {
            EXPECT_TRUE(out.emplace(sample.labels.to_string(), sample.value).second) << sample.labels.to_string() << " twice";
        }
        return out;
    }
    std::map<std::string, double> values() const {
        HostCollector collector(root_.string(), clock_);
        return values(collector);
    }
    /// The values of a label of one metric.
    std::vector<std::string> having(std::string_view metric, std::string_view label) const {
        HostCollector collector(root_.string(), clock_);
        const HostCollector::Reading reading = collector.read();
        std::vector<std::string> out;
        for (const ScrapedSample& sample : reading.samples) {
            if (sample.labels.metric_name() == metric) {
                out.emplace_back(sample.labels.get(label));
            }
        }
        return out;
    }

    std::filesystem::path root_;
    ManualClock clock_{from_unix_ms(1'700'000'000'000)};
};

TEST_F(HostDevices, Disks_are_whole_devices_in_bytes_and_seconds) {
    file("proc/diskstats",
         "   8 0 sda 10 1 20 3000 40 5 60 7000 1 8000 9000 11 12 13 14000 15 16000\n"
         "   8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n 259 0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11\n 259 1 nvme0n1p1 1 1 1 1 1 1 1 1 1 1 1\n"
         "   7 0 loop0 1 1 1 1 1 1 1 1 1 1 1\n 252 0 vda3 1 1 1 1 1 1 1 1 1 1 1\n 253 0 dm-0 1 1 1 1 1 1 1 1 1 1 1\n"
         "   9 0 md127 1 1 1 1 1 1 1 1 1 1 1\n 179 0 mmcblk0 1 1 1 1 1 1 1 1 1 1 1\n short\n");
    EXPECT_THAT(having("node_disk_reads_completed_total", "device"), ElementsAre("sda", "nvme0n1", "dm-0", "md127", "mmcblk0"));
    const auto all = values();
    EXPECT_EQ(all.at(R"(node_disk_read_bytes_total{device="sda"})"), 20 * 512);
    EXPECT_EQ(all.at(R"(node_disk_written_bytes_total{device="sda"})"), 60 * 512);
    EXPECT_EQ(all.at(R"(node_disk_read_time_seconds_total{device="sda"})"), 3);
    EXPECT_EQ(all.at(R"(node_disk_io_now{device="sda"})"), 1);
    EXPECT_EQ(all.at(R"(node_disk_flush_requests_time_seconds_total{device="sda"})"), 16);
    EXPECT_FALSE(all.contains(R"(node_disk_discards_completed_total{device="nvme0n1"})"));
}

TEST_F(HostDevices, File_systems_without_storage_or_on_another_machine_are_left_out) {
    file("proc/1/mounts",
         "/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n"
         "nas:/x /mnt/nas nfs4 rw 0 0\nx /mnt/ssh fuse.sshfs rw 0 0\noverlay /var/lib/docker/overlay2/x overlay rw 0 0\n"
         "/dev/sdb1 /devices ext4 ro,relatime 0 0\n/dev/sda1 / ext4 rw,relatime 0 0\n/dev/sdc1 /with\\040space ext4 rw 0 0\n"
         "broken\n");
    std::filesystem::create_directories(root_ / "run");
    std::filesystem::create_directories(root_ / "devices");
    std::filesystem::create_directories(root_ / "with space");
    EXPECT_THAT(having("node_filesystem_size_bytes", "mountpoint"), ElementsAre("/", "/run", "/devices", "/with space"));
    const auto all = values();
    EXPECT_EQ(all.at(R"(node_filesystem_readonly{device="/dev/sdb1", fstype="ext4", mountpoint="/devices"})"), 1);
    EXPECT_EQ(all.at(R"(node_filesystem_readonly{device="/dev/sda1", fstype="ext4", mountpoint="/"})"), 0);
    EXPECT_GT(all.at(R"(node_filesystem_size_bytes{device="/dev/sda1", fstype="ext4", mountpoint="/"})"), 0);
}

TEST_F(HostDevices, A_mount_that_cannot_be_asked_says_so) {
    file("proc/self/mounts", "/dev/sda1 /gone ext4 rw 0 0\n");
    const auto all = values();
    EXPECT_EQ(all.at(R"(node_filesystem_device_error{device="/dev/sda1", fstype="ext4", mountpoint="/gone"})"), 1);
    EXPECT_FALSE(all.contains(R"(node_filesystem_size_bytes{device="/dev/sda1", fstype="ext4", mountpoint="/gone"})"));
}

TEST_F(HostDevices, A_mount_point_that_is_not_UTF_8_is_a_problem_and_not_a_sample) {
    file("proc/1/mounts", "/dev/sda1 /\\377 ext4 rw 0 0\n");
    HostCollector collector(root_.string(), clock_);
    EXPECT_THAT(collector.read().problems, testing::Contains(HasSubstr("not UTF-8")));
}

TEST_F(HostDevices, Network_devices_say_whether_they_are_up_and_how_fast) {
    file("sys/class/net/eth0/operstate", "up\n");
    file("sys/class/net/eth0/speed", "1000\n");
    file("sys/class/net/eth0/mtu", "1500\n");
    file("sys/class/net/eth0/carrier", "1\n");
    file("sys/class/net/wlan0/operstate", "down\n");
    file("sys/class/net/wlan0/speed", "-1\n");
    const auto all = values();
    EXPECT_EQ(all.at(R"(node_network_up{device="eth0"})"), 1);
    EXPECT_EQ(all.at(R"(node_network_speed_bytes{device="eth0"})"), 125'000'000);
    EXPECT_EQ(all.at(R"(node_network_mtu_bytes{device="eth0"})"), 1500);
    EXPECT_EQ(all.at(R"(node_network_up{device="wlan0"})"), 0);
    EXPECT_FALSE(all.contains(R"(node_network_speed_bytes{device="wlan0"})"));
    EXPECT_FALSE(all.contains(R"(node_network_carrier{device="wlan0"})"));
}

TEST_F(HostDevices, Traffic_leaves_out_the_loopback) {
    file("proc/net/dev", "face |bytes\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  br:0: 5 6 7 8 0 0 0 0 9 10 11 12 0 0 0 0\n");
    EXPECT_THAT(having("node_network_receive_bytes_total", "device"), ElementsAre("br:0"));
    EXPECT_EQ(values().at(R"(node_network_transmit_drop_total{device="br:0"})"), 12);
}

TEST_F(HostDevices, Memory_events_pressure_and_open_files) {
    file("proc/vmstat", "nr_free_pages 5\noom_kill 2\npgfault 3\npgmajfault 4\npswpin 6\n");
    file("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 total=1000000\n");
    file("proc/pressure/cpu", "some avg10=0.00 total=500000\nfull avg10=0.00 total=0\n");
    file("proc/sys/fs/file-nr", "1024\t0\t9223372036854775807\n");
    const auto all = values();
    EXPECT_EQ(all.at("node_vmstat_oom_kill"), 2);
    EXPECT_EQ(all.at("node_vmstat_pgmajfault"), 4);
    EXPECT_FALSE(all.contains("node_vmstat_nr_free_pages"));
    EXPECT_EQ(all.at("node_pressure_memory_waiting_seconds_total"), 2.5);
    EXPECT_EQ(all.at("node_pressure_memory_stalled_seconds_total"), 1);
    EXPECT_EQ(all.at("node_pressure_cpu_waiting_seconds_total"), 0.5);
    EXPECT_FALSE(all.contains("node_pressure_cpu_stalled_seconds_total"));
    EXPECT_EQ(all.at("node_filefd_allocated"), 1024);
}

TEST_F(HostDevices, Idle_time_that_goes_back_a_little_stays_and_that_goes_back_far_starts_anew) {
    const std::string idle = R"(node_cpu_seconds_total{cpu="0", mode="idle"})";
    const std::string user = R"(node_cpu_seconds_total{cpu="0", mode="user"})";
    HostCollector collector(root_.string(), clock_);
    file("proc/stat", "cpu0 1000 0 0 50000 0 0 0 0 0 0\n");
    EXPECT_EQ(values(collector).at(idle), 500);
    file("proc/stat", "cpu0 900 0 0 49900 0 0 0 0 0 0\n");
    EXPECT_EQ(values(collector).at(idle), 500);
    EXPECT_EQ(values(collector).at(user), 10);
    file("proc/stat", "cpu0 5 0 0 100 0 0 0 0 0 0\n");
    EXPECT_EQ(values(collector).at(idle), 1);
    EXPECT_EQ(values(collector).at(user), 0.05);
}

TEST_F(HostDevices, The_name_of_the_kernel_is_there_on_every_machine) {
    EXPECT_THAT(having("node_uname_info", "sysname"), ElementsAre("Linux"));
}

TEST_F(HostDevices, Garbage_in_every_file_gives_problems_and_no_crash) {
    const std::string garbage = std::string("\0\x01\xff : :: \n \t \n x y z\ncpu cpux 1\n", 32) + std::string(10'000, '9');
    for (const char* path : {"proc/stat", "proc/meminfo", "proc/diskstats", "proc/net/dev", "proc/loadavg", "proc/vmstat",
                             "proc/1/mounts", "proc/sys/fs/file-nr", "proc/pressure/io", "sys/class/net/a/speed"}) {
        file(path, garbage);
    }
    EXPECT_EQ(values().at("node_time_seconds"), 1.7e9);
}

TEST_F(HostDevices, The_host_is_read_at_once_and_at_every_interval) {
    file("proc/loadavg", "0.50 1.25 2.00 1/100 1234\n");
    test::ManualLoop loop(from_unix_ms(1'700'000'000'000));
    tsdb::Head head{tsdb::Options{}};
    Metrics metrics;
    std::vector<std::string> lines;
    HostSource source(head, HostCollector(root_.string(), loop.clock), {{"instance", "h"}, {"job", "host"}}, 15s, loop.timers,
                      loop.clock, loop.runtime.executor(), metrics,
                      Log::to([&lines](std::string_view line) { lines.emplace_back(line); }));
    source.start();
    loop.advance(40s);
    test::run(loop.runtime, source.stop());
    const std::vector matchers{*model::Matcher::create(model::MatchOp::equal, "__name__", "node_load1")};
    auto series = head.select(matchers, from_unix_ms(0), loop.clock.now());
    ASSERT_EQ(series.size(), 1U);
    EXPECT_EQ(series[0].labels->to_string(), R"(node_load1{instance="h", job="host"})");
    std::vector<std::int64_t> at;
    for (model::Sample sample{}; series[0].cursor->next(sample);) {
        at.push_back(to_unix_ms(sample.at) - 1'700'000'000'000);
    }
    EXPECT_THAT(at, ElementsAre(0, 15'000, 30'000));
    const auto problems = std::ranges::count_if(
        lines, [](const std::string& line) { return line.find("/proc/meminfo") != std::string::npos; });
    EXPECT_EQ(problems, 1) << "a problem that stays is logged once";
}

}  // namespace
}  // namespace noroshi::collect
