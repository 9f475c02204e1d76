// src/waku/waku.hpp - the public face of this folder: what a Waku message is, how it is sealed, and the node that carries it.
#pragma once

#include "waku/message.hpp"  // WakuMessage, its bytes and hash; content and pubsub topics
#include "waku/node.hpp"     // Node: relay or light, static peers, metadata, lightpush
#include "waku/payload.hpp"  // 26/WAKU-PAYLOAD version 1: seal and open
