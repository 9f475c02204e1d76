// test/unit/store/store_test.cpp - what is committed is there after a restart, and what is damaged is set aside.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "run_task.hpp"
#include "store/store.hpp"

namespace noroshi::store {
namespace {

class StoreTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("noroshi-store-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
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
    void commit(Batch batch) {
        const Result<void> done = test::run(runtime_, store_->commit(std::move(batch)));
        ASSERT_TRUE(done) << done.error().to_string();
    }
    /// Another program's hand in the file.
    void tamper(const std::string& sql) {
        store_.reset();
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open((folder_ / "noroshi.db").c_str(), &database), SQLITE_OK);
        char* error = nullptr;
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
        sqlite3_close(database);
    }

    static AlertRow alert(const std::string& host) {
        AlertRow row{"r.yml;g;High;0", {}};
        row.alert.labels = {{"alertname", "High"}, {"host", host}};
        row.alert.annotations = {{"summary", "is \"high\"\n"}};
        row.alert.state = model::AlertState::firing;
        row.alert.value = 1.5;
        row.alert.active_at = from_unix_ms(1000);
        row.alert.fired_at = from_unix_ms(2000);
        return row;
    }
    static GroupRow group(const std::string& key) {
        GroupRow row;
        row.key = key;
        row.receiver = "phone";
        row.labels = {{"alertname", "High"}};
        row.alerts = {{alert("a").alert, true, false}, {alert("b").alert, false, false}};
        row.flush_at = from_unix_ms(3000);
        return row;
    }
    static OutboxRow message(const std::string& id, OutboxState state = OutboxState::queued) {
        OutboxRow row;
        row.message = {id, "phone", model::MessageStatus::firing, "title", "body", {{"a", "b"}}, from_unix_ms(5), ""};
        row.state = state;
        row.attempts = 3;
        row.next_attempt_at = from_unix_ms(9000);
        row.last_error = "no_peers";
        return row;
    }

