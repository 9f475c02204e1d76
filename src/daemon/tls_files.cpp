// src/daemon/tls_files.cpp - reads them.
#include "tls_files.hpp"

#include "base/file.hpp"

namespace noroshi::daemon {
namespace {

constexpr std::size_t max_pem_bytes = 1u << 20;

}  // namespace

Result<void> read_tls(const TlsFiles& files, waku::NodeConfig& out) {
    if (!files.ca_file.empty()) {
        NOROSHI_TRY(out.extra_roots_pem, read_file(files.ca_file, max_pem_bytes));
    }
    if (files.cert_file.empty()) {
        return {};
    }
    NOROSHI_TRY_VOID(require_private_file(files.key_file));
    waku::TlsIdentity identity;
    NOROSHI_TRY(identity.certificate_pem, read_file(files.cert_file, max_pem_bytes));
    NOROSHI_TRY(identity.key_pem, read_file(files.key_file, max_pem_bytes));
    out.tls = std::move(identity);
    return {};
}

}  // namespace noroshi::daemon
