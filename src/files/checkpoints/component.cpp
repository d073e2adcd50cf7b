#include "files/checkpoints/component.h"

#include <set>

#include "files/formats/shard_index.h"

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

}  // namespace t2v