    std::filesystem::path folder_;
    Runtime runtime_;
    std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, Every_kind_of_row_is_the_same_after_a_restart) {
    open();
    Batch batch;
    batch.put_alert(alert("a"));
    batch.put_group(group("k"));
    batch.put_outbox(message("m1"));
    batch.put_setting("cursor", "7");
    commit(std::move(batch));
    open();
    EXPECT_EQ(*store_->load_alerts(), std::vector{alert("a")});
    EXPECT_EQ(*store_->load_groups(), std::vector{group("k")});
    EXPECT_EQ(*store_->load_pending_outbox(), std::vector{message("m1")});
    EXPECT_EQ(*store_->load_setting("cursor"), "7");
    EXPECT_EQ(*store_->load_setting("none"), std::nullopt);
    EXPECT_TRUE(store_->damage().empty());
}

TEST_F(StoreTest, A_later_write_of_a_key_wins_and_a_delete_deletes) {
    open();
    Batch first;
    first.put_alert(alert("a"));
    first.put_alert(alert("b"));
    AlertRow changed = alert("a");
    changed.alert.state = model::AlertState::pending;
    first.put_alert(changed);
    first.delete_alert(changed.rule, alert("b").alert.fingerprint());
    first.put_group(group("k"));
    first.delete_group("k");
    commit(std::move(first));
    EXPECT_EQ(*store_->load_alerts(), std::vector{changed});
    EXPECT_TRUE(store_->load_groups()->empty());
}

TEST_F(StoreTest, Only_messages_that_are_still_on_their_way_are_pending_oldest_first) {
    open();
    Batch batch;
    batch.put_outbox(message("done", OutboxState::handed_over));
    batch.put_outbox(message("gone", OutboxState::expired));
    batch.put_outbox(message("early"));
    batch.put_outbox(message("late"));
    commit(std::move(batch));
    const std::vector<OutboxRow> pending = *store_->load_pending_outbox();
    ASSERT_EQ(pending.size(), 2);
    EXPECT_EQ(pending[0].message.id, "early");
    EXPECT_EQ(pending[1].message.id, "late");
    EXPECT_EQ(store_->load_outbox_history(10)->size(), 4);
    EXPECT_EQ(store_->load_outbox_history(1)->size(), 1);
}

TEST_F(StoreTest, A_row_that_was_changed_by_another_hand_is_set_aside_and_named) {
    open();
    Batch batch;
    batch.put_alert(alert("a"));
    batch.put_alert(alert("b"));
    commit(std::move(batch));
    tamper("UPDATE alerts SET content = replace(content, 'High', 'Hugh') WHERE seq = 1");
    open();
    EXPECT_EQ(store_->load_alerts()->size(), 1);
    ASSERT_EQ(store_->damage().size(), 1);
    EXPECT_EQ(store_->damage()[0].table, "alerts");
}

TEST_F(StoreTest, Named_rows_keep_every_byte_and_their_tables_apart) {
    open();
    const Bytes all{0, 1, 10, 0x7f, 0x80, 0xff, 0};
    Batch batch;
    batch.put_row("a", "k\nwith a break", all);
    batch.put_row("a", "empty", {});
    batch.put_row("ab", "k", {1});
    batch.put_row("a", "gone", {2});
    batch.delete_row("a", "gone");
    batch.delete_row("b", "k");
    commit(std::move(batch));
    open();
    const std::vector<std::pair<std::string, Bytes>> wanted{{"k\nwith a break", all}, {"empty", {}}};
    EXPECT_EQ(*store_->load_rows("a"), wanted);
    EXPECT_EQ(store_->load_rows("ab")->size(), 1U);
    EXPECT_TRUE(store_->load_rows("b")->empty());
    EXPECT_TRUE(store_->damage().empty());
}

TEST_F(StoreTest, A_named_row_that_was_changed_or_that_its_owner_cannot_read_is_set_aside) {
    open();
    Batch batch;
    batch.put_row("a", "k1", {1, 0, 0xff});
    batch.put_row("a", "k2", {2});
    batch.put_row("a", "k3", {3});
    commit(std::move(batch));
    tamper("UPDATE rows SET content = x'01ff' WHERE seq = 1");
    open();
    EXPECT_EQ(store_->load_rows("a")->size(), 2U);
    store_->set_aside("a", "k2", "sealed for somebody else");
    ASSERT_EQ(store_->damage().size(), 2U);
    EXPECT_EQ(store_->damage()[1].key, "k2");
    open();
    const std::vector<std::pair<std::string, Bytes>> wanted{{"k3", {3}}};
    EXPECT_EQ(*store_->load_rows("a"), wanted);
}

TEST_F(StoreTest, A_database_of_the_version_before_gets_its_new_table_and_keeps_its_rows) {
    open();
    Batch batch;
    batch.put_outbox(message("m1"));
    commit(std::move(batch));
    tamper("DROP TABLE rows; PRAGMA user_version = 1");
    open();
    EXPECT_EQ(store_->load_pending_outbox()->size(), 1U);
    Batch later;
    later.put_row("a", "k", {1});
    commit(std::move(later));
    EXPECT_EQ(store_->load_rows("a")->size(), 1U);
}

TEST_F(StoreTest, A_question_sees_what_was_committed_before_it) {
    open();
    struct Asker {
        static Task<void> commit(Store& store, OutboxRow row) {
            Batch batch;
            batch.put_outbox(std::move(row));
            EXPECT_TRUE(co_await store.commit(std::move(batch)));
        }
    };
    TaskGroup tasks(runtime_.executor());
    tasks.spawn("commit", Asker::commit(*store_, message("m1")));
    const auto found = test::run(runtime_, store_->find_outbox("m1"));
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(**found, message("m1"));
    EXPECT_EQ(*test::run(runtime_, store_->find_outbox("m2")), std::nullopt);
    test::run(runtime_, tasks.stop());
}

TEST_F(StoreTest, History_is_newest_first_with_the_words_that_were_said) {
    open();
    Batch batch;
    batch.put_outbox(message("m1"));
    batch.put_outbox(message("m2"));
    batch.put_receipt({"m1", model::ReceiptKind::handed_over, from_unix_ms(10), "p1", "aa"});
    batch.put_receipt({"m1", model::ReceiptKind::handed_over, from_unix_ms(20), "p2", "ab"});
    batch.put_receipt({"m1", model::ReceiptKind::delivered, from_unix_ms(30), "owner\nwith a break", "ab"});
    batch.put_receipt({"m1", model::ReceiptKind::delivered, from_unix_ms(40), "owner", "ab"});
    commit(std::move(batch));
    const auto history = test::run(runtime_, store_->history(10));
    ASSERT_EQ(history->size(), 2U);
    EXPECT_EQ(history->at(0).row.message.id, "m2");
    EXPECT_TRUE(history->at(0).receipts.empty());
    const std::vector<model::Receipt> wanted{
        {"m1", model::ReceiptKind::handed_over, from_unix_ms(20), "p2", "ab"},
        {"m1", model::ReceiptKind::delivered, from_unix_ms(30), "owner\nwith a break", "ab"}};
    EXPECT_EQ(history->at(1).receipts, wanted) << "handed over last, delivered first";
    EXPECT_EQ(test::run(runtime_, store_->history(1))->size(), 1U);
}

TEST_F(StoreTest, A_second_process_is_refused) {
    open();
    const auto second = Store::open(folder_, runtime_.executor(), Log::none());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
}

TEST_F(StoreTest, A_database_of_a_newer_version_is_refused_and_not_touched) {
    open();
    tamper("PRAGMA user_version = 999");
    const auto opened = Store::open(folder_, runtime_.executor(), Log::none());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::unsupported);
}

TEST_F(StoreTest, A_file_that_is_no_database_is_an_error_and_stays) {
    open();
    store_.reset();
    std::filesystem::remove(folder_ / "noroshi.db-wal");
    FILE* file = std::fopen((folder_ / "noroshi.db").c_str(), "w");
    std::fputs("this is no database, only some text that is long enough to be one page of nothing", file);
    std::fclose(file);
    const auto opened = Store::open(folder_, runtime_.executor(), Log::none());
    ASSERT_FALSE(opened);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "noroshi.db"));
}

TEST_F(StoreTest, Commits_that_wait_together_keep_their_order) {
    open();
    std::vector<Task<Result<void>>> waiting;
    TaskGroup tasks(runtime_.executor());
    struct Writer {
        static Task<void> write(Store& store, int value) {
            Batch batch;
            batch.put_setting("last", std::to_string(value));
            EXPECT_TRUE(co_await store.commit(std::move(batch)));
        }
        static Task<int> all(Store& store, TaskGroup& tasks) {
            for (int i = 0; i < 50; ++i) {
                tasks.spawn("write", write(store, i));
            }
            Batch last;
            last.put_setting("end", "1");
            EXPECT_TRUE(co_await store.commit(std::move(last)));
            Batch after;
            after.put_setting("end", "2");
            EXPECT_TRUE(co_await store.commit(std::move(after)));
            co_return 0;
        }
    };
    EXPECT_EQ(runtime_.run(Writer::all(*store_, tasks)), 0);
    test::run(runtime_, tasks.stop());
    EXPECT_EQ(*store_->load_setting("last"), "49");
}

}  // namespace
}  // namespace noroshi::store
