// src/cli/qr.cpp - QR codes in a terminal.
#include <qrencode.h>

#include <memory>

#include "cli.hpp"

namespace noroshi::cli {
namespace {

constexpr int quiet_zone = 2;  // modules; readers manage with two on a screen

struct FreeCode {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

}  // namespace

Result<std::string> qr_code(const std::string& text, bool colours) {
    const std::unique_ptr<QRcode, FreeCode> code(QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1));
    if (!code) {
        return fail(Errc::limit, "text is too long for a QR code");
    }
    const auto dark = [&code](int row, int column) {
        const bool inside = row >= 0 && column >= 0 && row < code->width && column < code->width;
        return inside && (code->data[row * code->width + column] & 1) != 0;
    };
    std::string out;
    for (int row = -quiet_zone; row < code->width + quiet_zone; row += 2) {
        // Black on white by escape codes, so that a dark terminal shows no inverted code, which many readers refuse.
        out += colours ? "\x1b[30;107m" : "";
        for (int column = -quiet_zone; column < code->width + quiet_zone; ++column) {
            const bool upper = dark(row, column);
            const bool lower = dark(row + 1, column);
            out += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
        }
        out += colours ? "\x1b[0m\n" : "\n";
    }
    return out;
}

}  // namespace noroshi::cli
