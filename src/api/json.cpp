// src/api/json.cpp - the API's JSON, written and read.
#include "json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

namespace noroshi::api {
namespace {

constexpr std::array stages{model::ReceiptKind::handed_over, model::ReceiptKind::stored, model::ReceiptKind::delivered,
                            model::ReceiptKind::answered};
constexpr std::array codes{Errc::invalid_argument, Errc::not_found, Errc::parse,       Errc::limit,
                           Errc::io,               Errc::timeout,   Errc::cancelled,   Errc::refused,
                           Errc::corrupt,          Errc::unsupported, Errc::conflict, Errc::internal};

/// What `read` gives of the receipt of each stage; null where there is none.
Json by_stage(const MessageRecord& record, const std::function<Json(const model::Receipt&)>& read) {
    Json out = Json::object();
    for (const model::ReceiptKind stage : stages) {
        const auto found = std::ranges::find(record.receipts, stage, &model::Receipt::kind);
        out[std::string(model::receipt_kind_name(stage))] = found == record.receipts.end() ? Json() : read(*found);
    }
    return out;
}

Contact contact_of(const Json& json) {
    return {json.at("chat_key"), json.at("name"),     json.at("mutual"), json.at("asked_us"),
            json.at("asked_by_us"), json.at("receiver"), json.at("role")};
}

template <class T, class F>
Result<T> read(std::string_view text, F take) {
    try {
        return take(Json::parse(text));
    } catch (const Json::exception& fault) {
        return fail(Errc::parse, fmt::format("expected noroshi's answer: {}", fault.what()));
    }
}

}  // namespace

Json to_json(const StatusInfo& info) {
    Json contacts = Json::array();
    for (const Contact& each : info.contacts) {
        contacts.push_back({{"chat_key", each.chat_key},
                            {"name", each.name},
                            {"mutual", each.mutual},
                            {"asked_us", each.asked_us},
                            {"asked_by_us", each.asked_by_us},
                            {"receiver", each.receiver},
                            {"role", each.role}});
    }
    return {{"chat_key", info.chat_key},         {"share_url", info.share_url},
            {"display_name", info.display_name}, {"pairing_open", info.pairing_open},
            {"unacknowledged", info.unacknowledged}, {"contacts", std::move(contacts)}};
}

Json to_json(const PairingRequest& request) {
    return {{"number", request.number}, {"from", request.from}, {"name", request.name}, {"text", request.text}};
}

Json to_json(const MessageRecord& record) {
    Json labels = Json::object();
    for (const model::Label& label : record.message.labels) {
        labels[label.name] = label.value;
    }
    return {{"id", record.message.id},
            {"receiver", record.message.receiver},
            {"status", model::message_status_name(record.message.status)},
            {"title", record.message.title},
            {"body", record.message.body},
            {"labels", std::move(labels)},
            {"replaces", record.message.replaces},
            {"state", record.state},
            {"attempts", record.attempts},
            {"last_error", record.last_error},
            {"envelope", record.envelope},
            {"created_at", format_rfc3339(record.message.created_at)},
            {"times", by_stage(record, [](const model::Receipt& receipt) { return Json(format_rfc3339(receipt.at)); })},
            {"after_seconds", by_stage(record, [&record](const model::Receipt& receipt) {
                 return Json(static_cast<double>((receipt.at - record.message.created_at).count()) / 1000.0);
             })}};
}

Json to_json(const Error& error) {
    return {{"error", error.to_string()}, {"code", errc_name(error.code)}, {"retryable", error.retryable}};
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string message_json(const MessageRecord& record) { return dump(to_json(record)); }

Result<StatusInfo> read_info(std::string_view text) {
    return read<StatusInfo>(text, [](const Json& json) {
        StatusInfo out{json.at("chat_key"),     json.at("share_url"),      json.at("display_name"),
                       json.at("pairing_open"), json.at("unacknowledged"), {}};
        for (const Json& each : json.at("contacts")) {
            out.contacts.push_back(contact_of(each));
        }
        return out;
    });
}

Result<std::vector<PairingRequest>> read_requests(std::string_view text) {
    return read<std::vector<PairingRequest>>(text, [](const Json& json) {
        std::vector<PairingRequest> out;
        for (const Json& each : json.at("requests")) {
            out.push_back({each.at("number"), each.at("from"), each.at("name"), each.at("text")});
        }
        return out;
    });
}

Result<std::vector<std::string>> read_messages(std::string_view text) {
    return read<std::vector<std::string>>(text, [](const Json& json) {
        std::vector<std::string> out;
        for (const Json& each : json.at("messages")) {
            out.push_back(dump(each));
        }
        return out;
    });
}

Error read_error(std::string_view text, unsigned status) {
    const Json json = Json::parse(text, nullptr, false);
    Error out{Errc::refused, fmt::format("the daemon answers {}: {}", status, text.substr(0, 200)), {}, false};
    if (json.is_object() && json.contains("error") && json["error"].is_string()) {
        out.message = json["error"].get<std::string>();
        out.retryable = json.value("retryable", Json(false)) == Json(true);
        for (const Errc code : codes) {
            out.code = json.value("code", Json()) == Json(errc_name(code)) ? code : out.code;
        }
    }
    return out;
}

Result<std::string> text_field(const Json& body, const char* name, std::size_t most_bytes) {
    const auto found = body.is_object() ? body.find(name) : body.end();
    if (!body.is_object() || found == body.end() || !found->is_string()) {
        return fail(Errc::invalid_argument, fmt::format("expected a JSON object with the text \"{}\"", name));
    }
    std::string out = found->get<std::string>();
    if (out.size() > most_bytes) {
        return fail(Errc::invalid_argument, fmt::format("{}: expected at most {} bytes", name, most_bytes));
    }
    return out;
}

Result<std::uint64_t> number_of(std::string_view query, std::string_view name, std::uint64_t otherwise) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) != name) {
            continue;
        }
        const std::string_view text = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
        std::uint64_t out = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
        if (fault != std::errc{} || end != text.data() + text.size() || text.empty()) {
            return fail(Errc::invalid_argument, fmt::format("{}: expected a number", name));
        }
        return out;
    }
    return otherwise;
}

}  // namespace noroshi::api
