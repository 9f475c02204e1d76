// src/collect/host/filesystem.cpp - mounted file systems as node_filesystem_*.
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "host/parts.hpp"

namespace noroshi::collect {

namespace {

/// Mount points below these are left out, as node_exporter 1.5 does by default.
constexpr std::array<std::string_view, 3> excluded_mounts{"/dev", "/proc", "/sys"};
/// Likewise, but only what is below them.
constexpr std::array<std::string_view, 3> excluded_below{"/run/credentials/", "/var/lib/docker/",
                                                         "/var/lib/containers/storage/"};

/// File systems without storage of their own.
constexpr std::array<std::string_view, 24> pseudo_types{
    "autofs",    "binfmt_misc", "bpf",  "cgroup", "cgroup2",  "configfs", "debugfs",    "devpts",
    "devtmpfs",  "fusectl",     "hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay",    "proc",
    "procfs",    "pstore",      "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs"};

/// File systems whose statvfs waits for another machine.
constexpr std::array<std::string_view, 17> network_types{
    "nfs",  "nfs4", "cifs",   "smb3",   "smbfs",      "9p",             "afs",       "ceph",      "davfs",
    "lustre", "beegfs", "ncpfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.ceph"};

bool is_excluded_mount(std::string_view mount) {
    return std::ranges::any_of(excluded_mounts,
                               [&](std::string_view root) {
                                   return mount.starts_with(root) &&
                                          (mount.size() == root.size() || mount[root.size()] == '/');
                               }) ||
           std::ranges::any_of(excluded_below, [&](std::string_view root) {
               return mount.starts_with(root) && mount.size() > root.size();
           });
}

/// Undoes the kernel's octal escapes of blanks and backslashes: "\040" is a space.
std::string unescaped(std::string_view text) {
    std::string out;
    const auto is_octal = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '7'; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
            const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
            out += static_cast<char>(code & 0xff);
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool is_readonly(std::string_view options) {
    return options == "ro" || options.starts_with("ro,") || options.ends_with(",ro") ||
           options.find(",ro,") != std::string_view::npos;
}

void read_one(ReadingBuilder& out, const std::string& mount, const std::vector<model::Label>& labels, bool readonly) {
    struct statvfs stat {};
    const bool fine = ::statvfs(out.path(mount).c_str(), &stat) == 0;
    out.add("node_filesystem_device_error", labels, fine ? 0 : 1);
    if (!fine) {
        return;
    }
    const auto bytes = [&](auto blocks) { return static_cast<double>(blocks) * static_cast<double>(stat.f_frsize); };
    out.add("node_filesystem_size_bytes", labels, bytes(stat.f_blocks));
    out.add("node_filesystem_free_bytes", labels, bytes(stat.f_bfree));
    out.add("node_filesystem_avail_bytes", labels, bytes(stat.f_bavail));
    out.add("node_filesystem_files", labels, static_cast<double>(stat.f_files));
    out.add("node_filesystem_files_free", labels, static_cast<double>(stat.f_ffree));
    out.add("node_filesystem_readonly", labels, readonly ? 1 : 0);
}

}  // namespace

void read_filesystems(ReadingBuilder& out) {
    // Process 1 sees the host's mounts also when this process runs in a namespace of its own.
    std::optional<std::string> text = out.want("/proc/1/mounts");
    if (!text || text->empty()) {
        text = out.need("/proc/self/mounts");
    }
    std::set<std::tuple<std::string, std::string, std::string>> seen;
    for (const std::string_view line : lines_of(*text)) {
        const std::vector<std::string_view> fields = fields_of(line);
        if (fields.size() < 4) {
            continue;
        }
        const std::string device = unescaped(fields[0]);
        const std::string mount = unescaped(fields[1]);
        const std::string type(fields[2]);
        if (is_excluded_mount(mount) || std::ranges::count(pseudo_types, type) != 0 ||
            std::ranges::count(network_types, type) != 0 || !seen.emplace(device, mount, type).second) {
            continue;
        }
        const std::vector<model::Label> labels{{"device", device}, {"fstype", type}, {"mountpoint", mount}};
        read_one(out, mount, labels, is_readonly(fields[3]));
    }
}

}  // namespace noroshi::collect
