#include "tensors/weights/weights.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "tensors/weights/dtypes.h"
#include "tensors/weights/lora.h"
#include "tensors/weights/read_tensor.h"

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
  TensorList* list = nullptr;                     ///< of a record; nullptr for a checkpoint
  std::mutex mutex = {};                          ///< guards the members that follow
  std::set<std::string, std::less<>> asked = {};  ///< names that were asked for
  std::map<std::string, Matrix> on_host = {};     ///< as they are copied to the device

  void ask(const std::string& name) {
    const std::lock_guard lock(mutex);
    asked.insert(name);
  }

  /// Adds a tensor to the list of a record.
  void write_down(const std::string& name, const TensorSource& source, Values values) {
    if (list != nullptr) list->tensors[name] = {source.stored.shape, values != Values::kNotNeeded};
  }

  Tensor load(const std::string& name, const TensorSource& source, Values values) {
    return load_as(computed_dtype(name, source.stored), name, source, values).values;
  }
  Matrix load_matrix(const std::string& name, const TensorSource& source, Values values) {
    return load_as(loaded_dtype(name, source.stored, options), name, source, values);
  }
  /// The dtype of a loaded tensor that is not kept as a matrix.
  at::ScalarType computed_dtype(const std::string& name, const StoredTensor& stored) const {
    const at::ScalarType dtype = loaded_dtype(name, stored, options);
    return dtype == at::kFloat8_e4m3fn ? options.placement.dtype : dtype;
  }

 private:
  Matrix load_as(at::ScalarType dtype, const std::string& name, const TensorSource& source, Values values) {
    ask(name);
    write_down(name, source, values);
    if (source.file == nullptr || values == Values::kNone) return without_values(source.stored.shape, dtype);
    const at::Device device = options.placement.device;
    if (values == Values::kKeptOnHost && !device.is_cpu()) return host_copy(name, source, dtype).to(device);
    return make(name, source, dtype, device);
  }

  Matrix without_values(at::IntArrayRef shape, at::ScalarType dtype) const {
    const auto meta = at::device(at::kMeta);
    const Tensor values = at::empty(shape, meta.dtype(dtype));
    if (dtype != at::kFloat8_e4m3fn) return {values, std::nullopt, dtype};
    return {values, at::empty({shape[0], 1}, meta.dtype(at::kFloat)), options.placement.dtype};
  }

  Matrix make(const std::string& name, const TensorSource& source, at::ScalarType dtype,
              at::Device device) const {
    if (dtype != at::kFloat8_e4m3fn)
      return {convert(name, read_tensor(source), dtype, device), std::nullopt, dtype};
    const at::ScalarType computed = options.placement.dtype;
    const bool as_stored =
        source.stored.format == NumberFormat::kF8E4M3 && !lora_changes(options.loras, name);
    return as_stored ? read_fp8(source, computed).to(device)
                     : to_fp8(convert(name, read_tensor(source), at::kFloat, device), computed);
  }

  Tensor convert(const std::string& name, const Tensor& stored, at::ScalarType dtype,
                 at::Device device) const {
    if (!lora_changes(options.loras, name)) return stored.to(device, dtype);
    return lora_merged(options.loras, name, stored.to(device)).to(dtype);
  }

  Matrix host_copy(const std::string& name, const TensorSource& source, at::ScalarType dtype) {
    {
      const std::lock_guard lock(mutex);
      if (const auto found = on_host.find(name); found != on_host.end()) return found->second;
    }
    const Matrix copy = make(name, source, dtype, at::kCPU).pinned();
    const std::lock_guard lock(mutex);
    return on_host.emplace(name, copy).first->second;
  }
};

Weights::Weights(std::shared_ptr<Record> record, std::string prefix, Values values)
    : record_(std::move(record)), prefix_(std::move(prefix)), values_(values) {}

Weights Weights::open(Component component, LoadOptions options) {
  return Weights(std::make_shared<Record>(std::move(component), std::move(options)), "", Values::kOfFile);
}

Weights Weights::open_folder(const fs::path& folder, const std::string& base, LoadOptions options) {
  return open(open_tensors(folder, base), std::move(options));
}

Weights Weights::open_file(const fs::path& file, LoadOptions options) {
  return open(open_tensors(file), std::move(options));
}

