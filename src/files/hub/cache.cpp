#include "files/hub/cache.h"

#include <algorithm>
#include <cerrno>
#include <random>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/config.h"
#include "core/file.h"
#include "core/staged_file.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "models--";
constexpr int64_t kLargestReference = 4096;

/// A name beside `path` that nothing else uses.
fs::path temporary_name(const fs::path& path) {
  std::random_device random;
  return path.parent_path() / (".t2v-" + std::to_string(random()) + ".part");
}

void rename_over(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  const int error = errno;
  ::unlink(from.c_str());
  throw output_error(to, error);
}

/// Shards that a sharded index names and its folder lacks.
void add_missing_shards(const fs::path& index, std::vector<std::string>& missing) {
  std::error_code ignored;
  const Config config = Config::read(index);
  if (!config.has("weight_map") || !config.json().at("weight_map").is_object()) return;
  for (const auto& [tensor, shard] : config.json().at("weight_map").items()) {
    if (!shard.is_string()) continue;
    const fs::path file = index.parent_path() / shard.get<std::string>();
    const std::string name = file.filename().string();
    if (fs::exists(file, ignored)) continue;
    if (std::find(missing.begin(), missing.end(), name) == missing.end()) missing.push_back(name);
  }
}

bool has_weights(const fs::path& folder) {
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".safetensors" || extension == ".bin") return true;
  }
  return false;
}

/// Components that a model_index.json names and that have no folder, or no weights beside their config.json.
void add_missing_components(const fs::path& index, std::vector<std::string>& missing) {
  std::error_code ignored;
  const Config config = Config::read(index);
  for (const auto& [name, entry] : config.json().items()) {
    const bool component =
        entry.is_array() && entry.size() == 2 && entry[1].is_string() && is_safe_path(name);
    const fs::path folder = index.parent_path() / name;
    if (!component || (fs::is_directory(folder, ignored) &&
                       (!fs::exists(folder / "config.json", ignored) || has_weights(folder)))) {
      continue;
    }
    missing.push_back(name);
  }
}

/// What `file` says has to be beside it; itself, if it is damaged.
void add_missing_beside(const fs::path& file, std::vector<std::string>& missing) {
  try {
    if (file.filename() == "model_index.json") add_missing_components(file, missing);
    if (file.string().ends_with(".safetensors.index.json")) add_missing_shards(file, missing);
  } catch (const Error&) {
    missing.push_back(file.filename().string());
  }
}

}  // namespace

fs::path HubCache::folder(const std::string& id) const {
  const size_t slash = id.find('/');
  return root_ / (std::string(kPrefix) + id.substr(0, slash) + "--" + id.substr(slash + 1));
}

fs::path HubCache::blob(const std::string& id, const std::string& hash) const {
  return folder(id) / "blobs" / hash;
}

fs::path HubCache::lock_file(const std::string& id, const std::string& hash) const {
  return root_ / ".locks" / folder(id).filename() / (hash + ".lock");
}

fs::path HubCache::snapshot(const std::string& id, const std::string& commit) const {
  return folder(id) / "snapshots" / commit;
}

std::optional<fs::path> HubCache::find(const Repository& repository) const {
  std::error_code ignored;
  std::string commit = repository.revision;
  if (!is_commit(commit)) {
    const fs::path reference = folder(repository.id) / "refs" / repository.revision;
    if (!fs::is_regular_file(reference, ignored)) return std::nullopt;
    commit = read_file(reference, kLargestReference);
    commit.erase(commit.find_last_not_of(" \r\n") + 1);
    if (!is_commit(commit)) return std::nullopt;
  }
  const fs::path found = snapshot(repository.id, commit);
  return fs::is_directory(found, ignored) ? std::optional(found) : std::nullopt;
}

std::vector<std::string> HubCache::repositories() const {
  std::vector<std::string> ids;
  std::error_code ignored;
  for (fs::directory_iterator entry(root_, ignored), end; entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    const size_t dashes = name.find("--", kPrefix.size());
    if (name.rfind(kPrefix, 0) != 0 || dashes == std::string::npos) continue;
    const std::string id =
        name.substr(kPrefix.size(), dashes - kPrefix.size()) + "/" + name.substr(dashes + 2);
    if (parse_repository(id)) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void HubCache::link(const std::string& id, const std::string& commit, const std::string& path,
                    const std::string& hash) const {
  const fs::path file = snapshot(id, commit) / path;
  const fs::path target = fs::relative(blob(id, hash), file.parent_path());
  std::error_code ignored;
  if (fs::is_symlink(file, ignored) && fs::read_symlink(file, ignored) == target) return;
  make_folders(file.parent_path());
  const fs::path temporary = temporary_name(file);
  if (::symlink(target.c_str(), temporary.c_str()) != 0) throw output_error(file, errno);
  rename_over(temporary, file);
}

void HubCache::set_reference(const Repository& repository, const std::string& commit) const {
  if (repository.revision == commit) return;
  const fs::path file = folder(repository.id) / "refs" / repository.revision;
  make_folders(file.parent_path());
  StagedFile staged(file);
  if (::write(staged.descriptor(), commit.data(), commit.size()) != static_cast<ssize_t>(commit.size())) {
    throw output_error(file, errno);
  }
  staged.publish(/*overwrite=*/true);
}

std::vector<std::string> missing_files(const fs::path& snapshot) {
  std::vector<std::string> missing;
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(snapshot, ignored), end; entry != end;
       entry.increment(ignored)) {
    const fs::path& file = entry->path();
    if (fs::is_directory(file, ignored)) continue;
    if (!fs::is_regular_file(file, ignored)) {
      missing.push_back(fs::relative(file, snapshot).string());
    } else {
      add_missing_beside(file, missing);
    }
  }
  return missing;
}

int64_t size_of_files(const fs::path& snapshot) {
  int64_t bytes = 0;
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(snapshot, ignored), end; entry != end;
       entry.increment(ignored)) {
    if (fs::is_regular_file(entry->path(), ignored)) {
      bytes += static_cast<int64_t>(fs::file_size(entry->path(), ignored));
    }
  }
  return bytes;
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw output_error(folder, error.value());
}

}  // namespace t2v
