// src/config/waku_discovery.cpp - the section waku.discovery: where other peers are looked for.
#include <fmt/format.h>

#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Reader;
using D = WakuDiscovery;

/// Texts that begin with `prefix` and hold `needed`; the node is the judge of the rest.
std::optional<std::vector<std::string>> read_prefixed(Reader& reader, const Node& node, std::string_view prefix,
                                                      std::string_view needed, std::string_view example) {
    std::vector<std::string> out;
    yaml::read_sequence(reader, node, example, [&](const Node& item, std::size_t) {
        std::optional<std::string> text = yaml::read_text(reader, item);
        if (!text) {
            return;
        }
        if (!text->starts_with(prefix) || text->find(needed, prefix.size()) == std::string::npos) {
            reader.fail(item, fmt::format("expected {}, got {}", example, yaml::shown(*text)));
            return;
        }
        out.push_back(std::move(*text));
    });
    return out;
}

std::optional<std::int64_t> read_port(Reader& reader, const Node& node) {
    return yaml::read_integer(reader, node, 0, UINT16_MAX);
}

void read_discv5(Reader& reader, const Node& node, WakuDiscovery& out) {
    const auto read_records = [](Reader& r, const Node& n) {
        return read_prefixed(r, n, "enr:", "", "node records such as enr:-QEKuED9AJm2...");
    };
    const std::vector<yaml::Field<D>> fields{
        yaml::field("address", &D::discv5_address, yaml::read_text, "IP address of its UDP socket; default 0.0.0.0"),
        yaml::field("port", &D::discv5_port, read_port, "UDP port; default 9000"),
        yaml::field("bootstrap", &D::bootstrap, read_records, "node records (enr:...) that are asked first"),
    };
    out.discv5 = true;
    yaml::read_mapping(reader, node, fields, {}, out);
    const Node* bootstrap = node.find("bootstrap");
    if (bootstrap == nullptr || bootstrap->items.empty()) {
        reader.warn(node, "no bootstrap records: nobody is found until somebody finds this node, or dns names records");
    }
}

}  // namespace

void read_discovery(Reader& reader, const Node& node, WakuDiscovery& out) {
    const auto read_links = [](Reader& r, const Node& n) {
        return read_prefixed(r, n, "enrtree://", "@", "node lists such as enrtree://AMOJVZX4...@boot.example.org");
    };
    const std::vector<yaml::Field<D>> fields{
        yaml::field("dns", &D::dns, read_links, "signed node lists in DNS (enrtree://...)"),
        yaml::field("resolver", &D::resolver, yaml::read_text, "name server for them, ip:port; default: the system's"),
        {"discv5", read_discv5, "look for nodes by UDP (33/WAKU2-DISCV5)"},
        yaml::field("peer_exchange", &D::peer_exchange, yaml::read_bool, "ask connected peers for others; default false"),
    };
    yaml::read_mapping(reader, node, fields, {}, out);
}

}  // namespace noroshi::config
