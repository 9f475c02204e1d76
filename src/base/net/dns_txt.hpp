// src/base/net/dns_txt.hpp - TXT records by c-ares, without a thread.
#pragma once

#include <string>
#include <vector>

#include "base/task.hpp"

namespace noroshi::net {

struct DnsOptions {
    std::string server{};               ///< "192.0.2.1:53" or "[2001:db8::1]:53"; empty: those of the system
    Milliseconds try_timeout{2'000};    ///< of one try; there are two for each server
};

/// The TXT records of `name`, each with its parts joined; over UDP, by TCP when an answer is too long for it. What the
/// answer says is a stranger's word. Thread: the I/O thread; it looks for an answer each 10 ms while it waits.
/// Errors: not_found (no such name, no such record), timeout, io (server refuses, bad answer), invalid_argument (the
/// server's address), cancelled; the first three are retryable.
[[nodiscard]] Task<Result<std::vector<std::string>>> look_up_txt(Timers& timers, std::string name, DnsOptions options);

}  // namespace noroshi::net
