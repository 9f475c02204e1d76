// test/unit/status/vectors.hpp - the published vectors by name, from testdata/vectors.txt; and the keys they were made with.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"

namespace noroshi::status::test {

/// The text of a vector; fails the test and gives "" when there is none.
inline std::string vector_text(const std::string& name) {
    static const std::map<std::string, std::string> all = [] {
        std::map<std::string, std::string> out;
        std::ifstream file(NOROSHI_TEST_DATA "/vectors.txt");
        for (std::string line; std::getline(file, line);) {
            const std::size_t blank = line.find(' ');
            if (!line.starts_with('#') && blank != std::string::npos) {
                out.emplace(line.substr(0, blank), line.substr(blank + 1));
            }
        }
        return out;
    }();
    const auto found = all.find(name);
    EXPECT_TRUE(found != all.end()) << "no vector " << name;
    return found == all.end() ? "" : found->second;
}
inline Bytes vector_bytes(const std::string& name) { return *from_hex(vector_text(name)); }

inline crypto::SecretKey key_of(std::uint8_t byte) { return *crypto::SecretKey::from_bytes(Bytes(32, byte)); }
inline crypto::SecretKey alice() { return key_of(0x11); }
inline crypto::SecretKey bob() { return key_of(0x22); }

}  // namespace noroshi::status::test
