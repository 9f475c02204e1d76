// src/rules/template.cpp - runs a template.
#include "template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "template_functions.hpp"
#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

constexpr std::size_t most_steps = 100'000;
constexpr int deepest = 500;
/// What every template begins with; places in errors count it, as upstream's do.
constexpr std::string_view prelude =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

enum class Flow { next, break_, continue_ };

using Place = std::variant<const TemplateNode*, const TemplatePipeline*, const TemplateCommand*, const TemplateOperand*>;
using Operands = std::span<const TemplateOperand>;
using Carried = std::optional<TemplateValue>;  // the value of the command before; nothing: there is none

class Expansion {
  public:
    Expansion(const TemplateSet& set, const TemplateData& data) : set_(set), data_(data), name_(set.name) {}

    Result<std::string> run() {
        const TemplateValue dot{&data_};
        variables_.push_back({"$", dot});
        const Result<Flow> done = list(dot, set_.trees.find(set_.name)->second);
        if (!done) {
            return fail(done.error());
        }
        NOROSHI_TRY_VOID(bounded(output_.size()));
        return std::move(output_);
    }

  private:
    struct Variable {
        std::string name;
        TemplateValue value;
    };
    /// One level of the recursion, which follows what the template holds.
    struct Level {
        int& depth;
        explicit Level(int& of) : depth(++of) {}
        ~Level() { --depth; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
    };

    /// An error at the place where the expansion stands.
    [[nodiscard]] tl::unexpected<Error> refused(std::string_view what) const {
        const auto [position, source] = std::visit([](const auto* part) { return std::pair(part->position, source_of(*part)); }, at_);
        const std::string_view before = std::string_view(set_.source).substr(0, position);
        const std::size_t line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
        const std::size_t column = line == 1 ? position : position - before.rfind('\n') - 1;
        return fail(Errc::invalid_argument,
                    fmt::format("error executing template {}: template: {}:{}:{}: executing {} at <{}>: {}", set_.name, set_.name, line,
                                column, go_quote(name_), source, what));
    }

    Result<void> step(std::size_t steps = 1) {
        steps_ += steps;
        if (steps_ > most_steps || depth_ > deepest) {
            return fail(Errc::limit, depth_ > deepest ? "template calls itself too deep" : "template does too much");
        }
        return bounded(output_.size());
    }
    static Result<void> bounded(std::size_t size) {
        return size <= longest_template_text
                   ? Result<void>{}
                   : fail(Errc::limit, fmt::format("template makes a text of more than {} bytes", longest_template_text));
    }

    /// Steps for keeping a value: copies of long texts must not add up.
    static std::size_t weight(const TemplateValue& value) {
        const auto* text = value.get<TemplateText>();
        return text != nullptr ? text->text.size() / 256 : 0;
    }

    TemplateValue* variable(const std::string& name) {
        const auto found = std::ranges::find(variables_.rbegin(), variables_.rend(), name, &Variable::name);
        return found == variables_.rend() ? nullptr : &found->value;
    }
    Result<void> assign(const std::string& name, const TemplateValue& value) {
        TemplateValue* known = variable(name);
        if (known == nullptr) {
            return refused("undefined variable: " + name);
        }
        *known = value;
        return {};
    }

    Result<Flow> list(const TemplateValue& dot, const std::vector<TemplateNode>& nodes) {
        const Level level(depth_);
        for (const TemplateNode& node : nodes) {
            NOROSHI_TRY_VOID(step());
            at_ = &node;
            NOROSHI_TRY(const Flow flow, one(dot, node));
            if (flow != Flow::next) {
                return flow;
            }
        }
        return Flow::next;
    }

