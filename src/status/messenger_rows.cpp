// src/status/messenger_rows.cpp - rows to protobuf and back.
#include "messenger_rows.hpp"

#include <messenger_state.pb.h>

#include <algorithm>

namespace noroshi::status {
namespace {

constexpr std::uint32_t row_version = 1;
/// A row is never larger than one image with its frames.
constexpr std::size_t max_row_bytes = 2 * 1024 * 1024;

enum class Kind : std::uint32_t { requested = 1, made, ended, delivered, reacted, text };

tl::unexpected<Error> corrupt(const char* why) { return fail(Errc::corrupt, why); }

std::string text_of(ByteView bytes) { return std::string(as_text(bytes)); }
Bytes bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

Bytes to_bytes(const google::protobuf::MessageLite& row) {
    Bytes out(row.ByteSizeLong());
    row.SerializeWithCachedSizesToArray(out.data());
    return out;
}

/// Reads `bytes` as a row of this version.
template <class Row>
Result<Row> parse(ByteView bytes) {
    Row row;
    if (bytes.size() > max_row_bytes || !row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return corrupt("malformed");
    }
    if (row.version() != row_version) {
        return corrupt("unknown version");
    }
    return row;
}

Result<crypto::PublicKey> key_of(std::string_view bytes) {
    Result<crypto::PublicKey> key = crypto::PublicKey::from_bytes(as_bytes(bytes));
    if (!key) {
        return corrupt("no key");
    }
    return key;
}

template <std::size_t N>
bool copy_exactly(std::string_view bytes, std::array<std::uint8_t, N>& out) {
    if (bytes.size() != N) {
        return false;
    }
    std::ranges::copy(as_bytes(bytes), out.begin());
    return true;
}

std::string compressed(const crypto::PublicKey& key) { return text_of(key.compressed()); }

}  // namespace

Bytes encode_own(const OwnRow& row) {
    kept::Own out;
    out.set_version(row_version);
    out.set_installation_id(row.installation_id);
    out.set_bundles_published(row.bundles_published);
    out.set_advertised_at_ms(to_unix_ms(row.advertised_at));
    out.set_oldest_clock(row.oldest_clock);
    return to_bytes(out);
}

Result<OwnRow> decode_own(ByteView bytes) {
    NOROSHI_TRY(const kept::Own in, parse<kept::Own>(bytes));
    if (in.installation_id().empty()) {
        return corrupt("no installation id");
    }
    return OwnRow{in.installation_id(), in.bundles_published(), from_unix_ms(in.advertised_at_ms()), in.oldest_clock()};
}

Bytes encode_sent(const SentRow& row) {
    kept::Sent out;
    out.set_version(row_version);
    out.set_to(compressed(row.to));
    out.set_key(row.key);
    out.set_created_at_ms(to_unix_ms(row.created_at));
    for (const SentRow::Part& part : row.parts) {
        kept::SentPart& one = *out.add_parts();
        one.set_message_id(part.message_id);
        one.set_acknowledged(part.acknowledged);
    }
    out.mutable_last()->set_content_topic(row.last.content_topic);
    out.mutable_last()->set_timestamp_ns(row.last.timestamp_ns);
    out.mutable_last()->set_hash(text_of(row.last.hash));
    return to_bytes(out);
}

Result<SentRow> decode_sent(ByteView bytes) {
    NOROSHI_TRY(const kept::Sent in, parse<kept::Sent>(bytes));
    NOROSHI_TRY(const crypto::PublicKey to, key_of(in.to()));
    SentRow out{to, in.key(), from_unix_ms(in.created_at_ms()), {}, {}};
    for (const kept::SentPart& part : in.parts()) {
        out.parts.push_back({part.message_id(), part.acknowledged()});
    }
    out.last.content_topic = in.last().content_topic();
    out.last.timestamp_ns = in.last().timestamp_ns();
    if (out.key.empty() || out.parts.empty() || !copy_exactly(in.last().hash(), out.last.hash)) {
        return corrupt("incomplete");
    }
    return out;
}

Bytes encode_out(const OutRow& row) {
    kept::Out out;
    out.set_version(row_version);
    out.set_to(compressed(row.to));
    out.set_group(text_of(row.message.group));
    out.set_timestamp_s(row.message.timestamp_s);
    out.set_body(text_of(row.message.body));
    out.set_key(row.key);
    out.set_sends(row.sends);
    out.set_next_at_ms(to_unix_ms(row.next_at));
    out.set_contact_request(row.contact_request);
    return to_bytes(out);
}

Result<OutRow> decode_out(ByteView bytes) {
    NOROSHI_TRY(const kept::Out in, parse<kept::Out>(bytes));
    NOROSHI_TRY(const crypto::PublicKey to, key_of(in.to()));
    OutRow out{to, {}, in.key(), in.sends(), from_unix_ms(in.next_at_ms()), in.contact_request()};
    out.message.timestamp_s = in.timestamp_s();
    out.message.body = bytes_of(in.body());
    if (!copy_exactly(in.group(), out.message.group) || out.message.body.empty() || out.sends > mvds_most_sends) {
        return corrupt("incomplete");
    }
    return out;
}

Bytes encode_seen(std::uint64_t clock) {
    kept::Seen out;
    out.set_version(row_version);
    out.set_clock(clock);
    return to_bytes(out);
}

Result<std::uint64_t> decode_seen(ByteView bytes) {
    NOROSHI_TRY(const kept::Seen in, parse<kept::Seen>(bytes));
    return in.clock();
}

namespace {

/// Writes the content into a row; one overload a kind.
struct EventWriter {
    kept::Event& row;
    void begin(Kind kind, const crypto::PublicKey& who) const {
        row.set_kind(static_cast<std::uint32_t>(kind));
        row.set_who(compressed(who));
    }
    void operator()(const ContactRequested& event) const {
        begin(Kind::requested, event.from);
        row.set_name(event.display_name);
        row.set_text(event.text);
    }
    void operator()(const ContactMade& event) const { begin(Kind::made, event.with); }
    void operator()(const ContactEnded& event) const { begin(Kind::ended, event.with); }
    void operator()(const Delivered& event) const {
        begin(Kind::delivered, event.by);
        row.set_key(event.key);
    }
    void operator()(const Reacted& event) const {
        begin(Kind::reacted, event.from);
        row.set_key(event.key);
        row.set_emoji(static_cast<std::int32_t>(event.emoji));
        row.set_retracted(event.retracted);
        row.set_chat_id(event.chat_id);
    }
    void operator()(const TextReceived& event) const {
        const model::InboundLine& line = event.line;
        begin(Kind::text, line.signer);
        row.set_key(event.reply_key);
        row.set_chat_id(line.chat_id);
        row.set_for_us(line.for_us);
        row.set_clock(line.clock);
        row.set_text(line.text);
        row.set_reply_to(line.reply_to);
        row.set_signed_bytes(text_of(line.signed_bytes));
        row.set_message_id(line.message_id);
        row.set_sent_at_ms(to_unix_ms(line.sent_at));
        row.set_received_at_ms(to_unix_ms(line.received_at));
    }
};

TextReceived text_event(const kept::Event& in, const crypto::PublicKey& who) {
    model::InboundLine line{who,
                            in.chat_id(),
                            in.for_us(),
                            in.clock(),
                            in.text(),
                            in.reply_to(),
                            bytes_of(in.signed_bytes()),
                            in.message_id(),
                            from_unix_ms(in.sent_at_ms()),
                            from_unix_ms(in.received_at_ms())};
    return {std::move(line), in.key()};
}

}  // namespace

Bytes encode_event(const EventContent& content) {
    kept::Event out;
    out.set_version(row_version);
    std::visit(EventWriter{out}, content);
    return to_bytes(out);
}

Result<EventContent> decode_event(ByteView bytes) {
    NOROSHI_TRY(const kept::Event in, parse<kept::Event>(bytes));
    NOROSHI_TRY(const crypto::PublicKey who, key_of(in.who()));
    switch (static_cast<Kind>(in.kind())) {
        case Kind::requested:
            return ContactRequested{who, in.name(), in.text()};
        case Kind::made:
            return ContactMade{who};
        case Kind::ended:
            return ContactEnded{who};
        case Kind::delivered:
            return Delivered{in.key(), who};
        case Kind::reacted:
            if (in.emoji() < static_cast<std::int32_t>(Emoji::love) || in.emoji() > static_cast<std::int32_t>(Emoji::angry)) {
                return corrupt("no emoji");
            }
            return Reacted{who, in.key(), static_cast<Emoji>(in.emoji()), in.retracted(), in.chat_id()};
        case Kind::text:
            return text_event(in, who);
    }
    return corrupt("unknown kind");
}

}  // namespace noroshi::status
