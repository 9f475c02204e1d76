// src/config/yaml_parse.cpp - text to a tree of nodes with positions, through yaml-cpp's events.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <iterator>
#include <set>

#include "base/bytes.hpp"
#include "yaml.hpp"

namespace noroshi::config::yaml {
namespace {

constexpr std::size_t text_bytes_per_weight = 64;

/// Thrown through yaml-cpp by the builder, caught in parse_document.
struct Stop {
    Error error;
};

std::uint32_t one_based(int zero_based) { return zero_based < 0 ? 0 : static_cast<std::uint32_t>(zero_based) + 1; }

/// The lines of a text without their line ends.
std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    std::size_t from = 0;
    while (from <= text.size()) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        std::string_view line = text.substr(from, end - from);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.push_back(line);
        from = end + 1;
    }
    return lines;
}

/// Builds the tree from events. yaml-cpp itself keeps duplicate keys apart only by their order and shares aliased nodes,
/// which would let a small file stand for an endless tree: weights count aliases as if written out.
class Builder final : public YAML::EventHandler {
  public:
    Builder(const std::string& file, std::string_view text, const Limits& limits)
        : file_(file), lines_(split_lines(text)), limits_(limits) {}

    [[nodiscard]] NodePtr root() const { return root_; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(make(mark, Kind::null), anchor); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (anchor >= anchors_.size() || !anchors_[anchor]) {
            stop(Errc::parse, "alias stands inside the node that it names", mark);
        }
        grow(anchors_[anchor]->weight, mark);
        place(anchors_[anchor]);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        const bool text_tag = tag == "tag:yaml.org,2002:str";
        if (!text_tag) {
            check_tag(tag, mark);
        }
        std::shared_ptr<Node> node = make(mark, Kind::scalar);
        node->text = value;
        node->quoted = tag == "!" || text_tag;
        node->weight += value.size() / text_bytes_per_weight;
        node->layout = layout_of(*node);
        grow(node->weight - 1, mark);
        leaf(std::move(node), anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Kind::sequence);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Kind::mapping);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        std::shared_ptr<Node> node;
        YAML::anchor_t anchor;
        NodePtr key;  // of the entry whose value comes next
    };

    [[noreturn]] void stop(Errc code, std::string message, const YAML::Mark& mark) const {
        throw Stop{{code, std::move(message), {file_, one_based(mark.line), one_based(mark.column)}}};
    }

    void check_tag(const std::string& tag, const YAML::Mark& mark) const {
        if (!tag.empty() && tag != "?" && tag != "!") {
            stop(Errc::unsupported, "YAML tags are not supported; write the value without one", mark);
        }
    }

    void grow(std::size_t by, const YAML::Mark& mark) {
        weight_ += by;
        if (weight_ > limits_.max_weight) {
            stop(Errc::limit, fmt::format("more than {} values (aliases count as what they stand for)", limits_.max_weight),
                 mark);
        }
    }

    std::shared_ptr<Node> make(const YAML::Mark& mark, Kind kind) {
        grow(1, mark);
        auto node = std::make_shared<Node>();
        node->kind = kind;
        node->line = one_based(mark.line);
        node->column = one_based(mark.column);
        return node;
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
        // What these say is seen anyway: upstream does not look at them either.
        if (tag != "tag:yaml.org,2002:seq" && tag != "tag:yaml.org,2002:map") {
            check_tag(tag, mark);
        }
        if (stack_.size() >= limits_.max_depth) {
            stop(Errc::limit, fmt::format("nested deeper than {} levels", limits_.max_depth), mark);
        }
        stack_.push_back({make(mark, kind), anchor, nullptr});
    }

    void close() {
        Frame frame = std::move(stack_.back());
        stack_.pop_back();
        merge(*frame.node);
        for (const NodePtr& item : frame.node->items) {
            frame.node->weight += item->weight;
        }
        for (const Entry& entry : frame.node->entries) {
            frame.node->weight += entry.key->weight + entry.value->weight;
        }
        leaf(std::move(frame.node), frame.anchor);
    }

    /// The mappings that `<<` names: one, or a list of them. Nothing: it names something else, which the reader refuses.
    static std::optional<std::vector<NodePtr>> merged_of(const Entry& entry) {
        if (entry.key->kind != Kind::scalar || entry.key->text != "<<" || entry.key->quoted) {
            return std::nullopt;
        }
        std::vector<NodePtr> out = entry.value->kind == Kind::sequence ? entry.value->items : std::vector{entry.value};
        const bool fits = std::ranges::all_of(out, [](const NodePtr& node) { return node->kind == Kind::mapping; });
        return fits ? std::optional(std::move(out)) : std::nullopt;
    }

    /// Puts what `<<` names behind the mapping's own entries, which win, as earlier mappings of a list do. A second `<<`
    /// is left where it is: the reader refuses it.
    static void merge(Node& node) {
        const auto found = std::ranges::find_if(node.entries, [](const Entry& entry) { return merged_of(entry).has_value(); });
        if (found == node.entries.end()) {
            return;
        }
        const std::vector<NodePtr> sources = *merged_of(*found);
        node.entries.erase(found);
        std::set<std::string_view> known;
        for (const Entry& entry : node.entries) {
            known.insert(entry.key->text);
        }
        for (const NodePtr& from : sources) {
            std::ranges::copy_if(from->entries, std::back_inserter(node.entries), [&](const Entry& e) { return known.insert(e.key->text).second; });
        }
    }

    void leaf(NodePtr node, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) {
            anchors_.resize(std::max<std::size_t>(anchors_.size(), anchor + 1));
            anchors_[anchor] = node;
        }
        place(std::move(node));
    }

    void place(NodePtr node) {
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        Frame& top = stack_.back();
        if (top.node->kind == Kind::sequence) {
            top.node->items.push_back(std::move(node));
        } else if (!top.key) {
            top.key = std::move(node);
        } else {
            top.node->entries.push_back({std::move(top.key), std::move(node)});
            top.key = nullptr;
        }
    }

    /// Where the text of a scalar lies. The event says only "quoted", so the file itself is looked at.
    [[nodiscard]] Node::Layout layout_of(const Node& node) const {
        if (node.line == 0 || node.line > lines_.size() || node.column > lines_[node.line - 1].size()) {
            return {};
        }
        const std::string_view line = lines_[node.line - 1];
        const char first = line[node.column - 1];
        if (node.quoted && (first == '|' || first == '>')) {
            return block_layout(node, line.substr(node.column - 1));
        }
        if (first == '&' || first == '!') {
            return {};
        }
        const std::uint32_t column = node.quoted ? node.column + 1 : node.column;
        return {node.line, column, static_cast<std::uint32_t>(line.size() + 1 - column), false};
    }

    [[nodiscard]] Node::Layout block_layout(const Node& node, std::string_view header) const {
        header = header.substr(0, header.find_first_of(" #"));
        if (header.find_first_of("123456789") != std::string_view::npos) {
            return {};
        }
        for (std::size_t i = node.line; i < lines_.size(); ++i) {
            const std::size_t indent = lines_[i].find_first_not_of(' ');
            if (indent == std::string_view::npos) {
                continue;
            }
            if (header[0] == '>' && i != node.line) {
                return {};
            }
            return {node.line + 1, static_cast<std::uint32_t>(indent + 1),
                    static_cast<std::uint32_t>(lines_[i].size() - indent), header[0] == '|'};
        }
        return {};
    }

    const std::string& file_;
    std::vector<std::string_view> lines_;
    const Limits& limits_;
    std::size_t weight_{0};
    std::vector<Frame> stack_;
    std::vector<NodePtr> anchors_;
    NodePtr root_;
};

