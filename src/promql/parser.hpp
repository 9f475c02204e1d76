// src/promql/parser.hpp - tokens to a typed tree.
#pragma once

#include <string_view>
#include <vector>

#include "base/ascii.hpp"
#include "lexer.hpp"
#include "tree.hpp"

namespace noroshi::promql {

/// Parses and checks a whole expression, at most 64 KiB and 200 levels deep. Errors: parse, limit.
[[nodiscard]] Result<NodePtr> parse_tree(std::string_view text, const ParseOptions& options);

/// Recursive descent with precedence climbing. One use.
class Parser {
  public:
    Parser(std::string_view text, std::vector<Token> tokens, const ParseOptions& options)
        : text_(text), options_(options), tokens_(std::move(tokens)) {}
    [[nodiscard]] Result<NodePtr> whole();

  private:
    // parser.cpp: operators, calls, aggregations, literals
    Result<NodePtr> expression(int lowest);
    Result<NodePtr> unary();
    Result<NodePtr> primary();
    Result<NodePtr> parenthesised();
    Result<NodePtr> named();
    Result<NodePtr> number();
    Result<NodePtr> call(const Token& name);
    Result<NodePtr> aggregate(const Token& name, AggregateOp op);
    Result<NodePtr> binary(BinaryOp op, NodePtr left, std::size_t offset, int precedence);
    // parser_match.cpp: between an operator and its right side
    Result<void> modifiers(Binary& binary);
    Result<void> grouping_of_match(Binary& binary);
    Result<void> fill_modifiers(Binary& binary);
    Result<double> fill_value();
    Result<std::vector<std::string>> label_list();
    Result<void> grouping(Aggregate& out, bool& given);
    // checks, each with Prometheus's wording
    Result<void> check_binary(const Binary& binary, std::size_t offset);
    Result<void> check_call(const Function& function, const std::vector<NodePtr>& arguments, std::size_t offset);
    Result<void> check_extension(const Function& function, const Node& argument);
    Result<void> check_aggregate(const Aggregate& aggregate, std::size_t offset);
    // parser_selector.cpp: selectors, ranges, offset and @
    Result<NodePtr> selector(std::string name, std::size_t offset);
    Result<model::Matcher> matcher(Selector& selector);
    Result<void> check_selector(const Selector& selector, std::size_t offset);
    Result<NodePtr> postfix(NodePtr node);
    Result<NodePtr> range(NodePtr node);
    Result<NodePtr> offset_modifier(NodePtr node);
    Result<NodePtr> at_modifier(NodePtr node);
    Result<void> extension_modifier(Node& node);
    Result<TimeShift*> shift_of(Node& node, std::string_view modifier);
    // parser_duration.cpp
    enum class DurationPlace { brackets, offset };
    Result<Duration> duration(DurationPlace place);
    Result<CalculationPtr> duration_expression(int lowest);
    Result<CalculationPtr> duration_unary();
    Result<CalculationPtr> duration_primary();
    Result<CalculationPtr> duration_call(const Token& name);

    /// One level deeper, as long as it lives.
    class Nested {
      public:
        explicit Nested(Parser& parser) : parser_(parser) { ++parser_.depth_; }
        ~Nested() { --parser_.depth_; }
        Nested(const Nested&) = delete;
        Nested& operator=(const Nested&) = delete;
        [[nodiscard]] Result<void> check() const;

      private:
        Parser& parser_;
    };

    [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;
    Token take();
    [[nodiscard]] bool take_if(std::string_view punctuation);
    [[nodiscard]] bool peek_word(std::string_view word) const;
    Result<void> expect(std::string_view punctuation, std::string_view where);
    [[nodiscard]] tl::unexpected<Error> unexpected(std::string_view where) const;
    [[nodiscard]] tl::unexpected<Error> fault(std::size_t offset, std::string message) const;

    std::string_view text_;
    ParseOptions options_;
    std::vector<Token> tokens_;
    std::size_t at_{0};
    int depth_{0};
    bool may_match_all_{false};  ///< the selector that comes next selects no series itself
};


}  // namespace noroshi::promql
