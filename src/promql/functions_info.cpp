// src/promql/functions_info.cpp - info(): labels of info series, such as target_info, joined by instance and job.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/numbers.hpp"
#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

/// Finds the time at which all vectors below an expression look, relative to a step or fixed.
class ReferenceWalk {
  public:
    explicit ReferenceWalk(const Evaluation& evaluation) : evaluation_(evaluation) {}

    /// Whether there is a selector in `node`.
    Result<bool> walk(const Node& node) {
        if (node.type != ValueType::vector && node.type != ValueType::matrix) {
            return false;
        }
        if (const auto* selector = std::get_if<Selector>(&node.kind)) {
            NOROSHI_TRY_VOID(look(selector->shift));
            return true;
        }
        const auto* subquery = std::get_if<Subquery>(&node.kind);
        if (subquery != nullptr) {
            around_.push_back(&subquery->shift);
        }
        bool found = false;
        for (const Node* child : children(node)) {
            NOROSHI_TRY(const bool below, walk(*child));
            found = found || below;
        }
        if (subquery != nullptr) {
            around_.pop_back();
        }
        // What has no selector is of the step itself.
        is_shared_ = is_shared_ && found;
        return found;
    }

    /// The one time of all, or that of the step when they differ.
    [[nodiscard]] TimeShift shared() const { return first_ && is_shared_ ? *first_ : TimeShift{}; }

  private:
    static std::vector<const Node*> children(const Node& node) {
        struct Children {
            std::vector<const Node*> operator()(const Paren& p) const { return {p.inner.get()}; }
            std::vector<const Node*> operator()(const Unary& u) const { return {u.operand.get()}; }
            std::vector<const Node*> operator()(const Binary& b) const { return {b.left.get(), b.right.get()}; }
            std::vector<const Node*> operator()(const Aggregate& a) const { return {a.inner.get()}; }
            std::vector<const Node*> operator()(const Subquery& s) const { return {s.inner.get()}; }
            std::vector<const Node*> operator()(const Call& c) const {
                std::vector<const Node*> out;
                const std::size_t count = c.function->takes_selector ? 1 : c.arguments.size();
                std::transform(c.arguments.begin(), c.arguments.begin() + static_cast<std::ptrdiff_t>(count),
                               std::back_inserter(out), [](const NodePtr& argument) { return argument.get(); });
                return out;
            }
            std::vector<const Node*> operator()(const Selector&) const { return {}; }
            std::vector<const Node*> operator()(const NumberLiteral&) const { return {}; }
            std::vector<const Node*> operator()(const StringLiteral&) const { return {}; }
        };
        return std::visit(Children{}, node.kind);
    }

    /// Subqueries around a selector shift it further, as long as no `@` fixes it.
    Result<void> look(const TimeShift& shift) {
        TimeShift out;
        const auto add = [&](const TimeShift& by) -> Result<void> {
            NOROSHI_TRY(const Milliseconds offset, evaluation_.resolved(by.offset, true));
            out.offset.fixed += offset;
            if (by.at) {
                out.at = At{At::Kind::time, evaluation_.time_of(*by.at)};
            }
            return {};
        };
        NOROSHI_TRY_VOID(add(shift));
        for (auto outer = around_.rbegin(); !out.at && outer != around_.rend(); ++outer) {
            NOROSHI_TRY_VOID(add(**outer));
        }
        if (!first_) {
            first_ = out;
            return {};
        }
        const auto fixed = [](const TimeShift& s) { return s.at->time - s.offset.fixed; };
        const bool both = out.at && first_->at;
        is_shared_ = is_shared_ && (both ? fixed(out) == fixed(*first_)
                                         : !out.at && !first_->at && out.offset.fixed == first_->offset.fixed);
        return {};
    }

    const Evaluation& evaluation_;
    std::vector<const TimeShift*> around_;
    std::optional<TimeShift> first_;
    bool is_shared_{true};
};

/// Which info series are looked for.
struct Wanted {
    std::vector<model::Matcher> names;
    std::vector<model::Matcher> data;  ///< none: all their labels are wanted

