#include "api/model_digest.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "api/sources.h"
#include "checkpoints/checkpoint.h"
#include "core/file.h"
#include "core/log.h"
#include "hub/digest.h"
#include "t2v/checker.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSha256Digits = 64;

std::set<fs::path> files_of(const GenerateRequest& request) {
  std::set<fs::path> files;
  const auto add = [&](const fs::path& file) { files.insert(fs::canonical(file)); };
  const Checkpoint checkpoint = Checkpoint::open(sources_of(request));
  for (const auto& [name, component] : checkpoint.components) {
    for (const auto& file : component.files) add(file->path());
  }
  for (const auto* loras : {&request.loras, &request.loras_2}) {
    for (const LoraChoice& lora : *loras) add(lora.file);
  }
  return files;
}

/// The hash that a blob of the Hugging Face cache is called; "" for another file.
std::string name_of_blob(const fs::path& file) {
  const std::string name = file.filename().string();
  const bool is_hash =
      name.size() == kSha256Digits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hash && file.parent_path().filename() == "blobs" ? name : "";
}

/// The sha256 of a file's content; "" if it was given up.
std::string hash_content(const fs::path& file, const std::atomic<bool>& given_up) {
  std::ifstream stream(file, std::ios::binary);
  Digest digest(kSha256Digits, /*size=*/0);
  std::vector<char> buffer(4 << 20);
  while (stream && !given_up) {
    stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    digest.add({buffer.data(), static_cast<size_t>(stream.gcount())});
  }
  if (given_up) return "";
  if (!stream.eof() || stream.bad()) {
    throw Error(ErrorCode::kInput, {.doing = "hashing " + file.string(), .got = "no content"});
  }
  return digest.finish();
}

std::string hash_file(const fs::path& file, const std::atomic<bool>& given_up) {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;  // by file_identity
  if (std::string blob = name_of_blob(file); !blob.empty()) return blob;
  const std::string identity = file_identity(file);
  {
    const std::lock_guard lock(mutex);
    if (const auto found = known.find(identity); found != known.end()) return found->second;
  }
  const std::string hash = hash_content(file, given_up);
  const std::lock_guard lock(mutex);
  if (!hash.empty()) known[identity] = hash;
  return hash;
}

std::string hash_model(const GenerateRequest& request, const std::atomic<bool>& given_up) {
  static_cast<void>(::nice(10));  // of this thread alone, which is to be in nobody's way
  std::vector<std::string> hashes;
  for (const fs::path& file : files_of(request)) hashes.push_back(hash_file(file, given_up));
  if (hashes.size() == 1) return hashes[0];
  std::sort(hashes.begin(), hashes.end());
  Digest digest(kSha256Digits, /*size=*/0);
  for (const std::string& hash : hashes) digest.add(hash + '\n');
  return digest.finish();
}

}  // namespace

ModelDigest::ModelDigest(const GenerateRequest& request)
    : hash_(std::async(std::launch::async, [this, request] { return hash_model(request, given_up_); })) {}

ModelDigest::~ModelDigest() { given_up_ = true; }

std::string ModelDigest::get() {
  try {
    return hash_.get();
  } catch (const std::exception& error) {
    log_warning(std::string(error.what()) + "; model_sha256 is not recorded");
    return "";
  }
}

std::string model_sha256(const GenerateRequest& checked) { return ModelDigest(checked).get(); }

}  // namespace t2v
