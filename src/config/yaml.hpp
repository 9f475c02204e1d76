// src/config/yaml.hpp - YAML with positions, and a table-driven reader that reports every fault of a file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/labels.hpp"

/// Used for noroshi.yml and for rule files. Nothing of the YAML library is seen from outside. Thread: any; all pure.
namespace noroshi::config::yaml {

enum class Kind { null, scalar, sequence, mapping };

struct Node;
/// Shared: an alias stands for the same node as its anchor.
using NodePtr = std::shared_ptr<const Node>;

/// One key of a mapping with its value.
struct Entry {
    NodePtr key;
    NodePtr value;
};

/// One node of a document; immutable once the document is parsed. Lines and columns count from 1, columns in bytes.
struct Node {
    Kind kind{Kind::null};
    std::string text;            ///< of a scalar, as written: `yes` stays "yes", `1.0` stays "1.0"
    bool quoted{false};          ///< in quotes or a block scalar: always text, never a number or a bool
    std::vector<NodePtr> items;  ///< of a sequence
    std::vector<Entry> entries;  ///< of a mapping, in order of the file; a key may stand there twice
    std::uint32_t line{0};
    std::uint32_t column{0};
    std::size_t weight{1};  ///< nodes below and including this one with aliases written out, plus one for 64 bytes of text

    /// The value of `key`, or nullptr.
    [[nodiscard]] const Node* find(std::string_view key) const;
    /// Where character `inner_column` of line `inner_line` of `text` stands in the file: exact inside literal blocks and
    /// one-line scalars without escapes, else the node's own place.
    [[nodiscard]] SourcePos position_in(const std::string& file, std::uint32_t inner_line,
                                        std::uint32_t inner_column) const;

    /// How `text` lies in the file; filled in by the parser.
    struct Layout {
        std::uint32_t line{0};  ///< of the first character; 0: unknown
        std::uint32_t column{0};
        std::uint32_t first_line_bytes{0};  ///< of the file's line from `column` on
        bool literal{false};                ///< later lines of `text` are later lines of the file
    } layout;
};

/// Caps against hostile files; a fault beyond one is Errc::limit.
struct Limits {
    std::size_t max_weight{500'000};
    std::size_t max_depth{64};
};

/// The first document of a text.
struct Document {
    NodePtr root;  ///< a null node when the text is empty
    std::optional<SourcePos> second_document;
};

/// Errors: parse (not UTF-8, control characters, YAML syntax, an alias inside its own anchor), limit, unsupported
/// (tags); all with line and column.
[[nodiscard]] Result<Document> parse_document(const std::string& file, std::string_view text, const Limits& limits = {});

/// Collects faults while a document is read, and knows the path of the key being read.
class Reader {
  public:
    explicit Reader(std::string file) : file_(std::move(file)) {}

    /// Notes "path: message" at the place of `at`. After 100 faults the rest is only counted.
    void fail(const Node& at, std::string_view message, Errc code = Errc::parse);
    /// The same at another place of the file.
    void fail_at(SourcePos where, std::string_view message, Errc code = Errc::parse);
    /// Notes "file:line:column: path: message" as a warning.
    void warn(const Node& at, std::string_view message);

    /// While it lives, messages carry one more step of the path.
    class Scope {
      public:
        Scope(Reader& reader, std::string_view step);
        ~Scope() { reader_.path_.resize(length_); }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

      private:
        Reader& reader_;
        std::size_t length_;
    };
    /// `key`, after a dot where something precedes it.
    [[nodiscard]] Scope key(std::string_view key);
    /// `[index]`, from 0.
    [[nodiscard]] Scope index(std::size_t index);
    /// `text` as it stands.
    [[nodiscard]] Scope context(std::string_view text);

    /// Keys that a mapping does not know are passed over instead of being faults.
    void ignore_unknown_keys() { ignores_unknown_keys_ = true; }
    [[nodiscard]] bool ignores_unknown_keys() const { return ignores_unknown_keys_; }

    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] SourcePos where(const Node& node) const { return {file_, node.line, node.column}; }
    [[nodiscard]] bool failed() const { return !errors_.empty(); }
    /// All faults in order of the file.
    [[nodiscard]] std::vector<Error> take_errors();
    [[nodiscard]] std::vector<std::string> take_warnings() { return std::move(warnings_); }

