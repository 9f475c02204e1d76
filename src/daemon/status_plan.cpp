// src/daemon/status_plan.cpp - chat keys, display name and picture of a configuration.
#include "status_plan.hpp"

#include "base/bytes.hpp"
#include "base/file.hpp"

namespace noroshi::daemon {
namespace {

tl::unexpected<Error> at(Error error, std::string_view key, const SourcePos& where) {
    error = std::move(error).with(key);
    error.where = where;
    return fail(std::move(error));
}

/// By its first bytes: the name of a file proves nothing.
std::optional<status::ImageFormat> format_of(std::string_view data) {
    using namespace std::string_view_literals;
    if (data.starts_with("\x89PNG\r\n\x1a\n"sv)) {
        return status::ImageFormat::png;
    }
    if (data.starts_with("\xff\xd8\xff"sv)) {
        return status::ImageFormat::jpeg;
    }
    if (data.starts_with("RIFF"sv) && data.size() >= 12 && data.substr(8, 4) == "WEBP"sv) {
        return status::ImageFormat::webp;
    }
    return std::nullopt;
}

Result<void> check_name(const config::StatusConfig& config) {
    Result<void> fits = status::check_display_name(config.display_name);
    if (!fits) {
        return at(std::move(fits).error(), "status.display_name", config.display_name_where);
    }
    return {};
}

Result<std::optional<status::Image>> read_picture(const config::StatusConfig& config) {
    if (config.picture.empty()) {
        return std::nullopt;
    }
    const Result<std::string> data = read_file(config.picture, max_profile_picture_bytes);
    if (!data) {
        return at(data.error(), "status.picture", config.picture_where);
    }
    const std::optional<status::ImageFormat> format = format_of(*data);
    if (!format) {
        return at({Errc::parse, "expected a PNG, JPEG or WebP picture in " + config.picture}, "status.picture",
                  config.picture_where);
    }
    const ByteView bytes = as_bytes(*data);
    return status::Image{.data = Bytes(bytes.begin(), bytes.end()), .format = *format};
}

}  // namespace

Result<crypto::PublicKey> status_user_of(const config::StatusReceiver& receiver) {
    Result<status::SharedUser> user = status::parse_user(receiver.to);
    if (!user) {
        return at(std::move(user).error(), "status_configs.to", receiver.where);
    }
    return user->key;
}

Result<status::MessengerConfig> make_messenger_config(const config::Config& config, crypto::SecretKey identity) {
    NOROSHI_TRY_VOID(check_name(config.status));
    NOROSHI_TRY(std::optional<status::Image> picture, read_picture(config.status));
    return status::MessengerConfig{.identity = std::move(identity),
                                   .display_name = config.status.display_name,
                                   .picture = std::move(picture),
                                   .ratchet = config.status.ratchet,
                                   .push = config.status.push,
                                   .cluster = config.waku.cluster};
}

std::vector<Error> check_status(const config::StatusConfig& config) {
    std::vector<Error> errors;
    if (Result<void> name = check_name(config); !name) {
        errors.push_back(std::move(name).error());
    }
    if (auto picture = read_picture(config); !picture) {
        errors.push_back(std::move(picture).error());
    }
    return errors;
}

}  // namespace noroshi::daemon
