// src/store/rows.cpp - JSON forms of the stored rows. Times are Unix milliseconds; doubles are texts, so that NaN and
// infinities survive.
#include "rows.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/numbers.hpp"

namespace noroshi::store {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 6> outbox_states{"queued", "handed_over", "stored",
                                                        "delivered", "answered", "expired"};

Json labels_json(const model::Labels& labels) {
    Json out = Json::object();
    for (const model::Label& label : labels) {
        out[label.name] = label.value;
    }
    return out;
}

model::Labels labels_of(const Json& json) {
    std::vector<model::Label> out;
    for (const auto& [name, value] : json.items()) {
        out.push_back({name, value.get<std::string>()});
    }
    return model::Labels(std::move(out));
}

Json time_json(std::optional<TimestampMs> t) { return t ? Json(to_unix_ms(*t)) : Json(nullptr); }

std::optional<TimestampMs> time_of(const Json& json) {
    return json.is_null() ? std::nullopt : std::optional(from_unix_ms(json.get<std::int64_t>()));
}

Json alert_json(const model::Alert& alert) {
    return {{"labels", labels_json(alert.labels)},
            {"annotations", labels_json(alert.annotations)},
            {"state", static_cast<int>(alert.state)},
            {"value", format_float(alert.value)},
            {"active_at", to_unix_ms(alert.active_at)},
            {"fired_at", time_json(alert.fired_at)},
            {"resolved_at", time_json(alert.resolved_at)},
            {"keep_firing_since", time_json(alert.keep_firing_since)}};
}

model::Alert alert_of(const Json& json) {
    model::Alert alert;
    alert.labels = labels_of(json.at("labels"));
    alert.annotations = labels_of(json.at("annotations"));
    alert.state = static_cast<model::AlertState>(json.at("state").get<int>());
    alert.value = parse_float(json.at("value").get<std::string>()).value_or(0);
    alert.active_at = from_unix_ms(json.at("active_at").get<std::int64_t>());
    alert.fired_at = time_of(json.at("fired_at"));
    alert.resolved_at = time_of(json.at("resolved_at"));
    alert.keep_firing_since = time_of(json.at("keep_firing_since"));
    return alert;
}

Json message_json(const model::Message& message) {
    return {{"id", message.id},
            {"receiver", message.receiver},
            {"status", model::message_status_name(message.status)},
            {"title", message.title},
            {"body", message.body},
            {"labels", labels_json(message.labels)},
            {"created_at", to_unix_ms(message.created_at)},
            {"replaces", message.replaces}};
}

model::Message message_of(const Json& json) {
    model::Message message;
    message.id = json.at("id").get<std::string>();
    message.receiver = json.at("receiver").get<std::string>();
    message.status =
        model::parse_message_status(json.at("status").get<std::string>()).value_or(model::MessageStatus::event);
    message.title = json.at("title").get<std::string>();
    message.body = json.at("body").get<std::string>();
    message.labels = labels_of(json.at("labels"));
    message.created_at = from_unix_ms(json.at("created_at").get<std::int64_t>());
    message.replaces = json.at("replaces").get<std::string>();
    return message;
}

/// Label values and error texts may hold bytes that are not UTF-8; they are kept readable rather than refused.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class T, class F>
Result<T> decoded(std::string_view text, F read) {
    try {
        return read(Json::parse(text));
    } catch (const Json::exception& fault) {
        return fail(Errc::corrupt, fault.what());
    }
}

}  // namespace

std::string_view outbox_state_name(OutboxState state) { return outbox_states[static_cast<std::size_t>(state)]; }

std::string encode(const AlertRow& row) { return dump({{"rule", row.rule}, {"alert", alert_json(row.alert)}}); }

Result<AlertRow> decode_alert(std::string_view text) {
    return decoded<AlertRow>(text, [](const Json& json) {
        return AlertRow{json.at("rule").get<std::string>(), alert_of(json.at("alert"))};
    });
}

