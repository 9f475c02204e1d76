// src/tsdb/files.hpp - Folder, OutFile, InFile: every change to the files of the store, one step at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace noroshi::tsdb {

/// One file of the folder.
struct FileEntry {
    std::string name;
    std::uint64_t bytes{0};
    TimestampMs changed{};
};

/// The folder of one store. Thread: any; two threads must not change the same file.
class Folder {
  public:
    /// Told after each change, on the thread that made it: a test looks at the folder as a kill would leave it.
    using AfterStep = std::function<void(std::string_view step)>;

    /// Makes the folder (mode 0700) when missing. Errors: io, refused.
    [[nodiscard]] static Result<Folder> open(std::filesystem::path path, AfterStep after_step);

    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    /// Plain files in order of name.
    [[nodiscard]] std::vector<FileEntry> list() const;
    /// Renames over what is there and syncs the folder. Errors: io.
    [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) const;
    /// A file that is not there is no error. Errors: io.
    [[nodiscard]] Result<void> remove(const std::string& name) const;
    /// Gives the file a second name that ends in ".damaged"; it is there under both until the first is replaced or removed.
    [[nodiscard]] Result<void> keep_as_damaged(const std::string& name) const;
    [[nodiscard]] Result<void> sync() const;
    void stepped(std::string_view step) const {
        if (after_step_) {
            after_step_(step);
        }
    }

  private:
    Folder(std::filesystem::path path, AfterStep after_step)
        : path_(std::move(path)), after_step_(std::move(after_step)) {}
    std::filesystem::path path_;
    AfterStep after_step_;
};

/// A new file that is appended to (mode 0600). Thread: one.
class OutFile {
  public:
    /// Whatever had the name is replaced. Errors: io.
    [[nodiscard]] static Result<OutFile> create(const Folder& folder, std::string name);
    OutFile(OutFile&& other) noexcept;
    OutFile& operator=(OutFile&& other) noexcept;
    ~OutFile();

    [[nodiscard]] Result<void> append(std::string_view bytes);
    /// On disk when it returns (fdatasync). After an error the file's content is not to be trusted.
    [[nodiscard]] Result<void> sync();
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    OutFile(const Folder& folder, std::string name, int fd) : folder_(&folder), name_(std::move(name)), fd_(fd) {}
    const Folder* folder_;
    std::string name_;
    int fd_;
    std::uint64_t size_{0};
};

/// A file that is read at places. Thread: any.
class InFile {
  public:
    [[nodiscard]] static Result<InFile> open(const Folder& folder, const std::string& name);
    InFile(InFile&& other) noexcept;
    InFile& operator=(InFile&&) = delete;
    ~InFile();

    /// Exactly so many bytes. Errors: corrupt (the file ends before), io.
    [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t bytes) const;
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    InFile(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
    int fd_;
    std::uint64_t size_;
};

}  // namespace noroshi::tsdb
