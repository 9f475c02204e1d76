// test/fuzz/tsdb_chunk_fuzz.cpp - any samples in order of time, numbers or histograms, come back bit by bit.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "chunk.hpp"
#include "histogram_codec.hpp"

namespace {

using namespace noroshi;

struct Record {
    std::uint32_t step;
    std::uint64_t bits;
};

/// Another histogram than `h`, made of the record; it may have no valid layout.
model::Histogram changed(model::Histogram h, std::uint64_t bits) {
    model::HistogramSide& side = (bits & 8) != 0 ? h.negative : h.positive;
    const std::size_t place = side.counts.empty() ? 0 : (bits >> 4) % side.counts.size();
    switch (bits & 7) {
        case 0:
            h.sum = std::bit_cast<double>(bits);
            break;
        case 1:
            side.spans.push_back({static_cast<std::int8_t>(bits >> 8), static_cast<std::uint32_t>(bits >> 16) & 7});
            side.counts.resize(side.counts.size() + side.spans.back().length, static_cast<double>(bits >> 32));
            break;
        case 2:
        case 3:
            if (!side.counts.empty()) {
                double& count = side.counts[place];
                count = (bits & 7) == 2 ? std::bit_cast<double>(bits) : count + static_cast<double>(bits >> 40);
            }
            break;
        case 4:
            h.schema = static_cast<std::int8_t>(bits >> 8);
            h.custom_values = std::make_shared<const std::vector<double>>((bits >> 16) & 3, std::bit_cast<double>(bits));
            break;
        case 5:
            h = {};
            h.sum = model::stale_marker();
            break;
        case 6:
            h.count = static_cast<double>(bits >> 8);
            h.zero_count = std::bit_cast<double>(bits);
            break;
        default:
            h.zero_threshold = std::bit_cast<double>(bits);
            h.hint = static_cast<model::ResetHint>((bits >> 8) & 3);
    }
    return h;
}

void numbers(const std::vector<Record>& records) {
    tsdb::Chunk chunk;
    std::vector<std::pair<std::int64_t, std::uint64_t>> put;
    std::int64_t at = 0;
    for (const Record& record : records) {
        if (chunk.full()) {
            break;
        }
        at = put.empty() ? static_cast<std::int64_t>(record.step) * 1000 : at + 1 + record.step;
        chunk.append(at, std::bit_cast<double>(record.bits));
        put.emplace_back(at, record.bits);
    }
    tsdb::Chunk::Reader reader(chunk);
    model::Sample sample{};
    for (const auto& [time, bits] : put) {
        if (!reader.next(sample) || to_unix_ms(sample.at) != time || std::bit_cast<std::uint64_t>(sample.value) != bits) {
            std::abort();
        }
    }
    if (reader.next(sample)) {
        std::abort();
    }
}

void histograms(const std::vector<Record>& records) {
    tsdb::Chunk chunk;
    std::vector<std::pair<std::int64_t, model::HistogramPtr>> put;
    std::int64_t at = 0;
    for (const Record& record : records) {
        const auto value = std::make_shared<const model::Histogram>(
            changed(put.empty() ? model::Histogram() : *put.back().second, record.bits));
        if (!model::validate_layout(*value)) {
            continue;
        }
        if (!chunk.takes(value)) {
            break;
        }
        at += 1 + record.step;
        chunk.append(at, value, put.empty() ? nullptr : put.back().second.get());
        put.emplace_back(at, value);
    }
    const tsdb::Chunk again =
        tsdb::Chunk::from_bytes(chunk.encoding(), chunk.to_bytes(), chunk.count(), chunk.first_ms(), chunk.last_ms());
    tsdb::Chunk::Reader reader(again);
    model::Sample sample{};
    for (const auto& [time, value] : put) {
        if (!reader.next(sample) || to_unix_ms(sample.at) != time) {
            std::abort();
        }
        model::Histogram read = *reader.histogram();
        read.hint = value->hint;
        if (!(read == *value) || tsdb::histogram_bytes(read) != tsdb::histogram_bytes(*value)) {
            std::abort();
        }
    }
    if (reader.next(sample)) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<Record> records;
    for (; size >= 12; data += 12, size -= 12) {
        Record& record = records.emplace_back();
        std::memcpy(&record.step, data, 4);
        std::memcpy(&record.bits, data + 4, 8);
    }
    numbers(records);
    histograms(records);
    return 0;
}
