// test/unit/waku/multiaddr_test.cpp - addresses of a configuration: what is taken, and what is said of the rest.
#include <gtest/gtest.h>

#include "multiaddr.hpp"

namespace noroshi::waku {
namespace {

constexpr std::string_view id = "16Uiu2HAkwdaqR4NGxQ6cDsUtqGaMpsboURRkh2hvXaHxxCs6CXfW";

std::string with_id(std::string_view transport) { return std::string(transport) + "/p2p/" + std::string(id); }

Errc refusal(const std::string& text) {
    const Result<PeerAddress> address = parse_peer_address(text);
    EXPECT_FALSE(address) << text;
    return address ? Errc::internal : address.error().code;
}

TEST(Peer_address, Names_whole_address_and_peer) {
    const std::string text = with_id("/ip4/127.0.0.1/tcp/60000");
    const PeerAddress address = *parse_peer_address(text);
    EXPECT_EQ(address.address, text);
    EXPECT_EQ(address.peer, id);
}

TEST(Peer_address, Takes_ip6_and_the_ids_of_js_waku) {
    EXPECT_TRUE(parse_peer_address(with_id("/ip6/2001:db8::1/tcp/1")));
    EXPECT_TRUE(parse_peer_address(
        "/ip4/192.0.2.1/tcp/65535/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"));
}

TEST(Peer_address, Names_and_websockets_are_dialled) {
    for (const char* transport : {"/dns4/example.org/tcp/30303", "/dns/example.org/tcp/1", "/dns6/a/tcp/1",
                                  "/ip4/192.0.2.1/tcp/1/ws", "/dns4/a-b.example/tcp/443/wss",
                                  "/ip4/192.0.2.1/tcp/443/tls/ws"}) {
        const Result<PeerAddress> address = parse_peer_address(with_id(transport));
        ASSERT_TRUE(address) << transport;
        EXPECT_EQ(address->address, with_id(transport));
    }
    EXPECT_EQ(refusal(with_id("/dns4/exa mple/tcp/1")), Errc::parse);
    EXPECT_EQ(refusal(with_id("/dns4//tcp/1")), Errc::parse);
    EXPECT_EQ(refusal(with_id("/ip4/192.0.2.1/tcp/1/tls")), Errc::parse);
}

TEST(Peer_address, Other_transports_are_unsupported) {
    EXPECT_EQ(refusal(with_id("/ip4/192.0.2.1/udp/1/quic-v1")), Errc::unsupported);
}

TEST(Peer_address, Malformed_ones_are_refused) {
    for (const std::string& text :
         {std::string(), std::string("/"), std::string("ip4/127.0.0.1/tcp/1"), with_id(""), with_id("/ip4/127.0.0.1"),
          with_id("/ip4/127.0.0.1/tcp"), with_id("/ip4/127.0.0.1/tcp/0"), with_id("/ip4/127.0.0.1/tcp/65536"),
          with_id("/ip4/127.0.0.1/tcp/+1"), with_id("/ip4/127.0.0.1/tcp/1x"), with_id("/ip4/127.0.0.256/tcp/1"),
          with_id("/ip4/::1/tcp/1"), with_id("/ip6/127.0.0.1/tcp/1"), with_id("//127.0.0.1/tcp/1"),
          std::string("/ip4/127.0.0.1/tcp/1"), with_id("/ip4/127.0.0.1/tcp/1") + "/p2p-circuit",
          std::string("/ip4/127.0.0.1/tcp/1/p2p/tooshort"), with_id("/ip4/127.0.0.1/tcp/1") + "0OIl",
          with_id("/ip4/127.0.0.1/tcp/1") + std::string(600, '1'), with_id("/ip4/127.0.0.1\n/tcp/1")}) {
        EXPECT_EQ(refusal(text), Errc::parse) << text;
    }
}

TEST(Peer_address, The_error_shows_what_was_expected) {
    EXPECT_NE(parse_peer_address("nonsense").error().message.find("/ip4/192.0.2.1/tcp/60000/p2p/"), std::string::npos);
}

TEST(Listen_address, Port_zero_is_allowed) {
    EXPECT_TRUE(check_listen_address("/ip4/127.0.0.1/tcp/0"));
    EXPECT_TRUE(check_listen_address("/ip6/::/tcp/60000"));
}

TEST(Listen_address, Refuses_what_cannot_be_listened_on) {
    EXPECT_EQ(check_listen_address(with_id("/ip4/127.0.0.1/tcp/1")).error().code, Errc::parse);
    EXPECT_EQ(check_listen_address("/ip4/127.0.0.1").error().code, Errc::parse);
    EXPECT_EQ(check_listen_address("127.0.0.1:60000").error().code, Errc::parse);
    EXPECT_EQ(check_listen_address("/dns4/localhost/tcp/1").error().code, Errc::unsupported);
    EXPECT_TRUE(check_listen_address("/ip4/0.0.0.0/tcp/1/ws"));
    EXPECT_EQ(check_listen_address("/ip4/0.0.0.0/tcp/1/wss").error().code, Errc::unsupported);
    EXPECT_EQ(check_listen_address("/ip4/0.0.0.0/tcp/1/tls/ws").error().code, Errc::unsupported);
}

TEST(Listen_address, What_stands_behind_a_nul_byte_is_not_passed_over) {
    using namespace std::string_literals;
    EXPECT_EQ(check_listen_address("/ip4/127.0.0.1\0garbage/tcp/1"s).error().code, Errc::parse);
    EXPECT_EQ(parse_peer_address(with_id("/ip4/127.0.0.1\0garbage/tcp/1"s)).error().code, Errc::parse);
}

TEST(Listen_address, Is_no_longer_than_it_has_to_be) {
    EXPECT_EQ(check_listen_address("/ip4/127.0.0.1/tcp/1" + std::string(600, '/')).error().code, Errc::parse);
    EXPECT_EQ(check_listen_address("/ip4/127.0.0.1/tcp/" + std::string(600, '0') + "1").error().code, Errc::parse);
}

TEST(Listen_address, Tls_is_listened_on_with_a_certificate) {
    EXPECT_TRUE(check_listen_address("/ip4/0.0.0.0/tcp/1/wss", ListenTls::certificate));
    EXPECT_TRUE(check_listen_address("/ip4/0.0.0.0/tcp/1/tls/ws", ListenTls::certificate));
    EXPECT_EQ(check_listen_address("/ip4/0.0.0.0/tcp/1/tls", ListenTls::certificate).error().code, Errc::parse);
    EXPECT_EQ(check_listen_address("/dns4/localhost/tcp/1/wss", ListenTls::certificate).error().code,
              Errc::unsupported);
}

TEST(Without_peer, Drops_the_id_and_nothing_else) {
    EXPECT_EQ(without_peer(with_id("/ip4/127.0.0.1/tcp/1")), "/ip4/127.0.0.1/tcp/1");
    EXPECT_EQ(without_peer("/ip4/127.0.0.1/tcp/1"), "/ip4/127.0.0.1/tcp/1");
}

}  // namespace
}  // namespace noroshi::waku
