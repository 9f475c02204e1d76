// src/rules/template_printf.cpp - values as text: Go's Print family.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/utf8.hpp"
#include "template_printer.hpp"
#include "template_value.hpp"

namespace noroshi::rules {
namespace {

/// Reads "%...verb" by "%...verb".
class Formatter {
  public:
    Formatter(std::string_view format, const std::vector<TemplateValue>& arguments) : format_(format), arguments_(arguments) {}

    std::string run() {
        while (at_ < format_.size() && !printer_.full()) {
            const std::size_t percent = std::min(format_.find('%', at_), format_.size());
            printer_.out += format_.substr(at_, percent - at_);
            at_ = percent + 1;
            if (percent < format_.size() && !one()) {
                break;
            }
        }
        if (!reordered_ && next_ < arguments_.size()) {
            extra();
        }
        return std::move(printer_.out);
    }

  private:
    [[nodiscard]] char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

    /// False: the format ended inside.
    bool one() {
        printer_.flags = {};
        good_index_ = true;
        read_flags();
        bool after_index = read_index();
        if (peek() == '*') {
            read_star(printer_.flags.width, "%!(BADWIDTH)", true);
            after_index = false;
        } else {
            printer_.flags.width = read_number();
            good_index_ = good_index_ && !(after_index && printer_.flags.width);
        }
        if (peek() == '.' && at_ + 1 < format_.size()) {
            ++at_;
            good_index_ = good_index_ && !after_index;
            after_index = read_index();
            if (peek() == '*') {
                read_star(printer_.flags.precision, "%!(BADPREC)", false);
                after_index = false;
            } else {
                printer_.flags.precision = read_number().value_or(0);
            }
        }
        if (!after_index) {
            read_index();
        }
        if (at_ >= format_.size()) {
            printer_.out += "%!(NOVERB)";
            return false;
        }
        verb();
        return true;
    }

    void verb() {
        const Utf8Character letter = utf8_at(format_, at_);
        at_ += letter.length;
        if (letter.code == '%') {
            printer_.out += '%';
            return;
        }
        if (!good_index_ || next_ >= arguments_.size()) {
            printer_.out += "%!";
            append_utf8(printer_.out, letter.code);
            printer_.out += good_index_ ? "(MISSING)" : "(BADINDEX)";
            return;
        }
        if (letter.code == 'v') {
            printer_.flags.go_syntax = std::exchange(printer_.flags.sharp, false);
            printer_.flags.field_names = std::exchange(printer_.flags.plus, false);
        }
        printer_.argument(arguments_[next_++], letter.code);
    }

    void read_flags() {
        for (;; ++at_) {
            switch (peek()) {
                case '#': printer_.flags.sharp = true; break;
                case '0': printer_.flags.zero = true; break;
                case '+': printer_.flags.plus = true; break;
                case '-': printer_.flags.minus = true; break;
                case ' ': printer_.flags.space = true; break;
                default: return;
            }
        }
    }

    std::optional<int> read_number() {
        const std::size_t from = at_;
        int out = 0;
        while (peek() >= '0' && peek() <= '9') {
            out = std::min(out * 10 + (peek() - '0'), 1'000'000);
            ++at_;
        }
        return at_ > from ? std::optional(out) : std::nullopt;
    }

    /// "[2]": the argument for what comes, from 1.
    bool read_index() {
        if (peek() != '[') {
            return false;
        }
        reordered_ = true;
        const std::size_t close = format_.find(']', at_);
        if (close == std::string_view::npos) {
            good_index_ = false;
            ++at_;
            return false;
        }
        ++at_;
        const std::optional<int> index = read_number();
        const bool whole = index && at_ == close;
        at_ = close + 1;
        if (!whole || *index < 1 || static_cast<std::size_t>(*index) > arguments_.size()) {
            good_index_ = false;
            return whole;
        }
        next_ = static_cast<std::size_t>(*index) - 1;
        return true;
    }

    void read_star(std::optional<int>& out, std::string_view fault, bool is_width) {
        ++at_;
        const TemplateValue* value = next_ < arguments_.size() ? &arguments_[next_] : nullptr;
        next_ += value != nullptr ? 1 : 0;
        const auto* whole = value != nullptr ? value->get<TemplateWhole>() : nullptr;
        if (whole == nullptr || std::abs(whole->number) > 1'000'000) {
            printer_.out += fault;
            return;
        }
        const auto number = static_cast<int>(whole->number);
        if (number < 0 && !is_width) {
            printer_.out += fault;
            return;
        }
        if (number < 0) {
            printer_.flags.minus = true;
            printer_.flags.zero = false;
        }
        out = std::abs(number);
    }

    void extra() {
        printer_.flags = {};
        printer_.out += "%!(EXTRA ";
        for (std::size_t i = next_; i < arguments_.size() && !printer_.full(); ++i) {
            printer_.out += i > next_ ? ", " : "";
            if (!arguments_[i].empty()) {
                printer_.out += type_name(arguments_[i]) + "=";
            }
            printer_.argument(arguments_[i], 'v');
        }
        printer_.out += ")";
    }

    std::string_view format_;
    const std::vector<TemplateValue>& arguments_;
    TemplatePrinter printer_;
    std::size_t at_{0};
    std::size_t next_{0};
    bool reordered_{false};
    bool good_index_{true};
};

}  // namespace

std::string format_printf(std::string_view format, const std::vector<TemplateValue>& arguments) {
    return Formatter(format, arguments).run();
}

std::string to_text(const TemplateValue& value) { return print_followed({value}); }

std::string print_values(const std::vector<TemplateValue>& values) {
    TemplatePrinter printer;
    for (std::size_t i = 0; i < values.size() && !printer.full(); ++i) {
        const bool texts = values[i].get<TemplateText>() != nullptr || (i > 0 && values[i - 1].get<TemplateText>() != nullptr);
        printer.out += i > 0 && !texts ? " " : "";
        printer.argument(values[i], 'v');
    }
    return std::move(printer.out);
}

std::string print_line(const std::vector<TemplateValue>& values) {
    TemplatePrinter printer;
    for (std::size_t i = 0; i < values.size() && !printer.full(); ++i) {
        printer.out += i > 0 ? " " : "";
        printer.argument(values[i], 'v');
    }
    return printer.out + "\n";
}

std::string print_followed(const std::vector<TemplateValue>& values) {
    TemplatePrinter printer;
    printer.follow = true;
    for (std::size_t i = 0; i < values.size() && !printer.full(); ++i) {
        const auto is_text = [&](std::size_t at) { return values[at].empty() || values[at].get<TemplateText>() != nullptr; };
        printer.out += i > 0 && !is_text(i) && !is_text(i - 1) ? " " : "";
        if (values[i].empty()) {
            printer.out += "<no value>";
        } else {
            printer.argument(values[i], 'v');
        }
    }
    return std::move(printer.out);
}

}  // namespace noroshi::rules
