// src/status/pushes.cpp - questions, requests, reports.
#include "pushes.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace noroshi::status {
namespace {

std::string id_of(ByteView bytes) { return "0x" + to_hex(bytes); }

Bytes bytes_of(const std::string& id) { return *from_hex(std::string_view(id).substr(2)); }

}  // namespace

void Pushes::count(std::string_view result) const {
    env_.metrics
        .counter("noroshi_status_push_total", "Push servers asked to wake a contact's devices, by what became of it.",
                 {{"result", std::string(result)}})
        .add();
}

void Pushes::keep(const std::vector<crypto::PublicKey>& users) {
    if (!enabled_) {
        return;
    }
    std::set<Key> kept;
    for (const crypto::PublicKey& user : users) {
        if (kept.size() == most_users) {
            break;
        }
        kept.insert(user.compressed());
        if (!users_.contains(user.compressed())) {
            auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(env_.random));
            users_.emplace(user.compressed(), User{user, std::move(key), {}, {}, {}, "", "", {}, "", {}, ""});
        }
    }
    std::erase_if(users_, [&](const auto& entry) { return !kept.contains(entry.first); });
}

std::vector<AnswerKey> Pushes::answer_keys() const {
    std::vector<AnswerKey> out;
    for (const auto& [key, user] : users_) {
        out.push_back({user.key, user.answer_key});
    }
    return out;
}

Pushes::User* Pushes::find(const crypto::PublicKey& user) {
    const auto found = users_.find(user.compressed());
    return found == users_.end() ? nullptr : &found->second;
}

void Pushes::told(const crypto::PublicKey& user, const std::string& message_id) {
    if (User* known = find(user)) {
        known->wanted = message_id;
    } else if (enabled_) {
        count("too_many");
    }
}

bool Pushes::is_stale(const User& user) const {
    return !user.heard_at || env_.clock.steady() - *user.heard_at >= (user.targets.empty() ? unknown_for : known_for);
}

std::optional<SteadyMs> Pushes::due(const User& user) const {
    if (user.wanted.empty()) {
        return std::nullopt;
    }
    return std::max(user.answers_until, user.pushed_at ? *user.pushed_at + every : SteadyMs{});
}

std::optional<Milliseconds> Pushes::rest() const {
    if (!requests_.empty()) {
        return Milliseconds(0);
    }
    std::optional<Milliseconds> out;
    for (const auto& [key, user] : users_) {
        if (const std::optional<SteadyMs> at = due(user)) {
            const Milliseconds rest = std::max(*at - env_.clock.steady(), Milliseconds(0));
            out = out ? std::min(*out, rest) : rest;
        }
    }
    return out;
}

std::optional<PushStep> Pushes::next() {
    for (auto& [key, user] : users_) {
        const std::optional<SteadyMs> at = requests_.empty() ? due(user) : std::nullopt;
        if (at && *at <= env_.clock.steady()) {
            if (is_stale(user)) {
                return question(user);
            }
            request(user);
        }
    }
    if (requests_.empty()) {
        return std::nullopt;
    }
    PushStep out = std::move(requests_.front());
    requests_.pop_front();
    return out;
}

PushStep Pushes::question(User& user) {
    user.heard_at = env_.clock.steady();
    user.answers_until = env_.clock.steady() + answer_time;
    Bytes wrapped = wrap_payload(MessageType::push_notification_query, encode_push_query(user.key), *user.answer_key);
    user.question = message_id(user.answer_key->public_key(), wrapped);
    return {"push_query", std::move(wrapped), user.answer_key, std::nullopt, push_query_chat_id(user.key)};
}