Weights Weights::record(TensorList& list, LoadOptions options, Component component) {
  return Weights(std::make_shared<Record>(std::move(component), std::move(options), &list), "",
                 Values::kOfFile);
}

Weights Weights::operator[](std::string_view name) const {
  return Weights(record_, prefix_ + std::string(name) + ".", values_);
}

Weights Weights::kept_on_host() const { return Weights(record_, prefix_, Values::kKeptOnHost); }

Weights Weights::without_values() const { return Weights(record_, prefix_, Values::kNone); }

Weights Weights::not_needed() const { return Weights(record_, prefix_, Values::kNotNeeded); }

const Placement& Weights::placement() const { return record_->options.placement; }

TensorSource Weights::find(const std::string& full_name, at::IntArrayRef shape) const {
  if (record_->list != nullptr || values_ == Values::kNotNeeded)
    return {.file = {}, .stored = {.format = NumberFormat::kF32, .shape = shape.vec()}};
  const TensorSource& source = record_->component.get(full_name);
  const std::string doing = "reading " + record_->component.origin + ", tensor '" + full_name + "'";
  if (shape != at::IntArrayRef(source.stored.shape)) {
    fail(doing, "shape " + shape_text(source.stored.shape), shape_text(shape));
  }
  if (!is_floating(source.stored.format)) {
    fail(doing, "numbers of type " + std::string(number_format_name(source.stored.format)),
         "floating-point numbers");
  }
  return source;
}

Tensor Weights::tensor(std::string_view name, at::IntArrayRef shape) const {
  const std::string full_name = prefix_ + std::string(name);
  return record_->load(full_name, find(full_name, shape), values_);
}

Tensor Weights::tensor(std::string_view name) const {
  const std::string full_name = prefix_ + std::string(name);
  return record_->load(full_name, record_->component.get(full_name), values_);
}

Matrix Weights::matrix(std::string_view name, at::IntArrayRef shape) const {
  const std::string full_name = prefix_ + std::string(name);
  return record_->load_matrix(full_name, find(full_name, shape), values_);
}

Tensor Weights::rows(std::string_view name, at::IntArrayRef shape, const Tensor& rows) const {
  const std::string full_name = prefix_ + std::string(name);
  const TensorSource source = find(full_name, shape);
  const at::ScalarType dtype = record_->computed_dtype(full_name, source.stored);
  record_->ask(full_name);
  record_->write_down(full_name, source, values_);
  if (source.file == nullptr) return at::empty({rows.numel(), shape[1]}, at::device(at::kMeta).dtype(dtype));
  return read_rows(source, rows).to(record_->options.placement.device, dtype);
}

bool Weights::has(std::string_view name) const { return record_->component.has(prefix_ + std::string(name)); }

void Weights::ignore(std::string_view prefix) const {
  const std::string full_prefix = prefix_ + std::string(prefix);
  if (record_->list != nullptr) record_->list->ignored.push_back(full_prefix);
  for (const auto& [name, source] : record_->component.tensors) {
    if (name.starts_with(full_prefix)) record_->ask(name);
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

at::ScalarType loaded_dtype(const std::string& name, const StoredTensor& stored, const LoadOptions& options) {
  const at::ScalarType dtype = options.placement.dtype;
  if (!is_floating(stored.format)) return dtype_of(stored.format);
  if (at::elementSize(dtype) >= at::elementSize(at::kFloat)) return dtype;
  const std::string dotted = "." + name + ".";
  const bool keep = std::any_of(
      options.keep_in_fp32.begin(), options.keep_in_fp32.end(),
      [&](const std::string& part) { return dotted.find("." + part + ".") != std::string::npos; });
  if (keep) return at::kFloat;
  return options.fp8_matrices && is_block_matrix(name, stored) ? at::kFloat8_e4m3fn : dtype;
}

uint64_t loaded_bytes(const std::string& name, const StoredTensor& stored, const LoadOptions& options) {
  uint64_t bytes = at::elementSize(loaded_dtype(name, stored, options));
  for (const int64_t size : stored.shape) bytes *= static_cast<uint64_t>(size);
  return bytes;
}

uint64_t loaded_bytes(const Component& component, const LoadOptions& options, std::string_view prefix) {
  uint64_t bytes = 0;
  for (const auto& [name, source] : component.tensors) {
    if (name.starts_with(prefix)) bytes += loaded_bytes(name, source.stored, options);
  }
  return bytes;
}

}  // namespace t2v
