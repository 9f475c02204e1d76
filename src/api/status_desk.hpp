// src/api/status_desk.hpp - what people do with Status through the API: see contacts, pair, part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/task.hpp"

namespace noroshi::api {

/// Somebody that noroshi has to do with in Status.
struct Contact {
    std::string chat_key;      ///< "zQ3sh.."
    std::string name;          ///< as it calls itself, or ""
    bool mutual{false};        ///< messages raise notifications
    bool asked_us{false};
    bool asked_by_us{false};
    std::string receiver;      ///< name in the configuration, or ""
    std::string role;          ///< of a pairing: "viewer" or "operator"; "" when there is none
    bool operator==(const Contact&) const = default;
};

struct StatusInfo {
    std::string chat_key;
    std::string share_url;
    std::string display_name;
    bool pairing_open{false};
    std::uint64_t unacknowledged{0};  ///< messages that no device has acknowledged yet
    std::vector<Contact> contacts;
    bool operator==(const StatusInfo&) const = default;
};

/// Somebody unknown who wants to be a contact.
struct PairingRequest {
    std::uint64_t number{0};  ///< counts up
    std::string from;         ///< chat key
    std::string name;
    std::string text;
    bool operator==(const PairingRequest&) const = default;
};

inline constexpr Milliseconds longest_wait{60'000};
inline constexpr Milliseconds longest_pairing{3'600'000};

/// Done by the daemon, or asked of it over HTTP (client.hpp). Keys are read in each form that Status knows: zQ3sh..,
/// 0x04.., share URL. Thread: the I/O thread.
class StatusDesk {
  public:
    virtual ~StatusDesk() = default;
    [[nodiscard]] virtual Task<Result<StatusInfo>> info() = 0;
    /// Lets requests of unknown identities in for so long, at most `longest_pairing`; zero ends it.
    [[nodiscard]] virtual Task<Result<void>> open_pairing(Milliseconds duration) = 0;
    /// Open requests with a number above `after`. Without any it waits for one, or until a contact changes, or for `wait`,
    /// at most `longest_wait`.
    [[nodiscard]] virtual Task<Result<std::vector<PairingRequest>>> requests(std::uint64_t after, Milliseconds wait) = 0;
    /// Makes whoever asked a contact, with that role. Errors: parse, invalid_argument (role), not_found (no such request).
    [[nodiscard]] virtual Task<Result<void>> accept(std::string from, std::string role) = 0;
    /// Asks `to` to be a contact. Errors: parse, those of publishing.
    [[nodiscard]] virtual Task<Result<void>> request(std::string to, std::string text) = 0;
    /// Takes a contact back, and its role. Errors: parse, not_found.
    [[nodiscard]] virtual Task<Result<void>> remove(std::string key) = 0;
};

}  // namespace noroshi::api