std::string encode(const GroupRow& row) {
    Json alerts = Json::array();
    for (const GroupAlert& entry : row.alerts) {
        alerts.push_back({{"alert", alert_json(entry.alert)},
                          {"told_firing", entry.told_firing},
                          {"told_resolved", entry.told_resolved}});
    }
    return dump({{"key", row.key},
                 {"receiver", row.receiver},
                 {"labels", labels_json(row.labels)},
                 {"alerts", std::move(alerts)},
                 {"flush_at", time_json(row.flush_at)},
                 {"last_flush_at", time_json(row.last_flush_at)},
                 {"last_message_id", row.last_message_id}});
}

Result<GroupRow> decode_group(std::string_view text) {
    return decoded<GroupRow>(text, [](const Json& json) {
        GroupRow row;
        row.key = json.at("key").get<std::string>();
        row.receiver = json.at("receiver").get<std::string>();
        row.labels = labels_of(json.at("labels"));
        for (const Json& entry : json.at("alerts")) {
            row.alerts.push_back({alert_of(entry.at("alert")), entry.at("told_firing").get<bool>(),
                                  entry.at("told_resolved").get<bool>()});
        }
        row.flush_at = time_of(json.at("flush_at"));
        row.last_flush_at = time_of(json.at("last_flush_at"));
        row.last_message_id = json.at("last_message_id").get<std::string>();
        return row;
    });
}

std::string encode(const OutboxRow& row) {
    return dump({{"message", message_json(row.message)},
                 {"state", outbox_state_name(row.state)},
                 {"attempts", row.attempts},
                 {"next_attempt_at", to_unix_ms(row.next_attempt_at)},
                 {"last_error", row.last_error},
                 {"envelope_hash", row.envelope_hash},
                 {"handed_over_at", time_json(row.handed_over_at)},
                 {"envelope_ns", row.envelope_ns},
                 {"taken_by", row.taken_by},
                 {"pubsub_topic", row.pubsub_topic},
                 {"content_topic", row.content_topic},
                 {"unconfirmed", row.unconfirmed},
                 {"resends", row.resends}});
}

Result<OutboxRow> decode_outbox(std::string_view text) {
    return decoded<OutboxRow>(text, [](const Json& json) {
        OutboxRow row;
        row.message = message_of(json.at("message"));
        const std::string state = json.at("state").get<std::string>();
        for (std::size_t i = 0; i < outbox_states.size(); ++i) {
            row.state = outbox_states[i] == state ? static_cast<OutboxState>(i) : row.state;
        }
        row.attempts = json.at("attempts").get<std::uint32_t>();
        row.next_attempt_at = from_unix_ms(json.at("next_attempt_at").get<std::int64_t>());
        row.last_error = json.at("last_error").get<std::string>();
        row.envelope_hash = json.at("envelope_hash").get<std::string>();
        row.handed_over_at = time_of(json.at("handed_over_at"));
        // Rows of an older noroshi lack these.
        row.envelope_ns = json.value("envelope_ns", std::int64_t{0});
        row.taken_by = json.value("taken_by", std::vector<std::string>{});
        row.pubsub_topic = json.value("pubsub_topic", "");
        row.content_topic = json.value("content_topic", "");
        row.unconfirmed = json.value("unconfirmed", false);
        row.resends = json.value("resends", 0U);
        return row;
    });
}

std::string encode(const model::Receipt& receipt) {
    return fmt::format("{}\n{}\n{}", to_unix_ms(receipt.at), receipt.envelope_hash, receipt.by);
}

Result<model::Receipt> decode_receipt(const std::string& message_id, model::ReceiptKind kind, std::string_view text) {
    const std::size_t first = text.find('\n');
    const std::size_t second = first == std::string_view::npos ? first : text.find('\n', first + 1);
    std::int64_t at = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + std::min(first, text.size()), at);
    if (second == std::string_view::npos || fault != std::errc{} || end != text.data() + first) {
        return fail(Errc::corrupt, "receipt: expected time, envelope and witness");
    }
    return model::Receipt{message_id, kind, from_unix_ms(at), std::string(text.substr(second + 1)),
                          std::string(text.substr(first + 1, second - first - 1))};
}

std::string receipt_key(const std::string& message_id, model::ReceiptKind kind) {
    return message_id + "\n" + std::string(model::receipt_kind_name(kind));
}

std::string row_key(const std::string& table, const std::string& key) { return table + "\n" + key; }

}  // namespace noroshi::store
