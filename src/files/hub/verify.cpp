#include <algorithm>
#include <fstream>

#include "files/hub/digest.h"
#include "files/hub/pull.h"
#include "files/hub/repository.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPiece = 1 << 22;

std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (!entry.is_directory()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The hash that the blob behind a link is named after; "" for a file that is no such link.
std::string expected_hash(const fs::path& file) {
  std::error_code error;
  const std::string name = fs::read_symlink(file, error).filename().string();
  return !error && is_blob_hash(name) ? name : "";
}

/// Calls `on_bytes` with what is read; false if the file cannot be read.
bool read_pieces(const fs::path& file, const std::function<void(std::string_view)>& on_bytes) {
  std::ifstream stream(file, std::ios::binary);
  std::string piece(kPiece, '\0');
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())) || stream.gcount() > 0) {
    on_bytes(std::string_view(piece).substr(0, static_cast<size_t>(stream.gcount())));
  }
  return stream.eof();
}

int64_t size_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : static_cast<int64_t>(size);
}

[[noreturn]] void refuse(const std::string& name, const std::vector<fs::path>& damaged, size_t files) {
  std::error_code ignored;
  const fs::path blob = damaged[0].parent_path() / fs::read_symlink(damaged[0], ignored);
  throw Error(ErrorCode::kNetwork,
              {.doing = "verifying " + name,
               .got = std::to_string(damaged.size()) + " of " + std::to_string(files) +
                      " files with another hash, the first " + damaged[0].string(),
               .expected = "the hash that its blob is named after",
               .advice = "remove " + blob.lexically_normal().string() + " and pull again"});
}

}  // namespace

VerifiedFiles verify(const std::string& name, const fs::path& path, const RunControl& control) {
  const std::vector<fs::path> files = files_of(path);
  int64_t total = 0, done = 0;
  for (const fs::path& file : files) total += size_of(file);
  const auto advance = [&](const std::string& detail, size_t bytes) {
    if (control.stop != nullptr && *control.stop) throw Stopped{};
    done += static_cast<int64_t>(bytes);
    const Event event{.kind = Event::Kind::kVerify, .done = done, .total = total, .detail = detail};
    if (control.on_event) control.on_event(event);
  };
  advance(name, 0);
  VerifiedFiles result;
  std::vector<fs::path> damaged;
  for (const fs::path& file : files) {
    const std::string expected = expected_hash(file);
    if (expected.empty()) {
      result.unverified.push_back(file.filename().string());
      continue;
    }
    Digest digest(expected.size(), size_of(file));
    const bool read = read_pieces(file, [&](std::string_view bytes) {
      digest.add(bytes);
      advance(file.filename().string(), bytes.size());
    });
    if (!read || digest.finish() != expected) damaged.push_back(file);
    result.files += 1;
    result.bytes += size_of(file);
  }
  if (!damaged.empty()) refuse(name, damaged, files.size());
  return result;
}

}  // namespace t2v
