// src/cli/discovery_options.cpp - the options by which a command finds peers that nobody has named to it.
#include <CLI/CLI.hpp>

#include "cli.hpp"

namespace noroshi::cli {

void add_discovery(CLI::App& command, waku::DiscoveryConfig& discovery) {
    command.add_option("--dns", discovery.dns, "signed node list in DNS, enrtree://...; may be repeated");
    command.add_option("--resolver", discovery.resolver, "name server for --dns, ip:port; default: the system's");
    command
        .add_option_function<std::string>(
            "--discv5",
            [&discovery](const std::string& text) {
                const std::size_t colon = text.rfind(':');
                discovery.discv5 = true;
                discovery.discv5_address = text.substr(0, colon);
                discovery.discv5_port = static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)));
            },
            "look for nodes by UDP from this address, ip:port, e.g. 0.0.0.0:9000")
        ->check([](const std::string& text) {
            const std::size_t colon = text.rfind(':');
            const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
            const bool good = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos &&
                              std::stoul(port) <= UINT16_MAX && CLI::ValidIPV4(text.substr(0, colon)).empty();
            return good ? std::string() : "expected an IPv4 address and a port such as 0.0.0.0:9000";
        });
    command.add_option("--bootstrap", discovery.bootstrap, "node record (enr:...) that discv5 asks first; may be repeated");
    command.add_flag("--peer-exchange", discovery.peer_exchange, "ask connected peers for others");
}

}  // namespace noroshi::cli
