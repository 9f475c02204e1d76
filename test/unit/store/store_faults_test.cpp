// test/unit/store/store_faults_test.cpp - values that JSON lacks, files of others, rows that rot, writes that fail.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/crc32c.hpp"
#include "rows.hpp"
#include "run_task.hpp"
#include "store/store.hpp"

namespace noroshi::store {
namespace {

model::Alert alert(double value) {
    model::Alert out;
    out.labels = {{"alertname", "High"}, {"path", "C:\\\"x\"\n\xf0\x9f\x94\xa5"}};
    out.state = model::AlertState::firing;
    out.value = value;
    out.active_at = from_unix_ms(1);
    out.fired_at = from_unix_ms(2);
    out.resolved_at = from_unix_ms(-3);
    out.keep_firing_since = from_unix_ms(4);
    return out;
}

TEST(Rows, Every_number_survives) {
    for (const double value : {0.0, -0.0, 0.1, 1e300, 5e-324, std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity()}) {
        const auto read = decode_alert(encode(AlertRow{"r", alert(value)}));
        ASSERT_TRUE(read);
        EXPECT_EQ(read->alert, alert(value)) << value;
        EXPECT_EQ(std::signbit(read->alert.value), std::signbit(value));
    }
    EXPECT_TRUE(std::isnan(decode_alert(encode(AlertRow{"r", alert(std::nan(""))}))->alert.value));
}

TEST(Rows, Every_state_of_the_outbox_reads_back) {
    for (int i = 0; i <= static_cast<int>(OutboxState::expired); ++i) {
        OutboxRow row;
        row.message.status = model::MessageStatus::resolved;
        row.message.replaces = "abc";
        row.state = static_cast<OutboxState>(i);
        row.handed_over_at = from_unix_ms(7);
        row.envelope_hash = "ab";
        EXPECT_EQ(*decode_outbox(encode(row)), row) << outbox_state_name(row.state);
    }
}

TEST(Rows, A_group_without_timers_reads_back) {
    GroupRow row;
    row.key = "phone:{}";
    row.alerts = {{alert(1), true, true}};
    EXPECT_EQ(*decode_group(encode(row)), row);
}

TEST(Rows, What_is_no_row_is_corrupt) {
    for (const char* text : {"", "{", "[]", "{}", "null", R"({"rule":5,"alert":{}})", R"({"rule":"r","alert":null})",
                             "\xff\xfe", R"({"key":"k","receiver":"r","labels":[],"alerts":{},"flush_at":"x"})"}) {
        for (const auto& code : {decode_alert(text).map([](const auto&) {}), decode_group(text).map([](const auto&) {}),
                                 decode_outbox(text).map([](const auto&) {})}) {
            ASSERT_FALSE(code) << text;
            EXPECT_EQ(code.error().code, Errc::corrupt);
        }
    }
}

TEST(Checksum, Of_RFC_3720) {
    EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

class StoreFaults : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-faults-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        open();
    }
    void TearDown() override {
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    void open() {
        store_.reset();
        Result<std::unique_ptr<Store>> opened = Store::open(folder_, runtime_.executor(), Log::none());
        ASSERT_TRUE(opened) << opened.error().to_string();
        store_ = std::move(*opened);
    }
    Result<void> commit(Batch batch) { return test::run(runtime_, store_->commit(std::move(batch))); }
    /// Another program's hand in the file. Gives the first column of the last row.
    std::string sql(const std::string& text) const {
        sqlite3* database = nullptr;
        EXPECT_EQ(sqlite3_open((folder_ / "noroshi.db").c_str(), &database), SQLITE_OK);
        std::string out;
        const auto keep = [](void* to, int, char** values, char**) {
            *static_cast<std::string*>(to) = values[0] == nullptr ? "" : values[0];
            return 0;
        };
        char* error = nullptr;
        EXPECT_EQ(sqlite3_exec(database, text.c_str(), keep, &out, &error), SQLITE_OK) << error;
        sqlite3_close(database);
        return out;
    }
    static Batch three_rows() {
        Batch batch;
        batch.put_alert({"r", alert(1)});
        GroupRow group;
        group.key = "k";
        batch.put_group(group);
        OutboxRow row;
        row.message.id = "m";
        batch.put_outbox(row);
        return batch;
    }

    std::filesystem::path folder_;
    Runtime runtime_;
    std::unique_ptr<Store> store_;
};

TEST_F(StoreFaults, The_database_is_for_its_owner_alone) {
    ASSERT_TRUE(commit(three_rows()));
    for (const char* name : {"noroshi.db", "noroshi.db-wal", "noroshi.lock"}) {
        const auto others = std::filesystem::status(folder_ / name).permissions() &
                            (std::filesystem::perms::group_all | std::filesystem::perms::others_all);
        EXPECT_EQ(others, std::filesystem::perms::none) << name;
    }
}

TEST_F(StoreFaults, A_damaged_row_of_any_table_is_kept_aside_and_named_once) {
    for (const char* table : {"alerts", "groups", "outbox"}) {
        ASSERT_TRUE(commit(three_rows()));
        store_.reset();
        sql(fmt::format("UPDATE {} SET crc = crc + 1", table));
        open();
        EXPECT_EQ(store_->load_alerts()->size() + store_->load_groups()->size() + store_->load_pending_outbox()->size(), 2U);
        ASSERT_EQ(store_->damage().size(), 1U) << table;
        EXPECT_EQ(store_->damage()[0].table, table);
        EXPECT_FALSE(store_->damage()[0].reason.empty());
        store_.reset();
        EXPECT_EQ(sql(fmt::format("SELECT count(*) FROM damaged WHERE origin = '{}' AND content != ''", table)), "1");
        EXPECT_EQ(sql(fmt::format("SELECT count(*) FROM {}", table)), "0");
        open();
        EXPECT_TRUE(store_->load_alerts());
        EXPECT_TRUE(store_->damage().empty());
    }
}

TEST_F(StoreFaults, A_row_under_another_key_is_damaged) {
    ASSERT_TRUE(commit(three_rows()));
    store_.reset();
    sql("UPDATE groups SET key = 'other'");
    open();
    EXPECT_TRUE(store_->load_groups()->empty());
    EXPECT_EQ(store_->damage().at(0).key, "other");
}

TEST_F(StoreFaults, A_row_whose_checksum_fits_but_is_no_row_is_set_aside) {
    ASSERT_TRUE(commit(three_rows()));
    store_.reset();
    sql(fmt::format("UPDATE groups SET content = 'nonsense', crc = {}", crc32c("k\nnonsense")));
    open();
    EXPECT_TRUE(store_->load_groups()->empty());
    EXPECT_EQ(store_->damage().size(), 1U);
}

TEST_F(StoreFaults, A_database_of_another_program_is_refused) {
    store_.reset();
    sql("PRAGMA application_id = 12345");
    const auto opened = Store::open(folder_, runtime_.executor(), Log::none());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::refused);
}

TEST_F(StoreFaults, A_folder_that_is_not_there_is_an_error) {
    const auto opened = Store::open(folder_ / "none", runtime_.executor(), Log::none());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::io);
}

