#include "api/model_digest.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/file_lock.h"
#include "core/log.h"
#include "core/process.h"
#include "core/staged_file.h"
#include "core/user_cache.h"
#include "engine/interface/sources.h"
#include "files/checkpoints/checkpoint.h"
#include "files/hub/digest.h"
#include "t2v/checker.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

using nlohmann::ordered_json;

constexpr size_t kSha256Digits = 64;
/// In the user's cache folder.
constexpr const char* kKeptHashes = "sha256.json";
constexpr uintmax_t kWorthKeeping = 64 << 20;  // bytes of a file: reading it takes longer than looking
constexpr size_t kMostKeptHashes = 1000;
constexpr int64_t kLargestKeptHashes = 16 << 20;

std::set<fs::path> files_of(const ModelChoice& choice) {
  std::set<fs::path> files;
  const auto add = [&](const fs::path& file) { files.insert(fs::canonical(file)); };
  const Checkpoint checkpoint = Checkpoint::open(sources_of(choice));
  for (const auto& [name, component] : checkpoint.components) {
    for (const auto& file : component.files) add(file->path());
  }
  for (const auto* loras : {&choice.loras, &choice.loras_2}) {
    for (const LoraChoice& lora : *loras) add(lora.file);
  }
  return files;
}

bool is_sha256(const std::string& text) {
  return text.size() == kSha256Digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The hash that a blob of the Hugging Face cache is called; "" for another file.
std::string name_of_blob(const fs::path& file) {
  const std::string name = file.filename().string();
  return is_sha256(name) && file.parent_path().filename() == "blobs" ? name : "";
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

/// The hashes of large files that this user's processes have read, by file_identity(), as an object.
ordered_json kept_hashes() {
  const fs::path file = user_cache_folder() / kKeptHashes;
  std::error_code ignored;
  if (!file.is_absolute() || !fs::exists(file, ignored)) return ordered_json::object();
  try {
    ordered_json kept = ordered_json::parse(read_file(file, kLargestKeptHashes));
    if (kept.is_object()) return kept;
  } catch (const std::exception& error) {
    log_verbose(std::string("hashes are not used: ") + error.what());
  }
  return ordered_json::object();
}

std::string find_kept_hash(const std::string& identity) {
  const ordered_json kept = kept_hashes();
  const auto found = kept.find(identity);
  if (found == kept.end() || !found->is_string()) return "";
  const std::string hash = found->get<std::string>();
  return is_sha256(hash) ? hash : "";
}

void keep_hash(const std::string& identity, const std::string& hash) {
  const fs::path file = user_cache_folder() / kKeptHashes;
  if (!file.is_absolute()) return;
  try {
    fs::create_directories(file.parent_path());
    const FileLock lock(file.string() + ".lock");  // what another process keeps meanwhile is not to be lost
    ordered_json kept = kept_hashes();
    kept[identity] = hash;
    while (kept.size() > kMostKeptHashes) kept.erase(kept.begin());
    StagedFile staged(file);
    staged.write(kept.dump(1, ' ', false, ordered_json::error_handler_t::replace) + '\n');
    staged.publish(/*overwrite=*/true);
  } catch (const std::exception& error) {
    log_verbose(std::string("a hash is not kept: ") + error.what());
  }
}

}  // namespace

std::string sha256_of_file(const fs::path& file, const std::atomic<bool>& given_up) {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;  // by file_identity
  if (std::string blob = name_of_blob(file); !blob.empty()) return blob;
  const std::string identity = file_identity(file);
  {
    const std::lock_guard lock(mutex);
    if (const auto found = known.find(identity); found != known.end()) return found->second;
  }
  const bool large = fs::file_size(file) >= kWorthKeeping;
  std::string hash = large ? find_kept_hash(identity) : "";
  if (hash.empty()) {
    hash = hash_content(file, given_up);
    if (large && !hash.empty()) keep_hash(identity, hash);
  }
  const std::lock_guard lock(mutex);
  if (!hash.empty()) known[identity] = hash;
  return hash;
}

namespace {

std::string hash_model(const ModelChoice& choice, const std::atomic<bool>& given_up) {
  if (may_tune_process())
    static_cast<void>(::nice(10));  // of this thread alone, which is in nobody's way then
  std::vector<std::string> hashes;
  for (const fs::path& file : files_of(choice)) hashes.push_back(sha256_of_file(file, given_up));
  if (hashes.size() == 1) return hashes[0];
  std::sort(hashes.begin(), hashes.end());
  Digest digest(kSha256Digits, /*size=*/0);
  for (const std::string& hash : hashes) digest.add(hash + '\n');
  return digest.finish();
}

}  // namespace

ModelDigest::ModelDigest(const ModelChoice& located)
    : hash_(std::async(std::launch::async, [this, located] { return hash_model(located, given_up_); })) {}

ModelDigest::~ModelDigest() { given_up_ = true; }

std::string ModelDigest::get() {
  try {
    return hash_.get();
  } catch (const std::exception& error) {
    log_warning(std::string(error.what()) + "; model_sha256 is not recorded");
    return "";
  }
}

std::string model_sha256(const CheckedRequest& request) { return ModelDigest(request.model).get(); }

}  // namespace t2v
