// src/status/sender.hpp - messages out: sealed, committed, published, repeated until acknowledged.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/task.hpp"
#include "messenger_core.hpp"
#include "send_budget.hpp"

namespace noroshi::status {

/// A payload that was sealed goes out as it is until one peer took it: each sealing advances a ratchet, and its other
/// side bears only a thousand gaps. Only what was published is sealed anew for a repeat. Thread: the I/O thread.
class Sender {
  public:
    Sender(MessengerCore& core, TaskGroup& tasks);

    /// Sends the rows `ids` of `to`, and acknowledgements that wait for it, now; `writes` are committed before. Rows that
    /// are gone are passed over. What fails here is tried again by `work`. Errors: limit (rate_limited, retryable),
    /// conflict (busy: they are being sent; retryable), not_found (none of them is there), cancelled, those of publish.
    [[nodiscard]] Task<Result<Sent>> dispatch(crypto::PublicKey to, std::vector<MvdsId> ids, StateWrites writes,
                                              Urgency urgency);
    /// An acknowledgement, on its way within 300 ms. What it says must be on disk.
    void acknowledge(const crypto::PublicKey& to, const MvdsId& id);
    /// The row is gone: what was sealed of it is not needed any more.
    void forget(const MvdsId& id) { unpublished_.erase(id); }
    /// The contact code is advertised soon, not only when its six hours are over.
    void advertise_soon();
    /// Looks what is due.
    void wake() { wake_.notify(); }
    /// Repeats, acknowledges, tells name and picture, advertises, forgets; until it is cancelled.
    [[nodiscard]] Task<void> work();

    static constexpr Milliseconds tick{300};
    static constexpr Milliseconds network_retry{30'000};          ///< after no peer took it; doubled each time, up to
    static constexpr Milliseconds longest_network_retry{120'000};
    static constexpr Milliseconds identity_age{24 * 3'600'000};   ///< then name and picture are told again
    static constexpr Milliseconds advertise_every{6 * 3'600'000};
    static constexpr std::size_t most_messages_of_parcel = 50;
    static constexpr std::size_t most_bytes_of_parcel = 100'000;  ///< beside its first message
    static constexpr std::size_t most_acks_of_parcel = 500;

  private:
    /// Sealed envelopes that no peer has taken yet.
    struct Parcel {
        std::vector<waku::WakuMessage> envelopes;
        std::vector<MvdsId> rows;
        const char* kind{""};
        std::string tells;  ///< id of a message that is to wake the recipient's devices, or ""
        bool in_flight{false};
    };
    using ParcelPtr = std::shared_ptr<Parcel>;  // shared by its rows and whoever publishes it
    struct InFlight;
    struct Acks {
        std::vector<MvdsId> ids;
        SteadyMs due{};
    };
    struct Due {
        crypto::PublicKey to;
        std::vector<MvdsId> ids;
        Urgency urgency{Urgency::later};
    };

    [[nodiscard]] Result<ParcelPtr> seal_rows(const crypto::PublicKey& to, const std::vector<MvdsId>& ids, Urgency urgency,
                                              StateWrites& writes);
    [[nodiscard]] MvdsPayload payload_of(const crypto::PublicKey& to, const std::vector<MvdsId>& ids);
    [[nodiscard]] Result<void> take_room(std::size_t envelopes, Urgency urgency);
    void claim(Parcel& parcel, StateWrites& writes);
    void release(const Parcel& parcel, StateWrites& writes);
    void settle(const Parcel& parcel);
    void put_off(const std::vector<MvdsId>& ids, Milliseconds pause, std::uint32_t sends_not_made, StateWrites& writes);
    [[nodiscard]] Task<Result<Sent>> publish(ParcelPtr parcel);
    [[nodiscard]] Task<Result<Sent>> publish_front(ParcelPtr parcel);
    void note_network(bool works);
    void note_last(const Parcel& parcel, StateWrites& writes);

    [[nodiscard]] Task<Result<bool>> step();
    [[nodiscard]] std::optional<Due> due();
    [[nodiscard]] std::optional<Due> due_row(Urgency urgency);
    /// How long a row rests; zero: it is due. None while it is being sent.
    [[nodiscard]] std::optional<Milliseconds> rest_of(const MvdsId& id, const OutRow& row) const;
    void add_rows(Due& out, bool first_copies_only) const;
    void expire(StateWrites& writes);
    [[nodiscard]] Task<Result<void>> tell_identity(crypto::PublicKey to);
    void want_identity(const crypto::PublicKey& to);
    [[nodiscard]] bool is_push_due();
    [[nodiscard]] Task<Result<void>> push();
    [[nodiscard]] bool is_advertisement_due() const;
    [[nodiscard]] Task<Result<void>> advertise();
    [[nodiscard]] Milliseconds rest();
    void alarm(Milliseconds pause);
    [[nodiscard]] Task<void> ring(SteadyMs at);
    void count_published(const char* kind, std::string_view result);

    MessengerCore& core_;
    TaskGroup& tasks_;
    SendBudget budget_;
    std::map<MvdsId, ParcelPtr> unpublished_;
    std::map<MessengerState::PeerKey, Acks> acks_;
    std::set<MessengerState::PeerKey> identity_wanted_;
    bool advertisement_wanted_{false};
    SteadyMs no_network_until_{};  ///< `work` sends nothing before; calls do, and end it when they succeed
    Milliseconds network_pause_{0};
    SteadyMs next_advertisement_{};
    SteadyMs next_forgetting_{};
    std::multiset<SteadyMs> alarms_;
    Signal wake_;
};

}  // namespace noroshi::status