    [[nodiscard]] bool is_info(const model::Labels& labels) const {
        return std::ranges::all_of(names, [&](const model::Matcher& m) { return m.matches(labels.metric_name()); });
    }
    [[nodiscard]] bool has_label(std::string_view name) const {
        return data.empty() || std::ranges::any_of(data, [&](const model::Matcher& m) { return m.name() == name; });
    }
    /// Whether what finds no info series stays as it is.
    [[nodiscard]] bool accepts_none() const {
        return std::ranges::all_of(data, [](const model::Matcher& m) { return m.matches_empty(); });
    }
};

Result<Wanted> wanted_of(std::span<const NodePtr> arguments) {
    Wanted out;
    if (arguments.size() > 1) {
        for (const model::Matcher& matcher : std::get<Selector>(arguments[1]->kind).matchers) {
            (matcher.name() == model::metric_name_label ? out.names : out.data).push_back(matcher);
        }
    }
    const bool names_some = std::ranges::any_of(out.names, [](const model::Matcher& m) {
        return m.op() == model::MatchOp::equal || m.op() == model::MatchOp::regex;
    });
    if (!names_some) {
        const std::string name(model::metric_name_label);
        NOROSHI_TRY(model::Matcher usual, out.names.empty() ? model::Matcher::create(model::MatchOp::equal, name, "target_info")
                                                            : model::Matcher::create(model::MatchOp::regex, name, ".+_info"));
        out.names.push_back(std::move(usual));
    }
    return out;
}

/// instance and job.
using Identity = std::pair<std::string_view, std::string_view>;
Identity identity_of(const model::Labels& labels) { return {labels.get("instance"), labels.get("job")}; }

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

/// The info series of one metric that have one identity.
struct Candidates {
    std::vector<std::size_t> rows;
    std::vector<std::size_t> newest;  ///< by step: the row whose sample is the newest, or `none`
};

class InfoJoin {
  public:
    InfoJoin(Evaluation& evaluation, const Wanted& wanted, const Table& base, const Table& infos)
        : evaluation_(evaluation), wanted_(wanted), base_(base), infos_(infos) {}

    Result<Table> joined() {
        NOROSHI_TRY_VOID(find_candidates());
        Table out(base_.steps());
        for (std::size_t row = 0; row < base_.size(); ++row) {
            NOROSHI_TRY_VOID(evaluation_.count_samples(base_.steps()));
            const auto found = candidates_.find(identity_of(base_.row(row).labels));
            if (wanted_.is_info(base_.row(row).labels)) {
                out.copy_row(out.add(base_.row(row)), base_, row);
            } else if (found != candidates_.end()) {
                NOROSHI_TRY_VOID(join(row, found->second, out));
            }
        }
        return out;
    }

  private:
    using ByMetric = std::map<std::string_view, Candidates>;

    Result<void> find_candidates() {
        std::vector<bool> needed(base_.steps());
        for (std::size_t row = 0; row < base_.size(); ++row) {
            const model::Labels& labels = base_.row(row).labels;
            if (!wanted_.is_info(labels)) {
                candidates_.try_emplace(identity_of(labels));
            }
            for (std::size_t step = 0; step < needed.size(); ++step) {
                needed[step] = needed[step] || has_value(base_.values(row)[step]);
            }
        }
        for (std::size_t row = 0; row < infos_.size(); ++row) {
            const model::Labels& labels = infos_.row(row).labels;
            const Identity identity = identity_of(labels);
            if (const auto found = candidates_.find(identity); found != candidates_.end() && identity != Identity{}) {
                found->second[labels.metric_name()].rows.push_back(row);
            }
        }
        for (auto& [identity, metrics] : candidates_) {
            for (auto& [name, candidates] : metrics) {
                NOROSHI_TRY_VOID(find_newest(candidates, needed));
            }
        }
        return {};
    }

