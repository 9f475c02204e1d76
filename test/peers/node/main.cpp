// test/peers/node/main.cpp - src/waku's node by itself, driven line by line: what other programs do to it is seen unfiltered.
//
// waku_node [--relay] [--catch-up SECONDS] [--key HEX] [--peer ADDRESS].. [--topic CONTENT_TOPIC]..
// Reads a JSON object a line, {"id": N, "do": WHAT, ..}, and prints {"id": N, ..} when it is done:
//   topics {"topics": [..]}    what it receives from now on
//   publish {"message": HEX}   an encoded WakuMessage; gives {"hash", "peers"} or {"error"}
//   find {"hash": HEX, "timestamp": NS, "topic": CONTENT_TOPIC, "peers": [..]}   gives {"found", "peer"} or {"error"}
//   metrics                    gives {"metrics": TEXT}
// Prints {"received": HEX, "hash", "topic", "peer"} for each message. Ends with its standard input.
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/metrics.hpp"
#include "base/runtime.hpp"
#include "waku/rust_host.hpp"
#include "waku/waku.hpp"

namespace noroshi {
namespace {

using Json = nlohmann::json;

const std::string shard = "/waku/2/rs/16/32";

void print(const Json& line) {
    fmt::print("{}\n", line.dump());
    std::fflush(stdout);
}

crypto::Digest digest(const std::string& hex) {
    const Bytes bytes = from_hex(hex).value();
    crypto::Digest out{};
    std::copy_n(bytes.begin(), out.size(), out.begin());
    return out;
}

class Driver {
  public:
    Driver(waku::NodeConfig config, Runtime& runtime)
        : node_(waku::Node::create(std::move(config), waku::rust_host_factory(), runtime, clock_, random_, metrics_,
                                   Log::to_stderr(LogLevel::debug))
                    .value()),
          ended_(runtime.executor()),
          tasks_(runtime.executor()) {}

    Task<int> main() {
        const Result<void> started = co_await node_->start();
        if (!started) {
            fmt::print(stderr, "{}\n", started.error().message);
            co_return 1;
        }
        print({{"peer", node_->peer_id()}});
        tasks_.spawn("receive", receive());
        static_cast<void>(co_await ended_.wait());
        co_await node_->stop();
        co_await tasks_.stop();
        co_return 0;
    }

    void end() { ended_.notify(); }

    void take(const std::string& line) {
        const Json command = Json::parse(line);
        const std::string what = command.at("do");
        if (what == "topics") {
            node_->set_content_topics(command.at("topics"));
            print({{"id", command.at("id")}});
        } else if (what == "metrics") {
            print({{"id", command.at("id")}, {"metrics", metrics_.expose()}});
        } else if (what == "publish") {
            tasks_.spawn("publish", publish(command));
        } else {
            tasks_.spawn("find", find(command));
        }
    }

  private:
    Task<void> receive() {
        while (true) {
            const Result<waku::ReceivedMessage> next = co_await node_->next_message();
            if (!next) {
                co_return;
            }
            print({{"received", to_hex(waku::encode_message(next->message).value())},
                   {"hash", to_hex(next->hash)},
                   {"topic", next->message.content_topic},
                   {"peer", next->peer}});
        }
    }

    Task<void> publish(Json command) {
        const Bytes bytes = from_hex(command.at("message").get<std::string>()).value();
        waku::WakuMessage message = waku::decode_message(bytes).value();
        const Result<waku::Publication> done =
            co_await node_->publish(shard, std::move(message), {command.value("most_peers", std::size_t{2})});
        if (done) {
            print({{"id", command["id"]}, {"hash", to_hex(done->hash)}, {"peers", done->peers}});
        } else {
            print({{"id", command["id"]}, {"error", done.error().message}, {"retryable", done.error().retryable}});
        }
    }

    Task<void> find(Json command) {
        waku::Published what{shard, command.at("topic"), command.at("timestamp"), digest(command.at("hash")), command.at("peers")};
        const Result<waku::StoreWord> word = co_await node_->find_stored(std::move(what));
        if (word) {
            print({{"id", command["id"]}, {"found", word->found}, {"peer", word->peer}});
        } else {
            print({{"id", command["id"]}, {"error", word.error().message}});
        }
    }

    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    std::unique_ptr<waku::Node> node_;
    Signal ended_;
    TaskGroup tasks_;
};

int run(const std::vector<std::string>& arguments) {
    SystemRandom random;
    waku::NodeConfig config{.key = crypto::SecretKey::generate(random), .listen = {}, .peers = {}, .mode = waku::Mode::light};
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& name = arguments[i];
        if (name == "--relay") {
            config.mode = waku::Mode::relay;
            continue;
        }
        const std::string& value = arguments.at(++i);
        if (name == "--peer") {
            config.peers.push_back(value);
        } else if (name == "--topic") {
            config.content_topics.push_back(value);
        } else if (name == "--key") {
            config.key = crypto::SecretKey::from_bytes(from_hex(value).value()).value();
        } else if (name == "--catch-up") {
            config.catch_up = true;
            config.catch_up_window = std::chrono::seconds(std::stoi(value));
        }
    }
    Runtime runtime(0);
    Driver driver(std::move(config), runtime);
    std::thread reader([&] {
        for (std::string line; std::getline(std::cin, line);) {
            runtime.post([&driver, line] { driver.take(line); });
        }
        runtime.post([&driver] { driver.end(); });
    });
    const int code = runtime.run(driver.main());
    std::fflush(stdout);
    reader.detach();  // it may wait for a line that nobody writes
    std::_Exit(code);
}

}  // namespace
}  // namespace noroshi

int main(int count, char** values) { return noroshi::run({values + 1, values + count}); }
