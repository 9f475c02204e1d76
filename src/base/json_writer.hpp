// src/base/json_writer.hpp - JSON written straight into a text: for answers too large to be built as a tree first.
#pragma once

#include <string>
#include <string_view>

namespace noroshi {

/// Appends JSON to `out`, commas between what is written one after the other. Nothing is checked: whoever calls opens,
/// names and closes in the right order. Bytes that are not UTF-8 become U+FFFD. A writer may go on in another text
/// (`continue_in`), so that a long answer can be made in pieces. Thread: one.
class JsonWriter {
  public:
    explicit JsonWriter(std::string& out) : out_(&out) {}
    void continue_in(std::string& out) { out_ = &out; }

    JsonWriter& open(char bracket);   ///< '{' or '['
    JsonWriter& close(char bracket);  ///< '}' or ']'
    JsonWriter& key(std::string_view name);
    JsonWriter& string(std::string_view text);
    /// A number, true, false or null, written by the caller, or a whole value.
    JsonWriter& raw(std::string_view text);

  private:
    void separate() {
        if (comma_) {
            *out_ += ',';
        }
        comma_ = true;
    }
    std::string* out_;
    bool comma_{false};
};

/// `text` in quotes, with everything escaped that JSON wants escaped.
void append_json_string(std::string& out, std::string_view text);

}  // namespace noroshi
