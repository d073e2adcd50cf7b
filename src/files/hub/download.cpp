#include "files/hub/download.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "core/descriptor.h"
#include "core/log.h"
#include "core/staged_file.h"
#include "files/hub/cache.h"
#include "files/hub/digest.h"
#include "t2v/error.h"
#include "t2v/run.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPiece = 1 << 20;

/// Error (kOutput).
Descriptor open_file(const fs::path& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (file.value() < 0) throw output_error(path, errno);
  return file;
}

/// Waits for an exclusive lock on a file, and holds it. huggingface_hub takes the same one.
Descriptor wait_for_lock(const fs::path& path, const std::atomic<bool>* stop) {
  Descriptor file = open_file(path, O_RDWR | O_CREAT);
  bool told = false;
  // Other errors than EWOULDBLOCK: a filesystem without locks.
  while (::flock(file.value(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    if (!told) log_warning("another process is downloading this file; waiting for it");
    told = true;
    if (stop != nullptr && *stop) throw Stopped{};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return file;
}

/// The partial file: its bytes so far, and their digest.
class Partial {
 public:
  Partial(const Download& wanted, std::function<void(int64_t)> on_bytes)
      : wanted_(wanted),
        path_(wanted.blob.string() + ".incomplete"),
        file_(open_file(path_, O_RDWR | O_CREAT | O_NOFOLLOW)),
        digest_(wanted.hash.size(), wanted.size),
        on_bytes_(std::move(on_bytes)) {}

  int64_t here() const { return here_; }

  /// Reads what an earlier run left.
  void take_up(const std::atomic<bool>* stop) {
    std::vector<char> piece(kPiece);
    for (ssize_t count = 0; (count = ::pread(file_.value(), piece.data(), piece.size(), here_)) != 0;) {
      if (stop != nullptr && *stop) throw Stopped{};
      if (count < 0 || here_ + count > wanted_.size) return restart();
      digest_.add({piece.data(), static_cast<size_t>(count)});
      here_ += count;
      on_bytes_(here_);
    }
  }

  void add(std::string_view bytes) {
    if (here_ + static_cast<int64_t>(bytes.size()) > wanted_.size) {
      restart();
      throw TransferFailed{.reason = "more bytes than the " + std::to_string(wanted_.size) + " of the list"};
    }
    for (size_t written = 0; written < bytes.size();) {
      const ssize_t count = ::pwrite(file_.value(), bytes.data() + written, bytes.size() - written,
                                     here_ + static_cast<int64_t>(written));
      if (count < 0 && errno != EINTR) throw output_error(path_, errno);
      if (count > 0) written += static_cast<size_t>(count);
    }
    digest_.add(bytes);
    here_ += static_cast<int64_t>(bytes.size());
    on_bytes_(here_);
  }

  void restart() {
    here_ = 0;
    digest_ = Digest(wanted_.hash.size(), wanted_.size);
    if (::ftruncate(file_.value(), 0) != 0) throw output_error(path_, errno);
    on_bytes_(0);
  }

  /// Gives it its name if the hash is right; else empties it and returns the hash that it has.
  std::string finish() {
    const std::string hash = digest_.finish();
    if (hash != wanted_.hash) {
      restart();
      return hash;
    }
    if (::fsync(file_.value()) != 0 || ::rename(path_.c_str(), wanted_.blob.c_str()) != 0) {
      throw output_error(wanted_.blob, errno);
    }
    sync_folder(wanted_.blob.parent_path());
    return "";
  }

 private:
  const Download& wanted_;
  fs::path path_;
  Descriptor file_;
  Digest digest_;
  std::function<void(int64_t)> on_bytes_;
  int64_t here_ = 0;
};

/// Whether the head of an answer goes with what was asked for: the bytes from `partial.here()` on.
void check_head(const HttpResponse& response, const Download& wanted, Partial& partial) {
  if (response.status == 206) {
    const std::string prefix = "bytes " + std::to_string(partial.here()) + "-";
    const std::string& range = response.range;
    const bool right =
        partial.here() > 0 && range.starts_with(prefix) &&
        (range.ends_with(std::string("/").append(std::to_string(wanted.size))) || range.ends_with("/*"));
    if (!right) {
      partial.restart();
      throw TransferFailed{.reason = "another part of the file than asked for (\"" + range + "\")"};
    }
  } else if (partial.here() > 0) {
    partial.restart();  // a server that does not know ranges sends everything
  }
  const int64_t expected = wanted.size - partial.here();
  if (response.length >= 0 && response.length != expected) {
    throw TransferFailed{.reason = std::to_string(response.length) + " bytes where " +
                                   std::to_string(expected) + " are left of the file in the list"};
  }
}

void transfer(HttpClient& client, const Download& wanted, Partial& partial) {
  try {
    client.get(
        wanted.url, partial.here(),
        [&](const HttpResponse& response) { check_head(response, wanted, partial); },
        [&](std::string_view bytes) { partial.add(bytes); });
  } catch (const TransferFailed& failure) {
    if (failure.status == 416) partial.restart();
    throw;
  }
  if (partial.here() < wanted.size) {
    throw TransferFailed{.reason = "the connection was closed after " + std::to_string(partial.here()) +
                                   " of " + std::to_string(wanted.size) + " bytes"};
  }
}

bool is_here(const Download& wanted) {
  std::error_code error;
  return fs::file_size(wanted.blob, error) == static_cast<uintmax_t>(wanted.size) && !error;
}

}  // namespace

void download(HttpClient& client, const Download& wanted, const RetryOptions& retries,
              const std::function<void(int64_t here)>& on_bytes) {
  make_folders(wanted.blob.parent_path());
  make_folders(wanted.lock_file.parent_path());
  const Descriptor lock = wait_for_lock(wanted.lock_file, retries.stop);
  if (is_here(wanted)) return on_bytes(wanted.size);
  Partial partial(wanted, on_bytes);
  partial.take_up(retries.stop);
  bool resumed = partial.here() > 0;
  const std::string doing = "downloading " + shown_url(wanted.url);
  for (;; resumed = false) {
    // Going back to the start is no progress: a server could do that for ever.
    int64_t furthest = partial.here();
    const auto progress = [&] { return furthest = std::max(furthest, partial.here()); };
    if (partial.here() < wanted.size || wanted.size == 0) {
      retry(retries, doing, progress, [&] { transfer(client, wanted, partial); });
    }
    const std::string got = partial.finish();
    if (got.empty()) return;
    if (resumed) continue;  // what an earlier run left may be to blame
    throw Error(ErrorCode::kNetwork, {.doing = doing,
                                      .got = "a file with the hash " + got,
                                      .expected = wanted.hash,
                                      .advice = "try again later; what came was thrown away"});
  }
}

}  // namespace t2v
