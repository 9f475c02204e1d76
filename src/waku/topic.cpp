// src/waku/topic.cpp - content topics, pubsub topics and autosharding (23/WAKU2-TOPICS, 51/WAKU2-RELAY-SHARDING).
#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "waku/message.hpp"

namespace noroshi::waku {
namespace {

constexpr std::uint32_t max_shard = 1023;
constexpr std::string_view static_prefix = "/waku/2/rs/";

/// Plain decimal digits without a leading zero, at most `max`.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t max) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (!whole || value > max || (text.size() > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    return value;
}

/// The parts of "/a/b/c"; empty when it does not begin with '/' or a part is empty.
std::vector<std::string_view> split_topic(std::string_view text) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        if (text.front() != '/') {
            return {};
        }
        text.remove_prefix(1);
        const std::string_view part = text.substr(0, text.find('/'));
        if (part.empty() || parts.size() == 5) {
            return {};
        }
        parts.push_back(part);
        text.remove_prefix(part.size());
    }
    return parts;
}

}  // namespace

Result<ContentTopic> parse_content_topic(std::string_view text) {
    const auto refuse = [] {
        return fail(Errc::parse, "expected a content topic such as /application/1/name/proto, no part empty, optionally "
                                 "with a generation number in front");
    };
    std::vector<std::string_view> parts = split_topic(text);
    ContentTopic topic;
    if (parts.size() == 5) {
        topic.generation = parse_number(parts.front(), UINT32_MAX);
        if (!topic.generation) {
            return refuse();
        }
        parts.erase(parts.begin());
    }
    if (parts.size() != 4 || !is_utf8(text)) {
        return refuse();
    }
    topic.application = parts[0];
    topic.version = parts[1];
    topic.name = parts[2];
    topic.encoding = parts[3];
    return topic;
}

Result<std::uint16_t> autoshard(const ContentTopic& topic, std::uint16_t shard_count) {
    if (topic.generation.value_or(0) != 0) {
        return fail(Errc::unsupported, "only generation 0 of content topics has a sharding rule");
    }
    if (shard_count == 0 || shard_count > max_shard + 1) {
        return fail(Errc::invalid_argument, "expected 1 to 1024 shards");
    }
    const crypto::Digest digest = crypto::sha256({as_bytes(topic.application), as_bytes(topic.version)});
    // Only the last 8 bytes, as js-waku and the Nim node do: it differs from the whole number unless N is a power of 2.
    std::uint64_t tail = 0;
    for (std::size_t i = 24; i < digest.size(); ++i) {
        tail = tail << 8 | digest[i];
    }
    return static_cast<std::uint16_t>(tail % shard_count);
}

std::string PubsubTopic::to_string() const { return fmt::format("{}{}/{}", static_prefix, cluster, shard); }

Result<PubsubTopic> parse_pubsub_topic(std::string_view text) {
    if (text.starts_with(static_prefix)) {
        const std::string_view rest = text.substr(static_prefix.size());
        const std::size_t slash = rest.find('/');
        if (slash != std::string_view::npos) {
            const auto cluster = parse_number(rest.substr(0, slash), UINT16_MAX);
            const auto shard = parse_number(rest.substr(slash + 1), max_shard);
            if (cluster && shard) {
                return PubsubTopic{static_cast<std::uint16_t>(*cluster), static_cast<std::uint16_t>(*shard)};
            }
        }
    }
    return fail(Errc::parse, "expected a pubsub topic such as /waku/2/rs/16/32 (cluster 0..65535, shard 0..1023)");
}

}  // namespace noroshi::waku
