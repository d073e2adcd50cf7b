#include "weights/weights.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "weights/dtypes.h"
#include "weights/lora.h"
#include "weights/read_tensor.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOtherModel = "check that config.json and the weights belong to the same model";

[[noreturn]] void fail(const std::string& doing, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = doing, .got = got, .expected = expected, .advice = kOtherModel});
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

struct Weights::Record {
  Component component;
  LoadOptions options;
  std::mutex mutex = {};                          ///< of `asked`
  std::set<std::string, std::less<>> asked = {};  ///< the names that were asked for

  at::ScalarType wanted_dtype(const std::string& name, const StoredTensor& stored) const {
    const at::ScalarType dtype = options.placement.dtype;
    if (!is_floating(stored.format)) return dtype_of(stored.format);
    if (at::elementSize(dtype) >= at::elementSize(at::kFloat)) return dtype;
    const std::string dotted = "." + name + ".";
    const bool keep = std::any_of(
        options.keep_in_fp32.begin(), options.keep_in_fp32.end(),
        [&](const std::string& part) { return dotted.find("." + part + ".") != std::string::npos; });
    return keep ? at::kFloat : dtype;
  }

  void ask(const std::string& name) {
    const std::lock_guard lock(mutex);
    asked.insert(name);
  }

  Tensor load(const std::string& name, const TensorSource& source, bool has_values) {
    ask(name);
    const at::ScalarType dtype = wanted_dtype(name, source.stored);
    if (!has_values) return at::empty(source.stored.shape, at::device(at::kMeta).dtype(dtype));
    const Tensor stored = read_tensor(source);
    if (!lora_changes(options.loras, name)) return stored.to(options.placement.device, dtype);
    return lora_merged(options.loras, name, stored.to(options.placement.device)).to(dtype);
  }
};

Weights::Weights(std::shared_ptr<Record> record, std::string prefix, bool has_values)
    : record_(std::move(record)), prefix_(std::move(prefix)), has_values_(has_values) {}

Weights Weights::open(Component component, LoadOptions options) {
  return Weights(std::make_shared<Record>(std::move(component), std::move(options)), "", true);
}

Weights Weights::open_folder(const fs::path& folder, const std::string& base, LoadOptions options) {
  return open(open_tensors(folder, base), std::move(options));
}

Weights Weights::open_file(const fs::path& file, LoadOptions options) {
  return open(open_tensors(file), std::move(options));
}

Weights Weights::operator[](std::string_view name) const {
  return Weights(record_, prefix_ + std::string(name) + ".", has_values_);
}

Weights Weights::without_values() const { return Weights(record_, prefix_, false); }

Tensor Weights::tensor(std::string_view name, at::IntArrayRef shape) const {
  const std::string full_name = prefix_ + std::string(name);
  const TensorSource& source = record_->component.get(full_name);
  const std::string doing = "reading " + record_->component.origin + ", tensor '" + full_name + "'";
  if (shape != at::IntArrayRef(source.stored.shape)) {
    fail(doing, "shape " + shape_text(source.stored.shape), shape_text(shape));
  }
  if (!is_floating(source.stored.format)) {
    fail(doing, "numbers of type " + std::string(number_format_name(source.stored.format)),
         "floating-point numbers");
  }
  return record_->load(full_name, source, has_values_);
}

Tensor Weights::tensor(std::string_view name) const {
  const std::string full_name = prefix_ + std::string(name);
  return record_->load(full_name, record_->component.get(full_name), has_values_);
}

bool Weights::has(std::string_view name) const { return record_->component.has(prefix_ + std::string(name)); }

void Weights::ignore() const {
  for (const auto& [name, source] : record_->component.tensors) {
    if (name.starts_with(prefix_)) record_->ask(name);
  }
}

void Weights::expect_all_used() const {
  constexpr size_t kMostShown = 3;
  std::vector<std::string> unused;
  for (const auto& [name, source] : record_->component.tensors) {
    if (name.starts_with(prefix_) && !record_->asked.contains(name)) unused.push_back(name);
  }
  if (unused.empty()) return;
  constexpr size_t kLongest = 400;  // names come from the file
  std::string names;
  for (size_t i = 0; i < std::min(unused.size(), kMostShown); ++i)
    names += (i > 0 ? ", '" : "'") + unused[i].substr(0, kLongest) + "'";
  if (unused.size() > kMostShown) names += " and " + std::to_string(unused.size() - kMostShown) + " more";
  fail("reading " + record_->component.origin, "tensors that the model does not have: " + names, "none");
}

std::vector<fs::path> Weights::files() const {
  std::vector<fs::path> paths;
  for (const auto& file : record_->component.files) paths.push_back(file->path());
  return paths;
}

}  // namespace t2v
