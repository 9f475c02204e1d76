// src/waku/rest_refusal.cpp - what an answer other than 2xx means, in the words of both programs.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "rest_codec.hpp"

namespace noroshi::waku::rest {
namespace {

constexpr std::size_t max_reason = 200;

bool says(std::string_view text, std::string_view what) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return !std::ranges::search(text, what, {}, lower).empty();
}

/// What an answer to a publish means: the first row whose status (0: any) and text (lower case, "": any) it has.
/// Statuses of lightpush 3 are HTTP statuses too; go-waku's relay says 500 and nothing for every fault.
struct Refusal {
    unsigned status;
    std::string_view text;
    std::string_view reason;
    Errc code;
    bool retryable;
};
constexpr Refusal refusals[]{
    {0, "already-seen", "duplicate", Errc::conflict, false},           // nwaku 420
    {0, "already seen", "duplicate", Errc::conflict, false},
    {0, "duplicate", "duplicate", Errc::conflict, false},
    {429, "", "rate_limited", Errc::limit, true},                      // nwaku
    {0, "too many requests", "rate_limited", Errc::limit, true},       // nwaku as the service node of another
    {0, "too_many_requests", "rate_limited", Errc::limit, true},
    {0, "rate limit", "rate_limited", Errc::limit, true},              // go-waku 503 "exceeds the rate limit"
    {0, "rln", "rln_required", Errc::refused, true},                   // nwaku 400, 420, 500
    {413, "", "too_large", Errc::limit, false},
    {0, "size exceed", "too_large", Errc::limit, false},               // nwaku 400 "Message size exceeded maximum of"
    {0, "initializing", "host_down", Errc::io, true},                  // nwaku 404 in its first seconds
    {0, "not enough peers", "no_peers", Errc::refused, true},          // go-waku
    {0, "no suitable", "no_peers", Errc::refused, true},               // both: no service peer
    {0, "no peers", "no_peers", Errc::refused, true},                  // nwaku 505 "No peers for topic"
    {0, "no_peers", "no_peers", Errc::refused, true},
    {0, "timed out", "timeout", Errc::timeout, true},                  // nwaku 503 "Push request timed out"
    {0, "timedout", "timeout", Errc::timeout, true},                   // nwaku 500 "Failed to publish: timedout"
    {0, "deadline exceeded", "timeout", Errc::timeout, true},          // go-waku
    {421, "", "wrong_shard", Errc::refused, true},
    {0, "not subscribed to topic", "wrong_shard", Errc::refused, true},  // nwaku 400; it is subscribed at the next poll
    {504, "", "rln_required", Errc::refused, true},                    // nwaku: out of proofs
    {505, "", "no_peers", Errc::refused, true},
    {503, "", "no_peers", Errc::refused, true},
    {0, "missing payload", "invalid", Errc::invalid_argument, false},  // go-waku 400
    {0, "could not decode", "invalid", Errc::invalid_argument, false},  // nwaku 400
    {0, "", "refused", Errc::refused, true},
};

}  // namespace

bool is_absent(const Answer& answer) {
    return answer.status == 405 || (answer.status == 404 && (says(answer.body, "page not found") ||
                                                             says(answer.body, "endpoints are not available. ") ||
                                                             answer.body.ends_with("endpoints are not available."))) ||
           (answer.status == 400 && says(answer.body, "invalid path or method"));
}

bool is_not_subscribed(const Answer& answer) {
    const bool told = says(answer.body, "not subscribed") || says(answer.body, "no subscription") ||
                      says(answer.body, "channel is closed");
    // nwaku's relay says 404 and nothing.
    return (answer.status == 404 && (told || answer.body.empty())) || (answer.status == 400 && told);
}

Error refusal(const Answer& answer) {
    const auto* const row = std::ranges::find_if(refusals, [&answer](const Refusal& one) {
        return (one.status == 0 || one.status == answer.status) && (one.text.empty() || says(answer.body, one.text));
    });
    const std::string text = answer.body.empty() ? "without a reason" : printable(answer.body, max_reason);
    return {row->code, fmt::format("{}: HTTP {} {}", row->reason, answer.status, text), {}, row->retryable};
}

}  // namespace noroshi::waku::rest
