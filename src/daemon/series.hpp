// src/daemon/series.hpp - the series store as the daemon opens and shows it.
#pragma once

#include <filesystem>
#include <memory>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::daemon {

/// The store in "tsdb" of the data folder, with what earlier runs left there. Errors: io, refused.
[[nodiscard]] Result<std::unique_ptr<tsdb::Head>> open_series(const config::StorageConfig& config,
                                                              const std::filesystem::path& data_folder, const Clock& clock,
                                                              Log log);
/// Puts its figures into /metrics. `head` outlives the last exposition.
void show_series(const tsdb::Head& head, Metrics& metrics);

}  // namespace noroshi::daemon
