// test/unit/waku/archive_test.cpp - what a store keeps, in which order it gives it, and what it forgets.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/random.hpp"
#include "service/archive.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t no_limit = std::size_t{1} << 30;
const std::string shard = "/waku/2/rs/16/32";

Archived message(std::uint8_t n, std::int64_t at, const std::string& topic = "/a/1/b/proto", std::size_t bytes = 1) {
    Archived out;
    out.hash.fill(n);
    out.pubsub_topic = shard;
    out.content_topic = topic;
    out.timestamp_ns = at;
    out.data = Bytes(bytes, n);
    return out;
}

class ArchiveTest : public ::testing::Test {
  protected:
    void put(const Archived& message) { ASSERT_TRUE(archive_->put(message)); }
    /// First bytes of the hashes of a page.
    std::vector<int> page(const StoreQuery& query, std::size_t page_bytes = no_limit) {
        const Result<StoreAnswer> found = archive_->find(query, page_bytes);
        EXPECT_TRUE(found) << found.error().to_string();
        cursor_ = found ? found->cursor : Bytes{};
        std::vector<int> out;
        for (const StoreEntry& entry : found ? found->entries : std::vector<StoreEntry>{}) {
            out.push_back(entry.hash[0]);
        }
        return out;
    }
    using Ids = std::vector<int>;
    std::unique_ptr<Archive> archive_{*Archive::open("")};
    Bytes cursor_;
};

TEST_F(ArchiveTest, Keeps_a_message_once_and_finds_it_before_the_commit) {
    put(message(1, 10));
    put(message(1, 10));
    EXPECT_EQ(page({}), Ids{1});
    EXPECT_EQ(archive_->bytes(), 1U);
}

TEST_F(ArchiveTest, Gives_pages_by_time_then_hash_with_the_cursor_of_the_last_entry) {
    for (const auto& [n, at] : {std::pair{3, 20}, {1, 10}, {4, 20}, {2, 20}}) {
        put(message(static_cast<std::uint8_t>(n), at));
    }
    StoreQuery query;
    query.page_size = 3;
    EXPECT_EQ(page(query), (Ids{1, 2, 3}));
    EXPECT_EQ(cursor_, Bytes(32, 3));
    query.cursor = cursor_;
    EXPECT_EQ(page(query), Ids{4});
    EXPECT_TRUE(cursor_.empty());
}

TEST_F(ArchiveTest, Backward_gives_the_newest_page_first_and_each_page_ascending) {
    for (std::uint8_t n = 1; n <= 5; ++n) {
        put(message(n, n));
    }
    StoreQuery query;
    query.forward = false;
    query.page_size = 2;
    EXPECT_EQ(page(query), (Ids{4, 5}));
    query.cursor = cursor_;
    EXPECT_EQ(page(query), (Ids{2, 3})) << "none twice, none left out";
    query.cursor = cursor_;
    EXPECT_EQ(page(query), Ids{1});
    EXPECT_TRUE(cursor_.empty());
}

TEST_F(ArchiveTest, A_full_last_page_has_no_cursor) {
    put(message(1, 1));
    put(message(2, 2));
    StoreQuery query;
    query.page_size = 2;
    EXPECT_EQ(page(query).size(), 2U);
    EXPECT_TRUE(cursor_.empty());
}

TEST_F(ArchiveTest, Start_is_inclusive_and_end_is_not) {
    for (std::uint8_t n = 1; n <= 4; ++n) {
        put(message(n, n));
    }
    StoreQuery query;
    query.start_ns = 2;
    query.end_ns = 4;
    EXPECT_EQ(page(query), (Ids{2, 3}));
}

TEST_F(ArchiveTest, Finds_by_topics_and_by_hashes) {
    put(message(1, 1, "/a/1/x/proto"));
    put(message(2, 2, "/a/1/y/proto"));
    put(message(3, 3, "/a/1/z/proto"));
    StoreQuery query;
    query.pubsub_topic = shard;
    query.content_topics = {"/a/1/x/proto", "/a/1/z/proto"};
    EXPECT_EQ(page(query), (Ids{1, 3}));
    query.pubsub_topic = "/waku/2/rs/16/64";
    EXPECT_EQ(page(query), Ids{});
    StoreQuery hashes;
    hashes.hashes = {message(2, 0).hash, message(9, 0).hash};
    hashes.include_data = false;
    EXPECT_EQ(page(hashes), Ids{2});
    EXPECT_TRUE(archive_->find(hashes, no_limit)->entries[0].message.empty());
}