  private:
    std::string file_;
    std::string path_;
    bool ignores_unknown_keys_{false};
    std::vector<Error> errors_;  // in order of the file
    std::size_t more_errors_{0};
    std::vector<std::string> warnings_;
};

enum class Presence { optional, required };

/// One key of a mapping: how it is read into T, and what it means (meaning, unit, default), for error texts.
template <class T>
struct Field {
    std::string_view key;
    std::function<void(Reader&, const Node&, T&)> read;
    std::string_view doc;
    Presence presence{Presence::optional};
};

/// A key that other programs know and this version lacks. `*` at one end stands for anything.
struct Refused {
    std::string_view key;
    std::string_view instead;  ///< how to get the effect
};

/// What `check_keys` needs to know of a field.
struct KeyInfo {
    std::string_view key;
    std::string_view doc;
    Presence presence;
};

/// Checks a mapping against its keys: wrong type, unknown (with the nearest known one), refused, repeated and missing
/// keys. Gives, for each key that holds something, its index in `keys` and its value. A null node is an empty mapping.
[[nodiscard]] std::vector<std::pair<std::size_t, NodePtr>> check_keys(Reader& reader, const Node& node,
                                                                      std::span<const KeyInfo> keys,
                                                                      std::span<const Refused> refused);

/// Reads a mapping by its table of fields.
template <class T>
void read_mapping(Reader& reader, const Node& node, const std::vector<Field<T>>& fields,
                  std::span<const Refused> refused, T& out) {
    std::vector<KeyInfo> keys;
    keys.reserve(fields.size());
    for (const Field<T>& field : fields) {
        keys.push_back({field.key, field.doc, field.presence});
    }
    for (const auto& [index, value] : check_keys(reader, node, keys, refused)) {
        const Reader::Scope scope = reader.key(fields[index].key);
        fields[index].read(reader, *value, out);
    }
}

/// A field whose value is read by `read(reader, node) -> std::optional<value>` into a member.
template <class T, class V, class Read>
[[nodiscard]] Field<T> field(std::string_view key, V T::*member, Read read, std::string_view doc,
                             Presence presence = Presence::optional) {
    return {key,
            [member, read](Reader& reader, const Node& node, T& out) {
                if (auto value = read(reader, node)) {
                    out.*member = static_cast<V>(std::move(*value));
                }
            },
            doc, presence};
}

/// Calls `read(item, index)` for each item of a sequence; a fault when it is none. A null node is an empty sequence.
void read_sequence(Reader& reader, const Node& node, std::string_view expected,
                   const std::function<void(const Node&, std::size_t)>& read);
/// Calls `read(key, value)` for each entry of a mapping with free keys; repeated and non-scalar keys are faults.
void read_entries(Reader& reader, const Node& node, std::string_view expected,
                  const std::function<void(const Node&, const Node&)>& read);

/// Each of these notes a fault and gives nothing when the node is not what it should be.
[[nodiscard]] std::optional<std::string> read_text(Reader& reader, const Node& node);
[[nodiscard]] std::optional<std::vector<std::string>> read_texts(Reader& reader, const Node& node);
/// true, false, yes, no, on, off in the cases YAML 1.1 knows, without quotes.
[[nodiscard]] std::optional<bool> read_bool(Reader& reader, const Node& node);
[[nodiscard]] std::optional<std::int64_t> read_integer(Reader& reader, const Node& node, std::int64_t min,
                                                       std::int64_t max);
/// "30s", "1h30m", "0".
[[nodiscard]] std::optional<Milliseconds> read_duration(Reader& reader, const Node& node);
/// As read_duration, but above zero.
[[nodiscard]] std::optional<Milliseconds> read_positive_duration(Reader& reader, const Node& node);
/// "10MB": a whole number with B, KB, MB, GB or TB, each 1024 times the one before, or KiB and so on; or 0. In bytes.
[[nodiscard]] std::optional<std::size_t> read_size(Reader& reader, const Node& node);
/// One of `words`; gives its index.
[[nodiscard]] std::optional<std::size_t> read_word(Reader& reader, const Node& node,
                                                   std::span<const std::string_view> words);
/// Label names are [a-zA-Z_][a-zA-Z0-9_]*; values keep their raw text.
[[nodiscard]] std::optional<model::Labels> read_labels(Reader& reader, const Node& node);

/// "a mapping", "a list", "text", "nothing": what stands there, for error texts.
[[nodiscard]] std::string_view kind_name(const Node& node);
/// `text` in quotes, one line, at most 60 bytes.
[[nodiscard]] std::string shown(std::string_view text);
/// The candidate with the fewest edits (insert, delete, replace, swap), or "" when none is near.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace noroshi::config::yaml
