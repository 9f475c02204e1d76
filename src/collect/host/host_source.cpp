// src/collect/host/host_source.cpp - HostSource: the host collector on its schedule, into the store.
#include <algorithm>

#include "collect/collect.hpp"
#include "sample_writer.hpp"
#include "scrape/schedule.hpp"

namespace noroshi::collect {

struct HostSource::State {
    State(tsdb::Head& head, HostCollector c, model::Labels labels, Milliseconds every, Timers& t, const Clock& k,
          const Executor& executor, Metrics& metrics, Log l)
        : collector(std::move(c)),
          interval(std::max(every, min_interval)),
          timers(t),
          clock(k),
          log(std::move(l)),
          counters(metrics),
          writer(head, counters, {.labels = std::move(labels)}),
          tasks(executor) {}

    /// First at once, so that rules have something to look at, then at each interval.
    Task<void> run() {
        SteadyMs due = clock.steady();
        for (;;) {
            read_once();
            due = next_due(due, clock.steady(), interval);
            const Milliseconds wait = due - clock.steady();
            const Result<void> slept = co_await timers.sleep_for(wait);
            if (!slept) {
                co_return;
            }
        }
    }

    void read_once() {
        const TimestampMs at = clock.now();
        const SteadyMs begin = clock.steady();
        HostCollector::Reading reading = collector.read();
        ScrapeReport report;
        report.up = reading.problems.empty() || reading.samples.size() > reading.problems.size();
        report.scraped = report.post_relabeling = reading.samples.size();
        report.added = writer.write(reading.samples, at);
        report.duration = clock.steady() - begin;
        writer.write_report(report, at);
        if (reading.problems != problems) {
            for (const std::string& problem : reading.problems) {
                log.warn("host_reading_incomplete", {{"problem", problem}});
            }
            problems = std::move(reading.problems);
        }
    }

    HostCollector collector;
    Milliseconds interval;
    Timers& timers;
    const Clock& clock;
    Log log;
    CollectCounters counters;
    SampleWriter writer;
    std::vector<std::string> problems;  // of the last reading, so that each is logged once
    bool started{false};
    TaskGroup tasks;
};

HostSource::HostSource(tsdb::Head& head, HostCollector collector, model::Labels labels, Milliseconds interval,
                       Timers& timers, const Clock& clock, const Executor& executor, Metrics& metrics, Log log)
    : state_(std::make_unique<State>(head, std::move(collector), std::move(labels), interval, timers, clock, executor,
                                     metrics, std::move(log))) {}

HostSource::~HostSource() = default;

void HostSource::start() {
    if (!std::exchange(state_->started, true)) {
        state_->tasks.spawn("host", state_->run());
    }
}

Task<void> HostSource::stop() { co_await state_->tasks.stop(); }

}  // namespace noroshi::collect