    Result<void> find_newest(Candidates& candidates, const std::vector<bool>& needed) {
        candidates.newest.assign(needed.size(), none);
        for (const std::size_t row : candidates.rows) {
            NOROSHI_TRY_VOID(evaluation_.count_samples(needed.size()));
            for (std::size_t step = 0; step < needed.size(); ++step) {
                const double at = infos_.values(row)[step];
                if (!needed[step] || !has_value(at)) {
                    continue;
                }
                if (infos_.is_histogram(row, step)) {
                    return fail(Errc::invalid_argument, "info sample should be float");
                }
                std::size_t& newest = candidates.newest[step];
                if (newest != none && infos_.values(newest)[step] == at) {
                    const auto ms = std::llround(at * 1000);
                    return fail(Errc::invalid_argument,
                                fmt::format("found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                                            infos_.row(newest).labels.to_string(), ms, infos_.row(row).labels.to_string(), ms));
                }
                if (newest == none || infos_.values(newest)[step] < at) {
                    newest = row;
                }
            }
        }
        return {};
    }

    /// One row becomes as many as info series change over the steps.
    Result<void> join(std::size_t row, const ByMetric& metrics, Table& out) {
        std::map<std::vector<std::size_t>, std::size_t> rows;
        std::vector<std::size_t> infos(metrics.size());
        for (std::size_t step = 0; step < base_.steps(); ++step) {
            if (!has_value(base_.values(row)[step])) {
                continue;
            }
            std::ranges::transform(metrics, infos.begin(), [step](const auto& metric) { return metric.second.newest[step]; });
            const bool alone = std::ranges::all_of(infos, [](std::size_t info) { return info == none; });
            if (alone && !wanted_.accepts_none()) {
                continue;
            }
            auto place = rows.find(infos);
            if (place == rows.end()) {
                NOROSHI_TRY_VOID(evaluation_.count_samples(base_.steps()));
                NOROSHI_TRY(model::Labels labels, with_infos(base_.row(row).labels, infos));
                place = rows.emplace(infos, out.add({std::move(labels), base_.row(row).drop_name})).first;
            }
            out.copy(place->second, step, base_, row, step);
        }
        return {};
    }

    /// What the series itself says goes before what its info series say.
    [[nodiscard]] Result<model::Labels> with_infos(const model::Labels& labels, const std::vector<std::size_t>& infos) const {
        model::Labels found;
        for (const std::size_t info : infos) {
            if (info == none) {
                continue;
            }
            for (const model::Label& label : infos_.row(info).labels) {
                if (is_metadata_label(label.name) || !wanted_.has_label(label.name)) {
                    continue;
                }
                if (found.has(label.name) && found.get(label.name) != label.value) {
                    return fail(Errc::invalid_argument, "conflicting label: " + label.name);
                }
                if (!labels.has(label.name)) {
                    found = found.with(label.name, label.value);
                }
            }
        }
        model::Labels out = labels;
        for (const model::Label& label : found) {
            out = out.with(label.name, label.value);
        }
        return out;
    }

    Evaluation& evaluation_;
    const Wanted& wanted_;
    const Table& base_;
    const Table& infos_;  ///< the times of their samples
    std::map<Identity, ByMetric> candidates_;
};

Result<StepValue> info(CallContext& context) {
    const auto& base = std::get<Table>(context.values[0]);
    NOROSHI_TRY(const Wanted wanted, wanted_of(context.nodes));
    ReferenceWalk walk(context.evaluation);
    NOROSHI_TRY_VOID(walk.walk(*context.nodes[0]));
    Selector selector{"", wanted.names, {}, walk.shared()};
    selector.matchers.insert(selector.matchers.end(), wanted.data.begin(), wanted.data.end());
    NOROSHI_TRY(const Table infos, context.evaluation.instant(selector, context.steps, Shown::times_of_numbers));
    NOROSHI_TRY(Table out, InfoJoin(context.evaluation, wanted, base, infos).joined());
    return StepValue(std::move(out));
}

}  // namespace

std::vector<Function> info_functions() {
    constexpr ValueType v = ValueType::vector;
    Function row{"info", {v, v}, 1, v, info, true, true};
    row.takes_selector = true;
    return {row};
}

}  // namespace noroshi::promql
