// src/waku/rest_node.hpp - a Node that is another program: nwaku or go-waku, driven through its REST API.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/net/http_client.hpp"
#include "waku/node.hpp"

namespace noroshi::waku {

/// `Node::publish` hands messages to the program's relay; when it does not relay, to its lightpush client, at most one
/// in 1.1 s. `next_message` gives what the program's cache collects, asked for once a second: of its relay, else of a
/// filter subscription that is made, checked and renewed here. Reading empties the cache: nobody else may read it.
///
/// How it differs from a node that is itself a peer:
/// - `start` does not wait for the program, which may begin later; until it answers, and while it is away, `state` is
///   running, `problem` says why, and every publish fails with host_down. It is asked each second; when it answers,
///   what it could not collect while it was away is fetched from a store, and `on_peer_ready` is called.
/// - A store is asked by way of the program: one among its peers (when its admin API is on), else its own archive or
///   the store that it picks itself. That word is `independent` only when the store is named and another node.
/// - `echoed_by` is always empty: the API does not say who sent a message, which may be the one that took it.
/// - `doubt` is nothing: the program chooses its peers.
/// - `peers` are the program's, when its admin API is on; else one that stands for the program itself.
///
/// The API has no authentication and, but for https, no encryption: who is on the way sees content topics, sizes and
/// times, and can drop messages; contents are sealed before.
struct RestConfig {
    std::string url;  ///< "http://127.0.0.1:8645"; a path is put in front of the API's
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};      ///< 1..64 of them, each 0..1023
    std::vector<std::string> content_topics{};  ///< as in NodeConfig
    bool catch_up{false};                       ///< as in NodeConfig; after each time that the program was away
    Milliseconds catch_up_window{0};            ///< as in NodeConfig
    NodeLimits limits{};
    Milliseconds poll_interval{1'000};  ///< between two looks into an empty cache
};

/// Errors: parse (url), invalid_argument (shards, content topics).
[[nodiscard]] Result<std::unique_ptr<Node>> make_rest_node(RestConfig config, std::unique_ptr<net::HttpClient> http,
                                                           NodeEnvironment environment);
/// The same with a client of its own, which calls itself `agent`.
[[nodiscard]] Result<std::unique_ptr<Node>> make_rest_node(RestConfig config, std::string agent, Runtime& runtime,
                                                           const Clock& clock, Random& random, Metrics& metrics,
                                                           Log log);

}  // namespace noroshi::waku
