// src/waku/content_topics.cpp - what changed, and in which queries stores are asked.
#include "content_topics.hpp"

#include <algorithm>
#include <utility>

#include "store_rpc.hpp"

namespace noroshi::waku {

ContentTopics::ContentTopics(const std::vector<std::string>& topics) { replace(topics, {}); }

ContentTopics::Change ContentTopics::replace(const std::vector<std::string>& topics, TimestampMs from) {
    Change change;
    std::map<std::string, TimestampMs> next;
    for (const std::string& topic : topics) {
        if (next.contains(topic)) {
            continue;
        }
        if (next.size() == most) {
            ++change.refused;
            continue;
        }
        const auto known = asked_to_.find(topic);
        if (known == asked_to_.end()) {
            change.added.push_back(topic);
        }
        next.emplace(topic, known == asked_to_.end() ? from + clock_overlap : known->second);
    }
    for (const auto& [topic, asked_to] : asked_to_) {
        if (!next.contains(topic)) {
            change.gone.push_back(topic);
        }
    }
    asked_to_ = std::move(next);
    return change;
}

void ContentTopics::ask_from(TimestampMs from) {
    for (auto& [topic, asked_to] : asked_to_) {
        asked_to = from + clock_overlap;
    }
}

std::vector<std::string> ContentTopics::list() const {
    std::vector<std::string> out;
    for (const auto& [topic, asked_to] : asked_to_) {
        out.push_back(topic);
    }
    return out;
}

std::vector<ContentTopics::Range> ContentTopics::ranges(const std::vector<std::string>& topics) const {
    std::map<TimestampMs, std::vector<std::string>> by_time;
    for (const std::string& topic : topics) {
        if (const auto found = asked_to_.find(topic); found != asked_to_.end()) {
            by_time[found->second].push_back(topic);
        }
    }
    std::vector<Range> out;
    for (const auto& [asked_to, those] : by_time) {
        for (std::size_t at = 0; at < those.size(); at += max_store_topics) {
            const auto first = those.begin() + static_cast<std::ptrdiff_t>(at);
            const auto count = static_cast<std::ptrdiff_t>(std::min(max_store_topics, those.size() - at));
            out.push_back({{first, first + count}, asked_to - clock_overlap});
        }
    }
    return out;
}

void ContentTopics::asked(const std::vector<std::string>& topics, TimestampMs until) {
    for (const std::string& topic : topics) {
        if (const auto found = asked_to_.find(topic); found != asked_to_.end()) {
            found->second = std::max(found->second, until);
        }
    }
}

}  // namespace noroshi::waku
