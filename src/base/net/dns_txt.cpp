// src/base/net/dns_txt.cpp - drives one c-ares query from a coroutine.
#include "base/net/dns_txt.hpp"

#include <ares.h>
#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <memory>
#include <optional>

namespace noroshi::net {
namespace {

constexpr Milliseconds look_interval{10};
constexpr int tries = 2;

struct Destroy {
    void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, Destroy>;

struct LibraryInit {
    LibraryInit() { ares_library_init(ARES_LIB_INIT_ALL); }
    ~LibraryInit() { ares_library_cleanup(); }
};

Result<Channel> open_channel(const DnsOptions& options) {
    static const LibraryInit library;
    ares_options wanted{};
    wanted.timeout = static_cast<int>(options.try_timeout.count());
    wanted.tries = tries;
    ares_channel raw = nullptr;
    if (ares_init_options(&raw, &wanted, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS) {
        return fail(Errc::io, "c-ares could not be started");
    }
    Channel channel(raw);
    if (!options.server.empty() && ares_set_servers_ports_csv(raw, options.server.c_str()) != ARES_SUCCESS) {
        return fail(Errc::invalid_argument, "expected a name server such as 192.0.2.1:53, got " + options.server);
    }
    return channel;
}

/// What came of the query; shared with the callback of c-ares, which is called once, at the latest by ares_destroy.
struct Answer {
    std::optional<int> status;
    std::vector<std::string> texts;
};

void take_texts(const unsigned char* packet, int length, Answer& answer) {
    ares_txt_ext* first = nullptr;
    answer.status = ares_parse_txt_reply_ext(packet, length, &first);
    for (const ares_txt_ext* part = first; part != nullptr; part = part->next) {
        if (part->record_start != 0 || answer.texts.empty()) {
            answer.texts.emplace_back();
        }
        answer.texts.back().append(reinterpret_cast<const char*>(part->txt), part->length);
    }
    if (first != nullptr) {
        ares_free_data(first);
    }
}

void on_answer(void* user, int status, int /*timeouts*/, unsigned char* packet, int length) {
    Answer& answer = *static_cast<Answer*>(user);
    if (status == ARES_SUCCESS) {
        take_texts(packet, length, answer);
    } else {
        answer.status = status;
    }
}

/// Lets c-ares read and write what is ready, and notice what has timed out.
void process(ares_channel channel) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int wanted = ares_getsock(channel, sockets.data(), static_cast<int>(sockets.size()));
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // timeouts alone
    for (int i = 0; i < static_cast<int>(sockets.size()); ++i) {
        const bool reads = ARES_GETSOCK_READABLE(wanted, i) != 0;
        const bool writes = ARES_GETSOCK_WRITABLE(wanted, i) != 0;
        if (!reads && !writes) {
            continue;
        }
        pollfd ready{sockets[static_cast<std::size_t>(i)],
                     static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0};
        if (::poll(&ready, 1, 0) > 0) {
            ares_process_fd(channel, (ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0 ? ready.fd : ARES_SOCKET_BAD,
                            (ready.revents & POLLOUT) != 0 ? ready.fd : ARES_SOCKET_BAD);
        }
    }
}

Error named(int status, const std::string& name) {
    const bool absent = status == ARES_ENOTFOUND || status == ARES_ENODATA;
    const Errc code = absent ? Errc::not_found : status == ARES_ETIMEOUT ? Errc::timeout : Errc::io;
    return Error{code, fmt::format("TXT {}: {}", name, ares_strerror(status)), {}, true};
}

}  // namespace

Task<Result<std::vector<std::string>>> look_up_txt(Timers& timers, std::string name, DnsOptions options) {
    Answer answer;  // outlives the channel, whose end calls back
    NOROSHI_CO_TRY(const Channel channel, open_channel(options));
    constexpr int internet = 1;
    constexpr int txt = 16;
    ares_query(channel.get(), name.c_str(), internet, txt, on_answer, &answer);
    while (!answer.status) {
        NOROSHI_CO_TRY_VOID(co_await timers.sleep_for(look_interval));
        process(channel.get());
    }
    if (*answer.status != ARES_SUCCESS) {
        co_return fail(named(*answer.status, name));
    }
    co_return std::move(answer.texts);
}

}  // namespace noroshi::net
