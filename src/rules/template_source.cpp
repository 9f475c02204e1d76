// src/rules/template_source.cpp - parts of a template's tree as text, for errors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

std::string source_of(const std::vector<TemplateNode>& nodes) {
    std::string out;
    for (const TemplateNode& node : nodes) {
        out += rules::source_of(node);
    }
    return out;
}

std::string branch(std::string_view word, const TemplateNode& node) {
    return fmt::format("{{{{{} {}}}}}{}{}{}{{{{end}}}}", word, rules::source_of(node.pipeline), source_of(node.body),
                       node.has_otherwise ? "{{else}}" : "", source_of(node.otherwise));
}

}  // namespace

std::string source_of(const TemplateOperand& operand) {
    std::string out = operand.source;
    if (operand.kind == TemplateOperand::Kind::pipeline) {
        return source_of(*operand.pipeline);
    }
    if (operand.kind == TemplateOperand::Kind::field) {
        out.clear();
    } else if (operand.kind == TemplateOperand::Kind::chain) {
        const bool parens = operand.inner->kind == TemplateOperand::Kind::pipeline;
        out = parens ? "(" + source_of(*operand.inner) + ")" : source_of(*operand.inner);
    }
    for (const std::string& field : operand.fields) {
        out += "." + field;
    }
    return out;
}

std::string source_of(const TemplateCommand& command) {
    std::string out;
    for (const TemplateOperand& operand : command.operands) {
        const bool parens = operand.kind == TemplateOperand::Kind::pipeline;
        out += (out.empty() ? "" : " ") + (parens ? "(" + source_of(operand) + ")" : source_of(operand));
    }
    return out;
}

std::string source_of(const TemplatePipeline& pipeline) {
    std::string out = fmt::format("{}", fmt::join(pipeline.variables, ", "));
    if (!out.empty()) {
        out += pipeline.assigns ? " = " : " := ";
    }
    for (std::size_t i = 0; i < pipeline.commands.size(); ++i) {
        out += (i > 0 ? " | " : "") + source_of(pipeline.commands[i]);
    }
    return out;
}

std::string source_of(const TemplateNode& node) {
    using Kind = TemplateNode::Kind;
    switch (node.kind) {
        case Kind::text:
            return node.text;
        case Kind::action:
            return "{{" + source_of(node.pipeline) + "}}";
        case Kind::if_:
            return branch("if", node);
        case Kind::range:
            return branch("range", node);
        case Kind::with:
            return branch("with", node);
        case Kind::template_:
            return fmt::format("{{{{template {}{}}}}}", go_quote(node.text), node.has_pipeline ? " " + source_of(node.pipeline) : "");
        case Kind::break_:
            return "{{break}}";
        case Kind::continue_:
            return "{{continue}}";
    }
    return "";
}

}  // namespace noroshi::rules
