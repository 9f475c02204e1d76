// test/unit/daemon/status_state_test.cpp - what Status keeps is there after a restart, and says nothing to who has the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "run_task.hpp"
#include "status_state.hpp"

namespace noroshi::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

crypto::SecretKey key_of(std::uint8_t byte) { return *crypto::SecretKey::from_bytes(Bytes(32, byte)); }

class StatusStateTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-status-state-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        open();
    }
    void TearDown() override {
        close();
        std::filesystem::remove_all(folder_);
    }
    void open(std::uint8_t key = 1) {
        store_ = std::move(*store::Store::open(folder_, runtime_.executor(), Log::none()));
        state_.emplace(key_of(key), StatusState::Parts{*store_, runtime_, runtime_.executor(), random_, Log::none()});
    }
    void close() {
        if (state_) {
            test::run(runtime_, state_->stop());
        }
        state_.reset();
        store_.reset();
    }
    void restart(std::uint8_t key = 1) {
        close();
        open(key);
    }
    void write(status::StateWrites writes) {
        const Result<void> done = test::run(runtime_, state_->commit(std::move(writes)));
        ASSERT_TRUE(done) << done.error().to_string();
    }
    void tamper(const std::string& sql) {
        close();
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open((folder_ / "noroshi.db").c_str(), &database), SQLITE_OK);
        char* error = nullptr;
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
        sqlite3_close(database);
        open();
    }
    /// Every byte on disk.
    std::string disk() const {
        std::string out;
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
            std::ifstream file(entry.path(), std::ios::binary);
            out.append(std::istreambuf_iterator<char>(file), {});
        }
        return out;
    }

    std::filesystem::path folder_;
    Runtime runtime_{0};
    SeededRandom random_{1};
    std::unique_ptr<store::Store> store_;
    std::optional<StatusState> state_;
};

TEST_F(StatusStateTest, Rows_are_the_same_after_a_restart_each_in_its_table) {
    write({{"contacts", "04ab", Bytes{1, 2, 0}}, {"contacts", "gone", Bytes{3}}, {"sessions", "04ab", Bytes{}}});
    write({{"contacts", "gone", std::nullopt}, {"contacts", "never", std::nullopt}, {"contacts", "04ab", Bytes{4}}});
    restart();
    EXPECT_THAT(*state_->load("contacts"), ElementsAre(std::pair("04ab", Bytes{4})));
    EXPECT_THAT(*state_->load("sessions"), ElementsAre(std::pair("04ab", Bytes{})));
    EXPECT_THAT(*state_->load("other"), IsEmpty());
    EXPECT_TRUE(store_->damage().empty());
}

TEST_F(StatusStateTest, The_disk_shows_neither_values_nor_keys) {
    write({{"contacts", "a key that is long enough to be found", Bytes(64, 'S')}});
    const std::string bytes = disk();
    EXPECT_THAT(bytes, Not(HasSubstr("a key that is long")));
    EXPECT_THAT(bytes, Not(HasSubstr("SSSSSSSS")));
    EXPECT_THAT(bytes, HasSubstr("contacts")) << "the name of a table is no secret; else this test sees nothing";
}

TEST_F(StatusStateTest, The_same_row_never_looks_the_same) {
    write({{"contacts", "k", Bytes{1}}});
    const auto table = [this] { return store_->load_rows("status " + to_hex(crypto::sha256(key_of(1).public_key().compressed())).substr(0, 16) + " contacts"); };
    const Bytes first = table()->at(0).second;
    write({{"contacts", "k", Bytes{1}}});
    ASSERT_EQ(table()->size(), 1U);
    EXPECT_NE(table()->at(0).second, first);
}

TEST_F(StatusStateTest, A_changed_row_is_set_aside_and_the_others_stay) {
    write({{"contacts", "a", Bytes{1}}, {"contacts", "b", Bytes{2}}});
    tamper("UPDATE rows SET content = zeroblob(length(content)) WHERE seq = 1");
    EXPECT_THAT(*state_->load("contacts"), ElementsAre(std::pair("b", Bytes{2})));
    EXPECT_EQ(store_->damage().size(), 1U);
}

/// Another hand that mends the checksum as well moves a row under the name of another.
TEST_F(StatusStateTest, A_row_under_another_name_or_of_another_table_is_set_aside) {
    write({{"contacts", "a", Bytes{1}}, {"contacts", "b", Bytes{2}}, {"sessions", "a", Bytes{3}}});
    const std::string owner = to_hex(crypto::sha256(key_of(1).public_key().compressed())).substr(0, 16);
    const std::string contacts = "status " + owner + " contacts";
    auto rows = *store_->load_rows(contacts);
    const auto session = store_->load_rows("status " + owner + " sessions")->at(0);
    store::Batch batch;
    batch.put_row(contacts, rows[0].first, rows[1].second);
    batch.put_row(contacts, session.first, session.second);
    batch.put_row(contacts, "short", Bytes{1, 2});
    ASSERT_TRUE(test::run(runtime_, store_->commit(std::move(batch))));
    restart();
    EXPECT_THAT(*state_->load("contacts"), ElementsAre(std::pair("b", Bytes{2})));
    EXPECT_EQ(store_->damage().size(), 3U);
}

TEST_F(StatusStateTest, Another_identity_finds_nothing_and_takes_nothing_away) {
    write({{"contacts", "a", Bytes{1}}});
    restart(2);
    EXPECT_THAT(*state_->load("contacts"), IsEmpty());
    EXPECT_TRUE(store_->damage().empty());
    restart(1);
    EXPECT_THAT(*state_->load("contacts"), ElementsAre(std::pair("a", Bytes{1})));
}

Task<void> write_one(StatusState& state, std::string key, std::vector<std::string>& ends) {
    const Result<void> done = co_await state.commit({{"t", key, Bytes{1}}});
    ends.push_back(key + (done ? " written" : " " + std::string(errc_name(done.error().code))));
}

TEST_F(StatusStateTest, Commits_end_in_the_order_of_their_calls) {
    std::vector<std::string> ends;
    TaskGroup tasks(runtime_.executor());
    for (const char* key : {"a", "b", "c", "d"}) {
        tasks.spawn("write", write_one(*state_, key, ends));
    }
    write({{"t", "last", Bytes{1}}});
    EXPECT_THAT(ends, ElementsAre("a written", "b written", "c written", "d written"));
    test::run(runtime_, tasks.stop());
}

TEST_F(StatusStateTest, A_stop_ends_what_waits_and_what_comes_later) {
    std::vector<std::string> ends;
    TaskGroup tasks(runtime_.executor());
    tasks.spawn("write", write_one(*state_, "a", ends));
    test::run(runtime_, state_->stop());
    tasks.spawn("write", write_one(*state_, "b", ends));
    static_cast<void>(test::run(runtime_, runtime_.sleep_for(Milliseconds(1))));
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_EQ(ends[1], "b cancelled");
    test::run(runtime_, tasks.stop());
}

}  // namespace
}  // namespace noroshi::daemon
