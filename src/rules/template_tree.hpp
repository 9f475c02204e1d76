// src/rules/template_tree.hpp - the tree of a parsed template, and its tokens.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "template_value.hpp"

namespace noroshi::rules {

enum class TokenKind : std::uint8_t {
    error,       ///< text is what is wrong; the last token
    end,
    text,        ///< outside of actions, trimmed
    left_delim,
    right_delim,
    space,
    boolean,
    character,   ///< a printable character with no meaning of its own, like ","
    character_constant,
    assign,
    declare,
    pipe,
    left_paren,
    right_paren,
    dot,
    field,       ///< with its dot
    identifier,
    number,
    complex,
    nil,
    raw_string,
    string,
    variable,    ///< with its $
    keyword      ///< block, break, continue, define, else, end, if, range, template, with
};

struct Token {
    TokenKind kind{TokenKind::end};
    std::uint32_t position{0};  ///< bytes from the begin of the source
    std::string_view text;      ///< in the source, or static
    std::string message{};      ///< of an error
};

/// Tokens of a whole source, ended by `end` or `error`. They point into `source`.
[[nodiscard]] std::vector<Token> template_tokens(std::string_view source);

struct TemplatePipeline;

/// One operand of a command.
struct TemplateOperand {
    enum class Kind : std::uint8_t { constant, dot, nil, number, text, variable, field, chain, function, pipeline };
    Kind kind{Kind::dot};
    std::uint32_t position{0};
    std::string source;               ///< as it was written; of a variable or function its name
    TemplateValue literal{};          ///< of constant, number, text
    bool is_whole{false};             ///< a number that may stand where an integer is wanted
    bool overflows{false};            ///< a number too large for an integer
    std::int64_t whole{0};
    std::vector<std::string> fields;  ///< of variable, field, chain
    std::shared_ptr<const TemplatePipeline> pipeline{};  ///< of pipeline: in parentheses
    std::shared_ptr<const TemplateOperand> inner{};      ///< of chain: what the fields are of
};

/// `function argument argument` or one operand.
struct TemplateCommand {
    std::uint32_t position{0};
    std::vector<TemplateOperand> operands;
};

/// `$x := a | b c`. The value of a command is the last argument of the next.
struct TemplatePipeline {
    std::uint32_t position{0};
    std::vector<std::string> variables;  ///< declared or assigned, with $
    bool assigns{false};                 ///< = and not :=
    std::vector<TemplateCommand> commands;
};

struct TemplateNode {
    enum class Kind : std::uint8_t { text, action, if_, range, with, template_, break_, continue_ };
    Kind kind{Kind::text};
    std::uint32_t position{0};
    std::string text;           ///< of text; of template_ the name
    bool has_pipeline{false};
    TemplatePipeline pipeline;
    std::vector<TemplateNode> body;
    bool has_otherwise{false};
    std::vector<TemplateNode> otherwise;
};

/// A source with the templates in it.
struct TemplateSet {
    std::string source;
    std::string name;  ///< of the main one
    std::map<std::string, std::vector<TemplateNode>> trees;
};

/// Errors: parse, limit, unsupported.
[[nodiscard]] Result<TemplateSet> parse_template(std::string source, std::string name);

/// As Go writes the parts of a tree in its errors.
[[nodiscard]] std::string source_of(const TemplateOperand& operand);
[[nodiscard]] std::string source_of(const TemplateCommand& command);
[[nodiscard]] std::string source_of(const TemplatePipeline& pipeline);
[[nodiscard]] std::string source_of(const TemplateNode& node);

}  // namespace noroshi::rules
