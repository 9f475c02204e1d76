// test/unit/daemon/keys_test.cpp - where the identity comes from: files, credentials, passphrases, and what is refused.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "daemon/keys.hpp"

namespace noroshi::daemon {
namespace {

constexpr std::string_view key_hex = "0000000000000000000000000000000000000000000000000000000000000001";
constexpr std::string_view other_hex = "0000000000000000000000000000000000000000000000000000000000000002";
constexpr crypto::PassphraseCost cheap{1, 8192};

crypto::SecretKey key_of(std::string_view hex) { return *crypto::SecretKey::from_bytes(*from_hex(hex)); }
std::string hex_of(const Result<Identity>& identity) {
    return identity ? to_hex(identity->key.expose()) : identity.error().to_string();
}

SecretBytes secret(std::string_view text) {
    SecretBytes out(text.size());
    EXPECT_TRUE(out.append(as_bytes(text)));
    return out;
}

class KeysTest : public testing::Test {
  protected:
    void SetUp() override {
        const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
        folder_ = fs::temp_directory_path() / ("noroshi-keys-" + name);
        fs::remove_all(folder_);
        fs::create_directories(folder_ / "credentials");
        source_.key_file = folder_ / "data" / identity_key_file;
        source_.credentials.clear();
        source_.cost = cheap;
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path write(const std::string& name, std::string_view text, unsigned mode = 0600) {
        const fs::path file = folder_ / name;
        fs::create_directories(file.parent_path());
        EXPECT_TRUE(write_file_atomically(file, text, FileMode::owner_only));
        fs::permissions(file, fs::perms(mode));
        return file;
    }
    void write_key(std::string_view hex, std::optional<std::string_view> passphrase) {
        const SecretBytes words = secret(passphrase.value_or(""));
        ASSERT_TRUE(write_identity(source_.key_file, key_of(hex), passphrase ? &words : nullptr, random_, cheap));
    }
    /// A person who answers with `text`.
    void ask_gives(std::string text) {
        source_.ask = [this, text = std::move(text)]() -> Result<SecretBytes> {
            ++asked_;
            return secret(text);
        };
    }

    fs::path folder_;
    IdentitySource source_;
    SeededRandom random_{3};
    int asked_{0};
};

TEST_F(KeysTest, A_missing_identity_is_made_plain_for_the_owner_alone) {
    EXPECT_EQ(load_identity(source_).error().code, Errc::not_found);
    const Result<Identity> made = load_or_make_identity(source_, random_);
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_FALSE(made->sealed);
    EXPECT_EQ(made->from, source_.key_file);
    EXPECT_EQ(*read_file(source_.key_file, 100), hex_of(made) + "\n");
    struct stat about {};
    ASSERT_EQ(::stat(source_.key_file.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
    EXPECT_EQ(hex_of(load_or_make_identity(source_, random_)), hex_of(made));
}

TEST_F(KeysTest, A_missing_identity_is_made_under_the_passphrase_that_is_given) {
    source_.passphrase_file = write("pass", "long enough\n");
    const Result<Identity> made = load_or_make_identity(source_, random_);
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_TRUE(made->sealed);
    EXPECT_TRUE(crypto::is_sealed_key(*read_file(source_.key_file, 1000)));
    EXPECT_EQ(hex_of(load_identity(source_)), hex_of(made));
}

TEST_F(KeysTest, A_passphrase_comes_from_the_credential_then_the_file_then_the_person) {
    write_key(key_hex, "long enough");
    EXPECT_EQ(load_identity(source_).error().code, Errc::refused);  // nobody to ask
    ask_gives("long enough");
    EXPECT_EQ(hex_of(load_identity(source_)), key_hex);
    EXPECT_EQ(asked_, 1);
    source_.passphrase_file = write("pass", "long enough\r\n");
    EXPECT_EQ(hex_of(load_identity(source_)), key_hex);
    EXPECT_EQ(asked_, 1);
    // The credential wins, even a wrong one: nothing else is tried.
    source_.credentials = folder_ / "credentials";
    write("credentials/noroshi-passphrase", "quite another");
    EXPECT_EQ(load_identity(source_).error().code, Errc::refused);
    write("credentials/noroshi-passphrase", "long enough");
    source_.passphrase_file = folder_ / "missing";
    EXPECT_EQ(hex_of(load_identity(source_)), key_hex);
    EXPECT_EQ(asked_, 1);
}

TEST_F(KeysTest, The_identity_of_a_credential_wins_over_the_file_but_not_over_a_named_one) {
    write_key(key_hex, {});
    source_.credentials = folder_ / "credentials";
    write("credentials/noroshi-identity", std::string(other_hex));
    const Result<Identity> identity = load_or_make_identity(source_, random_);
    EXPECT_EQ(hex_of(identity), other_hex);
    EXPECT_EQ(identity->from, folder_ / "credentials" / "noroshi-identity");
    source_.only_file = true;
    EXPECT_EQ(hex_of(load_identity(source_)), key_hex);
}

TEST_F(KeysTest, A_credential_needs_no_file_and_none_is_made) {
    source_.credentials = folder_ / "credentials";
    write("credentials/noroshi-identity", std::string(key_hex) + "\n", 0440);  // as systemd gives it to a group
    EXPECT_EQ(hex_of(load_or_make_identity(source_, random_)), key_hex);
    EXPECT_FALSE(fs::exists(source_.key_file));
    write("credentials/noroshi-identity", "no key");
    EXPECT_EQ(load_or_make_identity(source_, random_).error().code, Errc::parse);
    EXPECT_FALSE(fs::exists(source_.key_file));
}

TEST_F(KeysTest, A_credential_may_be_under_a_passphrase_too) {
    write_key(key_hex, "long enough");
    source_.credentials = folder_ / "credentials";
    write("credentials/noroshi-identity", *read_file(source_.key_file, 1000));
    write("credentials/noroshi-passphrase", "long enough");
    fs::remove(source_.key_file);
    const Result<Identity> identity = load_identity(source_);
    EXPECT_EQ(hex_of(identity), key_hex);
    EXPECT_TRUE(identity->sealed);
}

TEST_F(KeysTest, Files_and_credentials_that_others_can_read_are_refused) {
    write("data/identity.key", key_hex, 0640);
    EXPECT_EQ(load_or_make_identity(source_, random_).error().code, Errc::refused);
    write_key(key_hex, "long enough");
    source_.passphrase_file = write("pass", "long enough", 0644);
    const Result<Identity> refused = load_identity(source_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_NE(refused.error().message.find("pass can be read by others"), std::string::npos) << refused.error().message;
    source_.passphrase_file.clear();
    source_.credentials = folder_ / "credentials";
    write("credentials/noroshi-identity", other_hex, 0444);
    EXPECT_EQ(load_identity(source_).error().code, Errc::refused);
}

TEST_F(KeysTest, A_wrong_passphrase_names_the_file_and_leaves_it_as_it_is) {
    write_key(key_hex, "long enough");
    const std::string before = *read_file(source_.key_file, 1000);
    ask_gives("long enougj");
    const Result<Identity> refused = load_or_make_identity(source_, random_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_TRUE(refused.error().message.starts_with(source_.key_file.string() + ": ")) << refused.error().message;
    EXPECT_EQ(*read_file(source_.key_file, 1000), before);
}

TEST_F(KeysTest, Damaged_files_are_never_replaced) {
    write_key(key_hex, "long enough");
    const std::string whole = *read_file(source_.key_file, 1000);
    ask_gives("long enough");
    const std::string absurd = "noroshi sealed key 1\nargon2id passes=3 bytes=107374182400 ";
    for (const std::string& text : {std::string(), std::string("12"), whole.substr(0, 40), whole.substr(0, whole.size() - 2),
                                    absurd + whole.substr(whole.find("salt=")), std::string(2000, '1'), std::string(64, '0')}) {
        write("data/identity.key", text);
        EXPECT_FALSE(load_or_make_identity(source_, random_)) << text;
        EXPECT_EQ(*read_file(source_.key_file, 4000), text);
    }
    EXPECT_EQ(asked_, 0);  // nobody is asked for a file that can't be opened anyway
}

TEST_F(KeysTest, A_passphrase_file_that_is_missing_or_empty_is_a_fault_and_makes_nothing) {
    source_.passphrase_file = folder_ / "missing";
    EXPECT_EQ(load_or_make_identity(source_, random_).error().code, Errc::not_found);
    source_.passphrase_file = write("pass", "\n");
    EXPECT_EQ(load_or_make_identity(source_, random_).error().code, Errc::refused);
    source_.passphrase_file = write("pass", std::string(max_passphrase_bytes + 1, 'x'));
    EXPECT_EQ(load_or_make_identity(source_, random_).error().code, Errc::limit);
    source_.passphrase_file = write("pass", "short");
    EXPECT_EQ(load_or_make_identity(source_, random_).error().code, Errc::refused);
    EXPECT_FALSE(fs::exists(source_.key_file));
}

TEST_F(KeysTest, A_passphrase_for_a_plain_key_is_told) {
    write_key(key_hex, {});
    source_.passphrase_file = write("pass", "long enough");
    const Result<Identity> identity = load_identity(source_);
    EXPECT_EQ(hex_of(identity), key_hex);
    EXPECT_TRUE(identity->passphrase_unused);
    EXPECT_FALSE(identity->sealed);
}

TEST_F(KeysTest, Keys_of_nodes_stay_plain) {
    const fs::path file = folder_ / "data" / "node.key";
    const Result<crypto::SecretKey> made = load_or_make_key(file, random_);
    ASSERT_TRUE(made);
    EXPECT_EQ(*read_file(file, 100), to_hex(made->expose()) + "\n");
    EXPECT_EQ(to_hex(load_key(file)->expose()), to_hex(made->expose()));
    write_key(key_hex, "long enough");
    EXPECT_EQ(load_key(source_.key_file).error().code, Errc::parse);
}

TEST_F(KeysTest, The_folder_of_credentials_is_systemds) {
    ASSERT_EQ(::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/noroshi.service", 1), 0);
    EXPECT_EQ(IdentitySource().credentials, "/run/credentials/noroshi.service");
    ASSERT_EQ(::unsetenv("CREDENTIALS_DIRECTORY"), 0);
    EXPECT_TRUE(IdentitySource().credentials.empty());
}

}  // namespace
}  // namespace noroshi::daemon
