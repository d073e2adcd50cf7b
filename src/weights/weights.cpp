#include "weights/weights.h"

#include <algorithm>
#include <map>
#include <set>

#include "weights/safetensors.h"
#include "weights/shard_index.h"

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
constexpr const char* kOtherModel = "check that config.json and the weights belong to the same model";

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

/// Whether there is anything of that name, a dangling link included: it must be reported, not passed over.
bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::symlink_status(file, ignored).type() > fs::file_type::not_found;
}

/// The first of the names under which a component's weights may be stored, or an Error.
fs::path find_weights(const fs::path& folder, const std::string& base) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    fail("reading " + folder.string(), is_there(folder) ? "a file" : "no such folder",
         "a folder with weights", "check the path of the model");
  }
  for (const char* variant : {"", ".fp16", ".bf16"}) {
    for (const std::string& name :
         {base + ".safetensors.index" + variant + ".json", base + variant + ".safetensors"}) {
      if (is_there(folder / name)) return folder / name;
    }
  }
  std::string pickle;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    const std::string extension = entry->path().extension();
    if (extension == ".bin" || extension == ".pth" || extension == ".pt" || extension == ".ckpt") {
      pickle = std::max(pickle, entry->path().filename().string());
    }
  }
  if (!pickle.empty()) throw pickle_error(folder / pickle);
  fail("reading " + folder.string(), "no weights", base + ".safetensors or its index",
       "download the model again");
}

}  // namespace

struct Weights::Checkpoint {
  struct Entry {
    size_t file;  ///< of `files`
    StoredTensor stored;
    bool asked = false;
  };

  std::string origin;  ///< what errors call it
  LoadOptions options;
  std::vector<SafetensorsFile> files;
  std::map<std::string, Entry, std::less<>> entries;

  /// Opens one more file, whose names no other file may have.
  void add(const fs::path& path) {
    files.emplace_back(path);
    for (const auto& [name, stored] : files.back().tensors()) {
      const auto [other, is_new] = entries.emplace(name, Entry{.file = files.size() - 1, .stored = stored});
      if (!is_new) {
        fail("reading " + path.string(), "the tensor '" + name + "' again",
             "it in " + file_of(other->second) + " alone", kMixedFiles);
      }
    }
  }

  void add_shards(const fs::path& index) {
    const std::map<std::string, std::string> shard_of = read_shard_index(index);
    std::set<std::string> shards;
    for (const auto& [name, shard] : shard_of) shards.insert(shard);
    for (const std::string& shard : shards) add(index.parent_path() / shard);
    for (const auto& [name, shard] : shard_of) {
      const auto found = entries.find(name);
      if (found == entries.end() || file_of(found->second) != shard) {
        fail("reading " + origin, "no tensor '" + name + "' in " + shard,
             "it there, as " + index.filename().string() + " says", kMixedFiles);
      }
    }
    for (const auto& [name, entry] : entries) {
      if (!shard_of.contains(name)) {
        fail("reading " + origin, "the tensor '" + name + "' in " + file_of(entry),
             "only tensors that " + index.filename().string() + " lists", kMixedFiles);
      }
    }
  }

  std::string file_of(const Entry& entry) const { return files[entry.file].path().filename().string(); }

  Entry& find(const std::string& name) {
    const auto found = entries.find(name);
    if (found == entries.end()) {
      fail("reading " + origin, "no tensor '" + name + "'", "a checkpoint that has it", kOtherModel);
    }
    return found->second;
  }

  at::ScalarType wanted_dtype(const std::string& name, at::ScalarType stored) const {
    const at::ScalarType dtype = options.placement.dtype;
    if (!at::isFloatingType(stored)) return stored;
    if (at::elementSize(dtype) >= at::elementSize(at::kFloat)) return dtype;
    const std::string dotted = "." + name + ".";
    const bool keep = std::any_of(
        options.keep_in_fp32.begin(), options.keep_in_fp32.end(),
        [&](const std::string& part) { return dotted.find("." + part + ".") != std::string::npos; });
    return keep ? at::kFloat : dtype;
  }

  Tensor load(const std::string& name, Entry& entry) const {
    entry.asked = true;
    const Tensor stored = files[entry.file].read(entry.stored);
    return stored.to(options.placement.device, wanted_dtype(name, entry.stored.dtype));
  }
};

Weights::Weights(std::shared_ptr<Checkpoint> checkpoint, std::string prefix)
    : checkpoint_(std::move(checkpoint)), prefix_(std::move(prefix)) {}

Weights Weights::open_folder(const fs::path& folder, const std::string& base, LoadOptions options) {
  const fs::path found = find_weights(folder, base);
  if (found.extension() != ".json") return open_file(found, std::move(options));
  auto checkpoint = std::make_shared<Checkpoint>();
  checkpoint->origin = folder.string();
  checkpoint->options = std::move(options);
  checkpoint->add_shards(found);
  return Weights(std::move(checkpoint), "");
}

Weights Weights::open_file(const fs::path& file, LoadOptions options) {
  auto checkpoint = std::make_shared<Checkpoint>();
  checkpoint->origin = file.string();
  checkpoint->options = std::move(options);
  checkpoint->add(file);
  return Weights(std::move(checkpoint), "");
}

Weights Weights::operator[](std::string_view name) const {
  return Weights(checkpoint_, prefix_ + std::string(name) + ".");
}

Tensor Weights::tensor(std::string_view name, at::IntArrayRef shape) const {
  const std::string full_name = prefix_ + std::string(name);
  Checkpoint::Entry& entry = checkpoint_->find(full_name);
  if (shape != at::IntArrayRef(entry.stored.shape)) {
    fail("reading " + checkpoint_->origin + ", tensor '" + full_name + "'",
         "shape " + shape_text(entry.stored.shape), shape_text(shape), kOtherModel);
  }
  if (!at::isFloatingType(entry.stored.dtype)) {
    fail("reading " + checkpoint_->origin + ", tensor '" + full_name + "'",
         "numbers of type " + dtype_name(entry.stored.dtype), "floating-point numbers", kOtherModel);
  }
  return checkpoint_->load(full_name, entry);
}

Tensor Weights::tensor(std::string_view name) const {
  const std::string full_name = prefix_ + std::string(name);
  return checkpoint_->load(full_name, checkpoint_->find(full_name));
}

bool Weights::has(std::string_view name) const {
  return checkpoint_->entries.contains(prefix_ + std::string(name));
}

void Weights::ignore() const {
  for (auto& [name, entry] : checkpoint_->entries) entry.asked = entry.asked || name.starts_with(prefix_);
}

void Weights::expect_all_used() const {
  constexpr size_t kMostShown = 3;
  std::vector<std::string> unused;
  for (const auto& [name, entry] : checkpoint_->entries) {
    if (!entry.asked && name.starts_with(prefix_)) unused.push_back(name);
  }
  if (unused.empty()) return;
  std::string names;
  for (size_t i = 0; i < std::min(unused.size(), kMostShown); ++i)
    names += (i > 0 ? ", '" : "'") + unused[i] + "'";
  if (unused.size() > kMostShown) names += " and " + std::to_string(unused.size() - kMostShown) + " more";
  fail("reading " + checkpoint_->origin, "tensors that the model does not have: " + names, "none",
       kOtherModel);
}

std::vector<fs::path> Weights::files() const {
  std::vector<fs::path> paths;
  for (const SafetensorsFile& file : checkpoint_->files) paths.push_back(file.path());
  return paths;
}

}  // namespace t2v