TEST_F(ArchiveTest, Refuses_a_cursor_that_is_none_of_its_own) {
    put(message(1, 1));
    StoreQuery query;
    for (const Bytes& cursor : {Bytes(32, 0), Bytes(32, 9), Bytes(3, 1)}) {
        query.cursor = cursor;
        EXPECT_EQ(archive_->find(query, no_limit).error().code, Errc::not_found);
    }
}

TEST_F(ArchiveTest, A_page_ends_at_its_bytes_but_never_before_one_message) {
    for (std::uint8_t n = 1; n <= 3; ++n) {
        put(message(n, n, "/a/1/b/proto", 100));
    }
    EXPECT_EQ(page({}, 250), (Ids{1, 2}));
    EXPECT_EQ(cursor_, Bytes(32, 2));
    EXPECT_EQ(page({}, 10), Ids{1});
}

TEST_F(ArchiveTest, Forgets_by_age_and_the_oldest_beyond_its_bytes) {
    for (std::uint8_t n = 1; n <= 200; ++n) {
        put(message(n, n, "/a/1/b/proto", 10));
    }
    ASSERT_TRUE(archive_->commit(51, no_limit));
    StoreQuery one;
    one.page_size = 1;
    EXPECT_EQ(page(one), Ids{51});
    EXPECT_EQ(archive_->bytes(), 1'500U);
    ASSERT_TRUE(archive_->commit(0, 1'000));
    EXPECT_EQ(page(one), Ids{151}) << "in lots of a hundred";
    EXPECT_EQ(archive_->bytes(), 500U);
}

TEST_F(ArchiveTest, Walking_all_pages_gives_each_message_once_in_order_in_both_directions) {
    SeededRandom random(5);
    for (int n = 0; n < 300; ++n) {
        Archived one = message(0, static_cast<std::int64_t>(random.below(40)));
        random.fill(one.hash);
        put(one);
    }
    std::vector<crypto::Digest> forward;
    StoreQuery query;
    query.page_size = 7;
    do {
        const StoreAnswer answer = *archive_->find(query, no_limit);
        for (const StoreEntry& entry : answer.entries) {
            forward.push_back(entry.hash);
        }
        query.cursor = answer.cursor;
    } while (!query.cursor.empty());
    EXPECT_EQ(forward.size(), 300U);
    std::vector<crypto::Digest> sorted = forward;
    std::ranges::sort(sorted);
    EXPECT_EQ(std::ranges::adjacent_find(sorted), sorted.end());
}

TEST_F(ArchiveTest, Several_topics_are_one_row_of_pages_and_one_that_is_named_twice_counts_once) {
    const std::vector<std::string> topics{"/a/1/b/proto", "/a/1/c/proto", "/a/1/d/proto"};
    for (std::uint8_t n = 1; n <= 20; ++n) {
        put(message(n, 100 + n / 2, topics[n % 3]));
    }
    put(message(99, 105, "/a/1/other/proto"));
    StoreQuery query;
    query.pubsub_topic = shard;
    query.content_topics = {topics[0], topics[1], topics[2], topics[1]};
    query.page_size = 3;
    for (const bool forward : {true, false}) {
        query.forward = forward;
        query.cursor.clear();
        Ids all;
        do {
            const Ids some = page(query);
            all.insert(forward ? all.end() : all.begin(), some.begin(), some.end());
            query.cursor = cursor_;
        } while (!query.cursor.empty());
        Ids expected(20);
        std::iota(expected.begin(), expected.end(), 1);
        EXPECT_EQ(all, expected) << forward;
    }
}

TEST(ArchiveFile, Keeps_what_was_committed_for_its_owner_alone) {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() / "noroshi-archive-test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const std::string file = (folder / "a.db").string();
    {
        const std::unique_ptr<Archive> archive = *Archive::open(file);
        ASSERT_TRUE(archive->put(message(1, 1)));
        ASSERT_TRUE(archive->commit(0, no_limit));
    }
    const std::unique_ptr<Archive> again = *Archive::open(file);
    EXPECT_EQ(again->find({}, no_limit)->entries.size(), 1U);
    EXPECT_EQ(again->bytes(), 1U);
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    std::ofstream(folder / "no.db") << std::string(5'000, 'x');
    EXPECT_EQ(Archive::open((folder / "no.db").string()).error().code, Errc::io);
    EXPECT_EQ(Archive::open((folder / "none" / "a.db").string()).error().code, Errc::io);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace noroshi::waku