    Result<Flow> one(const TemplateValue& dot, const TemplateNode& node) {
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
                NOROSHI_TRY(const TemplateValue value, pipeline(dot, node.pipeline));
                if (node.pipeline.variables.empty()) {
                    output_ += to_text(value);
                }
                return Flow::next;
            }
            case TemplateNode::Kind::template_:
                return invoke(dot, node);
            case TemplateNode::Kind::if_:
            case TemplateNode::Kind::with: {
                NOROSHI_TRY(const TemplateValue value, pipeline(dot, node.pipeline));
                const bool yes = is_true(value);
                const bool inner = yes && node.kind == TemplateNode::Kind::with;
                Result<Flow> flow = list(inner ? value : dot, yes ? node.body : node.otherwise);
                variables_.resize(known);
                return flow;
            }
            case TemplateNode::Kind::range: {
                Result<Flow> flow = range(dot, node);
                variables_.resize(known);
                return flow;
            }
        }
        return Flow::next;
    }

    /// Another template, which sees none of our variables.
    Result<Flow> invoke(const TemplateValue& dot, const TemplateNode& node) {
        const auto found = set_.trees.find(node.text);
        if (found == set_.trees.end()) {
            return refused(fmt::format("template {} not defined", go_quote(node.text)));
        }
        TemplateValue inner;
        if (node.has_pipeline) {
            NOROSHI_TRY(inner, pipeline(dot, node.pipeline));
        }
        std::vector<Variable> outer = std::exchange(variables_, {{"$", inner}});
        const std::string outer_name = std::exchange(name_, node.text);
        NOROSHI_TRY_VOID(list(inner, found->second));
        variables_ = std::move(outer);
        name_ = outer_name;
        at_ = &node;
        return Flow::next;
    }

    Result<Flow> range(const TemplateValue& dot, const TemplateNode& node) {
        NOROSHI_TRY(const TemplateValue value, pipeline(dot, node.pipeline));
        std::size_t done = 0;
        const auto turn = [&](TemplateValue key, TemplateValue item) -> Result<bool> {
            NOROSHI_TRY_VOID(step());
            ++done;
            NOROSHI_TRY_VOID(set_range_variables(node.pipeline, std::move(key), item));
            const std::size_t known = variables_.size();
            NOROSHI_TRY(const Flow flow, list(item, node.body));
            variables_.resize(known);
            return flow != Flow::break_;
        };
        NOROSHI_TRY_VOID(each(value, node, turn));
        return done == 0 ? list(dot, node.otherwise) : Flow::next;
    }

    /// The innermost variable is the item, the one before it the key.
    Result<void> set_range_variables(const TemplatePipeline& source, TemplateValue key, const TemplateValue& item) {
        const std::vector<std::string>& names = source.variables;
        if (source.assigns) {
            if (names.size() > 1) {
                NOROSHI_TRY_VOID(assign(names.front(), key));
            }
            return assign(names.back(), item);
        }
        if (!names.empty()) {
            variables_.back().value = item;
        }
        if (names.size() > 1) {
            variables_[variables_.size() - 2].value = std::move(key);
        }
        return {};
    }

    template <class Turn>
    Result<void> each(const TemplateValue& value, const TemplateNode& node, const Turn& turn) {
        if (value.empty()) {
            return {};
        }
        if (const auto labels = value.shared<model::Labels>()) {
            return each_of(*labels, turn, [](const model::Label& label, std::size_t) {
                return std::pair(text_value(label.name), text_value(label.value));
            });
        }
        if (const auto args = value.shared<TemplateArgs>()) {
            return each_of(args->values, turn, [](const auto& entry, std::size_t) {
                return std::pair(text_value(entry.first), entry.second);
            });
        }
        if (const auto samples = value.shared<TemplateSamples>()) {
            return each_of(*samples, turn, [](const auto& sample, std::size_t index) {
                return std::pair(whole_value(static_cast<std::int64_t>(index)), TemplateValue{sample});
            });
        }
        const auto* whole = value.get<TemplateWhole>();
        const auto* duration = value.get<TemplateDuration>();
        if (whole == nullptr && duration == nullptr) {
            return refused("range can't iterate over " + to_text(value));
        }
        if (node.pipeline.variables.size() > 1) {
            return refused(fmt::format("can't use {} to iterate over more than one variable", to_text(value)));
        }
        for (std::int64_t i = 0; i < (whole != nullptr ? whole->number : duration->nanoseconds); ++i) {
            NOROSHI_TRY(const bool goes_on, turn({}, whole != nullptr ? whole_value(i, whole->type) : TemplateValue{TemplateDuration{i}}));
            if (!goes_on) {
                break;
            }
        }
        return {};
    }
    template <class Items, class Turn, class Pair>
    static Result<void> each_of(const Items& items, const Turn& turn, const Pair& pair_of) {
        std::size_t index = 0;
        for (const auto& item : items) {
            auto pair = pair_of(item, index++);
            NOROSHI_TRY(const bool goes_on, turn(std::move(pair.first), std::move(pair.second)));
            if (!goes_on) {
                break;
            }
        }
        return {};
    }

    Result<TemplateValue> pipeline(const TemplateValue& dot, const TemplatePipeline& source) {
        const Level level(depth_);
        at_ = &source;
        Carried carried;
        for (const TemplateCommand& next : source.commands) {
            NOROSHI_TRY_VOID(step());
            NOROSHI_TRY(carried, command(dot, next, std::move(carried)));
        }
        for (const std::string& name : source.variables) {
            NOROSHI_TRY_VOID(step(weight(*carried)));
            if (source.assigns) {
                NOROSHI_TRY_VOID(assign(name, *carried));
            } else {
                variables_.push_back({name, *carried});
            }
        }
        return std::move(*carried);
    }

    Result<TemplateValue> command(const TemplateValue& dot, const TemplateCommand& source, Carried carried) {
        using Kind = TemplateOperand::Kind;
        const TemplateOperand& first = source.operands.front();
        const Operands rest = Operands(source.operands).subspan(1);
        if (first.kind == Kind::function) {
            at_ = &first;
            return call(dot, *find_template_function(first.source), std::nullopt, &source, rest, std::move(carried));
        }
        if (first.kind == Kind::field || first.kind == Kind::chain || (first.kind == Kind::variable && !first.fields.empty())) {
            return chain_value(dot, first, rest, std::move(carried));
        }
        if (first.kind != Kind::pipeline) {
            at_ = &first;
        }
        if (!rest.empty() || carried) {
            return refused("can't give argument to non-function " + source_of(first));
        }
        return first.kind == Kind::nil ? Result<TemplateValue>(refused("nil is not a command")) : plain_value(dot, first);
    }

    /// What an operand is by itself, whatever is wanted of it.
    Result<TemplateValue> plain_value(const TemplateValue& dot, const TemplateOperand& source) {
        switch (source.kind) {
            case TemplateOperand::Kind::dot:
                return dot;
            case TemplateOperand::Kind::number:
                at_ = &source;
                return source.overflows ? Result<TemplateValue>(refused(source.source + " overflows int")) : source.literal;
            case TemplateOperand::Kind::pipeline:
                return this->pipeline(dot, *source.pipeline);
            case TemplateOperand::Kind::function:
                at_ = &source;
                return call(dot, *find_template_function(source.source), std::nullopt, &source, {}, std::nullopt);
            case TemplateOperand::Kind::variable:
            case TemplateOperand::Kind::field:
            case TemplateOperand::Kind::chain:
                return chain_value(dot, source, {}, std::nullopt);
            default:
                return source.literal;
        }
    }

    /// A variable, the dot or a pipeline with its fields. If the last field is a method it gets the arguments.
    Result<TemplateValue> chain_value(const TemplateValue& dot, const TemplateOperand& source, Operands arguments, Carried carried) {
        at_ = &source;
        TemplateValue value = dot;
        if (source.kind == TemplateOperand::Kind::chain) {
            if (source.inner->kind == TemplateOperand::Kind::nil) {
                return refused("indirection through explicit nil in " + source_of(source));
            }
            NOROSHI_TRY(value, plain_value(dot, *source.inner));
        } else if (source.kind == TemplateOperand::Kind::variable) {
            const TemplateValue* known = variable(source.source);
            if (known == nullptr) {
                return refused("undefined variable: " + source.source);
            }
            value = *known;
        }
        bool boxed = false;  // it stands in an interface, whose name is then its type's
        for (std::size_t i = 0; i < source.fields.size(); ++i) {
            const bool last = i + 1 == source.fields.size();
            const bool from_interface = value.shared<TemplateArgs>() || source.fields[i] == "Value";
            NOROSHI_TRY(value, field(dot, value, source.fields[i], boxed, source, last ? arguments : Operands(),
                                     last ? std::move(carried) : std::nullopt));
            boxed = from_interface;
        }
        return value;
    }

    Result<TemplateValue> field(const TemplateValue& dot, const TemplateValue& receiver, const std::string& name, bool boxed,
                                const TemplateOperand& place, Operands arguments, Carried carried) {
        if (receiver.empty()) {
            return TemplateValue{};
        }
        if (const TemplateFunction* method = find_template_method(receiver, name); method != nullptr) {
            return call(dot, *method, receiver, &place, arguments, std::move(carried));
        }
        Result<TemplateValue> found = field_of(receiver, name);
        if (!found) {
            return refused(fmt::format("can't evaluate field {} in type {}", name, boxed ? "interface {}" : type_name(receiver)));
        }
        if (!arguments.empty() || carried) {
            const bool is_map = receiver.shared<model::Labels>() || receiver.shared<TemplateArgs>();
            return refused(name + (is_map ? " is not a method but has arguments" : " has arguments but cannot be invoked as function"));
        }
        return found;
    }

    Result<TemplateValue> call(const TemplateValue& dot, const TemplateFunction& function, std::optional<TemplateValue> receiver,
                               Place place, Operands given, Carried carried) {
        const std::vector<TemplateType>& wanted = function.parameters;
        const std::size_t count = given.size() + (carried ? 1 : 0);
        if (function.rest ? count < wanted.size() : count != wanted.size()) {
            return refused(function.rest ? fmt::format("wrong number of args for {}: want at least {} got {}", function.name, wanted.size(), given.size())
                                         : fmt::format("wrong number of args for {}: want {} got {}", function.name, wanted.size(), count));
        }
        if (function.name == "and" || function.name == "or") {
            return short_circuit(dot, given, std::move(carried), function.name == "or");
        }
        NOROSHI_TRY_VOID(step(function.steps));
        TemplateArguments arguments;
        if (receiver) {
            arguments.push_back(std::move(*receiver));
        }
        for (std::size_t i = 0; i < given.size(); ++i) {
            NOROSHI_TRY(TemplateValue value, argument(dot, given[i], i < wanted.size() ? wanted[i] : *function.rest));
            NOROSHI_TRY_VOID(step(weight(value)));
            arguments.push_back(std::move(value));
        }
        if (carried) {
            NOROSHI_TRY(TemplateValue value, fitting(std::move(*carried), count <= wanted.size() ? wanted[count - 1] : *function.rest));
            arguments.push_back(std::move(value));
        }
        Result<TemplateValue> answer = function.name == "call" ? call_of(arguments.front(), given) : function.run(arguments, data_);
        if (!answer && answer.error().code == Errc::invalid_argument) {
            at_ = place;
            return refused(fmt::format("error calling {}: {}", function.name, answer.error().message));
        }
        if (const auto* text = answer ? answer->get<TemplateText>() : nullptr; text != nullptr) {
            NOROSHI_TRY_VOID(bounded(text->text.size()));
        }
        return answer;
    }

    /// Nothing that a template sees can be called.
    static Result<TemplateValue> call_of(const TemplateValue& value, Operands given) {
        if (value.empty()) {
            return fail(Errc::invalid_argument, "call of nil");
        }
        const auto* text = value.get<TemplateText>();
        const std::string name = !given.empty() ? source_of(given.front())
                                 : text != nullptr ? text->text
                                                   : "<" + type_name(value) + " Value>";
        return fail(Errc::invalid_argument, fmt::format("non-function {} of type {}", name, type_name(value)));
    }

    Result<TemplateValue> short_circuit(const TemplateValue& dot, Operands given, Carried carried, bool stop_at) {
        TemplateValue last;
        for (const TemplateOperand& operand : given) {
            NOROSHI_TRY(last, argument(dot, operand, TemplateType::value));
            if (is_true(last) == stop_at) {
                return last;
            }
        }
        return carried ? std::move(*carried) : std::move(last);
    }

    Result<TemplateValue> argument(const TemplateValue& dot, const TemplateOperand& source, TemplateType wanted) {
        using Kind = TemplateOperand::Kind;
        at_ = &source;
        const bool nothing_fits = wanted == TemplateType::text || wanted == TemplateType::integer || wanted == TemplateType::time ||
                                  wanted == TemplateType::duration;
        if (source.kind == Kind::nil) {
            return nothing_fits ? Result<TemplateValue>(refused(fmt::format("cannot assign nil to {}", type_name(wanted)))) : TemplateValue{};
        }
        if (source.kind != Kind::constant && source.kind != Kind::number && source.kind != Kind::text) {
            NOROSHI_TRY(TemplateValue value, plain_value(dot, source));
            return fitting(std::move(value), wanted);
        }
        const std::string shown = source_of(source);
        switch (wanted) {
            case TemplateType::any:
            case TemplateType::value:
                return plain_value(dot, source);
            case TemplateType::text:
                return source.kind == Kind::text ? source.literal : Result<TemplateValue>(refused("expected string; found " + shown));
            case TemplateType::integer:
            case TemplateType::duration:
                if (source.kind != Kind::number || !source.is_whole) {
                    return refused("expected integer; found " + shown);
                }
                return wanted == TemplateType::integer ? whole_value(source.whole) : TemplateValue{TemplateDuration{source.whole}};
            default:
                return refused(fmt::format("can't handle {} for arg of type {}", shown, type_name(wanted)));
        }
    }

    /// The value as what is wanted, if its type is that one; a pointer is followed.
    Result<TemplateValue> fitting(TemplateValue value, TemplateType wanted) {
        if (wanted == TemplateType::any || wanted == TemplateType::value) {
            return value;
        }
        const bool can_be_nil = wanted == TemplateType::samples || wanted == TemplateType::sample;
        if (value.empty()) {
            return can_be_nil ? Result<TemplateValue>(value) : refused(fmt::format("invalid value; expected {}", type_name(wanted)));
        }
        if (type_name(value) == type_name(wanted)) {
            return value;
        }
        if (pointed_type_name(value) == type_name(wanted)) {
            if (const auto* duration = value.get<TemplateDuration>()) {
                return TemplateValue{TemplateDuration{duration->nanoseconds}};
            }
            return TemplateValue{TemplateTime{value.get<TemplateTime>()->nanoseconds}};
        }
        return refused(fmt::format("wrong type for value; expected {}; got {}", type_name(wanted), type_name(value)));
    }

    const TemplateSet& set_;
    const TemplateData& data_;
    std::string name_;  ///< of the template that runs
    Place at_;
    std::vector<Variable> variables_;
    std::string output_;
    std::size_t steps_{0};
    int depth_{0};
};

}  // namespace

Result<Template> Template::parse(std::string_view text, std::string_view alert) {
    if (text.size() > longest_template_text) {
        return fail(Errc::limit, fmt::format("template is longer than {} bytes", longest_template_text));
    }
    NOROSHI_TRY(TemplateSet set, parse_template(std::string(prelude) + std::string(text), "__alert_" + std::string(alert)));
    return Template(std::make_shared<const TemplateSet>(std::move(set)));
}

Result<std::string> Template::expand(const TemplateData& data) const { return Expansion(*set_, data).run(); }

}  // namespace noroshi::rules