/// Finds out whether another document follows.
class Probe final : public YAML::EventHandler {
  public:
    std::optional<YAML::Mark> start;

    void OnDocumentStart(const YAML::Mark& mark) override {
        start = mark;
        throw Stop{};
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

std::optional<SourcePos> find_second(YAML::Parser& parser, const std::string& file) {
    Probe probe;
    try {
        parser.HandleNextDocument(probe);
    } catch (const Stop&) {
        return SourcePos{file, one_based(probe.start->line), one_based(probe.start->column)};
    } catch (const YAML::Exception& e) {
        return SourcePos{file, one_based(e.mark.line), one_based(e.mark.column)};
    }
    return std::nullopt;
}

/// yaml-cpp takes byte 4 for the end of the file and passes other control characters on.
Result<void> check_characters(const std::string& file, std::string_view text) {
    if (!is_utf8(text)) {
        return fail(Error{Errc::parse, "expected UTF-8 text", {file}});
    }
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f) {
            return fail(Error{Errc::parse, fmt::format("control character 0x{:02x} is not allowed", byte),
                              {file, line, column}});
        }
        line += c == '\n' ? 1 : 0;
        column = c == '\n' ? 1 : column + 1;
    }
    return {};
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    const auto entry = std::ranges::find_if(
        entries, [&](const Entry& e) { return e.key->kind == Kind::scalar && e.key->text == key; });
    return entry == entries.end() || entry->value->kind == Kind::null ? nullptr : entry->value.get();
}

SourcePos Node::position_in(const std::string& file, std::uint32_t inner_line, std::uint32_t inner_column) const {
    const bool first = inner_line <= 1 && !layout.literal;
    const bool inside = first ? inner_column <= layout.first_line_bytes + 1 : layout.literal;
    if (layout.line == 0 || inner_column == 0 || !inside) {
        return {file, line, column};
    }
    return {file, layout.line + std::max(inner_line, 1u) - 1, layout.column + inner_column - 1};
}

Result<Document> parse_document(const std::string& file, std::string_view text, const Limits& limits) {
    NOROSHI_TRY_VOID(check_characters(file, text));
    Builder builder(file, text, limits);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        Document document;
        if (parser.HandleNextDocument(builder)) {
            document.second_document = find_second(parser, file);
        }
        document.root = builder.root() ? builder.root() : std::make_shared<const Node>();
        return document;
    } catch (Stop& stop) {
        return fail(std::move(stop.error));
    } catch (const YAML::Exception& e) {
        return fail(Error{Errc::parse, "YAML: " + e.msg, {file, one_based(e.mark.line), one_based(e.mark.column)}});
    } catch (const std::exception& e) {
        return fail(Error{Errc::parse, std::string("YAML: ") + e.what(), {file}});
    }
}

}  // namespace noroshi::config::yaml
