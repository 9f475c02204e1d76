// src/waku/content_topics.hpp - the content topics that are read, and how far stores were asked for each of them.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace noroshi::waku {

/// Clocks of senders differ by up to this much (stores refuse more), so that each query looks back a little further.
inline constexpr std::chrono::seconds clock_overlap{20};

/// Changes while a node runs. Thread: the I/O thread.
class ContentTopics {
  public:
    static constexpr std::size_t most = 100;  ///< as one filter request may hold

    /// Each once, at most `most` of them; those beyond are dropped.
    explicit ContentTopics(const std::vector<std::string>& topics = {});

    struct Change {
        std::vector<std::string> added;
        std::vector<std::string> gone;
        std::size_t refused{0};  ///< how many there was no room for
    };
    /// `topics` in place of those there are. Stores will be asked for what came to the added ones since `from`.
    Change replace(const std::vector<std::string>& topics, TimestampMs from);
    /// Stores will be asked for what came since `from`, to all topics.
    void ask_from(TimestampMs from);

    [[nodiscard]] bool contains(const std::string& topic) const { return asked_to_.contains(topic); }
    [[nodiscard]] bool empty() const { return asked_to_.empty(); }
    /// In alphabetical order.
    [[nodiscard]] std::vector<std::string> list() const;

    /// One query of a store.
    struct Range {
        std::vector<std::string> topics;  ///< as many as one query may name
        TimestampMs from;
    };
    /// What a store is to be asked about those of `topics` that are read. Topics that were asked for to the same time
    /// share a query, no others: nobody gets anew what is long known for the sake of a new topic.
    [[nodiscard]] std::vector<Range> ranges(const std::vector<std::string>& topics) const;
    /// A store was asked for these, to this time.
    void asked(const std::vector<std::string>& topics, TimestampMs until);

  private:
    std::map<std::string, TimestampMs> asked_to_;
};

}  // namespace noroshi::waku
