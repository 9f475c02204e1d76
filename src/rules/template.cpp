// src/rules/template.cpp - runs a template.
#include "template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

constexpr std::size_t longest_text = 64u << 10;
constexpr std::size_t longest_output = 64u << 10;
constexpr std::size_t most_steps = 100'000;

enum class Flow { next, break_, continue_ };

class Expansion {
  public:
    explicit Expansion(const TemplateData& data) : data_(data) {
        declare("$", {});
        declare("$labels", {data.labels});
        declare("$externalLabels", {data.external_labels});
        declare("$externalURL", {data.external_url});
        declare("$value", {data.value});
    }

    Result<std::string> run(const std::vector<TemplateNode>& nodes) {
        const Result<Flow> done = list(nodes);
        if (!done) {
            return fail(done.error());
        }
        return std::move(output_);
    }

  private:
    struct Variable {
        std::string name;
        TemplateValue value;
    };

    void declare(std::string name, TemplateValue value) { variables_.push_back({std::move(name), std::move(value)}); }

    Result<void> step() {
        if (++steps_ > most_steps || output_.size() > longest_output) {
            return fail(Errc::limit, "template does too much");
        }
        return {};
    }

    Result<Flow> list(const std::vector<TemplateNode>& nodes) {
        for (const TemplateNode& node : nodes) {
            NOROSHI_TRY_VOID(step());
            NOROSHI_TRY(const Flow flow, one(node));
            if (flow != Flow::next) {
                return flow;
            }
        }
        return Flow::next;
    }

    /// Variables of a block end with it.
    Result<Flow> scoped(const std::vector<TemplateNode>& nodes) {
        const std::size_t known = variables_.size();
        Result<Flow> flow = list(nodes);
        variables_.resize(known);
        return flow;
    }

    Result<Flow> one(const TemplateNode& node) {
        const std::size_t known = variables_.size();
        switch (node.kind) {
            case TemplateNode::Kind::text:
                output_ += node.text;
                return Flow::next;
            case TemplateNode::Kind::break_:
                return Flow::break_;
            case TemplateNode::Kind::continue_:
                return Flow::continue_;
            case TemplateNode::Kind::action: {
                NOROSHI_TRY(const TemplateValue value, pipeline(node.pipeline));
                if (node.pipeline.variables.empty()) {
                    output_ += to_text(value);
                }
                return Flow::next;
            }
            case TemplateNode::Kind::if_:
            case TemplateNode::Kind::with: {
                NOROSHI_TRY(const TemplateValue value, pipeline(node.pipeline));
                const bool yes = is_true(value);
                const TemplateValue outer = dot_;
                if (yes && node.kind == TemplateNode::Kind::with) {
                    dot_ = value;
                    dot_is_data_ = false;
                }
                const bool was_data = dot_is_data_;
                Result<Flow> flow = scoped(yes ? node.body : node.otherwise);
                dot_ = outer;
                dot_is_data_ = was_data || node.kind == TemplateNode::Kind::with;
                variables_.resize(known);
                return flow;
            }
            case TemplateNode::Kind::range: {
                Result<Flow> flow = range(node);
                variables_.resize(known);
                return flow;
            }
        }
        return Flow::next;
    }

    Result<Flow> range(const TemplateNode& node) {
        TemplatePipeline source = node.pipeline;
        const std::vector<std::string> names = std::exchange(source.variables, {});
        NOROSHI_TRY(const TemplateValue value, pipeline(source));
        std::vector<std::pair<TemplateValue, TemplateValue>> items;
        if (const auto* labels = std::get_if<model::Labels>(&value.kind)) {
            for (const model::Label& label : *labels) {
                items.push_back({TemplateValue{label.name}, TemplateValue{label.value}});
            }
        } else if (const auto* listed = std::get_if<std::shared_ptr<const TemplateList>>(&value.kind)) {
            for (std::size_t i = 0; i < (*listed)->size(); ++i) {
                items.push_back({TemplateValue{static_cast<std::int64_t>(i)}, (**listed)[i]});
            }
        }
        if (items.empty()) {
            return scoped(node.otherwise);
        }
        const TemplateValue outer = dot_;
        const bool was_data = std::exchange(dot_is_data_, false);
        for (const auto& [key, item] : items) {
            NOROSHI_TRY_VOID(step());
            const std::size_t known = variables_.size();
            if (!names.empty()) {
                declare(names.back(), item);
            }
            if (names.size() == 2) {
                declare(names.front(), key);
            }
            dot_ = item;
            NOROSHI_TRY(const Flow flow, list(node.body));
            variables_.resize(known);
            if (flow == Flow::break_) {
                break;
            }
        }
        dot_ = outer;
        dot_is_data_ = was_data;
        return Flow::next;
    }