/// One server for each device, those of one server together.
void Pushes::request(User& user) {
    user.again = user.wanted == user.pushed ? user.wanted : "";
    user.pushed = std::exchange(user.wanted, "");
    user.asked.clear();
    if (user.targets.empty()) {
        count("no_info");
        return;
    }
    user.pushed_at = env_.clock.steady();
    std::map<std::string, std::vector<const PushTarget*>> devices;
    for (const PushTarget& target : user.targets) {
        devices[target.installation_id].push_back(&target);
    }
    std::map<Key, std::vector<PushTarget>> servers;
    for (const auto& [installation, ways] : devices) {
        const PushTarget& way = *ways[env_.random.below(ways.size())];
        servers[way.server.compressed()].push_back(way);
    }
    for (const auto& [key, targets] : servers) {
        const Bytes payload = encode_push_request(targets, user.key, own_, bytes_of(user.pushed));
        user.asked.push_back(targets.front().server);
        requests_.push_back({"push_request",
                             wrap_payload(MessageType::push_notification_request, payload, *user.answer_key),
                             user.answer_key, targets.front().server, ""});
    }
}

void Pushes::take_contact_code(const crypto::PublicKey& user, const std::vector<PushInfo>& infos) {
    User* known = find(user);
    if (known != nullptr && take_infos(*known, infos, std::nullopt)) {
        known->heard_at = env_.clock.steady();
    }
}

bool Pushes::take_infos(User& user, const std::vector<PushInfo>& infos,
                        const std::optional<crypto::PublicKey>& answered_by) {
    bool any = false;
    for (const PushInfo& info : infos) {
        Result<PushTarget> target = judge_push_info(info, user.key, identity_, answered_by);
        if (!target) {
            count(first_word(target.error().message));
            continue;
        }
        put(user, std::move(*target));
        any = true;
    }
    return any;
}

void Pushes::put(User& user, PushTarget target) {
    const auto of_device = [&](const PushTarget& one) { return one.installation_id == target.installation_id; };
    if (std::ranges::any_of(user.targets, [&](const PushTarget& one) { return of_device(one) && one.version > target.version; })) {
        count("old_info");
        return;
    }
    std::erase_if(user.targets, [&](const PushTarget& one) {
        return of_device(one) && (one.version < target.version || one.server == target.server);
    });
    user.targets.push_back(std::move(target));
    if (user.targets.size() > most_push_infos) {
        user.targets.erase(user.targets.begin());
    }
}

void Pushes::take_answer(const crypto::PublicKey& user, const SignedPayload& answer) {
    User* known = find(user);
    if (known == nullptr) {
        return;
    }
    if (answer.type == static_cast<std::int32_t>(MessageType::push_notification_query_response)) {
        const Result<PushQueryResponse> response = decode_push_query_response(answer.payload);
        if (!response) {
            count("malformed");
        } else if (known->question.empty() || id_of(response->message_id) != known->question) {
            count("unasked");
        } else if (!response->success || response->infos.empty()) {
            count("not_known");
        } else {
            static_cast<void>(take_infos(*known, response->infos, answer.signer));
        }
    } else if (answer.type == static_cast<std::int32_t>(MessageType::push_notification_response)) {
        const Result<PushResponse> response = decode_push_response(answer.payload);
        if (response) {
            take_reports(*known, answer.signer, *response);
        } else {
            count("malformed");
        }
    } else {
        count("other_type");
    }
}

void Pushes::take_reports(User& user, const crypto::PublicKey& server, const PushResponse& response) {
    if (id_of(response.message_id) != user.pushed || std::erase(user.asked, server) == 0) {
        count("unasked");
        return;
    }
    for (const PushReport& report : response.reports) {
        if (!std::ranges::equal(report.user, push_name(user.key))) {
            count("other_user");
        } else if (report.success) {
            count("accepted");
        } else {
            take_fault(user, server, report);
        }
    }
}

/// A token that the server does not know: the device has another one by now, or another server.
void Pushes::take_fault(User& user, const crypto::PublicKey& server, const PushReport& report) {
    if (report.fault != PushFault::wrong_token && report.fault != PushFault::not_registered) {
        count("server_error");
        return;
    }
    std::erase_if(user.targets, [&](const PushTarget& one) {
        return one.server == server && one.installation_id == report.installation_id;
    });
    if (report.fault == PushFault::not_registered) {
        count("not_registered");
        return;
    }
    count("wrong_token");
    user.heard_at.reset();
    if (user.wanted.empty() && user.again != user.pushed) {  // asked anew, once
        user.wanted = user.pushed;
    }
}

}  // namespace noroshi::status