TEST_F(StoreFaults, After_a_refused_open_the_folder_is_free_again) {
    store_.reset();
    sql("PRAGMA user_version = 999");
    EXPECT_FALSE(Store::open(folder_, runtime_.executor(), Log::none()));
    sql("PRAGMA user_version = 2");
    open();
    EXPECT_TRUE(store_->load_alerts());
}

TEST_F(StoreFaults, A_batch_that_fails_leaves_nothing_of_itself_and_may_be_tried_again) {
    store_.reset();
    sql("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    open();
    const Result<void> done = commit(three_rows());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::io);
    EXPECT_TRUE(done.error().retryable);
    EXPECT_TRUE(store_->load_alerts()->empty());
    EXPECT_TRUE(store_->load_groups()->empty());
}

TEST_F(StoreFaults, A_message_that_its_receiver_has_never_goes_back) {
    const auto put = [this](OutboxState state, bool unconfirmed = false) {
        OutboxRow row;
        row.message.id = "m";
        row.state = state;
        row.unconfirmed = unconfirmed;
        Batch batch;
        batch.put_outbox(std::move(row));
        EXPECT_TRUE(commit(std::move(batch)));
        return store_->load_outbox_history(1)->at(0).state;
    };
    EXPECT_EQ(put(OutboxState::handed_over, true), OutboxState::handed_over);
    EXPECT_EQ(put(OutboxState::queued), OutboxState::queued);  // lost: it is sent again
    EXPECT_EQ(put(OutboxState::delivered), OutboxState::delivered);
    for (const OutboxState earlier : {OutboxState::queued, OutboxState::stored, OutboxState::expired}) {
        EXPECT_EQ(put(earlier), OutboxState::delivered);
    }
    EXPECT_EQ(put(OutboxState::handed_over, true), OutboxState::delivered);
    EXPECT_TRUE(store_->load_pending_outbox()->empty());
    EXPECT_EQ(put(OutboxState::answered), OutboxState::answered);
    EXPECT_EQ(put(OutboxState::delivered), OutboxState::answered);
}

