#include "files/hub/listing.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/shown_name.h"
#include "files/hub/repository.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using Json = nlohmann::json;

constexpr int64_t kLargestFile = int64_t{1} << 46;
constexpr size_t kMostFiles = 100000;

[[noreturn]] void refuse(const std::string& origin, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kNetwork, {.doing = "reading the list of files of " + origin,
                                    .got = got,
                                    .expected = expected,
                                    .advice = "check HF_ENDPOINT"});
}

/// A member of an object; null if it is not there.
const Json& member(const Json& object, const char* key) {
  static const Json null;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() ? *found : null;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }

RemoteFile read_file_entry(const Json& entry, const std::string& origin) {
  const Json& lfs = member(entry, "lfs");
  const Json& size = lfs.is_object() ? member(lfs, "size") : member(entry, "size");
  RemoteFile file{.path = text_of(member(entry, "rfilename")),
                  .size = 0,
                  .hash = text_of(lfs.is_object() ? member(lfs, "sha256") : member(entry, "blobId"))};
  if (!is_safe_path(file.path))
    refuse(origin, "the file name " + shown_name(file.path), "one below the folder");
  if (!size.is_number_unsigned() || size.get<uint64_t>() > static_cast<uint64_t>(kLargestFile)) {
    // Not what a hostile answer has there: lists a million deep would overflow the stack.
    refuse(origin,
           shown_name(file.path) + " with the size " + (size.is_number() ? size.dump() : size.type_name()),
           "a number of bytes");
  }
  if (!is_blob_hash(file.hash))
    refuse(origin, shown_name(file.path) + " with the hash " + shown_name(file.hash), "a hash");
  file.size = size.get<int64_t>();
  return file;
}

bool ends_with_any(const std::string& path, const std::vector<std::string>& ends) {
  return std::any_of(ends.begin(), ends.end(), [&](const std::string& end) { return path.ends_with(end); });
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

/// "fp16" of model.fp16.safetensors, model.fp16-00001-of-00002.safetensors and
/// model.safetensors.index.fp16.json; "" if the name has none.
std::string variant_of(const std::string& path) {
  const std::string name = path.substr(folder_of(path).size());
  for (const char* variant : {"fp16", "bf16", "fp32", "fp8"}) {
    const std::string dotted = std::string(".") + variant;
    if (name.find(dotted + ".") != std::string::npos || name.find(dotted + "-") != std::string::npos) {
      return variant;
    }
  }
  return "";
}

bool is_weights(const std::string& path) {
  return path.ends_with(".safetensors") || path.find(".safetensors.index") != std::string::npos;
}

/// In each folder the weights of one variant: the wanted one, else those without, else what there is.
std::vector<RemoteFile> of_one_variant(const std::vector<RemoteFile>& files, const std::string& wanted) {
  std::map<std::string, std::set<std::string>> variants;
  for (const RemoteFile& file : files) {
    if (is_weights(file.path)) variants[folder_of(file.path)].insert(variant_of(file.path));
  }
  std::vector<RemoteFile> chosen;
  for (const RemoteFile& file : files) {
    const std::set<std::string>& there = variants[folder_of(file.path)];
    const std::string taken = there.contains(wanted) ? wanted
                              : there.contains("")   ? ""
                              : there.empty()        ? ""
                                                     : *there.begin();
    if (!is_weights(file.path) || variant_of(file.path) == taken) chosen.push_back(file);
  }
  return chosen;
}

/// True for a repository that is one checkpoint: diffusers' folder, or an original one.
bool is_checkpoint(const Listing& listing) {
  return std::any_of(listing.files.begin(), listing.files.end(), [](const RemoteFile& file) {
    return file.path == "model_index.json" || file.path == "config.json" ||
           file.path == "high_noise_model/config.json";
  });
}

[[noreturn]] void ask_for_patterns(const std::string& origin, const std::string& got) {
  throw Error(ErrorCode::kUsage, {.doing = "t2v pull " + origin,
                                  .got = got,
                                  .expected = "files to choose",
                                  .advice = "name them: `include` '*.gguf', or the path of one file"});
}

}  // namespace

Listing parse_listing(const std::string& text, const std::string& origin) {
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  Listing listing{.commit = text_of(member(object, "sha")), .files = {}};
  if (!is_commit(listing.commit)) refuse(origin, "an answer without a commit", "an answer of the Hub");
  const Json& siblings = member(object, "siblings");
  if (!siblings.is_array() || siblings.size() > kMostFiles) refuse(origin, "no list", "a list of files");
  std::set<std::string> names;
  for (const Json& entry : siblings) {
    listing.files.push_back(read_file_entry(entry, origin));
    if (!names.insert(listing.files.back().path).second) {
      refuse(origin, "the file name " + shown_name(listing.files.back().path) + " twice", "each once");
    }
  }
  return listing;
}

std::vector<RemoteFile> choose_files(const Listing& listing, const std::vector<std::string>& patterns,
                                     const std::string& variant, const std::string& origin) {
  if (patterns.empty() && !is_checkpoint(listing)) {
    ask_for_patterns(origin, "a collection of " + std::to_string(listing.files.size()) + " files");
  }
  std::vector<RemoteFile> chosen;
  const bool original = std::none_of(listing.files.begin(), listing.files.end(),
                                     [](const RemoteFile& file) { return file.path == "model_index.json"; });
  std::vector<std::string> endings = {".safetensors", ".json", ".model", ".txt"};
  if (original) endings.emplace_back(".pth");
  for (const RemoteFile& file : listing.files) {
    const auto matches = [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), file.path.c_str(), 0) == 0;
    };
    if (patterns.empty() ? ends_with_any(file.path, endings)
                         : std::any_of(patterns.begin(), patterns.end(), matches)) {
      chosen.push_back(file);
    }
  }
  if (patterns.empty()) chosen = of_one_variant(chosen, variant);
  if (chosen.empty()) ask_for_patterns(origin, "no file that matches");
  return chosen;
}

}  // namespace t2v
