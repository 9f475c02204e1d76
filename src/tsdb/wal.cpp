// src/tsdb/wal.cpp - the queue of the log and its writer.
#include "wal.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

namespace noroshi::tsdb {

Wal::Wal(const Folder& folder, std::uint64_t first, std::map<std::uint64_t, std::int64_t> known, Options options, Log log)
    : folder_(folder), options_(options), log_(std::move(log)), newest_(std::move(known)), segment_(first),
      writer_(&Wal::work, this) {}

Wal::~Wal() {
    {
        const std::lock_guard held(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    writer_.join();
}

std::string Wal::file_name(std::uint64_t segment) { return fmt::format("{:08}.wal", segment); }

void Wal::append(std::uint64_t id, const model::Labels& labels, std::uint64_t& defined_in, std::int64_t at_ms,
                 const Value& value) {
    const std::lock_guard held(mutex_);
    if (defined_in != segment_) {
        open_.series(id, labels);
        defined_in = segment_;
    }
    open_.sample(id, at_ms, value);
    newest_here_ = std::max(newest_here_, at_ms);
    if (open_.size() < options_.early_flush_bytes) {
        return;
    }
    line_up();
    std::size_t waiting = 0;
    for (const Waiting& batch : line_) {
        waiting += batch.bytes.size();
    }
    if (waiting > options_.most_waiting_bytes) {
        for (const Waiting& batch : line_) {
            lost_ += batch.samples;
        }
        line_.clear();
        next_segment();  // definitions went too: all are written again
    }
    wake_.notify_all();
}

std::uint64_t Wal::rotate() {
    const std::lock_guard held(mutex_);
    line_up();
    next_segment();
    return segment_;
}

void Wal::next_segment() {
    if (newest_here_ != std::numeric_limits<std::int64_t>::min()) {
        newest_[segment_] = newest_here_;
    }
    newest_here_ = std::numeric_limits<std::int64_t>::min();
    ++segment_;
}

void Wal::line_up() {
    if (open_.size() > 0) {
        const std::size_t samples = open_.samples();
        line_.push_back({segment_, samples, open_.take()});
    }
}

Result<void> Wal::flush() {
    std::unique_lock held(mutex_);
    const std::uint64_t ticket = ++asked_;
    wake_.notify_all();
    written_up_to_.wait(held, [this, ticket] { return answered_ >= ticket; });
    return failing_ ? fail(Errc::io, "the log of samples can't be written") : Result<void>{};
}

std::vector<std::uint64_t> Wal::take_before(std::uint64_t segment, std::int64_t before_ms) {
    const std::lock_guard held(mutex_);
    std::vector<std::uint64_t> out;
    for (auto known = newest_.begin(); known != newest_.end() && known->first < std::min(segment, segment_);) {
        if (known->second < before_ms) {
            out.push_back(known->first);
            known = newest_.erase(known);
        } else {
            ++known;
        }
    }
    return out;
}

std::optional<std::uint64_t> Wal::take_oldest() {
    const std::lock_guard held(mutex_);
    if (newest_.empty() || newest_.begin()->first >= segment_) {
        return std::nullopt;
    }
    const std::uint64_t out = newest_.begin()->first;
    newest_.erase(newest_.begin());
    return out;
}

void Wal::work() {
    ::pthread_setname_np(::pthread_self(), "noroshi-wal");
    std::unique_lock held(mutex_);
    while (true) {
        wake_.wait_for(held, options_.flush_every, [this] { return stopping_ || asked_ > answered_ || !line_.empty(); });
        const std::uint64_t ticket = asked_;
        line_up();
        while (!line_.empty()) {
            const Waiting batch = std::move(line_.front());
            line_.pop_front();
            held.unlock();
            const Result<void> written = write(batch);
            held.lock();
            if (!written) {
                give_up(held, batch.samples, written.error());
                continue;
            }
            failing_ = false;
            if (file_ && file_->size() > options_.segment_bytes && file_segment_ == segment_) {
                line_up();
                next_segment();
            }
        }
        answered_ = ticket;
        written_up_to_.notify_all();
        if (stopping_) {
            return;
        }
    }
}

void Wal::give_up(std::unique_lock<std::mutex>& held, std::size_t samples, const Error& error) {
    if (!failing_) {
        held.unlock();
        log_.error("samples_not_logged", {{"reason", error.to_string()}, {"effect", "a restart loses them"}});
        held.lock();
    }
    failing_ = true;
    lost_ += samples;
    // What waits may use series that were defined in the lost batch.
    line_up();
    for (const Waiting& batch : line_) {
        lost_ += batch.samples;
    }
    line_.clear();
    next_segment();
}

Result<void> Wal::write(const Waiting& batch) {
    if (!file_ || file_segment_ != batch.segment) {
        file_.reset();
        NOROSHI_TRY(OutFile file, OutFile::create(folder_, file_name(batch.segment)));
        file_.emplace(std::move(file));
        file_segment_ = batch.segment;
        Result<void> begun = file_->append(wal_header);
        if (begun) {
            begun = folder_.sync();
        }
        if (!begun) {
            file_.reset();
            static_cast<void>(folder_.remove(file_name(batch.segment)));
            return begun;
        }
    }
    Result<void> written = file_->append(batch.bytes);
    if (written) {
        written = file_->sync();
    }
    if (!written) {
        const bool only_this = file_->size() <= wal_header.size() + batch.bytes.size();
        file_.reset();
        if (only_this) {
            static_cast<void>(folder_.remove(file_name(batch.segment)));
        }
        return written;
    }
    written_ += batch.bytes.size();
    return {};
}

}  // namespace noroshi::tsdb
