// src/tsdb/wal_format.cpp - writes batches and finds them again.
#include "wal_format.hpp"

#include <bit>
#include <optional>

#include "base/crc32c.hpp"
#include "histogram_codec.hpp"

namespace noroshi::tsdb {
namespace {

constexpr std::string_view magic = "nrwB";
constexpr std::size_t batch_header = 12;  // magic, checksum, length
// Bytes that look like the magic are many only in a file made to be slow to read.
constexpr std::size_t most_searches = 10'000;

enum class Look { whole, torn, damaged };

/// The batch at the beginning of `bytes`; `entries` is set when it is whole.
Look look_at(std::string_view bytes, std::string_view& entries) {
    if (bytes.size() < batch_header) {
        return Look::torn;
    }
    Decoder header(bytes.substr(magic.size(), 8));
    const std::uint32_t checksum = header.u32();
    const std::size_t length = header.u32();
    if (!bytes.starts_with(magic) || length > max_batch_bytes) {
        return Look::damaged;
    }
    if (length > bytes.size() - batch_header) {
        return Look::torn;
    }
    entries = bytes.substr(batch_header, length);
    return crc32c(bytes.substr(batch_header - 4, 4 + length)) == checksum ? Look::whole : Look::damaged;
}

/// Nothing when it makes no sense.
std::optional<Value> read_value(Decoder& in, Encoding kind) {
    if (kind == Encoding::floats) {
        const std::uint64_t bits = in.u64();
        return in.failed() ? std::nullopt : std::optional<Value>(std::bit_cast<double>(bits));
    }
    model::HistogramPtr histogram = histogram_of(in.text());
    return in.failed() || !histogram ? std::nullopt : std::optional<Value>(std::move(histogram));
}

/// False when an entry is of no known kind or ends early; those before it were handed over.
bool read_entries(std::string_view entries, WalSink& sink, std::size_t& samples) {
    Decoder in(entries);
    std::int64_t at_ms = 0;
    while (!in.at_end()) {
        const auto kind = static_cast<Encoding>(in.u8());
        const std::uint64_t id = in.varint();
        if (kind == Encoding::series) {
            model::Labels labels = in.labels();
            if (in.failed()) {
                return false;
            }
            sink.series(id, std::move(labels));
        } else if (kind == Encoding::floats || kind == Encoding::histograms) {
            at_ms = wrapping_sum(at_ms, in.signed_varint());
            const std::optional<Value> value = read_value(in, kind);
            if (!value) {
                return false;
            }
            sink.sample(id, at_ms, *value);
            ++samples;
        } else {
            return false;
        }
    }
    return !in.failed();
}

/// Where the next whole batch begins, or the end.
std::size_t next_batch(std::string_view bytes, std::size_t from, std::size_t& searches) {
    std::string_view ignored;
    for (std::size_t at = bytes.find(magic, from); at != std::string_view::npos && searches < most_searches;
         at = bytes.find(magic, at + 1)) {
        ++searches;
        if (look_at(bytes.substr(at), ignored) == Look::whole) {
            return at;
        }
    }
    return bytes.size();
}

}  // namespace

void BatchEncoder::series(std::uint64_t id, const model::Labels& labels) {
    entries_.u8(static_cast<std::uint8_t>(Encoding::series));
    entries_.varint(id);
    entries_.labels(labels);
}

void BatchEncoder::sample(std::uint64_t id, std::int64_t at_ms, const Value& value) {
    entries_.u8(static_cast<std::uint8_t>(value.histogram ? Encoding::histograms : Encoding::floats));
    entries_.varint(id);
    entries_.signed_varint(static_cast<std::int64_t>(static_cast<std::uint64_t>(at_ms) - static_cast<std::uint64_t>(last_ms_)));
    if (value.histogram) {
        entries_.text(histogram_bytes(*value.histogram));
    } else {
        entries_.u64(std::bit_cast<std::uint64_t>(value.number));
    }
    last_ms_ = at_ms;
    ++samples_;
}

std::string BatchEncoder::take() {
    std::string out = whole_batch(entries_.bytes());
    *this = BatchEncoder();
    return out;
}

std::string whole_batch(std::string_view entries) {
    Encoder checked;
    checked.u32(static_cast<std::uint32_t>(entries.size()));
    checked.raw(entries);
    Encoder out;
    out.raw(magic);
    out.u32(crc32c(checked.bytes()));
    out.raw(checked.bytes());
    return out.take();
}

WalScan scan_wal(std::string_view bytes, WalSink& sink) {
    WalScan out;
    std::size_t searches = 0;
    std::size_t at = 0;
    if (bytes.starts_with(wal_header)) {
        at = wal_header.size();
    } else if (wal_header.starts_with(bytes)) {
        out.torn_bytes = bytes.size();
        return out;
    }
    std::string kept(wal_header);
    while (at < bytes.size()) {
        std::string_view entries;
        const Look look = look_at(bytes.substr(at), entries);
        if (look == Look::whole) {
            const std::size_t length = batch_header + entries.size();
            out.unknown_batches += read_entries(entries, sink, out.samples) ? 0 : 1;
            kept += bytes.substr(at, length);
            at += length;
            continue;
        }
        const std::size_t next = next_batch(bytes, at, searches);
        if (look == Look::torn && next == bytes.size()) {
            out.torn_bytes = next - at;
        } else {
            ++out.damaged_parts;
            out.damaged_bytes += next - at;
        }
        at = next;
    }
    if (out.damaged_parts > 0) {
        out.kept = std::move(kept);
    }
    return out;
}

}  // namespace noroshi::tsdb
