#include "pipelines/synthetic_model.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <map>
#include <new>
#include <optional>

#include <nlohmann/json.hpp>

#include "checkpoints/expected_tensors.h"
#include "core/tensor.h"

namespace t2v {
namespace {

using Shape = std::vector<int64_t>;

int64_t count(const Shape& shape) {
  int64_t numbers = 1;
  for (const int64_t size : shape) numbers *= size;
  return numbers;
}

/// A file without a name that lives in memory.
class MemoryFile {
 public:
  explicit MemoryFile(size_t size) : size_(size), descriptor_(::memfd_create("t2v-synthetic", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) throw std::bad_alloc();
    void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<char*>(mapped);
  }
  ~MemoryFile() {
    ::munmap(data_, size_);
    ::close(descriptor_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  char* data() const { return data_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  size_t size_;
  int descriptor_;
  char* data_ = nullptr;
};

/// "blocks.7.attn1.to_q.weight" -> "blocks.0.attn1.to_q.weight"; nothing for what is in no block.
std::optional<std::string> in_first_block(const std::string& name) {
  for (const std::string prefix : {"blocks.", "encoder.block."}) {
    if (!name.starts_with(prefix)) continue;
    return prefix + "0" + name.substr(name.find('.', prefix.size()));
  }
  return std::nullopt;
}

/// Random values in place: of matrices and convolutions such that they keep the variance of what they are
/// given, of factors near 1, of what is added near 0.
void fill(const std::string& name, const Shape& shape, void* data, const at::Generator& generator) {
  const Tensor values = at::from_blob(data, {count(shape)}, at::kBFloat16);
  const bool is_gamma = name.ends_with("gamma");
  const bool is_factor = is_gamma || (shape.size() == 1 && name.ends_with("weight"));
  if (is_factor) {
    values.uniform_(0.9, 1.1, generator);
  } else if (shape.size() == 1 || name.ends_with("table")) {
    values.uniform_(-0.05, 0.05, generator);
  } else {
    const double bound = std::sqrt(3.0 * static_cast<double>(shape[0]) / static_cast<double>(count(shape)));
    values.uniform_(-bound, bound, generator);
  }
}

/// The tensors that are stored: of numbered blocks the first's.
TensorShapes stored_tensors(std::string_view component, const TensorShapes& tensors) {
  TensorShapes stored;
  for (const auto& [name, shape] : tensors) {
    const bool encodes =
        component == "vae" && (name.starts_with("encoder.") || name.starts_with("quant_conv."));
    if (!encodes && in_first_block(name).value_or(name) == name) stored.emplace(name, shape);
  }
  return stored;
}

std::shared_ptr<const TensorFile> store(const TensorShapes& tensors, uint64_t seed) {
  constexpr size_t kLengthBytes = 8, kAlignment = 64;
  nlohmann::json header = nlohmann::json::object();
  uint64_t end = 0;
  for (const auto& [name, shape] : tensors) {
    const uint64_t begin = end;
    end += 2 * static_cast<uint64_t>(count(shape));
    header[name] = {{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes + kAlignment - 1) / kAlignment * kAlignment - kLengthBytes, ' ');

  const MemoryFile file(kLengthBytes + text.size() + end);
  for (size_t i = 0; i < kLengthBytes; ++i) file.data()[i] = static_cast<char>(text.size() >> (8 * i));
  text.copy(file.data() + kLengthBytes, text.size());
  char* next = file.data() + kLengthBytes + text.size();
  const at::Generator generator = seeded_generator(seed);
  for (const auto& [name, shape] : tensors) {
    fill(name, shape, next, generator);
    next += 2 * count(shape);
  }
  return TensorFile::open(file.path());
}

}  // namespace

Component synthetic_model(std::string_view component, const nlohmann::json& config, uint64_t seed) {
  Component model{.origin = "a synthetic " + std::string(component),
                  .config = Config(config, std::string(component)),
                  .files = {},
                  .tensors = {}};
  const TensorShapes tensors = expected_tensors(component, model.config);
  const auto file = store(stored_tensors(component, tensors), seed);
  model.files = {file};
  for (const auto& [name, shape] : tensors) {
    const auto stored = file->tensors().find(in_first_block(name).value_or(name));
    if (stored != file->tensors().end()) model.tensors.emplace(name, TensorSource{file, stored->second});
  }
  return model;
}

}  // namespace t2v
