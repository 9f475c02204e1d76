// src/base/file.cpp - bounded reads and atomic writes over POSIX calls.
#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace noroshi {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }

  private:
    int fd_;
};

tl::unexpected<Error> system_fault(const fs::path& path, const char* act, int error) {
    const Errc code = error == ENOENT ? Errc::not_found : Errc::io;
    return fail(code, fmt::format("cannot {} {}: {}", act, path.string(), std::generic_category().message(error)));
}

tl::unexpected<Error> readable_by_others(const fs::path& path, ::mode_t mode) {
    return fail(Errc::refused, fmt::format("{} can be read by others (mode {:o}); run: chmod 600 {}", path.string(),
                                           mode & 0777, path.string()));
}

Result<void> write_all(int fd, std::string_view content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return system_fault(path, "write", errno);
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) {
        return system_fault(path, "open", errno);
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) {
        return system_fault(path, "read", errno);
    }
    if (S_ISDIR(info.st_mode)) {
        return fail(Errc::io, fmt::format("cannot read {}: it is a folder", path.string()));
    }
    std::string content;
    std::array<char, 65536> buffer{};
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return system_fault(path, "read", errno);
        }
        if (got == 0) {
            return content;
        }
        content.append(buffer.data(), static_cast<std::size_t>(got));
        if (content.size() > max_bytes) {
            return fail(Errc::limit, fmt::format("{} is larger than {} bytes", path.string(), max_bytes));
        }
    }
}

Result<void> write_file_atomically(const fs::path& path, std::string_view content, FileMode mode) {
    const fs::path temporary = path.string() + fmt::format(".new-{}", ::getpid());
    const ::mode_t bits = mode == FileMode::owner_only ? 0600 : 0644;
    ::unlink(temporary.c_str());
    {
        const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, bits));
        if (!file.valid()) {
            return system_fault(temporary, "create", errno);
        }
        Result<void> written = write_all(file.get(), content, temporary);
        // The umask may have taken bits away from a file that others should read.
        if (written && (::fchmod(file.get(), bits) != 0 || ::fsync(file.get()) != 0)) {
            written = system_fault(temporary, "write", errno);
        }
        if (!written) {
            ::unlink(temporary.c_str());
            return written;
        }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        return system_fault(path, "replace", error);
    }
    // Without this a power cut may bring back the old name.
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent.valid()) {
        ::fsync(parent.get());
    }
    return {};
}

Result<void> make_private_folder(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        return {};
    }
    if (fs::exists(path, error)) {
        return fail(Errc::refused, fmt::format("{} exists and is not a folder", path.string()));
    }
    if (path.has_parent_path()) {
        fs::create_directories(path.parent_path(), error);
        if (error) {
            return fail(Errc::io, fmt::format("cannot create {}: {}", path.parent_path().string(), error.message()));
        }
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return system_fault(path, "create", errno);
    }
    return {};
}

Result<void> require_private_file(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        return system_fault(path, "read", errno);
    }
    if ((info.st_mode & 077) != 0) {
        return readable_by_others(path, info.st_mode);
    }
    return {};
}

Result<SecretBytes> read_secret_file(const fs::path& path, std::size_t max_bytes, bool group_may_read) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info {};
    if (!file.valid() || ::fstat(file.get(), &info) != 0) {
        return system_fault(path, "open", errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(Errc::refused, fmt::format("{} is not a plain file", path.string()));
    }
    if ((info.st_mode & (group_may_read ? 07 : 077)) != 0) {
        return readable_by_others(path, info.st_mode);
    }
    SecretBytes content(max_bytes);
    std::array<std::uint8_t, 4096> buffer{};
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        const bool fits = got < 0 || content.append(std::span(buffer).first(static_cast<std::size_t>(got)));
        wipe(buffer);
        if (got < 0) {
            return system_fault(path, "read", errno);
        }
        if (!fits) {
            return fail(Errc::limit, fmt::format("{} is larger than {} bytes", path.string(), max_bytes));
        }
        if (got == 0) {
            return content;
        }
    }
}

std::vector<fs::path> glob_files(const fs::path& base, std::string_view pattern) {
    const fs::path full = fs::path(pattern).is_absolute() ? fs::path(pattern) : base / pattern;
    glob_t found{};
    std::vector<fs::path> out;
    if (::glob(full.c_str(), 0, nullptr, &found) == 0) {
        out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    std::ranges::sort(out);
    return out;
}

}  // namespace noroshi
