#include "files/checkpoints/component.h"

#include <set>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& doing, const std::string& got, const std::string& expected,
                       const std::string& advice) {
  constexpr size_t kLongest = 400;  // names come from the file
  throw Error(ErrorCode::kInput, {.doing = doing,
                                  .got = got.size() <= kLongest ? got : got.substr(0, kLongest) + "...",
                                  .expected = expected,
                                  .advice = advice});
}

constexpr const char* kMixedFiles = "check that the files belong to one checkpoint, or download it again";

/// Whether there is anything of that name, a dangling link included: it must be reported, not passed over.
bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::symlink_status(file, ignored).type() > fs::file_type::not_found;
}

Component empty_component(const fs::path& origin) {
  return {.origin = origin.string(), .config = no_config(), .files = {}, .tensors = {}};
}

std::string file_of(const TensorSource& source) { return source.file->path().filename().string(); }

/// Opens one more file, whose names no other file may have.
void add_file(Component& component, const fs::path& path) {
  const auto& file = component.files.emplace_back(TensorFile::open(path));
  for (const auto& [name, stored] : file->tensors()) {
    const auto [other, is_new] = component.tensors.emplace(name, TensorSource{file, stored});
    if (!is_new) {
      fail("reading " + path.string(), "the tensor '" + name + "' again",
           "it in " + file_of(other->second) + " alone", kMixedFiles);
    }
  }
}

void add_shards(Component& component, const fs::path& index) {
  const std::map<std::string, std::string> shard_of = read_shard_index(index);
  std::set<std::string> shards;
  for (const auto& [name, shard] : shard_of) shards.insert(shard);
  for (const std::string& shard : shards) add_file(component, index.parent_path() / shard);
  for (const auto& [name, shard] : shard_of) {
    const auto found = component.tensors.find(name);
    if (found == component.tensors.end() || file_of(found->second) != shard) {
      fail("reading " + component.origin, "no tensor '" + name + "' in " + shard,
           "it there, as " + index.filename().string() + " says", kMixedFiles);
    }
  }
  for (const auto& [name, source] : component.tensors) {
    if (!shard_of.contains(name)) {
      fail("reading " + component.origin, "the tensor '" + name + "' in " + file_of(source),
           "only tensors that " + index.filename().string() + " lists", kMixedFiles);
    }
  }
}

using nlohmann::json;

constexpr int64_t kLargestIndex = 16 << 20;
constexpr int kDeepest = 64;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& got,
                         const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + file.string(),
                                  .got = got.size() <= 300 ? got : got.substr(0, 300) + "...",
                                  .expected = expected,
                                  .advice = "download it again"});
}

/// json::parse, with an Error for a key that an object has twice: one of the two would be dropped in silence.
json parse_without_duplicates(const std::string& text, const std::filesystem::path& file) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDeepest)
      refuse(file, "lists or objects more than " + std::to_string(kDeepest) + " deep", "an index");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      refuse(file, "the key '" + parsed.get<std::string>() + "' twice", "every key once");
    }
    return true;
  };
  return json::parse(text, check, /*allow_exceptions=*/false);
}

}  // namespace

const TensorSource& Component::get(std::string_view name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    fail("reading " + origin, "no tensor '" + std::string(name) + "'", "a checkpoint that has it",
         "check that config.json and the weights belong to the same model");
  }
  return found->second;
}

PartInfo Component::info() const {
  PartInfo info{.origin = origin, .config = config};
  if (!files.empty()) info.file = files.front()->path();
  for (const auto& [name, source] : tensors)
    info.tensors.emplace_hint(info.tensors.end(), name, source.stored.shape);
  for (const auto& file : files) info.metadata.insert(file->metadata().begin(), file->metadata().end());
  return info;
}

std::optional<fs::path> find_weights(const fs::path& folder, const std::string& base) {
  for (const char* kind : {".safetensors", ".bin"}) {
    const std::string start = std::string(kind) == ".bin" && base == "model" ? "pytorch_model" : base;
    for (const char* variant : {"", ".fp16", ".bf16"}) {
      for (const std::string& name : {start + kind + ".index" + variant + ".json", start + variant + kind}) {
        if (is_there(folder / name)) return folder / name;
      }
    }
  }
  return std::nullopt;
}

Component open_tensors(const fs::path& file) {
  return open_tensors(std::vector<fs::path>{file}, file.string());
}

Component open_tensors(const std::vector<fs::path>& files, const std::string& origin) {
  Component component = empty_component(origin);
  for (const fs::path& file : files) add_file(component, file);
  return component;
}

Component open_tensors(const fs::path& folder, const std::string& base) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    fail("reading " + folder.string(), is_there(folder) ? "a file" : "no such folder",
         "a folder with weights", "check the path of the model");
  }
  const auto found = find_weights(folder, base);
  if (!found) {
    fail("reading " + folder.string(), "no weights", base + ".safetensors or its index",
         "download the model again");
  }
  if (found->extension() != ".json") return open_tensors(*found);
  Component component = empty_component(folder);
  add_shards(component, *found);
  return component;
}

std::map<std::string, std::string> read_shard_index(const std::filesystem::path& file) {
  const json index = parse_without_duplicates(read_file(file, kLargestIndex), file);
  const auto weight_map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || weight_map == index.end() || !weight_map->is_object()) {
    refuse(file, index.is_discarded() ? "text that is not JSON" : "no weight_map",
           "an object with a weight_map");
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [name, shard] : weight_map->items()) {
    if (!shard.is_string()) refuse(file, "no file name for '" + name + "'", "a string");
    const std::string plain = shard.get<std::string>();
    if (plain.empty() || plain == "." || plain == ".." ||
        plain.find_first_of(std::string_view("/\0", 2)) != plain.npos) {
      refuse(file, "the file name '" + plain + "'", "the plain name of a file in the same folder");
    }
    shard_of.emplace(name, plain);
  }
  if (shard_of.empty()) refuse(file, "an empty weight_map", "the names of tensors");
  return shard_of;
}

}  // namespace t2v
