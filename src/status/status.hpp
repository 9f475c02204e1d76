// src/status/status.hpp - Status one-to-one chats over a Waku node: table of contents of this folder.
#pragma once

#include "status/identity.hpp"   // chat keys, share URLs, display names
#include "status/messenger.hpp"  // contacts, messages out and in
#include "status/payloads.hpp"   // what is said
#include "status/state.hpp"      // what is kept