TEST_F(StoreFaults, A_row_that_the_disk_refused_at_first_takes_no_later_delivery_back) {
    /// Meanwhile the disk has room again, and the receiver's word comes.
    struct Meanwhile final : Timers {
        Meanwhile(Store& s, std::function<void()> r) : store(s), make_room(std::move(r)) {}
        Task<Result<void>> sleep_for(Milliseconds /*duration*/) override {
            ++sleeps;
            make_room();
            co_return co_await store.commit(one(OutboxState::delivered));
        }
        static Batch one(OutboxState state) {
            OutboxRow row;
            row.message.id = "m";
            row.state = state;
            Batch batch;
            batch.put_outbox(std::move(row));
            return batch;
        }
        Store& store;
        std::function<void()> make_room;
        int sleeps{0};
    };
    ASSERT_TRUE(commit(Meanwhile::one(OutboxState::handed_over)));
    sql("CREATE TRIGGER full BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    Meanwhile timers(*store_, [this] { sql("DROP TRIGGER full"); });
    ASSERT_TRUE(test::run(runtime_, commit_for_sure(*store_, timers, Log::none(), Meanwhile::one(OutboxState::stored))));
    EXPECT_EQ(timers.sleeps, 1);
    EXPECT_EQ(store_->load_outbox_history(1)->at(0).state, OutboxState::delivered);
}

TEST_F(StoreFaults, What_was_asked_for_before_the_end_is_on_disk) {
    struct Last {
        static Task<void> write(Store& store) {
            Batch batch;
            batch.put_setting("last", "yes");
            static_cast<void>(co_await store.commit(std::move(batch)));
        }
        static Task<int> leave(Store& store, TaskGroup& tasks) {
            tasks.spawn("write", write(store));
            co_await tasks.stop();
            co_return 0;
        }
    };
    TaskGroup tasks(runtime_.executor());
    EXPECT_EQ(runtime_.run(Last::leave(*store_, tasks)), 0);
    open();
    EXPECT_EQ(*store_->load_setting("last"), "yes");
}

TEST_F(StoreFaults, Receipts_are_kept_by_message_and_kind) {
    Batch batch;
    batch.put_receipt({"m", model::ReceiptKind::handed_over, from_unix_ms(1), "p", "ab"});
    batch.put_receipt({"m", model::ReceiptKind::handed_over, from_unix_ms(2), "q", "ab"});
    batch.put_receipt({"m", model::ReceiptKind::stored, from_unix_ms(3), "p", "ab"});
    ASSERT_TRUE(commit(std::move(batch)));
    store_.reset();
    EXPECT_EQ(sql("SELECT count(*) FROM receipts"), "2");
    EXPECT_EQ(sql("SELECT content FROM receipts WHERE state = 'handed_over'"), "2\nab\nq");
}

TEST_F(StoreFaults, History_is_cut_at_the_start_and_queued_messages_never) {
    store_.reset();
    sql("INSERT INTO outbox (key, state, content, crc) VALUES ('first', 'queued', '', 0), ('second', 'handed_over', '', 0);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
        "INSERT INTO outbox (key, state, content, crc) SELECT i, 'handed_over', '', 0 FROM n");
    open();
    store_.reset();
    EXPECT_EQ(sql("SELECT count(*) FROM outbox"), "10001");
    EXPECT_EQ(sql("SELECT count(*) FROM outbox WHERE key = 'first'"), "1");
    EXPECT_EQ(sql("SELECT count(*) FROM outbox WHERE key = 'second'"), "0");
}

}  // namespace
}  // namespace noroshi::store
