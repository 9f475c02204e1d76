// src/daemon/series.cpp - opens the series store and gives its figures.
#include "series.hpp"

namespace noroshi::daemon {

Result<std::unique_ptr<tsdb::Head>> open_series(const config::StorageConfig& config,
                                                const std::filesystem::path& data_folder, const Clock& clock, Log log) {
    tsdb::Options options;
    options.retention = config.retention;
    options.folder = data_folder / "tsdb";
    options.max_bytes = config.max_bytes;
    const SteadyMs begin = clock.steady();
    NOROSHI_TRY(std::unique_ptr<tsdb::Head> head, tsdb::Head::open(std::move(options), clock.now(), log));
    const tsdb::DiskStats stats = head->disk_stats();
    log.info("series_read", {{"blocks", stats.blocks},
                             {"samples_from_log", stats.replayed_samples},
                             {"damaged_parts", stats.damaged_parts},
                             {"took_ms", (clock.steady() - begin).count()}});
    return head;
}

void show_series(const tsdb::Head& head, Metrics& metrics) {
    using Figure = double (*)(const tsdb::DiskStats&);
    const auto show = [&](std::string_view name, std::string_view help, Figure figure) {
        metrics.gauge_function(name, help, [&head, figure] { return figure(head.disk_stats()); });
    };
    metrics.gauge_function("noroshi_tsdb_head_series", "Series that were appended to lately.",
                           [&head] { return static_cast<double>(head.live_series()); });
    show("noroshi_tsdb_disk_bytes", "Size of all files of the series store.",
         [](const tsdb::DiskStats& stats) { return static_cast<double>(stats.bytes); });
    show("noroshi_tsdb_blocks", "Blocks on disk.",
         [](const tsdb::DiskStats& stats) { return static_cast<double>(stats.blocks); });
    show("noroshi_tsdb_replayed_samples", "Samples that the last start took from the log.",
         [](const tsdb::DiskStats& stats) { return static_cast<double>(stats.replayed_samples); });
    show("noroshi_tsdb_damaged_parts", "Damaged files and parts of files that were set aside since the start.",
         [](const tsdb::DiskStats& stats) { return static_cast<double>(stats.damaged_parts); });
    show("noroshi_tsdb_unlogged_samples", "Samples that could not be written to the log: a restart loses them.",
         [](const tsdb::DiskStats& stats) { return static_cast<double>(stats.unlogged_samples); });
    show("noroshi_tsdb_log_written_bytes", "Written to the log since the start.",
         [](const tsdb::DiskStats& stats) { return static_cast<double>(stats.log_written_bytes); });
    show("noroshi_tsdb_oldest_sample_seconds", "Unix time of the oldest sample; 0 without any.",
         [](const tsdb::DiskStats& stats) { return stats.oldest ? to_unix_seconds(*stats.oldest) : 0.0; });
}

}  // namespace noroshi::daemon
