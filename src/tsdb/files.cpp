// src/tsdb/files.cpp - POSIX calls of the store's files.
#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/file.hpp"

namespace noroshi::tsdb {
namespace {

tl::unexpected<Error> fault(const char* act, const std::filesystem::path& path) {
    const int error = errno;
    return fail(error == ENOENT ? Errc::not_found : Errc::io,
                fmt::format("cannot {} {}: {}", act, path.string(), std::generic_category().message(error)));
}

}  // namespace

Result<Folder> Folder::open(std::filesystem::path path, AfterStep after_step) {
    NOROSHI_TRY_VOID(make_private_folder(path));
    return Folder(std::move(path), std::move(after_step));
}

std::vector<FileEntry> Folder::list() const {
    std::vector<FileEntry> out;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
        struct stat info {};
        if (::lstat(entry->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
            out.push_back({entry->path().filename().string(), static_cast<std::uint64_t>(info.st_size),
                           from_unix_ms(std::int64_t{info.st_mtime} * 1000)});
        }
    }
    std::ranges::sort(out, {}, &FileEntry::name);
    return out;
}

Result<void> Folder::rename(const std::string& from, const std::string& to) const {
    if (::rename((path_ / from).c_str(), (path_ / to).c_str()) != 0) {
        return fault("rename", path_ / from);
    }
    stepped("rename " + to);
    return sync();
}

Result<void> Folder::remove(const std::string& name) const {
    if (::unlink((path_ / name).c_str()) != 0 && errno != ENOENT) {
        return fault("remove", path_ / name);
    }
    stepped("remove " + name);
    return {};
}

Result<void> Folder::keep_as_damaged(const std::string& name) const {
    if (::link((path_ / name).c_str(), (path_ / (name + ".damaged")).c_str()) != 0 && errno != EEXIST) {
        return fault("set aside", path_ / name);
    }
    stepped("set aside " + name);
    return {};
}

Result<void> Folder::sync() const {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    Result<void> out;
    if (!done) {
        out = fault("sync", path_);
    }
    if (fd >= 0) {
        ::close(fd);
    }
    return out;
}

Result<OutFile> OutFile::create(const Folder& folder, std::string name) {
    const std::filesystem::path path = folder / name;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fault("create", path);
    }
    folder.stepped("create " + name);
    return OutFile(folder, std::move(name), fd);
}

OutFile::OutFile(OutFile&& other) noexcept
    : folder_(other.folder_), name_(std::move(other.name_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

OutFile& OutFile::operator=(OutFile&& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(name_, other.name_);
    std::swap(fd_, other.fd_);
    std::swap(size_, other.size_);
    return *this;
}

OutFile::~OutFile() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<void> OutFile::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return fault("write", *folder_ / name_);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
        size_ += static_cast<std::uint64_t>(written);
    }
    folder_->stepped("append " + name_);
    return {};
}

Result<void> OutFile::sync() {
    if (::fdatasync(fd_) != 0) {
        return fault("sync", *folder_ / name_);
    }
    folder_->stepped("sync " + name_);
    return {};
}

Result<InFile> InFile::open(const Folder& folder, const std::string& name) {
    const int fd = ::open((folder / name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return fault("open", folder / name);
    }
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
        const auto out = fault("read", folder / name);
        ::close(fd);
        return out;
    }
    return InFile(fd, static_cast<std::uint64_t>(info.st_size));
}

InFile::InFile(InFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

InFile::~InFile() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<std::string> InFile::read(std::uint64_t offset, std::size_t bytes) const {
    if (offset > size_ || bytes > size_ - offset) {
        return fail(Errc::corrupt, "the file ends early");
    }
    std::string out(bytes, '\0');
    std::size_t have = 0;
    while (have < bytes) {
        const ssize_t got = ::pread(fd_, out.data() + have, bytes - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(Errc::io, std::generic_category().message(errno));
        }
        if (got == 0) {
            return fail(Errc::corrupt, "the file ends early");
        }
        have += static_cast<std::size_t>(got);
    }
    return out;
}

}  // namespace noroshi::tsdb
