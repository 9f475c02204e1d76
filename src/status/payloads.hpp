// src/status/payloads.hpp - the application layer: what people's apps tell each other, and the signed frame around it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"

/// Field numbers: proto/status.proto. Every decoder bounds what it takes; unknown fields are passed over. Texts are
/// valid UTF-8. Clocks are Lamport clocks in Unix milliseconds, up to the year 9999. Display names of others are at most 24
/// code points fit for a line; any other is read as "": it is no reason to lose what its owner says. So is a propagated
/// state that makes no sense. Thread: any; values and pure functions.
namespace noroshi::status {

/// Types of ApplicationMetadataMessage that are sent or understood here.
enum class MessageType : std::int32_t {
    chat_message = 1,
    contact_update = 2,
    contact_code_advertisement = 15,
    push_notification_query = 18,
    push_notification_query_response = 19,
    push_notification_request = 20,
    push_notification_response = 21,
    emoji_reaction = 22,
    chat_identity = 24,
    edit_message = 29,
    delete_message = 31,
    accept_contact_request = 46,
    retract_contact_request = 47,
};

enum class ContentType : std::int32_t { text = 1, sticker = 2, emoji = 4, image = 7, audio = 8, contact_request = 11 };
enum class MessageKind : std::int32_t { one_to_one = 1 };

/// What each side of a contact did, as its sender believes it.
enum class ContactState : std::uint8_t { none = 0, mutual = 1, sent = 2, received = 3, dismissed = 4 };

struct PropagatedState {
    std::uint64_t local_clock{0};
    ContactState local{ContactState::none};
    std::uint64_t remote_clock{0};
    ContactState remote{ContactState::none};
    bool operator==(const PropagatedState&) const = default;
};

enum class ImageFormat : std::int32_t { png = 1, jpeg = 2, webp = 3, gif = 4 };
struct Image {
    Bytes data;
    ImageFormat format{ImageFormat::png};
    std::uint32_t width{0};
    std::uint32_t height{0};
    bool operator==(const Image&) const = default;
};
/// Largest picture that is sent, and twice the largest of a ChatIdentity, which holds it twice: no segmentation below it.
inline constexpr std::size_t max_image_bytes = 700 * 1024;
/// Largest text of one message, in code points.
inline constexpr std::size_t max_text_length = 4096;

struct ChatMessage {
    std::uint64_t clock{0};
    std::uint64_t timestamp{0};  ///< ms, the sender's clock
    std::string text;            ///< 1..4096 code points, not only white space; may be empty with an image
    std::string response_to;     ///< message id "0x..", or ""
    std::string chat_id;         ///< the recipient's contact id; never empty, as in the other types
    ContentType content{ContentType::text};
    std::string display_name;
    std::optional<PropagatedState> contact_state;
    std::optional<Image> image;
    bool operator==(const ChatMessage&) const = default;
};
/// Also a request to be a contact, or its answer.
struct ContactUpdate {
    std::uint64_t clock{0};
    std::string display_name;
    std::uint64_t contact_request_clock{0};  ///< clock of the request in it; 0: it holds none
    std::optional<PropagatedState> contact_state;
    std::string public_key;  ///< the recipient's contact id
    bool operator==(const ContactUpdate&) const = default;
};
struct AcceptContactRequest {
    std::string id;  ///< message id of the request; for one that came as ContactUpdate the app makes up another hex id
    std::uint64_t clock{0};
    bool operator==(const AcceptContactRequest&) const = default;
};
struct RetractContactRequest {
    std::string id;  ///< as above; the app leaves it empty
    std::uint64_t clock{0};
    bool operator==(const RetractContactRequest&) const = default;
};
struct EditMessage {
    std::uint64_t clock{0};
    std::string text;
    std::string chat_id;
    std::string message_id;
    ContentType content{ContentType::text};
    bool operator==(const EditMessage&) const = default;
};
struct DeleteMessage {
    std::uint64_t clock{0};
    std::string chat_id;
    std::string message_id;
    bool operator==(const DeleteMessage&) const = default;
};
enum class Emoji : std::int32_t { love = 1, thumbs_up = 2, thumbs_down = 3, laugh = 4, sad = 5, angry = 6 };
struct EmojiReaction {
    std::uint64_t clock{0};
    std::string chat_id;
    std::string message_id;
    Emoji emoji{Emoji::thumbs_up};
    bool retracted{false};
    bool operator==(const EmojiReaction&) const = default;
};
/// Name and picture of a sender.
struct ChatIdentity {
    std::uint64_t clock{0};
    std::string display_name;
    std::optional<Image> picture;  ///< sent as "thumbnail" and "large"; its width and height are not
    bool operator==(const ChatIdentity&) const = default;
};
/// How one device is woken through one push server, as somebody told it: push.hpp judges it.
struct PushInfo {
    std::string access_token;         ///< "": it is in one of allowed_keys
    std::string installation_id;
    Bytes user;                       ///< his name at push servers
    std::vector<Bytes> allowed_keys;  ///< the token, sealed to one contact each; at most most_allowed_keys are read
    Bytes grant;                      ///< the user's signature
    std::uint64_t version{0};
    Bytes server;                     ///< compressed key; empty in an answer of the server itself
    bool operator==(const PushInfo&) const = default;
};
inline constexpr std::size_t most_push_infos = 8;
inline constexpr std::size_t most_allowed_keys = 256;

struct ContactCodeAdvertisement {
    std::optional<ChatIdentity> identity;
    std::vector<PushInfo> push_infos{};  ///< the first most_push_infos
    bool operator==(const ContactCodeAdvertisement&) const = default;
};
/// A type that is acknowledged and passed over.
struct Unhandled {
    std::int32_t type{0};
    bool operator==(const Unhandled&) const = default;
};

using Payload = std::variant<ChatMessage, ContactUpdate, AcceptContactRequest, RetractContactRequest, EditMessage,
                             DeleteMessage, EmojiReaction, ChatIdentity, ContactCodeAdvertisement, Unhandled>;

/// Protobuf bytes in field order. Only what the app takes is made: check_display_name holds for names, stickers and sounds
/// are not sent. Errors: invalid_argument (the word of the broken rule: those below, bad_display_name, not_sendable), limit
/// (image_too_large).
[[nodiscard]] Result<Bytes> encode_payload(const Payload& payload);
/// Errors: parse, whose message is one stable word: malformed, too_large (over 8 MiB), bad_utf8, bad_text, bad_clock,
/// bad_message_id, bad_chat_id, bad_kind (not one to one), bad_content (or emoji), bad_image.
[[nodiscard]] Result<Payload> decode_payload(std::int32_t type, ByteView bytes);

/// A payload in its signed frame (ApplicationMetadataMessage). `wrapped` are the bytes as transmitted: ids are made from
/// them, never from a new serialisation.
struct SignedPayload {
    crypto::PublicKey signer;
    std::int32_t type{0};
    Bytes payload;
    std::string id;  ///< "0x" + 64 hex digits: Keccak-256(uncompressed signer | wrapped)
};
/// Signature: recoverable, over Keccak-256(payload); recovery byte 0..3.
[[nodiscard]] Bytes wrap_payload(MessageType type, ByteView payload, const crypto::SecretKey& key);
/// Errors: parse (malformed), corrupt (bad_signature).
[[nodiscard]] Result<SignedPayload> unwrap_payload(ByteView wrapped);
[[nodiscard]] std::string message_id(const crypto::PublicKey& signer, ByteView wrapped);
[[nodiscard]] MessageType type_of(const Payload& payload);
/// The type that a frame of ours names; 0 when it is none.
[[nodiscard]] std::int32_t type_of_wrapped(ByteView wrapped);

}  // namespace noroshi::status