    Result<TemplateValue> pipeline(const TemplatePipeline& source) {
        std::optional<TemplateValue> carried;
        for (const TemplateCommand& command : source.commands) {
            NOROSHI_TRY_VOID(step());
            NOROSHI_TRY(carried, run_command(command, std::move(carried)));
        }
        for (const std::string& name : source.variables) {
            if (source.declares) {
                declare(name, *carried);
                continue;
            }
            const auto found = std::ranges::find(variables_.rbegin(), variables_.rend(), name, &Variable::name);
            if (found == variables_.rend()) {
                return fail(Errc::invalid_argument, fmt::format("undefined variable {}", model::quote(name)));
            }
            found->value = *carried;
        }
        return std::move(*carried);
    }

    Result<TemplateValue> run_command(const TemplateCommand& command, std::optional<TemplateValue> carried) {
        const TemplateOperand& first = command.front();
        if (first.kind != TemplateOperand::Kind::function) {
            if (carried) {
                return fail(Errc::invalid_argument, "can't give argument to non-function");
            }
            return operand(first);
        }
        if (first.name == "and" || first.name == "or") {
            return short_circuit(command, std::move(carried), first.name == "or");
        }
        std::vector<TemplateValue> arguments;
        for (std::size_t i = 1; i < command.size(); ++i) {
            NOROSHI_TRY(TemplateValue value, operand(command[i]));
            arguments.push_back(std::move(value));
        }
        if (carried) {
            arguments.push_back(std::move(*carried));
        }
        return call_template_function(first.name, std::move(arguments), data_);
    }

    Result<TemplateValue> short_circuit(const TemplateCommand& command, std::optional<TemplateValue> carried,
                                        bool stop_at) {
        TemplateValue last;
        for (std::size_t i = 1; i < command.size(); ++i) {
            NOROSHI_TRY(last, operand(command[i]));
            if (is_true(last) == stop_at) {
                return last;
            }
        }
        return carried ? std::move(*carried) : std::move(last);
    }

    Result<TemplateValue> operand(const TemplateOperand& source) {
        TemplateValue value;
        bool data = false;
        switch (source.kind) {
            case TemplateOperand::Kind::literal:
                return source.literal;
            case TemplateOperand::Kind::function:
                return call_template_function(source.name, {}, data_);
            case TemplateOperand::Kind::pipeline: {
                NOROSHI_TRY(value, pipeline(*source.pipeline));
                break;
            }
            case TemplateOperand::Kind::dot:
                value = dot_;
                data = dot_is_data_;
                break;
            case TemplateOperand::Kind::variable: {
                const auto found = std::ranges::find(variables_.rbegin(), variables_.rend(), source.name, &Variable::name);
                if (found == variables_.rend()) {
                    return fail(Errc::invalid_argument, fmt::format("undefined variable {}", model::quote(source.name)));
                }
                value = found->value;
                data = source.name == "$";
                break;
            }
        }
        for (const std::string& name : source.fields) {
            NOROSHI_TRY(value, data ? data_field(name) : field(value, name));
            data = false;
        }
        return value;
    }

    Result<TemplateValue> data_field(const std::string& name) const {
        if (name == "Labels") {
            return TemplateValue{data_.labels};
        }
        if (name == "ExternalLabels") {
            return TemplateValue{data_.external_labels};
        }
        if (name == "ExternalURL") {
            return TemplateValue{data_.external_url};
        }
        if (name == "Value") {
            return TemplateValue{data_.value};
        }
        return fail(Errc::invalid_argument, fmt::format("can't evaluate field {} in type struct", name));
    }

    static Result<TemplateValue> field(const TemplateValue& value, const std::string& name) {
        if (const auto* labels = std::get_if<model::Labels>(&value.kind)) {
            return TemplateValue{std::string(labels->get(name))};  // missingkey=zero
        }
        if (const auto* sample = std::get_if<TemplateSample>(&value.kind)) {
            if (name == "Labels") {
                return TemplateValue{sample->labels};
            }
            if (name == "Value") {
                return TemplateValue{sample->value};
            }
        }
        return fail(Errc::invalid_argument, fmt::format("can't evaluate field {}", name));
    }

    const TemplateData& data_;
    std::vector<Variable> variables_;
    TemplateValue dot_;
    bool dot_is_data_{true};  ///< outside range and with the dot is the data as a whole
    std::string output_;
    std::size_t steps_{0};
};

}  // namespace

Result<Template> Template::parse(std::string_view text) {
    if (text.size() > longest_text) {
        return fail(Errc::limit, fmt::format("template is longer than {} bytes", longest_text));
    }
    NOROSHI_TRY(std::vector<TemplateNode> nodes, parse_template(text));
    return Template(std::make_shared<const std::vector<TemplateNode>>(std::move(nodes)));
}

Result<std::string> Template::expand(const TemplateData& data) const { return Expansion(data).run(*nodes_); }

}  // namespace noroshi::rules
